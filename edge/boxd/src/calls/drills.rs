//! An outage drill at the box: feeds the machine of `drill` with orders, the link and what ends a drill, has *sync* cut the
//! link and give it back, and writes down what came of it.

mod count;

use std::{
    sync::{Arc, PoisonError},
    time::Instant,
};

use call::Help;
use drill::{Input, Output, Past, Run, Standing, Watch};
use ledger::{Batch, Ledger, Reader};
use model::{
    Millis,
    drill::{Drill, Report, Why},
    fact::{Fact, Kind},
    leaving::{Fare, Leaving},
};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use self::count::{Counted, count};
use super::{clock::wall, engine::Engine, outgoing};

/// *sync* is told again, and the disk looked at, so often in looks: once a second.
const AGAIN_EVERY: u32 = 5;
/// With less of the disk free than this, in percent, there is no drill.
const DISK_FREE_MIN: u8 = 2;
/// Drills of earlier lives that matter to this one.
const PAST_MS: i64 = 2 * 24 * 3_600 * 1_000;
/// Reports are shown for so long.
const SHOWN_MS: i64 = 90 * 24 * 3_600 * 1_000;

pub struct Drills {
    watch: Watch,
    ledger: Arc<Ledger>,
    /// What stood when it began, or when this process did.
    before: Stood,
    /// And when it ended.
    after: Option<Stood>,
    /// Rows that waited for the link when the drill was over, and the last of them.
    waited: Option<(u64, u64)>,
    /// A report that is being made, and the last row that had left when it was begun.
    making: Option<(Run, u64, oneshot::Receiver<Counted>)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stood {
    phones: u32,
    lines_up: u32,
    help: bool,
}

impl Drills {
    pub fn new(ledger: Arc<Ledger>, reader: &Reader) -> Drills {
        let since = Millis(wall().0.saturating_sub(PAST_MS));
        let past = reader.drills_since(since).unwrap_or_else(|error| {
            warn!(%error, "earlier drills cannot be read");
            Vec::new()
        });
        let watch = Watch::new(Instant::now(), wall(), last(&past));
        Drills { watch, ledger, before: Stood::default(), after: None, waited: None, making: None }
    }
}

/// The last drill that was begun.
fn last(facts: &[Fact]) -> Option<Past> {
    facts.iter().fold(None, |past: Option<Past>, fact| match &fact.kind {
        Kind::DrillBegan { drill } => Some(Past { drill: *drill, began: fact.at, ended: None, reported: false }),
        Kind::DrillEnded { drill, why } => {
            past.map(|past| if past.drill == *drill { Past { ended: Some((fact.at, *why)), ..past } } else { past })
        }
        Kind::DrillReported { report } => {
            past.map(|past| Past { reported: past.reported || past.drill == report.drill, ..past })
        }
        _ => past,
    })
}

/// What was told of drills that are over, the latest first.
pub fn reports(reader: &Reader) -> Result<Vec<Report>, ledger::Error> {
    let facts = reader.drills_since(Millis(wall().0.saturating_sub(SHOWN_MS)))?;
    let reports = facts.into_iter().rev().filter_map(|fact| match fact.kind {
        Kind::DrillReported { report } => Some(*report),
        _ => None,
    });
    Ok(reports.collect())
}

impl Engine {
    /// The configuration says so; None: no drill.
    pub fn drill_ordered(&mut self, drill: Option<Drill>) {
        self.drill(Input::Ordered(drill));
    }

    pub fn drill_linked(&mut self, linked: bool) {
        self.drill(Input::Link(linked));
    }

    /// A drill is nobody's harm: it ends at once.
    pub fn drill_stop(&mut self, why: Why) {
        if self.drills.watch.apart().is_some() {
            self.drill(Input::Stop(why));
        }
    }

    fn drill(&mut self, input: Input) {
        // Without a cloud there is nothing to be cut off from; on the spare ledger nothing of it would be known.
        if self.config.cloud.is_none() || self.stay.is_spare() {
            return;
        }
        self.drills.watch.handle_input(Instant::now(), wall(), input);
        self.obey_drill();
    }

    /// Time has passed.
    pub fn look_at_drill(&mut self) {
        if self.config.cloud.is_none() || self.stay.is_spare() {
            return;
        }
        let due = self.looks.is_multiple_of(AGAIN_EVERY);
        if let Some(drill) = self.drills.watch.apart().filter(|_| due) {
            if let Some(sync) = &self.sync {
                sync.cut(drill.until());
            }
            if outgoing::disk_free(&self.config.data) < DISK_FREE_MIN {
                self.drill_stop(Why::Disk);
            }
            if self.fares.say() == Fare::Worse {
                self.drill_stop(Why::Callers);
            }
        }
        if let Some(run) = self.drills.watch.back() {
            self.look_back_at(run, due);
        }
        self.drills.watch.handle_timeout(Instant::now(), wall());
        self.obey_drill();
        self.finish_report();
    }

    fn look_back_at(&mut self, run: Run, due: bool) {
        if run.joined.is_none() {
            if let Some(sync) = self.sync.as_ref().filter(|_| due) {
                sync.join();
            }
            return;
        }
        let Ok(position) = self.reader.position() else { return };
        // Another life of the process may have seen it end.
        self.drills.waited = self.drills.waited.or_else(|| self.waits());
        let last = self.drills.waited.map_or(position.last, |(_, last)| last);
        if run.delivered.is_none() && position.watermark >= last {
            self.drill(Input::Delivered);
        }
        let closed = self.gate.state().closed_until().is_some_and(|until| until >= run.ended);
        if closed && self.outbox_is_empty() {
            self.drill(Input::Told);
        }
    }

    fn obey_drill(&mut self) {
        while let Some(output) = self.drills.watch.poll_output() {
            match output {
                Output::Began(drill) => {
                    warn!(minutes = drill.minutes, "an outage drill begins");
                    self.drills.before = self.stands();
                    (self.drills.after, self.drills.waited) = (None, None);
                    self.tell(Kind::DrillBegan { drill });
                }
                Output::Cut { until } => {
                    if self.drills.before.lines_up == 0 {
                        self.drills.before = self.stands();
                    }
                    if let Some(sync) = &self.sync {
                        sync.cut(until);
                    }
                }
                Output::Join => {
                    if let Some(sync) = &self.sync {
                        sync.join();
                    }
                }
                Output::Ended { drill, why } => {
                    warn!(?why, "the outage drill is over");
                    self.drills.after = Some(self.stands());
                    self.drills.waited = self.waits();
                    self.tell(Kind::DrillEnded { drill, why });
                }
                Output::Report(run) => self.begin_report(run),
            }
        }
    }

    /// Rows that wait for the link, and the last of them.
    fn waits(&self) -> Option<(u64, u64)> {
        let position = self.reader.position().ok()?;
        Some((position.last.saturating_sub(position.watermark), position.last))
    }

    fn stands(&self) -> Stood {
        let counted = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let help = *self.standing.help.lock().unwrap_or_else(PoisonError::into_inner);
        Stood {
            phones: counted(self.phones.len()),
            lines_up: counted(self.running.trunks.keys().filter(|trunk| self.floor.lines().is_trunk_up(trunk)).count()),
            help: help == Some(Help::Ready),
        }
    }

    /// The ledger is read away from the lines.
    fn begin_report(&mut self, run: Run) {
        let last = self.reader.position().map_or(0, |position| position.last);
        let (ledger, config) = (Arc::clone(&self.drills.ledger), Arc::clone(&self.running));
        let (made, making) = oneshot::channel();
        tokio::task::spawn_blocking(move || match ledger.reader().and_then(|reader| count(&reader, run, &config)) {
            Ok(counted) => drop(made.send(counted)),
            Err(error) => warn!(%error, "the ledger cannot be read for the report of a drill"),
        });
        self.drills.making = Some((run, last, making));
    }

    fn finish_report(&mut self) {
        let Some((run, last, mut making)) = self.drills.making.take() else { return };
        let counted = match making.try_recv() {
            Ok(counted) => counted,
            Err(oneshot::error::TryRecvError::Empty) => {
                self.drills.making = Some((run, last, making));
                return;
            }
            // Not to be read: once more.
            Err(oneshot::error::TryRecvError::Closed) => return self.begin_report(run),
        };
        // What has left meanwhile may have changed what was told: counted anew.
        if !self.store.is_told() || self.reader.position().is_ok_and(|position| position.last != last) {
            return self.begin_report(run);
        }
        let Counted { seen, stretches, told } = counted;
        let report = drill::report(run, &seen, stretches, self.stood(), told);
        info!(passed = report.passed(), "an outage drill is reported");
        self.tell_drill(report);
    }

    fn stood(&self) -> Standing {
        let (before, after) = (self.drills.before, self.drills.after.unwrap_or_else(|| self.stands()));
        Standing {
            phones: (before.phones, after.phones),
            lines_up: (before.lines_up, after.lines_up),
            help: (before.help, after.help),
            overflow: self.running.queues.values().any(|queue| !queue.overflow.to.is_empty()),
            alone: self.standing.alone.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            rows: self.drills.waited.map_or(0, |(rows, _)| rows),
        }
    }

    fn tell_drill(&mut self, report: Report) {
        let at = wall();
        let left = self.gate.pass(&[Leaving::Drill(Box::new(report.clone()))], at);
        let outbox = left.unwrap_or_else(|error| {
            error!(%error, "the gate refused our own report of a drill");
            Vec::new()
        });
        let fact = Fact { seq: 0, at, contact: None, kind: Kind::DrillReported { report: Box::new(report) } };
        let gate = Some(self.gate.state().clone());
        self.store.add(Instant::now(), Batch { facts: vec![fact], outbox, gate, ..Batch::default() });
        self.store.hurry();
        self.write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRILL: Drill = Drill { at: Millis(100), minutes: 5 };

    fn fact(at: i64, kind: Kind) -> Fact {
        Fact { seq: 0, at: Millis(at), contact: None, kind }
    }

    #[test]
    fn the_last_drill_is_read_back_as_far_as_it_has_come() {
        let next = Drill { at: Millis(900), minutes: 1 };
        let ended = |drill| Kind::DrillEnded { drill, why: Why::Person };
        let mut facts = vec![fact(101, Kind::DrillBegan { drill: DRILL })];
        let past = Past { drill: DRILL, began: Millis(101), ended: None, reported: false };
        assert_eq!(last(&facts), Some(past));
        facts.push(fact(150, ended(DRILL)));
        let over = Past { ended: Some((Millis(150), Why::Person)), ..past };
        assert_eq!(last(&facts), Some(over));
        facts.push(fact(901, Kind::DrillBegan { drill: next }));
        assert_eq!(last(&facts), Some(Past { drill: next, began: Millis(901), ..past }));
        assert_eq!(last(&[]), None);
    }
}
