//! Level control: whoever speaks too softly or too loudly for the others of a mix is brought near one loudness. What is
//! measured is the level of active speech (in the manner of ITU-T P.56: pauses of up to 200 ms belong to it, longer ones
//! do not); what does not rise and fall as speech does, a tone, noise, silence, moves nothing.

use crate::sound::{FRAME, Frame, limit};

/// Active speech is brought here, in dB below overload; half the way between what headsets and telephones send.
const TARGET_DB: f32 = -19.0;
/// Gain at least and at most, in dB.
const GAIN_DB: (f32, f32) = (-12.0, 18.0);
/// However quiet the speech: the noise under it is not raised above this.
const NOISE_DB: f32 = -46.0;
/// So near to its target speech is left alone.
const NEAR_DB: f32 = 1.0;
/// Change in 20 ms: 6 dB a second up, 20 dB a second down.
const UP_DB: f32 = 0.12;
const DOWN_DB: f32 = 0.4;
/// Speech stands out of what is under it by this, and is louder than this.
const OUT_DB: f32 = 12.0;
const LEAST_DB: f32 = -55.0;
/// The lowest level that is told apart.
const SILENT_DB: f32 = -90.0;
/// Frames of a pause that still belong to speech: 200 ms (P.56 §3).
const HANGOVER: u8 = 10;
/// What is under speech is the quietest of so many stretches of 400 ms: nobody speaks for longer without a gap.
const STRETCHES: usize = 4;
const STRETCH: u8 = 20;
/// Speech is believed after 300 ms of it, and what it was 2.5 s of it ago counts little.
const BELIEVED: u16 = 15;
const REMEMBERED: f32 = 125.0;
/// No sample is louder after a gain; 2.5 dB below overload.
const CEILING: f32 = 24_576.0;
/// A gain that falls to keep that is there within 2 ms.
const FALL: usize = 32;

/// One party's.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    /// Power of active speech, full scale being one.
    speech: f32,
    /// Active frames that it is the mean of.
    frames: u16,
    /// Frames for which speech goes on without any.
    hangover: u8,
    /// The quietest frame of each stretch, in dB; the first is going on.
    quietest: [f32; STRETCHES],
    stretch: u8,
    gain_db: f32,
    /// As the last sample had it.
    gain: f32,
}

impl Default for Level {
    fn default() -> Self {
        Self { speech: 0.0, frames: 0, hangover: 0, quietest: [0.0; STRETCHES], stretch: 0, gain_db: 0.0, gain: 1.0 }
    }
}

impl Level {
    /// The next 20 ms, in place.
    pub fn run(&mut self, frame: &mut Frame) {
        let (mut power, mut peak) = (0.0_f32, 0.0_f32);
        for sample in frame.iter() {
            let value = f32::from(*sample);
            power += value * value;
            peak = peak.max(value.abs());
        }
        #[allow(clippy::cast_precision_loss)]
        let power = power / FRAME as f32 / (32_768.0 * 32_768.0);
        self.listen(power);
        let wanted = 10_f32.powf(self.gain_db / 20.0);
        // A shout is held down at once, and what was held down comes back as any gain does.
        let held = if peak * wanted > CEILING && wanted > 1.0 { (CEILING / peak).max(1.0) } else { wanted };
        if held < wanted {
            self.gain_db = 20.0 * held.log10();
        }
        self.apply(frame, held);
    }

    /// Measures, and moves the gain a step.
    fn listen(&mut self, power: f32) {
        let level = (10.0 * power.max(1e-12).log10()).max(SILENT_DB);
        let under = self.under(level);
        let is_speech = level > LEAST_DB && level > under + OUT_DB;
        let loudest = (NOISE_DB - under).clamp(0.0, GAIN_DB.1);
        if self.gain_db > loudest {
            self.gain_db = (self.gain_db - DOWN_DB).max(loudest);
        }
        self.hangover = if is_speech { HANGOVER } else { self.hangover.saturating_sub(1) };
        if self.hangover == 0 {
            return;
        }
        self.frames = self.frames.saturating_add(1);
        self.speech += (power - self.speech) / f32::from(self.frames).min(REMEMBERED);
        if self.frames < BELIEVED {
            return;
        }
        let wanted = (TARGET_DB - 10.0 * self.speech.max(1e-12).log10()).clamp(GAIN_DB.0, loudest);
        let off = wanted - self.gain_db;
        if off.abs() > NEAR_DB {
            self.gain_db = (self.gain_db + off.clamp(-DOWN_DB, UP_DB)).clamp(GAIN_DB.0, GAIN_DB.1);
        }
    }

    /// What is under speech, in dB, this frame among the last 1.6 s.
    fn under(&mut self, level: f32) -> f32 {
        if self.stretch == 0 {
            self.quietest.rotate_right(1);
            self.quietest[0] = level;
            self.stretch = STRETCH;
        }
        self.stretch -= 1;
        self.quietest[0] = self.quietest[0].min(level);
        self.quietest.iter().copied().fold(0.0, f32::min)
    }

    /// From the gain that there was to another, without a step.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    fn apply(&mut self, frame: &mut Frame, gain: f32) {
        let before = std::mem::replace(&mut self.gain, gain);
        if before == 1.0 && gain == 1.0 {
            return;
        }
        let length = if gain < before - 0.05 { FALL } else { FRAME };
        let step = (gain - before) / length as f32;
        for (n, sample) in frame.iter_mut().enumerate() {
            let now = if n < length { before + step * n as f32 } else { gain };
            *sample = limit((f32::from(*sample) * now).round() as i32);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Syllables of a voice of 130 Hz, four a second, and a pause after every two seconds; `db` is their level while they
    /// last.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub(crate) fn speech(frames: usize, db: f32) -> Vec<Frame> {
        let voice = |t: f32| {
            let part = |k: u16| (std::f32::consts::TAU * 130.0 * f32::from(k) * t).sin() / f32::from(k);
            let syllable = (std::f32::consts::PI * 4.0 * t).sin().powi(2);
            let speaks = if t % 2.5 < 2.0 { 1.0 } else { 0.0 };
            (1..12).map(part).sum::<f32>() * syllable * speaks
        };
        let all: Vec<f32> = (0..frames * FRAME).map(|n| voice(n as f32 / 16_000.0)).collect();
        let active: Vec<f32> = all.iter().copied().filter(|sample| *sample != 0.0).collect();
        let rms = (active.iter().map(|sample| sample * sample).sum::<f32>() / active.len() as f32).sqrt();
        let gain = 10_f32.powf(db / 20.0) * 32_768.0 / rms;
        let sample = |value: &f32| (value * gain).clamp(-32_768.0, 32_767.0) as i16;
        all.chunks_exact(FRAME).map(|piece| std::array::from_fn(|n| sample(&piece[n]))).collect()
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    fn noise(frames: usize, db: f32) -> Vec<Frame> {
        let reach = 32_768.0 * 10_f32.powf(db / 20.0) * 3_f32.sqrt();
        let mut state = 9_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32 * reach) as i16
        };
        (0..frames).map(|_| std::array::from_fn(|_| next())).collect()
    }

    fn together(a: &[Frame], b: &[Frame]) -> Vec<Frame> {
        a.iter().zip(b).map(|(a, b)| crate::sound::mix([a, b].into_iter())).collect()
    }

    fn through(level: &mut Level, frames: &[Frame]) -> Vec<Frame> {
        frames
            .iter()
            .copied()
            .map(|mut frame| {
                level.run(&mut frame);
                frame
            })
            .collect()
    }

    #[allow(clippy::cast_precision_loss)]
    fn db(frames: &[Frame]) -> f32 {
        let samples = frames.iter().flatten().map(|sample| f32::from(*sample) / 32_768.0);
        10.0 * (samples.map(|sample| sample * sample).sum::<f32>() / (frames.len() * FRAME) as f32).max(1e-12).log10()
    }

    /// Of the frames in which somebody speaks.
    pub(crate) fn spoken(frames: &[Frame]) -> f32 {
        let loudest = frames.iter().map(|frame| db(std::slice::from_ref(frame))).fold(-90.0, f32::max);
        let speaks = |frame: &&Frame| db(std::slice::from_ref(*frame)) > loudest - 25.0;
        db(&frames.iter().filter(speaks).copied().collect::<Vec<_>>())
    }

    #[test]
    fn a_quiet_and_a_loud_speaker_are_as_loud_as_one_another() {
        let line = noise(500, -72.0);
        let ends: Vec<f32> = [-35.0, -28.0, -19.0, -10.0, -6.0]
            .map(|own| {
                let heard = through(&mut Level::default(), &together(&speech(500, own), &line));
                spoken(&heard[375..])
            })
            .into();
        for end in &ends {
            assert!((end - ends[2]).abs() < 3.0 && (-22.0..-15.0).contains(end), "{ends:?}");
        }
    }

    #[test]
    fn what_is_no_speech_passes_as_it_is() {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        let tone: Vec<Frame> = (0..300_usize)
            .map(|at| std::array::from_fn(|n| (((at * FRAME + n) as f32 * 0.17).sin() * 900.0) as i16))
            .collect();
        for sound in [tone, noise(300, -60.0), noise(300, -40.0), noise(300, -12.0), vec![[0; FRAME]; 100]] {
            assert_eq!(through(&mut Level::default(), &sound), sound);
        }
    }

    #[test]
    fn silence_stays_silence_and_noise_in_a_pause_is_not_raised_any_more() {
        let mut level = Level::default();
        through(&mut level, &together(&speech(500, -38.0), &noise(500, -70.0)));
        let gain = level.gain_db;
        assert!(gain > 14.0, "{gain} dB");
        assert_eq!(through(&mut level, &[[0; FRAME]; 50]), [[0; FRAME]; 50]);
        let pause = through(&mut level, &noise(500, -70.0));
        assert!(level.gain_db <= gain && db(&pause[100..]) < -51.0, "{} dB", db(&pause[100..]));
    }

    #[test]
    fn a_noise_that_begins_behind_quiet_speech_has_its_gain_taken_away() {
        let mut level = Level::default();
        through(&mut level, &together(&speech(500, -38.0), &noise(500, -70.0)));
        through(&mut level, &noise(200, -35.0));
        assert!(level.gain_db < 1.0, "{} dB", level.gain_db);
    }

    #[test]
    fn noise_under_quiet_speech_bounds_the_gain() {
        let mut level = Level::default();
        let heard = through(&mut level, &together(&speech(800, -35.0), &noise(800, -52.0)));
        assert!((4.0..8.0).contains(&level.gain_db), "{} dB", level.gain_db);
        let quietest = heard[400..].iter().map(|frame| db(std::slice::from_ref(frame))).fold(0.0, f32::min);
        assert!(quietest < -44.0, "{quietest} dB");
    }

    #[test]
    fn a_shout_behind_a_whisper_is_held_down_at_once() {
        let mut level = Level::default();
        through(&mut level, &together(&speech(500, -40.0), &noise(500, -75.0)));
        let shout = speech(100, -10.0);
        let heard = through(&mut level, &shout);
        let peak = |frames: &[Frame]| frames.iter().flatten().map(|sample| i32::from(*sample).abs()).max();
        assert!(peak(&heard) <= peak(&shout).max(Some(28_672)), "{:?} of {:?}", peak(&heard), peak(&shout));
        assert!(spoken(&heard[75..]) < -12.0, "{} dB a second and a half later", spoken(&heard[75..]));
    }

    proptest! {
        #[test]
        fn whatever_is_heard_the_gain_is_bounded_and_nothing_wraps(
            pieces in prop::collection::vec((any::<i16>(), any::<i16>(), 1_usize..40, 1_usize..9), 1..40),
        ) {
            let mut level = Level::default();
            for (a, b, frames, every) in pieces {
                for _ in 0..frames {
                    let own: Frame = std::array::from_fn(|n| if n % every == 0 { a } else { b });
                    let mut heard = own;
                    level.run(&mut heard);
                    prop_assert!((GAIN_DB.0..=GAIN_DB.1).contains(&level.gain_db) && level.gain.is_finite());
                    for (own, heard) in own.iter().zip(heard) {
                        // The sign is kept: nothing has gone round.
                        prop_assert!(i32::from(*own) * i32::from(heard) >= 0, "{own} became {heard}");
                    }
                }
            }
        }
    }
}
