//! The waveform of a recording for a player: the loudest sample of each stretch of time, one line per side.

use super::Frame;
use super::{Stereo, stereo};

/// Stretches of one recording at most.
pub const PEAKS_MAX: usize = 4_096;

/// Loudness 0 to 255 of equal stretches, (caller, agent) each.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Peaks {
    /// Length of one stretch.
    pub ms: u32,
    pub caller: Vec<u8>,
    pub agent: Vec<u8>,
}

/// So many stretches, or fewer when the recording is short: none is shorter than 20 ms.
pub fn peaks(frames: &[Frame], count: usize) -> Peaks {
    let Stereo { rate, samples } = stereo(frames);
    let frame = usize::try_from(rate / 50).unwrap_or(160);
    let pairs = samples.len() / 2;
    let stretch = pairs.div_ceil(count.clamp(1, PEAKS_MAX)).next_multiple_of(frame).max(frame);
    let loudest = |side: usize| {
        let side: Vec<u8> = samples
            .chunks(stretch * 2)
            .map(|part| part.iter().skip(side).step_by(2).map(|sample| sample.unsigned_abs()).max().unwrap_or(0))
            .map(|peak| u8::try_from(peak >> 7).unwrap_or(u8::MAX))
            .collect();
        side
    };
    Peaks { ms: u32::try_from(stretch * 20 / frame).unwrap_or(u32::MAX), caller: loudest(0), agent: loudest(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::{Codec, Side};

    #[test]
    fn loud_and_quiet_stand_where_they_were_said() {
        let frame = |side, at_ms: u32, loud: bool| Frame {
            side,
            codec: Codec::Pcma,
            timestamp: at_ms * 8,
            at_ms,
            payload: vec![if loud { 0xaa } else { 0xd5 }; 160],
        };
        let mut frames: Vec<Frame> = (0..100).map(|n| frame(Side::Caller, n * 20, n >= 50)).collect();
        frames.extend((0..100).map(|n| frame(Side::Agent, n * 20, n < 25)));
        let peaks = peaks(&frames, 4);
        assert_eq!(peaks.ms, 500);
        assert_eq!(peaks.caller, [0, 0, 252, 252]);
        assert_eq!(peaks.agent, [252, 0, 0, 0]);
        assert_eq!(super::peaks(&[], 100).caller, Vec::<u8>::new());
        assert_eq!(super::peaks(&frames, 1_000_000).ms, 20, "a frame at least");
    }
}
