//! Who calls for help gets through, whatever else is broken (S-150): the call goes out of a real box to an answering
//! party, with the place in it, and the trouble costs it no more than two seconds.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use e2e::{
    company,
    flood::{Flood, Known},
    stage::{self, Agent, PATIENCE},
};
use harness::{
    baresip::{Account, Phone},
    company::{ADMIN, ADMIN_PASSWORD, Branch, Cloud, PHONE_PASSWORD},
    process::{kill_hard, wait_for},
    proof, sipp,
    web::Session,
};
use serde_json::{Value, json};

/// What any trouble may add to the way to the answer.
const DELAY_MAX: Duration = Duration::from_secs(2);
/// Time for the box to find the cloud again.
const LINK_PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_call_for_help_goes_out_whatever_is_broken() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let Some(disk) = Disk::mount(&at("branch-a/data")) else {
        eprintln!("skipped: this machine lets nobody mount a small disk");
        return;
    };
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let mut cloud = Cloud::start(&at("cloud")).expect("a cloud");
    let cloud_http = cloud.http.clone();
    let carrier = stage::carrier_port();
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    // The narrowest branch: one channel, and one call out an hour of each phone.
    plan.config["trunks"]["carrier"]["calls_max"] = json!(1);
    plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    plan.config["site"]["dialling"] = json!({ "phone_hour_max": 1, "prefix": "0", "place": "house" });
    let house = json!({ "label": "Main house", "country": "DE", "floor": "0", "send_location": true });
    let annex = json!({ "label": "Annex", "country": "DE", "floor": "3", "room": "312", "send_location": true });
    plan.config["places"] = json!({ "house": house, "annex": annex });
    plan.config["phones"]["101"]["place"] = json!("annex");
    let branch = Branch::start(&at("branch-a"), &plan, Some(&cloud), &prompts).expect("a branch");
    let centre = sipp::Answering::start(&at("centre"), carrier).expect("a centre");
    let mut agent = Agent::start(&branch, &at("agent"), "a-101", "101", "help").expect("an agent");
    let mut other = Agent::start(&branch, &at("other"), "a-102", "102", "help").expect("a colleague").phone;
    let mut stranger = unproved(&at("stranger"));
    let mut drill = Drill { branch: &branch, centre: &centre, phone: &mut agent.phone, usual: Duration::MAX };

    drill.usual = drill.call("nothing is broken");
    let seen = agent.desk.live().expect("a desk").wait(PATIENCE, |seen| {
        let lines = seen.get("board").and_then(|board| board["emergencies"].as_array());
        lines.is_some_and(|lines| lines.iter().any(|line| line["phone"] == "101" && line["room"] == "312"))
    });
    seen.expect("the supervisor's desk says who called, and where from");
    let mut desk = agent.desk.live().expect("a desk");
    desk.wait(PATIENCE, |seen| emergency(seen, 0).is_some()).expect("a line");
    let notice = emergency(&desk.seen, 0).expect("a line")["notice"].clone();
    desk.ask_with("seen", json!({ "notice": notice })).expect("the supervisor has seen it");
    desk.wait(PATIENCE, |seen| emergency(seen, 0).is_some_and(|line| line["seen"] == json!(["a-101"]))).expect("seen");

    // Whoever stands on a network of ours may call for help, and nothing else.
    drill.call_of(&mut stranger, "112", "a device without any credentials", "<ca:LOC>Main house</ca:LOC>");
    for number in ["03012345", "102", "1120"] {
        stranger.dial(&format!("sip:{number}@{}", branch.sip)).expect("dialled");
        stranger.wait_event("CALL_CLOSED", PATIENCE).expect("a stranger is nobody");
    }

    // Caps exhausted: the one ordinary call of the hour, and the next is refused, also by a box that was killed.
    drill.ordinary(true);
    drill.ordinary(false);
    restart(&branch, true);
    drill.ordinary(false);
    drill.check("the caps are used up");

    // The only channel is taken by a colleague, who has to give way.
    other.dial(&format!("sip:003012345@{}", branch.domain)).expect("dialled");
    other.wait_event("CALL_ESTABLISHED", PATIENCE).expect("a call out");
    drill.check("every channel is taken");
    other.wait_event("CALL_CLOSED", PATIENCE).expect("the colleague gave way");

    let flood = Flood::of_a_stranger(&branch.sip);
    wait_for("the flood rises", PATIENCE, || (flood.sent() > 2_000).then_some(())).expect("sent");
    drill.check("a flood is on");
    // So does a telephone of the house, with a good password: its calls are answered and take every port there is.
    let mad = Known {
        target: branch.sip.clone(),
        domain: branch.domain.clone(),
        user: "102",
        password: PHONE_PASSWORD,
        number: "4001",
    };
    let known = Flood::of_a_phone(mad);
    wait_for("the known phone's flood rises", PATIENCE, || (known.sent() > 8_000).then_some(())).expect("sent");
    drill.check("a phone of ours floods as well");
    drill.check("it goes on");
    println!("{} proved INVITEs and REGISTERs were sent", known.sent());
    drop(known);

    // The centre was told of the place and of how it went, and of nobody.
    let console = || Session::sign_in(&cloud_http, &json!({ "login": ADMIN, "password": ADMIN_PASSWORD }));
    let before = wait_for("the notices at the console", PATIENCE, || told(&console().ok()?)).expect("told").len();
    cloud.kill_hard();
    drill.check("the cloud is gone as well");
    cloud.launch().expect("the cloud is back");
    let late = wait_for("the notice of the call in between", LINK_PATIENCE, || {
        told(&console().ok()?).filter(|lines| lines.len() > before)
    });
    let line = late.expect("told late").remove(0);
    assert_eq!((&line["what"], &line["place"]), (&json!("emergency_answered"), &json!("Annex")), "{line}");
    let mut words = line.clone();
    // A time, or a notice's name, may hold these digits by chance.
    ["at", "received", "notice"].iter().for_each(|chance| words[*chance] = Value::Null);
    assert!(!words.to_string().contains("101"), "who called stays in the house: {line}");
    let seen = format!("/api/notices/branch-a/{}/seen", line["notice"].as_str().expect("a name"));
    console().expect("signed in").post(&seen, &json!({})).expect("seen");
    let lines = told(&console().expect("signed in")).expect("notices");
    assert_eq!(lines[0]["seen_by"], ADMIN);
    cloud.kill_hard();

    let of_strangers = || {
        let facts = branch.command(&["ledger", "facts", "--last", "2000"], None).unwrap_or_default();
        let help = facts.lines().filter(|line| line.contains("\"emergency\":true"));
        help.filter(|line| !line.contains("\"phone\":\"")).count()
    };
    let before = of_strangers();
    assert_eq!(before, 1, "one device without an account has called");
    disk.fill();
    drill.check("the disk is full as well");
    println!("{} INVITEs and REGISTERs were sent", flood.sent());
    drop(flood);

    // A process that dies now finds no disk when it begins again.
    restart(&branch, false);
    drill.check("calls began anew with the disk full");
    drill.call_of(&mut stranger, "0112", "a device without credentials, the disk full", "<ca:FLR>0</ca:FLR>");

    // The disk takes something again: calls begin anew on it, and bring home what they told meanwhile.
    let without_disk = calls_pid(&branch);
    disk.empty();
    wait_for("calls told without the disk are in the ledger", 4 * PATIENCE, || (of_strangers() > before).then_some(()))
        .unwrap_or_else(|error| panic!("{error:#}: {before}, {}\n{}", of_strangers(), branch.tail()));
    let on_disk = || branch.pids().get("calls").copied().filter(|pid| *pid != without_disk);
    wait_for("the calls that began anew on the disk", PATIENCE, on_disk).expect("one process has made way for another");
    disk.fill();
    restart(&branch, false);

    // The ledger's files are gone under the running box, and nothing can be made in their place.
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let _ = std::fs::remove_file(disk.folder.join(file));
    }
    disk.fill();
    drill.check("the ledger is gone");
    restart(&branch, false);
    drill.call_of(&mut stranger, "112", "calls began anew without a ledger", "<ca:FLR>0</ca:FLR>");
}

fn emergency(seen: &BTreeMap<String, Value>, n: usize) -> Option<&Value> {
    seen.get("board")?.get("emergencies")?.get(n)
}

/// Calls for help that have ended well, as the console shows them, the youngest first; None while there are none.
fn told(console: &Session) -> Option<Vec<Value>> {
    let lines = console.get("/api/notices").ok()?.as_array()?.clone();
    let lines: Vec<Value> = lines.into_iter().filter(|line| line["what"] == "emergency_answered").collect();
    (!lines.is_empty()).then_some(lines)
}

/// A telephone that somebody found in a drawer: on the right network, and without an account.
fn unproved(folder: &Path) -> Phone {
    Phone::start(folder, &Account::Trunk { user: "drawer" }, &microphone(folder), false).expect("a phone")
}

fn microphone(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = folder.join("microphone.wav");
    proof::speak("help", 120, &file).expect("spoken");
    file
}

fn calls_pid(branch: &Branch) -> u32 {
    wait_for("the process that makes calls", PATIENCE, || branch.pids().get("calls").copied()).expect("it runs")
}

/// Kills the process that makes calls, and waits for the next one. `well`: its checks are to be good again.
fn restart(branch: &Branch, well: bool) {
    let calls = calls_pid(branch);
    kill_hard(calls);
    wait_for("calls are back", PATIENCE, || {
        let fresh = branch.pids().get("calls").is_some_and(|pid| *pid != calls);
        let health = branch.health()?;
        let checks = health["checks"].as_object()?;
        let up = if well { checks.values().all(|check| check == true) } else { checks["registrar"] == true };
        (fresh && up).then_some(())
    })
    .unwrap_or_else(|error| panic!("restarted: {error:#}\n{}", branch.tail()));
}

struct Drill<'a> {
    branch: &'a Branch,
    centre: &'a sipp::Answering,
    phone: &'a mut Phone,
    /// How long it takes to be answered when nothing is broken.
    usual: Duration,
}

impl Drill<'_> {
    /// From the last digit until the centre has answered; what the centre was told.
    fn call(&mut self, trouble: &str) -> Duration {
        call(self.branch, self.centre, self.phone, "112", trouble, "<ca:FLR>3</ca:FLR><ca:ROOM>312</ca:ROOM>")
    }

    fn call_of(&self, phone: &mut Phone, dialled: &str, trouble: &str, place: &str) {
        let took = call(self.branch, self.centre, phone, dialled, trouble, place);
        assert!(took <= self.usual + DELAY_MAX, "{trouble}: {took:?}, and {:?} otherwise", self.usual);
    }

    fn check(&mut self, trouble: &str) {
        let took = self.call(trouble);
        assert!(took <= self.usual + DELAY_MAX, "{trouble}: {took:?}, and {:?} otherwise", self.usual);
    }

    /// An ordinary call out of the same phone.
    fn ordinary(&mut self, allowed: bool) {
        self.phone.dial(&format!("sip:003012345@{}", self.branch.domain)).expect("dialled");
        if allowed {
            self.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("an ordinary call");
            self.phone.hang_up().expect("hung up");
            self.phone.wait_event("CALL_CLOSED", PATIENCE).expect("an ordinary call ends");
        } else {
            let closed = self.phone.wait_event("CALL_CLOSED", PATIENCE).expect("refused");
            assert!(closed.to_string().contains("403"), "{closed}");
        }
    }
}

fn call(
    branch: &Branch,
    centre: &sipp::Answering,
    phone: &mut Phone,
    dialled: &str,
    trouble: &str,
    place: &str,
) -> Duration {
    let before = centre.invites().len();
    let began = Instant::now();
    phone.dial(&format!("sip:{dialled}@{}", branch.sip)).expect("dialled");
    phone
        .wait_event("CALL_ESTABLISHED", PATIENCE)
        .unwrap_or_else(|error| panic!("{trouble}: {error:#}\n{}", branch.tail()));
    let took = began.elapsed();
    println!("{trouble}: answered after {took:?}");
    phone.hang_up().expect("hung up");
    phone.wait_event("CALL_CLOSED", PATIENCE).expect(trouble);
    let told = wait_for("the INVITE in the centre's log", PATIENCE, || centre.invites().get(before).cloned());
    let told = told.expect(trouble);
    assert!(told.starts_with("INVITE sip:112@"), "{trouble}: {told}");
    assert!(told.contains("application/pidf+xml") && told.contains(place), "{trouble}: {told}");
    took
}

/// The box's disk: small, and of its own.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// None where that is not allowed.
    fn mount(folder: &Path) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a folder");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", "size=32m", "none"]).arg(folder).status();
        status.is_ok_and(|status| status.success()).then(|| Self { folder: folder.into() })
    }

    /// Whoever filled it is gone.
    fn empty(&self) {
        std::fs::remove_file(self.folder.join("rubbish")).expect("rubbish");
    }

    /// Until not one more byte fits.
    fn fill(&self) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("rubbish"));
        let mut file = file.expect("a file");
        let error = std::io::copy(&mut std::io::repeat(7), &mut file).expect_err("a disk has an end");
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
