//! The branch of the ladders: two queues, two agents, three phones, one trunk.

use std::collections::{BTreeMap, BTreeSet};

use ivr::hours::CivilTime;
use model::{
    config::{Agent, Config, Hours, Locality, Overflow, Phone, Queue, SipTransport, Site, Span, Trunk, TrunkKind},
    flow::{Flow, Step},
};

pub fn id<T: std::str::FromStr<Err = model::id::Error>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// Monday, ten o'clock.
pub fn monday() -> CivilTime {
    CivilTime { date: "2026-11-23".into(), day: 0, minute: 600 }
}

pub fn config() -> Config {
    Config {
        site: Site {
            id: id("north"),
            label: "North".into(),
            time_zone: "Europe/Berlin".into(),
            emergency: BTreeSet::from([id("112")]),
            outward: Some(id("carrier")),
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        },
        queues: BTreeMap::from([(id("sales"), sales()), (id("repairs"), repairs())]),
        agents: BTreeMap::from([
            (id("ann"), agent("201", &["sales", "repairs"])),
            (id("bob"), agent("202", &["sales"])),
        ]),
        phones: ["201", "202", "203"]
            .map(|phone| (id(phone), Phone { label: phone.into(), ..Phone::default() }))
            .into(),
        trunks: BTreeMap::from([(id("carrier"), trunk())]),
        numbers: BTreeMap::from([
            (id("5550100"), id("main")),
            (id("5550200"), id("service")),
            (id("5550300"), id("gone")),
            (id("5550400"), id("care")),
        ]),
        flows: BTreeMap::from([(id("main"), main()), (id("service"), service()), (id("care"), care())]),
        hours: BTreeMap::from([(id("office"), office())]),
        places: BTreeMap::new(),
    }
}

fn sales() -> Queue {
    Queue {
        label: "Sales".into(),
        skills: BTreeMap::new(),
        music: id("jazz"),
        position_every_s: 30,
        ring_s: 20,
        wrap_up_s: 10,
        service_level_s: 20,
        hours: None,
        recorded: true,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::MayLeave, after_s: 40, to: vec![id("south"), id("east")] },
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    }
}

fn repairs() -> Queue {
    Queue {
        label: "Repairs".into(),
        position_every_s: 0,
        wrap_up_s: 0,
        recorded: false,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::LocalOnly, after_s: 0, to: vec![id("south")] },
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
        ..sales()
    }
}

fn agent(phone: &str, queues: &[&str]) -> Agent {
    Agent {
        badge: format!("A-{phone}"),
        phone: Some(id(phone)),
        skills: BTreeMap::new(),
        queues: queues.iter().map(|queue| id(queue)).collect(),
    }
}

fn trunk() -> Trunk {
    Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: "192.0.2.1:5060".parse().expect("an address"), transport: SipTransport::Udp },
        calls_max: 30,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    }
}

/// A greeting, then sales.
fn main() -> Flow {
    let steps = [
        ("hello", Step::Play { prompt: id("greeting"), next: id("to-sales") }),
        ("to-sales", Step::Queue { queue: id("sales"), asks: Default::default(), after: None, otherwise: None }),
    ];
    Flow {
        label: "Main".into(),
        language: None,
        variables: BTreeMap::new(),
        shown: BTreeMap::new(),
        start: id("hello"),
        steps: steps.map(|(step, what)| (id(step), what)).into(),
    }
}

/// Open? Then 1 for sales and 2 for repairs; two tries.
fn service() -> Flow {
    let choices = BTreeMap::from([('1', id("to-sales")), ('2', id("to-repairs"))]);
    let menu = Step::Menu { prompt: id("which"), choices, wait_s: 5, tries: 2, otherwise: id("bye") };
    let steps = [
        ("door", Step::Open { hours: id("office"), then: id("menu"), otherwise: id("closed") }),
        ("menu", menu),
        ("bye", Step::Play { prompt: id("goodbye"), next: id("end") }),
        ("closed", Step::Play { prompt: id("we-are-closed"), next: id("end") }),
        ("to-sales", Step::Queue { queue: id("sales"), asks: Default::default(), after: None, otherwise: None }),
        ("to-repairs", Step::Queue { queue: id("repairs"), asks: Default::default(), after: None, otherwise: None }),
        ("end", Step::Hangup),
    ];
    Flow {
        label: "Service".into(),
        language: None,
        variables: BTreeMap::new(),
        shown: BTreeMap::new(),
        start: id("door"),
        steps: steps.map(|(step, what)| (id(step), what)).into(),
    }
}

fn office() -> Hours {
    let week = (0..5).map(|day| Span { day, from_min: 540, to_min: 1020 }).collect();
    Hours { label: "Office".into(), week, closed: BTreeSet::from(["2026-12-25".to_owned()]) }
}

/// Who is known and gold goes to the colleague at 203, or else into sales, and is asked afterwards how it was.
fn care() -> Flow {
    let text = "
label: Care
start: ask
variables: { gold: false }
steps:
  ask: { do: look_up, url: 'http://crm.example/who', send: { phone: caller }, take: { gold: is-gold }, wait_ms: 2000, next: judge, otherwise: crowd }
  judge: { do: if, all: [{ is: equal, variable: gold, to: true }], then: colleague, otherwise: crowd }
  colleague: { do: transfer, phone: '203', ring_s: 15, otherwise: crowd }
  crowd: { do: if, all: [{ is: waiting, queue: sales, more_than: 0 }], then: sorry, otherwise: to-sales }
  sorry: { do: play, prompt: sorry, next: end }
  to-sales: { do: queue, queue: sales, after: how }
  how: { do: survey, prompt: how-was-it, best: 5, wait_s: 5, next: end }
  end: { do: hangup }
";
    flow::text::parse(text).expect("a flow")
}
