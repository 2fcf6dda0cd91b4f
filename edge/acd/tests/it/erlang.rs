//! The distributor in the textbook's limit: Poisson arrivals, exponential work and patience, agents who are all alike. What
//! it makes of that are the figures of Erlang C and Erlang A (NORMS 4), within the confidence of the sample.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::{Duration, Instant},
};

use acd::{Acd, Input, Output, Stay, Wants};
use model::{AgentId, ContactId};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::world::{agent, config, contact, queue};

/// Means of so many stretches are taken for independent; beyond this many standard errors nobody believes in chance
/// (Student's t with 19 degrees of freedom, 99.9 %).
const STRETCHES: usize = 20;
const STRETCH: usize = 10_000;
const T: f64 = 3.88;

struct Case {
    /// Calls an hour, seconds of work each, agents, and mean patience in seconds.
    calls: f64,
    work_s: f64,
    agents: usize,
    patience_s: Option<f64>,
}

/// One figure of every stretch.
#[derive(Default)]
struct Figure(Vec<f64>);

impl Figure {
    /// `expected` as the norm prints it, to `half` of its last digit.
    fn agrees(&self, name: &str, expected: f64, half: f64) {
        let n = self.0.len() as f64;
        let mean = self.0.iter().sum::<f64>() / n;
        let spread = self.0.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let error = T * (spread / n).sqrt();
        println!("{name}: {mean:.4} ± {error:.4}, the formula says {expected}");
        assert!((mean - expected).abs() <= error + half, "{name}: {mean:.4} ± {error:.4}, not {expected}");
        // An interval that holds everything proves nothing.
        assert!(error < 0.35 * expected, "{name} is only known to ± {error:.4}");
    }
}

#[derive(Default)]
struct Figures {
    /// Shares of 1: who waited at all, was answered within 20 s, gave up; and how busy agents were.
    waited: Figure,
    level: Figure,
    gave_up: Figure,
    busy: Figure,
    /// Of everybody, and of who was answered, in seconds.
    wait: Figure,
    answer: Figure,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives,
    Done(AgentId),
    GivesUp(ContactId),
}

/// What has become of the contacts of a stretch.
#[derive(Default)]
struct Sums {
    offered: f64,
    waited: f64,
    in_time: f64,
    gave_up: f64,
    answered: f64,
    wait_s: f64,
    answer_s: f64,
    work_s: f64,
    began: f64,
}

struct Floor {
    acd: Acd,
    began: Instant,
    /// Seconds since.
    now: f64,
    waiting: BTreeMap<ContactId, f64>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    number: u64,
    rng: ChaCha12Rng,
    work_s: f64,
    sums: Sums,
}

impl Floor {
    fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.rng.random::<f64>()).ln() * mean
    }

    /// Events of one moment come in the order in which they were planned.
    fn plan(&mut self, after_s: f64, event: Event) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let at = ((self.now + after_s) * 1e9) as u64;
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    fn tell(&mut self, input: Input) {
        let at = self.began + Duration::from_secs_f64(self.now);
        self.acd.handle_input(at, input);
        while let Some(output) = self.acd.poll_output() {
            let Output::Offer { contact, agent, .. } = output else { continue };
            self.acd.handle_input(at, Input::Accept { agent: agent.clone() });
            let wait = self.now - self.waiting.remove(&contact).expect("a contact that waits");
            let work = self.exponential(self.work_s);
            self.sums.answered += 1.0;
            self.sums.waited += f64::from(u8::from(wait > 1e-6));
            self.sums.in_time += f64::from(u8::from(wait <= 20.0));
            self.sums.wait_s += wait;
            self.sums.answer_s += wait;
            self.sums.work_s += work;
            self.plan(work, Event::Done(agent));
        }
    }

    fn gives_up(&mut self, contact: ContactId) {
        let Some(since) = self.waiting.remove(&contact) else { return };
        self.sums.gave_up += 1.0;
        self.sums.waited += 1.0;
        self.sums.wait_s += self.now - since;
        self.tell(Input::Leave { contact });
    }
}

fn play(case: &Case) -> Figures {
    let names: Vec<String> = (0..case.agents).map(|n| format!("agent-{n}")).collect();
    let staff: String = names.iter().map(|name| format!("{name} sales\n")).collect();
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    let began = Instant::now();
    let mut floor = Floor {
        acd: Acd::new(began, &config("sales wrap=0", &staff)),
        began,
        now: 0.0,
        waiting: BTreeMap::new(),
        events: BinaryHeap::new(),
        number: 0,
        rng: ChaCha12Rng::seed_from_u64(1917),
        work_s: case.work_s,
        sums: Sums::default(),
    };
    for name in &names {
        floor.tell(Input::SignIn { agent: agent(name) });
        floor.tell(Input::Ready { agent: agent(name) });
    }
    let mut figures = Figures::default();
    let (mut last, mut stretches) = (0_u128, 0);
    floor.plan(0.0, Event::Arrives);
    while stretches <= STRETCHES {
        let Some(Reverse((at, _, event))) = floor.events.pop() else { break };
        floor.now = at as f64 / 1e9;
        match event {
            Event::Arrives => {
                last += 1;
                let id = contact(last);
                floor.waiting.insert(id, floor.now);
                floor.sums.offered += 1.0;
                let since = floor.began + Duration::from_secs_f64(floor.now);
                let stay = Stay::Own;
                floor.tell(Input::Enter { contact: id, queue: queue("sales"), since, stay, wants: Wants::default() });
                if let Some(patience) = case.patience_s.filter(|_| floor.waiting.contains_key(&id)) {
                    let patience = floor.exponential(patience);
                    floor.plan(patience, Event::GivesUp(id));
                }
                let next = floor.exponential(3_600.0 / case.calls);
                floor.plan(next, Event::Arrives);
            }
            Event::Done(agent) => floor.tell(Input::ContactDone { agent }),
            Event::GivesUp(contact) => floor.gives_up(contact),
        }
        if floor.sums.offered >= STRETCH as f64 {
            let sums = std::mem::take(&mut floor.sums);
            floor.sums.began = floor.now;
            // The first one begins with an empty house.
            if stretches > 0 {
                let ended = sums.answered + sums.gave_up;
                figures.waited.0.push(sums.waited / ended);
                figures.level.0.push(sums.in_time / ended);
                figures.gave_up.0.push(sums.gave_up / ended);
                figures.wait.0.push(sums.wait_s / ended);
                figures.answer.0.push(sums.answer_s / sums.answered);
                figures.busy.0.push(sums.work_s / (case.agents as f64 * (floor.now - sums.began)));
            }
            stretches += 1;
        }
    }
    figures
}

#[test]
fn with_endless_patience_the_floor_is_erlangs_formula_c() {
    for (calls, work_s, agents, waited, level, answer, busy) in [
        (200.0, 180.0, 14, 0.1741, 0.8884, 7.84, 0.714),
        (200.0, 180.0, 13, 0.2853, 0.7956, 17.12, 0.769),
        (360.0, 240.0, 28, 0.3331, 0.7613, 19.99, 0.857),
        (100.0, 240.0, 9, 0.3133, 0.7421, 0.3133 * 240.0 / (9.0 - 20.0 / 3.0), 20.0 / 27.0),
    ] {
        let figures = play(&Case { calls, work_s, agents, patience_s: None });
        println!("{agents} agents");
        figures.waited.agrees("waited", waited, 5e-5);
        figures.level.agrees("within 20 s", level, 5e-5);
        figures.answer.agrees("average speed of answer", answer, 5e-3);
        figures.busy.agrees("occupancy", busy, 5e-4);
        assert!(figures.gave_up.0.iter().all(|share| *share == 0.0));
    }
}

#[test]
fn with_patience_that_ends_the_floor_is_erlangs_formula_a() {
    for (agents, waited, gave_up, wait, busy) in [(13, 0.1937, 0.0384, 4.61, 0.740), (10, 0.4969, 0.1375, 16.50, 0.863)]
    {
        let figures = play(&Case { calls: 200.0, work_s: 180.0, agents, patience_s: Some(120.0) });
        println!("{agents} agents");
        figures.waited.agrees("waited", waited, 5e-5);
        figures.gave_up.agrees("gave up", gave_up, 5e-5);
        figures.wait.agrees("mean wait of all", wait, 5e-3);
        figures.busy.agrees("occupancy", busy, 5e-4);
    }
}
