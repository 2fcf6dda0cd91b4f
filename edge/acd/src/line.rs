//! Contacts in the order in which they are served: by value, within a value by their original queue time, and those
//! that have waited too long before all others (RT-02).

use std::{
    cmp::Reverse,
    collections::BTreeSet,
    time::{Duration, Instant},
};

use model::{ContactId, routing::VALUE_MAX};

const VALUES: usize = VALUE_MAX as usize + 1;

/// A place in a line. Oldest queue time first; at the same time, first come first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub since: Instant,
    pub order: u64,
    pub contact: ContactId,
}

/// Why a contact is next; the smaller comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    Aged,
    Value(Reverse<u8>),
}

impl Turn {
    pub fn of(value: u8, waited: Duration, ageing: Duration) -> Self {
        if waited >= ageing { Self::Aged } else { Self::Value(Reverse(value)) }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Line {
    values: [BTreeSet<Place>; VALUES],
}

impl Line {
    pub fn insert(&mut self, value: u8, place: Place) {
        if let Some(class) = self.values.get_mut(usize::from(value)) {
            class.insert(place);
        }
    }

    pub fn remove(&mut self, value: u8, place: &Place) {
        if let Some(class) = self.values.get_mut(usize::from(value)) {
            class.remove(place);
        }
    }

    pub fn len(&self) -> usize {
        self.values.iter().map(BTreeSet::len).sum()
    }

    pub fn oldest(&self) -> Option<Place> {
        self.values.iter().filter_map(|class| class.first()).min().copied()
    }

    /// The same among some.
    pub fn oldest_of(&self, is: impl Fn(&Place) -> bool) -> Option<Place> {
        self.values.iter().filter_map(|class| class.iter().find(|place| is(place))).min().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Place> {
        self.values.iter().flatten()
    }

    /// How many of the same or a higher value stand before this place, counted no further than `most`.
    pub fn ahead(&self, value: u8, place: &Place, most: usize) -> usize {
        let higher: usize = self.values.iter().skip(usize::from(value) + 1).map(BTreeSet::len).sum();
        let own = self.values.get(usize::from(value));
        let before = own.map_or(0, |class| class.iter().take(most).take_while(|other| *other < place).count());
        higher.saturating_add(before).min(most)
    }

    /// Who is served next among those of `least` value and those who have aged.
    pub fn next(&self, now: Instant, ageing: Duration, least: u8) -> Option<(Turn, Place)> {
        let oldest = self.oldest()?;
        if now.saturating_duration_since(oldest.since) >= ageing {
            return Some((Turn::Aged, oldest));
        }
        let first = |(value, class): (u8, &BTreeSet<Place>)| Some((Turn::Value(Reverse(value)), *class.first()?));
        (0..=VALUE_MAX).zip(&self.values).rev().take_while(|(value, _)| *value >= least).find_map(first)
    }
}
