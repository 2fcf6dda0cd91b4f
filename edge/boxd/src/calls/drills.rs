//! An outage drill at the box: feeds the machine of `drill` with orders, the link and what ends a drill, has *sync* cut the
//! link and give it back, and writes down what came of it.

mod count;
mod past;

use std::{
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use call::Help;
use drill::{Input, Output, Read, Run, Standing, Watch};
use floor::fares::Fares;
use ledger::{Batch, Ledger, Reader};
use model::{
    AgentId, Millis,
    change::Change,
    drill::{Drill, Report, Stood, Why},
    fact::{Fact, Kind},
    leaving::{Fare, Leaving},
};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

pub use self::past::reports;
use self::{
    count::count,
    past::{last, refused},
};
use super::{clock::wall, engine::Engine, outgoing};

/// *sync* is told again, and the disk looked at, so often in looks: once a second.
const AGAIN_EVERY: u32 = 5;
/// Without a drill *sync* is told so every five seconds.
const JOIN_EVERY: u32 = 25;
/// With less of the disk free than this, in percent, there is no drill.
const DISK_FREE_MIN: u8 = 2;
/// Drills of earlier lives that matter to this one.
const PAST_MS: i64 = 2 * 24 * 3_600 * 1_000;
/// The ledger is read so often for one report, where it cannot be read or more leaves meanwhile; so long apart.
const TRIES_MAX: u8 = 20;
const TRY_EVERY: Duration = Duration::from_secs(2);

pub struct Drills {
    watch: Watch,
    ledger: Arc<Ledger>,
    /// What stood when it began.
    before: Stood,
    /// And when it ended.
    after: Option<Stood>,
    /// Rows that waited for the link when the drill was over, and the last of them.
    waited: Option<(u64, u64)>,
    making: Option<Making>,
    /// Who has ordered or ended one at the branch last.
    pub edited_by: Option<AgentId>,
    /// How callers fare since it began; None: none runs.
    fares: Option<Fares>,
}

/// A report that is being made.
struct Making {
    run: Run,
    /// As of the end of the drill: what changes while it is made is none of it.
    standing: Standing,
    /// Tries that are over.
    tries: u8,
    state: Try,
}

enum Try {
    /// The last row that had left when it was begun.
    Reads(u64, oneshot::Receiver<Read>),
    Waits(Instant),
}

impl Drills {
    pub fn new(ledger: Arc<Ledger>, reader: &Reader) -> Drills {
        let since = Millis(wall().0.saturating_sub(PAST_MS));
        let past = reader.drills_since(since).unwrap_or_else(|error| {
            warn!(%error, "earlier drills cannot be read");
            Vec::new()
        });
        let (last, before) = last(&past).unzip();
        let watch = Watch::new(Instant::now(), wall(), last, refused(&past));
        Drills {
            watch,
            ledger,
            before: before.unwrap_or_default(),
            after: None,
            waited: None,
            edited_by: None,
            fares: None,
            making: None,
        }
    }
}

impl Drills {
    /// What happens to callers while one runs.
    pub fn note(&mut self, fact: &Fact) {
        if let Some(fares) = &mut self.fares {
            fares.note(fact);
        }
    }
}

/// An order for a time that is over begins now: whoever orders at the desk says "at once" by a clock of their own.
pub fn from_now_on(change: &Change, now: Millis) -> Change {
    match change {
        Change::SiteDrill { drill: Some(drill) } => {
            Change::SiteDrill { drill: Some(Drill { at: drill.at.max(now), ..*drill }) }
        }
        other => other.clone(),
    }
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
        if matches!(input, Input::Ordered(_)) {
            self.look_for_hindrance();
        }
        self.drills.watch.handle_input(Instant::now(), wall(), input);
        self.obey_drill();
    }

    /// What must not be cut off: a call for help and its notice, calls that lead over the link, and a box in need.
    fn look_for_hindrance(&mut self) {
        let hindered = if self.floor.helps_somebody() {
            Some(Why::NotRunEmergency)
        } else if self.floor.awaits_notice() || !self.outbox_is_empty() {
            Some(Why::NotRunNotice)
        } else if outgoing::disk_free(&self.config.data) < DISK_FREE_MIN {
            Some(Why::NotRunDisk)
        } else if self.floor.in_use().overflows > 0 {
            Some(Why::NotRunOverflow)
        } else {
            None
        };
        self.drills.watch.handle_input(Instant::now(), wall(), Input::Hindered(hindered));
    }

    /// Time has passed.
    pub fn look_at_drill(&mut self) {
        // *sync* may have begun anew, or stay apart for a drill of which nothing is known here.
        let spare = self.stay.is_spare();
        if (spare || self.drills.watch.apart().is_none())
            && self.looks.is_multiple_of(JOIN_EVERY)
            && let Some(sync) = &self.sync
        {
            sync.join();
        }
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
            if self.drills.fares.as_ref().is_some_and(|fares| fares.say() == Fare::Worse) {
                self.drill_stop(Why::Callers);
            }
        }
        if let Some(run) = self.drills.watch.back() {
            self.look_back_at(run, due);
        }
        if self.drills.watch.is_due(wall()) {
            self.look_for_hindrance();
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
                    self.tell(Kind::DrillBegan { drill, stood: self.drills.before });
                }
                Output::Cut { until } => {
                    self.drills.fares = Some(self.fares.anew());
                    if let Some(sync) = &self.sync {
                        sync.cut(until);
                    }
                }
                Output::Join => {
                    if let Some(sync) = &self.sync {
                        sync.join();
                    }
                }
                Output::Ended { drill, why, lasted_ms } => {
                    warn!(?why, "the outage drill is over");
                    self.drills.fares = None;
                    self.drills.after = Some(self.stands());
                    self.drills.waited = self.waits();
                    let by = self.drills.edited_by.take().filter(|_| why == Why::Person);
                    self.tell(Kind::DrillEnded { drill, why, lasted_ms, by });
                }
                Output::NotRun { drill, why } => {
                    warn!(?why, "an outage drill does not run");
                    self.tell_drill(drill::not_run(drill, why, wall()));
                }
                Output::Report(run) => {
                    let state = Try::Waits(Instant::now());
                    self.drills.making = Some(Making { run, standing: self.stood(), tries: 0, state });
                }
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
    fn read_for(&self, run: Run) -> Try {
        let last = self.reader.position().map_or(0, |position| position.last);
        let (ledger, config) = (Arc::clone(&self.drills.ledger), Arc::clone(&self.running));
        let (made, making) = oneshot::channel();
        tokio::task::spawn_blocking(move || match ledger.reader().and_then(|reader| count(&reader, run, &config)) {
            Ok(read) => drop(made.send(read)),
            Err(error) => warn!(%error, "the ledger cannot be read for the report of a drill"),
        });
        Try::Reads(last, making)
    }

    fn finish_report(&mut self) {
        let Some(mut making) = self.drills.making.take() else { return };
        let read = match &mut making.state {
            Try::Waits(until) if Instant::now() < *until => None,
            Try::Waits(_) => {
                making.state = self.read_for(making.run);
                None
            }
            Try::Reads(last, reads) => match reads.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => None,
                Err(oneshot::error::TryRecvError::Closed) => Some(None),
                // What has left meanwhile may have changed what was told.
                Ok(read) => {
                    let same = self.store.is_told() && self.reader.position().is_ok_and(|now| now.last == *last);
                    Some(Some((read, same)))
                }
            },
        };
        let Some(read) = read else {
            self.drills.making = Some(making);
            return;
        };
        making.tries = making.tries.saturating_add(1);
        let read = match read {
            Some((read, true)) => Some(read),
            read if making.tries >= TRIES_MAX => read.map(|(read, _)| read),
            _ => {
                making.state = Try::Waits(Instant::now() + TRY_EVERY);
                self.drills.making = Some(making);
                return;
            }
        };
        let report = drill::report(making.run, read, making.standing);
        info!(outcome = ?report.outcome(), "an outage drill is reported");
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

    #[test]
    fn an_order_by_a_clock_that_is_slow_begins_now() {
        let order = |at| Change::SiteDrill { drill: Some(Drill { at: Millis(at), ..DRILL }) };
        assert_eq!(from_now_on(&order(100), Millis(900)), order(900));
        assert_eq!(from_now_on(&order(1_000), Millis(900)), order(1_000));
        let off = Change::SiteDrill { drill: None };
        assert_eq!(from_now_on(&off, Millis(900)), off);
    }
}
