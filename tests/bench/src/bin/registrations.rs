//! A box with 5,000 phones is started again: ringing works at once, for the bindings are on its disk; and when every
//! phone registers anew, all are back soon (D-31). Then the same with phones over TLS, whose idle connections are weighed.
//!
//! `cargo xtask bench registrations`

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bench::{
    branch::Measured,
    cpu,
    sip::{
        carrier::{Carrier, Load},
        phones::Phones,
        secure::Registrar,
    },
};
use clap::Parser;
use harness::{company::PHONE_PASSWORD, process::free_ports};

#[derive(Parser)]
#[command(about = "Thousands of phones come back after a restart")]
struct Args {
    #[arg(long, default_value_t = 5_000)]
    phones: u32,
    /// Phones that wait for an answer at one time; all of them: a power cut in the whole house.
    #[arg(long, default_value_t = 5_000)]
    at_once: usize,
    /// Phones over TLS, a connection each; a box takes 2,000.
    #[arg(long, default_value_t = 1_500)]
    secure: usize,
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// Phones that shake hands at one time.
const HANDSHAKES: usize = 32;
const SETTLED: Duration = Duration::from_secs(5);
/// D-31.
const BACK_WITHIN: Duration = Duration::from_secs(30);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    cpu::stay_on(cpu::TRAFFIC_CORE)?;
    let dir = tempfile::tempdir_in(&args.dir)?;
    let (carrier_port, phone_port) = (free_ports(2), free_ports(2));
    let numbers: Vec<String> = (0..args.phones).map(|n| (20_000 + n).to_string()).collect();
    let mut measured = Measured::start(dir.path(), carrier_port, &numbers)?;
    let server = measured.branch.sip.parse()?;
    let phones = Phones::new(phone_port, server, &measured.branch.domain)?;
    let empty = measured.memory()?;
    let first = phones.register(&numbers, PHONE_PASSWORD, 32)?;
    let full = measured.memory()?;
    println!(
        "{} phones over UDP, 32 at once: all after {:.1} s, p99 {:.0} ms; {} bytes of memory for each",
        first.count,
        first.whole.as_secs_f64(),
        first.quantile_ms(0.99),
        full.saturating_sub(empty) / u64::from(args.phones.max(1)),
    );
    // The last bindings are on the disk a moment later.
    std::thread::sleep(Duration::from_secs(1));
    measured.stop();
    let began = Instant::now();
    measured.launch()?;
    let up = began.elapsed();
    let mut carrier = Carrier::new(carrier_port, server)?;
    let load = Load { rate: 20, length: Duration::from_secs(2), talk: Duration::from_millis(100) };
    let rung = carrier.run(&load, &numbers, &phones)?;
    println!(
        "started again: healthy after {:.1} s; {} of {} phones ring at once",
        up.as_secs_f64(),
        rung.answered,
        rung.offered
    );
    let before = measured.time();
    let again = phones.register(&numbers, PHONE_PASSWORD, args.at_once)?;
    let spent = measured.time().saturating_sub(before);
    println!(
        "{} phones, {} at once: all back after {:.1} s, p50 {:.0} ms, p99 {:.0} ms; {:.2} CPU-seconds per 1,000",
        again.count,
        args.at_once,
        again.whole.as_secs_f64(),
        again.quantile_ms(0.5),
        again.quantile_ms(0.99),
        spent.as_secs_f64() * 1_000.0 / f64::from(args.phones.max(1)),
    );
    ensure!(rung.answered == rung.offered, "a phone did not ring");
    ensure!(again.whole <= BACK_WITHIN, "not back within {BACK_WITHIN:?}");
    secure(&mut measured, numbers.get(..args.secure.min(numbers.len())).unwrap_or_default(), dir.path())
}

/// Who has been registered over UDP registers over TLS: what grows is the connection.
fn secure(measured: &mut Measured, numbers: &[String], dir: &Path) -> anyhow::Result<()> {
    let ca = dir.join("ca.pem");
    measured.branch.command(&["tls", "--ca-out", ca.to_str().context("a UTF-8 path")?], None)?;
    let (domain, port) = (measured.branch.domain.clone(), measured.branch.sip_port + 1);
    let registrar = Registrar::new((Ipv4Addr::LOCALHOST, port).into(), &domain, &ca)?;
    for round in ["over TLS", "started again, over TLS"] {
        measured.stop();
        measured.launch()?;
        let (empty, before) = (measured.memory()?, measured.time());
        let phones = registrar.register(numbers, PHONE_PASSWORD, HANDSHAKES)?;
        let spent = measured.time().saturating_sub(before);
        // What a handshake needed is given back.
        std::thread::sleep(SETTLED);
        let each = measured.memory()?.saturating_sub(empty) / u64::try_from(numbers.len().max(1))?;
        let registered = &phones.registered;
        println!(
            "{} phones {round}, {HANDSHAKES} at once: all after {:.1} s, p99 {:.0} ms; {:.2} CPU-seconds per 1,000; {each} \
             bytes of memory for each idle one",
            registered.count,
            registered.whole.as_secs_f64(),
            registered.quantile_ms(0.99),
            spent.as_secs_f64() * 1_000.0 / numbers.len().max(1) as f64,
        );
        ensure!(registered.whole <= BACK_WITHIN, "not back within {BACK_WITHIN:?}");
    }
    Ok(())
}
