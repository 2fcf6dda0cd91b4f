//! A verdict that finds nothing proves nothing unless it finds what is broken on purpose.

use sim::{Fault, Plan, World, verdict};

#[track_caller]
fn finds(fault: Fault, rule: &'static str) {
    let mut world = World::new(Plan::day(2).hours(3).with(fault)).expect("a world");
    super::days::live(&mut world);
    let verdict = verdict::judge(&world).expect("a verdict");
    assert!(verdict.broken().contains(&rule), "{fault:?} was not found\n{verdict}");
}

#[test]
fn lost_records_are_found() {
    finds(Fault::RecordsLost, verdict::CONTACTS);
}

#[test]
fn rows_that_take_effect_twice_are_found() {
    finds(Fault::RowsTakenTwice, verdict::ROWS);
}

#[test]
fn a_caller_s_number_on_the_line_is_found() {
    finds(Fault::NumberInConfiguration, verdict::OFFERS);
}

#[test]
fn edits_that_never_arrive_are_found() {
    finds(Fault::EditsKeptBack, verdict::CONFIGURATION);
}

#[test]
fn figures_that_leave_without_their_records_are_found() {
    finds(Fault::RecordsLost, verdict::FIGURES);
}
