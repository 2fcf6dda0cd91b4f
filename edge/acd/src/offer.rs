//! One contact offered to one agent. An offer that comes to nothing puts the contact back where it stood, and the agent
//! behind the others.

use std::time::{Duration, Instant};

use model::{
    AgentId, ContactId,
    fact::{AgentState, OfferOutcome},
    routing::Why,
};

use crate::{
    Acd, Output, Return, Stay, UNANSWERED_MAX,
    agent::{Event, Wish, Work},
    lane::LaneId,
    timer::Timer,
};

impl Acd {
    /// Is anybody ready for the contact, and is that agent not kept for others?
    pub(crate) fn may_be_served(&self, now: Instant, contact: ContactId) -> bool {
        let Some(entry) = self.contacts.get(&contact) else { return false };
        let (Some(lane), Some(queue)) = (self.lanes.get(&entry.lane), self.queues.get(&entry.queue)) else {
            return false;
        };
        let reserve = &queue.config.routing.reserve;
        let reserved = lane.ready.len() <= usize::try_from(reserve.agents).unwrap_or(usize::MAX);
        let waited = now.saturating_duration_since(entry.place.since);
        !lane.ready.is_empty() && (!reserved || entry.value >= reserve.value || waited >= queue.ageing())
    }

    /// Finds an agent for a contact that waits.
    pub(crate) fn serve_contact(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        if entry.offered_to.is_some() || entry.kept_for.is_some() {
            return;
        }
        let (stay, first) = (entry.stay, self.lanes.get(&entry.lane).and_then(|lane| lane.ready.first()));
        match first.map(|seat| seat.agent.clone()).filter(|_| self.may_be_served(now, contact)) {
            Some(agent) => self.offer(now, contact, &agent, Why::Strategy),
            None if stay == Stay::Guest => {
                self.forget(contact);
                self.outputs.push_back(Output::Returned { contact, why: Return::NobodyReady });
            }
            None => self.overflow_after_offer(contact),
        }
    }

    /// Finds work for an agent who became ready: a contact that waits for this very agent, or the one whose turn it is
    /// in any of the agent's lanes. With one more agent ready, a contact may get one of those that were in reserve.
    pub(crate) fn serve_agent(&mut self, now: Instant, id: &AgentId) {
        while self.state(id) == Some(AgentState::Ready) {
            if self.serve_awaited(now, id) {
                return;
            }
            let Some(agent) = self.agents.get(id) else { return };
            let next = |lane: &LaneId| self.next_in(now, *lane).map(|(turn, place)| (turn, place, *lane));
            let Some((_, place, lane)) = agent.serves.iter().filter_map(next).min() else { return };
            let Some(seat) = self.lanes.get(&lane).and_then(|lane| lane.ready.first()) else { return };
            let chosen = seat.agent.clone();
            self.offer(now, place.contact, &chosen, Why::Strategy);
        }
    }

    pub(crate) fn offer(&mut self, now: Instant, contact: ContactId, id: &AgentId, why: Why) {
        if let Some(decision) = self.decision(now, contact, id, why) {
            self.outputs.push_back(Output::Decided { contact, decision: Box::new(decision) });
        }
        self.wait_in_lane(contact, false);
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        let Some(queue) = self.queues.get_mut(&entry.queue) else { return };
        let Some(agent) = self.agents.get_mut(id) else { return };
        let ring = Duration::from_secs(queue.config.ring_s.max(1).into());
        entry.offered_to = Some(id.clone());
        agent.wish = Wish::Ready;
        agent.work = Some(Work { contact, queue: entry.queue.clone(), done: false, more: 0 });
        self.timers.set(Timer::Ring(id.clone()), now + ring);
        let offer = Output::Offer { contact, agent: id.clone(), queue: entry.queue.clone() };
        self.move_agent(now, id, Event::Offer);
        self.outputs.push_back(offer);
    }

    pub(crate) fn accept(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id).filter(|a| a.state == AgentState::Offered) else { return };
        let Some(work) = agent.work.clone() else { return };
        agent.missed = 0;
        self.turn += 1;
        agent.turn = self.turn;
        self.timers.cancel(&Timer::Ring(id.clone()));
        self.forget(work.contact);
        self.departed(now, &work.queue);
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
            self.wait_in_lane(work.contact, true);
        }
        Some(work)
    }

    /// Ends the offer, lets the others try first, and then finds the agent something to do.
    fn back_in_line(&mut self, now: Instant, id: &AgentId, outcome: OfferOutcome, event: Event) {
        let Some(work) = self.stop_offer(id, outcome) else { return };
        self.turn += 1;
        if let Some(agent) = self.agents.get_mut(id) {
            agent.turn = self.turn;
        }
        if self.may_be_served(now, work.contact) {
            self.serve_contact(now, work.contact);
        }
        self.move_agent(now, id, event);
        if self.contacts.get(&work.contact).is_some_and(|entry| entry.offered_to.is_none()) {
            self.serve_contact(now, work.contact);
        }
    }
}
