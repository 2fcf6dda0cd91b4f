//! What is played on a port.

use serde::{Deserialize, Serialize};

use crate::progress;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Sound {
    /// A file's name without its ending, `greeting`; of a language where there is such, `de-at/greeting`.
    Prompt(String),
    Tone(Tone),
    Speech(Speech),
}

impl Sound {
    /// The prompt's or the tone's name, or the words, which may be personal.
    pub fn as_str(&self) -> &str {
        match self {
            Sound::Prompt(name) => name,
            Sound::Tone(tone) => tone.tone.name(),
            Sound::Speech(speech) => &speech.text,
        }
    }
}

/// A tone of the line; played `again`, it has its country's cadence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tone {
    pub tone: progress::Tone,
    /// E.164 code of the country that it is of, `1`; empty while unknown.
    pub country: String,
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
