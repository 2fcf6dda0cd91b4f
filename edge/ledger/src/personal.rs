//! What is known of a person in one contact. It is kept apart from the facts, sealed under a key of its own; to erase
//! a person is to destroy that key.

use std::fmt;

use ciborium::Value;
use rusqlite::{Connection, OptionalExtension, params};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    customers,
    error::Error,
    key::{BranchKey, KEY_LEN, open, random_key, seal},
};

/// Longest of each text, in bytes.
pub(crate) const TEXT_LEN_MAX: usize = 256;

/// Never printed, never serialised by a derive; longer texts are cut.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Personal {
    /// The caller's number, as the carrier told it.
    pub caller: Option<String>,
    /// The caller's display name.
    pub name: Option<String>,
    /// The number that was dialled outwards.
    pub dialled: Option<String>,
    /// The customer's number, one word for it however it was written: contacts of the same customer are found by it.
    pub customer: Option<String>,
    /// What the caller keyed in, or another system said, that agents are shown: what it is, and what it says.
    pub shown: Vec<(String, String)>,
}

/// Of `shown`; further ones are left out.
pub const SHOWN_MAX: usize = 16;

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

impl Personal {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, |text| Value::from(cut(text)));
        let pair = |(what, says): &(String, String)| Value::Array(vec![Value::from(cut(what)), Value::from(cut(says))]);
        let shown = Value::Array(self.shown.iter().take(SHOWN_MAX).map(pair).collect());
        let texts = [&self.caller, &self.name, &self.dialled, &self.customer];
        let value = Value::Array(texts.into_iter().map(text).chain([shown]).collect());
        let mut bytes = Zeroizing::new(Vec::new());
        // Writing to memory cannot fail.
        ciborium::into_writer(&value, &mut *bytes).ok();
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Personal, Error> {
        let unreadable = Error::Unreadable { what: "personal record" };
        let value: Value = ciborium::from_reader(bytes).map_err(|_| unreadable.clone())?;
        let mut parts = value.into_array().map_err(|_| unreadable.clone())?;
        // Records of earlier versions end after the third.
        if parts.len() == 3 {
            parts.extend([Value::Null, Value::Array(Vec::new())]);
        }
        let [caller, name, dialled, customer, shown] = <[Value; 5]>::try_from(parts).map_err(|_| unreadable)?;
        let text = |value: Value| value.into_text().ok();
        let pair = |value: Value| {
            let [what, says] = <[Value; 2]>::try_from(value.into_array().ok()?).ok()?;
            Some((text(what)?, text(says)?))
        };
        let shown = shown.into_array().unwrap_or_default().into_iter().filter_map(pair).collect();
        let [caller, name, dialled, customer] = [caller, name, dialled, customer].map(text);
        Ok(Personal { caller, name, dialled, customer, shown })
    }

    /// Keeps it in place of what was known before, under the contact's own key; of an erased contact nothing is kept.
    pub(crate) fn write(&self, db: &Connection, branch: &BranchKey, contact: &[u8]) -> Result<(), Error> {
        if is_erased(db, contact)? {
            return Ok(());
        }
        let key = key_of(db, branch, contact)?;
        let sealed = seal(&key, contact, &self.encode())?;
        db.prepare_cached("INSERT OR REPLACE INTO personal (contact, sealed) VALUES (?1, ?2)")?
            .execute(params![contact, sealed])?;
        customers::put(db, branch, contact, self)
    }

    pub(crate) fn open(branch: &BranchKey, contact: &[u8], sealed: &[u8], wrapped: &[u8]) -> Result<Personal, Error> {
        let key = branch.open(contact, wrapped)?;
        let key: &[u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| Error::Sealed)?;
        Personal::decode(&open(key, contact, sealed)?)
    }
}

pub(crate) fn is_erased(db: &Connection, contact: &[u8]) -> Result<bool, Error> {
    Ok(db.prepare_cached("SELECT 1 FROM erased WHERE contact = ?1")?.exists([contact])?)
}

/// The contact's own key, drawn when first something is sealed under it. One that another branch key has wrapped is lost,
/// with what it sealed, and another takes its place.
pub(crate) fn key_of(db: &Connection, branch: &BranchKey, contact: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, Error> {
    let wrapped: Option<Vec<u8>> = db
        .prepare_cached("SELECT wrapped FROM personal_keys WHERE contact = ?1")?
        .query_row([contact], |row| row.get(0))
        .optional()?;
    let opened = wrapped.and_then(|wrapped| branch.open(contact, &wrapped).ok());
    if let Some(key) = opened.and_then(|key| <[u8; KEY_LEN]>::try_from(key.as_slice()).ok()) {
        return Ok(Zeroizing::new(key));
    }
    let key = random_key()?;
    db.prepare_cached("INSERT OR REPLACE INTO personal_keys (contact, wrapped) VALUES (?1, ?2)")?
        .execute(params![contact, branch.seal(contact, key.as_slice())?])?;
    Ok(key)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LEN_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_long_texts_are_cut_at_a_character() {
        let person = Personal {
            caller: Some("+861012345678".into()),
            name: Some("语".repeat(200)),
            dialled: None,
            customer: Some("861012345678".into()),
            shown: (0..20).map(|n| (format!("Account {n}"), "4711".into())).collect(),
        };
        let read = Personal::decode(&person.encode()).unwrap();
        assert_eq!((&read.caller, &read.customer, &read.dialled), (&person.caller, &person.customer, &None));
        assert_eq!(read.name.as_deref(), Some("语".repeat(85).as_str()));
        assert_eq!(read.shown, person.shown[..SHOWN_MAX]);
    }

    #[test]
    fn a_record_of_an_earlier_version_is_read() {
        let value = Value::Array(vec![Value::from("+861012345678"), Value::Null, Value::Null]);
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).unwrap();
        let read = Personal::decode(&bytes).unwrap();
        assert_eq!((read.caller.as_deref(), &read.customer, read.shown.len()), (Some("+861012345678"), &None, 0));
        for bad in [&bytes[..3], b"", b"\x82\xf6\xf6"] {
            assert_eq!(Personal::decode(bad), Err(Error::Unreadable { what: "personal record" }));
        }
    }
}
