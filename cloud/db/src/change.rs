//! The changes of the configuration documents, each stored once under its hash, in the order they were taken in, and
//! the heads they leave. What they mean is `config`'s; here they are bytes.

use std::collections::BTreeSet;

use model::{Millis, SiteId, change::Doc};
use rusqlite::{Connection, params};

use crate::{Error, Result};

/// Longest change, in bytes.
pub const CHANGE_LEN_MAX: usize = 4 << 20;

pub type Hash = [u8; 32];

/// One change as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub hash: Hash,
    /// What it directly builds on.
    pub deps: Vec<Hash>,
    pub bytes: Vec<u8>,
}

/// Which document.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    pub site: &'a SiteId,
    pub doc: Doc,
}

/// Who wrote, and what, for the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// A login of the console, or `box` and the box's id.
    pub author: String,
    /// What was edited, as JSON; empty when the author did not say.
    pub note: String,
    pub at: Millis,
}

/// One line of a document's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub seq: i64,
    pub signed: Signed,
}

pub(crate) fn name(doc: Doc) -> &'static str {
    match doc {
        Doc::Org => "org",
        Doc::Site => "site",
        Doc::Local => "local",
    }
}

/// Adds the changes that are not there yet and moves the heads; says how many were new. Each comes after those it
/// builds on.
pub fn add(conn: &Connection, of: Of<'_>, changes: &[Change], signed: &Signed) -> Result<usize> {
    let (site, doc) = (of.site.as_str(), name(of.doc));
    let mut last =
        conn.prepare_cached("SELECT coalesce(max(seq), 0) FROM config_change WHERE site = ?1 AND doc = ?2")?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO config_change (site, doc, seq, hash, deps, bytes, author, at, note)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (site, doc, hash) DO NOTHING",
    )?;
    let mut covered = conn.prepare_cached("DELETE FROM config_head WHERE site = ?1 AND doc = ?2 AND hash = ?3")?;
    let mut head = conn.prepare_cached("INSERT INTO config_head (site, doc, hash) VALUES (?1, ?2, ?3)")?;

    let mut seq: i64 = last.query_row(params![site, doc], |row| row.get(0))?;
    let mut added = 0;
    for change in changes {
        if change.bytes.len() > CHANGE_LEN_MAX {
            return Err(Error::TooLong { what: "a change", max: CHANGE_LEN_MAX });
        }
        let deps = change.deps.concat();
        let Signed { author, note, at } = signed;
        let row = params![site, doc, seq + 1, change.hash, deps, change.bytes, author, at.0, note];
        if insert.execute(row)? == 0 {
            continue;
        }
        seq += 1;
        added += 1;
        for dep in &change.deps {
            covered.execute(params![site, doc, dep])?;
        }
        head.execute(params![site, doc, change.hash])?;
    }
    Ok(added)
}

/// The changes after place `after`, in the order they were taken in, each with its place.
pub fn after(conn: &Connection, of: Of<'_>, after: i64) -> Result<Vec<(i64, Change)>> {
    let sql = "SELECT seq, hash, deps, bytes FROM config_change WHERE site = ?1 AND doc = ?2 AND seq > ?3 ORDER BY seq";
    let mut found = conn.prepare_cached(sql)?;
    let rows = found.query_map(params![of.site.as_str(), name(of.doc), after], |row| {
        let deps: Vec<u8> = row.get(2)?;
        let deps = deps.as_chunks::<32>().0.to_vec();
        Ok((row.get(0)?, Change { hash: row.get(1)?, deps, bytes: row.get(3)? }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The heads of a document, without its changes.
pub fn heads(conn: &Connection, of: Of<'_>) -> Result<BTreeSet<Hash>> {
    let sql = "SELECT hash FROM config_head WHERE site = ?1 AND doc = ?2";
    let mut found = conn.prepare_cached(sql)?;
    let rows = found.query_map(params![of.site.as_str(), name(of.doc)], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest `limit` entries, newest first.
pub fn history(conn: &Connection, of: Of<'_>, limit: u32) -> Result<Vec<Entry>> {
    let sql = "SELECT seq, author, note, at FROM config_change WHERE site = ?1 AND doc = ?2 ORDER BY seq DESC LIMIT ?3";
    let mut found = conn.prepare_cached(sql)?;
    let rows = found.query_map(params![of.site.as_str(), name(of.doc), limit], |row| {
        let signed = Signed { author: row.get(1)?, note: row.get(2)?, at: Millis(row.get(3)?) };
        Ok(Entry { seq: row.get(0)?, signed })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
