//! Checkpoints over the egress chain: a Merkle root (RFC 9162 §2.1.1) over the hashes of a run of lines, small enough
//! for the cloud to counter-sign and for an auditor to keep.

use model::{BoxId, Millis};
use sha2::{Digest, Sha256};

use crate::chain::Entry;

/// Lines under one checkpoint at most.
pub const LINES_MAX: usize = 1_000;
/// A checkpoint is due when the oldest line without one is this old, in ms.
pub const AGE_MS_MAX: u64 = 60_000;
/// Separates what is signed here from all else that the same keys sign.
const DOMAIN: &[u8] = b"branchline egress checkpoint 1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Index of the first line.
    pub first: u64,
    pub count: u32,
    pub at: Millis,
    pub root: [u8; 32],
}

/// Is a checkpoint due over `count` lines, the first of which was written at `oldest`?
pub fn due(count: usize, oldest: Millis, at: Millis) -> bool {
    count >= LINES_MAX || (count > 0 && at.since(oldest) >= AGE_MS_MAX)
}

impl Checkpoint {
    /// Over the first `LINES_MAX` of the given consecutive lines; None when there are none.
    pub fn over(entries: &[Entry], at: Millis) -> Option<Checkpoint> {
        let lines = entries.get(..entries.len().min(LINES_MAX))?;
        let first = lines.first()?.index;
        let leaves: Vec<[u8; 32]> = lines.iter().map(|entry| entry.hash).collect();
        Some(Checkpoint { first, count: u32::try_from(leaves.len()).ok()?, at, root: root(&leaves) })
    }

    /// What a box and its witnesses sign: `DOMAIN`, the 16 bytes of the box's id, the chain's origin (32 bytes), then
    /// first, count, time (8 bytes each, big endian) and the root.
    pub fn statement(&self, box_id: BoxId, origin: &[u8; 32]) -> Vec<u8> {
        let numbers = [self.first, self.count.into()].map(u64::to_be_bytes);
        let [first, count] = &numbers;
        [DOMAIN, &box_id.0.to_be_bytes(), origin, first, count, &self.at.0.to_be_bytes(), &self.root].concat()
    }

    /// What the cloud signs: that it saw this statement at that moment.
    pub fn seen(statement: &[u8], at: Millis) -> Vec<u8> {
        [b"branchline egress witness 1", statement, &at.0.to_be_bytes()].concat()
    }

    /// Do these lines, and only these, stand under this checkpoint?
    pub fn covers(&self, entries: &[Entry]) -> bool {
        Checkpoint::over(entries, self.at).is_some_and(|other| other == *self)
            && u32::try_from(entries.len()) == Ok(self.count)
    }
}

// RFC 9162 §2.1.1: MTH({}) = HASH(), leaf = HASH(0x00 || d), node = HASH(0x01 || left || right), split at the largest
// power of two smaller than n. Pairing level by level and promoting an odd last node builds the same tree.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> = leaves.iter().map(|leaf| digest(&[0], &[leaf])).collect();
    if level.is_empty() {
        return Sha256::digest([]).into();
    }
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => digest(&[1], &[left, right]),
                [odd] => *odd,
                _ => [0; 32],
            })
            .collect();
    }
    level.first().copied().unwrap_or_default()
}

fn digest(prefix: &[u8], parts: &[&[u8; 32]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(prefix);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::Chain,
        class::{Carried, Item},
    };

    fn lines(count: usize) -> Vec<Entry> {
        let mut chain = Chain::begin(b"box");
        (0..count).map(|i| chain.seal(&Item::note(Carried::Handshake, Millis(i as i64), b"x"))).collect()
    }

    // RFC 9162 §2.1.1, written as the text says it.
    fn by_definition(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => digest(&[0], &[leaf]),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                digest(&[1], &[&by_definition(&leaves[..split]), &by_definition(&leaves[split..])])
            }
        }
    }

    #[test]
    fn the_root_is_the_rfcs_for_every_size() {
        let leaves: Vec<[u8; 32]> = lines(67).iter().map(|e| e.hash).collect();
        for count in 0..=leaves.len() {
            assert_eq!(root(&leaves[..count]), by_definition(&leaves[..count]), "{count} leaves");
        }
    }

    #[test]
    fn a_checkpoint_is_due_at_a_thousand_lines_or_a_minute() {
        assert!(!due(0, Millis(0), Millis(100_000)));
        assert!(!due(999, Millis(0), Millis(59_999)));
        assert!(due(1, Millis(0), Millis(60_000)));
        assert!(due(1_000, Millis(0), Millis(0)));
    }

    #[test]
    fn a_checkpoint_covers_its_lines_and_no_others() {
        let lines = lines(1_203);
        let checkpoint = Checkpoint::over(&lines, Millis(9)).unwrap();
        assert_eq!((checkpoint.first, checkpoint.count), (0, 1_000));
        assert!(checkpoint.covers(&lines[..1_000]));
        assert!(!checkpoint.covers(&lines[..999]));
        assert!(!checkpoint.covers(&lines), "more lines than it was made over");
        assert!(!checkpoint.covers(&lines[1..1_001]));
        assert_eq!(Checkpoint::over(&[], Millis(9)), None);
    }
}
