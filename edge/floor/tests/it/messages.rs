//! Voicemail: a message is left, waits, lights the lamps of the queue's agents, and is dealt with once.

use floor::{MESSAGES_MAX, cdr};
use model::{
    ContactId, RecordingId,
    config::Config,
    fact::{Fact, Kind},
    flow,
};

use crate::{
    branch::{self, id},
    scene::{self, Scene},
    scenes::everything_adds_up,
};

fn branch() -> Config {
    let text = "
label: After hours
start: hello
steps:
  hello: { do: play, prompt: greeting, next: message }
  message: { do: voicemail, queue: sales, max_s: 60, next: thanks, otherwise: sorry }
  thanks: { do: play, prompt: thanks, next: end }
  sorry: { do: play, prompt: sorry, next: end }
  end: { do: hangup }
";
    let mut config = branch::config();
    let _: Option<flow::Flow> = config.flows.insert(id("main"), ::flow::text::parse(text).expect("a flow"));
    config
}

/// A caller who hears the greeting and the tone, and begins to speak.
const SPEAKS: &str = "@1 alice calls 5550100\n@1 alice confirms\n@6 alice heard\n@6 recording started";

#[track_caller]
fn check(scene: &mut Scene, script: &str, expected: &[&str], not: &[&str]) {
    let told = scene::check(scene, script, expected);
    for line in not {
        assert!(!told.contains(line), "{line:?} in\n{told}");
    }
}

fn waiting(scene: &Scene) -> u32 {
    scene.board().queues.iter().find(|line| line.queue == id("sales")).expect("the queue").messages
}

#[test]
fn a_message_ends_by_a_key_lights_the_lamps_and_is_dealt_with_once() {
    let mut scene = Scene::new(branch());
    check(&mut scene, SPEAKS, &["FlowEntered main/message", "play beep to alice", "MessageBegan", "record alice"], &[]);
    check(
        &mut scene,
        "@20 alice presses #",
        &["end the recording", "FlowEntered main/thanks", "play thanks"],
        &["MessageLeft"],
    );
    check(
        &mut scene,
        "@20 recording sealed",
        &["RecordingSealed", "MessageLeft", "mailbox of 201: 1", "mailbox of 202: 1"],
        &["mailbox of 203"],
    );
    check(&mut scene, "@25 alice heard", &["Ended Flow", "cdr c1: Inbound InFlow Flow"], &["MessageLeft"]);
    assert_eq!(waiting(&scene), 1);
    check(&mut scene, "@30 desk ann message done", &["MessageDone", "mailbox of 201: 0"], &[]);
    assert_eq!(waiting(&scene), 0);
    check(&mut scene, "@31 desk bob message done", &[], &["MessageDone", "mailbox"]);
    everything_adds_up(&scene);
    assert_eq!(scene.contacts(), 0);
}

#[test]
fn a_caller_who_hangs_up_has_left_a_message_and_one_who_says_nothing_has_not() {
    let mut scene = Scene::new(branch());
    scene.play(SPEAKS);
    check(&mut scene, "@30 alice hangs up", &["Ended Caller", "end the recording"], &[]);
    check(&mut scene, "@30 recording sealed", &["MessageLeft", "mailbox of 201: 1"], &[]);

    let mut scene = Scene::new(branch());
    scene.play(SPEAKS);
    check(&mut scene, "@7 alice hangs up\n@7 recording empty", &["RecordingSealed"], &["MessageLeft", "mailbox"]);
}

#[test]
fn a_message_is_as_long_as_the_flow_lets_it() {
    let mut scene = Scene::new(branch());
    scene.play(SPEAKS);
    check(&mut scene, "@65", &[], &["end the recording"]);
    check(
        &mut scene,
        "@67\n@67 recording sealed",
        &["end the recording", "FlowEntered main/thanks", "MessageLeft"],
        &[],
    );
}

#[test]
fn where_nothing_can_be_recorded_the_flow_goes_another_way() {
    let mut scene = Scene::new(branch());
    scene.play("@1 alice calls 5550100\n@1 alice confirms\n@6 alice heard");
    check(&mut scene, "@6 recording disk", &["RecordingMissing", "FlowEntered main/sorry"], &["MessageLeft"]);

    let mut scene = Scene::new(branch());
    for n in 0..MESSAGES_MAX {
        scene.recall_message(ContactId(n as u128), id("sales"), RecordingId(n as u128));
    }
    check(
        &mut scene,
        "@1 alice calls 5550100\n@1 alice confirms\n@6 alice heard",
        &["FlowEntered main/message", "FlowEntered main/sorry"],
        &["record alice", "MessageBegan"],
    );
}

#[test]
fn a_message_under_which_the_process_died_is_there() {
    let mut scene = Scene::new(branch());
    scene.play(SPEAKS);
    let left = |facts: Vec<Fact>| {
        facts.into_iter().filter(|fact| matches!(fact.kind, Kind::MessageLeft { ms: None, .. })).count()
    };
    let last = scene.facts.last().expect("facts").at;
    assert_eq!(left(cdr::close_open(&scene.facts, last, &Default::default())), 1);
    // One that is told already is told once.
    scene.play("@20 alice presses #\n@20 recording sealed");
    assert_eq!(left(cdr::close_open(&scene.facts, last, &Default::default())), 0);
}

#[test]
fn a_message_that_ended_before_the_process_died_is_there_too() {
    let left = |scene: &Scene| {
        let last = scene.facts.last().expect("facts").at;
        let told = cdr::close_open(&scene.facts, last, &Default::default());
        told.iter().filter(|fact| matches!(fact.kind, Kind::MessageLeft { ms: None, .. })).count()
    };
    // By a key, or by hanging up: its recording is not sealed yet.
    let mut scene = Scene::new(branch());
    scene.play(SPEAKS);
    scene.play("@20 alice presses #");
    assert_eq!(left(&scene), 1);
    let mut scene = Scene::new(branch());
    scene.play(SPEAKS);
    check(&mut scene, "@20 alice hangs up", &["Ended Caller"], &["MessageLeft"]);
    assert_eq!(left(&scene), 1);
    // What is too short is not made a message by a death.
    scene.play("@20 recording empty");
    assert_eq!(left(&scene), 0);
}

#[test]
fn a_caller_of_a_flow_in_a_language_is_spoken_to_in_it_before_the_first_prompt() {
    let mut config = branch();
    config.flows.get_mut(&id("main")).expect("a flow").language = Some(id("de"));
    let mut scene = Scene::new(config);
    check(&mut scene, SPEAKS, &["speak de to alice", "FlowEntered main/hello", "play greeting to alice"], &[]);
}
