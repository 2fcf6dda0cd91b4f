//! What is said of a drill, from what happened.

use drill::{Read, Run, Seen, Standing, Stretches, not_run, report};
use model::{
    ContactId, Millis,
    drill::{Calls, Drill, Function, Outcome, Report, Verdict, Why},
    fact::{EndCause, Fact, Kind, RecordingMissing},
    leaving::{Alone, End, Figures},
};

fn at(seconds: i64) -> Millis {
    Millis(1_795_000_000_000 + seconds * 1_000)
}

fn run() -> Run {
    Run {
        drill: Drill { at: at(0), minutes: 10 },
        began: at(0),
        ended: at(600),
        lasted_ms: 600_000,
        why: Why::Deadline,
        joined: Some(at(605)),
        delivered: Some(at(607)),
    }
}

fn calls(offered: u32, answered: u32, wait_s: u32) -> Calls {
    Calls { offered, answered, abandoned: offered - answered, recorded: answered, wait_s }
}

fn standing() -> Standing {
    let alone = vec![Alone { until: End::Disk, days: 40 }, Alone { until: End::Certificate, days: 90 }];
    Standing { phones: (4, 4), lines_up: (1, 1), help: (true, true), overflow: true, alone, rows: 12 }
}

fn contact(kinds: Vec<Kind>) -> Vec<Fact> {
    let all = (1..).zip(kinds);
    all.map(|(seq, kind)| Fact { seq, at: at(60), contact: Some(ContactId(1)), kind }).collect()
}

fn arrived() -> Kind {
    Kind::Arrived { trunk: None, number: None }
}

fn dialled() -> Kind {
    let trunk = Some("carrier".parse().unwrap());
    Kind::Dialled { phone: Some("201".parse().unwrap()), agent: None, trunk, emergency: false }
}

fn sealed() -> Kind {
    Kind::RecordingSealed { recording: model::RecordingId(1), chunks: 1, frames: 1, sha256: String::new() }
}

fn ended(cause: EndCause) -> Kind {
    Kind::Ended { cause }
}

fn good() -> Seen {
    let mut seen = Seen::default();
    let span = (at(0), at(600));
    let talked = || vec![arrived(), Kind::Answered { agent: None }, sealed(), ended(EndCause::Caller)];
    seen.contact(&contact(talked()), span, true);
    seen.contact(&contact(vec![dialled(), Kind::Answered { agent: None }, ended(EndCause::Agent)]), span, true);
    seen
}

fn told(change: impl FnOnce(&mut Run, &mut Seen, &mut Stretches, &mut Standing)) -> Report {
    let (mut run, mut seen, mut standing) = (run(), good(), standing());
    let mut stretches = Stretches { during: calls(20, 19, 100), before: calls(20, 20, 100) };
    change(&mut run, &mut seen, &mut stretches, &mut standing);
    report(run, Some(Read { seen, calls: stretches, told: Figures::default() }), standing)
}

fn verdict(report: &Report, function: Function) -> Verdict {
    report.marks.iter().find(|mark| mark.function == function).unwrap().verdict
}

#[test]
fn a_branch_that_served_as_before_has_passed_and_what_needs_the_cloud_was_less_as_promised() {
    let report = told(|_, _, _, _| {});
    assert_eq!(report.outcome(), Outcome::Passed);
    let less: Vec<Function> =
        Function::ALL.into_iter().filter(|function| verdict(&report, *function) == Verdict::Less).collect();
    assert_eq!(less, [Function::Overflow, Function::Centre]);
    let unasked = Function::ALL.into_iter().filter(|function| verdict(&report, *function) == Verdict::Unasked);
    assert_eq!(unasked.collect::<Vec<_>>(), [Function::TrunkNames]);
    assert_eq!((report.rows, report.during, report.joined), (12, Some(calls(20, 19, 100)), Some(at(605))));
}

#[test]
fn each_thing_that_was_less_than_promised_breaks_the_drill_by_its_name() {
    type Change = fn(&mut Run, &mut Seen, &mut Stretches, &mut Standing);
    let cases: [(Function, Change); 12] = [
        (Function::Incoming, |_, seen, _, _| {
            seen.contact(&contact(vec![arrived(), ended(EndCause::Fault)]), (at(0), at(600)), true);
        }),
        (Function::Waiting, |_, _, calls, _| calls.during.answered = 12),
        (Function::Waiting, |_, _, calls, _| calls.during.wait_s = 700),
        (Function::Outgoing, |_, seen, _, _| {
            *seen = Seen { outgoing: 1, unreached: 1, ..*seen };
        }),
        (Function::Outgoing, |_, seen, _, _| {
            *seen = Seen { outgoing: 100, unreached: 1, ..*seen };
        }),
        (Function::Recording, |_, seen, _, _| {
            let missing = Kind::RecordingMissing { reason: RecordingMissing::DiskFull };
            seen.contact(&contact(vec![arrived(), missing, ended(EndCause::Caller)]), (at(0), at(600)), true);
        }),
        (Function::Records, |_, seen, _, _| {
            seen.contact(&contact(vec![arrived(), ended(EndCause::Caller)]), (at(0), at(600)), false);
        }),
        (Function::Phones, |_, _, _, standing| standing.phones.1 = 3),
        (Function::Help, |_, _, _, standing| standing.help.1 = false),
        (Function::Certificate, |_, _, _, standing| standing.alone[1].days = 0),
        (Function::Delivery, |run, _, _, _| run.joined = Some(at(800))),
        (Function::Delivery, |run, _, _, _| run.delivered = None),
    ];
    for (function, change) in cases {
        let report = told(change);
        let broken = report.marks.iter().filter(|mark| mark.verdict == Verdict::Broken).map(|mark| mark.function);
        assert_eq!((broken.collect::<Vec<_>>(), report.outcome()), (vec![function], Outcome::NotPassed));
    }
}

#[test]
fn a_drill_that_was_cut_short_has_not_passed() {
    assert_eq!(told(|run, _, _, _| run.why = Why::Emergency).outcome(), Outcome::NotPassed);
    let short = told(|run, _, _, _| run.lasted_ms = 1_000);
    assert_eq!(short.outcome(), Outcome::NotPassed, "whatever the clock on the wall says");
    assert_eq!(told(|run, _, _, _| run.lasted_ms = 545_000).outcome(), Outcome::Passed, "nearly its time");
    assert_eq!(not_run(run().drill, Why::NotRunDisk, at(0)).outcome(), Outcome::NotPassed);
}

#[test]
fn without_evidence_nothing_has_passed() {
    let good = told(|_, _, _, _| {});
    let empty = Report { marks: Vec::new(), ..good.clone() };
    assert_eq!(empty.outcome(), Outcome::NotKnown);
    let mut twice = good.clone();
    twice.marks.push(good.marks[0]);
    assert_eq!(twice.outcome(), Outcome::NotKnown);
    let nothing = told(|_, _, _, standing| {
        *standing = Standing { phones: (0, 0), lines_up: (0, 0), help: (false, false), ..standing.clone() };
    });
    assert_eq!(nothing.outcome(), Outcome::NotKnown, "there was no line and no help to lose");
    let unread = report(run(), None, standing());
    assert_eq!((unread.outcome(), verdict(&unread, Function::Records)), (Outcome::NotKnown, Verdict::Unread));
    assert_eq!((verdict(&unread, Function::Phones), unread.during), (Verdict::Kept, None));
}

#[test]
fn few_callers_say_nothing_and_contacts_of_another_time_do_not_count() {
    let report = told(|_, seen, stretches, _| {
        *seen = Seen::default();
        let lost = contact(vec![arrived(), ended(EndCause::Fault)]);
        seen.contact(&lost, (at(61), at(600)), true);
        stretches.during = calls(4, 0, 0);
    });
    assert_eq!(report.outcome(), Outcome::NotKnown, "nobody called: {report:?}");
    for function in [Function::Incoming, Function::Waiting, Function::Outgoing, Function::Recording, Function::Records]
    {
        assert_eq!(verdict(&report, function), Verdict::Unasked, "{function:?}");
    }
}

#[test]
fn a_recording_that_nobody_wanted_is_not_missing() {
    let mut seen = Seen::default();
    let missing = Kind::RecordingMissing { reason: RecordingMissing::NotWanted };
    seen.contact(&contact(vec![arrived(), missing, ended(EndCause::Caller)]), (at(0), at(600)), true);
    assert_eq!((seen.incoming, seen.unrecorded, seen.over), (1, 0, 1));
}
