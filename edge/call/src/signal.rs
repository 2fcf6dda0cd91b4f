//! What the SIP endpoint reports, put into a leg's terms.

use std::time::Instant;

use bytes::Bytes;
use media::plane::Command;
use model::{Extension, LegId, TrunkId};
use sip::endpoint::{self, Binding, DialogId, EndedBy, Invited};
use sip::message::Release;

use crate::calls::Calls;
use crate::cause;
use crate::identity::Arrived;
use crate::leg::{Caller, Cause, Event, Party};
use crate::legs::Leg;
use crate::machine::{self, State};
use crate::route;
use crate::session::{Part, Reanswered, Session};
use crate::timer::Timer;
use crate::trunk::{Priority, Room, Way};

impl Calls {
    pub(crate) fn on_sip(&mut self, now: Instant, event: endpoint::Event) {
        use endpoint::Event as E;
        let Some(event) = self.on_recording_sip(now, event) else { return };
        match event {
            E::Invited { dialog, invited } => self.invited(now, dialog, invited),
            E::Progress { dialog, sdp, authorised, .. } => self.of(dialog, |calls, leg| {
                let sdp = sdp.filter(|_| calls.passes_early(leg, authorised));
                calls.progress(now, leg, sdp);
            }),
            E::Answered { dialog, sdp } => self.of(dialog, |calls, leg| calls.answered(now, leg, &sdp)),
            E::Failed { dialog, status, why } => self.of(dialog, |calls, leg| calls.refused(now, leg, status, why)),
            E::EarlyAnswered { dialog, sdp } => self.of(dialog, |calls, leg| calls.early_answered(now, leg, &sdp)),
            E::Confirmed { dialog, sdp } => self.of(dialog, |calls, leg| calls.confirmed(now, leg, sdp)),
            E::Reoffer { dialog, sdp } => self.of(dialog, |calls, leg| calls.reoffered(now, dialog, leg, sdp)),
            E::Reanswered { dialog, sdp } => self.of(dialog, |calls, leg| calls.reanswered(now, leg, sdp)),
            E::Referred { dialog, target, replaces } => {
                let replaces = replaces.map(|dialog| self.dialogs.get(&dialog).copied());
                self.of(dialog, |calls, leg| calls.referred(now, dialog, leg, target, replaces));
            }
            E::RefreshDue { dialog } => self.of(dialog, |calls, leg| calls.refresh(now, leg)),
            E::Digit { dialog, digit } => self.of(dialog, |calls, leg| {
                calls.tell(Event::Digit { leg, digit });
                calls.pass_digit(leg, digit);
            }),
            E::Ended { dialog, by, why } => self.of(dialog, |calls, leg| {
                calls.released(leg, None, why);
                let cause = match by {
                    EndedBy::Peer => Cause::PartyHungUp,
                    EndedBy::Us => Cause::Ours,
                    EndedBy::Lost => Cause::Lost,
                };
                calls.ended_by_peer(now, leg, cause);
            }),
            E::Registered { user, binding } => self.registered(&user, binding),
            E::Unregistered { user, contact } => self.unregistered(&user, contact),
            E::TrunkState { trunk, up } => {
                if let Ok(trunk) = TrunkId::new(&trunk) {
                    self.tell(Event::TrunkState { trunk, up });
                }
            }
            E::Refused { cause, status } => self.tell(Event::Refused { cause, status }),
            // Of recording sessions, which have been dealt with.
            E::Described { .. } => {}
        }
    }

    /// A dialog whose leg has ended may still speak; nobody listens.
    fn of(&mut self, dialog: DialogId, then: impl FnOnce(&mut Self, LegId)) {
        if let Some(leg) = self.dialogs.get(&dialog).copied() {
            self.touch(leg);
            then(self, leg);
        }
    }

    fn invited(&mut self, now: Instant, dialog: DialogId, invited: Invited) {
        let id = self.leg_id();
        match self.admit(id, &invited) {
            Ok((party, session)) => {
                let (to, number) = self.called(&party, &invited);
                let mut leg = Leg::new(party.clone(), State::Offered, session);
                leg.dialog = Some(dialog);
                leg.acknowledges = invited.reliable;
                leg.arrived = Arrived {
                    called: matches!(party, Party::Trunk { .. }).then(|| to.clone()),
                    withheld: invited.withheld,
                };
                self.legs.insert(id, leg);
                self.dialogs.insert(dialog, id);
                let diverted = invited.diverted;
                let caller = Caller { number, name: invited.from_name };
                let replaces = invited.replaces.and_then(|dialog| self.dialogs.get(&dialog).copied());
                self.tell(Event::Incoming { leg: id, party, to, caller, replaces });
                diverted.into_iter().for_each(|diverted| self.diverted(id, &diverted));
            }
            Err((cause, status)) => {
                self.endpoint.reject(now, dialog, status);
                self.tell(Event::Refused { cause, status: Some(status) });
            }
        }
    }

    /// Who calls, and whether there is room and a common codec. An error is the counter's name and the status.
    fn admit(&mut self, id: LegId, invited: &Invited) -> Result<(Party, Session), (&'static str, u16)> {
        let session_id = self.session_id();
        let (party, trunk) = match &invited.source {
            endpoint::Source::Phone(user) => {
                let extension = Extension::new(user).map_err(|_| ("unknown_phone", 403))?;
                (Party::Phone(extension), None)
            }
            endpoint::Source::Unproved => (Party::Unproved, None),
            endpoint::Source::Trunk(name) => {
                let trunk = TrunkId::new(name).map_err(|_| ("unknown_trunk", 403))?;
                let known = self.config.site.trunks.get(&trunk).ok_or(("unknown_trunk", 403))?;
                let limits = (Room::of(known), known.behind_nat);
                (Party::Trunk { trunk: trunk.clone(), user: invited.from.clone() }, Some((trunk, limits)))
            }
        };
        let emergency = trunk.is_none() && route::is_emergency(&self.config.site, &invited.to);
        if self.is_full(emergency) {
            return Err(("legs_limit", 503));
        }
        let learn = trunk.as_ref().is_some_and(|(_, (_, behind_nat))| *behind_nat);
        let terms = self.terms(&party, &[invited.transport]).of_emergency(emergency);
        if invited.sdp.is_none() && !terms.can_be_met() {
            return Err(("sdp_protection", 488));
        }
        let mut session = Session::new(session_id, learn, self.protector(terms)).speaking(self.codecs(&party));
        if let Some(sdp) = &invited.sdp {
            // RFC 3261 §13.3.1.3: an offer that cannot be met is refused with 488.
            session.hear(Part::Offer, sdp, &self.ports).map_err(|error| (error.counter(), 488))?;
        }
        if let Some((trunk, (room, _))) = trunk {
            let taken = self.channels.take(&trunk, id, (Way::In, Priority::Ordinary), room);
            taken.map_err(|_| ("trunk_full", 486))?;
        }
        Ok((party, session))
    }

    fn progress(&mut self, now: Instant, id: LegId, sdp: Option<Bytes>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        // Early media that makes no sense is no early media; the final answer decides.
        let sdp = sdp.filter(|_| !leg.session.is_open());
        let early = sdp.is_some_and(|sdp| leg.session.hear(Part::Answer, &sdp, &self.ports).is_ok());
        let waits = leg.ringback.to;
        self.step(now, id, machine::Input::Progress);
        match waits {
            Some(to) if early => {
                let tone = self.legs.get_mut(&id).and_then(|leg| leg.ringback.tone.take());
                if tone.is_some() {
                    self.stop_playing(to, tone);
                }
                self.join_legs(now, to, id);
            }
            Some(_) if self.legs.get(&id).is_some_and(|leg| leg.remote().is_none()) => self.sound_ringback(id),
            _ => {}
        }
    }

    fn answered(&mut self, now: Instant, id: LegId, sdp: &[u8]) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let before = leg.session.holds().by_them;
        if let Err(error) = leg.session.hear(Part::Answer, sdp, &self.ports) {
            tracing::debug!(leg = %id, %error, "an answer that cannot be used");
            return self.end_answered(now, id, Cause::Media);
        }
        self.step(now, id, machine::Input::Answered);
        self.their_hold(id, before);
    }

    /// The peer believes that the call is up: only a BYE tells it otherwise.
    fn end_answered(&mut self, now: Instant, id: LegId, cause: Cause) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Up;
        }
        self.end(now, id, cause);
    }

    fn refused(&mut self, now: Instant, id: LegId, status: u16, why: Option<Release>) {
        let rang = self.legs.get(&id).is_some_and(|leg| leg.state == State::Ringing);
        let outside = self.legs.get(&id).is_some_and(|leg| matches!(leg.party, Party::Trunk { .. }));
        let cause = match outside {
            true => cause::of_trunk(status, why.and_then(|why| why.q850), rang),
            false => cause::of_status(status, rang),
        };
        self.released(id, Some(status), why);
        self.ended_by_peer(now, id, cause);
    }

    fn confirmed(&mut self, now: Instant, id: LegId, sdp: Option<Bytes>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Some(sdp) = sdp {
            // RFC 3261 §13.2.1: the ACK carries the answer to our offer.
            let before = leg.session.holds().by_them;
            if leg.session.hear(Part::Answer, &sdp, &self.ports).is_err() {
                return self.end_answered(now, id, Cause::Media);
            }
            self.their_hold(id, before);
        }
        let Some(leg) = self.legs.get(&id) else { return };
        match leg.state {
            State::Accepted if leg.session.remote().is_none() => self.end(now, id, Cause::Media),
            State::Accepted => {
                self.step(now, id, machine::Input::Confirmed);
            }
            _ => {
                if self.connect(id).is_ok() {
                    self.reoffer(now, id);
                }
            }
        }
    }

    /// Our offer in a progress was answered before the call is.
    fn early_answered(&mut self, now: Instant, id: LegId, sdp: &[u8]) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let before = leg.session.holds().by_them;
        if let Err(error) = leg.session.hear(Part::Answer, sdp, &self.ports) {
            tracing::debug!(leg = %id, %error, "an answer that cannot be used");
            return self.end(now, id, Cause::Media);
        }
        self.their_hold(id, before);
        let _known = self.connect(id);
    }

    fn reoffered(&mut self, now: Instant, dialog: DialogId, id: LegId, sdp: Option<Bytes>) {
        // RFC 3261 §14.2: while we have no port to offer, they ask again a little later.
        let Ok(local) = self.local(id) else { return self.endpoint.reject(now, dialog, 491) };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(sdp) = sdp else {
            let offer = leg.session.offer(local);
            return self.endpoint.accept(now, dialog, offer);
        };
        let before = leg.session.holds().by_them;
        if let Err(error) = leg.session.hear(Part::Offer, &sdp, &self.ports) {
            tracing::debug!(leg = %id, %error, "a new offer that cannot be met: the old session stands");
            return self.endpoint.reject(now, dialog, 488);
        }
        let answer = leg.session.answer(local);
        self.endpoint.accept(now, dialog, answer);
        self.their_hold(id, before);
        let _known = self.connect(id);
    }

    /// Tells media and the owner when the party put us on hold or came back.
    fn their_hold(&mut self, id: LegId, before: bool) {
        let Some(leg) = self.legs.get(&id) else { return };
        let held = leg.session.holds().by_them;
        if held == before {
            return;
        }
        self.scene_changes(id);
        if let Some(port) = self.live_port(id) {
            self.media(Command::Mute { port, muted: held });
        }
        self.tell(Event::Hold { leg: id, held });
    }

    fn reanswered(&mut self, now: Instant, id: LegId, sdp: Option<Bytes>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let before = leg.session.holds().by_them;
        match leg.session.reanswered(sdp.as_deref(), &self.ports) {
            Reanswered::Agreed => {
                self.their_hold(id, before);
                let _known = self.connect(id);
                self.reoffer(now, id);
            }
            Reanswered::Again => self.timers.start(now, id, Timer::Reoffer),
            // A hold that the peer does not want: we go on without it.
            Reanswered::GivenUp => {}
            Reanswered::Broken => self.end(now, id, Cause::Media),
        }
    }

    /// `replaces`: the leg of the asker's other call, Some(None) when that call is over.
    fn referred(&mut self, now: Instant, dialog: DialogId, id: LegId, target: String, replaces: Option<Option<LegId>>) {
        let other = replaces.flatten();
        let sane = replaces.is_none() || other.is_some_and(|other| self.talks(other));
        if sane && self.talks(id) && self.transfers.asked(id) {
            match other {
                Some(replaces) => self.tell(Event::AttendedAsked { leg: id, replaces }),
                None => self.tell(Event::TransferAsked { leg: id, to: target }),
            }
        } else {
            self.endpoint.refer_reject(now, dialog);
        }
    }

    fn registered(&mut self, user: &str, binding: Binding) {
        let Ok(phone) = Extension::new(user) else { return };
        self.bindings.insert((phone.clone(), binding.contact.clone()), binding.clone());
        self.tell(Event::Registered { phone, up: true, binding });
    }

    fn unregistered(&mut self, user: &str, contact: String) {
        let Ok(phone) = Extension::new(user) else { return };
        if let Some(binding) = self.bindings.remove(&(phone.clone(), contact)) {
            self.tell(Event::Registered { phone, up: false, binding });
        }
    }
}
