//! `branchline`: the configuration of branches as files in version control, over the console's interface.
//!
//! Ends with 0 when there is nothing to do or it was done, with 2 when something differs, and with 1 when it failed.

mod api;
mod files;
mod plans;
mod rollouts;
mod show;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use model::SiteId;

use crate::{api::Server, plans::Plans};

/// Something differs.
const DIFFERS: u8 = 2;

#[derive(Parser)]
#[command(name = "branchline", version, about = "The configuration of branches as files in version control")]
struct Args {
    /// Where the console is, as in https://console.example.
    #[arg(long, env = "BRANCHLINE_SERVER")]
    server: String,
    /// A file whose first line is the token. Without it, the token is in BRANCHLINE_TOKEN.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// A certificate authority of your own, as PEM.
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Send the token in clear to a server that is not this machine.
    #[arg(long)]
    in_clear: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the configuration of branches into files, one for each.
    Export {
        /// Only these; may be repeated. Without it, all that the token may see.
        #[arg(long = "site")]
        sites: Vec<SiteId>,
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
    /// Say what would change if the files were applied; ends with 2 when something would.
    Plan {
        /// Files, or folders of *.yaml.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Keep the plan, for `apply`.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Apply a plan that was kept. Refused where the configuration was changed since.
    Apply { plan: PathBuf },
    /// Changes for many branches, in waves.
    #[command(subcommand)]
    Rollout(rollouts::Command),
    /// Say where branches run by something other than the files, and who set it; ends with 2 when one does.
    Drift {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            // A mistyped command is a failure, and no difference.
            return if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    match run(args).await {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::from(DIFFERS),
        Err(error) => {
            eprintln!("branchline: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether something differs.
async fn run(args: Args) -> anyhow::Result<bool> {
    let token = token(args.token_file)?;
    let ca = args.ca_file.map(|path| files::read(&path)).transpose()?;
    let server = Server::new(&args.server, &token, ca.as_deref(), args.in_clear)?;
    match args.command {
        Command::Export { sites, dir } => {
            let sites = if sites.is_empty() { server.sites().await? } else { sites };
            for site in sites {
                let path = dir.join(format!("{site}.yaml"));
                files::write(&path, &files::print(&server.config(&site).await?)?)?;
                println!("{}", path.display());
            }
            Ok(false)
        }
        Command::Plan { files, out } => {
            let plans = Plans::make(&server, &files).await?;
            print!("{}", plans.shown());
            if let Some(out) = out {
                files::write(&out, &serde_json::to_string_pretty(&plans)?)?;
            }
            Ok(plans.differs())
        }
        Command::Apply { plan } => {
            let plans: Plans = serde_json::from_str(&files::read(&plan)?).with_context(|| {
                format!("{} is not a plan that was kept by `branchline plan --out`", plan.display())
            })?;
            plans.apply(&server).await?;
            Ok(false)
        }
        Command::Rollout(command) => rollouts::run(&server, command).await,
        Command::Drift { files } => {
            let plans = Plans::make(&server, &files).await?;
            print!("{}", plans.drift(&server).await?);
            Ok(plans.differs())
        }
    }
}

fn token(file: Option<PathBuf>) -> anyhow::Result<String> {
    let text = match file {
        Some(path) => files::read(&path)?,
        None => std::env::var("BRANCHLINE_TOKEN").context("no --token-file, and no BRANCHLINE_TOKEN")?,
    };
    let token = text.lines().next().unwrap_or_default().trim().to_owned();
    ensure!(!token.is_empty(), "the token is empty");
    Ok(token)
}
