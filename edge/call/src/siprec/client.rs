//! The box as a recording client (RFC 7866 §6.1): what its recorder records of a call goes to a recording server too. The
//! call knows nothing of it: a server that refuses, hangs or vanishes costs it nothing, and the next one is tried.

mod copy;
mod failures;
mod tells;

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::plane::{Command, PortId};
use media::sdp::{self, Direction};
use model::{LegId, Millis, RecordingId, TrunkId};
use sip::endpoint::{self, Invite, Shown, Target};

use super::scene::{Scene, follow, metadata};
use super::strand::{self, Strand};
use super::{About, CopyState, NoCopy, SESSIONS_MAX, STREAMS_MAX};
use crate::calls::Calls;
use crate::leg::Event;
use crate::session;
use crate::timer::Timer;
pub(super) use copy::Copy;
use copy::Stage;
pub(super) use failures::Failures;

/// A recording server that has not said a word by then is taken for dead.
const PATIENCE: Duration = Duration::from_secs(3);

impl Calls {
    /// Has a recording server of the customer's own record what this recording of a leg's does, where one is to. `wall`
    /// is what the clock shows.
    pub fn copy(&mut self, now: Instant, wall: Millis, recording: RecordingId, of: LegId, about: &About) {
        let wanted = self.config.recorders.iter().filter(|one| one.wants(about.queue.as_ref(), about.number.as_ref()));
        let recorders: Vec<TrunkId> = wanted.map(|recorder| recorder.name.clone()).collect();
        if recorders.is_empty() || !self.legs.contains_key(&of) || self.siprec.by_recording.contains_key(&recording) {
            return;
        }
        // Of a recording that failed here, and goes on as this one.
        let others = self.siprec.by_leg.get(&of).into_iter().flatten();
        let others = others.filter_map(|id| self.siprec.copies.get(id)).map(|copy| copy.recording);
        let failed: Vec<RecordingId> = others.filter(|other| self.recordings.leg(*other).is_none()).collect();
        failed.into_iter().for_each(|other| self.end_copy(now, other));
        if self.siprec.copies.len() >= SESSIONS_MAX {
            let state = CopyState::Missing { recorder: None, why: NoCopy::Limit };
            return self.tell(Event::Copied { recording, state });
        }
        let id = self.leg_id();
        let copy = Copy {
            recording,
            of,
            began: (now, wall),
            since: None,
            paused: self.recordings.is_paused(recording),
            parts: Vec::new(),
            recorders,
            next: 0,
            stage: Stage::Opening,
            strands: Vec::new(),
            told: Scene::default(),
            before: Scene::default(),
            tells: 0,
            silent: false,
            asked: false,
            in_ack: false,
            missing: false,
        };
        self.siprec.copies.insert(id, copy);
        self.siprec.by_recording.insert(recording, id);
        self.siprec.by_leg.entry(of).or_default().insert(id);
        self.copy_next(now, id);
        self.drain(now);
    }

    /// Goes to the next server that may have it, that answers its pings and is not let alone. Without one, no port is
    /// opened; nor where it would be one of those that are kept for calls.
    fn copy_next(&mut self, now: Instant, id: LegId) {
        let Some(copy) = self.siprec.copies.get(&id) else { return };
        let rest = copy.recorders.get(copy.next..).unwrap_or_default();
        let ready = rest.iter().position(|name| self.may_copy(now, name));
        let next = copy.next.saturating_add(ready.unwrap_or(0));
        let recorder = copy.recorders.get(next).and_then(|name| self.recorder(name.as_str())).cloned();
        let Some(recorder) = recorder.filter(|_| ready.is_some()) else {
            let first = copy.recorders.first().cloned();
            return self.copy_rests(now, id, first, NoCopy::Unreachable);
        };
        let Some(ports_left) = self.siprec.ports_left.checked_sub(STREAMS_MAX) else {
            return self.copy_rests(now, id, None, NoCopy::Limit);
        };
        self.siprec.ports_left = ports_left;
        let terms = self.terms_of(&recorder);
        let codec = self.legs.get(&copy.of).and_then(|leg| leg.remote()).map(|remote| remote.codec);
        self.drop_strands(id);
        let said_by = self.session_id();
        let strands: Vec<Strand> = (0..STREAMS_MAX)
            .map(|_| {
                let mut strand = self.strand(id, said_by, terms, codec);
                // We send, and hear nothing.
                strand.session.hold(true);
                self.timers.start(now, strand.leg, Timer::Port);
                strand
            })
            .collect();
        if let Some(copy) = self.siprec.copies.get_mut(&id) {
            (copy.next, copy.stage, copy.strands) = (next, Stage::Opening, strands);
            (copy.asked, copy.in_ack, copy.tells) = (false, false, 0);
        }
    }

    fn may_copy(&self, now: Instant, name: &TrunkId) -> bool {
        let rests = self.siprec.failures.get(name).is_some_and(|failures| failures.rests(now));
        !rests && self.endpoint.trunk_up(name.as_str()) && !self.endpoint.trunk_rests(now, name.as_str())
    }

    pub(super) fn copy_opened(&mut self, now: Instant, id: LegId) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        if copy.stage == Stage::Opening
            && let Some(locals) = strand::locals(self, &copy.strands)
        {
            let scene = self.scene(&copy);
            let at = copy.wall(now);
            follow(&mut copy.parts, &scene, at);
            let offers: Vec<Bytes> =
                copy.strands.iter_mut().zip(&locals).map(|(strand, local)| strand.session.offer(*local)).collect();
            let name = copy.recorders.get(copy.next).map(TrunkId::to_string).unwrap_or_default();
            let invite = Invite {
                to: Target::Trunk { trunk: name.clone(), user: name },
                from_user: self.config.site.site.id.to_string(),
                from_name: None,
                sdp: strand::offer(&offers, direction(&scene)).unwrap_or_default(),
                sdp_to_browsers: None,
                emergency: None,
                patience: Some(PATIENCE),
                shown: Shown::default(),
                recording: Some(metadata(&copy, at).write().into()),
            };
            let dialog = self.endpoint.invite(now, invite);
            copy.stage = Stage::Calling(dialog);
            copy.told = scene;
            self.siprec.by_dialog.insert(dialog, id);
            self.timers.start(now, id, Timer::CopyRing);
        }
        self.siprec.copies.insert(id, copy);
    }

    /// A server that has said that it is there, and has not answered.
    pub(crate) fn copy_unanswered(&mut self, now: Instant, id: LegId) {
        if self.siprec.copies.get(&id).is_some_and(|copy| matches!(copy.stage, Stage::Calling(_))) {
            self.copy_failed(now, id, NoCopy::Unreachable);
        }
    }

    pub(super) fn on_copy(&mut self, now: Instant, id: LegId, event: endpoint::Event) {
        use endpoint::Event as E;
        match event {
            E::Answered { sdp, .. } => self.copy_answered(now, id, &sdp),
            E::Failed { dialog, status, .. } => {
                self.siprec.by_dialog.remove(&dialog);
                let why = if matches!(status, 408 | 503) { NoCopy::Unreachable } else { NoCopy::Refused };
                self.copy_failed(now, id, why);
            }
            E::Ended { dialog, .. } => {
                self.siprec.by_dialog.remove(&dialog);
                self.copy_failed(now, id, NoCopy::Lost);
            }
            E::Reanswered { sdp, .. } => self.copy_reanswered(now, id, sdp.as_deref()),
            E::Confirmed { sdp, .. } if self.siprec.copies.get(&id).is_some_and(|copy| copy.in_ack) => {
                self.copy_reanswered(now, id, sdp.as_deref());
            }
            E::Reoffer { dialog, sdp } => self.copy_reoffered(now, id, dialog, sdp.as_deref()),
            E::RefreshDue { .. } => self.copy_tells(now, id),
            E::Referred { dialog, .. } => self.endpoint.refer_reject(now, dialog),
            // A server says nothing that would change what it gets.
            _ => {}
        }
    }

    fn copy_answered(&mut self, now: Instant, id: LegId, answer: &[u8]) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        let name = copy.recorders.get(copy.next).cloned();
        let recorder = name.as_ref().and_then(|name| self.recorder(name.as_str())).cloned();
        let fits = sdp::split(answer).is_ok_and(|theirs| {
            recorder.as_ref().is_some_and(|recorder| tells::stays_inside(recorder, &theirs))
                && strand::hear(self, &mut copy.strands, session::Part::Answer, &theirs)
        });
        let port = self.live_port(copy.of);
        if let (true, Some(name), Some(dialog), Some(port)) = (fits, name, copy.dialog(), port) {
            copy.stage = Stage::Up(dialog, name.clone());
            copy.since = Some(copy.wall(now));
            copy.missing = false;
            self.timers.stop(id, Timer::CopyRing);
            self.siprec.failures.remove(&name);
            self.connect_copy(&mut copy);
            self.begin_copy(&mut copy, port);
            self.tell(Event::Copied { recording: copy.recording, state: CopyState::Started { recorder: name } });
            // It may have moved while the server thought.
            self.siprec.changed.insert(copy.of);
            self.siprec.copies.insert(id, copy);
        } else {
            self.siprec.copies.insert(id, copy);
            self.copy_failed(now, id, NoCopy::Media);
        }
    }

    fn begin_copy(&mut self, copy: &mut Copy, port: PortId) {
        let (Some(recording), [caller, agent]) = (copy.tape(), copy.strands.as_slice()) else { return };
        let (caller, agent) = (caller.port, agent.port);
        self.media(Command::Copy { recording, port, caller, agent });
        copy.silent = false;
        let still = self.scene(copy).still;
        self.silence_copy(copy, still);
    }

    /// Nothing leaves for the server, or does again.
    fn silence_copy(&mut self, copy: &mut Copy, silent: bool) {
        if copy.silent != silent
            && let Some(recording) = copy.tape()
        {
            copy.silent = silent;
            self.media(Command::RecordPause { recording, paused: silent });
        }
    }

    fn connect_copy(&mut self, copy: &mut Copy) {
        for strand in &mut copy.strands {
            let sends = !strand.refused;
            if sends || strand.connected.is_some() {
                self.connect_strand(strand, sends);
            }
        }
    }

    /// It has no server for now: the next is tried, or all of them after a while.
    pub(super) fn copy_failed(&mut self, now: Instant, id: LegId, why: NoCopy) {
        let Some(copy) = self.siprec.copies.get_mut(&id) else { return };
        let dialog = copy.dialog();
        let recorder = copy.recorders.get(copy.next).cloned();
        let (recording, first) = (copy.recording, !std::mem::replace(&mut copy.missing, true));
        copy.next = copy.next.saturating_add(1);
        copy.stage = Stage::Resting;
        self.timers.stop(id, Timer::CopyRing);
        if let Some(name) = recorder.clone().filter(|_| !matches!(why, NoCopy::Limit | NoCopy::Lost)) {
            let failures = self.siprec.failures.entry(name).or_insert(Failures::none(now));
            failures.fail(now);
        }
        if let Some(dialog) = dialog {
            self.siprec.by_dialog.remove(&dialog);
            self.endpoint.end(now, dialog);
        }
        self.drop_strands(id);
        if first {
            self.tell(Event::Copied { recording, state: CopyState::Missing { recorder, why } });
        }
        match why {
            // Of ours: no other server would have it.
            NoCopy::Limit => self.copy_rests(now, id, None, why),
            _ => self.copy_next(now, id),
        }
    }

    /// Without a port, until a server answers its pings again or the timer falls due.
    fn copy_rests(&mut self, now: Instant, id: LegId, recorder: Option<TrunkId>, why: NoCopy) {
        let Some(copy) = self.siprec.copies.get_mut(&id) else { return };
        (copy.stage, copy.next) = (Stage::Resting, 0);
        let (recording, first) = (copy.recording, !std::mem::replace(&mut copy.missing, true));
        self.timers.start(now, id, Timer::CopyAgain);
        if first {
            self.tell(Event::Copied { recording, state: CopyState::Missing { recorder, why } });
        }
    }

    pub(crate) fn copy_again(&mut self, now: Instant, id: LegId) {
        if self.siprec.copies.get(&id).is_some_and(|copy| copy.stage == Stage::Resting) {
            self.copy_next(now, id);
        }
    }

    /// A server does not answer its pings: what it has is as good as lost.
    pub(super) fn recorder_down(&mut self, now: Instant, name: &str) {
        let at = |copy: &Copy| match &copy.stage {
            Stage::Up(_, recorder) => (recorder.as_str() == name).then_some(NoCopy::Lost),
            Stage::Calling(_) | Stage::Opening => {
                let asked = copy.recorders.get(copy.next).is_some_and(|recorder| recorder.as_str() == name);
                asked.then_some(NoCopy::Unreachable)
            }
            Stage::Resting => None,
        };
        let lost: Vec<(LegId, NoCopy)> =
            self.siprec.copies.iter().filter_map(|(id, copy)| Some((*id, at(copy)?))).collect();
        for (id, why) in lost {
            self.copy_failed(now, id, why);
        }
    }

    /// It answers its pings again: whoever waits goes there.
    pub(super) fn recorder_up(&mut self, now: Instant, name: &str) {
        self.siprec.failures.retain(|recorder, _| recorder.as_str() != name);
        let rests = |copy: &Copy| copy.stage == Stage::Resting && copy.recorders.iter().any(|one| one.as_str() == name);
        let waiting = self.siprec.copies.iter().filter(|(_, copy)| rests(copy));
        for id in waiting.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.timers.stop(id, Timer::CopyAgain);
            self.copy_next(now, id);
        }
    }

    /// Media could not begin a copy. False: there is none of this name.
    pub(crate) fn copy_tape_failed(&mut self, now: Instant, tape: &str) -> bool {
        let of_tape = |copy: &Copy| copy.tape().is_some_and(|name| name == tape);
        let id = self.siprec.copies.iter().find(|(_, copy)| of_tape(copy)).map(|(id, _)| *id);
        if let Some(id) = id {
            self.copy_failed(now, id, NoCopy::Limit);
        }
        id.is_some()
    }

    /// RTP ports that are left for copies: those that no call needs.
    pub fn spare_ports(&mut self, ports: usize) {
        self.siprec.ports_left = ports;
    }

    pub(crate) fn pause_copy(&mut self, recording: RecordingId, paused: bool) {
        let Some(id) = self.siprec.by_recording.get(&recording) else { return };
        let Some(copy) = self.siprec.copies.get_mut(id) else { return };
        copy.paused = paused;
        let of = copy.of;
        self.siprec.changed.insert(of);
    }

    pub(crate) fn end_copy(&mut self, now: Instant, recording: RecordingId) {
        let Some(id) = self.siprec.by_recording.remove(&recording) else { return };
        let Some(copy) = self.siprec.copies.get(&id) else { return };
        let (dialog, of) = (copy.dialog(), copy.of);
        self.drop_strands(id);
        self.siprec.copies.remove(&id);
        self.timers.forget(id);
        if let Some(all) = self.siprec.by_leg.get_mut(&of) {
            all.remove(&id);
            if all.is_empty() {
                self.siprec.by_leg.remove(&of);
            }
        }
        if let Some(dialog) = dialog {
            self.siprec.by_dialog.remove(&dialog);
            self.endpoint.end(now, dialog);
        }
    }

    pub(crate) fn end_copies_of(&mut self, now: Instant, leg: LegId) {
        let all = self.siprec.by_leg.get(&leg).cloned().unwrap_or_default();
        let recordings: Vec<RecordingId> =
            all.iter().filter_map(|id| self.siprec.copies.get(id)).map(|copy| copy.recording).collect();
        for recording in recordings {
            self.end_copy(now, recording);
        }
    }

    /// Copies that run or are tried, and those that a server has.
    pub fn copies(&self) -> (usize, usize) {
        let up = self.siprec.copies.values().filter(|copy| matches!(copy.stage, Stage::Up(..)));
        (self.siprec.copies.len(), up.count())
    }

    fn drop_strands(&mut self, id: LegId) {
        let Some(copy) = self.siprec.copies.get_mut(&id) else { return };
        let tape = copy.tape();
        let strands = std::mem::take(&mut copy.strands);
        if let Some(recording) = tape.filter(|_| strands.iter().any(|strand| strand.connected.is_some())) {
            self.media(Command::RecordEnd { recording });
        }
        strands.iter().for_each(|strand| self.close_strand(strand));
    }
}

/// What an offer says instead of `sendonly`.
fn direction(scene: &Scene) -> Option<Direction> {
    scene.still.then_some(Direction::Inactive)
}
