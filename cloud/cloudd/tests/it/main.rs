//! A whole console over real HTTP, on a port of its own, with a database in a folder of its own. `tests/stores` runs the same
//! on PostgreSQL.

mod access;
mod boxes;
mod browser;
mod command;
mod configuration;
mod drills;
mod events;
mod figures;
mod history;
mod machine;
mod notices;
mod openapi;
mod page;
mod people;
mod rollouts;
mod running;
mod session;
mod shelf;
mod single_sign_on;
mod support;
mod tokens;

/// The store of one console.
pub fn store(dir: &std::path::Path) -> db::Db {
    db::Db::open(&dir.join("cloud.db")).unwrap()
}

/// Takes away what keeps the audit from being changed: a thief who owns the store can.
pub fn unguard(conn: &db::Connection) {
    conn.execute("DROP TRIGGER audit_is_not_changed", &[]).unwrap();
}
