//! Where sounds come from: the prompts' folder, of which each file is encoded when first asked for and again when it
//! changed, and the box's voice, whose words are kept unless they are about one caller.

use std::{collections::BTreeMap, path::PathBuf, time::SystemTime};

use media::{
    engine::{Prompts, Speaking, SpeechId},
    plane::Speech,
    prompt::Prompt,
};
use tracing::warn;

use super::speech::Voice;

/// Bytes of one file: ten minutes of 48 kHz stereo.
const FILE_BYTES_MAX: u64 = 120 * 1024 * 1024;
/// Prompts kept encoded, and as many sentences.
const KEPT_MAX: usize = 500;

pub struct Shelf {
    folder: PathBuf,
    kept: BTreeMap<String, (SystemTime, Prompt)>,
    voice: Option<Voice>,
    said: BTreeMap<Speech, Prompt>,
    /// Sentences that are being said, and are of use to whoever asks next.
    asked: BTreeMap<Speech, SpeechId>,
}

impl Shelf {
    pub fn new(folder: PathBuf, voice: Option<Voice>) -> Self {
        Self { folder, kept: BTreeMap::new(), voice, said: BTreeMap::new(), asked: BTreeMap::new() }
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

    /// What was asked of the voice is here; None: it cannot be said.
    pub fn spoken(&mut self, speech: SpeechId, sound: Option<&Prompt>) {
        let Some((words, _)) = self.asked.iter().find(|(_, id)| **id == speech) else { return };
        let words = words.clone();
        self.asked.remove(&words);
        if let Some(sound) = sound {
            // What is still in use is soon said again.
            if self.said.len() >= KEPT_MAX {
                self.said.clear();
            }
            self.said.insert(words, sound.clone());
        }
    }
}

impl Prompts for Shelf {
    fn prompt(&mut self, name: &str) -> Option<Prompt> {
        self.load(name).map_err(|error| warn!(prompt = name, %error, "a prompt cannot be played")).ok()
    }

    fn speak(&mut self, speech: &Speech) -> Option<Speaking> {
        if let Some(prompt) = self.said.get(speech) {
            return Some(Speaking::Said(prompt.clone()));
        }
        if let Some(id) = self.asked.get(speech) {
            return Some(Speaking::Soon(*id));
        }
        let id = self.voice.as_mut()?.say(speech)?;
        if !speech.personal {
            self.asked.insert(speech.clone(), id);
        }
        Some(Speaking::Soon(id))
    }
}
