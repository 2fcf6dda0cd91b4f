//! The sites. A site's label and everything else about it is in its configuration documents.

use model::{Millis, SiteId};

use crate::{
    Error, Result,
    sql::{Connection, params},
};

/// Most sites of one cloud.
pub const SITES_MAX: i64 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Added,
    Exists,
    Full,
}

pub fn add(conn: &Connection, site: &SiteId, now: Millis) -> Result<Added> {
    if exists(conn, site)? {
        return Ok(Added::Exists);
    }
    let count: i64 = conn.only("SELECT count(*) FROM site", params![])?;
    if count >= SITES_MAX {
        return Ok(Added::Full);
    }
    conn.execute("INSERT INTO site (site, created) VALUES (?1, ?2)", params![site, now.0])?;
    Ok(Added::Added)
}

pub fn exists(conn: &Connection, site: &SiteId) -> Result<bool> {
    Ok(conn.one("SELECT site FROM site WHERE site = ?1", params![site], |_| Ok(()))?.is_some())
}

/// All sites, in the order of their ids.
pub fn all(conn: &Connection) -> Result<Vec<SiteId>> {
    conn.all("SELECT site FROM site ORDER BY site", params![], |row| parse(&row.get::<String>(0)?))
}

pub(crate) fn parse(text: &str) -> Result<SiteId> {
    SiteId::new(text).map_err(|error| Error::corrupt("a site", error))
}
