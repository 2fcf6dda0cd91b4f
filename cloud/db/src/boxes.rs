//! The boxes: which device stands at which site, under which certificate.

use model::{BoxId, Millis, SiteId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Error, Result, site};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub id: BoxId,
    pub site: SiteId,
    pub enrolled: Millis,
    /// Of the newest certificate issued to it.
    pub serial: Option<String>,
    pub not_after: Option<Millis>,
    pub revoked: Option<Millis>,
}

/// A box is enrolled once; false when the id is taken.
pub fn add(conn: &Connection, id: BoxId, site: &SiteId, now: Millis) -> Result<bool> {
    let sql = "INSERT OR IGNORE INTO box (box, site, enrolled) VALUES (?1, ?2, ?3)";
    Ok(conn.execute(sql, params![id.to_string(), site.as_str(), now.0])? == 1)
}

/// Keeps the newest certificate of a box, at enrolment and at each renewal.
pub fn certify(conn: &Connection, id: BoxId, serial: &str, not_after: Millis) -> Result<()> {
    let sql = "UPDATE box SET serial = ?2, not_after = ?3 WHERE box = ?1";
    conn.execute(sql, params![id.to_string(), serial, not_after.0])?;
    Ok(())
}

/// From then on the box is refused; false when it is unknown or was revoked before.
pub fn revoke(conn: &Connection, id: BoxId, now: Millis) -> Result<bool> {
    let sql = "UPDATE box SET revoked = ?2 WHERE box = ?1 AND revoked IS NULL";
    Ok(conn.execute(sql, params![id.to_string(), now.0])? == 1)
}

pub fn one(conn: &Connection, id: BoxId) -> Result<Option<Device>> {
    let sql = "SELECT box, site, enrolled, serial, not_after, revoked FROM box WHERE box = ?1";
    conn.prepare_cached(sql)?.query_row([id.to_string()], raw).optional()?.map(device).transpose()
}

pub fn of_site(conn: &Connection, site: &SiteId) -> Result<Vec<Device>> {
    let sql = "SELECT box, site, enrolled, serial, not_after, revoked FROM box WHERE site = ?1 ORDER BY box";
    let mut found = conn.prepare_cached(sql)?;
    let rows = found.query_map([site.as_str()], raw)?;
    rows.map(|row| device(row?)).collect()
}

/// All boxes that were revoked.
pub fn revoked(conn: &Connection) -> Result<Vec<BoxId>> {
    let mut found = conn.prepare_cached("SELECT box FROM box WHERE revoked IS NOT NULL ORDER BY box")?;
    let rows = found.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| parse(&row?)).collect()
}

type Raw = (String, String, i64, Option<String>, Option<i64>, Option<i64>);

fn raw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn device((id, site, enrolled, serial, not_after, revoked): Raw) -> Result<Device> {
    Ok(Device {
        id: parse(&id)?,
        site: site::parse(&site)?,
        enrolled: Millis(enrolled),
        serial,
        not_after: not_after.map(Millis),
        revoked: revoked.map(Millis),
    })
}

pub(crate) fn parse(text: &str) -> Result<BoxId> {
    text.parse().map_err(|error| Error::corrupt("a box", error))
}
