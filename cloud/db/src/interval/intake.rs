//! Taking the cells of one batch in.

use std::collections::{BTreeMap, BTreeSet};

use model::{Millis, QueueId, SiteId, leaving::Interval};

use crate::{
    Result,
    sql::{Connection, Kind, Param, params},
};

/// A cell that is there gives way to a higher revision, whole.
macro_rules! newer {
    () => {
        r#" ON CONFLICT (start, length_s, site, queue) DO UPDATE SET
               revision = excluded.revision, offered = excluded.offered, answered = excluded.answered,
               abandoned = excluded.abandoned, answered_in_t = excluded.answered_in_t,
               abandoned_in_t = excluded.abandoned_in_t, overflowed = excluded.overflowed,
               recorded = excluded.recorded, wait_s = excluded.wait_s, talk_s = excluded.talk_s,
               hold_s = excluded.hold_s, wrap_up_s = excluded.wrap_up_s, received = excluded.received
           WHERE excluded.revision > "interval".revision"#
    };
}

/// The cells of one site in a batch. Each is written once, as its highest revision in the batch has it.
pub(crate) struct Intake<'a> {
    conn: &'a Connection,
    site: &'a SiteId,
    now: Millis,
    cells: BTreeMap<(Millis, u32, &'a str), &'a Interval>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(conn: &'a Connection, site: &'a SiteId, now: Millis) -> Self {
        Self { conn, site, now, cells: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, interval: &'a Interval) {
        let queue = interval.queue.as_ref().map_or("", QueueId::as_str);
        let kept = self.cells.entry((interval.start, interval.length_s, queue)).or_insert(interval);
        if interval.revision > kept.revision {
            *kept = interval;
        }
    }

    /// Writes them.
    pub(crate) fn end(self) -> Result<()> {
        if self.cells.is_empty() {
            return Ok(());
        }
        self.count()?;
        match &self.conn.0 {
            Kind::Sqlite(_) => self.one_by_one(),
            // A round trip to the server costs more than the row.
            Kind::Postgres(_) => self.together(),
        }
    }

    /// Counts the intervals of which nothing had come before.
    fn count(&self) -> Result<()> {
        let intervals: BTreeSet<(Millis, u32)> =
            self.cells.keys().map(|(start, length_s, _)| (*start, *length_s)).collect();
        let begun = r#"SELECT EXISTS (SELECT 1 FROM "interval" WHERE start = ?1 AND length_s = ?2 AND site = ?3)"#;
        let mut fresh: i64 = 0;
        for (start, length_s) in intervals {
            if !self.conn.only::<bool>(begun, params![start.0, length_s, self.site])? {
                fresh = fresh.saturating_add(1);
            }
        }
        if fresh > 0 {
            let sql = "UPDATE site SET intervals = intervals + ?2 WHERE site = ?1";
            self.conn.execute(sql, params![self.site, fresh])?;
        }
        Ok(())
    }

    fn one_by_one(&self) -> Result<()> {
        const PUT: &str = concat!(
            r#"INSERT INTO "interval" (start, length_s, site, queue, revision, offered, answered, abandoned,
                   answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s, hold_s, wrap_up_s, received)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"#,
            newer!()
        );
        for ((start, length_s, queue), interval) in &self.cells {
            let f = &interval.figures;
            let row = params![
                start.0,
                length_s,
                self.site,
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
                self.now.0,
            ];
            self.conn.execute(PUT, row)?;
        }
        Ok(())
    }

    fn together(&self) -> Result<()> {
        const PUT: &str = concat!(
            r#"INSERT INTO "interval" (site, received, start, length_s, queue, revision, offered, answered, abandoned,
                   answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s, hold_s, wrap_up_s)
               SELECT ?1, ?2, * FROM UNNEST (CAST(?3 AS BIGINT[]), CAST(?4 AS BIGINT[]), CAST(?5 AS TEXT[]),
                   CAST(?6 AS BIGINT[]), CAST(?7 AS BIGINT[]), CAST(?8 AS BIGINT[]), CAST(?9 AS BIGINT[]),
                   CAST(?10 AS BIGINT[]), CAST(?11 AS BIGINT[]), CAST(?12 AS BIGINT[]), CAST(?13 AS BIGINT[]),
                   CAST(?14 AS BIGINT[]), CAST(?15 AS BIGINT[]), CAST(?16 AS BIGINT[]), CAST(?17 AS BIGINT[]))"#,
            newer!()
        );
        let queues: Vec<&str> = self.cells.keys().map(|(_, _, queue)| *queue).collect();
        let column = |of: fn(&Interval) -> i64| -> Vec<i64> { self.cells.values().map(|cell| of(cell)).collect() };
        let (starts, lengths) = (column(|cell| cell.start.0), column(|cell| cell.length_s.into()));
        let figures: [Vec<i64>; 12] = [
            column(|cell| cell.revision.into()),
            column(|cell| cell.figures.offered.into()),
            column(|cell| cell.figures.answered.into()),
            column(|cell| cell.figures.abandoned.into()),
            column(|cell| cell.figures.answered_in_t.into()),
            column(|cell| cell.figures.abandoned_in_t.into()),
            column(|cell| cell.figures.overflowed.into()),
            column(|cell| cell.figures.recorded.into()),
            column(|cell| cell.figures.wait_s.into()),
            column(|cell| cell.figures.talk_s.into()),
            column(|cell| cell.figures.hold_s.into()),
            column(|cell| cell.figures.wrap_up_s.into()),
        ];
        let mut row = params![self.site, self.now.0, starts, lengths, queues].to_vec();
        row.extend(figures.iter().map(Param::value));
        self.conn.execute(PUT, &row).map(drop)
    }
}
