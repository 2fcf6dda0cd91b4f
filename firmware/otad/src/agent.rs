//! The loop around the update machine: reads the spool and the health file, obeys the machine's outputs.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use ota::trial::{Input, Outcome, Output, Saved, Trial};
use tracing::{error, info, warn};

use crate::{
    config::Config,
    rauc::Rauc,
    spool,
    state::{self, State},
};

const EVERY: Duration = Duration::from_secs(1);
/// A health file older than this says nothing.
const HEALTH_AGE_MAX_S: u64 = 10;
const HEALTH_BYTES_MAX: u64 = 64 * 1024;

pub struct Agent {
    config: Config,
    rauc: Rauc,
    trial: Trial,
    boot_id: String,
    last: Option<Outcome>,
    /// A reboot was asked for: nothing else is begun.
    rebooting: bool,
}

impl Agent {
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let boot_id = std::fs::read_to_string(&config.boot_id)
            .with_context(|| format!("boot_id: {} cannot be read", config.boot_id.display()))?
            .trim()
            .to_owned();
        let remembered = state::load(&config.state)?;
        let rauc = Rauc::connect(&config.bus).await?;
        let slot = rauc.booted().await?;
        info!(?slot, version = %config.version, "booted");
        let (saved, failed, last) = remembered
            .as_ref()
            .map_or((Saved::Idle, Vec::new(), None), |old| (old.update.clone(), old.failed.clone(), old.last.clone()));
        let trial = Trial::new(config.timing(), saved, failed, config.version);
        let mut agent = Self { config, rauc, trial, boot_id, last, rebooting: false };
        agent.trial.handle_input(Instant::now(), Input::Booted(slot));
        let rebooted = remembered.is_some_and(|old| old.boot_id != agent.boot_id);
        if rebooted && matches!(agent.trial.saved(), Saved::AwaitingReboot { .. }) {
            agent.trial.fell_back();
        }
        agent.obey().await?;
        agent.save(agent.trial.saved().clone())?;
        Ok(agent)
    }

    /// Runs until a reboot was asked for.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut rounds = tokio::time::interval(EVERY);
        while !self.rebooting {
            rounds.tick().await;
            self.round().await?;
        }
        Ok(())
    }

    async fn round(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        if matches!(self.trial.saved(), Saved::Idle) {
            for bundle in spool::offers(&self.config.spool) {
                self.trial.handle_input(now, Input::Offered(bundle));
            }
        }
        let (good, calls) = health(&self.config.health);
        self.trial.handle_input(now, Input::Health { good, calls });
        self.trial.handle_timeout(now);
        self.obey().await
    }

    async fn obey(&mut self) -> anyhow::Result<()> {
        while let Some(output) = self.trial.poll_output() {
            match output {
                Output::Save(saved) => self.save(saved)?,
                Output::Install(bundle) => {
                    let result = self.install(&bundle).await?;
                    self.trial.handle_input(Instant::now(), Input::Installed(result));
                }
                Output::Reboot => self.reboot()?,
                Output::CommitBooted => self.rauc.mark("good", "booted").await?,
                Output::AbandonBooted => {
                    self.rauc.mark("bad", "booted").await?;
                    self.rauc.mark("active", "other").await?;
                }
                Output::CondemnOther => self.rauc.mark("bad", "other").await?,
                Output::Finished(outcome) => {
                    match &outcome {
                        Outcome::Committed { version } => info!(%version, "update committed"),
                        Outcome::Refused { version, why } => warn!(%version, why, "update refused"),
                        Outcome::RolledBack { version, reason } => error!(%version, ?reason, "update rolled back"),
                    }
                    self.last = Some(outcome);
                    self.save(self.trial.saved().clone())?;
                }
            }
        }
        Ok(())
    }

    async fn install(&self, bundle: &ota::Bundle) -> anyhow::Result<Result<(), String>> {
        info!(name = bundle.name, version = %bundle.version, "installing");
        let (spool, wanted) = (self.config.spool.clone(), bundle.clone());
        let checked = tokio::task::spawn_blocking(move || spool::check(&spool, &wanted)).await?;
        match checked {
            Err(why) => Ok(Err(format!("{why:#}"))),
            Ok(()) => self.rauc.install(&self.config.spool.join(&bundle.name)).await,
        }
    }

    fn reboot(&mut self) -> anyhow::Result<()> {
        if self.rebooting {
            return Ok(());
        }
        self.rebooting = true;
        info!("no call is in progress: booting the other slot");
        let (program, args) = self.config.reboot.split_first().context("reboot: no program")?;
        let status = Command::new(program).args(args).status().with_context(|| format!("{program} cannot be run"))?;
        anyhow::ensure!(status.success(), "{program} ended with {status}");
        Ok(())
    }

    fn save(&self, update: Saved) -> anyhow::Result<()> {
        state::save(
            &self.config.state,
            &State {
                boot_id: self.boot_id.clone(),
                slot: self.trial.slot(),
                running: self.config.version,
                update,
                failed: self.trial.failed().to_vec(),
                last: self.last.clone(),
            },
        )
    }
}

/// (all proofs hold, calls in progress). An old, damaged or missing file proves nothing, and then calls are unknown:
/// a box that cannot say whether somebody talks is rebooted only when its daemon has been silent for long.
fn health(path: &Path) -> (bool, u32) {
    let Some(health) = read_health(path) else { return (false, 0) };
    let at = health.get("at").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now.saturating_sub(at) > HEALTH_AGE_MAX_S {
        return (false, 0);
    }
    let checks = health.get("checks").and_then(serde_json::Value::as_object);
    let good = checks.is_some_and(|checks| !checks.is_empty() && checks.values().all(|check| check == true));
    let calls = health.get("calls").and_then(serde_json::Value::as_u64).and_then(|calls| u32::try_from(calls).ok());
    (good, calls.unwrap_or(0))
}

fn read_health(path: &Path) -> Option<serde_json::Value> {
    if std::fs::metadata(path).ok()?.len() > HEALTH_BYTES_MAX {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}
