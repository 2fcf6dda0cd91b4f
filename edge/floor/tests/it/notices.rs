//! What people must see soon: calls for help, caps that were reached, and the nightly test of the emergency path.

use floor::Input;
use model::{
    config::Config,
    dialling::Place,
    fact::{Kind, OutwardRefusal},
    leaving::What,
};

use crate::{
    branch::{self, id},
    scene::Scene,
};

/// What was told, in order.
fn told(scene: &Scene) -> Vec<What> {
    let what = |kind: &Kind| match kind {
        Kind::Noticed { what, .. } => Some(*what),
        _ => None,
    };
    scene.facts.iter().filter_map(|fact| what(&fact.kind)).collect()
}

fn lines(scene: &Scene, needle: &str) -> usize {
    scene.ladder.lines().filter(|line| line.contains(needle)).count()
}

#[test]
fn a_call_for_help_is_told_goes_on_under_its_name_and_is_seen_by_somebody() {
    let mut config = branch::config();
    config.places.insert(id("annex"), Place { label: "Annex".into(), ..Place::default() });
    config.phones.get_mut(&id("203")).expect("a phone").place = Some(id("annex"));
    let mut scene = Scene::new(config);
    scene.play("@1 203 calls 112\n@2 carrier/112 answers\n@9 203 hangs up");
    assert_eq!(told(&scene), [What::EmergencyCalled, What::EmergencyAnswered]);
    let name = |fact: &model::fact::Fact| match &fact.kind {
        Kind::Noticed { notice, place, .. } => Some((*notice, place.clone())),
        _ => None,
    };
    let names: Vec<_> = scene.facts.iter().filter_map(name).collect();
    assert_eq!(names[0], names[1]);
    assert_eq!(names[0].1, Some(id("annex")));
    assert_eq!(lines(&scene, "to the centre"), 2, "{}", scene.ladder);
    scene.play("@10 desk ann seen");
    assert_eq!(scene.board().emergencies[0].seen, [id("ann")]);
    let seen = scene.facts.iter().any(|fact| matches!(&fact.kind, Kind::NoticeSeen { by, .. } if *by == id("ann")));
    assert!(seen, "who saw it is written down");
    // Another life of the process knows it.
    let mut next = Scene::new(branch::config());
    next.remember(&scene.facts);
    assert_eq!(next.board().emergencies[0].seen, [id("ann")]);
}

#[test]
fn a_call_for_help_that_nobody_took_is_told() {
    let mut scene = Scene::new(branch::config());
    scene.play("@1 203 calls 112\n@2 203 hangs up");
    assert_eq!(told(&scene), [What::EmergencyCalled, What::EmergencyFailed]);
}

#[test]
fn a_call_for_help_from_a_house_without_a_line_is_refused_at_once_and_told() {
    let mut config = branch::config();
    config.trunks.clear();
    let mut scene = Scene::new(config);
    scene.play("@1 203 calls 112");
    assert_eq!(told(&scene), [What::EmergencyCalled, What::EmergencyFailed]);
    assert_eq!(lines(&scene, "reject 203 Overload"), 1, "{}", scene.ladder);
    let dialled = |kind: &Kind| matches!(kind, Kind::Dialled { trunk: None, emergency: true, .. });
    assert!(scene.facts.iter().any(|fact| dialled(&fact.kind)), "{}", scene.ladder);
    assert_eq!(scene.board().emergencies.len(), 1, "supervisors know who calls for help");
    // From the desk it is the same, once the phone is answered.
    scene.play("@20 201 registers\n@21 desk ann sign-in\n@22 desk ann dial 112\n@23 201 answers");
    assert_eq!(told(&scene)[2..], [What::EmergencyCalled, What::EmergencyFailed], "{}", scene.ladder);
}

#[test]
fn a_trunk_that_is_refused_is_told_by_cause_and_not_at_every_try() {
    let mut scene = Scene::new(branch::config());
    let tried = [
        ("carrier", What::TrunkExpired),
        ("carrier", What::TrunkExpired),
        ("carrier", What::TrunkKey),
        ("other", What::TrunkExpired),
        ("carrier", What::TrunkExpired),
    ];
    for (trunk, what) in tried {
        scene.input(Input::TrunkRefused { trunk: id(trunk), what });
    }
    scene.play("@1");
    assert_eq!(told(&scene), [What::TrunkExpired, What::TrunkKey, What::TrunkExpired]);
    let board = scene.board();
    let shown: Vec<(What, &str)> =
        board.notices.iter().map(|line| (line.what, line.trunk.as_deref().expect("a trunk"))).collect();
    let carrier = branch::config().trunks[&id("carrier")].label.clone();
    let expected = [(What::TrunkExpired, "other"), (What::TrunkKey, &*carrier), (What::TrunkExpired, &*carrier)];
    assert_eq!(shown, expected, "at supervisors' desks, the youngest first, by their labels");
    assert_eq!(lines(&scene, "to the centre"), 3, "{}", scene.ladder);
    // Another life does not tell it again.
    let mut next = Scene::new(branch::config());
    next.remember(&scene.facts);
    next.input(Input::TrunkRefused { trunk: id("carrier"), what: What::TrunkKey });
    next.play("@2");
    assert_eq!(told(&next), []);
}

#[test]
fn each_device_that_the_lab_finds_changed_is_told() {
    let mut scene = Scene::new(branch::config());
    for what in [What::DeviceFirmware, What::DeviceWorse, What::DeviceFirmware] {
        scene.input(Input::DeviceChanged { what });
    }
    scene.play("@1");
    assert_eq!(told(&scene), [What::DeviceFirmware, What::DeviceWorse, What::DeviceFirmware]);
    assert_eq!(scene.board().notices.len(), 3, "each at supervisors' desks");
}

fn dear() -> Config {
    let mut config = branch::config();
    config.site.dialling.home_cents = 40;
    config.site.dialling.phone_hour_cents_max = 100;
    config
}

#[test]
fn a_call_is_paid_minute_by_minute_and_ends_before_it_costs_more_than_may_be_spent() {
    let mut scene = Scene::new(dear());
    scene.play("@1 203 calls 030111111\n@5 carrier/030111111 answers\n@64\n@66");
    assert_eq!(lines(&scene, "Charged 203 40"), 2, "{}", scene.ladder);
    scene.play("@126");
    assert_eq!(lines(&scene, "Charged 203 40"), 2, "{}", scene.ladder);
    assert_eq!((lines(&scene, "why: PhoneMoney"), lines(&scene, "hang up")), (1, 2), "{}", scene.ladder);
    assert_eq!(told(&scene), [What::OutwardCap]);
    assert_eq!(scene.board().notices.len(), 1);
    // The next call is refused before it begins, also by another life of the process; an emergency is not.
    let mut next = Scene::new(dear());
    next.remember(&scene.facts);
    next.play("@130 203 calls 030222222\n@131 203 calls 112");
    let refused =
        |fact: &model::fact::Fact| matches!(fact.kind, Kind::OutwardRefused { why: OutwardRefusal::PhoneMoney, .. });
    assert!(next.facts.iter().any(refused), "{}", next.ladder);
    assert_eq!((lines(&next, "dial carrier/030"), lines(&next, "dial carrier/112")), (0, 1), "{}", next.ladder);
}

#[test]
fn calls_that_nobody_has_answered_yet_count_as_their_first_minute() {
    let mut scene = Scene::new(dear());
    scene.play("@1 203 calls 030111111\n@2 203 calls 030222222\n@3 203 calls 030333333");
    assert_eq!(lines(&scene, "dial carrier/030"), 2, "{}", scene.ladder);
    scene.play("@4 carrier/030111111 answers\n@4 carrier/030222222 answers");
    assert_eq!(lines(&scene, "Charged 203 40"), 2, "{}", scene.ladder);
}

#[test]
fn a_phone_that_dials_as_no_person_does_is_told_once() {
    let mut scene = Scene::new(branch::config());
    for at in 1..=20 {
        scene.play(&format!("@{at} 203 calls 0044207946{at:04}"));
    }
    assert_eq!(told(&scene), [What::OutwardPattern]);
    assert_eq!(lines(&scene, "dial carrier"), 0, "{}", scene.ladder);
}

/// 99112 holds 112, and is no emergency number.
fn tested() -> Config {
    let mut config = branch::config();
    config.site.dialling.test_number = Some(id("99112"));
    config.site.dialling.place = Some(id("house"));
    let house = Place { label: "House".into(), confirmed: "2026-10-01".into(), ..Place::default() };
    config.places.insert(id("house"), house);
    config
}

const NIGHT: &str = "@10 civil 2026-11-24 1 185";

#[test]
fn a_night_in_which_everything_works_passes_without_an_alarm() {
    let mut scene = Scene::new(tested());
    scene.play("@1 civil 2026-11-24 1 170");
    assert_eq!(told(&scene), []);
    scene.play(NIGHT).play("@12 carrier/99112 answers\n@15 civil 2026-11-24 1 190");
    scene.input(Input::NoticesHeard);
    scene.play("@20\n@30 civil 2026-11-24 1 230\n@15000");
    assert_eq!(told(&scene), [What::TestBegan, What::TestPassed], "{}", scene.ladder);
    assert_eq!((lines(&scene, "dial carrier/99112"), lines(&scene, "hang up carrier/99112")), (1, 1));
    assert_eq!(lines(&scene, "Dialled"), 0, "nobody has called for help");
    assert!(scene.board().notices.is_empty() && scene.board().emergencies.is_empty());
}

#[test]
fn a_broken_line_an_old_place_or_an_unseen_notice_is_an_alarm() {
    let mut line = Scene::new(tested());
    line.play(NIGHT).play("@11 carrier/99112 is lost");
    line.input(Input::NoticesHeard);
    line.play("@12");
    assert_eq!(told(&line), [What::TestBegan, What::TestLine]);
    let mut silent = Scene::new(tested());
    silent.play(NIGHT).play("@31");
    assert_eq!(told(&silent), [What::TestBegan, What::TestLine], "nobody answered");

    let mut config = tested();
    config.places.get_mut(&id("house")).expect("a place").confirmed = "2026-04-01".into();
    let mut old = Scene::new(config);
    old.play(NIGHT).play("@11 carrier/99112 answers");
    old.input(Input::NoticesHeard);
    old.play("@12");
    assert_eq!(told(&old), [What::TestBegan, What::TestLocation]);

    let mut unseen = Scene::new(tested());
    unseen.play(NIGHT).play("@11 carrier/99112 answers\n@15000");
    assert_eq!(told(&unseen), [What::TestBegan, What::TestUnseen]);
    assert_eq!(unseen.board().notices.len(), 1);
}

#[test]
fn without_a_centre_somebody_at_a_desk_sees_the_test_s_notice() {
    let mut scene = Scene::new(tested());
    scene.play(NIGHT).play("@11 carrier/99112 answers\n@19\n@20 desk ann seen\n@15000");
    assert_eq!(told(&scene), [What::TestBegan, What::TestPassed], "{}", scene.ladder);
}

#[test]
fn each_place_has_its_own_line_tested_and_one_test_a_night_is_enough() {
    let mut config = tested();
    let annex = Place { trunk: Some(id("annex-line")), confirmed: "2026-11-20".into(), ..Place::default() };
    config.places.insert(id("annex"), annex);
    config.trunks.insert(id("annex-line"), config.trunks[&id("carrier")].clone());
    config.phones.get_mut(&id("203")).expect("a phone").place = Some(id("annex"));
    let mut scene = Scene::new(config.clone());
    scene.play(NIGHT).play("@11 annex-line/99112 answers\n@12 carrier/99112 answers");
    scene.input(Input::NoticesHeard);
    scene.play("@13");
    assert_eq!(told(&scene), [What::TestBegan, What::TestPassed], "{}", scene.ladder);
    // A process that died at night does not test again.
    let mut next = Scene::new(config);
    next.remember(&scene.facts);
    next.play("@60 civil 2026-11-24 1 200");
    assert_eq!(lines(&next, "dial"), 0, "{}", next.ladder);
}
