//! The contact card, and notes on it.

use std::collections::BTreeMap;

use model::{AgentId, ContactId, DispositionId, Millis, cdr::Cdr};
use serde::{Deserialize, Serialize};

/// Characters of a note.
pub const NOTE_CHARS_MAX: usize = 4_000;

/// `GET /api/contacts/{contact}/card`, for who has or had the contact, and for supervisors.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    pub contact: ContactId,
    /// What may be named of it, as people read it.
    pub dispositions: BTreeMap<DispositionId, String>,
    /// None: the box's memory cannot be read at the moment, or does not hold the contact yet.
    pub known: Option<Known>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Known {
    /// What the caller keyed in, or another system said: what it is, and what it says.
    pub shown: Vec<(String, String)>,
    /// The reader's own note.
    pub note: OwnNote,
    /// Those of others.
    pub notes: Vec<Note>,
    /// The same customer's contacts before this one, newest first.
    pub earlier: Vec<Earlier>,
    /// There are older ones.
    pub more: bool,
    /// What the codes of `earlier` mean: all that the site has.
    pub labels: BTreeMap<DispositionId, String>,
}

/// `version` is 0 while nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct OwnNote {
    pub version: u64,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    pub agent: AgentId,
    pub at: Millis,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Earlier {
    /// `recording` only where the reader may hear it.
    #[serde(flatten)]
    pub cdr: Cdr,
    pub notes: Vec<Note>,
}

/// `POST /api/contacts/{contact}/note`: the reader's own note, whole; an empty text takes it back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteNote {
    /// At most [`NOTE_CHARS_MAX`] characters.
    pub text: String,
    /// The version that it was made of. Another one that stands by now refuses it: 409 `note_changed`.
    pub base: u64,
}

/// `POST /api/contacts/{contact}/disposition`, when the contact is over: for who had it, within 72 hours, and for
/// supervisors. Answered with 204 when it is on the disk.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correct {
    pub disposition: DispositionId,
}

/// The note is on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteKept {
    pub version: u64,
}
