//! What the owner of calls may ask. A command for a leg that has ended, or that means nothing in its state, does
//! nothing: the owner and the peer may always cross.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::plane::{self, Codec, Command, Failure, MixId, PlayId, Remote};
use model::{
    Extension, LanguageId, LegId, OverflowId, RecordingId, TrunkId,
    sound::{Sound, Speech},
};
use sip::endpoint::{Emergency, Invite, Shown, Summary, Target};

use crate::calls::Calls;
use crate::identity;
use crate::leg::{Caller, Cause, Dial, Event, Party};
use crate::legs::{Leg, Ringback};
use crate::location;
use crate::machine::{Input, State};
use crate::mixes::Hearing;
use crate::plan;
use crate::protect::Terms;
use crate::route;
use crate::session::Session;
use crate::timer::Timer;
use crate::trunk::{Priority, Room, Way};

/// Length of a digit that we send, in ms: what dialling standards call long enough (ITU-T Q.24 has 40 ms).
pub(crate) const DIGIT_MS: u16 = 120;

/// A trunk that has not said a word by then is dead: another one is tried (D-08).
const TRUNK_PATIENCE: Duration = Duration::from_secs(4);

/// The same for an emergency call that has another trunk to go to: two seconds is what it may lose (S-150).
const EMERGENCY_PATIENCE: Duration = Duration::from_millis(1_800);

/// RFC 4733 on a tunnel: both ends are ours.
const TUNNEL_TELEPHONE_EVENT: u8 = 101;

impl Calls {
    /// 180 to a caller.
    pub fn ring(&mut self, now: Instant, leg: LegId) {
        self.step(now, leg, Input::Ring);
        self.drain(now);
    }

    /// 183 with SDP to a caller, so that prompts can be heard unanswered: our answer, or our offer to who made none and
    /// acknowledges it (RFC 3262 §5). Where an offer has no such place, the caller hears its own exchange ring.
    pub fn early(&mut self, now: Instant, leg: LegId) {
        let has_place = self.legs.get(&leg).is_some_and(|leg| leg.session.has_offer() || leg.acknowledges);
        self.step(now, leg, if has_place { Input::Early } else { Input::Ring });
        self.drain(now);
    }

    /// 200 to a caller, as soon as there is a port. `Event::Answered` follows when it is confirmed.
    pub fn answer(&mut self, now: Instant, leg: LegId) {
        self.step(now, leg, Input::Answer);
        self.drain(now);
    }

    /// Turns a caller away who was not answered; ends any other leg.
    pub fn reject(&mut self, now: Instant, leg: LegId, cause: Cause) {
        self.end(now, leg, cause);
        self.drain(now);
    }

    pub fn hang_up(&mut self, now: Instant, leg: LegId) {
        self.end(now, leg, Cause::Ours);
        self.drain(now);
    }

    /// Goes and gets a party. The leg that is returned ends at once when that cannot be tried.
    pub fn dial(&mut self, now: Instant, dial: Dial) -> LegId {
        let id = self.leg_id();
        let outside = matches!(dial.party, Party::Trunk { .. });
        let emergency = self.emergency(&dial);
        let hurried = emergency.is_some() && self.config.site.trunks.len() > 1;
        let patience = if hurried { EMERGENCY_PATIENCE } else { TRUNK_PATIENCE };
        match self.may_dial(now, id, &dial.party) {
            Ok(to) => {
                let learn = match &dial.party {
                    Party::Trunk { trunk, .. } => self.config.site.trunks.get(trunk).is_some_and(|t| t.behind_nat),
                    Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => false,
                };
                let terms = self.terms(&dial.party, &self.carriers(&dial.party)).of_emergency(emergency.is_some());
                let meets =
                    dial.meets.and_then(|leg| self.legs.get(&leg)).and_then(Leg::remote).map(|remote| remote.codec);
                let session = Session::new(self.session_id(), learn, self.protector(terms))
                    .speaking(self.codecs(&dial.party))
                    .meeting(meets);
                let (caller, shown) = self.shown(&dial, emergency.is_some());
                let mut leg = Leg::new(dial.party, State::Opening, session);
                leg.invite = Some(Invite {
                    to,
                    from_user: caller.number,
                    from_name: caller.name,
                    sdp: Bytes::new(),
                    sdp_to_browsers: None,
                    emergency,
                    shown,
                    patience: outside.then_some(patience),
                    recording: None,
                });
                leg.ringback = Ringback { to: dial.ringback_to, tone: None };
                self.legs.insert(id, leg);
                self.open_first_port(now, id);
            }
            Err(cause) => self.tell(Event::Ended { leg: id, cause }),
        }
        self.drain(now);
        id
    }

    /// What an emergency call says of itself: None for any other.
    fn emergency(&self, dial: &Dial) -> Option<Emergency> {
        let Party::Trunk { user, .. } = &dial.party else { return None };
        let site = &self.config.site;
        let digits = route::normalise(user)?;
        if route::emergency(site, &digits).is_none() && !route::is_test(site, &digits) {
            return None;
        }
        let phone = dial.on_behalf_of.as_ref();
        let domain = &self.config.domain;
        let entity = phone.map_or_else(|| format!("sip:{domain}"), |phone| format!("sip:{phone}@{domain}"));
        let place = route::place(site, phone).and_then(|place| site.places.get(place));
        let location =
            place.filter(|place| place.send_location).map(|place| Bytes::from(location::pidf(place, &entity)));
        Some(Emergency { location })
    }

    /// Whom the party sees: a trunk by its rules, a phone as asked for.
    fn shown(&self, dial: &Dial, emergency: bool) -> (Caller, Shown) {
        let site = &self.config.site;
        let trunk = match &dial.party {
            Party::Trunk { trunk, .. } => site.trunks.get(trunk),
            Party::Phone(_) | Party::Unproved | Party::Tunnel(_) => None,
        };
        let waits = dial.ringback_to.and_then(|leg| self.legs.get(&leg));
        let arrived = waits.map(|leg| leg.arrived.clone()).unwrap_or_default();
        match trunk {
            Some(trunk) => identity::shown(site, trunk, dial, &arrived, emergency),
            None => {
                let referred_by = dial.on_behalf_of.as_ref().map(ToString::to_string);
                let forwarded = dial.forwarded.as_ref();
                let diverted = forwarded.map(|forwarded| forwarded.by.to_string());
                let diverted_for = forwarded.map(|forwarded| identity::diverted_for(forwarded.why)).unwrap_or_default();
                let diverted_hops = forwarded.map_or(1, |forwarded| forwarded.hops);
                let shown = Shown { referred_by, diverted, diverted_for, diverted_hops, ..Shown::default() };
                (dial.caller.clone(), shown)
            }
        }
    }

    fn open_first_port(&mut self, now: Instant, id: LegId) {
        if self.act(now, id, crate::machine::Act::OpenPort).is_err() {
            self.end(now, id, Cause::Fault);
        }
    }

    fn may_dial(&mut self, now: Instant, id: LegId, party: &Party) -> Result<Target, Cause> {
        match party {
            Party::Phone(extension) => {
                if self.is_full(false) {
                    return Err(Cause::Overload);
                }
                if !self.config.site.phones.contains_key(extension) {
                    return Err(Cause::NotFound);
                }
                if !self.terms(party, &self.carriers(party)).can_be_met() {
                    return Err(Cause::Media);
                }
                let rings = self.is_registered(extension);
                rings.then(|| Target::Phone(extension.to_string())).ok_or(Cause::NotRegistered)
            }
            Party::Trunk { trunk, user } => self.may_leave(now, id, trunk, user),
            Party::Unproved | Party::Tunnel(_) => Err(Cause::NotFound),
        }
    }

    /// A call out: by the dial plan, within the trunk's channels; an emergency call by neither.
    fn may_leave(&mut self, now: Instant, id: LegId, trunk: &TrunkId, user: &str) -> Result<Target, Cause> {
        let known = self.config.site.trunks.get(trunk).ok_or(Cause::NotFound)?;
        let (room, spelling) = (Room::of(known), known.spelling);
        let user = route::normalise(user).ok_or(Cause::NotFound)?;
        let emergency = route::emergency(&self.config.site, &user).is_some();
        let test = route::is_test(&self.config.site, &user);
        if !emergency && !test && route::is_forbidden(&self.config.site, &user) {
            return Err(Cause::Forbidden);
        }
        let party = Party::Trunk { trunk: trunk.clone(), user: String::new() };
        if !emergency && !self.terms(&party, &self.carriers(&party)).can_be_met() {
            return Err(Cause::Media);
        }
        if self.is_full(emergency) {
            return Err(Cause::Overload);
        }
        let priority = if emergency { Priority::Emergency } else { Priority::Ordinary };
        if emergency && self.channels.is_full(trunk, Way::Out, room) {
            // NORMS 2: pre-emption of a busy trunk
            if let Some(victim) = self.channels.gives_way(trunk, |leg| self.talks(leg)) {
                self.end(now, victim, Cause::Overload);
            }
        }
        self.channels.take(trunk, id, (Way::Out, priority), room).map_err(|_| Cause::Overload)?;
        self.redraw();
        let user =
            if emergency || test { user } else { plan::spelled(&self.config.site.site.dialling, spelling, &user) };
        Ok(Target::Trunk { trunk: trunk.to_string(), user })
    }

    /// Lets two legs hear each other and nobody else, as soon as both have audio.
    pub fn join(&mut self, now: Instant, a: LegId, b: LegId) {
        self.join_legs(now, a, b);
        self.drain(now);
    }

    pub(crate) fn join_legs(&mut self, now: Instant, a: LegId, b: LegId) {
        if !self.legs.contains_key(&a) || !self.legs.contains_key(&b) {
            return;
        }
        self.leave_mix(a);
        self.leave_mix(b);
        for command in self.with_bridges(|bridges, port| bridges.join(a, b, port)) {
            self.media(command);
        }
        self.scene_changes(a);
        self.settle(a);
        self.transfer_joined(now, a);
    }

    /// Says anew who hears whom among several legs, as soon as they have audio: none of them is joined or in another mix
    /// from here on. Legs that are left out of a mix they were in hear nobody. `mix` is the owner's to choose.
    pub fn mix(&mut self, now: Instant, mix: MixId, hearing: Vec<Hearing>) {
        let known: Vec<Hearing> = hearing.into_iter().filter(|one| self.legs.contains_key(&one.leg)).collect();
        for one in &known {
            self.scene_changes(one.leg);
            for command in self.with_bridges(|bridges, port| bridges.part(one.leg, port)) {
                self.media(command);
            }
        }
        for command in self.with_mixes(|mixes, port| mixes.want(mix, known, port)) {
            self.media(command);
        }
        self.drain(now);
    }

    pub fn part(&mut self, now: Instant, leg: LegId) {
        self.leave_mix(leg);
        for command in self.with_bridges(|bridges, port| bridges.part(leg, port)) {
            self.media(command);
        }
        self.drain(now);
    }

    /// Puts a party on hold: it no longer hears the other, nor the other it. Give it music with `play`.
    pub fn hold(&mut self, now: Instant, leg: LegId) {
        self.set_hold(now, leg, true);
    }

    /// Ends the hold and the music.
    pub fn resume(&mut self, now: Instant, leg: LegId) {
        self.stop_playing(leg, None);
        self.set_hold(now, leg, false);
    }

    fn set_hold(&mut self, now: Instant, id: LegId, held: bool) {
        if let Some(leg) = self.legs.get_mut(&id).filter(|leg| leg.state == State::Up) {
            leg.session.hold(held);
            self.touch(id);
            self.scene_changes(id);
            self.settle(id);
            self.reoffer(now, id);
        }
        self.drain(now);
    }

    /// From here on prompts to a party are of this language, where there are such.
    pub fn speak(&mut self, leg: LegId, language: LanguageId) {
        if let Some(entry) = self.legs.get_mut(&leg) {
            entry.language = Some(language);
            self.touch(leg);
        }
    }

    /// Plays sounds to a party, at once or as soon as it has audio; what played there stops. `again` starts over at
    /// the end, until stopped; without it `Event::Played` follows, unless the leg ends or another play replaces it.
    pub fn play(&mut self, now: Instant, leg: LegId, sounds: Vec<impl Into<Sound>>, again: bool) -> PlayId {
        let limit = self.config.limits.prompts;
        let language = self.legs.get(&leg).and_then(|leg| leg.language.as_ref());
        let sounds = sounds.into_iter().take(limit).map(|sound| words(sound.into(), language));
        let sounds: Vec<plane::Sound> = sounds.collect();
        let play = if sounds.is_empty() {
            self.stop_playing(leg, None);
            self.play_last = self.play_last.wrapping_add(1);
            let play = PlayId(self.play_last);
            self.tell(Event::Played { leg, play });
            play
        } else {
            self.start_playing(leg, sounds, again)
        };
        self.drain(now);
        play
    }

    pub fn stop(&mut self, now: Instant, leg: LegId) {
        self.stop_playing(leg, None);
        self.drain(now);
    }

    /// Sends one key (0–9, *, #, A–D) to a party.
    pub fn digit(&mut self, now: Instant, leg: LegId, digit: char) {
        let key = digit.is_ascii_digit() || matches!(digit, '*' | '#' | 'A'..='D');
        if let Some(port) = self.live_port(leg).filter(|_| key) {
            self.media(Command::Digit { port, digit, ms: DIGIT_MS });
        }
        self.drain(now);
    }

    /// Records a leg and whom it hears, from as soon as it has audio. What becomes of it comes as `Event::Recording`.
    pub fn record(&mut self, now: Instant, recording: RecordingId, leg: LegId) {
        let wanted = match self.legs.contains_key(&leg) || self.siprec.is_brought(leg) {
            true => self.recordings.want(recording, leg, self.config.limits.recordings).map_err(|_| Failure::Limit),
            false => Err(Failure::UnknownPort),
        };
        match wanted {
            Ok(()) if self.siprec.is_brought(leg) => self.record_brought(leg),
            Ok(()) => self.begin_recording(leg),
            Err(why) => self.recording_failed(recording, why),
        }
        self.drain(now);
    }

    /// Nothing is kept meanwhile; the recording goes on where it would be without the pause.
    pub fn record_pause(&mut self, now: Instant, recording: RecordingId, paused: bool) {
        if let Some(command) = self.recordings.pause(recording, paused) {
            self.media(command);
        }
        self.touched.extend(self.recordings.leg(recording));
        self.pause_copy(recording, paused);
        self.drain(now);
    }

    /// Card mode: nothing of what this leg's party keys in is heard or recorded; it still comes as `Event::Digit`.
    pub fn shield(&mut self, now: Instant, leg: LegId, shielded: bool) {
        if let Some(leg) = self.legs.get_mut(&leg) {
            leg.shielded = shielded;
        }
        self.touch(leg);
        if let Some(port) = self.live_port(leg) {
            self.media(Command::Shield { port, shielded });
        }
        self.drain(now);
    }

    /// So many new messages wait for whom this phone belongs to (RFC 3842).
    pub fn mailbox(&mut self, now: Instant, phone: &Extension, waiting: u32) {
        self.endpoint.set_mailbox(now, phone.as_str(), Summary { new: waiting, old: 0 });
        self.drain(now);
    }

    pub fn record_end(&mut self, now: Instant, recording: RecordingId) {
        self.end_copy(now, recording);
        self.end_recording(recording);
        self.drain(now);
    }

    /// Decides on `Event::TransferAsked`. Accepted: move the party with `dial` (with `ringback_to` the party) and
    /// `join`; the asker is told how that ended.
    pub fn transfer_answer(&mut self, now: Instant, leg: LegId, accepted: bool) {
        let Some(dialog) = self.legs.get(&leg).and_then(|leg| leg.dialog) else { return };
        if accepted {
            let party = self.bridges.peer(leg);
            if self.transfers.accepted(leg, party) {
                self.endpoint.refer_accept(now, dialog);
            }
        } else if self.transfers.refused(leg) {
            self.endpoint.refer_reject(now, dialog);
        }
        self.drain(now);
    }

    /// A leg for a caller carried over the link: no SIP, only a port on loopback (`Event::TunnelOpen`).
    pub fn tunnel(&mut self, now: Instant, overflow: OverflowId) -> LegId {
        let id = self.leg_id();
        if self.is_full(false) {
            self.tell(Event::Ended { leg: id, cause: Cause::Overload });
        } else {
            let session = Session::new(self.session_id(), false, self.protector(Terms::CLEAR));
            self.legs.insert(id, Leg::new(Party::Tunnel(overflow), State::TunnelOpening, session));
            self.open_first_port(now, id);
        }
        self.drain(now);
        id
    }

    /// The tunnel's other end in this box: the sync process' loopback address. G.711 A-law both ways. The leg can be
    /// joined from here on; whether it is answered, its owner knows.
    pub fn tunnel_connect(&mut self, now: Instant, leg: LegId, peer: SocketAddr) {
        if let Some(entry) = self.legs.get_mut(&leg).filter(|entry| entry.is_tunnel() && peer.ip().is_loopback()) {
            entry.tunnel = Some(Remote::clear(peer, Codec::Pcma, Some(TUNNEL_TELEPHONE_EVENT)));
            self.timers.stop(leg, Timer::Tunnel);
            self.step(now, leg, Input::Connect);
            self.transfer_joined(now, leg);
        }
        self.drain(now);
    }

    pub fn tunnel_end(&mut self, now: Instant, leg: LegId) {
        self.hang_up(now, leg);
    }
}

/// As the other plane knows it.
fn words(sound: Sound, language: Option<&LanguageId>) -> plane::Sound {
    match (sound, language) {
        (Sound::Prompt(prompt), None) => plane::Sound::Prompt(prompt.to_string()),
        (Sound::Prompt(prompt), Some(language)) => plane::Sound::Prompt(format!("{language}/{prompt}")),
        (Sound::Speech(Speech { language, text, personal }), _) => {
            plane::Sound::Speech(plane::Speech { language: language.to_string(), text, personal })
        }
    }
}
