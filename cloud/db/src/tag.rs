//! Words by which sites are found together: a region, a pilot group. A group is all sites with the same word.

use std::collections::{BTreeMap, BTreeSet};

use model::SiteId;

use crate::{
    Result, site,
    sql::{Connection, params},
};

/// Most tags of one site.
pub const TAGS_MAX: usize = 20;
/// Longest tag, in characters.
pub const TAG_LEN_MAX: usize = 40;

/// In place of those it had.
pub fn set(conn: &Connection, site: &SiteId, tags: &BTreeSet<String>) -> Result<()> {
    conn.execute("DELETE FROM site_tag WHERE site = ?1", params![site])?;
    for tag in tags {
        conn.execute("INSERT INTO site_tag (site, tag) VALUES (?1, ?2)", params![site, tag])?;
    }
    Ok(())
}

/// Of every site that has any.
pub fn all(conn: &Connection) -> Result<BTreeMap<SiteId, BTreeSet<String>>> {
    let read = |row: &crate::Row<'_>| Ok((site::parse(&row.get::<String>(0)?)?, row.get::<String>(1)?));
    let mut all: BTreeMap<SiteId, BTreeSet<String>> = BTreeMap::new();
    for (site, tag) in conn.all("SELECT site, tag FROM site_tag", params![], read)? {
        all.entry(site).or_default().insert(tag);
    }
    Ok(all)
}
