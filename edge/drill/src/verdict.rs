//! Contract against fact: what the branch is promised without the cloud, and what it had.

use model::{
    Millis,
    drill::{Calls, Drill, Function, Mark, Report, Verdict, Why},
    leaving::{Alone, End, Figures},
};

use crate::{seen::Seen, watch::Run};

/// From the end of a drill to the link, in ms: a back-off and a handshake.
const JOIN_MS_MAX: u64 = 120_000;
/// From the link to the last row that waited for it, in ms (D-02).
const DELIVER_MS_MAX: u64 = 600_000;
/// Callers are served as before while their share that is answered has fallen by no more than this, in percent of them.
const ANSWERED_FALL_MAX: u64 = 10;
/// And while the mean wait is no longer than twice as long and this, in seconds.
const WAIT_GROWTH_S: u64 = 10;
/// Fewer callers than this say nothing of how callers fare.
const CALLERS_MIN: u32 = 5;

/// How the box stood when the drill began and when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    pub phones: (u32, u32),
    pub lines_up: (u32, u32),
    /// A call for help could go out, as far as is known, at both ends.
    pub help: (bool, bool),
    /// Queues to which other branches may help.
    pub overflow: bool,
    /// What ends, as of its end.
    pub alone: Vec<Alone>,
    /// Rows that waited for the link.
    pub rows: u64,
}

/// While it lasted, and as long before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stretches {
    pub during: Calls,
    pub before: Calls,
}

/// What the ledger says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub seen: Seen,
    pub calls: Stretches,
    /// What has left of the intervals that the drill touches.
    pub told: Figures,
}

/// `read`: None where the ledger could not be read.
pub fn report(run: Run, read: Option<Read>, standing: Standing) -> Report {
    let of = |function| match &read {
        None if is_of_ledger(function) => Verdict::Unread,
        None => verdict(function, &run, &Seen::default(), Stretches::default(), &standing),
        Some(read) => verdict(function, &run, &read.seen, read.calls, &standing),
    };
    let marks = Function::ALL.map(|function| Mark { function, verdict: of(function) });
    let Run { drill, began, ended, lasted_ms, why, joined, delivered } = run;
    let calls = read.as_ref().map(|read| read.calls);
    let (during, before) = (calls.map(|calls| calls.during), calls.map(|calls| calls.before));
    let told = read.map(|read| read.told).unwrap_or_default();
    let Standing { alone, rows, .. } = standing;
    let marks = marks.to_vec();
    Report { drill, began, ended, lasted_ms, why, joined, delivered, rows, during, before, alone, marks, told }
}

/// Of one that was ordered and not begun.
pub fn not_run(drill: Drill, why: Why, at: Millis) -> Report {
    Report {
        drill,
        began: at,
        ended: at,
        lasted_ms: 0,
        why,
        joined: None,
        delivered: None,
        rows: 0,
        during: None,
        before: None,
        alone: Vec::new(),
        marks: Vec::new(),
        told: Figures::default(),
    }
}

fn is_of_ledger(function: Function) -> bool {
    use Function::*;
    matches!(function, Incoming | Waiting | Outgoing | Recording | Records)
}

fn verdict(function: Function, run: &Run, seen: &Seen, calls: Stretches, standing: &Standing) -> Verdict {
    let of = |asked: bool, well: bool| match (asked, well) {
        (false, _) => Verdict::Unasked,
        (true, true) => Verdict::Kept,
        (true, false) => Verdict::Broken,
    };
    let as_before = |(before, after): (u32, u32)| of(before > 0, after >= before);
    match function {
        Function::Incoming => of(seen.incoming > 0, seen.lost == 0),
        Function::Waiting => waiting(calls),
        Function::Outgoing => of(seen.outgoing > 0, seen.unreached == 0),
        Function::Recording => of(seen.recorded.saturating_add(seen.unrecorded) > 0, seen.unrecorded == 0),
        Function::Records => of(seen.over > 0, seen.unkept == 0),
        Function::Phones => as_before(standing.phones),
        Function::Lines => as_before(standing.lines_up),
        Function::Help => of(standing.help.0, standing.help.1),
        Function::Disk => lasts(End::Disk, &standing.alone),
        Function::Certificate => lasts(End::Certificate, &standing.alone),
        Function::TrunkNames => lasts(End::TrunkNames, &standing.alone),
        Function::Overflow if standing.overflow => Verdict::Less,
        Function::Overflow => Verdict::Unasked,
        Function::Centre => Verdict::Less,
        Function::Delivery => {
            let joined = run.joined.is_some_and(|at| at.since(run.ended) <= JOIN_MS_MAX);
            let delivered = run.joined.zip(run.delivered).is_some_and(|(from, at)| at.since(from) <= DELIVER_MS_MAX);
            of(true, joined && delivered)
        }
    }
}

/// A day on which it ends is one that the branch cannot get through.
fn lasts(end: End, alone: &[Alone]) -> Verdict {
    match alone.iter().find(|alone| alone.until == end) {
        None => Verdict::Unasked,
        Some(alone) if alone.days == 0 => Verdict::Broken,
        Some(_) => Verdict::Kept,
    }
}

fn waiting(Stretches { during, before }: Stretches) -> Verdict {
    if during.offered < CALLERS_MIN || before.offered < CALLERS_MIN {
        return Verdict::Unasked;
    }
    let percent = |part: u32, whole: u32| u64::from(part).saturating_mul(100).checked_div(whole.into()).unwrap_or(0);
    let mean = |calls: Calls| u64::from(calls.wait_s).checked_div(calls.answered.into()).unwrap_or(0);
    let served = percent(during.answered, during.offered).saturating_add(ANSWERED_FALL_MAX)
        >= percent(before.answered, before.offered);
    let soon = mean(during) <= mean(before).saturating_mul(2).saturating_add(WAIT_GROWTH_S);
    if served && soon { Verdict::Kept } else { Verdict::Broken }
}
