//! The interval figures: a fold of the call records, closed when their time is over and revised when a late contact
//! changes them. What may leave of them is the gate's decision.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    ContactId, Millis, QueueId,
    cdr::Cdr,
    config::Config,
    leaving::{Figures, Interval},
};

use crate::interval;

/// A contact that ends later than this after it was queued changes nothing any more.
const REMEMBERED_MS: i64 = 24 * 3_600 * 1_000;
/// Nor does one that ends more intervals later: fewer than the gate remembers, which would refuse it.
const REMEMBERED_INTERVALS: i64 = 300;
/// Records kept for revisions.
pub const CDRS_MAX: usize = 200_000;

pub struct Book {
    length_s: u32,
    cdrs: BTreeMap<ContactId, Cdr>,
    /// Cells that were closed, as last said.
    said: BTreeMap<(i64, QueueId), (u32, Figures)>,
    touched: BTreeSet<i64>,
    /// Of intervals that start before this, not every record is here: they stay as they were said.
    whole_from: i64,
    /// Start of the interval in which this began.
    began: Millis,
    closed_until: i64,
}

/// What the ledger remembers of the last day.
#[derive(Debug, Default)]
pub struct Remembered {
    /// All records of contacts that ended since `since`.
    pub cdrs: Vec<Cdr>,
    pub since: Millis,
    /// The cells as they were last said.
    pub said: Vec<Interval>,
}

impl Book {
    /// Begins with what the ledger remembers.
    pub fn new(length_s: u32, now: Millis, remembered: Remembered) -> Self {
        let said: BTreeMap<_, _> = remembered
            .said
            .into_iter()
            .filter_map(|cell| Some(((cell.start.0, cell.queue?), (cell.revision, cell.figures))))
            .collect();
        let began = interval::start_of(now, length_s);
        let mut book = Self {
            length_s,
            cdrs: BTreeMap::new(),
            said,
            touched: BTreeSet::new(),
            whole_from: remembered.since.0,
            began,
            closed_until: began.0,
        };
        book.whole_from = book.whole_from.max(book.horizon(now));
        for cdr in remembered.cdrs {
            book.note(&cdr);
        }
        book
    }

    /// Of every interval, in seconds.
    pub fn length_s(&self) -> u32 {
        self.length_s
    }

    /// Start of the interval in which this began to count.
    pub fn began(&self) -> Millis {
        self.began
    }

    /// A record was written, or written again.
    pub fn note(&mut self, cdr: &Cdr) {
        let Some(queued) = cdr.queued else { return };
        self.touched.insert(interval::start_of(queued, self.length_s).0);
        self.cdrs.insert(cdr.contact, cdr.clone());
        while self.cdrs.len() > CDRS_MAX {
            let gone = self.cdrs.pop_first().and_then(|(_, cdr)| cdr.queued);
            let part = gone.map_or(0, |queued| interval::start_of(queued, self.length_s).0);
            self.whole_from = self.whole_from.max(part.saturating_add(1));
        }
    }

    /// Is there something to close or to revise at `now`?
    pub fn due(&self, now: Millis) -> bool {
        let over = interval::start_of(now, self.length_s).0;
        over > self.closed_until || self.touched.iter().any(|start| *start < over)
    }

    /// Cells that are new or changed, of intervals whose time is over.
    pub fn close(&mut self, now: Millis, config: &Config) -> Vec<Interval> {
        let over = interval::start_of(now, self.length_s).0;
        let touched: BTreeSet<i64> =
            self.touched.iter().copied().filter(|start| (self.whole_from..over).contains(start)).collect();
        self.touched.retain(|start| *start >= over);
        self.closed_until = over;
        let within = |queue: &QueueId| config.queues.get(queue).map_or(20, |queue| queue.service_level_s);
        let cells = interval::fold(
            self.cdrs.values().filter(|cdr| {
                cdr.queued.is_some_and(|queued| touched.contains(&interval::start_of(queued, self.length_s).0))
            }),
            self.length_s,
            within,
        );
        let mut changed = Vec::new();
        for (key, figures) in cells {
            let place = (key.start.0, key.queue.clone());
            let revision = match self.said.get(&place) {
                Some((_, said)) if *said == figures => continue,
                Some((revision, _)) => revision.saturating_add(1),
                None => 0,
            };
            self.said.insert(place, (revision, figures));
            changed.push(Interval {
                queue: Some(key.queue),
                start: key.start,
                length_s: self.length_s,
                revision,
                figures,
            });
        }
        self.forget(now);
        changed
    }

    fn forget(&mut self, now: Millis) {
        let horizon = self.horizon(now);
        self.whole_from = self.whole_from.max(horizon);
        self.said.retain(|(start, _), _| *start >= horizon);
        self.cdrs.retain(|_, cdr| cdr.queued.is_some_and(|queued| queued.0 >= horizon));
    }

    /// What was queued before this is forgotten.
    fn horizon(&self, now: Millis) -> i64 {
        let intervals = REMEMBERED_INTERVALS.saturating_mul(i64::from(self.length_s)).saturating_mul(1_000);
        now.0.saturating_sub(REMEMBERED_MS.min(intervals))
    }
}
