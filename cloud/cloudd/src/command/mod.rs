//! What can be asked of `cloudd` on the command line. Each command is one file.

mod boxes;
mod bundle;
mod enrol;
mod init;
mod run;
mod site;
pub mod user;

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
    founded(settings)?;
    let db = store(settings)?;
    let org = db.read_blocking(db::org::read)?;
    anyhow::ensure!(
        org.is_some(),
        "the database of {} was not initialised: run `cloudd init` first",
        settings.data.display()
    );
    Ok(db)
}

/// The database, which may be empty.
fn store(settings: &Settings) -> anyhow::Result<Db> {
    let Some(database) = &settings.database else {
        let path = database(settings);
        return Db::open(&path).with_context(|| format!("cannot open {}", path.display()));
    };
    let password = match &database.password_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("database.password_file: cannot read {}", path.display()))?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
    };
    let server = db::Server { url: database.url.clone(), password, ca: database.ca_file.clone() };
    Db::connect(&server).context("database.url: cannot use the server")
}

/// An error that says what to do when `cloudd init` has not run.
fn founded(settings: &Settings) -> anyhow::Result<()> {
    let path = database(settings);
    let there = settings.database.is_some() || path.exists();
    anyhow::ensure!(there, "there is no {}: run `cloudd init` first", path.display());
    Ok(())
}

fn database(settings: &Settings) -> PathBuf {
    settings.data.join("cloud.db")
}

/// The certificate authority that `cloudd init` made. It is never made anew: every box would be a stranger.
fn authority(settings: &Settings) -> anyhow::Result<Ca> {
    let folder = ca_folder(settings);
    anyhow::ensure!(
        folder.join("ca.pem").exists(),
        "there is no {}/ca.pem: put it back, or copy it from another instance",
        folder.display()
    );
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
