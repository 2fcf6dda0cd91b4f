//! Voicemail (RT-08): a caller leaves a message for the agents of a queue. It is a recording like any other; what is open is
//! counted here, shown on desks, and lit on the telephones of the queue's agents (RFC 3842).

use std::collections::BTreeMap;

use ivr::run::{Input, Run};
use model::{
    AgentId, ContactId, Extension, FlowId, PromptId, QueueId, RecordingId, StepId,
    fact::{Fact, Kind},
};

use crate::{Floor, Output, RECORDINGS_MAX, board::Refused, contact::State, flow::Walk, lines::Lines};

/// Open messages of one queue: what nobody hears is not taken down for ever.
pub const MESSAGES_MAX: usize = 500;
/// Shorter ones are a caller who hung up at the tone.
const LEAST_MS: u64 = 1_000;
const TONE: &str = "beep";

/// Messages that ask for something. A fold of `MessageLeft` and `MessageDone`.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    open: BTreeMap<RecordingId, (ContactId, QueueId)>,
    of: BTreeMap<QueueId, usize>,
}

impl Messages {
    fn add(&mut self, recording: RecordingId, contact: ContactId, queue: QueueId) {
        if self.open.insert(recording, (contact, queue.clone())).is_none() {
            let count = self.of.entry(queue).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn remove(&mut self, recording: RecordingId) -> Option<(ContactId, QueueId)> {
        let (contact, queue) = self.open.remove(&recording)?;
        if let Some(count) = self.of.get_mut(&queue) {
            *count = count.saturating_sub(1);
        }
        Some((contact, queue))
    }

    pub fn of(&self, queue: &QueueId) -> usize {
        self.of.get(queue).copied().unwrap_or(0)
    }
}

/// A message that was being left when a contact's facts end, and at which step.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    at: Option<(FlowId, StepId)>,
    queue: Option<QueueId>,
    recording: Option<RecordingId>,
}

impl Begun {
    pub fn of(facts: &[Fact]) -> Self {
        let mut begun = Self::default();
        facts.iter().for_each(|fact| begun.note(&fact.kind));
        begun
    }

    pub fn note(&mut self, kind: &Kind) {
        match kind {
            // A message that ended by a key is not over before its recording is sealed.
            Kind::FlowEntered { flow, step } if self.queue.is_none() => self.at = Some((flow.clone(), step.clone())),
            Kind::MessageBegan { queue } => (self.queue, self.recording) = (Some(queue.clone()), None),
            Kind::RecordingStarted { recording } if self.queue.is_some() => {
                self.recording.get_or_insert(*recording);
            }
            Kind::RecordingSealed { recording, .. } | Kind::MessageLeft { recording, .. }
                if self.recording == Some(*recording) =>
            {
                (self.queue, self.recording) = (None, None);
            }
            Kind::RecordingMissing { .. } => (self.queue, self.recording) = (None, None),
            _ => {}
        }
    }

    pub fn left(&self) -> Option<(QueueId, RecordingId)> {
        Some((self.queue.clone()?, self.recording?))
    }
}

impl<L: Lines> Floor<L> {
    /// Takes a message down from here on. False: none can be kept.
    pub(crate) fn begin_message(&mut self, id: ContactId, queue: QueueId) -> bool {
        let full = self.messages.of(&queue) >= MESSAGES_MAX || self.recordings.len() >= RECORDINGS_MAX;
        let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg) else { return false };
        if full || !self.config.queues.contains_key(&queue) {
            return false;
        }
        if let Ok(tone) = PromptId::new(TONE) {
            self.lines.play(self.now, leg, vec![tone.into()]);
        }
        self.chronicle.tell_of(id, Kind::MessageBegan { queue: queue.clone() });
        let _recording = self.begin_recording(id, leg, Some(queue));
        true
    }

    /// Its recording is whole; the caller may have hung up.
    pub(crate) fn message_left(&mut self, id: ContactId, queue: QueueId, recording: RecordingId, ms: u64) {
        if ms < LEAST_MS {
            return;
        }
        self.messages.add(recording, id, queue.clone());
        self.chronicle.tell_of(id, Kind::MessageLeft { queue: queue.clone(), recording, ms: Some(ms) });
        self.light(&queue);
    }

    /// It cannot be recorded: the caller, if still there, goes on.
    pub(crate) fn message_failed(&mut self, id: ContactId) {
        if matches!(self.contacts.get(&id).map(|contact| &contact.state), Some(State::InFlow(_))) {
            self.drive(id, Input::Left(false));
        }
    }

    /// A message of an earlier life of the process that nobody has dealt with.
    pub fn recall_message(&mut self, contact: ContactId, queue: QueueId, recording: RecordingId) {
        self.messages.add(recording, contact, queue.clone());
        self.light(&queue);
    }

    /// The process died while the caller spoke, who has not noticed: the message goes on. False: it does not, and the
    /// contact is where it was before.
    pub(crate) fn message_goes_on(&mut self, id: ContactId, begun: Begun) -> bool {
        let Some((queue, recording)) = begun.left() else { return false };
        if self.contacts.get(&id).and_then(|contact| contact.recording) != Some(recording) {
            self.message_ended(id, &begun);
            return false;
        }
        self.recordings.is_message(recording, queue);
        let walk = begun.at.and_then(|(flow, step)| {
            let run = Run::at_message(self.config.clone(), flow.clone(), &step, self.visit_of(id))?;
            Some(Walk::goes_on(flow, run))
        });
        let Some(walk) = walk else {
            // The flow has been edited: what was said is sealed, and is a message.
            self.end_recording(id);
            return false;
        };
        self.walk(id, walk, None);
        true
    }

    /// A message whose end an earlier life did not hear of: it is as long as its recording.
    pub(crate) fn message_ended(&mut self, id: ContactId, begun: &Begun) {
        let Some((queue, recording)) = begun.left() else { return };
        self.messages.add(recording, id, queue.clone());
        self.chronicle.tell_of(id, Kind::MessageLeft { queue: queue.clone(), recording, ms: None });
        self.light(&queue);
    }

    /// Somebody has dealt with it. Who may is the desk's part.
    pub(crate) fn message_done(&mut self, recording: RecordingId, by: AgentId) -> Result<(), Refused> {
        let (contact, queue) = self.messages.remove(recording).ok_or(Refused::NoMessage)?;
        self.chronicle.tell_of(contact, Kind::MessageDone { recording, by });
        self.light(&queue);
        Ok(())
    }

    /// The telephones of the queue's agents show that something waits, or no longer.
    fn light(&mut self, queue: &QueueId) {
        let of_queue = self.config.agents.values().filter(|agent| agent.queues.contains(queue));
        let phones: Vec<(Extension, usize)> = of_queue.filter_map(|agent| self.lamp(agent)).collect();
        self.show_lamps(phones);
        self.chronicle.put(Output::BoardChanged);
    }

    /// Another configuration: another phone, or another queue.
    pub(crate) fn light_all(&mut self) {
        if self.messages.open.is_empty() && self.messages.of.is_empty() {
            return;
        }
        let phones: Vec<(Extension, usize)> =
            self.config.agents.values().filter_map(|agent| self.lamp(agent)).collect();
        self.show_lamps(phones);
    }

    fn lamp(&self, agent: &model::config::Agent) -> Option<(Extension, usize)> {
        let waiting = agent.queues.iter().map(|queue| self.messages.of(queue)).fold(0, usize::saturating_add);
        Some((agent.phone.clone()?, waiting))
    }

    fn show_lamps(&mut self, phones: Vec<(Extension, usize)>) {
        for (phone, waiting) in phones {
            self.lines.mailbox(self.now, &phone, u32::try_from(waiting).unwrap_or(u32::MAX));
        }
    }
}
