//! What a drill did to each contact: a fold of its facts.

use model::{
    Millis,
    fact::{EndCause, Fact, Kind, RecordingMissing},
};

/// Counts over the contacts that began while it lasted, and over recordings that did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Calls that came in.
    pub incoming: u32,
    /// Of them, those that a fault of the box ended.
    pub lost: u32,
    /// Calls out.
    pub outgoing: u32,
    /// Of them, those that no line took.
    pub unreached: u32,
    /// Recordings that are whole, and those that are missing though they were wanted.
    pub recorded: u32,
    pub unrecorded: u32,
    /// Contacts that are over, and those of them without a record.
    pub over: u32,
    pub unkept: u32,
}

impl Seen {
    /// All facts of one contact, in order; `kept`: it has a record.
    pub fn contact(&mut self, facts: &[Fact], (from, until): (Millis, Millis), kept: bool) {
        if !facts.first().is_some_and(|fact| from <= fact.at && fact.at < until) {
            return;
        }
        let end = facts.iter().find_map(|fact| match fact.kind {
            Kind::Ended { cause } => Some(cause),
            _ => None,
        });
        let fault = matches!(end, Some(EndCause::Restart | EndCause::Overload | EndCause::Fault));
        let add = |count: &mut u32, more: bool| *count = count.saturating_add(u32::from(more));
        match facts.first().map(|fact| &fact.kind) {
            Some(Kind::Arrived { .. }) => {
                add(&mut self.incoming, true);
                add(&mut self.lost, fault);
            }
            Some(Kind::Dialled { trunk: Some(_), .. }) => {
                let answered = facts.iter().any(|fact| matches!(fact.kind, Kind::Answered { .. }));
                let nowhere = matches!(end, Some(EndCause::NotReachable | EndCause::NoRoute));
                add(&mut self.outgoing, true);
                add(&mut self.unreached, !answered && (fault || nowhere));
            }
            _ => {}
        }
        for fact in facts {
            match fact.kind {
                Kind::RecordingSealed { .. } => add(&mut self.recorded, true),
                Kind::RecordingMissing { reason } => {
                    add(&mut self.unrecorded, reason != RecordingMissing::NotWanted);
                }
                _ => {}
            }
        }
        add(&mut self.over, end.is_some());
        add(&mut self.unkept, end.is_some() && !kept);
    }
}
