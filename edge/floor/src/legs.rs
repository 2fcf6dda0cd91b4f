//! What happens to a leg, decided by what the leg is to its contact.

use call::leg::Cause;
use model::{
    ContactId, LegId,
    fact::{EndCause, OfferOutcome},
};

use crate::{
    Floor,
    contact::{Role, State},
    lines::Lines,
};

impl<L: Lines> Floor<L> {
    pub(crate) fn leg_answered(&mut self, leg: LegId) {
        if self.test_answered(leg) || self.code_answered(leg) {
            return;
        }
        let Some((id, role)) = self.legs.get(&leg).cloned() else { return };
        match role {
            Role::Caller => self.caller_answered(id),
            Role::Offered(agent) => self.offer_answered(id, &agent, leg),
            Role::Target => self.target_answered(id, leg),
            Role::Third => self.third_answered(id),
            Role::Listener => self.listener_answered(id, leg),
            Role::Returning => self.came_back(id, leg),
            Role::Partner | Role::Leaving | Role::Away => {}
        }
    }

    fn caller_answered(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.up = true;
        match std::mem::replace(&mut contact.state, State::Arriving) {
            State::Answering { flow } => self.start_flow(id, flow),
            State::CallingBack { agent, leg } => self.customer_answered(id, agent, leg),
            State::PhoneFirst { number } => self.phone_is_up(id, &number),
            state => contact.state = state,
        }
    }

    pub(crate) fn leg_rings(&mut self, leg: LegId) {
        let Some((id, role)) = self.legs.get(&leg).cloned() else { return };
        match role {
            Role::Target => self.target_rings(id),
            Role::Offered(_) => self.guest_rings(id),
            Role::Caller
            | Role::Partner
            | Role::Leaving
            | Role::Third
            | Role::Listener
            | Role::Away
            | Role::Returning => {}
        }
    }

    /// A leg has ended for good: by its party, by the desk's wish, or by the network.
    pub(crate) fn leg_ended(&mut self, leg: LegId, cause: Cause) {
        if self.test_ended(leg) || self.code_ended(leg) {
            return;
        }
        if self.goes_away(leg, cause) {
            return;
        }
        self.disengage(leg);
        let Some((id, role)) = self.legs.remove(&leg) else { return };
        self.tell_if_taken(id, &role, cause);
        match role {
            Role::Caller => self.caller_gone(id, cause),
            Role::Offered(agent) => {
                self.offers.remove(&agent);
                let outcome = offer_outcome(cause);
                self.ask_acd(acd::Input::OfferEnded { agent, outcome });
            }
            Role::Target => self.target_gone(id, cause),
            Role::Partner => self.partner_gone(id, cause),
            Role::Leaving => self.leaver_gone(id, leg),
            Role::Third => self.third_gone(id),
            Role::Listener => self.listener_gone(id, leg),
            Role::Returning => self.not_back_yet(id, leg),
            Role::Away => {}
        }
    }

    fn caller_gone(&mut self, id: ContactId, cause: Cause) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        contact.leg = None;
        if let State::CallingBack { leg, .. } = &contact.state {
            let agent = *leg;
            return self.customer_gone(id, agent, cause);
        }
        let end = match (&contact.state, cause) {
            // Our own tunnel to the origin.
            _ if contact.guest.is_some() => EndCause::NotReachable,
            // The agent's own phone did not take the agent's call.
            (State::PhoneFirst { .. }, cause) => end_cause(cause),
            (_, Cause::Overload) => EndCause::Overload,
            (_, Cause::Fault | Cause::Media) => EndCause::Fault,
            (_, Cause::Lost) => EndCause::NotReachable,
            _ => EndCause::Caller,
        };
        self.end(id, end);
    }
}

/// How a ringing phone's end is told to the distributor.
fn offer_outcome(cause: Cause) -> OfferOutcome {
    match cause {
        Cause::NoAnswer => OfferOutcome::TimedOut,
        Cause::Busy | Cause::Forbidden | Cause::PartyHungUp | Cause::Ours => OfferOutcome::Declined,
        Cause::NotRegistered | Cause::Media | Cause::NotFound | Cause::Overload | Cause::Lost | Cause::Fault => {
            OfferOutcome::Failed
        }
    }
}

/// Why a contact ends whose called party did not answer.
pub(crate) fn end_cause(cause: Cause) -> EndCause {
    match cause {
        Cause::Busy => EndCause::Busy,
        Cause::Forbidden => EndCause::Forbidden,
        Cause::Overload => EndCause::Overload,
        Cause::Media | Cause::Fault => EndCause::Fault,
        Cause::PartyHungUp | Cause::Ours => EndCause::Agent,
        Cause::NoAnswer | Cause::NotRegistered | Cause::NotFound | Cause::Lost => EndCause::NotReachable,
    }
}
