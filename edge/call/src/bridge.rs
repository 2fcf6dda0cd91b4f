//! Who hears whom: pairs of legs, and which of them are joined in the media process at this moment. A pair is wanted
//! before both ports are open and outlives a hold; `settle` brings media in line.

use std::collections::{BTreeMap, BTreeSet};

use media::plane::{Command, PortId};
use model::LegId;

#[derive(Debug, Default)]
pub struct Bridges {
    /// Both directions are kept.
    pairs: BTreeMap<LegId, LegId>,
    /// Legs whose pair is joined in media.
    joined: BTreeSet<LegId>,
}

impl Bridges {
    pub fn peer(&self, leg: LegId) -> Option<LegId> {
        self.pairs.get(&leg).copied()
    }

    /// Wants `a` and `b` joined, and nobody else with either. The returned commands undo what was.
    pub fn join(&mut self, a: LegId, b: LegId, port: impl Fn(LegId) -> Option<PortId>) -> Vec<Command> {
        if a == b || self.peer(a) == Some(b) {
            return Vec::new();
        }
        let mut commands = self.part(a, &port);
        commands.extend(self.part(b, &port));
        self.pairs.insert(a, b);
        self.pairs.insert(b, a);
        commands
    }

    pub fn part(&mut self, leg: LegId, port: impl Fn(LegId) -> Option<PortId>) -> Vec<Command> {
        let Some(peer) = self.pairs.remove(&leg) else { return Vec::new() };
        self.pairs.remove(&peer);
        let was_joined = self.joined.remove(&leg);
        self.joined.remove(&peer);
        let parted = port(leg).or_else(|| port(peer)).filter(|_| was_joined);
        parted.map(|port| Command::Part { port }).into_iter().collect()
    }

    /// Joins the leg's pair when both may be heard, parts it when one may not. `port` gives a leg's port while it is
    /// open and the leg is not held by us.
    pub fn settle(&mut self, leg: LegId, port: impl Fn(LegId) -> Option<PortId>) -> Option<Command> {
        let peer = self.peer(leg)?;
        match (port(leg), port(peer)) {
            (Some(a), Some(b)) => {
                let first = self.joined.insert(leg);
                self.joined.insert(peer);
                first.then_some(Command::Join { a, b })
            }
            (a, b) => {
                let was_joined = self.joined.remove(&leg);
                self.joined.remove(&peer);
                a.or(b).filter(|_| was_joined).map(|port| Command::Part { port })
            }
        }
    }

    /// As an earlier life left them: media needs no word.
    pub fn stand(&mut self, a: LegId, b: LegId, port: impl Fn(LegId) -> Option<PortId>) {
        self.pairs.insert(a, b);
        self.pairs.insert(b, a);
        if port(a).is_some() && port(b).is_some() {
            self.joined.extend([a, b]);
        }
    }

    /// The media process lost everything; the wishes stay.
    pub fn media_lost(&mut self) {
        self.joined.clear();
    }

    #[cfg(test)]
    fn is_joined(&self, leg: LegId) -> bool {
        self.joined.contains(&leg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: LegId = LegId(1);
    const B: LegId = LegId(2);
    const C: LegId = LegId(3);

    fn port(leg: LegId) -> Option<PortId> {
        Some(PortId(u64::try_from(leg.0).unwrap()))
    }

    #[test]
    fn a_pair_is_joined_once_both_ports_are_open() {
        let mut bridges = Bridges::default();
        assert_eq!(bridges.join(A, B, port), []);
        assert_eq!(bridges.settle(A, |leg| port(leg).filter(|_| leg == A)), None);
        assert_eq!(bridges.settle(A, port), Some(Command::Join { a: PortId(1), b: PortId(2) }));
        assert_eq!(bridges.settle(B, port), None);
        assert!(bridges.is_joined(A) && bridges.is_joined(B));
    }

    #[test]
    fn a_new_join_replaces_the_old_ones_of_both() {
        let mut bridges = Bridges::default();
        bridges.join(A, B, port);
        bridges.settle(A, port);
        assert_eq!(bridges.join(C, A, port), [Command::Part { port: PortId(1) }]);
        assert_eq!(bridges.peer(B), None);
        assert_eq!(bridges.peer(A), Some(C));
        assert_eq!(bridges.settle(A, port), Some(Command::Join { a: PortId(1), b: PortId(3) }));
        assert_eq!(bridges.join(A, C, port), []);
    }

    #[test]
    fn a_held_leg_is_parted_and_joined_again() {
        let mut bridges = Bridges::default();
        bridges.join(A, B, port);
        bridges.settle(A, port);
        let without_a = |leg| port(leg).filter(|_| leg != A);
        assert_eq!(bridges.settle(A, without_a), Some(Command::Part { port: PortId(2) }));
        assert_eq!(bridges.settle(A, without_a), None);
        assert_eq!(bridges.settle(B, port), Some(Command::Join { a: PortId(2), b: PortId(1) }));
    }

    #[test]
    fn a_leg_is_never_joined_with_itself() {
        let mut bridges = Bridges::default();
        assert_eq!(bridges.join(A, A, port), []);
        assert_eq!(bridges.peer(A), None);
    }

    #[test]
    fn after_a_media_restart_the_pair_is_joined_anew() {
        let mut bridges = Bridges::default();
        bridges.join(A, B, port);
        bridges.settle(A, port);
        bridges.media_lost();
        assert_eq!(bridges.settle(B, port), Some(Command::Join { a: PortId(2), b: PortId(1) }));
    }
}
