//! Which contacts were of the same customer: an index by a keyed word of the customer's number. The key is the branch's
//! own, so that the index says nothing to who has the file alone; what a contact had here goes when it is erased.

use aws_lc_rs::hmac;
use model::ContactId;
use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::{
    apply::contact_bytes,
    error::Error,
    key::{BranchKey, KEY_LEN, random_key},
    outbox::length,
    personal::Personal,
};

/// Name in `meta`, and what the index key's seal is bound to.
pub(crate) const KEY: &str = "customers_key";
/// Name in `meta` of how far records have been looked at that were written before there was an index.
const LOOKED_AT: &str = "customers_looked_at";
/// Bytes of a word: two numbers of a branch's never share one.
const WORD_LEN: usize = 16;
/// Older records that are looked at in one step.
const STEP: i64 = 100;
/// Digits of a number that somebody outside has.
const DIGITS_MIN: usize = 5;

/// Puts a contact under its customer, in place of what was said before.
pub(crate) fn put(db: &Connection, key: &BranchKey, contact: &[u8], person: &Personal) -> Result<(), Error> {
    db.prepare_cached("DELETE FROM customers WHERE contact = ?1")?.execute([contact])?;
    let Some(number) = person.customer.as_deref() else { return Ok(()) };
    let word = word(db, key, number)?;
    db.prepare_cached("INSERT OR IGNORE INTO customers (customer, contact) VALUES (?1, ?2)")?
        .execute(params![word, contact])?;
    Ok(())
}

/// Contacts of the same customer that began before this one, newest first.
pub(crate) fn earlier(db: &Connection, contact: ContactId, limit: usize) -> Result<Vec<ContactId>, Error> {
    let mut select = db.prepare_cached(
        "SELECT contact FROM customers WHERE customer = (SELECT customer FROM customers WHERE contact = ?1)
         AND contact < ?1 ORDER BY contact DESC LIMIT ?2",
    )?;
    let id = |row: &rusqlite::Row<'_>| Ok(ContactId(u128::from_be_bytes(row.get(0)?)));
    let found = select.query_map(params![contact_bytes(contact), length(limit)], id)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// A bounded step of putting older records into the index. Returns whether there may be more.
pub(crate) fn look_at_older(db: &Connection, key: &BranchKey) -> Result<bool, Error> {
    let at: Option<i64> =
        db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([LOOKED_AT], row_number).optional()?;
    if at == Some(i64::MAX) {
        return Ok(false);
    }
    let older: Vec<Older> = db
        .prepare_cached(
            "SELECT personal.rowid, contact, sealed, wrapped FROM personal JOIN personal_keys USING (contact)
             WHERE personal.rowid > ?1 ORDER BY personal.rowid LIMIT ?2",
        )?
        .query_map(params![at.unwrap_or(0), STEP], Older::read)?
        .collect::<Result<_, _>>()?;
    // What is written from here on is put into the index with it.
    let last = older.last().map_or(i64::MAX, |last| last.rowid);
    let transaction = db.unchecked_transaction()?;
    for Older { contact, sealed, wrapped, .. } in &older {
        // Sealed by another key: nobody reads it, and nobody finds it.
        let Ok(person) = Personal::open(key, contact, sealed, wrapped) else { continue };
        let written = person.customer.as_deref().or(person.caller.as_deref()).or(person.dialled.as_deref());
        let Some(number) = written.and_then(as_written) else { continue };
        db.prepare_cached("INSERT OR IGNORE INTO customers (customer, contact) VALUES (?1, ?2)")?
            .execute(params![word(db, key, number)?, contact])?;
    }
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
        .execute(params![LOOKED_AT, last.to_be_bytes()])?;
    transaction.commit()?;
    Ok(last < i64::MAX)
}

/// A personal record, as it lies in the file.
struct Older {
    rowid: i64,
    contact: Vec<u8>,
    sealed: Vec<u8>,
    wrapped: Vec<u8>,
}

impl Older {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Older> {
        Ok(Older { rowid: row.get(0)?, contact: row.get(1)?, sealed: row.get(2)?, wrapped: row.get(3)? })
    }
}

fn row_number(row: &rusqlite::Row<'_>) -> rusqlite::Result<i64> {
    Ok(i64::from_be_bytes(row.get(0)?))
}

/// A number whose dial plan is not known any more, without its `+`.
fn as_written(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (digits.len() >= DIGITS_MIN && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// The word of a number that somebody asks for; None: no customer was ever put here.
pub(crate) fn known_word(db: &Connection, key: &BranchKey, number: &str) -> Result<Option<Vec<u8>>, Error> {
    // Asking must not begin an index: who asks cannot write.
    let begun = db.prepare_cached("SELECT 1 FROM meta WHERE name = ?1")?.exists([KEY])?;
    if begun { word(db, key, number).map(Some) } else { Ok(None) }
}

fn word(db: &Connection, key: &BranchKey, number: &str) -> Result<Vec<u8>, Error> {
    let key = index_key(db, key)?;
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()), number.as_bytes());
    Ok(tag.as_ref().get(..WORD_LEN).unwrap_or_default().to_vec())
}

/// Drawn with the first customer. One that another branch key has sealed is of no use: the index begins anew.
fn index_key(db: &Connection, branch: &BranchKey) -> Result<Zeroizing<Vec<u8>>, Error> {
    let sealed: Option<Vec<u8>> =
        db.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([KEY], |row| row.get(0)).optional()?;
    let opened = sealed.and_then(|sealed| branch.open(KEY.as_bytes(), &sealed).ok());
    if let Some(key) = opened.filter(|key| key.len() == KEY_LEN) {
        return Ok(key);
    }
    let key = random_key()?;
    let sealed = branch.seal(KEY.as_bytes(), key.as_slice())?;
    db.prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?.execute(params![KEY, sealed])?;
    Ok(Zeroizing::new(key.to_vec()))
}
