//! What is to be done for a customer, and what happened to it. Nothing here is personal: what people write of it lies
//! beside it, sealed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AgentId, CategoryId, ContactId, HoursId, Millis, QueueId, TicketId};

/// Where it stands. Which moves are legal is `ticket::may_move`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has begun.
    Open,
    /// We have begun, and it is our turn.
    WaitsForUs,
    /// We have asked the customer something.
    WaitsForCustomer,
    /// We think it is done.
    Solved,
    /// It is done, for good.
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

/// What was promised of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// The customer hears of us.
    FirstAnswer,
    Resolution,
}

/// To whom a comment was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Among us.
    Inside,
    /// To the customer, by whatever way.
    ToCustomer,
}

/// The time of one promise, in opening hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    pub budget_ms: u64,
    /// Up to `since`.
    pub spent_ms: u64,
    /// It runs since then; None: it is paused, or over.
    pub since: Option<Millis>,
    pub warned: bool,
    /// When it was seen that the budget was spent.
    pub breached: Option<Millis>,
    /// When what was promised was done.
    pub done: Option<Millis>,
}

/// A ticket as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub ticket: TicketId,
    /// For people, from 1; 0 until the ledger has given one.
    pub number: u64,
    /// Counts from 1 with every change.
    pub version: u64,
    pub state: State,
    pub priority: Priority,
    pub category: Option<CategoryId>,
    /// Whose agents may take it.
    pub queue: Option<QueueId>,
    pub assignee: Option<AgentId>,
    /// The customer's visits that it is about, in the order in which they were named.
    pub contacts: Vec<ContactId>,
    pub opened: Millis,
    pub opened_by: AgentId,
    pub changed: Millis,
    pub first_answer: Clock,
    pub resolution: Clock,
    pub solved: Option<Millis>,
}

/// One thing that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Ticketed {
    Opened {
        queue: Option<QueueId>,
        priority: Priority,
        category: Option<CategoryId>,
        contact: Option<ContactId>,
    },
    Moved {
        from: State,
        to: State,
    },
    Assigned {
        agent: Option<AgentId>,
        queue: Option<QueueId>,
    },
    Rated {
        priority: Priority,
    },
    Sorted {
        category: Option<CategoryId>,
    },
    Linked {
        contact: ContactId,
    },
    Commented {
        said: Said,
    },
    /// Somebody wrote another subject.
    Renamed,
    /// What was promised was done.
    Kept {
        promise: Promise,
    },
    /// So much of the time is spent that somebody should hurry.
    Warned {
        promise: Promise,
    },
    Breached {
        promise: Promise,
    },
}

/// What a house promises of its tickets, and how they are sorted. Local to the box; supervisors edit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The opening hours that count; None: those of the ticket's queue, or all the time where that has none.
    pub hours: Option<HoursId>,
    pub categories: BTreeMap<CategoryId, String>,
    pub promises: BTreeMap<Priority, Promised>,
    /// Somebody is warned when so much of a promise's time is spent, 1 to 99.
    pub warn_percent: u8,
}

/// In minutes of opening hours, 1 to 525,600.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promised {
    pub first_answer_min: u32,
    pub resolution_min: u32,
}

impl Default for Terms {
    fn default() -> Self {
        let promised = |first_answer_min, resolution_min| Promised { first_answer_min, resolution_min };
        let promises = BTreeMap::from([
            (Priority::Low, promised(480, 4_800)),
            (Priority::Normal, promised(240, 2_400)),
            (Priority::High, promised(60, 960)),
            (Priority::Urgent, promised(15, 240)),
        ]);
        Self { hours: None, categories: BTreeMap::new(), promises, warn_percent: 80 }
    }
}
