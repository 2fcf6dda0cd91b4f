//! The egress chain on disk. A line gets its place inside the transaction that makes it durable, so that the
//! processes of a box extend one chain between them.

use aws_lc_rs::digest::{SHA256, digest};
use gate::{Broken, Chain, Checkpoint, Class, Entry, Item, merkle};
use model::Millis;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    batch::Span,
    error::Error,
    outbox::{integer, length, unsigned},
    reader::Reader,
};

/// Lines read at once while verifying.
const VERIFY_LINES: usize = 1_000;
/// What left can be read for so long, in ms; its hash stays.
const BODIES_KEPT_MS: i64 = 90 * 24 * 3_600 * 1_000;
/// Bodies that go with one new checkpoint.
const BODIES_SWEPT: i64 = 3_000;

impl Reader {
    /// Lines from index `from` on.
    pub fn egress(&self, from: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        lines(self.db(), from, limit)
    }

    pub fn checkpoints(&self, from: u64, limit: usize) -> Result<Vec<Checkpoint>, Error> {
        let mut select = self.db().prepare_cached(
            "SELECT first, count, at, root FROM checkpoints WHERE first >= ?1 ORDER BY first LIMIT ?2",
        )?;
        let rows = select.query_map(params![integer(from)?, length(limit)], checkpoint)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The body of a line, while it is kept; None for sealed media too, which has none to be read.
    pub fn egress_body(&self, line: u64) -> Result<Option<Vec<u8>>, Error> {
        let mut select = self.db().prepare_cached("SELECT body FROM egress_bodies WHERE line = ?1")?;
        Ok(select.query_row([integer(line)?], |row| row.get(0)).optional()?)
    }

    /// Lines and bytes of each class that left from `from` until before `until`.
    pub fn egress_by_class(&self, from: Millis, until: Millis) -> Result<Vec<(Class, u64, u64)>, Error> {
        let mut select = self.db().prepare_cached(
            "SELECT kind, count(*), sum(bytes) FROM egress WHERE at >= ?1 AND at < ?2 GROUP BY kind ORDER BY kind",
        )?;
        let rows = select.query_map([from.0, until.0], |row| {
            Ok((row.get::<_, u8>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })?;
        rows.map(|row| {
            let (kind, lines, bytes) = row?;
            let class = Class::from_code(kind).ok_or(Error::Unreadable { what: "egress line" })?;
            Ok((class, unsigned(lines), unsigned(bytes)))
        })
        .collect()
    }

    /// Lines of a time, newest first, before line `before`.
    pub fn egress_between(&self, from: Millis, until: Millis, before: u64, limit: usize) -> Result<Vec<Entry>, Error> {
        let mut select = self.db().prepare_cached(
            "SELECT line, at, kind, bytes, sha256, prev, hash FROM egress
             WHERE at >= ?1 AND at < ?2 AND line < ?3 ORDER BY line DESC LIMIT ?4",
        )?;
        let values = params![from.0, until.0, i64::try_from(before).unwrap_or(i64::MAX), length(limit)];
        let rows = select.query_map(values, |row| Ok(entry(row)))?;
        rows.map(|row| row?).collect()
    }

    pub fn egress_lines(&self) -> Result<u64, Error> {
        Ok(stand(self.db())?.next)
    }

    /// The hash that the first line follows: it makes this ledger's chain another than every other one.
    pub fn egress_origin(&self) -> Result<[u8; 32], Error> {
        Ok(origin(self.db())?.head)
    }

    /// Follows the chain from its first line, recomputes every checkpoint, and hashes every body that is kept. Returns how
    /// many lines there are.
    pub fn egress_verify(&self) -> Result<u64, Error> {
        self.together(|db| {
            let broken = |Broken { index }| Error::EgressBroken { index };
            let mut chain = origin(db)?;
            loop {
                let part = lines(db, chain.next, VERIFY_LINES)?;
                if part.is_empty() {
                    break;
                }
                chain = gate::verify(chain, &part).map_err(broken)?;
                bodies_hold(db, &part)?;
            }
            let mut select = db.prepare("SELECT first, count, at, root FROM checkpoints ORDER BY first")?;
            for found in select.query_map([], checkpoint)? {
                let found = found?;
                let under = lines(db, found.first, usize::try_from(found.count).unwrap_or(0))?;
                if !found.covers(&under) {
                    return Err(Error::EgressBroken { index: found.first });
                }
            }
            Ok(chain.next)
        })
    }
}

/// Adds lines to the chain, and checkpoints that are due.
pub(crate) fn append<'a>(db: &Connection, items: impl Iterator<Item = &'a Item>) -> Result<Option<Span>, Error> {
    let mut chain = stand(db)?;
    let first = chain.next;
    let mut insert = db.prepare_cached(
        "INSERT INTO egress (line, at, kind, bytes, sha256, prev, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut keep = db.prepare_cached("INSERT INTO egress_bodies (line, body) VALUES (?1, ?2)")?;
    let mut at = None;
    for item in items {
        let entry = chain.seal(item);
        let (line, bytes) = (integer(entry.index)?, integer(entry.bytes)?);
        insert.execute(params![line, entry.at.0, entry.kind.code(), bytes, &entry.sha256, &entry.prev, &entry.hash])?;
        if let Some(body) = item.body() {
            keep.execute(params![line, body])?;
        }
        at = Some(entry.at);
    }
    let Some(at) = at else { return Ok(None) };
    checkpoint_when_due(db, chain.next, at)?;
    Ok(Some(Span { first, last: chain.next.saturating_sub(1) }))
}

fn checkpoint_when_due(db: &Connection, next: u64, at: Millis) -> Result<(), Error> {
    let covered = "SELECT first + count FROM checkpoints ORDER BY first DESC LIMIT 1";
    let mut first = unsigned(db.prepare_cached(covered)?.query_row([], |row| row.get(0)).optional()?.unwrap_or(0));
    while first < next {
        let oldest = db
            .prepare_cached("SELECT at FROM egress WHERE line = ?1")?
            .query_row([integer(first)?], |row| row.get(0))?;
        let open = usize::try_from(next.saturating_sub(first)).unwrap_or(usize::MAX);
        if !merkle::due(open, Millis(oldest), at) {
            return Ok(());
        }
        let Some(made) = Checkpoint::over(&lines(db, first, merkle::LINES_MAX)?, at) else { return Ok(()) };
        db.prepare_cached("INSERT INTO checkpoints (first, count, at, root) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![integer(made.first)?, made.count, made.at.0, &made.root])?;
        first = first.saturating_add(made.count.into());
        forget_bodies(db, at)?;
    }
    Ok(())
}

/// The oldest bodies go, a bounded step at a time, when they are old enough.
fn forget_bodies(db: &Connection, at: Millis) -> Result<(), Error> {
    let kept = "SELECT line FROM egress WHERE at >= ?1 ORDER BY at LIMIT 1";
    let since = at.0.saturating_sub(BODIES_KEPT_MS);
    let Some(first) = db.prepare_cached(kept)?.query_row([since], |row| row.get::<_, i64>(0)).optional()? else {
        return Ok(());
    };
    db.prepare_cached(
        "DELETE FROM egress_bodies WHERE line IN (SELECT line FROM egress_bodies WHERE line < ?1 ORDER BY line LIMIT ?2)",
    )?
    .execute([first, BODIES_SWEPT])?;
    Ok(())
}

fn bodies_hold(db: &Connection, lines: &[Entry]) -> Result<(), Error> {
    let mut select = db.prepare_cached("SELECT body FROM egress_bodies WHERE line = ?1")?;
    for line in lines {
        let body: Option<Vec<u8>> = select.query_row([integer(line.index)?], |row| row.get(0)).optional()?;
        if body.is_some_and(|body| digest(&SHA256, &body).as_ref() != line.sha256) {
            return Err(Error::EgressBroken { index: line.index });
        }
    }
    Ok(())
}

/// The chain begins with the first epoch of this file.
fn origin(db: &Connection) -> Result<Chain, Error> {
    let epoch: Vec<u8> = db.query_row("SELECT epoch FROM epochs ORDER BY no LIMIT 1", [], |row| row.get(0))?;
    Ok(Chain::begin(&epoch))
}

fn stand(db: &Connection) -> Result<Chain, Error> {
    let last: Option<(i64, [u8; 32])> = db
        .prepare_cached("SELECT line, hash FROM egress ORDER BY line DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match last {
        Some((line, head)) => Ok(Chain { next: unsigned(line).saturating_add(1), head }),
        None => origin(db),
    }
}

fn lines(db: &Connection, from: u64, limit: usize) -> Result<Vec<Entry>, Error> {
    let mut select = db.prepare_cached(
        "SELECT line, at, kind, bytes, sha256, prev, hash FROM egress WHERE line >= ?1 ORDER BY line LIMIT ?2",
    )?;
    let rows = select.query_map(params![integer(from)?, length(limit)], |row| Ok(entry(row)))?;
    rows.map(|row| row?).collect()
}

fn entry(row: &Row<'_>) -> Result<Entry, Error> {
    let kind = Class::from_code(row.get(2)?).ok_or(Error::Unreadable { what: "egress line" })?;
    Ok(Entry {
        index: unsigned(row.get(0)?),
        at: Millis(row.get(1)?),
        kind,
        bytes: unsigned(row.get(3)?),
        sha256: row.get(4)?,
        prev: row.get(5)?,
        hash: row.get(6)?,
    })
}

pub(crate) fn checkpoint(row: &Row<'_>) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint { first: unsigned(row.get(0)?), count: row.get(1)?, at: Millis(row.get(2)?), root: row.get(3)? })
}
