//! The prompts' folder: WAV files, encoded once when first asked for, and again when the file changed.

use std::{collections::BTreeMap, path::PathBuf, time::SystemTime};

use media::{engine::Prompts, prompt::Prompt};
use tracing::warn;

/// Bytes of one file: ten minutes of 48 kHz stereo.
const FILE_BYTES_MAX: u64 = 120 * 1024 * 1024;
/// Prompts kept encoded.
const KEPT_MAX: usize = 500;

pub struct Shelf {
    folder: PathBuf,
    kept: BTreeMap<String, (SystemTime, Prompt)>,
}

impl Shelf {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, kept: BTreeMap::new() }
    }

    fn load(&mut self, name: &str) -> anyhow::Result<Prompt> {
        // A prompt's id is a slug: no path can be made of it (S-41).
        let id = model::PromptId::new(name)?;
        let path = self.folder.join(format!("{id}.wav"));
        let metadata = std::fs::metadata(&path)?;
        anyhow::ensure!(metadata.len() <= FILE_BYTES_MAX, "larger than {FILE_BYTES_MAX} bytes");
        let changed = metadata.modified()?;
        if let Some((_, prompt)) = self.kept.get(name).filter(|(at, _)| *at == changed) {
            return Ok(prompt.clone());
        }
        let prompt = Prompt::from_wav(&std::fs::read(&path)?)?;
        if self.kept.len() >= KEPT_MAX {
            self.kept.pop_first();
        }
        self.kept.insert(name.to_owned(), (changed, prompt.clone()));
        Ok(prompt)
    }
}

impl Prompts for Shelf {
    fn prompt(&mut self, name: &str) -> Option<Prompt> {
        self.load(name).map_err(|error| warn!(prompt = name, %error, "a prompt cannot be played")).ok()
    }
}
