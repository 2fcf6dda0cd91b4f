//! Tags, branches, Call-IDs and client nonces: every random thing of the endpoint, from one seed.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub struct Ids {
    rng: ChaCha12Rng,
}

impl Ids {
    pub fn new(seed: [u8; 32]) -> Self {
        Self { rng: ChaCha12Rng::from_seed(seed) }
    }

    pub fn secret(&mut self) -> [u8; 32] {
        let mut secret = [0; 32];
        self.rng.fill_bytes(&mut secret);
        secret
    }

    /// RFC 3261 §19.3: at least 32 bits of randomness; these have 64.
    pub fn tag(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    /// RFC 3261 §8.1.1.7: the magic cookie, then what is unique across space and time.
    pub fn branch(&mut self) -> String {
        format!("z9hG4bK{:016x}{:08x}", self.rng.next_u64(), self.rng.next_u32())
    }

    /// RFC 3261 §8.1.1.4; no host part, which would tell the inside's names.
    pub fn call_id(&mut self) -> String {
        format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64())
    }

    /// 0 to `below` - 1; 0 when `below` is 0.
    pub fn below(&mut self, below: u64) -> u64 {
        self.rng.next_u64().checked_rem(below).unwrap_or(0)
    }
}
