//! Reads an encoded automerge change just far enough to know its hash and what it builds on, so that a document's
//! heads can be kept without loading it. Whether the change is sound is `config`'s to judge, before.

use link::identity::sha256;

use super::store::{ChangeHash, ConfigChange};

// The binary format of automerge documents: magic, checksum, then the chunk that is hashed: type, length, contents.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHECKSUM_LEN: usize = 4;
const HASH_LEN: usize = 32;
const CHUNK_CHANGE: u8 = 1;
const DEPS_MAX: u64 = 1_024;

/// None: not an uncompressed change.
pub fn identify(bytes: &[u8]) -> Option<ConfigChange> {
    let chunk = bytes.strip_prefix(&MAGIC)?;
    let (checksum, chunk) = chunk.split_at_checked(CHECKSUM_LEN)?;
    let hash = sha256(chunk);
    let (kind, rest) = chunk.split_first()?;
    let (length, body) = leb128(rest)?;
    if *kind != CHUNK_CHANGE || !hash.starts_with(checksum) || usize::try_from(length).ok()? != body.len() {
        return None;
    }
    let (count, rest) = leb128(body)?;
    let wanted = usize::try_from(count.min(DEPS_MAX.saturating_add(1))).ok()?;
    let (deps, _) = rest.as_chunks::<HASH_LEN>();
    let deps: Vec<ChangeHash> = deps.get(..wanted)?.to_vec();
    (count <= DEPS_MAX).then(|| ConfigChange { hash, deps, bytes: bytes.to_vec() })
}

fn leb128(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (n, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(n).ok()?.checked_mul(7)?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(n.checked_add(1)?..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use config::{Author, Documents};
    use model::{
        HoursId, Millis, SiteId,
        change::{Change, Doc},
        config::Hours,
    };

    use super::*;
    use crate::hub::store::merge_heads;

    fn hours(label: &str) -> Change {
        let value = Hours { label: label.into(), week: Vec::new(), closed: BTreeSet::new() };
        Change::HoursAdd { hours: HoursId::new("day").unwrap(), value }
    }

    #[test]
    fn heads_kept_change_by_change_are_the_documents_heads() {
        let site = SiteId::new("north").unwrap();
        let mut here = Documents::new(site.clone(), [1; 16]);
        let mut there = Documents::new(site, [2; 16]);
        let mut heads: BTreeSet<ChangeHash> = here.local.heads().0.into_iter().collect();
        let mut changes = Vec::new();
        for n in 0..3 {
            changes.extend(here.edit(Doc::Local, &hours(&format!("a{n}")), Author::Branch, Millis(1)).unwrap());
            changes.extend(there.edit(Doc::Local, &hours(&format!("b{n}")), Author::Centre, Millis(2)).unwrap());
        }
        for bytes in &changes {
            here.local.apply(bytes).unwrap();
            there.local.apply(bytes).unwrap();
        }
        changes.extend(here.edit(Doc::Local, &hours("both"), Author::Branch, Millis(3)).unwrap());
        for bytes in &changes {
            merge_heads(&mut heads, &identify(bytes).unwrap());
        }
        assert_eq!(heads, here.local.heads().0.into_iter().collect());
    }

    #[test]
    fn what_is_not_a_change_has_no_identity() {
        let site = SiteId::new("north").unwrap();
        let mut documents = Documents::new(site, [1; 16]);
        let sound = documents.edit(Doc::Local, &hours("x"), Author::Branch, Millis(1)).unwrap().unwrap();
        assert!(identify(&sound).is_some());
        for cut in 0..sound.len() {
            assert_eq!(identify(&sound[..cut]), None, "cut at {cut}");
        }
        let mut spoilt = sound.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        assert_eq!(identify(&spoilt), None);
    }
}
