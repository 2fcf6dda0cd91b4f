//! What came of a contact: named by the agent who talks to the customer or writes the visit up, from the codes that fit the
//! queue. Where the queue asks for one, the time to write up ends by hand only when it is named.

use model::{
    AgentId, ContactId, DispositionId,
    fact::{
        AgentState::{self, Talking, WrapUp},
        Disposition, Kind,
    },
};

use call::leg::{Destination, Party};

use crate::{
    Floor,
    board::{Ask, Refused},
    lines::Lines,
};

impl<L: Lines> Floor<L> {
    /// Another word takes the place of the one before.
    pub(crate) fn dispose(
        &mut self,
        agent: AgentId,
        state: AgentState,
        id: ContactId,
        code: DispositionId,
    ) -> Result<(), Refused> {
        let card = self.card(self.now, &agent, state).filter(|card| card.contact == id).ok_or(Refused::NoCall)?;
        if !matches!(state, Talking | WrapUp) {
            return Err(Refused::WrongState);
        }
        if !self.config.dispositions_for(card.queue.as_ref()).contains_key(&code) {
            return Err(Refused::UnknownDisposition);
        }
        if card.disposition.as_ref() != Some(&code) {
            self.chronicle.tell_of(id, Kind::Disposed { agent, disposition: Disposition::Code(code) });
        }
        Ok(())
    }

    /// Would this end the time to write up, while the queue waits for the agent's word?
    pub(crate) fn ends_unnamed(&self, agent: &AgentId, state: AgentState, ask: &Ask) -> bool {
        let ends = match ask {
            Ask::WrapUpDone | Ask::Ready | Ask::SignOut => true,
            // Emergency calls wait for nothing.
            Ask::Dial { number } => !self.is_help(agent, number),
            _ => false,
        };
        ends && state == WrapUp && self.cards.get(agent).is_some_and(|card| self.is_unnamed(agent, card.contact))
    }

    fn is_help(&self, agent: &AgentId, number: &str) -> bool {
        let phone = self.config.agents.get(agent).and_then(|agent| agent.phone.clone());
        let route = phone.map(|phone| self.lines.route(&Party::Phone(phone), number));
        matches!(route, Some(Destination::Emergency { .. } | Destination::Helpless(_)))
    }

    /// The time to write up is over: a word that is owed is told as missing.
    pub(crate) fn written_up(&mut self, agent: AgentId, id: ContactId) {
        if self.is_unnamed(&agent, id) {
            let kind = Kind::Disposed { agent: agent.clone(), disposition: Disposition::NoneChosen };
            self.chronicle.tell_of(id, kind);
        }
        self.chronicle.tell_of(id, Kind::WrapUpEnded { agent });
    }

    fn is_unnamed(&self, agent: &AgentId, id: ContactId) -> bool {
        let card = self.cards.get(agent).filter(|card| card.contact == id);
        let required = card.is_some_and(|card| self.config.disposition_required(card.queue.as_ref()));
        required && self.chronicle.disposition_of(id, agent).is_none()
    }
}
