//! Ten times what the box can carry: the carrier offers ever more calls until the box is full, then as many as it carried
//! for longer than a transaction is remembered, then ten times that, with strangers flooding beside and a phone that calls
//! for help. What is accepted must be carried, calls in progress must not notice, memory must stay flat, and afterwards
//! all must be as before (S-06, D-30).
//!
//! `cargo xtask bench overload`

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use bench::{
    branch::Measured,
    cpu,
    sip::{
        carrier::{Carrier, Load},
        ear,
        emergency::Emergency,
        flood::Flood,
        phones::Phones,
        seen::Seen,
    },
};
use clap::Parser;
use harness::{company::PHONE_PASSWORD, process::free_ports};

#[derive(Parser)]
#[command(about = "Ten times the box's capacity, and strangers beside")]
struct Args {
    /// How long the overload lasts.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the search for the capacity begins, in calls a second.
    #[arg(long, default_value_t = 200)]
    from: u32,
    /// Times the capacity that is offered.
    #[arg(long, default_value_t = 10)]
    times: u32,
    /// What strangers send beside, in messages a second.
    #[arg(long, default_value_t = 2_000)]
    strangers: u32,
    /// How long a call lasts.
    #[arg(long, default_value_t = 500)]
    talk_ms: u64,
    #[arg(long, default_value = ".")]
    dir: PathBuf,
}

/// Of the capacity, in percent (S-06).
const GOODPUT_MIN: f64 = 90.0;
/// One step of the search.
const STEP: Duration = Duration::from_secs(4);
/// A full box that goes on like this has as much to remember as it will have: a transaction is remembered for 32 s.
const STEADY: Duration = Duration::from_secs(45);
/// How often a line is printed of what the box holds.
const LINE: u64 = 15;
/// Calls that stand before the overload begins and end in the middle of it.
const STANDING: u32 = 40;
/// Anonymous memory may grow by so much, in bytes (S-06).
const GROWTH_MAX: u64 = 64 << 20;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    cpu::stay_on(cpu::TRAFFIC_CORE)?;
    let dir = tempfile::tempdir_in(&args.dir)?;
    let (carrier_port, phone_port) = (free_ports(2), free_ports(2));
    let numbers: Vec<String> = (20_000..25_900).map(|n| n.to_string()).collect();
    let measured = Measured::start(dir.path(), carrier_port, &numbers)?;
    let server = measured.branch.sip.parse()?;
    let phones = Phones::new(phone_port, server, &measured.branch.domain)?;
    phones.register(&numbers, PHONE_PASSWORD, 32)?;
    let mut carrier = Carrier::new(carrier_port, server)?;
    let talk = Duration::from_millis(args.talk_ms);

    let found = capacity(&args, &mut carrier, &numbers, &phones)?;
    let steady = carrier.run(&Load { rate: found, length: STEADY, talk }, &numbers, &phones)?;
    let capacity = (f64::from(steady.passed) / STEADY.as_secs_f64()) as u32;
    println!(
        "offered {found:>6}/s for {STEADY:?}: answered and ended {capacity}/s, p99 {:.1} ms",
        steady.quantile_ms(0.99)
    );
    let before = measured.memory()?;
    println!("the box, full: {}", held(&measured)?);
    let domain = measured.branch.domain.clone();
    let mut help = Emergency::new(server, &domain, ("101", PHONE_PASSWORD), "112", Duration::from_secs(2))?;
    let flood = Flood::start(server, &domain, args.strangers)?;
    let length = Duration::from_secs(args.seconds);
    let told = Told::by(&measured)?;
    // Phones that talk all the while are called by nobody else.
    let (talking, numbers) = numbers.split_at(STANDING as usize);
    carrier.stand(talking, STANDING, length);
    let load = Load { rate: capacity.saturating_mul(args.times), length, talk };
    let (mut peak, mut seconds) = (before, 0_u64);
    let mut looked = Instant::now();
    let seen = carrier.run_with(&load, numbers, &phones, |now| {
        help.turn(now);
        if now > looked + Duration::from_secs(1) {
            looked = now;
            seconds += 1;
            peak = peak.max(measured.memory().unwrap_or(0));
            if seconds.is_multiple_of(LINE) {
                println!("the box, after {seconds} s: {}", held(&measured).unwrap_or_default());
            }
        }
    })?;
    let strangers = flood.sent();
    drop(flood);
    let goodput = f64::from(seen.passed) / length.as_secs_f64();
    let standing = carrier.standing();
    println!(
        "offered {:>6}/s for {} s, strangers {}/s: answered and ended {goodput:.0}/s = {:.0} % of capacity; shed {}, failed {}; \
         p50 {:.1} ms, p99 {:.1} ms",
        load.rate,
        args.seconds,
        strangers / args.seconds.max(1),
        goodput * 100.0 / f64::from(capacity),
        seen.shed,
        seen.failed(),
        seen.quantile_ms(0.5),
        seen.quantile_ms(0.99),
    );
    println!("failed by cause: {}", seen.causes());
    println!("the box: {}", told.until(&Told::by(&measured)?));
    println!("calls that stood before: {} of {} ended as they should", standing.ended, standing.begun);
    println!("emergency calls: {} of {} answered, the slowest after {:?}", help.answered, help.made, help.slowest);
    println!(
        "memory: {} MB before, {} MB at most, {} MB at the end",
        before >> 20,
        peak >> 20,
        measured.memory()? >> 20
    );
    let recovered = recovery(&mut carrier, capacity, talk, numbers, &phones)?;
    println!("afterwards, at 80 % of capacity: all well after {recovered:?}");
    if let Some(why) = seen.is_void() {
        bail!("this run says nothing about the box: {why}");
    }
    ensure!(standing.ended == standing.begun, "a call in progress was lost: {}", measured.tail());
    help.check().with_context(|| measured.tail())?;
    ensure!(seen.unanchored == 0, "calls whose media did not go through the box");
    ensure!(peak.saturating_sub(before) <= GROWTH_MAX, "memory grew");
    ensure!(goodput * 100.0 >= f64::from(capacity) * GOODPUT_MIN, "less than {GOODPUT_MIN} % of the capacity");
    Ok(())
}

/// What the process that speaks SIP holds.
fn held(measured: &Measured) -> anyhow::Result<String> {
    let figures = measured.figures()?;
    let of = |name: &str| figures.get(&format!("branchline_sip_{name}")).copied().unwrap_or(f64::NAN);
    Ok(format!(
        "{} MB, {} transactions, {} dialogs, {} datagrams of {} KB waiting, {} calls a second may begin",
        measured.memory()? >> 20,
        of("transactions"),
        of("dialogs"),
        of("datagrams_waiting"),
        of("datagrams_waiting_bytes") / 1_024.0,
        of("calls_rate"),
    ))
}

/// What the box says of itself, and the kernel of its socket.
struct Told {
    kernel_dropped: u64,
    figures: BTreeMap<String, f64>,
    times: Vec<(String, Duration)>,
}

impl Told {
    fn by(measured: &Measured) -> anyhow::Result<Self> {
        let kernel_dropped = ear::dropped(measured.branch.sip.parse()?)?;
        Ok(Self { kernel_dropped, figures: measured.figures()?, times: measured.times() })
    }

    /// What happened between the two.
    fn until(&self, later: &Self) -> String {
        let refused = later.figures.iter().filter_map(|(name, value)| {
            let cause = name.strip_prefix("branchline_sip_refused_total{cause=\"")?.strip_suffix("\"}")?;
            let count = value - self.figures.get(name).unwrap_or(&0.0);
            (count > 0.0).then(|| format!("{cause} {count}"))
        });
        let times =
            later.times.iter().zip(&self.times).map(|((name, after), (_, before))| {
                format!("{name} {:.1}", after.saturating_sub(*before).as_secs_f64())
            });
        format!(
            "{} datagrams dropped by the kernel at its socket; refused or dropped by itself: {}; CPU-seconds: {}",
            later.kernel_dropped.saturating_sub(self.kernel_dropped),
            refused.collect::<Vec<_>>().join(", "),
            times.collect::<Vec<_>>().join(", "),
        )
    }
}

/// Ever more calls, until one in ten is not carried: the most that were carried in a second.
fn capacity(args: &Args, carrier: &mut Carrier, numbers: &[String], phones: &Phones) -> anyhow::Result<u32> {
    let talk = Duration::from_millis(args.talk_ms);
    let mut best = 0;
    let mut rate = args.from;
    loop {
        let seen = carrier.run(&Load { rate, length: STEP, talk }, numbers, phones)?;
        let carried = (f64::from(seen.passed) / STEP.as_secs_f64()) as u32;
        println!("offered {rate:>6}/s: answered and ended {carried}/s, p99 {:.1} ms", seen.quantile_ms(0.99));
        if let Some(why) = seen.is_void() {
            bail!("the capacity cannot be told: {why}");
        }
        best = best.max(carried);
        if seen.passed * 100 < seen.offered * 90 || rate >= 4_000 {
            ensure!(best > 0, "no call was carried");
            return Ok(best);
        }
        rate = rate.saturating_mul(5) / 4;
    }
}

/// How long until a second passes in which every call is answered.
fn recovery(
    carrier: &mut Carrier,
    capacity: u32,
    talk: Duration,
    numbers: &[String],
    phones: &Phones,
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    for second in 0..30 {
        let load =
            Load { rate: capacity * 4 / 5, length: Duration::from_secs(1), talk: talk.min(Duration::from_millis(100)) };
        let Seen { passed, offered, .. } = carrier.run(&load, numbers, phones)?;
        if passed * 100 >= offered * 99 {
            return Ok(Duration::from_secs(second));
        }
    }
    Err(anyhow::anyhow!("it did not recover within {:?}", began.elapsed())).context("recovery")
}
