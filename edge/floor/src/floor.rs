//! The engine's doors: inputs and timers come in, the parts beneath are asked until all are quiet, outputs go out.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use acd::Acd;
use call::{
    Calls,
    leg::{Event, Output as LineOutput},
    plane,
};
use model::{
    AgentId, ContactId, LegId, Millis, OverflowId,
    cdr::Unkeyed,
    config::{Config, Hours},
    fact::{CardModeEnd, Fact, Kind},
    routing::Decision,
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    CivilTime, Input, Output, Setup,
    alerts::Alarms,
    board::ContactCard,
    brought::BroughtCall,
    caps::Caps,
    chronicle::Chronicle,
    contact::{Contact, Role},
    emergency::Emergencies,
    lines::Lines,
    message::Messages,
    notices::Notices,
    overflow::Link,
    pauses::Pauses,
    phones::Phones,
    recording::Recordings,
    regulars::Regulars,
    selftest::SelfTest,
    star::Codes,
    timer::{Timer, Timers},
};

/// The contact centre of one site. Drain `poll_output` to None after every call of anything that takes `now`.
///
/// `now` is measured time, `wall` what facts are dated with; they need not agree.
pub struct Floor<L = Calls> {
    pub(crate) lines: L,
    pub(crate) acd: Acd,
    pub(crate) config: Arc<Config>,
    pub(crate) contacts: BTreeMap<ContactId, Contact>,
    /// What each leg is to its contact. A leg that is not here is nobody's.
    pub(crate) legs: BTreeMap<LegId, (ContactId, Role)>,
    /// The leg that rings an agent for a contact.
    pub(crate) offers: BTreeMap<AgentId, (ContactId, LegId)>,
    pub(crate) phones: Phones,
    pub(crate) recordings: Recordings,
    /// Calls that peers bring to be recorded.
    pub(crate) brought: BTreeMap<LegId, BroughtCall>,
    pub(crate) link: Link,
    /// What each agent saw of the contact it last took: shown until it is written up.
    pub(crate) cards: BTreeMap<AgentId, ContactCard>,
    pub(crate) pauses: Pauses,
    pub(crate) overflows: BTreeMap<OverflowId, ContactId>,
    pub(crate) chronicle: Chronicle,
    pub(crate) caps: Caps,
    pub(crate) regulars: Regulars,
    /// What the next offer was made of.
    pub(crate) decided: Option<(ContactId, Box<Decision>)>,
    pub(crate) emergencies: Emergencies,
    pub(crate) notices: Notices,
    pub(crate) messages: Messages,
    pub(crate) alarms: Alarms,
    pub(crate) codes: Codes,
    pub(crate) test: SelfTest,
    /// The number of the last question to another system, and who waits for an answer.
    pub(crate) questions: u64,
    pub(crate) asking_others: BTreeMap<u64, ContactId>,
    pub(crate) timers: Timers,
    pub(crate) civil: CivilTime,
    pub(crate) now: Instant,
    rng: ChaCha12Rng,
}

impl Floor<Calls> {
    pub fn new(now: Instant, setup: Setup) -> Self {
        let Setup { calls, seed, civil } = setup;
        let mut rng = ChaCha12Rng::from_seed(seed);
        let mut lines_seed = [0; 32];
        rng.fill_bytes(&mut lines_seed);
        let config = calls.site.clone();
        Floor::on(now, Calls::new(calls, lines_seed), config, rng, civil)
    }
}

impl<L: Lines> Floor<L> {
    /// A floor on other lines than `Calls`.
    pub fn with_lines(now: Instant, lines: L, config: Config, seed: [u8; 32], civil: CivilTime) -> Self {
        Self::on(now, lines, config, ChaCha12Rng::from_seed(seed), civil)
    }

    fn on(now: Instant, lines: L, config: Config, rng: ChaCha12Rng, civil: CivilTime) -> Self {
        let config = Arc::new(config);
        let mut floor = Self {
            lines,
            acd: Acd::new(now, &config),
            phones: Phones::new(&config),
            chronicle: Chronicle::new(config.clone()),
            caps: Caps::default(),
            emergencies: Emergencies::default(),
            notices: Notices::default(),
            messages: Messages::default(),
            alarms: Alarms::default(),
            codes: Codes::default(),
            test: SelfTest::default(),
            config,
            contacts: BTreeMap::new(),
            legs: BTreeMap::new(),
            offers: BTreeMap::new(),
            decided: None,
            regulars: Regulars::default(),
            recordings: Recordings::default(),
            brought: BTreeMap::new(),
            link: Link::Down,
            cards: BTreeMap::new(),
            pauses: Pauses::default(),
            overflows: BTreeMap::new(),
            questions: 0,
            asking_others: BTreeMap::new(),
            timers: Timers::default(),
            civil,
            now,
            rng,
        };
        floor.close_hours();
        floor.watch_alerts();
        floor
    }

    pub fn handle_input(&mut self, now: Instant, wall: Millis, input: Input) {
        self.at(now, wall);
        match input {
            Input::Call(input) => self.lines.handle_input(now, input),
            Input::Signal(signal) => self.on_signal(signal),
            Input::TunnelPeer { overflow, peer } => self.tunnel_peer(overflow, peer),
            Input::PathLost { overflow } => self.path_lost(overflow),
            Input::LinkUp => self.link_up(),
            Input::LinkDown => self.link_down(),
            Input::NoticesHeard => self.notice_heard(),
            Input::TrunkRefused { trunk, what } => self.trunk_refused(trunk, what),
            Input::DeviceChanged { what } => self.tell_of_device(what),
            Input::LookedUp { question, said } => self.looked_up(question, said),
            Input::Configure { config, secrets } => {
                self.config = Arc::new(*config);
                self.chronicle.config = self.config.clone();
                self.lines.configure(now, &self.config, *secrets);
                self.close_hours();
                self.phones.configure(&self.config);
                self.light_all();
                self.watch_alerts();
                self.acd.handle_input(now, acd::Input::Configure(Box::new(Config::clone(&self.config))));
            }
            Input::Kept { contact, stored } => self.kept(contact, stored),
            Input::ForwardSet { leg, stored } => self.forward_set(leg, stored),
            Input::Civil(civil) => {
                if civil.date != self.civil.date {
                    self.chronicle.new_day();
                }
                self.set_civil(civil);
                self.close_hours();
                self.hold_callbacks();
            }
        }
        self.settle();
    }

    pub fn handle_timeout(&mut self, now: Instant, wall: Millis) {
        self.at(now, wall);
        self.lines.handle_timeout(now);
        self.pump();
        self.acd.handle_timeout(now);
        self.pump();
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Collect(contact) => self.collect_timeout(contact),
                Timer::Away(contact) => self.stayed_away(contact),
                Timer::Refusing(contact) => self.refused_aloud(contact),
                Timer::Farewell(leg) => self.farewell_over(leg),
                Timer::Forward(contact) => self.rang_out(contact),
                Timer::Moving(contact) => self.moved_in_vain(contact),
                Timer::TestCall => self.test_in_vain(),
                Timer::Unseen => self.unseen(),
                Timer::Minute(contact) => self.minute_over(contact),
                Timer::Pause(contact) => drop(self.end_pause(contact, None)),
                Timer::CardMode(contact) => drop(self.end_card_mode(contact, CardModeEnd::TimedOut)),
                Timer::Asked(overflow) => self.asked_in_vain(overflow),
                Timer::Keeping(contact) => self.kept(contact, false),
                Timer::CallBack(contact) => self.customer_rang_out(contact),
                Timer::CallAgain(contact) => self.call_again(contact),
                Timer::Alerts => self.look_for_alerts(),
            }
        }
        self.settle();
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.lines.poll_timeout(), self.acd.poll_timeout(), self.timers.first()].into_iter().flatten().min()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.chronicle.poll_output()
    }

    /// What an earlier life of the process had written down of calls out and notices, the oldest first.
    pub fn remember<'a>(&mut self, facts: impl IntoIterator<Item = &'a Fact>) {
        for fact in facts {
            self.caps.note(fact);
            self.emergencies.note(fact);
            self.notices.note(fact);
        }
    }

    /// A customer who was served in an earlier life of the process, the oldest first.
    pub fn know(&mut self, number: &str, agent: &AgentId) {
        self.regulars.served(number, agent);
    }

    /// RTP ports that copies for recording servers may take: those that no call needs.
    pub fn spare_ports(&mut self, ports: usize) {
        self.lines.spare_ports(ports);
    }

    /// The telephone lines, for counters and the health file.
    pub fn lines(&self) -> &L {
        &self.lines
    }

    /// What is held at this moment.
    pub fn in_use(&self) -> InUse {
        InUse {
            contacts: self.contacts.len(),
            legs: self.legs.len(),
            offers: self.offers.len(),
            overflows: self.overflows.len(),
            recordings: self.recordings.len(),
            unwritten: self.chronicle.unwritten(),
        }
    }

    /// Somebody's call for help is not over.
    pub fn helps_somebody(&self) -> bool {
        self.contacts.values().any(|contact| contact.out.as_ref().is_some_and(|out| out.emergency))
    }

    pub(crate) fn at(&mut self, now: Instant, wall: Millis) {
        self.now = now;
        self.chronicle.wall = wall;
    }

    /// Everything beneath is asked until it is quiet; then the board may have changed.
    pub(crate) fn settle(&mut self) {
        self.pump();
        self.write_wills();
        self.pump();
        if self.chronicle.has_outputs() {
            self.chronicle.put(Output::BoardChanged);
        }
    }

    pub(crate) fn pump(&mut self) {
        loop {
            if let Some(output) = self.acd.poll_output() {
                self.on_acd(output);
            } else if let Some(output) = self.lines.poll_output() {
                self.on_line(output);
            } else {
                return;
            }
        }
    }

    /// Tells the distributor something, and does what it answers before anything else happens.
    pub(crate) fn ask_acd(&mut self, input: acd::Input) {
        self.acd.handle_input(self.now, input);
        while let Some(output) = self.acd.poll_output() {
            self.on_acd(output);
        }
    }

    fn on_line(&mut self, output: LineOutput) {
        match output {
            LineOutput::Send { flow, bytes } => self.chronicle.put(Output::Send { flow, bytes }),
            LineOutput::Close { flow } => self.chronicle.put(Output::Close { flow }),
            LineOutput::Media(command) => self.chronicle.put(Output::Media(command)),
            LineOutput::Event(event) => self.on_event(event),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Incoming { leg, party, to, caller, replaces } => self.incoming(leg, party, &to, caller, replaces),
            Event::Ringing { leg } => self.leg_rings(leg),
            Event::Answered { leg } => self.leg_answered(leg),
            Event::Digit { leg, digit } => self.digit(leg, digit),
            Event::Played { leg, .. } if self.code_played(leg) => {}
            Event::Played { leg, play } => self.played(leg, play),
            Event::Hold { leg, held } => self.held_by_phone(leg, held),
            Event::TransferAsked { leg, to } => self.transfer_asked(leg, &to),
            Event::AttendedAsked { leg, replaces } => self.attended_asked(leg, replaces),
            Event::Quality { leg, quality } => self.sounded(leg, quality),
            Event::Recording { recording, state } => self.recording_event(recording, state),
            Event::TunnelOpen { leg, local } => self.tunnel_open(leg, local),
            Event::Diverted { leg, from, why, hops } => self.tell_of_leg(leg, Kind::Diverted { from, why, hops }),
            Event::Unkeyed { leg, why } => self.tell_of_leg(leg, Kind::Unkeyed { why: unkeyed(why) }),
            Event::Released { leg, released } => self.tell_of_leg(leg, Kind::Released { released }),
            Event::Ended { leg, cause } => self.leg_ended(leg, cause),
            Event::Copied { recording, state } => self.copied(recording, state),
            Event::Brought { leg, by, metadata } => self.brought(leg, by, &metadata),
            Event::BroughtAnew { leg, metadata } => self.brought_anew(leg, &metadata),
            Event::BroughtPaused { leg, paused } => self.brought_paused(leg, paused),
            Event::BroughtOver { leg } => self.brought_over(leg),
            Event::Registered { phone, up, binding } => self.registered(phone, up, binding),
            Event::TrunkState { trunk, up } => self.chronicle.put(Output::TrunkState { trunk, up }),
            Event::Refused { cause, status } => self.chronicle.put(Output::Refused { cause, status }),
        }
    }

    fn tell_of_leg(&mut self, leg: LegId, kind: Kind) {
        if let Some((contact, _)) = self.legs.get(&leg) {
            self.chronicle.tell_of(*contact, kind);
        }
    }

    /// Trunks and groups are told which hours are not open.
    fn close_hours(&mut self) {
        let open = |hours: &Hours| ivr::hours::is_open(hours, &self.civil);
        let closed = self.config.hours.iter().filter(|(_, hours)| !open(hours)).map(|(id, _)| id.clone()).collect();
        self.lines.close_hours(closed);
    }

    fn on_acd(&mut self, output: acd::Output) {
        match output {
            acd::Output::Decided { contact, decision } => self.decided = Some((contact, decision)),
            acd::Output::Offer { contact, agent, .. } => self.offer(contact, agent),
            acd::Output::OfferEnded { contact, agent, outcome } => self.offer_ended(contact, agent, outcome),
            acd::Output::AgentState { agent, state } => self.agent_is(agent, state),
            acd::Output::WrapUpStarted { agent, contact } => {
                self.chronicle.tell_of(contact, Kind::WrapUpStarted { agent });
            }
            acd::Output::WrapUpEnded { agent, contact } => self.written_up(agent, contact),
            acd::Output::Position { contact, position } => self.tell_position(contact, position),
            acd::Output::OverflowDue { contact, sites, .. } => self.overflow_due(contact, sites),
            acd::Output::Returned { contact, why } => self.returned(contact, why),
        }
    }

    /// Milliseconds since 1970 in 48 bits, then 80 random ones (as RFC 9562 §5.7 does it): what is written together lies
    /// together in the ledger.
    pub(crate) fn dated_id(&mut self) -> u128 {
        let millis = u128::try_from(self.chronicle.wall.0).unwrap_or(0) & 0xffff_ffff_ffff;
        millis << 80 | self.random_id() >> 48
    }

    pub(crate) fn random_id(&mut self) -> u128 {
        let (high, low) = (u128::from(self.rng.next_u64()), u128::from(self.rng.next_u64()));
        high << 64 | low
    }
}

fn unkeyed(why: plane::Unkeyed) -> Unkeyed {
    match why {
        plane::Unkeyed::NoCertificate => Unkeyed::NoCertificate,
        plane::Unkeyed::Silent => Unkeyed::Silent,
        plane::Unkeyed::AnotherCertificate => Unkeyed::AnotherCertificate,
        plane::Unkeyed::Refused => Unkeyed::Refused,
    }
}

/// For the health file, the counters, and tests that look for leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InUse {
    pub contacts: usize,
    pub legs: usize,
    /// Agents who are being rung for a contact.
    pub offers: usize,
    pub overflows: usize,
    /// Running, or being sealed.
    pub recordings: usize,
    /// Contacts whose record is not final.
    pub unwritten: usize,
}
