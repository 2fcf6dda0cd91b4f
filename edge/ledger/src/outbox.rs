//! Rows that wait for the cloud, in order, and how far the cloud has come. Delivery is `wire`'s.

use model::Epoch;
use rusqlite::{Connection, params};

use crate::{
    error::Error,
    life::{self, Life},
    reader::Reader,
};

/// Deleted in one step, so that no transaction is long.
const SWEEP_ROWS: i64 = 500;

/// One row. `seq` is gapless from 1 within an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    pub epoch: Epoch,
    pub seq: u64,
    pub kind: u16,
    pub body: Vec<u8>,
}

/// Where the outbox stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub epoch: Epoch,
    /// The cloud has everything up to here.
    pub watermark: u64,
    /// The newest row ever written in this epoch.
    pub last: u64,
}

impl Reader {
    pub fn position(&self) -> Result<Position, Error> {
        self.together(|db| {
            let Life { epoch, outbox, .. } = current(db)?;
            Ok(Position { epoch, watermark: acked(db)?, last: outbox })
        })
    }

    /// Rows of the current epoch after `seq`, oldest first.
    pub fn outbox_after(&self, seq: u64, limit: usize) -> Result<Vec<OutboxRow>, Error> {
        self.together(|db| {
            let epoch = current(db)?.epoch;
            let mut select =
                db.prepare_cached("SELECT seq, kind, body FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
            let rows = select.query_map(params![integer(seq)?, length(limit)], |row| {
                let (seq, kind): (i64, u16) = (row.get(0)?, row.get(1)?);
                Ok(OutboxRow { epoch, seq: unsigned(seq), kind, body: row.get(2)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Moves the watermark forward; deleting follows in steps.
pub(crate) fn acknowledge(db: &Connection, epoch: Epoch, seq: u64) -> Result<(), Error> {
    let life = current(db)?;
    if life.epoch != epoch {
        return Err(Error::Epoch);
    }
    if seq > life.outbox {
        return Err(Error::AheadOfOutbox { acked: seq, last: life.outbox });
    }
    db.prepare_cached("UPDATE epochs SET acked = max(acked, ?1) WHERE no = (SELECT max(no) FROM epochs)")?
        .execute([integer(seq)?])?;
    Ok(())
}

/// Deletes some acknowledged rows. Returns whether there may be more.
pub(crate) fn sweep(db: &Connection) -> Result<bool, Error> {
    let acked = integer(acked(db)?)?;
    let deleted = db
        .prepare_cached(
            "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE seq <= ?1 ORDER BY seq LIMIT ?2)",
        )?
        .execute([acked, SWEEP_ROWS])?;
    Ok(i64::try_from(deleted).unwrap_or(0) >= SWEEP_ROWS)
}

fn current(db: &Connection) -> Result<Life, Error> {
    life::current(db)?.ok_or(Error::Unreadable { what: "epoch" })
}

fn acked(db: &Connection) -> Result<u64, Error> {
    let sql = "SELECT acked FROM epochs ORDER BY no DESC LIMIT 1";
    Ok(unsigned(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
}

pub(crate) fn integer(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::Refused("a number beyond 2^63".into()))
}

pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn length(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
