//! Each row takes effect once, whatever happens on the way.

use std::time::Duration;

use model::Epoch;
use proptest::prelude::*;
use wire::{
    frame::Frame,
    outbox::Row,
    session::{End, Spent, at_cloud},
};

use crate::pair::Pair;

fn assert_once(pair: &Pair, written: u64) {
    let expected: Vec<(Epoch, u64)> = (1..=written).map(|seq| (Epoch(1), seq)).collect();
    assert_eq!(pair.database.effects, expected);
    assert_eq!(pair.ledger.watermark, written);
    assert!(pair.ledger.rows.is_empty(), "everything acknowledged was pruned");
}

#[test]
fn rows_written_before_and_during_a_session_arrive_in_order() {
    let mut pair = Pair::new();
    (0..3000).for_each(|_| pair.write());
    pair.connect();
    pair.settle();
    (0..10).for_each(|_| pair.write());
    pair.settle();
    assert_once(&pair, 3010);
    assert_eq!(pair.ends, []);
}

/// Counts the steps of an undisturbed delivery, then repeats it with a cut at each of them.
#[test]
fn a_cut_at_any_step_neither_loses_nor_doubles_a_row() {
    for cut_at in 0..60 {
        for answered in [true, false] {
            let mut pair = Pair::new();
            (0..20).for_each(|_| pair.write());
            pair.connect();
            for step in 0..60 {
                if step == cut_at {
                    pair.cut();
                    pair.connect();
                }
                match step % 4 {
                    0 => pair.deliver_to_cloud(),
                    1 => pair.commit(answered || step != cut_at + 1),
                    2 => pair.deliver_to_box(),
                    _ => pair.write(),
                }
            }
            pair.settle();
            assert_once(&pair, 35);
        }
    }
}

#[test]
fn a_batch_that_becomes_durable_after_the_reconnect_is_not_doubled() {
    let mut pair = Pair::new();
    (0..5).for_each(|_| pair.write());
    pair.connect();
    pair.deliver_to_cloud();
    pair.deliver_to_box();
    while pair.storing.is_empty() {
        pair.deliver_to_cloud();
    }
    pair.connect();
    pair.deliver_to_cloud();
    let (epoch, rows) = pair.storing.pop_front().unwrap();
    pair.database.ingest(epoch, &rows);
    pair.settle();
    assert_once(&pair, 5);
}

#[test]
fn a_restored_disk_begins_a_new_epoch_and_its_rows_arrive_there() {
    let mut pair = Pair::new();
    (0..10).for_each(|_| pair.write());
    pair.connect();
    pair.settle();
    pair.cut();
    pair.ledger.watermark = 2;
    pair.ledger.rows.clear();
    (0..3).for_each(|_| pair.ledger.write());
    pair.connect();
    pair.settle();
    assert_eq!(pair.ends, [("box", End::EpochSpent(Spent::CloudAhead { watermark: 10, last: 5 }))]);
    assert_eq!(pair.database.effects[10..], [(Epoch(2), 1), (Epoch(2), 2), (Epoch(2), 3)]);
}

#[test]
fn a_cloud_that_lost_rows_makes_the_box_begin_a_new_epoch() {
    let mut pair = Pair::new();
    (0..10).for_each(|_| pair.write());
    pair.connect();
    pair.settle();
    pair.cut();
    pair.database.watermarks.insert(Epoch(1), 4);
    pair.ledger.write();
    pair.connect();
    pair.settle();
    assert_eq!(pair.ends, [("box", End::EpochSpent(Spent::RowsMissing { expected: 5 }))]);
    assert_eq!(pair.database.effects[10..], [(Epoch(2), 1)]);
}

#[test]
fn a_gap_on_the_wire_ends_the_session_and_nothing_of_it_is_stored() {
    let mut pair = Pair::new();
    pair.connect();
    pair.settle();
    let rows = vec![wire::outbox::Item { kind: 1, body: vec![1].into() }];
    pair.cloud_input(at_cloud::Input::Frame(Frame::Rows { epoch: Epoch(1), first: 2, rows }));
    assert!(matches!(pair.ends[..], [("cloud", End::Protocol(_))]));
    assert!(pair.storing.is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Write,
    ToCloud,
    ToBox,
    DoubleToCloud,
    Commit,
    CommitUnheard,
    ForgetStore,
    Cut,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Write),
        6 => Just(Step::ToCloud),
        6 => Just(Step::ToBox),
        1 => Just(Step::DoubleToCloud),
        4 => Just(Step::Commit),
        1 => Just(Step::CommitUnheard),
        1 => Just(Step::ForgetStore),
        1 => Just(Step::Cut),
        1 => (1..40u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn any_day_ends_with_each_row_once(steps in proptest::collection::vec(step(), 1..300)) {
        let mut pair = Pair::new();
        let mut written = 0;
        for step in steps {
            if pair.at_box.is_none() || pair.at_cloud.is_none() {
                pair.connect();
            }
            match step {
                Step::Write => {
                    pair.write();
                    written += 1;
                }
                Step::ToCloud => pair.deliver_to_cloud(),
                Step::ToBox => pair.deliver_to_box(),
                Step::DoubleToCloud => {
                    if let Some(frame @ Frame::Rows { .. }) = pair.to_cloud.front() {
                        let twice = frame.clone();
                        pair.to_cloud.push_front(twice);
                    }
                }
                Step::Commit => pair.commit(true),
                Step::CommitUnheard => pair.commit(false),
                // The process died before the transaction.
                Step::ForgetStore => {
                    pair.storing.clear();
                    pair.cut();
                }
                Step::Cut => pair.cut(),
                Step::Wait(s) => pair.pass(Duration::from_secs(s)),
            }
        }
        pair.settle();
        let seqs: Vec<u64> = pair.database.effects.iter().map(|(_, seq)| *seq).collect();
        prop_assert_eq!(seqs, (1..=written).collect::<Vec<u64>>());
        prop_assert_eq!(pair.ledger.watermark, written);
        prop_assert_eq!(pair.ledger.rows, Vec::<Row>::new());
    }
}
