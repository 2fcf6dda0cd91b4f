//! Builds the two pages with npm into OUT_DIR, from where they are embedded. The network is touched only to install
//! the packages that `package-lock.json` names, and only when it changed.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Everything a page is made of, beside the installed packages.
const SOURCES: &[&str] = &[
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vite.ts",
    "scripts/compress.mjs",
    "shared/src",
    "desk/src",
    "desk/public",
    "desk/index.html",
    "desk/vite.config.ts",
    "console/src",
    "console/public",
    "console/index.html",
    "console/vite.config.ts",
];

/// What Vite 8 asks for.
const NODE_MAJOR_MIN: u32 = 20;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    if let Err(message) = build() {
        eprintln!("\npages: {message}\n");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?).join("pages");
    node_present()?;

    // Two cargo runs may share the source tree: one of them installs and builds at a time.
    let lock = fs::File::create(root.join(".install.lock")).map_err(|e| format!("cannot create .install.lock: {e}"))?;
    lock.lock().map_err(|e| format!("cannot lock .install.lock: {e}"))?;
    install(&root)?;
    match fs::remove_dir_all(&out) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(format!("cannot empty {out:?}: {error}")),
        _ => {}
    }
    npm(&root, &["run", "--silent", "build"], &out, "look at the TypeScript errors above")
}

/// `npm ci`, when the installed packages are not those of the lock file.
fn install(root: &Path) -> Result<(), String> {
    let wanted = fs::read(root.join("package-lock.json")).map_err(|e| format!("cannot read package-lock.json: {e}"))?;
    let stamp = root.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    npm(root, &["ci", "--no-audit", "--no-fund"], root, "npm needs its registry once to install the packages")?;
    fs::write(&stamp, wanted).map_err(|e| format!("cannot write {stamp:?}: {e}"))
}

fn npm(root: &Path, arguments: &[&str], out: &Path, hint: &str) -> Result<(), String> {
    let done = Command::new("npm")
        .args(arguments)
        .current_dir(root)
        .env("PAGES_OUT", out)
        .env("NPM_CONFIG_LOGLEVEL", "error")
        .output()
        .map_err(|e| format!("cannot start npm ({e}): install nodejs {NODE_MAJOR_MIN} or newer with npm"))?;
    if done.status.success() {
        return Ok(());
    }
    eprintln!("{}\n{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Err(format!("`npm {}` failed in sync/pages: {hint}", arguments.join(" ")))
}

fn node_present() -> Result<(), String> {
    let advice =
        format!("install nodejs {NODE_MAJOR_MIN} or newer with npm; the desk and the console are built with it");
    let said =
        Command::new("node").arg("--version").output().map_err(|e| format!("cannot start node ({e}): {advice}"))?;
    let text = String::from_utf8_lossy(&said.stdout);
    let major = text.trim().trim_start_matches('v').split('.').next().and_then(|m| m.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => Err(format!("node is {:?}: {advice}", text.trim())),
    }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: this runs under cargo"))
}
