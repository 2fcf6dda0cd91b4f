//! One queue: its line of contacts, and its lanes.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use model::{AgentId, ContactId, QueueId, config, routing::VALUE_MAX};

use crate::{
    Acd, Input, Output, POSITION_MAX, Return, Stay,
    agent::Event,
    lane::{LaneId, Wish},
    line::{Line, Place},
    overflow, tier,
    timer::Timer,
    wait::Pace,
};

#[derive(Debug)]
pub(crate) struct Queue {
    pub config: config::Queue,
    /// Everybody in the queue, also those being offered.
    pub line: Line,
    /// The queue's own lane is that of the default wish.
    pub lanes: BTreeMap<Wish, LaneId>,
    /// Of those in the line, who is not on the line.
    pub absent: usize,
    pub talking: u32,
    pub pace: Pace,
}

impl Queue {
    pub fn new(config: config::Queue) -> Self {
        Self { config, line: Line::default(), lanes: BTreeMap::new(), absent: 0, talking: 0, pace: Pace::default() }
    }

    pub fn ageing(&self) -> Duration {
        Duration::from_secs(self.config.routing.ageing_s.into())
    }

    /// The place in the line from 1, counted no further than [`POSITION_MAX`]. Whoever has waited too long or asks for
    /// less may still come first.
    fn position(&self, value: u8, place: &Place) -> Option<u32> {
        let ahead = self.line.ahead(value, place, POSITION_MAX);
        (ahead < POSITION_MAX).then(|| u32::try_from(ahead + 1).ok()).flatten()
    }
}

/// A contact in a line.
#[derive(Debug)]
pub(crate) struct Contact {
    pub queue: QueueId,
    pub place: Place,
    pub stay: Stay,
    pub value: u8,
    pub wish: Wish,
    pub lane: LaneId,
    pub last_agent: Option<AgentId>,
    /// Waits for this agent alone, for a while.
    pub kept_for: Option<AgentId>,
    pub offered_to: Option<AgentId>,
    /// The overflow timer rang while an agent was being rung.
    pub overflow_late: bool,
}

/// What a board shows of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// On the line, those being offered included.
    pub waiting: usize,
    /// Have hung up, and are called back when it is their turn.
    pub absent: usize,
    /// The oldest queue time of those on the line.
    pub oldest: Option<Instant>,
    pub ready: usize,
    pub talking: u32,
}

impl Acd {
    pub fn count(&self, queue: &QueueId) -> Option<Count> {
        let queue = self.queues.get(queue)?;
        let own = queue.lanes.get(&Wish::default()).and_then(|lane| self.lanes.get(lane));
        let is_absent =
            |place: &Place| self.contacts.get(&place.contact).is_some_and(|entry| entry.stay == Stay::Absent);
        Some(Count {
            waiting: queue.line.len().saturating_sub(queue.absent),
            absent: queue.absent,
            oldest: queue.line.oldest_of(|place| !is_absent(place)).map(|place| place.since),
            ready: own.map_or(0, |lane| lane.ready.len()),
            talking: queue.talking,
        })
    }

    pub(crate) fn enter(&mut self, now: Instant, input: Input) {
        let Input::Enter { contact, queue: id, since, stay, wants } = input else { return };
        if self.contacts.contains_key(&contact) {
            return;
        }
        let full = self.contacts.len() >= crate::CONTACTS_MAX;
        let Some(queue) = self.queues.get(&id).filter(|_| !full) else {
            let why = if full { Return::Full } else { Return::UnknownQueue };
            self.outputs.push_back(Output::Returned { contact, why });
            return;
        };
        let tier = tier::now(now, &queue.config, (since, stay), queue.line.len() + 1);
        let wish = Wish { tier, skills: wants.skills };
        let Some(lane) = self.lane_of(&id, &wish) else {
            self.outputs.push_back(Output::Returned { contact, why: Return::Full });
            return;
        };
        let Some(queue) = self.queues.get_mut(&id) else { return };
        self.order += 1;
        let (place, value) = (Place { since, order: self.order, contact }, wants.value.min(VALUE_MAX));
        queue.line.insert(value, place);
        queue.absent += usize::from(stay == Stay::Absent);
        let entry = Contact {
            queue: id.clone(),
            place,
            stay,
            value,
            wish,
            lane,
            last_agent: wants.last_agent,
            kept_for: None,
            offered_to: None,
            overflow_late: false,
        };
        self.contacts.insert(contact, entry);
        self.enter_lane(contact, true);
        self.time_contact(now, contact);
        self.ask_last_agent(now, contact);
        self.widen_by_length(now, &id);
        self.serve_contact(now, contact);
        let waits = self.contacts.get(&contact).is_some_and(|entry| entry.offered_to.is_none());
        if let Some(queue) = self.queues.get_mut(&id).filter(|_| waits) {
            queue.pace.waits(now);
        }
    }

    pub(crate) fn gone_home(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get_mut(&contact).filter(|entry| entry.stay == Stay::Own) else { return };
        (entry.stay, entry.overflow_late) = (Stay::Absent, false);
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            queue.absent += 1;
        }
        self.time_contact(now, contact);
    }

    /// Sets the timers of a contact that has entered, or whose queue has other settings.
    pub(crate) fn time_contact(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        let position = Timer::Position(contact);
        match position_every(&queue.config, entry.stay) {
            None => self.timers.cancel(&position),
            Some(every) if self.timers.at(&position).is_none() => self.timers.set(position, now + every),
            Some(_) => {}
        }
        let overflow = Timer::Overflow(contact);
        match overflow::due(&queue.config, now, entry.stay) {
            None => self.timers.cancel(&overflow),
            Some(at) if self.timers.at(&overflow).is_none() => self.timers.set(overflow, at),
            Some(at) => self.timers.set(overflow.clone(), self.timers.at(&overflow).map_or(at, |set| set.min(at))),
        }
        let ripe = entry.place.since + queue.ageing();
        match queue.config.routing.reserve.agents > 0 && ripe > now {
            true => self.timers.set(Timer::Ripe(contact), ripe),
            false => self.timers.cancel(&Timer::Ripe(contact)),
        }
        self.time_tier(now, contact);
    }

    /// The contact counts in its lane; `waits` puts it among those who wait there.
    pub(crate) fn enter_lane(&mut self, contact: ContactId, waits: bool) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(lane) = self.lanes.get_mut(&entry.lane) else { return };
        lane.contacts += 1;
        if waits {
            lane.waiting.insert(entry.value, entry.place);
        }
    }

    /// Out of its lane; true when it waited there.
    pub(crate) fn leave_lane(&mut self, contact: ContactId) -> bool {
        let Some(entry) = self.contacts.get(&contact) else { return false };
        let Some(lane) = self.lanes.get_mut(&entry.lane) else { return false };
        lane.contacts = lane.contacts.saturating_sub(1);
        lane.waiting.remove(entry.value, &entry.place);
        entry.offered_to.is_none() && entry.kept_for.is_none()
    }

    /// Among those who wait in its lane, or not.
    pub(crate) fn wait_in_lane(&mut self, contact: ContactId, waits: bool) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(lane) = self.lanes.get_mut(&entry.lane) else { return };
        match waits {
            true => lane.waiting.insert(entry.value, entry.place),
            false => lane.waiting.remove(entry.value, &entry.place),
        }
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
        let queue = self.contacts.get(&contact).map(|entry| entry.queue.clone());
        self.forget(contact);
        if let Some(queue) = queue {
            self.departed(now, &queue);
        }
        agent
    }

    /// Somebody has left the line of a queue, for an agent or for good.
    pub(crate) fn departed(&mut self, now: Instant, id: &QueueId) {
        if let Some(queue) = self.queues.get_mut(id) {
            let left = queue.line.len();
            queue.pace.departed(now, left);
        }
    }

    /// Takes a contact out of its line and stops its timers.
    pub(crate) fn forget(&mut self, contact: ContactId) {
        self.keep_no_longer(contact);
        self.leave_lane(contact);
        let Some(entry) = self.contacts.remove(&contact) else { return };
        if let Some(queue) = self.queues.get_mut(&entry.queue) {
            queue.line.remove(entry.value, &entry.place);
            queue.absent -= usize::from(entry.stay == Stay::Absent);
        }
        let timers = [Timer::Position, Timer::Overflow, Timer::Tier, Timer::Ripe];
        timers.into_iter().for_each(|timer| self.timers.cancel(&timer(contact)));
    }

    pub(crate) fn position_due(&mut self, now: Instant, at: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        // While an agent is being rung the caller hears nothing that could become wrong in a moment.
        if entry.offered_to.is_none() {
            let position = queue.position(entry.value, &entry.place);
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
