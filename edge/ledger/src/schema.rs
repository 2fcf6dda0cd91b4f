//! The tables, and how an older file becomes the present one: one step per `user_version`.

use rusqlite::Connection;

use crate::error::Error;

/// Step n leads to `user_version` n + 1. A step that was released is never edited.
const STEPS: &[&str] = &[
    "
CREATE TABLE epochs (
    no      INTEGER PRIMARY KEY,
    epoch   BLOB NOT NULL UNIQUE,
    acked   INTEGER NOT NULL DEFAULT 0,
    facts   INTEGER NOT NULL DEFAULT 0,
    outbox  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE facts (
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    contact BLOB,
    json    TEXT NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX facts_by_contact ON facts (contact, epoch, seq) WHERE contact IS NOT NULL;
CREATE TABLE open_contacts (contact BLOB PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cdr (contact BLOB PRIMARY KEY, ended INTEGER NOT NULL, queue TEXT, json TEXT NOT NULL) STRICT;
CREATE INDEX cdr_by_end ON cdr (ended, contact);
CREATE TABLE personal (contact BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE personal_keys (contact BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE egress (
    line    INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    sha256  BLOB NOT NULL,
    prev    BLOB NOT NULL,
    hash    BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoints (
    first   INTEGER PRIMARY KEY,
    count   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    root    BLOB NOT NULL
) STRICT;
CREATE TABLE config_changes (
    doc     INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    hash    BLOB NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (doc, seq),
    UNIQUE (doc, hash)
) STRICT;
CREATE TABLE sync_state (
    doc     INTEGER NOT NULL,
    peer    TEXT NOT NULL,
    bytes   BLOB NOT NULL,
    PRIMARY KEY (doc, peer)
) STRICT;
CREATE TABLE bindings (
    user    TEXT NOT NULL,
    contact TEXT NOT NULL,
    expires INTEGER NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (user, contact)
) STRICT;
CREATE TABLE credentials (
    kind    INTEGER NOT NULL,
    name    TEXT NOT NULL,
    realm   TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (kind, name, realm, algorithm)
) STRICT;
CREATE TABLE intervals (
    start   INTEGER NOT NULL,
    queue   TEXT NOT NULL,
    revision INTEGER NOT NULL,
    json    TEXT NOT NULL,
    PRIMARY KEY (start, queue)
) STRICT;
",
    "
ALTER TABLE config_changes ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
",
    "
CREATE TABLE egress_bodies (line INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE INDEX egress_by_time ON egress (at);
CREATE TABLE testimonies (
    first     INTEGER NOT NULL,
    witness   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (witness, first)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE messages (
    recording BLOB PRIMARY KEY,
    contact   BLOB NOT NULL,
    at        INTEGER NOT NULL,
    queue     TEXT NOT NULL,
    ms        INTEGER,
    done      INTEGER,
    done_by   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_open ON messages (at) WHERE done IS NULL;
CREATE INDEX messages_done ON messages (done) WHERE done IS NOT NULL;
",
    "
CREATE TABLE notes (
    contact BLOB NOT NULL,
    agent   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (contact, agent)
) STRICT, WITHOUT ROWID;
CREATE TABLE customers (
    customer BLOB NOT NULL,
    contact  BLOB NOT NULL,
    PRIMARY KEY (customer, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX customers_by_contact ON customers (contact);
CREATE TABLE erased (contact BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE lives (began INTEGER PRIMARY KEY, seen INTEGER NOT NULL) STRICT;
CREATE INDEX facts_of_no_contact ON facts (at) WHERE contact IS NULL;
",
    // What came of a contact, as its record says it: `{"code":"sold"}`, `none_chosen`.
    "
CREATE INDEX cdr_by_disposition ON cdr (json_extract(json, '$.disposition'), ended, contact);
",
    "
CREATE TABLE tickets (
    ticket  BLOB PRIMARY KEY,
    number  INTEGER NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    active  INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    next    INTEGER,
    json    TEXT NOT NULL,
    subject BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_active ON tickets (changed) WHERE active = 1;
CREATE INDEX tickets_changed ON tickets (changed);
CREATE INDEX tickets_next ON tickets (next) WHERE next IS NOT NULL;
CREATE TABLE ticket_entries (
    ticket  BLOB NOT NULL,
    n       INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT,
    json    TEXT NOT NULL,
    sealed  BLOB,
    PRIMARY KEY (ticket, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE ticket_contacts (
    contact BLOB NOT NULL,
    ticket  BLOB NOT NULL,
    PRIMARY KEY (contact, ticket)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE chat (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    room   TEXT NOT NULL,
    sender TEXT NOT NULL,
    day    BLOB NOT NULL,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX chat_rooms ON chat (room, n);
CREATE INDEX chat_times ON chat (at, sender);
CREATE INDEX chat_days ON chat (day);
CREATE TABLE chat_read (
    agent TEXT NOT NULL,
    room  TEXT NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (agent, room)
) STRICT, WITHOUT ROWID;
",
];

/// Brings the file to the present schema, inside the caller's transaction.
pub(crate) fn migrate(db: &Connection) -> Result<(), Error> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        db.execute_batch(step)?;
    }
    db.pragma_update(None, "user_version", known)?;
    Ok(())
}
