//! Taking the cells of one batch in.

use std::collections::BTreeMap;

use model::{BoxId, Millis, QueueId, SiteId, leaving::Interval};

use super::sums::{self, Sums, columns};
use crate::{
    Result,
    sql::{Connection, Kind, Param, params},
};

/// A cell that is there gives way to a higher revision, whole.
macro_rules! newer {
    () => {
        r#" ON CONFLICT (start, length_s, site, queue, box) DO UPDATE SET
               revision = excluded.revision, offered = excluded.offered, answered = excluded.answered,
               abandoned = excluded.abandoned, answered_in_t = excluded.answered_in_t,
               abandoned_in_t = excluded.abandoned_in_t, overflowed = excluded.overflowed,
               recorded = excluded.recorded, wait_s = excluded.wait_s, talk_s = excluded.talk_s,
               hold_s = excluded.hold_s, wrap_up_s = excluded.wrap_up_s, received = excluded.received
           WHERE excluded.revision > "interval".revision"#
    };
}

/// The cells of one interval that are there: by queue, the revision and the figures.
type There = BTreeMap<String, (u32, Sums)>;

/// A cell that is new, or newer than the one that was there.
pub(crate) struct Changed<'a> {
    pub(crate) new: &'a Interval,
    pub(crate) old: Option<Sums>,
}

impl<'a> Changed<'a> {
    /// Empty: the whole site.
    pub(crate) fn queue(&self) -> &'a str {
        place(self.new).2
    }

    pub(crate) fn difference(&self) -> Sums {
        Sums::from(self.new.figures).since(self.old.unwrap_or_default())
    }

    /// End of its interval.
    pub(crate) fn until(&self) -> i64 {
        self.new.start.0.saturating_add(i64::from(self.new.length_s) * 1_000)
    }
}

fn place(interval: &Interval) -> (Millis, u32, &str) {
    (interval.start, interval.length_s, interval.queue.as_ref().map_or("", QueueId::as_str))
}

/// The cells of one box in a batch. Each is written once, as its highest revision in the batch has it.
pub(crate) struct Intake<'a> {
    conn: &'a Connection,
    site: &'a SiteId,
    box_id: String,
    now: Millis,
    cells: BTreeMap<(Millis, u32, &'a str), &'a Interval>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(conn: &'a Connection, site: &'a SiteId, box_id: BoxId, now: Millis) -> Self {
        Self { conn, site, box_id: box_id.to_string(), now, cells: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, interval: &'a Interval) {
        let kept = self.cells.entry(place(interval)).or_insert(interval);
        if interval.revision > kept.revision {
            *kept = interval;
        }
    }

    /// Writes them; says what has changed by it.
    pub(crate) fn end(mut self) -> Result<Vec<Changed<'a>>> {
        let mut changed = self.compare()?;
        if changed.is_empty() {
            return Ok(changed);
        }
        self.cells = changed.iter().map(|change| (place(change.new), change.new)).collect();
        match &self.conn.0 {
            Kind::Sqlite(_) => self.one_by_one()?,
            // A round trip to the server costs more than the row.
            Kind::Postgres(_) => self.together()?,
        }
        sums::keep(self.conn, self.site, &changed)?;
        changed.retain(|change| change.difference() != Sums::default() || change.old.is_none());
        Ok(changed)
    }

    /// The cells that are newer than what is there.
    fn compare(&self) -> Result<Vec<Changed<'a>>> {
        const THERE: &str = concat!(
            r#"SELECT queue, revision, "#,
            columns!(),
            r#" FROM "interval" WHERE start = ?1 AND length_s = ?2 AND site = ?3 AND box = ?4"#
        );
        let mut changed = Vec::new();
        let mut there: Option<(Millis, u32, There)> = None;
        for ((start, length_s, queue), new) in &self.cells {
            let cells = match &there {
                Some((at, length, cells)) if (at, length) == (start, length_s) => cells,
                _ => {
                    let cells = self.conn.all(THERE, params![start.0, length_s, self.site, self.box_id], |row| {
                        Ok((row.get::<String>(0)?, (row.get::<u32>(1)?, Sums::read(row, 2)?)))
                    })?;
                    &there.insert((*start, *length_s, cells.into_iter().collect())).2
                }
            };
            match cells.get(*queue) {
                Some((revision, _)) if *revision >= new.revision => {}
                old => changed.push(Changed { new, old: old.map(|(_, figures)| *figures) }),
            }
        }
        Ok(changed)
    }

    fn one_by_one(&self) -> Result<()> {
        const PUT: &str = concat!(
            r#"INSERT INTO "interval" (start, length_s, site, queue, revision, offered, answered, abandoned,
                   answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s, hold_s, wrap_up_s, received,
                   box)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"#,
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
                self.box_id,
            ];
            self.conn.execute(PUT, row)?;
        }
        Ok(())
    }

    fn together(&self) -> Result<()> {
        const PUT: &str = concat!(
            r#"INSERT INTO "interval" (site, received, box, start, length_s, queue, revision, offered, answered, abandoned,
                   answered_in_t, abandoned_in_t, overflowed, recorded, wait_s, talk_s, hold_s, wrap_up_s)
               SELECT ?1, ?2, ?3, * FROM UNNEST (CAST(?4 AS BIGINT[]), CAST(?5 AS BIGINT[]), CAST(?6 AS TEXT[]),
                   CAST(?7 AS BIGINT[]), CAST(?8 AS BIGINT[]), CAST(?9 AS BIGINT[]), CAST(?10 AS BIGINT[]),
                   CAST(?11 AS BIGINT[]), CAST(?12 AS BIGINT[]), CAST(?13 AS BIGINT[]), CAST(?14 AS BIGINT[]),
                   CAST(?15 AS BIGINT[]), CAST(?16 AS BIGINT[]), CAST(?17 AS BIGINT[]), CAST(?18 AS BIGINT[]))"#,
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
        let mut row = params![self.site, self.now.0, self.box_id, starts, lengths, queues].to_vec();
        row.extend(figures.iter().map(Param::value));
        self.conn.execute(PUT, &row).map(drop)
    }
}
