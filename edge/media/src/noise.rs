//! Comfort noise (RFC 3389): what is heard while a party that detects silence sends none. Of what it tells only the level
//! is used.

/// RFC 3551 §6: its payload type at 8 kHz.
pub const PAYLOAD_TYPE: u8 = 13;
/// Louder than this no room is.
const LEVEL_MIN: u8 = 30;

#[derive(Debug, Clone)]
pub struct Noise {
    /// Half of the width of its samples' range.
    reach: i32,
    state: u32,
}

impl Noise {
    /// From a packet; None for an empty one. RFC 3389 §3.1: its first byte is the level below overload, in dB.
    pub fn told(payload: &[u8]) -> Option<Self> {
        let level = (payload.first()? & 0x7f).max(LEVEL_MIN);
        // Samples spread evenly over ±a have an RMS of a/√3.
        let rms = 32_768.0 * 10_f32.powf(-f32::from(level) / 20.0);
        #[allow(clippy::cast_possible_truncation)]
        let reach = (rms * 3_f32.sqrt()) as i32;
        Some(Self { reach, state: 0x9e37_79b9 })
    }

    pub fn fill(&mut self, samples: &mut [i16]) {
        let span = u32::try_from(2 * self.reach + 1).unwrap_or(1);
        for sample in samples {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            let value = i32::try_from(self.state % span).unwrap_or(0) - self.reach;
            *sample = i16::try_from(value).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_as_loud_as_it_was_told_and_never_a_shout() {
        #[allow(clippy::cast_precision_loss)]
        let loudness = |level: u8| {
            let mut samples = [0; 16_000];
            Noise::told(&[level]).expect("a level").fill(&mut samples);
            (samples.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>() / 16_000.0).sqrt()
        };
        for level in [35_u8, 50, 60] {
            let told = 32_768.0 * 10_f32.powf(-f32::from(level) / 20.0);
            assert!((loudness(level) / told - 1.0).abs() < 0.1, "{level}: {} of {told}", loudness(level));
        }
        assert!(loudness(0) < 1_100.0 && loudness(127) < 1.0);
        assert!(Noise::told(&[]).is_none());
    }
}
