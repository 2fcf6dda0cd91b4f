//! What can be asked of `cloudd` on the command line. Each command is one file.

mod boxes;
mod bundle;
mod enrol;
mod init;
mod run;
mod site;
mod user;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, Subcommand};
use db::Db;
use model::SiteId;

use crate::{
    ca::Ca,
    clock,
    settings::{self, Settings},
};

#[derive(Parser)]
#[command(name = "cloudd", version, about = "One console over the boxes of all branches")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// The configuration file.
    #[arg(long, global = true, default_value = "cloud.toml", env = "CLOUDD_CONFIG")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Serve boxes and the console until stopped.
    Run,
    /// Once: create the certificate authority, the database and the first administrator.
    Init(init::Init),
    /// Sites.
    #[command(subcommand)]
    Site(site::Site),
    /// Print a one-time code with which one box joins a site.
    Enrol { site: SiteId },
    /// Boxes.
    #[command(subcommand)]
    Box(boxes::Box),
    /// Firmware bundles.
    #[command(subcommand)]
    Bundle(bundle::Bundle),
    /// People who may sign in at the console.
    #[command(subcommand)]
    User(user::User),
}

impl Args {
    pub async fn execute(self) -> anyhow::Result<()> {
        let settings = settings::load(&self.config)?;
        match self.command {
            Command::Run => run::run(settings).await,
            Command::Init(init) => init.execute(&settings).await,
            Command::Site(site) => site.execute(&settings).await,
            Command::Enrol { site } => enrol::execute(&settings, &site).await,
            Command::Box(boxes) => boxes.execute(&settings).await,
            Command::Bundle(bundle) => bundle.execute(&settings).await,
            Command::User(user) => user.execute(&settings).await,
        }
    }
}

/// The database of a cloud that was initialised.
fn open(settings: &Settings) -> anyhow::Result<Db> {
    let path = database(settings);
    anyhow::ensure!(path.exists(), "there is no {}: run `cloudd init` first", path.display());
    let db = Db::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    let org = db.read_blocking(db::org::read)?;
    anyhow::ensure!(org.is_some(), "{} was not initialised: run `cloudd init` first", path.display());
    Ok(db)
}

fn database(settings: &Settings) -> PathBuf {
    settings.data.join("cloud.db")
}

/// The certificate authority that `cloudd init` made. It is never made anew: every box would be a stranger.
fn authority(settings: &Settings) -> anyhow::Result<Ca> {
    let folder = ca_folder(settings);
    anyhow::ensure!(folder.join("ca.pem").exists(), "there is no {}/ca.pem: put it back", folder.display());
    Ca::open(&folder, clock::now())
}

fn ca_folder(settings: &Settings) -> PathBuf {
    settings.data.join("ca")
}

/// A folder that only its owner reads.
fn private_folder(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path).with_context(|| format!("cannot create {}", path.display()))
}
