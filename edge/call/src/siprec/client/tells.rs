//! What a recording server is told while it has a call, and what it says to it.

use std::time::Instant;

use bytes::Bytes;
use media::plane::Security;
use media::sdp::{self, Direction, Stream};
use model::LegId;
use sip::endpoint::DialogId;

use super::super::{NoCopy, Recorder, scene::follow, scene::metadata, strand};
use super::{Copy, Stage, direction};
use crate::calls::Calls;
use crate::session::{self, Reanswered};
use crate::timer::Timer;

/// How often a server is told what it refuses to hear.
const TELLS_MAX: u8 = 3;

impl Calls {
    /// Servers hear of what has changed around their calls. A silence is in force at once, its end when the server is told.
    pub(crate) fn tell_recorders(&mut self, now: Instant) {
        while let Some(leg) = self.siprec.changed.pop_first() {
            for id in self.siprec.by_leg.get(&leg).cloned().unwrap_or_default() {
                let Some(mut copy) = self.siprec.copies.remove(&id) else { continue };
                let is_up = matches!(copy.stage, Stage::Up(..));
                let scene = self.scene(&copy);
                if is_up && (scene.still || !copy.told.still) {
                    self.silence_copy(&mut copy, scene.still);
                }
                let news = is_up && !copy.asked && scene != copy.told;
                self.siprec.copies.insert(id, copy);
                if news {
                    self.copy_tells(now, id);
                }
            }
        }
    }

    /// A re-INVITE with everything as it stands.
    pub(super) fn copy_tells(&mut self, now: Instant, id: LegId) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        if let (Stage::Up(dialog, _), false, Some(locals)) =
            (copy.stage.clone(), copy.asked, strand::locals(self, &copy.strands))
        {
            let (scene, at) = (self.scene(&copy), copy.wall(now));
            follow(&mut copy.parts, &scene, at);
            let pairs = copy.strands.iter_mut().zip(&locals);
            let offers: Option<Vec<Bytes>> = pairs.map(|(strand, local)| strand.session.offer_anew(*local)).collect();
            if let Some(sdp) = offers.and_then(|offers| strand::offer(&offers, direction(&scene))) {
                let about = metadata(&copy, at).write();
                self.silence_copy(&mut copy, scene.still);
                (copy.before, copy.asked) = (std::mem::replace(&mut copy.told, scene), true);
                self.endpoint.reinvite_with(now, dialog, sdp, about.into());
            }
        }
        self.siprec.copies.insert(id, copy);
    }

    pub(super) fn copy_reanswered(&mut self, now: Instant, id: LegId, answer: Option<&[u8]>) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        (copy.asked, copy.in_ack) = (false, false);
        match answer {
            Some(_) => copy.tells = 0,
            None => self.copy_unheard(now, id, &mut copy),
        }
        let theirs = answer.map(|answer| sdp::split(answer).unwrap_or_default());
        let recorder = match &copy.stage {
            Stage::Up(_, name) => self.recorder(name.as_str()).cloned(),
            _ => None,
        };
        let inside = recorder.is_some_and(|one| stays_inside(&one, theirs.as_deref().unwrap_or_default()));
        let mut broken = !inside;
        for (at, strand) in copy.strands.iter_mut().enumerate().filter(|_| inside) {
            let text = theirs.as_ref().and_then(|theirs| theirs.get(at)).filter(|stream| stream.live);
            let before = strand.session.reanswered(text.map(|stream| stream.text.as_bytes()), &self.ports);
            broken |= before == Reanswered::Broken;
            if theirs.is_some() {
                strand.refused = text.is_none();
            }
        }
        if !broken {
            self.connect_copy(&mut copy);
        }
        if answer.is_some() {
            self.siprec.changed.insert(copy.of);
        }
        self.siprec.copies.insert(id, copy);
        if broken {
            self.copy_failed(now, id, NoCopy::Media);
        }
    }

    /// A server refused to hear it: what it knows is what it knew before, and it is told again after a pause, a few times.
    fn copy_unheard(&mut self, now: Instant, id: LegId, copy: &mut Copy) {
        if self.scene(copy) == copy.before {
            copy.told = copy.before.clone();
        } else if copy.tells < TELLS_MAX {
            copy.told = copy.before.clone();
            copy.tells = copy.tells.saturating_add(1);
            self.timers.start(now, id, Timer::Reoffer);
        }
    }

    /// The pause is over. False: it is no copy.
    pub(crate) fn copy_told_again(&mut self, id: LegId) -> bool {
        let of = self.siprec.copies.get(&id).map(|copy| copy.of);
        self.siprec.changed.extend(of);
        of.is_some()
    }

    /// The server asks for something: where its ports are, for a pause of its own, or only how things stand.
    pub(super) fn copy_reoffered(&mut self, now: Instant, id: LegId, dialog: DialogId, offer: Option<&[u8]>) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        let locals = strand::locals(self, &copy.strands).unwrap_or_default();
        let recorder = copy.recorders.get(copy.next).and_then(|name| self.recorder(name.as_str())).cloned();
        let still = copy.told.still.then_some(Direction::Inactive);
        let answer = match offer.map(sdp::split) {
            // RFC 3261 §14.2: how things stand, as an offer; the answer comes with the ACK.
            None => {
                let pairs = copy.strands.iter_mut().zip(&locals);
                let offers: Option<Vec<Bytes>> = match copy.asked {
                    false => pairs.map(|(strand, local)| strand.session.offer_anew(*local)).collect(),
                    true => None,
                };
                copy.asked |= offers.is_some();
                copy.in_ack = offers.is_some();
                copy.before = copy.told.clone();
                offers.and_then(|offers| strand::offer(&offers, still))
            }
            Some(Ok(theirs)) if recorder.is_some_and(|recorder| stays_inside(&recorder, &theirs)) => {
                let heard = strand::hear(self, &mut copy.strands, session::Part::Offer, &theirs);
                let strands = copy.strands.iter_mut().zip(&locals);
                let answers: Vec<Bytes> = strands.map(|(strand, local)| strand.session.answer(*local)).collect();
                let answer = strand::answer(&answers, &copy.strands, &theirs, still).filter(|_| heard);
                if answer.is_some() {
                    self.connect_copy(&mut copy);
                }
                answer
            }
            Some(_) => None,
        };
        match answer {
            Some(answer) => self.endpoint.accept(now, dialog, answer),
            None => self.endpoint.reject(now, dialog, 488),
        }
        self.siprec.copies.insert(id, copy);
    }
}

/// No description leads audio out of the house: asked before anything of it is taken in.
pub(super) fn stays_inside(recorder: &Recorder, theirs: &[Stream]) -> bool {
    let mut live = theirs.iter().filter(|stream| stream.live);
    live.all(|stream| {
        let audio = sdp::parse(stream.text.as_bytes()).and_then(sdp::Session::audio);
        let target = audio.ok().and_then(|audio| audio.remote(false, false, Security::Clear));
        target.is_none_or(|target| recorder.hears_at(target.addr.ip()))
    })
}
