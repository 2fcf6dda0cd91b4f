//! What a port knows of how its call sounds: reports to and from the party, and every five seconds a verdict.

use std::time::{Duration, Instant};

use super::port::Port;
use crate::{
    plane::{Flow, Quality},
    quality,
    rtp::{
        receive::Tally,
        rtcp::{self, Block, Report},
        xr::Voip,
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
    /// How the party says that we sound to it, and whether it said so since the last verdict.
    told_rating: Option<u8>,
    told_anew: bool,
    /// R of the last verdict, for the party that asks.
    rating: Option<u16>,
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

    /// How the party sounds to us, as one says it (RFC 3611 §4.7).
    fn says(&self, voip: Voip) -> Voip {
        let rating = self.rating.and_then(|rating| u8::try_from(rating).ok());
        let opinion = rating.map(|rating| whole(quality::opinion(f64::from(rating)) * 10.0));
        Voip {
            round_trip_ms: self.round_trip.map_or(0, millis),
            rating,
            opinion: opinion.and_then(|tenths| u8::try_from(tenths).ok()),
            ..voip
        }
    }

    pub fn hear(&mut self, now: Instant, report: &Report, since_start: Duration) {
        if let Some(sent) = report.sent {
            #[allow(clippy::cast_possible_truncation)]
            let middle = (sent.ntp >> 16) as u32;
            self.heard_report = Some((middle, now));
        }
        if let Some(voip) = report.voip {
            self.told_rating = voip.rating;
            self.told_anew = true;
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
        let wanted = self.remote.is_some_and(|remote| remote.wants_xr);
        let voip = self.receiver.voip().filter(|_| wanted).map(|voip| self.monitor.says(voip));
        rtcp::write(out, &Report { ssrc: self.sender.ssrc(), sent, block, voip })
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
        let said = monitor.told_rating.filter(|_| std::mem::take(&mut monitor.told_anew));
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
        monitor.rating = Some(whole(rating));
        let told_lost_permille = told.map(|told| u16::from(told.fraction_lost) * 125 / 32);
        let computed = || {
            let (told, lost) = told.zip(told_lost_permille)?;
            let units = u64::from(told.jitter).saturating_mul(1_000_000) / u64::from(remote.codec.clock().max(1));
            let delay = quality::delay_ms(monitor.round_trip, Duration::from_micros(units));
            Some(whole(quality::rating(remote.codec.impairment(), delay, f64::from(lost) / 10.0)))
        };
        let told_rating = said.map(u16::from).or_else(computed);
        Some(Quality {
            flow,
            lost_permille: lost,
            jitter_ms: millis(jitter),
            round_trip_ms: monitor.round_trip.map(millis),
            told_lost_permille,
            told_rating,
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
