//! A queue that records only who agrees: by a key in the flow, or by word to the agent; and an agent's pause.

use std::time::Duration;

use e2e::stage::{self, Agent, PATIENCE, facts};
use harness::{
    company::{Branch, BranchPlan},
    process::wait_for,
};
use serde_json::json;

#[test]
fn a_customer_is_recorded_from_the_yes_on_and_never_after_a_no() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let mut plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    plan.config["flows"]["asks"] = json!({
        "label": "May we record?", "start": "ask",
        "steps": {
            "ask": { "do": "consent", "prompt": "greeting", "agree": "1", "refuse": "2", "wait_s": 5, "tries": 2, "next": "service", "otherwise": "service" },
            "service": { "do": "queue", "queue": "service" }
        }
    });
    plan.config["numbers"]["4000"] = json!("asks");
    plan.config["queues"]["service"]["recording"] = json!({ "consent": "when_given", "pause_s": 60 });
    let branch = Branch::start(&at("branch-a"), &plan, None, &prompts).expect("a branch");
    let says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &at("agent"), "a-101", "101", says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let words = "my washing machine is broken";
    let mut caller = stage::caller(&at("caller"), "5550100", words, carrier).expect("a caller");
    let mut call = |key: char, agent: &mut Agent| {
        caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
        caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
        std::thread::sleep(Duration::from_secs(1));
        caller.digit(key).expect("a key");
        agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("an agent answers");
    };

    // Refused by a key, and then agreed to by word.
    call('2', &mut agent);
    let missing = wait_for("no recording", PATIENCE, || facts(&branch, "recording_missing").pop()).expect("told");
    assert_eq!(missing["kind"]["reason"], "refused");
    std::thread::sleep(Duration::from_secs(2));
    assert!(branch.recordings().is_empty(), "nothing of it is on the disk");
    desk.ask_with("consent", json!({ "given": true })).expect("the agent was told yes");
    wait_for("a recording", PATIENCE, || facts(&branch, "recording_started").pop()).expect("recorded from here on");
    std::thread::sleep(Duration::from_secs(5));
    desk.ask("pause_recording").expect("paused");
    std::thread::sleep(Duration::from_secs(3));
    desk.ask("resume_recording").expect("goes on");
    std::thread::sleep(Duration::from_secs(3));
    desk.ask_with("consent", json!({ "given": false })).expect("the agent was told no");
    wait_for("its end", PATIENCE, || facts(&branch, "recording_sealed").pop()).expect("it ends there");
    desk.ask("hang_up").expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    let (caller_said, _) = stage::recorded_words(&branch, 1, &at("first.wav")).expect("a recording");
    assert!(caller_said.contains("washing machine"), "{caller_said}");
    let said: Vec<_> = facts(&branch, "consented")
        .into_iter()
        .map(|fact| (fact["kind"]["given"].clone(), fact["kind"]["by"].clone()))
        .collect();
    assert_eq!(said, [(json!(false), json!(null)), (json!(true), json!("a-101")), (json!(false), json!("a-101"))]);
    assert_eq!((facts(&branch, "recording_paused").len(), facts(&branch, "recording_resumed").len()), (1, 1));

    // Agreed to by a key.
    desk.ask("ready").expect("ready");
    call('1', &mut agent);
    let second = || (facts(&branch, "recording_started").len() == 2).then_some(());
    wait_for("the second recording", PATIENCE, second).expect("recorded from the answer on");
    desk.ask("hang_up").expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    assert_eq!(facts(&branch, "recording_missing").len(), 2, "the first call's two words of no, and no other");
    let row = wait_for("the record", PATIENCE, || {
        let rows = stage::contacts(&agent.desk).ok()?;
        rows.into_iter().find(|row| row["consent"] == json!(false))
    });
    assert!(row.is_ok(), "the record says what the customer said last");
}
