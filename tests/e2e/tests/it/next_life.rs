//! The process that holds the calls is killed in mid-call: the audio has no gap, the next life takes the call over, and
//! both people end it as ever.

use std::{path::Path, process::Command, time::Duration};

use e2e::stage::{self, Agent, PATIENCE, state_of};
use harness::{
    baresip::{Account, Phone},
    browser::{self, Softphone},
    company::{Branch, BranchPlan, PHONE_PASSWORD},
    process::{Program, wait_for},
    proof,
};
use serde_json::json;

/// Packets of speech last this long.
const PACKET_MS: f64 = 20.0;

fn branch(folder: &Path, carrier: u16) -> Branch {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    Branch::start(&folder.join("branch-a"), &plan, None, &prompts).expect("a branch")
}

/// One stream of audio on the wire, as tshark judges it.
#[derive(Debug)]
struct Stream {
    from: u16,
    to: u16,
    packets: u32,
    lost: String,
    /// The longest pause, in packets that were missing.
    gap: f64,
}

struct Wire {
    program: Program,
    file: std::path::PathBuf,
}

impl Wire {
    fn watch(folder: &Path) -> Self {
        let file = folder.join("wire.pcapng");
        let mut command = Command::new("tshark");
        command.args(["-q", "-i", "lo", "-f", "udp", "-w"]).arg(&file);
        let program = Program::start("tshark", command, &folder.join("tshark.log")).expect("tshark");
        let listens = || std::fs::metadata(&file).is_ok_and(|data| data.len() > 0).then_some(());
        wait_for("tshark to listen", PATIENCE, listens).expect("tshark");
        Self { program, file }
    }

    /// Streams of more than three seconds.
    fn streams(mut self) -> Vec<Stream> {
        self.program.stop();
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&self.file).args(["--enable-heuristic", "rtp_udp", "-q", "-z", "rtp,streams"]);
        let output = command.output().expect("tshark");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let streams = text.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Start, end, source, port, destination, port, SSRC, payload, packets, lost, its share, then deltas.
            let (from, to) = (words.get(3)?.parse().ok()?, words.get(5)?.parse().ok()?);
            let at = words.iter().position(|word| word.starts_with('('))?;
            let packets = words.get(at.checked_sub(2)?)?.parse().ok()?;
            let lost = (*words.get(at.checked_sub(1)?)?).to_owned();
            let longest: f64 = words.get(at + 3)?.parse().ok()?;
            Some(Stream { from, to, packets, lost, gap: (longest / PACKET_MS - 1.0).max(0.0) })
        });
        let streams: Vec<Stream> = streams.filter(|stream| stream.packets > 150).collect();
        assert!(!streams.is_empty(), "{text}");
        streams
    }
}

#[test]
fn a_talk_goes_on_without_a_gap_and_ends_with_one_record_when_its_process_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let carrier = stage::carrier_port();
    let branch = branch(folder.path(), carrier);
    let says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let caller_says = "my washing machine is broken";
    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", caller_says, carrier).expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(7));
    caller.digit('2').expect("a digit");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone is rung and answers");
    std::thread::sleep(Duration::from_secs(2));
    let wire = Wire::watch(folder.path());
    std::thread::sleep(Duration::from_secs(4));

    stage::kill_calls(&branch).expect("restarted");
    let signed_in = wait_for("the desk again", PATIENCE, || stage::sign_in(&branch, "a-101").ok()).expect("a desk");
    let mut live = signed_in.live().expect("the live desk");
    live.wait(PATIENCE, |seen| state_of(seen, "a-101") == Some("talking")).expect("the agent is talking");
    std::thread::sleep(Duration::from_secs(4));
    let streams = wire.streams();
    live.ask("hold").expect("the next life holds the call");
    live.ask("resume").expect("and lets it go on");
    std::thread::sleep(Duration::from_secs(2));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends too");

    // Two people, the box between them: four streams, each of one piece, and the box adds no pause to what it is sent.
    assert_eq!(streams.len(), 4, "{streams:#?}");
    assert!(streams.iter().all(|stream| stream.lost == "0"), "{streams:#?}");
    let is_box = |port: u16| streams.iter().filter(|stream| stream.from == port || stream.to == port).count() == 2;
    assert!(streams.iter().all(|stream| is_box(stream.from)), "{streams:#?}");
    let gap = streams.iter().map(|stream| stream.gap).fold(0.0, f64::max);
    println!("the longest pause in any stream is {gap:.1} packets");
    assert!(gap < 10.0, "a fifth of a second, on a machine that builds beside it: {streams:#?}");

    let in_the_ear = proof::words(&agent.phone.heard().expect("the agent heard"), 1).expect("recognised");
    assert!(in_the_ear.contains("washing machine"), "the agent heard: {in_the_ear}");
    let recording = stage::sealed_recording(&branch, 1).expect("a recording");
    let wav = folder.path().join("recording.wav");
    let manifest = stage::export(&branch, &recording, &wav).expect("exported");
    assert_eq!(manifest["recovered"], false, "{manifest}");
    assert!(manifest["ms"].as_u64().expect("a length") > 12_000, "{manifest}");
    assert!(proof::words(&wav, 1).expect("recognised").contains("washing machine"));
    assert_eq!(branch.recordings().len(), 1, "it goes on as one");

    let row = wait_for("the record", PATIENCE, || {
        let rows = stage::contacts(&signed_in).ok()?;
        let ours: Vec<_> = rows.into_iter().filter(|row| row.to_string().contains("5550100")).collect();
        assert!(ours.len() <= 1, "{ours:?}");
        ours.into_iter().next()
    })
    .expect("the contact is listed");
    assert_eq!((&row["outcome"], &row["cause"]), (&"answered".into(), &"caller".into()), "{row}");
    let talked = row["talk_ms"].as_u64().unwrap_or(0) + row["hold_ms"].as_u64().unwrap_or(0);
    assert!(talked > 12_000, "the whole talk counts: {row}");
}

/// A browser's connection dies with the process; it comes back by itself, with the call as it was.
#[test]
fn a_browser_keeps_its_talk_when_the_process_that_carried_its_signalling_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let carrier = stage::carrier_port();
    let branch = branch(folder.path(), carrier);
    let says = "this is the service desk how can i help you";
    let microphone = browser::microphone(folder.path(), "microphone", says).expect("speech");
    let account =
        browser::Account { ws: &branch.ws, ca: None, user: "101", password: PHONE_PASSWORD, domain: &branch.domain };
    let mut agent = Softphone::start(&account, &microphone).expect("a browser");
    agent.wait_event("registered", PATIENCE).expect("registered over WebSocket");
    let desk = stage::sign_in(&branch, "a-101").expect("a desk");
    let mut live = desk.live().expect("the live desk");
    live.ask("sign_in").expect("signed in");
    live.ask("ready").expect("ready");
    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", "my washing machine is broken", carrier)
        .expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(7));
    caller.digit('2').expect("a digit");
    agent.wait_event("confirmed", PATIENCE).expect("the browser is rung and answers");
    std::thread::sleep(Duration::from_secs(4));

    stage::kill_calls(&branch).expect("restarted");
    agent.wait_event("registered", PATIENCE).expect("it comes back by itself");
    std::thread::sleep(Duration::from_secs(5));
    let ear = folder.path().join("ear.wav");
    agent.heard(&ear).expect("written");
    caller.hang_up().expect("hung up");
    agent.wait_event("ended", PATIENCE).expect("the browser hears of the end by its new connection");
    let heard = proof::words(&ear, 1).expect("recognised");
    assert!(heard.contains("washing machine"), "the agent heard: {heard}");
    let wav = folder.path().join("recording.wav");
    let (left, right) = stage::recorded_words(&branch, 1, &wav).expect("a recording");
    assert!(left.contains("washing machine") && right.contains("service desk"), "{left} / {right}");
}

/// A house with a caller who talks with the agent at 101.
struct Talk {
    folder: tempfile::TempDir,
    branch: Branch,
    agent: Agent,
    caller: Phone,
}

impl Talk {
    fn over(transport: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let carrier = stage::carrier_port();
        let branch = branch(folder.path(), carrier);
        let says = "this is the service desk how can i help you";
        let at = folder.path().join("agent");
        let mut agent = Agent::start_over(transport, &branch, &at, ("a-101", "101"), says).expect("an agent");
        let mut desk = agent.desk.live().expect("the live desk");
        desk.ask("sign_in").expect("signed in");
        desk.ask("ready").expect("ready");
        let mut caller =
            stage::caller(&folder.path().join("caller"), "5550100", "my washing machine is broken", carrier)
                .expect("a caller");
        caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
        caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
        std::thread::sleep(Duration::from_secs(7));
        caller.digit('2').expect("a digit");
        agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone is rung and answers");
        std::thread::sleep(Duration::from_secs(3));
        Self { folder, branch, agent, caller }
    }

    fn contact(&self) -> serde_json::Value {
        let desk = stage::sign_in(&self.branch, "a-101").expect("a desk");
        wait_for("the record", PATIENCE, || {
            let rows = stage::contacts(&desk).ok()?;
            let ours: Vec<_> = rows.into_iter().filter(|row| row.to_string().contains("5550100")).collect();
            assert!(ours.len() <= 1, "{ours:?}");
            ours.into_iter().next()
        })
        .expect("the contact is listed")
    }
}

/// Their connections die with the process. What they say afterwards comes by new ones.
#[test]
fn phones_over_tcp_and_tls_keep_their_talk_and_can_end_it_when_the_process_is_killed() {
    for transport in ["tcp", "tls"] {
        let mut talk = Talk::over(transport);
        stage::kill_calls(&talk.branch).expect("restarted");
        std::thread::sleep(Duration::from_secs(4));
        talk.agent.phone.hang_up().expect("hung up");
        talk.caller.wait_event("CALL_CLOSED", PATIENCE).unwrap_or_else(|error| {
            panic!("over {transport} the phone's BYE does not arrive: {error:#}\n{}", talk.branch.log())
        });
        let row = talk.contact();
        assert_eq!((&row["outcome"], &row["cause"]), (&"answered".into(), &"agent".into()), "{transport}: {row}");
        let heard = proof::words(&talk.caller.heard().expect("the caller heard"), 1).expect("recognised");
        assert!(heard.contains("service desk"), "{transport}: the caller heard {heard}");
    }
}

/// The colleague's phone rings again, for the same caller, and the colleague has no time: the caller is back in its queue.
#[test]
fn a_caller_who_was_being_transferred_when_the_process_was_killed_is_not_lost() {
    let mut talk = Talk::over("udp");
    let microphone = talk.folder.path().join("colleague.wav");
    proof::speak("we will repair it tomorrow", 120, &microphone).expect("speech");
    let account = Account::Phone {
        user: "102",
        password: PHONE_PASSWORD,
        domain: &talk.branch.domain,
        registrar: &talk.branch.sip,
        transport: "udp",
    };
    let mut colleague =
        Phone::start(&talk.folder.path().join("colleague"), &account, &microphone, false).expect("a telephone");
    let log = colleague.folder.join("baresip.log");
    wait_for("the telephone is registered", PATIENCE, || {
        std::fs::read_to_string(&log).ok().filter(|log| log.contains("200 OK"))
    })
    .expect("registered");
    let mut desk = talk.agent.desk.live().expect("the live desk");
    desk.ask_with("transfer", json!({ "number": "102" })).expect("transferred");
    colleague.wait_event("CALL_INCOMING", PATIENCE).expect("the colleague's phone rings");

    stage::kill_calls(&talk.branch).expect("restarted");
    colleague.wait_event("CALL_INCOMING", PATIENCE).expect("it rings for the next life");
    let signed_in = wait_for("the desk again", PATIENCE, || stage::sign_in(&talk.branch, "a-101").ok());
    let mut desk = signed_in.expect("a desk").live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    colleague.hang_up().expect("declined");
    talk.agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the caller has an agent again");
    std::thread::sleep(Duration::from_secs(8));
    talk.caller.hang_up().expect("hung up");
    talk.agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends too");

    let heard = proof::words(&talk.agent.phone.heard().expect("the agent heard"), 1).expect("recognised");
    assert!(heard.contains("washing machine"), "the agent heard {heard}");
    let row = talk.contact();
    assert_eq!((&row["outcome"], &row["cause"]), (&"answered".into(), &"caller".into()), "{row}");
}
