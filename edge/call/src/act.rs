//! Performs what the state table says. An act that cannot be performed is a fault of ours and ends its leg.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use model::LegId;
use sip::endpoint::DialogId;

use crate::calls::Calls;
use crate::leg::{Cause, Event};
use crate::legs::Leg;
use crate::machine::{Act, State};
use crate::timer::Timer;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the leg is gone")]
    Gone,
    #[error("the leg has no dialog")]
    Dialog,
    #[error("the leg has no open port")]
    Port,
    #[error("the leg has no INVITE to send")]
    Invite,
}

impl Calls {
    pub(crate) fn act(&mut self, now: Instant, id: LegId, act: Act) -> Result<(), Error> {
        match act {
            Act::OpenPort => self.open_port(now, id),
            Act::Connect => self.connect(id),
            Act::Alert => self.provisional(now, id, 180, None),
            Act::Progress => {
                let local = self.local(id)?;
                let sdp = self.leg_mut(id)?.session.answer(local);
                self.provisional(now, id, 183, Some(sdp))
            }
            Act::Accept => self.accept(now, id),
            Act::Invite => self.invite(now, id),
            Act::Reoffer => {
                self.reoffer(now, id);
                Ok(())
            }
            Act::TellRinging => {
                self.tell(Event::Ringing { leg: id });
                Ok(())
            }
            Act::TellAnswered => self.tell_answered(now, id),
            Act::TellTunnel => self.tell_tunnel(now, id),
        }
    }

    fn open_port(&mut self, now: Instant, id: LegId) -> Result<(), Error> {
        let leg = self.legs.get_mut(&id).ok_or(Error::Gone)?;
        let (port, command) = self.ports.open(id, leg.is_tunnel());
        leg.port = Some(port);
        self.timers.start(now, id, Timer::Port);
        self.media(command);
        Ok(())
    }

    fn provisional(&mut self, now: Instant, id: LegId, status: u16, sdp: Option<Bytes>) -> Result<(), Error> {
        let dialog = self.dialog(id)?;
        self.endpoint.provisional(now, dialog, status, sdp);
        Ok(())
    }

    fn accept(&mut self, now: Instant, id: LegId) -> Result<(), Error> {
        let dialog = self.dialog(id)?;
        // RFC 3261 §13.2.1: after an answer in a provisional response, the 2xx repeats it; the endpoint keeps an offer of
        // ours that was answered there to itself.
        let sdp = match self.leg_mut(id)?.session.last() {
            Some(said) => said,
            None => {
                let local = self.local(id)?;
                let session = &mut self.leg_mut(id)?.session;
                // A delayed offer: the 2xx carries ours (RFC 3264 §4, RFC 3261 §13.2.1).
                if session.has_offer() { session.answer(local) } else { session.offer(local) }
            }
        };
        self.endpoint.accept(now, dialog, sdp);
        Ok(())
    }

    fn invite(&mut self, now: Instant, id: LegId) -> Result<(), Error> {
        let local = self.local(id)?;
        let leg = self.legs.get_mut(&id).ok_or(Error::Gone)?;
        let mut invite = leg.invite.take().ok_or(Error::Invite)?;
        invite.sdp = leg.session.offer(local);
        invite.sdp_to_browsers = leg.session.offer_to_browsers(local);
        let dialog = self.endpoint.invite(now, invite);
        leg.dialog = Some(dialog);
        self.dialogs.insert(dialog, id);
        self.timers.start(now, id, Timer::Ring);
        Ok(())
    }

    /// A re-INVITE when the peer was told something else than we want, and the dialog is free for it.
    pub(crate) fn reoffer(&mut self, now: Instant, id: LegId) {
        let Ok(local) = self.local(id) else { return };
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.state == State::Up) else { return };
        let Some(dialog) = leg.dialog else { return };
        if let Some(sdp) = leg.session.reoffer(local) {
            self.endpoint.reinvite(now, dialog, sdp);
        }
    }

    /// A re-INVITE that changes nothing: a peer that is gone does not answer it, and the endpoint ends its dialog
    /// (RFC 3261 §14.1, §12.2.1.2). Again and again while it is silent. Behind a tunnel there is nobody to ask: a box
    /// whose process died under the call keeps the path alive and says no more, so that this long a silence is its end.
    pub(crate) fn probe(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.state == State::Up) else { return };
        if leg.is_tunnel() {
            return self.end(now, id, Cause::Lost);
        }
        if let (Some(dialog), Some(sdp)) = (leg.dialog, leg.session.probe()) {
            self.endpoint.reinvite(now, dialog, sdp);
        }
        self.timers.start(now, id, Timer::Probe);
    }

    /// The session's time is to be renewed by the description that stands (RFC 4028 §7.4).
    pub(crate) fn refresh(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.state == State::Up) else { return };
        if let (Some(dialog), Some(sdp)) = (leg.dialog, leg.session.probe()) {
            self.endpoint.reinvite(now, dialog, sdp);
        }
    }

    fn tell_answered(&mut self, now: Instant, id: LegId) -> Result<(), Error> {
        self.timers.stop(id, Timer::Ring);
        let ringback = std::mem::take(&mut self.leg_mut(id)?.ringback);
        self.silence(&ringback);
        self.tell(Event::Answered { leg: id });
        self.transfer_joined(now, id);
        Ok(())
    }

    fn tell_tunnel(&mut self, now: Instant, id: LegId) -> Result<(), Error> {
        let leg = self.leg_mut(id)?;
        if !leg.is_tunnel() {
            return Ok(());
        }
        if leg.state == State::TunnelOpen {
            self.timers.start(now, id, Timer::Tunnel);
        }
        let local = self.local(id)?;
        self.tell(Event::TunnelOpen { leg: id, local });
        Ok(())
    }

    pub(crate) fn leg_mut(&mut self, id: LegId) -> Result<&mut Leg, Error> {
        self.legs.get_mut(&id).ok_or(Error::Gone)
    }

    fn dialog(&self, id: LegId) -> Result<DialogId, Error> {
        self.legs.get(&id).ok_or(Error::Gone)?.dialog.ok_or(Error::Dialog)
    }

    /// Our audio address of this leg.
    pub(crate) fn local(&self, id: LegId) -> Result<SocketAddr, Error> {
        let port = self.legs.get(&id).ok_or(Error::Gone)?.port.ok_or(Error::Port)?;
        self.ports.local(port).ok_or(Error::Port)
    }
}
