//! Call forwarding: a call to a phone goes on to where the phone's own forward says. It is the forwarding phone's call from
//! there on: the one dial plan lets it go or not, and that phone's caps pay for it (S-140).

use std::time::Duration;

use call::leg::{Cause, Destination, Forwarded, Party};
use model::{
    ContactId, Extension, Number,
    fact::{DivertedFor, EndCause, Fact, Kind},
    forward::Forward,
};

use crate::{Floor, contact::State, lines::Lines, timer::Timer};

/// How often a call is sent on; a circle ends before.
const FORWARDS_MAX: usize = 5;

impl<L: Lines> Floor<L> {
    /// Rings a phone for a caller who waits for it, or goes where its calls go.
    pub(crate) fn ring_phone(&mut self, id: ContactId, phone: Extension) {
        let Forward { always, busy, unregistered, no_answer, after_s } = self.forward_of(&phone);
        let is_busy = self.phones.is_busy(&phone);
        let reachable = self.lines.is_registered(&phone);
        let instead = match always {
            Some(to) => Some((to, DivertedFor::Always)),
            None if is_busy => busy.map(|to| (to, DivertedFor::Busy)),
            None if !reachable => unregistered.map(|to| (to, DivertedFor::Unavailable)),
            None => None,
        };
        if let Some((to, why)) = instead {
            return self.send_on(id, phone, &to, why);
        }
        if is_busy {
            return self.turn_away(id, Cause::Busy, EndCause::Busy);
        }
        let Some(caller) = self.contacts.get(&id).map(|contact| contact.card.clone()) else { return };
        let (target, agent) = self.ring(id, phone.clone(), caller, None);
        self.set_state(id, State::Dialling { target, agent });
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.rung = Some(phone);
        }
        let until = self.now.checked_add(Duration::from_secs(after_s.into())).filter(|_| no_answer.is_some());
        if let Some(at) = until {
            self.timers.set(Timer::Forward(id), at);
        }
    }

    /// The phone has rung as long as its forward wants it to.
    pub(crate) fn rang_out(&mut self, id: ContactId) {
        if let Some(State::Dialling { target, .. }) = self.contacts.get(&id).map(|contact| &contact.state) {
            let target = *target;
            self.lines.reject(self.now, target, Cause::NoAnswer);
        }
    }

    /// The phone that was rung did not take the call; true when it goes on elsewhere.
    pub(crate) fn goes_elsewhere(&mut self, id: ContactId, cause: Cause) -> bool {
        self.timers.cancel(Timer::Forward(id));
        let Some(phone) = self.contacts.get_mut(&id).and_then(|contact| contact.rung.take()) else { return false };
        let forward = self.forward_of(&phone);
        let (to, why) = match cause {
            Cause::Busy => (forward.busy, DivertedFor::Busy),
            Cause::NoAnswer => (forward.no_answer, DivertedFor::NoAnswer),
            Cause::NotRegistered | Cause::Lost => (forward.unregistered, DivertedFor::Unavailable),
            _ => return false,
        };
        match to {
            Some(to) => self.send_on(id, phone, &to, why),
            None => return false,
        }
        true
    }

    fn forward_of(&self, phone: &Extension) -> Forward {
        self.config.phones.get(phone).map(|phone| phone.forward.clone()).unwrap_or_default()
    }

    fn send_on(&mut self, id: ContactId, phone: Extension, to: &Number, why: DivertedFor) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let circle = contact.forwards.contains(&phone);
        if circle || contact.forwards.len() >= FORWARDS_MAX {
            return self.turn_away(id, Cause::NotRegistered, EndCause::NotReachable);
        }
        contact.forwards.push(phone.clone());
        let hops = u8::try_from(contact.forwards.len()).unwrap_or(u8::MAX);
        contact.forwarded = Some(Forwarded { by: phone.clone(), why, hops });
        let destination = self.lines.route(&Party::Phone(phone.clone()), to.as_str());
        match destination {
            Destination::Phone(next) => {
                self.forwarded(id, &phone, why, None);
                self.ring_phone(id, next);
            }
            Destination::Agent(agent) => match self.config.agents.get(&agent).and_then(|agent| agent.phone.clone()) {
                Some(next) => {
                    self.forwarded(id, &phone, why, None);
                    self.ring_phone(id, next);
                }
                None => self.turn_away(id, Cause::NotRegistered, EndCause::NotReachable),
            },
            Destination::Outward { .. } | Destination::Forbidden => self.send_out(id, phone, why, destination),
            // Help is called by somebody, not by a setting.
            Destination::Emergency { .. } | Destination::Helpless(_) => {
                self.turn_away(id, Cause::Forbidden, EndCause::Forbidden);
            }
            Destination::Unknown => self.turn_away(id, Cause::NotFound, EndCause::NoRoute),
        }
    }

    /// Outside, when the dial plan and the caps of the forwarding phone let it go.
    fn send_out(&mut self, id: ContactId, phone: Extension, why: DivertedFor, destination: Destination) {
        if let Err(refusal) = self.may_go_out(&phone, &destination) {
            self.outward_refused(&phone, refusal);
            self.chronicle.tell_of(id, Kind::OutwardRefused { phone, why: refusal });
            return self.turn_away(id, Cause::Forbidden, EndCause::Forbidden);
        }
        let Destination::Outward { trunk, number } = destination else { return };
        self.forwarded(id, &phone, why, Some(trunk.clone()));
        let leg = self.contacts.get(&id).and_then(|contact| contact.leg);
        self.dial_out(id, trunk, self.out(&number, Some(&phone), false));
        if let Some(leg) = leg {
            self.lines.early(self.now, leg);
        }
    }

    fn forwarded(&mut self, id: ContactId, phone: &Extension, why: DivertedFor, trunk: Option<model::TrunkId>) {
        let agent = self.phones.agent(phone).cloned();
        let kind = Kind::Forwarded { phone: phone.clone(), agent, why, trunk };
        self.caps.note(&Fact { seq: 0, at: self.chronicle.wall, contact: Some(id), kind: kind.clone() });
        self.chronicle.tell_of(id, kind);
    }
}
