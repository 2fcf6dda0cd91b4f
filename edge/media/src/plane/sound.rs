//! What is played on a port.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sound {
    /// A WAV file's name, without `.wav`.
    Prompt(String),
    Speech(Speech),
}

impl Sound {
    /// The prompt's name, or the words, which may be personal.
    pub fn as_str(&self) -> &str {
        match self {
            Sound::Prompt(name) => name,
            Sound::Speech(speech) => &speech.text,
        }
    }
}

/// Words for the box's voice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Speech {
    /// As the voice names it.
    pub language: String,
    pub text: String,
    /// Holds what is known of one caller: the sound is kept nowhere.
    pub personal: bool,
}

impl std::fmt::Debug for Speech {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Speech({}, {} characters)", self.language, self.text.chars().count())
    }
}
