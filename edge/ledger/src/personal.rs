//! What is known of a person in one contact. It is kept apart from the facts, sealed under a key of its own; to erase
//! a person is to destroy that key.

use std::fmt;

use ciborium::Value;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
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
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}

impl Personal {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, |text| Value::from(cut(text)));
        let value = Value::Array(vec![text(&self.caller), text(&self.name), text(&self.dialled)]);
        let mut bytes = Zeroizing::new(Vec::new());
        // Writing to memory cannot fail.
        ciborium::into_writer(&value, &mut *bytes).ok();
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Personal, Error> {
        let unreadable = Error::Unreadable { what: "personal record" };
        let value: Value = ciborium::from_reader(bytes).map_err(|_| unreadable.clone())?;
        let parts = value.into_array().map_err(|_| unreadable.clone())?;
        let [caller, name, dialled] = <[Value; 3]>::try_from(parts).map_err(|_| unreadable)?;
        let text = |value: Value| value.into_text().ok();
        Ok(Personal { caller: text(caller), name: text(name), dialled: text(dialled) })
    }

    /// The sealed record and its wrapped key.
    pub(crate) fn seal(&self, branch: &BranchKey, contact: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let key = random_key()?;
        let sealed = seal(&key, contact, &self.encode())?;
        Ok((sealed, branch.seal(contact, key.as_slice())?))
    }

    pub(crate) fn open(branch: &BranchKey, contact: &[u8], sealed: &[u8], wrapped: &[u8]) -> Result<Personal, Error> {
        let key = branch.open(contact, wrapped)?;
        let key: &[u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| Error::Sealed)?;
        Personal::decode(&open(key, contact, sealed)?)
    }
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
        let branch = BranchKey::new([3; 32]);
        let long = "语".repeat(200);
        let person = Personal { caller: Some("+861012345678".into()), name: Some(long), dialled: None };
        let (sealed, wrapped) = person.seal(&branch, b"c").unwrap();
        let read = Personal::open(&branch, b"c", &sealed, &wrapped).unwrap();
        assert_eq!(read.caller, person.caller);
        assert_eq!(read.name.as_deref(), Some("语".repeat(85).as_str()));
        assert_eq!(read.dialled, None);
        assert_eq!(Personal::open(&branch, b"d", &sealed, &wrapped), Err(Error::Sealed));
    }
}
