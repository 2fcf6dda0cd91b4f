//! What is heard on one port for audio: packets, loss, jitter, sources, payload types, and keypresses (RFC 4733).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::rtp::{self, receive::Receiver};

/// Different sources, payload types or keypresses that are told apart.
pub const KINDS_MAX: usize = 64;

#[derive(Debug, Clone, Default)]
pub struct Ear {
    pub packets: u64,
    /// Datagrams that are no RTP.
    pub strange: u64,
    receiver: Receiver,
    pub payloads: BTreeMap<u8, u64>,
    pub sources: BTreeSet<u32>,
    pub from: BTreeSet<SocketAddr>,
    pub first: Option<Instant>,
    pub last: Option<Instant>,
    /// Bytes of the last packet that was audio.
    pub payload_len: usize,
    pub keys: Vec<Key>,
    /// Sequence and timestamp of the last packet that was audio.
    audio: Option<(u16, u32)>,
}

/// One event as RFC 4733 §2.5 shapes it, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub payload_type: u8,
    pub code: u8,
    pub timestamp: u32,
    pub marked: bool,
    pub packets: u32,
    pub ends: u32,
    pub duration: u16,
    /// A later packet told a shorter duration.
    pub shrank: bool,
}

impl Ear {
    pub fn hear(&mut self, now: Instant, from: SocketAddr, bytes: &[u8], events: &BTreeSet<u8>) {
        let Some((header, payload)) = rtp::parse(bytes) else {
            self.strange = self.strange.saturating_add(1);
            return;
        };
        self.packets = self.packets.saturating_add(1);
        self.first.get_or_insert(now);
        self.last = Some(now);
        if self.payloads.len() < KINDS_MAX {
            let count = self.payloads.entry(header.payload_type).or_default();
            *count = count.saturating_add(1);
        }
        if self.sources.len() < KINDS_MAX {
            self.sources.insert(header.ssrc);
        }
        if self.from.len() < KINDS_MAX {
            self.from.insert(from);
        }
        // Four bytes of a dynamic type are an event, whether it was agreed on or not.
        if events.contains(&header.payload_type) || (header.payload_type >= 96 && payload.len() == 4) {
            // An event's timestamp stands still (RFC 4733 §2.5.1.2): for jitter it counts where audio would have stood.
            let place = self.audio.map_or(header.timestamp, |(sequence, timestamp)| {
                let frames = u32::from(header.sequence.wrapping_sub(sequence));
                timestamp.wrapping_add(frames.wrapping_mul(160))
            });
            self.receiver.note(now, &rtp::Header { timestamp: place, ..header });
            self.key(&header, payload);
        } else {
            self.receiver.note(now, &header);
            self.audio = Some((header.sequence, header.timestamp));
            self.payload_len = payload.len();
        }
    }

    fn key(&mut self, header: &rtp::Header, payload: &[u8]) {
        let Some([code, flags, d0, d1]) = payload.first_chunk::<4>().copied() else { return };
        let (end, duration) = (u32::from(flags >> 7), u16::from_be_bytes([d0, d1]));
        let room = self.keys.len() < KINDS_MAX;
        let same = self.keys.iter_mut().find(|key| key.timestamp == header.timestamp && key.code == code);
        match same {
            Some(key) => {
                key.packets = key.packets.saturating_add(1);
                key.ends = key.ends.saturating_add(end);
                key.shrank |= duration < key.duration;
                key.duration = key.duration.max(duration);
            }
            None if room => self.keys.push(Key {
                payload_type: header.payload_type,
                code,
                timestamp: header.timestamp,
                marked: header.marker,
                packets: 1,
                ends: end,
                duration,
                shrank: false,
            }),
            None => {}
        }
    }

    pub fn lost(&self) -> u64 {
        self.receiver.lost()
    }

    pub fn jitter_ms(&self) -> u32 {
        self.receiver.jitter_us() / 1_000
    }

    /// Milliseconds between packets, on average; None below ten packets.
    pub fn spacing_ms(&self) -> Option<u64> {
        let span = self.last?.saturating_duration_since(self.first?);
        let gaps = self.packets.checked_sub(1).filter(|gaps| *gaps >= 9)?;
        u64::try_from(span.as_millis()).ok()?.checked_add(gaps / 2)?.checked_div(gaps)
    }

    /// Packets still came within this time before `now`.
    pub fn alive(&self, now: Instant, within: Duration) -> bool {
        self.last.is_some_and(|last| now.saturating_duration_since(last) <= within)
    }
}
