//! What was acknowledged is there: after a cut log, an old copy, a full disk, a damaged file.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ledger::{Batch, BranchKey, Error, Ledger, World, set_aside};

use crate::support::{KEY, Place, arrived, facts, health, number_of, quick};

fn copy(from: &Path, to: &Path, suffix: &str) {
    let name = |base: &Path| format!("{}{suffix}", base.display());
    match fs::copy(name(from), name(to)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
}

/// What the disk holds when the power goes: the file first, then its log, as a write-ahead log is ordered.
fn snapshot(from: &Path, to: &Path) {
    copy(from, to, ".life");
    // A checkpoint may move pages between the two copies: hold the writers off for that moment.
    let db = rusqlite::Connection::open(from).unwrap();
    db.busy_timeout(Duration::from_secs(10)).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    copy(from, to, "");
    copy(from, to, "-wal");
    db.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_copy_taken_at_any_moment_holds_every_acknowledged_row_without_a_gap() {
    let place = Place::new();
    let ledger = place.open();
    let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let stream = {
        let (acknowledged, stop, writer) = (Arc::clone(&acknowledged), Arc::clone(&stop), ledger.writer());
        thread::spawn(move || {
            for number in 0_u32.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let batch = Batch {
                    facts: vec![arrived(number.into(), 0), arrived(number.into(), 1)],
                    outbox: vec![health(number)],
                    ..Batch::default()
                };
                let done = writer.submit(batch).wait().unwrap();
                acknowledged.store(done.facts.unwrap().last, Ordering::SeqCst);
            }
        })
    };
    for round in 0..12 {
        while acknowledged.load(Ordering::SeqCst) < round * 14 {
            thread::yield_now();
        }
        let held = acknowledged.load(Ordering::SeqCst);
        let copied = Place::new();
        snapshot(&place.path, &copied.path);
        let reopened = copied.open();
        let reader = reopened.reader().unwrap();
        let seqs: Vec<u64> = reader.facts_after(0, 1_000_000).unwrap().iter().map(|fact| fact.seq).collect();
        assert_eq!(reopened.epoch(), ledger.epoch());
        assert!(u64::try_from(seqs.len()).unwrap() >= held, "{held} acknowledged, {} found", seqs.len());
        assert!((1..).zip(&seqs).all(|(expected, seq)| expected == *seq), "a gap");
        let rows = reader.outbox_after(0, 1_000_000).unwrap();
        assert_eq!(rows.len() * 2, seqs.len(), "facts and their outbox row are one transaction");
        assert!((0..).zip(&rows).all(|(expected, row)| expected == number_of(&row.body)));
        assert_eq!(reader.egress_verify().unwrap(), u64::try_from(rows.len()).unwrap());
    }
    stop.store(true, Ordering::SeqCst);
    stream.join().unwrap();
}

#[test]
fn a_log_cut_at_any_byte_loses_only_what_was_not_yet_whole() {
    let place = Place::new();
    let ledger = place.open();
    for number in 0..8 {
        ledger.writer().submit(facts(vec![arrived(number, 0)])).wait().unwrap();
    }
    let wal = fs::read(format!("{}-wal", place.path.display())).unwrap();
    let mut last = 8;
    for cut in (0..=wal.len()).rev().step_by(1_777) {
        let copied = Place::new();
        copy(&place.path, &copied.path, "");
        fs::write(format!("{}-wal", copied.path.display()), &wal[..cut]).unwrap();
        let reader = copied.open().reader().unwrap();
        let found: u64 = {
            let db = rusqlite::Connection::open(&copied.path).unwrap();
            db.query_row("SELECT count(*) FROM facts", [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
        };
        assert!(found <= last, "fewer bytes cannot hold more");
        last = found;
        drop(reader);
    }
    assert_eq!(last, 0);
}

#[test]
fn a_database_put_back_from_an_old_copy_begins_a_new_epoch() {
    let place = Place::new();
    let old = Place::new();
    let ledger = place.open();
    let epoch = ledger.epoch();
    ledger.writer().submit(facts(vec![arrived(1, 0)])).wait().unwrap();
    snapshot(&place.path, &old.path);
    ledger.writer().submit(facts(vec![arrived(2, 0)])).wait().unwrap();
    ledger.close();
    let reopened = place.open();
    assert_eq!(reopened.epoch(), epoch, "the same disk goes on in its epoch");
    reopened.close();
    copy(&old.path, &place.path, "");
    copy(&old.path, &place.path, "-wal");
    fs::remove_file(format!("{}-shm", place.path.display())).ok();
    let restored = place.open();
    assert_ne!(restored.epoch(), epoch);
    let done = restored.writer().submit(facts(vec![arrived(3, 0)])).wait().unwrap();
    assert_eq!((done.epoch, done.facts.unwrap().first), (restored.epoch(), 1));
}

#[test]
fn a_database_without_its_life_file_begins_a_new_epoch() {
    let place = Place::new();
    let ledger = place.open();
    let epoch = ledger.epoch();
    ledger.close();
    fs::remove_file(format!("{}.life", place.path.display())).unwrap();
    let moved = place.open();
    assert_ne!(moved.epoch(), epoch);
    let again = moved.epoch();
    moved.close();
    assert_eq!(place.open().epoch(), again);
}

#[test]
fn a_full_disk_keeps_facts_in_memory_and_writes_them_when_there_is_room() {
    let place = Place::new();
    let ledger = place.open();
    ledger.writer().submit(facts(vec![arrived(1, 0)])).wait().unwrap();
    // Another process holds the file for longer than the writer waits: the world refuses, as a full disk does.
    let options = ledger::Options { busy: Duration::from_millis(5), kept_rows_max: 5, ..quick() };
    let hurried = Ledger::open(&place.path, BranchKey::new(KEY), options).unwrap();
    let blocker = rusqlite::Connection::open(&place.path).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let kept = hurried.writer().submit(facts(vec![arrived(2, 0), arrived(3, 0)])).wait();
    assert_eq!(kept, Err(Error::World { cause: World::Busy, kept: true }));
    let also = hurried.writer().submit(facts(vec![arrived(4, 0)])).wait();
    assert_eq!(also, Err(Error::World { cause: World::Busy, kept: true }));
    let over = hurried.writer().submit(facts(vec![arrived(5, 0), arrived(6, 0), arrived(7, 0)])).wait();
    assert_eq!(over, Err(Error::World { cause: World::Busy, kept: false }), "more than the limit is not held");
    assert_eq!(hurried.pressure().kept_rows, 3);
    assert_eq!(hurried.pressure().failing, Some(World::Busy));
    blocker.execute_batch("ROLLBACK").unwrap();
    let after = loop {
        if let Ok(done) = hurried.writer().submit(facts(vec![arrived(8, 0)])).wait() {
            break done;
        }
    };
    assert!(after.facts.unwrap().first >= 5);
    assert_eq!(hurried.pressure(), ledger::Pressure::default());
    let contacts: Vec<u128> =
        ledger.reader().unwrap().facts_after(0, 4).unwrap().iter().map(|f| f.contact.unwrap().0).collect();
    assert_eq!(contacts, [1, 2, 3, 4], "in the order in which they were submitted");
}

#[test]
fn a_damaged_file_is_refused_by_name_and_can_be_set_aside() {
    let place = Place::new();
    let ledger = place.open();
    for number in 0..200 {
        ledger.writer().submit(facts(vec![arrived(number, 0)])).wait().unwrap();
    }
    ledger.close();
    let mut bytes = fs::read(&place.path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].iter_mut().for_each(|byte| *byte ^= 0xa5);
    fs::write(&place.path, &bytes).unwrap();
    let opened = Ledger::open(&place.path, BranchKey::new(KEY), quick());
    assert!(matches!(&opened, Err(Error::Damaged { path, .. }) if *path == place.path), "{opened:?}");
    let aside = set_aside(&place.path).unwrap();
    assert_eq!(fs::read(&aside).unwrap(), bytes, "kept for a rescue");
    assert_eq!(place.open().reader().unwrap().facts_last().unwrap(), 0);
}

#[test]
fn a_file_of_a_later_schema_is_left_alone() {
    let place = Place::new();
    place.open().close();
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    let opened = Ledger::open(&place.path, BranchKey::new(KEY), quick());
    assert!(matches!(opened, Err(Error::Newer { found: 99, .. })));
}

#[test]
fn a_file_that_is_no_database_is_damaged_and_not_overwritten() {
    let place = Place::new();
    fs::write(&place.path, b"this was never a database, and it is long enough to be taken for one").unwrap();
    let opened = Ledger::open(&place.path, BranchKey::new(KEY), quick());
    assert!(matches!(opened, Err(Error::Damaged { .. })), "{opened:?}");
    assert!(fs::read(&place.path).unwrap().starts_with(b"this was"));
}
