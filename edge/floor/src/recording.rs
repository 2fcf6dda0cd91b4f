//! Which contact each recording belongs to. Every contact of a recorded queue has a recording from its answer to its
//! end, or a fact that says why not; so has every other call of a direction that is recorded.

use std::collections::BTreeMap;

use call::{
    plane::{Failure, RecordingState},
    siprec::{About, CopyState, NoCopy},
};
use model::{
    ContactId, LegId, QueueId, RecordingId,
    fact::{CopyMissing, Kind, RecordingMissing},
};

use crate::{Floor, RECORDINGS_MAX, contact::State, lines::Lines};

#[derive(Debug, Default)]
pub(crate) struct Recordings {
    open: BTreeMap<RecordingId, Open>,
}

#[derive(Debug)]
struct Open {
    contact: ContactId,
    stage: Stage,
    /// A message for this queue, not a talk.
    message: Option<QueueId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Wanted,
    Running,
}

impl Recordings {
    /// One that runs on from an earlier life.
    pub fn is_message(&mut self, recording: RecordingId, queue: QueueId) {
        if let Some(open) = self.open.get_mut(&recording) {
            open.message = Some(queue);
        }
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }
}

impl<L: Lines> Floor<L> {
    /// The contact has been answered.
    pub(crate) fn record(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let (None, None, Some(leg)) = (&contact.guest, contact.recording, contact.leg) else { return };
        let missing = match self.recording_rule(id, contact) {
            None if contact.line.is_none() => return,
            None => Some(RecordingMissing::NotWanted),
            Some(_) if self.recordings.open.len() >= RECORDINGS_MAX => Some(RecordingMissing::MediaFailed),
            Some(rule) => self.not_allowed(id, rule),
        };
        if let Some(reason) = missing {
            return self.not_recorded(id, reason);
        }
        let _recording = self.begin_recording(id, leg, None);
    }

    /// Told once for the same reason, however often the talk moves.
    pub(crate) fn not_recorded(&mut self, id: ContactId, reason: RecordingMissing) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let of_the_customer = matches!(reason, RecordingMissing::Refused | RecordingMissing::NoConsent);
        if contact.unrecorded.replace(reason) != Some(reason) || !of_the_customer {
            self.chronicle.tell_of(id, Kind::RecordingMissing { reason });
        }
    }

    pub(crate) fn begin_recording(&mut self, id: ContactId, leg: LegId, message: Option<QueueId>) -> RecordingId {
        let talk = message.is_none();
        let recording = RecordingId(self.random_id());
        self.chronicle.recording_wanted(id);
        self.recordings.open.insert(recording, Open { contact: id, stage: Stage::Wanted, message });
        if let Some(contact) = self.contacts.get_mut(&id) {
            (contact.recording, contact.lost, contact.unrecorded) = (Some(recording), None, None);
        }
        let paused =
            self.contacts.get(&id).is_some_and(|contact| contact.card_mode.is_some() || contact.paused.is_some());
        self.lines.record(self.now, recording, leg);
        if talk {
            self.copy(id, leg, recording);
        }
        if paused {
            self.lines.record_pause(self.now, recording, true);
        }
        recording
    }

    /// A recording server of the customer's own may be to have it too.
    fn copy(&mut self, id: ContactId, leg: LegId, recording: RecordingId) {
        let Some(contact) = self.contacts.get(&id) else { return };
        let queue = contact.line.as_ref().map(|line| line.queue.clone());
        let about = About { queue, number: contact.number.clone() };
        self.lines.copy(self.now, self.chronicle.wall, recording, leg, &about);
    }

    pub(crate) fn copied(&mut self, recording: RecordingId, state: CopyState) {
        let Some(id) = self.recordings.open.get(&recording).map(|open| open.contact) else { return };
        let kind = match state {
            CopyState::Started { recorder } => Kind::CopyStarted { recording, recorder },
            CopyState::Missing { recorder, why } => Kind::CopyMissing { recording, recorder, reason: no_copy(why) },
        };
        self.chronicle.tell_of(id, kind);
    }

    /// The contact ends, or goes to a queue with a rule of its own.
    pub(crate) fn end_recording(&mut self, id: ContactId) {
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let recordings = contact.recordings();
        (contact.recording, contact.lost) = (None, None);
        for recording in recordings {
            self.lines.record_end(self.now, recording);
        }
    }

    pub(crate) fn recording_event(&mut self, recording: RecordingId, state: RecordingState) {
        let Some(open) = self.recordings.open.get_mut(&recording) else { return };
        let id = open.contact;
        match state {
            RecordingState::Started => {
                open.stage = Stage::Running;
                self.chronicle.tell_of(id, Kind::RecordingStarted { recording });
            }
            RecordingState::Sealed { chunks, frames, sha256, ms } => {
                let message = open.message.take();
                self.recordings.open.remove(&recording);
                self.chronicle.tell_of(id, Kind::RecordingSealed { recording, chunks, frames, sha256 });
                if let Some(queue) = message {
                    self.message_left(id, queue, recording, ms);
                }
                self.chronicle.recording_over(id);
            }
            RecordingState::Failed { why } => {
                let ran = open.stage == Stage::Running;
                let message = open.message.is_some();
                self.recordings.open.remove(&recording);
                self.chronicle.tell_of(id, Kind::RecordingMissing { reason: reason(why) });
                self.record_again(id, recording, ran);
                self.chronicle.recording_over(id);
                if message {
                    self.message_failed(id);
                }
            }
        }
    }

    /// A recording that runs on from an earlier life; a message is nobody's talk, and is not copied.
    pub(crate) fn resume_recording(&mut self, id: ContactId, recording: RecordingId, message: bool) {
        self.chronicle.recording_wanted(id);
        self.recordings.open.insert(recording, Open { contact: id, stage: Stage::Running, message: None });
        if !self.chronicle.has_recording(id) {
            self.chronicle.tell_of(id, Kind::RecordingStarted { recording });
        }
        // What a recording server had of it ended with the process that spoke to it.
        if let Some(leg) = self.contacts.get(&id).and_then(|contact| contact.leg).filter(|_| !message) {
            self.copy(id, leg, recording);
        }
    }

    /// The media process died under a recording: the rest of the talk gets another.
    fn record_again(&mut self, id: ContactId, recording: RecordingId, ran: bool) {
        let Some(contact) = self.contacts.get_mut(&id).filter(|contact| contact.recording == Some(recording)) else {
            return;
        };
        (contact.recording, contact.lost) = (None, Some(recording));
        if ran && matches!(contact.state, State::Talking(_)) {
            self.record(id);
        }
    }
}

fn no_copy(why: NoCopy) -> CopyMissing {
    match why {
        NoCopy::Refused => CopyMissing::Refused,
        NoCopy::Unreachable => CopyMissing::Unreachable,
        NoCopy::Lost => CopyMissing::Lost,
        NoCopy::Media => CopyMissing::Media,
        NoCopy::Limit => CopyMissing::Limit,
    }
}

fn reason(why: Failure) -> RecordingMissing {
    match why {
        Failure::Disk => RecordingMissing::DiskFull,
        Failure::Key => RecordingMissing::KeyUnavailable,
        Failure::NoPort | Failure::UnknownPort | Failure::Prompt | Failure::Limit => RecordingMissing::MediaFailed,
    }
}
