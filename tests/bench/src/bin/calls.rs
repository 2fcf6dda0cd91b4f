//! What setting up and ending a call costs: carrier → box → phone, media anchored, beside Kamailio with rtpengine doing
//! the same, with our own generator at both ends. The server has one core to itself, the generator the other. The box
//! also writes each call's facts and CDR durably, which the yardstick does not.
//!
//! `cargo xtask bench calls`

#[path = "calls/peer.rs"]
mod peer;

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use bench::{
    branch::Measured,
    cpu,
    sip::{
        carrier::{Carrier, Load},
        phones::Phones,
    },
};
use clap::Parser;
use harness::{company::PHONE_PASSWORD, process::Program};

#[derive(Parser)]
#[command(about = "Calls per second and CPU per call, beside Kamailio with rtpengine")]
struct Args {
    /// New calls in a second; a line for each.
    #[arg(long, value_delimiter = ',', default_value = "100,200,400,900")]
    rates: Vec<u32>,
    /// How long each line is measured.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How long a call lasts.
    #[arg(long, default_value_t = 1_000)]
    talk_ms: u64,
    /// Where the box's ledger is written. A tmpfs has no disk.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Without the yardstick.
    #[arg(long)]
    alone: bool,
}

/// A server under measurement.
enum Subject {
    Peer(Vec<Program>),
    Ours(Box<Measured>),
}

impl Subject {
    fn time(&self) -> Duration {
        match self {
            Self::Peer(programs) => programs.iter().map(|program| cpu::time_of_family(program.pid())).sum(),
            Self::Ours(measured) => measured.time(),
        }
    }

    fn parts(&self) -> Vec<(String, Duration)> {
        match self {
            Self::Peer(_) => Vec::new(),
            Self::Ours(measured) => measured.times(),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    cpu::stay_on(cpu::TRAFFIC_CORE)?;
    println!("calls of {} ms, media anchored, one core for the server", args.talk_ms);
    println!(
        "{:<24} {:>8} {:>8} {:>6} {:>6} {:>9} {:>9} {:>12} {:>13}",
        "", "calls/s", "passed", "shed", "failed", "p50 ms", "p99 ms", "CPU s/1,000", "calls/s/core"
    );
    for &rate in &args.rates {
        for peer in [true, false] {
            if peer && args.alone {
                continue;
            }
            measure(&args, rate, peer)?;
        }
    }
    Ok(())
}

fn measure(args: &Args, rate: u32, peer: bool) -> anyhow::Result<()> {
    let dir = tempfile::tempdir_in(&args.dir)?;
    let (carrier, phone) = (harness::process::free_ports(2), harness::process::free_ports(2));
    // Each phone is free again before its next turn.
    let talk_s = u32::try_from(args.talk_ms / 1_000)?;
    let numbers: Vec<String> = (0..rate * (talk_s + 3)).map(|n| (20_000 + n).to_string()).collect();
    let (subject, server, domain) = match peer {
        true => {
            let (programs, server) = peer::start(dir.path(), phone)?;
            (Subject::Peer(programs), server, String::new())
        }
        false => {
            let measured = Measured::start(dir.path(), carrier, &numbers)?;
            let (server, domain) = (measured.branch.sip.parse()?, measured.branch.domain.clone());
            (Subject::Ours(Box::new(measured)), server, domain)
        }
    };
    let phones = Phones::new(phone, server, &domain)?;
    if !peer {
        phones.register(&numbers, PHONE_PASSWORD, 32)?;
    }
    let load = Load { rate, length: Duration::from_secs(args.seconds), talk: Duration::from_millis(args.talk_ms) };
    let (before, parts) = (subject.time(), subject.parts());
    let seen = Carrier::new(carrier, server)?.run(&load, &numbers, &phones)?;
    let spent = subject.time().saturating_sub(before).as_secs_f64();
    let per_1000 = spent * 1_000.0 / f64::from(seen.offered.max(1));
    println!(
        "{:<24} {rate:>8} {:>8} {:>6} {:>6} {:>9.1} {:>9.1} {per_1000:>12.2} {:>13.0}",
        if peer { "Kamailio with rtpengine" } else { "Branchline" },
        seen.passed,
        seen.shed,
        seen.failed(),
        seen.quantile_ms(0.5),
        seen.quantile_ms(0.99),
        1_000.0 / per_1000,
    );
    if seen.failed() + seen.unanchored > 0 {
        println!("{:<24} {}", "", seen.causes());
    }
    if let Some(why) = seen.is_void() {
        bail!("this run says nothing about the server: {why}");
    }
    for ((name, after), (_, before)) in subject.parts().into_iter().zip(parts) {
        let share = after.saturating_sub(before).as_secs_f64() * 1_000.0 / f64::from(seen.offered.max(1));
        println!("{:<24} {:>79.2}", format!("  {name}"), share);
    }
    Ok(())
}
