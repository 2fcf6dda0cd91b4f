//! More than two on a call: a supervisor who listens, whispers and barges in, and a colleague who is consulted and
//! joined. Everybody is a real telephone; who speaks when is decided by their mute buttons, and who heard it by a
//! recogniser at every ear.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use e2e::{
    company::direct,
    stage::{self, Agent, PATIENCE},
};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, BranchPlan, PHONE_PASSWORD},
    process::wait_for,
    proof,
    web::Live,
};
use serde_json::{Value, json};

/// A sentence, twice.
const SPEECH: Duration = Duration::from_secs(6);

const CALLER: (&str, &str) = ("my washing machine is broken", "washing");
const AGENT: (&str, &str) = ("this is the service desk how can i help you", "service desk");
const SUPERVISOR: (&str, &str) = ("your order will arrive on monday", "monday");
const COLLEAGUE: (&str, &str) = ("we will repair it tomorrow", "repair");

struct Stage {
    branch: Branch,
    caller: Phone,
    agent: Agent,
    supervisor: Agent,
    desk: Live,
    watching: Live,
    /// When the caller and the agent began to hear each other.
    began: Instant,
}

/// The caller talks to the agent, and all are muted.
fn talking(folder: &Path, change: impl FnOnce(&mut BranchPlan)) -> Stage {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let mut plan = direct("branch-a", carrier).expect("a plan");
    change(&mut plan);
    let branch = Branch::start(&folder.join("branch-a"), &plan, None, &prompts).expect("a branch");
    let agent = Agent::start(&branch, &folder.join("agent"), "a-102", "102", AGENT.0).expect("an agent");
    let supervisor =
        Agent::start(&branch, &folder.join("supervisor"), "a-101", "101", SUPERVISOR.0).expect("a supervisor");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let watching = supervisor.desk.live().expect("the supervisor's desk");
    let mut caller = stage::caller(&folder.join("caller"), "5550100", CALLER.0, carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    let began = Instant::now();
    let mut stage = Stage { branch, caller, agent, supervisor, desk, watching, began };
    stage.agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent answers");
    press_mute(&mut stage.caller);
    press_mute(&mut stage.agent.phone);
    stage
}

fn press_mute(phone: &mut Phone) {
    phone.command("mute", "").expect("the mute button");
}

/// This phone alone is heard for a while.
fn speak(phone: &mut Phone) {
    press_mute(phone);
    std::thread::sleep(SPEECH);
    press_mute(phone);
}

fn monitor(stage: &mut Stage, how: &str) {
    stage.watching.ask_with("monitor", json!({ "agent": "a-102", "how": how })).expect("the supervisor may");
    stage
        .watching
        .wait(PATIENCE, |seen| {
            let agents = seen.get("board").and_then(|board| board["agents"].as_array());
            let line = agents.into_iter().flatten().find(|line| line["agent"] == "a-102");
            line.is_some_and(|line| line["monitors"] == json!([{ "by": "a-101", "how": how, "there": true }]))
        })
        .expect("the supervisor's desk shows it");
}

/// Whom this ear heard, of the four; asserted. Who was heard is found by sound or by word: a recogniser passes over
/// sentences that everybody understands. Who was not heard is found by neither.
fn assert_heard(whose: &str, files: &[PathBuf], channel: u16, expected: &[(&str, &str)]) {
    let words: Vec<String> = files.iter().map(|file| proof::words(file, channel.into()).expect("recognised")).collect();
    let words = words.join(" ");
    let heard: Vec<f32> = files.iter().flat_map(|file| proof::samples(file, channel).expect("samples")).collect();
    for (sentence, word) in [CALLER, AGENT, SUPERVISOR, COLLEAGUE] {
        let (likeness, _) = proof::correlation(&heard, &said(sentence));
        let (found, wanted) = (words.contains(word), expected.iter().any(|(other, _)| *other == sentence));
        match wanted {
            true => assert!(found || likeness > 0.7, "{whose} did not hear {word:?}: {likeness}, {words}"),
            false => assert!(!found && likeness < 0.4, "{whose} heard {word:?}: {likeness}, {words}"),
        }
    }
}

/// What was heard before a moment of the talk, and after it; a second on either side belongs to neither.
fn parts(file: &Path, at: Duration, folder: &Path) -> (PathBuf, PathBuf) {
    let part = |name: &str, from: f64, to: Option<f64>| {
        let out = folder.join(name);
        let mut sox = Command::new("sox");
        sox.arg(file).arg(&out).args(["trim", &from.to_string()]).args(to.map(|to| format!("={to}")));
        assert!(sox.status().expect("sox").success());
        out
    };
    let at = at.as_secs_f64();
    (part("before.wav", 0.0, Some(at - 1.0)), part("after.wav", at + 1.0, None))
}

/// A second of a sentence, as its speaker's microphone has it.
fn said(sentence: &str) -> Vec<f32> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("said.wav");
    proof::speak(sentence, 3, &file).expect("speech");
    proof::samples(&file, 1).expect("samples").into_iter().skip(5_000).take(8_000).collect()
}

fn recording(stage: &Stage, folder: &Path) -> PathBuf {
    let recording = stage::sealed_recording(&stage.branch, 1).expect("a recording");
    let wav = folder.join("recording.wav");
    stage::export(&stage.branch, &recording, &wav).expect("exported");
    wav
}

#[test]
fn a_whisper_is_heard_by_the_agent_alone_who_listens_hears_both_and_who_barges_in_is_heard_by_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut stage = talking(folder.path(), |_| {});
    // Who is no supervisor may not.
    let refused = stage.desk.ask_with("monitor", json!({ "agent": "a-101", "how": "listen" }));
    assert!(refused.is_err_and(|why| why.to_string().contains("forbidden")), "an agent is no supervisor");

    monitor(&mut stage, "whisper");
    stage.supervisor.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the supervisor's phone answers");
    std::thread::sleep(SPEECH);
    // From here on the supervisor is silent by the box's doing: the phone goes on speaking.
    monitor(&mut stage, "listen");
    speak(&mut stage.caller);
    speak(&mut stage.agent.phone);
    let until = stage.began.elapsed();
    monitor(&mut stage, "barge");
    std::thread::sleep(SPEECH);
    stage.caller.hang_up().expect("hung up");
    stage.agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    stage.supervisor.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the supervisor's leg ends");

    let ear = |phone: &Phone| phone.all_heard().expect("something was heard");
    let (before, after) = parts(&stage.caller.heard().expect("something was heard"), until, folder.path());
    assert_heard("the caller, while there is only a whisper", &[before], 1, &[AGENT]);
    assert_heard("the caller, when the supervisor has joined", &[after], 1, &[SUPERVISOR]);
    assert_heard("the agent", &ear(&stage.agent.phone), 1, &[SUPERVISOR, CALLER]);
    assert_heard("the supervisor", &ear(&stage.supervisor.phone), 1, &[CALLER, AGENT]);
    let wav = [recording(&stage, folder.path())];
    assert_heard("the recording's caller", &wav, 1, &[CALLER]);
    let (before, after) = parts(&wav[0], until, folder.path());
    assert_heard("the recording, while there is only a whisper", &[before], 2, &[AGENT]);
    assert_heard("the recording, when the supervisor has joined", &[after], 2, &[SUPERVISOR]);
    audited(&stage, &["whisper", "listen", "barge"]);
}

#[test]
fn who_barges_in_is_heard_by_both_and_a_colleague_joined_makes_three_who_hear_one_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut stage = talking(folder.path(), |plan| plan.config["phones"]["103"] = json!({ "label": "Desk 3" }));
    let home = folder.path().join("colleague");
    std::fs::create_dir_all(&home).expect("a folder");
    let microphone = home.join("microphone.wav");
    proof::speak(COLLEAGUE.0, 120, &microphone).expect("speech");
    let account = Account::Phone {
        user: "103",
        password: PHONE_PASSWORD,
        domain: &stage.branch.domain,
        registrar: &stage.branch.sip,
        transport: "udp",
    };
    let mut colleague = Phone::start(&home.join("phone"), &account, &microphone, true).expect("a phone");
    let number = json!({ "number": "103" });
    // As soon as it is registered.
    wait_for("a colleague to consult", PATIENCE, || stage.desk.ask_with("consult", number.clone()).ok())
        .expect("consulted");
    colleague.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the colleague answers");
    press_mute(&mut colleague);
    let third = |wanted: &'static str| {
        move |seen: &std::collections::BTreeMap<String, Value>| {
            let agents = seen.get("board").and_then(|board| board["agents"].as_array());
            let line = agents.into_iter().flatten().find(|line| line["agent"] == "a-102");
            line.is_some_and(|line| line["contact"]["third"]["stage"] == wanted)
        }
    };
    stage.desk.wait(PATIENCE, third("apart")).expect("the desk shows that the colleague is there");
    // The caller hears music, and nothing of this.
    speak(&mut stage.agent.phone);
    stage.desk.ask("confer").expect("all three");
    stage.desk.wait(PATIENCE, third("joined")).expect("the desk shows three");
    speak(&mut colleague);
    speak(&mut stage.caller);
    monitor(&mut stage, "barge");
    stage.supervisor.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the supervisor's phone answers");
    std::thread::sleep(SPEECH);
    stage.watching.ask("monitor_end").expect("the supervisor leaves");
    stage.supervisor.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the supervisor's leg ends");
    // The agent leaves, and the two go on.
    stage.agent.phone.hang_up().expect("hung up");
    speak(&mut stage.caller);
    stage.caller.hang_up().expect("hung up");
    colleague.wait_event("CALL_CLOSED", PATIENCE).expect("the colleague's leg ends");

    let ear = |phone: &Phone| phone.all_heard().expect("something was heard");
    // The caller's phone writes nothing down any more once it was on hold: what it was sent is in the recording.
    assert_heard("the agent", &ear(&stage.agent.phone), 1, &[COLLEAGUE, CALLER, SUPERVISOR]);
    assert_heard("the colleague", &ear(&colleague), 1, &[AGENT, CALLER, SUPERVISOR]);
    let wav = [recording(&stage, folder.path())];
    assert_heard("the recording's caller", &wav, 1, &[CALLER]);
    assert_heard("what the caller heard, recorded", &wav, 2, &[COLLEAGUE, SUPERVISOR]);
    audited(&stage, &["barge"]);
}

/// The supervisor is in the facts, by name, with how.
fn audited(stage: &Stage, hows: &[&str]) {
    let facts = stage.branch.command(&["ledger", "facts"], None).expect("the facts");
    for how in hows {
        let fact = format!("\"fact\":\"monitored\",\"by\":\"a-101\",\"how\":\"{how}\"");
        assert!(facts.replace(": ", ":").replace(", ", ",").contains(&fact), "{how} is not in {facts}");
    }
    assert!(facts.contains("monitoring_ended"), "{facts}");
}
