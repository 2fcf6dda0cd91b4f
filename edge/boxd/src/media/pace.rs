//! How long the relay may sleep: a wake-up costs as much as several packets, so it should find some. With few packets
//! each is fetched at once; with many the wait grows shorter again, since many come soon.

use std::time::{Duration, Instant};

/// Below this many packets a second each wakes the relay.
const QUIET: f64 = 1_500.0;
/// A wake-up should find this many, as long as that takes [`WAIT_MAX`]; where more come it finds fewer, for there the
/// wait is what a call hears of the others.
const PACKETS_WANTED: f64 = 60.0;
/// What a packet may wait at most, with little and with much to do.
const WAIT_MAX: Duration = Duration::from_millis(5);
const WAIT_MIN: Duration = Duration::from_micros(400);
/// The rate is that of about this time.
const MEMORY_S: f64 = 0.2;

pub struct Pace {
    /// Packets a second.
    rate: f64,
    looked: Instant,
}

impl Pace {
    pub fn new(now: Instant) -> Self {
        Self { rate: 0.0, looked: now }
    }

    /// So many packets came with this wake-up.
    pub fn note(&mut self, now: Instant, packets: u32) {
        let passed = now.saturating_duration_since(self.looked).as_secs_f64().max(1e-6);
        self.looked = now;
        let weight = passed / (passed + MEMORY_S);
        self.rate += (f64::from(packets) / passed - self.rate) * weight;
    }

    /// For how many packets to wait, and for how long.
    pub fn plan(&self) -> (usize, Option<Duration>) {
        if self.rate < QUIET {
            return (1, None);
        }
        let longest = WAIT_MAX.as_secs_f64();
        let all = PACKETS_WANTED / self.rate;
        let wait = Duration::from_secs_f64((all * (all / longest).sqrt()).min(longest)).max(WAIT_MIN);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let packets = (self.rate * wait.as_secs_f64() * 2.0) as usize;
        (packets.clamp(16, 256), Some(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_a_second_of(rate: u32) -> (usize, Option<Duration>) {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..500 {
            now += Duration::from_millis(2);
            pace.note(now, rate / 500);
        }
        pace.plan()
    }

    #[test]
    fn few_packets_are_fetched_at_once_and_many_in_company_but_soon() {
        assert_eq!(after_a_second_of(1_000), (1, None));
        let (packets, wait) = after_a_second_of(10_000);
        assert!(packets >= 60 && wait == Some(WAIT_MAX), "{packets} {wait:?}");
        let (packets, wait) = after_a_second_of(120_000);
        assert!(packets >= 64 && wait == Some(WAIT_MIN), "{packets} {wait:?}");
        let (packets, wait) = after_a_second_of(30_000);
        assert!(packets >= 60 && wait.is_some_and(|wait| wait > WAIT_MIN && wait < WAIT_MAX / 2), "{packets} {wait:?}");
    }
}
