//! The organisation this cloud belongs to. There is one.

use model::Millis;
use rusqlite::{Connection, OptionalExtension, params};

use crate::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    pub label: String,
    pub created: Millis,
}

/// Founds the organisation; false when there is one already.
pub fn found(conn: &Connection, label: &str, now: Millis) -> Result<bool> {
    let sql = "INSERT OR IGNORE INTO org (one, label, created) VALUES (1, ?1, ?2)";
    Ok(conn.execute(sql, params![label, now.0])? == 1)
}

pub fn read(conn: &Connection) -> Result<Option<Org>> {
    let row = |row: &rusqlite::Row<'_>| Ok(Org { label: row.get(0)?, created: Millis(row.get(1)?) });
    Ok(conn.query_row("SELECT label, created FROM org", [], row).optional()?)
}
