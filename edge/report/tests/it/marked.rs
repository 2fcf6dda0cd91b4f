//! Where nothing could be counted there is no zero; limits; what is asked wrongly.

use std::collections::BTreeMap;

use model::Millis;
use report::{BY_MAX, Dimension, Life, ONLY_MAX, Question, ROWS_MAX, Refused, TIMES_MAX, Tally};

use crate::week::{Ends, HOUR, MONDAY, Plan, SECOND, config, facts};

fn question(edges: Vec<Millis>, by: &[Dimension]) -> Question {
    Question { edges, by: by.to_vec(), only: BTreeMap::new() }
}

fn edges(count: i64, step: i64) -> Vec<Millis> {
    (0..=count).map(|n| Millis(MONDAY + n * step)).collect()
}

fn plan(at_s: i64) -> Plan {
    Plan {
        at_s,
        inbound: true,
        queue: Some(0),
        wait_s: 5,
        ends: Ends::Served,
        agents: (0, 1),
        talk_s: (60, 0),
        hold_s: 0,
        wrap_up_s: 0,
        mark: None,
        disposition: 0,
    }
}

#[test]
fn an_hour_in_which_the_box_was_down_has_no_row_and_a_quiet_one_has_zeros() {
    let now = Millis(MONDAY + 5 * HOUR + HOUR / 2);
    let life = |from: i64, until: i64| Life { began: Millis(MONDAY + from), seen: Millis(MONDAY + until) };
    let lives = [life(-HOUR, HOUR + HOUR / 4), life(3 * HOUR, 5 * HOUR + HOUR / 2)];
    let mut tally = Tally::new(question(edges(8, HOUR), &[]), None, &lives, now).unwrap();
    tally.contact(&facts(0, &plan(3 * 3_600)), &config()).unwrap();
    let told = tally.finish().unwrap();
    let minutes: Vec<_> = told.times.iter().map(|time| (time.down_ms / 60_000, time.down, time.running)).collect();
    assert_eq!(
        minutes,
        [
            (0, false, false),
            (45, false, false),
            (60, true, false),
            (0, false, false),
            (0, false, false),
            (0, false, true)
        ],
        "and of what is to come nothing is said"
    );
    let rows: Vec<_> = told.rows.iter().map(|row| (row.time, row.sums.offered)).collect();
    assert_eq!(rows, [(0, 0), (1, 0), (3, 1), (4, 0), (5, 0)]);
}

#[test]
fn agents_work_nothing_while_the_box_is_down() {
    use model::fact::{AgentState, Fact, Kind};
    let at = |hours: i64, state| {
        let kind = Kind::AgentState { agent: "ann".parse().unwrap(), state, pause: None };
        Fact { seq: 0, at: Millis(MONDAY + hours * HOUR), contact: None, kind }
    };
    let life =
        |from: i64, until: i64| Life { began: Millis(MONDAY + from * HOUR), seen: Millis(MONDAY + until * HOUR) };
    let lives = [life(-10, 2), life(6, 9)];
    let mut tally = Tally::new(question(edges(1, 24 * HOUR), &[]), None, &lives, Millis(MONDAY + 9 * HOUR)).unwrap();
    // The next life closes what the last one left open.
    [at(-1, AgentState::Ready), at(6, AgentState::SignedOut), at(8, AgentState::Ready)]
        .iter()
        .for_each(|fact| tally.agent(fact).unwrap());
    assert_eq!(tally.finish().unwrap().total_time.ready_ms, u64::try_from(3 * HOUR).unwrap());
}

#[test]
fn what_has_no_sense_or_is_too_much_is_refused() {
    let new = |question| Tally::new(question, None, &[], Millis(MONDAY)).err();
    let many = i64::try_from(TIMES_MAX).unwrap();
    assert_eq!(new(question(edges(many, SECOND), &[])), None);
    assert_eq!(new(question(edges(many + 1, SECOND), &[])), Some(Refused::Times));
    assert_eq!(new(question(edges(0, HOUR), &[])), Some(Refused::Times));
    assert_eq!(new(question(vec![Millis(2), Millis(1)], &[])), Some(Refused::Times));
    assert_eq!(new(question(edges(1, HOUR), &[Dimension::Queue, Dimension::Queue])), Some(Refused::By));
    assert_eq!(new(question(edges(1, HOUR), &Dimension::ALL[..BY_MAX])), None);
    assert_eq!(new(question(edges(1, HOUR), &Dimension::ALL[..=BY_MAX])), Some(Refused::By));
    let only = |count: usize| Question {
        only: BTreeMap::from([(Dimension::Queue, (0..count).map(|n| Some(format!("q{n}"))).collect())]),
        ..question(edges(1, HOUR), &[])
    };
    assert_eq!(new(only(0)), Some(Refused::Only));
    assert_eq!(new(only(ONLY_MAX)), None);
    assert_eq!(new(only(ONLY_MAX + 1)), Some(Refused::Only));
}

#[test]
fn a_report_has_no_more_rows_than_its_limit() {
    let config = config();
    let mut tally =
        Tally::new(question(edges(1, 24 * HOUR), &[Dimension::Number]), None, &[], Millis(MONDAY + HOUR)).unwrap();
    let of = |n: usize| {
        let mut all = facts(n, &plan(60));
        if let Some(model::fact::Fact { kind: model::fact::Kind::Arrived { number, .. }, .. }) = all.first_mut() {
            *number = Some(format!("{:06}", n).parse().unwrap());
        }
        all
    };
    for n in 0..ROWS_MAX {
        assert_eq!(tally.contact(&of(n), &config), Ok(()));
    }
    assert_eq!(tally.contact(&of(0), &config), Ok(()), "a row that is there takes more");
    assert_eq!(tally.contact(&of(ROWS_MAX), &config), Err(Refused::TooManyRows));
}

#[test]
fn agents_time_makes_no_more_rows_than_the_limit_and_what_others_did_makes_none() {
    use model::fact::{AgentState, Fact, Kind};
    let times = 1_000_usize;
    let agents = ROWS_MAX / times;
    let minute = 60 * SECOND;
    let until = MONDAY + i64::try_from(times).unwrap() * minute;
    let life = Life { began: Millis(MONDAY), seen: Millis(until) };
    let work = |by: &[Dimension], only: Option<&str>| {
        let only = only.map(|who| (Dimension::Agent, [Some(who.to_owned())].into()));
        let only = only.into_iter().collect();
        let question = Question { only, ..question(edges(times.try_into().unwrap(), minute), by) };
        let mut tally = Tally::new(question, None, &[life], Millis(until)).unwrap();
        let told: Vec<_> = (0..=agents)
            .map(|n| {
                let state = |at, state| {
                    let kind = Kind::AgentState { agent: format!("a{n}").parse().unwrap(), state, pause: None };
                    Fact { seq: 0, at: Millis(at), contact: None, kind }
                };
                tally.agent(&state(MONDAY, AgentState::Ready))?;
                tally.agent(&state(until, AgentState::SignedOut))
            })
            .collect();
        (told, tally.finish().map(|told| (told.rows.len(), told.total_time.ready_ms)))
    };
    let lasted = u64::try_from(until - MONDAY).unwrap();
    let (told, _) = work(&[Dimension::Agent], None);
    assert!(told[..agents].iter().all(Result::is_ok));
    assert_eq!(told[agents], Err(Refused::TooManyRows));
    let (told, all) = work(&[], None);
    assert!(told.iter().all(Result::is_ok));
    assert_eq!(all, Ok((times, 21 * lasted)), "all together are one row for each stretch");
    let (told, one) = work(&[Dimension::Agent], Some("a20"));
    assert!(told.iter().all(Result::is_ok));
    assert_eq!(one, Ok((times, lasted)));
}
