//! What a box is known to have of each document: the sync protocol's state, so that a reconnect costs bytes and not
//! documents.

use model::{BoxId, Millis, change::Doc};

use crate::{
    Result, change,
    sql::{Connection, params},
};

/// Longest state, in bytes.
pub const STATE_LEN_MAX: usize = 1 << 20;

pub fn keep(conn: &Connection, id: BoxId, doc: Doc, bytes: &[u8], now: Millis) -> Result<()> {
    if bytes.len() > STATE_LEN_MAX {
        return Err(crate::Error::TooLong { what: "a sync state", max: STATE_LEN_MAX });
    }
    let sql = "INSERT INTO sync_state (box, doc, bytes, at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (box, doc) DO UPDATE SET bytes = excluded.bytes, at = excluded.at";
    conn.execute(sql, params![id.to_string(), change::name(doc), bytes, now.0])?;
    Ok(())
}

pub fn read(conn: &Connection, id: BoxId, doc: Doc) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT bytes FROM sync_state WHERE box = ?1 AND doc = ?2";
    conn.one(sql, params![id.to_string(), change::name(doc)], |row| row.get(0))
}
