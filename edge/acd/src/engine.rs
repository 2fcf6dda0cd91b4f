//! The engine's doors: inputs, timers, outputs, and the change of configuration.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Instant,
};

use model::{AgentId, ContactId, QueueId, config::Config, fact::AgentState};

use crate::{
    Input, Output, Return,
    agent::{Agent, Event},
    overflow,
    queue::{self, Contact, Place, Queue},
    skill,
    timer::{Timer, Timers},
};

/// The automatic call distributor of one site.
#[derive(Debug, Default)]
pub struct Acd {
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    /// Contacts in a line, those being offered included.
    pub(crate) contacts: BTreeMap<ContactId, Contact>,
    pub(crate) timers: Timers,
    /// Last place given in any line.
    pub(crate) order: u64,
    /// Last ticket given to an agent who became idle.
    pub(crate) ticket: u64,
    /// Drained by the owner after every input.
    pub(crate) outputs: VecDeque<Output>,
}

impl Acd {
    /// Everybody is signed out and nobody waits.
    pub fn new(now: Instant, config: &Config) -> Self {
        let mut acd = Self::default();
        acd.configure(now, config);
        acd
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Enter { .. } => self.enter(now, input),
            Input::Leave { contact } => self.leave(now, contact),
            Input::SignIn { agent } => self.sign_in(now, &agent),
            Input::SignOut { agent } => self.sign_out(now, &agent),
            Input::Ready { agent } => self.be_ready(now, &agent),
            Input::NotReady { agent } => self.be_not_ready(now, &agent),
            Input::Accept { agent } => self.accept(now, &agent),
            Input::OfferEnded { agent, outcome } => self.offer_ended(now, &agent, outcome),
            Input::ContactDone { agent } => self.contact_done(now, &agent),
            Input::OtherCallBegan { agent } => self.other_call_began(now, &agent),
            Input::OtherCallEnded { agent } => self.other_call_ended(now, &agent),
            Input::WrapUpDone { agent } => self.wrap_up_done(now, &agent),
            Input::OverflowFailed { contact } => self.overflow_failed(now, contact),
            Input::Configure(config) => self.configure(now, &config),
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, timer)) = self.timers.pop(now) {
            match timer {
                Timer::Ring(agent) => self.offer_ended(now, &agent, model::fact::OfferOutcome::TimedOut),
                Timer::WrapUp(agent) => self.wrap_up_done(now, &agent),
                Timer::Position(contact) => self.position_due(now, at, contact),
                Timer::Overflow(contact) => self.overflow_due(contact),
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The agent who is being rung for this contact.
    pub fn offered_to(&self, contact: ContactId) -> Option<&AgentId> {
        self.contacts.get(&contact)?.offered_to.as_ref()
    }

    /// Is the contact in a line here (waiting or being offered)?
    pub fn holds(&self, contact: ContactId) -> bool {
        self.contacts.contains_key(&contact)
    }

    fn configure(&mut self, now: Instant, config: &Config) {
        self.drop_queues(now, config);
        for (id, queue) in &config.queues {
            match self.queues.get_mut(id) {
                Some(known) => known.config = queue.clone(),
                None => drop(self.queues.insert(id.clone(), Queue::new(queue.clone()))),
            }
        }
        self.configure_agents(now, config);
        self.retime_contacts(now);
        self.settle(now);
    }

    /// Everybody who waits, oldest first, is looked at again.
    fn settle(&mut self, now: Instant) {
        let mut waiting: Vec<Place> = self.queues.values().flat_map(|queue| &queue.waiting).copied().collect();
        waiting.sort_unstable();
        for place in waiting {
            self.serve_contact(now, place.contact);
        }
    }

    fn drop_queues(&mut self, now: Instant, config: &Config) {
        let gone: Vec<QueueId> = self.queues.keys().filter(|id| !config.queues.contains_key(*id)).cloned().collect();
        for id in gone {
            let line: Vec<ContactId> =
                self.queues.get(&id).into_iter().flat_map(|queue| &queue.line).map(|place| place.contact).collect();
            for contact in line {
                self.take_out(now, contact);
                self.outputs.push_back(Output::Returned { contact, why: Return::QueueGone });
            }
            self.queues.remove(&id);
        }
    }

    /// First who serves what, for all of them; then the offers that must not stand.
    fn configure_agents(&mut self, now: Instant, config: &Config) {
        for (id, agent) in &config.agents {
            let serves = skill::serves(config, agent);
            match self.agents.get_mut(id) {
                Some(known) => {
                    known.dismissed = false;
                    self.reassign(id, serves);
                }
                None => drop(self.agents.insert(id.clone(), Agent::new(now, serves))),
            }
        }
        let gone: Vec<AgentId> = self.agents.keys().filter(|id| !config.agents.contains_key(*id)).cloned().collect();
        for id in &gone {
            self.reassign(id, BTreeSet::new());
        }
        for id in config.agents.keys() {
            self.recall_unqualified(now, id);
        }
        for id in &gone {
            self.dismiss(now, id);
        }
    }

    /// The agent goes at once when idle, after the call when not.
    fn dismiss(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.dismissed = true;
        match agent.state {
            AgentState::SignedOut if agent.other_calls == 0 => drop(self.agents.remove(id)),
            AgentState::Offered => self.recall_offer(now, id, Event::SignOut),
            _ => self.sign_out(now, id),
        }
    }

    fn recall_unqualified(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get(id).filter(|agent| agent.state == AgentState::Offered) else { return };
        if agent.work.as_ref().is_some_and(|work| !agent.serves.contains(&work.queue)) {
            self.recall_offer(now, id, Event::Withdrawn);
        }
    }

    /// Waiting contacts follow their queue's settings: what was switched off stops, what was switched on begins.
    fn retime_contacts(&mut self, now: Instant) {
        for (contact, entry) in &self.contacts {
            let Some(queue) = self.queues.get(&entry.queue) else { continue };
            let position = Timer::Position(*contact);
            match queue::position_every(&queue.config, entry.stay) {
                None => self.timers.cancel(&position),
                Some(every) if self.timers.at(&position).is_none() => self.timers.set(position, now + every),
                Some(_) => {}
            }
            let overflow = Timer::Overflow(*contact);
            match overflow::due(&queue.config, now, entry.stay) {
                None => self.timers.cancel(&overflow),
                Some(at) if self.timers.at(&overflow).is_none() => self.timers.set(overflow, at),
                Some(at) => self.timers.set(overflow.clone(), self.timers.at(&overflow).map_or(at, |set| set.min(at))),
            }
        }
    }
}
