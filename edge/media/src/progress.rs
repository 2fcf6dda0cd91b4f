//! Call-progress tones by country: what a line says without words (ITU-T E.180/Q.35). A tone is made once, as one round
//! of its cadence, and played over and over. Keypresses are [`crate::tone`]'s.

mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::prompt::{FRAME_LEN, Prompt};
use table::{Row, Strength};

/// Samples a second.
const RATE: u32 = 8_000;
/// RMS of 0 dBm0 in 16 bits: a sine as loud as A-law can be has 3.14 dBm0 (ITU-T G.711 §4).
const ZERO_RMS: f64 = 32_768.0 / std::f64::consts::SQRT_2 / 1.435_5;
/// A tone comes and goes within 5 ms, so that neither end clicks.
const RAMP: usize = 40;
/// Of one country's tone: how long a round of its cadence is at most, in ms.
const ROUND_MS_MAX: u32 = 60_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// The line waits for digits.
    Dial,
    /// The other end rings.
    Ringback,
    /// The other end is taken.
    Busy,
    /// There is no way to the other end (reorder).
    Congestion,
    /// Why the call came to nothing is said next (special information).
    Information,
    /// Somebody else calls.
    CallWaiting,
    /// The talk is recorded.
    RecordWarning,
}

impl Tone {
    pub const ALL: [Tone; 7] = [
        Tone::Dial,
        Tone::Ringback,
        Tone::Busy,
        Tone::Congestion,
        Tone::Information,
        Tone::CallWaiting,
        Tone::RecordWarning,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Tone::Dial => "dial",
            Tone::Ringback => "ringback",
            Tone::Busy => "busy",
            Tone::Congestion => "congestion",
            Tone::Information => "information",
            Tone::CallWaiting => "call-waiting",
            Tone::RecordWarning => "record-warning",
        }
    }
}

/// Tones that were asked for, ready to be played: at most one of each kind for each row of the table.
#[derive(Debug, Default)]
pub struct Tones(BTreeMap<(&'static str, Tone), Prompt>);

impl Tones {
    /// One round of a tone, as a country has it: its E.164 code, `1`; of a country that is not known, as most of Europe
    /// has it.
    pub fn tone(&mut self, country: &str, tone: Tone) -> Option<Prompt> {
        let row = table::row(country);
        if let Some(made) = self.0.get(&(row.code, tone)) {
            return Some(made.clone());
        }
        let made = Prompt::from_samples(&round(row, tone)?).ok()?;
        self.0.insert((row.code, tone), made.clone());
        Some(made)
    }
}

/// What sounds for a while.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    wave: Wave,
    /// None: without end.
    ms: Option<u32>,
}

#[derive(Debug, Clone, PartialEq)]
enum Wave {
    Silence,
    /// Frequencies together, in Hz.
    Sum(Vec<u16>),
    /// The first, as loud as the second says from nothing to all.
    Swelling(u16, u16),
}

/// A cadence as it is written: `425/200,0/200`, `440+480`, `400*25/400`; None for what is none.
fn parse(cadence: &str) -> Option<Vec<Part>> {
    let part = |text: &str| {
        let (wave, ms) = match text.split_once('/') {
            Some((wave, ms)) => (wave, Some(ms.parse().ok().filter(|ms| (10..=ROUND_MS_MAX).contains(ms))?)),
            None => (text, None),
        };
        let hertz = |text: &str| text.parse::<u16>().ok().filter(|hertz| (10..=3_400).contains(hertz));
        let wave = match wave.split_once('*') {
            _ if wave == "0" => Wave::Silence,
            Some((carrier, by)) => Wave::Swelling(hertz(carrier)?, hertz(by)?),
            None => Wave::Sum(wave.split('+').map(hertz).collect::<Option<_>>()?),
        };
        Some(Part { wave, ms })
    };
    cadence.split(',').map(part).collect()
}

/// Samples of one round at 8 kHz, or of as many as fill whole frames: repeated, it has no seam.
fn round(row: &Row, tone: Tone) -> Option<Vec<i16>> {
    let parts = parse(row.cadence(tone))?;
    let strength = row.strength(tone);
    let mut once = Vec::new();
    for part in &parts {
        // Every frequency is a whole number of Hz: a second of it ends where it began.
        let length = usize::try_from(part.ms.unwrap_or(1_000) * RATE / 1_000).ok()?;
        let from = once.len();
        once.extend((0..length).map(|n| part.wave.at(n, strength)));
        if part.ms.is_some() {
            ramp(once.get_mut(from..)?);
        }
    }
    let mut all = once.clone();
    while !all.len().is_multiple_of(FRAME_LEN) {
        all.extend_from_slice(&once);
    }
    #[allow(clippy::cast_possible_truncation)]
    Some(all.into_iter().map(|sample| sample.round() as i16).collect())
}

/// Fades a tone in at its beginning and out at its end.
fn ramp(sound: &mut [f64]) {
    let ramp = RAMP.min(sound.len() / 2);
    #[allow(clippy::cast_precision_loss)]
    let part = |n: usize| 0.5 - 0.5 * (std::f64::consts::PI * n as f64 / ramp as f64).cos();
    for (n, sample) in sound.iter_mut().take(ramp).enumerate() {
        *sample *= part(n);
    }
    for (n, sample) in sound.iter_mut().rev().take(ramp).enumerate() {
        *sample *= part(n);
    }
}

impl Wave {
    /// The n-th sample.
    #[allow(clippy::cast_precision_loss)]
    fn at(&self, n: usize, strength: Strength) -> f64 {
        let wave = |hertz: u16| (std::f64::consts::TAU * f64::from(hertz) * n as f64 / f64::from(RATE)).sin();
        match self {
            Wave::Silence => 0.0,
            Wave::Sum(all) => {
                let each = match strength {
                    Strength::Each(level) => rms(level),
                    Strength::Whole(level) => rms(level) / (all.len().max(1) as f64).sqrt(),
                };
                each * std::f64::consts::SQRT_2 * all.iter().map(|hertz| wave(*hertz)).sum::<f64>()
            }
            Wave::Swelling(carrier, by) => {
                let (Strength::Each(level) | Strength::Whole(level)) = strength;
                let swell = 0.5 - 0.5 * (std::f64::consts::TAU * f64::from(*by) * n as f64 / f64::from(RATE)).cos();
                // The mean of the swell's square is 3/8.
                rms(level) * (2.0_f64 / 0.375).sqrt() * swell * wave(*carrier)
            }
        }
    }
}

/// Of a level in dBm0.
fn rms(level: i8) -> f64 {
    ZERO_RMS * 10_f64.powf(f64::from(level) / 20.0)
}

#[cfg(test)]
mod tests;
