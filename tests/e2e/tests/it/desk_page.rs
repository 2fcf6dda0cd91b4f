//! The desk page alone: an agent with nothing but a browser takes real calls.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::stage::{self, PATIENCE, state_of};
use harness::{
    baresip::{Account, Phone},
    browser::microphone,
    company::{Branch, BranchPlan, DESK_PASSWORD, PHONE_PASSWORD},
    desk_page::{DeskPage, Plan},
    process::wait_for,
    proof,
};
use serde_json::json;

const AGENT_SAYS: &str = "this is the service desk how can i help you";
const CALLER_SAYS: &str = "my washing machine is broken";
/// What an agent may well paste into a note.
const NOTE: &str = "Leaks <img src=x onerror=alert(1)> since Monday";

struct House {
    folder: tempfile::TempDir,
    branch: Branch,
    carrier: u16,
}

impl House {
    /// The telephone 102, which answers by itself and says that it will be repaired tomorrow.
    fn colleague(&self) -> Phone {
        let microphone = self.path("colleague.wav");
        proof::speak("we will repair it tomorrow", 60, &microphone).expect("speech");
        let account = Account::Phone {
            user: "102",
            password: PHONE_PASSWORD,
            domain: &self.branch.domain,
            registrar: &self.branch.sip,
            transport: "udp",
        };
        Phone::start(&self.path("colleague"), &account, &microphone, true).expect("a telephone")
    }

    fn open(desk_tls: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let prompts = stage::prompts(&folder.path().join("prompts")).expect("prompts");
        let carrier = stage::carrier_port();
        let plan = BranchPlan { desk_tls, ..BranchPlan::example("branch-a", carrier).expect("a plan") };
        let branch = Branch::start(&folder.path().join("branch-a"), &plan, None, &prompts).expect("a branch");
        Self { folder, branch, carrier }
    }

    /// Whoever writes a contact up says what came of it.
    fn asks_what_came_of_it(&self) {
        let supervisor = stage::sign_in(&self.branch, "a-101").expect("a supervisor");
        let queues = supervisor.get("/api/config").expect("the settings")["config"]["queues"].clone();
        let put = |code: &str, label: &str| json!({ "set": "disposition_put", "disposition": code, "label": label });
        let asks = |queue| json!({ "set": "queue_dispositions", "queue": queue, "dispositions": { "required": true } });
        let asked = queues.as_object().expect("queues").keys().map(asks);
        let changes: Vec<_> =
            [put("repair", "Repair ordered"), put("advice", "Advice")].into_iter().chain(asked).collect();
        supervisor.post("/api/changes", &json!({ "changes": changes })).expect("set");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// To be looked at, where `DESK_PICTURES` says.
    fn picture(&self, name: &str) -> PathBuf {
        std::env::var_os("DESK_PICTURES").map_or_else(|| self.path(name), |folder| Path::new(&folder).join(name))
    }

    fn page(&self, agent: &str, says: &str) -> DeskPage {
        let microphone = microphone(self.folder.path(), agent, says).expect("speech");
        let ca = self.path("ca.pem");
        let told = self.branch.command(&["tls", "--ca-out", ca.to_str().expect("UTF-8")], None);
        told.expect("the box's authority");
        let ca = self.branch.desk.starts_with("https").then_some(ca.as_path());
        let plan = Plan { url: &self.branch.desk, ca, microphone: &microphone, language: "en" };
        let mut page = DeskPage::start(&plan).expect("the desk's page");
        page.sign_in(agent, DESK_PASSWORD).expect("signed in");
        page
    }

    /// A customer who is in the queue of the first menu's second key.
    fn customer(&self) -> Phone {
        let mut caller = stage::caller(&self.path("caller"), "5550100", CALLER_SAYS, self.carrier).expect("a caller");
        self.waits(&mut caller);
        caller
    }

    fn waits(&self, caller: &mut Phone) {
        caller.dial(&format!("sip:4000@{}", self.branch.sip)).expect("dialled");
        caller.wait_event("CALL_ESTABLISHED", PATIENCE).expect("the box answers");
        std::thread::sleep(Duration::from_secs(7));
        caller.digit('2').expect("a digit");
    }
}

/// The last seconds of what a telephone has written down of a call that is over.
fn end_of(phone: &Phone, seconds: u32, out: &Path) -> String {
    let file = phone.heard().expect("something was heard");
    let seconds = seconds.to_string();
    let args = ["reverse", "trim", "0", &seconds, "reverse"];
    let status = Command::new("sox").arg(file).arg(out).args(args).status().expect("sox");
    assert!(status.success());
    proof::words(out, 1).expect("recognised")
}

/// Waits until the page has heard words.
fn hears(page: &mut DeskPage, wanted: &str, ear: &Path) {
    let heard = wait_for("words in the page's ear", PATIENCE, || {
        std::thread::sleep(Duration::from_secs(3));
        page.heard(ear).ok()?;
        proof::words(ear, 1).ok().filter(|heard| heard.contains(wanted))
    });
    heard.unwrap_or_else(|error| panic!("{wanted}: {error:#}; the last was {:?}", proof::words(ear, 1)));
}

fn take_calls(page: &mut DeskPage) {
    page.act(json!({ "act": "click", "role": "switch", "force": true, "name": "Take calls in this page" }))
        .expect("a telephone");
    page.reads("Ready. Calls ring here.").expect("registered");
    page.button("Start work").expect("at work");
    page.button("Go ready").expect("ready");
    page.sees_button("Go not ready").expect("the box says so");
}

#[test]
fn an_agent_with_nothing_but_the_page_answers_a_customer_and_a_reload_brings_the_same_call_back() {
    let house = House::open(false);
    house.asks_what_came_of_it();
    let mut page = house.page("a-101", AGENT_SAYS);
    take_calls(&mut page);
    let mut caller = house.customer();
    page.sees_button("Answer").expect("it rings in the page");
    page.reads("The first contact from this number").expect("the card is there while it rings");
    page.shot(&house.picture("ringing.png")).expect("a picture");
    // By the keyboard alone.
    page.press("F3").expect("a key");
    page.sees_button("Mute").expect("a talk");
    page.shot(&house.picture("talking.png")).expect("a picture");
    let ear = house.path("ear.wav");
    hears(&mut page, "washing machine", &ear);

    page.press("n").expect("a key leads to the note");
    page.fill("#note:focus", NOTE).expect("typed");
    page.see(".note-state[data-state=same]").expect("kept, before anybody says so");
    page.forget().expect("from here on");
    page.reload().expect("loaded anew");
    if let Err(error) = page.sees_button("Mute") {
        let facts = house.branch.command(&["ledger", "facts", "--last", "40"], None);
        panic!("the same call, without a finger: {error:#}\n{facts:?}\n{}", house.branch.tail());
    }
    page.see("#note").expect("the card is back");
    let note = page.act(json!({ "act": "ask", "js": "document.getElementById('note').value" })).expect("the note");
    assert_eq!(note, NOTE, "after the reload");
    hears(&mut page, "washing machine", &ear);
    std::thread::sleep(Duration::from_secs(13));
    page.press("F9").expect("a key");
    caller.wait_event("CALL_CLOSED", PATIENCE).expect("the caller's leg ends too");
    page.sees_button("Finish wrap-up").expect("time to write up");
    page.press("F7").expect("a key");
    page.reads("Say first what came of the contact.").expect("the queue waits for it");
    // By the keyboard alone.
    page.press("d").expect("a key leads to the list");
    page.fill("#disposition:focus", "repair").expect("a few letters");
    page.press("Enter").expect("chosen");
    page.shot(&house.picture("written-up.png")).expect("a picture");
    page.act(json!({ "act": "ask", "js": "document.activeElement.blur()" })).expect("elsewhere");
    let over = wait_for("the end of the wrap-up", PATIENCE, || {
        page.press("F7").ok()?;
        page.act(json!({ "act": "see", "role": "button", "name": "Go not ready", "ms": 1_000 })).ok()
    });
    over.expect("ready again");
    // The board may be ahead of the disk, by which the page was answered.
    let disposed = wait_for("what came of it, on the disk", PATIENCE, || {
        Some(stage::facts(&house.branch, "disposed")).filter(|facts| !facts.is_empty())
    });
    let disposed = disposed.expect("told");
    assert_eq!(disposed.len(), 1, "{disposed:?}");
    assert_eq!(disposed[0]["kind"]["disposition"], json!({ "code": "repair" }));
    assert!(page.faults().expect("the page's faults").is_empty(), "{:?}", page.faults());
    let heard = end_of(&caller, 13, &house.path("caller-after-reload.wav"));
    assert!(heard.contains("service desk"), "after the reload the caller heard: {heard}");
    let recording = stage::sealed_recording(&house.branch, 1).expect("one recording of the whole");
    let wav = house.path("recording.wav");
    stage::export(&house.branch, &recording, &wav).expect("exported");
    let right = proof::words(&wav, 2).expect("recognised");
    assert!(right.contains("service desk"), "the agent's side: {right}");

    // Why it came to this agent can be said, and decided again.
    let supervisor = stage::sign_in(&house.branch, "a-101").expect("a supervisor");
    let contacts = stage::contacts(&supervisor).expect("contacts");
    let contact = contacts[0]["contact"].as_str().expect("a contact").to_owned();
    let told = house.branch.command(&["explain", &contact], None).expect("explained");
    assert!(told.contains("offered to a-101") && told.contains("made again: a-101"), "{told}");

    // The customer calls again: what is known of the first time is there, as text.
    house.waits(&mut caller);
    page.sees_button("Answer").expect("it rings again");
    page.reads(NOTE).expect("the note of the first time");
    page.reads("Repair ordered").expect("what came of it");
    page.shot(&house.picture("history.png")).expect("a picture");
    caller.hang_up().expect("hung up");
    page.act(json!({ "act": "gone", "role": "button", "name": "Answer" })).expect("it rings no more");
    assert!(page.faults().expect("the page's faults").is_empty(), "{:?}", page.faults());
    let told = house.branch.command(&["ledger", "facts", "--last", "1000"], None).expect("the facts");
    assert!(!told.contains("Leaks"), "a note is in no fact");

    // Nothing of the account is left behind.
    let desk = stage::sign_in(&house.branch, "a-102").expect("a desk");
    let registered = |seen: &std::collections::BTreeMap<String, serde_json::Value>| {
        let agents = seen.get("board")?.get("agents")?.as_array()?.clone();
        agents.iter().find(|line| line["agent"] == "a-101")?.get("phone_registered")?.as_bool()
    };
    let mut live = desk.live().expect("the live desk");
    live.wait(PATIENCE, |seen| registered(seen) == Some(true)).expect("registered");
    page.click("header button[aria-haspopup=menu]").expect("the menu");
    page.act(json!({ "act": "click", "role": "menuitem", "name": "Sign out" })).expect("out");
    live.wait(PATIENCE, |seen| registered(seen) == Some(false)).expect("the account was taken back");
    live.wait(PATIENCE, |seen| state_of(seen, "a-101") == Some("signed_out")).expect("signed out");
}

#[test]
fn the_page_asks_a_colleague_first_and_hands_the_caller_over() {
    let house = House::open(false);
    let mut colleague = house.colleague();
    let mut page = house.page("a-101", AGENT_SAYS);
    take_calls(&mut page);
    page.act(json!({ "act": "click", "role": "switch", "force": true, "name": "Answer callers by itself" }))
        .expect("a switch");
    let mut caller = house.customer();
    page.sees_button("Mute").expect("answered by itself");
    page.press("F8").expect("a key");
    page.act(json!({ "act": "fill", "role": "textbox", "name": "Transfer to", "text": "102" })).expect("a number");
    page.button("Ask first").expect("asked");
    hears(&mut page, "repair", &house.path("ear.wav"));
    page.shot(&house.picture("consulting.png")).expect("a picture");
    // Who hangs up on a consultation hands the caller over.
    page.press("F9").expect("a key");
    page.button("Finish wrap-up").expect("the agent is out of it");
    std::thread::sleep(Duration::from_secs(15));
    caller.hang_up().expect("hung up");
    colleague.wait_event("CALL_CLOSED", PATIENCE).expect("the colleague's leg ends too");
    let heard = end_of(&colleague, 13, &house.path("colleague-after.wav"));
    assert!(heard.contains("washing machine"), "the colleague heard: {heard}");
    // baresip writes nothing down of a call that was on hold; the recording has what its caller heard.
    let words = stage::recorded_words(&house.branch, 1, &house.path("recording.wav"));
    let (_, right) = words.expect("one recording of the whole");
    assert!(right.contains("repair"), "the caller heard: {right}");
    assert!(page.faults().expect("the page's faults").is_empty(), "{:?}", page.faults());
}

/// What a browser on another machine needs to have a microphone; the certificate is the one that the box made for itself.
#[test]
fn the_desk_over_https_is_a_telephone_that_dials() {
    let house = House::open(true);
    let mut colleague = house.colleague();
    let mut page = house.page("a-101", AGENT_SAYS);
    take_calls(&mut page);
    page.fill("#dial-number", "102").expect("a number");
    page.press("Enter").expect("dialled");
    colleague
        .wait_event("CALL_ESTABLISHED", PATIENCE)
        .expect("the page answers its own telephone, and the colleague is rung");
    hears(&mut page, "repair", &house.path("ear.wav"));
    page.press("F9").expect("a key");
    colleague.wait_event("CALL_CLOSED", PATIENCE).expect("the colleague's leg ends too");
    assert!(page.faults().expect("the page's faults").is_empty(), "{:?}", page.faults());
}
