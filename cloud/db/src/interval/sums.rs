//! Sums of figures, wide enough for any number of cells, and the hours and days that are kept of them.

use std::collections::BTreeMap;

use model::{Millis, QueueId, SiteId, leaving::Figures};
use serde::Serialize;

use super::intake::Changed;
use crate::{
    Result,
    sql::{Connection, Kind, Param, Row, params},
};

/// What is kept summed, in seconds: an hour and a day.
pub const SPANS_S: [u32; 2] = [3_600, 86_400];
/// Where they are kept: of each queue, and of all queues of a site.
pub(crate) const QUEUES: &str = "interval_sum";
pub(crate) const SITES: &str = "site_sum";
/// The columns of figures, in the order of [`Sums::all`].
macro_rules! columns {
    () => {
        "offered, answered, abandoned, answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s, hold_s, wrap_up_s"
    };
}
/// The same, summed.
macro_rules! summed {
    () => {
        "CAST(sum(offered) AS BIGINT), CAST(sum(answered) AS BIGINT), CAST(sum(abandoned) AS BIGINT),
         CAST(sum(answered_in_t) AS BIGINT), CAST(sum(abandoned_in_t) AS BIGINT), CAST(sum(overflowed) AS BIGINT),
         CAST(sum(recorded) AS BIGINT), CAST(sum(wait_s) AS BIGINT), CAST(sum(talk_s) AS BIGINT),
         CAST(sum(hold_s) AS BIGINT), CAST(sum(wrap_up_s) AS BIGINT)"
    };
}
pub(crate) use {columns, summed};

/// [`Figures`] added up, or the difference of two of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct Sums {
    pub offered: i64,
    pub answered: i64,
    pub abandoned: i64,
    pub answered_in_t: i64,
    pub abandoned_in_t: i64,
    pub overflowed: i64,
    pub recorded: i64,
    pub wait_s: i64,
    pub talk_s: i64,
    pub hold_s: i64,
    pub wrap_up_s: i64,
}

impl From<Figures> for Sums {
    fn from(f: Figures) -> Self {
        let all = [
            f.offered,
            f.answered,
            f.abandoned,
            f.answered_in_t,
            f.abandoned_in_t,
            f.overflowed,
            f.recorded,
            f.wait_s,
            f.talk_s,
            f.hold_s,
            f.wrap_up_s,
        ];
        Self::from(all.map(i64::from))
    }
}

impl From<[i64; 11]> for Sums {
    fn from(all: [i64; 11]) -> Self {
        let [offered, answered, abandoned, answered_in_t, abandoned_in_t, overflowed, recorded, ..] = all;
        let [.., wait_s, talk_s, hold_s, wrap_up_s] = all;
        Self {
            offered,
            answered,
            abandoned,
            answered_in_t,
            abandoned_in_t,
            overflowed,
            recorded,
            wait_s,
            talk_s,
            hold_s,
            wrap_up_s,
        }
    }
}

impl Sums {
    /// In the order of the columns.
    pub fn all(&self) -> [i64; 11] {
        [
            self.offered,
            self.answered,
            self.abandoned,
            self.answered_in_t,
            self.abandoned_in_t,
            self.overflowed,
            self.recorded,
            self.wait_s,
            self.talk_s,
            self.hold_s,
            self.wrap_up_s,
        ]
    }

    pub fn add(&mut self, other: Self) {
        let (mut all, other) = (self.all(), other.all());
        for (mine, theirs) in all.iter_mut().zip(other) {
            *mine = mine.saturating_add(theirs);
        }
        *self = all.into();
    }

    /// What must be added to `earlier` to come here.
    pub(crate) fn since(mut self, earlier: Self) -> Self {
        self.add(earlier.all().map(i64::saturating_neg).into());
        self
    }

    /// From the columns of a row that begin with this one.
    pub(crate) fn read(row: &Row<'_>, first: usize) -> Result<Self> {
        let mut all = [0; 11];
        for (at, one) in (first..).zip(&mut all) {
            *one = row.get(at)?;
        }
        Ok(all.into())
    }
}

type Sum<'a> = BTreeMap<(u32, i64, &'a str), (i64, Sums)>;

/// Adds to the hours and days what changed in their cells: of each queue, and of the site.
pub(super) fn keep(conn: &Connection, site: &SiteId, changed: &[Changed<'_>]) -> Result<()> {
    let (mut queues, mut together) = (Sum::new(), Sum::new());
    for change in changed {
        let (length_s, cells) = (change.new.length_s, i64::from(change.old.is_none()));
        for span_s in SPANS_S.into_iter().filter(|span_s| length_s <= *span_s && span_s % length_s.max(1) == 0) {
            let span_ms = i64::from(span_s) * 1_000;
            let start = change.new.start.0 - change.new.start.0.rem_euclid(span_ms);
            for (sums, queue) in [(&mut queues, change.queue()), (&mut together, "")] {
                let (count, sum) = sums.entry((span_s, start, queue)).or_default();
                *count += cells;
                sum.add(change.difference());
            }
        }
    }
    if queues.is_empty() {
        return Ok(());
    }
    match &conn.0 {
        Kind::Sqlite(_) => {
            one_by_one(conn, QUEUES, site, &queues)?;
            one_by_one(conn, SITES, site, &together)
        }
        Kind::Postgres(_) => {
            at_once(conn, QUEUES, site, &queues)?;
            at_once(conn, SITES, site, &together)
        }
    }
}

fn one_by_one(conn: &Connection, table: &str, site: &SiteId, sums: &Sum<'_>) -> Result<()> {
    let put = format!(
        "INSERT INTO {table} (span_s, site, start, queue, cells, {})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) {}",
        columns!(),
        added(table)
    );
    for ((span_s, start, queue), (cells, sum)) in sums {
        let mut row = params![span_s, site, start, queue, cells].to_vec();
        let all = sum.all();
        row.extend(all.iter().map(Param::value));
        conn.execute(&put, &row)?;
    }
    Ok(())
}

fn at_once(conn: &Connection, table: &str, site: &SiteId, sums: &Sum<'_>) -> Result<()> {
    let put = format!(
        "INSERT INTO {table} (site, span_s, start, queue, cells, {})
         SELECT ?1, * FROM UNNEST (CAST(?2 AS BIGINT[]), CAST(?3 AS BIGINT[]), CAST(?4 AS TEXT[]),
             CAST(?5 AS BIGINT[]), CAST(?6 AS BIGINT[]), CAST(?7 AS BIGINT[]), CAST(?8 AS BIGINT[]),
             CAST(?9 AS BIGINT[]), CAST(?10 AS BIGINT[]), CAST(?11 AS BIGINT[]), CAST(?12 AS BIGINT[]),
             CAST(?13 AS BIGINT[]), CAST(?14 AS BIGINT[]), CAST(?15 AS BIGINT[]), CAST(?16 AS BIGINT[])) {}",
        columns!(),
        added(table)
    );
    let spans: Vec<i64> = sums.keys().map(|(span_s, _, _)| i64::from(*span_s)).collect();
    let starts: Vec<i64> = sums.keys().map(|(_, start, _)| *start).collect();
    let queues: Vec<&str> = sums.keys().map(|(_, _, queue)| *queue).collect();
    let cells: Vec<i64> = sums.values().map(|(cells, _)| *cells).collect();
    let mut figures: [Vec<i64>; 11] = Default::default();
    for (_, sum) in sums.values() {
        for (column, value) in figures.iter_mut().zip(sum.all()) {
            column.push(value);
        }
    }
    let mut row = params![site, spans, starts, queues, cells].to_vec();
    row.extend(figures.iter().map(Param::value));
    conn.execute(&put, &row).map(drop)
}

fn added(table: &str) -> String {
    format!(
        "ON CONFLICT (span_s, site, start, queue) DO UPDATE SET cells = {table}.cells + excluded.cells,
             offered = {table}.offered + excluded.offered, answered = {table}.answered + excluded.answered,
             abandoned = {table}.abandoned + excluded.abandoned,
             answered_in_t = {table}.answered_in_t + excluded.answered_in_t,
             abandoned_in_t = {table}.abandoned_in_t + excluded.abandoned_in_t,
             overflowed = {table}.overflowed + excluded.overflowed, recorded = {table}.recorded + excluded.recorded,
             wait_s = {table}.wait_s + excluded.wait_s, talk_s = {table}.talk_s + excluded.talk_s,
             hold_s = {table}.hold_s + excluded.hold_s, wrap_up_s = {table}.wrap_up_s + excluded.wrap_up_s"
    )
}

/// An hour or a day of one queue, as it is kept. No queue: the whole site, where small queues were folded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub start: Millis,
    pub queue: Option<QueueId>,
    pub cells: u64,
    pub figures: Sums,
}

/// What is kept of a site in spans of one of [`SPANS_S`], in the order of time and queue, and of all its queues together
/// (with no queue's name): for checks that it is what it is kept of.
pub fn kept(conn: &Connection, site: &SiteId, span_s: u32) -> Result<[Vec<Span>; 2]> {
    let of = |table: &str| {
        let from = concat!("SELECT start, queue, cells, ", columns!(), " FROM ");
        let sql = format!("{from}{table} WHERE span_s = ?1 AND site = ?2 ORDER BY start, queue");
        conn.all(&sql, params![span_s, site], |row| {
            let queue: String = row.get(1)?;
            Ok(Span {
                start: Millis(row.get(0)?),
                queue: (!queue.is_empty()).then(|| super::queue(&queue)).transpose()?,
                cells: row.get::<i64>(2)?.cast_unsigned(),
                figures: Sums::read(row, 3)?,
            })
        })
    };
    Ok([of(QUEUES)?, of(SITES)?])
}
