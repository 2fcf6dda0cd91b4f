//! Who has seen the egress chain's checkpoints: the box itself by its signature, the cloud by its counter-signature, and
//! the customer's own sink. A log that nobody else has seen is a promise; one that others hold cannot be cut or told anew.

use gate::Checkpoint;
use model::Millis;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    egress::checkpoint,
    error::Error,
    outbox::{integer, length, unsigned},
    reader::Reader,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// By the device key of the box's certificate.
    Box = 1,
    /// By the key of the organisation's CA.
    Cloud = 2,
    /// Written to the customer's sink; nothing is signed.
    Customer = 3,
}

/// One witness's word about one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    /// The checkpoint's first line.
    pub first: u64,
    pub witness: Witness,
    pub at: Millis,
    /// ECDSA P-256 with SHA-256, ASN.1, over `Checkpoint::statement` (the box) or `Checkpoint::seen` (the cloud).
    pub signature: Vec<u8>,
}

/// How far one witness has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Checkpoints that it has seen.
    pub checkpoints: u64,
    /// The last line under the newest of them.
    pub line: u64,
    /// When that was.
    pub at: Millis,
}

impl Reader {
    /// Checkpoints after the newest that this witness has seen, oldest first: they are shown in their order.
    pub fn unseen(&self, by: Witness, limit: usize) -> Result<Vec<Checkpoint>, Error> {
        let mut select = self.db().prepare_cached(
            "SELECT first, count, at, root FROM checkpoints
             WHERE first > (SELECT coalesce(max(first), -1) FROM testimonies WHERE witness = ?1) ORDER BY first LIMIT ?2",
        )?;
        let rows = select.query_map(params![by as u8, length(limit)], checkpoint)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn testimony(&self, first: u64, by: Witness) -> Result<Option<Testimony>, Error> {
        let mut select =
            self.db().prepare_cached("SELECT at, signature FROM testimonies WHERE first = ?1 AND witness = ?2")?;
        let found = select.query_row(params![integer(first)?, by as u8], |row| {
            Ok(Testimony { first, witness: by, at: Millis(row.get(0)?), signature: row.get(1)? })
        });
        Ok(found.optional()?)
    }

    /// None: it has seen nothing yet.
    pub fn seen(&self, by: Witness) -> Result<Option<Seen>, Error> {
        let sql = "SELECT count(*), max(c.first + c.count), max(t.at) FROM testimonies t
             JOIN checkpoints c ON c.first = t.first WHERE t.witness = ?1";
        let row: (i64, Option<i64>, Option<i64>) =
            self.db().prepare_cached(sql)?.query_row([by as u8], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let (count, Some(end), Some(at)) = row else { return Ok(None) };
        Ok(Some(Seen { checkpoints: unsigned(count), line: unsigned(end).saturating_sub(1), at: Millis(at) }))
    }
}

/// A later word of the same witness replaces the earlier one.
pub(crate) fn hear(db: &Connection, said: &[Testimony]) -> Result<(), Error> {
    let mut insert = db
        .prepare_cached("INSERT OR REPLACE INTO testimonies (first, witness, at, signature) VALUES (?1, ?2, ?3, ?4)")?;
    for Testimony { first, witness, at, signature } in said {
        insert.execute(params![integer(*first)?, *witness as u8, at.0, signature])?;
    }
    Ok(())
}
