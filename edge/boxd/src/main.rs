//! `boxd`: see `boxd --help`.

mod command;

use std::{io::Read, os::fd::AsFd, path::PathBuf};

use anyhow::Context;
use boxd::{calls, config, logs, media, supervise};
use clap::{Parser, Subcommand};
use ledger::BranchKey;

/// What a call takes is given back by another thread, half a minute later: the C library's allocator spreads out under
/// that, and costs more for each of a call's thousand allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(version, about = "Branchline on a box: answers the branch's calls, with or without the Internet")]
struct Args {
    /// The box's configuration file.
    #[arg(long, global = true, default_value = "/etc/branchline/box.toml")]
    config: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Start the three processes, restart what dies, write the health file.
    Run,
    /// Say whether the configuration file can be used.
    Check,
    /// One of the three processes; `run` starts them.
    #[command(hide = true)]
    Calls(Handed),
    #[command(hide = true)]
    Media(Handed),
    #[command(hide = true)]
    Sync(Handed),
    /// Join an organisation with a one-time code from its cloud.
    Enrol {
        #[arg(long)]
        code: String,
    },
    /// The branch's configuration, for a box without a cloud.
    #[command(subcommand)]
    Site(command::Site),
    /// Flows as text: look for faults, without a box.
    #[command(subcommand)]
    Flow(command::flow::Flow),
    #[command(subcommand)]
    Phone(command::Phone),
    #[command(subcommand)]
    Agent(command::Agent),
    #[command(subcommand)]
    Trunk(command::Trunk),
    /// Say why a contact was offered to whom: the decisions as they were made, and made again under the configuration
    /// that was in force.
    Explain { contact: model::ContactId },
    /// Show the certificate for phones and trunks; write the box's CA for phones that must know it.
    Tls {
        #[arg(long)]
        ca_out: Option<PathBuf>,
    },
    #[command(subcommand)]
    Key(command::Key),
    #[command(subcommand)]
    Recording(command::Recording),
    #[command(subcommand)]
    Ledger(command::Ledger),
    /// Test a phone, a gateway or a trunk, behaviour by behaviour, and write a signed report.
    #[command(subcommand)]
    Lab(command::lab::Lab),
}

#[derive(clap::Args)]
struct Handed {
    /// Who opened the branch key, or could not: it is on standard input, or that is empty.
    #[arg(long)]
    key_on_stdin: bool,
}

impl Handed {
    fn over(self, config: config::BoxConfig) -> anyhow::Result<config::BoxConfig> {
        if !self.key_on_stdin {
            return Ok(config);
        }
        // Not by way of a buffer that keeps it.
        let mut pipe = std::fs::File::from(std::io::stdin().as_fd().try_clone_to_owned().context("standard input")?);
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        let key = match pipe.read(bytes.as_mut_slice()).context("the branch key was not handed over")? {
            0 => None,
            32 => Some(BranchKey::new(*bytes)),
            len => anyhow::bail!("{len} bytes of a branch key were handed over"),
        };
        Ok(config::BoxConfig { keys: config.keys.clone().handed(key), ..config })
    }
}

fn main() -> anyhow::Result<()> {
    let Args { config: file, task } = Args::parse();
    // A flow is looked at where no box is, too.
    if let Task::Flow(flow) = task {
        return flow.run();
    }
    let config = config::load(&file).map_err(|faults| anyhow::anyhow!("{faults}"))?;
    match task {
        Task::Check => {
            supervise::check(&config)?;
            println!("{} is good", file.display());
            Ok(())
        }
        Task::Run => {
            logs::start(config.log);
            runtime(2)?.block_on(supervise::run(file, config))
        }
        Task::Calls(handed) => process(&config, one_thread()?, calls::run(handed.over(config.clone())?)),
        Task::Media(handed) => process(&config, runtime(1)?, media::run(command::media(&handed.over(config.clone())?))),
        Task::Sync(handed) => process(&config, runtime(2)?, command::sync(handed.over(config.clone())?)),
        Task::Enrol { code } => runtime(1)?.block_on(command::enrol(&config, &code)),
        Task::Flow(flow) => flow.run(),
        Task::Site(site) => site.run(&config),
        Task::Phone(phone) => phone.run(&config),
        Task::Agent(agent) => agent.run(&config),
        Task::Trunk(trunk) => trunk.run(&config),
        Task::Explain { contact } => command::explain(&config, contact),
        Task::Tls { ca_out } => command::tls(&config, ca_out.as_deref()),
        Task::Key(key) => key.run(&config),
        Task::Recording(recording) => recording.run(&config),
        Task::Ledger(ledger) => ledger.run(&config),
        Task::Lab(lab) => runtime(1)?.block_on(lab.run(&config)),
    }
}

fn runtime(threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("the runtime cannot start")
}

/// For work that begins threads of its own where it needs them.
fn one_thread() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("the runtime cannot start")
}

/// Runs one process to its end; SIGTERM ends it well.
fn process(
    config: &config::BoxConfig,
    runtime: tokio::runtime::Runtime,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    logs::start(config.log);
    supervise::die_with_parent();
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            ended = work => ended,
            _ = terminate.recv() => Ok(()),
        }
    })
}
