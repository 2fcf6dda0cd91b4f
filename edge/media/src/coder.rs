//! Between a codec's bytes and sound inside: one decoder and one encoder for each party that is decoded.

use std::time::Duration;

use audio_codec::{
    Encoder as _,
    g722::{G722Decoder, G722Encoder},
};
use rusty_opus::{Application, OpusDecoder, OpusEncoder};

use crate::{
    plane::Codec,
    resample::{Down, NARROW_MAX, Up},
    sound::{FRAME, Frame},
};

/// Samples that one packet may become: 120 ms, the longest of Opus (RFC 6716 §3.2.5).
pub const DECODED_MAX: usize = 1_920;
/// Bytes of 20 ms in any codec.
pub const ENCODED_MAX: usize = 320;
/// Samples a second inside.
const RATE: i32 = 16_000;
/// What a voice's whole band takes in Opus (RFC 6716 §2.1.1: 16 to 20 kb/s for wideband), with its redundancy.
const OPUS_BITS: i32 = 28_000;
/// Of a hundred packets: how much redundancy is put into each.
const OPUS_LOSS: i32 = 10;
/// Of ten: at five an encoder takes a third of the time of ten.
const OPUS_COMPLEXITY: i32 = 5;

impl Codec {
    /// How long a packet lasts; zero for what is none.
    pub fn span(self, payload: &[u8]) -> Duration {
        match self {
            // RFC 3551 §4.5.2: eight bytes a millisecond, as G.711.
            Codec::Pcmu | Codec::Pcma | Codec::G722 => Duration::from_micros(125 * payload.len() as u64),
            Codec::Opus => opus_span(payload),
        }
    }

    /// Ticks of its RTP clock in a second (RFC 3551 §6 with the note on G.722; RFC 7587 §4.1).
    pub fn clock(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::Opus => 48_000,
        }
    }

    /// Samples of a telephone's band, a byte each.
    pub fn is_g711(self) -> bool {
        matches!(self, Codec::Pcmu | Codec::Pcma)
    }

    /// Whether packets of one may go out as the other without being decoded.
    pub fn passes_as(self, other: Codec) -> bool {
        self == other || self.is_g711() && other.is_g711()
    }
}

/// RFC 6716 §3.1 and §3.2: the first byte says how long a frame is, and with the second how many there are.
fn opus_span(payload: &[u8]) -> Duration {
    let Some(&toc) = payload.first() else { return Duration::ZERO };
    let micros: u64 = match toc >> 3 {
        config @ 0..12 => [10_000, 20_000, 40_000, 60_000][usize::from(config & 3)],
        config @ 12..16 => [10_000, 20_000][usize::from(config & 1)],
        config => [2_500, 5_000, 10_000, 20_000][usize::from(config & 3)],
    };
    let frames: u64 = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => payload.get(1).map_or(0, |count| u64::from(count & 0x3f)),
    };
    let whole = Duration::from_micros(micros * frames);
    if whole > Duration::from_millis(120) { Duration::ZERO } else { whole }
}

enum Ear {
    G711(Box<Up>),
    G722(Box<G722Decoder>),
    /// None: it could not be made, which only a rate that it does not know can be the cause of.
    Opus(Option<Box<OpusDecoder>>),
}

pub struct Decoder {
    codec: Codec,
    ear: Ear,
}

impl Decoder {
    pub fn new(codec: Codec) -> Self {
        let ear = match codec {
            Codec::Pcmu | Codec::Pcma => Ear::G711(Box::default()),
            Codec::G722 => Ear::G722(Box::new(G722Decoder::new())),
            Codec::Opus => Ear::Opus(OpusDecoder::new(RATE, 1).ok().map(Box::new)),
        };
        Self { codec, ear }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Fills `sound`; how many samples that are. None for what cannot be decoded.
    pub fn decode(&mut self, payload: &[u8], sound: &mut [i16; DECODED_MAX]) -> usize {
        match &mut self.ear {
            Ear::G711(up) => {
                let mut narrow = [0; NARROW_MAX];
                for (sample, byte) in narrow.iter_mut().zip(payload) {
                    *sample = self.codec.decode(*byte);
                }
                up.run(narrow.get(..payload.len()).unwrap_or(&narrow), sound)
            }
            Ear::G722(decoder) => {
                let payload = payload.get(..payload.len().min(DECODED_MAX / 2)).unwrap_or_default();
                decoder.decode_frame_into(payload, sound).unwrap_or(0)
            }
            Ear::Opus(decoder) => {
                let length = samples(opus_span(payload));
                opus(decoder, length, sound, |decoder, length, out| decoder.decode(payload, length, out))
            }
        }
    }

    /// A packet of `span` did not come; `behind` is the one after it, which may hold some of it (RFC 6716 §2.1.7). How
    /// many samples could be made of that.
    pub fn lost(&mut self, span: Duration, behind: Option<&[u8]>, sound: &mut [i16; DECODED_MAX]) -> usize {
        match &mut self.ear {
            Ear::G711(_) | Ear::G722(_) => 0,
            Ear::Opus(decoder) => {
                let behind = behind.unwrap_or_default();
                opus(decoder, samples(span), sound, |decoder, length, out| decoder.decode_fec(behind, length, out))
            }
        }
    }
}

fn samples(span: Duration) -> usize {
    usize::try_from(span.as_micros().saturating_mul(16) / 1_000).unwrap_or(0).min(DECODED_MAX)
}

#[allow(clippy::cast_possible_truncation)]
fn opus(
    decoder: &mut Option<Box<OpusDecoder>>,
    length: usize,
    sound: &mut [i16; DECODED_MAX],
    decode: impl FnOnce(&mut OpusDecoder, usize, &mut [f32]) -> Result<usize, rusty_opus::Error>,
) -> usize {
    let Some(decoder) = decoder.as_mut().filter(|_| length > 0) else { return 0 };
    let mut out = [0.0; DECODED_MAX];
    let length = decode(decoder, length, &mut out).unwrap_or(0).min(DECODED_MAX);
    for (sample, value) in sound.iter_mut().zip(out.iter().take(length)) {
        *sample = (value * 32_767.0).clamp(-32_768.0, 32_767.0) as i16;
    }
    length
}

enum Mouth {
    G711(Box<Down>),
    G722(Box<G722Encoder>),
    Opus(Option<Box<OpusEncoder>>),
}

pub struct Encoder {
    codec: Codec,
    mouth: Mouth,
}

impl Encoder {
    pub fn new(codec: Codec) -> Self {
        let mouth = match codec {
            Codec::Pcmu | Codec::Pcma => Mouth::G711(Box::default()),
            Codec::G722 => Mouth::G722(Box::new(G722Encoder::new())),
            Codec::Opus => Mouth::Opus(OpusEncoder::new(RATE, 1, Application::Voip).ok().map(|mut encoder| {
                encoder.bitrate_bps = OPUS_BITS;
                encoder.complexity = OPUS_COMPLEXITY;
                encoder.use_inband_fec = true;
                encoder.packet_loss_perc = OPUS_LOSS;
                Box::new(encoder)
            })),
        };
        Self { codec, mouth }
    }

    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// 20 ms; how many bytes they are. None when it could not be done.
    pub fn encode(&mut self, sound: &Frame, payload: &mut [u8; ENCODED_MAX]) -> usize {
        match &mut self.mouth {
            Mouth::G711(down) => {
                let mut narrow = [0; FRAME / 2];
                let length = down.run(sound, &mut narrow);
                for (byte, sample) in payload.iter_mut().zip(narrow) {
                    *byte = self.codec.encode(sample);
                }
                length
            }
            Mouth::G722(encoder) => encoder.encode_into(sound, payload).unwrap_or(0),
            Mouth::Opus(encoder) => {
                let Some(encoder) = encoder else { return 0 };
                let sound = sound.map(|sample| f32::from(sample) / 32_768.0);
                encoder.encode(&sound, FRAME, payload).unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn tone(at: usize, hertz: f32) -> Frame {
        std::array::from_fn(|n| {
            let t = (at * FRAME + n) as f32 / 16_000.0;
            ((t * hertz * std::f32::consts::TAU).sin() * 8_000.0) as i16
        })
    }

    #[allow(clippy::cast_precision_loss)]
    fn level(samples: &[i16], hertz: f32) -> f32 {
        let (mut real, mut imaginary) = (0.0_f32, 0.0_f32);
        for (n, sample) in samples.iter().enumerate() {
            let angle = n as f32 / 16_000.0 * hertz * std::f32::consts::TAU;
            real += f32::from(*sample) * angle.cos();
            imaginary += f32::from(*sample) * angle.sin();
        }
        real.hypot(imaginary) * 2.0 / samples.len() as f32
    }

    /// 600 ms of a tone through a codec, of which some packets are lost.
    fn through(codec: Codec, hertz: f32, is_lost: impl Fn(usize) -> bool) -> Vec<i16> {
        let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
        let packets: Vec<Vec<u8>> = (0..30)
            .map(|at| {
                let mut payload = [0; ENCODED_MAX];
                let length = encoder.encode(&tone(at, hertz), &mut payload);
                assert!(length > 0, "{codec:?}");
                payload[..length].to_vec()
            })
            .collect();
        let mut all = Vec::new();
        for (at, packet) in packets.iter().enumerate() {
            let mut sound = [0; DECODED_MAX];
            assert_eq!(codec.span(packet), Duration::from_millis(20), "{codec:?}");
            let length = match is_lost(at) {
                true => decoder.lost(Duration::from_millis(20), packets.get(at + 1).map(Vec::as_slice), &mut sound),
                false => decoder.decode(packet, &mut sound),
            };
            all.extend_from_slice(&sound[..length]);
        }
        all
    }

    #[test]
    fn a_voice_s_tone_is_as_loud_behind_every_codec_and_wide_ones_carry_more() {
        for codec in ALL {
            let heard = through(codec, 1_000.0, |_| false);
            assert_eq!(heard.len(), 30 * FRAME, "{codec:?}");
            let loud = level(&heard[10 * FRAME..], 1_000.0);
            assert!((6_000.0..10_000.0).contains(&loud), "{codec:?}: {loud}");
            let high = level(&through(codec, 5_500.0, |_| false)[10 * FRAME..], 5_500.0);
            assert_eq!(high > 4_000.0, !codec.is_g711(), "{codec:?} at 5.5 kHz: {high}");
        }
    }

    #[test]
    fn opus_makes_up_for_a_lost_packet_from_the_one_behind_it() {
        let heard = through(Codec::Opus, 400.0, |at| at == 20);
        assert_eq!(heard.len(), 30 * FRAME);
        let lost = level(&heard[20 * FRAME..21 * FRAME], 400.0);
        assert!(lost > 3_000.0, "{lost}");
    }

    #[test]
    fn what_is_no_packet_becomes_nothing_and_never_a_panic() {
        let mut state = 1_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for codec in ALL {
            let mut decoder = Decoder::new(codec);
            for n in 0..3_000_usize {
                let bytes: Vec<u8> = (0..n % 620).map(|_| random().to_le_bytes()[0]).collect();
                let mut sound = [0; DECODED_MAX];
                assert!(decoder.decode(&bytes, &mut sound) <= DECODED_MAX);
                assert!(decoder.lost(Duration::from_millis(20), Some(&bytes), &mut sound) <= DECODED_MAX);
                assert!(codec.span(&bytes) <= Duration::from_millis(120));
            }
        }
    }
}
