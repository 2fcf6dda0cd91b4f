//! Blind transfers (RFC 3515): who asked, for whom, and the one outcome that the asker is told. The owner moves the
//! parties with `dial` and `join`; this only watches, and finds out how it ended.

use std::collections::BTreeMap;

use model::LegId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// REFER is here, the owner has not decided.
    Asked,
    /// Accepted: `party` is who is being moved, None when nobody was there.
    Accepted { party: Option<LegId> },
}

/// What the asker is told in its last NOTIFY, as a status line's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub asker: LegId,
    pub status: u16,
}

/// At most one transfer per leg.
#[derive(Debug, Default)]
pub struct Transfers {
    by_asker: BTreeMap<LegId, Stage>,
}

impl Transfers {
    /// False: this leg already has one under way.
    pub fn asked(&mut self, asker: LegId) -> bool {
        if self.by_asker.contains_key(&asker) {
            return false;
        }
        self.by_asker.insert(asker, Stage::Asked);
        true
    }

    /// The owner agrees to move `party`. False: nobody asked.
    pub fn accepted(&mut self, asker: LegId, party: Option<LegId>) -> bool {
        match self.by_asker.get_mut(&asker) {
            Some(stage @ Stage::Asked) => {
                *stage = Stage::Accepted { party };
                true
            }
            _ => false,
        }
    }

    /// The owner refuses. False: nobody asked.
    pub fn refused(&mut self, asker: LegId) -> bool {
        self.by_asker.get(&asker) == Some(&Stage::Asked) && self.by_asker.remove(&asker).is_some()
    }

    /// `a` and `b` hear each other, both answered.
    pub fn joined(&mut self, a: LegId, b: LegId) -> Option<Outcome> {
        self.settle(|asker, party| (party == a && asker != b) || (party == b && asker != a), 200)
    }

    /// A call made for `party` failed.
    pub fn failed(&mut self, party: LegId, status: u16) -> Option<Outcome> {
        self.settle(|_, moved| moved == party, status)
    }

    /// A leg is gone: its own transfer is nobody's business any more; one that would have moved it has failed.
    pub fn ended(&mut self, leg: LegId) -> Option<Outcome> {
        self.by_asker.remove(&leg);
        // RFC 3261 §21.4.18: the party cannot be reached
        self.failed(leg, 480)
    }

    fn settle(&mut self, hit: impl Fn(LegId, LegId) -> bool, status: u16) -> Option<Outcome> {
        let (asker, _) = self.by_asker.iter().find(|(asker, stage)| match stage {
            Stage::Accepted { party: Some(party) } => hit(**asker, *party),
            _ => false,
        })?;
        let asker = *asker;
        self.by_asker.remove(&asker);
        Some(Outcome { asker, status })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: LegId = LegId(1);
    const CALLER: LegId = LegId(2);
    const TARGET: LegId = LegId(3);

    fn accepted() -> Transfers {
        let mut transfers = Transfers::default();
        assert!(transfers.asked(AGENT));
        assert!(!transfers.asked(AGENT));
        assert!(transfers.accepted(AGENT, Some(CALLER)));
        transfers
    }

    #[test]
    fn the_asker_hears_200_when_the_party_talks_to_somebody_else() {
        let mut transfers = accepted();
        assert_eq!(transfers.joined(AGENT, CALLER), None);
        assert_eq!(transfers.joined(TARGET, CALLER), Some(Outcome { asker: AGENT, status: 200 }));
        assert_eq!(transfers.joined(TARGET, CALLER), None);
    }

    #[test]
    fn the_asker_hears_why_the_target_did_not_answer() {
        assert_eq!(accepted().failed(CALLER, 486), Some(Outcome { asker: AGENT, status: 486 }));
        assert_eq!(accepted().failed(TARGET, 486), None);
    }

    #[test]
    fn the_end_of_the_party_is_a_failure_and_the_end_of_the_asker_is_silence() {
        assert_eq!(accepted().ended(CALLER), Some(Outcome { asker: AGENT, status: 480 }));
        let mut transfers = accepted();
        assert_eq!(transfers.ended(AGENT), None);
        assert_eq!(transfers.joined(TARGET, CALLER), None);
    }

    #[test]
    fn a_refused_transfer_can_be_asked_for_again() {
        let mut transfers = Transfers::default();
        assert!(!transfers.refused(AGENT));
        assert!(transfers.asked(AGENT));
        assert!(transfers.refused(AGENT));
        assert!(!transfers.accepted(AGENT, None));
        assert!(transfers.asked(AGENT));
    }
}
