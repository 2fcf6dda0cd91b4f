//! What people at the centre must see soon: emergency calls, calls out that reached a cap, nightly tests.

use model::{
    BoxId, Millis, NoticeId, PlaceId, SiteId, TrunkId,
    leaving::{Notice, What},
};

use crate::{
    Error, Result,
    sql::{Connection, Row, params},
    touched::{self, What as Touched},
};

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
    let sql = "INSERT INTO notice (box, notice, site, at, what, place, received, trunk)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
               ON CONFLICT (box, notice)
               DO UPDATE SET what = excluded.what, place = excluded.place, trunk = excluded.trunk";
    let (box_id, what) = (box_id.to_string(), written(notice.what)?);
    let place = notice.place.as_ref().map(PlaceId::as_str);
    let trunk = notice.trunk.as_ref().map(TrunkId::as_str);
    let name = notice.notice.to_string();
    conn.execute(sql, params![box_id, name, site, notice.at.0, what, place, now.0, trunk])?;
    let sql = "DELETE FROM notice WHERE box = ?1 AND notice IN
                 (SELECT notice FROM notice WHERE box = ?1 ORDER BY received DESC, notice DESC LIMIT 1000000 OFFSET ?2)";
    conn.execute(sql, params![box_id, KEPT_MAX])?;
    Ok(())
}

/// Those that arrived since, the youngest first.
pub fn since(conn: &Connection, since: Millis) -> Result<Vec<Kept>> {
    let sql = "SELECT site, notice, at, what, place, received, seen_by, seen, trunk FROM notice
               WHERE received >= ?1 ORDER BY received DESC, notice LIMIT ?2";
    conn.all(sql, params![since.0, SHOWN_MAX], kept)
}

fn kept(row: &Row<'_>) -> Result<Kept> {
    let (by, at): (Option<String>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(Kept {
        site: row.get::<String>(0)?.parse().map_err(|error| Error::corrupt("a site", error))?,
        notice: Notice {
            notice: row.get::<String>(1)?.parse().map_err(|error| Error::corrupt("a notice", error))?,
            at: Millis(row.get(2)?),
            what: read(&row.get::<String>(3)?)?,
            place: row.get::<Option<String>>(4)?.and_then(|place| place.parse().ok()),
            trunk: row.get::<Option<String>>(8)?.and_then(|trunk| trunk.parse().ok()),
        },
        received: Millis(row.get(5)?),
        seen: by.zip(at.map(Millis)),
    })
}

/// Who saw it first is kept. False: there is no such notice.
pub fn see(conn: &Connection, site: &SiteId, notice: NoticeId, by: &str, now: Millis) -> Result<bool> {
    let sql = "UPDATE notice SET seen_by = coalesce(seen_by, ?3), seen = coalesce(seen, ?4)
               WHERE site = ?1 AND notice = ?2";
    let changed = conn.execute(sql, params![site, notice.to_string(), by, now.0])?;
    if changed > 0 {
        touched::note(conn, site, Touched::Figures)?;
    }
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
