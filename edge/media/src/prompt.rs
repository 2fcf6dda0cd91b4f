//! Prompts: a file's sound (WAV or Ogg Opus) becomes 20 ms frames in both G.711 laws, once, when it is loaded. Files come
//! from people: each is read piece by piece, for no longer than a prompt may last, and refused with what to do about it.

mod narrow;
mod ogg;
mod wav;

use std::{
    io::{BufRead, BufReader, Read, Seek},
    sync::Arc,
};

use crate::plane::Codec;
use narrow::Narrow;

/// Samples of a frame at 8 kHz.
pub const FRAME_LEN: usize = 160;
/// Longest prompt.
pub const SECONDS_MAX: usize = 600;
/// Samples a second that are kept.
const RATE: usize = 8_000;

/// What is wrong with a file, and how whoever made it gets it right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the file cannot be read: {0}")]
    Read(String),
    #[error("it is neither a WAV nor an Ogg Opus file: {CONVERT}")]
    Unknown,
    #[error("the WAV file is damaged: {0}; {CONVERT}")]
    Wav(&'static str),
    #[error(
        "a WAV prompt is of 8, 16, 24 or 32 bits, A-law or µ-law, with 1 or 2 channels at 8000 to 48000 Hz; this one is \
         of kind {tag} with {channels} at {rate} Hz, {bits} bit: {CONVERT}"
    )]
    Format { tag: u16, channels: u16, rate: u32, bits: u16 },
    #[error("the Ogg file cannot be played: {0}; {CONVERT}")]
    Ogg(&'static str),
    #[error(
        "an Opus prompt has 1 or 2 channels of mapping family 0; this one has {channels} of family {family}: {CONVERT}"
    )]
    Channels { channels: u8, family: u8 },
    #[error("the file ends before its sound does: copy it again")]
    CutOff,
    #[error("a prompt lasts at most {SECONDS_MAX} s: cut it")]
    TooLong,
    #[error("the file holds no sound")]
    Empty,
}

const CONVERT: &str = "convert it, for example with `ffmpeg -i FILE -ac 1 -ar 16000 PROMPT.wav`";

/// A prompt, encoded. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prompt {
    alaw: Arc<[u8]>,
    ulaw: Arc<[u8]>,
}

/// A file's sound on its way in.
struct Take(Narrow);

impl Take {
    /// Mono samples in ±1.
    fn push(&mut self, samples: impl Iterator<Item = f32>) -> Result<(), Error> {
        self.0.push(samples);
        if self.0.len() > SECONDS_MAX * RATE { Err(Error::TooLong) } else { Ok(()) }
    }

    /// No more than so many samples count.
    fn cut(&mut self, samples: usize) {
        self.0.cut(samples);
    }
}

impl Prompt {
    /// From a whole file, whatever its name.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(source: impl Read + Seek) -> Result<Self, Error> {
        let mut source = BufReader::new(source);
        let start = source.fill_buf().map_err(|error| Error::Read(error.to_string()))?;
        let take = |rate: u32| Take(Narrow::new(usize::try_from(rate).unwrap_or(RATE)));
        let Take(sound) = match start {
            [b'R', b'I', b'F', b'F', ..] => wav::read(source, take)?,
            [b'O', b'g', b'g', b'S', ..] => ogg::read(source, take)?,
            [] => return Err(Error::Empty),
            _ => return Err(Error::Unknown),
        };
        Self::from_samples(&sound.end())
    }

    /// From linear samples at 8 kHz; the last frame is filled with silence.
    pub fn from_samples(samples: &[i16]) -> Result<Self, Error> {
        if samples.is_empty() {
            return Err(Error::Empty);
        }
        if samples.len() > SECONDS_MAX * 8_000 {
            return Err(Error::TooLong);
        }
        let encode = |codec: Codec| {
            let padded = samples.len().div_ceil(FRAME_LEN) * FRAME_LEN;
            let mut bytes: Vec<u8> = samples.iter().map(|sample| codec.encode(*sample)).collect();
            bytes.resize(padded, codec.silence());
            bytes.into()
        };
        Ok(Self { alaw: encode(Codec::Pcma), ulaw: encode(Codec::Pcmu) })
    }

    /// The n-th frame of 20 ms in µ-law, or in A-law, or None after the end.
    pub fn frame(&self, codec: Codec, at: usize) -> Option<&[u8]> {
        let bytes = match codec {
            Codec::Pcmu => &self.ulaw,
            _ => &self.alaw,
        };
        let start = at.checked_mul(FRAME_LEN)?;
        bytes.get(start..start.checked_add(FRAME_LEN)?)
    }
}

#[cfg(test)]
mod tests;
