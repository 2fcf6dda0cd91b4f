//! Rows of outboxes: once, in order, the poisoned ones aside.

use db::{
    Db,
    ingest::{self, Batch, Refused, Row, Taken},
    interval::{self, Question},
};
use model::{Epoch, Millis, leaving};

use crate::{BOX, EPOCH, START, body, fresh, interval, read, site};

pub fn batch(first: u64, rows: Vec<Row>) -> Batch {
    Batch { box_id: BOX, site: site(), epoch: EPOCH, first, rows }
}

/// Rows `first..=last`: each its own interval, so that effects can be counted.
pub fn numbered(first: u64, last: u64) -> Batch {
    let rows = (first..=last).map(|n| Row::Good(leaving::Leaving::Interval(interval(n as i64, None, 1, 1))));
    batch(first, rows.collect())
}

pub fn take(db: &Db, batch: Batch) -> Result<Taken, Refused> {
    db.write_blocking(move |conn| ingest::take(conn, &batch, Millis(START)))
}

pub fn effects(db: &Db) -> (u64, u64) {
    read(db, |conn| {
        let sql = r#"SELECT count(*) FROM (SELECT DISTINCT start, length_s FROM "interval") AS one"#;
        Ok((conn.only::<i64>(sql, &[])?.cast_unsigned(), ingest::watermark(conn, BOX, EPOCH)?))
    })
}

fn ask(db: &Db, length_s: u32) -> interval::Answer {
    let question = Question { from: Millis(START), to: Millis(START + 86_400_000), length_s };
    read(db, |conn| interval::ask(conn, question))
}

#[test]
fn rows_sent_twice_take_effect_once() {
    let (_dir, db) = fresh();
    let expected = Taken { watermark: 5, fresh: 5, ..Taken::default() };
    assert_eq!(take(&db, numbered(1, 5)).unwrap(), expected);
    let expected = Taken { watermark: 7, fresh: 2, repeated: 3, aside: 0 };
    assert_eq!(take(&db, numbered(3, 7)).unwrap(), expected);
    let expected = Taken { watermark: 7, repeated: 2, ..Taken::default() };
    assert_eq!(take(&db, numbered(1, 2)).unwrap(), expected);
    assert_eq!(effects(&db), (7, 7));
}

#[test]
fn a_gap_is_refused_and_changes_nothing() {
    let (_dir, db) = fresh();
    take(&db, numbered(1, 2)).unwrap();
    assert!(matches!(take(&db, numbered(4, 9)), Err(Refused::Gap { watermark: 2, found: 4 })));
    assert!(matches!(take(&db, numbered(0, 0)), Err(Refused::Gap { found: 0, .. })));
    assert_eq!(effects(&db), (2, 2));
}

#[test]
fn each_life_of_an_outbox_counts_for_itself_up_to_the_limit() {
    let (_dir, db) = fresh();
    for epoch in 1..=ingest::EPOCHS_MAX {
        take(&db, Batch { epoch: Epoch(epoch as u128), ..numbered(1, 1) }).unwrap();
    }
    assert!(matches!(take(&db, Batch { epoch: Epoch(9999), ..numbered(1, 1) }), Err(Refused::Epochs)));
    assert_eq!(take(&db, numbered(2, 2)).unwrap().watermark, 2, "a known one goes on");
}

#[test]
fn a_poisoned_row_is_put_aside_with_its_reason_and_stops_nobody() {
    let (_dir, db) = fresh();
    let crooked = leaving::Interval { start: Millis(START + 1), ..interval(1, None, 1, 1) };
    let endless = leaving::Interval { length_s: 0, ..interval(1, None, 1, 1) };
    let rows = vec![
        ingest::decode(ingest::KIND_LEAVING, &body(&leaving::Leaving::Interval(interval(1, None, 1, 1)))),
        ingest::decode(ingest::KIND_LEAVING, b"\xff\xff"),
        ingest::decode(77, b"later"),
        ingest::decode(ingest::KIND_LEAVING, &body(&leaving::Leaving::Interval(crooked))),
        ingest::decode(ingest::KIND_LEAVING, &body(&leaving::Leaving::Interval(endless))),
        ingest::decode(ingest::KIND_LEAVING, &body(&leaving::Leaving::Interval(interval(2, None, 1, 1)))),
    ];
    let taken = take(&db, batch(1, rows)).unwrap();
    assert_eq!(taken, Taken { watermark: 6, fresh: 6, repeated: 0, aside: 4 });
    assert_eq!(effects(&db).0, 2);
    let (aside, seen) = read(&db, |conn| ingest::aside(conn, BOX));
    assert_eq!(seen, 4);
    assert_eq!(aside.iter().map(|row| (row.seq, row.kind)).collect::<Vec<_>>(), [(2, 1), (3, 77), (4, 1), (5, 1)]);
    assert!(aside[2].reason.contains("cannot start"), "{}", aside[2].reason);
}

#[test]
fn only_so_many_poisoned_rows_are_kept_and_all_are_counted() {
    let (_dir, db) = fresh();
    let rows = ingest::ASIDE_MAX + 5;
    take(&db, batch(1, (0..rows).map(|_| ingest::decode(9, &[0; ingest::ASIDE_LEN_MAX + 1])).collect())).unwrap();
    let (aside, seen) = read(&db, |conn| ingest::aside(conn, BOX));
    assert_eq!((aside.len() as i64, seen), (ingest::ASIDE_MAX, rows));
    assert_eq!(effects(&db), (0, rows as u64));
}

#[test]
fn the_highest_revision_of_a_cell_wins_whole_in_any_order() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 3, 1]] {
        let (_dir, db) = fresh();
        let cell =
            |revision| Row::Good(leaving::Leaving::Interval(interval(0, Some("sales"), revision, revision * 10)));
        take(&db, batch(1, order.map(cell).to_vec())).unwrap();
        let cells = ask(&db, 900).cells;
        assert_eq!((cells.len(), cells[0].revision, cells[0].figures.offered), (1, 3, 30), "{order:?}");
    }
}

#[test]
fn longer_intervals_are_sums_of_the_short_ones() {
    let (_dir, db) = fresh();
    let cell = |(n, queue)| Row::Good(leaving::Leaving::Interval(interval(n, queue, 1, 1)));
    let sales = Some("sales");
    let rows = [(0, sales), (1, sales), (3, sales), (4, sales), (4, None)].map(cell);
    take(&db, batch(1, rows.to_vec())).unwrap();
    let hours: Vec<_> = ask(&db, 3600)
        .cells
        .iter()
        .map(|cell| ((cell.start.0 - START) / 3_600_000, cell.queue.is_some(), cell.figures.offered))
        .collect();
    assert_eq!(hours, [(0, true, 3), (1, false, 1), (1, true, 1)]);
    assert!(ask(&db, 600).cells.is_empty(), "a shorter interval cannot be had from a longer one");
    assert_eq!(effects(&db).0, 4, "an interval of two queues is one interval");
}

#[test]
fn the_last_health_to_arrive_is_the_latest() {
    let (_dir, db) = fresh();
    let health = |at| leaving::Health {
        at: Millis(at),
        processes_up: 3,
        restarts: 0,
        disk_free_percent: 50,
        phones_registered: 4,
        trunks_up: 1,
        trunks: 1,
        intervals_closed: 9,
        slot: 0,
        version: [1, 2, 3],
        alone: Vec::new(),
    };
    let row = |at| Row::Good(leaving::Leaving::Health(health(at)));
    take(&db, batch(1, vec![row(START + 50), row(START - 50)])).unwrap();
    let latest = read(&db, |conn| db::health::of_site(conn, &site()));
    assert_eq!(latest.iter().map(|latest| latest.health.at.0 - START).collect::<Vec<_>>(), [-50]);
}
