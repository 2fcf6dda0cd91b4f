//! A branch without any cloud: the normal path is local.

use std::time::Duration;

use e2e::stage::{self, Agent, PATIENCE};
use harness::{
    company::{Branch, BranchPlan},
    process::{kill_hard, wait_for},
    proof,
};

#[test]
fn a_caller_is_greeted_queued_answered_and_recorded_and_the_words_arrive() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    let mut branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let agent_says = "this is the service desk how can i help you";
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", agent_says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");

    let caller_says = "my washing machine is broken";
    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", caller_says, carrier).expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    // The greeting and the menu are heard; the caller presses 2 for service.
    std::thread::sleep(Duration::from_secs(7));
    caller.digit('2').expect("a digit");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent's phone is rung and answers");
    std::thread::sleep(Duration::from_secs(9));
    caller.hang_up().expect("hung up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends too");

    let in_the_ear = proof::words(&agent.phone.heard().expect("the agent heard"), 1).expect("recognised");
    assert!(in_the_ear.contains("washing machine"), "the agent heard: {in_the_ear}");
    let recording = stage::sealed_recording(&branch, 1).expect("a recording");
    let wav = folder.path().join("recording.wav");
    let manifest = stage::export(&branch, &recording, &wav).expect("exported");
    assert_eq!(manifest["recovered"], false);
    let left = proof::words(&wav, 1).expect("recognised");
    let right = proof::words(&wav, 2).expect("recognised");
    assert!(left.contains("washing machine"), "the caller's side: {left}");
    assert!(right.contains("service desk"), "the agent's side: {right}");

    let row = wait_for("the record", PATIENCE, || {
        stage::contacts(&agent.desk).ok()?.into_iter().find(|row| row.to_string().contains("5550100"))
    })
    .expect("the contact is listed with its caller");
    assert!(row.to_string().contains("answered"), "{row}");

    // Who listens at the desk hears the same, and it is written down.
    let name = recording.file_stem().expect("a name").to_str().expect("UTF-8");
    let heard = agent.desk.bytes(&format!("/api/recordings/{name}.wav")).expect("the recording");
    assert_eq!(heard, std::fs::read(&wav).expect("the export"));
    let facts = branch.command(&["ledger", "facts"], None).expect("the facts");
    let listened = facts.lines().find(|line| line.contains("listened")).expect("the audit");
    assert!(listened.contains("a-101") && listened.contains(name), "{listened}");
    desk.ask("wrap_up_done").or_else(|_| desk.ask("ready")).expect("the agent is free again");

    // Another branch key: not while the box runs; afterwards the same sound comes of it, by the new key alone.
    let refused = branch.command(&["recording", "rekey"], None).expect_err("the box runs");
    assert!(format!("{refused:#}").contains("stop it first"), "{refused:#}");
    branch.stop();
    let key = branch.folder.join("data/branch.key");
    let old = std::fs::read(&key).expect("the branch key");
    let told = branch.command(&["recording", "rekey"], None).expect("done");
    assert!(told.starts_with("1 recordings and ") && !told.contains("no key of this box"), "{told}");
    assert_ne!(std::fs::read(&key).expect("the branch key"), old);
    branch.launch().expect("it starts by the new key");
    let again = folder.path().join("again.wav");
    stage::export(&branch, &recording, &again).expect("exported");
    assert_eq!(std::fs::read(&again).expect("the export"), std::fs::read(&wav).expect("the export"));
    let signed_in = || stage::sign_in(&branch, "a-101").ok();
    let desk = wait_for("the desk again", PATIENCE, signed_in).expect("the credentials too");
    let rows = stage::contacts(&desk).expect("contacts");
    assert!(rows.iter().any(|row| row.to_string().contains("5550100")), "who called is still known: {rows:?}");
    std::fs::write(&key, old).expect("the old key");
    stage::export(&branch, &recording, &again).expect_err("the old key opens nothing");
}

#[test]
fn a_killed_media_or_calls_process_loses_no_record_and_no_sealed_chunk() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let says = "we will repair it tomorrow";
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", says).expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");
    let mut caller =
        stage::caller(&folder.path().join("caller"), "5550101", "the invoice is wrong", carrier).expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(7));
    caller.digit('2').expect("a digit");
    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the agent answers");
    std::thread::sleep(Duration::from_secs(6));

    // Both at once, in the middle of the call: the worst a process can do.
    let pids = branch.pids();
    kill_hard(pids["calls"]);
    kill_hard(pids["media"]);
    wait_for("both processes are back and healthy", PATIENCE, || {
        let now = branch.pids();
        let fresh = ["calls", "media"].iter().all(|name| now.get(*name).is_some_and(|pid| *pid != pids[*name]));
        let checks = branch.health()?["checks"].as_object()?.values().all(|check| check == true);
        (fresh && checks).then_some(())
    })
    .expect("restarted");
    let recording = stage::sealed_recording(&branch, 1).expect("the recording is sealed at its last whole chunk");
    let wav = folder.path().join("recording.wav");
    let manifest = stage::export(&branch, &recording, &wav).expect("exported");
    assert_eq!(manifest["recovered"], true);
    assert!(manifest["ms"].as_u64().expect("a length") > 4_000, "{manifest}");
    let left = proof::words(&wav, 1).expect("recognised");
    assert!(left.contains("invoice"), "{left}");

    let desk = harness::web::Session::sign_in(
        &branch.desk,
        &serde_json::json!({ "agent": "a-101", "password": harness::company::DESK_PASSWORD }),
    )
    .expect("signed in again");
    let rows = stage::contacts(&desk).expect("contacts");
    let ours: Vec<_> = rows.iter().filter(|row| row.to_string().contains("5550101")).collect();
    assert_eq!(ours.len(), 1, "exactly one record: {rows:?}");
    assert!(ours[0].to_string().contains("restart"), "{}", ours[0]);
}
