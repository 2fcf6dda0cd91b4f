//! Named deadlines: set, cleared and found due in order. The same key set twice keeps the later call's time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

#[derive(Debug)]
pub struct Timers<K> {
    at: BTreeMap<K, Instant>,
    order: BTreeSet<(Instant, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { at: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Timers<K> {
    pub fn set(&mut self, key: K, at: Instant) {
        self.clear(&key);
        self.at.insert(key.clone(), at);
        self.order.insert((at, key));
    }

    /// Sets it, unless it runs already.
    pub fn set_if_none(&mut self, key: K, at: Instant) {
        if !self.at.contains_key(&key) {
            self.set(key, at);
        }
    }

    pub fn clear(&mut self, key: &K) {
        if let Some((key, at)) = self.at.remove_entry(key) {
            self.order.remove(&(at, key));
        }
    }

    /// All of them from `first` to `last`, in the order of keys.
    pub fn clear_between(&mut self, first: K, last: K) {
        while let Some(key) = self.at.range(&first..=&last).next().map(|(key, _)| key.clone()) {
            self.clear(&key);
        }
    }

    pub fn has(&self, key: &K) -> bool {
        self.at.contains_key(key)
    }

    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes one timer that is due.
    pub fn due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, key) = self.order.pop_first()?;
        self.at.remove(&key);
        Some(key)
    }
}
