//! What the next life takes over when this one is killed: contacts that talk, wait, or are in a flow, with their legs and
//! agents. The words that each leg's will has of us, and the contact made of them again. Records are folded anew from the
//! ledger's facts; what the last life wrote in its last moment and the ledger has not is told again.
//!
//! What only rang rings again for who was being given to it. A consultation, a conference, supervisors on a talk and calls
//! between sites are not taken over: their further legs are let go, and who talked goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use call::{
    leg::{Caller, Cause, Party},
    will::Left,
};
use model::{
    AgentId, ContactId, Extension, FlowId, LegId, Millis, Number, QueueId, RecordingId, TrunkId,
    fact::{AgentState, EndCause, Fact, Kind},
    routing::Asks,
};
use serde::{Deserialize, Serialize};

use crate::{
    Floor,
    callback::Callback,
    company::{Company, Stage},
    contact::{Contact, Line, Out, Partner, Role, State, Talk},
    lines::Lines,
    message::Begun,
    private::CARD_MODE_MAX,
    sound::Heard,
    timer::Timer,
};

/// What can be taken over, as far as it can be told before it is tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Estate {
    pub contacts: BTreeSet<ContactId>,
    /// Signed in, and on the phone.
    pub agents: BTreeSet<AgentId>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    contact: ContactId,
    /// With the leg of who called.
    visit: Option<Visit>,
    /// Who is signed in at this leg's phone, and what it wants to be afterwards.
    agent: Option<(AgentId, AgentState)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    caller: String,
    caller_name: Option<String>,
    number: Option<Number>,
    line: Option<(QueueId, Millis, Asks)>,
    answered: Option<Millis>,
    recording: Option<RecordingId>,
    out: Option<OutWords>,
    card_mode: Option<LegId>,
    /// When a pause of the recording ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused: Option<Millis>,
    /// What the customer said last of being recorded, and to whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    consent: Option<(bool, Option<AgentId>)>,
    heard: Heard,
    /// Supervisors who listen.
    listeners: Vec<AgentId>,
    /// A colleague is on the line, who: None when it is no agent; and joined to the others.
    third: Option<(Option<AgentId>, bool)>,
    stands: Stands,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Stands {
    Flow(FlowId),
    Waiting,
    Talking {
        leg: LegId,
        agent: Option<AgentId>,
        held: bool,
    },
    /// Given away, by whom, and the phone that was being rung; None: a number outside.
    Moving {
        to: Option<Extension>,
        by: Option<Extension>,
    },
    /// Talked with a browser that had vanished, and goes back into its queue.
    Left,
    /// Hears a last prompt.
    Closing,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutWords {
    number: Number,
    emergency: bool,
    phone: Option<Extension>,
    agent: Option<AgentId>,
    tried: Vec<TrunkId>,
    cents: u32,
    paid: bool,
}

/// One contact as it was found, with its legs.
#[derive(Default)]
struct Found {
    visit: Option<(LegId, Visit)>,
    legs: BTreeMap<LegId, Option<(AgentId, AgentState)>>,
}

impl Found {
    fn add(&mut self, leg: LegId, words: Words) {
        self.legs.insert(leg, words.agent);
        self.visit = self.visit.take().or(words.visit.map(|visit| (leg, visit)));
    }

    /// All that a contact needs is there.
    fn whole(&self) -> Option<&Visit> {
        let (_, visit) = self.visit.as_ref()?;
        match &visit.stands {
            Stands::Talking { leg, .. } => self.legs.contains_key(leg).then_some(visit),
            Stands::Waiting | Stands::Flow(_) | Stands::Moving { .. } | Stands::Left | Stands::Closing => Some(visit),
        }
    }
}

fn find(words: impl IntoIterator<Item = (LegId, String)>) -> BTreeMap<ContactId, Found> {
    let mut found: BTreeMap<ContactId, Found> = BTreeMap::new();
    for (leg, text) in words {
        if let Ok(words) = serde_json::from_str::<Words>(&text) {
            found.entry(words.contact).or_default().add(leg, words);
        }
    }
    found
}

/// What may be taken over of what was left: it is not to be closed.
pub fn estate(left: &[Left]) -> Estate {
    let mut estate = Estate::default();
    for (contact, found) in find(call::will::read(left)) {
        if found.whole().is_some() {
            estate.contacts.insert(contact);
            estate.agents.extend(found.legs.into_values().flatten().map(|(agent, _)| agent));
        }
    }
    estate
}

impl<L: Lines> Floor<L> {
    /// The wills of legs that something happened to are brought in line with their contacts.
    pub(crate) fn write_wills(&mut self) {
        let touched = self.lines.touched();
        if touched.is_empty() {
            return;
        }
        let contact_of = |leg: &LegId| self.legs.get(leg).map(|(contact, _)| *contact);
        let contacts: BTreeSet<ContactId> = touched.iter().filter_map(contact_of).collect();
        let of_them = contacts.iter().filter_map(|id| self.contacts.get(id)).flat_map(Contact::legs);
        let legs: BTreeSet<LegId> = touched.into_iter().chain(of_them).collect();
        for leg in legs {
            let owner = self.words(leg);
            self.lines.entrust(leg, owner);
        }
        // What our own writing touched is no news.
        drop(self.lines.touched());
    }

    fn words(&self, leg: LegId) -> Option<String> {
        let (id, role) = self.legs.get(&leg)?;
        if matches!(role, Role::Offered(_) | Role::Target | Role::Returning | Role::Away) {
            return None;
        }
        let contact = self.contacts.get(id)?;
        let visit = self.visit(*id, contact)?;
        let agent = self.phones.phone_of(leg).and_then(|phone| self.phones.agent(phone)).filter(|agent| {
            !matches!(role, Role::Listener | Role::Third | Role::Leaving)
                && self.acd.state(agent) == Some(AgentState::Talking)
        });
        let agent = agent.and_then(|agent| Some((agent.clone(), self.acd.rest_of(agent)?)));
        let visit = (*role == Role::Caller).then_some(visit);
        serde_json::to_string(&Words { contact: *id, visit, agent }).ok()
    }

    /// None: nobody can take the contact over as it is.
    fn visit(&self, id: ContactId, contact: &Contact) -> Option<Visit> {
        if contact.guest.is_some() {
            return None;
        }
        let stands = match &contact.state {
            State::InFlow(walk) => Stands::Flow(walk.first.clone()),
            State::Waiting { .. } => Stands::Waiting,
            State::Talking(Talk { with, leg, held }) => {
                let agent = match with {
                    Partner::Agent(agent) => Some(agent.clone()),
                    Partner::Party => None,
                    Partner::Site(..) => return None,
                };
                Stands::Talking { leg: *leg, agent, held: *held }
            }
            State::Moving { target, back, .. } => Stands::Moving {
                to: self.phones.phone_of(*target).cloned(),
                by: back.as_ref().map(|back| back.phone.clone()),
            },
            State::Away(_) if contact.line.is_some() => Stands::Left,
            State::Closing { .. } => Stands::Closing,
            _ => return None,
        };
        let at = |then: Instant| {
            let passed = i64::try_from(self.now.saturating_duration_since(then).as_millis()).unwrap_or(i64::MAX);
            Millis(self.chronicle.wall.0.saturating_sub(passed))
        };
        let there = contact.company.listeners.iter().filter(|listener| listener.there);
        Some(Visit {
            caller: contact.card.number.clone(),
            caller_name: contact.card.name.clone(),
            number: contact.number.clone(),
            line: contact.line.as_ref().map(|line| (line.queue.clone(), at(line.since), line.asks.clone())),
            answered: contact.answered.map(at),
            recording: contact.recording,
            out: contact.out.as_ref().map(out_words),
            card_mode: contact.card_mode,
            paused: contact.paused.map(|until| self.chronicle.wall_of(self.now, until)),
            consent: self.chronicle.consented(id).cloned(),
            heard: contact.heard,
            listeners: there.map(|listener| listener.by.clone()).collect(),
            third: contact.company.third.as_ref().map(|third| (third.agent.clone(), third.stage == Stage::Joined)),
            stands,
        })
    }

    /// Takes over what the last life left. `facts_of` reads the ledger. Call it once, before anything else happens.
    pub fn adopt(
        &mut self,
        now: Instant,
        wall: Millis,
        left: Vec<Left>,
        mut facts_of: impl FnMut(ContactId) -> Vec<Fact>,
    ) {
        self.at(now, wall);
        let heirs = self.lines.adopt(now, left);
        let parties: BTreeMap<LegId, Party> = heirs.iter().map(|heir| (heir.leg, heir.party.clone())).collect();
        let mut nobodys: BTreeSet<LegId> = parties.keys().copied().collect();
        for (id, found) in find(heirs.into_iter().map(|heir| (heir.leg, heir.owner))) {
            let facts = facts_of(id);
            if facts.is_empty() || self.contacts.contains_key(&id) {
                continue;
            }
            self.chronicle.take_up(id, &facts);
            let begun = Begun::of(&facts);
            if found.whole().is_some() {
                let kept = self.take_over(id, found, &parties, begun);
                nobodys.retain(|leg| !kept.contains(leg));
            } else {
                self.message_ended(id, &begun);
                self.chronicle.tell_of(id, Kind::Ended { cause: EndCause::Restart });
                self.chronicle.close(id, None);
            }
        }
        for leg in nobodys {
            self.lines.hang_up(self.now, leg);
        }
        self.settle();
    }

    /// The legs that it goes on with.
    fn take_over(&mut self, id: ContactId, found: Found, parties: &BTreeMap<LegId, Party>, begun: Begun) -> Vec<LegId> {
        let Found { visit: Some((leg, visit)), legs } = found else { return Vec::new() };
        let then = |at: Millis| {
            let passed = self.chronicle.wall.since(at);
            self.now.checked_sub(Duration::from_millis(passed)).unwrap_or(self.now)
        };
        let line = visit.line.map(|(queue, since, asks)| Line { queue, since: then(since), asks });
        let contact = Contact {
            card: Caller { number: visit.caller, name: visit.caller_name },
            leg: Some(leg),
            up: true,
            number: visit.number,
            line: line.clone(),
            answered: visit.answered.map(then),
            recording: visit.recording,
            asking: None,
            // Whoever was rung has answered.
            rung: None,
            forwards: Vec::new(),
            forwarded: None,
            out: visit.out.map(out),
            otherwise: None,
            // A survey after the talk ends with the life that was to ask it.
            goes_on: None,
            guest: None,
            card_mode: visit.card_mode,
            lost: None,
            unrecorded: None,
            paused: None,
            // The ledger has it.
            shown: Vec::new(),
            callback: Callback::None,
            company: Company::default(),
            heard: visit.heard,
            state: State::Arriving,
        };
        self.contacts.insert(id, contact);
        self.legs.insert(leg, (id, Role::Caller));
        if let Some(recording) = visit.recording {
            let message = begun.left().is_some_and(|(_, left)| left == recording);
            self.resume_recording(id, recording, message);
        }
        for by in visit.listeners {
            self.chronicle.tell_of(id, Kind::MonitoringEnded { by });
        }
        if let Some((agent, true)) = &visit.third {
            self.chronicle.tell_of(id, Kind::ConferenceLeft { agent: agent.clone() });
        }
        if visit.card_mode.is_some() {
            self.timers.set(Timer::CardMode(id), self.now + CARD_MODE_MAX);
        }
        if let Some(until) = visit.paused {
            let left = Duration::from_millis(until.since(self.chronicle.wall));
            let until = self.now.checked_add(left).unwrap_or(self.now);
            if let Some(contact) = self.contacts.get_mut(&id) {
                contact.paused = Some(until);
            }
            self.timers.set(Timer::Pause(id), until);
        }
        // A word that the ledger had not taken when the last life ended.
        if let Some((given, by)) = visit.consent.filter(|(given, _)| self.chronicle.consent(id) != Some(*given)) {
            self.chronicle.tell_of(id, Kind::Consented { given, by });
        }
        let signed_in = |leg: LegId| legs.get(&leg).cloned().flatten();
        match visit.stands {
            Stands::Talking { leg: other, agent, held } => {
                let queue = line.map(|line| line.queue);
                self.seat(leg, parties, signed_in(leg), None);
                self.seat(other, parties, signed_in(other), agent.is_some().then_some(id).zip(queue));
                self.resume_talk(id, other, agent, held);
                self.lines.join(self.now, leg, other);
                if visit.third.is_some_and(|(_, joined)| !joined) {
                    self.resume(id, other);
                }
                self.resume_minutes(id);
                vec![leg, other]
            }
            Stands::Waiting => {
                self.seat(leg, parties, signed_in(leg), None);
                match line {
                    Some(line) => self.wait(id, line),
                    None => self.end(id, EndCause::Restart),
                }
                vec![leg]
            }
            Stands::Moving { to, by } => {
                self.seat(leg, parties, signed_in(leg), None);
                self.move_again(id, to, by);
                vec![leg]
            }
            Stands::Left => {
                self.seat(leg, parties, signed_in(leg), None);
                self.chronicle.tell_of(id, Kind::Resumed);
                self.goes_back(id, None, Cause::Lost);
                vec![leg]
            }
            Stands::Closing => {
                self.seat(leg, parties, signed_in(leg), None);
                self.end(id, EndCause::Flow);
                vec![leg]
            }
            Stands::Flow(flow) => {
                self.seat(leg, parties, signed_in(leg), None);
                if !self.message_goes_on(id, begun) {
                    self.start_flow(id, flow);
                }
                vec![leg]
            }
        }
    }

    /// A leg's phone is busy with it, and so is the agent who sits there.
    fn seat(
        &mut self,
        leg: LegId,
        parties: &BTreeMap<LegId, Party>,
        signed_in: Option<(AgentId, AgentState)>,
        contact: Option<(ContactId, QueueId)>,
    ) {
        let offered = contact.is_some();
        if let Some((agent, rest)) = signed_in {
            self.ask_acd(acd::Input::Resume { agent, contact, rest });
        }
        match parties.get(&leg) {
            Some(Party::Phone(phone)) if offered => self.phones.add(leg, phone),
            Some(Party::Phone(phone)) => self.engage(leg, phone),
            _ => {}
        }
        if self.lines.is_browser(leg) {
            self.phones.in_browser(leg);
        }
    }

    fn resume_talk(&mut self, id: ContactId, leg: LegId, agent: Option<AgentId>, held: bool) {
        if !self.chronicle.was_answered(id) {
            self.chronicle.tell_of(id, Kind::Answered { agent: agent.clone() });
        }
        let with = agent.map_or(Partner::Party, Partner::Agent);
        self.legs.insert(leg, (id, Role::Partner));
        if let Partner::Agent(agent) = &with
            && let Some(card) = self.card_of(self.now, id)
        {
            self.cards.insert(agent.clone(), card);
        }
        self.set_state(id, State::Talking(Talk { with, leg, held }));
    }
}

fn out_words(out: &Out) -> OutWords {
    OutWords {
        number: out.number.clone(),
        emergency: out.emergency,
        phone: out.phone.clone(),
        agent: out.agent.clone(),
        tried: out.tried.clone(),
        cents: out.cents,
        paid: out.paid,
    }
}

fn out(words: OutWords) -> Out {
    let OutWords { number, emergency, phone, agent, tried, cents, paid } = words;
    Out { number, emergency, phone, agent, tried, rang: true, answered: true, cents, paid }
}
