//! What the box remembers of one contact and of its customer, for whoever has it.

use std::{collections::BTreeSet, fmt};

use floor::correcting::Reach;
use model::{AgentId, ContactId, Millis, QueueId, cdr::Cdr};

use super::Unavailable;

/// Everything there is about a contact, as the ledger has it. Personal data.
#[derive(Clone, PartialEq, Default)]
pub struct Known {
    /// Agents who talked to the customer in it.
    pub handled_by: BTreeSet<AgentId>,
    pub queue: Option<QueueId>,
    /// What the flow shows to agents: what it is, and what it says.
    pub shown: Vec<(String, String)>,
    /// The oldest first.
    pub notes: Vec<Note>,
    /// The same customer's, newest first.
    pub earlier: Vec<Earlier>,
    /// There are older ones.
    pub more: bool,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("handled_by", &self.handled_by).finish_non_exhaustive()
    }
}

/// A contact that the same customer had before.
#[derive(Clone, PartialEq)]
pub struct Earlier {
    pub cdr: Cdr,
    pub notes: Vec<Note>,
}

/// What one agent wrote of a contact. Personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    pub agent: AgentId,
    pub at: Millis,
    /// Counts from 1 with every writing.
    pub version: u64,
    /// Never empty.
    pub text: String,
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Note").field("agent", &self.agent).field("version", &self.version).finish_non_exhaustive()
    }
}

/// One writing of an agent's own note; an empty text takes it back.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteWritten {
    pub contact: ContactId,
    pub by: AgentId,
    pub text: String,
    /// The version it was made of; 0 for none.
    pub base: u64,
    /// The writer does not have the contact at this moment: as far as this is allowed, and told as a fact.
    pub later: Option<Reach>,
}

/// Why a note was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteRefused {
    /// It was written from elsewhere since; that stands, as this version.
    #[error("the note has been changed elsewhere")]
    Changed { version: u64 },
    #[error("what was known of this contact is erased")]
    Erased,
    /// Agents may write for a while after the end.
    #[error("the time in which this could be changed is over")]
    TooLate,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
