//! Blind transfers: the agent lets go, and the caller goes to another phone or into another number's flow. A caller
//! whom the other phone does not take goes back to the phone that waits for the outcome, or into its queue with the
//! original queue time.

use std::time::Duration;

use call::leg::{Caller, Cause, Destination, Party};
use model::{
    AgentId, ContactId, Extension, FlowId, LegId,
    fact::{Kind, Transfer},
};

use crate::{
    Floor,
    board::Refused,
    contact::{Back, Partner, Role, State},
    legs::end_cause,
    lines::Lines,
    timer::Timer,
};

/// How long the other phone rings.
const RING: Duration = Duration::from_secs(30);

/// Who asked for the transfer, and waits to hear how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Desk,
    /// The phone, by REFER.
    Phone,
}

pub(crate) enum Where {
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
        self.disperse(id);
        if asker == Asker::Phone {
            self.lines.transfer_accept(self.now, leg);
        }
        self.let_go(id, caller, leg);
        match to {
            Where::Flow(flow) => {
                self.drop_leg(leg);
                self.end_recording(id);
                self.chronicle.tell_of(id, Kind::Transferred { how: Transfer::Blind });
                self.start_flow(id, flow);
                self.done_with(talk.with);
            }
            Where::Phone(to) => {
                let leaving = match asker {
                    Asker::Phone => {
                        self.legs.insert(leg, (id, Role::Leaving));
                        Some(leg)
                    }
                    Asker::Desk => {
                        self.drop_leg(leg);
                        None
                    }
                };
                let back = Some(Back { with: talk.with.clone(), phone, leg: leaving });
                self.move_to(id, to, card, back);
                if asker == Asker::Desk {
                    self.done_with(talk.with);
                }
            }
        }
        Ok(())
    }

    fn move_to(&mut self, id: ContactId, phone: Extension, card: Caller, back: Option<Back>) {
        let caller = self.contacts.get(&id).and_then(|contact| contact.leg);
        // A recall is nobody's wish: who gave the caller away is rung.
        let sender = back.as_ref().map(|back| back.phone.clone());
        let (target, agent) = self.ring_for(id, phone, card, (caller, sender));
        self.set_state(id, State::Moving { target, agent, back });
        if let Some(at) = self.now.checked_add(RING) {
            self.timers.set(Timer::Moving(id), at);
        }
    }

    /// The other phone took the caller.
    pub(crate) fn moved(&mut self, id: ContactId, leg: LegId, agent: Option<AgentId>) {
        self.timers.cancel(Timer::Moving(id));
        let back = self.take_back(id);
        // A recall is answered by who gave the contact away: that is no transfer.
        if back.is_some() {
            self.chronicle.tell_of(id, Kind::Transferred { how: Transfer::Blind });
        }
        self.flow_is_over(id);
        self.chronicle.tell_of(id, Kind::Answered { agent });
        self.begin_talk(id, Partner::Party, leg);
        self.drop_leaving(id);
        if let Some(Back { with, leg: Some(_), .. }) = back {
            self.done_with(with);
        }
    }

    pub(crate) fn moved_in_vain(&mut self, id: ContactId) {
        if let Some(State::Moving { target, .. }) = self.contacts.get(&id).map(|contact| &contact.state) {
            let target = *target;
            self.lines.reject(self.now, target, Cause::NoAnswer);
        }
    }

    fn take_back(&mut self, id: ContactId) -> Option<Back> {
        match self.contacts.get_mut(&id).map(|contact| &mut contact.state) {
            Some(State::Moving { back, .. }) => back.take(),
            _ => None,
        }
    }

    /// Who asked for the transfer hung up before its outcome.
    pub(crate) fn leaver_gone(&mut self, id: ContactId, gone: LegId) {
        if let Some(State::Moving { back: Some(back), .. }) = self.contacts.get_mut(&id).map(|c| &mut c.state)
            && back.leg.take_if(|leg| *leg == gone).is_some()
        {
            let with = back.with.clone();
            self.done_with(with);
        }
    }

    /// To a number of ours or a phone that is free; never outside (S-140).
    pub(crate) fn transfer_to(&self, from: &Extension, to: &str) -> Result<Where, Refused> {
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

    /// The other phone did not take the caller: back to whoever waits for the outcome, else into the queue, else the
    /// phone that gave it away is rung.
    pub(crate) fn not_moved(&mut self, id: ContactId, cause: Cause) {
        self.timers.cancel(Timer::Moving(id));
        if self.not_taken(id) {
            return;
        }
        let back = self.take_back(id);
        if back.is_some() {
            self.chronicle.tell_of(id, Kind::TransferFailed);
        }
        let line = self.contacts.get(&id).and_then(|contact| contact.line.clone());
        match (back, line) {
            (Some(Back { with, leg: Some(leg), .. }), _) => self.begin_talk(id, with, leg),
            (_, Some(line)) => {
                self.chronicle.tell_of(id, Kind::Queued { queue: line.queue.clone() });
                self.wait(id, line);
            }
            (Some(Back { phone, .. }), None) if self.lines.is_registered(&phone) && !self.phones.is_busy(&phone) => {
                let card = self.contacts.get(&id).map(|contact| contact.card.clone());
                self.move_to(id, phone, card.unwrap_or_default(), None);
            }
            _ => self.end(id, end_cause(cause)),
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
