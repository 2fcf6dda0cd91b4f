//! Reports for the desk: the ledger's facts go through the fold, contact by contact, on a thread that may block. Whoever no
//! longer waits for one ends it.

use std::{collections::BTreeSet, sync::Arc};

use desk::{Future, Progress, ReportError, ReportPlace, Unavailable};
use ledger::{Ledger, Reader};
use model::{ContactId, Millis, config::Config};
use report::{Life, Question, Report, Tally};
use tokio::sync::{mpsc, watch};
use tracing::warn;

use super::{clock::wall, drills};

/// Records that are read at once; after each step progress is told.
const STEP: usize = 500;
/// A contact that counts in a time has ended so long after it, or its record is not looked at: a promise to call back is kept
/// within a day.
const LATE_MS: i64 = 3 * 24 * 3_600 * 1_000;
/// Agents' states are looked at from so long before: nobody stays in one for longer and still works.
const BEFORE_MS: i64 = 2 * 24 * 3_600 * 1_000;
/// States of so long are read at once.
const STATES_MS: i64 = 24 * 3_600 * 1_000;

pub struct ReportsPort {
    pub ledger: Arc<Ledger>,
    pub effective: watch::Receiver<Arc<desk::Effective>>,
}

impl desk::Reports for ReportsPort {
    fn make(
        &self,
        question: Question,
        progress: mpsc::Sender<Progress>,
        place: ReportPlace,
    ) -> Future<'_, Result<(Report, Millis), ReportError>> {
        let ledger = Arc::clone(&self.ledger);
        let effective = self.effective.borrow().clone();
        Box::pin(async move {
            let made = tokio::task::spawn_blocking(move || {
                // A thread is not ended from without: it keeps the place until it has seen that nobody waits.
                let _place = place;
                let reader = ledger.reader().map_err(unreadable)?;
                make(&reader, question, &effective.config, wall(), &progress)
            });
            made.await.unwrap_or(Err(Unavailable.into()))
        })
    }

    fn drills(&self) -> Future<'_, Result<Vec<model::drill::Report>, Unavailable>> {
        let ledger = Arc::clone(&self.ledger);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || drills::reports(&ledger.reader()?));
            let read = read.await.map_err(|_| Unavailable)?;
            read.map_err(|error| {
                warn!(%error, "drills cannot be read");
                Unavailable
            })
        })
    }
}

fn unreadable(error: ledger::Error) -> ReportError {
    warn!(%error, "the ledger cannot be read for a report");
    Unavailable.into()
}

fn wanted(progress: &mpsc::Sender<Progress>) -> Result<(), ReportError> {
    if progress.is_closed() { Err(ReportError::GivenUp) } else { Ok(()) }
}

/// `now` is when it is made.
fn make(
    reader: &Reader,
    question: Question,
    config: &Config,
    now: Millis,
    progress: &mpsc::Sender<Progress>,
) -> Result<(Report, Millis), ReportError> {
    let ((from, until), tells_time) = (question.span(), question.tells_time());
    let lives = reader.lives().map_err(unreadable)?;
    let lives: Vec<Life> = lives.into_iter().map(|life| Life { began: life.began, seen: life.seen }).collect();
    let first = reader.first_fact_at().map_err(unreadable)?;
    let mut tally = Tally::new(question, first, &lives, now)?;
    // Who still is there is looked at first, so that nobody is counted again who leaves meanwhile.
    let open = reader.open_contacts().map_err(unreadable)?;
    let open: BTreeSet<ContactId> = open.into_iter().map(|(contact, _)| contact).collect();
    for contact in &open {
        wanted(progress)?;
        tally.contact(&reader.facts_of(*contact).map_err(unreadable)?, config)?;
    }
    let late = Millis(until.0.saturating_add(LATE_MS));
    let of = reader.cdrs_between(from, late).map_err(unreadable)?;
    let mut done = 0_u64;
    let mut after = (Millis(from.0.saturating_sub(1)), ContactId(u128::MAX));
    loop {
        let records = reader.cdrs_after(after, late, STEP).map_err(unreadable)?;
        let Some(last) = records.last() else { break };
        after = (last.ended, last.contact);
        done = done.saturating_add(u64::try_from(records.len()).unwrap_or(u64::MAX));
        for record in records {
            wanted(progress)?;
            let at = record.queued.unwrap_or(record.arrived);
            if from <= at && at < until && !open.contains(&record.contact) {
                tally.contact(&reader.facts_of(record.contact).map_err(unreadable)?, config)?;
            }
        }
        // Who has not read the last one waits for the next.
        let _ = progress.try_send(Progress { done, of: of.max(done) });
    }
    if tells_time {
        let span = (Millis(from.0.saturating_sub(BEFORE_MS)), until.min(now));
        states(reader, span, &mut tally, progress)?;
    }
    wanted(progress)?;
    Ok((tally.finish()?, now))
}

fn states(
    reader: &Reader,
    (from, until): (Millis, Millis),
    tally: &mut Tally,
    progress: &mpsc::Sender<Progress>,
) -> Result<(), ReportError> {
    let mut at = from;
    while at < until {
        wanted(progress)?;
        let next = Millis(at.0.saturating_add(STATES_MS)).min(until);
        let mut told = Ok(());
        let each = |fact| {
            if told.is_ok() {
                told = tally.agent(&fact);
            }
        };
        reader.agent_states(at, next, each).map_err(unreadable)?;
        told?;
        at = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ledger::{Batch, BranchKey, Options};
    use model::{
        SiteId,
        fact::{AgentState, EndCause, Fact, Kind},
    };

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn fact(at: i64, contact: Option<u128>, kind: Kind) -> Fact {
        Fact { seq: 0, at: Millis(at), contact: contact.map(ContactId), kind }
    }

    fn question() -> Question {
        Question { edges: (1..=25).map(|n| Millis(n * HOUR)).collect(), by: vec![], only: BTreeMap::new() }
    }

    fn empty() -> Config {
        super::super::settings::empty("north".parse::<SiteId>().expect("an id"))
    }

    #[test]
    fn a_report_counts_each_contact_of_the_ledger_once_and_tells_of_an_outage() {
        let dir = tempfile::tempdir().expect("a folder");
        let ledger = Ledger::open(&dir.path().join("ledger.db"), BranchKey::new([7; 32]), Options::default());
        let ledger = ledger.expect("a ledger");
        let arrived = || Kind::Arrived { trunk: None, number: None };
        let queued = || Kind::Queued { queue: "sales".parse().expect("an id") };
        let agent = || "ann".parse().expect("an id");
        let state = |state| Kind::AgentState { agent: agent(), state, pause: None };
        let mut facts = vec![fact(0, None, state(AgentState::Ready))];
        // 1,203 that are over, three of them too early, and one that still waits.
        for n in 0..1_203_u32 {
            let (id, at) = (Some(u128::from(n) + 1), HOUR - 3 + i64::from(n));
            facts.push(fact(at, id, arrived()));
            facts.push(fact(at, id, queued()));
            facts.push(fact(at + 5_000, id, Kind::Answered { agent: Some(agent()) }));
            facts.push(fact(at + 9_000, id, Kind::Ended { cause: EndCause::Caller }));
        }
        facts.push(fact(7 * HOUR, Some(9_999), arrived()));
        facts.push(fact(7 * HOUR, Some(9_999), queued()));
        let cdrs = floor::cdr::rebuild(&facts);
        for facts in facts.chunks(4_000) {
            let batch = Batch { facts: facts.to_vec(), ..Batch::default() };
            ledger.writer().submit(batch).wait().expect("written");
        }
        let life = |began, seen| ledger::Life { began: Millis(began * HOUR), seen: Millis(seen * HOUR) };
        let lives = vec![life(0, 3), life(5, 6), life(5, 8)];
        ledger.writer().submit(Batch { cdrs, lives, ..Batch::default() }).wait().expect("written");
        let (told, mut hears) = mpsc::channel(16);
        let reader = ledger.reader().expect("a reader");
        let (made, _) = make(&reader, question(), &empty(), Millis(8 * HOUR), &told).expect("a report");
        assert_eq!((made.total_sums.offered, made.total_sums.answered, made.total_sums.in_progress), (1_201, 1_200, 1));
        assert_eq!(made.total_time.ready_ms, 5 * 3_600_000, "from the first hour, but not while the box was down");
        let down: Vec<usize> = (0..).zip(&made.times).filter(|(_, time)| time.down).map(|(n, _)| n).collect();
        assert_eq!((down, made.times.len()), (vec![2, 3], 7));
        let mut last = Progress::default();
        while let Ok(progress) = hears.try_recv() {
            last = progress;
        }
        assert_eq!((last.done, last.of), (1_203, 1_203));

        drop(hears);
        let given_up = make(&reader, question(), &empty(), Millis(8 * HOUR), &told);
        assert!(matches!(given_up, Err(ReportError::GivenUp)));
    }
}
