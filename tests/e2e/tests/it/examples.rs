//! The files of `deploy/site` are what an integrator begins with: each is accepted as it is.

use std::{path::Path, process::Command};

use harness::process::ours;

fn said(program: &str, args: &[&str], folder: &Path) -> String {
    let output = Command::new(ours(program).expect("built"))
        .args(args)
        .current_dir(folder)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("it starts");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {args:?}: {text}");
    text
}

#[test]
fn the_example_files_are_accepted_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/site");
    for name in ["box.toml", "cloud.toml", "branch-a.json", "otad.toml"] {
        std::fs::copy(examples.join(name), folder.path().join(name)).expect(name);
    }
    std::fs::create_dir(folder.path().join("prompts")).expect("a folder for prompts");
    let at = folder.path();
    assert!(said("boxd", &["--config", "box.toml", "check"], at).contains("box.toml is good"));
    assert!(said("boxd", &["--config", "box.toml", "site", "import", "branch-a.json"], at).contains("changes written"));
    let shown = said("boxd", &["--config", "box.toml", "site", "show"], at);
    assert!(shown.contains("\"findings\": []"), "the example has nothing to find fault with: {shown}");
    said("cloudd", &["init", "--config", "cloud.toml"], at);
    said("cloudd", &["site", "add", "branch-a.json", "--config", "cloud.toml"], at);
    let code = said("cloudd", &["enrol", "branch-a", "--config", "cloud.toml"], at);
    assert!(code.split_whitespace().any(|word| word.len() > 40 && word.contains('.')), "{code}");
}

#[test]
fn a_box_without_prompts_says_how_to_make_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/site/box.toml");
    std::fs::copy(example, folder.path().join("box.toml")).expect("the example");
    let output = Command::new(ours("boxd").expect("built"))
        .args(["--config", "box.toml", "check"])
        .current_dir(folder.path())
        .output()
        .expect("it starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("deploy/prompts/make"));
}
