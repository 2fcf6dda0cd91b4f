//! Tickets, as the desk asks for them.

use std::{collections::BTreeSet, fmt};

use model::{
    AgentId, CategoryId, ContactId, Millis, QueueId, TicketId,
    cdr::Cdr,
    ticket::{Priority, State, Terms, Ticketed},
};
use ticket::{Act, Due, Ticket};
use tokio::sync::broadcast;

use super::{Caller, Future, Unavailable};
use crate::Role;

/// What is to be done for customers, as the box keeps it.
pub trait Tickets: Send + Sync + 'static {
    /// Those that changed last first.
    fn list(&self, wanted: TicketsWanted) -> Future<'_, Result<TicketList, Unavailable>>;

    /// None: there is no such ticket.
    fn ticket(&self, ticket: TicketId) -> Future<'_, Result<Option<TicketShown>, Unavailable>>;

    /// Those of a contact's customer.
    fn of_contact(&self, contact: ContactId) -> Future<'_, Result<TicketList, Unavailable>>;

    /// Resolves when it is durable.
    fn open(&self, opened: TicketOpened) -> Future<'_, Result<TicketId, TicketRefused>>;

    /// The same; all of it or nothing.
    fn act(&self, acted: TicketActed) -> Future<'_, Result<(), TicketRefused>>;

    fn terms(&self) -> Future<'_, Result<Terms, Unavailable>>;

    /// In force when this resolves.
    fn set_terms(&self, by: AgentId, terms: Terms) -> Future<'_, Result<(), Unavailable>>;

    /// What happens to any ticket from here on.
    fn news(&self) -> broadcast::Receiver<TicketNews>;
}

/// Whose eyes look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketReader {
    pub agent: AgentId,
    pub role: Role,
    /// The agent's.
    pub queues: BTreeSet<QueueId>,
}

impl TicketReader {
    /// Agents see what they have, what they opened, and what waits for their queues.
    pub fn may_see(&self, queue: Option<&QueueId>, assignee: Option<&AgentId>, opened_by: &AgentId) -> bool {
        self.role == Role::Supervisor
            || assignee == Some(&self.agent)
            || *opened_by == self.agent
            || queue.is_some_and(|queue| self.queues.contains(queue))
    }

    pub fn sees(&self, ticket: &Ticket) -> bool {
        self.may_see(ticket.queue.as_ref(), ticket.assignee.as_ref(), &ticket.opened_by)
    }
}

/// Which tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketsWanted {
    pub reader: TicketReader,
    /// Also those that are closed.
    pub closed: bool,
    pub state: Option<State>,
    pub queue: Option<QueueId>,
    pub assignee: Option<AgentId>,
    pub priority: Option<Priority>,
    pub category: Option<CategoryId>,
    /// Words of the subject, a ticket's number, or the customer's number.
    pub text: Option<String>,
    /// Only those that changed before.
    pub before: Option<Millis>,
    pub limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketList {
    pub tickets: Vec<TicketRow>,
    /// The box's clock, which what is due is to be compared with.
    pub now: Millis,
    /// There may be older ones.
    pub more: bool,
}

#[derive(Clone, PartialEq, Eq)]
pub struct TicketRow {
    pub ticket: Ticket,
    /// None: erased.
    pub subject: Option<String>,
    pub due: Due,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TicketShown {
    pub row: TicketRow,
    /// In order.
    pub entries: Vec<TicketLine>,
    pub contacts: Vec<TicketContact>,
    pub now: Millis,
}

/// One thing that happened, and what was written with it.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketLine {
    pub at: Millis,
    /// None: the clock.
    pub by: Option<AgentId>,
    pub what: Ticketed,
    pub text: Option<String>,
}

/// A visit that a ticket names.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketContact {
    pub contact: ContactId,
    /// None: it goes on.
    pub cdr: Option<Cdr>,
    pub caller: Option<Caller>,
}

/// A ticket that somebody opens.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketOpened {
    pub by: AgentId,
    pub subject: String,
    /// May be empty.
    pub text: String,
    pub queue: Option<QueueId>,
    pub assignee: Option<AgentId>,
    pub priority: Priority,
    pub category: Option<CategoryId>,
    pub contact: Option<ContactId>,
}

/// What somebody does with one.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketActed {
    pub by: AgentId,
    pub ticket: TicketId,
    /// The version that it is made of.
    pub base: u64,
    pub acts: Vec<Act>,
    /// With an `Act::Comment`.
    pub comment: Option<String>,
    /// With an `Act::Rename`.
    pub subject: Option<String>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefused {
    /// Somebody did something since; that stands, as this version.
    #[error("the ticket has been changed elsewhere")]
    Changed { version: u64 },
    #[error(transparent)]
    Refused(#[from] ticket::Refused),
    #[error("what was written in this ticket is erased")]
    Erased,
    #[error("too many tickets are open")]
    TooMany,
    #[error("there is no such ticket")]
    NotFound,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Something happened to a ticket: as it stands then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketNews {
    pub ticket: TicketId,
    pub number: u64,
    pub queue: Option<QueueId>,
    pub assignee: Option<AgentId>,
    pub opened_by: AgentId,
    /// None: the clock.
    pub by: Option<AgentId>,
    pub told: Vec<Ticketed>,
}

macro_rules! silent {
    ($($name:ident),*) => {$(
        // Words of people are printed nowhere.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
silent!(TicketRow, TicketLine, TicketOpened, TicketActed);
