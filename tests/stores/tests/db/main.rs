//! The store's own tests (`cloud/db/tests/it`) on PostgreSQL, and what a server can do that a file cannot.

#[path = "../../../../cloud/db/tests/it/completeness.rs"]
mod completeness;
#[path = "../../../../cloud/db/tests/it/drills.rs"]
mod drills;
#[path = "../../../../cloud/db/tests/it/ingest.rs"]
mod ingest;
#[path = "../../../../cloud/db/tests/it/nouns.rs"]
mod nouns;
#[path = "../../../../cloud/db/tests/it/rollouts.rs"]
mod rollouts;
mod server;
#[path = "../../../../cloud/db/tests/it/support.rs"]
mod support;

pub use stores::unguard;
pub use support::*;

pub fn store(_: &std::path::Path) -> db::Db {
    stores::store()
}
