//! What the ledger says of earlier drills.

use drill::Past;
use ledger::Reader;
use model::{
    Millis,
    drill::{Drill, Report, Stood},
    fact::{Fact, Kind},
};

use super::super::clock::wall;

/// Reports are shown for so long.
const SHOWN_MS: i64 = 90 * 24 * 3_600 * 1_000;

/// The last drill that was begun, and how the box stood then.
pub fn last(facts: &[Fact]) -> Option<(Past, Stood)> {
    facts.iter().fold(None, |last: Option<(Past, Stood)>, fact| match &fact.kind {
        Kind::DrillBegan { drill, stood } => {
            Some((Past { drill: *drill, began: fact.at, ended: None, reported: false }, *stood))
        }
        Kind::DrillEnded { drill, why, lasted_ms, .. } => last.map(|(past, stood)| {
            let ended = if past.drill == *drill { Some((fact.at, *why, *lasted_ms)) } else { past.ended };
            (Past { ended, ..past }, stood)
        }),
        Kind::DrillReported { report } => last.map(|(past, stood)| {
            let reported = past.reported || (past.drill == report.drill && report.why.ran());
            (Past { reported, ..past }, stood)
        }),
        _ => last,
    })
}

/// The last that was not run.
pub fn refused(facts: &[Fact]) -> Option<Drill> {
    facts.iter().rev().find_map(|fact| match &fact.kind {
        Kind::DrillReported { report } if !report.why.ran() => Some(report.drill),
        _ => None,
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

#[cfg(test)]
mod tests {
    use model::drill::Why;

    use super::*;

    const DRILL: Drill = Drill { at: Millis(100), minutes: 5 };

    fn fact(at: i64, kind: Kind) -> Fact {
        Fact { seq: 0, at: Millis(at), contact: None, kind }
    }

    #[test]
    fn the_last_drill_is_read_back_as_far_as_it_has_come() {
        let next = Drill { at: Millis(900), minutes: 1 };
        let stood = Stood { phones: 7, lines_up: 2, help: true };
        let ended = |drill| Kind::DrillEnded { drill, why: Why::Person, lasted_ms: 49, by: None };
        let reported = |report| Kind::DrillReported { report: Box::new(report) };
        let mut facts = vec![fact(101, Kind::DrillBegan { drill: DRILL, stood })];
        let past = Past { drill: DRILL, began: Millis(101), ended: None, reported: false };
        assert_eq!(last(&facts), Some((past, stood)));
        facts.push(fact(150, ended(DRILL)));
        let over = Past { ended: Some((Millis(150), Why::Person, 49)), ..past };
        assert_eq!(last(&facts), Some((over, stood)));
        facts.push(fact(160, reported(drill::not_run(next, Why::NotRunAnother, Millis(160)))));
        assert_eq!((last(&facts), refused(&facts)), (Some((over, stood)), Some(next)), "the first is reported still");
        facts.push(fact(901, Kind::DrillBegan { drill: next, stood: Stood::default() }));
        assert_eq!(last(&facts), Some((Past { drill: next, began: Millis(901), ..past }, Stood::default())));
        assert_eq!((last(&[]), refused(&[])), (None, None));
    }
}
