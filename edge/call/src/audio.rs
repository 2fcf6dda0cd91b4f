//! A leg's audio: connecting its port, what plays on it, what is recorded, whom it hears; and what media reports.

use std::time::Instant;

use media::plane::{self, Command, Failure, PlayId, PortId, RecordingState, Sound};
use media::progress::Tone;
use model::{LegId, RecordingId};

use crate::act::Error;
use crate::bridge::Bridges;
use crate::calls::Calls;
use crate::command::DIGIT_MS;
use crate::leg::{Cause, Event};
use crate::legs::{Leg, Playing, Ringback};
use crate::machine;
use crate::mixes::Mixes;
use crate::recording::Ended;
use crate::timer::Timer;

impl Calls {
    pub(crate) fn on_media(&mut self, now: Instant, event: plane::Event) {
        match event {
            plane::Event::Opened { port, local } => match self.ports.opened(port, local) {
                Some(leg) => {
                    self.timers.stop(leg, Timer::Port);
                    if !self.strand_opened(now, leg) {
                        self.step(now, leg, machine::Input::Opened);
                    }
                }
                None => self.media(Command::Close { port }),
            },
            plane::Event::Failed { port, why } => self.failed(now, port, why),
            plane::Event::Played { port, play } => self.played(port, play),
            plane::Event::Digit { port, digit } => {
                if let Some(leg) = self.ports.leg(port) {
                    self.tell(Event::Digit { leg, digit });
                }
            }
            plane::Event::Unkeyed { port, why } => {
                if let Some(leg) = self.ports.leg(port)
                    && !self.strand_failed(now, leg)
                {
                    self.tell(Event::Unkeyed { leg, why });
                    // A call on which nobody hears anything is none.
                    self.end(now, leg, Cause::Media);
                }
            }
            plane::Event::Silent { port, silent } => self.silent(now, port, silent),
            plane::Event::Quality { port, quality } => {
                if let Some(leg) = self.ports.leg(port).filter(|leg| self.legs.contains_key(leg)) {
                    self.tell(Event::Quality { leg, quality });
                }
            }
            plane::Event::Recording { recording, state: RecordingState::Failed { .. } }
                if self.copy_tape_failed(now, &recording) => {}
            plane::Event::Recording { recording, state } => {
                if let Some(recording) = self.recordings.heard(&recording, &state) {
                    self.tell(Event::Recording { recording, state });
                }
            }
            // The owner of the process counts these; no call depends on it.
            plane::Event::Stats { .. } => {}
            // What was left is asked for before anything else, with `adopt`.
            plane::Event::Left { .. } | plane::Event::LeftAll => {}
            plane::Event::Ready { fingerprint, .. } => self.certified(fingerprint),
        }
    }

    fn failed(&mut self, now: Instant, port: PortId, why: Failure) {
        let Some(leg) = self.ports.leg(port) else { return };
        let opening = self.ports.local(port).is_none();
        if opening {
            self.ports.failed(port);
            self.timers.stop(leg, Timer::Port);
            if self.strand_failed(now, leg) {
                return;
            }
        }
        match why {
            Failure::NoPort | Failure::Limit if opening => self.end(now, leg, Cause::Overload),
            _ if opening => self.end(now, leg, Cause::Fault),
            Failure::UnknownPort => self.end(now, leg, Cause::Fault),
            // A missing prompt must not stop a flow that waits for its end.
            Failure::Prompt | Failure::Limit => {
                if let Some(playing) = self.legs.get(&leg).and_then(|leg| leg.playing.as_ref()) {
                    let play = playing.play;
                    self.played(port, play);
                }
            }
            Failure::NoPort | Failure::Disk | Failure::Key => {}
        }
    }

    /// A party that says nothing may mute its microphone, or be gone without a word: it is asked after a while.
    fn silent(&mut self, now: Instant, port: PortId, silent: bool) {
        // A recording server only listens.
        match self.ports.leg(port).filter(|leg| !self.siprec.is_of_copy(*leg)) {
            Some(leg) if silent => self.timers.start(now, leg, Timer::Probe),
            Some(leg) => self.timers.stop(leg, Timer::Probe),
            None => {}
        }
    }

    fn played(&mut self, port: PortId, play: PlayId) {
        let Some(id) = self.ports.leg(port) else { return };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.playing.take_if(|playing| playing.play == play).is_some() {
            self.touched.insert(id);
            self.tell(Event::Played { leg: id, play });
        }
    }

    /// All ports are gone: every leg that had one asks for another, and its peer is told when it is open.
    pub(crate) fn media_restarted(&mut self, now: Instant) {
        self.ports.media_lost();
        self.bridges.media_lost();
        self.mixes.media_lost();
        self.recording_sessions_lost(now);
        for recording in self.recordings.media_lost() {
            let state = RecordingState::Failed { why: Failure::UnknownPort };
            self.tell(Event::Recording { recording, state });
        }
        let with_port: Vec<LegId> = self.legs.iter_mut().filter_map(|(id, leg)| leg.port.take().map(|_| *id)).collect();
        for leg in with_port {
            self.timers.stop(leg, Timer::Probe);
            self.step(now, leg, machine::Input::Lost);
        }
    }

    /// Tells media the other end when it is known and was not told, and lets the leg's audio begin.
    pub(crate) fn connect(&mut self, id: LegId) -> Result<(), Error> {
        let leg = self.legs.get_mut(&id).ok_or(Error::Gone)?;
        let (Some(port), Some(remote)) = (leg.port, leg.remote().cloned()) else { return Ok(()) };
        if leg.connected.as_ref().is_some_and(|(at, known)| *at == port && *known == remote) {
            return Ok(());
        }
        let fresh = leg.connected.as_ref().is_none_or(|(before, _)| *before != port);
        let (muted, shielded) = (leg.session.holds().by_them, leg.shielded);
        let Some(command) = self.ports.connect(port, remote.clone()) else { return Ok(()) };
        leg.connected = Some((port, remote));
        self.media(command);
        if fresh {
            if muted {
                self.media(Command::Mute { port, muted });
            }
            if shielded {
                self.media(Command::Shield { port, shielded });
            }
            self.begin_playing(id);
            self.begin_recording(id);
        }
        self.settle(id);
        Ok(())
    }

    /// A key that came by INFO goes on to whoever hears the leg as what it would be in the audio (RFC 4733); in card mode
    /// to nobody.
    pub(crate) fn pass_digit(&mut self, id: LegId, digit: char) {
        if self.legs.get(&id).is_none_or(|leg| leg.shielded) {
            return;
        }
        let hearers: Vec<LegId> = self.bridges.peer(id).into_iter().chain(self.mixes.hearers(id)).collect();
        for port in hearers.into_iter().filter_map(|leg| self.audible(leg)).collect::<Vec<_>>() {
            self.media(Command::Digit { port, digit, ms: DIGIT_MS });
        }
    }

    /// The leg's port while audio can flow through it.
    pub(crate) fn live_port(&self, id: LegId) -> Option<PortId> {
        let port = self.legs.get(&id)?.port?;
        self.ports.is_connected(port).then_some(port)
    }

    /// Brings the leg's bridge or mix in line with what may be heard.
    pub(crate) fn settle(&mut self, id: LegId) {
        if let Some(command) = self.with_bridges(|bridges, port| bridges.settle(id, port)) {
            self.media(command);
        }
        if let Some(command) = self.with_mixes(|mixes, port| mixes.settle(id, port)) {
            self.media(command);
        }
    }

    /// The leg is in no mix any more.
    pub(crate) fn leave_mix(&mut self, id: LegId) {
        self.scene_changes(id);
        if let Some(command) = self.with_mixes(|mixes, port| mixes.leave(id, port)) {
            self.media(command);
        }
    }

    /// `port` gives a leg's port while it is connected and not held by us.
    pub(crate) fn with_bridges<T>(
        &mut self,
        change: impl FnOnce(&mut Bridges, &dyn Fn(LegId) -> Option<PortId>) -> T,
    ) -> T {
        let mut bridges = std::mem::take(&mut self.bridges);
        let result = change(&mut bridges, &|id| self.audible(id));
        self.bridges = bridges;
        result
    }

    /// The same for mixes.
    pub(crate) fn with_mixes<T>(
        &mut self,
        change: impl FnOnce(&mut Mixes, &dyn Fn(LegId) -> Option<PortId>) -> T,
    ) -> T {
        let mut mixes = std::mem::take(&mut self.mixes);
        let result = change(&mut mixes, &|id| self.audible(id));
        self.mixes = mixes;
        result
    }

    fn audible(&self, id: LegId) -> Option<PortId> {
        let held = self.legs.get(&id)?.session.holds().by_us;
        self.live_port(id).filter(|_| !held)
    }

    pub(crate) fn start_playing(&mut self, id: LegId, sounds: Vec<Sound>, again: bool) -> PlayId {
        self.play_last = self.play_last.wrapping_add(1);
        let play = PlayId(self.play_last);
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.playing = Some(Playing { play, sounds, again });
            self.begin_playing(id);
        }
        play
    }

    fn begin_playing(&mut self, id: LegId) {
        let Some(port) = self.live_port(id) else { return };
        let Some(playing) = self.legs.get(&id).and_then(|leg| leg.playing.clone()) else { return };
        let Playing { play, sounds, again } = playing;
        self.media(Command::Play { port, play, sounds, again });
    }

    /// Stops what plays, or only that one playing.
    pub(crate) fn stop_playing(&mut self, id: LegId, only: Option<PlayId>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let stopped = leg.playing.take_if(|playing| only.is_none_or(|only| only == playing.play));
        if let (Some(_), Some(port)) = (stopped, self.live_port(id)) {
            self.media(Command::Stop { port });
        }
    }

    /// Who waits for this leg hears that it rings, as this country's lines say it.
    pub(crate) fn sound_ringback(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        if let (Some(to), None) = (leg.ringback.to, leg.ringback.tone) {
            let country = self.config.site.site.dialling.country.clone();
            let sound = Sound::Tone(plane::Tone { tone: Tone::Ringback, country });
            let tone = self.start_playing(to, vec![sound], true);
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.ringback.tone = Some(tone);
            }
        }
    }

    pub(crate) fn silence_ringback(&mut self, leg: &Leg) {
        self.silence(&leg.ringback);
    }

    pub(crate) fn silence(&mut self, ringback: &Ringback) {
        if let (Some(to), Some(tone)) = (ringback.to, ringback.tone) {
            self.stop_playing(to, Some(tone));
        }
    }

    pub(crate) fn begin_recording(&mut self, id: LegId) {
        let Some(port) = self.live_port(id) else { return };
        for command in self.recordings.begin(id, port) {
            self.media(command);
        }
    }

    pub(crate) fn end_recording(&mut self, recording: RecordingId) {
        match self.recordings.end(recording) {
            Ended::Sealing(command) => self.media(command),
            Ended::NeverBegan => self.recording_failed(recording, Failure::UnknownPort),
            Ended::Nothing => {}
        }
    }

    pub(crate) fn recording_failed(&mut self, recording: RecordingId, why: Failure) {
        self.tell(Event::Recording { recording, state: RecordingState::Failed { why } });
    }

    /// Gives back all audio of a leg that is no longer in the table.
    pub(crate) fn release_audio(&mut self, now: Instant, id: LegId, leg: &Leg) {
        for recording in self.recordings.of(id) {
            self.end_recording(recording);
        }
        self.end_copies_of(now, id);
        for command in self.with_bridges(|bridges, port| bridges.part(id, port)) {
            self.media(command);
        }
        self.leave_mix(id);
        if let Some(command) = leg.port.and_then(|port| self.ports.close(port)) {
            self.media(command);
        }
    }
}
