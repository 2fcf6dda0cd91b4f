//! A browser that vanished in mid-call: its page is loaded anew, or its network has changed. The other party hears music
//! meanwhile; the browser is rung as soon as it is back, and has the same call. Who stays away is let go.

use std::time::Duration;

use call::leg::{Cause, Dial, Party};
use model::{
    ContactId, Extension, LegId,
    fact::{EndCause, Kind},
};

use crate::{
    Floor,
    contact::{Partner, Role, State, Talk},
    lines::Lines,
    timer::Timer,
};

/// How long the other party waits: a page is loaded in two seconds, a network changed in ten.
pub const AWAY_MAX: Duration = Duration::from_secs(20);

/// A talk whose one side is not there.
#[derive(Debug)]
pub(crate) struct Away {
    pub with: Partner,
    /// The leg that broke. It keeps its phone busy until the call is taken up again or over.
    pub gone: LegId,
    pub phone: Extension,
    /// Who waits.
    far: LegId,
    /// The one who is away is who called.
    called: bool,
    held: bool,
    /// The browser is being rung.
    calling: Option<LegId>,
}

impl<L: Lines> Floor<L> {
    /// True: the leg that was lost may come back, and nothing of its contact has ended.
    pub(crate) fn goes_away(&mut self, leg: LegId, cause: Cause) -> bool {
        let may = |(_, role): &(ContactId, Role)| cause == Cause::Lost && matches!(role, Role::Caller | Role::Partner);
        let Some((id, role)) = self.legs.get(&leg).cloned().filter(may) else { return false };
        let Some(phone) = self.phones.phone_of(leg).cloned().filter(|_| self.phones.is_in_browser(leg)) else {
            return false;
        };
        let Some(Talk { with, leg: partner, held }) = self.talk(id).cloned() else { return false };
        let Some(contact) = self.contacts.get_mut(&id).filter(|contact| contact.may_wait()) else { return false };
        let called = role == Role::Caller;
        let far = if called { Some(partner) } else { contact.leg };
        let Some(far) = far.filter(|_| !matches!(with, Partner::Site(..))) else { return false };
        if called {
            contact.leg = None;
        }
        self.legs.insert(leg, (id, Role::Away));
        if !held {
            self.chronicle.tell_of(id, Kind::Held);
            self.music_to(id, far);
        }
        let away = Away { with, gone: leg, phone: phone.clone(), far, called, held, calling: None };
        self.set_state(id, State::Away(Box::new(away)));
        if let Some(at) = self.now.checked_add(AWAY_MAX) {
            self.timers.set(Timer::Away(id), at);
        }
        // Its new connection may have come before the old one was found dead.
        self.browser_is_back(&phone);
        true
    }

    /// A browser has registered.
    pub(crate) fn browser_is_back(&mut self, phone: &Extension) {
        if !self.lines.has_browser(phone) {
            return;
        }
        let waits =
            |state: &State| matches!(state, State::Away(away) if away.phone == *phone && away.calling.is_none());
        let Some((id, caller)) = self
            .contacts
            .iter()
            .find(|(_, contact)| waits(&contact.state))
            .map(|(id, contact)| (*id, contact.card.clone()))
        else {
            return;
        };
        let dial = Dial {
            party: Party::Phone(phone.clone()),
            caller,
            ringback_to: None,
            meets: None,
            on_behalf_of: None,
            forwarded: None,
        };
        let leg = self.lines.dial(self.now, dial);
        self.phones.add(leg, phone);
        self.legs.insert(leg, (id, Role::Returning));
        if let Some(away) = self.away(id) {
            away.calling = Some(leg);
        }
    }

    pub(crate) fn came_back(&mut self, id: ContactId, leg: LegId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let away = match std::mem::replace(&mut contact.state, State::Arriving) {
            State::Away(away) if away.calling == Some(leg) => *away,
            state => return contact.state = state,
        };
        self.timers.cancel(Timer::Away(id));
        self.phones.take_place(away.gone, leg);
        if self.lines.is_browser(leg) {
            self.phones.in_browser(leg);
        }
        self.legs.remove(&away.gone);
        let Away { with, far, called, held, .. } = away;
        let (role, partner) = if called { (Role::Caller, far) } else { (Role::Partner, leg) };
        self.legs.insert(leg, (id, role));
        if let Some(contact) = self.contacts.get_mut(&id).filter(|_| called) {
            contact.leg = Some(leg);
        }
        self.set_state(id, State::Talking(Talk { with, leg: partner, held }));
        if !held {
            self.lines.stop(self.now, far);
            self.chronicle.tell_of(id, Kind::Resumed);
        }
        self.lines.join(self.now, far, leg);
    }

    /// The browser was rung and has not answered: it may register once more.
    pub(crate) fn not_back_yet(&mut self, id: ContactId, leg: LegId) {
        if let Some(away) = self.away(id) {
            away.calling.take_if(|calling| *calling == leg);
        }
    }

    pub(crate) fn stayed_away(&mut self, id: ContactId) {
        if self.away(id).is_some() {
            self.end(id, EndCause::NotReachable);
        }
    }

    pub(crate) fn away(&mut self, id: ContactId) -> Option<&mut Away> {
        match &mut self.contacts.get_mut(&id)?.state {
            State::Away(away) => Some(away),
            _ => None,
        }
    }
}
