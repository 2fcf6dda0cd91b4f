//! Card mode (C-01): while a caller keys in a card's number, no keypress reaches the other side or a recording, neither
//! as an event nor as sound. Audio is held back by one packet: a packet passes only when it and both its neighbours hold
//! nothing of a tone, and is replaced by as much silence otherwise, so that time stays true. Of a codec whose bytes are no
//! samples each packet is decoded to be looked at, and passes as it came.

use super::PAYLOAD_MAX;
use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    plane::Codec,
    resample::{Down, WIDE_MAX},
    sound::SILENCE,
    tone::{self, Found},
};

/// Packets that must hold the same key before it is one.
const KEY_PACKETS: u8 = 2;
/// What one packet of silence lasts.
const SILENCE_MS: u128 = 20;

pub(super) struct Shield {
    held: Option<Held>,
    /// The packet before the held one was suspect.
    before: bool,
    key: Option<char>,
    count: u8,
    wide: Option<Box<Wide>>,
}

struct Held {
    codec: Codec,
    timestamp: u32,
    length: usize,
    payload: [u8; PAYLOAD_MAX],
    suspect: bool,
}

/// A packet that may pass.
pub(super) struct Passed {
    pub timestamp: u32,
    length: usize,
    payload: [u8; PAYLOAD_MAX],
}

impl Passed {
    pub fn payload(&self) -> &[u8] {
        self.payload.get(..self.length).unwrap_or_default()
    }
}

impl Shield {
    pub fn new() -> Self {
        // What was heard before is not known to be clean.
        Self { held: None, before: true, key: None, count: 0, wide: None }
    }

    /// Takes a packet; gives the one before, as it may be heard, and a key that was pressed.
    pub fn pass(&mut self, codec: Codec, timestamp: u32, payload: &[u8]) -> (Option<Passed>, Option<char>) {
        let mut found = self.listen(codec, payload);
        let pressed = self.pressed(found.key);
        // A packet of Opus may hold the one before it once more, which nobody has looked at where it was lost.
        found.suspect |= codec == Codec::Opus && !self.follows(timestamp);
        let mut next = Held {
            codec,
            timestamp,
            length: payload.len().min(PAYLOAD_MAX),
            payload: [0; PAYLOAD_MAX],
            suspect: found.suspect,
        };
        if let Some(place) = next.payload.get_mut(..payload.len()) {
            place.copy_from_slice(payload);
        }
        let passed = self.held.replace(next).and_then(|held| {
            let clean = !(self.before || held.suspect || found.suspect);
            self.before = held.suspect;
            if clean { Some(held.passed()) } else { self.silenced(held) }
        });
        (passed, pressed)
    }

    fn listen(&mut self, codec: Codec, payload: &[u8]) -> Found {
        if codec.is_g711() {
            return tone::listen(codec, payload);
        }
        if self.wide.as_ref().is_none_or(|wide| wide.decoder.codec() != codec) {
            self.wide = Some(Box::new(Wide::new(codec)));
        }
        self.wide.as_mut().map_or(Found { suspect: true, key: None }, |wide| wide.listen(payload))
    }

    fn follows(&self, timestamp: u32) -> bool {
        self.held.as_ref().is_none_or(|held| {
            let micros = held.codec.span(held.payload()).as_micros();
            let ticks = u32::try_from(micros * u128::from(held.codec.clock()) / 1_000_000).unwrap_or(0);
            held.timestamp.wrapping_add(ticks) == timestamp
        })
    }

    /// As much silence. None where a packet of it has another length: then it is a gap of the right one.
    fn silenced(&mut self, held: Held) -> Option<Passed> {
        let mut passed = held.passed();
        if held.codec.is_g711() {
            passed.payload.fill(held.codec.silence());
            return Some(passed);
        }
        let wide = self.wide.as_mut().filter(|wide| wide.encoder.codec() == held.codec)?;
        if held.codec.span(held.payload()).as_millis() != SILENCE_MS {
            return None;
        }
        let mut payload = [0; ENCODED_MAX];
        passed.length = wide.encoder.encode(&SILENCE, &mut payload);
        passed.payload.get_mut(..ENCODED_MAX)?.copy_from_slice(&payload);
        (passed.length > 0).then_some(passed)
    }

    /// Once per keypress.
    fn pressed(&mut self, key: Option<char>) -> Option<char> {
        if key != self.key {
            (self.key, self.count) = (key, 0);
        }
        self.count = self.count.saturating_add(1);
        key.filter(|_| self.count == KEY_PACKETS)
    }
}

impl Held {
    fn payload(&self) -> &[u8] {
        self.payload.get(..self.length).unwrap_or_default()
    }

    fn passed(&self) -> Passed {
        Passed { timestamp: self.timestamp, length: self.length, payload: self.payload }
    }
}

/// An ear for what must be decoded, and what says silence in the same codec.
struct Wide {
    decoder: Decoder,
    down: Down,
    encoder: Encoder,
}

impl Wide {
    fn new(codec: Codec) -> Self {
        Self { decoder: Decoder::new(codec), down: Down::default(), encoder: Encoder::new(codec) }
    }

    /// What cannot be decoded, or may hold what our decoder does not look at, is suspect.
    fn listen(&mut self, payload: &[u8]) -> Found {
        let (mut sound, mut narrow) = ([0; DECODED_MAX], [0; DECODED_MAX / 2]);
        let length = self.decoder.decode(payload, &mut sound);
        let hides = self.decoder.codec() == Codec::Opus && is_padded(payload);
        let Some(sound) = sound.get(..length).filter(|sound| !sound.is_empty() && !hides) else {
            return Found { suspect: true, key: None };
        };
        let mut at = 0;
        for part in sound.chunks(WIDE_MAX) {
            at += self.down.run(part, narrow.get_mut(at..).unwrap_or_default());
        }
        tone::listen_to(narrow.get(..at).unwrap_or_default())
    }
}

/// RFC 6716 §3.2.5: the padding of a packet may be anything, and newer encoders put older sound there.
fn is_padded(payload: &[u8]) -> bool {
    matches!(payload, [toc, count, ..] if toc & 3 == 3 && count & 0x40 != 0)
}
