//! Who may ask how often: a token bucket for each source, in a table whose size does not grow with what is sent. A
//! source that nobody has heard of for longest gives way to a new one, so spoofed addresses push out one another.

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Sources that are remembered; each falls into one of a quarter as many sets.
pub const SOURCES_MAX: usize = 4_096;
const SET: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    source: IpAddr,
    port: u16,
    /// Thousandths.
    tokens: u64,
    at: Instant,
}

/// Of one kind of source: so many new requests in a second, so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_second: u32,
    pub burst: u32,
}

pub struct Sources {
    key: u64,
    rate: Rate,
    sets: Vec<[Option<Bucket>; SET]>,
}

impl Sources {
    /// `key` is secret, so that nobody can aim at another source's set.
    pub fn new(key: u64, rate: Rate) -> Self {
        Self { key, rate, sets: vec![[None; SET]; SOURCES_MAX / SET] }
    }

    /// Takes a token; false: this source asks for more than its share. `port` 0: all ports are one source.
    pub fn take(&mut self, now: Instant, source: IpAddr, port: u16) -> bool {
        let full = u64::from(self.rate.burst).saturating_mul(1_000);
        let at = usize::try_from(self.place(source, port)).unwrap_or(0);
        let Some(set) = self.sets.get_mut(at) else { return false };
        let known = set.iter().position(|slot| slot.is_some_and(|b| b.source == source && b.port == port));
        let oldest = || (0..SET).min_by_key(|at| set.get(*at).copied().flatten().map(|bucket| bucket.at)).unwrap_or(0);
        let place = known.unwrap_or_else(oldest);
        let Some(slot) = set.get_mut(place) else { return false };
        let fresh = Bucket { source, port, tokens: full, at: now };
        let bucket = slot.filter(|_| known.is_some()).unwrap_or(fresh);
        let passed = now.saturating_duration_since(bucket.at).min(Duration::from_secs(3_600));
        let earned = u64::try_from(passed.as_micros()).unwrap_or(0).saturating_mul(self.rate.per_second.into()) / 1_000;
        let tokens = bucket.tokens.saturating_add(earned).min(full);
        let left = tokens.checked_sub(1_000);
        *slot = Some(Bucket { tokens: left.unwrap_or(tokens), at: now, ..bucket });
        left.is_some()
    }

    fn place(&self, source: IpAddr, port: u16) -> u64 {
        let octets = match source.to_canonical() {
            IpAddr::V4(ip) => u128::from(u32::from(ip)),
            IpAddr::V6(ip) => u128::from(ip),
        };
        let mut bytes = [0; 18];
        if let Some((ip, rest)) = bytes.split_first_chunk_mut::<16>() {
            *ip = octets.to_be_bytes();
            rest.copy_from_slice(&port.to_be_bytes());
        }
        mixed(self.key, &bytes).checked_rem(self.sets.len() as u64).unwrap_or(0)
    }
}

/// FNV-1a from a keyed start, stirred at the end (the finaliser of SplitMix64).
pub fn mixed(key: u64, bytes: &[u8]) -> u64 {
    let start = key ^ 0xcbf2_9ce4_8422_2325;
    let sum = bytes.iter().fold(start, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let sum = (sum ^ key.rotate_left(32) ^ sum >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let sum = (sum ^ sum >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    sum ^ sum >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    fn a_source_has_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut sources = Sources::new(7, Rate { per_second: 10, burst: 20 });
        let ip: IpAddr = [192, 0, 2, 1].into();
        let taken = |sources: &mut Sources, at: Instant| (0..100).filter(|_| sources.take(at, ip, 0)).count();
        assert_eq!(taken(&mut sources, start), 20);
        assert_eq!(taken(&mut sources, start + Duration::from_secs(1)), 10);
        assert_eq!(taken(&mut sources, start + Duration::from_secs(100)), 20);
        assert!(sources.take(start, [192, 0, 2, 2].into(), 0), "another source has its own");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    fn a_million_spoofed_sources_take_no_memory_and_none_of_a_busy_one_s_share() {
        let start = Instant::now();
        let mut sources = Sources::new(7, Rate { per_second: 10, burst: 20 });
        let mut passed = 0;
        for n in 0..1_000_000_u32 {
            let now = start + Duration::from_micros(n.into());
            sources.take(now, IpAddr::V4(n.wrapping_mul(2_654_435_761).into()), 0);
            // A thousand a second, of one source: pushed out it would have a new burst each time.
            passed += u32::from(n.is_multiple_of(1_000) && sources.take(now, [192, 0, 2, 1].into(), 9));
        }
        assert!(sources.sets.iter().flatten().count() <= SOURCES_MAX);
        assert!(passed >= 20, "{passed}");
    }
}
