//! What the ledger says of a drill's time: calls beside those of as long before, what became of each contact, and what was
//! told of its intervals. Reads, and may block.

use std::collections::{BTreeMap, BTreeSet};

use drill::{Read, Run, Seen, Stretches};
use gate::{Class, threshold};
use ledger::Reader;
use model::{
    ContactId, Millis, QueueId,
    config::Config,
    drill::Calls,
    leaving::{Figures, Interval, Leaving},
};
use report::{Question, Sums, Tally};
use tracing::warn;

use super::super::clock::wall;

/// Records, and lines of what left, that are read at once.
const STEP: usize = 500;
/// A contact counts where it was queued, and may end so long after.
const LATE_MS: i64 = 24 * 3_600 * 1_000;

pub fn count(reader: &Reader, run: Run, config: &Config) -> Result<Read, ledger::Error> {
    let (began, ended) = (run.began, Millis(run.ended.0.max(run.began.0.saturating_add(1))));
    let before = Millis(began.0.saturating_sub(ended.0.saturating_sub(began.0)));
    let question = Question { edges: vec![before, began, ended], by: Vec::new(), only: BTreeMap::new() };
    let mut seen = Seen::default();
    let Ok(mut tally) = Tally::new(question, None, &[], wall()) else { return Ok(nothing(seen)) };
    let mut refused = false;
    // Who is still there is looked at first, so that nobody counts twice who leaves meanwhile.
    let open = reader.open_contacts()?.into_iter().map(|(contact, _)| contact).collect::<BTreeSet<ContactId>>();
    for contact in &open {
        let facts = reader.facts_of(*contact)?;
        seen.contact(&facts, (began, ended), true);
        refused |= tally.contact(&facts, config).is_err();
    }
    let mut after = (Millis(before.0.saturating_sub(1)), ContactId(u128::MAX));
    let late = Millis(ended.0.saturating_add(LATE_MS));
    loop {
        let records = reader.cdrs_after(after, late, STEP)?;
        let Some(last) = records.last() else { break };
        after = (last.ended, last.contact);
        for record in records.iter().filter(|record| !open.contains(&record.contact)) {
            let facts = reader.facts_of(record.contact)?;
            seen.contact(&facts, (began, ended), true);
            refused |= tally.contact(&facts, config).is_err();
        }
    }
    for contact in reader.unkept(began, ended)? {
        seen.contact(&reader.facts_of(contact)?, (began, ended), false);
    }
    if refused {
        warn!("not every contact fits the report of a drill");
    }
    let told = told(reader, run)?;
    let Ok(made) = tally.finish() else { return Ok(Read { told, ..nothing(seen) }) };
    let of =
        |time: usize| made.rows.iter().find(|row| row.time == time).map_or(Calls::default(), |row| calls(&row.sums));
    Ok(Read { seen, calls: Stretches { during: of(1), before: of(0) }, told })
}

fn nothing(seen: Seen) -> Read {
    Read { seen, calls: Stretches::default(), told: Figures::default() }
}

fn calls(sums: &Sums) -> Calls {
    let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Calls {
        offered: count(sums.offered),
        answered: count(sums.answered),
        abandoned: count(sums.abandoned),
        recorded: count(sums.recorded),
        wait_s: count(sums.wait_ms / 1_000),
    }
}

/// What has left of the intervals that the drill touches, in their last words.
fn told(reader: &Reader, run: Run) -> Result<Figures, ledger::Error> {
    let mut cells: BTreeMap<(Option<QueueId>, Millis), Interval> = BTreeMap::new();
    let touches = |cell: &Interval| {
        let end = cell.start.0.saturating_add(i64::from(cell.length_s).saturating_mul(1_000));
        end > run.began.0 && cell.start.0 < run.ended.0
    };
    let mut before = u64::MAX;
    loop {
        let lines = reader.egress_between(run.began, Millis(i64::MAX), before, STEP)?;
        let Some(last) = lines.last() else { break };
        before = last.index;
        for line in lines.iter().filter(|line| line.kind == Class::Metric) {
            let body = reader.egress_body(line.index)?.unwrap_or_default();
            let Ok(Leaving::Interval(cell)) = gate::decode(&body) else { continue };
            let known = cells.get(&(cell.queue.clone(), cell.start));
            if touches(&cell) && known.is_none_or(|known| known.revision < cell.revision) {
                cells.insert((cell.queue.clone(), cell.start), cell);
            }
        }
    }
    Ok(cells.values().fold(Figures::default(), |sum, cell| threshold::sum(sum, cell.figures)))
}
