//! `otad run|status`: the update agent of a box.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use otad::{agent::Agent, config, state};

#[derive(Parser)]
#[command(version, about = "Branchline's update agent: fetch, verify, write, switch, prove healthy, commit")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Watch the spool and carry updates through.
    Run {
        #[arg(long, default_value = "/etc/branchline/otad.toml")]
        config: PathBuf,
    },
    /// Print where the update stands, as JSON.
    Status {
        #[arg(long, default_value = "/etc/branchline/otad.toml")]
        config: PathBuf,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false).init();
    match Args::parse().task {
        Task::Run { config } => Agent::start(config::load(&config)?).await?.run().await,
        Task::Status { config } => {
            let state = state::load(&config::load(&config)?.state)?;
            println!("{}", serde_json::to_string_pretty(&state)?);
            Ok(())
        }
    }
}
