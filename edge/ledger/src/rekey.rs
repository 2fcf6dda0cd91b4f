//! Another branch key: what the old one sealed is sealed anew, all of it or nothing. Keys of contacts are wrapped anew,
//! the records under them stay as they are.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::{
    apply::Place,
    customers,
    error::Error,
    key::BranchKey,
    open::{self, Options},
};

/// What a change of keys came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rekeyed {
    /// Rows that the new key opens.
    pub rows: u64,
    /// Rows that neither key opens; they are left as they are.
    pub lost: u64,
}

/// In one transaction, durable when this returns; done again it changes nothing. No other process may have the ledger
/// open: it would go on sealing with the old key.
pub fn rekey(path: &Path, old: &BranchKey, new: &BranchKey) -> Result<Rekeyed, Error> {
    let mut db = open::existing(path, Options::default().busy)?;
    // The old sealed bytes are overwritten, not only freed.
    db.pragma_update(None, "secure_delete", true)?;
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = Rekeyed::default();
    credentials(&transaction, old, new, &mut done)?;
    contacts(&transaction, old, new, &mut done)?;
    index(&transaction, old, new, &mut done)?;
    transaction.commit()?;
    // What was sealed before stands in the write-ahead log until it is emptied.
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(done)
}

fn credentials(db: &Connection, old: &BranchKey, new: &BranchKey, done: &mut Rekeyed) -> Result<(), Error> {
    let mut select = db.prepare("SELECT rowid, kind, name, realm, algorithm, sealed FROM credentials")?;
    let mut update = db.prepare("UPDATE credentials SET sealed = ?2 WHERE rowid = ?1")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (name, realm, algorithm): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let place = Place { kind: row.get(1)?, name: &name, realm: &realm, algorithm: &algorithm };
        if let Some(sealed) = anew(old, new, &place.context(), &row.get::<_, Vec<u8>>(5)?, done)? {
            update.execute(params![row.get::<_, i64>(0)?, sealed])?;
        }
    }
    Ok(())
}

fn contacts(db: &Connection, old: &BranchKey, new: &BranchKey, done: &mut Rekeyed) -> Result<(), Error> {
    let mut select = db.prepare("SELECT rowid, contact, wrapped FROM personal_keys")?;
    let mut update = db.prepare("UPDATE personal_keys SET wrapped = ?2 WHERE rowid = ?1")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let contact: Vec<u8> = row.get(1)?;
        if let Some(wrapped) = anew(old, new, &contact, &row.get::<_, Vec<u8>>(2)?, done)? {
            update.execute(params![row.get::<_, i64>(0)?, wrapped])?;
        }
    }
    Ok(())
}

fn index(db: &Connection, old: &BranchKey, new: &BranchKey, done: &mut Rekeyed) -> Result<(), Error> {
    let mut select = db.prepare("SELECT value FROM meta WHERE name = ?1")?;
    let sealed: Option<Vec<u8>> = select.query_row([customers::KEY], |row| row.get(0)).optional()?;
    let Some(sealed) = sealed else { return Ok(()) };
    if let Some(anew) = anew(old, new, customers::KEY.as_bytes(), &sealed, done)? {
        db.execute("UPDATE meta SET value = ?2 WHERE name = ?1", params![customers::KEY, anew])?;
    }
    Ok(())
}

/// None: it is done already, or cannot be.
fn anew(
    old: &BranchKey,
    new: &BranchKey,
    context: &[u8],
    sealed: &[u8],
    done: &mut Rekeyed,
) -> Result<Option<Vec<u8>>, Error> {
    if new.open(context, sealed).is_ok() {
        done.rows = done.rows.saturating_add(1);
        return Ok(None);
    }
    let Ok(plain) = old.open(context, sealed) else {
        done.lost = done.lost.saturating_add(1);
        return Ok(None);
    };
    done.rows = done.rows.saturating_add(1);
    new.seal(context, &plain).map(Some)
}
