//! The box as a recording client (RFC 7866 §6.1): what its recorder records of a call goes to a recording server too. The
//! call knows nothing of it: a server that refuses, hangs or vanishes costs it nothing, and the next one is tried.

use std::time::{Duration, Instant};

use bytes::Bytes;
use media::plane::{Command, PortId};
use media::sdp::{self, Direction};
use model::{LegId, Millis, RecordingId, TrunkId};
use sip::endpoint::{self, DialogId, Invite, Shown, Target};

use super::scene::{Part, Scene, follow, metadata};
use super::strand::{self, Strand};
use super::{About, CopyState, NoCopy, Recorder, SESSIONS_MAX, STREAMS_MAX};
use crate::calls::Calls;
use crate::leg::Event;
use crate::session::{self, Reanswered};
use crate::timer::Timer;

/// A recording server that has not said a word by then is taken for dead.
const PATIENCE: Duration = Duration::from_secs(3);

/// What goes to a recording server of one recording.
#[derive(Debug)]
pub(crate) struct Copy {
    pub recording: RecordingId,
    /// Whose call it is.
    pub of: LegId,
    /// The call's recording began, by both clocks.
    pub began: (Instant, Millis),
    /// A server has had it since.
    pub since: Option<Millis>,
    pub paused: bool,
    pub parts: Vec<Part>,
    /// Those that may have it, in the order in which they are tried.
    recorders: Vec<TrunkId>,
    /// Which of them is next.
    next: usize,
    stage: Stage,
    strands: Vec<Strand>,
    /// As the server was told.
    told: Scene,
    /// Media was told to send nothing.
    silent: bool,
    /// A re-INVITE of ours is out.
    asked: bool,
    /// That nobody has it has been told.
    missing: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Ports are awaited.
    Opening,
    Calling(DialogId),
    Up(DialogId, TrunkId),
    /// Nobody took it; a timer tries again.
    Resting,
}

impl Copy {
    fn dialog(&self) -> Option<DialogId> {
        match &self.stage {
            Stage::Calling(dialog) | Stage::Up(dialog, _) => Some(*dialog),
            Stage::Opening | Stage::Resting => None,
        }
    }

    /// By which media knows it, once there are ports.
    fn tape(&self) -> Option<String> {
        self.strands.first().map(|strand| format!("copy-{}", strand.port.0))
    }

    fn wall(&self, now: Instant) -> Millis {
        let passed = now.saturating_duration_since(self.began.0).as_millis();
        Millis(self.began.1.0.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX)))
    }
}

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
            silent: false,
            asked: false,
            missing: false,
        };
        self.siprec.copies.insert(id, copy);
        self.siprec.by_recording.insert(recording, id);
        self.siprec.by_leg.entry(of).or_default().insert(id);
        self.copy_next(now, id);
        self.drain(now);
    }

    /// Goes to the next server that may have it: those that answer first.
    fn copy_next(&mut self, now: Instant, id: LegId) {
        let Some(copy) = self.siprec.copies.get(&id) else { return };
        let rest = copy.recorders.get(copy.next..).unwrap_or_default();
        let up = rest.iter().position(|name| self.endpoint.trunk_up(name.as_str())).unwrap_or(0);
        let next = copy.next.saturating_add(up);
        let recorder = copy.recorders.get(next).and_then(|name| self.recorder(name.as_str())).cloned();
        let Some(recorder) = recorder else { return self.copy_rests(now, id) };
        let terms = self.terms_of(&recorder);
        let codec = self.legs.get(&copy.of).and_then(|leg| leg.remote()).map(|remote| remote.codec);
        self.drop_strands(id);
        let strands: Vec<Strand> = (0..STREAMS_MAX)
            .map(|_| {
                let mut strand = self.strand(id, terms, codec);
                // We send, and hear nothing.
                strand.session.hold(true);
                self.timers.start(now, strand.leg, Timer::Port);
                strand
            })
            .collect();
        if let Some(copy) = self.siprec.copies.get_mut(&id) {
            (copy.next, copy.stage, copy.strands, copy.asked) = (next, Stage::Opening, strands, false);
        }
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
        }
        self.siprec.copies.insert(id, copy);
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
            strand::hear(self, &mut copy.strands, session::Part::Answer, &theirs)
                && recorder.as_ref().is_some_and(|recorder| stay_inside(recorder, &copy.strands))
        });
        let port = self.live_port(copy.of);
        if let (true, Some(name), Some(dialog), Some(port)) = (fits, name, copy.dialog(), port) {
            copy.stage = Stage::Up(dialog, name.clone());
            copy.since = Some(copy.wall(now));
            copy.missing = false;
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
            self.connect_strand(strand, sends);
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
        if let Some(dialog) = dialog {
            self.siprec.by_dialog.remove(&dialog);
            self.endpoint.end(now, dialog);
        }
        self.drop_strands(id);
        if first {
            self.tell(Event::Copied { recording, state: CopyState::Missing { recorder, why } });
        }
        self.copy_next(now, id);
    }

    fn copy_rests(&mut self, now: Instant, id: LegId) {
        if let Some(copy) = self.siprec.copies.get_mut(&id) {
            (copy.stage, copy.next) = (Stage::Resting, 0);
            self.timers.start(now, id, Timer::CopyAgain);
        }
    }

    pub(crate) fn copy_again(&mut self, now: Instant, id: LegId) {
        if self.siprec.copies.get(&id).is_some_and(|copy| copy.stage == Stage::Resting) {
            self.copy_next(now, id);
        }
    }

    /// A server does not answer its pings: what it has is as good as lost.
    pub(super) fn recorder_down(&mut self, now: Instant, name: &str) {
        let at = |copy: &Copy| matches!(&copy.stage, Stage::Up(_, recorder) if recorder.as_str() == name);
        let lost: Vec<LegId> = self.siprec.copies.iter().filter(|(_, copy)| at(copy)).map(|(id, _)| *id).collect();
        for id in lost {
            self.copy_failed(now, id, NoCopy::Lost);
        }
    }

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
    fn copy_tells(&mut self, now: Instant, id: LegId) {
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
                (copy.told, copy.asked) = (scene, true);
                self.endpoint.reinvite_with(now, dialog, sdp, about.into());
            }
        }
        self.siprec.copies.insert(id, copy);
    }

    fn copy_reanswered(&mut self, now: Instant, id: LegId, answer: Option<&[u8]>) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        copy.asked = false;
        let theirs = answer.map(|answer| sdp::split(answer).unwrap_or_default());
        let mut broken = false;
        for (at, strand) in copy.strands.iter_mut().enumerate() {
            let text = theirs.as_ref().and_then(|theirs| theirs.get(at)).filter(|stream| stream.live);
            let before = strand.session.reanswered(text.map(|stream| stream.text.as_bytes()), &self.ports);
            broken |= before == Reanswered::Broken;
            if theirs.is_some() {
                strand.refused = text.is_none();
            }
        }
        let recorder = match &copy.stage {
            Stage::Up(_, name) => self.recorder(name.as_str()).cloned(),
            _ => None,
        };
        let inside = recorder.is_some_and(|recorder| stay_inside(&recorder, &copy.strands));
        if !broken && inside {
            self.connect_copy(&mut copy);
        }
        self.siprec.changed.insert(copy.of);
        self.siprec.copies.insert(id, copy);
        if broken || !inside {
            self.copy_failed(now, id, NoCopy::Media);
        }
    }

    /// The server asks for something: where its ports are, or for a pause of its own.
    fn copy_reoffered(&mut self, now: Instant, id: LegId, dialog: DialogId, offer: Option<&[u8]>) {
        let Some(mut copy) = self.siprec.copies.remove(&id) else { return };
        let locals = strand::locals(self, &copy.strands).unwrap_or_default();
        let theirs = offer.map(sdp::split).and_then(Result::ok);
        let recorder = copy.recorders.get(copy.next).and_then(|name| self.recorder(name.as_str())).cloned();
        let heard = theirs.as_ref().is_some_and(|theirs| {
            strand::hear(self, &mut copy.strands, session::Part::Offer, theirs)
                && recorder.is_some_and(|recorder| stay_inside(&recorder, &copy.strands))
        });
        let answers: Vec<Bytes> =
            copy.strands.iter_mut().zip(&locals).map(|(strand, local)| strand.session.answer(*local)).collect();
        match strand::offer(&answers, copy.told.still.then_some(Direction::Inactive)).filter(|_| heard) {
            Some(answer) => {
                self.endpoint.accept(now, dialog, answer);
                self.connect_copy(&mut copy);
            }
            None => self.endpoint.reject(now, dialog, 488),
        }
        self.siprec.copies.insert(id, copy);
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

/// No answer leads audio out of the house.
fn stay_inside(recorder: &Recorder, strands: &[Strand]) -> bool {
    let mut live = strands.iter().filter(|strand| !strand.refused);
    live.all(|strand| strand.session.remote().is_none_or(|remote| recorder.hears_at(remote.addr.ip())))
}

/// What an offer says instead of `sendonly`.
fn direction(scene: &Scene) -> Option<Direction> {
    scene.still.then_some(Direction::Inactive)
}
