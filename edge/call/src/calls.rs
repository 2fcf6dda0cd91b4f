//! The engine: its shape, its tables, and how a leg ends. The owner's commands are in `command`, SIP's events in
//! `signal`, media's in `audio`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use media::dtls::Fingerprint;
use media::plane;
use model::{Extension, HoursId, LegId, TrunkId};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sip::endpoint::{self, Binding, DialogId, Endpoint, Transport};
use sip::message::Release;

use crate::bridge::Bridges;
use crate::cause;
use crate::config::{Config, LEGS_RESERVED, Secrets};
use crate::group::{self, Standing};
use crate::help::{Help, help};
use crate::leg::{Cause, Destination, Event, Input, Output, Party};
use crate::legs::Leg;
use crate::machine::{self, Farewell, State};
use crate::mixes::Mixes;
use crate::port::Ports;
use crate::protect::{Protector, Terms};
use crate::recording::Recordings;
use crate::route::{self, Source};
use crate::siprec::Sessions;
use crate::timer::{Timer, Timers};
use crate::transfer::{self, Transfers};
use crate::trunk::{Channels, Room, Way};

/// The B2BUA. Drain `poll_output` to None after every call of anything that takes `now`. Give it one `handle_timeout`
/// right after `new`: trunks begin to register with it. Its shell greets the media process (`Command::Hello`).
pub struct Calls {
    pub(crate) config: Config,
    pub(crate) endpoint: Endpoint,
    pub(crate) legs: BTreeMap<LegId, Leg>,
    pub(crate) dialogs: BTreeMap<DialogId, LegId>,
    pub(crate) ports: Ports,
    pub(crate) bridges: Bridges,
    pub(crate) mixes: Mixes,
    pub(crate) channels: Channels,
    pub(crate) transfers: Transfers,
    pub(crate) recordings: Recordings,
    pub(crate) siprec: Sessions,
    pub(crate) timers: Timers,
    /// Contacts of phones, by phone and contact URI; the endpoint bounds them.
    pub(crate) bindings: BTreeMap<(Extension, String), Binding>,
    pub(crate) play_last: u64,
    /// Legs whose wills may say something else by now.
    pub(crate) touched: BTreeSet<LegId>,
    /// Decides which trunk of a group is tried first; drawn anew for each call out.
    draw: u64,
    /// Hours within which it is not open.
    closed: BTreeSet<HoursId>,
    /// Of the certificate that the media process shows.
    certificate: Option<Fingerprint>,
    rng: ChaCha12Rng,
    out: VecDeque<Output>,
}

impl Calls {
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        let mut endpoint_seed = [0; 32];
        rng.fill_bytes(&mut endpoint_seed);
        // Below 2^53 a number survives every JSON reader.
        let first_port = rng.next_u64() >> 12;
        Self {
            endpoint: Endpoint::new(config.endpoint(), endpoint_seed),
            ports: Ports::new(first_port, config.loopback_only()),
            config,
            legs: BTreeMap::new(),
            dialogs: BTreeMap::new(),
            bridges: Bridges::default(),
            mixes: Mixes::default(),
            channels: Channels::default(),
            transfers: Transfers::default(),
            recordings: Recordings::default(),
            siprec: Sessions::default(),
            timers: Timers::default(),
            bindings: BTreeMap::new(),
            play_last: 0,
            touched: BTreeSet::new(),
            draw: rng.next_u64(),
            closed: BTreeSet::new(),
            certificate: None,
            rng,
            out: VecDeque::new(),
        }
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Sip(input) => self.endpoint.handle_input(now, input),
            Input::Media(event) => self.on_media(now, event),
            Input::MediaRestarted => self.media_restarted(now),
        }
        self.drain(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        while let Some((leg, timer)) = self.timers.due(now) {
            match timer {
                Timer::Port if self.strand_failed(now, leg) => {}
                Timer::Port => self.end(now, leg, Cause::Fault),
                Timer::Ring => self.end(now, leg, Cause::NoAnswer),
                Timer::Tunnel => self.end(now, leg, Cause::Lost),
                Timer::Reoffer if self.copy_told_again(leg) => {}
                Timer::Reoffer => self.reoffer(now, leg),
                Timer::Probe if self.probe_brought(now, leg) => {}
                Timer::Probe => self.probe(now, leg),
                Timer::CopyAgain => self.copy_again(now, leg),
                Timer::CopyRing => self.copy_unanswered(now, leg),
            }
        }
        self.drain(now);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout().into_iter().chain(self.timers.next()).min()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Another configuration: calls go on; the dial plan, limits, phones and trunks are the new ones at once.
    pub fn configure(&mut self, now: Instant, site: &model::config::Config, secrets: Secrets) {
        self.config.site = site.clone();
        self.config.secrets = secrets;
        self.ports.allow_loopback(self.config.loopback_only());
        let config = Box::new(self.config.endpoint());
        self.endpoint.handle_input(now, endpoint::Input::Configure(config));
        self.drain(now);
    }

    /// Who `dialled` is. Look up our own numbers (`config.numbers`) before asking.
    pub fn route(&self, from: impl Into<Source>, dialled: &str) -> Destination {
        let up = |trunk: &TrunkId| self.endpoint.trunk_up(trunk.as_str());
        match route::route(&self.config.site, &from.into(), dialled, up) {
            Destination::Outward { number, .. } => match self.ways().into_iter().next() {
                Some(trunk) => Destination::Outward { trunk, number },
                None => Destination::Unknown,
            },
            other => other,
        }
    }

    /// Whether a call for help can go out.
    pub fn help(&self) -> Help {
        help(&self.config.site, |trunk| self.endpoint.trunk_up(trunk.as_str()))
    }

    /// The trunks that a call out may take, best first.
    pub fn trunks(&self, from: impl Into<Source>, emergency: Option<&model::Number>) -> Vec<TrunkId> {
        let up = |trunk: &TrunkId| self.endpoint.trunk_up(trunk.as_str());
        match emergency {
            Some(_) => route::trunks(&self.config.site, &from.into(), emergency, up),
            None => self.ways(),
        }
    }

    fn ways(&self) -> Vec<TrunkId> {
        let site = &self.config.site;
        let standing = |id: &TrunkId| {
            let full = |trunk| self.channels.is_full(id, Way::Out, Room::of(trunk));
            match self.endpoint.trunk_up(id.as_str()) {
                false => Standing::Down,
                true if site.trunks.get(id).is_some_and(full) => Standing::Full,
                true => Standing::Ready,
            }
        };
        group::ways(site, self.draw, |hours| !self.closed.contains(hours), standing)
    }

    pub(crate) fn redraw(&mut self) {
        self.draw = self.rng.next_u64();
    }

    /// The hours that are not open at this moment: their trunks and groups carry no ordinary call out.
    pub fn close_hours(&mut self, closed: BTreeSet<HoursId>) {
        self.closed = closed;
    }

    /// Calls on a trunk at this moment, in and out.
    pub fn trunk_calls(&self, trunk: &TrunkId) -> (usize, usize) {
        (self.channels.in_use(trunk, Way::In), self.channels.in_use(trunk, Way::Out))
    }

    /// Whether the endpoint knows who is there; see `Endpoint::knows`.
    pub fn knows(&self, flow: endpoint::Flow) -> bool {
        self.endpoint.knows(flow)
    }

    /// See `Endpoint::has_room_for_calls`.
    pub fn has_room(&self) -> bool {
        self.endpoint.has_room_for_calls()
    }

    /// What SIP holds at this moment.
    pub fn load(&self) -> endpoint::Load {
        self.endpoint.load()
    }

    /// Whether a phone can be rung.
    pub fn is_registered(&self, phone: &Extension) -> bool {
        !self.endpoint.bindings(phone.as_str()).is_empty()
    }

    /// Whether an answered leg's party is a browser (RFC 7118).
    pub fn is_browser(&self, leg: LegId) -> bool {
        let dialog = self.legs.get(&leg).and_then(|leg| leg.dialog);
        dialog.and_then(|dialog| self.endpoint.transport(dialog)).is_some_and(Transport::is_websocket)
    }

    /// Whether a phone can be rung in a browser.
    pub fn has_browser(&self, phone: &Extension) -> bool {
        self.endpoint.bindings(phone.as_str()).iter().any(|binding| binding.flow.transport.is_websocket())
    }

    pub fn is_trunk_up(&self, trunk: &TrunkId) -> bool {
        self.endpoint.trunk_up(trunk.as_str())
    }

    /// Legs and ports in use, for the health file and the counters.
    pub fn in_use(&self) -> InUse {
        InUse { legs: self.legs.len(), ports: self.ports.count(), dialogs: self.dialogs.len() }
    }

    /// Brings SIP's messages out, and what its events lead to, until it is quiet.
    pub(crate) fn drain(&mut self, now: Instant) {
        self.tell_recorders(now);
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                endpoint::Output::Send { flow, bytes } => self.out.push_back(Output::Send { flow, bytes }),
                endpoint::Output::Close { flow } => self.out.push_back(Output::Close { flow }),
                endpoint::Output::Event(event) => self.on_sip(now, event),
            }
            self.tell_recorders(now);
        }
    }

    pub(crate) fn media(&mut self, command: plane::Command) {
        self.touched.extend(command.port().and_then(|port| self.ports.leg(port)));
        self.out.push_back(Output::Media(command));
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Event(event));
    }

    pub(crate) fn leg_id(&mut self) -> LegId {
        let (high, low) = (u128::from(self.rng.next_u64()), u128::from(self.rng.next_u64()));
        LegId(high << 64 | low)
    }

    /// RFC 8866 §5.2: an o= session id, unique for its originator.
    pub(crate) fn session_id(&mut self) -> u64 {
        self.rng.next_u64() >> 1
    }

    /// The media process said what it shows: what legs say of it follows.
    pub(crate) fn certified(&mut self, certificate: Option<Fingerprint>) {
        if self.certificate != certificate {
            self.certificate = certificate;
            for leg in self.legs.values_mut() {
                leg.session.renew(certificate, &mut self.rng);
            }
        }
    }

    pub(crate) fn protector(&mut self, terms: Terms) -> Protector {
        Protector::new(terms, &mut self.rng)
    }

    /// What a party's audio must have, whose signalling is carried so.
    pub(crate) fn terms(&self, party: &Party, carriers: &[Transport]) -> Terms {
        let site = &self.config.site;
        let protection = match party {
            Party::Phone(phone) => site.phones.get(phone).map(|phone| phone.protection),
            Party::Trunk { trunk, .. } => site.trunks.get(trunk).map(|trunk| trunk.protection),
            Party::Unproved => None,
            Party::Tunnel(_) => return Terms::CLEAR,
        };
        let terms = Terms { protection: protection.unwrap_or_default(), certificate: self.certificate, ..Terms::CLEAR };
        terms.over(carriers)
    }

    /// What carries the signalling of a party that we would call, for each of its devices.
    pub(crate) fn carriers(&self, party: &Party) -> Vec<Transport> {
        match party {
            Party::Phone(phone) => {
                self.endpoint.bindings(phone.as_str()).iter().map(|binding| binding.flow.transport).collect()
            }
            Party::Trunk { trunk, .. } => self.config.transport(trunk).into_iter().collect(),
            Party::Unproved | Party::Tunnel(_) => Vec::new(),
        }
    }

    pub(crate) fn is_full(&self, emergency: bool) -> bool {
        let reserve = if emergency { LEGS_RESERVED } else { 0 };
        self.legs.len() >= self.config.limits.legs.saturating_add(reserve)
    }

    pub(crate) fn talks(&self, leg: LegId) -> bool {
        self.legs.get(&leg).is_some_and(|leg| leg.state == State::Up)
    }

    /// Ends a leg of ours in any state, towards its peer, media and the owner. The only way a leg ends.
    pub(crate) fn end(&mut self, now: Instant, id: LegId, cause: Cause) {
        self.scene_changes(id);
        let Some(leg) = self.legs.remove(&id) else { return };
        self.touched.remove(&id);
        if let Some(dialog) = leg.dialog {
            self.dialogs.remove(&dialog);
            match leg.state.farewell() {
                Farewell::Refuse => self.endpoint.reject(now, dialog, cause::to_status(cause)),
                Farewell::End => {
                    let why = Release::q850(cause::to_q850(cause));
                    self.endpoint.end_because(now, dialog, Some(why));
                }
                Farewell::None => {}
            }
        }
        self.silence_ringback(&leg);
        self.release_audio(now, id, &leg);
        self.channels.release(id);
        self.timers.forget(id);
        let failed = self.transfer_failed(&leg, cause);
        self.tell_transfer(now, failed);
        let moved_away = self.transfers.ended(id);
        self.tell_transfer(now, moved_away);
        self.tell(Event::Ended { leg: id, cause });
    }

    /// The same, when the dialog is over already.
    pub(crate) fn ended_by_peer(&mut self, now: Instant, id: LegId, cause: Cause) {
        if let Some(dialog) = self.legs.get_mut(&id).and_then(|leg| leg.dialog.take()) {
            self.dialogs.remove(&dialog);
        }
        self.end(now, id, cause);
    }

    /// A dialled leg that somebody waited for is gone before it was answered: so is the transfer it was made for.
    fn transfer_failed(&mut self, leg: &Leg, cause: Cause) -> Option<transfer::Outcome> {
        let unanswered = matches!(leg.state, State::Opening | State::Calling | State::Ringing);
        let party = leg.ringback.to.filter(|_| unanswered)?;
        self.transfers.failed(party, cause::to_status(cause))
    }

    pub(crate) fn tell_transfer(&mut self, now: Instant, outcome: Option<transfer::Outcome>) {
        let Some(outcome) = outcome else { return };
        if let Some(dialog) = self.legs.get(&outcome.asker).and_then(|leg| leg.dialog) {
            self.endpoint.refer_outcome(now, dialog, outcome.status);
        }
    }

    /// Two legs hear each other: perhaps that is what a transfer waited for.
    pub(crate) fn transfer_joined(&mut self, now: Instant, a: LegId) {
        let Some(b) = self.bridges.peer(a) else { return };
        if self.talks(a) && self.talks(b) {
            let outcome = self.transfers.joined(a, b);
            self.tell_transfer(now, outcome);
        }
    }

    pub(crate) fn step(&mut self, now: Instant, id: LegId, input: machine::Input) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        let Some((state, acts)) = machine::step(leg.state, input) else { return false };
        leg.state = state;
        for act in acts {
            if let Err(error) = self.act(now, id, *act) {
                tracing::warn!(leg = %id, ?act, %error, "a leg ends by a fault of ours");
                self.end(now, id, Cause::Fault);
                break;
            }
        }
        true
    }
}

/// What is held at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InUse {
    pub legs: usize,
    pub ports: usize,
    pub dialogs: usize,
}
