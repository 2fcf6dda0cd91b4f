//! The changes of the configuration documents, each stored once under its hash, in the order they were taken in, and
//! the heads they leave. What they mean is `config`'s; here they are bytes.

use std::collections::BTreeSet;

use model::{Millis, SiteId, change::Doc};

use crate::{
    Error, Result,
    sql::{Connection, params},
    touched,
};

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

/// A change as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub seq: i64,
    pub signed: Signed,
    pub bytes: Vec<u8>,
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
    let (site, doc) = (of.site, name(of.doc));
    let last = "SELECT coalesce(max(seq), 0) FROM config_change WHERE site = ?1 AND doc = ?2";
    let insert = "INSERT INTO config_change (site, doc, seq, hash, deps, bytes, author, at, note)
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (site, doc, hash) DO NOTHING";
    let covered = "DELETE FROM config_head WHERE site = ?1 AND doc = ?2 AND hash = ?3";
    let head = "INSERT INTO config_head (site, doc, hash) VALUES (?1, ?2, ?3)";

    let mut seq: i64 = conn.only(last, params![site, doc])?;
    let mut added = 0;
    for change in changes {
        if change.bytes.len() > CHANGE_LEN_MAX {
            return Err(Error::TooLong { what: "a change", max: CHANGE_LEN_MAX });
        }
        let deps = change.deps.concat();
        let Signed { author, note, at } = signed;
        let next = seq.saturating_add(1);
        let row = params![site, doc, next, change.hash, deps, change.bytes, author, at.0, note];
        if conn.execute(insert, row)? == 0 {
            continue;
        }
        seq = next;
        added += 1;
        for dep in &change.deps {
            conn.execute(covered, params![site, doc, dep])?;
        }
        conn.execute(head, params![site, doc, change.hash])?;
    }
    if added > 0 {
        touched::note(conn, of.site, of.doc.into())?;
    }
    Ok(added)
}

/// The changes after place `after`, in the order they were taken in, each with its place.
pub fn after(conn: &Connection, of: Of<'_>, after: i64) -> Result<Vec<(i64, Change)>> {
    let sql = "SELECT seq, hash, deps, bytes FROM config_change WHERE site = ?1 AND doc = ?2 AND seq > ?3 ORDER BY seq";
    conn.all(sql, params![of.site, name(of.doc), after], |row| {
        let deps: Vec<u8> = row.get(2)?;
        let deps = deps.as_chunks::<32>().0.to_vec();
        Ok((row.get(0)?, Change { hash: row.get(1)?, deps, bytes: row.get(3)? }))
    })
}

/// The place of the change that was taken in last; 0 for none.
pub fn last(conn: &Connection, of: Of<'_>) -> Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM config_change WHERE site = ?1 AND doc = ?2";
    conn.only(sql, params![of.site, name(of.doc)])
}

/// The heads of a document, without its changes.
pub fn heads(conn: &Connection, of: Of<'_>) -> Result<BTreeSet<Hash>> {
    let sql = "SELECT hash FROM config_head WHERE site = ?1 AND doc = ?2";
    Ok(conn.all(sql, params![of.site, name(of.doc)], |row| row.get(0))?.into_iter().collect())
}

/// Every change of a document with who signed it, in the order they were taken in.
pub fn all(conn: &Connection, of: Of<'_>) -> Result<Vec<Stored>> {
    let sql = "SELECT seq, author, note, at, bytes FROM config_change WHERE site = ?1 AND doc = ?2 ORDER BY seq";
    conn.all(sql, params![of.site, name(of.doc)], |row| {
        let signed = Signed { author: row.get(1)?, note: row.get(2)?, at: Millis(row.get(3)?) };
        Ok(Stored { seq: row.get(0)?, signed, bytes: row.get(4)? })
    })
}

/// The changes of a document that were there at a moment, in the order they were taken in.
pub fn until(conn: &Connection, of: Of<'_>, at: Millis) -> Result<Vec<Vec<u8>>> {
    // Whatever a clock did meanwhile: what came before one that was there was there.
    let sql = "SELECT bytes FROM config_change WHERE site = ?1 AND doc = ?2 AND seq <=
               (SELECT coalesce(max(seq), 0) FROM config_change WHERE site = ?1 AND doc = ?2 AND at <= ?3) ORDER BY seq";
    conn.all(sql, params![of.site, name(of.doc), at.0], |row| row.get(0))
}

/// What the author of a change said of it; empty when nothing.
pub fn note(conn: &Connection, of: Of<'_>, seq: i64) -> Result<String> {
    let sql = "SELECT note FROM config_change WHERE site = ?1 AND doc = ?2 AND seq = ?3";
    Ok(conn.one(sql, params![of.site, name(of.doc), seq], |row| row.get(0))?.unwrap_or_default())
}
