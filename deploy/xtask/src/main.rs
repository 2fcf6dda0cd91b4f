//! The commands a desk and CI share: `cargo xtask ci|tidy|sim|bench`.

use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "The commands a desk and CI share")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Format, lints, and every test.
    Ci,
    /// Only the house rules: imports, file hygiene, links.
    Tidy,
    /// A day of a two-branch company in seconds; prints a trace that is the same for the same seed.
    Sim {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print the ladder of one call, by its number in the trace.
        #[arg(long)]
        call: Option<u64>,
    },
    /// A measurement beside its yardstick, in one run, as ratios.
    Bench { which: Bench },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Bench {
    /// Calls per second through the box, beside Kamailio with rtpengine.
    Calls,
    /// Relay with encrypted recording, beside a bare UDP forwarder.
    Relay,
    /// Durable outbox ingest in the cloud, beside a bare SQLite insert loop.
    Ingest,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Ci => {
            cargo(&["fmt", "--all", "--check"])?;
            cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
            cargo(&["nextest", "run", "--workspace", "--locked"])
        }
        Task::Tidy => cargo(&["test", "--quiet", "--package", "tidy"]),
        Task::Sim { seed, call } => {
            let seed = seed.to_string();
            let mut args = vec!["run", "--quiet", "--package", "sim", "--", "--seed", &seed];
            let call = call.map(|call| call.to_string());
            if let Some(call) = &call {
                args.extend(["--call", call]);
            }
            cargo(&args)
        }
        Task::Bench { which } => {
            let program = match which {
                Bench::Calls => "calls",
                Bench::Relay => "relay",
                Bench::Ingest => "ingest",
            };
            cargo(&["build", "--release", "--package", "boxd", "--package", "bench"])?;
            cargo(&["run", "--release", "--quiet", "--package", "bench", "--bin", program])
        }
    }
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo).args(args).status().context("cargo cannot be started")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}
