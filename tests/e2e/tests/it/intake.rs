//! Callers who need not wait on the line, and a queue that takes nobody new: a promise to call back outlives the process
//! that gave it and is kept once; a supervisor's switch closes a queue while it is on.

use std::{path::Path, time::Duration};

use e2e::{
    company,
    stage::{self, Agent, PATIENCE, facts},
};
use harness::{
    baresip::{Account, Phone},
    company::Branch,
    proof,
};
use serde_json::{Value, json};

/// Of the customer, and as the branch dials it.
const NUMBER: &str = "03012345";

fn branch(folder: &Path, carrier: u16) -> Branch {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.config["site"]["dialling"] = json!({ "country": "86" });
    plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    plan.config["numbers"]["4002"] = json!("later");
    plan.config["flows"]["later"] = json!({
        "label": "We call you back", "start": "promise",
        "steps": {
            "promise": { "do": "callback", "queue": "service", "next": "thanks", "otherwise": "end" },
            "thanks": { "do": "play", "prompt": "callback-kept", "next": "end" },
            "end": { "do": "hangup" }
        }
    });
    Branch::start(&folder.join("branch-a"), &plan, None, &prompts).expect("a branch")
}

/// A customer's phone at the carrier, which answers when it is called.
fn customer(folder: &Path, says: &str, carrier: u16) -> Phone {
    std::fs::create_dir_all(folder).expect("a folder");
    let microphone = folder.join("microphone.wav");
    proof::speak(says, 120, &microphone).expect("speech");
    Phone::start_at(&folder.join("phone"), &Account::Trunk { user: NUMBER }, &microphone, true, carrier)
        .expect("a phone")
}

#[test]
fn a_promise_to_call_back_outlives_the_process_and_is_kept_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let carrier = stage::carrier_port();
    let branch = branch(folder.path(), carrier);
    let mut customer = customer(&at("customer"), "the invoice is wrong", carrier);
    customer.dial(&format!("sip:4002@{}", branch.sip)).expect("dialled");
    customer.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    customer.wait_event("CALL_CLOSED", PATIENCE).expect("the flow lets the customer go");
    assert_eq!(facts(&branch, "callback_promised").len(), 1);

    stage::kill_calls(&branch).expect("restarted");
    let desk = stage::sign_in(&branch, "a-101").expect("a supervisor");
    let mut floor = desk.live().expect("the live desk");
    let promised = |board: &Value| board["callbacks"].as_array().map_or(0, Vec::len);
    let seen = floor.wait(PATIENCE, |seen| seen.get("board").is_some_and(|board| promised(board) == 1));
    seen.unwrap_or_else(|error| panic!("the promise is on the supervisor's list: {error:#}\n{}", branch.tail()));

    let mut agent =
        Agent::start(&branch, &at("agent"), "a-101", "101", "we will repair it tomorrow").expect("an agent");
    let mut live = agent.desk.live().expect("the live desk");
    live.ask("sign_in").expect("signed in");
    live.ask("ready").expect("ready");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent is rung first");
    customer.wait_event("CALL_ESTABLISHED", PATIENCE).expect("then the customer");
    std::thread::sleep(Duration::from_secs(6));
    live.ask("hang_up").expect("the agent hangs up");
    customer.wait_event("CALL_CLOSED", PATIENCE).expect("the call ends");
    let heard = customer.heard().expect("what the customer heard");
    let words = proof::words(&heard, 1).expect("words");
    assert!(words.contains("we will repair it tomorrow"), "the customer hears the agent: {words}");
    let words = proof::words(&agent.phone.heard().expect("what the agent heard"), 1).expect("words");
    assert!(words.contains("the invoice is wrong"), "and the agent the customer: {words}");

    // Kept, and not again, though the agent is free.
    live.ask("ready").ok();
    std::thread::sleep(Duration::from_secs(8));
    assert_eq!(facts(&branch, "callback_tried").len(), 1, "once");
    assert_eq!(facts(&branch, "answered").len(), 1);
    let list = desk
        .live()
        .expect("the live desk")
        .wait(PATIENCE, |seen| seen.get("board").is_some_and(|board| promised(board) == 0));
    list.expect("nobody is left on the list");
    let every = branch.command(&["ledger", "facts", "--last", "1000"], None).expect("the facts");
    assert!(!every.contains(NUMBER), "whom we call back is in no fact");
}

#[test]
fn a_closed_queue_takes_nobody_new_until_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let carrier = stage::carrier_port();
    let branch = branch(folder.path(), carrier);
    let mut customer = customer(&at("customer"), "hello", carrier);
    let mut agent = Agent::start(&branch, &at("agent"), "a-101", "101", "hello").expect("a supervisor who serves");
    let mut live = agent.desk.live().expect("the live desk");
    live.ask("sign_in").expect("signed in");
    live.ask("ready").expect("ready");
    let set = |desk: &harness::web::Session, closed: bool| {
        let change = json!({ "set": "queue_closed", "queue": "service", "closed": closed });
        desk.post("/api/changes", &json!({ "changes": [change] })).expect("set");
    };

    set(&agent.desk, true);
    customer.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    customer.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers, to say so");
    customer.wait_event("CALL_CLOSED", PATIENCE).expect("and lets the caller go");
    assert_eq!(facts(&branch, "offered").len(), 0, "no agent was rung");
    assert_eq!(facts(&branch, "closed")[0]["kind"]["by"], "a-101");

    set(&agent.desk, false);
    customer.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent serves again");
    assert_eq!(facts(&branch, "reopened")[0]["kind"]["queue"], "service");
}
