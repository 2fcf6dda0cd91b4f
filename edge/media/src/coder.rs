//! Between a codec's bytes and sound inside: one decoder and one encoder for each party that is decoded.

use std::time::Duration;

use crate::{
    plane::Codec,
    resample::{Down, NARROW_MAX, Up, WIDE_MAX},
    sound::{FRAME, Frame},
};

/// Samples that one packet may become.
pub const DECODED_MAX: usize = WIDE_MAX;
/// Bytes of 20 ms in any codec.
pub const ENCODED_MAX: usize = 160;

impl Codec {
    /// How long a packet lasts.
    pub fn span(self, payload: &[u8]) -> Duration {
        match self {
            Codec::Pcmu | Codec::Pcma => Duration::from_micros(125 * payload.len() as u64),
        }
    }
}

pub struct Decoder {
    codec: Codec,
    up: Up,
}

impl Decoder {
    pub fn new(codec: Codec) -> Self {
        Self { codec, up: Up::default() }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Fills `sound`; how many samples that are.
    pub fn decode(&mut self, payload: &[u8], sound: &mut [i16; DECODED_MAX]) -> usize {
        let mut narrow = [0; NARROW_MAX];
        for (sample, byte) in narrow.iter_mut().zip(payload) {
            *sample = self.codec.decode(*byte);
        }
        self.up.run(narrow.get(..payload.len()).unwrap_or(&narrow), sound)
    }
}

pub struct Encoder {
    codec: Codec,
    down: Down,
}

impl Encoder {
    pub fn new(codec: Codec) -> Self {
        Self { codec, down: Down::default() }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// 20 ms; how many bytes they are.
    pub fn encode(&mut self, sound: &Frame, payload: &mut [u8; ENCODED_MAX]) -> usize {
        let mut narrow = [0; FRAME / 2];
        let length = self.down.run(sound, &mut narrow);
        for (byte, sample) in payload.iter_mut().zip(narrow) {
            *byte = self.codec.encode(sample);
        }
        length
    }
}
