//! What came of outage drills (N-04). The box says what the branch had; that nothing was lost is judged here: when its
//! report arrives, everything that it has told before is in.

use model::{
    BoxId, Millis, SiteId,
    drill::{Drill, Outcome, Report},
    leaving::Figures,
};

use crate::{
    Error, Result, coverage,
    interval::LENGTH_S_MAX,
    site,
    sql::{Connection, Param, params},
    user::Scope,
};

/// Kept of one box; the oldest give way.
pub const KEPT_MAX: i64 = 200;
/// Most that one question is answered with.
pub const SHOWN_MAX: i64 = 500;
/// From its beginning to its end, in ms: a box may be off meanwhile, but says nothing of what is older.
const SPAN_MS_MAX: i64 = 3 * 24 * 3_600 * 1_000;
/// Longest report, as JSON.
const BODY_LEN_MAX: usize = 8_192;

/// Why a report is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("a drill from {began} until {ended}")]
    Span { began: i64, ended: i64 },
    #[error("a drill counts callers")]
    Counts,
    #[error("a report of {0} bytes")]
    Length(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub site: SiteId,
    pub box_id: BoxId,
    pub report: Report,
    /// All intervals that it touches had arrived.
    pub whole: bool,
    /// Their figures were those that the box has told.
    pub equal: bool,
    pub received: Millis,
}

impl Kept {
    /// What was lost on the way has not passed, whatever the box says.
    pub fn outcome(&self) -> Outcome {
        if self.whole && self.equal { self.report.outcome() } else { Outcome::NotPassed }
    }
}

pub fn check(report: &Report) -> std::result::Result<(), Problem> {
    let (began, ended) = (report.began.0, report.ended.0);
    if began < 0 || ended < began || ended.saturating_sub(began) > SPAN_MS_MAX || report.drill.at.0 < 0 {
        return Err(Problem::Span { began, ended });
    }
    if report.during.is_some() || report.before.is_some() {
        return Err(Problem::Counts);
    }
    let length = serde_json::to_string(report).map_or(usize::MAX, |text| text.len());
    if length > BODY_LEN_MAX { Err(Problem::Length(length)) } else { Ok(()) }
}

/// After everything else of its batch. What is told twice of one drill replaces what was told first.
pub fn put(conn: &Connection, box_id: BoxId, site: &SiteId, report: &Report, now: Millis) -> Result<()> {
    let span = (report.began, report.ended);
    let cover = coverage::of_site_since(conn, site, report.began, now)?;
    // Of what did not run nothing can be missing.
    let ran = report.why.ran();
    let whole = !ran || cover.is_some_and(|cover| cover.holds(report.began, report.ended));
    let equal = !ran || figures(conn, box_id, span)? == report.told;
    let body = serde_json::to_string(report).map_err(|error| Error::corrupt("a drill", error))?;
    let sql = "INSERT INTO drill (box, at, site, body, whole, equal, received) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (box, at) DO UPDATE SET site = excluded.site, body = excluded.body, whole = excluded.whole,
                   equal = excluded.equal, received = excluded.received";
    let box_id = box_id.to_string();
    let at = report.drill.at.0;
    conn.execute(sql, params![box_id, at, site, body, i64::from(whole), i64::from(equal), now.0])?;
    let sql = "DELETE FROM drill WHERE box = ?1 AND at IN
                 (SELECT at FROM drill WHERE box = ?1 ORDER BY received DESC, at DESC LIMIT 1000000 OFFSET ?2)";
    conn.execute(sql, params![box_id, KEPT_MAX]).map(drop)
}

/// What this box has told of the intervals that touch the span.
fn figures(conn: &Connection, box_id: BoxId, (from, until): (Millis, Millis)) -> Result<Figures> {
    // No interval is longer than a day: the index is by their start.
    let sql = r#"SELECT CAST(sum(offered) AS BIGINT), CAST(sum(answered) AS BIGINT), CAST(sum(abandoned) AS BIGINT),
                     CAST(sum(answered_in_t) AS BIGINT), CAST(sum(abandoned_in_t) AS BIGINT),
                     CAST(sum(overflowed) AS BIGINT), CAST(sum(recorded) AS BIGINT), CAST(sum(wait_s) AS BIGINT),
                     CAST(sum(talk_s) AS BIGINT), CAST(sum(hold_s) AS BIGINT), CAST(sum(wrap_up_s) AS BIGINT)
                 FROM "interval" WHERE start > ?2 AND start < ?3 AND box = ?1 AND start + length_s * 1000 > ?4"#;
    let earliest = from.0.saturating_sub(i64::from(LENGTH_S_MAX) * 1_000);
    let found = conn.one(sql, params![box_id.to_string(), earliest, until.0, from.0], |row| {
        let sum = |at: usize| row.get::<Option<i64>>(at).map(|n| u32::try_from(n.unwrap_or(0)).unwrap_or(u32::MAX));
        Ok(Figures {
            offered: sum(0)?,
            answered: sum(1)?,
            abandoned: sum(2)?,
            answered_in_t: sum(3)?,
            abandoned_in_t: sum(4)?,
            overflowed: sum(5)?,
            recorded: sum(6)?,
            wait_s: sum(7)?,
            talk_s: sum(8)?,
            hold_s: sum(9)?,
            wrap_up_s: sum(10)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// A box of the site has said what came of it.
pub fn is_reported(conn: &Connection, site: &SiteId, drill: Drill) -> Result<bool> {
    let sql = "SELECT count(*) FROM drill WHERE site = ?1 AND at = ?2";
    Ok(conn.only::<i64>(sql, params![site, drill.at.0])? > 0)
}

/// Of the sites that one may see, the latest to arrive first.
pub fn all(conn: &Connection, scope: &Scope) -> Result<Vec<Kept>> {
    let mut values = vec![SHOWN_MAX.value()];
    let only = match scope {
        Scope::All => String::new(),
        Scope::Sites(sites) if sites.is_empty() => return Ok(Vec::new()),
        Scope::Sites(sites) => {
            values.extend(sites.iter().map(Param::value));
            let places: Vec<String> = (2..values.len().saturating_add(1)).map(|n| format!("?{n}")).collect();
            format!("WHERE site IN ({})", places.join(", "))
        }
    };
    let sql = format!(
        "SELECT site, box, body, whole, equal, received FROM drill {only} ORDER BY received DESC, box, at LIMIT ?1"
    );
    conn.all(&sql, &values, |row| {
        let report = serde_json::from_str(&row.get::<String>(2)?).map_err(|error| Error::corrupt("a drill", error))?;
        Ok(Kept {
            site: site::parse(&row.get::<String>(0)?)?,
            box_id: crate::boxes::parse(&row.get::<String>(1)?)?,
            report,
            whole: row.get::<i64>(3)? == 1,
            equal: row.get::<i64>(4)? == 1,
            received: Millis(row.get(5)?),
        })
    })
}
