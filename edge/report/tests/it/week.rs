//! Facts of a random week of a small branch, contact by contact. Everything happens on whole seconds.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AgentId, ContactId, Millis,
    config::{Config, Locality, Overflow, Queue, Site},
    fact::{AgentState, Disposition, EndCause, Fact, Kind, Pause, Transfer},
    flow::{Flow, Step},
};
use proptest::prelude::*;

pub const SECOND: i64 = 1_000;
pub const HOUR: i64 = 3_600 * SECOND;
/// Monday, 2026-11-23, midnight UTC.
pub const MONDAY: i64 = 1_795_392_000_000;
pub const AGENTS: [&str; 3] = ["ann", "bob", "eve"];

pub fn id<T: std::str::FromStr<Err = model::id::Error>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// T is 20 s at sales and 60 s at repairs.
pub fn config() -> Config {
    let queue = |within_s, skills: &[&str]| Queue {
        label: "Queue".into(),
        skills: skills.iter().map(|skill| (id(skill), 5)).collect(),
        music: id("jazz"),
        position_every_s: 0,
        ring_s: 20,
        wrap_up_s: 10,
        service_level_s: within_s,
        hours: None,
        recorded: false,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::LocalOnly, after_s: 0, to: Vec::new() },
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    };
    let how = Step::Survey { prompt: id("how"), best: 5, wait_s: 5, next: id("end") };
    let steps = BTreeMap::from([(id("how"), how), (id("end"), Step::Hangup)]);
    let main = Flow {
        label: "Main".into(),
        language: None,
        variables: BTreeMap::new(),
        shown: BTreeMap::new(),
        start: id("how"),
        steps,
    };
    Config {
        site: Site {
            id: id("north"),
            label: "North".into(),
            time_zone: "UTC".into(),
            emergency: BTreeSet::new(),
            outward: None,
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        },
        queues: BTreeMap::from([(id("sales"), queue(20, &[])), (id("repairs"), queue(60, &["technics", "german"]))]),
        agents: BTreeMap::new(),
        phones: BTreeMap::new(),
        trunks: BTreeMap::new(),
        numbers: BTreeMap::new(),
        flows: BTreeMap::from([(id("main"), main)]),
        hours: BTreeMap::new(),
        places: BTreeMap::new(),
    }
}

/// What happens to one contact, in seconds one after the other.
#[derive(Debug, Clone)]
pub struct Plan {
    pub at_s: i64,
    pub inbound: bool,
    pub queue: Option<usize>,
    pub wait_s: i64,
    pub ends: Ends,
    pub agents: (usize, usize),
    pub talk_s: (i64, i64),
    pub hold_s: i64,
    pub wrap_up_s: i64,
    pub mark: Option<u8>,
    pub disposition: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    GivesUp,
    Served,
    ServedAndTransferred,
    CalledBack,
    NotReached,
    Message,
    /// It is still there.
    Not,
}

pub fn plan() -> impl Strategy<Value = Plan> {
    let ends = prop_oneof![
        Just(Ends::GivesUp),
        Just(Ends::Served),
        Just(Ends::Served),
        Just(Ends::ServedAndTransferred),
        Just(Ends::CalledBack),
        Just(Ends::NotReached),
        Just(Ends::Message),
        Just(Ends::Not),
    ];
    let first = (0..5 * 24 * 3_600_i64, any::<bool>(), prop::option::weighted(0.8, 0..2_usize), 0..90_i64, ends);
    let then = ((0..3_usize, 0..3_usize), (0..400_i64, 0..400_i64), 0..60_i64, 0..60_i64);
    let last = (prop::option::weighted(0.3, 1..6_u8), 0..3_u8);
    (first, then, last).prop_map(|((at_s, inbound, queue, wait_s, ends), then, (mark, disposition))| {
        let (agents, talk_s, hold_s, wrap_up_s) = then;
        Plan { at_s, inbound, queue, wait_s, ends, agents, talk_s, hold_s, wrap_up_s, mark, disposition }
    })
}

pub struct Writer {
    contact: ContactId,
    at: i64,
    facts: Vec<Fact>,
}

impl Writer {
    fn tell(&mut self, kind: Kind) {
        self.facts.push(Fact { seq: 0, at: Millis(self.at), contact: Some(self.contact), kind });
    }

    fn pass(&mut self, seconds: i64) {
        self.at += seconds * SECOND;
    }
}

pub fn facts(number: usize, plan: &Plan) -> Vec<Fact> {
    let contact = ContactId(u128::try_from(number).expect("small") + 1);
    let mut w = Writer { contact, at: MONDAY + plan.at_s * SECOND, facts: Vec::new() };
    if plan.inbound {
        w.tell(Kind::Arrived { trunk: Some(id("carrier")), number: Some(id("5550100")) });
        w.tell(Kind::FlowEntered { flow: id("main"), step: id("hello") });
        w.pass(3);
    } else {
        w.tell(Kind::Dialled {
            phone: Some(id("201")),
            agent: Some(agent(plan.agents.0)),
            trunk: None,
            emergency: false,
        });
    }
    if let Some(queue) = plan.queue {
        w.tell(Kind::Queued { queue: id(["sales", "repairs"][queue]) });
    }
    w.pass(plan.wait_s);
    let (first, second) = (agent(plan.agents.0), agent(plan.agents.1));
    match plan.ends {
        Ends::Not => return w.facts,
        Ends::GivesUp => {}
        Ends::Message => {
            w.tell(Kind::MessageBegan { queue: id("sales") });
            w.pass(9);
            w.tell(Kind::MessageLeft { queue: id("sales"), recording: model::RecordingId(7), ms: Some(9_000) });
        }
        Ends::CalledBack | Ends::NotReached => {
            let since = Millis(w.at);
            w.tell(Kind::CallbackPromised { queue: id("sales"), since, asks: Default::default() });
            w.pass(600);
            w.tell(Kind::CallbackTried { phone: id("201"), agent: Some(first.clone()), trunk: None });
            w.pass(11);
            if plan.ends == Ends::CalledBack {
                talk(&mut w, plan, first, None);
            } else {
                w.tell(Kind::CallbackMissed { cause: EndCause::NotReachable, counts: true });
            }
        }
        Ends::Served => talk(&mut w, plan, first, None),
        Ends::ServedAndTransferred => talk(&mut w, plan, first, Some(second)),
    }
    if !w.facts.iter().any(|fact| matches!(fact.kind, Kind::Ended { .. })) {
        w.tell(Kind::Ended { cause: EndCause::Caller });
    }
    w.facts
}

fn talk(w: &mut Writer, plan: &Plan, first: AgentId, second: Option<AgentId>) {
    w.tell(Kind::Answered { agent: Some(first.clone()) });
    w.pass(plan.talk_s.0);
    if plan.hold_s > 0 {
        w.tell(Kind::Held);
        w.pass(plan.hold_s);
        w.tell(Kind::Resumed);
    }
    let last = second.clone().unwrap_or(first.clone());
    if let Some(second) = second {
        w.tell(Kind::Transferred { how: Transfer::Attended });
        w.tell(Kind::Answered { agent: Some(second) });
        w.tell(Kind::WrapUpStarted { agent: first.clone() });
        w.pass(plan.wrap_up_s);
        w.tell(Kind::WrapUpEnded { agent: first });
    }
    w.pass(plan.talk_s.1);
    if let Some(mark) = plan.mark {
        w.tell(Kind::FlowEntered { flow: id("main"), step: id("how") });
        w.pass(2);
        if mark < 5 {
            w.tell(Kind::Marked { flow: id("main"), step: id("how"), mark, best: 5 });
        }
    }
    w.tell(Kind::Ended { cause: EndCause::Caller });
    w.tell(Kind::WrapUpStarted { agent: last.clone() });
    w.pass(plan.wrap_up_s);
    match plan.disposition {
        0 => {}
        1 => w.tell(Kind::Disposed { agent: last.clone(), disposition: Disposition::Code(id("sold")) }),
        _ => w.tell(Kind::Disposed { agent: last.clone(), disposition: Disposition::NoneChosen }),
    }
    w.tell(Kind::WrapUpEnded { agent: last });
}

pub fn agent(n: usize) -> AgentId {
    id(AGENTS[n % AGENTS.len()])
}

/// Agents change their states: `(after so many seconds, who, into what)`.
pub fn shifts() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec((1..4_000_i64, 0..3_usize, 0..8_u8), 0..120).prop_map(|steps| {
        let mut at = MONDAY - 20 * HOUR;
        let mut facts = Vec::new();
        for (after, who, into) in steps {
            at += after * SECOND;
            let (state, pause) = match into {
                0 => (AgentState::SignedOut, None),
                1 => (AgentState::NotReady, Some(Pause::Code(id("lunch")))),
                2 => (AgentState::NotReady, Some(Pause::Missed)),
                3 => (AgentState::NotReady, None),
                4 => (AgentState::Ready, None),
                5 => (AgentState::Offered, None),
                6 => (AgentState::Talking, None),
                _ => (AgentState::WrapUp, None),
            };
            let kind = Kind::AgentState { agent: agent(who), state, pause };
            facts.push(Fact { seq: 0, at: Millis(at), contact: None, kind });
        }
        facts
    })
}
