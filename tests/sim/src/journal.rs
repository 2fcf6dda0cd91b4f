//! What is written down while the day goes by: the trace, who is contact number what, every SIP message for the
//! ladders, and rules that were seen broken.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use model::{
    AgentId, ContactId, Extension, OverflowId,
    fact::{AgentState, Fact, Kind, OfferOutcome},
};

use crate::{clock::Clock, town::Side};

/// A contact's number of the day, from 1, in the order of first facts.
pub type Number = u32;

#[derive(Default)]
pub struct Journal {
    lines: VecDeque<String>,
    contacts: BTreeMap<ContactId, Number>,
    /// SIP's Call-IDs of a contact.
    calls: BTreeMap<String, Number>,
    pub(crate) messages: Vec<Message>,
    /// The Call-ID of the message that a box has in its hands.
    present: Option<String>,
    /// For whom a phone is about to be rung.
    to_ring: BTreeMap<SocketAddr, Number>,
    /// For whom a branch is about to call outside.
    to_dial: BTreeMap<Side, Number>,
    overflows: BTreeMap<OverflowId, Number>,
    /// A guest's number at home.
    homes: BTreeMap<Number, Number>,
    offers: BTreeMap<AgentId, ContactId>,
    states: BTreeMap<AgentId, AgentState>,
    /// Emergency calls, with the moment at which they were dialled on a phone.
    emergencies: BTreeMap<Number, (Side, Duration)>,
    pub violations: Vec<String>,
}

/// One message of a ladder.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub at: Duration,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub label: String,
    pub of: Belongs,
    pub lost: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Belongs {
    Call(String),
    Overflow(OverflowId),
}

impl Journal {
    /// A line of the trace.
    pub fn say(&mut self, at: Duration, place: &str, what: &str) {
        self.lines.push_back(format!("{} {place:<5}       {what}", Clock::text(at)));
    }

    /// Lines that nobody has read yet.
    pub fn read(&mut self) -> impl Iterator<Item = String> {
        std::mem::take(&mut self.lines).into_iter()
    }

    pub fn number(&mut self, contact: ContactId) -> Number {
        let next = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.contacts.entry(contact).or_insert(next)
    }

    /// How many contacts there were.
    pub fn contacts(&self) -> usize {
        self.contacts.len()
    }

    pub fn name(&self, contact: ContactId) -> String {
        self.contacts.get(&contact).map_or_else(|| contact.to_string(), |number| format!("#{number}"))
    }

    pub fn state(&self, agent: &AgentId) -> AgentState {
        self.states.get(agent).copied().unwrap_or(AgentState::SignedOut)
    }

    pub fn violation(&mut self, at: Duration, what: String) {
        self.say(at, "", &format!("!! {what}"));
        self.violations.push(what);
    }

    /// A box takes this message into its hands; the facts that follow are about it.
    pub fn hold(&mut self, bytes: &[u8]) {
        self.present = header(bytes, "call-id", "i");
    }

    pub fn let_go(&mut self) {
        self.present = None;
    }

    /// The process died: nobody is being rung there any more.
    pub fn forget(&mut self, side: Side) {
        for (agent, _, _) in side.people() {
            let agent: AgentId = crate::town::id(agent);
            self.offers.remove(&agent);
            self.states.remove(&agent);
        }
    }

    /// A message on its way.
    pub fn message(&mut self, at: Duration, from: SocketAddr, to: SocketAddr, bytes: &[u8], lost: bool) {
        let Some(call) = header(bytes, "call-id", "i") else { return };
        let Some(label) = label(bytes) else { return };
        if label == "INVITE" && !self.calls.contains_key(&call) {
            let side = crate::town::SIDES.into_iter().find(|side| side.box_addr() == from);
            let outward = side.filter(|side| side.carrier_addr() == to).and_then(|side| self.to_dial.remove(&side));
            if let Some(number) = self.to_ring.remove(&to).or(outward) {
                self.calls.insert(call.clone(), number);
            }
        }
        self.messages.push(Message { at, from, to, label, of: Belongs::Call(call), lost });
    }

    /// A word between two boxes about a call.
    pub fn signal(&mut self, at: Duration, from: Side, to: Side, overflow: OverflowId, label: &str) {
        let (from, to) = (from.box_addr(), to.box_addr());
        self.messages.push(Message { at, from, to, label: label.into(), of: Belongs::Overflow(overflow), lost: false });
    }

    /// The contact that a message is about; a guest's is that of its own site.
    pub(crate) fn contact_of(&self, message: &Message) -> Option<Number> {
        let number = match &message.of {
            Belongs::Call(call) => self.calls.get(call)?,
            Belongs::Overflow(overflow) => self.overflows.get(overflow)?,
        };
        Some(*self.homes.get(number).unwrap_or(number))
    }

    /// A fact of a branch.
    pub fn fact(&mut self, at: Duration, side: Side, fact: &Fact, overflow: Option<OverflowId>) {
        let number = fact.contact.map(|contact| self.number(contact));
        let label = number.map(|number| format!("#{number}")).unwrap_or_default();
        let text = tell(&fact.kind);
        self.lines.push_back(format!("{} {:<5} {label:>5} {text}", Clock::text(at), side.name()));
        self.watch(at, fact);
        let Some(number) = number else { return };
        match &fact.kind {
            Kind::Arrived { trunk: None, .. } => {
                if let Some(home) = overflow.and_then(|overflow| self.overflows.get(&overflow)) {
                    self.homes.insert(number, *home);
                }
            }
            Kind::Arrived { .. } => drop(self.present.clone().map(|call| self.calls.insert(call, number))),
            Kind::Dialled { phone, trunk, emergency, .. } => {
                match self.present.clone() {
                    Some(call) => {
                        self.calls.insert(call, number);
                        if *emergency {
                            self.emergencies.insert(number, (side, at));
                        }
                    }
                    None => drop(
                        phone
                            .as_ref()
                            .and_then(|phone| side.phone(phone.as_str()))
                            .map(|addr| self.to_ring.insert(addr, number)),
                    ),
                }
                if trunk.is_some() {
                    self.to_dial.insert(side, number);
                }
            }
            Kind::Offered { agent, .. } => {
                if let Some(addr) = side.phone_of(agent.as_str()) {
                    self.to_ring.insert(addr, number);
                }
            }
            Kind::OverflowOffered { overflow, .. } => drop(self.overflows.insert(*overflow, number)),
            _ => {}
        }
    }

    /// Emergency calls whose INVITE did not leave for the carrier within a second.
    pub fn emergencies_kept_in(&self) -> Vec<String> {
        let left = |number: Number, side: Side, dialled: Duration| {
            self.messages.iter().any(|message| {
                message.label == "INVITE"
                    && (message.from, message.to) == (side.box_addr(), side.carrier_addr())
                    && (dialled..dialled + Duration::from_secs(1)).contains(&message.at)
                    && self.contact_of(message) == Some(number)
            })
        };
        let kept = self.emergencies.iter().filter(|(number, (side, at))| !left(**number, *side, *at));
        kept.map(|(number, (side, _))| format!("{} #{number}", side.name())).collect()
    }

    /// Nobody is offered a contact while another is offered to them, or they work.
    fn watch(&mut self, at: Duration, fact: &Fact) {
        match (&fact.kind, fact.contact) {
            (Kind::AgentState { agent, state, .. }, _) => drop(self.states.insert(agent.clone(), *state)),
            (Kind::Offered { agent, .. }, Some(contact)) => {
                let before = self.offers.insert(agent.clone(), contact).filter(|before| *before != contact);
                let works = matches!(self.state(agent), AgentState::Talking | AgentState::WrapUp);
                if before.is_some() || works {
                    let contact = self.name(contact);
                    self.violation(at, format!("{agent} is offered {contact} while {before:?}, works: {works}"));
                }
            }
            (Kind::OfferEnded { agent, .. }, _) => drop(self.offers.remove(agent)),
            _ => {}
        }
    }
}

/// A header's value, by its long and its compact name.
pub(crate) fn header(bytes: &[u8], long: &str, short: &str) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().skip(1).take_while(|line| !line.is_empty()).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim();
        (name.eq_ignore_ascii_case(long) || name.eq_ignore_ascii_case(short)).then(|| value.trim().to_owned())
    })
}

/// `INVITE`, or `200 INVITE`.
fn label(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut words = text.split_whitespace();
    let first = words.next()?;
    if first != "SIP/2.0" {
        return Some(first.to_owned());
    }
    let status = words.next()?;
    let cseq = header(bytes, "cseq", "cseq")?;
    Some(format!("{status} {}", cseq.split_whitespace().nth(1).unwrap_or_default()))
}

/// A fact in a few words.
fn tell(kind: &Kind) -> String {
    match kind {
        Kind::Arrived { number: Some(number), .. } => format!("calls {number}"),
        Kind::Arrived { number: None, .. } => "comes from another site".into(),
        Kind::Dialled { phone, trunk, emergency, .. } => {
            let (out, what) = (trunk.is_some(), if *emergency { " in an emergency" } else { "" });
            let who = phone.as_ref().map_or("somebody", Extension::as_str);
            format!("{who} calls {}{what}", if out { "outside" } else { "inside" })
        }
        Kind::FlowEntered { flow, step } => format!("is in {flow}/{step}"),
        Kind::LookedUp { failed, .. } => {
            format!("is looked up: {}", failed.map_or("found".into(), |why| format!("{why:?}")))
        }
        Kind::Marked { mark, best, .. } => format!("gives {mark} of {best}"),
        Kind::Queued { queue } => format!("waits for {queue}"),
        Kind::Offered { agent, .. } => format!("rings {agent}"),
        Kind::OfferEnded { agent, outcome } => match outcome {
            OfferOutcome::Accepted => format!("{agent} picks up"),
            OfferOutcome::TimedOut => format!("{agent} does not pick up"),
            OfferOutcome::Declined => format!("{agent} declines"),
            OfferOutcome::Withdrawn => format!("{agent} is rung no more"),
            OfferOutcome::Failed => format!("{agent} cannot be rung"),
        },
        Kind::Answered { agent: Some(agent) } => format!("talks to {agent}"),
        Kind::Answered { agent: None } => "talks".into(),
        Kind::Held => "is on hold".into(),
        Kind::Resumed => "is off hold".into(),
        Kind::Transferred { how } => format!("is transferred, {how:?}"),
        Kind::OutwardRefused { why, .. } => format!("may not call out, {why:?}"),
        Kind::TrunkTried { trunk } => format!("is not taken by {trunk}"),
        Kind::Diverted { why, hops, .. } => format!("was sent on {hops} times before ({why:?})"),
        Kind::Released { released } => format!("is let go by the trunk: {released:?}"),
        Kind::Forwarded { phone, why, .. } => format!("goes on by the forward of {phone} ({why:?})"),
        Kind::Charged { cents, .. } => format!("pays {cents} for a minute"),
        Kind::Noticed { what, .. } => format!("{what:?} is told"),
        Kind::AlertRaised { queue, alert, value } => format!("alert {alert:?} at {queue:?}: {value}"),
        Kind::AlertCleared { queue, alert } => format!("alert {alert:?} at {queue:?} is over"),
        Kind::NoticeSeen { by, .. } => format!("{by} has seen a notice"),
        Kind::TransferFailed => "is not taken by whom it was given to".into(),
        Kind::RecordingStarted { .. } => "is recorded".into(),
        Kind::RecordingSealed { chunks, .. } => format!("recording sealed, {chunks} chunks"),
        Kind::RecordingMissing { reason } => format!("no recording: {reason:?}"),
        Kind::Consented { given: true, .. } => "agrees to be recorded".into(),
        Kind::Consented { .. } => "refuses to be recorded".into(),
        Kind::RecordingPaused { by } => format!("{by} pauses the recording"),
        Kind::RecordingResumed { .. } => "the recording goes on".into(),
        Kind::CopyStarted { recorder, .. } => format!("{recorder} records it too"),
        Kind::CopyMissing { reason, .. } => format!("no recording server has it: {reason:?}"),
        Kind::Brought { by } => format!("is brought by {by} to be recorded"),
        Kind::MessageBegan { queue } => format!("speaks a message for {queue}"),
        Kind::MessageLeft { queue, ms, .. } => format!("has left {queue} a message, {ms:?} ms"),
        Kind::MessageDone { by, .. } => format!("{by} has done what the message asks for"),
        Kind::OverflowOffered { site, .. } => format!("asks {site} for help"),
        Kind::OverflowAnswered { site, .. } => format!("is taken by {site}"),
        Kind::OverflowReturned { reason, .. } => format!("is back in the line: {reason:?}"),
        Kind::HelpGiven { site, agent, .. } => format!("{agent} helps {site}"),
        Kind::CardModeBegan => "keys in a card".into(),
        Kind::CardModeEnded { why } => format!("has keyed in the card: {why:?}"),
        Kind::Monitored { by, how } => format!("{by} is on the talk: {how:?}"),
        Kind::MonitoringEnded { by } => format!("{by} has left the talk"),
        Kind::Consulted { .. } => "waits while a colleague is asked".into(),
        Kind::Conferred { .. } => "talks to two".into(),
        Kind::ConferenceLeft { .. } => "talks to one again".into(),
        Kind::Unkeyed { why } => format!("has no keys: {why:?}"),
        Kind::Sounded { sound } => format!("sounded {} at worst", sound.opinion_worst),
        Kind::Ended { cause } => format!("ends: {cause:?}"),
        Kind::AgentState { agent, state, pause: None } => format!("{agent} is {state:?}"),
        Kind::AgentState { agent, state, pause: Some(pause) } => format!("{agent} is {state:?}, {pause:?}"),
        Kind::WrapUpStarted { agent } => format!("{agent} writes it up"),
        Kind::Disposed { agent, disposition } => format!("{agent} says what came of it: {disposition:?}"),
        Kind::Corrected { by, disposition } => format!("{by} says anew what came of it: {disposition}"),
        Kind::NoteWritten { by } => format!("{by} writes a note on it later"),
        Kind::WrapUpEnded { agent } => format!("{agent} has written it up"),
        Kind::Started { process, .. } => format!("{process:?} begins"),
        Kind::ConfigActivated { heads, findings } => format!("configuration {heads} runs, {findings} findings"),
        Kind::ConfigRefused { heads, fatal } => format!("configuration {heads} refused, {fatal} fatal"),
        Kind::Ticket { what, .. } => format!("a ticket: {what:?}"),
        Kind::TicketTerms { by } => format!("{by} edits what is promised of tickets"),
        Kind::Listened { by, recording } => format!("{by} listens to {recording}"),
        Kind::Closed { by, queue } => {
            format!("{by} closes {}", queue.as_ref().map_or("the site", model::QueueId::as_str))
        }
        Kind::Reopened { by, queue } => {
            format!("{by} opens {}", queue.as_ref().map_or("the site", model::QueueId::as_str))
        }
        Kind::CallbackPromised { queue, .. } => format!("is to be called back by {queue}"),
        Kind::CallbackTried { phone, .. } => format!("is called back by {phone}"),
        Kind::CallbackMissed { cause, .. } => format!("is not reached: {cause:?}"),
        Kind::CallbackStruckOff { .. } => "is not called back".into(),
        Kind::ForwardSet { phone } => format!("{phone} sets where its calls go"),
        Kind::SettingsEdited { by, changes } => format!("{by} edits {changes} settings"),
        Kind::LabTested { device, failed, worse, .. } => format!("{device} was tested: {failed} fail, {worse} worse"),
        Kind::LabMissed { device } => format!("{device} could not be tested"),
        Kind::PhoneEnrolled { phone, make, .. } => format!("{phone} is to be a {make}"),
        Kind::PhoneProvisioned { phone, .. } => format!("{phone} fetches its configuration"),
        Kind::PhoneDismissed { phone, .. } => format!("{phone} may no longer fetch"),
        Kind::PhoneFetchesRefused { count } => format!("{count} fetches refused"),
        Kind::LinkUp => "linked".into(),
        Kind::LinkDown => "unlinked".into(),
        Kind::DrillBegan { drill, .. } => format!("a drill of {} minutes begins", drill.minutes),
        Kind::DrillEnded { why, .. } => format!("the drill ends: {why:?}"),
        Kind::DrillReported { report } => {
            format!("the drill is reported: {:?}", report.outcome())
        }
    }
}
