//! What the box remembers: facts, call records, personal data and notes under keys that can be destroyed, tickets, the outbox, the
//! egress chain, the configuration replica, registrations and credentials. One SQLite file, shared by the processes
//! of a box; what is acknowledged has reached the disk.
//!
//! It decides nothing about calls. Recordings lie beside it as files (`media`), the protocol of the outbox is `wire`.
//!
//! ```no_run
//! # fn main() -> Result<(), ledger::Error> {
//! use ledger::{Batch, BranchKey, Ledger, Options};
//! let ledger = Ledger::open("box.db".as_ref(), BranchKey::new([7; 32]), Options::default())?;
//! let writer = ledger.writer();
//! let committed = writer.submit(Batch::default()).wait()?;
//! let reader = ledger.reader()?;
//! let rows = reader.outbox_after(0, 256)?;
//! # let _ = (committed, rows); Ok(()) }
//! ```

mod apply;
mod batch;
mod chat;
mod customers;
mod drills;
mod egress;
mod error;
mod key;
mod life;
mod lives;
mod messages;
mod notes;
mod open;
mod outbox;
mod personal;
mod reader;
mod rekey;
mod schema;
mod testimony;
mod tickets;
mod writer;

pub use batch::{Batch, Binding, BindingChange, Committed, Credential, CredentialChange, CredentialKind, Span};
pub use chat::{
    CHAT_KEPT_DAYS, CHAT_MAX, CHAT_MINUTE_MAX, CHAT_TEXT_LEN_MAX, ChatMessage, ChatRead, ChatRoom, ChatWrite,
};
pub use error::{Error, World};
pub use key::{BranchKey, Secret};
pub use lives::{LIVES_MAX, Life};
pub use messages::Message;
pub use notes::{NOTE_LEN_MAX, Note, NoteEdit};
pub use open::{Ledger, Options, set_aside};
pub use outbox::{OutboxRow, Position};
pub use personal::Personal;
pub use reader::{ConfigChange, Reader};
pub use rekey::{Rekeyed, rekey};
pub use testimony::{Seen, Testimony, Witness};
pub use tickets::{KeptTicket, TICKET_TEXT_LEN_MAX, TICKETS_MAX, TicketEntry, TicketWrite, TicketsWanted};
pub use writer::{Pending, Pressure, Writer};
