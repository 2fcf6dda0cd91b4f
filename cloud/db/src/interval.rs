//! The figures of intervals, as the boxes sent them: the highest revision of a cell wins, whole. Cells add up, so a
//! question for a longer interval is answered by a sum.

use model::{
    Millis, QueueId, SiteId,
    leaving::{Figures, Interval},
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use serde::Serialize;

use crate::{Error, Result};

/// Longest interval a box may send: a day.
pub const LENGTH_S_MAX: u32 = 86_400;
/// Most cells in one answer.
pub const CELLS_MAX: usize = 50_000;

/// Why a cell is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("an interval of {0} s")]
    Length(u32),
    #[error("an interval of {length_s} s cannot start at {start}")]
    Start { start: i64, length_s: u32 },
}

/// One cell of an answer. No queue: the whole site, where small queues were folded together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    pub site: SiteId,
    pub queue: Option<QueueId>,
    pub start: Millis,
    pub length_s: u32,
    pub figures: Figures,
    pub revision: u32,
}

/// Which cells: those that start in `from..to`, summed to `length_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub from: Millis,
    pub to: Millis,
    pub length_s: u32,
}

/// The answer, cut at [`CELLS_MAX`] cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    pub cells: Vec<Cell>,
    pub cut: bool,
}

pub fn check(interval: &Interval) -> std::result::Result<(), Problem> {
    let (start, length_s) = (interval.start.0, interval.length_s);
    if length_s == 0 || length_s > LENGTH_S_MAX {
        return Err(Problem::Length(length_s));
    }
    if start < 0 || start % (i64::from(length_s) * 1000) != 0 {
        return Err(Problem::Start { start, length_s });
    }
    Ok(())
}

/// The statements that take the cells of one site in, prepared once for a batch.
pub(crate) struct Intake<'c> {
    begun: CachedStatement<'c>,
    count: CachedStatement<'c>,
    put: CachedStatement<'c>,
    /// The interval of the last cell: a box sends the cells of one interval after one another.
    last: Option<(Millis, u32)>,
}

impl<'c> Intake<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Result<Self> {
        let begun = "SELECT EXISTS (SELECT 1 FROM interval WHERE start = ?1 AND length_s = ?2 AND site = ?3)";
        let count = "UPDATE site SET intervals = intervals + 1 WHERE site = ?1";
        let put = "INSERT INTO interval (start, length_s, site, queue, revision, offered, answered, abandoned,
                       answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s, hold_s, wrap_up_s, received)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                   ON CONFLICT (start, length_s, site, queue) DO UPDATE SET
                       revision = excluded.revision, offered = excluded.offered, answered = excluded.answered,
                       abandoned = excluded.abandoned, answered_in_t = excluded.answered_in_t,
                       abandoned_in_t = excluded.abandoned_in_t, overflowed = excluded.overflowed,
                       recorded = excluded.recorded, wait_s = excluded.wait_s, talk_s = excluded.talk_s,
                       hold_s = excluded.hold_s, wrap_up_s = excluded.wrap_up_s, received = excluded.received
                   WHERE excluded.revision > interval.revision";
        Ok(Self {
            begun: conn.prepare_cached(begun)?,
            count: conn.prepare_cached(count)?,
            put: conn.prepare_cached(put)?,
            last: None,
        })
    }

    pub(crate) fn put(&mut self, site: &SiteId, interval: &Interval, now: Millis) -> Result<()> {
        let (start, length_s, site) = (interval.start.0, interval.length_s, site.as_str());
        if self.last != Some((interval.start, length_s)) {
            let begun: bool = self.begun.query_row(params![start, length_s, site], |row| row.get(0))?;
            if !begun {
                self.count.execute([site])?;
            }
            self.last = Some((interval.start, length_s));
        }
        let f = &interval.figures;
        let queue = interval.queue.as_ref().map_or("", QueueId::as_str);
        self.put.execute(params![
            start,
            length_s,
            site,
            queue,
            interval.revision,
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
            now.0,
        ])?;
        Ok(())
    }
}

/// Cells in the order of time, site and queue. `length_s` must not be 0.
pub fn ask(conn: &Connection, question: Question) -> Result<Answer> {
    let sql =
        "SELECT site, queue, start / (?3 * 1000) * (?3 * 1000) AS begin, max(revision), sum(offered), sum(answered),
                   sum(abandoned), sum(answered_in_t), sum(abandoned_in_t), sum(overflowed), sum(recorded), sum(wait_s),
                   sum(talk_s), sum(hold_s), sum(wrap_up_s)
               FROM interval
               WHERE start >= ?1 AND start < ?2 AND length_s <= ?3 AND ?3 % length_s = 0
               GROUP BY site, queue, begin ORDER BY begin, site, queue LIMIT ?4";
    let length_s = question.length_s.max(1);
    let mut found = conn.prepare_cached(sql)?;
    let mut rows = found.query(params![question.from.0, question.to.0, length_s, CELLS_MAX as i64 + 1])?;
    let mut answer = Answer::default();
    while let Some(row) = rows.next()? {
        if answer.cells.len() == CELLS_MAX {
            answer.cut = true;
            break;
        }
        answer.cells.push(cell(row, length_s)?);
    }
    Ok(answer)
}

fn cell(row: &rusqlite::Row<'_>, length_s: u32) -> Result<Cell> {
    let queue: String = row.get(1)?;
    let queue = (!queue.is_empty()).then(|| QueueId::new(&queue)).transpose();
    // A sum over many cells may pass 32 bits; it is shown as the largest rather than as nonsense.
    let sum = |at: usize| row.get::<_, i64>(at).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    Ok(Cell {
        site: crate::site::parse(&row.get::<_, String>(0)?)?,
        queue: queue.map_err(|error| Error::corrupt("a queue", error))?,
        start: Millis(row.get(2)?),
        length_s,
        revision: row.get(3)?,
        figures: Figures {
            offered: sum(4)?,
            answered: sum(5)?,
            abandoned: sum(6)?,
            answered_in_t: sum(7)?,
            abandoned_in_t: sum(8)?,
            overflowed: sum(9)?,
            recorded: sum(10)?,
            wait_s: sum(11)?,
            talk_s: sum(12)?,
            hold_s: sum(13)?,
            wrap_up_s: sum(14)?,
        },
    })
}

/// How many intervals of a site have arrived: each counts once, whatever its number of queues.
pub fn received(conn: &Connection, site: &SiteId) -> Result<u64> {
    let mut found = conn.prepare_cached("SELECT intervals FROM site WHERE site = ?1")?;
    let count: Option<i64> = found.query_row([site.as_str()], |row| row.get(0)).optional()?;
    Ok(count.unwrap_or(0).cast_unsigned())
}
