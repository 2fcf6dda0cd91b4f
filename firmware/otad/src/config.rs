//! `otad.toml`. Unknown keys are refused; relative paths are relative to the file's folder.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use ota::Version;
use serde::Deserialize;

/// The file, checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Version of the running system; the image writes it.
    pub version: Version,
    /// Bundles and their offers (`NAME.raucb` with `NAME.raucb.json`), put here by the sync process.
    pub spool: PathBuf,
    /// What the supervisor of `boxd` writes.
    pub health: PathBuf,
    /// This agent's own memory.
    pub state: PathBuf,
    /// `system`, or a D-Bus address.
    #[serde(default = "bus_default")]
    pub bus: String,
    /// Run when it is time to boot the other slot.
    #[serde(default = "reboot_default")]
    pub reboot: Vec<String>,
    /// Changes with every boot of the machine.
    #[serde(default = "boot_id_default")]
    pub boot_id: PathBuf,
    #[serde(default = "steady_default")]
    pub steady_s: u64,
    #[serde(default = "patience_default")]
    pub patience_s: u64,
}

fn bus_default() -> String {
    "system".into()
}

fn reboot_default() -> Vec<String> {
    vec!["systemctl".into(), "reboot".into()]
}

fn boot_id_default() -> PathBuf {
    "/proc/sys/kernel/random/boot_id".into()
}

fn steady_default() -> u64 {
    ota::trial::STEADY.as_secs()
}

fn patience_default() -> u64 {
    ota::trial::PATIENCE.as_secs()
}

pub fn load(file: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut config: Config = toml::from_str(&text).with_context(|| format!("{} cannot be used", file.display()))?;
    ensure!(!config.reboot.is_empty(), "reboot: name a program, such as [\"systemctl\", \"reboot\"]");
    ensure!(config.steady_s >= 1, "steady_s: at least 1 second");
    ensure!(config.patience_s > config.steady_s, "patience_s: more than steady_s");
    let base = file.parent().unwrap_or(Path::new("."));
    for path in [&mut config.spool, &mut config.health, &mut config.state, &mut config.boot_id] {
        *path = base.join(&*path);
    }
    Ok(config)
}

impl Config {
    pub fn timing(&self) -> ota::trial::Timing {
        ota::trial::Timing {
            steady: Duration::from_secs(self.steady_s),
            patience: Duration::from_secs(self.patience_s),
        }
    }
}
