//! What is heard in place of sound that did not arrive: the last pitch period again, quieter and quieter, as ITU-T G.711
//! Appendix I does it, at 16 kHz.

use crate::sound::fade;

/// 48 ms: three periods of the deepest voice.
const PAST: usize = 768;
/// A voice's period: 2.5 to 15 ms, 66 to 400 Hz.
const PERIOD_MIN: usize = 40;
const PERIOD_MAX: usize = 240;
/// What is compared: 20 ms.
const COMPARED: usize = 320;
/// The seam between what was made up and what came: 5 ms.
const SEAM: usize = 80;
/// So long it is as loud as before, and then quieter and quieter, until it is silent: 20 and 60 ms.
const WHOLE: usize = 320;
const SILENT: usize = 960;

#[derive(Debug, Clone)]
pub struct Concealer {
    past: [i16; PAST],
    /// None: what is heard is real.
    made: Option<Made>,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    period: usize,
    /// Samples since the loss.
    at: usize,
}

impl Default for Concealer {
    fn default() -> Self {
        Self { past: [0; PAST], made: None }
    }
}

impl Concealer {
    /// Sound that came; after a loss its beginning is joined to what was made up.
    pub fn real(&mut self, samples: &mut [i16]) {
        if let Some(made) = self.made.take() {
            let mut before = [0; SEAM];
            self.make(made, &mut before);
            let seam = samples.len().min(SEAM);
            if let (Some(before), Some(after)) = (before.get(..seam), samples.get_mut(..seam)) {
                fade(before, after);
            }
        }
        self.keep(samples);
    }

    /// What was not there.
    pub fn missing(&mut self, samples: &mut [i16]) {
        let made = self.made.unwrap_or_else(|| Made { period: self.period(), at: 0 });
        self.make(made, samples);
        self.made = Some(Made { at: made.at.saturating_add(samples.len()), ..made });
    }

    /// The end of the past over and over.
    fn make(&self, made: Made, samples: &mut [i16]) {
        if made.at >= SILENT {
            return samples.fill(0);
        }
        let period = self.past.get(PAST - made.period..).unwrap_or_default();
        let voice = period.iter().cycle().skip(made.at % made.period.max(1));
        for (at, (out, sample)) in (made.at..).zip(samples.iter_mut().zip(voice)) {
            let left = SILENT.saturating_sub(at).min(SILENT - WHOLE);
            let (left, whole) = (i32::try_from(left).unwrap_or(0), i32::try_from(SILENT - WHOLE).unwrap_or(1));
            *out = i16::try_from(i32::from(*sample) * left / whole).unwrap_or(0);
        }
    }

    /// Where the last 20 ms resemble what was before them most.
    fn period(&self) -> usize {
        let end = self.past.get(PAST - COMPARED..).unwrap_or_default();
        let mut best = (PERIOD_MAX, f32::MIN);
        for period in PERIOD_MIN..=PERIOD_MAX {
            let before = self.past.get(PAST - COMPARED - period..PAST - period).unwrap_or_default();
            // Every second sample is enough to find it.
            let (mut product, mut power) = (0.0_f32, 1.0_f32);
            for (a, b) in end.iter().zip(before).step_by(2) {
                product += f32::from(*a) * f32::from(*b);
                power += f32::from(*b) * f32::from(*b);
            }
            let likeness = product / power.sqrt();
            if likeness > best.1 {
                best = (period, likeness);
            }
        }
        best.0
    }

    fn keep(&mut self, samples: &[i16]) {
        let samples = samples.get(samples.len().saturating_sub(PAST)..).unwrap_or_default();
        self.past.copy_within(samples.len().., 0);
        if let Some(end) = self.past.get_mut(PAST - samples.len()..) {
            end.copy_from_slice(samples);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::{FRAME, Frame, SILENCE};

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn voice(frame: usize) -> Frame {
        std::array::from_fn(|n| {
            let t = (frame * FRAME + n) as f32 / 16_000.0;
            let tone = |hertz: f32, size: f32| (t * hertz * std::f32::consts::TAU).sin() * size;
            (tone(150.0, 6_000.0) + tone(450.0, 3_000.0) + tone(1_200.0, 1_500.0)) as i16
        })
    }

    fn missing(concealer: &mut Concealer) -> Frame {
        let mut frame = SILENCE;
        concealer.missing(&mut frame);
        frame
    }

    fn heard(frames: usize) -> Concealer {
        let mut concealer = Concealer::default();
        for n in 0..frames {
            concealer.real(&mut voice(n));
        }
        concealer
    }

    #[allow(clippy::cast_precision_loss)]
    fn loudness(frame: &Frame) -> f32 {
        (frame.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / FRAME as f32).sqrt()
    }

    #[test]
    fn a_lost_frame_of_a_voice_is_almost_what_it_would_have_been() {
        let mut concealer = heard(10);
        let (made, real) = (missing(&mut concealer), voice(10));
        let wrong: Frame = std::array::from_fn(|n| made[n] - real[n]);
        assert!(loudness(&wrong) < loudness(&real) / 8.0, "{} of {}", loudness(&wrong), loudness(&real));
    }

    #[test]
    fn a_long_loss_falls_silent_without_a_step_and_the_voice_comes_back() {
        let mut concealer = heard(10);
        let mut levels = Vec::new();
        let mut last = voice(9)[FRAME - 1];
        for _ in 0..6 {
            let frame = missing(&mut concealer);
            assert!((i32::from(frame[0]) - i32::from(last)).abs() < 3_500, "a step from {last} to {}", frame[0]);
            last = frame[FRAME - 1];
            levels.push(loudness(&frame));
        }
        assert!(levels.is_sorted_by(|a, b| a >= b), "{levels:?}");
        assert_eq!(levels[5], 0.0);
        let mut back = voice(16);
        concealer.real(&mut back);
        assert_eq!(back[SEAM..], voice(16)[SEAM..]);
    }

    #[test]
    fn silence_is_concealed_by_silence() {
        let mut concealer = Concealer::default();
        assert_eq!(missing(&mut concealer), SILENCE);
    }
}
