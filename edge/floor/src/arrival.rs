//! How a contact begins: who calls whom, and what the house makes of it.

use call::leg::{Caller, Cause, Destination, Party};
use model::{
    ContactId, FlowId, LegId, Number, TrunkId,
    fact::{EndCause, Kind},
};

use crate::{
    CONTACTS_MAX, Floor,
    callback::Callback,
    company::Company,
    contact::{Contact, Role, State},
    lines::Lines,
    sound::Heard,
};

impl<L: Lines> Floor<L> {
    pub(crate) fn incoming(&mut self, leg: LegId, party: Party, to: &str, caller: Caller, replaces: Option<LegId>) {
        if let Party::Phone(phone) = &party {
            if let Some(target) = replaces.or_else(|| self.pickup_code(to)) {
                return self.pick_up(leg, phone, target);
            }
            if self.star_code(leg, phone, to) {
                return;
            }
            let destination = self.lines.route(&party, to);
            if matches!(destination, Destination::Emergency { .. }) {
                return self.phone_dials(leg, Some(phone.clone()), to, caller, destination);
            }
            self.engage(leg, phone);
        }
        if party == Party::Unproved {
            // It was let in to call for help: whatever else it may be is nothing to the house.
            let destination = self.lines.route(&party, to);
            return self.phone_dials(leg, None, to, Caller::default(), destination);
        }
        let trunk = match &party {
            Party::Trunk { trunk, .. } => Some(trunk.clone()),
            Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => None,
        };
        let ours = call::numbers::own(&self.config, to).cloned();
        let number = ours.or_else(|| Number::new(&call::route::normalise(to)?).ok());
        let flow = number.as_ref().and_then(|number| self.config.numbers.get(number)).cloned();
        if let Some(phone) = trunk.as_ref().and_then(|_| self.called_back(number.as_ref(), &caller)) {
            let contact = self.arrived(leg, trunk, number, caller);
            return self.call_back(contact, phone, flow);
        }
        match (party, flow) {
            (_, Some(flow)) => {
                let contact = self.arrived(leg, trunk, number, caller);
                if self.has_room(contact) {
                    self.answer_with(contact, leg, flow);
                }
            }
            (Party::Phone(phone), None) => {
                let destination = self.lines.route(&Party::Phone(phone.clone()), to);
                self.phone_dials(leg, Some(phone), to, caller, destination);
            }
            (party, None) => {
                let destination = self.lines.route(&party, to);
                let contact = self.arrived(leg, trunk, number, caller);
                if self.has_room(contact) {
                    self.connect(contact, destination);
                }
            }
        }
    }

    fn arrived(&mut self, leg: LegId, trunk: Option<TrunkId>, number: Option<Number>, caller: Caller) -> ContactId {
        let id = self.begin(Some(leg), caller);
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.number.clone_from(&number);
        }
        self.chronicle.tell_of(id, Kind::Arrived { trunk, number });
        self.tell_person(id);
        id
    }

    pub(crate) fn answer_with(&mut self, id: ContactId, leg: LegId, flow: FlowId) {
        if self.contacts.get(&id).is_some_and(|contact| contact.up) {
            self.start_flow(id, flow);
        } else if self.config.flows.contains_key(&flow) {
            self.set_state(id, State::Answering { flow });
            self.lines.answer(self.now, leg);
        } else {
            self.turn_away(id, Cause::NotFound, EndCause::NoRoute);
        }
    }

    /// Makes a contact; what happens to it is the caller's part.
    pub(crate) fn begin(&mut self, leg: Option<LegId>, card: Caller) -> ContactId {
        let id = ContactId(self.dated_id());
        self.begin_as(id, leg, card);
        id
    }

    pub(crate) fn begin_as(&mut self, id: ContactId, leg: Option<LegId>, card: Caller) {
        let contact = Contact {
            card,
            leg,
            up: false,
            shown: Vec::new(),
            number: None,
            line: None,
            answered: None,
            recording: None,
            heard: Heard::default(),
            card_mode: None,
            lost: None,
            unrecorded: None,
            paused: None,
            callback: Callback::None,
            company: Company::default(),
            asking: None,
            rung: None,
            forwards: Vec::new(),
            forwarded: None,
            out: None,
            otherwise: None,
            goes_on: None,
            guest: None,
            state: State::Arriving,
        };
        self.contacts.insert(id, contact);
        if let Some(leg) = leg {
            self.legs.insert(leg, (id, Role::Caller));
        }
    }

    /// False, and the contact is turned away, when the house is full.
    pub(crate) fn has_room(&mut self, id: ContactId) -> bool {
        let room = self.contacts.len() <= CONTACTS_MAX;
        if !room {
            self.turn_away(id, Cause::Overload, EndCause::Overload);
        }
        room
    }

    /// Ends a contact whose caller was not answered, with a refusal that says why.
    pub(crate) fn turn_away(&mut self, id: ContactId, cause: Cause, end: EndCause) {
        if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) {
            self.lines.reject(self.now, leg, cause);
        }
        self.end(id, end);
    }
}
