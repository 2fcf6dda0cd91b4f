//! The folds alone: facts into records, records into figures, and a restart that closes what was open.

use floor::{
    book::{Book, Remembered},
    cdr::{close_open, closed, rebuild},
    interval::{self, Key, start_of},
    will::Estate,
};
use model::{
    ContactId, Millis, QueueId,
    cdr::{Cdr, Direction, Outcome},
    fact::{AgentState, EndCause, Fact, Kind, OfferOutcome},
    leaving::{Figures, Interval},
};
use proptest::prelude::*;

use crate::{
    branch::{self, id},
    scene::Scene,
};

fn cdr(contact: u128, queue: &str, queued: i64, outcome: Outcome, wait_ms: u64) -> Cdr {
    let queued = Millis(queued);
    let at = Millis(queued.0 + i64::try_from(wait_ms).expect("small"));
    Cdr {
        contact: ContactId(contact),
        direction: Direction::Inbound,
        trunk: None,
        number: None,
        arrived: queued,
        queue: Some(id(queue)),
        queued: Some(queued),
        answered: (outcome == Outcome::Answered).then_some(at),
        ended: at,
        agent: None,
        answered_at: None,
        outcome,
        cause: EndCause::Caller,
        wait_ms,
        talk_ms: 0,
        hold_ms: 0,
        wrap_up_ms: None,
        offers: 0,
        recording: None,
        sound: None,
        released: None,
        diverted: None,
        unkeyed: None,
        consent: None,
        disposition: None,
        corrected: None,
        called_back: None,
    }
}

fn within(queue: &QueueId) -> u32 {
    if queue.as_str() == "sales" { 20 } else { 60 }
}

#[test]
fn a_contact_counts_in_the_interval_in_which_it_was_queued_and_as_it_was_written_last() {
    let quarter = 900_000;
    let first = cdr(1, "sales", quarter - 1, Outcome::Answered, 20_000);
    let written_up = Cdr { wrap_up_ms: Some(10_499), talk_ms: 59_500, ..first.clone() };
    let cdrs = [
        first,
        cdr(2, "sales", quarter, Outcome::Answered, 20_001),
        cdr(3, "sales", quarter + 5, Outcome::Abandoned, 3_000),
        cdr(4, "repairs", quarter + 5, Outcome::Abandoned, 60_001),
        Cdr { queue: None, queued: None, ..cdr(5, "sales", quarter, Outcome::InFlow, 0) },
        written_up,
    ];
    let cells = interval::fold(&cdrs, 900, within);
    let cell = |start: i64, queue: &str| cells.get(&Key { start: Millis(start), queue: id(queue) }).copied();
    let answered = Figures { offered: 1, answered: 1, ..Figures::default() };
    assert_eq!(cells.len(), 3);
    assert_eq!(cell(0, "sales"), Some(Figures { answered_in_t: 1, wait_s: 20, talk_s: 60, wrap_up_s: 10, ..answered }));
    assert_eq!(
        cell(quarter, "sales"),
        Some(Figures { offered: 2, wait_s: 20, abandoned: 1, abandoned_in_t: 1, ..answered })
    );
    assert_eq!(cell(quarter, "repairs"), Some(Figures { offered: 1, abandoned: 1, ..Figures::default() }));
}

#[test]
fn an_interval_begins_at_a_multiple_of_its_length_also_before_the_epoch() {
    let table = [(0, 0), (899_999, 0), (900_000, 900_000), (-1, -900_000), (i64::MIN, i64::MIN)];
    for (at, start) in table {
        assert_eq!(start_of(Millis(at), 900), Millis(start), "{at}");
    }
    assert_eq!(start_of(Millis(1_500), 0), Millis(1_000));
}

proptest! {
    #[test]
    fn parts_equal_totals(rows in prop::collection::vec((0..4_000_000_i64, any::<bool>(), 0..90_000_u64, any::<bool>()), 0..60)) {
        let outcome = |answered| if answered { Outcome::Answered } else { Outcome::Abandoned };
        let queue = |sales| if sales { "sales" } else { "repairs" };
        let cdrs: Vec<Cdr> = (1..)
            .zip(rows)
            .map(|(n, (at, answered, wait, sales))| cdr(n, queue(sales), at, outcome(answered), wait))
            .collect();
        let total = |length| {
            interval::fold(&cdrs, length, within).into_values().fold(Figures::default(), interval::sum)
        };
        prop_assert_eq!(total(900), total(86_400));
        prop_assert_eq!(total(900).offered, total(900).answered + total(900).abandoned);
        prop_assert_eq!(usize::try_from(total(900).offered).unwrap_or(0), cdrs.len());
    }
}

fn revisions(cells: &[Interval]) -> Vec<(i64, u32, u32)> {
    cells.iter().map(|cell| (cell.start.0 / QUARTER_MS, cell.revision, cell.figures.offered)).collect()
}

const QUARTER_MS: i64 = 900_000;

#[test]
fn a_book_that_was_given_only_part_of_an_intervals_records_leaves_it_as_it_was_said() {
    let config = branch::config();
    let at = |quarters: i64| Millis(quarters * QUARTER_MS);
    let mut book = Book::new(900, at(100), Remembered::default());
    let early = cdr(1, "sales", at(98).0 + 1, Outcome::Answered, 1_000);
    let long = cdr(2, "sales", at(98).0 + 2, Outcome::Answered, 2 * 900_000);
    let other = cdr(3, "sales", at(99).0 + 3, Outcome::Answered, 1_000);
    for record in [&early, &long, &other] {
        book.note(record);
    }
    let said = book.close(at(101), &config);
    assert_eq!(revisions(&said), [(98, 0, 2), (99, 0, 1)]);
    // The next life has only what ended since then: of interval 98 one of two.
    let since = Millis(at(99).0);
    let remembered = Remembered { cdrs: vec![long.clone(), other], since, said };
    let mut book = Book::new(900, at(101), remembered);
    book.note(&Cdr { wrap_up_ms: Some(9_000), ..long });
    assert_eq!(revisions(&book.close(at(102), &config)), []);
}

#[test]
fn a_book_revises_nothing_that_the_gate_has_forgotten() {
    let config = branch::config();
    let minute = |n: i64| Millis(n * 60_000);
    let mut book = Book::new(60, minute(0), Remembered::default());
    let record = cdr(1, "sales", 1, Outcome::Answered, 1_000);
    book.note(&record);
    assert_eq!(book.close(minute(1), &config).len(), 1);
    book.close(minute(299), &config);
    book.note(&Cdr { wrap_up_ms: Some(9_000), ..record.clone() });
    assert_eq!(book.close(minute(300), &config)[0].revision, 1, "five hours later it still does");
    book.close(minute(302), &config);
    book.note(&Cdr { wrap_up_ms: Some(99_000), ..record });
    assert_eq!(book.close(minute(303), &config), []);
}

#[test]
fn a_restart_closes_offers_contacts_wrap_ups_and_sign_ins() {
    let mut scene = Scene::new(branch::config());
    scene.play(
        "@0 desk ann sign-in
         @0 desk ann ready
         @0 desk bob sign-in
         @0 desk bob ready
         @1 alice calls 5550100
         @1 alice confirms
         @2 alice heard
         @3 201 answers
         @9 beate calls 5550100
         @9 beate confirms
         @10 alice hangs up
         @11 beate heard",
    );
    let now = Millis(scene.wall().0 + 60_000);
    let facts = close_open(&scene.facts, now, &Estate::default());
    let beate = scene.facts.iter().rev().find_map(|fact| fact.contact);
    let alice = scene.facts.iter().find_map(|fact| fact.contact);
    let fact = |contact, kind| Fact { seq: 0, at: now, contact, kind };
    let signed_out =
        |agent: &str| fact(None, Kind::AgentState { agent: id(agent), state: AgentState::SignedOut, pause: None });
    let expected = [
        fact(beate, Kind::OfferEnded { agent: id("bob"), outcome: OfferOutcome::Withdrawn }),
        fact(beate, Kind::Ended { cause: EndCause::Restart }),
        fact(alice, Kind::WrapUpEnded { agent: id("ann") }),
        signed_out("ann"),
        signed_out("bob"),
    ];
    assert_eq!(facts, expected);

    let all: Vec<Fact> = scene.facts.iter().chain(&facts).cloned().collect();
    assert_eq!(close_open(&all, now, &Estate::default()), []);
    let facts_of =
        |contact| Ok::<_, ()>(scene.facts.iter().filter(|fact| fact.contact == Some(contact)).cloned().collect());
    let mut records = closed(&facts, facts_of).expect("facts");
    records.sort_by_key(|cdr| cdr.contact);
    assert_eq!(records, rebuild(&all), "each that was open has a record, with its wrap-up");
    let causes: Vec<(EndCause, Outcome)> = rebuild(&all).iter().map(|cdr| (cdr.cause, cdr.outcome)).collect();
    assert!(causes.contains(&(EndCause::Restart, Outcome::Abandoned)), "{causes:?}");
    assert!(causes.contains(&(EndCause::Caller, Outcome::Answered)), "{causes:?}");
}
