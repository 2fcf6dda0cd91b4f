//! Ladders that a day prints.

use sim::{Plan, World, ladder};

fn morning() -> (World, Vec<String>) {
    let mut world = World::new(Plan::day(3).hours(4)).expect("a world");
    let trace = super::days::live(&mut world);
    (world, trace)
}

/// The number of the first contact whose line says this.
fn first(trace: &[String], what: &str) -> u32 {
    let line = trace.iter().find(|line| line.contains(what)).expect("a contact");
    let word = line.split_whitespace().find_map(|word| word.strip_prefix('#')).expect("a number");
    word.parse().expect("a number")
}

#[track_caller]
fn in_order(ladder: &str, steps: &[&str]) {
    let mut rest = ladder;
    for step in steps {
        let at = rest.find(step).unwrap_or_else(|| panic!("no {step:?} where it should be in\n{ladder}"));
        rest = &rest[at + step.len()..];
    }
}

#[test]
fn a_call_s_ladder_goes_from_its_invite_to_its_bye() {
    let (world, trace) = morning();
    let ladder = ladder::of(&world.stage.journal, first(&trace, "talks to")).expect("a ladder");
    in_order(&ladder, &["carrier", "box", "phone", " INVITE ", "200 INVITE", " ACK ", " INVITE ", " BYE "]);

    let ladder = ladder::of(&world.stage.journal, first(&trace, "is taken by south")).expect("a ladder");
    in_order(&ladder, &["box north", "box south", "phone 3", " INVITE ", " offer ", " INVITE ", " accept ", " end "]);
}

#[test]
fn a_contact_that_never_was_has_no_ladder() {
    let mut world = World::new(Plan::day(3).hours(1).calm()).expect("a world");
    super::days::live(&mut world);
    assert_eq!(ladder::of(&world.stage.journal, 100_000), None);
}
