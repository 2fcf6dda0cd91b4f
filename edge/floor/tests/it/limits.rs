//! Every limit at its limit.

use crate::{branch, scene::Scene};

#[test]
fn the_house_is_full_for_everybody_but_an_emergency() {
    let mut scene = Scene::new(branch::config());
    for n in 0..floor::CONTACTS_MAX {
        scene.play(&format!("@0 caller{n} calls 5550100"));
    }
    scene.ladder.clear();
    scene.play("@1 late calls 5550100\n@2 203 calls 201\n@3 203 calls 112");
    let lines = |needle: &str| scene.ladder.lines().filter(|line| line.contains(needle)).count();
    assert_eq!((lines(" Ended Overload"), lines("dial carrier/112"), lines("reject")), (2, 1, 2), "{}", scene.ladder);
}

#[test]
fn no_more_calls_between_sites_than_the_limit() {
    let mut scene = Scene::new(branch::config());
    scene.play("@0 link up");
    for n in 0..=floor::OVERFLOWS_MAX {
        scene.play(&format!("@0 caller{n} calls 5550100\n@0 caller{n} confirms\n@0 caller{n} heard"));
    }
    scene.ladder.clear();
    scene.play("@41");
    let asked = scene.ladder.lines().filter(|line| line.contains("OverflowOffered")).count();
    assert_eq!(asked, floor::OVERFLOWS_MAX);
}

#[test]
fn a_phone_has_so_many_calls_outside_at_once_and_an_emergency_call_beyond() {
    let mut config = branch::config();
    config.site.dialling.phone_calls_max = 2;
    let mut scene = Scene::new(config);
    scene.play("@0 203 calls 030111111\n@1 203 calls 030222222\n@2 203 calls 030333333\n@3 203 calls 112");
    let lines = |needle: &str| scene.ladder.lines().filter(|line| line.contains(needle)).count();
    assert_eq!(
        (lines("dial carrier/030"), lines("why: PhoneCalls"), lines("dial carrier/112")),
        (2, 1, 1),
        "{}",
        scene.ladder
    );
}
