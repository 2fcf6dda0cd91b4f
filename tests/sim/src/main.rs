//! `cargo xtask sim --seed N [--call K]`: a day, its trace, and the verdict.

use std::{io::Write, process::ExitCode, time::Duration};

use clap::Parser;
use sim::{Plan, World, ladder, verdict};

#[derive(Parser)]
#[command(about = "A day of a two-branch company in seconds")]
struct Args {
    /// The same seed gives the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the ladder of this contact, too.
    #[arg(long)]
    call: Option<u32>,
    /// Hours from eight in the morning on.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Only the summary and the verdict.
    #[arg(long)]
    quiet: bool,
    /// A day without broken lines and dying processes.
    #[arg(long)]
    calm: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut plan = Plan::day(args.seed).hours(args.hours);
    plan.trouble = !args.calm;
    let mut world = World::new(plan)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let end = world.end();
    let mut until = Duration::ZERO;
    while until < end {
        until = (until + Duration::from_secs(3_600)).min(end);
        world.run_until(until)?;
        for line in world.stage.journal.read() {
            if !args.quiet {
                writeln!(out, "{line}")?;
            }
        }
    }
    if let Some(call) = args.call {
        match ladder::of(&world.stage.journal, call) {
            Some(ladder) => write!(out, "{ladder}")?,
            None => writeln!(out, "there is no contact #{call}")?,
        }
    }
    let verdict = verdict::judge(&world)?;
    write!(out, "{verdict}")?;
    out.flush()?;
    if verdict.holds() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("a rule was broken on the day of seed {}", args.seed);
    Ok(ExitCode::FAILURE)
}
