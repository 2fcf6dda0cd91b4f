//! A walk through a flow that is interrupted, and goes on: a phone is rung and does not answer, an agent has hung up and the
//! caller is still there.

use std::time::Duration;

use call::leg::Cause;
use ivr::run::Input;
use model::{ContactId, Extension};

use crate::{
    Floor,
    contact::{Partner, State, Talk},
    flow::{GoesOn, Walk},
    lines::Lines,
    timer::Timer,
};

impl<L: Lines> Floor<L> {
    pub(crate) fn ring_from_flow(&mut self, id: ContactId, walk: Walk, phone: Extension, wait: Duration) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.goes_on = Some(GoesOn::Ringing(walk));
        let (caller, card) = (contact.leg, contact.card.clone());
        let (target, agent) = self.ring_for(id, phone, card, (caller, None));
        self.set_state(id, State::Moving { target, agent, back: None });
        if let Some(at) = self.now.checked_add(wait) {
            self.timers.set(Timer::Moving(id), at);
        }
    }

    /// The phone answers: the flow is over.
    pub(crate) fn flow_is_over(&mut self, id: ContactId) {
        if let Some(contact) = self.contacts.get_mut(&id) {
            contact.goes_on.take_if(|on| matches!(on, GoesOn::Ringing(_)));
        }
    }

    /// The phone that the flow rang did not answer. False: it was not the flow's.
    pub(crate) fn not_taken(&mut self, id: ContactId) -> bool {
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        match contact.goes_on.take() {
            Some(GoesOn::Ringing(walk)) => {
                self.walk(id, walk, Some(Input::NotTaken));
                true
            }
            other => {
                contact.goes_on = other;
                false
            }
        }
    }

    /// The queue does not take the caller. False: the flow knows no other way.
    pub(crate) fn turned_away(&mut self, id: ContactId) -> bool {
        let Some(contact) = self.contacts.get_mut(&id) else { return false };
        match contact.goes_on.take() {
            Some(GoesOn::Served(walk)) if walk.run.knows_another_way() => {
                self.walk(id, walk, Some(Input::NotTaken));
                true
            }
            other => {
                contact.goes_on = other;
                false
            }
        }
    }

    /// Who talked to the caller has hung up: does the flow go on?
    pub(crate) fn goes_on_after(&mut self, id: ContactId, talk: &Talk, cause: Cause) -> bool {
        let well = matches!(cause, Cause::PartyHungUp | Cause::Ours) && !matches!(talk.with, Partner::Site(..));
        let Some(contact) = self.contacts.get_mut(&id).filter(|contact| well && contact.guest.is_none()) else {
            return false;
        };
        let Some(caller) = contact.leg else { return false };
        let walk = match contact.goes_on.take() {
            Some(GoesOn::Served(walk)) if walk.run.comes_back() => walk,
            other => {
                contact.goes_on = other;
                return false;
            }
        };
        self.end_card_mode(id, model::fact::CardModeEnd::CallEnded);
        self.disperse(id);
        self.end_recording(id);
        self.end_pause(id, None);
        self.set_state(id, State::Arriving);
        self.lines.part(self.now, caller);
        self.walk(id, walk, Some(Input::Served));
        self.done_with(talk.with.clone());
        true
    }
}
