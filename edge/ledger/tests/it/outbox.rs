//! Rows for the cloud and the egress chain that is written with them.

use gate::{Carried, Class, Item};
use ledger::{Batch, Error, Position, Seen, Testimony, Witness};
use model::{Epoch, Millis};

use crate::support::{Place, health, number_of};

fn rows(numbers: std::ops::Range<u32>) -> Batch {
    Batch { outbox: numbers.map(health).collect(), ..Batch::default() }
}

#[test]
fn rows_come_in_order_and_each_has_its_line_in_the_egress_chain() {
    let place = Place::new();
    let ledger = place.open();
    ledger.writer().submit(rows(0..3)).wait().unwrap();
    let done = ledger.writer().submit(rows(3..5)).wait().unwrap();
    assert_eq!(done.outbox, Some(ledger::Span { first: 4, last: 5 }));
    let reader = ledger.reader().unwrap();
    let found = reader.outbox_after(1, 3).unwrap();
    let seen: Vec<(u64, u32, u16)> = found.iter().map(|row| (row.seq, number_of(&row.body), row.kind)).collect();
    assert_eq!(seen, [(2, 1, 1), (3, 2, 1), (4, 3, 1)]);
    let lines = reader.egress(0, 100).unwrap();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[1].bytes, u64::try_from(found[0].body.len()).unwrap());
    assert_eq!(reader.egress_verify().unwrap(), 5);
}

#[test]
fn the_watermark_moves_forward_only_and_its_rows_go() {
    let place = Place::new();
    let ledger = place.open();
    let epoch = ledger.epoch();
    ledger.writer().submit(rows(0..1_200)).wait().unwrap();
    ledger.set_watermark(epoch, 1_100).wait().unwrap();
    ledger.set_watermark(epoch, 20).wait().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.position().unwrap(), Position { epoch, watermark: 1_100, last: 1_200 });
    assert_eq!(ledger.set_watermark(epoch, 1_201).wait(), Err(Error::AheadOfOutbox { acked: 1_201, last: 1_200 }));
    assert_eq!(ledger.set_watermark(Epoch(1), 1_150).wait(), Err(Error::Epoch));
    // Deleting goes in steps between transactions; a close lets the last step finish or leaves it to the next start.
    ledger.close();
    let ledger = place.open();
    while ledger.reader().unwrap().outbox_after(0, 1).unwrap()[0].seq != 1_101 {
        ledger.writer().submit(Batch::default()).wait().unwrap();
    }
    assert_eq!(ledger.reader().unwrap().outbox_after(0, 1_000).unwrap().len(), 100);
    assert_eq!(ledger.epoch(), epoch, "a restart is no new life");
    let done = ledger.writer().submit(rows(1_200..1_201)).wait().unwrap();
    assert_eq!(done.outbox, Some(ledger::Span { first: 1_201, last: 1_201 }));
}

#[test]
fn a_new_epoch_counts_what_still_waits_from_one() {
    let place = Place::new();
    let ledger = place.open();
    let old = ledger.epoch();
    ledger.writer().submit(rows(0..6)).wait().unwrap();
    ledger.set_watermark(old, 2).wait().unwrap();
    // Deleting may come later than the watermark; what the cloud has must not be counted again.
    let epoch = ledger.new_epoch().unwrap();
    assert_ne!(epoch, old);
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.position().unwrap(), Position { epoch, watermark: 0, last: 4 });
    let found = reader.outbox_after(0, 10).unwrap();
    let seen: Vec<(u64, u32)> = found.iter().map(|row| (row.seq, number_of(&row.body))).collect();
    assert_eq!(seen, [(1, 2), (2, 3), (3, 4), (4, 5)]);
    let done = ledger.writer().submit(rows(6..7)).wait().unwrap();
    assert_eq!((done.epoch, done.outbox), (epoch, Some(ledger::Span { first: 5, last: 5 })));
}

#[test]
fn two_processes_extend_one_chain_and_see_each_others_rows() {
    let place = Place::new();
    let (calls, sync) = (place.open(), place.open());
    assert_eq!(calls.epoch(), sync.epoch());
    let reader = sync.reader().unwrap();
    let before = reader.data_version().unwrap();
    calls.writer().submit(rows(0..1)).wait().unwrap();
    assert_ne!(reader.data_version().unwrap(), before);
    let tickets: Vec<_> = (1..40)
        .map(|n| {
            let egress = vec![Item::note(Carried::Configuration, Millis(n), &n.to_be_bytes())];
            let number = u32::try_from(n).unwrap();
            let noted = sync.writer().submit(Batch { egress, ..Batch::default() });
            (noted, calls.writer().submit(rows(number..number + 1)))
        })
        .collect();
    for (noted, row) in tickets {
        noted.wait().unwrap();
        row.wait().unwrap();
    }
    assert_eq!(reader.egress_verify().unwrap(), 79);
    let lines = reader.egress(0, 100).unwrap();
    assert_eq!(lines.iter().filter(|line| line.kind == Class::Configuration).count(), 39);
    assert_eq!(reader.position().unwrap().last, 40);
}

#[test]
fn what_left_can_be_read_for_ninety_days_and_its_hash_for_ever() {
    let place = Place::new();
    let ledger = place.open();
    let day = 24 * 3_600 * 1_000;
    let note = |at: i64| Item::note(Carried::Configuration, Millis(at), &at.to_be_bytes());
    for at in [0, 1, 100 * day, 100 * day + 120_000] {
        ledger.writer().submit(Batch { egress: vec![note(at)], ..Batch::default() }).wait().unwrap();
    }
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.egress_body(0).unwrap(), None);
    assert_eq!(reader.egress_body(2).unwrap(), Some((100 * day).to_be_bytes().to_vec()));
    assert_eq!(reader.egress_verify().unwrap(), 4);
    assert_eq!(reader.egress_by_class(Millis(1), Millis(100 * day)).unwrap(), [(Class::Configuration, 1, 8)]);
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute("UPDATE egress_bodies SET body = x'00' WHERE line = 3", []).unwrap();
    assert_eq!(reader.egress_verify(), Err(Error::EgressBroken { index: 3 }));
}

#[test]
fn a_witness_is_shown_each_checkpoint_once_and_in_order() {
    let place = Place::new();
    let ledger = place.open();
    ledger.writer().submit(rows(0..2_500)).wait().unwrap();
    let reader = ledger.reader().unwrap();
    let unseen = |by| reader.unseen(by, 9).unwrap().iter().map(|checkpoint| checkpoint.first).collect::<Vec<_>>();
    let made: Vec<u64> = reader.checkpoints(0, 9).unwrap().iter().map(|checkpoint| checkpoint.first).collect();
    assert!(made.len() >= 2, "{made:?}");
    assert_eq!(unseen(Witness::Cloud), made);
    assert_eq!(reader.seen(Witness::Cloud).unwrap(), None);
    let said = Testimony { first: 0, witness: Witness::Cloud, at: Millis(5), signature: vec![7] };
    ledger.writer().submit(Batch { testimonies: vec![said.clone()], ..Batch::default() }).wait().unwrap();
    assert_eq!((unseen(Witness::Cloud), unseen(Witness::Box)), (made[1..].to_vec(), made.clone()));
    assert_eq!(reader.testimony(0, Witness::Cloud).unwrap(), Some(said));
    let line = made[1] - 1;
    assert_eq!(reader.seen(Witness::Cloud).unwrap(), Some(Seen { checkpoints: 1, line, at: Millis(5) }));
}

#[test]
fn one_flipped_byte_in_the_chain_or_a_checkpoint_is_found() {
    let place = Place::new();
    let ledger = place.open();
    for _ in 0..3 {
        ledger.writer().submit(rows(0..800)).wait().unwrap();
    }
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.egress_verify().unwrap(), 2_400);
    assert!(reader.checkpoints(0, 9).unwrap().len() >= 2);
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute("UPDATE checkpoints SET root = zeroblob(32) WHERE first = 0", []).unwrap();
    assert_eq!(reader.egress_verify(), Err(Error::EgressBroken { index: 0 }));
    db.execute("UPDATE egress SET bytes = bytes + 1 WHERE line = 1234", []).unwrap();
    assert_eq!(reader.egress_verify(), Err(Error::EgressBroken { index: 1_234 }));
}
