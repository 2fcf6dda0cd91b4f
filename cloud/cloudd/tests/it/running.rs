//! The daemon as a process: it opens, enrols a box over QUIC, ends when asked, and begins again after `kill -9`.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use link::enrol::{Code, enrol};
use serde_json::Value;

struct Running {
    child: Child,
    console: String,
    boxes: String,
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudd"));
    command.args(arguments).args(["--config", "cloud.toml"]).current_dir(dir);
    command
}

fn done(dir: &Path, arguments: &[&str]) -> String {
    let output: Output = command(dir, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn founded() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = "data = \"cloud\"\n[http]\nlisten = \"127.0.0.1:0\"\n[link]\nlisten = \"127.0.0.1:0\"\n\
                  [log]\nformat = \"json\"\n";
    std::fs::write(dir.path().join("cloud.toml"), config).unwrap();
    std::fs::write(dir.path().join("north.json"), crate::configuration::file().to_string()).unwrap();
    done(dir.path(), &["init"]);
    done(dir.path(), &["site", "add", "north.json"]);
    dir
}

fn run(dir: &Path) -> Running {
    let mut child = command(dir, &["run"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let open = lines.find(|line| line.contains("the cloud is open")).expect("it opens");
    // What it logs later must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    let open: Value = serde_json::from_str(&open).unwrap();
    let field = |name: &str| open["fields"][name].as_str().unwrap().to_owned();
    Running { console: field("console"), boxes: field("boxes"), child }
}

impl Running {
    async fn is_well(&self) -> bool {
        let answer = reqwest::get(format!("http://{}/healthz", self.console)).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    fn end(mut self) -> std::process::ExitStatus {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_box_enrols_once_with_its_code_and_is_known_after_a_kill() {
    let dir = founded();
    let mut running = run(dir.path());
    assert!(running.is_well().await);
    let code: Code = done(dir.path(), &["enrol", "north"]).trim().parse().unwrap();
    let peer = enrol(&running.boxes, &code, &dir.path().join("box"), [1, 2, 3]).await.unwrap();
    assert_eq!(peer.site.as_str(), "north");
    assert!(enrol(&running.boxes, &code, &dir.path().join("thief"), [1, 2, 3]).await.is_err());
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let running = run(dir.path());
    let expected = format!("{} north enrolled\n", peer.box_id);
    assert_eq!(done(dir.path(), &["box", "list"]), expected);
    done(dir.path(), &["box", "revoke", &peer.box_id.to_string()]);
    assert!(done(dir.path(), &["box", "list"]).ends_with("north revoked\n"));
    assert!(running.end().success());
}

#[tokio::test]
async fn only_one_runs_on_a_folder_and_it_ends_when_asked() {
    let dir = founded();
    let running = run(dir.path());
    let second = command(dir.path(), &["run"]).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another cloudd runs on"), "{said}");
    assert!(running.is_well().await);
    assert!(running.end().success());
}

#[test]
fn a_cloud_whose_authority_is_gone_does_not_make_another() {
    let dir = founded();
    std::fs::remove_file(dir.path().join("cloud/ca/ca.pem")).unwrap();
    let output = command(dir.path(), &["run"]).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("put it back"));
    assert!(!dir.path().join("cloud/ca/ca.pem").exists());
}
