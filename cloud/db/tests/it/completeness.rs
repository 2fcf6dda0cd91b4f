//! Completeness as a number (N-08): whatever happens to the lines, what is shown is what is true, and in the end the
//! cloud has what the branches counted.

use std::collections::{BTreeMap, BTreeSet};

use db::{
    Db,
    correction::{self, Kind},
    coverage::{self, Counts, GRACE_MS},
    ingest::{self, Batch, Refused, Row},
    interval::{self, SPANS_S, Sums},
    trend,
};
use gate::{Gate, Policy, State};
use model::{
    BoxId, Epoch, Millis, QueueId, SiteId,
    leaving::{Closed, Figures, Interval, Leaving},
};

use crate::{START, read, site, write};

const LENGTH_S: u32 = 900;
const QUARTER: i64 = 900_000;
const MINUTE: i64 = 60_000;
/// Contacts that a cell needs to leave.
const K: u32 = 4;
/// Minutes of a day, and of the evening in which everything is delivered.
const DAY: i64 = 24 * 60;

/// A sequence that its seed decides (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    /// Once in `n`.
    fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

fn name(queue: &str) -> QueueId {
    QueueId::new(queue).unwrap()
}

/// A branch: what it counted, what its box wrote for the cloud, and what of that the cloud has acknowledged.
struct Branch {
    site: SiteId,
    box_id: BoxId,
    epoch: Epoch,
    enrolled: i64,
    gate: Gate,
    began: i64,
    rows: Vec<Leaving>,
    /// As the box knows it: the cloud may have more.
    acknowledged: u64,
    /// As the cloud has it.
    durable: usize,
    /// What was counted, and with which revision it was told last.
    cells: BTreeMap<(i64, QueueId), (Option<u32>, Figures)>,
    touched: BTreeSet<(i64, QueueId)>,
    queues: BTreeSet<QueueId>,
    since: BTreeMap<QueueId, i64>,
    linked: bool,
    on: bool,
    /// Every interval that a delivered statement speaks for, with the queues that there were.
    arrived: BTreeMap<i64, BTreeSet<QueueId>>,
    /// Of a box that was replaced: what it counted and closed, and what of that was too little to leave.
    before: Sums,
    kept_back: Figures,
}

impl Branch {
    fn new(n: u128, now: i64) -> Self {
        let queues: BTreeSet<QueueId> = ["sales", "support", "night"].map(name).into();
        let first = now - now % QUARTER;
        Self {
            site: SiteId::new(&format!("site-{n}")).unwrap(),
            box_id: BoxId(100 + n),
            epoch: Epoch(1),
            enrolled: now,
            gate: Gate::new(Policy { k: K }, State::default()),
            began: first,
            rows: Vec::new(),
            acknowledged: 0,
            durable: 0,
            cells: BTreeMap::new(),
            touched: BTreeSet::new(),
            since: queues.iter().map(|queue| (queue.clone(), first)).collect(),
            queues,
            linked: true,
            on: true,
            arrived: BTreeMap::new(),
            before: Sums::default(),
            kept_back: Figures::default(),
        }
    }

    fn minute(&mut self, dice: &mut Dice, now: i64) {
        self.linked = if self.linked { !dice.once_in(70) } else { dice.once_in(50) };
        self.on = if self.on { !dice.once_in(300) } else { dice.once_in(40) };
        if !self.on {
            return;
        }
        if dice.once_in(60) {
            // The process begins anew from what is on the disk.
            let state = State::decode(&self.gate.state().encode()).unwrap();
            self.gate = Gate::new(Policy { k: K }, state);
        }
        if dice.once_in(400) {
            let queue = name(&format!("new-{}", now / MINUTE % 1_000));
            self.since.insert(queue.clone(), now - now % QUARTER);
            self.queues.insert(queue);
        }
        for queue in self.queues.clone() {
            let busy = if queue == name("sales") { 2 } else { 12 };
            if dice.once_in(busy) {
                self.contact(dice, now - now % QUARTER, queue);
            }
        }
        if dice.once_in(15) && !self.cells.is_empty() {
            // Somebody writes up a contact of an earlier interval.
            let recent = now - 40 * QUARTER;
            let keys: Vec<_> = self.cells.range((recent, name("a"))..).map(|(key, _)| key.clone()).collect();
            if let Some(key) = keys.get(dice.below(keys.len() as u64) as usize) {
                self.cells.get_mut(key).unwrap().1.wrap_up_s += 7;
                self.touched.insert(key.clone());
            }
        }
        self.close(now);
    }

    fn contact(&mut self, dice: &mut Dice, start: i64, queue: QueueId) {
        let figures = &mut self.cells.entry((start, queue.clone())).or_default().1;
        figures.offered += 1;
        if dice.once_in(5) {
            figures.abandoned += 1;
        } else {
            figures.answered += 1;
            figures.answered_in_t += u32::from(!dice.once_in(4));
            figures.wait_s += dice.below(60) as u32;
            figures.talk_s += dice.below(300) as u32;
        }
        self.touched.insert((start, queue));
    }

    fn close(&mut self, now: i64) {
        let at = Millis(now + 2_000);
        let over = now - now % QUARTER;
        let touched: Vec<_> = self.touched.iter().filter(|(start, _)| *start < over).cloned().collect();
        let mut items = Vec::new();
        for key in touched {
            self.touched.remove(&key);
            let (revision, figures) = self.cells.get_mut(&key).unwrap();
            let told = revision.map_or(0, |last| last + 1);
            *revision = Some(told);
            let (start, queue) = (Millis(key.0), Some(key.1));
            items.push(Leaving::Interval(Interval {
                queue,
                start,
                length_s: LENGTH_S,
                revision: told,
                figures: *figures,
            }));
        }
        let queues = self.queues.iter().cloned().collect();
        items.extend(self.gate.closing(Millis(self.began), LENGTH_S, at, queues).map(Leaving::Closed));
        if items.is_empty() {
            return;
        }
        let passed = self.gate.pass(&items, at).unwrap();
        self.rows.extend(passed.iter().map(|passed| gate::decode(passed.body()).unwrap()));
    }

    fn batch(&self, first: u64, count: usize) -> Batch {
        let from = usize::try_from(first - 1).unwrap();
        let rows = self.rows.iter().skip(from).take(count).cloned().map(Row::Good).collect();
        Batch { box_id: self.box_id, site: self.site.clone(), epoch: self.epoch, first, rows }
    }

    /// What a box and a line like that send in a minute.
    fn send(&mut self, db: &Db, dice: &mut Dice, now: i64) {
        if !self.linked || !self.on {
            return;
        }
        if dice.once_in(10) {
            // Later rows overtake earlier ones.
            let gap = self.batch(self.durable as u64 + 2, 3);
            let refused = db.write_blocking(move |conn| ingest::take(conn, &gap, Millis(now)));
            assert!(matches!(refused, Err(Refused::Gap { .. })), "{refused:?}");
        }
        if dice.once_in(8) {
            // An old batch comes once more.
            let again = self.batch(1 + dice.below(self.durable as u64 + 1), 5);
            self.take(db, again, now);
        }
        let first = 1 + self.acknowledged - dice.below(4).min(self.acknowledged);
        let count = 1 + dice.below(60) as usize;
        let batch = self.batch(first, count);
        let acknowledged = self.take(db, batch, now);
        if !dice.once_in(5) {
            self.acknowledged = acknowledged;
        }
    }

    fn take(&mut self, db: &Db, batch: Batch, now: i64) -> u64 {
        let taken = db.write_blocking(move |conn| ingest::take(conn, &batch, Millis(now))).unwrap();
        assert_eq!(taken.aside, 0);
        let durable = usize::try_from(taken.watermark).unwrap();
        for row in &self.rows[self.durable..durable] {
            if let Leaving::Closed(closed) = row {
                for n in 0..(closed.until.0 - closed.from.0) / QUARTER {
                    let start = closed.from.0 + n * QUARTER;
                    self.arrived.entry(start).or_insert_with(|| closed.queues.iter().cloned().collect());
                }
            }
        }
        self.durable = durable;
        taken.watermark
    }

    /// What anybody who knows everything would say is expected and has arrived, interval by interval.
    fn truth(&self, now: i64, queue: Option<&QueueId>) -> (u64, u64) {
        let (mut expected, mut arrived) = (0, 0);
        let mut start = self.enrolled - self.enrolled % QUARTER;
        while start < now {
            let there = self.arrived.get(&start);
            let exists = match (queue, there) {
                (None, _) => true,
                (Some(queue), Some(queues)) => queues.contains(queue),
                (Some(queue), None) => self.since[queue] <= start,
            };
            if exists && (there.is_some() || start + QUARTER + GRACE_MS <= now) {
                expected += 1;
                arrived += u64::from(there.is_some());
            }
            start += QUARTER;
        }
        (expected, arrived)
    }

    fn check(&self, db: &Db, now: i64, seed: u64) {
        let cover = read(db, |conn| coverage::of_site(conn, &self.site, Millis(now))).unwrap();
        let whole = |counts: Counts| (counts.expected, counts.arrived);
        let shown = cover.count(Millis(0), Millis(i64::MAX), None);
        assert_eq!(whole(shown), self.truth(now, None), "seed {seed}, {} at {}", self.site, (now - START) / MINUTE);
        // Of a queue that was made while the line is cut nobody can know yet.
        let known = self.since.keys().filter(|queue| self.arrived.values().any(|there| there.contains(*queue)));
        for queue in known {
            let shown = cover.count(Millis(0), Millis(i64::MAX), Some(queue));
            assert_eq!(whole(shown), self.truth(now, Some(queue)), "seed {seed}, {queue} of {}", self.site);
        }
    }

    /// Another box takes its place, and begins with nothing.
    fn replace(&mut self, now: i64) {
        self.kept_back = gate::threshold::sum(self.kept_back, self.gate.state().waiting());
        self.box_id = BoxId(self.box_id.0 + 1_000);
        self.gate = Gate::new(Policy { k: K }, State::default());
        self.began = now - now % QUARTER;
        (self.rows, self.acknowledged, self.durable) = (Vec::new(), 0, 0);
        self.touched.clear();
        self.cells.retain(|_, (told, _)| told.is_some());
        self.before = self.total();
        self.cells.clear();
        self.on = true;
    }

    fn total(&self) -> Sums {
        let mut total = self.before;
        self.cells.values().for_each(|(_, figures)| total.add((*figures).into()));
        total
    }
}

fn cloud_total(db: &Db, site: &SiteId) -> Sums {
    let question = interval::Question { from: Millis(0), to: Millis(i64::MAX), length_s: LENGTH_S };
    let cells = read(db, |conn| interval::ask(conn, question)).cells;
    let mut total = Sums::default();
    cells.iter().filter(|cell| cell.site == *site).for_each(|cell| total.add(cell.figures.into()));
    total
}

fn kept_is_what_it_is_kept_of(db: &Db, site: &SiteId) {
    for span_s in SPANS_S {
        let question = interval::Question { from: Millis(0), to: Millis(i64::MAX), length_s: span_s };
        let cells = read(db, |conn| interval::ask(conn, question)).cells;
        let cells: Vec<_> = cells
            .into_iter()
            .filter(|cell| cell.site == *site)
            .map(|cell| (cell.start, cell.queue, Sums::from(cell.figures)))
            .collect();
        let [kept, together] = read(db, |conn| interval::kept(conn, site, span_s));
        let mut sums: BTreeMap<Millis, (u64, Sums)> = BTreeMap::new();
        for span in &kept {
            let (cells, sum) = sums.entry(span.start).or_default();
            *cells += span.cells;
            sum.add(span.figures);
        }
        let told: Vec<_> = together.into_iter().map(|span| (span.start, (span.cells, span.figures))).collect();
        assert_eq!(told, sums.into_iter().collect::<Vec<_>>(), "{span_s} s, all queues");
        let kept: Vec<_> = kept.into_iter().map(|span| (span.start, span.queue, span.figures)).collect();
        assert_eq!(kept, cells, "{span_s} s");
    }
}

fn live(seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let db = crate::store(dir.path());
    let mut dice = Dice(seed);
    let begin = START + 7 * MINUTE;
    let mut branches: Vec<Branch> = (1..=3).map(|n| Branch::new(n, begin)).collect();
    for branch in &branches {
        let (site, box_id) = (branch.site.clone(), branch.box_id);
        write(&db, move |conn| {
            db::site::add(conn, &site, Millis(begin))?;
            db::boxes::add(conn, box_id, &site, Millis(begin))
        });
    }
    for minute in 0..DAY {
        let now = begin + minute * MINUTE;
        for branch in &mut branches {
            branch.minute(&mut dice, now);
            branch.send(&db, &mut dice, now + 5_000);
        }
        if minute % 7 == 0 {
            branches.iter().for_each(|branch| branch.check(&db, now + 6_000, seed));
        }
        if minute == 700 {
            // Before it goes, the first box delivers what it wrote; what it had not closed is lost with it.
            let branch = &mut branches[0];
            let rest = branch.batch(branch.acknowledged + 1, usize::MAX);
            branch.take(&db, rest, now + 7_000);
            branch.replace(now + 50 * MINUTE);
            let (site, box_id) = (branch.site.clone(), branch.box_id);
            write(&db, move |conn| db::boxes::add(conn, box_id, &site, Millis(now)));
            branch.on = false;
        }
    }
    let end = begin + DAY * MINUTE;
    for branch in &mut branches {
        branch.on = true;
        branch.close(end);
        // In batches of other sizes than before, and the last of them twice.
        while branch.durable < branch.rows.len() {
            let batch = branch.batch(branch.durable as u64 + 1, 17);
            branch.take(&db, batch, end + 5_000);
        }
        let again = branch.batch(1, usize::MAX);
        branch.take(&db, again, end + 6_000);
        branch.check(&db, end + 7_000, seed);
        branch.check(&db, end + 7_000 + 30 * QUARTER, seed);
        let mut there = cloud_total(&db, &branch.site);
        there.add(branch.kept_back.into());
        there.add(branch.gate.state().waiting().into());
        // What is open is counted at the branch, and nowhere else.
        let mut open = Sums::default();
        branch.cells.values().filter(|(told, _)| told.is_none()).for_each(|(_, figures)| open.add((*figures).into()));
        there.add(open);
        assert_eq!(there, branch.total(), "seed {seed}, {}", branch.site);
        kept_is_what_it_is_kept_of(&db, &branch.site);
    }
    // The corrections tell all that came after its time, and nothing else.
    let (told, more) = read(&db, |conn| correction::since(conn, Millis(0), |_| true));
    assert!(!more);
    for branch in &branches {
        let of = |kind| told.iter().filter(move |one| one.site == branch.site && one.kind == kind);
        let cover = read(&db, |conn| coverage::of_site(conn, &branch.site, Millis(end))).unwrap();
        let counts = cover.count(Millis(0), Millis(i64::MAX), None);
        let intervals: u64 = of(Kind::Late).map(|one| one.intervals).sum();
        assert_eq!(intervals, counts.isolated + counts.late, "seed {seed}, {}", branch.site);
    }
}

#[test]
fn after_a_day_of_broken_lines_the_cloud_has_what_the_branches_counted_and_showed_what_was_true_all_along() {
    for seed in 1..=4 {
        live(seed);
    }
}

/// Quarters `from..until` of a site whose only queue is `sales`, closed at `at`.
fn closed(from: i64, until: i64, at: i64) -> Row {
    let [from, until] = [from, until].map(|n| Millis(START + n * QUARTER));
    Row::Good(Leaving::Closed(Closed {
        from,
        until,
        length_s: LENGTH_S,
        at: Millis(START + at),
        queues: vec![name("sales")],
    }))
}

fn cell(n: i64, revision: u32, offered: u32) -> Row {
    let figures = Figures { offered, answered: offered, ..Figures::default() };
    let (queue, start) = (Some(name("sales")), Millis(START + n * QUARTER));
    Row::Good(Leaving::Interval(Interval { queue, start, length_s: LENGTH_S, revision, figures }))
}

/// The next rows of the box, as they arrive `at` ms after the start.
fn arrive(db: &Db, first: u64, at: i64, rows: Vec<Row>) {
    let batch = Batch { box_id: crate::BOX, site: site(), epoch: crate::EPOCH, first, rows };
    db.write_blocking(move |conn| ingest::take(conn, &batch, Millis(START + at))).unwrap();
}

fn counts(db: &Db, now: i64) -> Counts {
    let cover = read(db, |conn| coverage::of_site(conn, &site(), Millis(START + now))).unwrap();
    cover.count(Millis(0), Millis(i64::MAX), None)
}

#[test]
fn an_interval_without_callers_arrives_and_one_that_nobody_spoke_for_is_missing() {
    let (_dir, db) = crate::fresh();
    let at = |quarters: i64| quarters * QUARTER + 1_000;
    assert_eq!(counts(&db, at(1)), Counts::default(), "its two minutes are not over");
    assert_eq!(counts(&db, at(1) + GRACE_MS), Counts { expected: 1, ..Counts::default() });
    arrive(&db, 1, at(2), vec![closed(0, 1, at(1)), closed(1, 2, at(2))]);
    let two = Counts { expected: 2, arrived: 2, isolated: 1, late: 0 };
    assert_eq!(counts(&db, at(2)), two);
    assert_eq!(counts(&db, at(2) + 2 * QUARTER), Counts { expected: 3, ..two });
    // The box was off, and speaks for all that time at once.
    arrive(&db, 3, at(6), vec![closed(2, 6, at(6))]);
    assert_eq!(counts(&db, at(6)), Counts { expected: 6, arrived: 6, isolated: 1, late: 3 });
    // Said again after a restored disk: nothing is new.
    arrive(&db, 4, at(7), vec![closed(0, 6, at(7)), closed(6, 7, at(7))]);
    assert_eq!(counts(&db, at(7)), Counts { expected: 7, arrived: 7, isolated: 1, late: 3 });
}

#[test]
fn what_a_box_cannot_mean_is_put_aside_and_what_it_may_not_claim_is_not_believed() {
    let (_dir, db) = crate::fresh();
    let aside = |closed: Closed| {
        let row = ingest::decode(ingest::KIND_LEAVING, &crate::body(&Leaving::Closed(closed)));
        matches!(row, Row::Aside { .. })
    };
    let queues = vec![name("sales")];
    let good = Closed { from: Millis(0), until: Millis(QUARTER), length_s: LENGTH_S, at: Millis(QUARTER), queues };
    assert!(!aside(good.clone()));
    assert!(aside(Closed { from: Millis(QUARTER), ..good.clone() }));
    assert!(aside(Closed { until: Millis(QUARTER + 1), ..good.clone() }));
    assert!(aside(Closed { from: Millis(-QUARTER), ..good.clone() }));
    assert!(aside(Closed { length_s: 0, ..good.clone() }));
    assert!(aside(Closed { queues: vec![name("sales"); 1_001], ..good }));
    // A clock of 1970, and one of the next century: the time before the box was there and after tomorrow counts nothing.
    arrive(&db, 1, QUARTER, vec![closed(-START / QUARTER, 100 * 365 * 96, 0)]);
    let cover = read(&db, |conn| coverage::of_site(conn, &site(), Millis(START + QUARTER))).unwrap();
    let all = cover.count(Millis(0), Millis(i64::MAX), None);
    assert_eq!(all.arrived, 1 + 96, "{all:?}");
}

#[test]
fn a_box_that_was_replaced_and_comes_back_adds_its_part_of_an_interval_once() {
    let (_dir, db) = crate::fresh();
    let other = BoxId(8);
    write(&db, move |conn| db::boxes::add(conn, other, &site(), Millis(START)));
    let send = |box_id, first, rows: Vec<Row>| {
        let batch = Batch { box_id, site: site(), epoch: crate::EPOCH, first, rows };
        db.write_blocking(move |conn| ingest::take(conn, &batch, Millis(START + QUARTER + 1_000))).unwrap();
    };
    send(crate::BOX, 1, vec![cell(0, 0, 10), cell(0, 1, 11)]);
    for _ in 0..2 {
        send(other, 1, vec![cell(0, 0, 7)]);
    }
    assert_eq!(cloud_total(&db, &site()).offered, 18);
    send(other, 2, vec![cell(0, 1, 8)]);
    send(crate::BOX, 3, vec![cell(0, 1, 99)]);
    assert_eq!(cloud_total(&db, &site()).offered, 19);
    kept_is_what_it_is_kept_of(&db, &site());
}

#[test]
fn late_figures_and_revisions_are_told_as_what_they_change() {
    let (_dir, db) = crate::fresh();
    let at = |quarters: i64| quarters * QUARTER + 1_000;
    arrive(&db, 1, at(1), vec![cell(0, 0, 10), closed(0, 1, at(1))]);
    let told = |since: i64| read(&db, |conn| correction::since(conn, Millis(START + since), |_| true)).0;
    assert_eq!(told(0), [], "what comes in time corrects nothing");
    // A line that was cut for three quarters; in the first of them a contact was written up that had been told.
    arrive(&db, 3, at(4), vec![cell(0, 1, 12), cell(1, 0, 7), closed(1, 2, at(2)), closed(2, 3, at(3))]);
    arrive(&db, 7, at(4) + 60_000, vec![cell(3, 0, 4), closed(3, 4, at(4))]);
    let told = told(1);
    let [late, revised] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((late.kind, late.intervals, late.cells), (Kind::Late, 2, 1));
    assert_eq!((late.since.0, late.until.0), (START + QUARTER, START + 3 * QUARTER));
    assert_eq!((late.difference.offered, late.difference.answered), (7, 7));
    assert_eq!((revised.kind, revised.intervals, revised.cells), (Kind::Revised, 0, 1));
    assert_eq!((revised.difference.offered, revised.since.0), (2, START));
    let later = read(&db, |conn| correction::since(conn, Millis(START + at(4) + 1), |_| true));
    assert_eq!(later, (Vec::new(), false), "only what came since");
    let foreign = read(&db, |conn| correction::since(conn, Millis(START), |_| false));
    assert_eq!(foreign, (Vec::new(), false));
}

#[test]
fn only_so_many_corrections_are_kept_of_a_site() {
    let (_dir, db) = crate::fresh();
    let kept = correction::KEPT_MAX;
    let rows = |n: i64| (n * 4, vec![cell(0, n as u32, n as u32), closed(n, n + 1, 0)]);
    for n in 0..kept + 30 {
        let (at, rows) = rows(n);
        arrive(&db, 1 + 2 * n as u64, (at + 1) * QUARTER, rows);
    }
    let count: i64 = read(&db, |conn| conn.only("SELECT count(*) FROM correction", &[]));
    assert!((kept - 1..=kept).contains(&count), "{count}");
}

fn trend(db: &Db, now: i64, question: &trend::Question) -> trend::Answer {
    question.check().unwrap();
    read(db, |conn| trend::ask(conn, question, Millis(START + now), |_| true))
}

fn question(length_s: u32, until: i64) -> trend::Question {
    let (from, to) = (Millis(START), Millis(START + until));
    trend::Question { from, to, length_s, offset_s: 0, queues: Vec::new(), apart: trend::Apart::Queues }
}

#[test]
fn a_trend_tells_few_callers_from_none_yet_and_never_shows_what_is_missing_as_zero() {
    let (_dir, db) = crate::fresh();
    let at = |quarters: i64| quarters * QUARTER + 1_000;
    arrive(&db, 1, at(2), vec![cell(0, 0, 10), closed(0, 1, at(1)), closed(1, 2, at(2))]);
    let quarters = trend(&db, at(4), &question(900, 4 * QUARTER)).total;
    let seen: Vec<_> =
        quarters.iter().map(|bin| (bin.figures.offered, bin.counts.expected, bin.counts.arrived, bin.small)).collect();
    assert_eq!(seen, [(10, 1, 1, 0), (0, 1, 1, 1), (0, 1, 0, 0), (0, 0, 0, 0)]);
    assert_eq!(quarters[0].counts.isolated, 1);
    let hour = trend(&db, at(4), &question(3_600, 4 * QUARTER));
    assert_eq!((hour.total.len(), hour.total[0].figures.offered), (1, 10));
    assert_eq!((hour.total[0].counts.expected, hour.total[0].counts.arrived), (3, 2));
    assert_eq!(hour.sites[0].known_until, Some(Millis(START + 2 * QUARTER)));
    assert_eq!(hour.sites[0].lateness_ms_max, (at(2) - QUARTER).cast_unsigned());
    let queues = vec![name("sales"), name("nobody")];
    let by_queue = trend(&db, at(4), &trend::Question { queues, ..question(900, 4 * QUARTER) });
    let small = |n: usize| by_queue.queues[n].1.iter().map(|bin| bin.small).collect::<Vec<_>>();
    assert_eq!((small(0), small(1)), (vec![0, 1, 0, 0], vec![0; 4]));
    assert_eq!((by_queue.total[0].figures.offered, by_queue.branches.len()), (10, 0));
    let apart = trend::Question { apart: trend::Apart::Sites, ..question(900, 4 * QUARTER) };
    let by_site = trend(&db, at(4), &apart);
    assert_eq!((by_site.queues.len(), by_site.branches.as_slice()), (0, [(site(), by_site.total.clone())].as_slice()));
}

#[test]
fn days_begin_where_the_reader_lives() {
    let (_dir, db) = crate::fresh();
    // 2026-01-01 00:00 in UTC is 08:00 in Shanghai.
    let rows = (0..2 * 96).map(|n| cell(n, 0, 5)).collect();
    arrive(&db, 1, 2 * 96 * QUARTER, rows);
    let utc = trend(&db, 0, &question(86_400, 2 * 96 * QUARTER)).total;
    let there = trend(&db, 0, &trend::Question { offset_s: 8 * 3_600, ..question(86_400, 2 * 96 * QUARTER) }).total;
    let offered = |bins: &[trend::Bin]| bins.iter().map(|bin| bin.figures.offered).collect::<Vec<_>>();
    assert_eq!(offered(&utc), [480, 480]);
    assert_eq!(offered(&there), [320, 480, 160]);
    assert_eq!(there[0].start, Millis(START - 8 * 3_600_000));
}

#[test]
fn a_question_that_would_cost_too_much_is_refused() {
    use trend::Problem;
    let good = question(900, 288 * QUARTER);
    assert_eq!(good.check(), Ok(()));
    let bad = |question: trend::Question| question.check().unwrap_err();
    assert_eq!(bad(question(900, 288 * QUARTER + 1)), Problem::Bins(288));
    assert_eq!(bad(question(3_600, 745 * 3_600_000)), Problem::Bins(744));
    assert_eq!(bad(question(86_400, 401 * 86_400_000)), Problem::Bins(400));
    assert_eq!(bad(question(60, QUARTER)), Problem::Length);
    assert_eq!(bad(trend::Question { to: Millis(i64::MAX), ..good.clone() }), Problem::Window);
    assert_eq!(bad(trend::Question { from: Millis(-1), ..good.clone() }), Problem::Window);
    assert_eq!(bad(trend::Question { offset_s: 1_800, ..good.clone() }), Problem::Offset);
    assert_eq!(bad(trend::Question { queues: vec![name("q"); 9], ..good }), Problem::Queues);
}
