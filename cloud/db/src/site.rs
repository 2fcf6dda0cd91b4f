//! The sites. A site's label and everything else about it is in its configuration documents.

use model::{Millis, SiteId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Error, Result};

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
    let count: i64 = conn.query_row("SELECT count(*) FROM site", [], |row| row.get(0))?;
    if count >= SITES_MAX {
        return Ok(Added::Full);
    }
    conn.execute("INSERT INTO site (site, created) VALUES (?1, ?2)", params![site.as_str(), now.0])?;
    Ok(Added::Added)
}

pub fn exists(conn: &Connection, site: &SiteId) -> Result<bool> {
    let mut found = conn.prepare_cached("SELECT 1 FROM site WHERE site = ?1")?;
    Ok(found.query_row([site.as_str()], |_| Ok(())).optional()?.is_some())
}

/// All sites, in the order of their ids.
pub fn all(conn: &Connection) -> Result<Vec<SiteId>> {
    let mut all = conn.prepare_cached("SELECT site FROM site ORDER BY site")?;
    let rows = all.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| parse(&row?)).collect()
}

pub(crate) fn parse(text: &str) -> Result<SiteId> {
    SiteId::new(text).map_err(|error| Error::corrupt("a site", error))
}
