//! Trunk channels: how many calls run on each trunk at once, each way and both ways together, and who gives way to an
//! emergency.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use model::{LegId, TrunkId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    Ordinary,
    /// Never refused, never made to give way.
    Emergency,
}

/// Seen from the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
}

/// How many calls there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub both: u32,
    pub inward: u32,
    pub outward: u32,
}

impl Room {
    pub fn of(trunk: &model::config::Trunk) -> Self {
        let limits = trunk.carrier.limits;
        let way = |max: Option<u32>| max.unwrap_or(trunk.calls_max);
        Self { both: trunk.calls_max, inward: way(limits.in_max), outward: way(limits.out_max) }
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("all channels of the trunk that a call may take are taken")]
    Full,
}

#[derive(Debug, Clone)]
struct Taken {
    trunk: TrunkId,
    way: Way,
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
    pub fn take(
        &mut self,
        trunk: &TrunkId,
        leg: LegId,
        (way, priority): (Way, Priority),
        room: Room,
    ) -> Result<(), Error> {
        if priority == Priority::Ordinary && self.is_full(trunk, way, room) {
            return Err(Error::Full);
        }
        self.occupy(trunk, leg, (way, priority));
        Ok(())
    }

    /// The channel is taken, whoever else has one.
    pub fn occupy(&mut self, trunk: &TrunkId, leg: LegId, (way, priority): (Way, Priority)) {
        self.order_last = self.order_last.saturating_add(1);
        self.taken.insert(leg, Taken { trunk: trunk.clone(), way, priority, order: self.order_last });
    }

    pub fn is_emergency(&self, leg: LegId) -> bool {
        self.taken.get(&leg).is_some_and(|taken| taken.priority == Priority::Emergency)
    }

    pub fn release(&mut self, leg: LegId) {
        self.taken.remove(&leg);
    }

    pub fn is_full(&self, trunk: &TrunkId, way: Way, room: Room) -> bool {
        let [inward, outward] = [Way::In, Way::Out].map(|way| self.in_use(trunk, way));
        let full = |used: usize, limit: u32| used >= usize::try_from(limit).unwrap_or(usize::MAX);
        full(inward.saturating_add(outward), room.both)
            || match way {
                Way::In => full(inward, room.inward),
                Way::Out => full(outward, room.outward),
            }
    }

    pub fn in_use(&self, trunk: &TrunkId, way: Way) -> usize {
        self.taken.values().filter(|taken| taken.trunk == *trunk && taken.way == way).count()
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
        assert_eq!(channels.take(&trunk, LegId(1), (Way::Out, Priority::Ordinary), both(2)), Ok(()));
        assert_eq!(channels.take(&trunk, LegId(2), (Way::Out, Priority::Ordinary), both(2)), Ok(()));
        assert_eq!(channels.take(&trunk, LegId(3), (Way::Out, Priority::Ordinary), both(2)), Err(Error::Full));
        assert_eq!(channels.take(&other, LegId(3), (Way::Out, Priority::Ordinary), both(2)), Ok(()));
        assert_eq!(channels.take(&trunk, LegId(4), (Way::Out, Priority::Emergency), both(2)), Ok(()));
        assert_eq!(channels.in_use(&trunk, Way::Out), 3);
        channels.release(LegId(1));
        channels.release(LegId(4));
        assert_eq!(channels.take(&trunk, LegId(5), (Way::Out, Priority::Ordinary), both(2)), Ok(()));
    }

    #[test]
    fn the_youngest_that_does_not_talk_gives_way_first_and_an_emergency_never() {
        let mut channels = Channels::default();
        let trunk = id("carrier");
        for leg in 1..=4 {
            channels.take(&trunk, LegId(leg), (Way::Out, Priority::Ordinary), both(9)).unwrap();
        }
        channels.take(&trunk, LegId(5), (Way::Out, Priority::Emergency), both(9)).unwrap();
        let talks = |leg: LegId| leg == LegId(4) || leg == LegId(1);
        assert_eq!(channels.gives_way(&trunk, talks), Some(LegId(3)));
        channels.release(LegId(3));
        channels.release(LegId(2));
        assert_eq!(channels.gives_way(&trunk, talks), Some(LegId(4)));
        channels.release(LegId(4));
        channels.release(LegId(1));
        assert_eq!(channels.gives_way(&trunk, talks), None);
    }

    #[test]
    fn each_way_has_a_limit_of_its_own_within_that_of_both() {
        let mut channels = Channels::default();
        let trunk = id("carrier");
        let room = Room { both: 3, inward: 2, outward: 2 };
        let mut take = |leg, way| channels.take(&trunk, LegId(leg), (way, Priority::Ordinary), room).is_ok();
        let table =
            [(1, Way::In, true), (2, Way::In, true), (3, Way::In, false), (4, Way::Out, true), (5, Way::Out, false)];
        for (leg, way, expected) in table {
            assert_eq!(take(leg, way), expected, "{leg}");
        }
        channels.release(LegId(1));
        assert!(!channels.is_full(&trunk, Way::In, room) && !channels.is_full(&trunk, Way::Out, room));
        let none_out = Room { outward: 0, ..room };
        assert!(channels.is_full(&trunk, Way::Out, none_out) && !channels.is_full(&trunk, Way::In, none_out));
    }

    fn both(limit: u32) -> Room {
        Room { both: limit, inward: limit, outward: limit }
    }

    fn id(text: &str) -> TrunkId {
        TrunkId::new(text).unwrap()
    }
}
