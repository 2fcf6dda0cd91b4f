//! What is recorded by rule, direction and the customer's own word, and what an agent keeps out of it.

use floor::{board::RecordingLine, cdr};
use model::{
    config::Config,
    fact::{Kind, RecordingMissing},
    flow,
    recording::{Consent, Recording},
};

use crate::{
    branch::{self, id},
    scene::{Scene, check},
    scenes::everything_adds_up,
};

const FLOW: &str = "
label: May we record?
start: ask
steps:
  ask: { do: consent, prompt: may-we-record, agree: '1', refuse: '2', wait_s: 5, tries: 2, next: to-sales, otherwise: to-sales }
  to-sales: { do: queue, queue: sales }
";

fn branch(consent: Consent) -> Config {
    let mut config = branch::config();
    let _: Option<flow::Flow> = config.flows.insert(id("main"), ::flow::text::parse(FLOW).expect("a flow"));
    let sales = config.queues.get_mut(&id("sales")).expect("a queue");
    sales.recording = Recording { consent, pause_s: 60 };
    config
}

/// A caller who is asked, says this within fifteen seconds, and talks to ann from then on.
fn talking(consent: Consent, says: &str) -> Scene {
    let mut scene = Scene::new(branch(consent));
    scene.play("@1 desk ann sign-in\n@1 desk ann ready\n@2 alice calls 5550100\n@2 alice confirms");
    scene.play(says);
    scene.play("@15 201 answers");
    scene
}

fn line(scene: &Scene) -> Option<RecordingLine> {
    let board = scene.board();
    let ann = board.agents.into_iter().find(|line| line.agent == id("ann")).expect("an agent");
    ann.contact.expect("a card").recording
}

#[track_caller]
fn is_recorded(scene: &Scene, expected: bool) {
    assert_eq!(scene.ladder.contains("> record alice"), expected, "{}", scene.ladder);
    let none = scene.facts.iter().any(|fact| matches!(fact.kind, Kind::RecordingMissing { .. }));
    assert_eq!(none, !expected, "a recording, or the reason why there is none: {}", scene.ladder);
}

#[test]
fn a_queue_counts_the_word_as_its_rule_says() {
    for (consent, says, recorded, why) in [
        (Consent::NotAsked, "@3 alice presses 2", true, ""),
        (Consent::UnlessRefused, "@3 alice presses 1", true, ""),
        (Consent::UnlessRefused, "@3 alice heard\n@9\n@9 alice heard", true, ""),
        (Consent::UnlessRefused, "@3 alice presses 2", false, "RecordingMissing Refused"),
        (Consent::WhenGiven, "@3 alice presses 1", true, ""),
        (Consent::WhenGiven, "@3 alice presses 2", false, "RecordingMissing Refused"),
    ] {
        let scene = talking(consent, says);
        is_recorded(&scene, recorded);
        assert!(scene.ladder.contains(why), "{consent:?}, {says}: {}", scene.ladder);
    }
}

#[test]
fn who_says_nothing_is_not_recorded_where_consent_is_needed_until_the_agent_has_heard_a_yes() {
    let mut scene = talking(Consent::WhenGiven, "@3 alice heard\n@9 alice heard");
    is_recorded(&scene, false);
    assert!(scene.ladder.contains("RecordingMissing NoConsent"), "{}", scene.ladder);
    let waits = RecordingLine {
        missing: Some(RecordingMissing::NoConsent),
        paused: false,
        may_pause: true,
        consent: Consent::WhenGiven,
        said: None,
    };
    assert_eq!(line(&scene), Some(waits));
    check(&mut scene, "@20 desk ann was told yes", &["Consented true by ann", "> record alice"]);
    scene.play("@20 recording started");
    assert_eq!(line(&scene), Some(RecordingLine { missing: None, said: Some(true), ..waits }));
    let told = check(&mut scene, "@21 desk ann was told yes", &[]);
    assert!(!told.contains("Consented"), "the same word twice is said once: {told}");
    let expected = ["Consented false by ann", "end the recording", "RecordingMissing Refused"];
    check(&mut scene, "@30 desk ann was told no", &expected);
    scene.play("@30 recording sealed\n@40 alice hangs up");
    let last = scene.cdrs.last().expect("a record");
    assert_eq!((last.consent, last.recording.is_some()), (Some(false), true), "what was said before stays");
    assert_eq!(cdr::rebuild(&scene.facts).last(), Some(last));
    everything_adds_up(&scene);
}

#[test]
fn a_no_reaches_a_recording_server_too_when_our_own_recording_has_failed() {
    let mut scene = talking(Consent::UnlessRefused, "@3 alice presses 1");
    check(&mut scene, "@16 recording disk", &["RecordingMissing DiskFull"]);
    check(&mut scene, "@17 desk ann card mode", &["pause the recording"]);
    check(&mut scene, "@18 desk ann card mode end", &["go on recording"]);
    check(&mut scene, "@19 desk ann pauses recording", &["pause the recording"]);
    let told = check(&mut scene, "@20 desk ann was told no", &["end the recording", "RecordingMissing Refused"]);
    assert!(!told.contains("go on recording"), "nothing of the last moment is recorded: {told}");
    let told = check(&mut scene, "@40 alice hangs up", &[]);
    assert!(!told.contains("end the recording"), "it ended before: {told}");
}

#[test]
fn an_agent_of_another_site_has_nobody_to_tell_of_a_no() {
    let mut config = branch(Consent::UnlessRefused);
    config.flows.get_mut(&id("main")).expect("a flow").start = id("to-sales");
    let mut scene = Scene::new(config);
    scene.play("@1 link up\n@2 alice calls 5550100\n@2 alice confirms\n@50\n@51 south rings\n@52 south accepts");
    assert!(scene.ladder.contains("RecordingMissing NoConsent"), "{}", scene.ladder);
    assert!(!scene.ladder.contains("> record alice"), "{}", scene.ladder);
}

#[test]
fn a_word_that_counts_for_nothing_is_kept_and_changes_nothing() {
    let mut scene = talking(Consent::NotAsked, "@3 alice presses 1");
    let told = check(&mut scene, "@20 desk ann was told no", &["Consented false by ann"]);
    assert!(!told.contains("recording"), "{told}");
    check(&mut scene, "@40 alice hangs up", &["end the recording"]);
}

#[test]
fn an_agent_pauses_as_long_as_the_queue_allows_and_a_card_keeps_it_paused() {
    let mut scene = talking(Consent::NotAsked, "@3 alice presses 1");
    scene.play("@15 recording started");
    check(&mut scene, "@20 desk ann pauses recording", &["RecordingPaused by ann", "pause the recording"]);
    check(&mut scene, "@21 desk ann pauses recording", &["refused: not possible in this state"]);
    assert!(line(&scene).expect("a line").paused);
    scene.play("@22 desk ann card mode");
    let told = check(&mut scene, "@23 desk ann records again", &["RecordingResumed by ann"]);
    assert!(!told.contains("go on recording"), "a card is being keyed in: {told}");
    check(&mut scene, "@24 desk ann card mode end", &["go on recording"]);
    check(&mut scene, "@24 desk ann records again", &["refused: not possible in this state"]);

    scene.play("@30 desk ann pauses recording\n@31 desk ann card mode");
    let told = check(&mut scene, "@32 desk ann card mode end", &["CardModeEnded"]);
    assert!(!told.contains("go on recording"), "the agent has paused it: {told}");
    check(&mut scene, "@89", &[]);
    check(&mut scene, "@91", &["90 c1 RecordingResumed by -", "go on recording"]);
    check(&mut scene, "@95 desk ann pauses recording\n@99 alice hangs up", &["99 c1 RecordingResumed by -"]);
    everything_adds_up(&scene);

    let mut config = branch(Consent::NotAsked);
    config.queues.get_mut(&id("sales")).expect("a queue").recording.pause_s = 0;
    let mut scene = Scene::new(config);
    scene.play("@1 desk ann sign-in\n@1 desk ann ready\n@2 alice calls 5550100\n@2 alice confirms\n@3 alice presses 1");
    scene.play("@10 201 answers\n@10 recording started");
    check(&mut scene, "@20 desk ann pauses recording", &["refused: not possible in this state"]);
}

#[test]
fn calls_of_no_queue_are_recorded_by_their_direction() {
    let rule = Some(Recording::default());
    for (number, target, rules, recorded) in [
        ("0301234", "carrier/0301234", "outward", true),
        ("0301234", "carrier/0301234", "inside", false),
        ("202", "202", "inside", true),
        ("202", "202", "outward", false),
        ("112", "carrier/112", "outward", true),
        ("112", "carrier/112", "inside", false),
    ] {
        let mut config = branch::config();
        match rules {
            "outward" => config.site.recording.outward = Some(Recording { consent: Consent::WhenGiven, pause_s: 0 }),
            _ => config.site.recording.inside = rule,
        }
        // A call for help asks nobody; whoever else is called is asked.
        let asked = rules == "outward" && number != "112";
        let mut scene = Scene::new(config);
        scene.play(&format!("@1 desk ann sign-in\n@1 201 calls {number}\n@5 {target} answers"));
        if asked && recorded {
            assert!(scene.ladder.contains("RecordingMissing NoConsent"), "{}", scene.ladder);
            scene.play("@8 desk ann was told yes");
        }
        assert_eq!(scene.ladder.contains("> record 201"), recorded, "{number}, {rules}: {}", scene.ladder);
        check(&mut scene, "@20 201 hangs up", &["Ended"]);
        everything_adds_up(&scene);
    }
}
