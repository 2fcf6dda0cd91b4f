//! That shares of the key were made, for whoever asks whether there is a way back. Not the shares.

use std::{fs, io};

use anyhow::Context;
use ledger::BranchKey;
use model::Millis;
use serde::{Deserialize, Serialize};

use super::{name_of, sync_folder};
use crate::config::BoxConfig;

/// What was made of which key, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenOut {
    pub name: String,
    pub need: u8,
    pub of: u8,
    pub at: Millis,
}

/// Writes down that shares were made and given out.
pub fn note(config: &BoxConfig, key: &BranchKey, (need, of): (u8, u8), at: Millis) -> anyhow::Result<()> {
    let file = file(config);
    let text = serde_json::to_vec(&GivenOut { name: name_of(key), need, of, at }).context("JSON")?;
    let fresh = file.with_extension("new");
    fs::write(&fresh, text).and_then(|()| fs::File::open(&fresh)?.sync_all()).context("the data folder")?;
    fs::rename(&fresh, &file).context("the data folder")?;
    sync_folder(&file)
}

/// None: never, or of a key that is gone.
pub fn shared(config: &BoxConfig, key: &BranchKey) -> anyhow::Result<Option<GivenOut>> {
    let text = match fs::read(file(config)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.context("what was written down of the key's shares")?,
    };
    let made: GivenOut = serde_json::from_slice(&text).context("what was written down of the key's shares")?;
    Ok(Some(made).filter(|made| made.name == name_of(key)))
}

fn file(config: &BoxConfig) -> std::path::PathBuf {
    config.data.join("branch.shares.json")
}
