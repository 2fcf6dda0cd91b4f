//! A promise is kept: an agent is rung, and then the customer, by the dial plan, within the caps and at the cost of the
//! agent's phone (S-140). An attempt that our own line failed does not count.

use std::time::Duration;

use call::leg::{Caller, Cause, Destination, Dial, Party};
use model::{
    AgentId, ContactId, LegId, QueueId, TrunkId,
    fact::{EndCause, Fact, Kind},
};

use crate::{
    Floor,
    callback::Callback,
    contact::{Out, Partner, Role, State},
    emergency::shown_number,
    legs::end_cause,
    lines::Lines,
    timer::Timer,
};

/// How long a customer's phone rings.
const RING: Duration = Duration::from_secs(40);

impl<L: Lines> Floor<L> {
    /// An agent is there; the customer is called.
    pub(crate) fn call_customer(&mut self, id: ContactId, agent: AgentId, leg: LegId) {
        let Some(promise) = self.contacts.get(&id).and_then(|contact| contact.callback.promise()).cloned() else {
            return;
        };
        let phone = self.phones.phone_of(leg).cloned();
        self.set_state(id, State::CallingBack { agent, leg });
        let Some(phone) = phone else { return self.not_reached(id, EndCause::Fault, false) };
        let destination = self.lines.route(&Party::Phone(phone.clone()), &promise.number);
        if let Err(why) = self.may_go_out(&phone, &destination) {
            self.chronicle.tell_of(id, Kind::OutwardRefused { phone: phone.clone(), why });
            self.outward_refused(&phone, why);
            return self.not_reached(id, EndCause::Forbidden, false);
        }
        let Destination::Outward { trunk, number } = destination else {
            return self.not_reached(id, EndCause::NoRoute, false);
        };
        let out = self.out(&number, Some(&phone), false);
        let kind = Kind::CallbackTried { phone, agent: out.agent.clone(), trunk: Some(trunk.clone()) };
        self.caps.note(&Fact { seq: 0, at: self.chronicle.wall, contact: Some(id), kind: kind.clone() });
        self.chronicle.tell_of(id, kind);
        if let Some(at) = self.now.checked_add(RING) {
            self.timers.set(Timer::CallBack(id), at);
        }
        self.dial_customer(id, leg, trunk, out);
    }

    fn dial_customer(&mut self, id: ContactId, agent: LegId, trunk: TrunkId, mut out: Out) {
        out.tried.push(trunk.clone());
        let shown = shown_number(&self.config, out.phone.as_ref()).map(ToString::to_string).unwrap_or_default();
        let dial = Dial {
            party: Party::Trunk { trunk, user: out.number.to_string() },
            caller: Caller { number: shown, name: None },
            ringback_to: Some(agent),
            meets: Some(agent),
            on_behalf_of: out.phone.clone(),
            forwarded: None,
        };
        let leg = self.lines.dial(self.now, dial);
        self.legs.insert(leg, (id, Role::Caller));
        if let Some(contact) = self.contacts.get_mut(&id) {
            (contact.leg, contact.out) = (Some(leg), Some(out));
        }
    }

    /// The customer has answered: they talk, and the promise is kept.
    pub(crate) fn customer_answered(&mut self, id: ContactId, agent: AgentId, leg: LegId) {
        self.timers.cancel(Timer::CallBack(id));
        self.chronicle.tell_of(id, Kind::Answered { agent: Some(agent.clone()) });
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.callback = Callback::None;
            self.regulars.served(&contact.card.number, &agent);
        }
        self.begin_talk(id, Partner::Agent(agent), leg);
        self.pay_minute(id);
    }

    pub(crate) fn customer_rang_out(&mut self, id: ContactId) {
        if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) {
            self.lines.reject(self.now, leg, Cause::NoAnswer);
        }
    }

    /// The customer's leg has ended before an answer. Another trunk is tried where the first is dead.
    pub(crate) fn customer_gone(&mut self, id: ContactId, agent: LegId, cause: Cause) {
        if let Some((next, out)) = self.next_trunk(id, cause) {
            return self.dial_customer(id, agent, next, out);
        }
        let ours = matches!(cause, Cause::Lost | Cause::Overload | Cause::Fault | Cause::Media);
        self.not_reached(id, end_cause(cause), !ours);
    }

    /// An attempt has come to nothing: the agent is free, and the customer is called later, or no more.
    pub(crate) fn not_reached(&mut self, id: ContactId, cause: EndCause, counts: bool) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.out = None;
        let (agent, agent_leg) = match std::mem::replace(&mut contact.state, State::Promised) {
            State::CallingBack { agent, leg } => (agent, leg),
            state => return contact.state = state,
        };
        let customer = contact.leg.take();
        self.timers.cancel(Timer::CallBack(id));
        for leg in customer.into_iter().chain([agent_leg]) {
            self.drop_leg(leg);
        }
        self.chronicle.tell_of(id, Kind::CallbackMissed { cause, counts });
        let Some(queue) = self.contacts.get(&id).and_then(|contact| contact.callback.promise()) else { return };
        let queue = queue.line.queue.clone();
        self.done_with(Partner::Agent(agent));
        self.try_later(id, counts, &queue);
    }

    /// One more attempt is over, if it counts.
    pub(crate) fn try_later(&mut self, id: ContactId, counts: bool, queue: &QueueId) {
        let Some(promise) = self.contacts.get_mut(&id).and_then(|contact| contact.callback.promise_mut()) else {
            return;
        };
        promise.attempts = promise.attempts.saturating_add(counts.into());
        let attempts = promise.attempts;
        let plan = self.config.queues.get(queue).map(|queue| queue.callback.clone()).unwrap_or_default();
        if attempts >= plan.attempts {
            return self.end(id, EndCause::NotReached);
        }
        self.put_off(id, Duration::from_secs(u64::from(plan.again_min).saturating_mul(60)));
    }
}
