//! Tickets on the wire.

use std::collections::BTreeMap;

use model::{
    AgentId, CategoryId, ContactId, Millis, QueueId, RecordingId, TicketId,
    cdr::Direction,
    ticket::{Priority, Promise, Said, State, Ticket, Ticketed},
};
use serde::{Deserialize, Serialize};

use super::Caller;

/// Characters of a subject, and of a comment.
pub const SUBJECT_CHARS_MAX: usize = 200;
pub const COMMENT_CHARS_MAX: usize = 4_000;
/// What one request does at once.
pub const ACTS_MAX: usize = 10;

/// `GET /api/tickets`: those that changed last first. Asked for by `state`, `queue`, `assignee`, `priority`, `category`,
/// `text`, `closed=true`, `before` (the last line's `changed`) and `limit`.
#[derive(Debug, Clone, Serialize)]
pub struct Tickets {
    pub tickets: Vec<TicketRow>,
    pub categories: BTreeMap<CategoryId, String>,
    /// The box's clock, which `due` is to be compared with.
    pub now: Millis,
    pub more: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct TicketRow {
    #[serde(flatten)]
    pub ticket: Ticket,
    /// None: erased.
    pub subject: Option<String>,
    /// By when; None: it is done, is paused, or nobody ever comes.
    pub first_answer_due: Option<Millis>,
    pub resolution_due: Option<Millis>,
}

/// `GET /api/tickets/{ticket}`, and what a `POST` to it came to.
#[derive(Debug, Clone, Serialize)]
pub struct TicketShown {
    #[serde(flatten)]
    pub row: TicketRow,
    pub entries: Vec<TicketLine>,
    pub links: Vec<TicketContact>,
    pub categories: BTreeMap<CategoryId, String>,
    /// Where it may go from here.
    pub moves: Vec<State>,
    pub now: Millis,
}

#[derive(Debug, Clone, Serialize)]
pub struct TicketLine {
    pub at: Millis,
    /// None: the clock.
    pub by: Option<AgentId>,
    pub what: Ticketed,
    pub text: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TicketContact {
    pub contact: ContactId,
    /// None: it goes on.
    pub arrived: Option<Millis>,
    pub direction: Option<Direction>,
    pub agent: Option<AgentId>,
    /// Only where the reader may hear it.
    pub recording: Option<RecordingId>,
    pub caller: Option<Caller>,
}

/// `POST /api/tickets`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenTicket {
    pub subject: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub queue: Option<QueueId>,
    #[serde(default)]
    pub assignee: Option<AgentId>,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub category: Option<CategoryId>,
    #[serde(default)]
    pub contact: Option<ContactId>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TicketMade {
    pub ticket: TicketId,
}

/// `POST /api/tickets/{ticket}`: all of it or nothing. Another version than `base` stands by now: 409 `ticket_changed`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActOnTicket {
    pub base: u64,
    pub acts: Vec<TicketAct>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum TicketAct {
    Move { to: State },
    Assign { agent: Option<AgentId>, queue: Option<QueueId> },
    Rate { priority: Priority },
    Sort { category: Option<CategoryId> },
    Link { contact: ContactId },
    Comment { said: Said, text: String },
    Rename { subject: String },
}

/// Over the live connection, for whom may see the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TicketNews {
    /// None: more happened than could be told.
    pub ticket: Option<TicketId>,
    pub number: u64,
    /// It is for the reader to look up.
    pub alarm: Option<TicketAlarm>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum TicketAlarm {
    /// Somebody gave it to the reader.
    Assigned,
    Warned {
        promise: Promise,
    },
    Breached {
        promise: Promise,
    },
}
