//! The store as its users see it: nouns, the audit's chain, and ingest under crashes. `tests/stores` runs the same on
//! PostgreSQL.

mod completeness;
mod crash;
mod drills;
mod ingest;
mod nouns;
mod rollouts;
mod support;

use std::path::Path;

use db::{Connection, Db};

pub use support::*;

pub fn store(dir: &Path) -> Db {
    Db::open(&dir.join("cloud.db")).unwrap()
}

/// Takes away what keeps the audit from being changed: a thief who owns the store can.
pub fn unguard(conn: &Connection) {
    let triggers = "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_cut;";
    conn.file().unwrap().execute_batch(triggers).unwrap();
}
