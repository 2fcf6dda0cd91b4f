//! A flow that asks another system, leads by what it says, and asks the caller afterwards.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use e2e::stage::{self, Agent, PATIENCE, facts};
use harness::{
    company::{Branch, BranchPlan, Process},
    process::wait_for,
    proof,
};
use serde_json::{Value, json};

/// Says this to whoever asks, and tells what it was asked.
fn other_system(says: &'static str) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = vec![0; 4096];
            let len = stream.read(&mut bytes).unwrap_or(0);
            let _ = told.send(String::from_utf8_lossy(&bytes[..len]).into_owned());
            let _ = write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{says}", says.len());
        }
    });
    (port, heard)
}

fn flow(port: u16) -> Value {
    json!({
        "label": "Customers", "start": "account", "variables": { "account": "", "gold": false },
        "steps": {
            "account": { "do": "digits", "prompt": "greeting", "into": "account", "min": 3, "max": 8, "wait_s": 5, "tries": 3, "next": "ask", "otherwise": "end" },
            "ask": {
                "do": "look_up", "url": format!("http://127.0.0.1:{port}/customer"),
                "send": { "phone": "caller", "account": { "variable": "account" } }, "take": { "gold": "is_gold" },
                "wait_ms": 3000, "next": "judge", "otherwise": "end"
            },
            "judge": { "do": "if", "all": [{ "is": "equal", "variable": "gold", "to": true }], "then": "service", "otherwise": "end" },
            "service": { "do": "queue", "queue": "service", "after": "how" },
            "how": { "do": "survey", "prompt": "survey", "best": 5, "wait_s": 8, "next": "end" },
            "end": { "do": "hangup" }
        }
    })
}

#[test]
fn a_caller_keys_in_an_account_is_looked_up_served_and_asked_how_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let (port, asked) = other_system("{\"is_gold\": true}");
    let mut plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    plan.config["flows"]["customers"] = flow(port);
    plan.config["numbers"]["4000"] = json!("customers");
    plan.more = format!("[[look_up.allow]]\nnetwork = \"127.0.0.1/32\"\nport = {port}\n");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let mut agent = Agent::start(&branch, &folder.path().join("agent"), "a-101", "101", "hello").expect("an agent");
    let mut desk = agent.desk.live().expect("the live desk");
    desk.ask("sign_in").expect("signed in");
    desk.ask("ready").expect("ready");

    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", "hello", carrier).expect("a caller");
    caller.dial(&format!("sip:4000@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
    for digit in "4711#".chars() {
        std::thread::sleep(Duration::from_millis(600));
        caller.digit(digit).expect("a digit");
    }
    let request = asked.recv_timeout(PATIENCE).expect("the other system is asked");
    assert!(request.starts_with("POST /customer HTTP/1.0\r\n"), "{request}");
    let body: Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap_or_default()).expect("JSON");
    assert_eq!(body["account"], "4711");
    assert!(body["phone"].as_str().is_some_and(|phone| phone.ends_with("5550100")), "{body}");

    agent.phone.wait_event("CALL_ESTABLISHED", PATIENCE).expect("an agent answers");
    std::thread::sleep(Duration::from_secs(2));
    desk.ask("hang_up").expect("the agent hangs up");
    agent.phone.wait_event("CALL_CLOSED", PATIENCE).expect("the agent's leg ends");
    std::thread::sleep(Duration::from_secs(2));
    caller.digit('4').expect("a mark");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("the flow ends the call");

    let marked = wait_for("the mark", PATIENCE, || facts(&branch, "marked").pop()).expect("a mark");
    assert_eq!((&marked["kind"]["mark"], &marked["kind"]["best"]), (&json!(4), &json!(5)));
    assert_eq!(facts(&branch, "looked_up")[0]["kind"]["failed"], Value::Null);
    let every = branch.command(&["ledger", "facts"], None).expect("the facts");
    assert!(!every.contains("4711") && !every.contains("5550100"), "what callers key in is in no fact");
}

/// Asks for the day, and says it.
fn spoken_flow(port: u16) -> Value {
    let words = "Your order will arrive on {day}.";
    json!({
        "label": "Orders", "start": "ask", "variables": { "day": "" },
        "steps": {
            "ask": { "do": "look_up", "url": format!("http://127.0.0.1:{port}/order"), "take": { "day": "day" }, "wait_ms": 3000, "next": "tell", "otherwise": "end" },
            "tell": { "do": "say", "parts": [{ "prompt": "greeting" }, { "speech": { "language": "en-us", "text": words } }, { "speech": { "language": "xx", "text": "Nobody speaks this." } }], "next": "end" },
            "end": { "do": "hangup" }
        }
    })
}

/// The sentence as the voice says it, at 8 kHz.
fn spoken(folder: &Path, day: &str) -> Vec<f32> {
    let (said, narrow) = (folder.join("said.wav"), folder.join(format!("{day}.wav")));
    let mut espeak = Command::new("espeak-ng");
    espeak.args(["-v", "en-us", "-s", "150", "-w"]).arg(&said).arg(format!("Your order will arrive on {day}."));
    let mut sox = Command::new("sox");
    sox.arg(&said).args(["-r", "8000"]).arg(&narrow);
    for mut command in [espeak, sox] {
        assert!(command.status().expect("installed").success());
    }
    proof::samples(&narrow, 1).expect("a WAV")
}

#[test]
fn a_caller_is_told_in_words_what_another_system_knows() {
    let folder = tempfile::tempdir().expect("a folder");
    let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
    let carrier = stage::carrier_port();
    let (port, _asked) = other_system("{\"day\": \"Monday\"}");
    let mut plan = BranchPlan::example("branch-a", carrier).expect("a plan");
    plan.config["flows"]["orders"] = spoken_flow(port);
    plan.config["numbers"]["4001"] = json!("orders");
    plan.more =
        format!("[speech]\nprogram = \"espeak-ng\"\n[[look_up.allow]]\nnetwork = \"127.0.0.1/32\"\nport = {port}\n");
    let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
    let mut caller = stage::caller(&folder.path().join("caller"), "5550100", "hello", carrier).expect("a caller");
    caller.dial(&format!("sip:4001@{}", branch.sip)).expect("dialled");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("the flow ends the call");

    // Recognisers dislike this voice; but it says the same sentence the same way each time.
    let heard = proof::samples(&caller.heard().expect("the caller heard"), 1).expect("a WAV");
    let alike = |day: &str| {
        let said = spoken(folder.path(), day);
        // The call ends with it, perhaps within its last silence.
        proof::correlation(&heard, &said[..said.len() - 1_600]).0
    };
    let (right, wrong) = (alike("Monday"), alike("Sunday"));
    assert!(right > 0.9 && wrong < 0.8, "Monday {right}, Sunday {wrong}");
    let figures = branch.figures(Process::Media).expect("the metrics");
    assert!(figures.lines().any(|line| line == "branchline_words_left_out_total 1"), "a language that is not spoken");
    let every = branch.command(&["ledger", "facts"], None).expect("the facts");
    assert!(!every.to_lowercase().contains("monday"), "what was said to a caller is in no fact");
}
