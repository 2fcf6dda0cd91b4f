//! The call detail record as a fold of one contact's facts: the same while the contact lives and when the ledger is
//! read again. Also what a restart adds to a ledger whose contacts died with the process.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AgentId, ContactId, DispositionId, Millis, Number, QueueId, RecordingId, SiteId, TrunkId,
    cdr::{CalledBack, Cdr, Corrected, Direction, Diverted, Outcome, Released, Sound, Unkeyed},
    fact::{AgentState, Disposition, EndCause, Fact, Kind, OfferOutcome},
};

use crate::{message::Begun, will::Estate};

/// The facts of one contact, summed up so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    contact: ContactId,
    direction: Direction,
    trunk: Option<TrunkId>,
    number: Option<Number>,
    arrived: Millis,
    in_flow: bool,
    queue: Option<QueueId>,
    queued: Option<Millis>,
    answered: Option<Millis>,
    agent: Option<AgentId>,
    answered_at: Option<SiteId>,
    offers: u32,
    recording: Option<RecordingId>,
    /// A message begins.
    speaks: bool,
    phase: Phase,
    phase_since: Millis,
    /// Who talks to the caller, or has put the caller on hold.
    holder: Option<AgentId>,
    shares: BTreeMap<Option<AgentId>, Share>,
    talk_ms: u64,
    hold_ms: u64,
    wrapping: BTreeMap<AgentId, Millis>,
    wrap_up_ms: Option<u64>,
    ended: Option<(Millis, EndCause)>,
    sound: Option<Sound>,
    called_back: Option<CalledBack>,
    /// The customer is being called.
    calling: bool,
    released: Option<Released>,
    diverted: Option<Diverted>,
    unkeyed: Option<Unkeyed>,
    /// By each agent's last word, and the last of all.
    disposed: BTreeMap<AgentId, Disposition>,
    disposition: Option<Disposition>,
    /// Who said it when the contact was over.
    corrected: Option<Corrected>,
    /// The last word, and to whom.
    consent: Option<(bool, Option<AgentId>)>,
}

/// What one agent had of a contact; None is whoever is no agent of this site. Shares add up to the record's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    pub talk_ms: u64,
    pub hold_ms: u64,
    pub wrap_up_ms: u64,
}

/// What the caller's time counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// In a flow, in a queue, or gone.
    Away,
    Talk,
    Hold,
}

impl Fold {
    /// Begins with the contact's first fact; `apply` it too.
    pub fn new(contact: ContactId, first: Millis) -> Self {
        Self {
            contact,
            direction: Direction::Inbound,
            trunk: None,
            number: None,
            arrived: first,
            in_flow: false,
            queue: None,
            queued: None,
            answered: None,
            agent: None,
            answered_at: None,
            offers: 0,
            recording: None,
            speaks: false,
            phase: Phase::Away,
            phase_since: first,
            holder: None,
            shares: BTreeMap::new(),
            talk_ms: 0,
            hold_ms: 0,
            wrapping: BTreeMap::new(),
            wrap_up_ms: None,
            ended: None,
            sound: None,
            called_back: None,
            calling: false,
            released: None,
            diverted: None,
            unkeyed: None,
            disposed: BTreeMap::new(),
            disposition: None,
            corrected: None,
            consent: None,
        }
    }

    /// Adds a fact of this contact. Facts that say nothing about the record are passed over.
    pub fn apply(&mut self, at: Millis, kind: &Kind) {
        match kind {
            Kind::Arrived { trunk, number } => {
                self.trunk.clone_from(trunk);
                self.number.clone_from(number);
            }
            Kind::Brought { by } => self.trunk = Some(by.clone()),
            Kind::Dialled { trunk, .. } => {
                self.direction = if trunk.is_some() { Direction::Outbound } else { Direction::Internal };
                self.trunk.clone_from(trunk);
            }
            Kind::FlowEntered { .. } => {
                self.in_flow = true;
                self.turn(at, Phase::Away);
            }
            Kind::Queued { queue } => {
                self.queue.get_or_insert_with(|| queue.clone());
                self.queued.get_or_insert(at);
                self.turn(at, Phase::Away);
            }
            Kind::Offered { .. } => self.offers = self.offers.saturating_add(1),
            Kind::Answered { agent } => self.answered(at, agent.as_ref()),
            Kind::HelpGiven { agent, .. } => self.answered(at, Some(agent)),
            Kind::OverflowAnswered { site, .. } => self.answered_at = Some(site.clone()),
            Kind::OverflowReturned { .. } => self.turn(at, Phase::Away),
            Kind::Held if self.phase == Phase::Talk => self.turn(at, Phase::Hold),
            Kind::Resumed if self.phase == Phase::Hold => self.turn(at, Phase::Talk),
            Kind::MessageBegan { .. } => self.speaks = true,
            // A message takes no talk's place.
            Kind::RecordingStarted { recording } if std::mem::take(&mut self.speaks) => {
                self.recording.get_or_insert(*recording);
            }
            Kind::RecordingStarted { recording } => self.recording = Some(*recording),
            Kind::WrapUpStarted { agent } => drop(self.wrapping.insert(agent.clone(), at)),
            Kind::WrapUpEnded { agent } => self.wrapped_up(at, agent),
            Kind::Diverted { from, why, hops } => {
                self.diverted = Some(Diverted { from: from.clone(), why: *why, hops: *hops });
            }
            // The first word stands: what follows is the echo of it on other legs.
            Kind::Released { released } => drop(self.released.get_or_insert(*released)),
            Kind::Unkeyed { why } => drop(self.unkeyed.get_or_insert(*why)),
            Kind::CallbackPromised { .. } => self.called_back = Some(CalledBack { promised: at, attempts: 0 }),
            Kind::CallbackTried { .. } => self.calling = true,
            Kind::CallbackMissed { counts, .. } => {
                self.calling = false;
                self.attempted(*counts);
            }
            Kind::CallbackStruckOff { by: None } => self.called_back = None,
            Kind::Sounded { sound } => self.sound = Some(*sound),
            Kind::Disposed { agent, disposition } => self.disposed(agent, disposition),
            Kind::Corrected { by, disposition } => {
                self.disposed(by, &Disposition::Code(disposition.clone()));
                self.corrected = Some(Corrected { by: by.clone(), at });
            }
            Kind::Consented { given, by } => self.consent = Some((*given, by.clone())),
            Kind::Ended { cause } if self.ended.is_none() => {
                self.turn(at, Phase::Away);
                self.ended = Some((at, *cause));
            }
            _ => {}
        }
    }

    /// The record, once the contact has ended; whole when no wrap-up runs any more.
    pub fn cdr(&self) -> Option<Cdr> {
        self.ended.map(|(ended, cause)| self.record(ended, cause))
    }

    /// The record as it would be if the contact, which goes on, were let go at `now`.
    pub fn so_far(&self, now: Millis) -> Cdr {
        let mut fold = self.clone();
        fold.turn(now, Phase::Away);
        fold.record(now, EndCause::Caller)
    }

    fn record(&self, ended: Millis, cause: EndCause) -> Cdr {
        Cdr {
            contact: self.contact,
            direction: self.direction,
            trunk: self.trunk.clone(),
            number: self.number.clone(),
            arrived: self.arrived,
            queue: self.queue.clone(),
            queued: self.queued,
            answered: self.answered,
            ended,
            agent: self.agent.clone(),
            answered_at: self.answered_at.clone(),
            outcome: self.outcome(),
            cause,
            wait_ms: self.wait_ms(ended),
            talk_ms: self.talk_ms,
            hold_ms: self.hold_ms,
            wrap_up_ms: self.wrap_up_ms.filter(|_| self.wrapping.is_empty()),
            offers: self.offers,
            recording: self.recording,
            sound: self.sound,
            called_back: self.called_back,
            released: self.released,
            diverted: self.diverted.clone(),
            unkeyed: self.unkeyed,
            disposition: self.disposition.clone(),
            corrected: self.corrected.clone(),
            consent: self.consent.as_ref().map(|(given, _)| *given),
        }
    }

    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Who had the contact, and for how long. Phases that still run are not in it.
    pub fn shares(&self) -> &BTreeMap<Option<AgentId>, Share> {
        &self.shares
    }

    /// Does an agent write this contact up?
    pub fn is_wrapped_up_by_anybody(&self) -> bool {
        !self.wrapping.is_empty()
    }

    pub(crate) fn queue(&self) -> Option<&QueueId> {
        self.queue.as_ref()
    }

    /// On the line: from queue entry to the answer, to the promise of a call back, or to `now`.
    pub(crate) fn wait_ms(&self, now: Millis) -> u64 {
        let until = self.called_back.map(|back| back.promised).or(self.answered).unwrap_or(now);
        self.queued.map_or(0, |queued| until.since(queued))
    }

    fn attempted(&mut self, counts: bool) {
        if let Some(back) = &mut self.called_back {
            back.attempts = back.attempts.saturating_add(counts.into());
        }
    }

    pub(crate) fn disposition_of(&self, agent: &AgentId) -> Option<&DispositionId> {
        match self.disposed.get(agent)? {
            Disposition::Code(code) => Some(code),
            Disposition::NoneChosen => None,
        }
    }

    /// That somebody named nothing says less than what another has named.
    fn disposed(&mut self, agent: &AgentId, disposition: &Disposition) {
        self.disposed.insert(agent.clone(), disposition.clone());
        match disposition {
            Disposition::Code(_) => {
                self.disposition = Some(disposition.clone());
                self.corrected = None;
            }
            Disposition::NoneChosen => drop(self.disposition.get_or_insert_with(|| disposition.clone())),
        }
    }

    /// The last word of all.
    pub(crate) fn disposition(&self) -> Option<&Disposition> {
        self.disposition.as_ref()
    }

    pub(crate) fn ended(&self) -> Option<Millis> {
        self.ended.map(|(at, _)| at)
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// What the customer said last of being recorded.
    pub(crate) fn consent(&self) -> Option<&(bool, Option<AgentId>)> {
        self.consent.as_ref()
    }

    pub(crate) fn was_answered(&self) -> bool {
        self.answered.is_some()
    }

    pub(crate) fn has_recording(&self) -> bool {
        self.recording.is_some()
    }

    fn answered(&mut self, at: Millis, agent: Option<&AgentId>) {
        match std::mem::take(&mut self.calling) {
            true => self.attempted(true),
            // An agent was faster than the promise.
            false => drop(self.called_back.take_if(|_| self.answered.is_none())),
        }
        self.answered.get_or_insert(at);
        if self.agent.is_none() {
            self.agent = agent.cloned();
        }
        self.turn(at, Phase::Talk);
        self.shares.entry(agent.cloned()).or_default();
        self.holder = agent.cloned();
    }

    fn wrapped_up(&mut self, at: Millis, agent: &AgentId) {
        if let Some(since) = self.wrapping.remove(agent) {
            let before = self.wrap_up_ms.unwrap_or(0);
            let passed = at.since(since);
            self.wrap_up_ms = Some(before.saturating_add(passed));
            let share = self.shares.entry(Some(agent.clone())).or_default();
            share.wrap_up_ms = share.wrap_up_ms.saturating_add(passed);
        }
    }

    fn turn(&mut self, at: Millis, phase: Phase) {
        let passed = at.since(self.phase_since);
        if self.phase != Phase::Away {
            let share = self.shares.entry(self.holder.clone()).or_default();
            let (all, own) = match self.phase {
                Phase::Hold => (&mut self.hold_ms, &mut share.hold_ms),
                Phase::Away | Phase::Talk => (&mut self.talk_ms, &mut share.talk_ms),
            };
            *all = all.saturating_add(passed);
            *own = own.saturating_add(passed);
        }
        self.phase = phase;
        self.phase_since = at;
    }

    fn outcome(&self) -> Outcome {
        match (self.answered, &self.queue, self.in_flow) {
            (Some(_), _, _) => Outcome::Answered,
            (None, Some(_), _) => Outcome::Abandoned,
            (None, None, true) => Outcome::InFlow,
            (None, None, false) => Outcome::Refused,
        }
    }
}

/// Agents who talked to the customer of one contact, by its facts.
pub fn handled_by<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> BTreeSet<AgentId> {
    let talked = |fact: &Fact| match &fact.kind {
        Kind::Answered { agent } | Kind::Dialled { agent, .. } | Kind::Conferred { agent } => agent.clone(),
        Kind::HelpGiven { agent, .. } => Some(agent.clone()),
        _ => None,
    };
    facts.into_iter().filter_map(talked).collect()
}

/// Every contact's record, from facts in their order. Contacts that have not ended have none.
pub fn rebuild<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Vec<Cdr> {
    let mut folds: BTreeMap<ContactId, Fold> = BTreeMap::new();
    for fact in facts {
        let Some(contact) = fact.contact else { continue };
        folds.entry(contact).or_insert_with(|| Fold::new(contact, fact.at)).apply(fact.at, &fact.kind);
    }
    folds.values().filter_map(Fold::cdr).collect()
}

/// What must be added to a ledger when the calls process begins again: every offer, contact, wrap-up and sign-in that
/// was open has ended with the process, but for what the next life takes over. `facts` are those of the last life, in
/// order; the result follows them.
pub fn close_open(facts: &[Fact], now: Millis, kept: &Estate) -> Vec<Fact> {
    let mut open = Open::default();
    for fact in facts {
        open.apply(fact);
    }
    open.contacts.retain(|contact, _| !kept.contacts.contains(contact));
    open.agents.retain(|agent, _| !kept.agents.contains(agent));
    open.close(now)
}

/// The records of all contacts among `ends`, which a restart added, from everything that is known of each.
pub fn closed<E>(ends: &[Fact], mut facts_of: impl FnMut(ContactId) -> Result<Vec<Fact>, E>) -> Result<Vec<Cdr>, E> {
    let contacts: BTreeSet<ContactId> = ends.iter().filter_map(|fact| fact.contact).collect();
    let mut cdrs = Vec::new();
    for contact in contacts {
        let mut facts = facts_of(contact)?;
        facts.extend(ends.iter().filter(|fact| fact.contact == Some(contact)).cloned());
        cdrs.extend(rebuild(&facts));
    }
    Ok(cdrs)
}

/// What is open at the end of the facts, contacts in their order of arrival.
#[derive(Default)]
struct Open {
    order: Vec<ContactId>,
    contacts: BTreeMap<ContactId, OpenContact>,
    wrapping: BTreeMap<AgentId, Option<ContactId>>,
    agents: BTreeMap<AgentId, AgentState>,
}

#[derive(Default)]
struct OpenContact {
    ringing: Option<AgentId>,
    message: Begun,
    ended: bool,
}

impl Open {
    fn apply(&mut self, fact: &Fact) {
        match &fact.kind {
            Kind::AgentState { agent, state, .. } => drop(self.agents.insert(agent.clone(), *state)),
            Kind::WrapUpStarted { agent } => drop(self.wrapping.insert(agent.clone(), fact.contact)),
            Kind::WrapUpEnded { agent } => drop(self.wrapping.remove(agent)),
            kind => {
                let Some(id) = fact.contact else { return };
                if !self.contacts.contains_key(&id) {
                    self.order.push(id);
                }
                let contact = self.contacts.entry(id).or_default();
                match kind {
                    Kind::Offered { agent, .. } => contact.ringing = Some(agent.clone()),
                    Kind::OfferEnded { .. } => contact.ringing = None,
                    Kind::Ended { .. } => contact.ended = true,
                    kind => contact.message.note(kind),
                }
            }
        }
    }

    fn close(self, at: Millis) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut add = |contact, kind| facts.push(Fact { seq: 0, at, contact, kind });
        for id in self.order {
            let Some(contact) = self.contacts.get(&id) else { continue };
            let left = contact.message.left();
            let message = left.map(|(queue, recording)| Kind::MessageLeft { queue, recording, ms: None });
            // Who hung up at the end of a message has left one.
            message.into_iter().for_each(|kind| add(Some(id), kind));
            if contact.ended {
                continue;
            }
            if let Some(agent) = &contact.ringing {
                let outcome = OfferOutcome::Withdrawn;
                add(Some(id), Kind::OfferEnded { agent: agent.clone(), outcome });
            }
            add(Some(id), Kind::Ended { cause: EndCause::Restart });
        }
        for (agent, contact) in self.wrapping {
            add(contact, Kind::WrapUpEnded { agent });
        }
        for (agent, _) in self.agents.into_iter().filter(|(_, state)| *state != AgentState::SignedOut) {
            add(None, Kind::AgentState { agent, state: AgentState::SignedOut, pause: None });
        }
        facts
    }
}
