//! Keypresses that are heard as sound (ITU-T Q.23): whether a stretch of audio holds two tones of a key, and which key.

use crate::plane::Codec;

const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];
/// Samples of one look: 10 ms, so that a tone that fills half a packet is seen.
const LOOK: usize = 80;
/// Quieter than this (RMS of 16 bits, about -54 dBm0) nothing is heard.
const QUIET: f32 = 40.0;
/// Part of a look's energy that the two tones have at least.
const TONES_PART: f32 = 0.55;
/// What the weaker of the two has at least: twist (Q.24 Annex A: 8 dB), and a look that a tone fills in part.
const WEAKER_PART: f32 = 0.06;

/// The same for a key that is acted upon: less is speech.
const SURE_PART: f32 = 0.88;
/// Of the stronger of the two, the weaker has at least so much (9 dB).
const TWIST: f32 = 0.126;
/// Looks in a row that hold the same key before it is one: of 40 ms, which is long enough for Q.24, so many are whole.
const KEY_LOOKS: u8 = 3;

/// What a stretch of audio holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Something of a keypress, be it the beginning or end.
    pub suspect: bool,
    /// A key, for the whole stretch.
    pub key: Option<char>,
}

/// Looks at one packet's audio, of a codec whose bytes are samples.
pub fn listen(codec: Codec, payload: &[u8]) -> Found {
    judge(payload.chunks(LOOK).map(|look| Look::new(look.iter().map(|byte| codec.decode(*byte)))))
}

/// Looks at samples of 8 kHz.
pub fn listen_to(samples: &[i16]) -> Found {
    judge(samples.chunks(LOOK).map(|look| Look::new(look.iter().copied())))
}

fn judge(looks: impl Iterator<Item = Look>) -> Found {
    let mut found = Found::default();
    let mut key = None;
    let mut whole = true;
    for seen in looks {
        found.suspect |= seen.suspect;
        whole &= seen.key.is_some() && (key.is_none() || key == seen.key);
        key = seen.key;
    }
    found.key = key.filter(|_| whole);
    found
}

/// Hears keypresses of a party that sends them as sound alone.
#[derive(Debug, Default)]
pub struct Ear {
    key: Option<char>,
    looks: u8,
}

impl Ear {
    /// The next packet's audio; a key that was pressed, once for each press.
    pub fn hear(&mut self, codec: Codec, payload: &[u8]) -> Option<char> {
        let mut pressed = None;
        for look in payload.chunks(LOOK) {
            let seen = Look::new(look.iter().map(|byte| codec.decode(*byte)));
            let key = seen.key.filter(|_| seen.sure);
            if key != self.key {
                (self.key, self.looks) = (key, 0);
            }
            self.looks = self.looks.saturating_add(1);
            pressed = pressed.or(key.filter(|_| self.looks == KEY_LOOKS));
        }
        pressed
    }
}

struct Look {
    suspect: bool,
    key: Option<char>,
    /// It is a key's beyond doubt.
    sure: bool,
}

impl Look {
    fn new(sound: impl ExactSizeIterator<Item = i16>) -> Self {
        let mut samples = [0.0_f32; LOOK];
        let (mut energy, count) = (0.0, sound.len().min(LOOK));
        for (sample, value) in samples.iter_mut().zip(sound) {
            *sample = f32::from(value);
            energy += *sample * *sample;
        }
        #[allow(clippy::cast_precision_loss)]
        let length = count as f32;
        if length < 20.0 || energy < QUIET * QUIET * length {
            return Self { suspect: false, key: None, sure: false };
        }
        let samples = samples.get(..count).unwrap_or_default();
        // A sine of amplitude a has energy a²n/2 and Goertzel power (an/2)².
        let part = |hertz: f32| power(samples, hertz) * 2.0 / (length * energy);
        let (row, low) = strongest(&ROWS, part);
        let (column, high) = strongest(&COLUMNS, part);
        let both = low + high > TONES_PART && low.min(high) > WEAKER_PART;
        let key = KEYS.get(row).and_then(|keys| keys.get(column)).copied();
        let sure = both && low + high > SURE_PART && low.min(high) > low.max(high) * TWIST;
        Self { suspect: both, key: key.filter(|_| both), sure }
    }
}

fn strongest(tones: &[f32; 4], part: impl Fn(f32) -> f32) -> (usize, f32) {
    let mut best = (0, 0.0);
    for (at, hertz) in tones.iter().enumerate() {
        let part = part(*hertz);
        if part > best.1 {
            best = (at, part);
        }
    }
    best
}

/// Goertzel's recurrence at 8 kHz.
fn power(samples: &[f32], hertz: f32) -> f32 {
    let turn = 2.0 * (2.0 * std::f32::consts::PI * hertz / 8_000.0).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, sample + turn * last - before);
    }
    before * before + last * last - turn * last * before
}

/// Samples of a key's tones, for tests and for networks that know nothing else.
pub fn sound(key: char, samples: usize, level: f32) -> Option<Vec<i16>> {
    let (row, column) = (0..16).map(|at| (at / 4, at % 4)).find(|(row, column)| KEYS[*row][*column] == key)?;
    let wave = |n: usize, hertz: f32| {
        #[allow(clippy::cast_precision_loss)]
        let angle = 2.0 * std::f32::consts::PI * hertz * n as f32 / 8_000.0;
        angle.sin() * level
    };
    #[allow(clippy::cast_possible_truncation)]
    let sample = |n| (wave(n, ROWS[row]) + wave(n, COLUMNS[column])) as i16;
    Some((0..samples).map(sample).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(samples: &[i16]) -> Vec<u8> {
        samples.iter().map(|sample| Codec::Pcma.encode(*sample)).collect()
    }

    #[test]
    fn every_key_is_heard_at_every_level_a_line_has() {
        for key in KEYS.iter().flatten() {
            for level in [200.0, 2_000.0, 12_000.0] {
                let found = listen(Codec::Pcma, &coded(&sound(*key, 160, level).expect("a key")));
                assert_eq!((found.suspect, found.key), (true, Some(*key)), "{key} at {level}");
            }
        }
    }

    fn presses(samples: &[i16]) -> String {
        let mut ear = Ear::default();
        coded(samples).chunks(160).filter_map(|packet| ear.hear(Codec::Pcma, packet)).collect()
    }

    #[test]
    fn a_press_of_40_ms_is_one_key_at_any_phase_and_so_is_one_of_a_second() {
        for shift in (0..160).step_by(20) {
            let mut samples = vec![0; shift];
            for (key, length) in [('5', 320), ('5', 320), ('#', 8_000), ('1', 400), ('D', 320)] {
                samples.extend(sound(key, length, 3_000.0).expect("a key"));
                samples.extend(vec![0; 320]);
            }
            assert_eq!(presses(&samples), "55#1D", "from sample {shift}");
        }
    }

    /// Voiced sound is a row of harmonics, louder around two or three formants: none of it is a key, at any pitch.
    #[test]
    fn a_voice_presses_no_key() {
        let vowels =
            [[730.0, 1_090.0], [270.0, 2_290.0], [530.0, 1_840.0], [570.0, 840.0], [300.0, 870.0], [660.0, 1_720.0]];
        let mut samples = Vec::new();
        for pitch in (90..300).step_by(3) {
            for formants in vowels {
                for n in 0..1_600_u16 {
                    let harmonic = |k: u16| {
                        let hertz = f32::from(k * pitch);
                        let near = |formant: f32| 1.0 / (1.0 + ((hertz - formant) / 90.0).powi(2));
                        let level = formants.into_iter().map(near).sum::<f32>() + 0.02;
                        (2.0 * std::f32::consts::PI * hertz * f32::from(n) / 8_000.0).sin() * level
                    };
                    #[allow(clippy::cast_possible_truncation)]
                    samples.push(((1..3_400 / pitch).map(harmonic).sum::<f32>() * 4_000.0) as i16);
                }
            }
        }
        assert_eq!(presses(&samples), "");
    }

    #[test]
    fn silence_one_tone_and_noise_are_no_key() {
        let mut seed = 1_u32;
        let noise: Vec<i16> = (0..160)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                i16::try_from(seed >> 18).expect("14 bits") - 8_192
            })
            .collect();
        #[allow(clippy::cast_possible_truncation)]
        let one: Vec<i16> = (0..160_u16).map(|n| ((f32::from(n) * 0.6).sin() * 8_000.0) as i16).collect();
        for samples in [vec![0; 160], noise, one] {
            assert_eq!(listen(Codec::Pcma, &coded(&samples)), Found::default());
        }
    }

    #[test]
    fn a_tone_that_fills_half_a_packet_is_suspect() {
        for shift in [40, 80] {
            let mut samples = vec![0; 160];
            samples[shift..].copy_from_slice(&sound('5', 160 - shift, 4_000.0).expect("a key"));
            assert!(listen(Codec::Pcma, &coded(&samples)).suspect, "from sample {shift}");
        }
    }
}
