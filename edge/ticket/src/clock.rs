//! What was promised of a ticket, and the time of it: it runs in opening hours while it is our turn.

use model::{
    Millis,
    ticket::{Clock, Promise, Promised, State, Terms, Ticket, Ticketed},
};

use crate::{Rules, act::Change};

/// What is solved and was not taken up again for so long is closed: 14 days.
const CLOSED_AFTER_MS: i64 = 14 * 24 * 3_600 * 1_000;
const MINUTE_MS: u64 = 60_000;

/// By when what was promised is to be done, as things stand; None: it is paused, done, or nobody ever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    pub first_answer: Option<Millis>,
    pub resolution: Option<Millis>,
}

pub fn due(ticket: &Ticket, rules: Rules<'_>) -> Due {
    Due { first_answer: ends(&ticket.first_answer, rules), resolution: ends(&ticket.resolution, rules) }
}

/// When [`tick`] has something to say; None: not before somebody does something, or the rules change.
pub fn next(ticket: &Ticket, rules: Rules<'_>) -> Option<Millis> {
    let of = |clock: &Clock| match clock {
        Clock { breached: Some(_), .. } => None,
        Clock { warned: true, .. } => ends(clock, rules).map(|due| Millis(due.0.saturating_add(1))),
        Clock { warned: false, .. } => warns(clock, rules),
    };
    let closes = ticket.solved.filter(|_| ticket.state == State::Solved).map(closes);
    [of(&ticket.first_answer), of(&ticket.resolution), closes].into_iter().flatten().min()
}

/// What time has done by `wall`; None: nothing.
pub fn tick(ticket: &Ticket, wall: Millis, rules: Rules<'_>) -> Option<Change> {
    let mut ticket = ticket.clone();
    let mut told = passed(&mut ticket, wall, rules);
    if ticket.state == State::Solved && ticket.solved.is_some_and(|solved| closes(solved) <= wall) {
        told.push(Ticketed::Moved { from: ticket.state, to: State::Closed });
        ticket.state = State::Closed;
    }
    let change = Change::of(ticket, wall, told);
    (!change.told.is_empty()).then_some(change)
}

fn closes(solved: Millis) -> Millis {
    Millis(solved.0.saturating_add(CLOSED_AFTER_MS))
}

/// Warnings and breaches up to `wall`.
pub(crate) fn passed(ticket: &mut Ticket, wall: Millis, rules: Rules<'_>) -> Vec<Ticketed> {
    let mut told = Vec::new();
    for (promise, clock) in
        [(Promise::FirstAnswer, &mut ticket.first_answer), (Promise::Resolution, &mut ticket.resolution)]
    {
        if clock.breached.is_some() {
            continue;
        }
        if ends(clock, rules).is_some_and(|due| wall > due) {
            clock.breached = Some(wall);
            clock.warned = true;
            told.push(Ticketed::Breached { promise });
        } else if !clock.warned && warns(clock, rules).is_some_and(|at| wall >= at) {
            clock.warned = true;
            told.push(Ticketed::Warned { promise });
        }
    }
    told
}

fn ends(clock: &Clock, rules: Rules<'_>) -> Option<Millis> {
    rules.calendar.after(clock.since?, clock.budget_ms.saturating_sub(clock.spent_ms))
}

fn warns(clock: &Clock, rules: Rules<'_>) -> Option<Millis> {
    let part = clock.budget_ms.saturating_mul(rules.terms.warn_percent.into()).checked_div(100).unwrap_or(0);
    rules.calendar.after(clock.since?, part.saturating_sub(clock.spent_ms))
}

pub(crate) fn begin(wall: Millis, budget_ms: u64) -> Clock {
    Clock { budget_ms, spent_ms: 0, since: Some(wall), warned: false, breached: None, done: None }
}

pub(crate) fn pause(clock: &mut Clock, wall: Millis, rules: Rules<'_>) {
    if let Some(since) = clock.since.take() {
        clock.spent_ms = clock.spent_ms.saturating_add(rules.calendar.open_between(since, wall));
    }
}

/// Another queue's hours count from here on: what has run so far has run by the hours that were.
pub(crate) fn settle(ticket: &mut Ticket, wall: Millis, rules: Rules<'_>) {
    for clock in [&mut ticket.first_answer, &mut ticket.resolution] {
        if clock.since.is_some() {
            pause(clock, wall, rules);
            clock.since = Some(wall);
        }
    }
}

pub(crate) fn resume(clock: &mut Clock, wall: Millis) {
    clock.done = None;
    clock.since.get_or_insert(wall);
}

/// What was promised is done; tells so when it was in time.
pub(crate) fn finish(clock: &mut Clock, promise: Promise, wall: Millis, rules: Rules<'_>, told: &mut Vec<Ticketed>) {
    if clock.done.is_some() {
        return;
    }
    pause(clock, wall, rules);
    clock.done = Some(wall);
    if clock.breached.is_none() {
        told.push(Ticketed::Kept { promise });
    }
}

/// Another priority promises other times; what is spent stays spent, and what is broken stays broken.
pub(crate) fn promise_anew(ticket: &mut Ticket, terms: &Terms) {
    let Budgets { first_answer_ms, resolution_ms } = budgets(ticket, terms);
    for (clock, budget_ms) in [(&mut ticket.first_answer, first_answer_ms), (&mut ticket.resolution, resolution_ms)] {
        if clock.done.is_none() && clock.breached.is_none() && clock.budget_ms != budget_ms {
            clock.budget_ms = budget_ms;
            clock.warned = false;
        }
    }
}

pub(crate) struct Budgets {
    pub first_answer_ms: u64,
    pub resolution_ms: u64,
}

pub(crate) fn budgets(ticket: &Ticket, terms: &Terms) -> Budgets {
    let usual = || Terms::default().promises.get(&ticket.priority).copied();
    let least = Promised { first_answer_min: 1, resolution_min: 1 };
    let promised = terms.promises.get(&ticket.priority).copied().or_else(usual).unwrap_or(least);
    Budgets {
        first_answer_ms: u64::from(promised.first_answer_min).saturating_mul(MINUTE_MS),
        resolution_ms: u64::from(promised.resolution_min).saturating_mul(MINUTE_MS),
    }
}
