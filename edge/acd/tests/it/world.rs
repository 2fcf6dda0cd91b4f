//! A small branch to test with: configuration in a few words, inputs and outputs as text.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use acd::{Acd, Input, Output, Stay, Wants};
use model::{
    AgentId, ContactId, QueueId,
    config::{Agent, Config, Locality, Overflow, Queue, Site},
    routing::{Routing, Strategy, Tier},
};

pub fn agent(text: &str) -> AgentId {
    AgentId::new(text).expect("a slug")
}

pub fn queue(text: &str) -> QueueId {
    QueueId::new(text).expect("a slug")
}

pub fn contact(number: u128) -> ContactId {
    ContactId(number)
}

/// `sales ring=20 wrap=10 position=0 overflow=30 skill=english:3`, one queue a line; `ann sales,repairs english:5`, one agent a line.
pub fn config(queues: &str, agents: &str) -> Config {
    Config {
        site: Site {
            id: "north".parse().expect("a slug"),
            label: "North".into(),
            time_zone: "Europe/Berlin".into(),
            emergency: Default::default(),
            outward: None,
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        },
        queues: lines(queues).map(read_queue).collect(),
        agents: lines(agents).map(read_agent).collect(),
        phones: Default::default(),
        trunks: Default::default(),
        numbers: Default::default(),
        flows: Default::default(),
        hours: Default::default(),
        places: BTreeMap::new(),
    }
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty())
}

fn read_queue(words: Vec<&str>) -> (QueueId, Queue) {
    let mut it = Queue {
        label: words[0].into(),
        skills: BTreeMap::new(),
        music: "music".parse().expect("a slug"),
        position_every_s: 0,
        ring_s: 20,
        wrap_up_s: 10,
        service_level_s: 20,
        hours: None,
        recorded: true,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::LocalOnly, after_s: 0, to: vec!["south".parse().expect("a slug")] },
        routing: Routing::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    };
    for (key, value) in words[1..].iter().filter_map(|word| word.split_once('=')) {
        let number = || value.parse().expect("a number");
        match key {
            "ring" => it.ring_s = number(),
            "wrap" => it.wrap_up_s = number(),
            "position" => it.position_every_s = number(),
            "overflow" => {
                it.overflow.locality = Locality::MayLeave;
                it.overflow.after_s = number();
            }
            "skill" => {
                let (name, level) = skill(value);
                it.skills.insert(name, level);
            }
            "ageing" => it.routing.ageing_s = number(),
            "last-agent" => it.routing.last_agent_s = number(),
            "strategy" => it.routing.strategy = strategy(value),
            "reserve" => {
                let (agents, least) = value.split_once(':').expect("agents:value");
                it.routing.reserve.agents = agents.parse().expect("a number");
                it.routing.reserve.value = least.parse().expect("a value");
            }
            "tier" => it.routing.tiers.push(tier(value)),
            other => panic!("unknown word {other}"),
        }
    }
    (queue(words[0]), it)
}

fn strategy(text: &str) -> Strategy {
    match text {
        "longest-idle" => Strategy::LongestIdle,
        "least-occupied" => Strategy::LeastOccupied,
        "most-skilled" => Strategy::MostSkilled,
        "round-robin" => Strategy::RoundRobin,
        other => panic!("unknown strategy {other}"),
    }
}

/// `20s,less:2,also:repairs` or `5waiting,less:1`.
fn tier(text: &str) -> Tier {
    let mut tier = Tier::default();
    for word in text.split(',') {
        if let Some(queue_id) = word.strip_prefix("also:") {
            tier.also.insert(queue(queue_id));
        } else if let Some(less) = word.strip_prefix("less:") {
            tier.levels_less = less.parse().expect("levels");
        } else if let Some(most) = word.strip_suffix("waiting") {
            tier.longer_than = most.parse().ok();
        } else {
            tier.after_s = word.trim_end_matches('s').parse().ok();
        }
    }
    tier
}

/// `value:3 english:4 last:ann`
fn wants(words: &[&str]) -> Wants {
    let mut wants = Wants::default();
    for word in words {
        match word.split_once(':').expect("name:value") {
            ("value", value) => wants.value = value.parse().expect("a value"),
            ("last", id) => wants.last_agent = Some(agent(id)),
            _ => wants.skills.extend([skill(word)]),
        }
    }
    wants
}

fn skill(text: &str) -> (model::SkillId, u8) {
    let (name, level) = text.split_once(':').expect("skill:level");
    (name.parse().expect("a slug"), level.parse().expect("a level"))
}

fn read_agent(words: Vec<&str>) -> (AgentId, Agent) {
    let queues = words[1].split(',').filter(|q| *q != "-").map(queue).collect();
    let skills = words[2..].iter().map(|word| skill(word)).collect();
    (agent(words[0]), Agent { badge: words[0].into(), phone: None, skills, queues })
}

/// Plays a scene: `@12 enter 1 sales` moves the clock to 12 s and gives the input; the answer is what came out.
pub struct Scene {
    pub acd: Acd,
    pub zero: Instant,
    pub ladder: String,
}

impl Scene {
    pub fn new(config: &Config) -> Self {
        // The one moment that everything else is counted from.
        #[allow(clippy::disallowed_methods)]
        let zero = Instant::now() + Duration::from_secs(1_000_000);
        Self { acd: Acd::new(zero, config), zero, ladder: String::new() }
    }

    pub fn play(&mut self, script: &str) -> &mut Self {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (at, what) = line.split_once(' ').unwrap_or((line, ""));
            let at = self.zero + Duration::from_secs(at.trim_start_matches('@').parse().expect("seconds"));
            self.ladder += &format!("{line}\n");
            self.run_until(at);
            if let Some(input) = self.read(at, what) {
                self.acd.handle_input(at, input);
            }
            self.drain(at);
        }
        self
    }

    pub fn configure(&mut self, at_s: u64, config: &Config) -> &mut Self {
        let at = self.zero + Duration::from_secs(at_s);
        self.run_until(at);
        self.ladder += &format!("@{at_s} configure\n");
        self.acd.handle_input(at, Input::Configure(Box::new(config.clone())));
        self.drain(at);
        self
    }

    fn run_until(&mut self, at: Instant) {
        while let Some(due) = self.acd.poll_timeout().filter(|due| *due <= at) {
            self.acd.handle_timeout(due);
            self.drain(due);
        }
    }

    fn read(&self, now: Instant, what: &str) -> Option<Input> {
        let words: Vec<&str> = what.split_whitespace().collect();
        let who = |n: usize| agent(words[n]);
        let whom = |n: usize| contact(words[n].parse().expect("a contact"));
        let (queue_id, stay) = (|| queue(words[2]), Stay::Own);
        Some(match *words.first()? {
            "enter" => {
                let wants = wants(&words[3..]);
                Input::Enter { contact: whom(1), queue: queue_id(), since: now, stay, wants }
            }
            "return" => {
                let since = self.zero + Duration::from_secs(words[3].parse().expect("seconds"));
                Input::Enter { contact: whom(1), queue: queue_id(), since, stay, wants: Wants::default() }
            }
            "guest" => {
                let (stay, wants) = (Stay::Guest, Wants::default());
                Input::Enter { contact: whom(1), queue: queue_id(), since: now, stay, wants }
            }
            "leave" => Input::Leave { contact: whom(1) },
            "sign-in" => Input::SignIn { agent: who(1) },
            "sign-out" => Input::SignOut { agent: who(1) },
            "ready" => Input::Ready { agent: who(1) },
            "not-ready" => Input::NotReady { agent: who(1) },
            "accept" => Input::Accept { agent: who(1) },
            "decline" => Input::OfferEnded { agent: who(1), outcome: model::fact::OfferOutcome::Declined },
            "fail" => Input::OfferEnded { agent: who(1), outcome: model::fact::OfferOutcome::Failed },
            "done" => Input::ContactDone { agent: who(1) },
            "call-began" => Input::OtherCallBegan { agent: who(1) },
            "call-ended" => Input::OtherCallEnded { agent: who(1) },
            "wrapped" => Input::WrapUpDone { agent: who(1) },
            "more" => Input::WrapUpMore { agent: who(1) },
            "overflow-failed" => Input::OverflowFailed { contact: whom(1) },
            other => panic!("unknown word {other}"),
        })
    }

    fn drain(&mut self, at: Instant) {
        while let Some(output) = self.acd.poll_output() {
            if matches!(output, Output::Decided { .. }) {
                continue;
            }
            self.ladder += &format!("    {:>3} {}\n", (at - self.zero).as_secs(), tell(&output));
        }
    }
}

pub fn tell(output: &Output) -> String {
    match output {
        Output::Decided { contact, decision } => format!("decided on {}: {decision:?}", contact.0),
        Output::Offer { contact, agent, queue } => format!("offer {} to {agent} ({queue})", contact.0),
        Output::OfferEnded { contact, agent, outcome } => {
            format!("offer {} to {agent} ended: {outcome:?}", contact.0)
        }
        Output::AgentState { agent, state } => format!("{agent} is {state:?}"),
        Output::WrapUpStarted { agent, contact } => format!("{agent} wraps up {}", contact.0),
        Output::WrapUpEnded { agent, contact } => format!("{agent} has wrapped up {}", contact.0),
        Output::Position { contact, position } => format!("{} is at {position:?}", contact.0),
        Output::OverflowDue { contact, sites, .. } => format!("{} may go to {sites:?}", contact.0),
        Output::Returned { contact, why } => format!("{} is given back: {why:?}", contact.0),
    }
}

/// Compares two ladders line by line, without their indentation.
#[track_caller]
pub fn same(ladder: &str, expected: &str) {
    let clean = |text: &str| {
        let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(line).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let (ladder, expected) = (clean(ladder), clean(expected));
    assert!(ladder == expected, "the ladder is\n{ladder}\n\nexpected\n{expected}");
}
