//! A caller nobody at the own branch can take is helped by another; when the path between them breaks, the caller is
//! back in the own queue with the time already waited, and the recording never left.

use std::time::Duration;

use e2e::{
    company::direct,
    stage::{self, Agent, PATIENCE},
};
use harness::{
    company::{Branch, Cloud},
    process::wait_for,
    proof,
    wan::Wan,
};
use serde_json::json;

#[test]
fn a_broken_path_gives_the_caller_back_to_the_own_queue_and_the_call_goes_on_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let cloud = Cloud::start(&folder.path().join("cloud")).expect("a cloud");
    let wan = Wan::to(&cloud.link).expect("a line");
    let carriers = [stage::carrier_port(), stage::carrier_port()];
    let branch = |site: &str, carrier: u16| {
        let mut plan = direct(site, carrier).expect("a plan");
        plan.config["queues"]["service"]["overflow"] = json!({ "locality": "may_leave", "after_s": 2, "to": [if site == "branch-a" { "branch-b" } else { "branch-a" }] });
        plan.cloud_at = vec![wan.address.clone()];
        Branch::start(&folder.path().join(site), &plan, Some(&cloud), &prompts).expect(site)
    };
    let (a, b) = (branch("branch-a", carriers[0]), branch("branch-b", carriers[1]));
    let agent = |at: &Branch, name: &str, says: &str| {
        let agent = Agent::start(at, &folder.path().join(name), "a-101", "101", says).expect(name);
        let mut desk = agent.desk.live().expect("the live desk");
        desk.ask("sign_in").expect("signed in");
        (agent, desk)
    };
    let (mut agent_a, mut desk_a) = agent(&a, "agent-a", "we will repair it tomorrow");
    let (mut agent_b, mut desk_b) = agent(&b, "agent-b", "good morning you are talking to the sales team");
    desk_b.ask("ready").expect("ready");
    let mut caller =
        stage::caller(&folder.path().join("caller"), "5550100", "my washing machine is broken", carriers[0])
            .expect("a caller");

    caller.dial(&format!("sip:4001@{}", a.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    agent_b
        .phone
        .wait_event("CALL_ESTABLISHED", Duration::from_secs(60))
        .expect("an agent of the other branch answers");
    std::thread::sleep(Duration::from_secs(8));

    wan.cut();
    desk_a.ask("ready").expect("ready");
    agent_a.phone.wait_event("CALL_ESTABLISHED", Duration::from_secs(60)).expect("the own agent gets the caller");
    agent_b.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the helper's call ends by itself");
    std::thread::sleep(Duration::from_secs(8));
    caller.hang_up().expect("hung up");
    agent_a.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the own agent's call ends");

    for (who, phone) in [("at B", &agent_b.phone), ("at A", &agent_a.phone)] {
        let words = proof::words(&phone.heard().expect(who), 1).expect("recognised");
        assert!(words.contains("washing machine"), "the agent {who} heard: {words}");
    }
    assert!(b.recordings().is_empty(), "the helper recorded a call that is not its own");
    let recording = stage::sealed_recording(&a, 1).expect("one recording of the whole call");
    let wav = folder.path().join("recording.wav");
    stage::export(&a, &recording, &wav).expect("exported");
    let said = proof::words(&wav, 2).expect("recognised");
    assert!(said.contains("sales team") && said.contains("tomorrow"), "the agents' side: {said}");
    let facts = wait_for("the call's end", PATIENCE, || {
        a.command(&["ledger", "facts"], None).ok().filter(|facts| facts.contains("\"ended\""))
    })
    .expect("facts");
    for fact in ["overflow_offered", "overflow_answered", "overflow_returned"] {
        assert_eq!(facts.matches(&format!("\"{fact}\"")).count(), 1, "{fact}: {facts}");
    }
    assert_eq!(facts.matches("\"queued\"").count(), 1, "queued once: the waiting time is not forgotten");
}
