//! Card mode (C-01): while a caller keys in a card's number, no keypress reaches the other side or a recording, neither
//! as an event nor as sound. Audio is held back by one packet: a packet passes only when it and both its neighbours hold
//! nothing of a tone, and is replaced by as much silence otherwise, so that time stays true. Of a codec whose bytes are no
//! samples nothing passes at all.

use super::PAYLOAD_MAX;
use crate::{plane::Codec, tone};

/// Packets that must hold the same key before it is one.
const KEY_PACKETS: u8 = 2;

pub(super) struct Shield {
    held: Option<Held>,
    /// The packet before the held one was suspect.
    before: bool,
    key: Option<char>,
    count: u8,
}

struct Held {
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
        Self { held: None, before: true, key: None, count: 0 }
    }

    /// Takes a packet; gives the one before, as it may be heard, and a key that was pressed.
    pub fn pass(&mut self, codec: Codec, timestamp: u32, payload: &[u8]) -> (Option<Passed>, Option<char>) {
        if !codec.is_g711() {
            // A tone cannot be seen in its bytes: nothing passes.
            return (None, None);
        }
        let found = tone::listen(codec, payload);
        let pressed = self.pressed(found.key);
        let mut next = Held {
            timestamp,
            length: payload.len().min(PAYLOAD_MAX),
            payload: [0; PAYLOAD_MAX],
            suspect: found.suspect,
        };
        if let Some(place) = next.payload.get_mut(..payload.len()) {
            place.copy_from_slice(payload);
        }
        let passed = self.held.replace(next).map(|held| {
            let clean = !(self.before || held.suspect || found.suspect);
            self.before = held.suspect;
            let mut payload = held.payload;
            if !clean {
                payload.fill(codec.silence());
            }
            Passed { timestamp: held.timestamp, length: held.length, payload }
        });
        (passed, pressed)
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
