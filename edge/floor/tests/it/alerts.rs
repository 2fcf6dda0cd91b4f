//! What supervisors must look up for: raised once, cleared when it has been well for a while, told as facts.

use floor::board::AlertLine;
use model::{
    alert::{Alert, Alerts},
    config::Config,
};

use crate::{
    branch::{self, id},
    scene::{Scene, check},
    scenes::everything_adds_up,
};

fn with(alerts: Alerts) -> Config {
    let mut config = branch::config();
    config.queues.get_mut(&id("sales")).expect("a queue").alerts = alerts;
    config
}

fn alerts(scene: &Scene) -> Vec<(Alert, u32)> {
    scene.board().alerts.into_iter().map(|AlertLine { alert, value, .. }| (alert, value)).collect()
}

const LONG: &str = "AlertRaised { queue: Some(sales), alert: LongestWait, value: 31 }";
const CROWD: &str = "AlertRaised { queue: Some(sales), alert: Waiting, value: 2 }";

#[test]
fn a_wait_and_a_crowd_are_alerted_of_once_and_it_is_over_when_it_was_well_for_a_while() {
    let mut scene = Scene::new(with(Alerts { longest_wait_s: Some(30), waiting: Some(1), ..Alerts::default() }));
    scene.play("@3 a calls 5550100\n@4 a confirms\n@5 a heard");
    let told = check(&mut scene, "@6 b calls 5550100\n@7 b confirms\n@8 b heard\n@12", &[]);
    assert!(!told.contains("Alert"), "a moment is no crowd: {told}");
    check(&mut scene, "@14", &[CROWD]);
    assert_eq!(alerts(&scene), [(Alert::Waiting, 2)]);
    let told = check(&mut scene, "@35", &[]);
    assert!(!told.contains("Alert"), "{told}");
    check(&mut scene, "@37", &[LONG]);
    let told = check(&mut scene, "@50", &[]);
    assert!(!told.contains("Alert"), "once: {told}");
    assert_eq!(alerts(&scene), [(Alert::Waiting, 2), (Alert::LongestWait, 45)], "and as it is now");
    let told = check(&mut scene, "@51 a hangs up\n@52 b hangs up\n@64", &[]);
    assert!(!told.contains("AlertCleared"), "not at once: {told}");
    let waiting = "AlertCleared { queue: Some(sales), alert: Waiting }";
    check(&mut scene, "@70", &[waiting, "AlertCleared { queue: Some(sales), alert: LongestWait }"]);
    assert_eq!(alerts(&scene), []);
    everything_adds_up(&scene);
}

#[test]
fn a_queue_that_takes_contacts_and_has_nobody_is_alerted_of_and_one_that_is_closed_is_not() {
    let mut scene = Scene::new(with(Alerts { unserved: true, ..Alerts::default() }));
    check(&mut scene, "@20", &["AlertRaised { queue: Some(sales), alert: Unserved, value: 0 }"]);
    scene.play("@21 desk ann sign-in");
    assert_eq!(alerts(&scene), [(Alert::Unserved, 0)], "who is not ready answers nobody");
    check(&mut scene, "@22 desk ann ready\n@40", &["AlertCleared { queue: Some(sales), alert: Unserved }"]);
    let told = check(&mut scene, "@41 configure queue sales closes\n@42 desk ann sign-out\n@90", &[]);
    assert!(!told.contains("Alert"), "{told}");
}

#[test]
fn shares_of_few_contacts_alert_nobody_and_of_enough_they_do() {
    let wanted = Alerts { service_level: Some(80), abandoned: Some(20), ..Alerts::default() };
    let mut scene = Scene::new(with(wanted));
    for n in 0..10 {
        assert_eq!(alerts(&scene), [], "after {n} of them");
        let at = |s: usize| n * 40 + s;
        scene.play(&format!("@{} c{n} calls 5550100\n@{} c{n} confirms\n@{} c{n} heard", at(1), at(2), at(3)));
        scene.play(&format!("@{} c{n} hangs up\n@{}", at(30), at(32)));
    }
    assert_eq!(alerts(&scene), [(Alert::ServiceLevel, 0), (Alert::Abandoned, 1_000)]);
}

#[test]
fn a_call_that_sounds_badly_for_ten_seconds_is_alerted_of_with_its_agent_until_it_sounds_well_or_ends() {
    let mut scene = Scene::new(branch::config());
    scene.play("@1 desk ann sign-in\n@2 desk ann ready\n@3 a calls 5550100\n@4 a confirms\n@5 a heard\n@6 201 answers");
    let told = check(&mut scene, "@11 a sounds 69\n@16 a sounds 70\n@21 a sounds 60", &[]);
    assert!(!told.contains("Alert"), "five seconds are not ten: {told}");
    check(&mut scene, "@26 a sounds 65", &["AlertRaised { queue: Some(sales), alert: Quality, value: 65 }"]);
    let line = scene.board().alerts.pop().expect("an alert");
    assert_eq!((line.agent, line.label.as_deref()), (Some(id("ann")), Some("Sales")));
    let told = check(&mut scene, "@31 a sounds 74\n@36 a sounds 80\n@41 a sounds 80\n@46 a sounds 80", &[]);
    assert!(!told.contains("Alert"), "{told}");
    check(&mut scene, "@51 a sounds 80", &["AlertCleared { queue: Some(sales), alert: Quality }"]);
    scene.play("@56 a sounds 10\n@61 a sounds 10");
    assert_eq!(alerts(&scene), [(Alert::Quality, 10)]);
    let told = check(&mut scene, "@62 a hangs up", &["AlertCleared { queue: Some(sales), alert: Quality }"]);
    assert!(told.find("AlertCleared") < told.find("Ended"), "{told}");
    assert_eq!(alerts(&scene), []);
    everything_adds_up(&scene);
}

#[test]
fn what_is_not_watched_any_more_is_over() {
    let mut scene = Scene::new(with(Alerts { unserved: true, ..Alerts::default() }));
    check(&mut scene, "@20", &["AlertRaised"]);
    check(
        &mut scene,
        "@21 configure without queue sales\n@23",
        &["AlertCleared { queue: Some(sales), alert: Unserved }"],
    );
}
