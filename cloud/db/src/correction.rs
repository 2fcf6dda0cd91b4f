//! What changed after its time was over, so that a report can say how it differs from the one that was read before:
//! intervals that came late, and figures of intervals that were revised. Kept as sums of differences, one entry for a
//! delivery or for an hour of revisions.

use model::{Millis, SiteId};
use serde::Serialize;

use crate::{
    Error, Result,
    coverage::{Filled, GRACE_MS},
    interval::{Changed, Sums, columns},
    site,
    sql::{Connection, Param, Row, params},
};

/// Kept of one site; the oldest give way.
pub const KEPT_MAX: i64 = 2_000;
/// Most that one question is answered with.
pub const SHOWN_MAX: usize = 500;
/// Late rows that come within this of one another are one delivery.
const DELIVERY_MS: i64 = 600_000;
/// Revisions within one of these are one entry.
const REVISIONS_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = CorrectionKind)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Filled in what was missing.
    Late,
    /// Changed what was there.
    Revised,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Late => "late",
            Kind::Revised => "revised",
        }
    }

    /// How long an entry is added to after it began, or after it was last added to.
    fn goes_on(self, first: i64, last: i64, now: i64) -> bool {
        match self {
            Kind::Late => now.saturating_sub(last) <= DELIVERY_MS,
            Kind::Revised => now.div_euclid(REVISIONS_MS) == first.div_euclid(REVISIONS_MS),
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Correction {
    pub site: SiteId,
    pub kind: Kind,
    pub first_received: Millis,
    pub last_received: Millis,
    /// The time that it is about.
    pub since: Millis,
    pub until: Millis,
    /// Intervals that came late.
    pub intervals: u64,
    /// Cells that are new or changed.
    pub cells: u64,
    /// What must be added to what was shown before.
    pub difference: Sums,
}

/// What one batch adds.
#[derive(Debug, Clone, Copy)]
struct Added {
    since: i64,
    until: i64,
    intervals: u64,
    cells: u64,
    difference: Sums,
}

impl Added {
    fn nothing() -> Self {
        Self { since: i64::MAX, until: i64::MIN, intervals: 0, cells: 0, difference: Sums::default() }
    }

    fn about(&mut self, since: i64, until: i64) {
        self.since = self.since.min(since);
        self.until = self.until.max(until);
    }
}

/// In the transaction of the cells, before what they say to be closed is taken in.
pub(crate) fn note(conn: &Connection, site: &SiteId, changed: &[Changed<'_>], now: Millis) -> Result<()> {
    let over = |change: &&Changed<'_>| change.until().saturating_add(GRACE_MS) < now.0;
    let (mut late, mut revised) = (Added::nothing(), Added::nothing());
    let sql = "SELECT EXISTS (SELECT 1 FROM coverage WHERE site = ?1 AND since <= ?2 AND until > ?2)";
    let mut asked: Option<(i64, bool)> = None;
    for change in changed.iter().filter(over) {
        let start = change.new.start.0;
        let there = match asked {
            Some((at, there)) if at == start => there,
            _ => conn.only(sql, params![site, start])?,
        };
        asked = Some((start, there));
        let added = if there { &mut revised } else { &mut late };
        added.about(start, change.until());
        added.cells += 1;
        added.difference.add(change.difference());
    }
    put(conn, site, Kind::Late, late, now)?;
    put(conn, site, Kind::Revised, revised, now)
}

/// Intervals that were said to be closed came after their time, with callers or without.
pub(crate) fn filled(conn: &Connection, site: &SiteId, filled: &[Filled], now: Millis) -> Result<()> {
    let mut late = Added::nothing();
    for stretch in filled {
        late.about(stretch.since, stretch.until);
        late.intervals += stretch.intervals;
    }
    put(conn, site, Kind::Late, late, now)
}

fn put(conn: &Connection, site: &SiteId, kind: Kind, added: Added, now: Millis) -> Result<()> {
    if added.cells == 0 && added.intervals == 0 {
        return Ok(());
    }
    let sql = "SELECT first_received, last_received FROM correction WHERE site = ?1 AND kind = ?2
               ORDER BY first_received DESC LIMIT 1";
    let last: Option<(i64, i64)> = conn.one(sql, params![site, kind.name()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    // The clock of a server that was set back begins no second entry for the same moment.
    let on = last.filter(|(first, last)| now.0 <= *first || kind.goes_on(*first, *last, now.0));
    let all = added.difference.all();
    let [intervals, cells] = [added.intervals, added.cells].map(u64::cast_signed);
    match on {
        Some((first, last)) => {
            const ADD: &str = "UPDATE correction SET last_received = ?4,
                 since = CASE WHEN since < ?5 THEN since ELSE ?5 END,
                 until = CASE WHEN until > ?6 THEN until ELSE ?6 END,
                 intervals = intervals + ?7, cells = cells + ?8, offered = offered + ?9, answered = answered + ?10,
                 abandoned = abandoned + ?11, answered_in_t = answered_in_t + ?12,
                 abandoned_in_t = abandoned_in_t + ?13, overflowed = overflowed + ?14, recorded = recorded + ?15,
                 wait_s = wait_s + ?16, talk_s = talk_s + ?17, hold_s = hold_s + ?18, wrap_up_s = wrap_up_s + ?19
                 WHERE site = ?1 AND kind = ?2 AND first_received = ?3";
            let received = last.max(now.0);
            let (name, since, until) = (kind.name(), added.since, added.until);
            let mut row = params![site, name, first, received, since, until, intervals, cells].to_vec();
            row.extend(all.iter().map(Param::value));
            conn.execute(ADD, &row)?;
        }
        None => {
            const PUT: &str = concat!(
                "INSERT INTO correction (site, kind, first_received, last_received, since, until, intervals, cells, ",
                columns!(),
                ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
            );
            let (name, since, until) = (kind.name(), added.since, added.until);
            let mut row = params![site, name, now.0, now.0, since, until, intervals, cells].to_vec();
            row.extend(all.iter().map(Param::value));
            conn.execute(PUT, &row)?;
            let sql = "DELETE FROM correction WHERE site = ?1 AND first_received <
                 (SELECT min(first_received) FROM (SELECT first_received FROM correction WHERE site = ?1
                      ORDER BY first_received DESC LIMIT ?2) AS kept)";
            conn.execute(sql, params![site, KEPT_MAX])?;
        }
    }
    Ok(())
}

/// What came since, the youngest first, of the sites for which `wanted` is true; and whether there is more of it.
pub fn since(conn: &Connection, since: Millis, wanted: impl Fn(&SiteId) -> bool) -> Result<(Vec<Correction>, bool)> {
    const ASK: &str = concat!(
        "SELECT site, kind, first_received, last_received, since, until, intervals, cells, ",
        columns!(),
        " FROM correction WHERE last_received >= ?1 ORDER BY last_received DESC, site, kind"
    );
    let (mut found, mut more) = (Vec::new(), false);
    conn.each(ASK, params![since.0], |row| {
        let one = correction(row)?;
        if !wanted(&one.site) {
            return Ok(std::ops::ControlFlow::Continue(()));
        }
        if found.len() >= SHOWN_MAX {
            more = true;
            return Ok(std::ops::ControlFlow::Break(()));
        }
        found.push(one);
        Ok(std::ops::ControlFlow::Continue(()))
    })?;
    Ok((found, more))
}

fn correction(row: &Row<'_>) -> Result<Correction> {
    let kind: String = row.get(1)?;
    let known = [Kind::Late, Kind::Revised].into_iter().find(|known| known.name() == kind);
    Ok(Correction {
        site: site::parse(&row.get::<String>(0)?)?,
        kind: known.ok_or_else(|| Error::corrupt("a correction", kind))?,
        first_received: Millis(row.get(2)?),
        last_received: Millis(row.get(3)?),
        since: Millis(row.get(4)?),
        until: Millis(row.get(5)?),
        intervals: row.get::<i64>(6)?.cast_unsigned(),
        cells: row.get::<i64>(7)?.cast_unsigned(),
        difference: Sums::read(row, 8)?,
    })
}
