//! What setting up and ending a call costs: carrier → box → phone, media anchored, beside Kamailio with rtpengine doing
//! the same, with SIPp at both ends. The server has one core to itself, SIPp the other. The box also writes each call's
//! facts and CDR durably, which the yardstick does not.
//!
//! `cargo xtask bench calls`

#[path = "calls/ours.rs"]
mod ours;
#[path = "calls/peer.rs"]
mod peer;
#[path = "calls/sipp.rs"]
mod sipp;

use std::{path::PathBuf, time::Duration};

use bench::cpu;
use clap::Parser;
use harness::process::Program;

#[derive(Parser)]
#[command(about = "Calls per second and CPU per call, beside Kamailio with rtpengine")]
struct Args {
    /// New calls in a second; a line for each.
    #[arg(long, value_delimiter = ',', default_value = "50,100,200")]
    rates: Vec<u32>,
    /// How long each line is measured.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// How long a call lasts.
    #[arg(long, default_value_t = 1_000)]
    talk_ms: u32,
    /// Where the box's ledger is written. A tmpfs has no disk.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// A server under measurement: where calls go, and the programs whose time counts.
struct Subject {
    sip: String,
    programs: Vec<Program>,
}

impl Subject {
    fn time(&self) -> Duration {
        self.programs.iter().map(|program| cpu::time_of_family(program.pid())).sum()
    }
}

/// Phones that are called in turn: each is free again before its next turn.
fn numbers(args: &Args, rate: u32) -> Vec<String> {
    let count = rate.saturating_mul(args.talk_ms / 1_000 + 3);
    (0..count).map(|n| (2_000 + n).to_string()).collect()
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("calls of {} ms, media anchored, one core for the server", args.talk_ms);
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>12} {:>14} {:>14}",
        "", "calls/s", "passed", "failed", "ms to answer", "CPU ms/call", "calls/s/core"
    );
    for &rate in &args.rates {
        for peer in [true, false] {
            let dir = tempfile::tempdir_in(&args.dir)?;
            let (carrier, phone) = (harness::process::free_ports(2), harness::process::free_ports(2));
            let numbers = numbers(&args, rate);
            sipp::list(dir.path(), &numbers, harness::company::PHONE_PASSWORD)?;
            let subject =
                if peer { peer::start(dir.path(), phone)? } else { ours::start(dir.path(), carrier, phone, &numbers)? };
            let _answering = sipp::answer(dir.path(), phone)?;
            let load = sipp::Load { rate, count: rate * args.seconds, talk_ms: args.talk_ms };
            let before = subject.time();
            let seen = sipp::call(dir.path(), &subject.sip, carrier, &load)?;
            let per_call = subject.time().saturating_sub(before).as_secs_f64() * 1_000.0 / f64::from(load.count);
            println!(
                "{:<24} {rate:>8} {:>8} {:>8} {:>12.1} {per_call:>14.2} {:>14.0}",
                if peer { "Kamailio with rtpengine" } else { "Branchline" },
                seen.passed,
                seen.failed,
                seen.answer_ms,
                1_000.0 / per_call,
            );
        }
    }
    Ok(())
}
