//! What the agent remembers across reboots, and what it tells the rest of the box: `ota.json`, written whole, synced,
//! and renamed.

use std::{io::Write, path::Path};

use anyhow::Context;
use ota::{
    Slot, Version,
    trial::{Outcome, Saved},
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Of the boot in which this was written.
    pub boot_id: String,
    pub slot: Slot,
    pub running: Version,
    pub update: Saved,
    /// Versions that failed on this box.
    pub failed: Vec<Version>,
    pub last: Option<Outcome>,
}

/// None when there is no file yet.
pub fn load(path: &Path) -> anyhow::Result<Option<State>> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("{} is damaged; remove it to forget the update in progress", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

pub fn save(path: &Path, state: &State) -> anyhow::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = std::fs::File::create(&fresh).with_context(|| format!("{} cannot be written", fresh.display()))?;
    file.write_all(&serde_json::to_vec_pretty(state)?)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path).with_context(|| format!("{} cannot be replaced", path.display()))?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .context("the state folder cannot be synced")?;
    }
    Ok(())
}
