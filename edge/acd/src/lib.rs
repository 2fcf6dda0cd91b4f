//! Who serves whom: contacts wait in queues, agents become free, and the contact whose turn it is meets the agent whom
//! the queue's strategy names among those who are qualified. Knows no SIP and no audio; it routes contacts, not calls,
//! so that another kind of contact can wait here.
//!
//! Contacts of a queue who ask for the same share a [`lane`], which keeps them and the agents who are ready for them in
//! order: a match is the first of one tree and the first of another. Every event costs O(l log n) with l the lanes an
//! agent serves. After every input no lane has both a contact that may be served and a ready agent.
//!
//! What the owner does: obey every [`Output::Offer`] by ringing the agent, tell how it ended ([`Input::Accept`] or
//! [`Input::OfferEnded`]), and say when the talk is over ([`Input::ContactDone`]).

pub mod agent;
pub mod decision;
mod engine;
mod lane;
mod last_agent;
mod line;
mod offer;
pub mod overflow;
pub mod queue;
pub mod service_level;
mod tier;
mod timer;
mod wait;
mod wrap_up;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use model::{
    AgentId, ContactId, QueueId, SiteId, SkillId,
    config::Config,
    fact::{AgentState, OfferOutcome},
    routing::Decision,
};

pub use engine::Acd;
pub use wait::Wait;

/// Contacts in all queues together; the next is given back with [`Return::Full`].
pub const CONTACTS_MAX: usize = 20_000;
/// Lanes of one queue: different wishes of the contacts in it, and tiers. A contact with one more is given back with
/// [`Return::Full`].
pub const LANES_MAX: usize = 256;
/// How often one wrap-up is made longer.
pub const WRAP_UP_MORE_MAX: u32 = 3;
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
        wants: Wants,
    },
    /// The caller left, or somebody elsewhere took the contact.
    Leave {
        contact: ContactId,
    },
    /// The caller has hung up and is called back: the contact stays where it is, as [`Stay::Absent`].
    GoneHome {
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
    /// An earlier life left the agent signed in, talking to this contact of this queue, or on calls of its own that are
    /// told as ever; afterwards it wants to be in this state of rest.
    Resume {
        agent: AgentId,
        contact: Option<(ContactId, QueueId)>,
        rest: AgentState,
    },
    /// The wrap-up is longer by its queue's time once more; at most [`WRAP_UP_MORE_MAX`] times.
    WrapUpMore {
        agent: AgentId,
    },
    /// No site took the contact: it may ask again later.
    OverflowFailed {
        contact: ContactId,
    },
    /// Another configuration: waiting contacts and agents' states stay.
    Configure(Box<Config>),
}

/// What a contact brings with it beyond its queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Customer value, 0 for an ordinary one; what is above [`model::routing::VALUE_MAX`] counts as that.
    pub value: u8,
    /// Skills beyond the queue's, with their levels: its language, its scenario.
    pub skills: BTreeMap<SkillId, u8>,
    /// Whom this customer spoke with last.
    pub last_agent: Option<AgentId>,
}

/// Whose contact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// Our own caller: waits as long as it takes.
    Own,
    /// Our own customer, who has hung up and is called back: keeps a place in the line as any other, hears no position,
    /// and asks no other site.
    Absent,
    /// Another site's caller: is offered at once or given back, never waits, hears no position, never overflows.
    Guest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// What the offer that follows was made of.
    Decided {
        contact: ContactId,
        decision: Box<Decision>,
    },
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
    /// [`CONTACTS_MAX`] or [`LANES_MAX`] was reached.
    Full,
    /// A guest that nobody can take at once.
    NobodyReady,
}
