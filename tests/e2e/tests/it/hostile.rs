//! Bad files, bad packets, bad logins: each gets a clear answer or none, and changes nothing.

use std::{
    io::{Read, Write},
    net::{TcpStream, UdpSocket},
    path::Path,
    process::Command,
    time::Duration,
};

use e2e::{company, stage};
use harness::{
    company::{Branch, Cloud, DESK_PASSWORD, Process},
    process::{ours, wait_for},
    web::Session,
};
use serde_json::{Value, json};

/// Runs a program that must refuse; what it said.
fn refused(program: &str, args: &[&str], folder: &Path) -> String {
    let output = Command::new(ours(program).expect("built")).args(args).current_dir(folder).output().expect("started");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{program} {args:?} was content: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn a_bad_configuration_file_is_refused_by_key_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = include_str!("../../../../deploy/site/box.toml");
    let cases: &[(&str, &str, &str)] = &[
        ("site = \"branch-a\"", "site = \"Branch A!\"", "site"),
        ("site = \"branch-a\"", "", "site"),
        ("site = \"branch-a\"", "site = \"branch-a\"\nsight = 1", "sight"),
        ("\"udp:127.0.0.1:5060\"", "\"udp:nowhere\"", "listen"),
        ("ports = [20000, 20998]", "ports = [20998, 20000]", "ports"),
        ("interval_s = 900", "interval_s = 10", "interval_s"),
    ];
    for (from, to, named) in cases {
        assert!(good.contains(from), "the example has no {from}");
        std::fs::write(folder.path().join("box.toml"), good.replacen(from, to, 1)).expect("written");
        let said = refused("boxd", &["check", "--config", "box.toml"], folder.path());
        assert!(said.contains("box.toml") && said.contains(named), "{named}: {said}");
    }
    std::fs::write(folder.path().join("box.toml"), b"\xff\xfe\x00 not text").expect("written");
    assert!(refused("boxd", &["run", "--config", "box.toml"], folder.path()).contains("box.toml"));
    let said = refused("boxd", &["run", "--config", "missing.toml"], folder.path());
    assert!(said.contains("missing.toml"), "{said}");

    std::fs::write(folder.path().join("cloud.toml"), "data = \"data\"\n[http]\nlisten = \"everywhere\"\n")
        .expect("written");
    let said = refused("cloudd", &["run", "--config", "cloud.toml"], folder.path());
    assert!(said.contains("cloud.toml") && said.contains("listen"), "{said}");
    std::fs::write(folder.path().join("cloud.toml"), "data = \"data\"\n").expect("written");
    let said = refused("cloudd", &["run", "--config", "cloud.toml"], folder.path());
    assert!(said.contains("init"), "says what to do: {said}");

    let left: Vec<_> =
        std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 2, "something was written: {left:?}");
}

fn branch(folder: &Path, cloud: Option<&Cloud>) -> Branch {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let plan = company::direct("branch-a", stage::carrier_port()).expect("a plan");
    Branch::start(&folder.join("branch-a"), &plan, cloud, &prompts).expect("a branch")
}

#[test]
fn a_bad_site_file_changes_nothing_of_what_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let branch = branch(folder.path(), None);
    let before = branch.command(&["site", "show"], None).expect("shown");
    let good: Value = serde_json::from_str(&before).expect("JSON");
    let file = folder.path().join("site.json");
    let mut cases: Vec<(String, &str)> = vec![("{".into(), "site.json"), ("[]".into(), "site.json")];
    let mut case = |change: fn(&mut Value), named: &'static str| {
        let mut config = good["config"].clone();
        change(&mut config);
        cases.push((config.to_string(), named));
    };
    case(|config| config["site"]["id"] = json!("branch-z"), "branch-z");
    case(|config| config["queues"]["service"]["ring_s"] = json!(100_000), "ring_s");
    case(|config| config["numbers"]["4001"] = json!("nowhere"), "nowhere");
    case(|config| config["flows"]["direct"]["start"] = json!("nowhere"), "nowhere");
    for (text, named) in cases {
        std::fs::write(&file, &text).expect("written");
        let said = branch.command(&["site", "import", file.to_str().expect("UTF-8")], None).expect_err("refused");
        assert!(format!("{said:#}").contains(named), "{named}: {said:#}");
        assert_eq!(branch.command(&["site", "show"], None).expect("shown"), before, "after {named}");
    }
}

#[test]
fn garbage_at_every_port_and_wrong_passwords_leave_a_healthy_box() {
    let folder = tempfile::tempdir().expect("a folder");
    let cloud = Cloud::start(&folder.path().join("cloud")).expect("a cloud");
    let mut branch = branch(folder.path(), Some(&cloud));
    let before = branch.command(&["site", "show"], None).expect("shown");

    let mut noise = 0x2545_f491_4f6c_dd1d_u64;
    let mut garbage = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                noise.to_le_bytes()[3]
            })
            .collect()
    };
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let heads: [&[u8]; 5] = [
        b"",
        b"INVITE sip:4001@branch-a.example SIP/2.0\r\n",
        b"REGISTER sip:branch-a.example SIP/2.0\r\nCSeq: 4294967296 REGISTER\r\nContent-Length: -1\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP ;;;;\r\n\r\n",
        b"\x80\x00",
    ];
    for round in 0..200 {
        let mut packet = heads[round % heads.len()].to_vec();
        packet.extend(garbage(round * 7));
        for to in [&branch.sip, &cloud.link] {
            socket.send_to(&packet, to).expect("sent");
        }
    }
    for to in [&branch.sip, branch.desk.trim_start_matches("http://"), cloud.http.trim_start_matches("http://")] {
        for round in 0..20 {
            let mut stream = TcpStream::connect(to).expect("a connection");
            stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
            let mut bytes = heads[round % heads.len()].to_vec();
            bytes.extend(garbage(2_000));
            // The other end may hang up in the middle, as it should.
            let _ = stream.write_all(&bytes);
            let _ = stream.read(&mut [0; 512]);
        }
    }

    // Logins: the answer is the same for a wrong password and for nobody, and it is no.
    let attempt = |base: &str, body: Value| Session::sign_in(base, &body).err().map(|error| format!("{error:#}"));
    let wrong = attempt(&branch.desk, json!({ "agent": "a-101", "password": "guess" })).expect("refused");
    let nobody = attempt(&branch.desk, json!({ "agent": "nobody", "password": "guess" })).expect("refused");
    let answer = |said: &str| said.lines().last().unwrap_or_default().to_owned();
    assert_eq!(answer(&wrong), answer(&nobody));
    assert!(attempt(&branch.desk, json!({ "agent": "' OR 1=1 --", "password": DESK_PASSWORD })).is_some());
    assert!(attempt(&branch.desk, json!({ "agent": ["a-101"] })).is_some());
    assert!(attempt(&cloud.http, json!({ "login": harness::company::ADMIN, "password": "guess" })).is_some());
    let mut locked = false;
    for _ in 0..30 {
        let said = attempt(&branch.desk, json!({ "agent": "a-102", "password": "guess" })).expect("refused");
        locked |= said.contains("429") || said.contains("too_many") || said.contains("wait");
    }
    assert!(locked, "thirty guesses were not slowed");

    // A code enrols once, and only as it was printed.
    let code = cloud.code("branch-a").expect("a code");
    let spoilt: String = code.chars().rev().collect();
    let other = folder.path().join("other");
    std::fs::create_dir_all(&other).expect("a folder");
    std::fs::copy(&branch.config, other.join("box.toml")).expect("copied");
    let enrol = |code: &str| refused("boxd", &["enrol", "--code", code, "--config", "box.toml"], &other);
    assert!(enrol(&spoilt).contains("code"));
    assert!(enrol("x").contains("code"));

    wait_for("all checks of the box", Duration::from_secs(30), || {
        let health = branch.health()?;
        health["checks"].as_object()?.values().all(|check| check == true).then_some(())
    })
    .expect("healthy");
    assert_eq!(branch.command(&["site", "show"], None).expect("shown"), before);
    assert!(!branch.log().contains("panicked"), "{}", branch.tail());
    assert!(!std::fs::read_to_string(cloud.folder.join("cloudd.log")).expect("a log").contains("panicked"));
    let restarts = branch.health().expect("health")["processes"].clone();
    for (name, process) in restarts.as_object().expect("processes") {
        assert_eq!(process["restarts"], 0, "{name}: {restarts}");
    }
    branch.stop();
}

#[test]
fn a_malformed_message_moves_the_counter_of_its_cause_and_one_line_tells_of_it_without_a_person() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = company::direct("branch-a", stage::carrier_port()).expect("a plan");
    let prompts = folder.path().join("prompts");
    std::fs::create_dir(&prompts).expect("a folder");
    let mut branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let counted = |cause: &str| -> u64 {
        let page = branch.figures(Process::Calls).expect("the metrics");
        let name = format!("branchline_sip_refused_total{{cause=\"{cause}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&name)).and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    // RFC 3261 §20 and §21.4.1, or nothing where it names nothing.
    let message = |start: &str, via: &str, length: &str| {
        format!(
            "{start}\r\n{via}\r\nMax-Forwards: 70\r\nFrom: \"Ada Canary\" <sip:5550123@canary.example>;tag=1\r\n\
             To: <sip:5550199@branch-a.example>\r\nCall-ID: canary\r\nCSeq: 1 INVITE\r\n{length}\r\n\r\n"
        )
    };
    let via = "Via: SIP/2.0/UDP canary.example;branch=z9hG4bKcanary";
    let invite = "INVITE sip:5550199@branch-a.example SIP/2.0";
    let cases = [
        ("via", message(invite, "Via: SIP/2.0/UDP canary.example;;,;,,", "Content-Length: 0"), Some(400)),
        ("content_length", message(invite, via, "Content-Length: -5550123"), Some(400)),
        ("duplicate", message(invite, via, "Call-ID: canary-5550123"), Some(400)),
        ("version", message("INVITE sip:5550199@branch-a.example SIP/7.0", via, "l: 0"), Some(505)),
        ("status_line", message("SIP/2.0 4294967301 5550123", via, "l: 0"), None),
        ("stray_response", message("SIP/2.0 200 5550123", via, "l: 0"), None),
    ];
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.connect(&branch.sip).expect("a box");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    for (cause, message, reply) in &cases {
        for sent in 1..=5 {
            socket.send(message.as_bytes()).expect("sent");
            wait_for(cause, Duration::from_secs(10), || (counted(cause) >= sent).then_some(())).expect("counted");
            if let Some(status) = reply {
                let mut answer = [0; 2_048];
                let count = socket.recv(&mut answer).expect("an answer");
                assert!(answer[..count].starts_with(format!("SIP/2.0 {status} ").as_bytes()), "{cause}");
            }
        }
        assert_eq!(counted(cause), 5, "{cause}");
    }
    socket.set_nonblocking(true).expect("a socket");
    assert!(socket.recv(&mut [0; 16]).is_err(), "more was answered than asked");
    let log = branch.log();
    for (cause, ..) in &cases {
        let told = log.lines().filter(|line| line.contains("SIP refused or dropped") && line.contains(cause)).count();
        assert_eq!(told, 1, "{cause}:\n{log}");
    }
    for personal in ["canary", "Canary", "5550123", "5550199"] {
        assert!(!log.contains(personal), "{personal}:\n{log}");
    }
    branch.stop();
}
