//! What the ledger knows of a contact and of its customer, and notes on their way to it.

use std::collections::BTreeSet;

use desk::{Earlier, Known, Note, NoteRefused, NoteWritten, Unavailable};
use ledger::{Batch, NoteEdit, Reader};
use model::{
    ContactId,
    fact::{Fact, Kind},
};
use tracing::warn;

use super::clock::wall;

/// Earlier contacts of one card.
const EARLIER_MAX: usize = 20;

/// None: there is no such contact.
pub fn known(reader: &Reader, contact: ContactId) -> Result<Option<Known>, ledger::Error> {
    let facts = reader.facts_of(contact)?;
    if facts.is_empty() {
        return Ok(None);
    }
    let person = reader.personal(contact)?;
    let mut before = reader.earlier_contacts(contact, EARLIER_MAX.saturating_add(1))?;
    let more = before.len() > EARLIER_MAX;
    before.truncate(EARLIER_MAX);
    let mut earlier = Vec::new();
    for contact in before {
        // One that still goes on has no record.
        let Some(cdr) = reader.cdr(contact)? else { continue };
        earlier.push(Earlier { cdr, notes: notes(reader, contact)? });
    }
    let queue = facts.iter().find_map(|fact| match &fact.kind {
        Kind::Queued { queue } => Some(queue.clone()),
        _ => None,
    });
    Ok(Some(Known {
        handled_by: facts.iter().filter_map(talked).collect::<BTreeSet<_>>(),
        queue,
        shown: person.map(|person| person.shown.clone()).unwrap_or_default(),
        notes: notes(reader, contact)?,
        earlier,
        more,
    }))
}

pub fn notes(reader: &Reader, contact: ContactId) -> Result<Vec<Note>, ledger::Error> {
    let notes = reader.notes(contact)?;
    let note = |note: &ledger::Note| Note {
        agent: note.agent.clone(),
        at: note.at,
        version: note.version,
        text: note.text.clone(),
    };
    Ok(notes.iter().map(note).collect())
}

/// Who talks to the customer by this fact.
fn talked(fact: &Fact) -> Option<model::AgentId> {
    match &fact.kind {
        Kind::Answered { agent } | Kind::Dialled { agent, .. } | Kind::Conferred { agent } => agent.clone(),
        Kind::HelpGiven { agent, .. } => Some(agent.clone()),
        _ => None,
    }
}

/// To be waited for on a thread that may block: the version that the note is, once it is on the disk.
pub fn write(
    writer: &ledger::Writer,
    written: NoteWritten,
) -> impl FnOnce() -> Result<u64, NoteRefused> + Send + use<> {
    let NoteWritten { contact, by, text, base } = written;
    let edit = NoteEdit { contact, agent: by, at: wall(), text, base: Some(base) };
    let ticket = writer.submit_once(Batch { notes: vec![edit], ..Batch::default() });
    move || match ticket.wait() {
        Ok(_) => Ok(base.saturating_add(1)),
        Err(ledger::Error::NoteChanged { version }) => Err(NoteRefused::Changed { version }),
        Err(ledger::Error::Erased) => Err(NoteRefused::Erased),
        Err(error) => {
            warn!(%error, "a note cannot be kept");
            Err(Unavailable.into())
        }
    }
}
