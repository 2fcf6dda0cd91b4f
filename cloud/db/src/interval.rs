//! The figures of intervals, as the boxes sent them: the highest revision of a box's cell wins, whole. Cells add up, so a
//! question for a longer interval is answered by a sum.

mod intake;
mod sums;

use model::{
    Millis, QueueId, SiteId,
    leaving::{Figures, Interval},
};
use serde::Serialize;

use crate::{
    Error, Result,
    sql::{Connection, Row, params},
};

pub(crate) use intake::{Changed, Intake};
pub(crate) use sums::{QUEUES, SITES, columns, summed};
pub use sums::{SPANS_S, Span, Sums, kept};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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

/// Cells in the order of time, site and queue. `length_s` must not be 0.
pub fn ask(conn: &Connection, question: Question) -> Result<Answer> {
    // Integer division gives the start of the wider interval; a sum is more than 64 bits to PostgreSQL, unless cast.
    let sql = r#"SELECT site, queue, begun, max(revision), CAST(sum(offered) AS BIGINT), CAST(sum(answered) AS BIGINT),
                     CAST(sum(abandoned) AS BIGINT), CAST(sum(answered_in_t) AS BIGINT),
                     CAST(sum(abandoned_in_t) AS BIGINT), CAST(sum(overflowed) AS BIGINT),
                     CAST(sum(recorded) AS BIGINT), CAST(sum(wait_s) AS BIGINT), CAST(sum(talk_s) AS BIGINT),
                     CAST(sum(hold_s) AS BIGINT), CAST(sum(wrap_up_s) AS BIGINT)
                 FROM (SELECT *, start / ?3 * ?3 AS begun FROM "interval"
                       WHERE start >= ?1 AND start < ?2 AND length_s <= ?4 AND ?4 % length_s = 0) AS cell
                 GROUP BY site, queue, begun ORDER BY begun, site, queue LIMIT ?5"#;
    let length_s = question.length_s.max(1);
    let length_ms = i64::from(length_s).saturating_mul(1_000);
    let (from, to, most) = (question.from.0, question.to.0, CELLS_MAX as i64 + 1);
    let mut cells = conn.all(sql, params![from, to, length_ms, length_s, most], |row| cell(row, length_s))?;
    let cut = cells.len() > CELLS_MAX;
    cells.truncate(CELLS_MAX);
    Ok(Answer { cells, cut })
}

pub(crate) fn queue(text: &str) -> Result<QueueId> {
    QueueId::new(text).map_err(|error| Error::corrupt("a queue", error))
}

fn cell(row: &Row<'_>, length_s: u32) -> Result<Cell> {
    let name: String = row.get(1)?;
    // A sum over many cells may pass 32 bits; it is shown as the largest rather than as nonsense.
    let sum = |at: usize| row.get::<i64>(at).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    Ok(Cell {
        site: crate::site::parse(&row.get::<String>(0)?)?,
        queue: (!name.is_empty()).then(|| queue(&name)).transpose()?,
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
