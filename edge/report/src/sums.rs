//! What is added up: counts and milliseconds. Adding is all there is, so that any split gives the same total.

use std::collections::BTreeMap;

use model::fact::AgentState;

macro_rules! sums {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Over contacts. A contact counts at the moment it was first queued, or else when it arrived.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Sums { $($(#[$doc])* pub $name: u64,)* }

        impl Sums {
            pub fn add(&mut self, other: &Sums) {
                $(self.$name = self.$name.saturating_add(other.$name);)*
            }
        }
    };
}

sums! {
    contacts,
    /// Of them, not yet over.
    in_progress,
    /// Put into a queue.
    offered,
    answered,
    /// Offered, over, and not answered: hung up, left a message, or were promised a call back and not reached.
    abandoned,
    /// Within T of the queue.
    answered_in_t,
    short_abandoned,
    /// Answered by another site.
    overflowed,
    recorded,
    /// From queue entry to the answer, or to the promise of a call back, of answered contacts.
    wait_ms,
    /// Of offered contacts.
    talk_ms,
    hold_ms,
    wrap_up_ms,
    /// Agents' parts of offered contacts: a contact that two had is two.
    handled,
    /// Given to somebody else.
    transferred,
    /// Contacts that were in no queue: calls out, inside, direct ones, and what ended in a flow.
    others,
    /// Talk, hold and wrap-up of those.
    other_ms,
    /// A call back.
    promised,
    /// The customer was called.
    kept,
    /// And reached.
    saved,
    /// A mark for the service.
    asked,
    marked,
    /// Marked with four fifths of the best mark or more.
    satisfied,
    /// Σ mark / best, in thousandths.
    mark_permille,
    messages,
    /// Named by an agent.
    disposed,
    /// Owed and not named.
    undisposed,
}

impl Sums {
    pub fn handle_ms(&self) -> u64 {
        self.talk_ms.saturating_add(self.hold_ms).saturating_add(self.wrap_up_ms)
    }
}

/// Over agents, in milliseconds of each state while the box was up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentTime {
    pub ready_ms: u64,
    /// A phone rings for a contact.
    pub offered_ms: u64,
    pub talking_ms: u64,
    pub wrap_up_ms: u64,
    /// By why: a reason of the site's, `:missed`, `:phone_away`, `:none`.
    pub not_ready_ms: BTreeMap<String, u64>,
}

impl AgentTime {
    pub fn add(&mut self, other: &AgentTime) {
        self.ready_ms = self.ready_ms.saturating_add(other.ready_ms);
        self.offered_ms = self.offered_ms.saturating_add(other.offered_ms);
        self.talking_ms = self.talking_ms.saturating_add(other.talking_ms);
        self.wrap_up_ms = self.wrap_up_ms.saturating_add(other.wrap_up_ms);
        for (why, ms) in &other.not_ready_ms {
            let all = self.not_ready_ms.entry(why.clone()).or_default();
            *all = all.saturating_add(*ms);
        }
    }

    /// So much more in this state; `why` is that of one who is not ready.
    pub(crate) fn spend(&mut self, state: AgentState, why: &str, ms: u64) {
        let all = match state {
            AgentState::SignedOut => return,
            AgentState::NotReady => self.not_ready_ms.entry(why.to_owned()).or_default(),
            AgentState::Ready => &mut self.ready_ms,
            AgentState::Offered => &mut self.offered_ms,
            AgentState::Talking => &mut self.talking_ms,
            AgentState::WrapUp => &mut self.wrap_up_ms,
        };
        *all = all.saturating_add(ms);
    }

    pub fn paused_ms(&self) -> u64 {
        self.not_ready_ms.values().fold(0, |all, ms| all.saturating_add(*ms))
    }

    /// Talking and writing up.
    pub fn handle_ms(&self) -> u64 {
        self.talking_ms.saturating_add(self.wrap_up_ms)
    }

    pub fn available_ms(&self) -> u64 {
        self.ready_ms.saturating_add(self.offered_ms)
    }

    pub fn signed_in_ms(&self) -> u64 {
        self.available_ms().saturating_add(self.handle_ms()).saturating_add(self.paused_ms())
    }
}
