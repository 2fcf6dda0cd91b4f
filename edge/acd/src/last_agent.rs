//! A customer and the agent it spoke with last: offered to that agent when ready, and, where the queue says so, kept for
//! a while for that agent when at work.

use std::time::{Duration, Instant};

use model::{
    AgentId, ContactId,
    fact::AgentState::{Offered, Ready, Talking, WrapUp},
    routing::Why,
};

use crate::{Acd, line::Place, timer::Timer};

impl Acd {
    /// The contact's own agent takes it, or will: then it waits for nobody else.
    pub(crate) fn ask_last_agent(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(id) = entry.last_agent.clone() else { return };
        let Some(agent) = self.agents.get(&id).filter(|agent| agent.serves.contains(&entry.lane)) else { return };
        let patience_s = self.queues.get(&entry.queue).map_or(0, |queue| queue.config.routing.last_agent_s);
        match agent.state {
            Ready if self.may_be_served(now, contact) => self.offer(now, contact, &id, Why::LastAgent),
            Talking | WrapUp | Offered if patience_s > 0 => {
                self.keep_for(contact, &id);
                self.timers.set(Timer::LastAgent(contact), now + Duration::from_secs(patience_s.into()));
            }
            _ => {}
        }
    }

    fn keep_for(&mut self, contact: ContactId, id: &AgentId) {
        self.wait_in_lane(contact, false);
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        entry.kept_for = Some(id.clone());
        if let Some(agent) = self.agents.get_mut(id) {
            agent.awaited.insert(entry.place);
        }
    }

    /// The contact waits for whoever comes, like all others. False when it did so already.
    pub(crate) fn keep_no_longer(&mut self, contact: ContactId) -> bool {
        let Some(entry) = self.contacts.get_mut(&contact) else { return false };
        let Some(id) = entry.kept_for.take() else { return false };
        let (place, free) = (entry.place, entry.offered_to.is_none());
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.awaited.remove(&place);
        }
        self.timers.cancel(&Timer::LastAgent(contact));
        if free {
            self.wait_in_lane(contact, true);
        }
        true
    }

    pub(crate) fn last_agent_due(&mut self, now: Instant, contact: ContactId) {
        if self.keep_no_longer(contact) {
            self.serve_contact(now, contact);
        }
    }

    /// The agent became ready: the first of those who wait for it.
    pub(crate) fn serve_awaited(&mut self, now: Instant, id: &AgentId) -> bool {
        let Some(place) = self.agents.get(id).and_then(|agent| agent.awaited.first()).copied() else { return false };
        self.keep_no_longer(place.contact);
        let serves = |lane| self.agents.get(id).is_some_and(|agent| agent.serves.contains(&lane));
        let able = self.contacts.get(&place.contact).is_some_and(|entry| serves(entry.lane));
        if able {
            self.offer(now, place.contact, id, Why::LastAgent);
        }
        able
    }

    /// The agent leaves: those who waited for it wait for anybody.
    pub(crate) fn release_awaited(&mut self, id: &AgentId) -> Vec<ContactId> {
        let places: Vec<Place> =
            self.agents.get(id).map(|agent| agent.awaited.iter().copied().collect()).unwrap_or_default();
        let contacts: Vec<ContactId> = places.iter().map(|place| place.contact).collect();
        for contact in &contacts {
            self.keep_no_longer(*contact);
        }
        contacts
    }
}
