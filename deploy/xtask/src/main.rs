//! The commands a desk and CI share: `cargo xtask ci|tidy|torture|fuzz|bench|sim|locality`.

mod fuzz;

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
    /// A day of a two-branch company in seconds: `--seed N [--call K] [--hours H] [--quiet] [--calm]`.
    #[command(disable_help_flag = true)]
    Sim {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Nothing that may not leave has left: marked callers, planted leaks, the same day with other people.
    #[command(disable_help_flag = true)]
    Locality {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// The 61 torture messages of RFC 4475 and RFC 5118 put to a real box, a row each.
    Torture,
    /// Coverage-guided inputs for one surface of what strangers can send; what is new stays in `target/fuzz`.
    Fuzz(fuzz::Args),
    /// A measurement beside its yardstick, in one run, as ratios.
    #[command(disable_help_flag = true)]
    Bench {
        which: Bench,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Bench {
    /// Durable outbox ingest in the cloud, beside a bare SQLite insert loop and JetStream.
    Ingest,
    /// Simulated boxes on one cloudd: memory, reconnect storm, one edit for all.
    Fleet,
    /// Random schedules of edits, partitions, restarts and lies over the configuration documents.
    Merge,
    /// Relaying with and without recording, beside rtpengine and a bare forwarder.
    Media,
    /// Setting up and ending calls, beside Kamailio with rtpengine.
    Calls,
    /// Ten times what the box can carry.
    Overload,
    /// Thousands of phones that come back after a restart.
    Registrations,
    /// The distributor: cost of one assignment in a full house, and a day of a million contacts.
    Acd,
}

fn main() -> anyhow::Result<()> {
    match Args::parse().task {
        Task::Ci => {
            cargo(&["fmt", "--all", "--check"])?;
            cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
            // With the tests, so that both share one build of every package.
            cargo(&["build", "--workspace", "--bins", "--tests", "--locked"])?;
            cargo(&["nextest", "run", "--workspace", "--locked"])
        }
        Task::Tidy => cargo(&["test", "--quiet", "--package", "tidy"]),
        Task::Sim { args } => {
            let mut all = vec!["run", "--quiet", "--package", "sim", "--bin", "sim", "--"];
            all.extend(args.iter().map(String::as_str));
            cargo(&all)
        }
        Task::Locality { args } => {
            let mut all = vec!["run", "--release", "--quiet", "--package", "sim", "--bin", "locality", "--"];
            all.extend(args.iter().map(String::as_str));
            cargo(&all)
        }
        Task::Torture => {
            cargo(&["build", "--package", "boxd", "--bin", "boxd", "--package", "e2e", "--bin", "torture"])?;
            cargo(&["run", "--quiet", "--package", "e2e", "--bin", "torture"])
        }
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Bench { which, args } => {
            let program = match which {
                Bench::Ingest => "ingest",
                Bench::Fleet => "fleet",
                Bench::Merge => "merge",
                Bench::Media => "relay",
                Bench::Calls => "calls",
                Bench::Overload => "overload",
                Bench::Registrations => "registrations",
                Bench::Acd => "acd",
            };
            // What is measured is built like what is shipped.
            cargo(&["build", "--release", "--package", "boxd", "--package", "cloudd", "--package", "bench", "--bins"])?;
            let mut all = vec!["run", "--release", "--quiet", "--package", "bench", "--bin", program, "--"];
            all.extend(args.iter().map(String::as_str));
            cargo(&all)
        }
    }
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo).args(args).status().context("cargo cannot be started")?;
    ensure!(status.success(), "cargo {} failed", args.join(" "));
    Ok(())
}
