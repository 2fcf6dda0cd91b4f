//! The program itself, as somebody starts it.

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

fn cloudd(dir: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cloudd"))
        .args(arguments)
        .args(["--config", "cloud.toml"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn folder(config: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cloud.toml"), config).unwrap();
    dir
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

#[test]
fn a_bad_file_is_told_whole_and_nothing_is_created() {
    let dir = folder("data = \"cloud\"\ncolour = 1\n[http]\nlisten = \"here\"\n");
    for arguments in [&["run"][..], &["init"], &["enrol", "north"]] {
        let output = cloudd(dir.path(), arguments, "");
        assert!(!output.status.success());
        let said = said(&output);
        assert!(said.contains("cloud.toml: http.listen: is not an address"), "{said}");
        assert!(said.contains("cloud.toml: colour: unknown key"), "{said}");
    }
    assert!(!dir.path().join("cloud").exists());
}

#[test]
fn a_cloud_is_founded_once_and_names_its_first_administrator() {
    let dir = folder("data = \"cloud\"\n");
    assert!(said(&cloudd(dir.path(), &["enrol", "north"], "")).contains("cloudd init"));
    let output = cloudd(dir.path(), &["init", "--label", "Example", "--login", "Ann@Example.org"], "");
    let first = said(&output);
    assert!(output.status.success(), "{first}");
    assert!(first.contains("ann@example.org signs in with "), "{first}");
    let again = cloudd(dir.path(), &["init"], "");
    assert!(!again.status.success() && said(&again).contains("was initialised before"), "{}", said(&again));
    assert!(said(&cloudd(dir.path(), &["enrol", "north"], "")).contains("there is no site north"));
}

#[test]
fn a_given_password_must_be_long_enough() {
    let dir = folder("data = \"cloud\"\n");
    let init = ["init", "--password-stdin"];
    assert!(said(&cloudd(dir.path(), &init, "short\n")).contains("at least 12 characters"));
    assert!(cloudd(dir.path(), &init, "correct horse battery\n").status.success());
    let add = ["user", "add", "ben@example.org", "--role", "analyst"];
    assert!(said(&cloudd(dir.path(), &add, "")).contains("ben@example.org signs in with "));
    assert!(said(&cloudd(dir.path(), &add, "")).contains("already"));
}

#[test]
fn a_site_is_added_from_a_file_and_its_code_printed_alone() {
    let dir = folder("data = \"cloud\"\n");
    assert!(cloudd(dir.path(), &["init"], "").status.success());
    let mut site = crate::configuration::file();
    std::fs::write(dir.path().join("north.json"), site.to_string()).unwrap();
    let added = cloudd(dir.path(), &["site", "add", "north.json"], "");
    assert!(added.status.success() && said(&added).contains("Added north (North)"), "{}", said(&added));
    assert!(said(&cloudd(dir.path(), &["site", "add", "north.json"], "")).contains("already"));
    let code = cloudd(dir.path(), &["enrol", "north"], "");
    let code = String::from_utf8(code.stdout).unwrap();
    code.trim().parse::<link::enrol::Code>().unwrap();

    site["site"]["id"] = "south".into();
    site["queues"]["sales"]["ring_s"] = 9999.into();
    std::fs::write(dir.path().join("south.json"), site.to_string()).unwrap();
    let refused = said(&cloudd(dir.path(), &["site", "add", "south.json"], ""));
    assert!(refused.contains("south.json") && refused.contains("ring_s"), "{refused}");
    site["queues"]["sales"].as_object_mut().unwrap().remove("ring_s");
    std::fs::write(dir.path().join("south.json"), site.to_string()).unwrap();
    let refused = said(&cloudd(dir.path(), &["site", "add", "south.json"], ""));
    assert!(refused.contains("missing field `ring_s`"), "{refused}");
}

#[test]
fn a_bundle_is_offered_to_a_site_that_exists() {
    let dir = folder("data = \"cloud\"\n");
    assert!(cloudd(dir.path(), &["init"], "").status.success());
    std::fs::write(dir.path().join("north.json"), crate::configuration::file().to_string()).unwrap();
    assert!(cloudd(dir.path(), &["site", "add", "north.json"], "").status.success());
    std::fs::write(dir.path().join("branchline-1.2.3.raucb"), "bundle").unwrap();
    let offer = |site| said(&cloudd(dir.path(), &["bundle", "offer", "branchline-1.2.3.raucb", "--site", site], ""));
    assert!(offer("south").contains("there is no site south"));
    assert!(offer("north").contains("north is offered branchline-1.2.3.raucb (6 bytes"));
    assert!(dir.path().join("cloud/bundles/branchline-1.2.3.raucb").exists());
}
