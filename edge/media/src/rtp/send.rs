//! One outgoing stream: its own SSRC for life, sequence without gaps, timestamps that follow the clock across joins,
//! prompts and silences.

use std::time::Instant;

use super::{HEADER_LEN, Header, rtcp::Sent, write};

/// Timestamp units per 20 ms at 8 kHz.
pub const FRAME: u32 = 160;
/// Frames of 20 ms in a second.
const FRAMES: u32 = 50;

#[derive(Debug, Clone)]
pub struct Sender {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    last: Option<Instant>,
    /// Who fed the stream last: a change sets the marker.
    feeder: u64,
    /// Timestamp units per 20 ms.
    frame: u32,
    pub sent: u64,
    /// Of payload.
    octets: u64,
}

impl Sender {
    /// The three starting values are random (RFC 3550 §5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, sequence, timestamp, last: None, feeder: 0, frame: FRAME, sent: 0, octets: 0 }
    }

    /// Units a second, of the codec that is sent from here on.
    pub fn set_clock(&mut self, clock: u32) {
        self.frame = clock / FRAMES;
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What a sender report says (RFC 3550 §6.4.1); None when nothing was ever sent. `ntp` is the time of this moment.
    pub fn report(&self, now: Instant, ntp: u64) -> Option<Sent> {
        let last = self.last?;
        let since = u32::try_from(now.saturating_duration_since(last).as_millis()).unwrap_or(0);
        #[allow(clippy::cast_possible_truncation)]
        let (packets, octets) = (self.sent as u32, self.octets as u32);
        Some(Sent { ntp, rtp: self.timestamp.wrapping_add(since.wrapping_mul(self.frame / 20)), packets, octets })
    }

    /// Counts the payload of a packet whose header was taken.
    pub fn carried(&mut self, octets: usize) {
        self.octets = self.octets.wrapping_add(octets as u64);
    }

    /// The header of the next packet of audio from `feeder`. A gap since the last packet moves the timestamp by the
    /// time that went by, in whole frames, and sets the marker: a new talk spurt.
    pub fn next(&mut self, now: Instant, feeder: u64, payload_type: u8) -> [u8; HEADER_LEN] {
        let gap = self.last.map_or(1, |last| {
            let ms = now.saturating_duration_since(last).as_millis();
            u32::try_from((ms + 10) / 20).unwrap_or(1).clamp(1, 1_000_000)
        });
        // Jitter of the feeder must not become jitter of timestamps: only a real pause moves them further.
        let frames = if gap > 3 { gap } else { 1 };
        let marker = self.last.is_none() || frames > 1 || self.feeder != feeder;
        self.timestamp = self.timestamp.wrapping_add(self.frame.wrapping_mul(frames));
        self.last = Some(now);
        self.feeder = feeder;
        self.header(marker, payload_type)
    }

    /// A packet that shares the timestamp of an event in progress (RFC 4733 §2.5.1.2): the audio clock stands still
    /// for it, and `begins` says whether this is the event's first.
    pub fn event(&mut self, now: Instant, begins: bool, payload_type: u8) -> [u8; HEADER_LEN] {
        if begins {
            self.timestamp = self.timestamp.wrapping_add(self.frame);
        }
        self.last = Some(now);
        self.header(begins, payload_type)
    }

    fn header(&mut self, marker: bool, payload_type: u8) -> [u8; HEADER_LEN] {
        self.sequence = self.sequence.wrapping_add(1);
        self.sent = self.sent.saturating_add(1);
        write(&Header { marker, payload_type, sequence: self.sequence, timestamp: self.timestamp, ssrc: self.ssrc })
    }
}
