//! What the desk needs from the rest of the box. The daemon implements these over its engines and its ledger; tests
//! implement them over memory.

mod chat;
mod known;
mod reports;
mod tickets;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use floor::{
    board::{Board, DeskCommand, Refused},
    correcting::Correction,
};
use model::{
    AgentId, ContactId, Extension, Millis, QueueId, RecordingId,
    cdr::Cdr,
    change::{Change, Finding},
    config::Config,
    drill::Drill,
    fact::Disposition,
    history::{Decision, Report},
    leaving::Alone,
};
use serde::Serialize;
use tokio::sync::{mpsc, watch};

pub use chat::{Chat, ChatReader, ChatRefused};
pub use known::{Earlier, Known, Note, NoteRefused, NoteWritten};
pub use reports::{Progress, ReportError, Reports};
pub use tickets::{
    TicketActed, TicketContact, TicketLine, TicketList, TicketNews, TicketOpened, TicketReader, TicketRefused,
    TicketRow, TicketShown, Tickets, TicketsWanted,
};

/// A boxed future, so that the traits can be used behind a pointer.
pub type Future<'a, T> = Pin<Box<dyn std::future::Future<Output = T> + Send + 'a>>;

/// The contact centre, as its desks see it.
pub trait Floor: Send + Sync + 'static {
    /// Resolves when the facts of the command are durable, or when it was refused.
    fn command(&self, command: DeskCommand) -> Future<'_, Result<(), CommandError>>;

    /// Says anew what came of a contact that is over; resolves when that is durable, or when it was refused.
    fn correct(&self, correction: Correction) -> Future<'_, Result<(), CommandError>>;

    /// The floor at one moment, and a wake-up whenever it changed. It need not be told because time passed.
    fn board(&self) -> watch::Receiver<Arc<BoardAt>>;

    /// The configuration that runs, and what the resolver said about it.
    fn effective(&self) -> watch::Receiver<Arc<Effective>>;

    /// Writes edits into the branch's own document, all or none, and resolves with what came of it once that is
    /// durable.
    fn change(&self, by: AgentId, changes: Vec<Change>) -> Future<'_, Result<Arc<Effective>, ChangeRefused>>;

    /// Takes one of several words that were written apart, as an edit of the branch's own document.
    fn decide(&self, by: AgentId, decision: Decision) -> Future<'_, Result<Arc<Effective>, ChangeRefused>>;
}

/// What the box remembers of its contacts.
pub trait Records: Send + Sync + 'static {
    /// The newest contacts first.
    fn contacts(&self, page: ContactPage) -> Future<'_, Result<Vec<ContactRow>, Unavailable>>;

    /// What is known of a contact and its customer. None: there is no such contact.
    fn known(&self, contact: ContactId) -> Future<'_, Result<Option<Known>, Unavailable>>;

    /// Keeps an agent's own note; resolves with its version once that is durable.
    fn write_note(&self, written: NoteWritten) -> Future<'_, Result<u64, NoteRefused>>;

    /// What became of the edits that centre and branch made apart.
    fn merge_report(&self) -> Future<'_, Result<Report, Unavailable>>;

    /// What callers have left: messages that nobody has dealt with, the oldest first; then some of the others, the latest
    /// first. `of` names the queues; None: all.
    fn messages(&self, of: Option<BTreeSet<QueueId>>) -> Future<'_, Result<Vec<MessageRow>, Unavailable>>;

    /// The message that this recording is; None: it is none.
    fn message_of(&self, recording: RecordingId) -> Future<'_, Result<Option<MessageRow>, Unavailable>>;

    /// The contact that this recording belongs to.
    fn contact_of(&self, recording: RecordingId) -> Future<'_, Result<Option<Cdr>, Unavailable>>;

    /// Somebody is about to listen: written to the audit before the first byte leaves.
    fn listened(&self, by: AgentId, recording: RecordingId) -> Future<'_, Result<(), Unavailable>>;

    /// The recording as a WAV file, rendered to memory. None when its frames are gone.
    fn recording_wav(&self, recording: RecordingId) -> Future<'_, Result<Option<Bytes>, Unavailable>>;

    /// How loud it is where, for its player, in so many stretches at most. None when its frames are gone.
    fn recording_waveform(
        &self,
        recording: RecordingId,
        count: usize,
    ) -> Future<'_, Result<Option<Waveform>, Unavailable>>;
}

/// A message that a caller left for a queue's agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    pub contact: ContactId,
    pub queue: QueueId,
    pub at: Millis,
    pub recording: RecordingId,
    /// None: not known.
    pub ms: Option<u64>,
    pub done: Option<(Millis, AgentId)>,
    /// None when withheld or erased.
    pub caller: Option<Caller>,
}

/// The loudest sample, 0 to 255, of each of equal stretches, for either side.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Waveform {
    /// Length of one stretch.
    pub ms: u32,
    pub caller: Vec<u8>,
    pub agent: Vec<u8>,
}

/// Who works here.
pub trait Credentials: Send + Sync + 'static {
    /// The role of this person, when the password is right. Takes as long for an unknown name as for a known one.
    fn verify(&self, agent: AgentId, password: String) -> Future<'_, Result<Option<Role>, Unavailable>>;
}

/// Telephones in the desks' own pages.
pub trait Softphones: Send + Sync + 'static {
    /// Lends an account of this agent's phone, good until it is taken back.
    fn lend(&self, agent: AgentId) -> Future<'_, Result<Account, LendError>>;

    /// Nobody proves anything by this name any more, and what it registered is gone.
    fn take_back(&self, name: &str);

    /// SIP for one page, which is at this address. None: there are too many.
    fn connect(&self, page: SocketAddr) -> Option<SipLine>;
}

/// The telephones of the house: where they are registered, and what they fetched.
pub trait Phones: Send + Sync + 'static {
    /// Of each extension that has registered or was enrolled.
    fn all(&self) -> Future<'_, Result<BTreeMap<Extension, PhoneIs>, Unavailable>>;

    /// Lets a device fetch this phone's configuration, in place of the one before it; the URL to type in.
    fn enrol(&self, by: AgentId, phone: Extension, device: Device) -> Future<'_, Result<String, PhoneError>>;

    /// Has the phone fetch again, and so have another password.
    fn rotate(&self, phone: Extension) -> Future<'_, Result<(), PhoneError>>;

    /// It may no longer fetch, nor register.
    fn dismiss(&self, by: AgentId, phone: Extension) -> Future<'_, Result<(), PhoneError>>;
}

/// What left the box for the cloud, and who has witnessed the list of it.
pub trait Egress: Send + Sync + 'static {
    /// From `from` until before `until`.
    fn sums(&self, from: Millis, until: Millis) -> Future<'_, Result<EgressSums, Unavailable>>;

    /// Newest first.
    fn lines(&self, page: EgressPage) -> Future<'_, Result<Vec<EgressLine>, Unavailable>>;

    /// The whole list with contents and signatures, piece by piece; a piece that never comes: it broke off.
    fn export(&self) -> Future<'_, Result<mpsc::Receiver<Bytes>, Unavailable>>;
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EgressSums {
    /// `metric`, `health`, …, with the number of lines and the bytes of their contents.
    pub classes: Vec<(&'static str, u64, u64)>,
    pub lines: u64,
    /// How far each has come; None: it has seen nothing.
    pub signed: Option<Witnessed>,
    pub cloud: Option<Witnessed>,
    pub customer: Option<Witnessed>,
    /// Whether the customer has named a witness of their own.
    pub has_customer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Witnessed {
    pub line: u64,
    pub at: Millis,
}

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressPage {
    pub from: Millis,
    pub until: Millis,
    /// Only those before this one.
    pub before: Option<u64>,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EgressLine {
    pub line: u64,
    pub at: Millis,
    pub class: &'static str,
    pub bytes: u64,
    pub sha256: String,
    /// What was said, word for word; None when it is no longer kept, or is sealed media.
    pub said: Option<serde_json::Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhoneIs {
    pub registered: Vec<Registered>,
    pub enrolled: Option<Enrolled>,
}

/// One way to reach a phone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registered {
    /// `udp`, `tcp`, `tls`, `ws`, `wss`.
    pub transport: &'static str,
    pub address: SocketAddr,
    pub user_agent: Option<String>,
}

/// A device that may fetch a phone's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    pub make: String,
    pub mac: String,
    /// Until then it may fetch by its address alone.
    pub open_until: Millis,
    /// Its last fetch: when, the model, the firmware.
    pub fetched: Option<(Millis, Option<String>, Option<String>)>,
}

/// What a device says of itself on its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub mac: String,
    pub make: String,
    /// For so many minutes it may fetch by its address alone.
    pub window_min: u16,
}

/// Why a phone was not enrolled, rotated or dismissed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("phones fetch nothing from this box: [provision] is not in box.toml")]
    NoProvisioning,
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Of RFC 7118, a message each. Either end closes by dropping its side.
pub struct SipLine {
    pub said: mpsc::Sender<Bytes>,
    pub heard: mpsc::Receiver<Bytes>,
}

/// A SIP account that was lent.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    pub extension: Extension,
    pub name: String,
    pub password: String,
    pub domain: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("extension", &self.extension).finish_non_exhaustive()
    }
}

/// Why no account was lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LendError {
    #[error("no phone is assigned to you")]
    NoPhone,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A board and when it was drawn: its spans of time go on from there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardAt {
    pub at: Instant,
    pub board: Board,
}

/// What a person may do at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees own contacts only.
    Agent,
    /// Sees all contacts of the site, hears their recordings, changes the branch's settings.
    Supervisor,
}

/// A configuration and the findings it came with.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    pub config: Config,
    pub findings: Vec<Finding>,
    /// How long the box can run cut off.
    pub alone: Vec<Alone>,
    /// The outage drill that is ordered.
    pub drill: Option<Drill>,
}

/// Why a command was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why an edit was not written. Nothing of its batch was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("change {index} refused ({code}): {message}")]
pub struct ChangeRefused {
    /// Which edit of the batch, from 0.
    pub index: usize,
    /// A stable word for programs: `not_yours`, `unknown`, `out_of_bounds`.
    pub code: String,
    pub message: String,
    pub fault: crate::Fault,
}

/// The part of the box behind the desk does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the box cannot do this at the moment")]
pub struct Unavailable;

/// Which contacts to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPage {
    /// Only those this person answered or placed; None for all.
    pub of: Option<AgentId>,
    /// Only those of which this is said.
    pub disposition: Option<Disposition>,
    /// Only those that ended before.
    pub before: Option<Millis>,
    pub limit: u32,
}

/// A contact and the personal data kept beside it.
#[derive(Clone, PartialEq)]
pub struct ContactRow {
    pub cdr: Cdr,
    /// None when it was never known, or is erased.
    pub caller: Option<Caller>,
    pub notes: Vec<Note>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    pub number: String,
    pub name: Option<String>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller(..)")
    }
}

impl std::fmt::Debug for ContactRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContactRow").field("contact", &self.cdr.contact).finish_non_exhaustive()
    }
}
