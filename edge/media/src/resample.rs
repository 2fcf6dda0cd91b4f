//! Between 8 and 16 kHz: a half-band filter, of which every second coefficient is zero, one way and the other.

/// Coefficients on either side.
const REACH: usize = 12;
const PAST: usize = 2 * REACH - 1;
/// Samples at 8 kHz of one call at most: 80 ms.
pub const NARROW_MAX: usize = 640;
/// The same at 16 kHz.
pub const WIDE_MAX: usize = 2 * NARROW_MAX;

/// A sinc at a quarter of the higher rate under a Blackman window: what lies between 4 and 8 kHz is 60 dB down outside of
/// the band's edge.
fn taps() -> [f32; REACH] {
    std::array::from_fn(|k| {
        #[allow(clippy::cast_precision_loss)]
        let x = (2 * k + 1) as f32 / 2.0;
        let angle = std::f32::consts::PI * x;
        #[allow(clippy::cast_precision_loss)]
        let place = std::f32::consts::PI * x / REACH as f32;
        angle.sin() / angle * (0.42 + 0.5 * place.cos() + 0.08 * (2.0 * place).cos())
    })
}

#[allow(clippy::cast_possible_truncation)]
fn sample(value: f32) -> i16 {
    value.round().clamp(-32_768.0, 32_767.0) as i16
}

/// 8 to 16 kHz, 1.5 ms late.
#[derive(Debug, Clone)]
pub struct Up {
    taps: [f32; REACH],
    past: [i16; PAST],
}

impl Default for Up {
    fn default() -> Self {
        Self { taps: taps(), past: [0; PAST] }
    }
}

impl Up {
    /// Fills `wide` with twice as many samples as `narrow` has; how many they are. What is beyond `NARROW_MAX` is left.
    pub fn run(&mut self, narrow: &[i16], wide: &mut [i16]) -> usize {
        let narrow = narrow.get(..narrow.len().min(NARROW_MAX)).unwrap_or_default();
        let mut line = [0_i16; PAST + NARROW_MAX];
        line[..PAST].copy_from_slice(&self.past);
        line[PAST..PAST + narrow.len()].copy_from_slice(narrow);
        for (window, out) in line.windows(2 * REACH).take(narrow.len()).zip(wide.chunks_exact_mut(2)) {
            let (before, after) = window.split_at(REACH);
            let pairs = before.iter().rev().zip(after);
            let sum: f32 = self.taps.iter().zip(pairs).map(|(tap, (a, b))| tap * (f32::from(*a) + f32::from(*b))).sum();
            if let ([even, odd], Some(middle)) = (out, before.last()) {
                (*even, *odd) = (*middle, sample(sum));
            }
        }
        self.past.copy_from_slice(&line[narrow.len()..narrow.len() + PAST]);
        2 * narrow.len()
    }
}

/// 16 to 8 kHz, 1.4 ms late.
#[derive(Debug, Clone)]
pub struct Down {
    taps: [f32; REACH],
    past: [i16; 2 * PAST],
}

impl Default for Down {
    fn default() -> Self {
        Self { taps: taps(), past: [0; 2 * PAST] }
    }
}

impl Down {
    /// Fills `narrow` with half as many samples as `wide` has (an even number, at most `WIDE_MAX`); how many they are.
    pub fn run(&mut self, wide: &[i16], narrow: &mut [i16]) -> usize {
        const LINE: usize = 2 * PAST;
        let length = wide.len().min(WIDE_MAX) & !1;
        let mut line = [0_i16; LINE + WIDE_MAX];
        line[..LINE].copy_from_slice(&self.past);
        line[LINE..LINE + length].copy_from_slice(wide.get(..length).unwrap_or_default());
        for (window, out) in line.windows(LINE + 1).skip(1).step_by(2).take(length / 2).zip(narrow.iter_mut()) {
            let (before, rest) = window.split_at(PAST);
            let Some((middle, after)) = rest.split_first() else { continue };
            let pairs = before.iter().rev().step_by(2).zip(after.iter().step_by(2));
            let sum: f32 = self.taps.iter().zip(pairs).map(|(tap, (a, b))| tap * (f32::from(*a) + f32::from(*b))).sum();
            *out = sample((f32::from(*middle) + sum) / 2.0);
        }
        self.past.copy_from_slice(&line[length..length + LINE]);
        length / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn tone(hertz: f32, rate: f32, length: usize) -> Vec<i16> {
        (0..length)
            .map(|n| ((n as f32) * hertz * std::f32::consts::TAU / rate).sin() * 10_000.0)
            .map(|s| s as i16)
            .collect()
    }

    /// Loudness of the part at this frequency (Goertzel), and of everything.
    #[allow(clippy::cast_precision_loss)]
    fn level(samples: &[i16], hertz: f32, rate: f32) -> (f32, f32) {
        let (mut real, mut imaginary, mut power) = (0.0_f32, 0.0_f32, 0.0_f32);
        for (n, sample) in samples.iter().enumerate() {
            let (angle, value) = ((n as f32) * hertz * std::f32::consts::TAU / rate, f32::from(*sample));
            real += value * angle.cos();
            imaginary += value * angle.sin();
            power += value * value;
        }
        let count = samples.len() as f32;
        ((real.hypot(imaginary) * 2.0 / count), (power / count).sqrt())
    }

    fn up(samples: &[i16]) -> Vec<i16> {
        let mut filter = Up::default();
        samples
            .chunks(160)
            .flat_map(|chunk| {
                let mut wide = [0; WIDE_MAX];
                let length = filter.run(chunk, &mut wide);
                wide[..length].to_vec()
            })
            .collect()
    }

    fn down(samples: &[i16]) -> Vec<i16> {
        let mut filter = Down::default();
        samples
            .chunks(320)
            .flat_map(|chunk| {
                let mut narrow = [0; NARROW_MAX];
                let length = filter.run(chunk, &mut narrow);
                narrow[..length].to_vec()
            })
            .collect()
    }

    #[test]
    fn a_telephone_s_band_keeps_its_loudness_up_and_down_and_gains_no_image() {
        for hertz in [200.0, 1_000.0, 2_500.0, 3_300.0] {
            let wide = up(&tone(hertz, 8_000.0, 8_000));
            assert_eq!(wide.len(), 16_000);
            let (own, all) = level(&wide[1_000..15_000], hertz, 16_000.0);
            assert!((9_300.0..10_700.0).contains(&own), "{hertz} Hz up: {own}");
            let rest = (all * all - own * own / 2.0).max(0.0).sqrt();
            assert!(rest < 120.0, "{hertz} Hz up: {rest} beside it");
            let narrow = down(&tone(hertz, 16_000.0, 16_000));
            let (own, _) = level(&narrow[500..7_500], hertz, 8_000.0);
            assert!((9_300.0..10_700.0).contains(&own), "{hertz} Hz down: {own}");
        }
    }

    #[test]
    fn what_a_telephone_cannot_carry_does_not_fold_back_into_its_band() {
        for hertz in [5_000.0, 6_000.0, 7_500.0] {
            let (_, all) = level(&down(&tone(hertz, 16_000.0, 16_000))[500..7_500], 1_000.0, 8_000.0);
            assert!(all < 60.0, "{hertz} Hz: {all}");
        }
    }

    #[test]
    fn the_pieces_of_a_stream_fit_together() {
        let whole = tone(700.0, 8_000.0, 640);
        let mut filter = Up::default();
        let mut at_once = [0; WIDE_MAX];
        filter.run(&whole, &mut at_once);
        assert_eq!(up(&whole), at_once);
    }
}
