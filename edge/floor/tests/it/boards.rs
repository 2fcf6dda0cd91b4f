//! What the board shows, at moments of a day.

use std::time::Duration;

use floor::board::{AgentLine, QueueLine};
use model::fact::AgentState;

use crate::{
    branch::{self, id},
    scene::Scene,
};

const READY: &str = "@0 desk ann sign-in\n@0 desk ann ready";

fn call(at: u64, name: &str) -> String {
    format!("@{at} {name} calls 5550100\n@{at} {name} confirms\n@{at} {name} heard")
}

fn sales(scene: &Scene) -> QueueLine {
    scene.board().queues.into_iter().find(|line| line.queue == id("sales")).expect("the queue")
}

fn ann(scene: &Scene) -> AgentLine {
    scene.board().agents.into_iter().find(|line| line.agent == id("ann")).expect("the agent")
}

#[test]
fn a_queue_shows_who_waits_how_long_and_what_the_day_was_like() {
    let mut scene = Scene::new(branch::config());
    scene.play(&call(1, "alice")).play(&call(5, "beate")).play("@11");
    let line = sales(&scene);
    assert_eq!((line.waiting, line.longest_wait, line.ready), (2, Duration::from_secs(10), 0));
    assert_eq!((line.offered_today, line.answered_today, line.service_level_permille), (2, 0, None));

    scene.play("@15 desk ann sign-in\n@15 desk ann ready\n@16 201 answers\n@40 beate hangs up");
    let line = sales(&scene);
    assert_eq!((line.waiting, line.talking, line.answered_today, line.abandoned_today), (0, 1, 1, 1));
    // One answered within 20 s, one abandoned after 35 s.
    assert_eq!(line.service_level_permille, Some(500));

    scene.play("@50 civil 2026-11-24 1 0");
    let line = sales(&scene);
    assert_eq!((line.offered_today, line.talking, line.service_level_permille), (0, 1, None));
}

#[test]
fn an_agent_sees_the_contact_from_the_ring_to_the_end_of_the_wrap_up() {
    let mut scene = Scene::new(branch::config());
    scene.play(READY).play(&call(1, "alice")).play("@4");
    let card = |scene: &Scene| ann(scene).contact;
    let seen = card(&scene).expect("an offer");
    assert_eq!((seen.caller_number.as_str(), seen.waited), ("0170000101", Duration::from_secs(3)));
    assert_eq!(seen.queue, Some(id("sales")));
    assert_eq!(ann(&scene).state, AgentState::Offered);

    scene.play("@6 201 answers\n@9 desk ann hold");
    let seen = card(&scene).expect("a talk");
    assert_eq!((seen.held, seen.waited, seen.wrap_up_left), (true, Duration::from_secs(5), None));

    scene.play("@20 alice hangs up\n@23");
    let seen = card(&scene).expect("a wrap-up");
    assert_eq!(seen.caller_number, "0170000101");
    assert_eq!(seen.wrap_up_left, Some(Duration::from_secs(7)));

    scene.play("@30");
    assert_eq!((ann(&scene).state, ann(&scene).since), (AgentState::Ready, Duration::ZERO));
    assert!(card(&scene).is_none());
}

#[test]
fn a_guest_is_shown_with_its_site_and_without_its_number() {
    let mut scene = Scene::new(branch::config());
    scene.play(READY).play("@1 link up\n@2 south asks sales\n@3 201 answers");
    let seen = ann(&scene).contact.expect("a guest");
    assert_eq!((seen.from_site, seen.queue, seen.caller_number.as_str()), (Some(id("south")), None, "south"));
}

#[test]
fn an_agent_of_a_phone_that_is_not_there_shows_it() {
    let mut scene = Scene::new(branch::config());
    assert!(ann(&scene).phone_registered);
    scene.play("@1 201 unregisters");
    assert!(!ann(&scene).phone_registered);
}

#[test]
fn the_expected_wait_is_shown_and_told_once_it_is_known() {
    let mut scene = Scene::new(branch::config());
    for n in 1..=12 {
        scene.play(&call(1, &format!("caller-{n}")));
    }
    assert_eq!(sales(&scene).expected_wait, None);
    // One every 40 s: three are left, of 40, 80 and 120 s.
    for n in 1..=9 {
        scene.play(&format!("@{} caller-{n} hangs up", 1 + 40 * n));
        assert_eq!(sales(&scene).expected_wait.is_some(), n >= 8, "after {n}");
        assert!(n > 8 || !scene.ladder.contains("wait-"), "{}", scene.ladder);
    }
    let seconds = Duration::from_secs;
    assert_eq!(sales(&scene).expected_wait, Some((seconds(160), seconds(0))));
    scene.play("@392");
    for told in
        ["number-1 wait-short to", "number-2 wait-about number-2 minutes to", "number-3 wait-about number-2 minutes to"]
    {
        assert!(scene.ladder.contains(&format!("play position-is {told}")), "{told}: {}", scene.ladder);
    }
}
