//! What one transaction writes, and what it has become.

use gate::{Item, Passed};
use model::{
    AgentId, ContactId, Epoch, Extension, Millis, TrunkId, cdr::Cdr, change::Doc, fact::Fact, leaving::Interval,
    ticket::Terms,
};

use crate::{
    chat::{CHAT_TEXT_LEN_MAX, ChatRead, ChatWrite},
    error::Error,
    key::Secret,
    lives::Life,
    notes::{NOTE_LEN_MAX, NoteEdit},
    personal::Personal,
    testimony::Testimony,
    tickets::{TICKET_TEXT_LEN_MAX, TicketWrite},
};

/// Rows of one kind in one batch.
pub(crate) const ROWS_MAX: usize = 10_000;
/// Largest body, change or state, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 4 << 20;

/// Everything in here is written together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// `seq` is given by the ledger, in this order.
    pub facts: Vec<Fact>,
    /// A record that is written again replaces the earlier one.
    pub cdrs: Vec<Cdr>,
    pub personal: Vec<(ContactId, Personal)>,
    /// After `personal`. One that cannot be written refuses the whole batch.
    pub notes: Vec<NoteEdit>,
    /// One that cannot be written refuses the whole batch.
    pub tickets: Vec<TicketWrite>,
    pub ticket_terms: Option<Terms>,
    /// One that cannot be written refuses the whole batch.
    pub chat: Vec<ChatWrite>,
    pub chat_read: Vec<ChatRead>,
    /// Gets its outbox row and its line in the egress chain.
    pub outbox: Vec<Passed>,
    /// Lines in the egress chain for bytes that are sent otherwise.
    pub egress: Vec<Item>,
    /// Of checkpoints of that chain.
    pub testimonies: Vec<Testimony>,
    /// The gate's state after `outbox`.
    pub gate: Option<gate::State>,
    /// Encoded changes of the configuration documents; a known one is skipped.
    pub config: Vec<(Doc, Vec<u8>)>,
    /// Of a document with a peer (`cloud`, or a box's id).
    pub sync_state: Vec<(Doc, String, Vec<u8>)>,
    pub bindings: Vec<BindingChange>,
    pub credentials: Vec<CredentialChange>,
    /// Closed intervals; a higher revision replaces a lower one.
    pub intervals: Vec<Interval>,
    /// How long the *calls* process is known to have lived; a life that is written again has been seen later.
    pub lives: Vec<Life>,
    /// Destroys the keys of what is known of these contacts, notes with it.
    pub erase: Vec<ContactId>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// What `later` writes comes after what this one does.
    pub fn append(&mut self, later: Batch) {
        let Batch { facts, cdrs, personal, outbox, egress, gate, config, sync_state, .. } = later;
        self.facts.extend(facts);
        self.cdrs.extend(cdrs);
        self.personal.extend(personal);
        self.outbox.extend(outbox);
        self.egress.extend(egress);
        self.gate = gate.or(self.gate.take());
        self.config.extend(config);
        self.sync_state.extend(sync_state);
        self.bindings.extend(later.bindings);
        self.credentials.extend(later.credentials);
        self.testimonies.extend(later.testimonies);
        self.intervals.extend(later.intervals);
        self.lives.extend(later.lives);
        self.notes.extend(later.notes);
        self.tickets.extend(later.tickets);
        self.chat.extend(later.chat);
        self.chat_read.extend(later.chat_read);
        self.ticket_terms = later.ticket_terms.or(self.ticket_terms.take());
        self.erase.extend(later.erase);
    }

    /// How many rows it writes, about.
    pub fn rows(&self) -> usize {
        let lens = [
            self.facts.len(),
            self.cdrs.len(),
            self.personal.len(),
            self.outbox.len(),
            self.egress.len(),
            self.testimonies.len(),
            usize::from(self.gate.is_some()),
            self.config.len(),
            self.sync_state.len(),
            self.bindings.len(),
            self.credentials.len(),
            self.intervals.len(),
            self.lives.len(),
            self.erase.len(),
            self.notes.len(),
            self.tickets.iter().map(|write| write.entries.len().saturating_add(1)).sum(),
            usize::from(self.ticket_terms.is_some()),
            self.chat.len(),
            self.chat_read.len(),
        ];
        lens.iter().sum()
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let rows = self.rows();
        if rows > ROWS_MAX {
            return Err(Error::TooLarge { what: "rows", len: rows, max: ROWS_MAX });
        }
        if let Some(len) = self.notes.iter().map(|edit| edit.text.len()).find(|len| *len > NOTE_LEN_MAX) {
            return Err(Error::TooLarge { what: "bytes of a note", len, max: NOTE_LEN_MAX });
        }
        let texts = self.tickets.iter().flat_map(TicketWrite::texts).map(String::len);
        if let Some(len) = texts.into_iter().find(|len| *len > TICKET_TEXT_LEN_MAX) {
            return Err(Error::TooLarge { what: "bytes of a ticket's text", len, max: TICKET_TEXT_LEN_MAX });
        }
        if let Some(len) = self.chat.iter().map(|write| write.text.len()).find(|len| *len > CHAT_TEXT_LEN_MAX) {
            return Err(Error::TooLarge { what: "bytes of a message", len, max: CHAT_TEXT_LEN_MAX });
        }
        let outbox = self.outbox.iter().map(|passed| passed.body().len());
        let config = self.config.iter().map(|(_, bytes)| bytes.len());
        let states = self.sync_state.iter().map(|(_, _, bytes)| bytes.len());
        match outbox.chain(config).chain(states).find(|len| *len > BODY_BYTES_MAX) {
            Some(len) => Err(Error::TooLarge { what: "bytes", len, max: BODY_BYTES_MAX }),
            None => Ok(()),
        }
    }
}

/// A registration of a phone that survives a restart. `data` is the registrar's own, opaque here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The address of record's user.
    pub user: String,
    pub contact: String,
    pub expires: Millis,
    pub data: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingChange {
    Put(Binding),
    Remove { user: String, contact: String },
}

/// Whose credential. These never leave the box and never enter a configuration document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKind {
    /// HA1 of a phone for a realm, by algorithm (`MD5`, `SHA-256`).
    Phone { phone: Extension, realm: String, algorithm: String },
    /// Hash (PHC string) of an agent's password at the desk.
    Desk { agent: AgentId },
    /// The password we register with at a trunk.
    Trunk { trunk: TrunkId },
    /// Which device is this phone, and by what it proves so when it fetches its configuration (JSON, the shell's own).
    Enrolment { phone: Extension },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub kind: CredentialKind,
    pub secret: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialChange {
    Put(Credential),
    Remove(CredentialKind),
}

/// Consecutive sequence numbers, `first` to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: u64,
    pub last: u64,
}

/// What a batch has become; it is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub epoch: Epoch,
    pub facts: Option<Span>,
    pub outbox: Option<Span>,
    pub egress: Option<Span>,
    /// New changes of each document; None for one that was there already.
    pub config: Vec<Option<u64>>,
}
