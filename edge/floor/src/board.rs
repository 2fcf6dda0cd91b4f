//! What a desk shows and what it may ask. Durable before acknowledged: a desk command is answered when its facts are
//! stored, which is the shell's part.

use std::time::Duration;

pub use call::Help;
use model::{
    AgentId, ContactId, Extension, Millis, NoticeId, QueueId,
    fact::{AgentState, Monitoring},
    leaving::What,
};

use crate::company::Stage;

/// One request from an agent's desk (or from a phone's feature code).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskCommand {
    pub agent: AgentId,
    pub ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    SignIn,
    SignOut,
    Ready,
    NotReady,
    /// End the wrap-up early.
    WrapUpDone,
    /// Give me my queue's time once more.
    WrapUpMore,
    /// Ring my phone, then this number.
    Dial {
        number: String,
    },
    /// End my call.
    HangUp,
    Hold,
    Resume,
    /// The other party is about to key in a card (C-01).
    CardMode,
    CardModeEnd,
    /// I have seen this notice. For supervisors, signed in at the floor or not.
    Seen {
        notice: NoticeId,
    },
    /// Blind transfer of my caller to an extension or a queue's number.
    Transfer {
        number: String,
    },
    /// My caller waits while I talk to this extension.
    Consult {
        number: String,
    },
    /// Whom I consult, my caller and I hear one another.
    Confer,
    /// Let go whom I consult.
    ConsultEnd,
    /// Ring my phone, and let me hear this agent's talk, and be heard like this; or be heard otherwise from here on. For
    /// supervisors, signed in at the floor or not.
    Monitor {
        agent: AgentId,
        how: Monitoring,
    },
    MonitorEnd,
}

/// Why a desk command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("no such agent at this site")]
    UnknownAgent,
    #[error("sign in first")]
    SignedOut,
    #[error("the agent's phone is not registered")]
    PhoneNotRegistered,
    #[error("not possible in this state")]
    WrongState,
    #[error("there is no call")]
    NoCall,
    #[error("the dial plan forbids this number")]
    Forbidden,
}

/// The floor at one moment; a class C picture, rebuilt at will.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    pub queues: Vec<QueueLine>,
    pub agents: Vec<AgentLine>,
    /// Whether a call for help can go out.
    pub help: Help,
    /// Emergency calls of the last hour, the youngest first.
    pub emergencies: Vec<EmergencyLine>,
    /// What else needs a look, of the last day, the youngest first.
    pub notices: Vec<NoticeLine>,
}

/// Something a supervisor must see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeLine {
    pub notice: NoticeId,
    pub what: What,
    /// The label of a place.
    pub place: Option<String>,
    /// The label of a trunk.
    pub trunk: Option<String>,
    pub at: Millis,
    pub ago: Duration,
    /// Who said that they have seen it.
    pub seen: Vec<AgentId>,
}

/// Somebody at this phone has called for help. For supervisors: who meets the helpers at the door must know where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyLine {
    /// None: a device that proved nothing.
    pub phone: Option<Extension>,
    pub label: String,
    /// The label of the phone's place, or the house's; None when nobody said where it stands.
    pub place: Option<String>,
    pub floor: String,
    pub room: String,
    pub at: Millis,
    pub ago: Duration,
    pub notice: NoticeId,
    /// Who said that they have seen it.
    pub seen: Vec<AgentId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueLine {
    pub queue: QueueId,
    pub label: String,
    pub waiting: u32,
    pub longest_wait: Duration,
    /// How long somebody would wait who came now, and the standard deviation of that; None while too little is known.
    pub expected_wait: Option<(Duration, Duration)>,
    pub ready: u32,
    pub talking: u32,
    /// Since the local midnight (or the start of the process, if later).
    pub offered_today: u32,
    pub answered_today: u32,
    pub abandoned_today: u32,
    /// Service level variant 2 of NORMS 4 in tenths of a percent; None while nothing counts.
    pub service_level_permille: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentLine {
    pub agent: AgentId,
    pub badge: String,
    pub state: AgentState,
    /// How long in this state.
    pub since: Duration,
    pub phone: Option<Extension>,
    pub phone_registered: bool,
    /// The contact the agent is offered, talks to, or wraps up.
    pub contact: Option<ContactCard>,
    /// Supervisors on the agent's talk. For supervisors.
    pub monitors: Vec<MonitorLine>,
}

/// A supervisor on somebody's talk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorLine {
    pub by: AgentId,
    pub how: Monitoring,
    /// False: the supervisor's phone rings.
    pub there: bool,
}

/// Whom the agent consults, or has joined to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThirdLine {
    /// None: a phone that is no agent's.
    pub agent: Option<AgentId>,
    pub stage: Stage,
}

/// Personal data: shown to this agent and to supervisors of the queue, never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactCard {
    pub contact: ContactId,
    pub queue: Option<QueueId>,
    pub caller_number: String,
    pub caller_name: Option<String>,
    pub waited: Duration,
    pub held: bool,
    /// A card is being keyed in.
    pub card_mode: bool,
    pub third: Option<ThirdLine>,
    /// The agent's browser has vanished in mid-call, and the caller waits for it.
    pub away: bool,
    /// Wrap-up: time left.
    pub wrap_up_left: Option<Duration>,
    /// The contact came from another site's queue.
    pub from_site: Option<model::SiteId>,
}

impl std::fmt::Debug for ContactCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactCard").field("contact", &self.contact).finish_non_exhaustive()
    }
}
