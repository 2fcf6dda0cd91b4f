//! Plays a ladder: reads what happens, writes down what the floor says and does.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use call::{
    leg::{Caller, Cause, Event, Party},
    plane::{Failure, Quality, RecordingState},
};
use floor::{
    CivilTime, Floor, Input, Output,
    board::{Ask, DeskCommand, Refused},
    correcting::{Correction, Reach},
    overflow::{Kind as Say, Signal},
};
use model::{
    ContactId, Extension, Millis, OverflowId,
    cdr::Cdr,
    config::{Config, Locality},
    fact::{Fact, Kind, LookUpFailed, Monitoring},
    flow::Value,
    overflow::{Passport, Refusal},
};

use crate::{
    branch::{self, id},
    double::{Double, Paper},
};

/// 2026-11-23T09:00:00Z.
const ZERO: i64 = 1_795_424_400_000;

pub struct Scene {
    pub floor: Floor<Double>,
    paper: Rc<RefCell<Paper>>,
    pub zero: Instant,
    now: Instant,
    pub ladder: String,
    pub facts: Vec<Fact>,
    pub cdrs: Vec<Cdr>,
    names: BTreeMap<u128, String>,
    overflow: Option<OverflowId>,
    question: u64,
    /// Contacts that were to be kept since the last drain.
    keep: Vec<ContactId>,
    /// Phones that have set a forward since.
    forwards: Vec<(model::LegId, Extension, model::forward::Forward)>,
    /// The disk takes nothing.
    pub disk_full: bool,
    /// What happens to a leg that is not there is passed over.
    pub forgiving: bool,
}

impl Scene {
    pub fn new(config: Config) -> Self {
        // The one moment that everything else is counted from.
        #[allow(clippy::disallowed_methods)]
        let zero = Instant::now();
        let registered = config.phones.keys().cloned().collect();
        let paper = Paper { config: Some(config.clone()), registered, ..Paper::default() };
        let paper = Rc::new(RefCell::new(paper));
        let floor = Floor::with_lines(zero, Double(paper.clone()), config, [7; 32], branch::monday());
        Self {
            floor,
            paper,
            zero,
            now: zero,
            ladder: String::new(),
            facts: Vec::new(),
            cdrs: Vec::new(),
            names: BTreeMap::new(),
            overflow: None,
            question: 0,
            keep: Vec::new(),
            forwards: Vec::new(),
            disk_full: false,
            forgiving: false,
        }
    }

    /// Plays the lines that begin with `@seconds`.
    pub fn play(&mut self, script: &str) -> &mut Self {
        for line in script.lines().map(str::trim).filter(|line| line.starts_with('@')) {
            let (at, what) = line.split_once(' ').unwrap_or((line, ""));
            let at = self.zero + Duration::from_secs(at[1..].parse().expect("seconds"));
            self.ladder += &format!("{line}\n");
            while let Some(due) = self.floor.poll_timeout().filter(|due| *due <= at) {
                self.now = self.now.max(due);
                self.floor.handle_timeout(due, self.wall());
                self.drain();
            }
            self.now = at;
            self.happen(what);
            self.drain();
            for contact in std::mem::take(&mut self.keep) {
                self.input(Input::Kept { contact, stored: !self.disk_full });
                self.drain();
            }
            for (leg, phone, forward) in std::mem::take(&mut self.forwards) {
                let config = self.paper.borrow().config.clone().filter(|_| !self.disk_full);
                if let Some(mut config) = config {
                    config.phones.get_mut(&phone).expect("a phone").forward = forward;
                    self.paper.borrow_mut().config = Some(config.clone());
                    self.input(Input::Configure { config: Box::new(config), secrets: Box::default() });
                    self.drain();
                }
                self.input(Input::ForwardSet { leg, stored: !self.disk_full });
                self.drain();
            }
        }
        self
    }

    /// What an earlier life wrote down.
    pub fn remember(&mut self, facts: &[Fact]) {
        self.floor.remember(facts);
    }

    /// A promise of an earlier life.
    pub fn recall(&mut self, contact: ContactId, facts: &[Fact], person: (Caller, String)) {
        self.floor.recall(self.now, self.wall(), (contact, facts), person);
        self.drain();
    }

    /// A message of an earlier life.
    pub fn recall_message(&mut self, contact: ContactId, queue: model::QueueId, recording: model::RecordingId) {
        self.floor.recall_message(contact, queue, recording);
        self.drain();
    }

    pub fn board(&self) -> floor::board::Board {
        self.floor.board(self.now)
    }

    /// The name of one of the legs there are.
    pub fn some_leg(&self, n: usize) -> Option<String> {
        let paper = self.paper.borrow();
        let count = paper.legs.len();
        (count > 0).then(|| paper.legs.keys().nth(n % count).cloned()).flatten()
    }

    pub fn overflow_known(&self) -> bool {
        self.overflow.is_some()
    }

    pub fn contacts(&self) -> usize {
        self.floor.in_use().contacts
    }

    pub fn recording_known(&self) -> bool {
        self.paper.borrow().recording.is_some()
    }

    /// The media process seals every recording that it was ever asked for.
    pub fn seal_all(&mut self) {
        let all: Vec<model::RecordingId> = self.paper.borrow_mut().recordings.drain(..).collect();
        for recording in all {
            let state = RecordingState::Sealed { chunks: 1, frames: 1, sha256: "ab".into(), ms: 20 };
            self.paper.borrow_mut().tell(Event::Recording { recording, state });
        }
        self.floor.handle_timeout(self.now, self.wall());
        self.drain();
    }

    pub fn wall(&self) -> Millis {
        Millis(ZERO + i64::try_from((self.now - self.zero).as_millis()).expect("small"))
    }

    /// The lines say so, and the floor hears it.
    pub fn lines_say(&mut self, event: Event) {
        self.paper.borrow_mut().tell(event);
        self.floor.handle_timeout(self.now, self.wall());
        self.drain();
    }

    /// The last recording that was asked for.
    pub fn recording_id(&self) -> model::RecordingId {
        self.paper.borrow().recording.expect("a recording")
    }

    pub fn input(&mut self, input: Input) {
        self.floor.handle_input(self.now, self.wall(), input);
    }

    /// The last contact's disposition, said anew.
    pub fn correct(&mut self, by: &str, code: &str, reach: Reach) -> Result<(), Refused> {
        let contact = self.facts.iter().rev().find_map(|fact| fact.contact).expect("a contact");
        let facts: Vec<Fact> = self.facts.iter().filter(|fact| fact.contact == Some(contact)).cloned().collect();
        let correction = Correction { by: id(by), contact, disposition: id(code), reach };
        let result = self.floor.correct(self.now, self.wall(), correction, &facts);
        self.drain();
        result
    }

    fn happen(&mut self, what: &str) {
        let words: Vec<&str> = what.split_whitespace().collect();
        match words[..] {
            [] => {}
            ["desk", who, ..] => self.desk(who, &words[2..]),
            ["link", "up"] => self.input(Input::LinkUp),
            ["link", "down"] => self.input(Input::LinkDown),
            ["peer", addr] => {
                let overflow = self.overflow.expect("an overflow");
                self.input(Input::TunnelPeer { overflow, peer: addr.parse().expect("an address") });
            }
            ["path", "lost"] => {
                let overflow = self.overflow.expect("an overflow");
                self.input(Input::PathLost { overflow });
            }
            ["civil", date, day, minute] => {
                let (day, minute) = (day.parse().expect("a day"), minute.parse().expect("a minute"));
                self.input(Input::Civil(CivilTime { date: date.into(), day, minute }));
            }
            ["configure", ref how @ ..] => self.configure(how),
            ["crm", "says", field, value] => {
                let value = serde_json::from_str(value).expect("a value");
                self.crm(Ok(BTreeMap::from([(field.to_owned(), value)])));
            }
            ["crm", "is", "away"] => self.crm(Err(LookUpFailed::Unreachable)),
            [site @ ("south" | "east" | "west"), ref said @ ..] => self.signal(site, said),
            ["recording", state] => self.recording(state),
            [phone, "opens", "its", "page"] => {
                self.paper.borrow_mut().browsers.insert(id(phone));
                self.register(phone, true);
            }
            [phone, "leaves", "its", "page"] => {
                self.paper.borrow_mut().browsers.remove(&id(phone));
                self.register(phone, false);
                self.leg_does(phone, &["is", "lost"]);
            }
            [phone, "registers"] => self.register(phone, true),
            [phone, "unregisters"] => self.register(phone, false),
            [name, "calls", number] => self.calls(name, number),
            [name, ref does @ ..] => self.leg_does(name, does),
        }
        // Whatever the lines have to say is heard at the next opportunity.
        self.floor.handle_timeout(self.now, self.wall());
    }

    /// The answer to the last question.
    fn crm(&mut self, said: Result<BTreeMap<String, Value>, LookUpFailed>) {
        self.input(Input::LookedUp { question: self.question, said });
    }

    fn calls(&mut self, name: &str, number: &str) {
        let mut paper = self.paper.borrow_mut();
        let leg = paper.new_leg(name);
        let (party, from) = match Extension::new(name) {
            Ok(phone) => (Party::Phone(phone), name.to_owned()),
            Err(_) => {
                let from = match name {
                    "centre" => "112".to_owned(),
                    _ => format!("017{:07}", name.bytes().last().unwrap_or(0)),
                };
                (Party::Trunk { trunk: id("carrier"), user: from.clone() }, from)
            }
        };
        let caller = Caller { number: from, name: None };
        paper.tell(Event::Incoming { leg, party, to: number.to_owned(), caller, replaces: None });
    }

    fn leg_does(&mut self, name: &str, does: &[&str]) {
        let mut paper = self.paper.borrow_mut();
        let Some(leg) = paper.legs.get(name).copied() else {
            // In a random day a timer may have ended the leg a moment ago.
            assert!(self.forgiving, "no leg {name}; the ladder is\n{}", self.ladder);
            return;
        };
        match does {
            ["answers" | "confirms"] => paper.tell(Event::Answered { leg }),
            ["rings"] => paper.tell(Event::Ringing { leg }),
            ["presses", key] => paper.tell(Event::Digit { leg, digit: key.chars().next().expect("a key") }),
            ["heard"] => {
                // Who hears nothing has heard it to no end.
                if let Some(play) = paper.plays.get(&leg).copied() {
                    paper.tell(Event::Played { leg, play });
                }
            }
            ["sounds", rating] => {
                let quality = Quality {
                    flow: call::plane::Flow::Both,
                    lost_permille: 0,
                    jitter_ms: 0,
                    round_trip_ms: None,
                    told_lost_permille: None,
                    told_rating: None,
                    rating: rating.parse().expect("a rating"),
                    opinion_hundredths: 300,
                };
                paper.tell(Event::Quality { leg, quality });
            }
            ["holds"] => paper.tell(Event::Hold { leg, held: true }),
            ["comes", "back"] => paper.tell(Event::Hold { leg, held: false }),
            ["refers", "into", other] => {
                let replaces = paper.legs[*other];
                paper.tell(Event::AttendedAsked { leg, replaces });
            }
            ["refers", to] => paper.tell(Event::TransferAsked { leg, to: (*to).to_owned() }),
            ["open"] => paper.tell(Event::TunnelOpen { leg, local: "127.0.0.1:4000".parse().expect("an address") }),
            ["hangs", "up"] => paper.gone(leg, Cause::PartyHungUp),
            ["is", "busy"] => paper.gone(leg, Cause::Busy),
            ["is", "lost"] => paper.gone(leg, Cause::Lost),
            ["does", "not", "answer"] => paper.gone(leg, Cause::NoAnswer),
            other => panic!("{name} cannot {other:?}"),
        }
    }

    fn recording(&mut self, state: &str) {
        let mut paper = self.paper.borrow_mut();
        let recording = paper.recording.expect("a recording");
        let state = match state {
            "started" => RecordingState::Started,
            "sealed" => RecordingState::Sealed { chunks: 3, frames: 150, sha256: "ab".into(), ms: 3000 },
            "empty" => RecordingState::Sealed { chunks: 1, frames: 10, sha256: "ab".into(), ms: 200 },
            "disk" => RecordingState::Failed { why: Failure::Disk },
            "lost" => RecordingState::Failed { why: Failure::UnknownPort },
            other => panic!("no such state {other}"),
        };
        paper.tell(Event::Recording { recording, state });
    }

    fn register(&mut self, phone: &str, up: bool) {
        let mut paper = self.paper.borrow_mut();
        let phone: Extension = id(phone);
        match up {
            true => drop(paper.registered.insert(phone.clone())),
            false => drop(paper.registered.remove(&phone)),
        }
        let here = "192.0.2.9:5060".parse().expect("an address");
        let flow = call::endpoint::Flow {
            transport: call::endpoint::Transport::Udp,
            local: here,
            remote: here,
            connection: 0,
        };
        let binding =
            call::endpoint::Binding { contact: "sip:x".into(), flow, expires_s: 60, user_agent: None, outbound: None };
        paper.tell(Event::Registered { phone, up, binding });
    }

    fn desk(&mut self, who: &str, ask: &[&str]) {
        let ask = match ask {
            ["seen"] => {
                let board = self.board();
                let notices = board.emergencies.iter().map(|line| line.notice);
                let notice = notices.chain(board.notices.iter().map(|line| line.notice)).next();
                Ask::Seen { notice: notice.unwrap_or(model::NoticeId(0)) }
            }
            ["sign-in"] => Ask::SignIn,
            ["sign-out"] => Ask::SignOut,
            ["message", "done"] => {
                let recording = |fact: &Fact| match fact.kind {
                    Kind::MessageLeft { recording, .. } => Some(recording),
                    _ => None,
                };
                Ask::MessageDone { recording: self.facts.iter().find_map(recording).expect("a message") }
            }
            ["strike", "off"] => {
                let board = self.board();
                let line = board.callbacks.first();
                Ask::StrikeOff { contact: line.map_or(ContactId(0), |line| line.contact) }
            }
            ["ready"] => Ask::Ready,
            ["not-ready"] => Ask::NotReady { pause: None },
            ["not-ready", pause] => Ask::NotReady { pause: Some(id(pause)) },
            ["names", disposition] => {
                let line = self.board().agents.into_iter().find(|line| line.agent == id(who));
                let contact = line.and_then(|line| line.contact).map_or(ContactId(0), |card| card.contact);
                Ask::Dispose { contact, disposition: id(disposition) }
            }
            ["wrapped-up"] => Ask::WrapUpDone,
            ["more"] => Ask::WrapUpMore,
            ["dial", number] => Ask::Dial { number: (*number).to_owned() },
            ["hang-up"] => Ask::HangUp,
            ["hold"] => Ask::Hold,
            ["was", "told", word @ ("yes" | "no")] => Ask::Consent { given: *word == "yes" },
            ["pauses", "recording"] => Ask::PauseRecording,
            ["records", "again"] => Ask::ResumeRecording,
            ["card", "mode"] => Ask::CardMode,
            ["card", "mode", "end"] => Ask::CardModeEnd,
            ["resume"] => Ask::Resume,
            ["consult", "end"] => Ask::ConsultEnd,
            ["consult", number] => Ask::Consult { number: (*number).to_owned() },
            ["confer"] => Ask::Confer,
            ["listen", "to", agent] => Ask::Monitor { agent: id(agent), how: Monitoring::Listen },
            ["whisper", "to", agent] => Ask::Monitor { agent: id(agent), how: Monitoring::Whisper },
            ["barge", "in", "on", agent] => Ask::Monitor { agent: id(agent), how: Monitoring::Barge },
            ["leave", "the", "talk"] => Ask::MonitorEnd,
            ["transfer", number] => Ask::Transfer { number: (*number).to_owned() },
            other => panic!("no such request {other:?}"),
        };
        let result = self.floor.desk(self.now, self.wall(), DeskCommand { agent: id(who), ask });
        if let Err(refused) = result {
            self.ladder += &format!("    refused: {refused}\n");
        }
    }

    fn configure(&mut self, how: &[&str]) {
        let mut config = self.paper.borrow().config.clone().expect("a configuration");
        match how {
            ["without", "queue", queue] => drop(config.queues.remove(&id(queue))),
            ["without", "agent", agent] => drop(config.agents.remove(&id(agent))),
            ["main", "to", queue] => {
                let flow = config.flows.get_mut(&id("main")).expect("a flow");
                flow.steps.insert(
                    id("to-sales"),
                    model::flow::Step::Queue {
                        queue: id(queue),
                        asks: Default::default(),
                        after: None,
                        otherwise: None,
                    },
                );
            }
            ["queue", queue, "calls", "back", "in", hours] => {
                config.queues.get_mut(&id(queue)).expect("a queue").callback.hours = Some(id(hours));
            }
            ["queue", queue, "closes"] => config.queues.get_mut(&id(queue)).expect("a queue").closed = true,
            ["the", "site", "closes"] => config.site.closed = true,
            ["queue", queue, "opens"] => config.queues.get_mut(&id(queue)).expect("a queue").closed = false,
            ["queue", queue, "closes", "with", hours] => {
                config.queues.get_mut(&id(queue)).expect("a queue").hours = Some(id(hours));
            }
            other => panic!("no such change {other:?}"),
        }
        self.input(Input::Configure { config: Box::new(config), secrets: Box::default() });
    }

    fn signal(&mut self, site: &str, said: &[&str]) {
        let passport = |locality, hops| Passport { locality, show_number: false, may_record: false, hops };
        let kind = match said {
            ["asks", queue, "local"] => Say::Offer { queue: id(queue), passport: passport(Locality::LocalOnly, 0) },
            ["asks", queue, "hops", hops] => {
                let hops = hops.parse().expect("a number");
                Say::Offer { queue: id(queue), passport: passport(Locality::MayLeave, hops) }
            }
            ["asks", queue] => Say::Offer { queue: id(queue), passport: passport(Locality::MayLeave, 0) },
            ["rings"] => Say::Ringing,
            ["accepts"] => Say::Accept,
            ["refuses"] => Say::Refuse { reason: Refusal::NoAgentReady },
            ["ends"] => Say::End,
            other => panic!("no such signal {other:?}"),
        };
        if let Say::Offer { .. } = kind {
            self.overflow = Some(OverflowId(77));
            self.names.insert(77, "o77".to_owned());
        }
        let overflow = self.overflow.expect("an overflow");
        self.input(Input::Signal(Signal { overflow, peer: id(site), kind }));
    }

    fn drain(&mut self) {
        let written: Vec<String> = self.paper.borrow_mut().written.drain(..).collect();
        let mut lines: Vec<String> = Vec::new();
        while let Some(output) = self.floor.poll_output() {
            if let Some(line) = self.tell(output) {
                lines.push(line);
            }
        }
        let at = (self.now - self.zero).as_secs();
        for line in lines.iter() {
            self.ladder += &format!("  {at:>4} {line}\n");
        }
        for line in written.iter() {
            self.ladder += &format!("       > {line}\n");
        }
    }

    fn name(&mut self, kind: &str, of: u128) -> String {
        let next = self.names.values().filter(|name| name.starts_with(kind)).count() + 1;
        self.names.entry(of).or_insert_with(|| format!("{kind}{next}")).clone()
    }

    fn tell(&mut self, output: Output) -> Option<String> {
        Some(match output {
            Output::Fact(fact) => {
                self.facts.push(fact.clone());
                let of = fact.contact.map(|contact| self.name("c", contact.0) + " ").unwrap_or_default();
                of + &self.fact(fact.kind)
            }
            Output::Personal { contact, caller, shown, .. } => {
                let shown: String = shown.iter().map(|(what, says)| format!(", {what}: {says}")).collect();
                format!("{} is {}{shown}", self.name("c", contact.0), caller.number)
            }
            Output::Cdr(cdr) => {
                self.cdrs.push((*cdr).clone());
                self.cdr(&cdr)
            }
            Output::Signal(signal) => {
                self.overflow = Some(signal.overflow);
                let overflow = self.name("o", signal.overflow.0);
                let kind = match signal.kind {
                    Say::Offer { queue, passport } => format!("Offer {queue} {:?}", passport.locality),
                    other => format!("{other:?}"),
                };
                format!("to {} {overflow}: {kind}", signal.peer)
            }
            Output::Tunnel { overflow, local } => format!("tunnel {} from {local}", self.name("o", overflow.0)),
            Output::Registered { phone, up, .. } => format!("{phone} is {}", if up { "there" } else { "gone" }),
            Output::Notice(notice) => format!("to the centre: {:?}", notice.what),
            Output::LookUp { question, ask } => {
                self.question = question;
                format!("look up {} within {} s", ask.url, ask.wait.as_secs())
            }
            Output::Keep { contact } => {
                self.keep.push(contact);
                return None;
            }
            Output::SetForward { leg, phone, forward } => {
                let to = [
                    ("always", &forward.always),
                    ("busy", &forward.busy),
                    ("no answer", &forward.no_answer),
                    ("away", &forward.unregistered),
                ];
                let to = to.into_iter().filter_map(|(when, to)| Some(format!("{when} {}", to.as_ref()?)));
                let to: Vec<_> = to.collect();
                self.forwards.push((leg, phone.clone(), forward));
                format!("SetForward {phone} {}", if to.is_empty() { "-".to_owned() } else { to.join(", ") })
            }
            Output::TrunkState { .. } | Output::Refused { .. } => return None,
            Output::Send { .. } | Output::Close { .. } | Output::Media(_) | Output::BoardChanged => return None,
        })
    }

    fn fact(&mut self, kind: Kind) -> String {
        let overflow = |scene: &mut Self, of: OverflowId| scene.name("o", of.0);
        match kind {
            Kind::Arrived { trunk, number } => {
                let (trunk, number) = (text(trunk), text(number));
                format!("Arrived on {trunk} for {number}")
            }
            Kind::Forwarded { phone, why, trunk, .. } => {
                let on = trunk.map(|trunk| format!(" on {trunk}")).unwrap_or_default();
                format!("Forwarded by {phone} {why:?}{on}")
            }
            Kind::Dialled { phone, trunk, emergency, .. } => {
                let how = if emergency { " emergency" } else { "" };
                format!("Dialled from {} on {}{how}", text(phone), text(trunk))
            }
            Kind::FlowEntered { flow, step } => format!("FlowEntered {flow}/{step}"),
            Kind::Marked { step, mark, best, .. } => format!("Marked {mark} of {best} at {step}"),
            Kind::LookedUp { failed, .. } => {
                format!("LookedUp {}", failed.map_or("well".into(), |why| format!("{why:?}")))
            }
            Kind::Queued { queue } => format!("Queued {queue}"),
            Kind::Offered { agent, .. } => format!("Offered {agent}"),
            Kind::OfferEnded { agent, outcome } => format!("OfferEnded {agent} {outcome:?}"),
            Kind::Answered { agent } => format!("Answered by {}", text(agent)),
            Kind::Transferred { how } => format!("Transferred {how:?}"),
            Kind::RecordingStarted { .. } => "RecordingStarted".to_owned(),
            Kind::RecordingSealed { chunks, frames, .. } => format!("RecordingSealed {chunks} {frames}"),
            Kind::RecordingMissing { reason } => format!("RecordingMissing {reason:?}"),
            Kind::Consented { given, by } => format!("Consented {given} by {}", text(by)),
            Kind::RecordingPaused { by } => format!("RecordingPaused by {by}"),
            Kind::RecordingResumed { by } => format!("RecordingResumed by {}", text(by)),
            Kind::OverflowOffered { overflow: of, site } => format!("OverflowOffered {} {site}", overflow(self, of)),
            Kind::OverflowAnswered { overflow: of, site } => format!("OverflowAnswered {} {site}", overflow(self, of)),
            Kind::OverflowReturned { overflow: of, reason } => {
                format!("OverflowReturned {} {reason:?}", overflow(self, of))
            }
            Kind::HelpGiven { overflow: of, site, agent } => {
                format!("HelpGiven {} to {site} by {agent}", overflow(self, of))
            }
            Kind::CardModeBegan => "CardModeBegan".to_owned(),
            Kind::CardModeEnded { why } => format!("CardModeEnded {why:?}"),
            Kind::Sounded { sound } => format!("Sounded {} at worst", sound.opinion_worst),
            Kind::Ended { cause } => format!("Ended {cause:?}"),
            Kind::AgentState { agent, state, pause: None } => format!("{agent} is {state:?}"),
            Kind::AgentState { agent, state, pause: Some(pause) } => format!("{agent} is {state:?}, {pause:?}"),
            Kind::WrapUpStarted { agent } => format!("WrapUpStarted {agent}"),
            Kind::Disposed { agent, disposition } => format!("Disposed by {agent}: {disposition:?}"),
            Kind::Corrected { by, disposition } => format!("Corrected by {by}: {disposition}"),
            Kind::WrapUpEnded { agent } => format!("WrapUpEnded {agent}"),
            Kind::Noticed { what, place, .. } => format!("Noticed {what:?} at {}", text(place)),
            Kind::CallbackPromised { queue, .. } => format!("CallbackPromised {queue}"),
            Kind::CallbackTried { phone, .. } => format!("CallbackTried by {phone}"),
            Kind::CallbackMissed { cause, counts } => {
                format!("CallbackMissed {cause:?}{}", if counts { "" } else { ", does not count" })
            }
            Kind::CallbackStruckOff { by } => format!("CallbackStruckOff by {}", text(by)),
            Kind::Charged { phone, cents, .. } => format!("Charged {phone} {cents}"),
            Kind::Consulted { agent } => format!("Consulted {}", text(agent)),
            Kind::Conferred { agent } => format!("Conferred with {}", text(agent)),
            Kind::ConferenceLeft { agent } => format!("ConferenceLeft by {}", text(agent)),
            Kind::Monitored { by, how } => format!("Monitored by {by}: {how:?}"),
            Kind::MonitoringEnded { by } => format!("MonitoringEnded by {by}"),
            other => format!("{other:?}"),
        }
    }

    fn cdr(&mut self, cdr: &Cdr) -> String {
        let s = |ms: u64| ms / 1000;
        let mut line =
            format!("cdr {}: {:?} {:?} {:?}", self.name("c", cdr.contact.0), cdr.direction, cdr.outcome, cdr.cause);
        line += &format!(", wait {} talk {} hold {}", s(cdr.wait_ms), s(cdr.talk_ms), s(cdr.hold_ms));
        line += &cdr.wrap_up_ms.map(|ms| format!(" wrap-up {}", s(ms))).unwrap_or_default();
        line += &cdr.queue.as_ref().map(|queue| format!(", {queue}")).unwrap_or_default();
        line += &cdr.agent.as_ref().map(|agent| format!(", by {agent}")).unwrap_or_default();
        line += &cdr.answered_at.as_ref().map(|site| format!(", at {site}")).unwrap_or_default();
        line += &format!(", offers {}", cdr.offers);
        line + if cdr.recording.is_some() { ", recorded" } else { "" }
    }
}

/// Plays a script; what was told and done meanwhile, in which each of these must be.
#[track_caller]
pub fn check(scene: &mut Scene, script: &str, expected: &[&str]) -> String {
    let before = scene.ladder.len();
    scene.play(script);
    let told = scene.ladder[before..].to_owned();
    for line in expected {
        assert!(told.contains(line), "no {line:?} in\n{told}");
    }
    told
}

fn text<T: ToString>(of: Option<T>) -> String {
    of.map_or_else(|| "-".to_owned(), |of| of.to_string())
}
