//! Every tone of every country is measured as a tester of lines would: which frequencies, how loud, when.

use super::*;
use crate::plane::Codec;

/// Of one round, after A-law.
fn heard(country: &str, tone: Tone) -> Vec<i16> {
    let prompt = Tones::default().tone(country, tone).expect("a tone");
    let frames = (0..).map_while(|at| prompt.frame(Codec::Pcma, at));
    frames.flatten().map(|byte| Codec::Pcma.decode(*byte)).collect()
}

/// RMS of the part at this frequency, by Goertzel.
fn part(samples: &[i16], hertz: f64) -> f64 {
    let turn = 2.0 * (std::f64::consts::TAU * hertz / f64::from(RATE)).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for sample in samples {
        (before, last) = (last, f64::from(*sample) + turn * last - before);
    }
    let power = before * before + last * last - turn * last * before;
    (2.0 * power).sqrt() / samples.len() as f64
}

fn whole(samples: &[i16]) -> f64 {
    (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
}

fn level(rms: f64) -> f64 {
    20.0 * (rms / ZERO_RMS).log10()
}

/// Lengths of sound and silence by turns, in ms, sound first: louder than -45 dBm0 within 2.5 ms is sound, and a gap
/// shorter than 8 ms none.
fn cadence(samples: &[i16]) -> Vec<u32> {
    let loud: Vec<bool> = samples.chunks(20).map(|piece| level(whole(piece)) > -45.0).collect();
    let mut runs: Vec<(bool, u32)> = Vec::new();
    for now in loud {
        match runs.last_mut() {
            Some((before, pieces)) if *before == now => *pieces += 1,
            _ => runs.push((now, 1)),
        }
    }
    let mut lengths: Vec<(bool, u32)> = Vec::new();
    for (sounds, pieces) in runs {
        let sounds = sounds || pieces <= 3;
        match lengths.last_mut() {
            Some((before, length)) if *before == sounds => *length += pieces,
            _ => lengths.push((sounds, pieces)),
        }
    }
    lengths.into_iter().map(|(_, pieces)| pieces * 5 / 2).collect()
}

/// As the table says, neighbours that both sound taken together.
fn wanted(parts: &[Part]) -> Vec<u32> {
    let mut lengths: Vec<(bool, u32)> = Vec::new();
    for part in parts {
        let (sounds, ms) = (part.wave != Wave::Silence, part.ms.unwrap_or(1_000));
        match lengths.last_mut() {
            Some((before, length)) if *before == sounds => *length += ms,
            _ => lengths.push((sounds, ms)),
        }
    }
    lengths.into_iter().map(|(_, ms)| ms).collect()
}

#[test]
fn every_country_has_every_tone_at_its_frequencies_its_level_and_its_times() {
    for row in table::ROWS {
        for tone in Tone::ALL {
            let name = format!("+{} {}", row.code, tone.name());
            let parts = parse(row.cadence(tone)).unwrap_or_else(|| panic!("{name} cannot be read"));
            let samples = heard(row.code, tone);
            let times = wanted(&parts);
            let measured = cadence(&samples);
            let rounds = measured.len() / times.len();
            assert!(rounds >= 1 && measured.len().is_multiple_of(times.len()), "{name}: {measured:?} for {times:?}");
            for (measured, wanted) in measured.iter().zip(times.iter().cycle()) {
                assert!(measured.abs_diff(*wanted) <= 8, "{name}: {measured} ms for {wanted}");
            }
            let mut at = 0;
            for Part { wave, ms } in &parts {
                let length = (ms.unwrap_or(1_000) * 8) as usize;
                let piece = &samples[at..at + length];
                at += length;
                // Without the ramps.
                let sound = &piece[RAMP.min(length / 4)..length - RAMP.min(length / 4)];
                let (loud, strength) = (level(whole(sound)), row.strength(tone));
                let near = |measured: f64, wanted: f64| (measured - wanted).abs() < 0.7;
                match (wave, strength) {
                    (Wave::Silence, _) => assert!(piece.iter().all(|sample| sample.abs() <= 8), "{name}"),
                    (Wave::Sum(all), Strength::Each(each)) => {
                        for hertz in all {
                            let one = level(part(sound, f64::from(*hertz)));
                            assert!(near(one, f64::from(each)), "{name}: {hertz} Hz at {one}");
                        }
                        let sum = f64::from(each) + 10.0 * (all.len() as f64).log10();
                        assert!(near(loud, sum), "{name}: {loud} dBm0");
                    }
                    (Wave::Sum(all), Strength::Whole(level_whole)) => {
                        assert!(near(loud, f64::from(level_whole)), "{name}: {loud} dBm0");
                        let each = f64::from(level_whole) - 10.0 * (all.len() as f64).log10();
                        for hertz in all {
                            let one = level(part(sound, f64::from(*hertz)));
                            assert!(near(one, each), "{name}: {hertz} Hz at {one}");
                        }
                    }
                    (Wave::Swelling(carrier, by), Strength::Each(wanted) | Strength::Whole(wanted)) => {
                        assert!((loud - f64::from(wanted)).abs() < 1.0, "{name}: {loud} dBm0");
                        let [below, own, above] =
                            [-1.0, 0.0, 1.0].map(|n| level(part(sound, f64::from(*carrier) + n * f64::from(*by))));
                        // Half as loud at either side: all of it swells.
                        assert!((4.5..7.5).contains(&(own - below)), "{name}: {below} {own} {above}");
                        assert!((4.5..7.5).contains(&(own - above)), "{name}: {below} {own} {above}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_caller_in_the_united_states_hears_440_and_480_hz_for_two_seconds_of_six() {
    let samples = heard("1", Tone::Ringback);
    assert_eq!(cadence(&samples), [2_000, 4_000]);
    let sound = &samples[400..15_600];
    assert!((level(part(sound, 440.0)) + 19.0).abs() < 0.3 && (level(part(sound, 480.0)) + 19.0).abs() < 0.3);
    let rest = (whole(sound).powi(2) - part(sound, 440.0).powi(2) - part(sound, 480.0).powi(2)).max(0.0).sqrt();
    assert!(level(rest) < -45.0, "{} dBm0 of something else", level(rest));
    assert!(level(part(sound, 425.0)) < -45.0, "the tone of another country");
}

#[test]
fn a_country_that_is_not_known_has_europe_s() {
    for unknown in ["", "999", "+1", "us"] {
        assert_eq!(cadence(&heard(unknown, Tone::Ringback)), [1_000, 4_000], "{unknown:?}");
        assert!(level(part(&heard(unknown, Tone::Dial), 425.0)) > -11.0, "{unknown:?}");
    }
}

/// A click is a step that the tone itself never makes.
#[test]
fn no_tone_clicks_where_it_begins_ends_or_begins_anew() {
    for row in table::ROWS {
        for tone in Tone::ALL {
            let once = round(row, tone).expect("a tone");
            let twice: Vec<i16> = once.iter().chain(&once).copied().collect();
            let steepest = f64::from(once.iter().copied().max().expect("sound")) * std::f64::consts::TAU * 1_850.0
                / f64::from(RATE);
            for pair in twice.windows(3) {
                // The bend, not the step: a jump from silence into a tone is one.
                let bend = f64::from(pair[0]) - 2.0 * f64::from(pair[1]) + f64::from(pair[2]);
                assert!(bend.abs() <= steepest * 1.5, "+{} {}: {bend}", row.code, tone.name());
            }
            assert!(once.first().is_some_and(|sample| sample.abs() < 40), "+{} {}", row.code, tone.name());
        }
    }
}

#[test]
fn what_is_no_cadence_is_none() {
    for text in ["", "a", "425/", "425/0", "425/1e9", "425/61000", "0+425", "425*", "4000", "425/200,,0/200"] {
        assert_eq!(parse(text), None, "{text:?}");
    }
    let parts = parse("400*25/400,0/200,350+440").expect("a cadence");
    assert_eq!(
        parts,
        [
            Part { wave: Wave::Swelling(400, 25), ms: Some(400) },
            Part { wave: Wave::Silence, ms: Some(200) },
            Part { wave: Wave::Sum(vec![350, 440]), ms: None },
        ]
    );
}
