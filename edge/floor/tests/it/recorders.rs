//! Recording sessions (SIPREC) as the floor tells of them: a call that a peer brings, and what became of copies.

use call::{
    leg::Event,
    siprec::{
        CopyState, Metadata, NoCopy,
        metadata::{Name, Participant},
    },
};
use model::{
    LegId,
    cdr::Outcome,
    fact::{CopyMissing, Kind},
};

use crate::{
    branch::{self, id},
    scene::Scene,
};

const LEG: LegId = LegId(4_711);

fn kinds(scene: &Scene) -> Vec<String> {
    let name = |kind: &Kind| {
        let text = format!("{kind:?}");
        text.split([' ', '{']).next().unwrap_or_default().to_owned()
    };
    scene.facts.iter().map(|fact| name(&fact.kind)).collect()
}

fn people(users: &[&str]) -> Box<Metadata> {
    let one = |user: &&str| Participant {
        id: (*user).to_owned(),
        names: vec![Name { aor: format!("sip:{user}@sbc.example;user=phone"), display: None }],
    };
    Box::new(Metadata { participants: users.iter().map(one).collect(), ..Metadata::default() })
}

#[test]
fn a_call_that_a_peer_brings_is_a_contact_with_a_recording_and_a_record() {
    let mut scene = Scene::new(branch::config());
    scene.lines_say(Event::Brought { leg: LEG, by: id("sbc"), metadata: people(&["+4930123", "201"]) });
    scene.play("@1 recording started");
    scene.lines_say(Event::BroughtAnew { leg: LEG, metadata: people(&["+4930123", "202"]) });
    scene.lines_say(Event::BroughtPaused { leg: LEG, paused: true });
    scene.play("@5");
    scene.lines_say(Event::BroughtPaused { leg: LEG, paused: false });
    scene.play("@9");
    scene.lines_say(Event::BroughtOver { leg: LEG });
    scene.play("@10 recording sealed");
    assert_eq!(
        kinds(&scene),
        ["Brought", "Answered", "RecordingStarted", "Held", "Resumed", "Ended", "RecordingSealed"]
    );
    let told = format!("{:?}", scene.facts);
    assert!(!told.contains("4930123") && !told.contains("sbc.example"), "nobody is named in a fact: {told}");
    let cdr = scene.cdrs.last().expect("a record");
    assert_eq!((cdr.trunk.clone(), cdr.outcome, cdr.agent.clone()), (Some(id("sbc")), Outcome::Answered, None));
    assert!(cdr.recording.is_some() && cdr.hold_ms == 4_000 && cdr.talk_ms == 5_000, "{cdr:?}");
    assert_eq!(floor::cdr::rebuild(&scene.facts).last(), Some(cdr), "the ledger folds it the same");
    assert_eq!(scene.floor.in_use(), floor::InUse::default());
}

#[test]
fn a_call_that_a_peer_brought_ends_with_the_process_that_took_it() {
    let mut scene = Scene::new(branch::config());
    scene.lines_say(Event::Brought { leg: LEG, by: id("sbc"), metadata: people(&[]) });
    let wall = scene.wall();
    let ends = floor::cdr::close_open(&scene.facts, wall, &Default::default());
    assert!(matches!(ends.as_slice(), [fact] if matches!(fact.kind, Kind::Ended { .. })), "{ends:?}");
}

#[test]
fn what_becomes_of_a_copy_is_told_of_its_contact() {
    let mut scene = Scene::new(branch::config());
    scene.lines_say(Event::Brought { leg: LEG, by: id("sbc"), metadata: people(&[]) });
    let recording = scene.recording_id();
    let missing = CopyState::Missing { recorder: Some(id("vault")), why: NoCopy::Unreachable };
    scene.lines_say(Event::Copied { recording, state: missing });
    scene.lines_say(Event::Copied { recording, state: CopyState::Started { recorder: id("spare") } });
    let contact = scene.facts.first().expect("a fact").contact;
    let of_copies: Vec<&Kind> =
        scene.facts.iter().filter(|fact| fact.contact == contact).map(|fact| &fact.kind).collect();
    let reason = CopyMissing::Unreachable;
    assert!(of_copies.contains(&&Kind::CopyMissing { recording, recorder: Some(id("vault")), reason }));
    assert!(of_copies.contains(&&Kind::CopyStarted { recording, recorder: id("spare") }));
}
