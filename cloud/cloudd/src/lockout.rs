//! Slows down whoever guesses passwords: a bucket of attempts that fills up again with time. An attempt takes a token
//! before it is judged, and a right one gives it back.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Most keys remembered. Keys whose bucket is full again are forgotten first; if none is, a new key is refused.
pub const KEYS_MAX: usize = 4096;

#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Attempts at once.
    pub burst: u32,
    /// Time until one more is granted.
    pub refill: Duration,
}

/// Come back after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked(pub Duration);

#[derive(Debug)]
pub struct Lockout<K> {
    rate: Rate,
    /// For each key, when its bucket will be full again: a bucket as one number.
    full_at: BTreeMap<K, Instant>,
}

impl<K: Ord> Lockout<K> {
    pub fn new(rate: Rate) -> Self {
        Self { rate, full_at: BTreeMap::new() }
    }

    pub fn take(&mut self, key: K, now: Instant) -> Result<(), Locked> {
        if self.full_at.len() >= KEYS_MAX && !self.full_at.contains_key(&key) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= KEYS_MAX {
                return Err(Locked(self.rate.refill));
            }
        }
        let full_at = self.full_at.get(&key).copied().unwrap_or(now).max(now);
        let after = full_at + self.rate.refill;
        let debt_max = self.rate.refill * self.rate.burst;
        match (after - now).checked_sub(debt_max) {
            Some(over) if !over.is_zero() => Err(Locked(over)),
            _ => {
                self.full_at.insert(key, after);
                Ok(())
            }
        }
    }

    pub fn give_back(&mut self, key: &K) {
        if let Some(full_at) = self.full_at.get_mut(key) {
            *full_at = full_at.checked_sub(self.rate.refill).unwrap_or(*full_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn three() -> (Lockout<u32>, Instant) {
        (Lockout::new(Rate { burst: 3, refill: 10 * SECOND }), Instant::now())
    }

    #[test]
    fn the_burst_passes_then_one_for_each_refill() {
        let (mut lockout, now) = three();
        let taken: Vec<bool> = (0..5).map(|_| lockout.take(1, now).is_ok()).collect();
        assert_eq!(taken, [true, true, true, false, false]);
        assert_eq!(lockout.take(1, now + 4 * SECOND), Err(Locked(6 * SECOND)));
        assert_eq!(lockout.take(1, now + 10 * SECOND), Ok(()));
        assert!(lockout.take(1, now + 10 * SECOND).is_err());
        assert!(lockout.take(2, now).is_ok(), "another key has a bucket of its own");
    }

    #[test]
    fn right_attempts_never_lock() {
        let (mut lockout, now) = three();
        for _ in 0..100 {
            lockout.take(1, now).unwrap();
            lockout.give_back(&1);
        }
    }

    #[test]
    fn at_the_limit_of_keys_full_buckets_make_room_and_others_stay() {
        let (mut lockout, now) = three();
        for key in 0..u32::try_from(KEYS_MAX).unwrap() {
            lockout.take(key, now).unwrap();
        }
        assert!(lockout.take(9999, now).is_err());
        assert!(lockout.take(5, now).is_ok(), "a known key goes on");
        assert!(lockout.take(9999, now + 11 * SECOND).is_ok());
        assert_eq!(lockout.full_at.len(), 2, "the indebted one and the new one");
    }
}
