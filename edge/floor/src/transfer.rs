//! Blind transfers: the agent lets go, and the caller goes to another phone or into another number's flow. A caller
//! whom the other phone does not take goes back into its queue, with the original queue time.

use call::leg::{Cause, Destination, Party};
use model::{ContactId, Extension, FlowId, LegId, fact::Kind};

use crate::{
    Floor,
    board::Refused,
    contact::{Partner, Role, State, end_cause},
    lines::Lines,
};

/// Who asked for the transfer, and waits to hear how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Desk,
    /// The phone, by REFER.
    Phone,
}

enum Where {
    Flow(FlowId),
    Phone(Extension),
}

impl<L: Lines> Floor<L> {
    pub(crate) fn transfer_asked(&mut self, leg: LegId, to: &str) {
        let id = match self.legs.get(&leg) {
            Some((id, Role::Partner)) => *id,
            _ => return self.lines.transfer_refuse(self.now, leg),
        };
        if self.transfer(id, leg, to, Asker::Phone).is_err() {
            self.lines.transfer_refuse(self.now, leg);
        }
    }

    /// Moves the contact away from the one who talks to it at `leg`.
    pub(crate) fn transfer(&mut self, id: ContactId, leg: LegId, to: &str, asker: Asker) -> Result<(), Refused> {
        let talk = self.talk(id).filter(|talk| talk.leg == leg).cloned().ok_or(Refused::WrongState)?;
        let contact = self.contacts.get(&id).ok_or(Refused::NoCall)?;
        let caller = contact.leg.ok_or(Refused::NoCall)?;
        // N-11: a helper never passes another site's caller on.
        if contact.guest.is_some() || matches!(talk.with, Partner::Site(..)) {
            return Err(Refused::Forbidden);
        }
        let phone = self.phones.phone_of(leg).cloned().ok_or(Refused::WrongState)?;
        let card = contact.card.clone();
        let to = self.transfer_to(&phone, to)?;
        if asker == Asker::Phone {
            self.lines.transfer_accept(self.now, leg);
        }
        self.let_go(id, caller, leg);
        match to {
            Where::Flow(flow) => {
                self.drop_leg(leg);
                self.end_recording(id);
                self.start_flow(id, flow);
            }
            Where::Phone(phone) => {
                match asker {
                    Asker::Phone => drop(self.legs.insert(leg, (id, Role::Leaving))),
                    Asker::Desk => self.drop_leg(leg),
                }
                let (target, agent) = self.ring(id, phone, card, Some(caller));
                self.set_state(id, State::Moving { target, agent });
            }
        }
        if let Partner::Agent(agent) = talk.with {
            self.ask_acd(acd::Input::ContactDone { agent });
        }
        Ok(())
    }

    /// To a number of ours or a phone that is free; never outside (S-140).
    fn transfer_to(&self, from: &Extension, to: &str) -> Result<Where, Refused> {
        if let Some(flow) = self.flow_of(to) {
            return Ok(Where::Flow(flow));
        }
        let phone = match self.lines.route(&Party::Phone(from.clone()), to) {
            Destination::Phone(phone) => phone,
            Destination::Agent(agent) => {
                self.config.agents.get(&agent).and_then(|agent| agent.phone.clone()).ok_or(Refused::Forbidden)?
            }
            _ => return Err(Refused::Forbidden),
        };
        if !self.lines.is_registered(&phone) {
            return Err(Refused::PhoneNotRegistered);
        }
        if self.phones.is_busy(&phone) { Err(Refused::WrongState) } else { Ok(Where::Phone(phone)) }
    }

    fn let_go(&mut self, id: ContactId, caller: LegId, leg: LegId) {
        self.resume(id, leg);
        self.lines.part(self.now, caller);
    }

    /// The other phone did not take the caller.
    pub(crate) fn not_moved(&mut self, id: ContactId, cause: Cause) {
        self.drop_leaving(id);
        match self.contacts.get(&id).and_then(|contact| contact.line.clone()) {
            Some(line) => {
                self.chronicle.tell_of(id, Kind::Queued { queue: line.queue.clone() });
                self.wait(id, line);
            }
            None => self.end(id, end_cause(cause)),
        }
    }

    /// Whoever asked for the transfer has heard how it ended.
    pub(crate) fn drop_leaving(&mut self, id: ContactId) {
        let leaving =
            |(leg, (of, role)): (&LegId, &(ContactId, Role))| (*of == id && *role == Role::Leaving).then_some(*leg);
        let legs: Vec<LegId> = self.legs.iter().filter_map(leaving).collect();
        for leg in legs {
            self.drop_leg(leg);
        }
    }
}
