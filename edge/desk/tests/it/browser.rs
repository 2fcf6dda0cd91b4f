//! The real page of the desk, from the real router, in a real browser: signs in, goes through all its places, and
//! fails on an error in the browser's console, a broken security policy, a script in a caller's name that runs, or a
//! serious fault of accessibility.

use std::{path::Path, process::Stdio};

use crate::rig::Rig;

const CHROMIUM: &str = "/usr/bin/chromium";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_works_in_a_browser_and_runs_nobodys_script() {
    if !Path::new(CHROMIUM).exists() {
        eprintln!("skipped: there is no {CHROMIUM}; deploy/install/packages installs it");
        return;
    }
    let rig = Rig::start().await;
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sync/pages");
    let shots = tempfile::tempdir().unwrap();
    for who in ["zhao", "li"] {
        let done = tokio::process::Command::new("node")
            .args(["scripts/walk.mjs", "desk", "--url", &rig.origin, "--name", who])
            .args(["--password", &format!("{who}-secret")])
            .arg("--out")
            .arg(shots.path())
            .current_dir(&pages)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("node can be started");
        let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "as {who}:\n{said}");
    }
    assert!(std::fs::read_dir(shots.path()).unwrap().count() >= 8, "too few screenshots");
}
