//! One party of a mix: its packets become 20 ms of sound at each tick, whatever the network does; and what it hears
//! becomes packets.

use std::time::{Duration, Instant};

use super::Slot;
use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    conceal::Concealer,
    jitter::{Jitter, Next},
    level::Level,
    noise::Noise,
    plane::{Codec, PortId},
    rtp::Header,
    sound::{FRAME, Frame, SILENCE, fade},
};

/// Ticks without a packet until enough of them must wait again.
const DRY_MAX: u32 = 5;

pub(super) struct Seat {
    pub port: PortId,
    pub slot: Slot,
    /// The seats that are heard here, a bit each.
    pub hears: u16,
    /// What this party said in the last 20 ms.
    pub said: Frame,
    /// The clock of what it hears, for recordings: that of its codec.
    clock: u32,
    jitter: Jitter,
    decoder: Decoder,
    encoder: Encoder,
    concealer: Concealer,
    ready: [i16; DECODED_MAX + FRAME],
    have: usize,
    dry: u32,
    /// What a packet holds.
    span: Duration,
    /// The party is silent on purpose.
    noise: Option<Noise>,
    /// None: it is heard as loud as it speaks.
    level: Option<Level>,
}

impl Seat {
    pub fn new(port: PortId, slot: Slot, codec: Codec, levelled: bool) -> Self {
        Self {
            port,
            slot,
            hears: 0,
            said: SILENCE,
            clock: 0,
            jitter: Jitter::default(),
            decoder: Decoder::new(codec),
            encoder: Encoder::new(codec),
            concealer: Concealer::default(),
            ready: [0; DECODED_MAX + FRAME],
            have: 0,
            dry: 0,
            span: Duration::from_millis(20),
            noise: None,
            level: levelled.then(Level::default),
        }
    }

    /// A packet of the party's.
    pub fn hear(&mut self, now: Instant, codec: Codec, header: &Header, payload: &[u8]) {
        if self.decoder.codec() != codec {
            self.decoder = Decoder::new(codec);
            self.jitter = Jitter::default();
        }
        let span = codec.span(payload);
        if !span.is_zero() {
            self.span = span;
        }
        self.jitter.put(now, (header.ssrc, header.sequence), span, payload);
    }

    /// The party says how its silence sounds.
    pub fn calm(&mut self, payload: &[u8]) {
        self.noise = Noise::told(payload);
    }

    /// 20 ms have gone by.
    pub fn tick(&mut self) {
        let spare = self.jitter.can_spare();
        while self.have < FRAME {
            let before = self.have;
            self.fetch();
            if self.have == before {
                self.make_up();
            }
        }
        if spare {
            self.hurry();
        }
        if let Some(sound) = self.ready.get(..FRAME) {
            self.said.copy_from_slice(sound);
        }
        if let Some(level) = &mut self.level {
            level.run(&mut self.said);
        }
        self.ready.copy_within(FRAME..self.have, 0);
        self.have -= FRAME;
    }

    /// The next packet's sound, when it is there or is known to be lost.
    fn fetch(&mut self) {
        let mut sound = [0; DECODED_MAX];
        let length = match self.jitter.take() {
            Next::Packet(payload) => self.decoder.decode(payload, &mut sound),
            Next::Lost { behind } => self.decoder.lost(self.span, behind, &mut sound),
            Next::Nothing => return,
        };
        self.dry = 0;
        self.noise = None;
        let Some(sound) = sound.get_mut(..length) else { return };
        self.concealer.real(sound);
        if let Some(place) = self.ready.get_mut(self.have..self.have + length) {
            place.copy_from_slice(sound);
            self.have += length;
        }
    }

    fn make_up(&mut self) {
        if let Some(place) = self.ready.get_mut(self.have..FRAME) {
            match &mut self.noise {
                Some(noise) => noise.fill(place),
                None => self.concealer.missing(place),
            }
        }
        self.have = FRAME;
        self.dry = self.dry.saturating_add(1);
        if self.dry >= DRY_MAX {
            self.jitter.dry();
        }
    }

    /// More waits than is needed: a packet goes into the sound before it, so that both take the time of one.
    fn hurry(&mut self) {
        let Next::Packet(payload) = self.jitter.take() else { return };
        let mut sound = [0; DECODED_MAX];
        let length = self.decoder.decode(payload, &mut sound);
        let Some(sound) = sound.get_mut(..length) else { return };
        self.concealer.real(sound);
        if let Some(place) = self.have.checked_sub(length).and_then(|start| self.ready.get_mut(start..self.have)) {
            fade(place, sound);
            place.copy_from_slice(sound);
        }
    }

    /// What the party hears, in its codec: how many bytes, and its time for a recording.
    pub fn encode(&mut self, codec: Codec, sound: &Frame, payload: &mut [u8; ENCODED_MAX]) -> (usize, u32) {
        if self.encoder.codec() != codec {
            self.encoder = Encoder::new(codec);
        }
        self.clock = self.clock.wrapping_add(codec.clock() / 50);
        (self.encoder.encode(sound, payload), self.clock)
    }
}
