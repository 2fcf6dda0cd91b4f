//! Reads the working tree: the files git knows or would take, and each crate's manifest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("tests/tidy lies two folders below the root").to_path_buf()
}

/// Tracked files and new ones that are not ignored, relative to the root.
pub fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).expect("file names are UTF-8");
    listing.lines().map(PathBuf::from).filter(|file| root().join(file).is_file()).collect()
}

/// Files with this ending, with their text.
pub fn texts(ending: &str) -> Vec<(PathBuf, String)> {
    files()
        .into_iter()
        .filter(|file| file.extension().is_some_and(|found| found == ending))
        .map(|file| {
            let text = std::fs::read_to_string(root().join(&file)).expect("a tracked text file is UTF-8");
            (file, text)
        })
        .collect()
}

/// Crate name → (its folder, its manifest).
pub fn crates() -> BTreeMap<String, (PathBuf, toml::Table)> {
    files()
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|name| name == "Cargo.toml") && file.components().count() == 3)
        .map(|file| {
            let text = std::fs::read_to_string(root().join(&file)).expect("readable manifest");
            let table: toml::Table = text.parse().expect("a manifest is TOML");
            let name = table["package"]["name"].as_str().expect("a package has a name").to_owned();
            (name, (file.parent().expect("in a folder").to_path_buf(), table))
        })
        .collect()
}

/// Names under `[dependencies]`, and under `[build-dependencies]`.
pub fn dependencies(manifest: &toml::Table) -> Vec<String> {
    ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|section| manifest.get(*section).and_then(toml::Value::as_table))
        .flat_map(|table| table.keys().cloned())
        .collect()
}
