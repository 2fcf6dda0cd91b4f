//! What came of a contact: named while the customer talks or is written up, told as a fact, and owed where the queue asks.

use floor::{
    board::{ContactCard, Refused},
    cdr,
    correcting::Reach,
};
use model::{
    cdr::Corrected,
    config::Config,
    disposition::Dispositions,
    fact::{Disposition, Kind},
};

use crate::{
    branch::{self, id},
    scene::{Scene, check},
    scenes::everything_adds_up,
};

/// The site knows three; sales takes two of them.
fn with_codes(required: bool) -> Config {
    let mut config = branch::config();
    let code = |code: &str, label: &str| (id(code), label.to_owned());
    config.site.dispositions = [code("sold", "Sold"), code("later", "Call again"), code("broken", "Broken")].into();
    let sales = config.queues.get_mut(&id("sales")).expect("a queue");
    sales.dispositions = Dispositions { only: [id("sold"), id("later")].into(), required };
    config
}

const TALKING: &str =
    "@1 desk ann sign-in\n@2 desk ann ready\n@3 a calls 5550100\n@4 a confirms\n@5 a heard\n@6 201 answers";

fn card(scene: &Scene) -> Option<ContactCard> {
    scene.board().agents.into_iter().find(|line| line.agent == id("ann")).expect("an agent").contact
}

#[test]
fn a_wrap_up_that_owes_a_disposition_ends_by_hand_only_with_one() {
    let mut scene = Scene::new(with_codes(true));
    scene.play(TALKING);
    assert_eq!(card(&scene).map(|card| (card.disposition, card.disposition_required)), Some((None, true)));
    check(&mut scene, "@20 a hangs up", &["WrapUpStarted ann"]);
    for (at, ask) in [(21, "wrapped-up"), (22, "ready"), (23, "sign-out"), (24, "dial 202")] {
        let told = check(&mut scene, &format!("@{at} desk ann {ask}"), &["refused: name what came of the contact"]);
        assert!(!told.contains("WrapUpEnded"), "{ask}: {told}");
    }
    check(&mut scene, "@25 desk ann names broken", &["refused: no such disposition at this queue"]);
    check(&mut scene, "@26 desk ann names later", &["Disposed by ann: Code(later)"]);
    assert_eq!(card(&scene).and_then(|card| card.disposition), Some(id("later")));
    check(&mut scene, "@27 desk ann names sold", &["Disposed by ann: Code(sold)"]);
    check(&mut scene, "@28 desk ann wrapped-up", &["WrapUpEnded ann", "ann is Ready"]);
    let last = scene.cdrs.last().expect("a record");
    assert_eq!(last.disposition, Some(Disposition::Code(id("sold"))), "the last word stands");
    assert_eq!(cdr::rebuild(&scene.facts).last(), Some(last), "the record comes from the facts alone");
    everything_adds_up(&scene);
}

#[test]
fn the_clock_ends_a_wrap_up_and_tells_that_none_was_chosen() {
    let mut scene = Scene::new(with_codes(true));
    scene.play(TALKING);
    let told = check(&mut scene, "@20 a hangs up\n@31", &["Disposed by ann: NoneChosen", "WrapUpEnded ann"]);
    assert!(told.find("Disposed") < told.find("WrapUpEnded"), "the word belongs to the wrap-up: {told}");
    assert_eq!(scene.cdrs.last().and_then(|cdr| cdr.disposition.clone()), Some(Disposition::NoneChosen));
    everything_adds_up(&scene);
}

#[test]
fn one_named_in_mid_talk_is_enough_and_where_none_is_owed_none_is_missed() {
    let mut scene = Scene::new(with_codes(true));
    scene.play(TALKING);
    check(&mut scene, "@10 desk ann names sold\n@11 desk ann names sold", &["Disposed by ann: Code(sold)"]);
    let disposed = scene.facts.iter().filter(|fact| matches!(fact.kind, Kind::Disposed { .. })).count();
    assert_eq!(disposed, 1, "the same word twice is said once");
    check(&mut scene, "@20 a hangs up\n@21 desk ann ready", &["WrapUpEnded ann", "ann is Ready"]);

    let mut scene = Scene::new(with_codes(false));
    scene.play(TALKING);
    let told = check(&mut scene, "@20 a hangs up\n@21 desk ann wrapped-up", &["WrapUpEnded ann"]);
    assert!(!told.contains("Disposed"), "{told}");
    assert_eq!(scene.cdrs.last().and_then(|cdr| cdr.disposition.clone()), None);
}

#[test]
fn a_disposition_is_the_word_of_who_has_the_contact_and_of_nobody_else() {
    let mut scene = Scene::new(with_codes(true));
    scene.play("@1 desk bob sign-in");
    check(&mut scene, "@2 desk ann sign-in\n@3 desk ann ready\n@4 a calls 5550100\n@5 a confirms\n@6 a heard", &[]);
    check(&mut scene, "@7 desk ann names sold", &["refused: not possible in this state"]);
    check(&mut scene, "@8 201 answers\n@9 desk bob names sold", &["refused: there is no call"]);
    check(&mut scene, "@10 a hangs up\n@11 desk ann names sold\n@12 desk ann wrapped-up", &["ann is Ready"]);
    check(&mut scene, "@13 desk ann names later", &["refused: there is no call"]);
    assert_eq!(scene.cdrs.last().and_then(|cdr| cdr.disposition.clone()), Some(Disposition::Code(id("sold"))));
}

#[test]
fn a_queue_asks_for_nothing_while_the_site_has_no_codes() {
    let mut config = with_codes(true);
    config.site.dispositions.clear();
    let mut scene = Scene::new(config);
    scene.play(TALKING);
    let told = check(&mut scene, "@20 a hangs up\n@21 desk ann wrapped-up", &["WrapUpEnded ann", "ann is Ready"]);
    assert!(!told.contains("Disposed"), "{told}");
}

#[test]
fn a_call_out_may_be_named_from_all_of_the_site_s_codes_and_owes_none() {
    let mut scene = Scene::new(with_codes(true));
    scene.play("@1 desk ann sign-in\n@2 desk ann dial 0171555\n@3 201 answers\n@4 carrier/0171555 answers");
    assert_eq!(card(&scene).map(|card| card.disposition_required), Some(false));
    check(&mut scene, "@5 desk ann names broken", &["Disposed by ann: Code(broken)"]);
    check(&mut scene, "@20 201 hangs up", &["ann is NotReady"]);
    assert_eq!(scene.cdrs.last().and_then(|cdr| cdr.disposition.clone()), Some(Disposition::Code(id("broken"))));
    everything_adds_up(&scene);
}

#[test]
fn who_is_given_the_customer_names_it_anew_and_the_last_code_stands() {
    let mut scene = Scene::new(with_codes(true));
    scene.play(TALKING);
    check(&mut scene, "@7 desk ann names later", &["Disposed by ann: Code(later)"]);
    scene.play("@8 desk bob sign-in\n@9 desk ann transfer 202\n@10 202 answers");
    check(&mut scene, "@11 desk bob names sold", &["Disposed by bob: Code(sold)"]);
    check(&mut scene, "@12 desk ann wrapped-up\n@20 a hangs up", &["WrapUpEnded ann"]);
    assert_eq!(scene.cdrs.last().and_then(|cdr| cdr.disposition.clone()), Some(Disposition::Code(id("sold"))));
    everything_adds_up(&scene);
}

#[test]
fn a_wrap_up_that_owes_a_disposition_keeps_nobody_from_calling_for_help() {
    let mut scene = Scene::new(with_codes(true));
    scene.play("@0 desk ann sign-in\n@0 desk ann ready\n@1 alice calls 5550100\n@1 alice confirms\n@6 alice heard");
    scene.play("@10 201 answers\n@20 alice hangs up");
    check(&mut scene, "@21 desk ann dial 5551001", &["refused"]);
    let told = check(&mut scene, "@22 desk ann dial 112", &["dial 201"]);
    assert!(!told.contains("refused"), "{told}");
    check(&mut scene, "@23 201 answers", &["dial carrier/112"]);
}

/// Ann has talked and written up; 72 hours are the agents' own.
fn written_up() -> Scene {
    let mut scene = Scene::new(with_codes(true));
    scene.play(TALKING);
    check(&mut scene, "@20 a hangs up\n@21 desk ann names later\n@22 desk ann wrapped-up", &["ann is Ready"]);
    scene
}

#[test]
fn what_came_of_it_is_said_anew_when_it_is_over_and_the_record_says_by_whom_and_when() {
    let mut scene = written_up();
    let records = scene.cdrs.len();
    scene.play("@4000 desk ann not-ready");
    assert_eq!(scene.correct("ann", "sold", Reach::Own), Ok(()));
    let told = scene.facts.last().expect("a fact").clone();
    assert_eq!(told.kind, Kind::Corrected { by: id("ann"), disposition: id("sold") });
    assert_eq!(scene.cdrs.len(), records + 1, "the record is written again, once");
    let last = scene.cdrs.last().expect("a record").clone();
    assert_eq!(last.disposition, Some(Disposition::Code(id("sold"))));
    assert_eq!(last.corrected, Some(Corrected { by: id("ann"), at: told.at }));
    assert!(last.wrap_up_ms.is_some(), "all else stays as it was: {last:?}");
    assert_eq!(cdr::rebuild(&scene.facts).last(), Some(&last), "the record comes from the facts alone");
    assert_eq!(scene.correct("bob", "later", Reach::Any), Ok(()), "a supervisor, later");
    assert_eq!(scene.cdrs.last().and_then(|cdr| cdr.corrected.clone()).map(|said| said.by), Some(id("bob")));
    let facts = scene.facts.len();
    assert_eq!(scene.correct("bob", "later", Reach::Any), Ok(()), "the same word says nothing new");
    assert_eq!(scene.facts.len(), facts);
    everything_adds_up(&scene);
}

#[test]
fn who_had_no_part_in_it_or_comes_too_late_or_names_what_does_not_fit_changes_nothing() {
    let mut scene = written_up();
    let facts = scene.facts.len();
    assert_eq!(scene.correct("bob", "sold", Reach::Own), Err(Refused::NoCall), "not bob's");
    assert_eq!(scene.correct("ann", "broken", Reach::Own), Err(Refused::UnknownDisposition), "not of this queue");
    scene.play("@259219 desk ann not-ready");
    let late = scene.facts.len();
    assert_eq!(scene.correct("ann", "sold", Reach::Own), Ok(()), "72 hours after the end, to the second");
    scene.play("@259221 desk ann ready");
    assert_eq!(scene.correct("ann", "later", Reach::Own), Err(Refused::TooLate));
    assert_eq!(scene.correct("bob", "later", Reach::Any), Ok(()), "a supervisor at any time");
    let said =
        |from: usize| scene.facts[from..].iter().filter(|fact| matches!(fact.kind, Kind::Corrected { .. })).count();
    assert_eq!((said(facts), said(late)), (2, 2));
}

#[test]
fn while_the_customer_talks_nothing_is_corrected_and_a_wrap_up_that_runs_takes_the_later_word() {
    let mut scene = Scene::new(with_codes(true));
    scene.play(TALKING);
    assert_eq!(scene.correct("bob", "sold", Reach::Any), Err(Refused::WrongState));
    scene.play("@20 a hangs up");
    assert_eq!(scene.correct("bob", "later", Reach::Any), Ok(()));
    let disposition = |scene: &Scene| {
        let last = scene.cdrs.last().expect("a record");
        (last.disposition.clone(), last.corrected.is_some())
    };
    assert_eq!(disposition(&scene), (Some(Disposition::Code(id("later"))), true));
    check(&mut scene, "@22 desk ann names sold\n@23 desk ann wrapped-up", &["WrapUpEnded ann"]);
    assert_eq!(disposition(&scene), (Some(Disposition::Code(id("sold"))), false), "said in its own time, and last");
    everything_adds_up(&scene);
}
