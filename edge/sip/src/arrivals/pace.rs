//! How many calls may begin in a second: as many as leave those in progress, and what they need beside SIP, on time. No
//! number is configured: the box learns it when it is late, and forgets it when nobody is refused any more.
//!
//! Lateness is a delay that stands, not one that a burst makes and ends: the least of an interval (the idea of CoDel,
//! RFC 8289 §3). The rate falls by a share and rises by a smaller one, as a rate that RFC 7415 would tell a client does.

use std::time::{Duration, Instant};

/// A delay that stands above this is too much.
pub const TARGET: Duration = Duration::from_millis(50);
/// How long a delay must stand, and how often the rate changes.
pub const INTERVAL: Duration = Duration::from_millis(100);
/// Intervals in a second.
const IN_A_SECOND: u64 = 10;
/// The rate never falls below this, in calls a second: somebody must show that it is well again.
const RATE_MIN: u64 = 5;
/// Intervals without a refusal after which no rate is needed.
const WELL: u32 = 50;
/// Longer than any bucket takes to fill.
const LONGEST: Duration = Duration::from_secs(3_600);
/// A call, in what the bucket counts.
const CALL: u64 = 1_000_000;

/// A bucket of calls that fills at a rate that is learnt.
#[derive(Debug)]
pub struct Pace {
    /// Calls a second; None: as many as come.
    rate: Option<u64>,
    /// In millionths of a call.
    tokens: u64,
    filled: Instant,
    since: Instant,
    /// Of this interval: the least delay, the calls that began, whether one was refused.
    least: Option<Duration>,
    begun: u64,
    refused: bool,
    /// Intervals in which nobody was refused.
    well: u32,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { rate: None, tokens: 0, filled: now, since: now, least: None, begun: 0, refused: false, well: 0 }
    }

    /// Calls a second that may begin; None: there is no limit.
    pub fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// Whether one more call may begin; false: it is to be refused.
    pub fn take(&mut self, now: Instant) -> bool {
        if let Some(rate) = self.rate {
            let passed = now.saturating_duration_since(self.filled).min(LONGEST);
            self.filled = now;
            let earned = u64::try_from(passed.as_micros()).unwrap_or(0).saturating_mul(rate);
            // What may begin at one moment: the calls of half an interval.
            let most = (rate.saturating_mul(CALL) / IN_A_SECOND / 2).max(CALL);
            self.tokens = self.tokens.saturating_add(earned).min(most);
            let Some(left) = self.tokens.checked_sub(CALL) else {
                self.refused = true;
                return false;
            };
            self.tokens = left;
        }
        self.begun = self.begun.saturating_add(1);
        true
    }

    /// What is being served, or was asked of others, has waited so long at this moment.
    pub fn note(&mut self, now: Instant, delay: Duration) {
        self.least = Some(self.least.map_or(delay, |least| least.min(delay)));
        if now.saturating_duration_since(self.since) < INTERVAL {
            return;
        }
        let least = self.least.take().unwrap_or_default();
        let late = least > TARGET;
        let begun = std::mem::take(&mut self.begun).saturating_mul(IN_A_SECOND);
        let refused = std::mem::take(&mut self.refused);
        self.since = now;
        self.well = if late || refused { 0 } else { self.well.saturating_add(1) };
        // What began while it became late was too much; what begins while it is late is, too.
        let too_much = self.rate.map_or(begun, |rate| rate.min(begun.max(RATE_MIN)));
        self.rate = match self.rate {
            _ if least > TARGET.saturating_mul(3) => Some((too_much / 2).max(RATE_MIN)),
            _ if late => Some(too_much.saturating_sub(too_much / 16).max(RATE_MIN)),
            Some(_) if self.well >= WELL => None,
            // Far from late it rises fast, near it slowly.
            Some(rate) if refused && least < TARGET / 5 => Some(rate.saturating_add((rate / 16).max(1))),
            Some(rate) if refused => Some(rate.saturating_add((rate / 64).max(1))),
            rate => rate,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that carries `capacity` calls a second and is offered `offered`: what it carries in the last ten of
    /// sixty seconds, and its longest queue then, in milliseconds.
    fn serve(capacity: u64, offered: u64) -> (u64, u64) {
        let (mut pace, start) = (Pace::new(start()), start());
        let (mut waiting, mut carried, mut longest) = (0_u64, 0, 0);
        for ms in 0..60_000_u64 {
            let now = start + Duration::from_millis(ms);
            let due = |rate: u64, ms: u64| rate * ms / 1_000;
            for _ in due(offered, ms)..due(offered, ms + 1) {
                waiting += u64::from(pace.take(now));
            }
            let served = (due(capacity, ms + 1) - due(capacity, ms)).min(waiting);
            waiting -= served;
            pace.note(now, Duration::from_millis(waiting * 1_000 / capacity));
            if ms >= 50_000 {
                carried += served;
                longest = longest.max(waiting * 1_000 / capacity);
            }
        }
        (carried / 10, longest)
    }

    #[test]
    fn what_can_be_carried_is_carried_whatever_is_offered() {
        for times in [1, 2, 10, 100] {
            let (carried, longest) = serve(500, 500 * times);
            assert!((450..=500).contains(&carried), "{times} times: {carried}/s");
            assert!(longest < 250, "{times} times: {longest} ms");
        }
        assert_eq!(serve(500, 300).0, 300, "below its capacity nobody is refused");
    }

    #[test]
    fn a_burst_teaches_nothing_and_a_rate_that_is_not_needed_is_forgotten() {
        let (mut pace, start) = (Pace::new(start()), start());
        let at = |ms| start + Duration::from_millis(ms);
        for ms in 0..1_000 {
            // For 90 of 100 ms it is late; then it has caught up.
            pace.note(at(ms), Duration::from_millis(if ms % 100 < 90 { 500 } else { 1 }));
            assert!(pace.take(at(ms)));
        }
        assert_eq!(pace.rate(), None);
        (1_000..1_300).for_each(|ms| pace.note(at(ms), Duration::from_millis(51)));
        assert_eq!(pace.rate(), Some(RATE_MIN), "nothing began and it is still late");
        assert!(pace.take(at(1_300)) && !pace.take(at(1_300)), "one call shows that it is well again");
        (1_301..10_000).for_each(|ms| pace.note(at(ms), Duration::ZERO));
        assert_eq!(pace.rate(), None);
    }

    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    fn start() -> Instant {
        Instant::now()
    }
}
