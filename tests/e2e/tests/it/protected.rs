//! Calls whose audio nobody on the way can hear.

use std::time::Duration;

use e2e::stage::{self, Agent, PATIENCE};
use harness::{
    baresip::{Account, Phone},
    company::{Branch, BranchPlan},
    proof,
};

/// baresip offers SRTP and takes nothing else; the agent's phone knows none of it. Its own signalling here is UDP, which
/// others could read.
#[test]
fn a_caller_under_srtp_and_an_agent_in_clear_hear_each_other_and_the_recording_has_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let mut plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    plan.config["trunks"]["carrier"]["protection"] = "required_openly".into();
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let agent_says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", agent_says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");

    let home = folder.path().join("caller");
    std::fs::create_dir_all(&home).expect("a folder");
    let microphone = home.join("microphone.wav");
    proof::speak("my washing machine is broken", 120, &microphone).expect("speech");
    let account = Account::Trunk { user: "5550100" };
    let start = |name: &str, port, parameters: &str| {
        Phone::start_with(&home.join(name), &account, &microphone, false, port, parameters)
    };
    let mut caller = start("phone", carrier, ";mediaenc=srtp-mand").expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(7));
    caller.digit('2').expect("a digit");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the sealed digit was heard, the agent's phone rings");
    std::thread::sleep(Duration::from_secs(8));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends too");

    let agent_heard = proof::words(&agent.phone.heard().expect("the agent heard"), 1).expect("recognised");
    assert!(agent_heard.contains("washing machine"), "the agent heard: {agent_heard}");
    let caller_heard = proof::words(&caller.heard().expect("the caller heard"), 1).expect("recognised");
    assert!(caller_heard.contains("service desk"), "the caller heard: {caller_heard}");
    let wav = folder.path().join("recording.wav");
    let (left, right) = stage::recorded_words(&branch, 1, &wav).expect("a recording");
    assert!(left.contains("washing machine"), "the caller's side: {left}");
    assert!(right.contains("service desk"), "the agent's side: {right}");

    // The same caller in clear is refused.
    caller.stop();
    let mut open = start("open", carrier, "").expect("a caller");
    open.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    let closed = open.wait_event("CALL_CLOSED", PATIENCE).expect("refused");
    assert!(closed["param"].as_str().is_some_and(|why| why.contains("488")), "{closed}");
}
