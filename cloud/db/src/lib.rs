//! What the cloud remembers, in one SQLite file or in PostgreSQL: migrations, and one module of queries for each noun.
//!
//! Every write goes through one thread that commits waiting writes together ([`Db::write`]) and answers when they are
//! on the disk. The functions of the noun modules take a connection and the time; they hold no clock and no policy.
//! Who may do what, and what is decoded from a wire, is left to `cloudd`.

pub mod asked;
pub mod audit;
pub mod boxes;
pub mod bundle;
pub mod change;
pub mod correction;
pub mod coverage;
mod decode;
pub mod drill;
pub mod egress;
pub mod enrolment;
pub mod health;
pub mod ingest;
pub mod interval;
pub mod lease;
mod migrate;
pub mod notice;
pub mod org;
pub mod presence;
pub mod rollout;
pub mod running;
pub mod session;
pub mod site;
mod sql;
mod store;
pub mod sync_state;
pub mod tag;
pub mod template;
pub mod token;
pub mod touched;
pub mod trend;
pub mod user;
mod writer;

pub use sql::{Connection, Row, Value, postgres::Server};
pub use store::{Db, READERS_MAX};
pub use writer::{Counts, GROUP_MAX, WAITING_MAX};

/// What can go wrong with the store itself. Refusals of a request (a code already used, a gap in an outbox) are
/// values of the noun that refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("database: {}", crate::sql::postgres::explain(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// The settings' fault.
    #[error("database: {0}")]
    Address(String),
    /// The whole group was undone: nothing of it is on the disk.
    #[error("the commit failed: {0}")]
    Commit(String),
    /// After a failed commit nothing more is written; the process starts again from the disk.
    #[error("writing has stopped after a failed commit")]
    Stopped,
    #[error("a write panicked and was undone")]
    Panicked,
    #[error("the file was written by a later version (schema {found}, this program knows {known})")]
    Newer { found: i64, known: i64 },
    #[error("{what} is longer than {max} bytes")]
    TooLong { what: &'static str, max: usize },
    #[error("{what} in the database cannot be read back: {why}")]
    Corrupt { what: &'static str, why: String },
}

impl Error {
    pub(crate) fn corrupt(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, why: why.to_string() }
    }
}

pub type Result<T> = std::result::Result<T, Error>;
