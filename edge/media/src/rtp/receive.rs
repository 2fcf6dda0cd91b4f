//! What a receiver counts of one source: extended sequence numbers and loss (RFC 3550 A.1, A.3), jitter (A.8).

use std::time::Instant;

use super::{
    Header,
    rtcp::Block,
    xr::{Bursts, Voip},
};

/// RFC 3550 A.1: a jump of more than this is a new source, not loss.
const DROPOUT_MAX: u16 = 3_000;

#[derive(Debug, Clone)]
pub struct Receiver {
    /// Timestamp units a second.
    clock: u32,
    source: Option<Source>,
    pub received: u64,
    /// Expected by sequence numbers of sources that ended.
    expected_before: u64,
    received_before: u64,
}

/// Packets of all sources so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// By sequence numbers.
    pub expected: u64,
    /// Without duplicates of the newest.
    pub received: u64,
}

#[derive(Debug, Clone)]
struct Source {
    ssrc: u32,
    base: u64,
    highest: u64,
    received: u64,
    transit: Option<(Instant, u32)>,
    /// Sixteenths of a timestamp unit, as in A.8.
    jitter: u32,
    /// At the last report.
    reported: Tally,
    bursts: Bursts,
}

impl Default for Receiver {
    fn default() -> Self {
        Self { clock: 8_000, source: None, received: 0, expected_before: 0, received_before: 0 }
    }
}

impl Receiver {
    /// Units a second, of the codec that is received from here on.
    pub fn set_clock(&mut self, clock: u32) {
        self.clock = clock;
    }

    /// Counts one packet. False when it is older than anything useful (a duplicate or very late).
    pub fn note(&mut self, now: Instant, header: &Header) -> bool {
        self.received = self.received.saturating_add(1);
        let fresh = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.note(now, header, self.clock),
            _ => None,
        };
        match fresh {
            Some(in_order) => in_order,
            None => {
                self.close_source();
                self.source = Some(Source::new(header, now));
                true
            }
        }
    }

    fn close_source(&mut self) {
        if let Some(source) = self.source.take() {
            self.expected_before = self.expected_before.saturating_add(source.expected());
            self.received_before = self.received_before.saturating_add(source.received);
        }
    }

    pub fn tally(&self) -> Tally {
        let (expected, received) = self.source.as_ref().map_or((0, 0), |source| (source.expected(), source.received));
        Tally {
            expected: self.expected_before.saturating_add(expected),
            received: self.received_before.saturating_add(received),
        }
    }

    /// Packets that never came, by sequence numbers; duplicates can hide loss, as RFC 3550 A.3 says.
    pub fn lost(&self) -> u64 {
        let tally = self.tally();
        tally.expected.saturating_sub(tally.received)
    }

    /// The report block about the source, whose interval begins anew (RFC 3550 A.3). The times are the caller's.
    pub fn block(&mut self) -> Option<Block> {
        let source = self.source.as_mut()?;
        let now = Tally { expected: source.expected(), received: source.received };
        let expected = now.expected.saturating_sub(source.reported.expected);
        let received = now.received.saturating_sub(source.reported.received);
        source.reported = now;
        let lost = expected.saturating_sub(received);
        let fraction = lost.saturating_mul(256).checked_div(expected).unwrap_or(0);
        let ever = i64::try_from(now.expected).unwrap_or(0).saturating_sub(i64::try_from(now.received).unwrap_or(0));
        #[allow(clippy::cast_possible_truncation)]
        let highest = source.highest.saturating_sub(0x1_0000) as u32;
        Some(Block {
            ssrc: source.ssrc,
            fraction_lost: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: i32::try_from(ever).unwrap_or(i32::MAX).min(0x7f_ffff),
            highest,
            jitter: source.jitter / 16,
            ..Block::default()
        })
    }

    /// How the source's losses fall, since it began; packets are of 20 ms.
    pub fn voip(&self) -> Option<Voip> {
        let source = self.source.as_ref()?;
        Some(Voip { ssrc: source.ssrc, ..source.bursts.report(20) })
    }

    /// Interarrival jitter in microseconds.
    pub fn jitter_us(&self) -> u32 {
        let units = self.source.as_ref().map_or(0, |source| u64::from(source.jitter / 16));
        u32::try_from(units.saturating_mul(1_000_000) / u64::from(self.clock.max(1))).unwrap_or(u32::MAX)
    }
}

impl Source {
    fn new(header: &Header, now: Instant) -> Self {
        // One cycle up, so that packets just before the first do not go below zero.
        let first = 0x1_0000 + u64::from(header.sequence);
        Self {
            ssrc: header.ssrc,
            base: first,
            highest: first,
            received: 1,
            transit: Some((now, header.timestamp)),
            jitter: 0,
            reported: Tally::default(),
            bursts: Bursts::default(),
        }
    }

    fn expected(&self) -> u64 {
        self.highest.saturating_sub(self.base).saturating_add(1)
    }

    /// None when the sequence jumped: a new source under the old name.
    fn note(&mut self, now: Instant, header: &Header, clock: u32) -> Option<bool> {
        #[allow(clippy::cast_possible_truncation)]
        let delta = header.sequence.wrapping_sub(self.highest as u16);
        if delta == 0 {
            return Some(false);
        }
        if delta < DROPOUT_MAX {
            // What comes late after all stays counted: it was not there when it was to be played.
            self.bursts.lost(u32::from(delta - 1));
            self.bursts.came();
            self.highest = self.highest.saturating_add(u64::from(delta));
        } else if delta <= u16::MAX - 100 {
            return None;
        }
        self.received = self.received.saturating_add(1);
        self.jitter(now, header.timestamp, clock);
        Some(delta < DROPOUT_MAX)
    }

    /// A.8 with D taken between consecutive packets.
    fn jitter(&mut self, now: Instant, timestamp: u32, clock: u32) {
        if let Some((before, stamp)) = self.transit.replace((now, timestamp)) {
            let passed = now.saturating_duration_since(before);
            let micros = passed.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(passed.subsec_micros()));
            let arrived = i64::try_from(micros.saturating_mul(u64::from(clock)) / 1_000_000).unwrap_or(i64::MAX);
            let stamped = i64::from(timestamp.wrapping_sub(stamp).cast_signed());
            let difference = u32::try_from((arrived.saturating_sub(stamped)).unsigned_abs())
                .unwrap_or(u32::MAX)
                .min(clock.saturating_mul(10));
            let kept = self.jitter.saturating_sub((self.jitter.saturating_add(8)) >> 4);
            self.jitter = kept.saturating_add(difference);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(sequence: u16) -> Header {
        Header { marker: false, payload_type: 8, sequence, timestamp: u32::from(sequence).wrapping_mul(160), ssrc: 1 }
    }

    fn start() -> Instant {
        #[allow(clippy::disallowed_methods)]
        Instant::now()
    }

    #[test]
    fn loss_is_counted_across_the_wrap_and_duplicates_are_not_played() {
        let mut receiver = Receiver::default();
        let t0 = start();
        let mut at = 0;
        for sequence in [65_533_u16, 65_534, 65_535, 0, 3, 3, 4] {
            at += 20;
            let played = receiver.note(t0 + Duration::from_millis(at), &packet(sequence));
            assert_eq!(played, !(sequence == 3 && at == 120), "{sequence} at {at}");
        }
        assert_eq!(receiver.lost(), 2);
    }

    #[test]
    fn a_steady_stream_has_no_jitter_and_a_bumpy_one_has() {
        let (mut steady, mut bumpy) = (Receiver::default(), Receiver::default());
        let t0 = start();
        for n in 0..200_u16 {
            let at = u64::from(n) * 20;
            steady.note(t0 + Duration::from_millis(at), &packet(n));
            bumpy.note(t0 + Duration::from_millis(at + if n % 2 == 0 { 0 } else { 10 }), &packet(n));
        }
        assert_eq!(steady.jitter_us(), 0);
        assert!((8_000..=10_500).contains(&bumpy.jitter_us()), "{}", bumpy.jitter_us());
    }
}
