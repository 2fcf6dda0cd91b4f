//! The same facts counted slowly, second by second, in another way.

use std::collections::BTreeMap;

use model::{
    Millis,
    fact::{AgentState, Disposition, Fact, Kind, Pause},
};
use proptest::prelude::*;
use report::{AgentTime, Dimension, Life, Question, Report, Sums, Tally};

use crate::week::{HOUR, MONDAY, SECOND, config, facts, id, plan, shifts};

/// Long after the week.
const NOW: Millis = Millis(MONDAY + 9 * 24 * HOUR);
const WEEK_HOURS: i64 = 7 * 24;

fn hours(step: i64) -> Vec<Millis> {
    (0..=WEEK_HOURS / step).map(|n| Millis(MONDAY + n * step * HOUR)).collect()
}

fn lives() -> Vec<Life> {
    let life =
        |from: i64, until: i64| Life { began: Millis(MONDAY + from * HOUR), seen: Millis(MONDAY + until * HOUR) };
    vec![life(-48, 31), life(33, 200), life(201, 9 * 24)]
}

fn ask(edges: Vec<Millis>, by: &[Dimension], contacts: &[Vec<Fact>], agents: &[Fact]) -> Report {
    narrowed(Question { edges, by: by.to_vec(), only: BTreeMap::new() }, contacts, agents)
}

fn narrowed(question: Question, contacts: &[Vec<Fact>], agents: &[Fact]) -> Report {
    let config = config();
    let mut tally = Tally::new(question, None, &lives(), NOW).expect("a question");
    contacts.iter().for_each(|facts| tally.contact(facts, &config).expect("few rows"));
    agents.iter().for_each(|fact| tally.agent(fact).unwrap());
    tally.finish().expect("few rows")
}

fn has(facts: &[Fact], is: impl Fn(&Kind) -> bool) -> bool {
    count(facts, is) > 0
}

fn count(facts: &[Fact], is: impl Fn(&Kind) -> bool) -> u64 {
    facts.iter().filter(|fact| is(&fact.kind)).count() as u64
}

/// The seconds in which the last fact that says anything of the caller's place says this.
fn seconds(facts: &[Fact], is: impl Fn(&Kind) -> bool) -> u64 {
    let (first, last) = (facts.first().expect("a fact").at.0, facts.last().expect("a fact").at.0);
    let places = |kind: &Kind| {
        matches!(
            kind,
            Kind::Answered { .. }
                | Kind::Held
                | Kind::Resumed
                | Kind::Ended { .. }
                | Kind::Queued { .. }
                | Kind::FlowEntered { .. }
        )
    };
    let mut all = 0;
    for second in (first..last).step_by(1_000) {
        let place = facts.iter().rev().find(|fact| fact.at.0 <= second && places(&fact.kind));
        all += u64::from(place.is_some_and(|fact| is(&fact.kind)));
    }
    all * 1_000
}

/// What the whole site should say of one contact.
fn recount(facts: &[Fact]) -> Sums {
    let first = |is: &dyn Fn(&Kind) -> bool| facts.iter().find(|fact| is(&fact.kind)).map(|fact| fact.at.0);
    let queued = first(&|kind| matches!(kind, Kind::Queued { .. }));
    let answered = first(&|kind| matches!(kind, Kind::Answered { .. }));
    let promised = first(&|kind| matches!(kind, Kind::CallbackPromised { .. }));
    let ended = first(&|kind| matches!(kind, Kind::Ended { .. }));
    let in_sales = has(facts, |kind| matches!(kind, Kind::Queued { queue } if queue.as_str() == "sales"));
    let within = if in_sales { 20_000 } else { 60_000 };
    let wait = queued.zip(promised.or(answered).or(ended)).map_or(0, |(from, to)| to - from);
    let offered = u64::from(queued.is_some());
    let is = |yes: bool| u64::from(yes && queued.is_some());
    let talk = seconds(facts, |kind| matches!(kind, Kind::Answered { .. } | Kind::Resumed));
    let hold = seconds(facts, |kind| matches!(kind, Kind::Held));
    let wrap_up: i64 = facts
        .iter()
        .map(|fact| match &fact.kind {
            Kind::WrapUpEnded { .. } => fact.at.0,
            Kind::WrapUpStarted { .. } => -fact.at.0,
            _ => 0,
        })
        .sum();
    let wrap_up = u64::try_from(wrap_up).expect("it ended after it began");
    let marks = facts.iter().filter_map(|fact| match fact.kind {
        Kind::Marked { mark, .. } => Some(u64::from(mark)),
        _ => None,
    });
    let answers = facts.iter().filter_map(|fact| match &fact.kind {
        Kind::Answered { agent } => agent.clone(),
        _ => None,
    });
    let handled = answers.collect::<std::collections::BTreeSet<_>>().len() as u64;
    let marks: Vec<u64> = marks.collect();
    let other = if queued.is_none() { talk + hold + wrap_up } else { 0 };
    let own = |ms: u64| if queued.is_some() { ms } else { 0 };
    Sums {
        contacts: 1,
        in_progress: u64::from(ended.is_none()),
        offered,
        answered: is(answered.is_some()),
        abandoned: is(answered.is_none() && ended.is_some()),
        answered_in_t: is(answered.is_some() && wait <= within),
        short_abandoned: is(answered.is_none() && ended.is_some() && wait <= within),
        overflowed: 0,
        recorded: 0,
        wait_ms: if is(answered.is_some()) == 1 { u64::try_from(wait).expect("forwards") } else { 0 },
        talk_ms: own(talk),
        hold_ms: own(hold),
        wrap_up_ms: own(wrap_up),
        handled: own(handled),
        transferred: count(facts, |kind| matches!(kind, Kind::Transferred { .. })),
        others: 1 - offered,
        other_ms: other,
        promised: u64::from(promised.is_some()),
        kept: u64::from(has(facts, |kind| matches!(kind, Kind::CallbackTried { .. }))),
        saved: u64::from(promised.is_some() && answered.is_some()),
        asked: count(facts, |kind| matches!(kind, Kind::FlowEntered { step, .. } if step.as_str() == "how")),
        marked: marks.len() as u64,
        satisfied: marks.iter().filter(|mark| **mark >= 4).count() as u64,
        mark_permille: marks.iter().map(|mark| mark * 200).sum(),
        messages: count(facts, |kind| matches!(kind, Kind::MessageLeft { .. })),
        disposed: count(facts, |kind| matches!(kind, Kind::Disposed { disposition: Disposition::Code(_), .. })),
        undisposed: count(facts, |kind| matches!(kind, Kind::Disposed { disposition: Disposition::NoneChosen, .. })),
    }
}

fn is_up(at: i64) -> bool {
    lives().iter().any(|life| life.began.0 <= at && at < life.seen.0)
}

/// Agents' time of the week, a minute at a time: facts are moved onto whole minutes first.
fn recount_time(agents: &[Fact], from: i64, until: i64) -> AgentTime {
    let mut time = AgentTime::default();
    for at in (from..until).step_by(60_000).filter(|at| is_up(*at)) {
        for who in ["ann", "bob", "eve"] {
            let own = |fact: &&Fact| matches!(&fact.kind, Kind::AgentState { agent, .. } if agent.as_str() == who);
            let Some(fact) = agents.iter().filter(own).rfind(|fact| fact.at.0 <= at) else { continue };
            let Kind::AgentState { state, pause, .. } = &fact.kind else { continue };
            match state {
                AgentState::SignedOut => {}
                AgentState::Ready => time.ready_ms += 60_000,
                AgentState::Offered => time.offered_ms += 60_000,
                AgentState::Talking => time.talking_ms += 60_000,
                AgentState::WrapUp => time.wrap_up_ms += 60_000,
                AgentState::NotReady => {
                    let why = match pause {
                        Some(Pause::Code(code)) => code.to_string(),
                        Some(_) => ":missed".into(),
                        None => ":none".into(),
                    };
                    *time.not_ready_ms.entry(why).or_default() += 60_000;
                }
            }
        }
    }
    time
}

fn on_minutes(facts: Vec<Fact>) -> Vec<Fact> {
    let moved = |fact: Fact| Fact { at: Millis(fact.at.0 - fact.at.0.rem_euclid(60 * SECOND)), ..fact };
    facts.into_iter().map(moved).collect()
}

fn sum<'a>(all: impl IntoIterator<Item = &'a Sums>) -> Sums {
    let mut total = Sums::default();
    all.into_iter().for_each(|sums| total.add(sums));
    total
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn totals_are_those_of_a_recount_and_parts_add_up_to_them_whatever_they_are_split_by(
        plans in prop::collection::vec(plan(), 0..40),
        agents in shifts(),
    ) {
        let contacts: Vec<Vec<Fact>> = plans.iter().enumerate().map(|(n, plan)| facts(n, plan)).collect();
        let agents = on_minutes(agents);
        // Who is still there has waited until the report was made.
        let expected: Vec<Sums> = contacts.iter().map(|facts| recount(facts)).collect();
        let whole = ask(hours(WEEK_HOURS), &[], &contacts, &agents);
        prop_assert_eq!(whole.total_sums, sum(&expected));
        prop_assert_eq!(&whole.total_time, &recount_time(&agents, MONDAY, MONDAY + WEEK_HOURS * HOUR));
        for one in Dimension::ALL {
            for other in Dimension::ALL {
                let by = if one == other { vec![one] } else { vec![one, other] };
                let split = ask(hours(24), &by, &contacts, &agents);
                prop_assert_eq!(split.total_sums, whole.total_sums, "by {:?}", by);
                prop_assert_eq!(sum(split.rows.iter().map(|row| &row.sums)), whole.total_sums, "by {:?}", by);
                if by == [Dimension::Agent] {
                    prop_assert_eq!(&split.total_time, &whole.total_time);
                }
            }
        }
        let fine = ask(hours(1), &[], &contacts, &agents);
        prop_assert_eq!((fine.total_sums, &fine.total_time), (whole.total_sums, &whole.total_time));
    }

    #[test]
    fn what_a_report_is_narrowed_to_is_the_row_of_the_whole(
        plans in prop::collection::vec(plan(), 1..40),
        agents in shifts(),
    ) {
        let contacts: Vec<Vec<Fact>> = plans.iter().enumerate().map(|(n, plan)| facts(n, plan)).collect();
        for one in Dimension::ALL {
            for row in ask(hours(WEEK_HOURS), &[one], &contacts, &agents).rows {
                let only = BTreeMap::from([(one, [row.key[0].clone()].into())]);
                let question = Question { edges: hours(WEEK_HOURS), by: Vec::new(), only };
                let narrow = narrowed(question, &contacts, &agents);
                prop_assert_eq!(narrow.total_sums, row.sums, "{:?} {:?}", one, row.key);
                if one == Dimension::Agent {
                    prop_assert_eq!(narrow.total_time, row.agent_time);
                }
            }
        }
    }

    #[test]
    fn a_report_of_the_queues_says_what_the_book_of_intervals_says(plans in prop::collection::vec(plan(), 0..40)) {
        let contacts: Vec<Vec<Fact>> = plans.iter().enumerate().map(|(n, plan)| facts(n, plan)).collect();
        let all: Vec<Fact> = contacts.iter().flatten().cloned().collect();
        let within = |queue: &model::QueueId| if queue.as_str() == "sales" { 20 } else { 60 };
        let cells = floor::interval::fold(&floor::cdr::rebuild(&all), 3_600, within);
        let told = ask(hours(1), &[Dimension::Queue], &contacts, &[]);
        let row = |key: &floor::interval::Key| {
            let own = |row: &&report::Row| {
                told.times[row.time].start == key.start && row.key == [Some(key.queue.to_string())]
            };
            told.rows.iter().find(own).map(|row| row.sums).expect("a row")
        };
        for (key, figures) in &cells {
            let sums = row(key);
            let (offered, seconds) = (u64::from(figures.offered), |ms: u64| ms / 1_000);
            prop_assert_eq!(sums.answered + sums.abandoned, offered);
            prop_assert_eq!((sums.answered, sums.abandoned), (figures.answered.into(), figures.abandoned.into()));
            prop_assert_eq!(
                (sums.answered_in_t, sums.short_abandoned),
                (figures.answered_in_t.into(), figures.abandoned_in_t.into())
            );
            let times = [sums.wait_ms, sums.talk_ms, sums.hold_ms, sums.wrap_up_ms].map(seconds);
            let kept = [figures.wait_s, figures.talk_s, figures.hold_s, figures.wrap_up_s].map(u64::from);
            prop_assert_eq!(times, kept, "all happens on whole seconds");
        }
        prop_assert_eq!(told.rows.iter().filter(|row| row.sums.answered + row.sums.abandoned > 0 && row.key[0].is_some()).count(), cells.len());
    }
}

#[test]
fn an_agents_part_is_the_agents_own_and_the_contact_counts_where_it_was_answered_first() {
    let mut plan = crate::week::Plan {
        at_s: 3_600,
        inbound: true,
        queue: Some(1),
        wait_s: 61,
        ends: crate::week::Ends::ServedAndTransferred,
        agents: (0, 1),
        talk_s: (100, 50),
        hold_s: 10,
        wrap_up_s: 7,
        mark: Some(4),
        disposition: 1,
    };
    let first = facts(0, &plan);
    plan.ends = crate::week::Ends::GivesUp;
    let second = facts(1, &plan);
    let told = ask(hours(24), &[Dimension::Agent, Dimension::Skill], &[first, second], &[]);
    let rows: BTreeMap<_, _> = told.rows.iter().map(|row| (row.key[0].as_deref(), row)).collect();
    assert!(rows.values().all(|row| row.key[1].as_deref() == Some("german+technics")));
    let part = |who: Option<&str>| {
        let sums = rows[&who].sums;
        (sums.answered, sums.handled, sums.talk_ms, sums.hold_ms, sums.wrap_up_ms, sums.transferred, sums.abandoned)
    };
    assert_eq!(part(Some("ann")), (1, 1, 100_000, 10_000, 7_000, 1, 0));
    // While the first one wrote up, the second one talked.
    assert_eq!(part(Some("bob")), (0, 1, 57_000, 0, 7_000, 0, 0));
    assert_eq!(part(None), (0, 0, 0, 0, 0, 0, 1));
    let aht = told.columns.iter().position(|column| column.name == "aht").expect("a column");
    assert_eq!(rows[&Some("ann")].values[aht], Some(117_000));
    assert_eq!(told.total[aht], Some((117_000 + 64_000) / 2));
    let _: model::QueueId = id("sales");
}
