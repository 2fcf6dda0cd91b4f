//! What travels between the desk's page and the box, as JSON. Plain data: who may see what is decided in `view`.
//!
//! Times are spans in milliseconds as of the message, never clock readings: a page counts on from when it got them.

use model::{
    AgentId, ContactId, Extension, Millis, NoticeId, QueueId, SiteId,
    cdr::Cdr,
    change::{Change, Finding},
    config::{Config, Protection},
    fact::{AgentState, Monitoring},
    forward::Forward,
    leaving::What,
};
use serde::{Deserialize, Serialize};

use crate::Role;

/// `POST /api/session`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    pub agent: String,
    pub password: String,
}

/// `GET /api/me`, the answer to a sign-in, and the first message of the live connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Me {
    pub agent: AgentId,
    /// None for somebody who has no place on the floor (a supervisor without a phone).
    pub badge: Option<String>,
    pub role: RoleName,
    pub site: SiteName,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteName {
    pub id: SiteId,
    pub label: String,
    pub time_zone: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    Agent,
    Supervisor,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Agent => Self::Agent,
            Role::Supervisor => Self::Supervisor,
        }
    }
}

/// `POST /api/phone`: a SIP account for this page, for as long as the session lasts or until another page asks.
/// Its messages go over the WebSocket `GET /api/phone/sip`, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Phone {
    pub extension: Extension,
    /// SIP user, for the address of record as for the digest.
    pub name: String,
    pub password: String,
    /// Host part of the address of record, and the realm.
    pub domain: String,
}

/// Page → box over the live connection: `{"id":7,"ask":"dial","number":"201"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Command {
    /// Chosen by the page; comes back in the answer.
    pub id: u64,
    #[serde(flatten)]
    pub ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Ask {
    SignIn,
    SignOut,
    Ready,
    NotReady,
    WrapUpDone,
    WrapUpMore,
    Dial { number: String },
    HangUp,
    Hold,
    Resume,
    CardMode,
    CardModeEnd,
    Transfer { number: String },
    Consult { number: String },
    Confer,
    ConsultEnd,
    Monitor { agent: AgentId, how: Monitoring },
    MonitorEnd,
    Seen { notice: NoticeId },
}

/// Box → page over the live connection: `{"board":{…}}`, `{"ack":{"id":7}}`, `{"refused":{"id":7,"code":"no_call"}}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Say {
    Me(Me),
    Board(Board),
    /// The facts of this command are stored.
    Ack {
        id: u64,
    },
    Refused {
        /// None when the message was not understood.
        id: Option<u64>,
        code: RefusedCode,
    },
    /// Another configuration runs: whoever shows settings reads them again.
    Config,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCode {
    UnknownAgent,
    SignedOut,
    PhoneNotRegistered,
    WrongState,
    NoCall,
    Forbidden,
    /// Not a number one could dial.
    BadNumber,
    /// The message was not understood.
    BadRequest,
    /// Too many commands at once from this desk.
    TooMany,
    /// The floor does not answer.
    Unavailable,
}

/// `GET` and `POST /api/forward`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnForward {
    pub phone: Extension,
    pub forward: Forward,
}

/// `GET /api/phones`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phones {
    pub phones: Vec<PhoneLine>,
}

/// A telephone of the house.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhoneLine {
    pub phone: Extension,
    pub label: String,
    /// Whose it is.
    pub badge: Option<String>,
    pub protection: Protection,
    pub forward: Forward,
    pub registered: Vec<RegisteredLine>,
    pub enrolled: Option<EnrolledLine>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisteredLine {
    pub transport: &'static str,
    /// What is said on the way cannot be read.
    pub private: bool,
    pub address: String,
    pub user_agent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrolledLine {
    pub make: String,
    pub mac: String,
    /// Until then it may fetch by its address alone; None when it may not.
    pub open_until: Option<Millis>,
    pub fetched: Option<Millis>,
    pub model: Option<String>,
    pub firmware: Option<String>,
}

/// `POST /api/phones/{phone}/enrol`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrol {
    pub mac: String,
    pub make: String,
    #[serde(default)]
    pub window_min: u16,
}

/// The URL to type into the phone; shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrolledAt {
    pub url: String,
}

/// `GET /api/help`: the board's word for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HelpIs {
    pub help: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Board {
    pub queues: Vec<QueueLine>,
    pub agents: Vec<AgentLine>,
    /// Whether a call for help can go out: `ready`, `lines_down`, `no_line`, `no_number`.
    pub help: &'static str,
    /// For supervisors; the youngest first.
    pub emergencies: Vec<EmergencyLine>,
    /// For supervisors; the youngest first.
    pub notices: Vec<NoticeLine>,
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
    pub waiting: u32,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactCard {
    pub contact: ContactId,
    pub queue: Option<QueueId>,
    pub caller_number: String,
    pub caller_name: Option<String>,
    pub waited_ms: u64,
    pub held: bool,
    pub card_mode: bool,
    pub third: Option<ThirdLine>,
    /// The agent's browser has vanished in mid-call, and the caller waits for it.
    pub away: bool,
    pub wrap_up_left_ms: Option<u64>,
    pub from_site: Option<SiteId>,
}

/// `GET /api/contacts?limit=&before=`, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct Contacts {
    pub contacts: Vec<Contact>,
    /// There may be older ones: ask again with `before` = the last line's `arrived`.
    pub more: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Contact {
    #[serde(flatten)]
    pub cdr: Cdr,
    pub caller: Option<Caller>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Caller {
    pub number: String,
    pub name: Option<String>,
}

/// `GET /api/config`, and what `POST /api/changes` came to.
#[derive(Debug, Clone, Serialize)]
pub struct Settings {
    pub config: Config,
    pub findings: Vec<Finding>,
}

/// `POST /api/changes`: edits of the branch's own document, all or none.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    pub changes: Vec<Change>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_documented_and_others_are_refused() {
        let read = |text: &str| serde_json::from_str::<Command>(text).ok();
        assert_eq!(read(r#"{"id":1,"ask":"ready"}"#), Some(Command { id: 1, ask: Ask::Ready }));
        let dial = Ask::Dial { number: "201".into() };
        assert_eq!(read(r#"{"id":7,"ask":"dial","number":"201"}"#), Some(Command { id: 7, ask: dial }));
        for bad in [r#"{"ask":"ready"}"#, r#"{"id":1,"ask":"listen"}"#, r#"{"id":-1,"ask":"ready"}"#, "[]", ""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn answers_are_written_as_documented() {
        let write = |say: Say| serde_json::to_string(&say).unwrap();
        assert_eq!(write(Say::Ack { id: 7 }), r#"{"ack":{"id":7}}"#);
        let refused = Say::Refused { id: None, code: RefusedCode::NoCall };
        assert_eq!(write(refused), r#"{"refused":{"id":null,"code":"no_call"}}"#);
        let board =
            Say::Board(Board { queues: vec![], agents: vec![], help: "ready", emergencies: vec![], notices: vec![] });
        assert_eq!(write(board), r#"{"board":{"queues":[],"agents":[],"help":"ready","emergencies":[],"notices":[]}}"#);
        assert_eq!(write(Say::Config), r#""config""#);
    }
}
