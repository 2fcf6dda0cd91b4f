//! The one clock of the world, and the agenda of what is yet to happen. Nothing here waits: time is the time of the next
//! entry.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    time::{Duration, Instant},
};

use floor::CivilTime;
use model::Millis;

use crate::event::Event;

/// Monday, 2026-11-23, 08:00 UTC: when every simulated day begins.
pub const MORNING: Millis = Millis(1_795_420_800_000);
/// The same day as a calendar has it: year and month, and the day of the month.
const DATE: (&str, u64) = ("2026-11", 23);
const DAY_S: u64 = 24 * 3_600;

/// How far the world is into its day. Engines get `now` and `wall`; people read `of_day`.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: Instant,
    passed: Duration,
}

impl Clock {
    /// Engines measure with differences of instants alone, so the one real instant that they count from is never seen.
    #[allow(clippy::disallowed_methods, reason = "an Instant has no other beginning; only differences count")]
    pub fn start() -> Self {
        Self { base: Instant::now(), passed: Duration::ZERO }
    }

    pub fn now(&self) -> Instant {
        self.base + self.passed
    }

    pub fn wall(&self) -> Millis {
        Millis(MORNING.0 + i64::try_from(self.passed.as_millis()).unwrap_or(i64::MAX))
    }

    pub fn passed(&self) -> Duration {
        self.passed
    }

    /// Time does not go back.
    pub fn set(&mut self, to: Duration) {
        self.passed = self.passed.max(to);
    }

    /// The moment of an engine's timer on this clock.
    pub fn of(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.base)
    }

    /// Seconds since midnight of the day that `passed` falls into.
    pub fn second_of_day(passed: Duration) -> u64 {
        (8 * 3_600 + passed.as_secs()) % DAY_S
    }

    /// What the clock on the wall of a branch shows.
    pub fn civil(&self) -> CivilTime {
        let days = (8 * 3_600 + self.passed.as_secs()) / DAY_S;
        let minute = u16::try_from(Self::second_of_day(self.passed) / 60).unwrap_or(0);
        let day = u8::try_from(days % 7).unwrap_or(0);
        CivilTime { date: format!("{}-{:02}", DATE.0, DATE.1 + days), day, minute }
    }

    /// `08:03:12.345`, with a `+` for each midnight that has passed.
    pub fn text(passed: Duration) -> String {
        let days = (8 * 3_600 + passed.as_secs()) / DAY_S;
        let s = Self::second_of_day(passed);
        let plus = if days > 0 { "+" } else { " " };
        format!("{plus}{:02}:{:02}:{:02}.{:03}", s / 3_600, s / 60 % 60, s % 60, passed.subsec_millis())
    }
}

/// What is yet to happen, in the order of time; what is due at once, in the order in which it was entered.
#[derive(Default)]
pub struct Agenda {
    heap: BinaryHeap<Reverse<Entry>>,
    entered: u64,
}

struct Entry {
    at: Duration,
    order: u64,
    event: Event,
}

impl Agenda {
    pub fn at(&mut self, at: Duration, event: Event) {
        self.entered += 1;
        self.heap.push(Reverse(Entry { at, order: self.entered, event }));
    }

    pub fn next_at(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    pub fn pop(&mut self) -> Option<(Duration, Event)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}

impl Entry {
    fn key(&self) -> (Duration, u64) {
        (self.at, self.order)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
