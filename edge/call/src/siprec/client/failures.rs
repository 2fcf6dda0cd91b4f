//! How long a recording server that fails is let alone.

use std::time::{Duration, Instant};

/// So often in a row a server may fail before it is let alone for a while, which doubles with each further failure.
const FAILURES_FREE: u32 = 2;
const REST: Duration = Duration::from_secs(15);
const REST_MAX: Duration = Duration::from_secs(240);

/// A server's failures in a row, and until when no call is offered to it.
#[derive(Debug, Clone, Copy)]
pub(in crate::siprec) struct Failures {
    count: u32,
    until: Instant,
}

impl Failures {
    pub fn none(now: Instant) -> Self {
        Self { count: 0, until: now }
    }

    pub fn rests(&self, now: Instant) -> bool {
        now < self.until
    }

    pub fn fail(&mut self, now: Instant) {
        // Calls that fail together fail once.
        if self.count > FAILURES_FREE && now < self.until {
            return;
        }
        self.count = self.count.saturating_add(1);
        let doublings = self.count.saturating_sub(FAILURES_FREE);
        let rest = match doublings.checked_sub(1) {
            Some(doublings) => REST.saturating_mul(2_u32.saturating_pow(doublings)).min(REST_MAX),
            None => Duration::ZERO,
        };
        self.until = now.checked_add(rest).unwrap_or(now);
    }
}
