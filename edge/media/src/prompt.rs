//! Prompts: a WAV file's bytes become 20 ms frames in both G.711 laws, once, when they are loaded.

use std::{io::Cursor, sync::Arc};

use crate::plane::Codec;

/// Samples of a frame at 8 kHz.
pub const FRAME_LEN: usize = 160;
/// Longest prompt.
pub const SECONDS_MAX: usize = 600;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a WAV file: {0}")]
    NotWav(String),
    #[error(
        "a prompt is 16-bit PCM with 1 or 2 channels at 8000 to 48000 Hz; this one has {channels} at {rate} Hz, {bits} bit"
    )]
    Format { channels: u16, rate: u32, bits: u16 },
    #[error("a prompt lasts at most {SECONDS_MAX} s")]
    TooLong,
    #[error("the file holds no sound")]
    Empty,
}

/// A prompt, encoded. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prompt {
    alaw: Arc<[u8]>,
    ulaw: Arc<[u8]>,
}

impl Prompt {
    /// From a whole WAV file.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = hound::WavReader::new(Cursor::new(bytes)).map_err(|error| Error::NotWav(error.to_string()))?;
        let spec = reader.spec();
        let fits = matches!(spec.channels, 1 | 2)
            && (8_000..=48_000).contains(&spec.sample_rate)
            && spec.bits_per_sample == 16
            && spec.sample_format == hound::SampleFormat::Int;
        if !fits {
            return Err(Error::Format { channels: spec.channels, rate: spec.sample_rate, bits: spec.bits_per_sample });
        }
        let limit = SECONDS_MAX * spec.sample_rate as usize * usize::from(spec.channels);
        if reader.len() as usize > limit {
            return Err(Error::TooLong);
        }
        let samples: Result<Vec<i16>, _> = reader.samples::<i16>().collect();
        let samples = samples.map_err(|error| Error::NotWav(error.to_string()))?;
        let mono: Vec<i16> = match spec.channels {
            1 => samples,
            _ => samples
                .chunks_exact(2)
                .map(|pair| i16::try_from(pair.iter().map(|sample| i32::from(*sample)).sum::<i32>() / 2).unwrap_or(0))
                .collect(),
        };
        Self::from_samples(&to_8khz(&mono, spec.sample_rate))
    }

    /// From linear samples at 8 kHz; the last frame is filled with silence.
    pub fn from_samples(samples: &[i16]) -> Result<Self, Error> {
        if samples.is_empty() {
            return Err(Error::Empty);
        }
        if samples.len() > SECONDS_MAX * 8_000 {
            return Err(Error::TooLong);
        }
        let encode = |codec: Codec| {
            let padded = samples.len().div_ceil(FRAME_LEN) * FRAME_LEN;
            let mut bytes: Vec<u8> = samples.iter().map(|sample| codec.encode(*sample)).collect();
            bytes.resize(padded, codec.silence());
            bytes.into()
        };
        Ok(Self { alaw: encode(Codec::Pcma), ulaw: encode(Codec::Pcmu) })
    }

    /// The n-th frame of 20 ms in µ-law, or in A-law, or None after the end.
    pub fn frame(&self, codec: Codec, at: usize) -> Option<&[u8]> {
        let bytes = match codec {
            Codec::Pcmu => &self.ulaw,
            _ => &self.alaw,
        };
        let start = at.checked_mul(FRAME_LEN)?;
        bytes.get(start..start.checked_add(FRAME_LEN)?)
    }
}

/// Lowers the rate with a windowed-sinc low-pass at 3.6 kHz, so that nothing folds back into the telephone band.
fn to_8khz(samples: &[i16], rate: u32) -> Vec<i16> {
    if rate == 8_000 {
        return samples.to_vec();
    }
    let ratio = f64::from(rate) / 8_000.0;
    let cutoff = 3_600.0 / f64::from(rate);
    let reach = (16.0 * ratio).ceil();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let (reach_n, length) = (reach as isize, (samples.len() as f64 / ratio) as usize);
    (0..length)
        .map(|n| {
            #[allow(clippy::cast_precision_loss)]
            let centre = n as f64 * ratio;
            #[allow(clippy::cast_possible_truncation)]
            let middle = centre as isize;
            let mut sum = 0.0;
            for at in middle - reach_n..=middle + reach_n {
                let Some(sample) = usize::try_from(at).ok().and_then(|at| samples.get(at)) else { continue };
                #[allow(clippy::cast_precision_loss)]
                let x = at as f64 - centre;
                sum += f64::from(*sample) * kernel(x, cutoff, reach);
            }
            #[allow(clippy::cast_possible_truncation)]
            let sample = sum.round().clamp(-32_768.0, 32_767.0) as i16;
            sample
        })
        .collect()
}

/// A sinc of this cut-off (in cycles per sample) under a Hann window.
fn kernel(x: f64, cutoff: f64, reach: f64) -> f64 {
    if x.abs() >= reach {
        return 0.0;
    }
    let angle = 2.0 * std::f64::consts::PI * cutoff * x;
    let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
    2.0 * cutoff * sinc * (0.5 + 0.5 * (std::f64::consts::PI * x / reach).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32, channels: u16, hertz: f64) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("memory");
        for n in 0..rate {
            let value = (f64::from(n) * hertz * 2.0 * std::f64::consts::PI / f64::from(rate)).sin() * 12_000.0;
            for _ in 0..channels {
                #[allow(clippy::cast_possible_truncation)]
                writer.write_sample(value as i16).expect("memory");
            }
        }
        writer.finalize().expect("memory");
        bytes.into_inner()
    }

    fn energy(prompt: &Prompt) -> f64 {
        let mut sum = 0.0;
        let mut frames = 0.0;
        let mut at = 0;
        while let Some(frame) = prompt.frame(Codec::Pcma, at) {
            sum += frame.iter().map(|byte| f64::from(Codec::Pcma.decode(*byte)).powi(2)).sum::<f64>();
            frames += 1.0;
            at += 1;
        }
        (sum / (frames * FRAME_LEN as f64)).sqrt()
    }

    #[test]
    fn every_common_rate_keeps_a_second_and_its_loudness() {
        for (rate, channels) in [(8_000, 1), (16_000, 1), (16_000, 2), (44_100, 2), (48_000, 1)] {
            let prompt = Prompt::from_wav(&wav(rate, channels, 1_000.0)).expect("good");
            assert!(prompt.frame(Codec::Pcmu, 49).is_some() && prompt.frame(Codec::Pcmu, 51).is_none(), "{rate}");
            assert!((8_000.0..9_000.0).contains(&energy(&prompt)), "{rate}: {}", energy(&prompt));
        }
    }

    #[test]
    fn what_lies_above_the_telephone_band_does_not_fold_back() {
        let prompt = Prompt::from_wav(&wav(16_000, 1, 7_000.0)).expect("good");
        assert!(energy(&prompt) < 120.0, "{}", energy(&prompt));
    }

    #[test]
    fn what_is_no_prompt_is_refused_with_a_reason() {
        assert!(matches!(Prompt::from_wav(b"not a wav"), Err(Error::NotWav(_))));
        assert!(matches!(Prompt::from_wav(&wav(96_000, 1, 100.0)), Err(Error::Format { rate: 96_000, .. })));
        assert_eq!(Prompt::from_samples(&[]).expect_err("empty"), Error::Empty);
    }
}
