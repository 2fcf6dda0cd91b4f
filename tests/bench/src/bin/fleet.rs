//! One cloudd and a fleet of simulated boxes: what a linked box costs the cloud's memory, how soon all are back after the
//! cloud was killed, what a connection writes to the database, and what one edit costs on the way to every box.
//!
//! The cloud is the program itself, in a process of its own. A box here is the box's end of the protocol over its own
//! QUIC connection with its own key and certificate; sockets are shared, since a process may not have ten thousand.
//!
//! `cargo run --release -p bench --bin fleet -- --boxes 10000`

#[path = "fleet/ground.rs"]
mod ground;
#[path = "fleet/sim.rs"]
mod sim;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bench::cpu;
use clap::Parser;
use ground::Ground;
use serde_json::json;
use sim::Fleet;

#[derive(Parser)]
#[command(about = "Memory, reconnect storm and configuration of a fleet of simulated boxes on one cloudd")]
struct Args {
    #[arg(long, default_value_t = 1_000)]
    boxes: usize,
    /// The boxes stand at so many sites.
    #[arg(long, default_value_t = 10)]
    sites: usize,
    /// Where the cloud's database lies.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How long boxes stay idle before memory is read.
    #[arg(long, default_value_t = 20)]
    idle: u64,
    /// Most seconds that all boxes may take to be back; more is a failure.
    #[arg(long, default_value_t = 60)]
    back_within: u64,
}

const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let dir = tempfile::tempdir_in(&args.dir).context("--dir")?;
    let mut ground = Ground::lay(dir.path(), args.boxes, args.sites.clamp(1, args.boxes))?;
    ground.launch()?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(&args, ground))
}

async fn run(args: &Args, mut ground: Ground) -> anyhow::Result<()> {
    let (boxes, sites) = (args.boxes, ground.sites().len());
    let fleet = Fleet::gather(&ground)?;

    // Everybody links for the first time.
    let (empty, commits) = (cpu::memory(ground.pid()?)?, ground.commits()?);
    let begun = Instant::now();
    fleet.start();
    fleet.linked(boxes, PATIENCE).await?;
    let took = begun.elapsed();
    tokio::time::sleep(Duration::from_secs(args.idle)).await;
    let idle = cpu::memory(ground.pid()?)?;
    let kept = idle.saturating_sub(empty) as f64 / boxes as f64 / 1_024.0;
    println!("{boxes} boxes linked in {:.1} s, {} attempts failed on the way", took.as_secs_f64(), fleet.failed());
    println!("cloudd: {:.1} MB empty, {:.1} MB with all idle: {kept:.1} KiB a box", mb(empty), mb(idle));
    let written = ground.commits()? - commits;
    println!("database: {written} commits while all of them connected");
    ensure!(written == 0, "connecting wrote to the database");

    // One edit for every site, after one that is not counted: it makes the documents known to one another.
    for (round, counted) in [("before", false), ("after", true)] {
        fleet.forget();
        let begun = Instant::now();
        for site in ground.sites() {
            let change = json!({ "set": "site_label", "label": format!("Branch {round}") });
            ground.edit(site, &json!({ "doc": "site", "changes": [change] }))?;
            fleet.edited(site, begun);
        }
        fleet.configured(boxes, PATIENCE).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        if counted {
            let (p50, p99, last) = fleet.delays();
            let frames = fleet.config_bytes.load(Relaxed) as f64 / boxes as f64;
            println!(
                "one edit at each of {sites} sites: at the boxes p50 {p50:.0} ms, p99 {p99:.0} ms, the last {last:.0} ms \
                 after it was accepted; {frames:.0} bytes of frames a box, both ways"
            );
        }
    }
    let after = cpu::memory(ground.pid()?)?;
    let kept = after.saturating_sub(empty) as f64 / boxes as f64 / 1_024.0;
    println!("cloudd: {:.1} MB after the edits: {kept:.1} KiB a box", mb(after));

    // The cloud is killed, and comes back.
    ground.kill();
    let failed = fleet.failed();
    ground.launch()?;
    let begun = Instant::now();
    fleet.lost(PATIENCE).await?;
    let all = fleet.linked(boxes, Duration::from_secs(args.back_within).saturating_sub(begun.elapsed())).await;
    println!(
        "killed and launched again: {} of {boxes} back in {:.1} s, {} attempts failed on the way",
        fleet.linked.load(Relaxed),
        begun.elapsed().as_secs_f64(),
        fleet.failed() - failed
    );
    all
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Between the tasks of the fleet.
type Shared<T> = Arc<T>;
