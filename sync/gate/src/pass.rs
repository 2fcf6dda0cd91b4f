//! The gate itself: checks an item's bounds, folds what is too small, encodes what may leave exactly once.

use std::collections::BTreeSet;

use model::{
    Millis, QueueId,
    leaving::{ALONE_DAYS_MAX, Alone, Closed, End, Figures, Health, Interval, Leaving, Notice, Running},
};

use crate::{
    class::{Class, Passed},
    drill,
    threshold::{Admitted, State},
};

/// Items of one call of `pass`.
pub const ITEMS_MAX: usize = 2_000;
/// Contacts one cell can count.
pub const OFFERED_MAX: u32 = 1_000_000;

/// Queues that one statement of what was closed can name.
pub const QUEUES_MAX: usize = crate::threshold::CELLS_MAX;

/// How strict the gate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// A cell with fewer offered contacts than this does not leave by itself. At least 1.
    pub k: u32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { k: 5 }
    }
}

/// Our own engines offered something that may not leave: a fault of ours, and nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{field} of {item} is {value}, outside {min} to {max}")]
    Bounds { item: &'static str, field: &'static str, value: i64, min: i64, max: i64 },
    #[error("the parts of an interval's figures exceed their whole: {field}")]
    Incoherent { field: &'static str },
    #[error("the interval at {} of {queue:?} is older than the gate remembers", start.0)]
    TooLate { queue: Option<QueueId>, start: Millis },
    #[error("more than {max} items or cells at once")]
    TooMany { max: usize },
    #[error("the item could not be encoded")]
    Encoding,
}

/// The one way out.
#[derive(Debug, Clone)]
pub struct Gate {
    k: u32,
    state: State,
}

impl Gate {
    /// Goes on from a stored state; `State::default()` for a new box.
    pub fn new(policy: Policy, state: State) -> Gate {
        Gate { k: policy.k.max(1), state }
    }

    /// To be stored in the transaction that stores what passed.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What is to be said of the intervals that are over at `at`, after their cells: from where the last statement ended,
    /// or from `began` when there was none. None while no further interval is over.
    pub fn closing(&self, began: Millis, length_s: u32, at: Millis, queues: Vec<QueueId>) -> Option<Closed> {
        let length_ms = i64::from(length_s.max(1)).saturating_mul(1_000);
        let floor = |moment: i64| moment.saturating_sub(moment.rem_euclid(length_ms));
        let (from, until) = (floor(self.state.closed_ms().unwrap_or(began.0)), floor(at.0));
        // A clock that was set back: what lies ahead of it will be said again.
        let from = if until < from { until.saturating_sub(length_ms) } else { from };
        let closed = Closed { from: Millis(from.max(0)), until: Millis(until), length_s, at, queues };
        (closed.from < closed.until).then_some(closed)
    }

    /// Everything of `items` that may leave at once. All cells of one interval belong into one call when it closes;
    /// later revisions may come alone. On an error nothing has changed.
    pub fn pass(&mut self, items: &[Leaving], at: Millis) -> Result<Vec<Passed>, Error> {
        if items.len() > ITEMS_MAX {
            return Err(Error::TooMany { max: ITEMS_MAX });
        }
        let mut state = self.state.clone();
        let mut leaving = Vec::new();
        let (mut folded, mut closed) = (BTreeSet::new(), Vec::new());
        for item in items {
            match item {
                Leaving::Health(health) => {
                    check_health(health)?;
                    leaving.push(item.clone());
                }
                Leaving::Notice(notice) => {
                    check_notice(notice)?;
                    leaving.push(item.clone());
                }
                Leaving::Running(running) => {
                    check_running(running)?;
                    leaving.push(item.clone());
                }
                Leaving::Drill(report) => leaving.push(Leaving::Drill(Box::new(drill::thinned(report, self.k)?))),
                Leaving::Closed(said) => {
                    check_closed(said)?;
                    state.close(said.until);
                    closed.push(item.clone());
                }
                Leaving::Interval(cell) => {
                    check_interval(cell, state.length_s(cell.start))?;
                    match state.admit(self.k, cell) {
                        Admitted::Publish => leaving.push(item.clone()),
                        Admitted::Fold => drop(folded.insert(cell.start.0)),
                        Admitted::Known => {}
                        Admitted::TooLate => {
                            return Err(Error::TooLate { queue: cell.queue.clone(), start: cell.start });
                        }
                        Admitted::TooMany => return Err(Error::TooMany { max: crate::threshold::CELLS_MAX }),
                    }
                }
            }
        }
        leaving.extend(state.settle(self.k, &folded).into_iter().map(Leaving::Interval));
        // Behind every cell that it speaks for.
        leaving.extend(closed);
        let passed = leaving.iter().map(|item| encode(item, at)).collect::<Result<_, _>>()?;
        self.state = state;
        Ok(passed)
    }
}

/// Reads the body of an outbox row back, as the cloud does.
pub fn decode(body: &[u8]) -> Result<Leaving, Error> {
    ciborium::from_reader(body).map_err(|_| Error::Encoding)
}

fn encode(item: &Leaving, at: Millis) -> Result<Passed, Error> {
    let class = match item {
        Leaving::Interval(_) | Leaving::Closed(_) => Class::Metric,
        Leaving::Health(_) | Leaving::Running(_) | Leaving::Drill(_) => Class::Health,
        Leaving::Notice(_) => Class::Notice,
    };
    let mut body = Vec::new();
    ciborium::into_writer(item, &mut body).map_err(|_| Error::Encoding)?;
    Ok(Passed::new(class, at, &body))
}

fn check_interval(cell: &Interval, length_known: Option<u32>) -> Result<(), Error> {
    let within = |field, value: i64, min, max| bounds("interval", field, value, min, max);
    within("length_s", cell.length_s.into(), 60, 86_400)?;
    if let Some(known) = length_known {
        within("length_s", cell.length_s.into(), known.into(), known.into())?;
    }
    within("start", cell.start.0, 0, i64::MAX)?;
    let length_ms = i64::from(cell.length_s).saturating_mul(1_000);
    within("start modulo length", cell.start.0.checked_rem(length_ms).unwrap_or(1), 0, 0)?;
    check_figures(&cell.figures)
}

pub(crate) fn check_figures(f: &Figures) -> Result<(), Error> {
    bounds("interval", "offered", f.offered.into(), 0, OFFERED_MAX.into())?;
    let parts = [
        ("answered and abandoned", f.answered.saturating_add(f.abandoned), f.offered),
        ("answered_in_t", f.answered_in_t, f.answered),
        ("abandoned_in_t", f.abandoned_in_t, f.abandoned),
        ("overflowed", f.overflowed, f.offered),
        ("recorded", f.recorded, f.offered),
    ];
    match parts.into_iter().find(|(_, part, whole)| part > whole) {
        Some((field, _, _)) => Err(Error::Incoherent { field }),
        None => Ok(()),
    }
}

fn check_health(health: &Health) -> Result<(), Error> {
    let within = |field, value: u32, max: u32| bounds("health", field, value.into(), 0, max.into());
    within("processes_up", health.processes_up.into(), 16)?;
    within("disk_free_percent", health.disk_free_percent.into(), 100)?;
    within("phones_registered", health.phones_registered, 10_000)?;
    within("trunks", health.trunks, 1_000)?;
    within("trunks_up", health.trunks_up, health.trunks)?;
    within("slot", health.slot.into(), 1)?;
    check_alone("health", &health.alone)
}

pub(crate) fn check_alone(item: &'static str, alone: &[Alone]) -> Result<(), Error> {
    let ends: BTreeSet<End> = alone.iter().map(|alone| alone.until).collect();
    let twice = i64::try_from(alone.len().saturating_sub(ends.len())).unwrap_or(i64::MAX);
    bounds(item, "ends told twice", twice, 0, 0)?;
    alone.iter().try_for_each(|alone| bounds(item, "days alone", alone.days.into(), 0, ALONE_DAYS_MAX.into()))
}

fn check_closed(closed: &Closed) -> Result<(), Error> {
    let within = |field, value: i64, min, max| bounds("closed", field, value, min, max);
    within("length_s", closed.length_s.into(), 60, 86_400)?;
    within("from", closed.from.0, 0, i64::MAX)?;
    within("until", closed.until.0, closed.from.0.saturating_add(1), i64::MAX)?;
    within("at", closed.at.0, 0, i64::MAX)?;
    let length_ms = i64::from(closed.length_s).saturating_mul(1_000);
    for (field, edge) in [("from modulo length", closed.from.0), ("until modulo length", closed.until.0)] {
        within(field, edge.checked_rem(length_ms).unwrap_or(1), 0, 0)?;
    }
    let named = i64::try_from(closed.queues.len()).unwrap_or(i64::MAX);
    within("queues", named, 0, i64::try_from(QUEUES_MAX).unwrap_or(i64::MAX))
}

/// The rest of it is a number without bounds, a flag and a closed list.
fn check_running(running: &Running) -> Result<(), Error> {
    bounds("running", "at", running.at.0, 0, i64::MAX)
}

/// The rest of it is a closed list and ids.
fn check_notice(notice: &Notice) -> Result<(), Error> {
    bounds("notice", "at", notice.at.0, 0, i64::MAX)
}

pub(crate) fn bounds(item: &'static str, field: &'static str, value: i64, min: i64, max: i64) -> Result<(), Error> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(Error::Bounds { item, field, value, min, max }) }
}
