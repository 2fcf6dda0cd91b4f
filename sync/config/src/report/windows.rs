//! Times apart: when changes were written that the other side did not know of.

use model::{
    Millis,
    history::{By, Side},
};

use super::Histories;

/// A change that was stored this much later than it was written was written apart: a live link takes seconds.
const LATE_MS: i64 = 60_000;

/// From when the first of its changes was written until the last was stored here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Window {
    pub from: Millis,
    pub until: Millis,
}

impl Window {
    /// A clock that is ahead counts as none.
    pub(super) fn of(by: &By) -> Window {
        Window { from: by.written.min(by.taken), until: by.taken }
    }

    /// Whether the other one touches it.
    pub(super) fn holds(self, other: Window) -> bool {
        self.from <= other.until && other.from <= self.until
    }

    pub(super) fn and(self, other: Window) -> Window {
        Window { from: self.from.min(other.from), until: self.until.max(other.until) }
    }
}

/// Disjoint, in the order of time: what came late, and where edits met.
pub(super) fn windows(of: &Histories, met: impl Iterator<Item = Window>) -> Vec<Window> {
    let mut all: Vec<Window> = late(of).into_iter().chain(met).collect();
    all.sort();
    let mut merged: Vec<Window> = Vec::new();
    for window in all {
        match merged.last_mut() {
            Some(last) if last.holds(window) => *last = last.and(window),
            _ => merged.push(window),
        }
    }
    merged
}

fn late(of: &Histories) -> Vec<Window> {
    let all = || of.all().into_iter().flat_map(|history| history.changes.iter().map(|change| &change.by));
    // With what the centre had written before anything of it was here a replica begins, and nobody was apart then.
    let begun = all().filter(|by| by.side == Side::Centre).map(|by| by.taken).min();
    let beginning = |by: &By| by.side == Side::Centre && begun.is_some_and(|begun| by.written < begun);
    let is_late = |window: &Window| window.until.0.saturating_sub(window.from.0) >= LATE_MS;
    all().filter(|by| !beginning(by)).map(Window::of).filter(is_late).collect()
}
