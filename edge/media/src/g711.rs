//! G.711: A-law and µ-law to 16-bit linear and back (ITU-T G.711), and from one law to the other.

use crate::plane::Codec;

impl Codec {
    /// RFC 3551 §6; Opus, which has no fixed one, is offered as this and stands for itself in a journal.
    pub fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 111,
        }
    }

    /// One byte of µ-law as a linear sample, or of A-law: of no other codec is a byte a sample.
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Codec::Pcmu => ULAW_TO_LINEAR[usize::from(byte)],
            _ => ALAW_TO_LINEAR[usize::from(byte)],
        }
    }

    /// A linear sample as one byte of µ-law, or of A-law.
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Codec::Pcmu => ulaw_from_linear(sample),
            _ => alaw_from_linear(sample),
        }
    }

    /// Silence in µ-law, or in A-law.
    pub fn silence(self) -> u8 {
        match self {
            Codec::Pcmu => 0xff,
            _ => 0xd5,
        }
    }
}

/// Rewrites samples of the other law in place.
pub fn convert(from: Codec, to: Codec, samples: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => &ULAW_TO_ALAW,
        (Codec::Pcma, Codec::Pcmu) => &ALAW_TO_ULAW,
        _ => return,
    };
    for sample in samples {
        *sample = table[usize::from(*sample)];
    }
}

static ULAW_TO_LINEAR: [i16; 256] = table_i16(true);
static ALAW_TO_LINEAR: [i16; 256] = table_i16(false);
static ULAW_TO_ALAW: [u8; 256] = cross(true);
static ALAW_TO_ULAW: [u8; 256] = cross(false);

const fn table_i16(ulaw: bool) -> [i16; 256] {
    let mut table = [0; 256];
    let mut at: usize = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)]
        let byte = at as u8;
        table[at] = if ulaw { ulaw_to_linear(byte) } else { alaw_to_linear(byte) };
        at += 1;
    }
    table
}

const fn cross(from_ulaw: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut at: usize = 0;
    while at < 256 {
        #[allow(clippy::cast_possible_truncation)]
        let byte = at as u8;
        table[at] =
            if from_ulaw { alaw_from_linear(ulaw_to_linear(byte)) } else { ulaw_from_linear(alaw_to_linear(byte)) };
        at += 1;
    }
    table
}

const fn ulaw_to_linear(byte: u8) -> i16 {
    let byte = !byte;
    let exponent = (byte >> 4) & 7;
    let mantissa = (byte & 0x0f) as i16;
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if byte & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn ulaw_from_linear(sample: i16) -> u8 {
    let sign: u8 = if sample < 0 { 0x80 } else { 0 };
    let mut magnitude = (sample as i32).abs();
    if magnitude > 32_635 {
        magnitude = 32_635;
    }
    magnitude += 0x84;
    let exponent = 31 - (magnitude as u32 >> 7).leading_zeros();
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let code = sign | ((exponent as u8) << 4) | mantissa as u8;
    !code
}

const fn alaw_to_linear(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let exponent = (byte >> 4) & 7;
    let mantissa = (byte & 0x0f) as i16;
    let magnitude = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    if byte & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn alaw_from_linear(sample: i16) -> u8 {
    let positive = sample >= 0;
    let magnitude = if positive { sample as i32 } else { -(sample as i32) - 1 };
    let magnitude = magnitude >> 3;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let code = if magnitude >= 32 {
        let exponent = 31 - (magnitude as u32 >> 4).leading_zeros();
        ((exponent as u8) << 4) | ((magnitude >> exponent) & 0x0f) as u8
    } else {
        (magnitude >> 1) as u8
    };
    (code | if positive { 0x80 } else { 0 }) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_and_encoding_again_is_identity() {
        for byte in 0..=255_u8 {
            assert_eq!(Codec::Pcma.encode(Codec::Pcma.decode(byte)), byte, "A-law {byte:#x}");
            // 0x7f is µ-law's second zero.
            if byte != 0x7f {
                assert_eq!(Codec::Pcmu.encode(Codec::Pcmu.decode(byte)), byte, "µ-law {byte:#x}");
            }
        }
    }

    #[test]
    fn known_values_of_the_recommendation() {
        assert_eq!(Codec::Pcmu.decode(0x80), 32_124);
        assert_eq!(Codec::Pcmu.decode(0xff), 0);
        assert_eq!(Codec::Pcma.decode(0xd5), 8);
        assert_eq!(Codec::Pcma.decode(0xaa), 32_256);
    }

    #[test]
    fn the_error_of_either_law_stays_within_its_step() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for sample in (-32_000..32_000).step_by(7) {
                let sample = i16::try_from(sample).expect("in range");
                let error = (i32::from(codec.decode(codec.encode(sample))) - i32::from(sample)).abs();
                assert!(error <= i32::from(sample).abs() / 16 + 16, "{codec:?} {sample}: {error}");
            }
        }
    }

    #[test]
    fn a_law_crossed_twice_stays_within_one_step() {
        let mut samples: Vec<u8> = (0..=255).collect();
        convert(Codec::Pcmu, Codec::Pcma, &mut samples);
        for (byte, crossed) in (0..=255_u8).zip(samples) {
            let (before, after) = (i32::from(Codec::Pcmu.decode(byte)), i32::from(Codec::Pcma.decode(crossed)));
            assert!((before - after).abs() <= before.abs() / 16 + 16, "{before} became {after}");
        }
    }
}
