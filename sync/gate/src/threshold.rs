//! Cells too small to leave. A queue's cell with fewer than k offered contacts folds into the site's cell; a site's
//! cell with fewer than k is carried into the next interval's, until k is reached. Nothing is lost: the sum over all
//! published cells and what is still carried is the sum of what came in.
//!
//! The site's cell holds only what was folded, so that no subtraction of published cells uncovers a small one. How a
//! queue's cell was treated at its first sight stays so for its revisions.

use std::collections::{BTreeMap, BTreeSet};

use ciborium::Value;
use model::{
    Millis, QueueId,
    leaving::{Figures, Interval},
};

/// Intervals remembered for revisions; the oldest are forgotten first (four days of quarter hours).
pub const INTERVALS_MAX: usize = 400;
/// Cells of one interval.
pub const CELLS_MAX: usize = 1_000;

/// What the gate remembers between two items. The shell stores it together with what passed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    intervals: BTreeMap<i64, Kept>,
    /// Folded figures of forgotten intervals that have not been published yet.
    carried: Figures,
    /// Intervals that start before this are forgotten: a revision of them comes too late.
    horizon: i64,
    /// Up to where intervals were said to be closed.
    closed_until: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Kept {
    length_s: u32,
    cells: BTreeMap<Option<QueueId>, Cell>,
    /// Figures of forgotten intervals that are published in this interval's site cell.
    base: Figures,
    /// The interval whose site cell publishes what was folded here.
    host: Option<i64>,
    /// Of this interval's own site cell, once it was published.
    site_revision: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    revision: u32,
    /// Published under its own queue.
    own: bool,
    figures: Figures,
}

/// What became of a cell.
pub(crate) enum Admitted {
    Publish,
    Fold,
    /// This revision or a later one was here before.
    Known,
    TooLate,
    TooMany,
}

impl State {
    /// Takes in a queue's cell. The caller settles the touched interval afterwards.
    pub(crate) fn admit(&mut self, k: u32, cell: &Interval) -> Admitted {
        if cell.start.0 < self.horizon {
            return Admitted::TooLate;
        }
        let kept = self.intervals.entry(cell.start.0).or_default();
        kept.length_s = cell.length_s;
        if !kept.cells.contains_key(&cell.queue) && kept.cells.len() >= CELLS_MAX {
            return Admitted::TooMany;
        }
        let own = match kept.cells.get(&cell.queue) {
            Some(seen) if seen.revision >= cell.revision => return Admitted::Known,
            Some(seen) => seen.own,
            None => cell.queue.is_some() && cell.figures.offered >= k,
        };
        kept.cells.insert(cell.queue.clone(), Cell { revision: cell.revision, own, figures: cell.figures });
        if own { Admitted::Publish } else { Admitted::Fold }
    }

    /// The length the interval was first seen with.
    pub(crate) fn length_s(&self, start: Millis) -> Option<u32> {
        self.intervals.get(&start.0).map(|kept| kept.length_s)
    }

    /// Site cells to publish after cells of the `touched` intervals were folded.
    pub(crate) fn settle(&mut self, k: u32, touched: &BTreeSet<i64>) -> Vec<Interval> {
        let mut hosts: BTreeSet<i64> =
            touched.iter().filter_map(|start| self.intervals.get(start).and_then(|kept| kept.host)).collect();
        hosts.extend(self.find_host(k));
        let cells = hosts.into_iter().filter_map(|host| self.site_cell(host)).collect();
        self.forget();
        cells
    }

    pub(crate) fn close(&mut self, until: Millis) {
        self.closed_until = Some(until.0);
    }

    /// End of the last interval that was said to be closed.
    pub fn closed_until(&self) -> Option<Millis> {
        self.closed_until.map(Millis)
    }

    pub(crate) fn closed_ms(&self) -> Option<i64> {
        self.closed_until
    }

    /// Folded figures that wait for enough company.
    pub fn waiting(&self) -> Figures {
        let open = self.intervals.values().filter(|kept| kept.host.is_none()).map(Kept::folded);
        open.fold(self.carried, sum)
    }

    /// When what waits reaches k, the latest waiting interval publishes all of it.
    fn find_host(&mut self, k: u32) -> Option<i64> {
        if self.waiting().offered < k {
            return None;
        }
        let waits = |kept: &Kept| kept.host.is_none() && kept.folds();
        let host = self.intervals.iter().rev().find(|(_, kept)| waits(kept)).map(|(start, _)| *start)?;
        for kept in self.intervals.values_mut().filter(|kept| waits(kept)) {
            kept.host = Some(host);
        }
        let carried = std::mem::take(&mut self.carried);
        let kept = self.intervals.get_mut(&host)?;
        kept.base = sum(kept.base, carried);
        Some(host)
    }

    fn site_cell(&mut self, host: i64) -> Option<Interval> {
        let guests = self.intervals.values().filter(|kept| kept.host == Some(host)).map(Kept::folded);
        let folded = guests.fold(Figures::default(), sum);
        let kept = self.intervals.get_mut(&host)?;
        let revision = kept.site_revision.map_or(0, |last| last.saturating_add(1));
        kept.site_revision = Some(revision);
        let figures = sum(kept.base, folded);
        Some(Interval { queue: None, start: Millis(host), length_s: kept.length_s, revision, figures })
    }

    fn forget(&mut self) {
        while self.intervals.len() > INTERVALS_MAX {
            let Some((start, gone)) = self.intervals.pop_first() else { return };
            self.horizon = self.horizon.max(start.saturating_add(1));
            match gone.host {
                None => self.carried = sum(self.carried, gone.folded()),
                // A host is never older than its guests, so it is still here unless it was this one.
                Some(host) => {
                    if let Some(kept) = self.intervals.get_mut(&host) {
                        kept.base = sum(kept.base, gone.folded());
                    }
                }
            }
        }
    }
}

impl Kept {
    fn folds(&self) -> bool {
        self.cells.values().any(|cell| !cell.own)
    }

    fn folded(&self) -> Figures {
        self.cells.values().filter(|cell| !cell.own).fold(Figures::default(), |total, cell| sum(total, cell.figures))
    }
}

/// The sum of two cells' figures.
pub fn sum(a: Figures, b: Figures) -> Figures {
    Figures {
        offered: a.offered.saturating_add(b.offered),
        answered: a.answered.saturating_add(b.answered),
        abandoned: a.abandoned.saturating_add(b.abandoned),
        answered_in_t: a.answered_in_t.saturating_add(b.answered_in_t),
        abandoned_in_t: a.abandoned_in_t.saturating_add(b.abandoned_in_t),
        overflowed: a.overflowed.saturating_add(b.overflowed),
        recorded: a.recorded.saturating_add(b.recorded),
        wait_s: a.wait_s.saturating_add(b.wait_s),
        talk_s: a.talk_s.saturating_add(b.talk_s),
        hold_s: a.hold_s.saturating_add(b.hold_s),
        wrap_up_s: a.wrap_up_s.saturating_add(b.wrap_up_s),
    }
}

// The state on disk: CBOR arrays in a fixed order, behind a version.
const VERSION: u64 = 2;
/// Without the last of the parts.
const VERSION_BEFORE: u64 = 1;

/// The bytes are not a gate's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are not a gate's state of version {VERSION}")]
pub struct Unreadable;

impl State {
    pub fn encode(&self) -> Vec<u8> {
        let intervals = self.intervals.iter().map(|(start, kept)| kept.value(*start)).collect();
        let value = Value::Array(vec![
            VERSION.into(),
            self.horizon.into(),
            figures_value(&self.carried),
            Value::Array(intervals),
            self.closed_until.map_or(Value::Null, Value::from),
        ]);
        let mut bytes = Vec::new();
        // Writing to memory cannot fail.
        ciborium::into_writer(&value, &mut bytes).ok();
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<State, Unreadable> {
        let value: Value = ciborium::from_reader(bytes).map_err(|_| Unreadable)?;
        let before = array::<4>(&value).ok().filter(|parts| parts[0] == VERSION_BEFORE.into());
        let (parts, closed_until) = match before {
            Some(parts) => (parts.as_slice(), None),
            None => {
                let parts = array::<5>(&value)?;
                if parts[0] != VERSION.into() {
                    return Err(Unreadable);
                }
                (parts.as_slice(), optional(&parts[4], integer)?)
            }
        };
        let listed = parts[3].as_array().ok_or(Unreadable)?;
        if listed.len() > INTERVALS_MAX {
            return Err(Unreadable);
        }
        let intervals = listed.iter().map(Kept::from_value).collect::<Result<_, _>>()?;
        Ok(State { intervals, carried: figures(&parts[2])?, horizon: integer(&parts[1])?, closed_until })
    }
}

impl Kept {
    fn value(&self, start: i64) -> Value {
        let cell = |(queue, cell): (&Option<QueueId>, &Cell)| {
            Value::Array(vec![
                queue.as_ref().map_or(Value::Null, |queue| queue.as_str().into()),
                cell.revision.into(),
                cell.own.into(),
                figures_value(&cell.figures),
            ])
        };
        Value::Array(vec![
            start.into(),
            self.length_s.into(),
            self.host.map_or(Value::Null, Value::from),
            self.site_revision.map_or(Value::Null, Value::from),
            figures_value(&self.base),
            Value::Array(self.cells.iter().map(cell).collect()),
        ])
    }

    fn from_value(value: &Value) -> Result<(i64, Kept), Unreadable> {
        let parts = array::<6>(value)?;
        let listed = parts[5].as_array().ok_or(Unreadable)?;
        let mut cells = BTreeMap::new();
        for cell in listed.iter().take(CELLS_MAX) {
            let cell = array::<4>(cell)?;
            let queue = optional(&cell[0], |v| QueueId::new(v.as_text().ok_or(Unreadable)?).map_err(|_| Unreadable))?;
            let own = cell[2].as_bool().ok_or(Unreadable)?;
            cells.insert(queue, Cell { revision: integer(&cell[1])?, own, figures: figures(&cell[3])? });
        }
        let kept = Kept {
            length_s: integer(&parts[1])?,
            cells,
            base: figures(&parts[4])?,
            host: optional(&parts[2], integer)?,
            site_revision: optional(&parts[3], integer)?,
        };
        Ok((integer(&parts[0])?, kept))
    }
}

fn figures_value(f: &Figures) -> Value {
    let all = [
        f.offered,
        f.answered,
        f.abandoned,
        f.answered_in_t,
        f.abandoned_in_t,
        f.overflowed,
        f.recorded,
        f.wait_s,
        f.talk_s,
        f.hold_s,
        f.wrap_up_s,
    ];
    Value::Array(all.into_iter().map(Value::from).collect())
}

fn figures(value: &Value) -> Result<Figures, Unreadable> {
    let parts = array::<11>(value)?;
    Ok(Figures {
        offered: integer(&parts[0])?,
        answered: integer(&parts[1])?,
        abandoned: integer(&parts[2])?,
        answered_in_t: integer(&parts[3])?,
        abandoned_in_t: integer(&parts[4])?,
        overflowed: integer(&parts[5])?,
        recorded: integer(&parts[6])?,
        wait_s: integer(&parts[7])?,
        talk_s: integer(&parts[8])?,
        hold_s: integer(&parts[9])?,
        wrap_up_s: integer(&parts[10])?,
    })
}

fn array<const N: usize>(value: &Value) -> Result<&[Value; N], Unreadable> {
    value.as_array().and_then(|list| list.as_slice().try_into().ok()).ok_or(Unreadable)
}

fn integer<T: TryFrom<i128>>(value: &Value) -> Result<T, Unreadable> {
    let number = value.as_integer().ok_or(Unreadable)?;
    T::try_from(number.into()).map_err(|_| Unreadable)
}

fn optional<T>(value: &Value, read: impl Fn(&Value) -> Result<T, Unreadable>) -> Result<Option<T>, Unreadable> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}
