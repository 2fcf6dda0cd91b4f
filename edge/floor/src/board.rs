//! What a desk shows and what it may ask. Durable before acknowledged: a desk command is answered when its facts are
//! stored, which is the shell's part.

use std::{collections::BTreeMap, time::Duration};

pub use call::Help;
use model::{
    AgentId, ContactId, DispositionId, Extension, Millis, NoticeId, PauseId, QueueId, RecordingId,
    alert::Alert,
    fact::{AgentState, Monitoring, Pause, RecordingMissing},
    leaving::What,
    recording::Consent,
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
    /// Where the site has reasons, one of them.
    NotReady {
        pause: Option<PauseId>,
    },
    /// End the wrap-up early.
    WrapUpDone,
    /// Give me my queue's time once more.
    WrapUpMore,
    /// What came of the contact that I talk to or write up.
    Dispose {
        contact: ContactId,
        disposition: DispositionId,
    },
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
    /// What the customer said of being recorded.
    Consent {
        given: bool,
    },
    /// Keep what is said from here on out of the recording.
    PauseRecording,
    ResumeRecording,
    /// I have seen this notice. For supervisors, signed in at the floor or not.
    Seen {
        notice: NoticeId,
    },
    /// Do not call this customer back. For supervisors, signed in at the floor or not.
    StrikeOff {
        contact: ContactId,
    },
    /// What this message asked for is done. For agents of its queue, and supervisors, signed in at the floor or not.
    MessageDone {
        recording: RecordingId,
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
    #[error("name one of the site's reasons")]
    PauseNeeded,
    #[error("this message is dealt with already")]
    NoMessage,
    #[error("name what came of the contact")]
    DispositionNeeded,
    #[error("no such disposition at this queue")]
    UnknownDisposition,
    #[error("the time in which this could be changed is over")]
    TooLate,
    #[error("the dial plan forbids this number")]
    Forbidden,
}

/// The floor at one moment; a class C picture, rebuilt at will.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    pub queues: Vec<QueueLine>,
    /// No queue of the site takes new contacts, by somebody's hand.
    pub closed: bool,
    /// Why agents may be not ready: the site's reasons, as people read them.
    pub pauses: BTreeMap<PauseId, String>,
    pub agents: Vec<AgentLine>,
    /// Whether a call for help can go out.
    pub help: Help,
    /// Who is called back, the longest promised first.
    pub callbacks: Vec<CallbackLine>,
    /// Emergency calls of the last hour, the youngest first.
    pub emergencies: Vec<EmergencyLine>,
    /// What else needs a look, of the last day, the youngest first.
    pub notices: Vec<NoticeLine>,
    /// What is beyond its threshold at this moment, the longest first.
    pub alerts: Vec<AlertLine>,
}

/// An alert that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertLine {
    /// None: a call of no queue.
    pub queue: Option<QueueId>,
    pub label: Option<String>,
    pub alert: Alert,
    /// As it is now, in the alert's own unit.
    pub value: u32,
    /// Who has the call that sounds badly.
    pub agent: Option<AgentId>,
    pub contact: Option<ContactId>,
    pub since: Duration,
}

/// Does a queue take new contacts?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    Open,
    OutOfHours,
    /// By somebody's hand: the queue's, or the whole site's.
    Closed,
}

impl Intake {
    pub fn word(self) -> &'static str {
        match self {
            Intake::Open => "open",
            Intake::OutOfHours => "out_of_hours",
            Intake::Closed => "closed",
        }
    }
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

/// A customer who was promised a call back. Personal data, for supervisors.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackLine {
    pub contact: ContactId,
    pub queue: QueueId,
    /// As one dials it here.
    pub number: String,
    pub name: Option<String>,
    /// Since the promise.
    pub ago: Duration,
    pub attempts: u32,
    pub is: CallbackIs,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackIs {
    /// In the line, at the place that was kept.
    Waits,
    /// Not before so long.
    Later { left: Duration },
    /// This agent calls the customer.
    Called { agent: AgentId },
}

impl std::fmt::Debug for CallbackLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackLine").field("contact", &self.contact).field("is", &self.is).finish_non_exhaustive()
    }
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
    pub intake: Intake,
    /// By the queue's own switch, whatever the site's says.
    pub closed: bool,
    pub waiting: u32,
    /// Have hung up, keep their place, and are called back.
    pub callbacks: u32,
    /// That callers have left, and nobody has dealt with.
    pub messages: u32,
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
    /// Why, when it is not ready.
    pub pause: Option<Pause>,
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

/// A talk that is recorded, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingLine {
    /// Why it is not recorded at this moment; None: it is.
    pub missing: Option<RecordingMissing>,
    /// By the agent.
    pub paused: bool,
    pub may_pause: bool,
    /// What the customer's word counts for, and what it was last.
    pub consent: Consent,
    pub said: Option<bool>,
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
    /// Where a rule records it.
    pub recording: Option<RecordingLine>,
    /// The customer was promised a call back, and is called.
    pub callback: bool,
    pub third: Option<ThirdLine>,
    /// The agent's browser has vanished in mid-call, and the caller waits for it.
    pub away: bool,
    /// Wrap-up: time left.
    pub wrap_up_left: Option<Duration>,
    /// The contact came from another site's queue.
    pub from_site: Option<model::SiteId>,
    /// What came of it, by this agent's word.
    pub disposition: Option<DispositionId>,
    /// The time to write up ends by hand only when there is one.
    pub disposition_required: bool,
}

impl std::fmt::Debug for ContactCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactCard").field("contact", &self.contact).finish_non_exhaustive()
    }
}
