//! What came of a contact, said anew when the contact is over: by who had it, for a while, and by supervisors. The floor has
//! forgotten most of those contacts; whoever asks brings their facts.

use std::time::{Duration, Instant};

use model::{
    AgentId, ContactId, DispositionId, Millis,
    fact::{Disposition, Fact, Kind},
};

use crate::{
    Floor,
    board::Refused,
    cdr::{Fold, handled_by},
    lines::Lines,
};

/// Agents may change what they said of a contact for so long after its end: over a weekend.
pub const OWN_WITHIN: Duration = Duration::from_secs(72 * 3_600);

/// Whose contacts somebody may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those the agent has talked in, within [`OWN_WITHIN`].
    Own,
    /// All, for ever: a supervisor's.
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    pub by: AgentId,
    pub contact: ContactId,
    pub disposition: DispositionId,
    pub reach: Reach,
}

impl Reach {
    /// May `by` still write of a contact of these facts, which ended then? `wall` is now.
    pub fn allows(self, by: &AgentId, facts: &[Fact], ended: Millis, wall: Millis) -> Result<(), Refused> {
        match self {
            Reach::Any => Ok(()),
            // Whoever had no part in it learns nothing of it.
            Reach::Own if !handled_by(facts).contains(by) => Err(Refused::NoCall),
            Reach::Own if Duration::from_millis(wall.since(ended)) > OWN_WITHIN => Err(Refused::TooLate),
            Reach::Own => Ok(()),
        }
    }
}

impl<L: Lines> Floor<L> {
    /// `facts`: all that the ledger has of the contact, in order.
    pub fn correct(
        &mut self,
        now: Instant,
        wall: Millis,
        correction: Correction,
        facts: &[Fact],
    ) -> Result<(), Refused> {
        self.at(now, wall);
        let result = self.corrected(wall, correction, facts);
        self.settle();
        result
    }

    fn corrected(&mut self, wall: Millis, correction: Correction, facts: &[Fact]) -> Result<(), Refused> {
        let Correction { by, contact, disposition, reach } = correction;
        let fold = match (self.chronicle.fold_of(contact), facts.first()) {
            (Some(fold), _) => fold.clone(),
            (None, Some(first)) => {
                let mut fold = Fold::new(contact, first.at);
                facts.iter().for_each(|fact| fold.apply(fact.at, &fact.kind));
                fold
            }
            (None, None) => return Err(Refused::NoCall),
        };
        // Who talks names it on the card.
        let ended = fold.ended().ok_or(Refused::WrongState)?;
        reach.allows(&by, facts, ended, wall)?;
        if !self.config.dispositions_for(fold.queue()).contains_key(&disposition) {
            return Err(Refused::UnknownDisposition);
        }
        if fold.disposition() == Some(&Disposition::Code(disposition.clone())) {
            return Ok(());
        }
        if self.chronicle.fold_of(contact).is_none() {
            self.chronicle.take_up(contact, facts);
        }
        self.chronicle.tell_of(contact, Kind::Corrected { by, disposition });
        Ok(())
    }
}
