//! Calling back instead of waiting on the line (RT-08). The caller hangs up and the contact stays where it is in the line;
//! when its turn comes the customer is called (`calling_back`). A promise is given when it is on the disk, and the next life of the process keeps it.

use std::time::{Duration, Instant};

use call::{
    leg::{Caller, Destination, Party},
    route,
};
use ivr::run::Input;
use model::{
    AgentId, ContactId, Millis, PromptId, QueueId,
    fact::{EndCause, Fact, Kind},
    routing::Asks,
};

use crate::{
    Floor, Output,
    board::{CallbackIs, CallbackLine, Refused},
    contact::{Contact, Line, State},
    lines::Lines,
    timer::Timer,
};

pub use crate::promise::{Open, open};

/// Promises at once.
pub const CALLBACKS_MAX: usize = 200;
/// A customer who was not reached for so long is not called any more.
pub const PROMISE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// The key that takes the offer of the queue's announcement.
pub(crate) const KEY: char = '1';
/// Said with the position: who presses the key is called back.
pub(crate) const OFFER: &str = "callback-offer";
const KEPT: &str = "callback-kept";
const NOT_KEPT: &str = "callback-not";
/// How long the disk may take; then no promise is given.
const KEEP_WITHIN: Duration = Duration::from_secs(3);
/// How often it is looked whether customers may be called at this hour.
pub(crate) const LOOK: Duration = Duration::from_secs(60);

/// How far a contact is with being called back.
#[derive(Debug, Default)]
pub(crate) enum Callback {
    #[default]
    None,
    /// The caller has heard that it is possible.
    Offered,
    /// On its way to the disk.
    Asked(Promise),
    Given(Promise),
}

#[derive(Clone)]
pub(crate) struct Promise {
    /// As one dials it here. Personal.
    pub number: String,
    pub line: Line,
    at: Millis,
    pub attempts: u32,
    /// Not in the line until then.
    again: Option<Instant>,
}

impl std::fmt::Debug for Promise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Promise").field("at", &self.at).field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

impl Callback {
    pub fn promise(&self) -> Option<&Promise> {
        match self {
            Callback::Asked(promise) | Callback::Given(promise) => Some(promise),
            Callback::None | Callback::Offered => None,
        }
    }

    pub fn promise_mut(&mut self) -> Option<&mut Promise> {
        match self {
            Callback::Asked(promise) | Callback::Given(promise) => Some(promise),
            Callback::None | Callback::Offered => None,
        }
    }
}

impl<L: Lines> Floor<L> {
    /// Is the caller told, with the position, that we may call back?
    pub(crate) fn offers_callback(&mut self, id: ContactId) -> bool {
        let Some(contact) = self.contacts.get(&id) else { return false };
        let Some(line) = &contact.line else { return false };
        let after = self.config.queues.get(&line.queue).and_then(|queue| queue.callback.offer_after_s);
        let long = after.is_some_and(|after| {
            let wait = self.acd.expected_wait(self.now, id);
            wait.is_some_and(|wait| wait.expected > Duration::from_secs(after.into()))
        });
        let free = matches!(contact.callback, Callback::None | Callback::Offered);
        let may = free && long && self.callable(&line.queue, &contact.card.number).is_some();
        if may && let Some(contact) = self.contacts.get_mut(&id) {
            contact.callback = Callback::Offered;
        }
        may
    }

    /// A key while waiting. True: it took the offer.
    pub(crate) fn takes_offer(&mut self, id: ContactId, key: char) -> bool {
        let Some(contact) = self.contacts.get(&id) else { return false };
        let offered = matches!(contact.callback, Callback::Offered) && matches!(contact.state, State::Waiting { .. });
        let (true, Some(line)) = (offered && key == KEY, contact.line.clone()) else { return false };
        // Whoever is being rung for the caller answers sooner.
        if self.acd.offered_to(id).is_none() {
            let number = contact.card.number.clone();
            if !self.ask_promise(id, line, &number) {
                self.tell_waiting(id, NOT_KEPT);
            }
        }
        true
    }

    /// A step of a flow. False: there is no such number, or no room.
    pub(crate) fn promise_from_flow(
        &mut self,
        id: ContactId,
        queue: QueueId,
        asks: Asks,
        keyed: Option<String>,
    ) -> bool {
        let Some(contact) = self.contacts.get(&id) else { return false };
        let number = keyed.unwrap_or_else(|| contact.card.number.clone());
        let line = Line { queue, since: self.now, asks };
        self.ask_promise(id, line, &number)
    }

    /// The number as one dials it here, when anybody of the queue may dial it at all; never one of our own, and no
    /// emergency centre's.
    fn callable(&self, queue: &QueueId, number: &str) -> Option<String> {
        let digits = route::normalise(number)?;
        let prefix = if digits.starts_with('+') { "" } else { self.config.site.dialling.prefix.as_str() };
        let dialled = format!("{prefix}{digits}");
        if self.flow_of(&digits).is_some() || self.flow_of(&dialled).is_some() {
            return None;
        }
        let mut members = self.config.agents.values().filter(|agent| agent.queues.contains(queue));
        let phone = members.find_map(|agent| agent.phone.clone())?;
        let to = self.lines.route(&Party::Phone(phone), &dialled);
        matches!(to, Destination::Outward { .. }).then_some(dialled)
    }

    /// Writes the promise down; it is given when the disk has it.
    fn ask_promise(&mut self, id: ContactId, line: Line, number: &str) -> bool {
        let Some(number) = self.callable(&line.queue, number) else { return false };
        let mut others =
            self.contacts.iter().filter(|(other, _)| **other != id).filter_map(|(_, c)| c.callback.promise());
        let (count, twice) = (others.clone().count(), others.any(|promise| promise.number == number));
        let Some(contact) = self.contacts.get_mut(&id).filter(|_| count < CALLBACKS_MAX && !twice) else {
            return false;
        };
        let queued = contact.line.is_some();
        let (queue, asks) = (line.queue.clone(), line.asks.clone());
        let at = self.chronicle.wall;
        contact.callback = Callback::Asked(Promise { number, line: line.clone(), at, attempts: 0, again: None });
        if !queued {
            self.chronicle.tell_of(id, Kind::Queued { queue: queue.clone() });
        }
        let since = self.dated(line.since);
        self.chronicle.tell_of(id, Kind::CallbackPromised { queue, since, asks });
        self.tell_person(id);
        self.chronicle.put(Output::Keep { contact: id });
        if let Some(at) = self.now.checked_add(KEEP_WITHIN) {
            self.timers.set(Timer::Keeping(id), at);
        }
        true
    }

    fn dated(&self, then: Instant) -> Millis {
        let passed = i64::try_from(self.now.saturating_duration_since(then).as_millis()).unwrap_or(i64::MAX);
        Millis(self.chronicle.wall.0.saturating_sub(passed))
    }

    /// The disk has the promise, or has not taken it in time.
    pub(crate) fn kept(&mut self, id: ContactId, stored: bool) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let promise = match std::mem::take(&mut contact.callback) {
            Callback::Asked(promise) => promise,
            other => return contact.callback = other,
        };
        self.timers.cancel(Timer::Keeping(id));
        if stored {
            contact.callback = Callback::Given(promise);
        }
        let (waits, walks) =
            (matches!(contact.state, State::Waiting { .. }), matches!(contact.state, State::InFlow(_)));
        let gone = matches!(contact.state, State::Promised);
        if !stored {
            self.chronicle.tell_of(id, Kind::CallbackStruckOff { by: None });
        }
        match stored {
            false if gone => self.end(id, EndCause::NotReached),
            _ if waits => self.tell_waiting(id, if stored { KEPT } else { NOT_KEPT }),
            _ if walks => self.drive(id, Input::Promised(stored)),
            _ => {}
        }
    }

    /// The caller hears it, then music again, or has heard all there is.
    fn tell_waiting(&mut self, id: ContactId, what: &str) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let (Some(leg), State::Waiting { telling }, Ok(prompt)) =
            (contact.leg, &mut contact.state, PromptId::new(what))
        else {
            return;
        };
        *telling = Some(self.lines.play(self.now, leg, vec![prompt.into()]));
    }

    /// A caller who waits has heard an announcement to its end.
    pub(crate) fn told_waiting(&mut self, id: ContactId) {
        let given = self.contacts.get(&id).is_some_and(|contact| matches!(contact.callback, Callback::Given(_)));
        if given { self.end(id, EndCause::Flow) } else { self.music(id) }
    }

    /// The contact would end, but was promised a call back. True: it goes on without its caller.
    pub(crate) fn goes_home(&mut self, id: ContactId, cause: EndCause) -> bool {
        let goes = matches!(cause, EndCause::Caller | EndCause::Flow | EndCause::NotReachable);
        let Some(contact) = self.contacts.get_mut(&id).filter(|_| goes) else { return false };
        let on_the_line = matches!(contact.state, State::Waiting { .. } | State::InFlow(_) | State::Arriving);
        let Some(promise) = contact.callback.promise().cloned().filter(|_| on_the_line) else { return false };
        contact.goes_on = None;
        contact.line = Some(promise.line);
        let leg = contact.leg.take();
        if let State::InFlow(walk) = std::mem::replace(&mut contact.state, State::Promised) {
            self.drop_question(&walk);
        }
        self.timers.cancel(Timer::Collect(id));
        self.stop_asking(id);
        if let Some(leg) = leg {
            self.drop_leg(leg);
        }
        match self.acd.holds(id) {
            true => self.ask_acd(acd::Input::GoneHome { contact: id }),
            false => self.call_again(id),
        }
        true
    }

    /// Into the line, at the place that was kept; later, when nobody may be called at this hour.
    pub(crate) fn call_again(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get(&id).filter(|contact| matches!(contact.state, State::Promised)) else {
            return;
        };
        let (Some(promise), Some(line)) = (contact.callback.promise(), contact.line.clone()) else { return };
        if self.chronicle.wall.since(promise.at) > u64::try_from(PROMISE_MAX.as_millis()).unwrap_or(u64::MAX) {
            return self.end(id, EndCause::NotReached);
        }
        if !self.may_call(&line.queue) {
            return self.put_off(id, LOOK);
        }
        let last_agent = self.regulars.agent_of(&contact.card.number);
        if let Some(promise) = self.contacts.get_mut(&id).and_then(|contact| contact.callback.promise_mut()) {
            promise.again = None;
        }
        let Line { queue, since, asks } = line;
        let wants = acd::Wants { value: asks.value, skills: asks.skills, last_agent };
        self.ask_acd(acd::Input::Enter { contact: id, queue, since, stay: acd::Stay::Absent, wants });
    }

    pub(crate) fn put_off(&mut self, id: ContactId, by: Duration) {
        let Some(at) = self.now.checked_add(by) else { return };
        if let Some(promise) = self.contacts.get_mut(&id).and_then(|contact| contact.callback.promise_mut()) {
            promise.again = Some(at);
        }
        self.timers.set(Timer::CallAgain(id), at);
    }

    /// Are customers of this queue called at this hour?
    fn may_call(&self, queue: &QueueId) -> bool {
        let Some(queue) = self.config.queues.get(queue) else { return true };
        let hours = queue.callback.hours.as_ref().or(queue.hours.as_ref());
        hours.is_none_or(|hours| self.is_open(hours))
    }

    /// An hour has ended: who may not be called leaves the line for now.
    pub(crate) fn hold_callbacks(&mut self) {
        let held = |(id, contact): (&ContactId, &crate::contact::Contact)| {
            let line = contact.line.as_ref().filter(|_| matches!(contact.state, State::Promised))?;
            (self.acd.holds(*id) && !self.may_call(&line.queue)).then_some(*id)
        };
        let held: Vec<ContactId> = self.contacts.iter().filter_map(held).collect();
        for id in held {
            self.ask_acd(acd::Input::Leave { contact: id });
            self.put_off(id, LOOK);
        }
    }

    /// Waits for its turn without a caller.
    pub(crate) fn is_promised(&self, id: ContactId) -> bool {
        self.contacts.get(&id).is_some_and(|contact| matches!(contact.state, State::Promised))
    }

    /// A supervisor strikes a promise off. What is being tried at this moment goes on.
    pub(crate) fn strike_off(&mut self, id: ContactId, by: AgentId) -> Result<(), Refused> {
        if !self.is_promised(id) {
            return Err(Refused::NoCall);
        }
        self.chronicle.tell_of(id, Kind::CallbackStruckOff { by: Some(by) });
        self.end(id, EndCause::StruckOff);
        Ok(())
    }

    /// The customer of a promise has called in and talks to an agent of the same queue: nobody need call back.
    pub(crate) fn spares_callbacks(&mut self, id: ContactId, by: &AgentId) {
        let Some(contact) = self.contacts.get(&id).filter(|contact| contact.out.is_none()) else { return };
        let Some(queue) = contact.line.as_ref().map(|line| line.queue.clone()) else { return };
        let waits = |contact: &Contact| {
            let promise = contact.callback.promise().filter(|_| matches!(contact.state, State::Promised))?;
            (promise.line.queue == queue).then(|| promise.number.clone())
        };
        let promised: Vec<(ContactId, String)> =
            self.contacts.iter().filter_map(|(other, contact)| Some((*other, waits(contact)?))).collect();
        if promised.is_empty() {
            return;
        }
        let Some(number) = self.callable(&queue, &contact.card.number) else { return };
        for (other, _) in promised.into_iter().filter(|(_, promise)| *promise == number) {
            self.strike_off(other, by.clone()).ok();
        }
    }

    /// A promise of an earlier life, with all that is known of it. `number` is what one dials. Call it for each, after
    /// `adopt`.
    pub fn recall(&mut self, now: Instant, wall: Millis, (id, facts): (ContactId, &[Fact]), person: (Caller, String)) {
        self.at(now, wall);
        let Some(open) = open(facts).filter(|_| !self.contacts.contains_key(&id)) else { return };
        let (card, number) = person;
        let then = |at: Millis| self.now.checked_sub(Duration::from_millis(wall.since(at))).unwrap_or(self.now);
        let line = Line { queue: open.queue.clone(), since: then(open.since), asks: open.asks };
        let promise = Promise { number, line: line.clone(), at: open.promised, attempts: open.attempts, again: None };
        self.chronicle.take_up(id, facts);
        self.begin_as(id, None, card);
        if let Some(contact) = self.contacts.get_mut(&id) {
            (contact.line, contact.callback) = (Some(line), Callback::Given(promise));
            contact.state = State::Promised;
        }
        if let Some(agent) = open.ringing {
            self.chronicle.tell_of(id, Kind::OfferEnded { agent, outcome: model::fact::OfferOutcome::Withdrawn });
        }
        // Whether the customer answered nobody knows: it is counted, so that nobody is called without an end.
        if open.calling {
            self.chronicle.tell_of(id, Kind::CallbackMissed { cause: EndCause::Restart, counts: true });
            self.try_later(id, true, &open.queue);
        } else if let Some(missed) = open.missed.filter(|_| self.is_promised(id)) {
            let plan = self.config.queues.get(&open.queue).map(|queue| queue.callback.clone()).unwrap_or_default();
            let pause = Duration::from_secs(u64::from(plan.again_min).saturating_mul(60));
            self.put_off(id, pause.saturating_sub(Duration::from_millis(wall.since(missed))));
        } else {
            self.call_again(id);
        }
        self.settle();
    }

    /// For supervisors: who is called back, the longest promised first.
    pub(crate) fn callback_lines(&self, now: Instant) -> Vec<CallbackLine> {
        let line = |(id, contact): (&ContactId, &crate::contact::Contact)| {
            let promise = contact.callback.promise()?;
            let is = match &contact.state {
                State::CallingBack { agent, .. } => CallbackIs::Called { agent: agent.clone() },
                State::Promised => match promise.again {
                    Some(at) => CallbackIs::Later { left: at.saturating_duration_since(now) },
                    None => CallbackIs::Waits,
                },
                _ => return None,
            };
            Some(CallbackLine {
                contact: *id,
                queue: promise.line.queue.clone(),
                number: promise.number.clone(),
                name: contact.card.name.clone(),
                ago: Duration::from_millis(self.chronicle.wall.since(promise.at)),
                attempts: promise.attempts,
                is,
            })
        };
        let mut lines: Vec<CallbackLine> = self.contacts.iter().filter_map(line).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.ago));
        lines
    }
}
