//! Which configuration each box runs, and how callers fare by it, as the box said last.

use model::{BoxId, Millis, SiteId, leaving::Running};

use crate::{
    Error, Result, boxes,
    sql::{Connection, params},
};

/// Rows of an outbox come in order: the last to arrive is the latest.
pub fn put(conn: &Connection, box_id: BoxId, site: &SiteId, running: &Running, now: Millis) -> Result<()> {
    let body = serde_json::to_string(running).map_err(|error| Error::corrupt("what runs", error))?;
    let sql = "INSERT INTO running (box, site, body, received) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (box) DO UPDATE SET site = excluded.site, body = excluded.body, received = excluded.received";
    conn.execute(sql, params![box_id.to_string(), site, body, now.0]).map(drop)
}

/// Of each box of the site that has ever said it.
pub fn of_site(conn: &Connection, site: &SiteId) -> Result<Vec<(BoxId, Running)>> {
    conn.all("SELECT box, body FROM running WHERE site = ?1 ORDER BY box", params![site], |row| {
        let running =
            serde_json::from_str(&row.get::<String>(1)?).map_err(|error| Error::corrupt("what runs", error))?;
        Ok((boxes::parse(&row.get::<String>(0)?)?, running))
    })
}
