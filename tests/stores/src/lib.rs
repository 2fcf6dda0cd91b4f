//! The tests of the cloud's store and of its console, run once more on a real PostgreSQL, and what only several equal
//! processes on one database can show. The tests themselves stand with their crates; here is another store under them.

use std::{
    cell::OnceCell,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use db::{Connection, Db, Server};
use harness::postgres::Postgres;

static DATABASES: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Of the test that runs on this thread; it ends with the thread.
    static SERVER: OnceCell<Postgres> = const { OnceCell::new() };
}

/// A new database on a server of this test's own.
pub fn store() -> Db {
    let url = SERVER.with(|server| {
        let server = server.get_or_init(|| Postgres::start().unwrap_or_else(|error| panic!("{error:#}")));
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        server.database(&format!("cloud_{number}")).unwrap_or_else(|error| panic!("{error:#}"))
    });
    // Connecting blocks, and a test may stand in a runtime.
    let connected = thread::spawn(move || Db::connect(&address(&url))).join();
    connected.unwrap_or_else(|_| panic!("connecting panicked")).unwrap_or_else(|error| panic!("{error}"))
}

pub fn address(url: &str) -> Server {
    Server { url: url.to_owned(), password: None, ca: None }
}

/// Takes away what keeps the audit from being changed: a thief who owns the store can.
pub fn unguard(conn: &Connection) {
    conn.execute("DROP TRIGGER audit_is_not_changed ON audit", &[]).unwrap_or_else(|error| panic!("{error}"));
}
