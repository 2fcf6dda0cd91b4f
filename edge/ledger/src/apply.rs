//! Writing one batch, statement by statement, inside the caller's transaction.

use aws_lc_rs::digest::{SHA256, digest};
use model::{
    ContactId, QueueId,
    change::Doc,
    fact::{Fact, Kind},
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    batch::{Batch, Binding, BindingChange, Committed, Credential, CredentialChange, CredentialKind, Span},
    chat, egress,
    error::Error,
    key::BranchKey,
    life, lives, messages, notes,
    outbox::{integer, unsigned},
    testimony, tickets,
};

/// The kind of an outbox row whose body is a `model::leaving::Leaving` in CBOR.
const KIND_LEAVING: u16 = 1;
/// Name in `meta`.
pub(crate) const GATE: &str = "gate";
/// Name in `meta` of how often credentials have changed.
pub(crate) const CREDENTIALS: &str = "credentials";

pub(crate) fn apply(db: &Connection, key: &BranchKey, batch: &Batch) -> Result<Committed, Error> {
    let life = life::current(db)?.ok_or(Error::Unreadable { what: "epoch" })?;
    let facts = facts(db, life.facts, &batch.facts)?;
    cdrs(db, batch)?;
    for (contact, person) in &batch.personal {
        person.write(db, key, &contact_bytes(*contact))?;
    }
    batch.notes.iter().try_for_each(|edit| notes::write(db, key, edit))?;
    batch.tickets.iter().try_for_each(|write| tickets::write(db, key, write))?;
    batch.chat.iter().try_for_each(|write| chat::write(db, key, write))?;
    batch.chat_read.iter().try_for_each(|read| chat::read_up_to(db, read))?;
    batch.ticket_terms.iter().try_for_each(|terms| tickets::put_terms(db, terms))?;
    let outbox = outbox(db, life.outbox, batch)?;
    let items = batch.outbox.iter().map(gate::Passed::item).chain(&batch.egress);
    let egress = egress::append(db, items)?;
    testimony::hear(db, &batch.testimonies)?;
    if let Some(state) = &batch.gate {
        db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
            .execute(params![GATE, state.encode()])?;
    }
    let config = batch.config.iter().map(|(doc, bytes)| config_change(db, *doc, bytes)).collect::<Result<_, _>>()?;
    for (doc, peer, bytes) in &batch.sync_state {
        db.prepare_cached("INSERT OR REPLACE INTO sync_state (doc, peer, bytes) VALUES (?1, ?2, ?3)")?
            .execute(params![doc_code(*doc), peer, bytes])?;
    }
    batch.bindings.iter().try_for_each(|change| binding(db, change))?;
    batch.credentials.iter().try_for_each(|change| credential(db, key, change))?;
    if !batch.credentials.is_empty() {
        let next = counted(db, CREDENTIALS)?.saturating_add(1);
        db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
            .execute(params![CREDENTIALS, next.to_be_bytes()])?;
    }
    intervals(db, batch)?;
    batch.lives.iter().try_for_each(|life| lives::put(db, *life))?;
    erase(db, &batch.erase)?;
    Ok(Committed { epoch: life.epoch, facts, outbox, egress, config })
}

fn facts(db: &Connection, last: u64, facts: &[Fact]) -> Result<Option<Span>, Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO facts (epoch, seq, at, contact, json) VALUES ((SELECT max(no) FROM epochs), ?1, ?2, ?3, ?4)",
    )?;
    let mut seq = last;
    for fact in facts {
        seq = seq.saturating_add(1);
        let contact = fact.contact.map(contact_bytes);
        let json = json(&Fact { seq, ..fact.clone() })?;
        insert.execute(params![integer(seq)?, fact.at.0, contact, json])?;
        track(db, fact)?;
        messages::track(db, fact)?;
    }
    span(db, "facts", last, seq)
}

/// Which contacts are still going on: what a restarted process must end.
fn track(db: &Connection, fact: &Fact) -> Result<(), Error> {
    let Some(contact) = fact.contact.map(contact_bytes) else { return Ok(()) };
    match &fact.kind {
        Kind::Arrived { .. } | Kind::Dialled { .. } => db
            .prepare_cached("INSERT OR IGNORE INTO open_contacts (contact, since) VALUES (?1, ?2)")?
            .execute(params![contact, fact.at.0])?,
        Kind::Ended { .. } => db.prepare_cached("DELETE FROM open_contacts WHERE contact = ?1")?.execute([contact])?,
        _ => 0,
    };
    Ok(())
}

fn cdrs(db: &Connection, batch: &Batch) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO cdr (contact, ended, queue, json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (contact) DO UPDATE SET ended = excluded.ended, queue = excluded.queue, json = excluded.json",
    )?;
    for cdr in &batch.cdrs {
        let queue = cdr.queue.as_ref().map(QueueId::as_str);
        insert.execute(params![contact_bytes(cdr.contact), cdr.ended.0, queue, json(cdr)?])?;
    }
    Ok(())
}

fn outbox(db: &Connection, last: u64, batch: &Batch) -> Result<Option<Span>, Error> {
    let mut insert = db.prepare_cached("INSERT INTO outbox (seq, kind, body) VALUES (?1, ?2, ?3)")?;
    let mut seq = last;
    for passed in &batch.outbox {
        seq = seq.saturating_add(1);
        insert.execute(params![integer(seq)?, KIND_LEAVING, passed.body()])?;
    }
    span(db, "outbox", last, seq)
}

/// Writes down how far a counter of the current epoch has come.
fn span(db: &Connection, counter: &str, before: u64, after: u64) -> Result<Option<Span>, Error> {
    if after == before {
        return Ok(None);
    }
    let sql = match counter {
        "facts" => "UPDATE epochs SET facts = ?1 WHERE no = (SELECT max(no) FROM epochs)",
        _ => "UPDATE epochs SET outbox = ?1 WHERE no = (SELECT max(no) FROM epochs)",
    };
    db.prepare_cached(sql)?.execute([integer(after)?])?;
    Ok(Some(Span { first: before.saturating_add(1), last: after }))
}

fn config_change(db: &Connection, doc: Doc, bytes: &[u8]) -> Result<Option<u64>, Error> {
    let hash = digest(&SHA256, bytes);
    let inserted = db
        .prepare_cached(
            "INSERT OR IGNORE INTO config_changes (doc, seq, hash, bytes, at)
             VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM config_changes WHERE doc = ?1), ?2, ?3,
                     CAST(unixepoch('subsec') * 1000 AS INTEGER))
             RETURNING seq",
        )?
        .query_map(params![doc_code(doc), hash.as_ref(), bytes], |row| row.get::<_, i64>(0))?
        .next()
        .transpose()?;
    Ok(inserted.map(unsigned))
}

fn binding(db: &Connection, change: &BindingChange) -> Result<(), Error> {
    match change {
        BindingChange::Put(Binding { user, contact, expires, data }) => db
            .prepare_cached("INSERT OR REPLACE INTO bindings (user, contact, expires, data) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![user, contact, expires.0, data])?,
        BindingChange::Remove { user, contact } => {
            db.prepare_cached("DELETE FROM bindings WHERE user = ?1 AND contact = ?2")?.execute([user, contact])?
        }
    };
    Ok(())
}

fn credential(db: &Connection, key: &BranchKey, change: &CredentialChange) -> Result<(), Error> {
    match change {
        CredentialChange::Put(Credential { kind, secret }) => {
            let place = Place::of(kind);
            let sealed = key.seal(&place.context(), secret.reveal().as_bytes())?;
            db.prepare_cached(
                "INSERT OR REPLACE INTO credentials (kind, name, realm, algorithm, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![place.kind, place.name, place.realm, place.algorithm, sealed])?
        }
        CredentialChange::Remove(kind) => {
            let place = Place::of(kind);
            db.prepare_cached(
                "DELETE FROM credentials WHERE kind = ?1 AND name = ?2 AND realm = ?3 AND algorithm = ?4",
            )?
            .execute(params![place.kind, place.name, place.realm, place.algorithm])?
        }
    };
    Ok(())
}

/// A counter in `meta`; 0 when it was never counted.
pub(crate) fn counted(db: &Connection, name: &str) -> Result<u64, Error> {
    let value: Option<[u8; 8]> =
        db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?;
    Ok(value.map_or(0, u64::from_be_bytes))
}

pub(crate) const ENROLMENT: u8 = 4;

/// A credential's key in the table.
pub(crate) struct Place<'a> {
    pub kind: u8,
    pub name: &'a str,
    pub realm: &'a str,
    pub algorithm: &'a str,
}

impl Place<'_> {
    pub(crate) fn of(kind: &CredentialKind) -> Place<'_> {
        match kind {
            CredentialKind::Phone { phone, realm, algorithm } => {
                Place { kind: 1, name: phone.as_str(), realm, algorithm }
            }
            CredentialKind::Desk { agent } => Place { kind: 2, name: agent.as_str(), realm: "", algorithm: "" },
            CredentialKind::Trunk { trunk } => Place { kind: 3, name: trunk.as_str(), realm: "", algorithm: "" },
            CredentialKind::Enrolment { phone } => {
                Place { kind: ENROLMENT, name: phone.as_str(), realm: "", algorithm: "" }
            }
        }
    }

    /// Bound into the seal, so that no row can stand in for another.
    pub(crate) fn context(&self) -> Vec<u8> {
        format!("credential\0{}\0{}\0{}\0{}", self.kind, self.name, self.realm, self.algorithm).into_bytes()
    }
}

fn intervals(db: &Connection, batch: &Batch) -> Result<(), Error> {
    let mut insert = db.prepare_cached(
        "INSERT INTO intervals (start, queue, revision, json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (start, queue) DO UPDATE SET revision = excluded.revision, json = excluded.json
         WHERE excluded.revision > intervals.revision",
    )?;
    for interval in &batch.intervals {
        let queue = interval.queue.as_ref().map_or("", QueueId::as_str);
        insert.execute(params![interval.start.0, queue, interval.revision, json(interval)?])?;
    }
    Ok(())
}

fn erase(db: &Connection, contacts: &[ContactId]) -> Result<(), Error> {
    if contacts.is_empty() {
        return Ok(());
    }
    // Freed cells are overwritten with zeros, so that the wrapped key is not left in the file.
    db.pragma_update(None, "secure_delete", true)?;
    for contact in contacts {
        for sql in [
            "INSERT OR IGNORE INTO erased (contact) VALUES (?1)",
            "DELETE FROM personal_keys WHERE contact = ?1",
            "DELETE FROM personal WHERE contact = ?1",
            "DELETE FROM notes WHERE contact = ?1",
            "DELETE FROM customers WHERE contact = ?1",
        ] {
            db.prepare_cached(sql)?.execute([contact_bytes(*contact)])?;
        }
        tickets::erase(db, &contact_bytes(*contact))?;
    }
    db.pragma_update(None, "secure_delete", false)?;
    Ok(())
}

/// After an erasure: older pages in the write-ahead log still hold the key until the log is emptied.
pub(crate) fn scrub(db: &Connection) {
    let emptied = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    if !matches!(emptied, Ok(0)) {
        tracing::warn!("the write-ahead log could not be emptied after an erasure; it will be at the next checkpoint");
    }
}

pub(crate) fn contact_bytes(contact: ContactId) -> [u8; 16] {
    contact.0.to_be_bytes()
}

pub(crate) fn doc_code(doc: Doc) -> u8 {
    match doc {
        Doc::Org => 1,
        Doc::Site => 2,
        Doc::Local => 3,
    }
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Refused(error.to_string()))
}
