//! Taking in what boxes say to be closed. What was said before is said again after a restored disk, a replaced box or a
//! clock that was set back: only what is new of it counts, as it came first.

use std::collections::BTreeSet;

use model::{BoxId, Millis, QueueId, SiteId, leaving::Closed};

use super::{AHEAD_MS, Fate, GRACE_MS, LIVES_MAX, STRETCHES_MAX, Stretch, floor, starts};
use crate::{
    Result,
    sql::{Connection, params},
};

/// Late stretches that arrive within this of one another are one delivery.
const DELIVERY_MS: i64 = 600_000;

/// The statements of one site in a batch, and what was known of the site before it.
pub(crate) struct Intake<'a> {
    conn: &'a Connection,
    site: &'a SiteId,
    box_id: BoxId,
    now: Millis,
    said: Vec<&'a Closed>,
}

/// Intervals that arrived, for the record of what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filled {
    pub since: i64,
    pub until: i64,
    pub intervals: u64,
}

struct Piece<'a> {
    stretch: Stretch,
    queues: &'a [QueueId],
}

impl<'a> Intake<'a> {
    pub(crate) fn new(conn: &'a Connection, site: &'a SiteId, box_id: BoxId, now: Millis) -> Self {
        Self { conn, site, box_id, now, said: Vec::new() }
    }

    pub(crate) fn put(&mut self, closed: &'a Closed) {
        self.said.push(closed);
    }

    /// Writes what is new; says which intervals came after their time.
    pub(crate) fn end(self) -> Result<Vec<Filled>> {
        let Some(first) = self.said.iter().map(|closed| closed.from.0).min() else { return Ok(Vec::new()) };
        let begun = self.begun(first)?;
        // With the one that ends where these begin.
        let sql = "SELECT since, until, length_s, fate, measured, received FROM coverage
                   WHERE site = ?1 AND until >= ?2 ORDER BY since";
        let known = self.conn.all(sql, params![self.site, first], |row| super::stretch(row, 0))?;
        let mut taken: Vec<(i64, i64)> = known.iter().map(|stretch| (stretch.since, stretch.until)).collect();
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        for closed in &self.said {
            let from = closed.from.0.max(floor(begun, closed.length_s));
            let until = closed.until.0.min(floor(self.now.0.saturating_add(AHEAD_MS), closed.length_s));
            for (since, until) in new_of((from, until), &taken) {
                pieces.extend(self.fates(closed, since, until));
                let at = taken.partition_point(|(begin, _)| *begin < since);
                taken.insert(at, (since, until));
            }
        }
        let filled = pieces.iter().filter(|piece| piece.stretch.fate != Fate::OnTime).map(|piece| {
            let Stretch { since, until, length_s, .. } = piece.stretch;
            Filled { since, until, intervals: starts(since, until, length_s) }
        });
        let filled = filled.collect();
        self.write(known, joined(pieces))?;
        Ok(filled)
    }

    /// Since when intervals of the site are expected. The first box that ever stood there says where it began to count;
    /// nothing can be missing of the time before.
    fn begun(&self, first: i64) -> Result<i64> {
        let sql = "SELECT expected_from FROM site WHERE site = ?1";
        let expected: Option<i64> = self.conn.one(sql, params![self.site], |row| row.get(0))?.flatten();
        let fresh = "SELECT NOT EXISTS (SELECT 1 FROM coverage WHERE site = ?1)
                         AND NOT EXISTS (SELECT 1 FROM box WHERE site = ?1 AND box <> ?2)";
        let begun = match expected {
            None => first,
            Some(expected) if first > expected => {
                let fresh: bool = self.conn.only(fresh, params![self.site, self.box_id.to_string()])?;
                if !fresh {
                    return Ok(expected);
                }
                first
            }
            Some(expected) => return Ok(expected),
        };
        self.conn.execute("UPDATE site SET expected_from = ?2 WHERE site = ?1", params![self.site, begun])?;
        Ok(begun)
    }

    /// Parts a stretch by how its intervals came: first those that the box closed late, then those that it closed in
    /// time and could not deliver, then those that are here in time.
    fn fates(&self, closed: &'a Closed, since: i64, until: i64) -> Vec<Piece<'a>> {
        let length_ms = i64::from(closed.length_s) * 1_000;
        let first_within = |moment: Millis| {
            let start = moment.0.saturating_sub(GRACE_MS).saturating_sub(length_ms);
            floor(start.saturating_add(length_ms - 1), closed.length_s).clamp(since, until)
        };
        let in_time = first_within(self.now);
        let closed_in_time = first_within(closed.at).min(in_time);
        let parts = [
            (since, closed_in_time, Fate::Late),
            (closed_in_time, in_time, Fate::Isolated),
            (in_time, until, Fate::OnTime),
        ];
        let pieces = parts.into_iter().filter(|(since, until, _)| since < until).map(|(since, until, fate)| {
            let (length_s, measured, received) = (closed.length_s, closed.at, self.now);
            Piece { stretch: Stretch { since, until, length_s, fate, measured, received }, queues: &closed.queues }
        });
        pieces.collect()
    }

    fn write(&self, known: Vec<Stretch>, pieces: Vec<Piece<'_>>) -> Result<()> {
        let mut ends: Vec<Stretch> = known;
        for Piece { stretch, queues } in pieces {
            let before = ends.iter_mut().find(|end| goes_on(end, &stretch));
            match before {
                Some(before) => {
                    let sql =
                        "UPDATE coverage SET until = ?3, measured = ?4, received = ?5 WHERE site = ?1 AND since = ?2";
                    let (measured, received) = (stretch.measured.0, stretch.received.0);
                    self.conn.execute(sql, params![self.site, before.since, stretch.until, measured, received])?;
                    (before.until, before.received) = (stretch.until, stretch.received);
                }
                None => {
                    if !self.has_room("coverage", STRETCHES_MAX)? {
                        tracing::warn!(site = %self.site, "more stretches of intervals than are kept of a site");
                        return Ok(());
                    }
                    let sql = "INSERT INTO coverage (site, since, until, length_s, fate, measured, received)
                               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                    let Stretch { since, until, length_s, fate, measured, received } = stretch;
                    let fate = fate.name();
                    let row = params![self.site, since, until, length_s, fate, measured.0, received.0];
                    self.conn.execute(sql, row)?;
                    ends.push(stretch);
                }
            }
            self.live(&stretch, queues)?;
        }
        Ok(())
    }

    fn live(&self, stretch: &Stretch, queues: &[QueueId]) -> Result<()> {
        for queue in queues.iter().collect::<BTreeSet<_>>() {
            let sql = "UPDATE queue_life SET until = ?4 WHERE site = ?1 AND queue = ?2 AND until = ?3";
            let queue = queue.as_str();
            if self.conn.execute(sql, params![self.site, queue, stretch.since, stretch.until])? > 0 {
                continue;
            }
            if !self.has_room("queue_life", LIVES_MAX)? {
                tracing::warn!(site = %self.site, "more lives of queues than are kept of a site");
                return Ok(());
            }
            let sql = "INSERT INTO queue_life (site, queue, since, until) VALUES (?1, ?2, ?3, ?4)";
            self.conn.execute(sql, params![self.site, queue, stretch.since, stretch.until])?;
        }
        Ok(())
    }

    fn has_room(&self, table: &'static str, most: i64) -> Result<bool> {
        let sql = format!("SELECT count(*) < ?2 FROM {table} WHERE site = ?1");
        self.conn.only(&sql, params![self.site, most])
    }
}

/// What of a stretch of time no other one has. The others are in order and do not overlap.
fn new_of((from, until): (i64, i64), taken: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut at, mut new) = (from, Vec::new());
    for (since, end) in taken {
        if *since >= until {
            break;
        }
        if *since > at {
            new.push((at, *since));
        }
        at = at.max(*end);
    }
    if at < until {
        new.push((at, until));
    }
    new
}

/// Whether one row is enough for both.
fn goes_on(before: &Stretch, next: &Stretch) -> bool {
    let together = next.fate == Fate::OnTime || next.received.0.saturating_sub(before.received.0) <= DELIVERY_MS;
    (before.until, before.length_s, before.fate) == (next.since, next.length_s, next.fate) && together
}

fn joined(pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    let mut joined: Vec<Piece<'_>> = Vec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if goes_on(&last.stretch, &piece.stretch) && last.queues == piece.queues => {
                (last.stretch.until, last.stretch.measured) = (piece.stretch.until, piece.stretch.measured);
            }
            _ => joined.push(piece),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_of_a_stretch_is_what_no_other_has() {
        let taken = [(10, 20), (30, 40)];
        assert_eq!(new_of((0, 50), &taken), [(0, 10), (20, 30), (40, 50)]);
        assert_eq!(new_of((12, 18), &taken), []);
        assert_eq!(new_of((15, 35), &taken), [(20, 30)]);
        assert_eq!(new_of((40, 50), &taken), [(40, 50)]);
        assert_eq!(new_of((50, 50), &taken), []);
    }
}
