//! Roll-outs of configuration: what is rolled out, how the machine stands (text here, `fleet`'s to understand), and which
//! changes it has made at which site.

use model::{
    Millis, SiteId,
    change::{Change, Doc},
};

use crate::{
    Error, Result,
    change::{self, Of},
    sql::{Connection, Row, params},
};

/// Most that are not over at once.
pub const LIVE_MAX: i64 = 20;
/// Most in a list; older ones stay in the audit.
pub const SHOWN_MAX: u32 = 50;
/// Changes of others that are told of one site.
const OTHERS_MAX: u32 = 500;

#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub id: i64,
    pub label: String,
    pub changes: Vec<Change>,
    /// Also where a branch itself says otherwise.
    pub overrule: bool,
    /// JSON.
    pub body: String,
    pub version: i64,
    /// Something may still happen.
    pub live: bool,
    pub created: Millis,
}

/// One that is to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Fresh {
    pub label: String,
    pub changes: Vec<Change>,
    pub overrule: bool,
    pub body: String,
}

/// Begins one; None when there are [`LIVE_MAX`] already.
pub fn add(conn: &Connection, fresh: &Fresh, now: Millis) -> Result<Option<i64>> {
    let Fresh { label, changes, overrule, body } = fresh;
    if conn.only::<i64>("SELECT count(*) FROM rollout WHERE live = 1", params![])? >= LIVE_MAX {
        return Ok(None);
    }
    let id: i64 = conn.only("SELECT coalesce(max(rollout), 0) + 1 FROM rollout", params![])?;
    let changes = serde_json::to_string(changes).map_err(|error| Error::corrupt("a roll-out", error))?;
    let sql = "INSERT INTO rollout (rollout, label, changes, overrule, body, version, live, created)
               VALUES (?1, ?2, ?3, ?4, ?5, 1, 1, ?6)";
    conn.execute(sql, params![id, label, changes, i64::from(*overrule), body, now.0])?;
    Ok(Some(id))
}

/// How it stands by now, unless another has written since `seen`; false: they have, and nothing was written.
pub fn step(conn: &Connection, id: i64, seen: i64, body: &str, live: bool) -> Result<bool> {
    let sql = "UPDATE rollout SET body = ?3, live = ?4, version = version + 1 WHERE rollout = ?1 AND version = ?2";
    Ok(conn.execute(sql, params![id, seen, body, i64::from(live)])? == 1)
}

pub fn one(conn: &Connection, id: i64) -> Result<Option<Kept>> {
    let sql = "SELECT rollout, label, changes, overrule, body, version, live, created FROM rollout WHERE rollout = ?1";
    conn.one(sql, params![id], of_row)
}

/// Those that are not over before the others, of each the newest first.
pub fn all(conn: &Connection) -> Result<Vec<Kept>> {
    let sql = "SELECT rollout, label, changes, overrule, body, version, live, created FROM rollout ORDER BY live DESC, rollout DESC LIMIT ?1";
    conn.all(sql, params![SHOWN_MAX], of_row)
}

/// Those that are not over, the oldest first.
pub fn live(conn: &Connection) -> Result<Vec<Kept>> {
    let sql = "SELECT rollout, label, changes, overrule, body, version, live, created FROM rollout WHERE live = 1 ORDER BY rollout";
    conn.all(sql, params![], of_row)
}

fn of_row(row: &Row<'_>) -> Result<Kept> {
    let changes = serde_json::from_str(&row.get::<String>(2)?).map_err(|error| Error::corrupt("a roll-out", error))?;
    Ok(Kept {
        id: row.get(0)?,
        label: row.get(1)?,
        changes,
        overrule: row.get::<i64>(3)? != 0,
        body: row.get(4)?,
        version: row.get(5)?,
        live: row.get::<i64>(6)? != 0,
        created: Millis(row.get(7)?),
    })
}

/// It has made this change of a document.
pub fn made(conn: &Connection, id: i64, of: Of<'_>, seq: i64) -> Result<()> {
    let sql = "INSERT INTO rollout_change (rollout, site, doc, seq) VALUES (?1, ?2, ?3, ?4)";
    conn.execute(sql, params![id, of.site, change::name(of.doc), seq]).map(drop)
}

/// What others have written at the site since it did, the newest first; of very much the newest.
pub fn others(conn: &Connection, id: i64, site: &SiteId) -> Result<Vec<(Doc, i64)>> {
    let sql = "SELECT theirs.doc, theirs.seq FROM config_change AS theirs WHERE theirs.site = ?2 AND theirs.at >= (
                   SELECT max(ours.at) FROM rollout_change AS made
                   JOIN config_change AS ours ON ours.site = made.site AND ours.doc = made.doc AND ours.seq = made.seq
                   WHERE made.rollout = ?1 AND made.site = ?2)
               AND NOT EXISTS (
                   SELECT 1 FROM rollout_change AS made WHERE made.rollout = ?1 AND made.site = theirs.site
                   AND made.doc = theirs.doc AND made.seq = theirs.seq)
               ORDER BY theirs.at DESC, theirs.doc, theirs.seq DESC LIMIT ?3";
    let named = |row: &Row<'_>| Ok((row.get::<String>(0)?, row.get::<i64>(1)?));
    let found = conn.all(sql, params![id, site, OTHERS_MAX], named)?;
    let doc = |name: &str| [Doc::Org, Doc::Site, Doc::Local].into_iter().find(|doc| change::name(*doc) == name);
    Ok(found.into_iter().filter_map(|(name, seq)| Some((doc(&name)?, seq))).collect())
}

/// First and last of the changes of a document that it has made; they are one row, made in one transaction.
pub fn made_at(conn: &Connection, id: i64, of: Of<'_>) -> Result<Option<(i64, i64)>> {
    let sql = "SELECT min(seq), max(seq) FROM rollout_change WHERE rollout = ?1 AND site = ?2 AND doc = ?3";
    let read = |row: &Row<'_>| Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?));
    let span = conn.one(sql, params![id, of.site, change::name(of.doc)], read)?;
    Ok(span.and_then(|(first, last)| first.zip(last)))
}
