//! Any rate from 8 to 48 kHz down to a telephone's, piece by piece: a windowed-sinc low-pass at 3.6 kHz, so that nothing
//! folds back into the telephone band, with its taps made once for every place that a sample out may have between two in.

use super::RATE;

/// Zeros of the kernel on either side, in samples out.
const REACH: usize = 16;
/// What is kept, in Hz: the telephone band ends at 3.4 kHz.
const CUTOFF: f64 = 3_600.0;

/// Mono sound on its way down.
pub(super) struct Narrow {
    /// Samples in for `every` samples out.
    step: usize,
    every: usize,
    /// Taps of one place.
    width: usize,
    /// `every` places, one after the other; empty: the rate is right as it is.
    taps: Vec<f32>,
    line: Vec<f32>,
    /// Where in the line the next sample's taps begin, and its place between two samples, of `every`.
    at: usize,
    place: usize,
    /// Samples that came in, and those that went out.
    taken: usize,
    out: Vec<i16>,
}

impl Narrow {
    /// From a rate of 8,000 to 48,000.
    pub fn new(rate: usize) -> Self {
        let common = gcd(rate.max(1), RATE);
        let (step, every) = (rate / common, RATE / common);
        let reach = REACH.saturating_mul(rate).div_ceil(RATE);
        let width = 2 * reach + 1;
        let taps = if rate == RATE { Vec::new() } else { taps(rate, every, reach) };
        // Before the first sample there is silence.
        let line = vec![0.0; if taps.is_empty() { 0 } else { reach }];
        Self { step, every, width, taps, line, at: 0, place: 0, taken: 0, out: Vec::new() }
    }

    /// In samples out.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    pub fn push(&mut self, samples: impl Iterator<Item = f32>) {
        if self.taps.is_empty() {
            self.out.extend(samples.map(sample));
            self.taken = self.out.len();
            return;
        }
        let before = self.line.len();
        self.line.extend(samples);
        self.taken = self.taken.saturating_add(self.line.len() - before);
        self.run(usize::MAX);
    }

    fn run(&mut self, most: usize) {
        while self.out.len() < most
            && let Some(window) = self.line.get(self.at..self.at.saturating_add(self.width))
        {
            let from = self.place.saturating_mul(self.width);
            let taps = self.taps.get(from..from.saturating_add(self.width)).unwrap_or_default();
            self.out.push(sample(dot(window, taps)));
            self.place += self.step;
            self.at += self.place / self.every;
            self.place %= self.every;
        }
        // Moved when there is much to be moved off: a sample is copied about once.
        if self.at > 16_384 {
            self.line.drain(..self.at.min(self.line.len()));
            self.at = 0;
        }
    }

    /// Of what came in, no more than so many samples count.
    pub fn cut(&mut self, taken: usize) {
        self.taken = self.taken.min(taken);
    }

    /// Everything, as long as what came in.
    pub fn end(mut self) -> Vec<i16> {
        let most = self.taken.saturating_mul(self.every) / self.step.max(1);
        if !self.taps.is_empty() {
            self.line.extend(std::iter::repeat_n(0.0, self.width));
            self.run(most);
        }
        self.out.truncate(most);
        self.out
    }
}

/// In eight sums, which a processor takes at once.
fn dot(window: &[f32], taps: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    let (pairs, rest) = (window.chunks_exact(8), window.chunks_exact(8).remainder());
    let ends = taps.get(taps.len() - rest.len()..).unwrap_or_default();
    for (window, taps) in pairs.zip(taps.chunks_exact(8)) {
        for (sum, (sample, tap)) in sums.iter_mut().zip(window.iter().zip(taps)) {
            *sum += sample * tap;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().zip(ends).map(|(sample, tap)| sample * tap).sum::<f32>()
}

/// In ±1.
#[allow(clippy::cast_possible_truncation)]
fn sample(value: f32) -> i16 {
    (value * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn taps(rate: usize, every: usize, reach: usize) -> Vec<f32> {
    let (ratio, cutoff) = (rate as f64 / RATE as f64, CUTOFF / rate as f64);
    let mut all = Vec::with_capacity(every.saturating_mul(2 * reach + 1));
    for place in 0..every {
        let centre = reach as f64 + place as f64 / every as f64;
        let one = (0..=2 * reach).map(|k| kernel(k as f64 - centre, cutoff, REACH as f64 * ratio));
        // Whatever its place, a sample is as loud.
        let sum: f64 = one.clone().sum();
        all.extend(one.map(|tap| (tap / sum) as f32));
    }
    all
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

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    fn tone(hertz: f64, rate: usize, seconds: usize) -> Vec<f32> {
        let angle = |n: usize| n as f64 * hertz * std::f64::consts::TAU / rate as f64;
        (0..rate * seconds).map(|n| (angle(n).sin() * 0.5) as f32).collect()
    }

    #[allow(clippy::cast_precision_loss)]
    fn loudness(samples: &[i16]) -> f64 {
        (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }

    #[test]
    fn any_rate_keeps_its_length_and_loudness_whatever_the_pieces() {
        for rate in [8_000, 11_025, 12_000, 16_000, 22_050, 32_000, 44_100, 44_099, 47_999, 48_000] {
            let sound = tone(1_000.0, rate, 2);
            let mut whole = Narrow::new(rate);
            whole.push(sound.iter().copied());
            let whole = whole.end();
            assert_eq!(whole.len(), 16_000, "{rate}");
            let (own, wanted) = (loudness(&whole[400..15_600]), 16_384.0 / 2_f64.sqrt());
            assert!((own / wanted - 1.0).abs() < 0.005, "{rate}: {own} for {wanted}");
            let mut pieces = Narrow::new(rate);
            for piece in sound.chunks(777) {
                pieces.push(piece.iter().copied());
            }
            assert_eq!(pieces.end(), whole, "{rate}");
        }
    }

    #[test]
    fn what_lies_above_the_telephone_band_does_not_fold_back() {
        for (rate, hertz) in [(16_000, 4_800.0), (16_000, 7_000.0), (44_100, 5_000.0), (48_000, 20_000.0)] {
            let mut narrow = Narrow::new(rate);
            narrow.push(tone(hertz, rate, 1).into_iter());
            let rest = loudness(&narrow.end()[200..7_800]);
            assert!(rest < 12.0, "{hertz} Hz at {rate}: {rest}");
        }
    }
}
