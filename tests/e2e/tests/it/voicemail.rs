//! A caller leaves a message, also when the process dies under it: it is recorded, heard at the desk by
//! who may, and dealt with once.

use std::{path::Path, time::Duration};

use e2e::{
    company,
    stage::{self, PATIENCE, facts},
};
use harness::{
    baresip::{Account, Phone},
    company::Branch,
    process::wait_for,
    proof,
};
use serde_json::{Value, json};

const NUMBER: &str = "03012345";

fn branch(folder: &Path, carrier: u16) -> Branch {
    let prompts = stage::prompts(&folder.join("prompts")).expect("prompts");
    let mut plan = company::direct("branch-a", carrier).expect("a plan");
    plan.config["trunks"]["carrier"]["carrier"] = json!({ "health": { "every_s": 0 } });
    plan.config["numbers"]["4002"] = json!("after-hours");
    plan.config["flows"]["after-hours"] = json!({
        "label": "After hours", "start": "message",
        "steps": {
            "message": { "do": "voicemail", "queue": "service", "max_s": 60, "next": "thanks", "otherwise": "end" },
            "thanks": { "do": "play", "prompt": "message-kept", "next": "end" },
            "end": { "do": "hangup" }
        }
    });
    Branch::start(&folder.join("branch-a"), &plan, None, &prompts).expect("a branch")
}

fn messages(desk: &harness::web::Session) -> Vec<Value> {
    desk.get("/api/messages").expect("the messages")["messages"].as_array().expect("a list").clone()
}

#[test]
fn a_message_is_left_heard_and_dealt_with_and_one_more_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let carrier = stage::carrier_port();
    let branch = branch(folder.path(), carrier);
    std::fs::create_dir_all(at("customer")).expect("a folder");
    let microphone = at("customer").join("microphone.wav");
    proof::speak("my washing machine is broken", 120, &microphone).expect("speech");
    let trunk = Account::Trunk { user: NUMBER };
    let mut customer =
        Phone::start_at(&at("customer").join("phone"), &trunk, &microphone, false, carrier).expect("a customer");
    customer.dial(&format!("sip:4002@{}", branch.sip)).expect("dialled");
    customer.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(7));
    customer.digit('#').expect("a key");
    customer.wait_event("CALL_CLOSED", PATIENCE).expect("thanks, and the end");
    let heard = proof::samples(&customer.heard().expect("what the customer heard"), 0).expect("samples");
    for prompt in ["beep", "message-kept"] {
        let said = proof::samples(&at("prompts").join(format!("{prompt}.wav")), 0).expect("a prompt");
        // A part of it: the telephone's own buffer may slip within.
        let part = said.get(800..4_000).unwrap_or(&said);
        let likeness = proof::correlation(&heard, part).0;
        assert!(likeness > 0.8, "the customer hears {prompt}: {likeness}");
    }

    // The agent of the queue hears it; each time is reported, and who left it is in no fact.
    let desk = stage::sign_in(&branch, "a-101").expect("the desk");
    let [message] = messages(&desk).try_into().expect("one message");
    assert_eq!((&message["caller"]["number"], &message["queue"]), (&json!(NUMBER), &json!("service")));
    assert!(message["ms"].as_u64().is_some_and(|ms| (4_000..12_000).contains(&ms)), "{message}");
    let wav = desk.bytes(&format!("/api/recordings/{}.wav", message["recording"].as_str().expect("an id")));
    std::fs::write(at("message.wav"), wav.expect("the sound")).expect("written");
    let words = proof::words(&at("message.wav"), 1).expect("words");
    assert!(words.contains("washing machine"), "what was said is in the message: {words}");
    assert_eq!(facts(&branch, "listened").len(), 1);
    let recording = message["recording"].as_str().expect("an id");
    let done = |expected: bool| {
        let answer = desk.post(&format!("/api/messages/{recording}/done"), &json!({}));
        assert_eq!(answer.is_ok(), expected, "{answer:?}");
    };
    done(true);
    done(false);
    assert_eq!(facts(&branch, "message_done").len(), 1, "dealt with once");

    // The process dies while the next one is spoken: the caller does not notice, and it is one message.
    customer.dial(&format!("sip:4002@{}", branch.sip)).expect("dialled");
    customer.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    std::thread::sleep(Duration::from_secs(4));
    stage::kill_calls(&branch).expect("restarted");
    std::thread::sleep(Duration::from_secs(4));
    customer.digit('#').expect("a key");
    customer.wait_event("CALL_CLOSED", PATIENCE).expect("thanks, and the end");
    let desk = stage::sign_in(&branch, "a-101").expect("the desk");
    let open = || messages(&desk).into_iter().find(|message| message["done_at"].is_null());
    let left =
        wait_for("the second message", PATIENCE, open).unwrap_or_else(|error| panic!("{error:#}\n{}", branch.tail()));
    assert!(left["ms"].as_u64().is_some_and(|ms| ms > 8_000), "before and after: {left}");
    assert_eq!(facts(&branch, "message_began").len(), 2, "it went on where it was");
    let path = format!("/api/recordings/{}.wav", left["recording"].as_str().expect("an id"));
    std::fs::write(at("second.wav"), desk.bytes(&path).expect("its sound")).expect("written");
    let words = proof::words(&at("second.wav"), 1).expect("words");
    assert!(words.matches("washing machine").count() > 1, "on and on: {words}");
    let every = branch.command(&["ledger", "facts", "--last", "1000"], None).expect("the facts");
    assert!(!every.contains(NUMBER), "who left it is in no fact");
}
