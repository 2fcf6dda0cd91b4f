//! One contact offered to one agent. The longest waiting meets the longest idle; an offer that comes to nothing puts the
//! contact back where it stood, and the agent behind the others.

use std::time::{Duration, Instant};

use model::{
    AgentId, ContactId,
    fact::{AgentState, OfferOutcome},
};

use crate::{
    Acd, Output, Return, Stay, UNANSWERED_MAX,
    agent::{Event, Wish, Work},
    timer::Timer,
};

impl Acd {
    /// Finds an agent for a contact that waits.
    pub(crate) fn serve_contact(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        match queue.ready.first().map(|(_, agent)| agent.clone()) {
            Some(agent) => self.offer(now, contact, &agent),
            None if entry.stay == Stay::Guest => {
                self.forget(contact);
                self.outputs.push_back(Output::Returned { contact, why: Return::NobodyReady });
            }
            None => self.overflow_after_offer(contact),
        }
    }

    /// Finds work for an agent who became ready: the contact that waited longest in any of the agent's queues.
    pub(crate) fn serve_agent(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get(id) else { return };
        let first = |queue| self.queues.get(queue).and_then(|q| q.waiting.first()).copied();
        if let Some(place) = agent.serves.iter().filter_map(first).min() {
            self.offer(now, place.contact, id);
        }
    }

    fn offer(&mut self, now: Instant, contact: ContactId, id: &AgentId) {
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        let Some(queue) = self.queues.get_mut(&entry.queue) else { return };
        let Some(agent) = self.agents.get_mut(id) else { return };
        let ring = Duration::from_secs(queue.config.ring_s.max(1).into());
        queue.waiting.remove(&entry.place);
        entry.offered_to = Some(id.clone());
        agent.wish = Wish::Ready;
        agent.work = Some(Work { contact, queue: entry.queue.clone(), done: false });
        self.timers.set(Timer::Ring(id.clone()), now + ring);
        let offer = Output::Offer { contact, agent: id.clone(), queue: entry.queue.clone() };
        self.move_agent(now, id, Event::Offer);
        self.outputs.push_back(offer);
    }

    pub(crate) fn accept(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id).filter(|a| a.state == AgentState::Offered) else { return };
        let Some(work) = agent.work.clone() else { return };
        agent.missed = 0;
        self.timers.cancel(&Timer::Ring(id.clone()));
        self.forget(work.contact);
        if let Some(queue) = self.queues.get_mut(&work.queue) {
            queue.talking += 1;
        }
        let (contact, outcome) = (work.contact, OfferOutcome::Accepted);
        self.outputs.push_back(Output::OfferEnded { contact, agent: id.clone(), outcome });
        self.move_agent(now, id, Event::Accept);
    }

    /// The agent did not take it: timed out, declined, or could not be reached.
    pub(crate) fn offer_ended(&mut self, now: Instant, id: &AgentId, outcome: OfferOutcome) {
        let Some(agent) = self.agents.get_mut(id).filter(|a| a.state == AgentState::Offered) else { return };
        agent.missed += 1;
        let event = match outcome {
            OfferOutcome::Accepted | OfferOutcome::Withdrawn => return,
            OfferOutcome::Failed => Event::StruckOut,
            OfferOutcome::TimedOut | OfferOutcome::Declined if agent.missed >= UNANSWERED_MAX => Event::StruckOut,
            OfferOutcome::TimedOut | OfferOutcome::Declined => Event::Missed,
        };
        self.back_in_line(now, id, outcome, event);
    }

    /// The agent leaves an offer by a wish of its own.
    pub(crate) fn give_up_offer(&mut self, now: Instant, id: &AgentId, event: Event) {
        self.back_in_line(now, id, OfferOutcome::Declined, event);
    }

    /// The configuration takes an offer back from an agent; it finds both something else when it is done.
    pub(crate) fn recall_offer(&mut self, now: Instant, id: &AgentId, event: Event) {
        self.stop_offer(id, OfferOutcome::Withdrawn);
        self.shift_agent(now, id, event);
    }

    fn stop_offer(&mut self, id: &AgentId, outcome: OfferOutcome) -> Option<Work> {
        let work = self.agents.get_mut(id)?.work.take()?;
        self.timers.cancel(&Timer::Ring(id.clone()));
        self.outputs.push_back(Output::OfferEnded { contact: work.contact, agent: id.clone(), outcome });
        if let Some(entry) = self.contacts.get_mut(&work.contact) {
            entry.offered_to = None;
            if let Some(queue) = self.queues.get_mut(&entry.queue) {
                queue.waiting.insert(entry.place);
            }
        }
        Some(work)
    }

    /// Ends the offer, lets the others try first, and then finds the agent something to do.
    fn back_in_line(&mut self, now: Instant, id: &AgentId, outcome: OfferOutcome, event: Event) {
        let Some(work) = self.stop_offer(id, outcome) else { return };
        let others = self.queues.get(&work.queue).is_some_and(|queue| !queue.ready.is_empty());
        if others {
            self.serve_contact(now, work.contact);
        }
        self.move_agent(now, id, event);
        if self.contacts.get(&work.contact).is_some_and(|entry| entry.offered_to.is_none()) {
            self.serve_contact(now, work.contact);
        }
    }
}
