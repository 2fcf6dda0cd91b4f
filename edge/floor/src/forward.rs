//! Call forwarding: a call to a phone goes on to where the phone's own forward says. It is the forwarding phone's call from
//! there on: the one dial plan lets it go or not, and that phone's caps pay for it (S-140).

use std::time::Duration;

use call::leg::{Cause, Destination, Forwarded, Party};
use model::{
    ContactId, Extension, FlowId, Number,
    fact::{DivertedFor, EndCause, Fact, Kind},
    forward::Forward,
};

use crate::{Floor, contact::State, lines::Lines, timer::Timer};

/// How often a call is sent on; a circle ends before.
const FORWARDS_MAX: usize = 5;

/// Where a forward leads.
pub(crate) enum Hop {
    Phone(Extension),
    /// One of the house's own numbers.
    Flow(FlowId),
    /// Outside, if dial plan and caps let it.
    Out(Destination),
    Nowhere(Cause, EndCause),
}

/// Where a call to a phone ends up at this moment, and the phones that send it on, in order.
pub(crate) struct Followed {
    pub hop: Hop,
    pub by: Vec<(Extension, DivertedFor)>,
}

impl<L: Lines> Floor<L> {
    /// Rings a phone for a caller who waits for it, or goes where its calls go.
    pub(crate) fn ring_phone(&mut self, id: ContactId, phone: Extension) {
        if let Some((to, why)) = self.instead(&phone) {
            return self.send_on(id, phone, &to, why);
        }
        if self.phones.is_busy(&phone) {
            return self.turn_away(id, Cause::Busy, EndCause::Busy);
        }
        let Forward { no_answer, after_s, .. } = self.forward_of(&phone);
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

    /// Where its calls go before it is rung at all.
    fn instead(&self, phone: &Extension) -> Option<(Number, DivertedFor)> {
        let Forward { always, busy, unregistered, .. } = self.forward_of(phone);
        match always {
            Some(to) => Some((to, DivertedFor::Always)),
            None if self.phones.is_busy(phone) => busy.map(|to| (to, DivertedFor::Busy)),
            None if !self.lines.is_registered(phone) => unregistered.map(|to| (to, DivertedFor::Unavailable)),
            None => None,
        }
    }

    /// Follows the forwards that hold now; nothing is rung yet. None: in a circle, or too far.
    pub(crate) fn follow(&self, phone: Extension) -> Option<Followed> {
        let (mut hop, mut by) = (Hop::Phone(phone), Vec::new());
        while let Hop::Phone(phone) = &hop {
            let Some((to, why)) = self.instead(phone) else { break };
            if by.len() >= FORWARDS_MAX || by.iter().any(|(before, _)| before == phone) {
                return None;
            }
            by.push((phone.clone(), why));
            hop = self.hop(phone, &to);
        }
        Some(Followed { hop, by })
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
        match self.not_taken_goes(&phone, cause) {
            Some((to, why)) => self.send_on(id, phone, &to, why),
            None => return false,
        }
        true
    }

    /// Where a call goes that this phone was rung for and did not take.
    pub(crate) fn not_taken_goes(&self, phone: &Extension, cause: Cause) -> Option<(Number, DivertedFor)> {
        let forward = self.forward_of(phone);
        match cause {
            Cause::Busy => Some((forward.busy?, DivertedFor::Busy)),
            Cause::NoAnswer => Some((forward.no_answer?, DivertedFor::NoAnswer)),
            Cause::NotRegistered | Cause::Lost => Some((forward.unregistered?, DivertedFor::Unavailable)),
            _ => None,
        }
    }

    pub(crate) fn forward_of(&self, phone: &Extension) -> Forward {
        self.config.phones.get(phone).map(|phone| phone.forward.clone()).unwrap_or_default()
    }

    /// The phone sends the call on; false when the call has been here before, or too far.
    pub(crate) fn passed_on(&mut self, id: ContactId, phone: &Extension, why: DivertedFor) -> bool {
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        if contact.forwards.contains(phone) || contact.forwards.len() >= FORWARDS_MAX {
            return false;
        }
        contact.forwards.push(phone.clone());
        let hops = u8::try_from(contact.forwards.len()).unwrap_or(u8::MAX);
        contact.forwarded = Some(Forwarded { by: phone.clone(), why, hops });
        true
    }

    /// Where `to` leads when this phone dials it.
    pub(crate) fn hop(&self, phone: &Extension, to: &Number) -> Hop {
        let destination = self.lines.route(&Party::Phone(phone.clone()), to.as_str());
        // Help is called by somebody, not by a setting.
        if matches!(destination, Destination::Emergency { .. } | Destination::Helpless(_)) {
            return Hop::Nowhere(Cause::Forbidden, EndCause::Forbidden);
        }
        if let Some(flow) = self.flow_of(to.as_str()) {
            return Hop::Flow(flow);
        }
        match destination {
            Destination::Phone(next) => Hop::Phone(next),
            Destination::Agent(agent) => match self.config.agents.get(&agent).and_then(|agent| agent.phone.clone()) {
                Some(next) => Hop::Phone(next),
                None => Hop::Nowhere(Cause::NotRegistered, EndCause::NotReachable),
            },
            Destination::Unknown => Hop::Nowhere(Cause::NotFound, EndCause::NoRoute),
            out => Hop::Out(out),
        }
    }

    fn send_on(&mut self, id: ContactId, phone: Extension, to: &Number, why: DivertedFor) {
        if !self.passed_on(id, &phone, why) {
            return self.turn_away(id, Cause::NotRegistered, EndCause::NotReachable);
        }
        match self.hop(&phone, to) {
            Hop::Phone(next) => {
                self.forwarded(id, &phone, why, None);
                self.ring_phone(id, next);
            }
            Hop::Flow(flow) => {
                self.forwarded(id, &phone, why, None);
                if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) {
                    self.answer_with(id, leg, flow);
                }
            }
            Hop::Out(destination) => self.send_out(id, phone, why, destination),
            Hop::Nowhere(cause, end) => self.turn_away(id, cause, end),
        }
    }

    /// Outside, when the dial plan and the caps of the forwarding phone let it go.
    fn send_out(&mut self, id: ContactId, phone: Extension, why: DivertedFor, destination: Destination) {
        if !self.lets_out(id, &phone, &destination) {
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

    /// Do dial plan and caps of the forwarding phone let the call out? A refusal is told.
    pub(crate) fn lets_out(&mut self, id: ContactId, phone: &Extension, destination: &Destination) -> bool {
        let Err(why) = self.may_go_out(phone, destination) else { return true };
        self.outward_refused(phone, why);
        self.chronicle.tell_of(id, Kind::OutwardRefused { phone: phone.clone(), why });
        false
    }

    pub(crate) fn forwarded(
        &mut self,
        id: ContactId,
        phone: &Extension,
        why: DivertedFor,
        trunk: Option<model::TrunkId>,
    ) {
        let agent = self.phones.agent(phone).cloned();
        let kind = Kind::Forwarded { phone: phone.clone(), agent, why, trunk };
        self.caps.note(&Fact { seq: 0, at: self.chronicle.wall, contact: Some(id), kind: kind.clone() });
        self.chronicle.tell_of(id, kind);
    }
}
