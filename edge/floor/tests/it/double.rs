//! Telephone lines that exist on paper: they write down what they are told and end legs when asked.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    rc::Rc,
    time::Instant,
};

use call::{
    Hearing, Secrets,
    leg::{Cause, Destination, Dial, Event, Input, Output, Party},
    plane::{MixId, PlayId},
};
use floor::Lines;
use model::{
    Extension, LanguageId, LegId, Number, OverflowId, PromptId, RecordingId, TrunkId, config::Config, sound::Sound,
};

#[derive(Default)]
pub struct Paper {
    pub told: VecDeque<Output>,
    pub written: Vec<String>,
    pub names: BTreeMap<LegId, String>,
    pub legs: BTreeMap<String, LegId>,
    pub plays: BTreeMap<LegId, PlayId>,
    pub registered: BTreeSet<Extension>,
    /// Phones that are pages.
    pub browsers: BTreeSet<Extension>,
    pub recording: Option<RecordingId>,
    pub recordings: Vec<RecordingId>,
    pub config: Option<Config>,
    pub next: u128,
}

impl Paper {
    pub fn tell(&mut self, event: Event) {
        self.told.push_back(Output::Event(event));
    }

    /// A second leg of the same name is told apart by a prime.
    pub fn new_leg(&mut self, name: &str) -> LegId {
        if self.legs.contains_key(name) {
            return self.new_leg(&format!("{name}'"));
        }
        self.next += 1;
        let leg = LegId(self.next);
        self.names.insert(leg, name.to_owned());
        self.legs.insert(name.to_owned(), leg);
        leg
    }

    fn name(&self, leg: LegId) -> String {
        self.names.get(&leg).cloned().unwrap_or_else(|| "nobody".to_owned())
    }

    fn write(&mut self, line: String) {
        self.written.push(line);
    }

    fn end(&mut self, leg: LegId, cause: Cause, how: String) {
        if self.names.contains_key(&leg) {
            self.write(how);
            self.gone(leg, cause);
        }
    }

    /// The leg ends, whoever ended it.
    pub fn gone(&mut self, leg: LegId, cause: Cause) {
        if self.names.remove(&leg).is_some() {
            self.legs.retain(|_, of| *of != leg);
            self.tell(Event::Ended { leg, cause });
        }
    }
}

#[derive(Clone)]
pub struct Double(pub Rc<RefCell<Paper>>);

impl Double {
    fn say(&self, verb: &str, leg: LegId) {
        let mut paper = self.0.borrow_mut();
        if paper.names.contains_key(&leg) {
            let line = format!("{verb} {}", paper.name(leg));
            paper.write(line);
        }
    }

    fn start(&self, leg: LegId, names: &[&str], how: &str) -> PlayId {
        let mut paper = self.0.borrow_mut();
        paper.next += 1;
        let play = PlayId(u64::try_from(paper.next).expect("few"));
        paper.plays.insert(leg, play);
        let line = format!("{how} {} to {}", names.join(" "), paper.name(leg));
        paper.write(line);
        play
    }
}

impl Lines for Double {
    fn mailbox(&mut self, _: Instant, phone: &Extension, waiting: u32) {
        self.0.borrow_mut().write(format!("mailbox of {phone}: {waiting}"));
    }
    fn handle_input(&mut self, _: Instant, _: Input) {}
    fn handle_timeout(&mut self, _: Instant) {}
    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    fn poll_output(&mut self) -> Option<Output> {
        self.0.borrow_mut().told.pop_front()
    }
    fn configure(&mut self, _: Instant, config: &Config, _: Secrets) {
        self.0.borrow_mut().config = Some(config.clone());
    }
    fn ring(&mut self, _: Instant, leg: LegId) {
        self.say("ring", leg);
    }
    fn early(&mut self, _: Instant, leg: LegId) {
        self.say("early", leg);
    }
    fn answer(&mut self, _: Instant, leg: LegId) {
        self.say("answer", leg);
    }
    fn reject(&mut self, _: Instant, leg: LegId, cause: Cause) {
        let mut paper = self.0.borrow_mut();
        let how = format!("reject {} {cause:?}", paper.name(leg));
        paper.end(leg, cause, how);
    }
    fn dial(&mut self, _: Instant, dial: Dial) -> LegId {
        let mut paper = self.0.borrow_mut();
        let (name, reachable) = match &dial.party {
            Party::Phone(phone) => (phone.to_string(), paper.registered.contains(phone)),
            Party::Trunk { trunk, user } => (format!("{trunk}/{user}"), true),
            Party::Tunnel(_) => ("tunnel".to_owned(), false),
            Party::Unproved => ("unproved".to_owned(), false),
        };
        let leg = paper.new_leg(&name);
        let name = paper.name(leg);
        let back = dial.ringback_to.map(|to| format!(", ringback to {}", paper.name(to))).unwrap_or_default();
        paper.write(format!("dial {name} from {}{back}", dial.caller.number));
        if !reachable {
            paper.gone(leg, Cause::NotRegistered);
        }
        leg
    }
    fn hang_up(&mut self, _: Instant, leg: LegId) {
        let mut paper = self.0.borrow_mut();
        let how = format!("hang up {}", paper.name(leg));
        paper.end(leg, Cause::Ours, how);
    }
    fn join(&mut self, _: Instant, a: LegId, b: LegId) {
        let mut paper = self.0.borrow_mut();
        let line = format!("join {} and {}", paper.name(a), paper.name(b));
        paper.write(line);
    }
    fn mix(&mut self, _: Instant, _: MixId, hearing: Vec<Hearing>) {
        let mut paper = self.0.borrow_mut();
        let one = |one: &Hearing| {
            let hears: Vec<String> = one.hears.iter().map(|other| paper.name(*other)).collect();
            format!(
                "{} hears {}",
                paper.name(one.leg),
                if hears.is_empty() { "nobody".into() } else { hears.join("+") }
            )
        };
        let all: Vec<String> = hearing.iter().map(one).collect();
        paper.write(if all.is_empty() { "end the mix".into() } else { format!("mix: {}", all.join(", ")) });
    }
    fn part(&mut self, _: Instant, leg: LegId) {
        self.say("part", leg);
    }
    fn hold(&mut self, _: Instant, leg: LegId) {
        self.say("hold", leg);
    }
    fn resume(&mut self, _: Instant, leg: LegId) {
        self.say("resume", leg);
    }
    fn speak(&mut self, _: Instant, leg: LegId, language: LanguageId) {
        let mut paper = self.0.borrow_mut();
        let line = format!("speak {language} to {}", paper.name(leg));
        paper.write(line);
    }
    fn play(&mut self, _: Instant, leg: LegId, sounds: Vec<Sound>) -> PlayId {
        let names: Vec<&str> = sounds.iter().map(heard).collect();
        self.start(leg, &names, "play")
    }
    fn repeat(&mut self, _: Instant, leg: LegId, prompts: Vec<PromptId>) -> PlayId {
        let names: Vec<&str> = prompts.iter().map(PromptId::as_str).collect();
        self.start(leg, &names, "repeat")
    }
    fn stop(&mut self, _: Instant, leg: LegId) {
        self.say("silence", leg);
    }
    fn record(&mut self, _: Instant, recording: RecordingId, leg: LegId) {
        self.0.borrow_mut().recording = Some(recording);
        self.0.borrow_mut().recordings.push(recording);
        self.say("record", leg);
    }
    fn record_pause(&mut self, _: Instant, _: RecordingId, paused: bool) {
        let line = if paused { "pause the recording" } else { "go on recording" };
        self.0.borrow_mut().write(line.to_owned());
    }
    fn shield(&mut self, _: Instant, leg: LegId, shielded: bool) {
        self.say(if shielded { "shield" } else { "unshield" }, leg);
    }
    fn record_end(&mut self, _: Instant, _: RecordingId) {
        self.0.borrow_mut().write("end the recording".to_owned());
    }
    fn transfer_accept(&mut self, _: Instant, leg: LegId) {
        self.say("accept the transfer of", leg);
    }
    fn transfer_refuse(&mut self, _: Instant, leg: LegId) {
        self.say("refuse the transfer of", leg);
    }
    fn tunnel(&mut self, _: Instant, _: OverflowId) -> LegId {
        let mut paper = self.0.borrow_mut();
        paper.write("open a tunnel".to_owned());
        paper.new_leg("tunnel")
    }
    fn tunnel_connect(&mut self, _: Instant, leg: LegId, peer: SocketAddr) {
        let mut paper = self.0.borrow_mut();
        let line = format!("connect {} to {peer}", paper.name(leg));
        paper.write(line);
    }
    fn route(&self, from: &Party, dialled: &str) -> Destination {
        let paper = self.0.borrow();
        let config = paper.config.as_ref().expect("a configuration");
        call::route::route(config, &from.into(), dialled, |_| true)
    }
    fn trunks(&self, from: &Party, emergency: Option<&Number>) -> Vec<TrunkId> {
        let paper = self.0.borrow();
        let config = paper.config.as_ref().expect("a configuration");
        call::route::trunks(config, &from.into(), emergency, |_| true)
    }
    fn help(&self) -> call::Help {
        call::Help::Ready
    }
    fn is_browser(&self, leg: LegId) -> bool {
        let paper = self.0.borrow();
        Extension::new(paper.name(leg).trim_end_matches('\'')).is_ok_and(|phone| paper.browsers.contains(&phone))
    }
    fn has_browser(&self, phone: &Extension) -> bool {
        self.0.borrow().browsers.contains(phone)
    }
    fn is_registered(&self, phone: &Extension) -> bool {
        self.0.borrow().registered.contains(phone)
    }
}

fn heard(sound: &Sound) -> &str {
    match sound {
        Sound::Prompt(prompt) => prompt.as_str(),
        Sound::Speech(speech) => &speech.text,
    }
}
