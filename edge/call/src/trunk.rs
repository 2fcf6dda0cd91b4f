//! Trunk channels: how many calls run on each trunk at once, both ways together, and who gives way to an emergency.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::{LegId, TrunkId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    Ordinary,
    /// Never refused, never made to give way.
    Emergency,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("all {limit} channels of the trunk are taken")]
    Full { limit: u32 },
}

#[derive(Debug, Clone)]
struct Taken {
    trunk: TrunkId,
    priority: Priority,
    /// Counts up: the youngest has the greatest.
    order: u64,
}

/// One entry per leg on a trunk.
#[derive(Debug, Default)]
pub struct Channels {
    taken: BTreeMap<LegId, Taken>,
    order_last: u64,
}

impl Channels {
    /// Takes a channel for `leg`. An emergency call always gets one, also beyond the limit.
    pub fn take(&mut self, trunk: &TrunkId, leg: LegId, priority: Priority, limit: u32) -> Result<(), Error> {
        if priority == Priority::Ordinary && self.is_full(trunk, limit) {
            return Err(Error::Full { limit });
        }
        self.order_last = self.order_last.saturating_add(1);
        self.taken.insert(leg, Taken { trunk: trunk.clone(), priority, order: self.order_last });
        Ok(())
    }

    pub fn release(&mut self, leg: LegId) {
        self.taken.remove(&leg);
    }

    pub fn is_full(&self, trunk: &TrunkId, limit: u32) -> bool {
        self.in_use(trunk) >= usize::try_from(limit).unwrap_or(usize::MAX)
    }

    pub fn in_use(&self, trunk: &TrunkId) -> usize {
        self.taken.values().filter(|taken| taken.trunk == *trunk).count()
    }

    /// Who gives way to an emergency call: a leg that does not talk yet before one that does, then the youngest.
    pub fn gives_way(&self, trunk: &TrunkId, talks: impl Fn(LegId) -> bool) -> Option<LegId> {
        self.taken
            .iter()
            .filter(|(_, taken)| taken.trunk == *trunk && taken.priority == Priority::Ordinary)
            .min_by_key(|(leg, taken)| (talks(**leg), Reverse(taken.order)))
            .map(|(leg, _)| *leg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_trunk_takes_no_further_call_but_an_emergency() {
        let mut channels = Channels::default();
        let (trunk, other) = (id("carrier"), id("backup"));
        assert_eq!(channels.take(&trunk, LegId(1), Priority::Ordinary, 2), Ok(()));
        assert_eq!(channels.take(&trunk, LegId(2), Priority::Ordinary, 2), Ok(()));
        assert_eq!(channels.take(&trunk, LegId(3), Priority::Ordinary, 2), Err(Error::Full { limit: 2 }));
        assert_eq!(channels.take(&other, LegId(3), Priority::Ordinary, 2), Ok(()));
        assert_eq!(channels.take(&trunk, LegId(4), Priority::Emergency, 2), Ok(()));
        assert_eq!(channels.in_use(&trunk), 3);
        channels.release(LegId(1));
        channels.release(LegId(4));
        assert_eq!(channels.take(&trunk, LegId(5), Priority::Ordinary, 2), Ok(()));
    }

    #[test]
    fn the_youngest_that_does_not_talk_gives_way_first_and_an_emergency_never() {
        let mut channels = Channels::default();
        let trunk = id("carrier");
        for leg in 1..=4 {
            channels.take(&trunk, LegId(leg), Priority::Ordinary, 9).unwrap();
        }
        channels.take(&trunk, LegId(5), Priority::Emergency, 9).unwrap();
        let talks = |leg: LegId| leg == LegId(4) || leg == LegId(1);
        assert_eq!(channels.gives_way(&trunk, talks), Some(LegId(3)));
        channels.release(LegId(3));
        channels.release(LegId(2));
        assert_eq!(channels.gives_way(&trunk, talks), Some(LegId(4)));
        channels.release(LegId(4));
        channels.release(LegId(1));
        assert_eq!(channels.gives_way(&trunk, talks), None);
    }

    fn id(text: &str) -> TrunkId {
        TrunkId::new(text).unwrap()
    }
}
