//! The tools of those who look for a way in, against our own port: sipsak's ping and flood, sipvicious' search for
//! boxes, extensions and passwords.

use std::process::Command;
use std::time::Duration;

use harness::process::{Program, free_ports, wait_for};

use super::{PATIENCE, Path, branch, phone};

/// What a program said, on either stream.
fn said(folder: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).env("HOME", folder).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}

#[test]
fn sipsak_is_answered_also_right_after_its_flood_and_sipvicious_learns_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let branch = branch(folder, free_ports(2), |_| {});
    let (port, to) = (branch.sip_port.to_string(), format!("sip:101@{}", branch.sip));
    let ping = said(folder, "sipsak", &["-vv", "-s", &to]);
    assert!(ping.contains("SIP/2.0 200 OK") && ping.contains("Server: Branchline"), "{ping}");

    // It says that a box is here, and nothing of who is in it: 101 and 102 exist, 100 and 103 to 110 do not.
    let boxes = said(folder, "svmap", &["127.0.0.1", "-p", &port]);
    assert!(boxes.contains("Branchline"), "{boxes}");
    for method in ["REGISTER", "INVITE", "OPTIONS"] {
        let found = said(folder, "svwar", &["-m", method, "-e100-110", "-p", &port, "127.0.0.1"]);
        assert!(!found.contains("| 10") && found.contains("found nothing"), "{method}: {found}");
    }
    let cracked = said(folder, "svcrack", &["-u", "101", "-r", "1000-1010", "-p", &port, "127.0.0.1"]);
    assert!(cracked.contains("found nothing"), "{cracked}");

    // A flood, as fast as one core can send; as soon as it is over, everybody is served.
    let mut command = Command::new("sipsak");
    command.args(["-F", "-s", &to]);
    let mut flood = Program::start("flood", command, &folder.join("flood.log")).expect("sipsak");
    std::thread::sleep(Duration::from_secs(3));
    flood.stop();
    let ping = said(folder, "sipsak", &["-vv", "-s", &to]);
    assert!(ping.contains("SIP/2.0 200 OK"), "{ping}");
    let mut caller = phone(folder, &branch, "102", "hello");
    caller.dial(&format!("sip:4001@{}", branch.domain)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    caller.hang_up().expect("hung up");
    wait_for("all checks of the box", PATIENCE, || {
        let health = branch.health()?;
        health["checks"].as_object()?.values().all(|check| check == true).then_some(())
    })
    .expect("healthy");
    assert!(!branch.log().contains("panicked"), "{}", branch.tail());
}
