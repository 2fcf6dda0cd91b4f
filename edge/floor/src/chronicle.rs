//! What is told: facts in order, the records they fold into, and today's figures for the board. The only place that
//! makes a fact.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use acd::service_level::{self, Variant};
use model::{
    AgentId, ContactId, DispositionId, Millis, QueueId,
    cdr::Direction,
    config::Config,
    fact::{AgentState, Fact, Kind},
    leaving::Figures,
};

use crate::{Output, cdr::Fold, interval};

#[derive(Debug)]
pub(crate) struct Chronicle {
    pub wall: Millis,
    pub config: Arc<Config>,
    outputs: VecDeque<Output>,
    /// Contacts that live, or whose wrap-up is still awaited.
    folds: BTreeMap<ContactId, Fold>,
    /// Ended contacts that an agent has yet to write up.
    owing: BTreeMap<AgentId, ContactId>,
    /// Recordings of a contact whose end has not been told.
    recording: BTreeMap<ContactId, u32>,
    today: BTreeMap<QueueId, Figures>,
}

impl Chronicle {
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            wall: Millis::default(),
            config,
            outputs: VecDeque::new(),
            folds: BTreeMap::new(),
            owing: BTreeMap::new(),
            recording: BTreeMap::new(),
            today: BTreeMap::new(),
        }
    }

    pub fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    /// A fact of the box or of an agent.
    pub fn tell(&mut self, kind: Kind) {
        if let Kind::AgentState { agent, state, .. } = &kind {
            self.agent_rests(agent, *state);
        }
        self.put(Output::Fact(Fact { seq: 0, at: self.wall, contact: None, kind }));
    }

    /// A fact of a contact.
    pub fn tell_of(&mut self, contact: ContactId, kind: Kind) {
        self.put(Output::Fact(Fact { seq: 0, at: self.wall, contact: Some(contact), kind: kind.clone() }));
        self.fold(contact, &kind);
        match kind {
            Kind::Ended { .. } => self.write(contact),
            Kind::WrapUpEnded { agent } => {
                self.owing.remove(&agent);
                self.write(contact);
                self.forget_if_done(contact);
            }
            Kind::Corrected { .. } => {
                self.write(contact);
                self.forget_if_done(contact);
            }
            // A very short call can end before its recording has begun.
            Kind::RecordingStarted { .. } => self.write(contact),
            _ => {}
        }
    }

    /// A contact that an earlier life began, with all that is known of it.
    pub fn take_up(&mut self, contact: ContactId, facts: &[Fact]) {
        let Some(first) = facts.first() else { return };
        let mut fold = Fold::new(contact, first.at);
        facts.iter().for_each(|fact| fold.apply(fact.at, &fact.kind));
        self.folds.insert(contact, fold);
    }

    pub fn was_answered(&self, contact: ContactId) -> bool {
        self.folds.get(&contact).is_some_and(Fold::was_answered)
    }

    /// What came of it, by this agent's last word.
    pub fn disposition_of(&self, contact: ContactId, agent: &AgentId) -> Option<&DispositionId> {
        self.folds.get(&contact).and_then(|fold| fold.disposition_of(agent))
    }

    /// The contact as far as it has come; None: its record is final, and it is forgotten here.
    pub fn fold_of(&self, contact: ContactId) -> Option<&Fold> {
        self.folds.get(&contact)
    }

    /// Of a contact that has ended, or is not known: inbound.
    pub fn direction(&self, contact: ContactId) -> Direction {
        self.folds.get(&contact).map_or(Direction::Inbound, Fold::direction)
    }

    /// What the customer said last of being recorded.
    pub fn consent(&self, contact: ContactId) -> Option<bool> {
        self.consented(contact).map(|(given, _)| *given)
    }

    /// The same, with whom it was said to; None: by a key.
    pub fn consented(&self, contact: ContactId) -> Option<&(bool, Option<AgentId>)> {
        self.folds.get(&contact).and_then(Fold::consent)
    }

    /// What the clock on the wall will show then.
    pub fn wall_of(&self, now: Instant, then: Instant) -> Millis {
        let left = i64::try_from(then.saturating_duration_since(now).as_millis()).unwrap_or(i64::MAX);
        Millis(self.wall.0.saturating_add(left))
    }

    /// Its recording is known to have begun.
    pub fn has_recording(&self, contact: ContactId) -> bool {
        self.folds.get(&contact).is_some_and(Fold::has_recording)
    }

    /// Something will be told of a recording of this contact.
    pub fn recording_wanted(&mut self, contact: ContactId) {
        let open = self.recording.entry(contact).or_default();
        *open = open.saturating_add(1);
    }

    /// The last thing has been told of one of its recordings.
    pub fn recording_over(&mut self, contact: ContactId) {
        if let Some(open) = self.recording.get_mut(&contact) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.recording.remove(&contact);
            }
        }
        self.forget_if_done(contact);
    }

    /// A fold begins with the contact; what comes when the record is final (a recording is sealed) changes nothing.
    fn fold(&mut self, contact: ContactId, kind: &Kind) {
        let at = self.wall;
        if matches!(kind, Kind::Arrived { .. } | Kind::Dialled { .. } | Kind::Brought { .. }) {
            self.folds.entry(contact).or_insert_with(|| Fold::new(contact, at));
        }
        let Some(fold) = self.folds.get_mut(&contact) else { return };
        let before = Milestones::of(fold);
        fold.apply(at, kind);
        let after = Milestones::of(fold);
        self.count(contact, before, after);
    }

    /// The contact has ended: its fold stays only while `writing_up` owes it a wrap-up.
    pub fn close(&mut self, contact: ContactId, writing_up: Option<AgentId>) {
        if let Some(agent) = writing_up {
            self.owing.insert(agent, contact);
        }
        self.forget_if_done(contact);
    }

    /// Contacts whose record is not final.
    pub fn unwritten(&self) -> usize {
        self.folds.len()
    }

    /// Figures of the civil day begin anew.
    pub fn new_day(&mut self) {
        self.today.clear();
    }

    pub fn today(&self, queue: &QueueId) -> Figures {
        self.today.get(queue).copied().unwrap_or_default()
    }

    /// Variant 2 of NORMS 4 over contacts that are answered or gone: who still waits is not judged yet.
    pub fn service_level(&self, queue: &QueueId) -> Option<u16> {
        let figures = self.today(queue);
        let judged = Figures { offered: figures.answered.saturating_add(figures.abandoned), ..figures };
        service_level::permille(Variant::WithoutShortAbandons, &judged)
    }

    fn write(&mut self, contact: ContactId) {
        if let Some(cdr) = self.folds.get(&contact).and_then(Fold::cdr) {
            self.put(Output::Cdr(Box::new(cdr)));
        }
    }

    fn forget_if_done(&mut self, contact: ContactId) {
        let owed = self.owing.values().any(|owed| *owed == contact) || self.recording.contains_key(&contact);
        let done = |fold: &Fold| fold.has_ended() && !fold.is_wrapped_up_by_anybody();
        if !owed && self.folds.get(&contact).is_some_and(done) {
            self.folds.remove(&contact);
        }
    }

    /// An agent who rests owes nothing: a wrap-up that was due will not come.
    fn agent_rests(&mut self, agent: &AgentId, state: AgentState) {
        if matches!(state, AgentState::SignedOut | AgentState::NotReady | AgentState::Ready)
            && let Some(contact) = self.owing.remove(agent)
        {
            self.forget_if_done(contact);
        }
    }

    /// Today's figures, at the moments that change them.
    fn count(&mut self, contact: ContactId, before: Milestones, after: Milestones) {
        let Some(fold) = self.folds.get(&contact) else { return };
        let Some(queue) = fold.queue().cloned() else { return };
        let figures = self.today.entry(queue.clone()).or_default();
        if !before.queued && after.queued {
            figures.offered = figures.offered.saturating_add(1);
        }
        let answered = !before.answered && after.answered;
        let abandoned = !before.ended && after.ended && !after.answered;
        if answered || abandoned {
            let within_s = self.config.queues.get(&queue).map_or(0, |queue| queue.service_level_s);
            let counted = interval::outcome(fold.wait_ms(self.wall), within_s, answered);
            *figures = interval::sum(*figures, Figures { offered: 0, ..counted });
        }
    }
}

/// How far a contact has come.
#[derive(Debug, Clone, Copy)]
struct Milestones {
    queued: bool,
    answered: bool,
    ended: bool,
}

impl Milestones {
    fn of(fold: &Fold) -> Self {
        Self { queued: fold.queue().is_some(), answered: fold.was_answered(), ended: fold.has_ended() }
    }
}
