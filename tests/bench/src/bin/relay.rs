//! What relaying costs: the box's *media* process, with and without encrypted recording, beside rtpengine (user space,
//! not recording) and a bare forwarder (epoll, `recvfrom`, `sendto`), all on one core with the same traffic from the
//! other one. G.711 on both legs, a packet every 20 ms each way.
//!
//! `cargo xtask bench media`

#[path = "relay/bare.rs"]
mod bare;
#[path = "relay/ours.rs"]
mod ours;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bench::{cpu, rtpengine::Rtpengine, traffic::Phones};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "CPU, loss, latency and memory of relaying calls, beside rtpengine and a bare forwarder")]
struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// Calls at once; a table for each.
    #[arg(long, value_delimiter = ',', default_value = "100,1000")]
    calls: Vec<usize>,
    /// How long each line is measured.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where recordings are written. A tmpfs has no disk.
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// Lines to measure, of: bare, rtpengine, relay, record.
    #[arg(long, value_delimiter = ',', default_value = "bare,rtpengine,relay,record")]
    only: Vec<String>,
}

#[derive(Subcommand)]
enum Part {
    /// The bare forwarder itself.
    #[command(hide = true)]
    Forward { calls: usize, to: SocketAddr },
}

/// Nobody is measured before the codecs, caches and endpoints have settled.
const LEAD: Duration = Duration::from_secs(3);
/// A second of 100 calls: two legs, 50 packets each.
const PACKETS_OF_100: f64 = 10_000.0;
/// Of this machine's ports, which the measured program may use.
const PORTS: std::ops::RangeInclusive<u16> = 34_000..=59_998;

/// A relay under measurement.
struct Subject {
    pid: u32,
    /// Where the phones send to, two addresses for each call.
    to: Vec<SocketAddr>,
    /// Memory before the first call.
    idle: u64,
    /// Ends it when dropped.
    _program: harness::process::Program,
    _control: Option<std::os::unix::net::UnixStream>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if let Some(Part::Forward { calls, to }) = args.part {
        return bare::forward(calls, to);
    }
    let time = Duration::from_secs(args.seconds);
    for &calls in &args.calls {
        println!("{calls} calls, G.711 both legs, one core");
        println!(
            "{:<28} {:>7} {:>13} {:>9} {:>9} {:>9} {:>9} {:>10} {:>8}",
            "", "core %", "% / 100 calls", "vs bare", "lost", "p50 µs", "p99 µs", "packets/s", "KB/call"
        );
        let mut bare = None;
        for line in &args.only {
            let dir = tempfile::tempdir_in(&args.dir)?;
            let phones = Phones::new()?;
            let (name, subject) = start(line, dir.path(), calls, &phones)?;
            let cost = measure(name, &subject, &phones, calls, time, bare)?;
            if line == "bare" {
                bare = Some(cost);
            }
        }
        println!();
    }
    Ok(())
}

fn start(line: &str, dir: &Path, calls: usize, phones: &Phones) -> anyhow::Result<(&'static str, Subject)> {
    Ok(match line {
        "bare" => ("bare forwarder", bare::start(dir, calls, phones.addr)?),
        "rtpengine" => ("rtpengine, not recording", rtpengine(dir, calls, phones.addr)?),
        "relay" => ("Branchline, not recording", ours::start(dir, calls, phones.addr, false)?),
        "record" => ("Branchline, recording", ours::start(dir, calls, phones.addr, true)?),
        other => anyhow::bail!("{other:?} is none of bare, rtpengine, relay, record"),
    })
}

fn rtpengine(dir: &Path, calls: usize, phones: SocketAddr) -> anyhow::Result<Subject> {
    let mut engine = Rtpengine::start(dir, PORTS)?;
    let idle = cpu::memory(engine.program.pid())?;
    let mut to = Vec::new();
    for call in 0..calls {
        to.extend(engine.call(call as u64, phones)?);
    }
    Ok(Subject { pid: engine.program.pid(), to, idle, _program: engine.program, _control: None })
}

fn measure(
    name: &str,
    subject: &Subject,
    phones: &Phones,
    calls: usize,
    time: Duration,
    bare: Option<f64>,
) -> anyhow::Result<f64> {
    let mut marks = Vec::new();
    let seen = phones.talk(&subject.to, LEAD, time, || {
        marks.push((Instant::now(), cpu::time(subject.pid).unwrap_or_default()));
    })?;
    let [(began, before), (ended, after)] = marks[..] else { anyhow::bail!("the traffic has no beginning and end") };
    let (used, passed) = (after.saturating_sub(before).as_secs_f64(), ended.duration_since(began).as_secs_f64());
    let grown = cpu::memory(subject.pid)?.saturating_sub(subject.idle);
    let percent = used / passed * 100.0;
    // Of what was sent, so that a generator that is late changes nothing.
    let per_hundred = used / seen.sent.max(1) as f64 * PACKETS_OF_100 * 100.0;
    println!(
        "{name:<28} {percent:>7.1} {per_hundred:>13.2} {:>9} {:>9} {:>9} {:>9} {:>10.0} {:>8.1}",
        bare.map_or("1.00".into(), |bare| format!("{:.2}", per_hundred / bare)),
        seen.lost(),
        seen.quantile(0.5),
        seen.quantile(0.99),
        seen.received as f64 / passed,
        grown as f64 / calls as f64 / 1_024.0,
    );
    Ok(per_hundred)
}
