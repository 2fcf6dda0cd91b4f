//! When the box was there: one row for each life of the *calls* process, with when it was last seen. What lies between two
//! lives is an outage, and no quiet hour.

use model::Millis;
use rusqlite::{Connection, params};

use crate::{error::Error, outbox::length, reader::Reader};

/// Lives that are remembered; the oldest make room.
pub const LIVES_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    pub began: Millis,
    pub seen: Millis,
}

pub(crate) fn put(db: &Connection, life: Life) -> Result<(), Error> {
    let Life { began, seen } = life;
    let fresh = db
        .prepare_cached("INSERT OR IGNORE INTO lives (began, seen) VALUES (?1, ?2)")?
        .execute(params![began.0, seen.0])?;
    if fresh == 0 {
        db.prepare_cached("UPDATE lives SET seen = max(seen, ?2) WHERE began = ?1")?
            .execute(params![began.0, seen.0])?;
        return Ok(());
    }
    db.prepare_cached(
        "DELETE FROM lives WHERE began <= (SELECT began FROM lives ORDER BY began DESC LIMIT 1 OFFSET ?1)",
    )?
    .execute([length(LIVES_MAX)])?;
    Ok(())
}

impl Reader {
    /// The oldest first.
    pub fn lives(&self) -> Result<Vec<Life>, Error> {
        let mut select = self.db().prepare_cached("SELECT began, seen FROM lives ORDER BY began")?;
        let rows = select.query_map([], |row| Ok(Life { began: Millis(row.get(0)?), seen: Millis(row.get(1)?) }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
