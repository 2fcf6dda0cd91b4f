//! How a call sounds: the E-model of ITU-T G.107 in the short form for its default values, from loss, delay and jitter.

use std::time::Duration;

use crate::plane::Codec;

/// R without any impairment (G.107 defaults).
const R_BEST: f64 = 93.2;
/// A packet's own time, which must have gone by before it can be sent.
const PACKET_MS: f64 = 20.0;
/// What a telephone's jitter buffer keeps at least.
const BUFFER_MS_MIN: f64 = 20.0;

/// ITU-T G.113 appendix I: how a codec suffers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impairment {
    /// Without loss.
    pub ie: f64,
    /// Robustness against loss.
    pub bpl: f64,
}

/// G.711 with concealment of lost packets, which every telephone has.
pub const G711: Impairment = Impairment { ie: 0.0, bpl: 25.1 };

/// Wideband codecs on the scale of telephones, where they count as no better than G.711: G.722 with concealment, and Opus
/// with its redundancy, of which G.113 has no figures; G.711's robustness stands in for theirs.
pub const WIDE: Impairment = Impairment { ie: 0.0, bpl: 25.1 };

impl Codec {
    pub fn impairment(self) -> Impairment {
        match self {
            Codec::Pcmu | Codec::Pcma => G711,
            Codec::G722 | Codec::Opus => WIDE,
        }
    }
}

/// The transmission rating; `delay_ms` is one way, mouth to ear, `loss` in percent at random.
pub fn rating(codec: Impairment, delay_ms: f64, loss: f64) -> f64 {
    let late = (delay_ms - 177.3).max(0.0);
    let by_delay = 0.024 * delay_ms + 0.11 * late;
    // BurstR is 1: losses are taken to be independent.
    let by_loss = codec.ie + (95.0 - codec.ie) * loss / (loss + codec.bpl);
    (R_BEST - by_delay - by_loss).clamp(0.0, 100.0)
}

/// The mean opinion that goes with a rating, 1 to 4.5.
pub fn opinion(rating: f64) -> f64 {
    if rating <= 0.0 {
        return 1.0;
    }
    if rating >= 100.0 {
        return 4.5;
    }
    (1.0 + 0.035 * rating + 7e-6 * rating * (rating - 60.0) * (100.0 - rating)).clamp(1.0, 4.5)
}

/// Mouth to ear: half the round trip, a packet's time, and a buffer that takes up twice the jitter.
pub fn delay_ms(round_trip: Option<Duration>, jitter: Duration) -> f64 {
    let travel = round_trip.map_or(0.0, |trip| trip.as_secs_f64() * 500.0);
    travel + PACKET_MS + (jitter.as_secs_f64() * 2_000.0).max(BUFFER_MS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_norm() {
        let without = Impairment { ie: 0.0, bpl: 4.3 };
        let g729a = Impairment { ie: 11.0, bpl: 19.0 };
        for (delay, loss, codec, r, mos) in [
            (0.0, 0.0, G711, 93.2, 4.41),
            (100.0, 0.0, G711, 90.8, 4.36),
            (150.0, 1.0, G711, 86.0, 4.23),
            (150.0, 1.0, without, 71.7, 3.67),
            (200.0, 2.0, g729a, 66.9, 3.45),
            (300.0, 3.0, G711, 62.4, 3.22),
        ] {
            let rating = rating(codec, delay, loss);
            assert!((rating - r).abs() <= 0.06, "{delay} ms, {loss} %: R {rating}, not {r}");
            assert!((opinion(rating) - mos).abs() <= 0.006, "{delay} ms, {loss} %: MOS {}, not {mos}", opinion(rating));
        }
    }

    #[test]
    fn nothing_is_better_than_the_best_or_worse_than_the_worst() {
        assert_eq!(opinion(-5.0), 1.0);
        assert_eq!(opinion(120.0), 4.5);
        assert_eq!(rating(G711, 10_000.0, 100.0), 0.0);
        let mut before = 1.0;
        for tenth in 0..1_000 {
            let opinion = opinion(f64::from(tenth) / 10.0);
            assert!(opinion >= before - 0.02, "R {tenth}/10");
            before = opinion;
        }
    }
}
