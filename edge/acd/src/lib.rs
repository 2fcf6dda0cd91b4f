//! Who serves whom: contacts wait in queues, agents become free, and the longest waiting meets the longest idle who is
//! qualified. Knows no SIP and no audio; it routes contacts, not calls, so that another kind of contact can wait here.
//!
//! Every event costs O(q log n) with q the queues an agent serves: each queue keeps its waiting contacts and its ready
//! agents in order, so that a match is the first of one tree and the first of another. After every input no queue has
//! both a waiting contact and a ready agent.
//!
//! What the owner does: obey every [`Output::Offer`] by ringing the agent, tell how it ended ([`Input::Accept`] or
//! [`Input::OfferEnded`]), and say when the talk is over ([`Input::ContactDone`]).

pub mod agent;
mod engine;
mod offer;
pub mod overflow;
pub mod queue;
pub mod service_level;
pub mod skill;
mod timer;
mod wrap_up;

use std::time::{Duration, Instant};

use model::{
    AgentId, ContactId, QueueId, SiteId,
    config::Config,
    fact::{AgentState, OfferOutcome},
};

pub use engine::Acd;

/// Contacts in all queues together; the next is given back with [`Return::Full`].
pub const CONTACTS_MAX: usize = 5_000;
/// Unanswered or declined offers in a row after which an agent is not ready.
pub const UNANSWERED_MAX: u32 = 2;
/// Positions told by number; further back is only "far".
pub const POSITION_MAX: usize = 20;
/// Least pause before a contact whose overflow failed may try again.
pub const OVERFLOW_AGAIN: Duration = Duration::from_secs(15);

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// A contact begins to wait. `since` is its original queue time: it counts for the order, also after a return.
    Enter {
        contact: ContactId,
        queue: QueueId,
        since: Instant,
        stay: Stay,
    },
    /// The caller left, or somebody elsewhere took the contact.
    Leave {
        contact: ContactId,
    },
    SignIn {
        agent: AgentId,
    },
    /// At once when idle or ringing, after the work when at work.
    SignOut {
        agent: AgentId,
    },
    Ready {
        agent: AgentId,
    },
    NotReady {
        agent: AgentId,
    },
    /// The agent answered the offer.
    Accept {
        agent: AgentId,
    },
    /// The agent's phone ended the offer: `TimedOut`, `Declined` (busy, too) or `Failed` (could not be reached).
    OfferEnded {
        agent: AgentId,
        outcome: OfferOutcome,
    },
    /// The agent and the contact have parted.
    ContactDone {
        agent: AgentId,
    },
    /// A call that is no contact of a queue (outward, a colleague) occupies the agent.
    OtherCallBegan {
        agent: AgentId,
    },
    OtherCallEnded {
        agent: AgentId,
    },
    WrapUpDone {
        agent: AgentId,
    },
    /// No site took the contact: it may ask again later.
    OverflowFailed {
        contact: ContactId,
    },
    /// Another configuration: waiting contacts and agents' states stay.
    Configure(Box<Config>),
}

/// Whose contact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Our own caller: waits as long as it takes.
    Own,
    /// Another site's caller: is offered at once or given back, never waits, hears no position, never overflows.
    Guest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ring this agent for this contact.
    Offer {
        contact: ContactId,
        agent: AgentId,
        queue: QueueId,
    },
    /// Every `Offer` ends once. With anything but `Accepted` the ringing stops.
    OfferEnded {
        contact: ContactId,
        agent: AgentId,
        outcome: OfferOutcome,
    },
    AgentState {
        agent: AgentId,
        state: AgentState,
    },
    WrapUpStarted {
        agent: AgentId,
        contact: ContactId,
    },
    WrapUpEnded {
        agent: AgentId,
        contact: ContactId,
    },
    /// Tell the caller its place, from 1; None is further back than [`POSITION_MAX`].
    Position {
        contact: ContactId,
        position: Option<u32>,
    },
    /// No agent became free in time: these sites may be asked, in this order. The contact goes on waiting.
    OverflowDue {
        contact: ContactId,
        queue: QueueId,
        sites: Vec<SiteId>,
    },
    /// The contact is not in a queue any more (or never came in), and is the owner's again.
    Returned {
        contact: ContactId,
        why: Return,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Return {
    UnknownQueue,
    /// The configuration dropped the queue.
    QueueGone,
    /// [`CONTACTS_MAX`] was reached.
    Full,
    /// A guest that nobody can take at once.
    NobodyReady,
}
