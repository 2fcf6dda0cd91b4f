//! Calls of another system that are recorded here (SIPREC, RFC 7866): no leg of ours, no queue and no agent; a recording,
//! what is said of who took part, and a record that leads to both. Supervisors hear them.

use call::{
    leg::Caller,
    siprec::{
        Metadata,
        metadata::{OBJECTS_MAX, Participant},
    },
};
use model::{
    ContactId, LegId, RecordingId, TrunkId,
    fact::{EndCause, Kind, RecordingMissing},
};

use crate::{Floor, Output, RECORDINGS_MAX, lines::Lines};

#[derive(Debug)]
pub(crate) struct BroughtCall {
    contact: ContactId,
    recording: Option<RecordingId>,
    /// Who took part so far, the first caller first: a snapshot names only who does.
    people: Vec<Participant>,
}

impl<L: Lines> Floor<L> {
    /// It runs: its recording begins.
    pub(crate) fn brought(&mut self, leg: LegId, by: TrunkId, metadata: &Metadata) {
        let contact = ContactId(self.dated_id());
        self.chronicle.tell_of(contact, Kind::Brought { by });
        let mut people = Vec::new();
        self.tell_people(contact, &mut people, metadata);
        self.chronicle.tell_of(contact, Kind::Answered { agent: None });
        let recording = match self.recordings.len() < RECORDINGS_MAX {
            true => Some(self.begin_recording(contact, leg, None)),
            false => {
                let reason = RecordingMissing::MediaFailed;
                self.chronicle.tell_of(contact, Kind::RecordingMissing { reason });
                None
            }
        };
        self.brought.insert(leg, BroughtCall { contact, recording, people });
    }

    pub(crate) fn brought_anew(&mut self, leg: LegId, metadata: &Metadata) {
        let Some(call) = self.brought.get_mut(&leg) else { return };
        let (contact, mut people) = (call.contact, std::mem::take(&mut call.people));
        self.tell_people(contact, &mut people, metadata);
        if let Some(call) = self.brought.get_mut(&leg) {
            call.people = people;
        }
    }

    /// Nothing is sent: the recording keeps the gap's length.
    pub(crate) fn brought_paused(&mut self, leg: LegId, paused: bool) {
        let Some(BroughtCall { contact, recording, .. }) = self.brought.get(&leg) else { return };
        let (contact, recording) = (*contact, *recording);
        if let Some(recording) = recording {
            self.lines.record_pause(self.now, recording, paused);
        }
        self.chronicle.tell_of(contact, if paused { Kind::Held } else { Kind::Resumed });
    }

    pub(crate) fn brought_over(&mut self, leg: LegId) {
        let Some(BroughtCall { contact, recording, .. }) = self.brought.remove(&leg) else { return };
        if let Some(recording) = recording {
            self.lines.record_end(self.now, recording);
        }
        self.chronicle.tell_of(contact, Kind::Ended { cause: EndCause::Caller });
        self.chronicle.close(contact, None);
    }

    /// Who took part, by the peer's word: beside the chain, under the contact's own key.
    fn tell_people(&mut self, contact: ContactId, people: &mut Vec<Participant>, metadata: &Metadata) {
        for one in &metadata.participants {
            let has_room = people.len() < OBJECTS_MAX;
            match people.iter_mut().find(|known| known.id == one.id) {
                Some(known) => known.clone_from(one),
                None if has_room => people.push(one.clone()),
                None => {}
            }
        }
        let mut people = people.iter();
        let caller = people.next().map(card).unwrap_or_default();
        let others = people.map(|one| ("SIPREC".to_owned(), written(one)));
        let calls = metadata.sessions.iter().flat_map(|session| &session.sip_ids);
        let calls = calls.map(|id| ("Session-ID".to_owned(), id.clone()));
        let shown = others.chain(calls).collect();
        self.chronicle.put(Output::Personal { contact, caller, call_back: None, shown });
    }
}

/// The user part of the address, and the name.
fn card(one: &Participant) -> Caller {
    let Some(name) = one.names.first() else { return Caller::default() };
    let address = name.aor.split_once(':').map_or(name.aor.as_str(), |(_, address)| address);
    let number = address.split(['@', ';']).next().unwrap_or_default().to_owned();
    Caller { number, name: name.display.clone() }
}

fn written(one: &Participant) -> String {
    let name = |name: &call::siprec::metadata::Name| match &name.display {
        Some(display) => format!("{display} <{}>", name.aor),
        None => name.aor.clone(),
    };
    one.names.iter().map(name).collect::<Vec<_>>().join(", ")
}
