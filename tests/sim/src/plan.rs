//! What a day is to be like, and what is to go wrong in it.

use std::{collections::BTreeSet, time::Duration};

/// One day, wholly told by its fields: the same plan gives the same trace.
#[derive(Debug, Clone)]
pub struct Plan {
    pub seed: u64,
    /// From eight in the morning on. Then nobody calls any more, and everything comes to its end.
    pub length: Duration,
    /// Do lines break and processes die?
    pub trouble: bool,
    /// Who calls: other people have other numbers, longer ones too, and other names. Nothing else of the day changes.
    pub people: u64,
    /// Rules that are broken on purpose, to see that the verdict finds it.
    pub faults: BTreeSet<Fault>,
}

/// A rule of the shells that this world breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Every tenth call record is not written.
    RecordsLost,
    /// The cloud forgets its watermarks, and takes every row twice.
    RowsTakenTwice,
    /// A caller's number is written into the configuration.
    NumberInConfiguration,
    /// The cloud keeps its own edits from the boxes.
    EditsKeptBack,
}

impl Plan {
    pub fn day(seed: u64) -> Self {
        Self { seed, length: Duration::from_secs(24 * 3_600), trouble: true, people: 0, faults: BTreeSet::new() }
    }

    pub fn hours(mut self, hours: u64) -> Self {
        self.length = Duration::from_secs(hours * 3_600);
        self
    }

    /// Nothing breaks.
    pub fn calm(mut self) -> Self {
        self.trouble = false;
        self
    }

    /// The same day, with other callers.
    pub fn people(mut self, people: u64) -> Self {
        self.people = people;
        self
    }

    /// Breaks a rule of the shells in this world.
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.insert(fault);
        self
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}
