//! How many rows of boxes' outboxes a second the cloud acknowledges as durable, against a bare loop of inserts into
//! SQLite on the same disk with the same `synchronous=FULL`, and against nats-server's JetStream with
//! `sync_interval: always`, in the same run. Rows are encoded beforehand: that is the boxes' work.
//!
//! `cargo run --release -p bench --bin ingest -- --seconds 3 --dir /where/the/disk/is`

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bench::{
    nats::Nats,
    rows::{self, Pool},
};
use clap::Parser;
use db::{Db, ingest};
use model::{BoxId, Epoch, Millis, SiteId};

#[derive(Parser)]
#[command(about = "Outbox rows acknowledged durable, against a bare SQLite insert loop and JetStream")]
struct Args {
    /// How long each cell of the table is measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// A folder on the disk to measure. A tmpfs has no disk.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Fail when the best line has fewer rows a second than this.
    #[arg(long)]
    rows_min: Option<f64>,
}

/// Rows in a batch, and boxes that send at once.
const CASES: &[(usize, u32)] =
    &[(1, 1), (16, 1), (256, 1), (1024, 1), (1, 16), (16, 16), (256, 16), (64, 64), (256, 64)];
const EPOCH: Epoch = Epoch(1);
/// Rows encoded beforehand for each case: a case ends when they are used up.
const ROWS_MAX: usize = 400_000;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let time = Duration::from_secs(args.seconds);
    let scratch = tempfile::tempdir_in(&args.dir).context("--dir")?;
    let nats = Nats::find(scratch.path());
    match &nats {
        Ok(nats) => println!("JetStream: nats-server {}, sync_interval: always", nats.version),
        Err(why) => println!("JetStream is left out: nats-server {why}"),
    }
    println!(
        "{:>10} {:>6} {:>12} {:>14} {:>14} {:>9} {:>9}",
        "rows/batch", "boxes", "bare rows/s", "JetStream/s", "ingest rows/s", "to bare", "to JS"
    );
    let mut best: f64 = 0.0;
    for &(rows, boxes) in CASES {
        let dir = tempfile::tempdir_in(&args.dir)?;
        let pools = rows::pools(boxes, ROWS_MAX / boxes as usize)?;
        let bare = bare(&dir.path().join("bare.db"), rows, &pools, time)?;
        let peer = nats.as_ref().ok().map(|nats| nats.measure(dir.path(), rows, &pools, time)).transpose()?;
        let ours = ours(&dir.path().join("cloud.db"), rows, &pools, time)?;
        best = best.max(ours);
        let (peer, ratio) =
            peer.map_or(("-".into(), "-".into()), |peer| (format!("{peer:.0}"), format!("{:.2}", ours / peer)));
        println!("{rows:>10} {boxes:>6} {bare:>12.0} {peer:>14} {ours:>14.0} {:>9.2} {ratio:>9}", ours / bare);
    }
    match args.rows_min {
        Some(min) if best < min => anyhow::bail!("at best {best:.0} rows a second, wanted are {min:.0}"),
        _ => Ok(()),
    }
}

/// The same encoded rows, one transaction a batch, into a table without any index of its own.
fn bare(path: &Path, rows: usize, pools: &[Pool], time: Duration) -> anyhow::Result<f64> {
    let mut conn = rusqlite::Connection::open(path)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
    let (start, mut seq) = (Instant::now(), 0u64);
    for bodies in pools.iter().flat_map(|pool| pool.chunks(rows)) {
        if start.elapsed() >= time {
            break;
        }
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

/// As the hub does it: each box sends its next batch when the last one was acknowledged. In the end each row that was
/// acknowledged is there, once.
fn ours(path: &Path, rows: usize, pools: &[Pool], time: Duration) -> anyhow::Result<f64> {
    let db = Db::open(path)?;
    let site = SiteId::new("bench")?;
    let (of, boxes) = (site.clone(), pools.len() as u128);
    db.write_blocking(move |conn| {
        db::site::add(conn, &of, Millis(0))?;
        (0..boxes).try_for_each(|n| db::boxes::add(conn, BoxId(n), &of, Millis(0)).map(drop))
    })?;
    let (start, acknowledged) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..)
            .zip(pools)
            .map(|(n, pool)| {
                let (db, site, acknowledged) = (&db, &site, &acknowledged);
                scope.spawn(move || -> anyhow::Result<()> {
                    let mut mark = 0;
                    for bodies in pool.chunks(rows) {
                        if start.elapsed() >= time {
                            break;
                        }
                        let rows = bodies.iter().map(|body| ingest::decode(ingest::KIND_LEAVING, body)).collect();
                        let (box_id, first) = (BoxId(n), mark + 1);
                        let batch = ingest::Batch { box_id, site: site.clone(), epoch: EPOCH, first, rows };
                        let taken = db.write_blocking(move |conn| ingest::take(conn, &batch, Millis(1)))?;
                        ensure!(taken.aside == 0 && taken.repeated == 0, "{taken:?}");
                        acknowledged.fetch_add(taken.fresh, Ordering::Relaxed);
                        mark = taken.watermark;
                    }
                    Ok(())
                })
            })
            .collect();
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| anyhow::anyhow!("a sender panicked"))?)
    })?;
    let rate = acknowledged.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    let kept: u64 = db.read_blocking(|conn| -> db::Result<u64> {
        Ok(conn.only::<i64>("SELECT count(*) FROM interval", &[])?.cast_unsigned())
    })?;
    let acknowledged = acknowledged.into_inner();
    ensure!(kept == acknowledged, "{acknowledged} rows were acknowledged, {kept} are there");
    Ok(rate)
}
