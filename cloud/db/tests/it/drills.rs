//! What boxes say of their outage drills, and what is judged here of it.

use db::{
    drill::{self, KEPT_MAX, Kept},
    ingest::{self, Row},
    user::Scope,
};
use model::{
    Millis, SiteId,
    drill::{Calls, Drill, Function, Mark, Outcome, Report, Verdict, Why},
    leaving::{Closed, Figures, Leaving},
};

use crate::{
    START, body, fresh,
    ingest::{batch, take},
    interval, read,
};

const QUARTER: i64 = 900_000;

/// From the third to the fortieth minute: it touches three intervals.
fn report(offered: u32) -> Report {
    let at = |minute: i64| Millis(START + minute * 60_000);
    Report {
        drill: Drill { at: at(3), minutes: 37 },
        began: at(3),
        ended: at(40),
        lasted_ms: 37 * 60_000,
        why: Why::Deadline,
        joined: Some(at(41)),
        delivered: Some(at(41)),
        rows: 4,
        during: None,
        before: None,
        alone: Vec::new(),
        marks: Function::ALL.map(|function| Mark { function, verdict: Verdict::Kept }).to_vec(),
        told: Figures { offered, ..Figures::default() },
    }
}

fn cell(n: i64, offered: u32) -> Row {
    Row::Good(Leaving::Interval(interval(n, None, 1, offered)))
}

fn closed(from: i64, until: i64) -> Row {
    let at = |n: i64| Millis(START + n * QUARTER);
    Row::Good(Leaving::Closed(Closed {
        from: at(from),
        until: at(until),
        length_s: 900,
        at: at(until),
        queues: vec![],
    }))
}

fn told(rows: Vec<Row>) -> Kept {
    let (_dir, db) = fresh();
    take(&db, batch(1, rows)).unwrap();
    read(&db, |conn| drill::all(conn, &Scope::All)).pop().unwrap()
}

fn drilled(offered: u32) -> Row {
    Row::Good(Leaving::Drill(Box::new(report(offered))))
}

#[test]
fn a_drill_has_passed_when_every_interval_is_here_with_the_figures_that_the_box_told() {
    let kept = told(vec![cell(0, 5), cell(1, 6), cell(2, 7), cell(3, 50), closed(0, 4), drilled(18)]);
    assert_eq!((kept.whole, kept.equal, kept.outcome()), (true, true, Outcome::Passed));
    assert_eq!((kept.report, kept.site), (report(18), crate::site()));
}

#[test]
fn a_missing_interval_or_another_figure_is_told() {
    let gap = told(vec![cell(0, 5), cell(2, 7), closed(0, 1), closed(2, 4), drilled(12)]);
    assert_eq!((gap.whole, gap.equal, gap.outcome()), (false, true, Outcome::NotPassed));
    let early = told(vec![cell(0, 5), cell(1, 6), closed(0, 2), drilled(11)]);
    assert_eq!((early.whole, early.equal), (false, true));
    let other = told(vec![cell(0, 5), cell(1, 6), cell(2, 7), closed(0, 3), drilled(19)]);
    assert_eq!((other.whole, other.equal, other.outcome()), (true, false, Outcome::NotPassed));
    let none = told(vec![closed(0, 3), drilled(0)]);
    assert_eq!(none.outcome(), Outcome::Passed, "a drill without a caller is whole");
}

#[test]
fn what_is_withheld_or_short_has_not_passed_here_and_what_touches_no_interval_is_not_whole() {
    let said = |change: fn(&mut Report)| {
        let mut report = report(0);
        change(&mut report);
        told(vec![closed(0, 3), Row::Good(Leaving::Drill(Box::new(report)))])
    };
    let withheld = said(|report| report.marks[0].verdict = Verdict::Withheld);
    assert_eq!((withheld.whole, withheld.outcome()), (true, Outcome::NotKnown), "nobody knows here whether it broke");
    assert_eq!(said(|report| report.marks.clear()).outcome(), Outcome::NotKnown);
    assert_eq!(said(|report| report.lasted_ms = 1_000).outcome(), Outcome::NotPassed);
    let nowhere = said(|report| (report.began, report.ended) = (Millis(START - 5_000), Millis(START - 5_000)));
    assert!(!nowhere.whole, "no interval tells of it");
    let not_run = said(|report| report.why = Why::NotRunDisk);
    assert_eq!((not_run.whole, not_run.equal, not_run.outcome()), (true, true, Outcome::NotPassed));
}

#[test]
fn whoever_sees_few_sites_sees_their_reports_however_many_others_tell() {
    let (_dir, db) = fresh();
    take(&db, batch(1, vec![closed(0, 3), drilled(0)])).unwrap();
    let of =
        |sites: Vec<SiteId>| read(&db, move |conn| drill::all(conn, &Scope::Sites(sites.iter().cloned().collect())));
    assert_eq!(of(vec![crate::site()]).len(), 1);
    assert_eq!(of(vec!["elsewhere".parse().unwrap(), "nowhere".parse().unwrap()]), []);
    assert_eq!(of(vec![]), []);
    let drill = report(0).drill;
    assert!(read(&db, move |conn| drill::is_reported(conn, &crate::site(), drill)));
    let other = Drill { at: Millis(drill.at.0 + 1), ..drill };
    assert!(!read(&db, move |conn| drill::is_reported(conn, &crate::site(), other)));
}

#[test]
fn what_is_told_again_replaces_and_the_oldest_give_way() {
    let (_dir, db) = fresh();
    let many = (0..=KEPT_MAX).map(|n| {
        let mut report = report(0);
        report.drill.at = Millis(START + n);
        Row::Good(Leaving::Drill(Box::new(report)))
    });
    take(&db, batch(1, many.collect())).unwrap();
    let kept = read(&db, |conn| drill::all(conn, &Scope::All));
    assert_eq!(kept.len() as i64, KEPT_MAX);
    assert!(kept.iter().all(|kept| kept.report.drill.at > Millis(START)));
    let next = 2 + kept.len() as u64;
    take(&db, batch(next, vec![Row::Good(Leaving::Drill(Box::new(kept[0].report.clone())))])).unwrap();
    assert_eq!(read(&db, |conn| drill::all(conn, &Scope::All)).len() as i64, KEPT_MAX);
}

#[test]
fn a_report_that_counts_callers_or_ends_before_it_began_is_put_aside() {
    let counts = Report { during: Some(Calls::default()), ..report(0) };
    let backwards = Report { ended: Millis(START), ..report(0) };
    let endless = Report { ended: Millis(START + 5 * 86_400_000), ..report(0) };
    for bad in [counts, backwards, endless] {
        let row = ingest::decode(ingest::KIND_LEAVING, &body(&Leaving::Drill(Box::new(bad))));
        assert!(matches!(row, Row::Aside { .. }), "{row:?}");
    }
}
