//! A contact that talks to somebody: joined, recorded, held, and ended by one of the two.

use call::leg::Cause;
use model::{
    AgentId, ContactId, LegId,
    fact::{EndCause, Kind},
};

use crate::{
    Floor,
    callback::Callback,
    contact::{Partner, Role, State, Talk},
    lines::Lines,
};

impl<L: Lines> Floor<L> {
    /// An agent took the contact that the distributor offered.
    pub(crate) fn agent_answered(&mut self, id: ContactId, agent: AgentId, leg: LegId) {
        if self.contacts.get(&id).is_some_and(|contact| contact.guest.is_some()) {
            return self.give_help(id, agent, leg);
        }
        if self.is_promised(id) {
            return self.call_customer(id, agent, leg);
        }
        self.stop_asking(id);
        self.chronicle.tell_of(id, Kind::Answered { agent: Some(agent.clone()) });
        if let Some(contact) = self.contacts.get(&id) {
            self.regulars.served(&contact.card.number, &agent);
        }
        self.begin_talk(id, Partner::Agent(agent), leg);
    }

    /// The two hear each other from here on; a recorded queue's contact is recorded.
    pub(crate) fn begin_talk(&mut self, id: ContactId, with: Partner, leg: LegId) {
        self.legs.insert(leg, (id, Role::Partner));
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.answered.get_or_insert(self.now);
            // Who talks to somebody need not be called back.
            contact.callback = Callback::None;
            if let Some(out) = &mut contact.out {
                out.answered = true;
            }
        }
        if let Partner::Agent(agent) = &with
            && let Some(card) = self.card_of(self.now, id)
        {
            self.cards.insert(agent.clone(), card);
        }
        if let Partner::Agent(agent) = &with {
            let agent = agent.clone();
            self.spares_callbacks(id, &agent);
        }
        self.set_state(id, State::Talking(Talk { with, leg, held: false }));
        let sides = [Some(leg), self.contacts.get(&id).and_then(|contact| contact.leg)];
        for side in sides.into_iter().flatten().filter(|side| self.lines.is_browser(*side)) {
            self.phones.in_browser(side);
        }
        if let Some(caller) = self.contacts.get(&id).and_then(|contact| contact.leg) {
            self.lines.stop(self.now, caller);
            self.lines.join(self.now, caller, leg);
        }
        self.record(id);
    }

    pub(crate) fn partner_gone(&mut self, id: ContactId, cause: Cause) {
        if self.away(id).is_some() {
            return self.end(id, EndCause::Agent);
        }
        if matches!(self.contacts.get(&id).map(|contact| &contact.state), Some(State::CallingBack { .. })) {
            return self.not_reached(id, EndCause::Agent, true);
        }
        let Some(talk) = self.talk(id).cloned() else { return };
        if self.hand_over(id, &talk) || self.goes_on_after(id, &talk, cause) {
            return;
        }
        match talk.with {
            Partner::Site(overflow, _) => self.path_lost(overflow),
            Partner::Agent(_) | Partner::Party => {
                let lost = matches!(cause, Cause::Lost | Cause::Fault | Cause::Media);
                self.end(id, if lost { EndCause::NotReachable } else { EndCause::Agent });
            }
        }
    }

    /// One of our phones holds or comes back; its other party hears music meanwhile. A party outside that holds brings
    /// music of its own.
    pub(crate) fn held_by_phone(&mut self, leg: LegId, held: bool) {
        let Some((id, Role::Caller | Role::Partner)) = self.legs.get(&leg).cloned() else { return };
        let inside = self.phones.phone_of(leg).is_some();
        if inside && let Some(other) = self.other_leg(id, leg) {
            let changed = self.mark_held(id, held);
            match (changed, held) {
                (true, true) => self.music_to(id, other),
                (true, false) => self.lines.stop(self.now, other),
                (false, _) => {}
            }
        }
    }

    /// The desk holds: the other party is put on hold by us. False: there is nothing to hold, or it is held.
    pub(crate) fn hold(&mut self, id: ContactId, leg: LegId) -> bool {
        let Some(other) = self.other_leg(id, leg) else { return false };
        let changed = self.mark_held(id, true);
        if changed {
            self.lines.hold(self.now, other);
            self.music_to(id, other);
        }
        changed
    }

    pub(crate) fn resume(&mut self, id: ContactId, leg: LegId) -> bool {
        let Some(other) = self.other_leg(id, leg) else { return false };
        let changed = self.mark_held(id, false);
        if changed {
            self.lines.resume(self.now, other);
        }
        changed
    }

    fn mark_held(&mut self, id: ContactId, held: bool) -> bool {
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        let State::Talking(talk) = &mut contact.state else { return false };
        if talk.held == held {
            return false;
        }
        talk.held = held;
        self.chronicle.tell_of(id, if held { Kind::Held } else { Kind::Resumed });
        self.tune(id);
        true
    }

    /// Whom this leg talks to.
    pub(crate) fn other_leg(&self, id: ContactId, leg: LegId) -> Option<LegId> {
        let talk = self.talk(id)?;
        if talk.leg == leg { self.contacts.get(&id)?.leg } else { Some(talk.leg) }
    }
}
