//! The gate through its public face: what leaves, what folds, what is refused.

use std::collections::BTreeMap;

use gate::{Class, Error, Gate, Passed, Policy, State, decode, threshold::sum};
use model::{
    Millis, QueueId,
    leaving::{Alone, Closed, End, Figures, Health, Interval, Leaving},
};
use proptest::prelude::*;

const QUARTER_MS: i64 = 900_000;
const NOW: Millis = Millis(1_760_000_000_000);

fn cell(queue: &str, quarter: i64, revision: u32, offered: u32) -> Interval {
    let figures = Figures { offered, answered: offered, talk_s: offered * 60 + revision, ..Figures::default() };
    let start = Millis(quarter * QUARTER_MS);
    Interval { queue: QueueId::new(queue).ok(), start, length_s: 900, revision, figures }
}

fn gate(k: u32) -> Gate {
    Gate::new(Policy { k }, State::default())
}

fn pass(gate: &mut Gate, cells: &[Interval]) -> Vec<Interval> {
    let items: Vec<Leaving> = cells.iter().cloned().map(Leaving::Interval).collect();
    gate.pass(&items, NOW).unwrap().iter().map(interval).collect()
}

fn interval(passed: &Passed) -> Interval {
    match decode(passed.body()).unwrap() {
        Leaving::Interval(interval) => interval,
        _ => panic!("only intervals were passed"),
    }
}

fn health() -> Health {
    Health {
        at: NOW,
        processes_up: 3,
        restarts: 0,
        disk_free_percent: 80,
        phones_registered: 12,
        trunks_up: 1,
        trunks: 2,
        intervals_closed: 96,
        slot: 0,
        version: [0, 1, 0],
        alone: Vec::new(),
    }
}

#[test]
fn a_cell_with_k_contacts_leaves_as_it_is_and_one_with_fewer_folds() {
    let mut gate = gate(5);
    let out = pass(&mut gate, &[cell("sales", 1, 0, 5), cell("support", 1, 0, 4), cell("billing", 1, 0, 3)]);
    let seen: Vec<(Option<String>, u32)> =
        out.iter().map(|cell| (cell.queue.as_ref().map(ToString::to_string), cell.figures.offered)).collect();
    assert_eq!(seen, [(Some("sales".into()), 5), (None, 7)]);
}

#[test]
fn a_sites_cell_with_too_few_waits_for_the_next_intervals() {
    let mut gate = gate(5);
    assert_eq!(pass(&mut gate, &[cell("sales", 1, 0, 2)]), []);
    assert_eq!(pass(&mut gate, &[cell("sales", 2, 0, 2)]), []);
    assert_eq!(gate.state().waiting().offered, 4);
    let out = pass(&mut gate, &[cell("sales", 3, 0, 1)]);
    assert_eq!(out.len(), 1);
    assert_eq!((out[0].queue.clone(), out[0].start, out[0].figures.offered), (None, Millis(3 * QUARTER_MS), 5));
    assert_eq!(gate.state().waiting(), Figures::default());
}

#[test]
fn a_late_revision_of_a_folded_cell_revises_the_cell_that_published_it() {
    let mut gate = gate(5);
    pass(&mut gate, &[cell("sales", 1, 0, 2)]);
    let published = pass(&mut gate, &[cell("sales", 2, 0, 3)]).remove(0);
    let revised = pass(&mut gate, &[cell("sales", 1, 7, 2)]).remove(0);
    assert_eq!((revised.start, revised.revision), (published.start, published.revision + 1));
    assert_eq!(revised.figures.talk_s, published.figures.talk_s + 7);
}

#[test]
fn a_repeated_or_older_revision_leaves_nothing() {
    let mut gate = gate(5);
    assert_eq!(pass(&mut gate, &[cell("sales", 1, 3, 9)]).len(), 1);
    assert_eq!(pass(&mut gate, &[cell("sales", 1, 3, 9), cell("sales", 1, 2, 9)]), []);
}

#[test]
fn a_queue_that_was_folded_stays_folded_when_its_count_grows() {
    let mut gate = gate(5);
    pass(&mut gate, &[cell("sales", 1, 0, 4)]);
    let out = pass(&mut gate, &[cell("sales", 1, 1, 6)]);
    assert_eq!((out.len(), out[0].queue.clone(), out[0].figures.offered), (1, None, 6));
}

#[test]
fn what_does_not_add_up_or_is_out_of_bounds_is_refused_and_changes_nothing() {
    let spoil = |spoil: fn(&mut Interval)| {
        let mut cell = cell("sales", 1, 0, 9);
        spoil(&mut cell);
        Leaving::Interval(cell)
    };
    let mut cases = vec![
        spoil(|cell| cell.figures.answered = 10),
        spoil(|cell| cell.figures.abandoned = 1),
        spoil(|cell| cell.figures.answered_in_t = 10),
        spoil(|cell| cell.figures.recorded = 10),
        spoil(|cell| cell.figures.offered = 1_000_001),
        spoil(|cell| cell.start.0 += 1),
        spoil(|cell| cell.start.0 = -QUARTER_MS),
        spoil(|cell| cell.length_s = 59),
    ];
    cases.push(Leaving::Health(Health { disk_free_percent: 101, ..health() }));
    cases.push(Leaving::Health(Health { trunks_up: 3, ..health() }));
    cases.push(Leaving::Health(Health { slot: 2, ..health() }));
    let alone = |days| Alone { until: End::Disk, days };
    cases.push(Leaving::Health(Health { alone: vec![alone(3_651)], ..health() }));
    cases.push(Leaving::Health(Health { alone: vec![alone(1), alone(2)], ..health() }));
    let closed = Closed { from: quarter(1), until: quarter(2), length_s: 900, at: quarter(2), queues: Vec::new() };
    cases.push(Leaving::Closed(Closed { until: quarter(1), ..closed.clone() }));
    cases.push(Leaving::Closed(Closed { from: Millis(1), ..closed.clone() }));
    cases.push(Leaving::Closed(Closed { length_s: 7, ..closed.clone() }));
    cases.push(Leaving::Closed(Closed { queues: vec![QueueId::new("q").unwrap(); 1_001], ..closed }));
    for case in cases {
        let mut gate = gate(5);
        let good = Leaving::Interval(cell("support", 1, 0, 2));
        assert!(gate.pass(&[good, case.clone()], NOW).is_err(), "{case:?}");
        assert_eq!(gate.state(), &State::default(), "{case:?}");
    }
}

#[test]
fn too_many_items_at_once_are_refused() {
    let items = vec![Leaving::Health(health()); 2_001];
    assert_eq!(gate(5).pass(&items, NOW), Err(Error::TooMany { max: 2_000 }));
}

fn quarter(n: i64) -> Millis {
    Millis(n * QUARTER_MS)
}

/// What the gate says to be closed at a moment, as quarters `from..until`; and it is taken as said.
fn closes(gate: &mut Gate, at: Millis) -> Option<(i64, i64)> {
    let said = gate.closing(quarter(3), 900, at, vec![QueueId::new("sales").unwrap()])?;
    gate.pass(&[Leaving::Closed(said.clone())], at).unwrap();
    Some((said.from.0 / QUARTER_MS, said.until.0 / QUARTER_MS))
}

#[test]
fn what_is_closed_goes_on_where_it_ended_and_after_a_restart_as_well() {
    let mut gate = gate(5);
    let later = |n: i64| Millis(quarter(n).0 + 1_000);
    assert_eq!(closes(&mut gate, later(3)), None, "its first interval is not over");
    assert_eq!(closes(&mut gate, later(4)), Some((3, 4)));
    assert_eq!(closes(&mut gate, later(4)), None);
    // The box was off for five hours.
    let mut gate = Gate::new(Policy { k: 5 }, State::decode(&gate.state().encode()).unwrap());
    assert_eq!(closes(&mut gate, later(24)), Some((4, 24)));
    // A clock that ran ahead and was set back.
    assert_eq!(closes(&mut gate, later(1_000)), Some((24, 1_000)));
    assert_eq!(closes(&mut gate, later(26)), Some((25, 26)));
    assert_eq!(closes(&mut gate, later(27)), Some((26, 27)));
}

#[test]
fn what_is_closed_leaves_behind_all_cells_that_it_speaks_for() {
    let mut gate = gate(5);
    let closed = gate.closing(quarter(1), 900, quarter(2), Vec::new()).unwrap();
    let items = vec![
        Leaving::Closed(closed.clone()),
        Leaving::Interval(cell("sales", 1, 0, 4)),
        Leaving::Interval(cell("support", 1, 0, 3)),
    ];
    let left: Vec<Leaving> =
        gate.pass(&items, NOW).unwrap().iter().map(|passed| decode(passed.body()).unwrap()).collect();
    assert!(
        matches!(&left[0], Leaving::Interval(cell) if cell.queue.is_none() && cell.figures.offered == 7),
        "{left:?}"
    );
    assert_eq!(left[1..], [Leaving::Closed(closed)]);
}

#[test]
fn a_state_of_the_version_before_is_read_and_says_nothing_of_what_was_closed() {
    let mut gate = gate(5);
    pass(&mut gate, &[cell("sales", 1, 0, 2)]);
    let ciborium::Value::Array(mut parts) = ciborium::from_reader(gate.state().encode().as_slice()).unwrap() else {
        panic!("a state is a list");
    };
    parts[0] = 1.into();
    parts.truncate(4);
    let mut bytes = Vec::new();
    ciborium::into_writer(&ciborium::Value::Array(parts), &mut bytes).unwrap();
    assert_eq!(&State::decode(&bytes).unwrap(), gate.state());
}

#[test]
fn a_revision_of_a_forgotten_interval_comes_too_late_and_its_figures_are_not_lost() {
    let mut gate = gate(5);
    pass(&mut gate, &[cell("sales", 0, 0, 1)]);
    for quarter in 1..=400 {
        pass(&mut gate, &[cell("sales", quarter, 0, 9)]);
    }
    let late = gate.pass(&[Leaving::Interval(cell("sales", 0, 1, 1))], NOW);
    assert!(matches!(late, Err(Error::TooLate { .. })), "{late:?}");
    assert_eq!(gate.state().waiting().offered, 1);
    let out = pass(&mut gate, &[cell("sales", 401, 0, 4)]);
    assert_eq!((out[0].queue.clone(), out[0].figures.offered), (None, 5));
}

#[test]
fn the_body_is_what_the_line_says_and_what_the_cloud_reads() {
    let passed = gate(1).pass(&[Leaving::Health(health())], NOW).unwrap().remove(0);
    assert_eq!(passed.kind(), Class::Health);
    assert_eq!(passed.item().bytes(), u64::try_from(passed.body().len()).unwrap());
    assert_eq!(passed.item().at(), NOW);
    assert_eq!(decode(passed.body()), Ok(Leaving::Health(health())));
    assert_eq!(decode(b"\xff\x00nothing"), Err(Error::Encoding));
}

/// Closings and revisions of three queues; a restart between any two.
fn history() -> impl Strategy<Value = Vec<(usize, u32, bool)>> {
    prop::collection::vec((0..3_usize, 0..12_u32, any::<bool>()), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_published_cell_has_k_contacts_and_nothing_is_lost(history in history(), k in 1..9_u32) {
        let queues = ["sales", "support", "billing"];
        let mut gate = gate(k);
        let mut told: BTreeMap<(i64, Option<QueueId>), Figures> = BTreeMap::new();
        let mut known: BTreeMap<(i64, Option<QueueId>), (u32, Figures)> = BTreeMap::new();
        for (step, (queue, offered, late)) in (0_i64..).zip(history) {
            let quarter = if late { step / 2 } else { step };
            let key = (quarter * QUARTER_MS, QueueId::new(queues[queue]).ok());
            // Contacts are counted when they are queued: a revision changes what became of them.
            let earlier = told.get(&key).copied();
            let revision = u32::try_from(step).unwrap();
            let mut cell = cell(queues[queue], quarter, revision, earlier.map_or(offered, |figures| figures.offered));
            cell.figures.wrap_up_s = revision;
            told.insert(key, cell.figures);
            for cell in pass(&mut gate, &[cell]) {
                prop_assert!(cell.figures.offered >= k, "{cell:?}");
                let earlier = known.insert((cell.start.0, cell.queue.clone()), (cell.revision, cell.figures));
                prop_assert!(earlier.is_none_or(|(revision, _)| revision < cell.revision));
            }
            let bytes = gate.state().encode();
            let restarted = State::decode(&bytes).unwrap();
            prop_assert_eq!(&restarted, gate.state());
            gate = Gate::new(Policy { k }, restarted);
        }
        let all = told.values().copied().fold(Figures::default(), sum);
        let published = known.values().map(|(_, figures)| *figures).fold(gate.state().waiting(), sum);
        prop_assert_eq!(published, all);
        prop_assert!(gate.state().waiting().offered < k);
    }

    #[test]
    fn random_bytes_are_no_state(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(State::decode(&bytes).is_err());
    }
}
