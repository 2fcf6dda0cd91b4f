//! When to connect again: full jitter over a doubling ceiling, never earlier than the cloud asked for, for ever.
//!
//! A link that falls soon after it came up counts as a failure, so that a flapping line does not connect each second.

use std::time::{Duration, Instant};

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Ceiling of the first wait.
    pub base: Duration,
    /// Ceiling of every wait of ours; the cloud's `retry_after` comes on top.
    pub cap: Duration,
    /// A link that stood this long begins a new series.
    pub settled: Duration,
    /// The longest `retry_after` that is believed.
    pub retry_after_max: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            settled: Duration::from_secs(30),
            retry_after_max: Duration::from_secs(600),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The session is open.
    Up,
    /// An attempt failed, or the session ended.
    Down { retry_after: Option<Duration> },
}

/// Connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try;

#[derive(Debug)]
enum State {
    Ready,
    Trying,
    Waiting { until: Instant },
    Up { since: Instant },
}

#[derive(Debug)]
pub struct Backoff {
    policy: Policy,
    rng: ChaCha12Rng,
    failures: u32,
    state: State,
}

impl Backoff {
    /// The first attempt is at once.
    pub fn new(policy: Policy, seed: [u8; 32]) -> Self {
        Self { policy, rng: ChaCha12Rng::from_seed(seed), failures: 0, state: State::Ready }
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match (&self.state, input) {
            (State::Trying, Input::Up) => self.state = State::Up { since: now },
            (State::Trying, Input::Down { retry_after }) => self.wait(now, retry_after),
            (State::Up { since }, Input::Down { retry_after }) => {
                if now.saturating_duration_since(*since) >= self.policy.settled {
                    self.failures = 0;
                }
                self.wait(now, retry_after);
            }
            // Nothing was tried, so nothing can have come of it.
            (State::Ready | State::Waiting { .. }, _) | (State::Up { .. }, Input::Up) => {}
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let State::Waiting { until } = self.state
            && until <= now
        {
            self.state = State::Ready;
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until } => Some(until),
            _ => None,
        }
    }

    pub fn poll_output(&mut self) -> Option<Try> {
        if !matches!(self.state, State::Ready) {
            return None;
        }
        self.state = State::Trying;
        Some(Try)
    }

    fn wait(&mut self, now: Instant, retry_after: Option<Duration>) {
        let doubled = self.policy.base.saturating_mul(1_u32.checked_shl(self.failures.min(31)).unwrap_or(u32::MAX));
        let jitter = self.below(doubled.min(self.policy.cap));
        let asked = retry_after.unwrap_or_default().min(self.policy.retry_after_max);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { until: now + asked + jitter };
    }

    fn below(&mut self, ceiling: Duration) -> Duration {
        let share = u128::from(self.rng.next_u64());
        let nanos = ceiling.as_nanos().saturating_mul(share) >> 64;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an Instant has no other beginning; only differences count")]
    fn start() -> Instant {
        Instant::now()
    }

    /// Runs `tries` attempts that all fail; returns the waits.
    fn waits(seed: u8, tries: usize, retry_after: Option<Duration>) -> Vec<Duration> {
        let mut now = start();
        let mut backoff = Backoff::new(Policy::default(), [seed; 32]);
        (0..tries)
            .map(|_| {
                assert_eq!(backoff.poll_output(), Some(Try));
                assert_eq!(backoff.poll_output(), None);
                backoff.handle_input(now, Input::Down { retry_after });
                let until = backoff.poll_timeout().unwrap();
                let wait = until - now;
                now = until;
                backoff.handle_timeout(now);
                wait
            })
            .collect()
    }

    #[test]
    fn waits_stay_below_a_doubling_ceiling_and_the_cap() {
        for seed in 0..50 {
            for (n, wait) in waits(seed, 12, None).into_iter().enumerate() {
                assert!(wait <= Duration::from_secs(1 << n.min(5)).min(Duration::from_secs(30)), "try {n}: {wait:?}");
            }
        }
    }

    #[test]
    fn a_thousand_boxes_do_not_come_back_together() {
        let firsts: Vec<_> = (0..100).map(|seed| waits(seed, 4, None)[3]).collect();
        let early = firsts.iter().filter(|w| **w < Duration::from_secs(4)).count();
        assert!((30..70).contains(&early), "half of them in half of the time: {early}");
    }

    #[test]
    fn retry_after_is_honoured_up_to_its_limit() {
        assert!(waits(1, 3, Some(Duration::from_secs(20))).iter().all(|w| *w >= Duration::from_secs(20)));
        assert!(waits(1, 3, Some(Duration::MAX)).iter().all(|w| *w <= Duration::from_secs(630)));
    }

    #[test]
    fn a_flapping_line_connects_less_than_once_a_second() {
        let begin = start();
        let mut now = begin;
        let mut backoff = Backoff::new(Policy::default(), [9; 32]);
        let mut tries = 0_u32;
        while now - begin < Duration::from_secs(3600) {
            backoff.handle_timeout(now);
            if backoff.poll_output().is_some() {
                tries += 1;
                backoff.handle_input(now, Input::Up);
                now += Duration::from_secs(3);
                backoff.handle_input(now, Input::Down { retry_after: None });
            }
            now = backoff.poll_timeout().unwrap_or(now);
        }
        assert!((60..1200).contains(&tries), "{tries}");
    }

    #[test]
    fn a_link_that_stood_begins_a_new_series() {
        let mut now = start();
        let mut backoff = Backoff::new(Policy::default(), [3; 32]);
        for _ in 0..10 {
            backoff.poll_output();
            backoff.handle_input(now, Input::Down { retry_after: None });
            now = backoff.poll_timeout().unwrap();
            backoff.handle_timeout(now);
        }
        backoff.poll_output();
        backoff.handle_input(now, Input::Up);
        now += Duration::from_secs(31);
        backoff.handle_input(now, Input::Down { retry_after: None });
        assert!(backoff.poll_timeout().unwrap() - now <= Duration::from_secs(1));
    }
}
