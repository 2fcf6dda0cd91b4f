//! What boxes have shown of their egress ledgers: signed checkpoints, kept beside each other so that a ledger that was cut
//! or written anew contradicts what it said before.

use model::{BoxId, Millis};

use crate::{
    Result, audit,
    sql::{Connection, Row, params},
};

/// Undisputed ones are kept for so long, in ms; the box keeps our signature for ever.
const KEPT_MS: i64 = 400 * 24 * 3_600 * 1_000;
/// Disputed ones of one box that are kept: a box that lies all day fills no disk.
const DISPUTED_MAX: i64 = 1_000;
/// Lines under one checkpoint at most; who lets one in has seen to it.
const LINES_MAX: i64 = 1_000;

/// A checkpoint as a box signed it; the signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What the chain began with.
    pub origin: [u8; 32],
    pub first: u64,
    pub count: u32,
    /// By the box's clock.
    pub at: Millis,
    pub root: [u8; 32],
    pub signature: Vec<u8>,
}

/// How far a box's ledger was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub box_id: BoxId,
    /// The last line under the newest checkpoint.
    pub line: i64,
    pub at: Millis,
    /// Checkpoints that say another thing about lines that were shown before.
    pub disputed: i64,
}

/// Keeps it, once. What contradicts an earlier one is kept too, and stands in the audit list. Says when it was first seen;
/// None: the box has disputed with itself too often to be listened to.
pub fn keep(conn: &Connection, box_id: BoxId, shown: &Shown, now: Millis) -> Result<Option<Millis>> {
    let name = box_id.to_string();
    let (first, count) = (i64::try_from(shown.first).unwrap_or(i64::MAX), i64::from(shown.count));
    let (origin, root) = (&shown.origin[..], &shown.root[..]);
    let sql = "SELECT seen FROM egress_checkpoint WHERE box = ?1 AND origin = ?2 AND first = ?3 AND root = ?4";
    if let Some(seen) = conn.one(sql, params![name, origin, first, root], |row| row.get(0))? {
        return Ok(Some(Millis(seen)));
    }
    let end = first.saturating_add(count);
    let sql = "SELECT count(*) FROM egress_checkpoint
               WHERE box = ?1 AND origin = ?2 AND first > ?3 AND first < ?4 AND first + count > ?5";
    let earliest = first.saturating_sub(LINES_MAX);
    let disputed = conn.only::<i64>(sql, params![name, origin, earliest, end, first])? > 0;
    if disputed {
        let sql = "SELECT count(*) FROM egress_checkpoint WHERE box = ?1 AND disputed = 1";
        if conn.only::<i64>(sql, params![name])? >= DISPUTED_MAX {
            return Ok(None);
        }
        let detail = serde_json::json!({ "box": box_id, "first": shown.first, "count": shown.count });
        audit::add(conn, "cloudd", "egress.contradiction", &detail, now)?;
    }
    let sql = "INSERT INTO egress_checkpoint (box, origin, first, root, count, at, signature, seen, disputed)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let signature = &shown.signature[..];
    conn.execute(sql, params![name, origin, first, root, count, shown.at.0, signature, now.0, i64::from(disputed)])?;
    let sql = "DELETE FROM egress_checkpoint WHERE box = ?1 AND seen < ?2 AND disputed = 0";
    conn.execute(sql, params![name, now.0.saturating_sub(KEPT_MS)])?;
    Ok(Some(now))
}

/// Of every box that has shown anything.
pub fn seen(conn: &Connection) -> Result<Vec<Seen>> {
    let sql = "SELECT box, max(first + count) - 1, max(seen), CAST(sum(disputed) AS BIGINT)
               FROM egress_checkpoint GROUP BY box";
    conn.all(sql, params![], |row: &Row<'_>| {
        let box_id = row.get::<String>(0)?.parse().map_err(|error| crate::Error::corrupt("a box", error))?;
        Ok(Seen { box_id, line: row.get(1)?, at: Millis(row.get(2)?), disputed: row.get(3)? })
    })
}
