//! The organisation this cloud belongs to. There is one.

use model::Millis;

use crate::{
    Result,
    sql::{Connection, params},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    pub label: String,
    pub created: Millis,
}

/// Founds the organisation; false when there is one already.
pub fn found(conn: &Connection, label: &str, now: Millis) -> Result<bool> {
    let sql = "INSERT INTO org (one, label, created) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING";
    Ok(conn.execute(sql, params![label, now.0])? == 1)
}

pub fn read(conn: &Connection) -> Result<Option<Org>> {
    conn.one("SELECT label, created FROM org", params![], |row| {
        Ok(Org { label: row.get(0)?, created: Millis(row.get(1)?) })
    })
}
