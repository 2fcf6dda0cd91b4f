//! The same seed is the same day, and no day breaks a rule.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sim::{Plan, World, verdict};

/// Runs a day to its end; its trace.
pub fn live(world: &mut World) -> Vec<String> {
    let end = world.end();
    world.run_until(end).expect("the world goes on");
    world.stage.journal.read().collect()
}

fn day(plan: Plan) -> (World, Vec<String>) {
    let mut world = World::new(plan).expect("a world");
    let trace = live(&mut world);
    (world, trace)
}

#[test]
fn the_same_seed_is_the_same_day() {
    let hash = |plan: Plan| hex::encode(Sha256::digest(day(plan).1.join("\n")));
    let first = hash(Plan::day(1).hours(3));
    assert_eq!(first, hash(Plan::day(1).hours(3)), "seed 1 twice");
    assert_ne!(first, hash(Plan::day(2).hours(3)), "another seed");
}

#[test]
fn a_morning_of_the_same_seed_does_not_depend_on_how_often_one_looks_at_it() {
    let plan = Plan::day(3).hours(1);
    let (_, whole) = day(plan.clone());
    let mut world = World::new(plan).expect("a world");
    let mut parts = Vec::new();
    while world.stage.clock.passed() < world.end() {
        let until = world.stage.clock.passed() + Duration::from_secs(97);
        world.run_until(until.min(world.end())).expect("the world goes on");
        parts.extend(world.stage.journal.read());
    }
    assert_eq!(parts, whole);
}

#[test]
fn no_short_day_breaks_a_rule() {
    for seed in 1..=5 {
        let (world, _) = day(Plan::day(seed).hours(3));
        let verdict = verdict::judge(&world).expect("a verdict");
        assert!(verdict.holds(), "seed {seed}\n{verdict}");
    }
}

#[test]
fn at_every_moment_of_a_day_the_completeness_that_is_shown_is_the_true_one() {
    let mut world = World::new(Plan::day(3).hours(6)).expect("a world");
    let mut incomplete = 0;
    while world.stage.clock.passed() < world.end() {
        let until = world.stage.clock.passed() + Duration::from_secs(61);
        world.run_until(until.min(world.end())).expect("the world goes on");
        let found = verdict::completeness(&world).expect("a verdict");
        assert!(found.is_empty(), "at {:?}: {found:?}", world.stage.clock.passed());
        incomplete += verdict::outstanding(&world).expect("a verdict").len();
    }
    assert!(incomplete > 0, "no line was cut long enough to be seen");
}

#[test]
fn a_calm_day_loses_no_line_and_no_process() {
    let (world, trace) = day(Plan::day(5).hours(3).calm());
    let verdict = verdict::judge(&world).expect("a verdict");
    assert!(verdict.holds(), "{verdict}");
    assert_eq!((world.branches[0].lives, world.cloud.process), (1, 1));
    assert!(!trace.iter().any(|line| line.contains("the line is cut") || line.contains("dies")));
}

#[test]
fn a_day_has_what_a_day_has() {
    let (_, trace) = day(Plan::day(3).hours(8));
    for what in [
        "waits for sales",
        "picks up",
        "does not pick up",
        "is recorded",
        "asks south for help",
        "is taken by south",
        "helps north",
        "the line is cut",
        "the line is whole again",
        "the calls process dies",
        "ends: Restart",
        "the sync process dies",
        "the cloud dies",
        "the branch edits",
        "the centre edits",
        "configuration",
        "rows leave",
    ] {
        assert!(trace.iter().any(|line| line.contains(what)), "nothing {what:?} in the day");
    }
}

#[test]
fn the_same_day_with_other_callers_leaves_the_branch_byte_for_byte_the_same() {
    let left = |plan: Plan| day(plan).0.egress();
    let first = left(Plan::day(4).hours(3));
    assert!(first.len() > 1_000);
    assert!(first == left(Plan::day(4).hours(3).people(7)), "other numbers and names");
    assert!(first != left(Plan::day(6).hours(3)), "another day");
}
