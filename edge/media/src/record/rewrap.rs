//! Another branch key: a recording's own key is wrapped anew, and nothing else of the file changes. A file that was
//! done already says so, hence a change that was interrupted is begun again from the start.

use super::{
    Error,
    journal::{self, PLACES, SECTOR},
    key::{self, BRANCH_KEY_LEN, WRAPPED_LEN},
};

/// Bytes to write at an offset, and to be synced before the old branch key is destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    pub offset: u64,
    pub bytes: [u8; WRAPPED_LEN],
}

/// What to write so that `new` opens this file too. `head` is its first [`super::HEAD_LEN`] bytes. None: it does already.
pub fn rewrap(
    head: &[u8],
    old: &[u8; BRANCH_KEY_LEN],
    new: &[u8; BRANCH_KEY_LEN],
    nonce: [u8; 12],
) -> Result<Option<Patch>, Error> {
    let header = journal::decode_header(head)?;
    if journal::secret(head, new, &header.recording).is_some() {
        return Ok(None);
    }
    let (in_use, secret) = journal::secret(head, old, &header.recording).ok_or(Error::Key)?;
    let place = (in_use + 1) % PLACES;
    let bytes = key::wrap(new, &secret, nonce, &header.recording)?;
    Ok(Some(Patch { offset: ((1 + place) * SECTOR) as u64, bytes }))
}

/// What to write so that no other branch key opens this file, once the old one is out of use. None: none does.
pub fn forget(head: &[u8], branch: &[u8; BRANCH_KEY_LEN]) -> Result<Option<Patch>, Error> {
    let header = journal::decode_header(head)?;
    let (in_use, _) = journal::secret(head, branch, &header.recording).ok_or(Error::Key)?;
    let offset = (1 + (in_use + 1) % PLACES) * SECTOR;
    let other = head.get(offset..offset + WRAPPED_LEN).unwrap_or_default();
    let forgotten = other.iter().all(|byte| *byte == 0);
    Ok((!forgotten).then_some(Patch { offset: offset as u64, bytes: [0; WRAPPED_LEN] }))
}
