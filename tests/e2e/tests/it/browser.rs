//! Real browsers as telephones.

use std::{path::Path, time::Duration};

use e2e::stage::{self, PATIENCE, state_of};
use harness::{
    baresip::{self, Phone},
    browser::{Account, Softphone, microphone},
    company::{Branch, BranchPlan, PHONE_PASSWORD},
    process::wait_for,
    proof,
};

struct At<'a> {
    ws: &'a str,
    ca: Option<&'a Path>,
}

fn softphone(branch: &Branch, at: &At<'_>, folder: &Path, user: &str, says: &str) -> Softphone {
    std::fs::create_dir_all(folder).expect("a folder");
    let account = Account { ws: at.ws, ca: at.ca, user, password: PHONE_PASSWORD, domain: &branch.domain };
    let mut phone =
        Softphone::start(&account, &microphone(folder, "microphone", says).expect("speech")).expect("a browser");
    phone.wait_event("registered", PATIENCE).expect("registered over WebSocket");
    phone
}

#[test]
fn a_caller_on_a_telephone_and_an_agent_in_a_browser_hear_each_other_and_the_recording_has_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let says = "this is the service desk how can i help you";
    let mut agent = softphone(&branch, &At { ws: &branch.ws, ca: None }, &folder.path().join("agent"), "101", says);
    let desk = stage::sign_in(&branch, "a-101").expect("a desk");
    let mut live = desk.live().expect("the live desk");
    live.ask("sign_in").expect("signed in");
    live.ask("ready").expect("ready");
    live.wait(PATIENCE, |seen| state_of(seen, "a-101") == Some("ready")).expect("ready");

    let caller_says = "my washing machine is broken";
    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", caller_says, carrier).expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(7));
    caller.digit('2').expect("a digit");
    agent.wait_event("confirmed", PATIENCE).expect("the browser is rung and answers");
    std::thread::sleep(Duration::from_secs(8));
    let ear = folder.path().join("ear.wav");
    agent.heard(&ear).expect("written");
    agent.hang_up().expect("hung up");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("the caller's leg ends too");

    let agent_heard = proof::words(&ear, 1).expect("recognised");
    assert!(agent_heard.contains("washing machine"), "the agent heard: {agent_heard}");
    let caller_heard = proof::words(&caller.heard().expect("the caller heard"), 1).expect("recognised");
    assert!(caller_heard.contains("service desk"), "the caller heard: {caller_heard}");
    let recording = stage::sealed_recording(&branch, 1).expect("a recording");
    let wav = folder.path().join("recording.wav");
    stage::export(&branch, &recording, &wav).expect("exported");
    let left = proof::words(&wav, 1).expect("recognised");
    let right = proof::words(&wav, 2).expect("recognised");
    assert!(left.contains("washing machine"), "the caller's side: {left}");
    assert!(right.contains("service desk"), "the agent's side: {right}");
}

/// The one that is called has a telephone beside it, which rings too and wants nothing of WebRTC; and its signalling is
/// protected by the certificate that the box made for itself.
#[test]
fn two_browsers_hear_each_other_and_the_telephone_beside_one_stops_ringing() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let plan = BranchPlan::example("branch-a", stage::carrier_port()).expect("a plan");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let ca = folder.path().join("ca.pem");
    branch.command(&["tls", "--ca-out", ca.to_str().expect("UTF-8")], None).expect("the box's authority");
    let (clear, protected) = (At { ws: &branch.ws, ca: None }, At { ws: &branch.wss, ca: Some(&ca) });
    let one_says = "please change my address";
    let mut one = softphone(&branch, &clear, &folder.path().join("one"), "101", one_says);
    let other_says = "we will repair it tomorrow";
    let mut other = softphone(&branch, &protected, &folder.path().join("other"), "102", other_says);
    let silence = folder.path().join("silence.wav");
    proof::speak("nobody", 60, &silence).expect("speech");
    let account = baresip::Account::Phone {
        user: "102",
        password: PHONE_PASSWORD,
        domain: &branch.domain,
        registrar: &branch.sip,
        transport: "udp",
    };
    let mut beside = Phone::start(&folder.path().join("beside"), &account, &silence, false).expect("a telephone");
    // Its own event may come before its control port can be read; its log has it.
    let log = beside.folder.join("baresip.log");
    let registered = || std::fs::read_to_string(&log).ok().filter(|log| log.contains("200 OK"));
    wait_for("the telephone is registered", PATIENCE, registered).expect("registered");

    one.dial("102").expect("dialled");
    beside.wait_event("CALL_INCOMING", PATIENCE).expect("the telephone rings");
    one.wait_event("confirmed", PATIENCE).expect("the browser answers");
    beside.wait_event("CALL_CLOSED", PATIENCE).expect("the telephone stops ringing");
    std::thread::sleep(Duration::from_secs(7));
    for (phone, ear, wanted) in [(&mut one, "one.wav", "repair"), (&mut other, "other.wav", "address")] {
        let ear = folder.path().join(ear);
        phone.heard(&ear).expect("written");
        let heard = proof::words(&ear, 1).expect("recognised");
        assert!(heard.contains(wanted), "{wanted}: {heard}");
    }
    one.hang_up().expect("hung up");
    other.wait_event("ended", PATIENCE).expect("the other leg ends too");
}
