//! Lives of an outbox. An epoch is a random number made with the database; a database that was put back from a copy
//! must not go on counting in the epoch of the one it replaces, so it begins the next.
//!
//! A small file beside the database, `<name>.life`, says how far the current epoch is known to have come. It is
//! written after a commit, so it never runs ahead of a database that was not replaced: a file that is ahead, or of an
//! epoch that the database never had, tells of an old copy. When the whole disk was put back, only the cloud can
//! know: its watermark is ahead then, and the sync process calls `Ledger::new_epoch`.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use model::Epoch;
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::{Error, World};

/// How far the current epoch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub epoch: Epoch,
    pub facts: u64,
    pub outbox: u64,
}

pub(crate) fn file_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".life");
    PathBuf::from(name)
}

impl Life {
    fn text(self) -> String {
        format!("branchline-life 1\nepoch {}\nfacts {:020}\noutbox {:020}\n", self.epoch, self.facts, self.outbox)
    }

    fn parse(text: &str) -> Option<Life> {
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        if field("branchline-life")? != "1" {
            return None;
        }
        Some(Life {
            epoch: field("epoch")?.parse().ok()?,
            facts: field("facts")?.parse().ok()?,
            outbox: field("outbox")?.parse().ok()?,
        })
    }

    /// Overwrites the file in place: the text always has the same length. `durable` also waits for the disk.
    pub(crate) fn write(self, database: &Path, durable: bool) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(file_of(database))?;
        file.write_all(self.text().as_bytes())?;
        if durable { file.sync_all() } else { Ok(()) }
    }
}

/// The current epoch and how far it has come. None in an empty database.
pub(crate) fn current(db: &Connection) -> Result<Option<Life>, Error> {
    let sql = "SELECT epoch, facts, outbox FROM epochs ORDER BY no DESC LIMIT 1";
    let row: Option<(Vec<u8>, i64, i64)> =
        db.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((epoch, facts, outbox)) = row else { return Ok(None) };
    let epoch = epoch.as_slice().try_into().map_err(|_| Error::Unreadable { what: "epoch" })?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(Some(Life { epoch: Epoch(u128::from_be_bytes(epoch)), facts: count(facts), outbox: count(outbox) }))
}

/// Begins a new epoch. Outbox rows that wait are counted again from 1: they are the first of the new life.
pub(crate) fn begin(db: &Connection) -> Result<Life, Error> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| Error::Refused("no randomness".into()))?;
    let delivered = "DELETE FROM outbox WHERE seq <= (SELECT acked FROM epochs ORDER BY no DESC LIMIT 1)";
    db.execute(delivered, [])?;
    let waiting: i64 = db.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?;
    renumber(db)?;
    db.execute("INSERT INTO epochs (epoch, outbox) VALUES (?1, ?2)", params![bytes.as_slice(), waiting])?;
    let outbox = u64::try_from(waiting).unwrap_or(0);
    Ok(Life { epoch: Epoch(u128::from_be_bytes(bytes)), facts: 0, outbox })
}

// By way of negative numbers, so that the key is unique at every step.
fn renumber(db: &Connection) -> Result<(), Error> {
    db.execute("UPDATE outbox SET seq = -seq", [])?;
    let mut select = db.prepare("SELECT seq FROM outbox ORDER BY seq DESC")?;
    let old: Vec<i64> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut update = db.prepare("UPDATE outbox SET seq = ?1 WHERE seq = ?2")?;
    for (new, old) in (1_i64..).zip(old) {
        update.execute([new, old])?;
    }
    Ok(())
}

/// Compares the file with the database and begins a new epoch when the database is new or an old copy. Runs inside
/// the caller's transaction, so that two processes that start together agree.
pub(crate) fn settle(db: &Connection, database: &Path) -> Result<Life, Error> {
    let unwritable = |_| Error::World { cause: World::InputOutput, kept: false };
    let told = fs::read_to_string(file_of(database)).ok().as_deref().and_then(Life::parse);
    let life = match (current(db)?, told) {
        (Some(life), Some(told)) if goes_on(db, life, told)? => life,
        _ => begin(db)?,
    };
    life.write(database, true).map_err(unwritable)?;
    Ok(life)
}

fn goes_on(db: &Connection, life: Life, told: Life) -> Result<bool, Error> {
    if life.epoch == told.epoch {
        return Ok(told.facts <= life.facts && told.outbox <= life.outbox);
    }
    let known: Option<i64> = db
        .query_row("SELECT no FROM epochs WHERE epoch = ?1", [told.epoch.0.to_be_bytes().as_slice()], |row| row.get(0))
        .optional()?;
    Ok(known.is_some())
}
