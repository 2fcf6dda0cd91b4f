//! The boxes: which device stands at which site, under which certificate.

use model::{BoxId, Millis, SiteId};

use crate::{
    Error, Result, site,
    sql::{Connection, Row, params},
    touched::{self, What},
};

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
    let sql = "INSERT INTO box (box, site, enrolled) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let added = conn.execute(sql, params![id.to_string(), site, now.0])? == 1;
    if added {
        // From the first one on, its figures are expected.
        let sql = "UPDATE site SET expected_from = coalesce(expected_from, ?2) WHERE site = ?1";
        conn.execute(sql, params![site, now.0])?;
        touched::note(conn, site, What::Box)?;
    }
    Ok(added)
}

/// Keeps the newest certificate of a box, at enrolment and at each renewal.
pub fn certify(conn: &Connection, id: BoxId, serial: &str, not_after: Millis) -> Result<()> {
    let sql = "UPDATE box SET serial = ?2, not_after = ?3 WHERE box = ?1";
    conn.execute(sql, params![id.to_string(), serial, not_after.0])?;
    Ok(())
}

/// From then on the box is refused; false when it is unknown or was revoked before.
pub fn revoke(conn: &Connection, id: BoxId, now: Millis) -> Result<bool> {
    let sql = "UPDATE box SET revoked = ?2 WHERE box = ?1 AND revoked IS NULL RETURNING site";
    let of = conn.one(sql, params![id.to_string(), now.0], |row| site::parse(&row.get::<String>(0)?))?;
    let Some(of) = of else { return Ok(false) };
    touched::note(conn, &of, What::Box)?;
    Ok(true)
}

pub fn one(conn: &Connection, id: BoxId) -> Result<Option<Device>> {
    let sql = "SELECT box, site, enrolled, serial, not_after, revoked FROM box WHERE box = ?1";
    conn.one(sql, params![id.to_string()], device)
}

pub fn of_site(conn: &Connection, site: &SiteId) -> Result<Vec<Device>> {
    let sql = "SELECT box, site, enrolled, serial, not_after, revoked FROM box WHERE site = ?1 ORDER BY box";
    conn.all(sql, params![site], device)
}

/// All boxes that were revoked.
pub fn revoked(conn: &Connection) -> Result<Vec<BoxId>> {
    let sql = "SELECT box FROM box WHERE revoked IS NOT NULL ORDER BY box";
    conn.all(sql, params![], |row| parse(&row.get::<String>(0)?))
}

fn device(row: &Row<'_>) -> Result<Device> {
    Ok(Device {
        id: parse(&row.get::<String>(0)?)?,
        site: site::parse(&row.get::<String>(1)?)?,
        enrolled: Millis(row.get(2)?),
        serial: row.get(3)?,
        not_after: row.get::<Option<i64>>(4)?.map(Millis),
        revoked: row.get::<Option<i64>>(5)?.map(Millis),
    })
}

pub(crate) fn parse(text: &str) -> Result<BoxId> {
    text.parse().map_err(|error| Error::corrupt("a box", error))
}
