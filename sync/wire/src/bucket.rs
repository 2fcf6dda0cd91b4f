//! A token bucket: how many of something may happen, on average and at once. The caller brings the clock.

use std::time::{Duration, Instant};

/// Tokens come back at `per_second` and never exceed `burst`.
#[derive(Debug, Clone)]
pub struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket. Rates below one in an hour count as one in an hour.
    pub fn new(now: Instant, per_second: f64, burst: f64) -> Self {
        Self { per_second: per_second.max(1.0 / 3600.0), burst: burst.max(1.0), tokens: burst.max(1.0), at: now }
    }

    /// Takes `count` tokens, or says how long to wait until there are as many. More than `burst` are had by waiting
    /// for a full bucket: the rest is owed.
    pub fn take(&mut self, now: Instant, count: f64) -> Result<(), Duration> {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.per_second).min(self.burst);
        self.at = self.at.max(now);
        let needed = count.min(self.burst);
        if self.tokens + 1e-9 >= needed {
            self.tokens -= count;
            return Ok(());
        }
        Err(Duration::try_from_secs_f64((needed - self.tokens) / self.per_second).unwrap_or(Duration::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_comes_at_the_rate() {
        let start = Instant::now_for_tests();
        let mut bucket = Bucket::new(start, 10.0, 5.0);
        assert!((0..5).all(|_| bucket.take(start, 1.0).is_ok()));
        let wait = bucket.take(start, 1.0).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        let mut passed = 0;
        for ms in 0..10_000 {
            if bucket.take(start + Duration::from_millis(ms), 1.0).is_ok() {
                passed += 1;
            }
        }
        assert_eq!(passed, 99, "one each tenth of a second");
    }

    #[test]
    fn more_than_the_burst_is_owed() {
        let start = Instant::now_for_tests();
        let mut bucket = Bucket::new(start, 10.0, 5.0);
        assert_eq!(bucket.take(start, 15.0), Ok(()));
        assert_eq!(bucket.take(start, 1.0), Err(Duration::from_millis(1100)));
    }

    trait TestClock {
        fn now_for_tests() -> Instant;
    }
    impl TestClock for Instant {
        #[allow(clippy::disallowed_methods, reason = "an Instant has no other beginning; only differences count")]
        fn now_for_tests() -> Instant {
            Instant::now()
        }
    }
}
