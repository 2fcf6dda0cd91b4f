//! The branch's browser desk: sign-in, the agents' live connection, today's contacts and their recordings, and the
//! settings a branch may change by itself. HTTP and WebSocket of the box, and the pages it serves.
//!
//! The crate decides who may see and ask what. What happens on the floor, what the box remembers and who its staff
//! are, its telephones, what left the box, and the lines that a page's own telephone speaks on, is behind nine small traits
//! ([`Floor`], [`Records`], [`Credentials`], [`Phones`], [`Egress`], [`Reports`], [`Tickets`], [`Chat`], [`Softphones`]) that the daemon gives.
//!
//! ```no_run
//! # async fn run(floor: std::sync::Arc<dyn desk::Floor>, records: std::sync::Arc<dyn desk::Records>,
//! #     credentials: std::sync::Arc<dyn desk::Credentials>,
//! #     phones: std::sync::Arc<dyn desk::Phones>, egress: std::sync::Arc<dyn desk::Egress>,
//! #     reports: std::sync::Arc<dyn desk::Reports>, tickets: std::sync::Arc<dyn desk::Tickets>,
//! #     chat: std::sync::Arc<dyn desk::Chat>,
//! #     softphones: std::sync::Arc<dyn desk::Softphones>) -> std::io::Result<()> {
//! let options = desk::Options::new(vec!["http://10.1.0.5:8080".into()]);
//! let parts = desk::Parts { floor, records, credentials, phones, egress, reports, tickets, chat, softphones };
//! let desk = desk::Desk::new(parts, options);
//! let listener = tokio::net::TcpListener::bind("10.1.0.5:8080").await?;
//! let service = desk::router(desk).into_make_service_with_connect_info::<std::net::SocketAddr>();
//! axum::serve(listener, service).await
//! # }
//! ```

pub mod api;
mod door;
mod fault;
mod password;
mod places;
mod ports;
mod report_file;
mod routes;
mod session;
mod socket;
mod softphone;
mod throttle;
mod view;

use std::sync::Arc;

pub use fault::Fault;
pub use password::{Error as PasswordError, Staff, StaffMember, hash as hash_password};
pub use places::{REPORTS_MAX, ReportPlace};
pub use ports::{
    Account, BoardAt, Caller, ChangeRefused, Chat, ChatReader, ChatRefused, CommandError, ContactPage, ContactRow,
    Credentials, Device, Earlier, Effective, Egress, EgressLine, EgressPage, EgressSums, Enrolled, Floor, Future,
    Known, LendError, MessageRow, Note, NoteRefused, NoteWritten, PhoneError, PhoneIs, Phones, Progress, Records,
    Registered, ReportError, Reports, Role, SipLine, Softphones, TicketActed, TicketContact, TicketLine, TicketList,
    TicketNews, TicketOpened, TicketReader, TicketRefused, TicketRow, TicketShown, Tickets, TicketsWanted, Unavailable,
    Waveform, Witnessed,
};
pub use routes::router;

/// Live connections at once, over all desks.
pub const SOCKETS_MAX: usize = 1_000;

/// What a daemon sets for its desk.
#[derive(Debug, Clone)]
pub struct Options {
    /// Pages from these origins may open the live connection and write, `https://desk.branch.example`. The pages'
    /// own address must be among them (S-110).
    pub origins: Vec<String>,
    /// The desk is reached over TLS: the cookie is sent over nothing else.
    pub secure_cookie: bool,
}

impl Options {
    /// Plain HTTP for these origins.
    pub fn new(origins: Vec<String>) -> Self {
        Self { origins, secure_cookie: false }
    }
}

/// The rest of the box, as the desk sees it.
#[derive(Clone)]
pub struct Parts {
    pub floor: Arc<dyn Floor>,
    pub records: Arc<dyn Records>,
    pub credentials: Arc<dyn Credentials>,
    pub phones: Arc<dyn Phones>,
    pub egress: Arc<dyn Egress>,
    pub reports: Arc<dyn Reports>,
    pub tickets: Arc<dyn Tickets>,
    pub chat: Arc<dyn Chat>,
    pub softphones: Arc<dyn Softphones>,
}

/// The desk of one box. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub(crate) floor: Arc<dyn Floor>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) phones: Arc<dyn Phones>,
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) reports: Arc<dyn Reports>,
    pub(crate) tickets: Arc<dyn Tickets>,
    pub(crate) chat: Arc<dyn Chat>,
    pub(crate) softphones: Arc<dyn Softphones>,
    pub(crate) options: Arc<Options>,
    pub(crate) sessions: Arc<session::Sessions>,
    pub(crate) loans: Arc<softphone::Loans>,
    pub(crate) throttle: Arc<std::sync::Mutex<throttle::Throttle>>,
    pub(crate) sockets: Arc<tokio::sync::Semaphore>,
    pub(crate) reporting: Arc<places::Places>,
}

impl Desk {
    pub fn new(parts: Parts, options: Options) -> Self {
        let Parts { floor, records, credentials, phones, egress, reports, tickets, chat, softphones } = parts;
        Self {
            floor,
            records,
            credentials,
            phones,
            egress,
            reports,
            tickets,
            chat,
            softphones,
            options: Arc::new(options),
            sessions: Arc::default(),
            loans: Arc::default(),
            throttle: Arc::default(),
            sockets: Arc::new(tokio::sync::Semaphore::new(SOCKETS_MAX)),
            reporting: Arc::default(),
        }
    }

    /// Reports that are being made.
    pub fn reports_running(&self) -> usize {
        self.reporting.taken()
    }

    /// Ends every session of this person, live connections included: their password or role changed.
    pub fn end_sessions_of(&self, agent: &model::AgentId) {
        self.sessions.end_all_of(agent);
    }
}
