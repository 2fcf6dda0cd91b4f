//! WAV files (RIFF) of every kind that people have: linear samples of 8 to 32 bits, floating ones, and G.711, at 8 to
//! 48 kHz, one or two channels. Read piece by piece; nothing that a file says of itself is believed beyond its end.

use std::io::{ErrorKind, Read};

use super::{Error, Take};
use crate::plane::Codec;

/// Bytes of sound that are looked at together: whole samples of every kind.
const PIECE: usize = 24 * 1_024;
/// Programs that write into a pipe cannot know a file's length; what they write instead is at least this.
const UNKNOWN: u32 = 0x7fff_0000;
/// `WAVE_FORMAT_EXTENSIBLE`: the kind is the first word of the sub-format.
const EXTENSIBLE: u16 = 0xfffe;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear(u16),
    Float,
    Law(Codec),
}

struct Format {
    kind: Kind,
    channels: usize,
    rate: u32,
}

/// From the file's first byte on.
pub(super) fn read(mut source: impl Read, mut take: impl FnMut(u32) -> Take) -> Result<Take, Error> {
    let mut head = [0; 12];
    fill(&mut source, &mut head)?;
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
        return Err(Error::Wav("it has no RIFF header"));
    }
    let mut format = None;
    loop {
        let mut head = [0; 8];
        fill(&mut source, &mut head)?;
        let [a, b, c, d, length @ ..] = head;
        let length = u32::from_le_bytes(length);
        match (&[a, b, c, d], &format) {
            (b"fmt ", _) => {
                let mut bytes = [0; 40];
                let known = bytes.get_mut(..(length as usize).min(40)).unwrap_or_default();
                fill(&mut source, known)?;
                format = Some(described(known)?);
                skip(&mut source, u64::from(length.saturating_sub(40)) + u64::from(length % 2))?;
            }
            (b"data", Some(format)) => return sound(source, length, format, take(format.rate)),
            (b"data", None) => return Err(Error::Wav("its sound comes before its format")),
            _ => skip(&mut source, u64::from(length) + u64::from(length % 2))?,
        }
    }
}

fn described(bytes: &[u8]) -> Result<Format, Error> {
    let word = |at: usize| bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes);
    let rate = bytes.get(4..8).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
    let (Some(tag), Some(channels), Some(rate), Some(bits)) = (word(0), word(2), rate, word(14)) else {
        return Err(Error::Wav("its format is too short"));
    };
    let tag = if tag == EXTENSIBLE { word(24).unwrap_or(tag) } else { tag };
    let kind = match (tag, bits) {
        (1, 8 | 16 | 24 | 32) => Some(Kind::Linear(bits)),
        (3, 32) => Some(Kind::Float),
        (6, 8) => Some(Kind::Law(Codec::Pcma)),
        (7, 8) => Some(Kind::Law(Codec::Pcmu)),
        _ => None,
    };
    match kind {
        Some(kind) if matches!(channels, 1 | 2) && (8_000..=48_000).contains(&rate) => {
            Ok(Format { kind, channels: channels.into(), rate })
        }
        _ => Err(Error::Format { tag, channels, rate, bits }),
    }
}

fn sound(mut source: impl Read, length: u32, format: &Format, mut take: Take) -> Result<Take, Error> {
    let bytes = match format.kind {
        Kind::Linear(bits) => usize::from(bits / 8),
        Kind::Float => 4,
        Kind::Law(_) => 1,
    };
    let block = bytes * format.channels;
    let told = (length != 0 && length < UNKNOWN).then_some(u64::from(length));
    let mut left = told.unwrap_or(u64::MAX);
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE);
        let length = some(&mut source, piece.get_mut(..most).unwrap_or_default())?;
        left = left.saturating_sub(length as u64);
        let here = piece.get(..length).unwrap_or_default();
        take.push(here.chunks_exact(block).map(|block| mixed(block, bytes, format)))?;
        match told {
            _ if length == most => {}
            Some(_) => return Err(Error::CutOff),
            None => break,
        }
    }
    Ok(take)
}

/// One sample of all channels, in ±1.
#[allow(clippy::cast_precision_loss)]
fn mixed(block: &[u8], bytes: usize, format: &Format) -> f32 {
    let all = block.chunks_exact(bytes).map(|sample| one(sample, format.kind));
    all.sum::<f32>() / format.channels as f32
}

#[allow(clippy::cast_precision_loss)]
fn one(bytes: &[u8], kind: Kind) -> f32 {
    match (kind, bytes) {
        // Of eight bits alone, the samples have no sign.
        (Kind::Linear(_), [a]) => (f32::from(*a) - 128.0) / 128.0,
        (Kind::Linear(_), [a, b]) => f32::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
        (Kind::Linear(_), [a, b, c]) => i32::from_le_bytes([0, *a, *b, *c]) as f32 / 2_147_483_648.0,
        (Kind::Linear(_), [a, b, c, d]) => i32::from_le_bytes([*a, *b, *c, *d]) as f32 / 2_147_483_648.0,
        (Kind::Float, [a, b, c, d]) => {
            let value = f32::from_le_bytes([*a, *b, *c, *d]);
            if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
        }
        (Kind::Law(law), [a]) => f32::from(law.decode(*a)) / 32_768.0,
        _ => 0.0,
    }
}

/// All of `place`, or the file is cut off.
fn fill(source: &mut impl Read, place: &mut [u8]) -> Result<(), Error> {
    let length = some(source, place)?;
    if length == place.len() { Ok(()) } else { Err(Error::CutOff) }
}

/// As much of `place` as there is.
fn some(source: &mut impl Read, place: &mut [u8]) -> Result<usize, Error> {
    let mut length = 0;
    while let Some(rest) = place.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(more) => length = length.saturating_add(more),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Read(error.to_string())),
        }
    }
    Ok(length)
}

fn skip(source: &mut impl Read, length: u64) -> Result<(), Error> {
    let skipped = std::io::copy(&mut source.by_ref().take(length), &mut std::io::sink());
    match skipped {
        Ok(skipped) if skipped == length => Ok(()),
        Ok(_) => Err(Error::CutOff),
        Err(error) => Err(Error::Read(error.to_string())),
    }
}
