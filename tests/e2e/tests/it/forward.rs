//! Call forwarding by real parts: set at the desk, obeyed on the line, and no way around the dial plan (S-140).

use std::time::Duration;

use e2e::{
    company,
    stage::{self, Agent, PATIENCE},
};
use harness::{company::Branch, process::wait_for, sipp};
use serde_json::{Value, json};

#[test]
fn an_agent_forwards_the_own_phone_and_the_dial_plan_says_where_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let prompts = stage::prompts(&at("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.config["trunks"]["carrier"]["carrier"] =
        json!({ "health": { "every_s": 0 }, "identity": { "forwarded": "diversion" } });
    plan.config["site"]["dialling"] = json!({ "country": "86", "phone_hour_max": 1 });
    let branch = Branch::start(&at("branch-a"), &plan, None, &prompts).expect("a branch");
    let outside = sipp::Answering::start(&at("carrier"), carrier).expect("a carrier");
    let mut caller = Agent::start(&branch, &at("101"), "a-101", "101", "hello").expect("a supervisor").phone;
    let colleague = Agent::start(&branch, &at("102"), "a-102", "102", "hello").expect("an agent");
    let mut calls = |expected: &str| {
        caller.dial(&format!("sip:102@{}", branch.domain)).expect("dialled");
        let event = caller.wait_any(&["CALL_ESTABLISHED", "CALL_CLOSED"], PATIENCE).expect("an outcome");
        assert!(event.to_string().contains(expected), "{event}\n{}", branch.tail());
        if expected == "CALL_ESTABLISHED" {
            caller.hang_up().expect("hung up");
            caller.wait_event("CALL_CLOSED", Duration::from_secs(10)).expect("ended");
        }
    };

    // Abroad is denied to the forward as it is to the phone.
    colleague.desk.post("/api/forward", &json!({ "always": "0044207946000" })).expect("set");
    calls("403");
    assert_eq!(outside.invites().len(), 0, "nothing left the house");

    // A number at home is reached, once an hour: the colleague's cap, not the caller's.
    colleague.desk.post("/api/forward", &json!({ "always": "03012345" })).expect("set");
    calls("CALL_ESTABLISHED");
    let told =
        wait_for("the INVITE in the carrier's log", PATIENCE, || outside.invites().first().cloned()).expect("told");
    assert!(told.starts_with("INVITE sip:03012345@"), "{told}");
    assert!(told.contains("Diversion: ") && told.contains("reason=unconditional"), "{told}");
    calls("403");
    assert_eq!(outside.invites().len(), 1, "the cap is the forwarding phone's");

    // A supervisor sees it among the phones, and ends it.
    let desk = stage::sign_in(&branch, "a-101").expect("a supervisor");
    let phones = desk.get("/api/phones").expect("phones");
    let line = |phones: &Value| {
        phones["phones"].as_array().and_then(|all| all.iter().find(|one| one["phone"] == "102").cloned())
    };
    let seen = line(&phones).expect("the colleague's phone");
    assert_eq!(seen["forward"]["always"], "03012345");
    let registered = &seen["registered"][0];
    assert_eq!((&registered["transport"], &registered["private"]), (&json!("udp"), &json!(false)));
    assert!(registered["user_agent"].as_str().is_some_and(|agent| agent.contains("baresip")), "{seen}");
    let none = json!({ "set": "phone_forward", "phone": "102", "forward": {} });
    desk.post("/api/changes", &json!({ "changes": [none] })).expect("ended");
    calls("CALL_ESTABLISHED");

    // A telephone without a desk sets it by what it dials, and hears so when it is stored.
    let mut dials = |code: &str| {
        caller.dial(&format!("sip:{code}@{}", branch.domain)).expect("dialled");
        caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box says that it is done");
        caller.wait_event("CALL_CLOSED", PATIENCE).expect("and hangs up");
        let phones = desk.get("/api/phones").expect("phones");
        let all = phones["phones"].as_array().expect("phones");
        all.iter().find(|one| one["phone"] == "101").expect("the phone")["forward"].clone()
    };
    assert_eq!(dials("*21*102")["always"], "102");
    assert_eq!(dials("*61*4001")["no_answer"], "4001");
    let none = dials("%23%23002%23");
    assert!(["always", "no_answer"].iter().all(|when| none[*when].is_null()), "{none}");

    // What the CLI does with phones, the page does: a token, another fetch, and out.
    let device = json!({ "mac": "00:15:65:ab:cd:ef", "make": "yealink" });
    let url = desk.post("/api/phones/102/enrol", &device).expect("enrolled");
    assert!(url["url"].as_str().is_some_and(|url| url.starts_with(&branch.provision)), "{url}");
    let seen = line(&desk.get("/api/phones").expect("phones")).expect("the phone");
    assert_eq!((&seen["enrolled"]["make"], &seen["enrolled"]["fetched"]), (&json!("yealink"), &Value::Null));
    desk.post("/api/phones/102/rotate", &json!({})).expect("rotated");
    desk.post("/api/phones/102/dismiss", &json!({})).expect("dismissed");
    assert!(desk.post("/api/phones/102/rotate", &json!({})).is_err(), "there is nothing to rotate");
    let facts = branch.command(&["ledger", "facts"], None).expect("facts");
    let by = |what: &str| facts.lines().any(|line| line.contains(what) && line.contains("\"by\":\"a-101\""));
    assert!(by("phone_enrolled") && by("phone_dismissed"), "{facts}");
    let refused = wait_for("the phone is out", PATIENCE, || {
        let phones = desk.get("/api/phones").ok()?;
        (line(&phones)?["registered"].as_array()?.is_empty()).then_some(())
    });
    refused.unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
}
