//! One queue: its line of contacts in the order of their original queue time, and its ready agents in the order in
//! which they became idle.

use std::{collections::BTreeSet, time::Instant};

use model::{AgentId, ContactId, QueueId, config};

use crate::{Acd, Input, Output, POSITION_MAX, Return, Stay, agent::Event, overflow, timer::Timer};

/// A place in a line. Oldest queue time first; at the same time, first come first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub since: Instant,
    pub order: u64,
    pub contact: ContactId,
}

#[derive(Debug)]
pub(crate) struct Queue {
    pub config: config::Queue,
    /// Everybody in the queue, also those being offered.
    pub line: BTreeSet<Place>,
    /// Those of the line who are not being offered.
    pub waiting: BTreeSet<Place>,
    /// Ready agents who serve this queue; the smallest ticket has been idle longest.
    pub ready: BTreeSet<(u64, AgentId)>,
    pub talking: u32,
}

impl Queue {
    pub fn new(config: config::Queue) -> Self {
        Self { config, line: BTreeSet::new(), waiting: BTreeSet::new(), ready: BTreeSet::new(), talking: 0 }
    }

    /// The place in the line from 1, counted no further than [`POSITION_MAX`].
    fn position(&self, place: &Place) -> Option<u32> {
        let index = self.line.iter().take(POSITION_MAX).position(|p| p == place)?;
        u32::try_from(index + 1).ok()
    }
}

/// A contact in a line.
#[derive(Debug)]
pub(crate) struct Contact {
    pub queue: QueueId,
    pub place: Place,
    pub stay: Stay,
    pub offered_to: Option<AgentId>,
    /// The overflow timer rang while an agent was being rung.
    pub overflow_late: bool,
}

/// What a board shows of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// In the line, those being offered included.
    pub waiting: usize,
    /// The oldest queue time of the line.
    pub oldest: Option<Instant>,
    pub ready: usize,
    pub talking: u32,
}

impl Acd {
    pub fn count(&self, queue: &QueueId) -> Option<Count> {
        let queue = self.queues.get(queue)?;
        Some(Count {
            waiting: queue.line.len(),
            oldest: queue.line.first().map(|place| place.since),
            ready: queue.ready.len(),
            talking: queue.talking,
        })
    }

    pub(crate) fn enter(&mut self, now: Instant, input: Input) {
        let Input::Enter { contact, queue: id, since, stay } = input else { return };
        if self.contacts.contains_key(&contact) {
            return;
        }
        let full = self.contacts.len() >= crate::CONTACTS_MAX;
        let Some(queue) = self.queues.get_mut(&id).filter(|_| !full) else {
            let why = if full { Return::Full } else { Return::UnknownQueue };
            self.outputs.push_back(Output::Returned { contact, why });
            return;
        };
        self.order += 1;
        let place = Place { since, order: self.order, contact };
        queue.line.insert(place);
        queue.waiting.insert(place);
        if let Some(at) = overflow::due(&queue.config, now, stay) {
            self.timers.set(Timer::Overflow(contact), at);
        }
        if let Some(every) = position_every(&queue.config, stay) {
            self.timers.set(Timer::Position(contact), now + every);
        }
        self.contacts.insert(contact, Contact { queue: id, place, stay, offered_to: None, overflow_late: false });
        self.serve_contact(now, contact);
    }

    /// The contact is gone; whoever was rung for it is free again.
    pub(crate) fn leave(&mut self, now: Instant, contact: ContactId) {
        if let Some(agent) = self.take_out(now, contact) {
            self.serve_agent(now, &agent);
        }
    }

    /// Ends a contact's offer and its wait; the agent who was rung is ready again, in its old place.
    pub(crate) fn take_out(&mut self, now: Instant, contact: ContactId) -> Option<AgentId> {
        let agent = self.contacts.get(&contact)?.offered_to.clone();
        if let Some(agent) = &agent {
            self.recall_offer(now, agent, Event::Withdrawn);
        }
        self.forget(contact);
        agent
    }

    /// Takes a contact out of its line and stops its timers.
    pub(crate) fn forget(&mut self, contact: ContactId) {
        let Some(entry) = self.contacts.remove(&contact) else { return };
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            queue.line.remove(&entry.place);
            queue.waiting.remove(&entry.place);
        }
        self.timers.cancel(&Timer::Position(contact));
        self.timers.cancel(&Timer::Overflow(contact));
    }

    pub(crate) fn position_due(&mut self, now: Instant, at: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        // While an agent is being rung the caller hears nothing that could become wrong in a moment.
        if entry.offered_to.is_none() {
            let position = queue.position(&entry.place);
            self.outputs.push_back(Output::Position { contact, position });
        }
        if let Some(every) = position_every(&queue.config, entry.stay) {
            let next = if at + every > now { at + every } else { now + every };
            self.timers.set(Timer::Position(contact), next);
        }
    }
}

pub(crate) fn position_every(queue: &config::Queue, stay: Stay) -> Option<std::time::Duration> {
    (stay == Stay::Own && queue.position_every_s > 0)
        .then(|| std::time::Duration::from_secs(queue.position_every_s.into()))
}
