//! The latest health of each box.

use model::{BoxId, Millis, SiteId, leaving::Health};
use rusqlite::{Connection, params};

use crate::{Error, Result, boxes};

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
    conn.prepare_cached(sql)?.execute(params![box_id.to_string(), site.as_str(), body, now.0])?;
    Ok(())
}

/// Of each box of the site, the most recently heard first.
pub fn of_site(conn: &Connection, site: &SiteId) -> Result<Vec<Latest>> {
    let sql = "SELECT box, body, received FROM health WHERE site = ?1 ORDER BY received DESC, box";
    let mut found = conn.prepare_cached(sql)?;
    let mut rows = found.query([site.as_str()])?;
    let mut latest = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        latest.push(Latest {
            box_id: boxes::parse(&row.get::<_, String>(0)?)?,
            health: serde_json::from_str(&body).map_err(|error| Error::corrupt("a health", error))?,
            received: Millis(row.get(2)?),
        });
    }
    Ok(latest)
}
