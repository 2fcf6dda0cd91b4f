//! What people at the centre must see soon: emergency calls, calls out that reached a cap, nightly tests.

use model::{
    BoxId, Millis, NoticeId, PlaceId, SiteId,
    leaving::{Notice, What},
};
use rusqlite::{Connection, params};

use crate::{Error, Result};

/// Kept of one box; the oldest give way.
pub const KEPT_MAX: i64 = 1_000;
/// Most that one question is answered with.
pub const SHOWN_MAX: i64 = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub site: SiteId,
    pub notice: Notice,
    /// When it arrived first: long after it happened, when the line was cut.
    pub received: Millis,
    /// Who has seen it here, and when.
    pub seen: Option<(String, Millis)>,
}

/// What was said before under this name is replaced; that somebody saw an emergency call does not mean that the end of
/// it was seen, but the same person watches it.
pub fn put(conn: &Connection, box_id: BoxId, site: &SiteId, notice: &Notice, now: Millis) -> Result<()> {
    let sql = "INSERT INTO notice (box, notice, site, at, what, place, received) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (box, notice) DO UPDATE SET what = excluded.what, place = excluded.place";
    let (box_id, what) = (box_id.to_string(), written(notice.what)?);
    let row = params![
        box_id,
        notice.notice.to_string(),
        site.as_str(),
        notice.at.0,
        what,
        notice.place.as_ref().map(PlaceId::as_str),
        now.0
    ];
    conn.prepare_cached(sql)?.execute(row)?;
    let sql = "DELETE FROM notice WHERE box = ?1 AND notice IN
                 (SELECT notice FROM notice WHERE box = ?1 ORDER BY received DESC, notice DESC LIMIT -1 OFFSET ?2)";
    conn.prepare_cached(sql)?.execute(params![box_id, KEPT_MAX])?;
    Ok(())
}

/// Those that arrived since, the youngest first.
pub fn since(conn: &Connection, since: Millis) -> Result<Vec<Kept>> {
    let sql = "SELECT site, notice, at, what, place, received, seen_by, seen FROM notice
               WHERE received >= ?1 ORDER BY received DESC, notice LIMIT ?2";
    let mut found = conn.prepare_cached(sql)?;
    let mut rows = found.query(params![since.0, SHOWN_MAX])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let (by, at): (Option<String>, Option<i64>) = (row.get(6)?, row.get(7)?);
        kept.push(Kept {
            site: row.get::<_, String>(0)?.parse().map_err(|error| Error::corrupt("a site", error))?,
            notice: Notice {
                notice: row.get::<_, String>(1)?.parse().map_err(|error| Error::corrupt("a notice", error))?,
                at: Millis(row.get(2)?),
                what: read(&row.get::<_, String>(3)?)?,
                place: row.get::<_, Option<String>>(4)?.and_then(|place| place.parse().ok()),
            },
            received: Millis(row.get(5)?),
            seen: by.zip(at.map(Millis)),
        });
    }
    Ok(kept)
}

/// Who saw it first is kept. False: there is no such notice.
pub fn see(conn: &Connection, site: &SiteId, notice: NoticeId, by: &str, now: Millis) -> Result<bool> {
    let sql = "UPDATE notice SET seen_by = coalesce(seen_by, ?3), seen = coalesce(seen, ?4)
               WHERE site = ?1 AND notice = ?2";
    let changed = conn.prepare_cached(sql)?.execute(params![site.as_str(), notice.to_string(), by, now.0])?;
    Ok(changed > 0)
}

fn written(what: What) -> Result<String> {
    match serde_json::to_value(what) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        _ => Err(Error::corrupt("a notice", "it has no name")),
    }
}

fn read(text: &str) -> Result<What> {
    serde_json::from_value(text.into()).map_err(|error| Error::corrupt("a notice", error))
}
