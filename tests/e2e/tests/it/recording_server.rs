//! A branch whose calls a recording server has too (SIPREC), and a second box that is that server: the same words, the
//! same pauses; and a server that dies costs the call nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{
    company,
    stage::{self, Agent, PATIENCE, facts},
};
use harness::{
    company::{Branch, BranchPlan},
    process::{Program, free_ports, wait_for},
    proof,
};

use crate::interop::kamailio;

/// Pings, and the time of two that are not answered.
const LOST: Duration = Duration::from_secs(60);

/// The branch, and the box that records for it.
fn pair(folder: &Path, carrier: u16) -> (Branch, Branch) {
    pair_with(folder, carrier, "tcp", "", "")
}

/// With these sections beside what names the peers, and what their transport asks for.
fn pair_with(folder: &Path, carrier: u16, transport: &str, own: &str, theirs: &str) -> (Branch, Branch) {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let (sip, server_sip) = (free_ports(2), free_ports(2));
    // TLS has the port above.
    let above = u16::from(transport == "tls");
    let protection = if transport == "tls" { "protection = \"required\"\n" } else { "" };
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.sip_port = Some(sip);
    plan.more = format!(
        "[[siprec]]\nname = \"vault\"\npeer = \"{transport}:127.0.0.2:{}\"\n{protection}records = {{}}\n{own}",
        server_sip + above
    );
    let mut server = BranchPlan::example("branch-b", stage::carrier_port()).expect("a plan");
    (server.sip_port, server.ip) = (Some(server_sip), "127.0.0.2".into());
    server.more = format!(
        "[[siprec]]\nname = \"branch-a\"\npeer = \"{transport}:127.0.0.1:{}\"\n{protection}brings = true\n{theirs}",
        sip + above
    );
    let server = Branch::start(&folder.join("branch-b"), &server, None, &prompts).expect("a server");
    let branch = Branch::start(&folder.join("branch-a"), &plan, None, &prompts).expect("a branch");
    (branch, server)
}

#[test]
fn a_recording_server_has_what_the_box_has_and_its_death_costs_the_call_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let carrier = stage::carrier_port();
    let (branch, mut server) = pair(folder.path(), carrier);
    let says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &at("agent"), "a-101", "101", says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let mut caller =
        stage::caller(&at("caller"), "5550100", "my washing machine is broken", carrier).expect("a caller");

    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone answers");
    let copied = || facts(&branch, "copy_started").into_iter().next();
    let copied = wait_for("a copy", PATIENCE, copied).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    assert_eq!(copied["kind"]["recorder"], "vault");
    wait_for("the server to record", PATIENCE, || facts(&server, "recording_started").into_iter().next())
        .unwrap_or_else(|error| panic!("{error:#}\n{}", server.tail()));
    std::thread::sleep(Duration::from_secs(6));

    // Card entry: the recording pauses, there too.
    desk.ask("card_mode").expect("a card is keyed in");
    wait_for("a pause at the server", PATIENCE, || facts(&server, "held").into_iter().next()).expect("paused");
    for digit in ['4', '7', '1', '1'] {
        caller.digit(digit).expect("a key");
        std::thread::sleep(Duration::from_millis(300));
    }
    std::thread::sleep(Duration::from_secs(2));
    desk.ask("card_mode_end").expect("it is in");
    wait_for("the end of it", PATIENCE, || facts(&server, "resumed").into_iter().next()).expect("resumed");
    std::thread::sleep(Duration::from_secs(5));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");

    let (own, theirs) = (at("own.wav"), at("theirs.wav"));
    for (box_, wav) in [(&branch, &own), (&server, &theirs)] {
        let (left, right) = stage::recorded_words(box_, 1, wav).expect("a recording");
        assert!(left.contains("washing machine"), "{}: the caller said {left}", box_.site);
        assert!(right.contains("service desk"), "{}: the agent said {right}", box_.site);
    }
    let sides = |wav: &Path| [1, 2].map(|side| proof::samples(wav, side).expect("samples"));
    for (own, theirs) in sides(&own).iter().zip(sides(&theirs)) {
        // Two seconds from the middle of the first words.
        let part = theirs.get(16_000..32_000).expect("some seconds");
        let likeness = proof::correlation(own, part).0;
        assert!(likeness > 0.9, "the server has the very same sound: {likeness}");
    }
    let seconds = |wav: &Path| sides(wav)[0].len() / 8_000;
    assert!(seconds(&own).abs_diff(seconds(&theirs)) <= 2, "{} s and {} s", seconds(&own), seconds(&theirs));

    // At the server's desk a supervisor finds it, with who took part; nobody is named in a fact.
    let supervisor = stage::sign_in(&server, "a-101").expect("the server's desk");
    let row =
        wait_for("the record", PATIENCE, || stage::contacts(&supervisor).ok()?.into_iter().next()).expect("listed");
    assert_eq!(row["trunk"], "branch-a", "{row}");
    assert!(row.to_string().contains("5550100"), "who called is known beside the chain: {row}");
    let recording = row["recording"].as_str().unwrap_or_else(|| panic!("a recording in {row}"));
    supervisor.bytes(&format!("/api/recordings/{recording}.wav")).expect("heard");
    let of_queue = stage::sign_in(&server, "a-102").expect("an agent's desk");
    assert!(of_queue.bytes(&format!("/api/recordings/{recording}.wav")).is_err(), "it is no agent's");
    let every = server.command(&["ledger", "facts", "--last", "1000"], None).expect("the facts");
    assert!(!every.contains("5550100"), "nobody is named in a fact");

    // The server dies in the middle of the next call: it goes on, and the box says that the copy is missing.
    desk.ask("ready").expect("ready");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone answers");
    let second = || (facts(&branch, "copy_started").len() == 2).then_some(());
    wait_for("the second copy", PATIENCE, second).expect("copied");
    // The process that spoke to it dies first: the next life takes the call over, and has it copied anew.
    stage::kill_calls(&branch).expect("restarted");
    let third = || (facts(&branch, "copy_started").len() == 3).then_some(());
    wait_for("the copy anew", PATIENCE, third).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    std::thread::sleep(Duration::from_secs(3));
    server.stop();
    let lost = wait_for("its loss is told", LOST, || facts(&branch, "copy_missing").into_iter().next())
        .unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    assert_eq!((&lost["kind"]["recorder"], &lost["kind"]["reason"]), (&"vault".into(), &"lost".into()), "{lost}");
    std::thread::sleep(Duration::from_secs(3));
    caller.hang_up().expect("the call is still there to be hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    let (left, right) = stage::recorded_words(&branch, 2, &at("second.wav")).expect("our own recording is whole");
    assert!(left.contains("washing machine") && right.contains("service desk"), "{left} / {right}");
    let after = facts(&branch, "ended").len();
    assert_eq!(after, 2, "both calls ended as calls do");
}

#[test]
fn under_tls_and_srtp_a_recording_server_hears_the_words_and_the_wire_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    kamailio::authority(folder.path());
    kamailio::certificate(folder.path(), "client", "branch-a.example", 30);
    kamailio::certificate(folder.path(), "vault", "vault.example", 30);
    let carrier = stage::carrier_port();
    let tls = |own: &str, peer: &str, name: &str| {
        let path = |file: &str| folder.path().join(file).display().to_string();
        let files =
            format!("certificate = \"{}\"\nkey = \"{}\"", path(&format!("{own}.pem")), path(&format!("{own}.key")));
        format!("[tls]\n{files}\ntrunk_ca = \"{}\"\n[tls.trunks.{peer}]\nname = \"{name}\"\n", path("ca.pem"))
    };
    let (own, theirs) = (tls("client", "vault", "vault.example"), tls("vault", "branch-a", "branch-a.example"));
    let wire = Wire::start(&at("wire.pcapng"));
    let (branch, server) = pair_with(folder.path(), carrier, "tls", &own, &theirs);
    let says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &at("agent"), "a-101", "101", says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let mut caller =
        stage::caller(&at("caller"), "5550100", "my washing machine is broken", carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone answers");
    wait_for("the server to record", PATIENCE, || facts(&server, "recording_started").into_iter().next())
        .unwrap_or_else(|error| panic!("{error:#}\n{}\n{}", branch.tail(), server.tail()));
    std::thread::sleep(Duration::from_secs(8));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    let (left, right) = stage::recorded_words(&server, 1, &at("theirs.wav")).expect("the server's recording");
    assert!(left.contains("washing machine") && right.contains("service desk"), "{left} / {right}");

    // The same words, looked for in every stream on the wire: there where the agent's phone is spoken to in clear, which
    // proves the looking, and nowhere on the way to the server.
    let words = proof::samples(&at("theirs.wav"), 1).expect("samples");
    let part = words.get(16_000..32_000).expect("some seconds");
    let (mut in_clear, mut to_server) = (0.0_f32, 0.0_f32);
    let streams = wire.streams(&at("streams"));
    for (host, wav) in &streams {
        let likeness = proof::correlation(&proof::samples(wav, 1).expect("samples"), part).0;
        let best = if host == "127.0.0.2" { &mut to_server } else { &mut in_clear };
        *best = best.max(likeness);
    }
    assert!(streams.iter().filter(|(host, _)| host == "127.0.0.2").count() >= 2, "two streams go to the server");
    assert!(in_clear > 0.9, "the looking finds nothing: {in_clear}");
    assert!(to_server < 0.3, "the words can be heard on the way to the server: {to_server}");
}

/// Everything that is said over UDP on this machine.
struct Wire {
    program: Program,
    file: PathBuf,
}

impl Wire {
    fn start(file: &Path) -> Self {
        let mut command = Command::new("tshark");
        command.args(["-q", "-i", "lo", "-f", "udp", "-w"]).arg(file);
        let program = Program::start("tshark", command, &file.with_extension("log")).expect("tshark");
        let listens = || std::fs::metadata(file).is_ok_and(|data| data.len() > 0).then_some(());
        wait_for("tshark to listen", PATIENCE, listens).expect("tshark");
        Self { program, file: file.to_path_buf() }
    }

    /// What each destination's packets are when they are taken for RTP with G.711, as WAV, with its host.
    fn streams(mut self, folder: &Path) -> Vec<(String, PathBuf)> {
        self.program.stop();
        std::fs::create_dir_all(folder).expect("a folder");
        let output = Command::new("tshark")
            .arg("-r")
            .arg(&self.file)
            .args(["-T", "fields", "-e", "ip.dst", "-e", "udp.dstport", "-e", "udp.payload"])
            .output()
            .expect("tshark");
        let mut sounds: BTreeMap<(String, String, bool), Vec<u8>> = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let [host, port, payload] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
            let bytes = hex::decode(payload).unwrap_or_default();
            // Version 2, and a payload type of G.711.
            if let [0x80, kind, ..] = bytes[..]
                && matches!(kind & 0x7f, 0 | 8)
                && bytes.len() >= 12 + 160
            {
                let sound = sounds.entry((host.into(), port.into(), kind & 0x7f == 8)).or_default();
                sound.extend(&bytes[12..12 + 160]);
            }
        }
        let heard = sounds.into_iter().filter(|(_, sound)| sound.len() > 40_000);
        let wav = |((host, port, alaw), sound): ((String, String, bool), Vec<u8>)| {
            let (raw, wav) =
                (folder.join(format!("{host}-{port}.raw")), folder.join(format!("{host}-{port}-{alaw}.wav")));
            std::fs::write(&raw, sound).expect("written");
            let law = if alaw { "a-law" } else { "u-law" };
            let status = Command::new("sox")
                .args(["-t", "raw", "-r", "8000", "-c", "1", "-e", law])
                .arg(&raw)
                .args(["-b", "16", "-e", "signed"])
                .arg(&wav)
                .status();
            assert!(status.expect("sox").success());
            (host, wav)
        };
        heard.map(wav).collect()
    }
}
