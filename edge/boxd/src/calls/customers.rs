//! What the ledger knows of a contact and of its customer, and notes on their way to it.

use std::sync::Arc;

use desk::{Earlier, Known, Note, NoteRefused, NoteWritten, Unavailable};
use floor::{cdr::handled_by, correcting::Reach};
use ledger::{Batch, Ledger, NoteEdit, Reader};
use model::{
    AgentId, ContactId, Millis,
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
        handled_by: handled_by(&facts),
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

/// To be waited for on a thread that may block: the version that the note is, once it is on the disk.
pub fn write(ledger: Arc<Ledger>, written: NoteWritten) -> impl FnOnce() -> Result<u64, NoteRefused> + Send + use<> {
    move || {
        let NoteWritten { contact, by, text, base, later } = written;
        let at = wall();
        let mut facts = Vec::new();
        if let Some(reach) = later
            && may_still(&ledger, contact, &by, reach, at)?
        {
            facts.push(Fact { seq: 0, at, contact: Some(contact), kind: Kind::NoteWritten { by: by.clone() } });
        }
        let edit = NoteEdit { contact, agent: by, at, text, base: Some(base) };
        let batch = Batch { notes: vec![edit], facts, ..Batch::default() };
        match ledger.writer().submit_once(batch).wait() {
            Ok(_) => Ok(base.saturating_add(1)),
            Err(ledger::Error::NoteChanged { version }) => Err(NoteRefused::Changed { version }),
            Err(ledger::Error::Erased) => Err(NoteRefused::Erased),
            Err(error) => {
                warn!(%error, "a note cannot be kept");
                Err(Unavailable.into())
            }
        }
    }
}

/// Is the contact over, so that who writes of it is told? Refused when its time is past.
fn may_still(ledger: &Ledger, contact: ContactId, by: &AgentId, reach: Reach, at: Millis) -> Result<bool, NoteRefused> {
    let read = || {
        let reader = ledger.reader()?;
        Ok::<_, ledger::Error>((reader.facts_of(contact)?, reader.cdr(contact)?))
    };
    let (facts, cdr) = read().map_err(|error| {
        warn!(%error, "the ledger cannot be read, and so nobody writes of what is over");
        Unavailable
    })?;
    let Some(cdr) = cdr else { return Ok(false) };
    reach.allows(by, &facts, cdr.ended, at).map_err(|_| NoteRefused::TooLate)?;
    Ok(true)
}
