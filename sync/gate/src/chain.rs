//! The egress ledger's hash chain: every line commits to all lines before it, so that a changed, missing or moved
//! line breaks every hash after it.

use model::Millis;
use sha2::{Digest, Sha256};

use crate::class::{Class, Item};

/// Separates this chain's hashes from every other use of SHA-256.
const DOMAIN: &[u8] = b"branchline egress line 1";

/// One line of the egress ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Gapless from 0.
    pub index: u64,
    pub at: Millis,
    pub kind: Class,
    /// Length of the body, in bytes.
    pub bytes: u64,
    /// Of the body.
    pub sha256: [u8; 32],
    pub prev: [u8; 32],
    pub hash: [u8; 32],
}

impl Entry {
    fn expected_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(self.index.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        hash.update([self.kind.code()]);
        hash.update(self.bytes.to_be_bytes());
        hash.update(self.sha256);
        hash.update(self.prev);
        hash.finalize().into()
    }
}

/// Where a chain stands: the next index and the last hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    pub next: u64,
    pub head: [u8; 32],
}

impl Chain {
    /// An empty chain. `origin` makes two boxes' chains differ from the first line on.
    pub fn begin(origin: &[u8]) -> Chain {
        let mut hash = Sha256::new();
        hash.update(b"branchline egress origin 1");
        hash.update(origin);
        Chain { next: 0, head: hash.finalize().into() }
    }

    /// Gives an item its place.
    pub fn seal(&mut self, item: &Item) -> Entry {
        let mut entry = Entry {
            index: self.next,
            at: item.at(),
            kind: item.class(),
            bytes: item.bytes(),
            sha256: item.sha256(),
            prev: self.head,
            hash: [0; 32],
        };
        entry.hash = entry.expected_hash();
        self.next = self.next.saturating_add(1);
        self.head = entry.hash;
        entry
    }

    /// Follows a line that is already there.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), Broken> {
        let fits = entry.index == self.next && entry.prev == self.head && entry.hash == entry.expected_hash();
        if !fits {
            return Err(Broken { index: self.next });
        }
        self.next = self.next.saturating_add(1);
        self.head = entry.hash;
        Ok(())
    }
}

/// The first place where the chain does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the egress chain is broken at line {index}")]
pub struct Broken {
    pub index: u64,
}

/// Checks lines that follow `from`, and says where the chain stands after them.
pub fn verify<'a>(from: Chain, entries: impl IntoIterator<Item = &'a Entry>) -> Result<Chain, Broken> {
    let mut chain = from;
    for entry in entries {
        chain.follow(entry)?;
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Carried;

    fn lines(count: u64) -> Vec<Entry> {
        let mut chain = Chain::begin(b"box");
        (0..count).map(|i| chain.seal(&Item::note(Carried::Configuration, Millis(1_000), &i.to_be_bytes()))).collect()
    }

    #[test]
    fn an_untouched_chain_verifies_whole_and_in_parts() {
        let lines = lines(20);
        let half = verify(Chain::begin(b"box"), &lines[..9]).unwrap();
        assert_eq!(verify(half, &lines[9..]).unwrap(), verify(Chain::begin(b"box"), &lines).unwrap());
    }

    #[test]
    fn another_boxes_chain_does_not_verify() {
        assert_eq!(verify(Chain::begin(b"other"), &lines(3)), Err(Broken { index: 0 }));
    }

    #[test]
    fn any_change_of_any_field_breaks_the_chain_at_that_line() {
        type Spoil = fn(&mut Entry);
        let spoils: [Spoil; 7] = [
            |e| e.index += 1,
            |e| e.at.0 += 1,
            |e| e.kind = Class::Handshake,
            |e| e.bytes += 1,
            |e| e.sha256[31] ^= 1,
            |e| e.prev[0] ^= 0x80,
            |e| e.hash[7] ^= 1,
        ];
        for spoil in spoils {
            let mut lines = lines(8);
            spoil(&mut lines[5]);
            assert_eq!(verify(Chain::begin(b"box"), &lines), Err(Broken { index: 5 }));
        }
    }

    #[test]
    fn a_missing_or_swapped_line_is_seen() {
        let mut missing = lines(8);
        missing.remove(3);
        assert_eq!(verify(Chain::begin(b"box"), &missing), Err(Broken { index: 3 }));
        let mut swapped = lines(8);
        swapped.swap(2, 3);
        assert_eq!(verify(Chain::begin(b"box"), &swapped), Err(Broken { index: 2 }));
    }
}
