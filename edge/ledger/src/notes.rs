//! What agents write of a contact, one note each. A note is sealed under the contact's own key, and goes with it.

use std::fmt;

use model::{AgentId, ContactId, Millis};
use rusqlite::{Connection, OptionalExtension, params};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    apply::contact_bytes,
    error::Error,
    key::{BranchKey, KEY_LEN, open, seal},
    outbox::{integer, unsigned},
    personal,
};

/// Longest note, in bytes.
pub const NOTE_LEN_MAX: usize = 16_000;

/// A note as it stands.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Note {
    #[zeroize(skip)]
    pub agent: AgentId,
    /// When it was written last.
    #[zeroize(skip)]
    pub at: Millis,
    /// Counts from 1 with every writing.
    pub version: u64,
    pub text: String,
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("agent", &self.agent).field("version", &self.version).finish_non_exhaustive()
    }
}

/// One writing of a note; the whole text.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteEdit {
    pub contact: ContactId,
    pub agent: AgentId,
    pub at: Millis,
    pub text: String,
    /// The version that it changes, 0 for none yet; another one that stands there refuses it. None: whatever stands.
    pub base: Option<u64>,
}

impl fmt::Debug for NoteEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoteEdit").field("contact", &self.contact).field("base", &self.base).finish_non_exhaustive()
    }
}

pub(crate) fn write(db: &Connection, branch: &BranchKey, edit: &NoteEdit) -> Result<(), Error> {
    let contact = contact_bytes(edit.contact);
    if personal::is_erased(db, &contact)? {
        return Err(Error::Erased);
    }
    let stands: Option<i64> = db
        .prepare_cached("SELECT version FROM notes WHERE contact = ?1 AND agent = ?2")?
        .query_row(params![contact, edit.agent.as_str()], |row| row.get(0))
        .optional()?;
    let stands = stands.map_or(0, unsigned);
    if edit.base.is_some_and(|base| base != stands) {
        return Err(Error::NoteChanged { version: stands });
    }
    let key = personal::key_of(db, branch, &contact)?;
    let sealed = seal(&key, &context(&contact, &edit.agent), edit.text.as_bytes())?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO notes (contact, agent, at, version, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![contact, edit.agent.as_str(), edit.at.0, integer(stands.saturating_add(1))?, sealed])?;
    Ok(())
}

/// Of a contact, the oldest first.
pub(crate) fn read(db: &Connection, branch: &BranchKey, contact: ContactId) -> Result<Vec<Note>, Error> {
    let id = contact_bytes(contact);
    let mut select = db.prepare_cached(
        "SELECT agent, at, version, sealed, wrapped FROM notes JOIN personal_keys USING (contact)
         WHERE contact = ?1 ORDER BY at, agent",
    )?;
    let mut rows = select.query([id])?;
    let mut notes = Vec::new();
    while let Some(row) = rows.next()? {
        let (agent, sealed, wrapped): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(3)?, row.get(4)?);
        let agent = AgentId::new(&agent).map_err(|_| Error::Unreadable { what: "note" })?;
        let key = branch.open(&id, &wrapped)?;
        let key: &[u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| Error::Sealed)?;
        let text = open(key, &context(&id, &agent), &sealed)?;
        let text = std::str::from_utf8(&text).map_err(|_| Error::Unreadable { what: "note" })?.to_owned();
        notes.push(Note { agent, at: Millis(row.get(1)?), version: unsigned(row.get(2)?), text });
    }
    Ok(notes)
}

/// Bound into the seal, so that no note can stand in for another.
fn context(contact: &[u8], agent: &AgentId) -> Vec<u8> {
    [contact, b"\0note\0", agent.as_str().as_bytes()].concat()
}
