//! `boxd recording rekey`: another branch key. What it wraps is wrapped anew, in recordings and in the ledger, and no
//! recording is written again. Each step is durable before the next begins, and may be done twice: after a power cut
//! the next start of the box, or the command, goes on where it ended. Until the new key has the old one's name every
//! recording opens by both; afterwards the old one is forgotten, file by file.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use ledger::BranchKey;
use media::record::{self, HEAD_LEN, Patch};
use rand::Rng;
use tracing::warn;

use crate::{
    config::BoxConfig,
    keys::{Alone, Keys, alone, sync_folder, take_place},
};

/// What a change of keys came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Recordings that the new key opens.
    pub recordings: u64,
    /// Files that no key of this box opens, or that are no recordings; they are left as they are.
    pub foreign: u64,
    /// Rows of the ledger: people, credentials.
    pub rows: u64,
    pub rows_lost: u64,
}

/// A change of keys under way.
pub struct Rekey {
    keys: Keys,
    ledger: PathBuf,
    recordings: PathBuf,
    /// None: the new key has its name, and the old one is to be forgotten.
    old: Option<BranchKey>,
    new: BranchKey,
    /// Recordings that are still to be looked at, until the new key has its name and then again.
    left: Vec<PathBuf>,
    ledger_done: bool,
    done: Summary,
    /// Nobody starts the box meanwhile.
    _alone: Option<Alone>,
}

impl Rekey {
    /// Draws a new key and begins, or goes on with what a power cut ended. The box must not run: it would go on with the
    /// key that it has in memory.
    pub fn begin(config: &BoxConfig) -> anyhow::Result<Self> {
        let alone = alone(&config.run)?.context("the box runs: stop it first (systemctl stop branchline)")?;
        let spare = fs::read_dir(&config.run).into_iter().flatten().flatten();
        anyhow::ensure!(
            !spare.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("spare-")),
            "what happened while the disk failed is not brought home yet: start the box once before"
        );
        let key_file = config.keys.file();
        anyhow::ensure!(key_file.exists(), "there is no branch key yet");
        if let Some(begun) = Self::interrupted(config)? {
            return Ok(Self { _alone: Some(alone), ..begun });
        }
        config.keys.beside(staged(key_file)).load_or_create().context("a new key cannot be kept")?;
        let begun = Self::interrupted(config)?.context("the new key is gone")?;
        Ok(Self { _alone: Some(alone), ..begun })
    }

    /// What was begun and is not at its end; None: nothing.
    pub fn interrupted(config: &BoxConfig) -> anyhow::Result<Option<Self>> {
        let (keys, recordings) = (config.keys.clone(), config.recordings());
        let next = staged(keys.file());
        let (old, new) = if next.exists() {
            (Some(keys.load_or_create()?), keys.beside(next).load_or_create()?)
        } else if forgetting(keys.file()).exists() {
            (None, keys.load_or_create()?)
        } else {
            return Ok(None);
        };
        let (left, ledger, done) = (files(&recordings)?, config.ledger_file(), Summary::default());
        Ok(Some(Self { keys, ledger, recordings, old, new, left, ledger_done: false, done, _alone: None }))
    }

    pub fn finish(mut self) -> anyhow::Result<Summary> {
        while self.step()? {}
        Ok(self.done)
    }

    /// One durable step; false when none was left.
    pub fn step(&mut self) -> anyhow::Result<bool> {
        let Some(old) = self.old.clone() else { return self.forget() };
        if let Some(file) = self.left.pop() {
            let mut nonce = [0; 12];
            rand::rng().fill_bytes(&mut nonce);
            let patched = patch(&file, |head| record::rewrap(head, old.bytes(), self.new.bytes(), nonce))?;
            self.count(&file, patched);
        } else if !self.ledger_done {
            if self.ledger.exists() {
                let done = ledger::rekey(&self.ledger, &old, &self.new).context("the ledger")?;
                (self.done.rows, self.done.rows_lost) = (done.rows, done.lost);
            }
            self.ledger_done = true;
        } else {
            self.switch()?;
            self.old = None;
            self.left = files(&self.recordings)?;
        }
        Ok(true)
    }

    fn count(&mut self, file: &Path, patched: Result<(), record::Error>) {
        match patched {
            Ok(()) => self.done.recordings = self.done.recordings.saturating_add(1),
            Err(why) => {
                warn!(file = %file.display(), %why, "left as it is");
                self.done.foreign = self.done.foreign.saturating_add(1);
            }
        }
    }

    /// The new key takes the old one's name, and the old one's bytes are overwritten.
    fn switch(&self) -> anyhow::Result<()> {
        let key_file = self.keys.file();
        File::create(forgetting(key_file)).and_then(|file| file.sync_all()).context("the data folder")?;
        sync_folder(key_file)?;
        take_place(&staged(key_file), key_file)
    }

    fn forget(&mut self) -> anyhow::Result<bool> {
        if let Some(file) = self.left.pop() {
            // What the new key does not open was counted, and has nothing that could be forgotten.
            let _foreign = patch(&file, |head| record::forget(head, self.new.bytes()))?;
            return Ok(true);
        }
        match fs::remove_file(forgetting(self.keys.file())) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("the data folder"),
            _ => Ok(false),
        }
    }
}

fn staged(key_file: &Path) -> PathBuf {
    key_file.with_extension("key.next")
}

/// It stands while recordings may open by the key before.
fn forgetting(key_file: &Path) -> PathBuf {
    key_file.with_extension("key.forget")
}

fn files(recordings: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(recordings) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| recordings.display().to_string())?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| recordings.display().to_string())?.path();
        if path.extension().is_some_and(|ending| ending == "blr") {
            files.push(path);
        }
    }
    Ok(files)
}

/// Writes what `make` makes of a file's head. The outer error is the disk's, and ends everything; the inner one is about
/// this file.
fn patch(
    path: &Path,
    make: impl FnOnce(&[u8]) -> Result<Option<Patch>, record::Error>,
) -> anyhow::Result<Result<(), record::Error>> {
    let write = move || -> std::io::Result<Result<(), record::Error>> {
        let mut file = File::options().read(true).write(true).open(path)?;
        let mut head = Vec::with_capacity(HEAD_LEN);
        Read::by_ref(&mut file).take(HEAD_LEN as u64).read_to_end(&mut head)?;
        match make(&head) {
            Ok(Some(patch)) => {
                file.seek(SeekFrom::Start(patch.offset))?;
                file.write_all(&patch.bytes)?;
                file.sync_data()?;
                Ok(Ok(()))
            }
            Ok(None) => Ok(Ok(())),
            Err(error) => Ok(Err(error)),
        }
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests;
