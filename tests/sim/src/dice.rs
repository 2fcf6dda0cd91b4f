//! Chance, by a seed. Each concern has dice of its own, so that one more throw about the network does not change when
//! the callers call.

use std::time::Duration;

use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

pub struct Dice(ChaCha12Rng);

/// A seed for one concern of one world.
pub fn seed(world: u64, concern: &str) -> [u8; 32] {
    Sha256::digest(format!("{world} {concern}")).into()
}

impl Dice {
    pub fn new(world: u64, concern: &str) -> Self {
        Self(ChaCha12Rng::from_seed(seed(world, concern)))
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        // 53 bits are what a float holds.
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// From 0 to below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n.max(1)
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }

    /// Evenly between two times.
    pub fn between(&mut self, from: Duration, to: Duration) -> Duration {
        whole(from.as_secs_f64() + self.unit() * (to.saturating_sub(from)).as_secs_f64())
    }

    /// Between two times, each order of magnitude as likely as the next.
    pub fn spread(&mut self, from: Duration, to: Duration) -> Duration {
        let (low, high) = (from.as_secs_f64().ln(), to.as_secs_f64().ln());
        whole((low + self.unit() * (high - low)).exp())
    }

    /// The wait for something that happens by itself once in `mean`.
    pub fn wait(&mut self, mean: Duration) -> Duration {
        whole(-(1.0 - self.unit()).ln() * mean.as_secs_f64())
    }
}

/// To whole milliseconds: what a trace can show is all that there is.
fn whole(seconds: f64) -> Duration {
    Duration::from_millis((seconds * 1_000.0).min(1e12) as u64)
}
