//! Who asks in vain, and how often: an address that has missed too often is not listened to for a while. A phone with a
//! good token is never counted.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Misses that an address has to spare. A phone that is not enrolled asks for up to eight files at each start.
pub const MISSES_MAX: u32 = 30;
/// One of them comes back after this long.
const BACK_EVERY: Duration = Duration::from_secs(20);
/// Addresses that are remembered; the one that missed longest ago makes room.
pub const SOURCES_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub struct Guesses {
    /// Misses, and since when they are counted down.
    sources: BTreeMap<IpAddr, (u32, Instant)>,
}

impl Guesses {
    /// Whether this address may still ask without a token that is known.
    pub fn may_ask(&mut self, now: Instant, source: IpAddr) -> bool {
        self.settle(now, source);
        self.sources.get(&of_network(source)).is_none_or(|(misses, _)| *misses < MISSES_MAX)
    }

    pub fn missed(&mut self, now: Instant, source: IpAddr) {
        self.settle(now, source);
        let source = of_network(source);
        if !self.sources.contains_key(&source) && self.sources.len() >= SOURCES_MAX {
            let oldest = self.sources.iter().min_by_key(|(_, (_, since))| *since).map(|(source, _)| *source);
            oldest.map(|oldest| self.sources.remove(&oldest));
        }
        let (misses, _) = self.sources.entry(source).or_insert((0, now));
        *misses = misses.saturating_add(1).min(MISSES_MAX);
    }

    pub fn len(&self) -> usize {
        self.sources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn settle(&mut self, now: Instant, source: IpAddr) {
        let source = of_network(source);
        let Some((misses, since)) = self.sources.get_mut(&source) else { return };
        while *misses > 0 && now.saturating_duration_since(*since) >= BACK_EVERY {
            *misses = misses.saturating_sub(1);
            *since = since.checked_add(BACK_EVERY).unwrap_or(now);
        }
        if *misses == 0 {
            self.sources.remove(&source);
        }
    }
}

/// An IPv6 host has a whole network of addresses (RFC 4291 §2.5.4: 64 bits): they count as one.
fn of_network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin at")]
mod tests {
    use super::*;

    #[test]
    fn who_misses_too_often_waits_and_others_do_not() {
        let (now, mut guesses) = (Instant::now(), Guesses::default());
        let [guesser, other]: [IpAddr; 2] = ["192.0.2.66", "192.0.2.7"].map(|ip| ip.parse().unwrap());
        for _ in 0..MISSES_MAX {
            assert!(guesses.may_ask(now, guesser));
            guesses.missed(now, guesser);
        }
        assert!(!guesses.may_ask(now, guesser) && guesses.may_ask(now, other));
        assert!(!guesses.may_ask(now + BACK_EVERY - Duration::from_millis(1), guesser));
        assert!(guesses.may_ask(now + BACK_EVERY, guesser));
        assert!(guesses.may_ask(now + BACK_EVERY * MISSES_MAX, guesser) && guesses.is_empty());
    }

    #[test]
    fn a_network_of_addresses_is_one_guesser_and_memory_has_a_limit() {
        let (now, mut guesses) = (Instant::now(), Guesses::default());
        for host in 0..u128::from(MISSES_MAX) {
            guesses.missed(now, IpAddr::V6((0x2001_0db8_u128 << 96 | host).into()));
        }
        assert!(!guesses.may_ask(now, "2001:db8::ffff".parse().unwrap()));
        for host in 0..=u32::try_from(SOURCES_MAX).unwrap() {
            guesses.missed(now + Duration::from_millis(host.into()), IpAddr::V4((0x0a00_0000 | host).into()));
        }
        assert_eq!(guesses.len(), SOURCES_MAX);
    }
}
