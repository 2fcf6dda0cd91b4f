//! Which instance each box is linked to, so that every instance can say of every box whether it is there, and so that a
//! box whose old link has not been missed yet is served by one of them only.
//!
//! It is written for all boxes of an instance together, at its pace, and is worth nothing when its instance has not
//! been heard for [`LOST_AFTER_MS`].

use model::{BoxId, Millis, SiteId};

use crate::{
    Result, boxes, site,
    sql::{Connection, params},
};

/// An instance that has not been heard for so long serves nobody.
pub const LOST_AFTER_MS: i64 = 10_000;

/// A box that is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    pub box_id: BoxId,
    pub site: SiteId,
    /// Who serves it: [`crate::touched::me`] of that process.
    pub instance: String,
    /// When it linked; a later link takes the box over.
    pub since: Millis,
    /// What else its instance says of it, as JSON.
    pub body: String,
    /// When its instance was last heard; not written with it.
    pub heard: Millis,
}

/// This instance lives; those long gone are forgotten with their boxes.
pub fn beat(conn: &Connection, instance: &str, label: &str, now: Millis) -> Result<()> {
    let sql = "INSERT INTO instance (instance, label, heard) VALUES (?1, ?2, ?3)
               ON CONFLICT (instance) DO UPDATE SET label = excluded.label, heard = excluded.heard";
    conn.execute(sql, params![instance, label, now.0])?;
    let lost = now.0.saturating_sub(LOST_AFTER_MS);
    let sql = "DELETE FROM presence WHERE instance NOT IN (SELECT instance FROM instance WHERE heard >= ?1)";
    conn.execute(sql, params![lost])?;
    conn.execute("DELETE FROM instance WHERE heard < ?1", params![lost])?;
    Ok(())
}

/// The box is linked to its instance, unless it has linked to another since.
pub fn put(conn: &Connection, linked: &Linked) -> Result<()> {
    let sql = "INSERT INTO presence (box, site, instance, since, body) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (box) DO UPDATE SET site = excluded.site, instance = excluded.instance,
                   since = excluded.since, body = excluded.body
               WHERE presence.instance = excluded.instance OR presence.since <= excluded.since";
    let Linked { box_id, site, instance, since, body, .. } = linked;
    conn.execute(sql, params![box_id.to_string(), site, instance, since.0, body])?;
    Ok(())
}

/// It is linked to this instance no longer.
pub fn gone(conn: &Connection, box_id: BoxId, instance: &str) -> Result<()> {
    conn.execute("DELETE FROM presence WHERE box = ?1 AND instance = ?2", params![box_id.to_string(), instance])?;
    Ok(())
}

/// The instance serves nobody any more.
pub fn leave(conn: &Connection, instance: &str) -> Result<()> {
    conn.execute("DELETE FROM presence WHERE instance = ?1", params![instance])?;
    conn.execute("DELETE FROM instance WHERE instance = ?1", params![instance])?;
    Ok(())
}

/// The boxes of the instances that live, in the order of their ids.
pub fn linked(conn: &Connection, now: Millis) -> Result<Vec<Linked>> {
    let sql = "SELECT box, site, presence.instance, since, instance.heard, body FROM presence JOIN instance
               ON presence.instance = instance.instance WHERE instance.heard >= ?1 ORDER BY box";
    conn.all(sql, params![now.0.saturating_sub(LOST_AFTER_MS)], |row| {
        Ok(Linked {
            box_id: boxes::parse(&row.get::<String>(0)?)?,
            site: site::parse(&row.get::<String>(1)?)?,
            instance: row.get(2)?,
            since: Millis(row.get(3)?),
            heard: Millis(row.get(4)?),
            body: row.get(5)?,
        })
    })
}
