//! Random schedules of edits, partitions, restarts and a lying replica, judged one by one; a failure prints its seed.
//!
//! `cargo run --release -p bench --bin merge -- --schedules 1000000`

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use bench::merge::{self, Plan, Tally};
use clap::Parser;

#[derive(Parser)]
#[command(about = "Merge convergence under random schedules with one lying replica in three")]
struct Args {
    #[arg(long, default_value_t = 10_000)]
    schedules: u64,
    /// The first seed; schedule N has seed + N.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps of one schedule.
    #[arg(long, default_value_t = 60)]
    steps: u32,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let (plan, next, start) = (Plan::new()?, AtomicU64::new(0), Instant::now());
    let outcomes: Vec<(Tally, Vec<String>)> = std::thread::scope(|scope| {
        let work = || {
            let (mut all, mut broken) = (Tally::default(), Vec::new());
            loop {
                let n = next.fetch_add(1, Relaxed);
                if n >= args.schedules || broken.len() >= 10 {
                    return (all, broken);
                }
                let seed = args.seed.wrapping_add(n);
                match merge::run(&plan, seed, args.steps) {
                    Ok(tally) => all.add(&tally),
                    Err(error) => broken.push(format!("seed {seed}: {error:#}")),
                }
            }
        };
        let threads: Vec<_> = (0..args.threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let mut all = Tally::default();
    outcomes.iter().for_each(|(tally, _)| all.add(tally));
    let broken: Vec<&String> = outcomes.iter().flat_map(|(_, broken)| broken).collect();
    broken.iter().for_each(|line| println!("{line}"));
    println!(
        "{} schedules in {:.0} s: {} edits, {} partitions, {} restarts, {} lies of which {} were refused outright, \
         {} edits kept or told as concurrent; {} rules broken",
        args.schedules,
        start.elapsed().as_secs_f64(),
        all.edits,
        all.cuts,
        all.restarts,
        all.lies,
        all.lies_refused,
        all.concurrent,
        broken.len()
    );
    anyhow::ensure!(outcomes.len() == args.threads, "a thread panicked");
    anyhow::ensure!(broken.is_empty(), "schedules were broken");
    Ok(())
}
