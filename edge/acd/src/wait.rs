//! How long a contact will wait (RT-07), from how fast its line has moved: the pauses between departures while somebody
//! waited. Whoever stands at place k waits for k departures, so the expected wait is k times the mean pause. Nothing is
//! assumed of how many agents there are, how long they talk, or how many callers give up: all of it is in the pauses.
//!
//! With n pauses of mean m and deviation s, the k pauses to come deviate by s·√k, and the mean itself is known to s/√n;
//! so the error of k·m is √(k·s² + k²·s²/n).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use model::{ContactId, QueueId};

use crate::Acd;

/// Pauses that count: the last half hour of a busy line, the last ten minutes of a very busy one.
const PAUSES_MAX: usize = 32;
/// With fewer nothing is said.
const PAUSES_MIN: usize = 8;
/// RT-07: the median of the error is at most 30 % of the wait. Of a normal distribution the median error is 0.6745 of
/// the deviation.
const ERROR_MAX: f64 = 0.30 / 0.6745;

/// What is expected, and how far off that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub expected: Duration,
    /// The standard deviation.
    pub error: Duration,
}

impl Wait {
    /// Good enough to be told to a caller.
    pub fn is_sure(&self) -> bool {
        self.error.as_secs_f64() <= ERROR_MAX * self.expected.as_secs_f64()
    }

    /// It is sure to be shorter than this: nine times out of ten.
    pub fn is_below(&self, bound: Duration) -> bool {
        self.expected.saturating_add(self.error.mul_f64(1.28)) <= bound
    }
}

/// How fast a line moves.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// In seconds, the oldest first.
    pauses: VecDeque<f64>,
    /// Since when somebody waits for the next departure.
    waits_since: Option<Instant>,
}

impl Pace {
    /// Somebody waits who was not served at once.
    pub fn waits(&mut self, now: Instant) {
        self.waits_since.get_or_insert(now);
    }

    /// Somebody left the line, in whatever way; `left` still wait.
    pub fn departed(&mut self, now: Instant, left: usize) {
        if let Some(since) = self.waits_since.take() {
            if self.pauses.len() >= PAUSES_MAX {
                self.pauses.pop_front();
            }
            self.pauses.push_back(now.saturating_duration_since(since).as_secs_f64());
        }
        if left > 0 {
            self.waits_since = Some(now);
        }
    }

    /// For place `k`, from 1. None while too little is known.
    pub fn wait(&self, now: Instant, k: u32) -> Option<Wait> {
        let mut pauses: Vec<f64> = self.pauses.iter().copied().collect();
        if pauses.len() < PAUSES_MIN {
            return None;
        }
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        // A pause that is longer already than those before says that the line has become slower.
        let open = self.waits_since.map(|since| now.saturating_duration_since(since).as_secs_f64());
        pauses.extend(open.filter(|open| *open > mean(&pauses)));
        let (m, n, k) = (mean(&pauses), pauses.len() as f64, f64::from(k));
        let squares = pauses.iter().map(|pause| (pause - m).powi(2)).sum::<f64>() / (n - 1.0);
        let error = (k * squares + k * k * squares / n).sqrt();
        let (expected, error) = (Duration::try_from_secs_f64(k * m).ok()?, Duration::try_from_secs_f64(error).ok()?);
        Some(Wait { expected, error })
    }
}

impl Acd {
    /// How much longer a contact that waits here will wait.
    pub fn expected_wait(&self, now: Instant, contact: ContactId) -> Option<Wait> {
        let entry = self.contacts.get(&contact)?;
        let queue = self.queues.get(&entry.queue)?;
        let ahead = queue.line.ahead(entry.value, &entry.place, crate::CONTACTS_MAX);
        queue.pace.wait(now, u32::try_from(ahead.saturating_add(1)).ok()?)
    }

    /// How long somebody would wait who came now, of no particular value. None also when somebody is ready.
    pub fn expected_wait_of_next(&self, now: Instant, queue: &QueueId) -> Option<Wait> {
        let count = self.count(queue).filter(|count| count.ready == 0 || count.waiting + count.absent > 0)?;
        let place = u32::try_from(count.waiting.saturating_add(count.absent).saturating_add(1)).ok()?;
        self.queues.get(queue)?.pace.wait(now, place)
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;
    use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};

    use super::*;

    /// The one moment that everything else is counted from.
    #[allow(clippy::disallowed_methods)]
    fn zero() -> Instant {
        Instant::now()
    }

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn nothing_is_said_until_enough_is_known_and_an_empty_line_teaches_nothing() {
        let (mut pace, mut now) = (Pace::default(), zero());
        for n in 0..20 {
            // Served at once: nobody waited.
            pace.departed(now, 0);
            assert_eq!(pace.wait(now, 1), None, "{n}");
            now += s(5.0);
        }
        for n in 0..PAUSES_MIN {
            assert_eq!(pace.wait(now, 1), None, "{n}");
            pace.waits(now);
            now += s(10.0);
            pace.departed(now, 0);
        }
        let wait = pace.wait(now, 3).unwrap();
        assert_eq!((wait.expected, wait.error), (s(30.0), s(0.0)));
        assert!(wait.is_sure());
    }

    #[test]
    fn a_line_that_stands_still_is_expected_to_be_slower() {
        let (mut pace, mut now) = (Pace::default(), zero());
        pace.waits(now);
        for _ in 0..PAUSES_MIN {
            now += s(10.0);
            pace.departed(now, 2);
        }
        let moving = pace.wait(now, 2).unwrap();
        let standing = pace.wait(now + s(600.0), 2).unwrap();
        assert!(moving.is_sure() && !standing.is_sure(), "{standing:?}");
        assert!(standing.expected > moving.expected * 5, "{standing:?}");
    }

    /// RT-07 on traffic of random pauses (Poisson departures, the worst of the usual kinds).
    #[test]
    fn what_is_said_is_wrong_by_less_than_a_third_and_what_is_unsure_is_not_said() {
        let mut rng = ChaCha12Rng::from_seed([9; 32]);
        let mut draw = move || -20.0 * (1.0 - rng.random::<f64>()).ln();
        let (mut said, mut silent) = (Vec::new(), 0);
        for _ in 0..4_000 {
            let (mut pace, mut now) = (Pace::default(), zero());
            pace.waits(now);
            for _ in 0..PAUSES_MAX {
                now += s(draw());
                pace.departed(now, 30);
            }
            for k in [1, 3, 8, 12, 20] {
                let wait = pace.wait(now, k).unwrap();
                let real: f64 = (0..k).map(|_| draw()).sum();
                match wait.is_sure() {
                    true => said.push((wait.expected.as_secs_f64() - real).abs() / real),
                    false => silent += 1,
                }
            }
        }
        said.sort_by(f64::total_cmp);
        let median = said[said.len() / 2];
        assert!(median <= 0.30, "{median}");
        // The first in the line is told nothing, the tenth is.
        assert!(silent >= 4_000 && said.len() >= 8_000, "{silent} silent, {} said", said.len());
    }
}
