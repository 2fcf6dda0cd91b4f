//! Firmware bundles and which of them each site is offered. The files lie beside the database.

use model::{Millis, SiteId};

use crate::{
    Result, site,
    sql::{Connection, Row, params},
    touched::{self, What},
};

/// Most bundles of one list; older ones are of no use to anybody.
const SHOWN_MAX: u32 = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// File name.
    pub name: String,
    /// `1.2.3`; empty when the name does not say.
    pub version: String,
    /// In hex.
    pub sha256: String,
    pub size: u64,
}

/// Keeps the bundle (again) and offers it to the site in place of any other.
pub fn offer(conn: &Connection, bundle: &Bundle, to: &SiteId, now: Millis) -> Result<()> {
    let Bundle { name, version, sha256, size } = bundle;
    let sql = "INSERT INTO bundle (sha256, name, version, size, added) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (sha256) DO UPDATE SET name = excluded.name, version = excluded.version";
    conn.execute(sql, params![sha256, name, version, size.cast_signed(), now.0])?;
    let sql = "INSERT INTO bundle_offer (site, sha256, offered) VALUES (?1, ?2, ?3)
               ON CONFLICT (site) DO UPDATE SET sha256 = excluded.sha256, offered = excluded.offered";
    conn.execute(sql, params![to.as_str(), sha256, now.0])?;
    touched::note(conn, to, What::Offer)
}

/// The bundle on offer to a site.
pub fn offered(conn: &Connection, site: &SiteId) -> Result<Option<Bundle>> {
    let sql = "SELECT name, version, sha256, size FROM bundle JOIN bundle_offer USING (sha256) WHERE site = ?1";
    conn.one(sql, params![site], of_row)
}

/// All that were ever kept, the newest first, each with when it was first kept.
pub fn all(conn: &Connection) -> Result<Vec<(Bundle, Millis)>> {
    let sql = "SELECT name, version, sha256, size, added FROM bundle ORDER BY added DESC, name LIMIT ?1";
    conn.all(sql, params![SHOWN_MAX], |row| Ok((of_row(row)?, Millis(row.get(4)?))))
}

pub fn one(conn: &Connection, sha256: &str) -> Result<Option<Bundle>> {
    let sql = "SELECT name, version, sha256, size FROM bundle WHERE sha256 = ?1";
    conn.one(sql, params![sha256], of_row)
}

fn of_row(row: &Row<'_>) -> Result<Bundle> {
    let size: i64 = row.get(3)?;
    Ok(Bundle { name: row.get(0)?, version: row.get(1)?, sha256: row.get(2)?, size: size.cast_unsigned() })
}

/// What every site is offered, by the bundle's hash.
pub fn offers(conn: &Connection) -> Result<Vec<(SiteId, String)>> {
    let sql = "SELECT site, sha256 FROM bundle_offer ORDER BY site";
    conn.all(sql, params![], |row| Ok((site::parse(&row.get::<String>(0)?)?, row.get(1)?)))
}
