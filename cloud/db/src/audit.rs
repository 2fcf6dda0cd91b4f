//! Who did what: a list that is only ever added to, each line hashed with the one before it.
//!
//! A changed, removed or inserted line breaks the chain, and a cut-off end disagrees with the head kept beside it.

use std::ops::ControlFlow;

use model::Millis;
use sha2::{Digest, Sha256};

use crate::{
    Result,
    sql::{Connection, Row, params},
};

type Hash = [u8; 32];

/// What the first line is chained to.
const ROOT: Hash = [0; 32];
/// Begins every hashed text, so that a hash of this list is a hash of nothing else.
const DOMAIN: &[u8] = b"branchline audit 1\0";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub seq: i64,
    pub at: Millis,
    /// A login, or `cloudd` for what was done on the machine itself.
    pub who: String,
    /// `session.open`, `config.change`, …
    pub what: String,
    /// JSON.
    pub detail: String,
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Whole {
        entries: i64,
    },
    /// The line with this number is not the one that was written, or is missing.
    Broken {
        seq: i64,
    },
}

/// Adds a line in the transaction of what it tells.
pub fn add(conn: &Connection, who: &str, what: &str, detail: &serde_json::Value, now: Millis) -> Result<i64> {
    let (last, prev) = head(conn)?.unwrap_or((0, ROOT));
    let entry =
        Entry { seq: last + 1, at: now, who: who.to_owned(), what: what.to_owned(), detail: detail.to_string() };
    let hash = link(&prev, &entry);
    let sql = "INSERT INTO audit (seq, at, who, what, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.execute(sql, params![entry.seq, now.0, entry.who, entry.what, entry.detail, hash])?;
    let sql = "INSERT INTO audit_head (one, seq, hash) VALUES (1, ?1, ?2)
               ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash";
    conn.execute(sql, params![entry.seq, hash])?;
    Ok(entry.seq)
}

/// The newest lines below `before`, newest first.
pub fn page(conn: &Connection, before: i64, limit: u32) -> Result<Vec<Entry>> {
    let sql = "SELECT seq, at, who, what, detail FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
    conn.all(sql, params![before, limit], entry)
}

/// Walks the whole list.
pub fn verify(conn: &Connection) -> Result<Verdict> {
    let sql = "SELECT seq, at, who, what, detail, hash FROM audit ORDER BY seq";
    let (mut last, mut prev, mut whole) = (0, ROOT, true);
    conn.each(sql, params![], |row| {
        let entry = entry(row)?;
        let hash: Vec<u8> = row.get(5)?;
        let expected = link(&prev, &entry);
        if entry.seq != last + 1 || hash != expected {
            whole = false;
            return Ok(ControlFlow::Break(()));
        }
        (last, prev) = (entry.seq, expected);
        Ok(ControlFlow::Continue(()))
    })?;
    if !whole {
        return Ok(Verdict::Broken { seq: last + 1 });
    }
    match head(conn)? {
        Some(head) if head == (last, prev) => Ok(Verdict::Whole { entries: last }),
        None if last == 0 => Ok(Verdict::Whole { entries: 0 }),
        _ => Ok(Verdict::Broken { seq: last + 1 }),
    }
}

fn head(conn: &Connection) -> Result<Option<(i64, Hash)>> {
    conn.one("SELECT seq, hash FROM audit_head", params![], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let at = Millis(row.get(1)?);
    Ok(Entry { seq: row.get(0)?, at, who: row.get(2)?, what: row.get(3)?, detail: row.get(4)? })
}

fn link(prev: &Hash, entry: &Entry) -> Hash {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(prev);
    hash.update(entry.seq.to_be_bytes());
    hash.update(entry.at.0.to_be_bytes());
    for text in [&entry.who, &entry.what, &entry.detail] {
        // With its length, so that no two lists of texts look alike.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}
