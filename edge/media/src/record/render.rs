//! Rendering: both legs on one time line, the caller left, the agent right, silence where nothing arrived.

use super::Frame;
use crate::{
    coder::{DECODED_MAX, Decoder},
    plane::Side,
};

/// Of a rendered recording.
pub const CHANNELS: u16 = 2;
/// A leg's own clock is followed until it is this far from the arrival times.
const DRIFT_MS_MAX: i64 = 200;
/// Longest rendering: eight hours.
const SECONDS_MAX: usize = 8 * 3_600;

/// Interleaved 16-bit samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stereo {
    /// 8,000 a second when both legs spoke G.711 all the time, or else 16,000.
    pub rate: u32,
    pub samples: Vec<i16>,
}

pub fn stereo(frames: &[Frame]) -> Stereo {
    let rate = if frames.iter().all(|frame| frame.codec.is_g711()) { 8_000 } else { 16_000 };
    let sides = [Side::Caller, Side::Agent].map(|side| line(rate, frames.iter().filter(|frame| frame.side == side)));
    let length = sides.iter().map(Vec::len).max().unwrap_or(0);
    let sample = |side: &Vec<i16>, at: usize| side.get(at).copied().unwrap_or(0);
    let [left, right] = &sides;
    Stereo { rate, samples: (0..length).flat_map(|at| [sample(left, at), sample(right, at)]).collect() }
}

/// One leg. Within a talk spurt the RTP timestamps place a frame; a jump of the clock is placed by arrival.
fn line<'a>(rate: u32, frames: impl Iterator<Item = &'a Frame>) -> Vec<i16> {
    let mut samples: Vec<i16> = Vec::new();
    let mut anchor: Option<(u32, i64)> = None;
    let mut decoder: Option<Decoder> = None;
    let per_ms = i64::from(rate / 1_000);
    let seconds = usize::try_from(rate).unwrap_or(0) * SECONDS_MAX;
    for frame in frames {
        if decoder.as_ref().is_none_or(|decoder| decoder.codec() != frame.codec) {
            // Another codec has another clock.
            (decoder, anchor) = (Some(Decoder::new(frame.codec)), None);
        }
        let arrived = i64::from(frame.at_ms) * per_ms;
        let clock = i64::from(frame.codec.clock());
        let passed =
            |stamp: u32| i64::from(frame.timestamp.wrapping_sub(stamp).cast_signed()) * i64::from(rate) / clock;
        let by_clock = anchor.map(|(stamp, place)| place + passed(stamp));
        let place = match by_clock {
            Some(place) if (place - arrived).abs() <= DRIFT_MS_MAX * per_ms => place,
            _ => {
                anchor = Some((frame.timestamp, arrived));
                arrived
            }
        };
        let Some(start) = usize::try_from(place).ok().filter(|start| *start < seconds) else { continue };
        let mut sound = [0; DECODED_MAX];
        let length = match (rate, &mut decoder) {
            (16_000, Some(decoder)) => decoder.decode(&frame.payload, &mut sound),
            _ => {
                for (sample, byte) in sound.iter_mut().zip(&frame.payload) {
                    *sample = frame.codec.decode(*byte);
                }
                frame.payload.len().min(DECODED_MAX)
            }
        };
        let end = start + length;
        if samples.len() < end {
            samples.resize(end, 0);
        }
        for (sample, heard) in samples.iter_mut().skip(start).zip(sound.iter().take(length)) {
            *sample = *heard;
        }
    }
    samples
}
