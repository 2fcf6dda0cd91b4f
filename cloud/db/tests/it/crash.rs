//! Whatever moment the process or the machine dies at, a row's effect and the watermark are there together or not at
//! all, and what was acknowledged is there.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use db::{Db, Error, ingest};
use model::Millis;

use crate::{
    START, fresh,
    ingest::{effects, numbered, take},
};

#[test]
fn a_crash_before_the_commit_leaves_nothing_and_after_it_everything() {
    let (dir, db) = fresh();
    take(&db, numbered(1, 3)).unwrap();
    let undone = db.write_blocking(|conn| {
        ingest::take(conn, &numbered(4, 6), Millis(START)).map_err(|_| Error::Stopped)?;
        Err::<(), _>(Error::Stopped)
    });
    assert!(undone.is_err());
    assert_eq!(effects(&db), (3, 3));
    take(&db, numbered(4, 6)).unwrap();
    drop(db);
    // The acknowledgement was lost with the process: the box sends the same rows again.
    let db = Db::open(&dir.path().join("cloud.db")).unwrap();
    assert_eq!(take(&db, numbered(4, 6)).unwrap().repeated, 3);
    assert_eq!(effects(&db), (6, 6));
}

#[test]
fn every_cut_of_the_log_gives_a_state_between_two_commits() {
    let (dir, db) = fresh();
    let mut next = 1;
    for len in [1, 7, 30, 2] {
        take(&db, numbered(next, next + len - 1)).unwrap();
        next += len;
    }
    let (file, log) = (dir.path().join("cloud.db"), dir.path().join("cloud.db-wal"));
    let (file, log) = (std::fs::read(file).unwrap(), std::fs::read(log).unwrap());
    let mut seen = std::collections::BTreeSet::new();
    // Odd steps cut inside frames too, as a torn write does.
    for len in (0..log.len()).step_by(1531).chain([log.len()]) {
        let crashed = tempfile::tempdir().unwrap();
        let path = crashed.path().join("cloud.db");
        std::fs::write(&path, &file).unwrap();
        std::fs::write(crashed.path().join("cloud.db-wal"), &log[..len]).unwrap();
        let db = Db::open(&path).unwrap();
        let (intervals, watermark) = effects(&db);
        assert_eq!(intervals, watermark, "log cut at {len}");
        seen.insert(watermark);
    }
    assert_eq!(seen, [0, 1, 8, 38, 40].into());
}

#[test]
fn a_full_disk_refuses_writes_and_takes_them_again_when_there_is_room() {
    let (_dir, db) = fresh();
    take(&db, numbered(1, 3)).unwrap();
    let pages = |max: i64| {
        crate::write(&db, move |conn| {
            let conn = conn.file().unwrap();
            let used: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
            conn.pragma_update_and_check(None, "max_page_count", used + max, |row| row.get::<_, i64>(0))?;
            Ok(())
        });
    };
    pages(1);
    assert!(take(&db, numbered(4, 2000)).is_err());
    assert!(!db.is_stopped());
    assert_eq!(effects(&db), (3, 3), "nothing of it is there");
    pages(100_000);
    assert_eq!(take(&db, numbered(4, 2000)).unwrap().watermark, 2000);
    assert_eq!(effects(&db), (2000, 2000));
}

/// Set for the child that is killed.
const CHILD: &str = "DB_CRASH_CHILD";

#[test]
fn what_was_acknowledged_survives_kill_9() {
    if let Ok(path) = std::env::var(CHILD) {
        acknowledge_for_ever(Path::new(&path));
    }
    let (dir, db) = fresh();
    drop(db);
    let path = dir.path().join("cloud.db");
    for round in 0..4 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::what_was_acknowledged_survives_kill_9", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // The harness of the child may print before the first acknowledgement, on the same line.
        let acks = lines.filter_map(|line| line.split("acked ").nth(1)?.trim().parse::<u64>().ok());
        let acked = acks.take(20 + round * 13).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let (intervals, watermark) = effects(&Db::open(&path).unwrap());
        assert_eq!(intervals, watermark);
        assert!(watermark >= acked, "acknowledged {acked}, there is {watermark}");
    }
}

fn acknowledge_for_ever(path: &Path) -> ! {
    let db = Db::open(path).unwrap();
    let mut mark = effects(&db).1;
    loop {
        // Three old rows with every batch: what a box sends after a lost acknowledgement.
        let batch = numbered(mark.saturating_sub(2).max(1), mark + 5);
        mark = take(&db, batch).unwrap().watermark;
        println!("acked {mark}");
    }
}
