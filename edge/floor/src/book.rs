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
/// Records kept for revisions.
const CDRS_MAX: usize = 200_000;

pub struct Book {
    length_s: u32,
    cdrs: BTreeMap<ContactId, Cdr>,
    /// Cells that were closed, as last said.
    said: BTreeMap<(i64, QueueId), (u32, Figures)>,
    touched: BTreeSet<i64>,
    closed_until: i64,
}

impl Book {
    /// Begins with what the ledger remembers: the records and the cells of the last day.
    pub fn new(length_s: u32, now: Millis, cdrs: Vec<Cdr>, said: Vec<Interval>) -> Self {
        let said: BTreeMap<_, _> = said
            .into_iter()
            .filter_map(|cell| Some(((cell.start.0, cell.queue?), (cell.revision, cell.figures))))
            .collect();
        let closed_until = interval::start_of(now, length_s).0;
        let mut book = Self { length_s, cdrs: BTreeMap::new(), said, touched: BTreeSet::new(), closed_until: 0 };
        for cdr in cdrs {
            book.note(&cdr);
        }
        book.closed_until = closed_until;
        book
    }

    /// A record was written, or written again.
    pub fn note(&mut self, cdr: &Cdr) {
        let Some(queued) = cdr.queued else { return };
        self.touched.insert(interval::start_of(queued, self.length_s).0);
        self.cdrs.insert(cdr.contact, cdr.clone());
        while self.cdrs.len() > CDRS_MAX {
            self.cdrs.pop_first();
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
        let touched: BTreeSet<i64> = self.touched.iter().copied().filter(|start| *start < over).collect();
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
        let horizon = now.0.saturating_sub(REMEMBERED_MS);
        self.said.retain(|(start, _), _| *start >= horizon);
        self.cdrs.retain(|_, cdr| cdr.queued.is_some_and(|queued| queued.0 >= horizon));
    }
}
