//! Rendering: both legs on one time line, the caller left, the agent right, silence where nothing arrived.

use super::Frame;
use crate::plane::Side;

/// Of a rendered recording.
pub const CHANNELS: u16 = 2;
/// A leg's own clock is followed until it is this far from the arrival times: 200 ms at 8 kHz.
const DRIFT_MAX: i64 = 1_600;
/// Longest rendering: eight hours.
const SAMPLES_MAX: usize = 8 * 3_600 * 8_000;

/// Interleaved 16-bit samples at 8 kHz.
pub fn stereo(frames: &[Frame]) -> Vec<i16> {
    let sides = [Side::Caller, Side::Agent].map(|side| line(frames.iter().filter(|frame| frame.side == side)));
    let length = sides.iter().map(Vec::len).max().unwrap_or(0);
    let sample = |side: &Vec<i16>, at: usize| side.get(at).copied().unwrap_or(0);
    let [left, right] = &sides;
    (0..length).flat_map(|at| [sample(left, at), sample(right, at)]).collect()
}

/// One leg. Within a talk spurt the RTP timestamps place a frame; a jump of the clock is placed by arrival.
fn line<'a>(frames: impl Iterator<Item = &'a Frame>) -> Vec<i16> {
    let mut samples: Vec<i16> = Vec::new();
    let mut anchor: Option<(u32, i64)> = None;
    for frame in frames {
        let arrived = i64::from(frame.at_ms) * 8;
        let by_clock =
            anchor.map(|(stamp, place)| place + i64::from(frame.timestamp.wrapping_sub(stamp).cast_signed()));
        let place = match by_clock {
            Some(place) if (place - arrived).abs() <= DRIFT_MAX => place,
            _ => {
                anchor = Some((frame.timestamp, arrived));
                arrived
            }
        };
        let Some(start) = usize::try_from(place).ok().filter(|start| *start < SAMPLES_MAX) else { continue };
        let end = start + frame.payload.len();
        if samples.len() < end {
            samples.resize(end, 0);
        }
        for (sample, byte) in samples.iter_mut().skip(start).zip(&frame.payload) {
            *sample = frame.codec.decode(*byte);
        }
    }
    samples
}
