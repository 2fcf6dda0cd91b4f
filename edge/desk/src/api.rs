//! What travels between the desk's page and the box, as JSON. Plain data: who may see what is decided in `view`.
//!
//! Times are spans in milliseconds as of the message, never clock readings: a page counts on from when it got them.

mod board;
mod card;
mod chat;
mod report;
mod ticket;

use std::collections::BTreeMap;

pub use board::{
    AgentLine, AlertLine, Board, CallbackLine, ContactCard, EmergencyLine, MonitorLine, NoticeLine, QueueLine,
    RecordingLine, Stage, ThirdLine,
};
pub use card::{Card, Correct, Earlier, Known, NOTE_CHARS_MAX, Note, NoteKept, OwnNote, WriteNote};
pub use chat::{CHAT_CHARS_MAX, ChatMessage, ChatMessages, ChatRead, ChatRoom, ChatRooms, ChatSay};
use model::{
    AgentId, ContactId, DispositionId, Extension, Millis, NoticeId, PauseId, QueueId, RecordingId, SiteId,
    cdr::Cdr,
    change::{Change, Finding},
    config::{Config, Protection},
    drill::{self, Drill},
    fact::Monitoring,
    forward::Forward,
    leaving::Alone,
};
pub use report::{Report, ReportAsked, ReportColumn, ReportLine, ReportRow, ReportTime};
use serde::{Deserialize, Serialize};
pub use ticket::{
    ACTS_MAX, ActOnTicket, COMMENT_CHARS_MAX, OpenTicket, SUBJECT_CHARS_MAX, TicketAct, TicketAlarm, TicketContact,
    TicketLine, TicketMade, TicketNews, TicketRow, TicketShown, Tickets,
};

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
    NotReady {
        #[serde(default)]
        pause: Option<PauseId>,
    },
    WrapUpDone,
    WrapUpMore,
    Dispose {
        contact: ContactId,
        disposition: DispositionId,
    },
    Dial {
        number: String,
    },
    HangUp,
    Hold,
    Resume,
    CardMode,
    CardModeEnd,
    Consent {
        given: bool,
    },
    PauseRecording,
    ResumeRecording,
    Transfer {
        number: String,
    },
    Consult {
        number: String,
    },
    Confer,
    ConsultEnd,
    Monitor {
        agent: AgentId,
        how: Monitoring,
    },
    MonitorEnd,
    Seen {
        notice: NoticeId,
    },
    StrikeOff {
        contact: ContactId,
    },
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
    /// Something happened to a ticket that the reader may see.
    Ticket(TicketNews),
    /// Somebody wrote where the reader may read.
    Chat(ChatMessage),
    /// More was written than this page could take: it reads its rooms again.
    ChatMissed,
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
    /// One of the site's reasons must be named.
    PauseNeeded,
    /// What came of the contact must be named first.
    DispositionNeeded,
    /// The queue does not know this code.
    UnknownDisposition,
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

/// `GET /api/contacts?limit=&before=&disposition=`, newest first. `disposition` is a code, or `none_chosen`.
#[derive(Debug, Clone, Serialize)]
pub struct Contacts {
    pub contacts: Vec<Contact>,
    /// What the codes of their dispositions mean.
    pub dispositions: BTreeMap<DispositionId, String>,
    /// The reader may say anew what came of one for so long after its end; None: always.
    pub correct_within_ms: Option<u64>,
    /// There may be older ones: ask again with `before` = the last line's `ended`.
    pub more: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct Contact {
    #[serde(flatten)]
    pub cdr: Cdr,
    pub caller: Option<Caller>,
    pub notes: Vec<Note>,
}

/// `GET /api/messages`, and what `POST /api/messages/{recording}/done` came to: open ones first, the oldest of them first.
#[derive(Debug, Clone, Serialize)]
pub struct Messages {
    pub messages: Vec<Message>,
}

/// What a caller left. Its sound is at `/api/recordings/{recording}.wav`.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    pub contact: ContactId,
    pub queue: QueueId,
    pub at: Millis,
    pub recording: RecordingId,
    pub ms: Option<u64>,
    /// Who dealt with it, and when.
    pub done_by: Option<AgentId>,
    pub done_at: Option<Millis>,
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
    /// How long the box can run cut off.
    pub alone: Vec<Alone>,
}

/// `GET /api/drills`: the one that is ordered, and what came of those that ran, the latest first.
#[derive(Debug, Clone, Serialize)]
pub struct Drills {
    pub ordered: Option<Drill>,
    pub reports: Vec<Drilled>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Drilled {
    #[serde(flatten)]
    pub report: drill::Report,
    /// As the box judges it; the centre judges besides what it has received.
    pub outcome: drill::Outcome,
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
        let board = Board {
            queues: vec![],
            agents: vec![],
            help: "ready",
            closed: false,
            pauses: Default::default(),
            callbacks: vec![],
            emergencies: vec![],
            notices: vec![],
            alerts: vec![],
        };
        let text = r#"{"board":{"queues":[],"closed":false,"pauses":{},"agents":[],"help":"ready","callbacks":[],"emergencies":[],"notices":[],"alerts":[]}}"#;
        assert_eq!(write(Say::Board(board)), text);
        assert_eq!(write(Say::Config), r#""config""#);
    }
}
