//! Phones that share no codec, and those that speak none of ours.

use std::{path::Path, time::Duration};

use e2e::{
    company::direct,
    stage::{self, Agent, PATIENCE},
};
use harness::{
    baresip::{Account, Phone},
    browser::{self, Softphone},
    company::{Branch, PHONE_PASSWORD},
    proof,
};

const CALLER_SAYS: &str = "my washing machine is broken";

/// A caller at the carrier who speaks this codec alone.
fn caller(folder: &Path, codec: &str, port: u16) -> Phone {
    std::fs::create_dir_all(folder).expect("a folder");
    let microphone = folder.join("microphone.wav");
    proof::speak(CALLER_SAYS, 120, &microphone).expect("speech");
    let account = Account::Trunk { user: "5550100" };
    let module = codec.split('/').next().unwrap_or(codec);
    let (parameters, lines) = (format!(";audio_codecs={codec}"), format!("module {module}.so"));
    Phone::start_as(&folder.join(module), &account, &microphone, false, port, (&parameters, &lines)).expect("a phone")
}

#[test]
fn opus_and_g722_on_one_side_and_g711_on_the_other_hear_each_other_and_the_recording_has_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let plan = direct("branch-a", carrier).expect("a plan");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let agent_says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", agent_says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    for (count, codec) in ["opus/48000/2", "g722/16000/1"].into_iter().enumerate() {
        let mut caller = caller(&folder.path().join("caller"), codec, carrier);
        caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
        caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
        agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone is rung");
        std::thread::sleep(Duration::from_secs(9));
        caller.hang_up().expect("hung up");
        agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends too");

        let agent_heard = proof::words(&agent.phone.heard().expect("the agent heard"), 1).expect("recognised");
        assert!(agent_heard.contains("washing machine"), "{codec}: the agent heard {agent_heard}");
        let caller_heard = proof::words(&caller.heard().expect("the caller heard"), 1).expect("recognised");
        assert!(caller_heard.contains("service desk"), "{codec}: the caller heard {caller_heard}");
        let wav = folder.path().join("recording.wav");
        let (left, right) = stage::recorded_words(&branch, count + 1, &wav).expect("a recording");
        assert_eq!(proof::rate(&wav).expect("a WAV"), 16_000, "{codec}");
        assert!(left.contains("washing machine"), "{codec}: the caller's side {left}");
        assert!(right.contains("service desk"), "{codec}: the agent's side {right}");
        caller.stop();
    }

    // GSM is none of ours: the call is refused with a reason, and nobody is rung.
    let mut stranger = caller(&folder.path().join("caller"), "gsm", carrier);
    stranger.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    let closed = stranger.wait_event("CALL_CLOSED", PATIENCE).expect("refused");
    assert!(closed["param"].as_str().is_some_and(|why| why.contains("488")), "{closed}");
}

#[test]
fn a_browser_and_a_phone_that_share_opus_speak_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let plan = direct("branch-a", carrier).expect("a plan");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let says = "this is the service desk how can i help you";
    let microphone = browser::microphone(folder.path(), "microphone", says).expect("speech");
    let account =
        browser::Account { ws: &branch.ws, ca: None, user: "101", password: PHONE_PASSWORD, domain: &branch.domain };
    let mut agent = Softphone::start(&account, &microphone).expect("a browser");
    agent.wait_event("registered", PATIENCE).expect("registered over WebSocket");
    let mut desk = stage::sign_in(&branch, "a-101").expect("a desk").live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let mut caller = caller(&folder.path().join("caller"), "opus/48000/2", carrier);
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    agent.wait_event("confirmed", PATIENCE).expect("the browser is rung and answers");
    std::thread::sleep(Duration::from_secs(9));
    assert_eq!(agent.codec().expect("the browser counts"), "audio/opus");
    let ear = folder.path().join("ear.wav");
    agent.heard(&ear).expect("written");
    caller.hang_up().expect("hung up");
    agent.wait_event("ended", PATIENCE).expect("the agent's leg ends too");

    let agent_heard = proof::words(&ear, 1).expect("recognised");
    assert!(agent_heard.contains("washing machine"), "the agent heard {agent_heard}");
    let caller_heard = proof::words(&caller.heard().expect("the caller heard"), 1).expect("recognised");
    assert!(caller_heard.contains("service desk"), "the caller heard {caller_heard}");
    let (left, right) = stage::recorded_words(&branch, 1, &folder.path().join("recording.wav")).expect("a recording");
    assert!(left.contains("washing machine") && right.contains("service desk"), "{left} / {right}");
}
