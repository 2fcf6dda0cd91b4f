//! What a port knows of how its call sounds: reports to and from the party, and every five seconds a verdict.

use std::time::{Duration, Instant};

use super::port::Port;
use crate::{
    plane::{Flow, Quality},
    quality,
    rtp::{
        receive::Tally,
        rtcp::{self, Block, Report},
    },
};

/// A verdict and a report to the party are due this often (RFC 3550 §6.2: five seconds at least between reports).
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// Fewer packets in a period say nothing about it.
const PACKETS_MIN: u64 = 25;
/// Seconds to the units of RTCP times, 1/65536 s.
const UNITS: u64 = 65_536;

/// Of one port.
#[derive(Debug, Clone, Default)]
pub(super) struct Monitor {
    /// When the port was connected, and when the last verdict was.
    began: Option<Instant>,
    due: Option<Instant>,
    /// The counts at the last verdict.
    tally: Tally,
    sent: u64,
    foreign: u64,
    /// The party's last sender report: the middle of its time, and when it came.
    heard_report: Option<(u32, Instant)>,
    /// The party's last block about us.
    told: Option<Block>,
    told_before: Option<Block>,
    round_trip: Option<Duration>,
}

impl Monitor {
    /// `part` spreads the ports' reports over the period, 0 to 255.
    pub fn begin(&mut self, now: Instant, part: u8) {
        *self = Self::default();
        self.began = Some(now);
        self.due = Some(now + EVERY + EVERY * u32::from(part) / 256);
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    pub fn hear(&mut self, now: Instant, report: &Report, since_start: Duration) {
        if let Some(sent) = report.sent {
            #[allow(clippy::cast_possible_truncation)]
            let middle = (sent.ntp >> 16) as u32;
            self.heard_report = Some((middle, now));
        }
        let Some(block) = report.block else { return };
        self.told = Some(block);
        if block.last_report != 0 {
            // RFC 3550 §6.4.1: A − LSR − DLSR; what is negative comes from a wrong clock.
            let trip = middle(since_start).wrapping_sub(block.last_report).wrapping_sub(block.delay);
            if trip < 10 * 65_536 {
                self.round_trip = Some(Duration::from_micros(u64::from(trip) * 1_000_000 / UNITS));
            }
        }
    }
}

impl Port {
    /// The report to the party, into `out`; its length.
    pub(super) fn report(&mut self, now: Instant, since_start: Duration, out: &mut [u8; rtcp::LEN_MAX]) -> usize {
        let block = self.receiver.block().map(|block| Block {
            last_report: self.monitor.heard_report.map_or(0, |(middle, _)| middle),
            delay: self.monitor.heard_report.map_or(0, |(_, at)| middle(now.saturating_duration_since(at))),
            ..block
        });
        let sent = self.sender.report(now, ntp(since_start));
        rtcp::write(out, &Report { ssrc: self.sender.ssrc(), sent, block })
    }

    /// The period's verdict, and the next begins. None while there is nothing to judge.
    pub(super) fn judge(&mut self, now: Instant) -> Option<Quality> {
        let remote = self.remote?;
        let (tally, sent, foreign) = (self.receiver.tally(), self.sender.sent, self.foreign);
        let monitor = &mut self.monitor;
        let (expected, received) = (
            tally.expected.saturating_sub(monitor.tally.expected),
            tally.received.saturating_sub(monitor.tally.received),
        );
        let (sent_now, strangers) = (sent.saturating_sub(monitor.sent), foreign.saturating_sub(monitor.foreign));
        let told = monitor.told.filter(|told| monitor.told_before != Some(*told));
        let deaf = matches!((monitor.told, monitor.told_before), (Some(told), Some(before)) if told != before
            && told.highest == before.highest);
        (monitor.tally, monitor.sent, monitor.foreign) = (tally, sent, foreign);
        monitor.told_before = monitor.told;
        monitor.due = Some(now + EVERY);
        let flow = match (received, strangers >= PACKETS_MIN) {
            (0, true) => Flow::FromElsewhere,
            (0, false) => Flow::NothingArrives,
            _ if deaf && sent_now >= PACKETS_MIN => Flow::NothingIsHeard,
            _ => Flow::Both,
        };
        if received < PACKETS_MIN && flow == Flow::Both {
            return None;
        }
        let jitter = Duration::from_micros(u64::from(self.receiver.jitter_us()));
        let lost = permille(expected.saturating_sub(received), expected);
        let rating = match flow {
            Flow::Both | Flow::NothingIsHeard => {
                let delay = quality::delay_ms(monitor.round_trip, jitter);
                quality::rating(remote.codec.impairment(), delay, f64::from(lost) / 10.0)
            }
            Flow::NothingArrives | Flow::FromElsewhere => 0.0,
        };
        Some(Quality {
            flow,
            lost_permille: lost,
            jitter_ms: millis(jitter),
            round_trip_ms: monitor.round_trip.map(millis),
            told_lost_permille: told.map(|told| u16::from(told.fraction_lost) * 125 / 32),
            rating: whole(rating),
            opinion_hundredths: whole(quality::opinion(rating) * 100.0),
        })
    }
}

fn permille(part: u64, whole: u64) -> u16 {
    u16::try_from(part.saturating_mul(1_000).checked_div(whole).unwrap_or(0)).unwrap_or(1_000).min(1_000)
}

fn millis(time: Duration) -> u16 {
    u16::try_from(time.as_millis()).unwrap_or(u16::MAX)
}

/// Ratings and opinions are small and not negative.
fn whole(value: f64) -> u16 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let value = value.round().clamp(0.0, 1_000.0) as u16;
    value
}

/// RFC 3550 §4: a sender without a wall clock counts from its start.
fn ntp(since_start: Duration) -> u64 {
    (since_start.as_secs() << 32) | ((u64::from(since_start.subsec_nanos()) << 32) / 1_000_000_000)
}

#[allow(clippy::cast_possible_truncation)]
fn middle(time: Duration) -> u32 {
    (ntp(time) >> 16) as u32
}
