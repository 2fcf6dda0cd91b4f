//! How many rows of boxes' outboxes a second the cloud acknowledges as durable, against a bare loop of inserts into
//! SQLite on the same disk with the same `synchronous=FULL`, in the same run. A ratio of 1 would mean that decoding, the
//! watermark, revisions and the writing thread cost nothing.
//!
//! `cargo run --release -p bench --bin ingest -- --seconds 3 --dir /where/the/disk/is`

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Parser;
use db::{Db, ingest};
use model::{
    BoxId, Epoch, Millis, QueueId, SiteId,
    leaving::{Figures, Interval, Leaving},
};

#[derive(Parser)]
#[command(about = "Outbox rows acknowledged durable, against a bare SQLite insert loop")]
struct Args {
    /// How long each cell of the table is measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// A folder on the disk to measure. A tmpfs has no disk.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Fail when the ratio of any line is below this.
    #[arg(long)]
    ratio_min: Option<f64>,
}

/// Rows in a batch, and boxes that send at once.
const CASES: &[(usize, u32)] = &[(1, 1), (16, 1), (256, 1), (1024, 1), (1, 16), (16, 16), (256, 16)];
const EPOCH: Epoch = Epoch(1);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let time = Duration::from_secs(args.seconds);
    println!("{:>10} {:>6} {:>14} {:>14} {:>7}", "rows/batch", "boxes", "bare rows/s", "ingest rows/s", "ratio");
    let mut worst = f64::INFINITY;
    for &(rows, boxes) in CASES {
        let dir = tempfile::tempdir_in(&args.dir).context("--dir")?;
        let bare = bare(&dir.path().join("bare.db"), rows, time)?;
        let ours = ours(&dir.path().join("cloud.db"), rows, boxes, time)?;
        let ratio = ours / bare;
        worst = worst.min(ratio);
        println!("{rows:>10} {boxes:>6} {bare:>14.0} {ours:>14.0} {ratio:>7.2}");
    }
    match args.ratio_min {
        Some(min) if worst < min => anyhow::bail!("the worst ratio is {worst:.2}, wanted is {min:.2}"),
        _ => Ok(()),
    }
}

/// The same encoded rows, one transaction a batch, into a table without any index of its own.
fn bare(path: &Path, rows: usize, time: Duration) -> anyhow::Result<f64> {
    let mut conn = rusqlite::Connection::open(path)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
    let (start, mut seq) = (Instant::now(), 0u64);
    while start.elapsed() < time {
        let bodies = bodies(seq, rows)?;
        let tx = conn.transaction()?;
        let mut insert = tx.prepare_cached("INSERT INTO outbox (seq, body) VALUES (?1, ?2)")?;
        for body in bodies {
            seq += 1;
            insert.execute(rusqlite::params![seq.cast_signed(), body])?;
        }
        drop(insert);
        tx.commit()?;
    }
    Ok(seq as f64 / start.elapsed().as_secs_f64())
}

/// As the hub does it: each box sends its next batch when the last one was acknowledged.
fn ours(path: &Path, rows: usize, boxes: u32, time: Duration) -> anyhow::Result<f64> {
    let db = Db::open(path)?;
    let site = SiteId::new("bench")?;
    let of = site.clone();
    db.write_blocking(move |conn| {
        db::site::add(conn, &of, Millis(0))?;
        (0..boxes).try_for_each(|n| db::boxes::add(conn, BoxId(n.into()), &of, Millis(0)).map(drop))
    })?;
    let (start, acknowledged) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..boxes)
            .map(|n| {
                let (db, site, acknowledged) = (&db, &site, &acknowledged);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut mark = 0;
                    while start.elapsed() < time {
                        // Boxes of one site share no cell: each has stretches of time of its own.
                        let bodies = bodies(mark + u64::from(n) * 100_000_000, rows)?;
                        let rows = bodies.iter().map(|body| ingest::decode(ingest::KIND_LEAVING, body)).collect();
                        let (box_id, first) = (BoxId(n.into()), mark + 1);
                        let batch = ingest::Batch { box_id, site: site.clone(), epoch: EPOCH, first, rows };
                        let taken = db.write_blocking(move |conn| ingest::take(conn, &batch, Millis(1)))?;
                        anyhow::ensure!(taken.aside == 0 && taken.repeated == 0, "{taken:?}");
                        acknowledged.fetch_add(taken.fresh, Ordering::Relaxed);
                        mark = taken.watermark;
                    }
                    Ok(())
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?)
    })?;
    Ok(acknowledged.into_inner() as f64 / start.elapsed().as_secs_f64())
}

/// `rows` encoded rows after row `seq`: ten queues, quarter of an hour after quarter of an hour.
fn bodies(seq: u64, rows: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let body = |n: u64| {
        let queue = QueueId::new(&format!("queue-{}", n % 10))?;
        let start = Millis((n / 10).cast_signed() * 900_000);
        let figures =
            Figures { offered: 20, answered: 18, abandoned: 2, wait_s: 240, talk_s: 3600, ..Figures::default() };
        let row = Leaving::Interval(Interval { queue: Some(queue), start, length_s: 900, revision: 0, figures });
        let mut body = Vec::new();
        ciborium::into_writer(&row, &mut body)?;
        Ok(body)
    };
    (seq..seq + rows as u64).map(body).collect()
}
