//! The commands of an integrator: credentials, a configuration without a cloud, recordings, the ledger.

pub mod flow;
mod key;
pub mod lab;
mod ledger;
mod phone;

use std::{
    io::{BufRead, Write},
    path::PathBuf,
};

use ::ledger::{Batch, CredentialChange};
use anyhow::{Context, bail};
use boxd::{
    calls::{open_ledger, secrets},
    config::BoxConfig,
    explain, firmware,
    media::MediaConfig,
    recording,
    sync::SyncConfig,
};
use clap::Subcommand;
use model::{AgentId, ContactId, Millis, TrunkId, change::Doc};
use rand::Rng;

pub use self::{key::Key, ledger::Ledger};
pub use phone::Phone;

#[derive(Subcommand)]
pub enum Site {
    /// Write a whole configuration (JSON) into the branch's documents. A box with a cloud is configured there.
    Import { file: PathBuf },
    /// Print the configuration that the documents amount to, and its findings.
    Show,
}

#[derive(Subcommand)]
pub enum Agent {
    /// Set the password of somebody who signs in at the desk.
    Password {
        agent: AgentId,
        #[arg(long)]
        supervisor: bool,
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Subcommand)]
pub enum Trunk {
    /// Print how each trunk of the running box stands, and why TLS to it failed.
    Show,
    /// Set the password with which the box registers at a trunk.
    Password {
        trunk: TrunkId,
        #[arg(long)]
        password_stdin: bool,
    },
}

#[derive(Subcommand)]
pub enum Recording {
    /// Write stereo WAV to standard output: the caller left, the agent right.
    Play { file: PathBuf },
    /// Write stereo WAV, or Ogg Opus where the name ends in .opus, and beside it a manifest (JSON).
    Export {
        file: PathBuf,
        #[arg(long)]
        out: PathBuf,
    },
    /// Prove that nothing was changed; an error names the chunk.
    Verify { file: PathBuf },
    /// Draw another branch key and wrap all others by it anew; no recording is written again. The box must be stopped.
    /// Interrupted, it goes on at the box's next start.
    Rekey,
}

pub fn media(config: &BoxConfig) -> MediaConfig {
    MediaConfig {
        socket: config.media_socket(),
        rtp_ip: config.rtp.ip,
        rtp_ports: config.rtp.ports.clone(),
        prompts: config.prompts.clone(),
        speech: config.speech.clone(),
        recordings: config.recordings(),
        keys: config.keys.clone(),
        site: config.site.to_string(),
        metrics: config.metrics_of(1),
        io_uring: config.rtp.io_uring,
        level: config.rtp.level,
    }
}

/// A password: a line of standard input, or asked for twice at the terminal, unseen.
fn password(from_stdin: bool) -> anyhow::Result<String> {
    if !from_stdin {
        let asked = |prompt| rpassword::prompt_password(prompt).context("there is no terminal: use --password-stdin");
        let password = asked("password: ")?;
        anyhow::ensure!(asked("the same again: ")? == password, "the two are not the same; nothing was changed");
        return Ok(password);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("the password cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn store(config: &BoxConfig, credentials: Vec<CredentialChange>) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data)?;
    let ledger = open_ledger(config, config.keys.load_or_create()?)?;
    ledger.writer().submit(Batch { credentials, ..Batch::default() }).wait().context("the ledger")?;
    ledger.close();
    Ok(())
}

pub fn explain(config: &BoxConfig, contact: ContactId) -> anyhow::Result<()> {
    let ledger = open_ledger(config, config.keys.load_or_create()?)?;
    let told = explain::explain(&ledger.reader()?, &config.site, contact)?;
    print!("{}", told.text);
    anyhow::ensure!(told.unproved == 0, "{} of its decisions cannot be made again", told.unproved);
    Ok(())
}

impl Agent {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        let Agent::Password { agent, supervisor, password_stdin } = self;
        store(config, vec![secrets::desk_password(&agent, supervisor, &password(password_stdin)?)?])
    }
}

impl Trunk {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        match self {
            Trunk::Password { trunk, password_stdin } => {
                store(config, vec![secrets::trunk_password(&trunk, &password(password_stdin)?)])
            }
            Trunk::Show => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let status = runtime.block_on(boxd::probe::status(config.metrics_of(0)));
                let trunks = status.get("trunks").context("the box does not run")?;
                println!("{}", serde_json::to_string_pretty(trunks)?);
                Ok(())
            }
        }
    }
}

impl Site {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        std::fs::create_dir_all(&config.data)?;
        let ledger = open_ledger(config, config.keys.load_or_create()?)?;
        let mut actor = [0; 16];
        rand::rng().fill_bytes(&mut actor);
        let settings =
            boxd::calls::settings::Settings::open(config.site.clone(), actor, &config.data, &ledger.reader()?)?;
        match self {
            Site::Show => {
                let effective = settings.effective();
                let shown = serde_json::json!({ "config": effective.config, "findings": effective.findings });
                println!("{}", serde_json::to_string_pretty(&shown)?);
            }
            Site::Import { file } => {
                if config.identity().join("cert.pem").exists() {
                    bail!("this box is enrolled: its configuration is written in the cloud's console");
                }
                let text =
                    std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
                let wanted: model::config::Config =
                    serde_json::from_str(&text).with_context(|| format!("{} is no configuration", file.display()))?;
                anyhow::ensure!(
                    wanted.site.id == config.site,
                    "{} is for site {}, this box stands at {}",
                    file.display(),
                    wanted.site.id,
                    config.site
                );
                let changes = ::config::changes_from(&wanted);
                let now = Millis(i64::try_from(
                    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis(),
                )?);
                // Without a cloud the box is its own centre.
                let (_, encoded) = settings
                    .edit(Doc::Site, &changes, ::config::Author::Centre, now)
                    .map_err(|refused| anyhow::anyhow!("{:?}: {}", changes.get(refused.index), refused.error))?;
                let batch =
                    Batch { config: encoded.into_iter().map(|bytes| (Doc::Site, bytes)).collect(), ..Batch::default() };
                ledger.writer().submit(batch).wait().context("the ledger")?;
                println!("{} changes written", changes.len());
            }
        }
        ledger.close();
        Ok(())
    }
}

impl Recording {
    pub fn run(self, config: &BoxConfig) -> anyhow::Result<()> {
        match self {
            Recording::Rekey => {
                let done = recording::Rekey::begin(config)?.finish()?;
                println!("{} recordings and {} rows of the ledger open by the new key", done.recordings, done.rows);
                if done.foreign > 0 || done.rows_lost > 0 {
                    println!("{} files and {} rows opened by no key of this box", done.foreign, done.rows_lost);
                }
                Ok(())
            }
            Recording::Play { file } => {
                let wav = recording::wav(&file, config.keys.load_or_create()?.bytes())?;
                std::io::stdout().lock().write_all(&wav).context("standard output")
            }
            Recording::Export { file, out } => {
                let manifest = recording::export(&file, config.keys.load_or_create()?.bytes(), &out)?;
                println!("{}", serde_json::to_string_pretty(&manifest)?);
                Ok(())
            }
            Recording::Verify { file } => {
                let journal = recording::verify(&file, config.keys.load_or_create()?.bytes())?;
                let recovered = journal.trailer.as_ref().is_some_and(|trailer| trailer.recovered);
                println!(
                    "{}: {} chunks, {} frames, whole{}",
                    file.display(),
                    journal.chunks,
                    journal.frames.len(),
                    if recovered { " up to the crash it was recovered from" } else { "" }
                );
                Ok(())
            }
        }
    }
}

/// The sync process, with its metrics.
pub async fn sync(config: BoxConfig) -> anyhow::Result<()> {
    let cloud = config.cloud.as_ref().context("[cloud] is not configured: there is nothing to sync with")?;
    let registry = prometheus::Registry::new();
    let settings = SyncConfig {
        cloud: cloud.endpoints.clone(),
        web: cloud.web.clone(),
        identity: config.identity(),
        ledger: config.ledger_file(),
        key: config.keys.load_or_create()?,
        socket: config.sync_socket(),
        apart: config.data.join("apart.json"),
        spool: cloud.bundles.clone(),
        firmware: config.firmware.clone(),
        witness: config.witness.clone(),
        backoff: wire::backoff::Policy::default(),
        registry: registry.clone(),
        stop: tokio_util::sync::CancellationToken::new(),
    };
    let status: boxd::observe::Status = std::sync::Arc::new(|| serde_json::json!({ "running": true }));
    tokio::select! {
        ended = boxd::sync::run(settings) => ended,
        ended = boxd::observe::serve(config.metrics_of(2), registry, status) => ended,
    }
}

pub async fn enrol(config: &BoxConfig, code: &str) -> anyhow::Result<()> {
    let cloud = config.cloud.as_ref().context("[cloud] is not configured: there is nothing to enrol with")?;
    std::fs::create_dir_all(config.identity())?;
    let software = firmware::running(config.firmware.as_deref()).version;
    let peer = boxd::sync::enrol(code, &cloud.ways(), &config.identity(), software).await?;
    anyhow::ensure!(
        peer.site == config.site,
        "the code was for site {}, box.toml says {}: correct `site` and enrol with a fresh code",
        peer.site,
        config.site
    );
    println!("enrolled: box {} of site {}", peer.box_id, peer.site);
    Ok(())
}

/// The certificate as it is shown to phones, and the CA they need.
pub fn tls(config: &BoxConfig, ca_out: Option<&std::path::Path>) -> anyhow::Result<()> {
    let own = boxd::tls::own(config)?;
    let leaf = own.chain.first().context("no certificate")?;
    println!("certificate  SHA-256 {}", boxd::tls::fingerprint(leaf));
    println!("public key   SHA-256 {}", boxd::tls::spki_sha256(leaf).map(hex::encode).unwrap_or_default());
    match (boxd::tls::ca_file(config), ca_out) {
        (Some(ca), Some(out)) => {
            std::fs::copy(&ca, out).with_context(|| out.display().to_string())?;
            println!("the box's CA is in {}", out.display());
        }
        (Some(ca), None) => println!("the box's CA: {}", ca.display()),
        (None, Some(_)) => bail!("[tls] names a certificate: its CA is not the box's"),
        (None, None) => {}
    }
    Ok(())
}
