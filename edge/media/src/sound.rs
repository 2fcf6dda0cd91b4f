//! Linear sound inside (L16, mono): its rate, and how several voices become one without a wrap or a hard edge.

/// Samples of 20 ms: everything that is decoded has 16,000 a second.
pub const FRAME: usize = 320;
/// 20 ms of sound.
pub type Frame = [i16; FRAME];
/// Silence of 20 ms.
pub const SILENCE: Frame = [0; FRAME];

/// Below this nothing is changed; above it, louder comes out less and less louder.
const KNEE: i32 = 24_576;
const ROOM: i32 = 32_767 - KNEE;

/// The sum of voices, limited softly: an odd function, steady at the knee, that never reaches the edge.
pub fn limit(sum: i32) -> i16 {
    let over = sum.saturating_abs() - KNEE;
    let size = if over <= 0 { sum.saturating_abs() } else { KNEE + soft(over) };
    i16::try_from(if sum < 0 { -size } else { size }).unwrap_or(i16::MAX)
}

/// x·R/(x+R): slope one at zero, R at infinity.
fn soft(over: i32) -> i32 {
    i32::try_from(i64::from(over) * i64::from(ROOM) / (i64::from(over) + i64::from(ROOM))).unwrap_or(ROOM)
}

/// Adds up the voices.
pub fn mix<'a>(voices: impl Iterator<Item = &'a Frame>) -> Frame {
    let mut sums = [0_i32; FRAME];
    for voice in voices {
        for (sum, sample) in sums.iter_mut().zip(voice) {
            *sum = sum.saturating_add(i32::from(*sample));
        }
    }
    sums.map(limit)
}

/// From one stretch of sound into another of the same length.
pub fn fade(from: &[i16], into: &mut [i16]) {
    let length = i32::try_from(from.len().min(into.len())).unwrap_or(i32::MAX).max(1);
    for (at, (before, after)) in (0_i32..).zip(from.iter().zip(into.iter_mut())) {
        let sum = i32::from(*before) * (length - at) + i32::from(*after) * at;
        *after = i16::try_from(sum / length).unwrap_or(*after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_voice_is_not_changed_and_three_loud_ones_neither_wrap_nor_clip() {
        let quiet: Frame = std::array::from_fn(|n| i16::try_from(n * 50).expect("small"));
        assert_eq!(mix([&quiet].into_iter()), quiet);
        let loud = [30_000; FRAME];
        let three = mix([&loud, &loud, &loud].into_iter());
        assert!(three.iter().all(|sample| (30_000..32_767).contains(sample)), "{}", three[0]);
        let deep = [-30_000; FRAME];
        assert_eq!(mix([&deep, &deep, &deep].into_iter()).map(|sample| -sample), three);
    }

    #[test]
    fn louder_is_never_quieter() {
        let mut before = i16::MIN;
        for sum in (-120_000..120_000).step_by(37) {
            let limited = limit(sum);
            assert!(limited >= before, "{sum}");
            before = limited;
        }
        assert_eq!((limit(KNEE), limit(-KNEE), limit(i32::MAX), limit(i32::MIN)), (24_576, -24_576, 32_766, -32_766));
    }
}
