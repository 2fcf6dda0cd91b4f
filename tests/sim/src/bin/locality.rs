//! Marked callers call both branches for days, and everything that left and all that the cloud keeps is looked through;
//! leaks are planted, to see that the look finds them; and the same day is lived again by other people, which must leave
//! the branches byte for byte the same.
//!
//! `cargo xtask locality -- --marks 10000`

use std::collections::BTreeSet;

use anyhow::ensure;
use clap::Parser;
use harness::canary;
use sim::{Plan, World, town::MARKER, verdict};

#[derive(Parser)]
#[command(about = "Marked callers, planted leaks, and the same day with other people")]
struct Args {
    /// Marked calls, at least; days are lived until there are as many.
    #[arg(long, default_value_t = 10_000)]
    marks: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Hours of each day.
    #[arg(long, default_value_t = 12)]
    hours: u64,
    /// How often the first day is lived again by others.
    #[arg(long, default_value_t = 3)]
    again: u64,
}

/// Names of callers that have one begin with this, and it stands nowhere else.
const NAMED: &str = "Person ";
const LEAKS: usize = 20;

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = |seed: u64, people: u64| Plan::day(seed).hours(args.hours).people(people);
    let marks = [MARKER, NAMED];

    let (mut contacts, mut numbers, mut found, mut days, mut bytes) = (0, BTreeSet::new(), 0, 0, 0);
    let mut sample = Vec::new();
    while contacts < args.marks {
        let seed = args.seed + days;
        let world = live(plan(seed, seed))?;
        contacts += marked(&world, &mut numbers)?;
        found += canary::in_bytes("the line", &world.stage.wan.egress, &marks).len();
        found +=
            canary::in_folder(world.folder(), &marks)?.iter().filter(|found| found.place.contains("cloud.db")).count();
        bytes += world.stage.wan.egress.len();
        sample = world.stage.wan.egress.clone();
        days += 1;
    }
    println!(
        "canaries: {contacts} calls with a mark, {} different numbers, over {days} days; {bytes} bytes left for the cloud; \
         {found} found there and in what the cloud keeps",
        numbers.len()
    );
    let planted = planted(&sample, &numbers);
    println!("planted leaks: {planted} of {LEAKS} found");

    let first = live(plan(args.seed, 0))?.egress();
    let mut alike = 0;
    for people in 1..=args.again {
        let left = live(plan(args.seed, people))?.egress();
        alike += u64::from(left == first);
        if let Some(at) = left.iter().zip(&first).position(|(a, b)| a != b) {
            let shown =
                |bytes: &[u8]| bytes[at.saturating_sub(80)..bytes.len().min(at + 40)].escape_ascii().to_string();
            println!("people {people}: the first difference is at byte {at}\n  {}\n  {}", shown(&first), shown(&left));
        }
    }
    println!(
        "the same day with other numbers and names: {alike} of {} left {} bytes that are identical, and at the same times",
        args.again,
        first.len()
    );
    ensure!(found == 0, "a mark has left");
    ensure!(planted == LEAKS, "a planted leak was not found");
    ensure!(alike == args.again, "who calls shows in what leaves");
    Ok(())
}

fn live(plan: Plan) -> anyhow::Result<World> {
    let mut world = World::new(plan)?;
    let end = world.end();
    world.run_until(end)?;
    let verdict = verdict::judge(&world)?;
    ensure!(verdict.holds(), "{verdict}");
    Ok(world)
}

/// Calls of this day whose mark the branches themselves remember; a mark that is nowhere proves nothing.
fn marked(world: &World, numbers: &mut BTreeSet<String>) -> anyhow::Result<usize> {
    let mut marked = 0;
    for branch in &world.branches {
        for number in branch.callers()? {
            if number.starts_with(MARKER) {
                marked += 1;
                numbers.insert(number);
            }
        }
    }
    Ok(marked)
}

/// How many of the leaks are found: each a number, in one of the dresses, somewhere in what really left.
fn planted(left: &[u8], numbers: &BTreeSet<String>) -> usize {
    let dresses: [fn(&str) -> Vec<u8>; 5] = [
        |number| number.as_bytes().to_vec(),
        |number| number.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        |number| number.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        |number| number.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        |number| number.bytes().rev().collect(),
    ];
    let leaks = numbers.iter().take(LEAKS).zip(dresses.iter().cycle()).enumerate();
    leaks
        .filter(|(n, (number, dress))| {
            let (before, after) = left.split_at(left.len() * (n + 1) / (LEAKS + 1));
            let leaking = [before, &dress(number), after].concat();
            !canary::in_bytes("the line", &leaking, &[number]).is_empty()
        })
        .count()
}
