//! What kind of thing leaves, and the proof that it passed: a `Passed` or an `Item` can only be made here.

use model::Millis;
use sha2::{Digest, Sha256};

/// Every class of bytes that may travel from a box to the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Interval figures above the threshold, and up to where intervals were closed.
    Metric,
    Health,
    /// What people at the centre must see soon.
    Notice,
    /// Sync messages of the configuration documents.
    Configuration,
    OverflowSignal,
    /// Sealed media of an overflow call, noted once per call.
    OverflowMedia,
    /// Hello, enrolment, renewal.
    Handshake,
    /// A signed checkpoint of this very ledger.
    Checkpoint,
}

impl Class {
    pub const ALL: [Class; 8] = [
        Class::Metric,
        Class::Health,
        Class::Notice,
        Class::Configuration,
        Class::OverflowSignal,
        Class::OverflowMedia,
        Class::Handshake,
        Class::Checkpoint,
    ];

    /// The number that stands for the class on disk and on the wire.
    pub fn code(self) -> u8 {
        match self {
            Class::Metric => 1,
            Class::Health => 2,
            Class::Configuration => 3,
            Class::OverflowSignal => 4,
            Class::OverflowMedia => 5,
            Class::Handshake => 6,
            Class::Notice => 7,
            Class::Checkpoint => 8,
        }
    }

    pub fn from_code(code: u8) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.code() == code)
    }

    pub fn name(self) -> &'static str {
        match self {
            Class::Metric => "metric",
            Class::Health => "health",
            Class::Notice => "notice",
            Class::Configuration => "configuration",
            Class::OverflowSignal => "overflow signal",
            Class::OverflowMedia => "overflow media",
            Class::Handshake => "handshake",
            Class::Checkpoint => "checkpoint",
        }
    }
}

/// The classes whose bytes are made elsewhere and are noted by size and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    Configuration,
    OverflowSignal,
    OverflowMedia,
    Handshake,
    Checkpoint,
}

impl From<Carried> for Class {
    fn from(carried: Carried) -> Class {
        match carried {
            Carried::Configuration => Class::Configuration,
            Carried::OverflowSignal => Class::OverflowSignal,
            Carried::OverflowMedia => Class::OverflowMedia,
            Carried::Handshake => Class::Handshake,
            Carried::Checkpoint => Class::Checkpoint,
        }
    }
}

/// A line of the egress ledger before the chain has given it its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    at: Millis,
    class: Class,
    bytes: u64,
    sha256: [u8; 32],
    body: Option<Vec<u8>>,
}

impl Item {
    pub(crate) fn of(class: Class, at: Millis, body: &[u8]) -> Item {
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        Item { at, class, bytes, sha256: Sha256::digest(body).into(), body: Some(body.to_vec()) }
    }

    /// Notes bytes that another machine made, before they are sent.
    pub fn note(carried: Carried, at: Millis, body: &[u8]) -> Item {
        Item::of(carried.into(), at, body)
    }

    /// What leaves, to be read by who audits it; None for sealed media, which only their ends can read.
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    pub fn at(&self) -> Millis {
        self.at
    }

    pub fn class(&self) -> Class {
        self.class
    }

    /// Length of the body, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Of the body.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }
}

/// Sums up many small pieces of one carried stream (the datagrams of a call) into one item.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    bytes: u64,
    hash: Sha256,
}

impl Tally {
    pub fn add(&mut self, piece: &[u8]) {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        self.hash.update(piece);
    }

    pub fn finish(self, carried: Carried, at: Millis) -> Item {
        Item { at, class: carried.into(), bytes: self.bytes, sha256: self.hash.finalize().into(), body: None }
    }
}

/// An encoded item that may leave: the outbox row's body, encoded exactly once, and its line for the egress ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    item: Item,
}

impl Passed {
    pub(crate) fn new(class: Class, at: Millis, body: &[u8]) -> Passed {
        Passed { item: Item::of(class, at, body) }
    }

    pub fn kind(&self) -> Class {
        self.item.class
    }

    /// CBOR of a `model::leaving::Leaving`.
    pub fn body(&self) -> &[u8] {
        self.item.body().unwrap_or_default()
    }

    pub fn item(&self) -> &Item {
        &self.item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_code_of_its_own_and_comes_back_from_it() {
        for class in Class::ALL {
            assert_eq!(Class::from_code(class.code()), Some(class));
        }
        assert_eq!(Class::from_code(0), None);
        assert_eq!(Class::from_code(9), None);
    }

    #[test]
    fn a_tally_of_pieces_equals_a_note_of_the_whole() {
        let mut tally = Tally::default();
        tally.add(b"abc");
        tally.add(b"defg");
        let whole = Item::note(Carried::OverflowMedia, Millis(5), b"abcdefg");
        let item = tally.finish(Carried::OverflowMedia, Millis(5));
        assert_eq!((item.bytes(), item.sha256()), (whole.bytes(), whole.sha256()));
        assert_eq!((item.body(), whole.body()), (None, Some(&b"abcdefg"[..])));
    }
}
