//! The floor as a page shows it.

use std::collections::BTreeMap;

use model::{
    AgentId, ContactId, DispositionId, Extension, Millis, NoticeId, PauseId, QueueId, SiteId,
    alert::Alert,
    fact::{AgentState, Monitoring, Pause, RecordingMissing},
    leaving::What,
    recording::Consent,
};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    pub queues: Vec<QueueLine>,
    /// No queue of the site takes new contacts.
    pub closed: bool,
    /// The site's reasons for being not ready, as people read them.
    pub pauses: BTreeMap<PauseId, String>,
    pub agents: Vec<AgentLine>,
    /// Whether a call for help can go out: `ready`, `lines_down`, `no_line`, `no_number`.
    pub help: &'static str,
    /// For supervisors; the longest promised first.
    pub callbacks: Vec<CallbackLine>,
    /// For supervisors; the youngest first.
    pub emergencies: Vec<EmergencyLine>,
    /// For supervisors; the youngest first.
    pub notices: Vec<NoticeLine>,
    /// What is beyond its threshold, the longest first; of calls for supervisors alone.
    pub alerts: Vec<AlertLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertLine {
    pub queue: Option<QueueId>,
    pub label: Option<String>,
    pub alert: Alert,
    /// Seconds, contacts, tenths of a percent, or R: as the alert says.
    pub value: u32,
    /// Whose call sounds badly.
    pub agent: Option<AgentId>,
    pub contact: Option<ContactId>,
    pub since_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeLine {
    pub notice: NoticeId,
    pub what: What,
    pub place: Option<String>,
    /// The label of a trunk.
    pub trunk: Option<String>,
    pub at: Millis,
    pub ago_ms: u64,
    pub seen: Vec<AgentId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallbackLine {
    pub contact: ContactId,
    pub queue: QueueId,
    /// As one dials it here.
    pub number: String,
    pub name: Option<String>,
    pub ago_ms: u64,
    pub attempts: u32,
    /// Not before so long; None: in the line, or being called.
    pub later_ms: Option<u64>,
    /// Who calls the customer.
    pub agent: Option<AgentId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmergencyLine {
    /// None: a device that proved nothing.
    pub phone: Option<Extension>,
    pub label: String,
    pub place: Option<String>,
    pub floor: String,
    pub room: String,
    pub at: Millis,
    pub ago_ms: u64,
    pub notice: NoticeId,
    pub seen: Vec<AgentId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueLine {
    pub queue: QueueId,
    pub label: String,
    /// `open`, `out_of_hours`, `closed`.
    pub intake: &'static str,
    /// By the queue's own switch.
    pub closed: bool,
    pub waiting: u32,
    /// Have hung up, keep their place, and are called back.
    pub callbacks: u32,
    pub messages: u32,
    pub longest_wait_ms: u64,
    /// How long somebody would wait who came now, and how far off that may be (its standard deviation). None while too
    /// little is known.
    pub expected_wait_ms: Option<u64>,
    pub expected_wait_error_ms: Option<u64>,
    pub ready: u32,
    pub talking: u32,
    pub offered_today: u32,
    pub answered_today: u32,
    pub abandoned_today: u32,
    /// In tenths of a percent.
    pub service_level_permille: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentLine {
    pub agent: AgentId,
    pub badge: String,
    pub state: AgentState,
    /// Why, when it is not ready: `{"code":"lunch"}`, `"missed"`, `"phone_away"`.
    pub pause: Option<Pause>,
    pub since_ms: u64,
    pub phone: Option<Extension>,
    pub phone_registered: bool,
    /// None where there is none, and where the reader may not see it.
    pub contact: Option<ContactCard>,
    /// For supervisors.
    pub monitors: Vec<MonitorLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonitorLine {
    pub by: AgentId,
    pub how: Monitoring,
    /// False: the supervisor's phone rings.
    pub there: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThirdLine {
    /// None: a phone that is no agent's.
    pub agent: Option<AgentId>,
    pub stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Rung,
    Apart,
    Joined,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactCard {
    pub contact: ContactId,
    pub queue: Option<QueueId>,
    pub caller_number: String,
    pub caller_name: Option<String>,
    pub waited_ms: u64,
    pub held: bool,
    pub card_mode: bool,
    /// Where a rule records the talk.
    pub recording: Option<RecordingLine>,
    /// The customer was promised a call back, and is called.
    pub callback: bool,
    pub third: Option<ThirdLine>,
    /// The agent's browser has vanished in mid-call, and the caller waits for it.
    pub away: bool,
    pub wrap_up_left_ms: Option<u64>,
    pub from_site: Option<SiteId>,
    /// What came of it, by this agent's word.
    pub disposition: Option<DispositionId>,
    /// The time to write up ends by hand only when there is one.
    pub disposition_required: bool,
}
