//! The latest health of each box.

use model::{BoxId, Millis, SiteId, leaving::Health};

use crate::{
    Error, Result, boxes,
    sql::{Connection, params},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    pub box_id: BoxId,
    pub health: Health,
    pub received: Millis,
}

/// Rows of an outbox come in order, so the last to arrive is the latest, whatever the box's clock says.
pub fn put(conn: &Connection, box_id: BoxId, site: &SiteId, health: &Health, now: Millis) -> Result<()> {
    let body = serde_json::to_string(health).map_err(|error| Error::corrupt("a health", error))?;
    let sql = "INSERT INTO health (box, site, body, received) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (box) DO UPDATE SET site = excluded.site, body = excluded.body, received = excluded.received";
    conn.execute(sql, params![box_id.to_string(), site, body, now.0])?;
    Ok(())
}

/// Of each box of the site, the most recently heard first.
pub fn of_site(conn: &Connection, site: &SiteId) -> Result<Vec<Latest>> {
    let sql = "SELECT box, body, received FROM health WHERE site = ?1 ORDER BY received DESC, box";
    conn.all(sql, params![site], |row| {
        let body: String = row.get(1)?;
        Ok(Latest {
            box_id: boxes::parse(&row.get::<String>(0)?)?,
            health: serde_json::from_str(&body).map_err(|error| Error::corrupt("a health", error))?,
            received: Millis(row.get(2)?),
        })
    })
}
