//! Figures over time, summed over sites within the database, each stretch of time with how complete it is.
//!
//! Quarters of an hour are read from the cells, in the order of time; hours and days from what is kept summed
//! ([`crate::interval::SPANS_S`]), one stretch of rows a site. So 30 days of 500 sites with five queues are 15,000 rows in
//! days of UTC, or 360,000 hours where days begin at another time (five times as many to tell queues apart), and never the
//! 7.2 million cells.

use std::collections::BTreeMap;

use model::{Millis, QueueId, SiteId};
use serde::Serialize;

use crate::{
    Result,
    coverage::{self, Counts, Cover},
    interval::{self, Sums, summed},
    sql::{Connection, Row, Value, params},
};

/// Most bins of one answer, by their length.
const BINS_MAX: [(u32, i64); 3] = [(QUARTER_S, 288), (HOUR_S, 744), (DAY_S, 400)];
/// Queues that can be asked for by name.
pub const QUEUES_MAX: usize = 8;
/// Sites that are told apart in one answer.
pub const SITES_MAX: usize = 8;
const QUARTER_S: u32 = 900;
const HOUR_S: u32 = 3_600;
const DAY_S: u32 = 86_400;

/// Bins of `length_s` that start in `from..to`. `offset_s` is how far the days asked for are ahead of those of UTC, in
/// whole hours. Without `queues` everything is summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub from: Millis,
    pub to: Millis,
    pub length_s: u32,
    pub offset_s: i32,
    pub queues: Vec<QueueId>,
    pub apart: Apart,
}

/// What is told apart, beside the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Apart {
    /// The queues that are named.
    #[default]
    Queues,
    /// The first [`SITES_MAX`] sites.
    Sites,
}

/// Why a question is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("length_s is 900, 3600 or 86400")]
    Length,
    #[error("from must be before to, and neither before 1970")]
    Window,
    #[error("more than {0} bins")]
    Bins(i64),
    #[error("offset_s is whole hours, at most 14 either way")]
    Offset,
    #[error("more than {QUEUES_MAX} queues")]
    Queues,
}

/// One stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Bin {
    pub start: Millis,
    #[serde(flatten)]
    pub figures: Sums,
    #[serde(flatten)]
    pub counts: Counts,
    /// Intervals that arrived without figures of their own: too few callers to be told, or none.
    pub small: u64,
}

/// What is said of one site in the time asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = TrendSite)]
pub struct Site {
    pub site: SiteId,
    #[serde(flatten)]
    pub counts: Counts,
    /// Up to where everything has arrived.
    pub known_until: Option<Millis>,
    /// The longest that an interval took to come, in ms; 0: all came in time.
    pub lateness_ms_max: u64,
    /// Whether its boxes say how far they count.
    pub known: bool,
    pub queues: Vec<QueueId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub total: Vec<Bin>,
    /// In the order in which they were asked for; empty where sites are told apart.
    pub queues: Vec<(QueueId, Vec<Bin>)>,
    /// In the order of their ids; empty where queues are told apart.
    pub branches: Vec<(SiteId, Vec<Bin>)>,
    pub sites: Vec<Site>,
}

impl Question {
    pub fn check(&self) -> std::result::Result<(), Problem> {
        let (_, most) = BINS_MAX.into_iter().find(|(length_s, _)| *length_s == self.length_s).ok_or(Problem::Length)?;
        if self.from.0 < 0 || self.to.0 <= self.from.0 || self.to.0 > i64::MAX / 2 {
            return Err(Problem::Window);
        }
        if self.offset_s.unsigned_abs() > 14 * HOUR_S || self.offset_s % 3_600 != 0 {
            return Err(Problem::Offset);
        }
        if self.queues.len() > QUEUES_MAX {
            return Err(Problem::Queues);
        }
        let (first, last) = (self.floor(self.from.0), self.floor(self.to.0.saturating_sub(1)));
        if (last - first) / self.length_ms() >= most { Err(Problem::Bins(most)) } else { Ok(()) }
    }

    fn length_ms(&self) -> i64 {
        i64::from(self.length_s.max(1)) * 1_000
    }

    fn offset_ms(&self) -> i64 {
        i64::from(self.offset_s) * 1_000
    }

    fn floor(&self, at: i64) -> i64 {
        at.saturating_sub(at.saturating_add(self.offset_ms()).rem_euclid(self.length_ms()))
    }
}

/// The bins of a selection of sites, as of `now`.
struct Table<'a> {
    question: &'a Question,
    first: i64,
    count: usize,
}

/// `wanted` chooses the sites. The question must have been checked.
pub fn ask(conn: &Connection, question: &Question, now: Millis, wanted: impl Fn(&SiteId) -> bool) -> Result<Answer> {
    let (first, last) = (question.floor(question.from.0), question.floor(question.to.0.saturating_sub(1)));
    let count = usize::try_from((last - first) / question.length_ms() + 1).unwrap_or(0);
    let table = Table { question, first, count };
    let covers = coverage::read(conn, Millis(first), now, wanted)?;
    let parts: Vec<Option<&QueueId>> = match question.queues.as_slice() {
        [] => vec![None],
        queues => queues.iter().map(Some).collect(),
    };
    let mut answer = Answer { total: table.bins(), ..Answer::default() };
    let mut series: Vec<Vec<Bin>> = parts.iter().map(|_| table.bins()).collect();
    let mut cells = table.cells(conn)?;
    for (site, cover) in &covers {
        let mut own = match &mut cells {
            Some(cells) => cells.remove(site).unwrap_or_default(),
            None => table.kept(conn, site)?,
        };
        let mut branch = table.bins();
        for (bins, part) in series.iter_mut().zip(&parts) {
            let figures = own.remove(part.map_or("", QueueId::as_str)).unwrap_or_default();
            let told = table.told(&figures, cover, *part);
            [bins, &mut branch, &mut answer.total].into_iter().for_each(|sum| add(sum, &told));
        }
        if question.apart == Apart::Sites && answer.branches.len() < SITES_MAX {
            answer.branches.push((site.clone(), branch));
        }
        answer.sites.push(table.site(site, cover));
    }
    if question.apart == Apart::Queues {
        answer.queues = question.queues.iter().cloned().zip(series).collect();
    }
    Ok(answer)
}

fn add(sums: &mut [Bin], bins: &[Bin]) {
    for (sum, bin) in sums.iter_mut().zip(bins) {
        sum.add(bin);
    }
}

impl Bin {
    fn add(&mut self, other: &Bin) {
        self.figures.add(other.figures);
        self.counts.add(other.counts);
        self.small = self.small.saturating_add(other.small);
    }
}

type Found = (String, String, usize, (u64, Sums));

/// Of one site: the name of a queue, or none for everything; the bin's number; cells and their sum.
type Own = BTreeMap<String, BTreeMap<usize, (u64, Sums)>>;

impl Table<'_> {
    fn bins(&self) -> Vec<Bin> {
        let start = |n: i64| Millis(self.first.saturating_add(n.saturating_mul(self.question.length_ms())));
        (0..).take(self.count).map(|n| Bin { start: start(n), ..Bin::default() }).collect()
    }

    fn end(&self) -> i64 {
        let count = i64::try_from(self.count).unwrap_or(0);
        self.first.saturating_add(count.saturating_mul(self.question.length_ms()))
    }

    fn site(&self, site: &SiteId, cover: &Cover) -> Site {
        let (from, end) = (Millis(self.first), Millis(self.end()));
        Site {
            site: site.clone(),
            counts: cover.count(from, end, None),
            known_until: cover.known_until(),
            lateness_ms_max: cover.lateness_ms_max(from, end),
            known: cover.is_known(),
            queues: cover.queues().cloned().collect(),
        }
    }

    /// Of one site, or of one of its queues.
    fn told(&self, figures: &BTreeMap<usize, (u64, Sums)>, cover: &Cover, queue: Option<&QueueId>) -> Vec<Bin> {
        let mut bins = self.bins();
        let mut counts = vec![Counts::default(); bins.len()];
        cover.spread(self.first, self.question.length_ms(), queue, &mut counts);
        for (n, (bin, counts)) in bins.iter_mut().zip(counts).enumerate() {
            let (cells, sum) = figures.get(&n).copied().unwrap_or_default();
            (bin.figures, bin.counts) = (sum, counts);
            // Of a whole site the cells are not told apart by their queues: one is enough.
            bin.small = match queue {
                Some(_) => counts.arrived.saturating_sub(cells),
                None if cells == 0 => counts.arrived,
                None => 0,
            };
        }
        bins
    }

    /// `AND queue IN (…)`, and what the rows are told apart by.
    fn filter(&self, first: usize) -> (String, &'static str) {
        if self.question.queues.is_empty() {
            return (String::new(), "''");
        }
        let places: Vec<String> = (first..).take(self.question.queues.len()).map(|n| format!("?{n}")).collect();
        (format!(" AND queue IN ({})", places.join(", ")), "queue")
    }

    fn number(&self, begun: i64) -> usize {
        usize::try_from(begun.saturating_sub(self.first) / self.question.length_ms()).unwrap_or(usize::MAX)
    }

    /// Site, part, number of the bin, cells and their sum.
    fn ask<'a>(&'a self, conn: &Connection, sql: &str, mut row: Vec<Value<'a>>) -> Result<Vec<Found>> {
        row.extend(self.question.queues.iter().map(|queue| Value::Text(queue.as_str())));
        conn.all(sql, &row, |row: &Row<'_>| {
            let cells = row.get::<i64>(3)?.cast_unsigned();
            Ok((row.get(0)?, row.get(1)?, self.number(row.get(2)?), (cells, Sums::read(row, 4)?)))
        })
    }

    /// ?1 the first moment, ?2 the last, ?3 the length of a bin in ms.
    fn cells_sql(&self) -> String {
        let (filter, part) = self.filter(4);
        format!(
            r#"SELECT site, {part}, start / ?3 * ?3 AS begun, count(*), {}
               FROM "interval" WHERE start >= ?1 AND start < ?2 AND length_s <= 900 AND 900 % length_s = 0{filter}
               GROUP BY 1, 2, 3"#,
            summed!()
        )
    }

    /// ?1 the span, ?2 the site, ?3 the first moment, ?4 the last, ?5 the length of a bin, ?6 how far days are ahead.
    fn kept_sql(&self) -> String {
        let (filter, part) = self.filter(7);
        let table = if self.question.queues.is_empty() { interval::SITES } else { interval::QUEUES };
        format!(
            "SELECT site, {part}, (start + ?6) / ?5 * ?5 - ?6 AS begun, CAST(sum(cells) AS BIGINT), {}
             FROM {table} WHERE span_s = ?1 AND site = ?2 AND start >= ?3 AND start < ?4{filter}
             GROUP BY 1, 2, 3",
            summed!()
        )
    }

    /// Quarters of an hour of all sites at once; None: what is asked for is kept summed.
    fn cells(&self, conn: &Connection) -> Result<Option<BTreeMap<SiteId, Own>>> {
        if self.question.length_s != QUARTER_S {
            return Ok(None);
        }
        let sql = self.cells_sql();
        let rows = self.ask(conn, &sql, params![self.first, self.end(), self.question.length_ms()].to_vec())?;
        let mut all: BTreeMap<SiteId, Own> = BTreeMap::new();
        for (site, part, bin, figures) in rows {
            all.entry(crate::site::parse(&site)?).or_default().entry(part).or_default().insert(bin, figures);
        }
        Ok(Some(all))
    }

    /// Hours or days of one site, from hours or days that are kept.
    fn kept(&self, conn: &Connection, site: &SiteId) -> Result<Own> {
        let whole_days = self.question.length_s == DAY_S && self.question.offset_s == 0;
        let span_s = if whole_days { DAY_S } else { HOUR_S };
        let offset_ms = if self.question.length_s == DAY_S { self.question.offset_ms() } else { 0 };
        let sql = self.kept_sql();
        let (length_ms, end) = (self.question.length_ms(), self.end());
        let row = params![span_s, site, self.first, end, length_ms, offset_ms].to_vec();
        let mut own = Own::new();
        for (_, part, bin, figures) in self.ask(conn, &sql, row)? {
            own.entry(part).or_default().insert(bin, figures);
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{migrate, sql::Kind};

    fn store() -> Connection {
        let mut conn = Connection(Kind::Sqlite(rusqlite::Connection::open_in_memory().unwrap()));
        migrate::run(&mut conn).unwrap();
        conn
    }

    fn plan(conn: &Connection, sql: &str, params: &[Value<'_>]) -> String {
        let steps = conn.all(&format!("EXPLAIN QUERY PLAN {sql}"), params, |row| row.get::<String>(3)).unwrap();
        steps.join("; ")
    }

    fn table(question: &Question) -> Table<'_> {
        Table { question, first: 0, count: 30 }
    }

    /// Whatever else there is, a question walks over the rows of its own time, and of its own sites.
    #[test]
    fn a_trend_reads_no_rows_but_those_of_its_time() {
        let conn = store();
        for queues in [vec![], vec![QueueId::new("sales").unwrap()]] {
            let (from, to) = (Millis(0), Millis(30 * 86_400_000));
            let question = Question { from, to, length_s: DAY_S, offset_s: 0, queues, apart: Apart::Queues };
            let table = table(&question);
            let named: Vec<Value<'_>> = question.queues.iter().map(|queue| Value::Text(queue.as_str())).collect();
            let site = SiteId::new("north").unwrap();
            let kept = [params![86_400_i64, site, 0_i64, 9_i64, 1_i64, 0_i64], named.as_slice()].concat();
            let plan_kept = plan(&conn, &table.kept_sql(), &kept);
            let from = if question.queues.is_empty() { "site_sum" } else { "interval_sum" };
            let expected = format!("SEARCH {from} USING PRIMARY KEY (span_s=? AND site=? AND start>? AND start<?)");
            assert!(plan_kept.contains(&expected), "{plan_kept}");
            let cells = [params![0_i64, 9_i64, 1_i64], named.as_slice()].concat();
            let plan_cells = plan(&conn, &table.cells_sql(), &cells);
            assert!(plan_cells.contains("SEARCH interval USING PRIMARY KEY (start>? AND start<?)"), "{plan_cells}");
        }
    }

    /// 500 sites, 30 of 60 days: what is kept of that, and how much of it an answer in days looks at.
    #[test]
    fn thirty_days_of_five_hundred_sites_are_fifteen_thousand_rows() {
        let conn = store();
        let file = conn.file().unwrap();
        file.execute_batch(
            "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 499)
             INSERT INTO site (site, created, expected_from) SELECT format('site-%03d', n), 0, 0 FROM n;
             WITH RECURSIVE d(d) AS (SELECT 0 UNION ALL SELECT d + 1 FROM d WHERE d < 59)
             INSERT INTO site_sum SELECT 86400, site, d * 86400000, '', 480, 10, 5, 5, 0, 0, 0, 0, 3, 4, 5, 6
             FROM site, d;",
        )
        .unwrap();
        let (from, to) = (Millis(30 * 86_400_000), Millis(60 * 86_400_000));
        let question = Question { from, to, length_s: DAY_S, offset_s: 0, queues: Vec::new(), apart: Apart::Queues };
        question.check().unwrap();
        let answer = ask(&conn, &question, Millis(60 * 86_400_000), |_| true).unwrap();
        assert_eq!((answer.total.len(), answer.sites.len()), (30, 500));
        assert!(answer.total.iter().all(|bin| bin.figures.offered == 500 * 10));
        let table = Table { question: &question, first: from.0, count: 30 };
        let site = SiteId::new("site-007").unwrap();
        let row = params![86_400_i64, site, from.0, to.0, 86_400_000_i64, 0_i64].to_vec();
        let mut asked = file.prepare(&table.kept_sql()).unwrap();
        let mut rows = asked.query(rusqlite::params_from_iter(&row)).unwrap();
        while rows.next().unwrap().is_some() {}
        drop(rows);
        // 30 rows of one site, some 100 steps of SQLite's machine each; the 30,000 of the table would be millions.
        let steps = asked.get_status(rusqlite::StatementStatus::VmStep);
        assert!((500..6_000).contains(&steps), "{steps} steps");
    }
}
