//! What can go wrong with the ledger, and whose fault it is: the world's (disk), the key's, a peer's or ours.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// What the world refused. A writer keeps what it was given and tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    DiskFull,
    /// The other process held the file too long.
    Busy,
    InputOutput,
    ReadOnly,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not durable yet. `kept` says whether the writer still holds the batch and goes on trying.
    #[error("the disk refused: {cause:?}, kept in memory: {kept}")]
    World { cause: World, kept: bool },
    /// The file is not a sound database. It can be set aside (`set_aside`), then a fresh one is begun.
    #[error("the ledger at {} is damaged: {found}", path.display())]
    Damaged { path: PathBuf, found: String },
    #[error("the ledger has schema {found}, this program knows up to {known}")]
    Newer { found: i64, known: i64 },
    /// More is waiting than the writer may hold: nothing of this batch was taken.
    #[error("more than {max} are waiting to be written")]
    Full { max: usize },
    #[error("a batch of {len} {what} exceeds {max}")]
    TooLarge { what: &'static str, len: usize, max: usize },
    /// The writer was closed before it could write this.
    #[error("the ledger is closed")]
    Closed,
    #[error("a sealed value does not open with this key")]
    Sealed,
    #[error("a stored {what} cannot be read")]
    Unreadable { what: &'static str },
    /// The contact's personal data is gone, and none is kept of it any more.
    #[error("what was known of this contact is erased")]
    Erased,
    /// Somebody has written in between; this is what stands.
    #[error("the note is at version {version}")]
    NoteChanged { version: u64 },
    /// The same of a ticket.
    #[error("the ticket is at version {version}")]
    TicketChanged { version: u64 },
    /// The cloud acknowledged what this box never wrote: the outbox must begin a new epoch.
    #[error("acknowledged up to {acked}, written up to {last}")]
    AheadOfOutbox { acked: u64, last: u64 },
    #[error("another epoch than the current one")]
    Epoch,
    #[error("the egress chain is broken at line {index}")]
    EgressBroken { index: u64 },
    /// A statement of ours is wrong, or its values are.
    #[error("the database refused: {0}")]
    Refused(String),
}

impl Error {
    /// Does it make sense to try the same again?
    pub fn is_world(&self) -> bool {
        matches!(self, Error::World { .. })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        let world = |cause| Error::World { cause, kept: false };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => world(World::DiskFull),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => world(World::Busy),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory) => {
                world(World::InputOutput)
            }
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => world(World::ReadOnly),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Error::Damaged { path: PathBuf::new(), found: error.to_string() }
            }
            _ => Error::Refused(error.to_string()),
        }
    }
}
