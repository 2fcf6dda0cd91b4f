//! What may be told of an outage drill: words about functions, no count of callers. Those of the intervals that it touches
//! have left as intervals, and another count of a part of them would tell the rest.

use std::collections::BTreeSet;

use model::drill::{Function, MINUTES_MAX, MINUTES_MIN, Mark, Report, Verdict};

use crate::pass::{Error, bounds, check_alone, check_figures};

/// The report as it may leave: without its calls, and without a word of them that comes from fewer than `k`.
pub(crate) fn thinned(report: &Report, k: u32) -> Result<Report, Error> {
    check(report)?;
    // Also what nobody asked for: that nobody did is a word of fewer.
    let few = report.why.ran() && report.during.is_none_or(|calls| calls.offered < k);
    let mark = |mark: &Mark| {
        let withheld = few && is_of_callers(mark.function) && mark.verdict != Verdict::Unread;
        if withheld { Mark { verdict: Verdict::Withheld, ..*mark } } else { *mark }
    };
    let marks = report.marks.iter().map(mark).collect();
    Ok(Report { during: None, before: None, marks, ..report.clone() })
}

fn is_of_callers(function: Function) -> bool {
    use Function::*;
    matches!(function, Incoming | Waiting | Outgoing | Recording | Records)
}

fn check(report: &Report) -> Result<(), Error> {
    let within = |field, value: i64, min, max| bounds("drill", field, value, min, max);
    within("drill.at", report.drill.at.0, 0, i64::MAX)?;
    within("drill.minutes", report.drill.minutes.into(), MINUTES_MIN.into(), MINUTES_MAX.into())?;
    within("began", report.began.0, 0, i64::MAX)?;
    within("ended", report.ended.0, report.began.0, i64::MAX)?;
    let lasted = i64::try_from(report.lasted_ms).unwrap_or(i64::MAX);
    within("lasted_ms", lasted, 0, i64::from(MINUTES_MAX).saturating_mul(60_000).saturating_mul(2))?;
    for (field, at) in [("joined", report.joined), ("delivered", report.delivered)] {
        within(field, at.map_or(0, |at| at.0), 0, i64::MAX)?;
    }
    let named: BTreeSet<Function> = report.marks.iter().map(|mark| mark.function).collect();
    let twice = i64::try_from(report.marks.len().saturating_sub(named.len())).unwrap_or(i64::MAX);
    within("functions told twice", twice, 0, 0)?;
    check_alone("drill", &report.alone)?;
    check_figures(&report.told)
}

#[cfg(test)]
mod tests {
    use model::{
        Millis,
        drill::{Calls, Drill, Outcome, Why},
        leaving::{Figures, Leaving},
    };

    use super::*;
    use crate::{Gate, Policy, State, decode};

    fn report(offered: u32) -> Report {
        let calls = Calls { offered, answered: offered, ..Calls::default() };
        let of = |function, verdict| Mark { function, verdict };
        Report {
            drill: Drill { at: Millis(60_000), minutes: 5 },
            began: Millis(60_000),
            ended: Millis(360_000),
            lasted_ms: 300_000,
            why: Why::Deadline,
            joined: Some(Millis(361_000)),
            delivered: None,
            rows: 3,
            during: Some(calls),
            before: Some(calls),
            alone: Vec::new(),
            marks: vec![of(Function::Incoming, Verdict::Broken), of(Function::Help, Verdict::Kept)],
            told: Figures::default(),
        }
    }

    fn left(report: Report) -> Result<Report, Error> {
        let mut gate = Gate::new(Policy { k: 5 }, State::default());
        let passed = gate.pass(&[Leaving::Drill(Box::new(report))], Millis(1))?;
        match decode(passed[0].body())? {
            Leaving::Drill(report) => Ok(*report),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_count_of_callers_leaves_and_a_word_of_them_only_from_k_on() {
        let many = left(report(5)).unwrap();
        assert_eq!((many.during, many.before), (None, None));
        assert_eq!(many.marks, report(5).marks);
        let few = left(report(4)).unwrap();
        let verdicts: Vec<Verdict> = few.marks.iter().map(|mark| mark.verdict).collect();
        assert_eq!(verdicts, [Verdict::Withheld, Verdict::Kept]);
        assert_eq!(few.outcome(), Outcome::NotKnown, "a broken function that is withheld is no success");
        assert_eq!(left(Report { during: None, ..report(9) }).unwrap().marks, few.marks, "none is fewer still");
    }

    #[test]
    fn what_is_out_of_bounds_does_not_leave() {
        let good = report(5);
        for bad in [
            Report { drill: Drill { minutes: 481, ..good.drill }, ..good.clone() },
            Report { ended: Millis(59_999), ..good.clone() },
            Report { joined: Some(Millis(-1)), ..good.clone() },
            Report { lasted_ms: 60_000 * 60 * 24, ..good.clone() },
            Report { marks: vec![good.marks[0], good.marks[0]], ..good.clone() },
            Report { told: Figures { offered: 1, answered: 2, ..Figures::default() }, ..good.clone() },
        ] {
            assert!(left(bad.clone()).is_err(), "{bad:?}");
        }
    }
}
