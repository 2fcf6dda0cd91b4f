//! Our own voice: a quiet tone in G.711, and keypresses, one packet every 20 ms.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::dtmf::Press;
use media::plane::Codec;
use media::rtp;

use crate::plan::Socket;
use crate::sdp;

const FRAME: Duration = Duration::from_millis(20);
const SAMPLES: u32 = 160;
/// Hz; ITU-T E.180's ring-back tone, which no detector takes for a key.
const TONE_HZ: f32 = 425.0;
const LEVEL: f32 = 1_500.0;

#[derive(Debug, Clone)]
pub struct Speaker {
    pub to: SocketAddr,
    pub socket: Socket,
    pub payload: u8,
    pub ssrc: u32,
    sequence: u16,
    timestamp: u32,
    spoken: u32,
    at: Instant,
    press: Option<(u8, Press)>,
}

impl Speaker {
    pub fn new(now: Instant, socket: Socket, to: SocketAddr, payload: u8, ssrc: u32) -> Self {
        Self { to, socket, payload, ssrc, sequence: 1, timestamp: 0, spoken: 0, at: now, press: None }
    }

    pub fn press(&mut self, payload: u8, key: char) {
        self.press = Press::new(key, 160).map(|press| (payload, press));
    }

    pub fn is_pressing(&self) -> bool {
        self.press.is_some()
    }

    pub fn due(&self) -> Instant {
        self.at
    }

    /// The next packet, when it is time.
    pub fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        if now < self.at {
            return None;
        }
        // A process that was kept from running does not catch up in a burst.
        let behind = now.saturating_duration_since(self.at) > FRAME.saturating_mul(5);
        self.at = if behind { now } else { self.at }.checked_add(FRAME)?;
        self.sequence = self.sequence.wrapping_add(1);
        self.spoken = self.spoken.wrapping_add(SAMPLES);
        if let Some((payload, press)) = &mut self.press {
            if let Some((event, begins)) = press.next() {
                if begins {
                    self.timestamp = self.spoken;
                }
                let packet = header(begins, *payload, self.sequence, self.timestamp, self.ssrc);
                return Some([packet.as_slice(), &event].concat());
            }
            self.press = None;
        }
        self.timestamp = self.spoken;
        let first = self.spoken == SAMPLES;
        let packet = header(first, self.payload, self.sequence, self.timestamp, self.ssrc);
        Some([packet.as_slice(), &self.voice()].concat())
    }

    fn voice(&self) -> Vec<u8> {
        let codec = if self.payload == sdp::PCMU { Codec::Pcmu } else { Codec::Pcma };
        let sample = |n: u32| {
            let n = self.spoken.wrapping_add(n) % 8_000;
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            let value = ((n as f32 * TONE_HZ * std::f32::consts::TAU / 8_000.0).sin() * LEVEL) as i16;
            codec.encode(value)
        };
        (0..SAMPLES).map(sample).collect()
    }
}

fn header(marker: bool, payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32) -> [u8; rtp::HEADER_LEN] {
    rtp::write(&rtp::Header { marker, payload_type, sequence, timestamp, ssrc })
}
