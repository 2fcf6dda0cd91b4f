//! Who is called back: the place is kept, the promise too, the customer is called once, and nobody is called at will.

use call::leg::Caller;
use floor::{board::CallbackIs, callback};
use model::{
    ContactId,
    cdr::Outcome,
    config::Config,
    fact::{EndCause, Fact, Kind},
};

use crate::{
    branch::{self, id},
    scene::{Scene, check},
    scenes::everything_adds_up,
};

const MAIN: &str = "
label: Main
start: back
variables: { number: '' }
steps:
  back: { do: callback, queue: sales, next: thanks, otherwise: sorry }
  thanks: { do: play, prompt: thanks, next: end }
  sorry: { do: play, prompt: sorry, next: end }
  end: { do: hangup }
";

const KEYED: &str = "
label: Main
start: number
variables: { number: '' }
steps:
  number: { do: digits, prompt: number, into: number, min: 2, max: 12, wait_s: 5, tries: 1, next: back, otherwise: sorry }
  back: { do: callback, queue: sales, number: number, next: thanks, otherwise: sorry }
  thanks: { do: play, prompt: thanks, next: end }
  sorry: { do: play, prompt: sorry, next: end }
  end: { do: hangup }
";

fn branch(flow: &str) -> Config {
    let mut config = branch::config();
    config.flows.insert(id("main"), flow::text::parse(flow).expect("a flow"));
    config
}

/// A promise to the caller `a`, in the line of sales.
fn promised() -> Scene {
    let mut scene = Scene::new(branch(MAIN));
    check(
        &mut scene,
        "@1 a calls 5550100\n@2 a confirms",
        &["Queued sales", "CallbackPromised sales", "FlowEntered main/thanks", "play thanks to a"],
    );
    check(&mut scene, "@3 a heard", &["hang up a"]);
    assert!(!scene.ladder.contains("Ended"), "{}", scene.ladder);
    scene
}

fn callbacks(scene: &Scene) -> Vec<(String, u32, CallbackIs)> {
    scene.board().callbacks.into_iter().map(|line| (line.number, line.attempts, line.is)).collect()
}

fn facts_of(scene: &Scene, contact: ContactId) -> Vec<Fact> {
    scene.facts.iter().filter(|fact| fact.contact == Some(contact)).cloned().collect()
}

#[test]
fn the_customer_keeps_the_place_and_is_called_when_its_turn_comes() {
    let mut scene = promised();
    check(&mut scene, "@10 b calls 5550400\n@11 b confirms\n@12 crm is away", &["Queued sales", "repeat jazz to b"]);
    let sales = scene.board().queues.into_iter().find(|line| line.queue == id("sales")).expect("a queue");
    assert_eq!((sales.waiting, sales.callbacks, sales.longest_wait.as_secs()), (1, 1, 0), "who hung up waits apart");
    assert_eq!(callbacks(&scene), [("0170000097".to_owned(), 0, CallbackIs::Waits)]);
    // The first who is ready is for the one who came first.
    check(&mut scene, "@20 desk ann sign-in\n@21 desk ann ready", &["c1 Offered ann", "dial 201 from 0170000097"]);
    check(
        &mut scene,
        "@23 201 answers",
        &["c1 CallbackTried by 201", "dial carrier/0170000097 from 5550100, ringback to 201"],
    );
    assert_eq!(callbacks(&scene), [("0170000097".to_owned(), 0, CallbackIs::Called { agent: id("ann") })]);
    let card = scene.board().agents.into_iter().find_map(|line| line.contact).expect("a card");
    assert!(card.callback && card.caller_number == "0170000097");
    check(
        &mut scene,
        "@28 carrier/0170000097 answers",
        &["c1 Answered by ann", "join carrier/0170000097 and 201", "Charged 201"],
    );
    assert!(callbacks(&scene).is_empty());
    check(&mut scene, "@40 carrier/0170000097 hangs up", &["c1 Ended Caller", "ann is WrapUp"]);
    check(&mut scene, "@41 desk ann wrapped-up", &["c2 Offered ann"]);
    let cdr = scene.cdrs.iter().rfind(|cdr| cdr.queued.is_some()).expect("a record");
    assert_eq!((cdr.outcome, cdr.wait_ms, cdr.talk_ms), (Outcome::Answered, 0, 12_000));
    assert_eq!(cdr.called_back.map(|back| back.attempts), Some(1));
    everything_adds_up(&scene);
}

#[test]
fn whom_nobody_reaches_is_tried_so_often_and_no_more() {
    let mut scene = promised();
    scene.play("@10 desk ann sign-in\n@11 desk ann ready\n@12 201 answers");
    check(&mut scene, "@13 carrier/0170000097 is busy", &["CallbackMissed Busy", "hang up 201", "ann is WrapUp"]);
    assert_eq!(callbacks(&scene)[0].1, 1);
    assert!(matches!(callbacks(&scene)[0].2, CallbackIs::Later { left } if left.as_secs() == 900));
    let told = check(&mut scene, "@800", &["ann is Ready"]);
    assert!(!told.contains("Offered"), "{told}");
    check(&mut scene, "@914 201 answers", &["CallbackTried by 201"]);
    // Nobody answers at the customer's.
    check(&mut scene, "@960", &["reject carrier/0170000097 NoAnswer", "CallbackMissed NotReachable\n"]);
    check(&mut scene, "@1860 201 answers\n@1861 201 hangs up", &["CallbackMissed Agent", "Ended NotReached"]);
    check(&mut scene, "@9000", &[]);
    assert_eq!(scene.ladder.matches("CallbackTried").count(), 3);
    let cdr = scene.cdrs.iter().rfind(|cdr| cdr.called_back.is_some()).expect("a record");
    assert_eq!((cdr.outcome, cdr.cause), (Outcome::Abandoned, EndCause::NotReached));
    everything_adds_up(&scene);
}

#[test]
fn an_attempt_that_our_own_line_failed_does_not_count() {
    let mut scene = promised();
    scene.play("@10 desk ann sign-in\n@11 desk ann ready\n@12 201 answers");
    check(&mut scene, "@13 carrier/0170000097 is lost", &["CallbackMissed NotReachable, does not count"]);
    assert_eq!(callbacks(&scene)[0].1, 0);
    let cdr = floor::cdr::rebuild(&scene.facts);
    assert!(cdr.is_empty(), "it goes on");
}

#[test]
fn a_number_that_may_not_be_dialled_is_not_called_back() {
    // Abroad, an emergency centre, one of ours, a phone of ours, nothing at all.
    for keyed in ["0044207946", "112", "5550100", "201"] {
        let mut scene = Scene::new(branch(KEYED));
        let keys: String = keyed.chars().map(|key| format!("@3 a presses {key}\n")).collect();
        let told =
            check(&mut scene, &format!("@1 a calls 5550100\n@2 a confirms\n{keys}@9"), &["FlowEntered main/sorry"]);
        assert!(!told.contains("Promised"), "{keyed}: {told}");
    }
    let mut scene = Scene::new(branch(KEYED));
    let keys: String = "0305551234".chars().map(|key| format!("@3 a presses {key}\n")).collect();
    check(&mut scene, &format!("@1 a calls 5550100\n@2 a confirms\n{keys}@9"), &["CallbackPromised sales"]);
    check(
        &mut scene,
        "@10 a hangs up\n@11 desk ann sign-in\n@12 desk ann ready\n@13 201 answers",
        &["dial carrier/0305551234"],
    );
}

#[test]
fn the_caps_of_the_agent_s_phone_hold_for_calls_back_too() {
    let mut config = branch(MAIN);
    config.site.dialling.phone_hour_max = 1;
    let mut scene = Scene::new(config);
    scene.play("@1 a calls 5550100\n@2 a confirms\n@3 a heard\n@4 b calls 5550100\n@5 b confirms\n@6 b heard");
    scene.play("@10 desk ann sign-in\n@11 desk ann ready\n@12 201 answers");
    check(
        &mut scene,
        "@13 carrier/0170000097 is busy\n@24 201 answers",
        &["OutwardRefused", "CallbackMissed Forbidden, does not count"],
    );
    assert_eq!(scene.ladder.matches("CallbackTried").count(), 1, "{}", scene.ladder);
}

#[test]
fn one_number_is_promised_once_however_often_it_asks() {
    let mut scene = promised();
    check(&mut scene, "@10 a calls 5550100\n@11 a confirms", &["FlowEntered main/sorry"]);
    assert_eq!(callbacks(&scene).len(), 1);
}

#[test]
fn nothing_is_promised_that_the_disk_does_not_take() {
    let mut scene = Scene::new(branch(MAIN));
    scene.disk_full = true;
    check(
        &mut scene,
        "@1 a calls 5550100\n@2 a confirms",
        &["CallbackPromised", "CallbackStruckOff by -", "FlowEntered main/sorry"],
    );
    check(&mut scene, "@3 a heard", &["Ended Flow"]);
    assert!(callbacks(&scene).is_empty());
    assert!(callback::open(&scene.facts).is_none());
    everything_adds_up(&scene);
}

#[test]
fn a_supervisor_strikes_a_promise_off() {
    let mut scene = promised();
    check(&mut scene, "@10 desk bob strike off", &["CallbackStruckOff by bob", "Ended StruckOff"]);
    let told = check(&mut scene, "@11 desk ann sign-in\n@12 desk ann ready\n@13 desk bob strike off", &["refused"]);
    assert!(!told.contains("Offered"), "{told}");
    everything_adds_up(&scene);
}

#[test]
fn a_customer_who_calls_in_meanwhile_is_not_called_back() {
    let mut scene = promised();
    scene.play("@10 desk ann sign-in\n@11 desk ann ready\n@12 201 answers\n@13 carrier/0170000097 is busy");
    assert!(matches!(callbacks(&scene)[..], [(_, 1, CallbackIs::Later { .. })]));
    // Somebody else's call changes nothing.
    scene.play(
        "@30 desk ann ready\n@31 b calls 5550200\n@31 b confirms\n@32 b presses 1\n@33 201 answers\n@34 b hangs up",
    );
    assert_eq!(callbacks(&scene).len(), 1, "{}", scene.ladder);
    scene.play("@50 desk ann ready\n@51 a calls 5550200\n@51 a confirms\n@52 a presses 1");
    let told = check(&mut scene, "@53 201 answers", &["CallbackStruckOff by ann", "Ended StruckOff"]);
    assert!(told.contains("join a"), "and the talk goes on: {told}");
    assert!(callbacks(&scene).is_empty());
    let told = check(&mut scene, "@60 a hangs up\n@3000", &[]);
    assert!(!told.contains("CallbackTried"), "{told}");
    everything_adds_up(&scene);
}

#[test]
fn customers_are_left_in_peace_at_night() {
    let mut scene = promised();
    scene.play("@10 configure queue sales calls back in office\n@11 civil 2026-11-23 0 1200");
    let told = check(&mut scene, "@12 desk ann sign-in\n@13 desk ann ready\n@300", &["ann is Ready"]);
    assert!(!told.contains("Offered"), "{told}");
    check(&mut scene, "@301 civil 2026-11-24 1 560\n@370", &["Offered ann"]);
}

#[test]
fn the_next_life_of_the_box_keeps_the_promise_and_the_place() {
    let first = promised();
    let contact = first.facts.iter().find_map(|fact| fact.contact).expect("a contact");
    let mut scene = Scene::new(branch(MAIN));
    let person = (Caller { number: "0170000097".into(), name: None }, "0170000097".to_owned());
    scene.recall(contact, &facts_of(&first, contact), person);
    assert_eq!(callbacks(&scene), [("0170000097".to_owned(), 0, CallbackIs::Waits)]);
    scene.play("@10 b calls 5550400\n@11 b confirms\n@12 crm is away");
    check(&mut scene, "@20 desk ann sign-in\n@21 desk ann ready", &["dial 201 from 0170000097"]);
    check(&mut scene, "@22 201 answers\n@25 carrier/0170000097 answers", &["Answered by ann"]);
    // One that was called when the box fell is not called without an end.
    let tried = scene.facts.iter().position(|fact| matches!(fact.kind, Kind::CallbackTried { .. })).expect("a try");
    let mut known = facts_of(&first, contact);
    known.extend(scene.facts[..=tried].iter().filter(|fact| fact.contact == Some(contact)).cloned());
    let open = callback::open(&known).expect("a promise");
    assert_eq!(open.attempts, 0);
    let mut third = Scene::new(branch(MAIN));
    let person = (Caller { number: "0170000097".into(), name: None }, "0170000097".to_owned());
    third.recall(contact, &known, person);
    assert!(third.ladder.contains("CallbackMissed Restart"), "{}", third.ladder);
    assert!(matches!(callbacks(&third)[..], [(_, 1, CallbackIs::Later { .. })]));
    // Who talked to somebody is not called any more.
    known.extend(scene.facts.iter().filter(|fact| fact.contact == Some(contact)).cloned());
    assert!(callback::open(&known).is_none());
}

#[test]
fn the_queue_offers_it_to_whom_it_takes_long_and_a_key_takes_it() {
    let mut config = branch::config();
    let sales = config.queues.get_mut(&id("sales")).expect("a queue");
    sales.callback.offer_after_s = Some(60);
    sales.wrap_up_s = 0;
    let mut scene = Scene::new(config);
    scene.play("@1 desk ann sign-in\n@2 desk ann ready");
    // Each talk lasts a hundred seconds: the line learns how fast it moves.
    let callers = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    for (at, who) in (10..).zip(callers) {
        scene.play(&format!("@{at} {who} calls 5550100\n@{at} {who} confirms\n@{at} {who} heard"));
    }
    scene.play("@22 201 answers");
    for (n, who) in (1..10).zip(callers) {
        let at = 22 + n * 100;
        scene.play(&format!("@{at} {who} hangs up\n@{} 201 answers", at + 1));
    }
    check(&mut scene, "@1000 a calls 5550100\n@1001 a confirms\n@1002 a heard", &["Queued sales"]);
    let told = check(&mut scene, "@1040 a presses 1", &[]);
    assert!(told.contains("callback-offer to a"), "{told}");
    assert!(told.contains("CallbackPromised sales") && told.contains("play callback-kept to a"), "{told}");
    check(&mut scene, "@1045 a heard", &["hang up a"]);
    let place = scene.board().callbacks;
    assert_eq!(place.len(), 1);
    check(&mut scene, "@1100 k hangs up\n@1101 201 answers\n@1200 l hangs up", &["Offered ann"]);
    everything_adds_up(&scene);
}
