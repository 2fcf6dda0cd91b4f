//! Who hears whom where more than two talk: mixes that are wanted, and what media was told of each. A mix is wanted
//! before its ports are open and outlives a hold, as a pair of `bridge` does.

use std::collections::{BTreeMap, BTreeSet};

use media::plane::{Command, MixId, PortId, Seat};
use model::LegId;

/// A leg of a mix, and the legs that it hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearing {
    pub leg: LegId,
    pub hears: Vec<LegId>,
}

#[derive(Debug, Default)]
pub struct Mixes {
    wanted: BTreeMap<MixId, Vec<Hearing>>,
    of: BTreeMap<LegId, MixId>,
    told: BTreeMap<MixId, Vec<Seat>>,
}

impl Mixes {
    /// Wants this mix of these legs, which leave every other; nobody ends it.
    pub fn want(&mut self, mix: MixId, hearing: Vec<Hearing>, port: impl Fn(LegId) -> Option<PortId>) -> Vec<Command> {
        let others: BTreeSet<MixId> = hearing.iter().filter_map(|one| self.of.get(&one.leg)).copied().collect();
        for one in &hearing {
            self.forget(one.leg);
        }
        self.of.retain(|_, of| *of != mix);
        self.of.extend(hearing.iter().map(|one| (one.leg, mix)));
        self.wanted.insert(mix, hearing);
        let changed = others.into_iter().filter(|other| *other != mix).chain([mix]);
        changed.filter_map(|mix| self.tell(mix, &port)).collect()
    }

    /// The leg is gone, or joined to one other.
    pub fn leave(&mut self, leg: LegId, port: impl Fn(LegId) -> Option<PortId>) -> Option<Command> {
        let mix = self.of.get(&leg).copied()?;
        self.forget(leg);
        self.tell(mix, port)
    }

    /// The leg may be heard, or may not any more.
    pub fn settle(&mut self, leg: LegId, port: impl Fn(LegId) -> Option<PortId>) -> Option<Command> {
        let mix = self.of.get(&leg).copied()?;
        self.tell(mix, port)
    }

    /// Who hears this leg.
    pub fn hearers(&self, leg: LegId) -> impl Iterator<Item = LegId> + '_ {
        let mix = self.of.get(&leg).and_then(|mix| self.wanted.get(mix));
        mix.into_iter().flatten().filter(move |one| one.hears.contains(&leg)).map(|one| one.leg)
    }

    /// Whom this leg hears.
    pub fn heard_by(&self, leg: LegId) -> impl Iterator<Item = LegId> + '_ {
        let mix = self.of.get(&leg).and_then(|mix| self.wanted.get(mix));
        mix.into_iter().flatten().filter(move |one| one.leg == leg).flat_map(|one| one.hears.iter().copied())
    }

    /// The media process lost everything; the wishes stay.
    pub fn media_lost(&mut self) {
        self.told.clear();
    }

    fn forget(&mut self, leg: LegId) {
        let Some(hearing) = self.of.remove(&leg).and_then(|mix| self.wanted.get_mut(&mix)) else { return };
        hearing.retain(|one| one.leg != leg);
    }

    /// What media is to hear of a mix: nothing when it knows.
    fn tell(&mut self, mix: MixId, port: impl Fn(LegId) -> Option<PortId>) -> Option<Command> {
        let hearing = self.wanted.get(&mix)?;
        let heard = |other: &&LegId| hearing.iter().any(|one| one.leg == **other);
        let seat = |one: &Hearing| {
            let hears = one.hears.iter().filter(heard).filter_map(|other| port(*other)).collect();
            Some(Seat { port: port(one.leg)?, hears })
        };
        let seats: Vec<Seat> = hearing.iter().filter_map(seat).collect();
        if hearing.is_empty() {
            self.wanted.remove(&mix);
        }
        let before = self.told.remove(&mix).unwrap_or_default();
        if !seats.is_empty() {
            self.told.insert(mix, seats.clone());
        }
        (before != seats).then_some(Command::Mix { mix, seats })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIX: MixId = MixId(5);
    const A: LegId = LegId(1);
    const B: LegId = LegId(2);
    const C: LegId = LegId(3);

    fn port(leg: LegId) -> Option<PortId> {
        Some(PortId(u64::try_from(leg.0).unwrap()))
    }

    fn hearing(all: &[(LegId, &[LegId])]) -> Vec<Hearing> {
        all.iter().map(|(leg, hears)| Hearing { leg: *leg, hears: hears.to_vec() }).collect()
    }

    fn told(mix: MixId, all: &[(u64, &[u64])]) -> Command {
        let seat = |(port, hears): &(u64, &[u64])| Seat {
            port: PortId(*port),
            hears: hears.iter().map(|other| PortId(*other)).collect(),
        };
        Command::Mix { mix, seats: all.iter().map(seat).collect() }
    }

    #[test]
    fn a_mix_is_told_once_and_again_when_somebody_goes_on_hold_or_leaves() {
        let mut mixes = Mixes::default();
        let all = hearing(&[(A, &[B]), (B, &[A, C]), (C, &[A, B])]);
        let whole = told(MIX, &[(1, &[2]), (2, &[1, 3]), (3, &[1, 2])]);
        assert_eq!(mixes.want(MIX, all.clone(), port), vec![whole.clone()]);
        assert_eq!(mixes.want(MIX, all, port), []);
        let without_a = |leg| port(leg).filter(|_| leg != A);
        assert_eq!(mixes.settle(A, without_a), Some(told(MIX, &[(2, &[3]), (3, &[2])])));
        assert_eq!(mixes.settle(A, port), Some(whole.clone()));
        assert_eq!(mixes.leave(C, port), Some(told(MIX, &[(1, &[2]), (2, &[1])])));
        mixes.media_lost();
        assert_eq!(mixes.settle(B, port), Some(told(MIX, &[(1, &[2]), (2, &[1])])));
    }

    #[test]
    fn a_leg_leaves_one_mix_for_another_and_an_empty_mix_is_over() {
        let mut mixes = Mixes::default();
        mixes.want(MIX, hearing(&[(A, &[B]), (B, &[A])]), port);
        let other = MixId(6);
        let commands = mixes.want(other, hearing(&[(B, &[C]), (C, &[B])]), port);
        assert_eq!(commands, [told(MIX, &[(1, &[])]), told(other, &[(2, &[3]), (3, &[2])])]);
        assert_eq!(mixes.leave(A, port), Some(told(MIX, &[])));
        assert_eq!(mixes.leave(A, port), None);
        assert_eq!(mixes.want(other, Vec::new(), port), [told(other, &[])]);
        assert_eq!(mixes.settle(B, port), None);
        assert!(mixes.wanted.is_empty() && mixes.told.is_empty() && mixes.of.is_empty());
    }
}
