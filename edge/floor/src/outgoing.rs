//! Calls that begin inside, and calls from outside straight to a phone: a party is dialled, and joined when it answers.
//! An emergency call is dialled before anything else is looked at, limits included (NORMS 2).

use call::leg::{Caller, Cause, Destination, Dial, Party};
use model::{
    AgentId, ContactId, Extension, LegId, Number, TrunkId,
    fact::{EndCause, Kind},
};

use crate::{
    Floor, Output,
    contact::{Partner, Role, State, end_cause},
    lines::Lines,
};

impl<L: Lines> Floor<L> {
    /// A phone has dialled; its leg is not answered yet.
    pub(crate) fn phone_dials(
        &mut self,
        leg: LegId,
        phone: Extension,
        to: &str,
        caller: Caller,
        destination: Destination,
    ) {
        let id = self.begin(Some(leg), caller);
        if let Destination::Emergency { trunk, number } = destination {
            self.dial_out(id, trunk.clone(), &number);
            self.lines.early(self.now, leg);
            self.dialled(id, phone.clone(), &Destination::Emergency { trunk, number }, to);
            return self.engage(leg, &phone);
        }
        self.dialled(id, phone, &destination, to);
        if self.has_room(id) {
            self.connect(id, destination);
        }
    }

    /// The first fact of a call that begins inside. Whom it calls outside is personal.
    pub(crate) fn dialled(&mut self, id: ContactId, phone: Extension, destination: &Destination, to: &str) {
        let (trunk, emergency) = match destination {
            Destination::Emergency { trunk, .. } => (Some(trunk.clone()), true),
            Destination::Outward { trunk, .. } => (Some(trunk.clone()), false),
            _ => (None, false),
        };
        let outside = trunk.is_some();
        self.chronicle.tell_of(id, Kind::Dialled { phone, trunk, emergency });
        if outside {
            let caller = Caller { number: to.to_owned(), name: None };
            self.chronicle.put(Output::Personal { contact: id, caller });
        }
    }

    /// Rings whom the dial plan names for a caller who waits for it.
    pub(crate) fn connect(&mut self, id: ContactId, destination: Destination) {
        match destination {
            Destination::Phone(phone) => self.ring_phone(id, phone),
            Destination::Agent(agent) => match self.config.agents.get(&agent).and_then(|agent| agent.phone.clone()) {
                Some(phone) => self.ring_phone(id, phone),
                None => self.turn_away(id, Cause::NotRegistered, EndCause::NotReachable),
            },
            Destination::Outward { trunk, number } | Destination::Emergency { trunk, number } => {
                self.dial_out(id, trunk, &number);
                if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) {
                    self.lines.early(self.now, leg);
                }
            }
            Destination::Forbidden => self.turn_away(id, Cause::Forbidden, EndCause::Forbidden),
            Destination::Unknown => self.turn_away(id, Cause::NotFound, EndCause::NoRoute),
        }
    }

    fn ring_phone(&mut self, id: ContactId, phone: Extension) {
        if self.phones.is_busy(&phone) {
            return self.turn_away(id, Cause::Busy, EndCause::Busy);
        }
        let Some(caller) = self.contacts.get(&id).map(|contact| contact.card.clone()) else { return };
        let (target, agent) = self.ring(id, phone, caller, None);
        self.set_state(id, State::Dialling { target, agent });
    }

    /// Dials a phone for a contact; its agent, if any, is busy from here on.
    pub(crate) fn ring(
        &mut self,
        id: ContactId,
        phone: Extension,
        caller: Caller,
        ringback_to: Option<LegId>,
    ) -> (LegId, Option<AgentId>) {
        let target = self.lines.dial(self.now, Dial { party: Party::Phone(phone.clone()), caller, ringback_to });
        self.legs.insert(target, (id, Role::Target));
        self.engage(target, &phone);
        (target, self.phones.agent(&phone).cloned())
    }

    fn dial_out(&mut self, id: ContactId, trunk: TrunkId, number: &Number) {
        let Some(contact) = self.contacts.get(&id) else { return };
        // Outside, the branch is known by its own number: who calls back reaches somebody.
        let shown = self.config.numbers.keys().next().map_or_else(|| contact.card.number.clone(), Number::to_string);
        let dial = Dial {
            party: Party::Trunk { trunk, user: number.to_string() },
            caller: Caller { number: shown, name: None },
            ringback_to: contact.leg,
        };
        let target = self.lines.dial(self.now, dial);
        self.legs.insert(target, (id, Role::Target));
        self.set_state(id, State::Dialling { target, agent: None });
    }

    /// A phone of ours rings: the caller hears that in its own exchange's way. A trunk's caller hears the trunk.
    pub(crate) fn target_rings(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get(&id) else { return };
        if let (State::Dialling { target, .. }, Some(leg)) = (&contact.state, contact.leg)
            && self.phones.phone_of(*target).is_some()
        {
            self.lines.ring(self.now, leg);
        }
    }

    pub(crate) fn target_answered(&mut self, id: ContactId, leg: LegId) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let caller = contact.leg;
        let (agent, moved) = match &contact.state {
            State::Dialling { target, agent } if *target == leg => (agent.clone(), false),
            State::Moving { target, agent, .. } if *target == leg => (agent.clone(), true),
            _ => return,
        };
        if moved {
            return self.moved(id, leg, agent);
        }
        let own = caller.and_then(|leg| self.phones.phone_of(leg)).and_then(|phone| self.phones.agent(phone)).cloned();
        self.chronicle.tell_of(id, Kind::Answered { agent: agent.or(own) });
        if let Some(caller) = caller {
            self.lines.answer(self.now, caller);
        }
        self.begin_talk(id, Partner::Party, leg);
    }

    /// A party that was rung did not answer.
    pub(crate) fn target_gone(&mut self, id: ContactId, cause: Cause) {
        match self.contacts.get(&id).map(|contact| &contact.state) {
            Some(State::Dialling { .. }) => self.turn_away(id, cause, end_cause(cause)),
            Some(State::Moving { .. }) => self.not_moved(id, cause),
            _ => {}
        }
    }

    /// The agent's own phone was answered: the number that the desk asked for is dialled.
    pub(crate) fn phone_is_up(&mut self, id: ContactId, number: &str) {
        let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) else { return };
        let Some(phone) = self.phones.phone_of(leg).cloned() else { return };
        let destination = self.lines.route(&Party::Phone(phone), number);
        match self.flow_of(number) {
            Some(flow) if !matches!(destination, Destination::Emergency { .. }) => self.start_flow(id, flow),
            _ => self.connect(id, destination),
        }
    }

    /// The flow behind one of our own numbers.
    pub(crate) fn flow_of(&self, dialled: &str) -> Option<model::FlowId> {
        let number = Number::new(&call::route::normalise(dialled)?).ok()?;
        self.config.numbers.get(&number).cloned()
    }
}
