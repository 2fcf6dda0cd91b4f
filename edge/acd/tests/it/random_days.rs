//! Random streams through the engine and the naive model: the same assignments, nobody offered twice, nobody lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use acd::{Acd, Input, Output, Stay, Wants, decision::replay};
use model::{
    AgentId, ContactId, QueueId,
    config::Config,
    fact::{AgentState, OfferOutcome},
    routing::Decision,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::{
    naive::Naive,
    world::{Scene, agent, config, contact, queue, tell},
};

const SEEDS: u64 = 24;
const EVENTS: usize = 2_500;
const QUEUES: [&str; 4] = ["sales", "repairs", "billing", "vip"];
const AGENTS: [&str; 7] = ["ann", "bob", "cid", "dan", "eve", "fay", "gus"];

#[test]
fn random_days_are_the_same_as_in_the_naive_model() {
    for seed in 0..SEEDS {
        Day::new(seed).run();
    }
}

struct Day {
    seed: u64,
    rng: ChaCha12Rng,
    acd: Acd,
    naive: Naive,
    now: std::time::Instant,
    contacts: u128,
    /// What the outputs say: who is offered what. Kept apart from both models.
    offered: BTreeMap<AgentId, ContactId>,
    /// The last decision, until its offer.
    decided: Option<(ContactId, Decision)>,
    /// Every contact that came in and did not leave.
    inside: BTreeSet<ContactId>,
}

fn random_config(rng: &mut ChaCha12Rng) -> Config {
    let mut queues = String::new();
    for name in QUEUES {
        // Seldom a queue is missing.
        if rng.random_range(0..12) == 0 {
            continue;
        }
        let pick = |rng: &mut ChaCha12Rng, of: &[u32]| of[rng.random_range(0..of.len())];
        let (ring, wrap) = (pick(rng, &[1, 5, 20]), pick(rng, &[0, 3, 15]));
        queues += &format!("{name} ring={ring} wrap={wrap} position={}", pick(rng, &[0, 45, 200]));
        if rng.random_range(0..2) == 0 {
            queues += &format!(" overflow={}", pick(rng, &[0, 10, 40]));
        }
        if rng.random_range(0..2) == 0 {
            queues += &format!(" skill=english:{}", rng.random_range(1..6));
        }
        queues += &random_routing(rng);
        queues += "\n";
    }
    let mut agents = String::new();
    for name in AGENTS {
        let member: Vec<&str> = QUEUES.into_iter().filter(|_| rng.random_range(0..2) == 0).collect();
        let member = if member.is_empty() { "-".to_owned() } else { member.join(",") };
        agents += &format!("{name} {member} english:{}", rng.random_range(1..8));
        if rng.random_range(0..2) == 0 {
            agents += &format!(" french:{}", rng.random_range(1..8));
        }
        agents += "\n";
    }
    config(&queues, &agents)
}

fn random_routing(rng: &mut ChaCha12Rng) -> String {
    let pick = |rng: &mut ChaCha12Rng, of: &[&'static str]| of[rng.random_range(0..of.len())];
    let strategy = pick(rng, &["longest-idle", "least-occupied", "most-skilled", "round-robin"]);
    let mut words = format!(" strategy={strategy} ageing={}", pick(rng, &["10", "40", "300"]));
    words += pick(rng, &["", "", " reserve=1:1", " reserve=2:3"]);
    words += pick(rng, &["", " last-agent=12"]);
    words += pick(rng, &["", "", " tier=8s,less:2", " tier=20s,also:vip", " tier=3waiting,less:1,also:repairs"]);
    words += pick(rng, &["", " tier=30s,less:6", " tier=5waiting,also:billing"]);
    words
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let config = random_config(&mut rng);
        let scene = Scene::new(&config);
        Self {
            seed,
            rng,
            naive: Naive::new(&config),
            acd: scene.acd,
            now: scene.zero,
            contacts: 0,
            offered: BTreeMap::new(),
            decided: None,
            inside: BTreeSet::new(),
        }
    }

    fn run(&mut self) {
        for event in 0..EVENTS {
            if self.rng.random_range(0..3) == 0 {
                self.pass_time(event);
            }
            let input = self.random_input();
            match &input {
                Input::Enter { contact, .. } => drop(self.inside.insert(*contact)),
                Input::Leave { contact } => drop(self.inside.remove(contact)),
                _ => {}
            }
            self.acd.handle_input(self.now, input.clone());
            self.naive.input(self.now, input.clone());
            self.compare(event, &format!("{input:?}"));
        }
    }

    fn pass_time(&mut self, event: usize) {
        let until = self.now + Duration::from_millis(self.rng.random_range(0..9_000));
        while let Some(due) = self.acd.poll_timeout().filter(|due| *due <= until) {
            assert_eq!(self.naive.next_at(), Some(due), "seed {} event {event}", self.seed);
            self.now = due;
            self.acd.handle_timeout(due);
            self.naive.timeout(due);
            self.compare(event, "timeout");
        }
        self.now = until;
    }

    fn random_input(&mut self) -> Input {
        let who = agent(AGENTS[self.rng.random_range(0..AGENTS.len())]);
        // One of the last who came: so the line stays short enough for the naive model.
        let whom = contact(self.rng.random_range(self.contacts.saturating_sub(12)..=self.contacts));
        match self.rng.random_range(0..100) {
            0..22 => self.enter(),
            22..33 => Input::Leave { contact: whom },
            33..34 => Input::GoneHome { contact: whom },
            34..42 => Input::SignIn { agent: who },
            42..45 => Input::SignOut { agent: who },
            45..58 => Input::Ready { agent: who },
            58..62 => Input::NotReady { agent: who },
            62..76 => Input::Accept { agent: who },
            76..80 => Input::OfferEnded { agent: who, outcome: OfferOutcome::Declined },
            80..81 => Input::OfferEnded { agent: who, outcome: OfferOutcome::Failed },
            81..89 => Input::ContactDone { agent: who },
            89..91 => Input::OtherCallBegan { agent: who },
            91..94 => Input::OtherCallEnded { agent: who },
            94..95 => Input::WrapUpMore { agent: who },
            95..96 => Input::WrapUpDone { agent: who },
            96..97 => {
                let rest = [AgentState::Ready, AgentState::NotReady][self.rng.random_range(0..2)];
                let talks = self.rng.random_range(0..2) == 0;
                // Somebody who came in an earlier life, and is in no line here.
                let talk = (contact(1_000_000 + self.contacts), queue(QUEUES[self.rng.random_range(0..QUEUES.len())]));
                Input::Resume { agent: who, contact: talks.then_some(talk), rest }
            }
            97..99 => Input::OverflowFailed { contact: whom },
            _ => Input::Configure(Box::new(random_config(&mut self.rng))),
        }
    }

    fn enter(&mut self) -> Input {
        self.contacts += 1;
        let queue: QueueId = queue(QUEUES[self.rng.random_range(0..QUEUES.len())]);
        let since = self.now - Duration::from_secs(self.rng.random_range(0..3) * 10);
        let stay = if self.rng.random_range(0..8) == 0 { Stay::Guest } else { Stay::Own };
        Input::Enter { contact: contact(self.contacts), queue, since, stay, wants: self.wants() }
    }

    fn wants(&mut self) -> Wants {
        let mut wants = Wants::default();
        if self.rng.random_range(0..3) == 0 {
            wants.value = self.rng.random_range(0..5);
        }
        if self.rng.random_range(0..4) == 0 {
            let skill = ["english", "french"][self.rng.random_range(0..2)];
            wants.skills.insert(skill.parse().expect("a slug"), self.rng.random_range(1..6));
        }
        if self.rng.random_range(0..4) == 0 {
            wants.last_agent = Some(agent(AGENTS[self.rng.random_range(0..AGENTS.len())]));
        }
        wants
    }

    fn compare(&mut self, event: usize, after: &str) {
        let mut real = Vec::new();
        while let Some(output) = self.acd.poll_output() {
            self.observe(&output);
            if !matches!(output, Output::Decided { .. }) {
                real.push(tell(&output));
            }
        }
        let mut naive: Vec<String> = self.naive.out.drain(..).map(|output| tell(&output)).collect();
        let in_order = real.clone();
        real.sort();
        naive.sort();
        assert_eq!(real, naive, "seed {} event {event} after {after}; in order: {in_order:#?}", self.seed);
        let lost = self.inside.iter().find(|id| !self.acd.holds(**id));
        assert_eq!(lost, None, "seed {} event {event}: lost", self.seed);
        let lines: usize =
            QUEUES.iter().filter_map(|q| self.acd.count(&queue(q))).map(|count| count.waiting + count.absent).sum();
        assert_eq!(lines, self.inside.len(), "seed {} event {event}: nobody is twice in a line", self.seed);
    }

    /// An agent has one offer at most, every offer ends once, and every decision can be made again.
    fn observe(&mut self, output: &Output) {
        match output {
            Output::Decided { contact, decision } => self.decided = Some((*contact, Decision::clone(decision))),
            Output::Offer { contact, agent, .. } => {
                let (whom, decision) = self.decided.take().expect("an offer is decided before");
                let again = replay(&self.naive.config, &decision);
                assert_eq!((whom, again), (*contact, Ok(agent.clone())), "seed {}: {decision:?}", self.seed);
                assert_eq!(self.offered.insert(agent.clone(), *contact), None, "seed {}: second offer", self.seed);
                let twice = self.offered.values().filter(|c| *c == contact).count();
                assert_eq!(twice, 1, "seed {}: one contact, two agents", self.seed);
            }
            Output::OfferEnded { contact, agent, outcome } => {
                assert_eq!(self.offered.remove(agent), Some(*contact), "seed {}: no such offer", self.seed);
                if *outcome == OfferOutcome::Accepted {
                    self.inside.remove(contact);
                }
            }
            Output::Returned { contact, .. } => drop(self.inside.remove(contact)),
            _ => {}
        }
    }
}
