//! The company: two branches, their people, phones, numbers and flows, and where everybody is on the network.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use call::{Limits, Secrets, endpoint::PhoneAuth};
use model::{
    BoxId, Extension, SiteId,
    config::{Agent, Config, Hours, Locality, Overflow, Phone, Queue, SipTransport, Site, Span, Trunk, TrunkKind},
    flow::{Flow, Step},
};
use sha2::{Digest, Sha256};

/// Which branch. Also an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    North,
    South,
}

pub const SIDES: [Side; 2] = [Side::North, Side::South];
/// Every phone's password.
pub const PASSWORD: &str = "a-phone-of-the-town";
/// Every caller's number begins with this, and nothing else does: where it is found, a person is found.
pub const MARKER: &str = "0170555";

impl Side {
    pub fn index(self) -> usize {
        self as usize
    }

    pub fn name(self) -> &'static str {
        match self {
            Side::North => "north",
            Side::South => "south",
        }
    }

    pub fn site(self) -> SiteId {
        id(self.name())
    }

    pub fn of(site: &SiteId) -> Option<Side> {
        SIDES.into_iter().find(|side| side.name() == site.as_str())
    }

    pub fn other(self) -> Side {
        match self {
            Side::North => Side::South,
            Side::South => Side::North,
        }
    }

    pub fn box_id(self) -> BoxId {
        BoxId(0xb0_u128 + self as u128)
    }

    pub fn domain(self) -> String {
        format!("{}.example", self.name())
    }

    pub(crate) fn net(self) -> &'static str {
        match self {
            Side::North => "192.0.2",
            Side::South => "203.0.113",
        }
    }

    pub fn box_addr(self) -> SocketAddr {
        addr(&format!("{}.2:5060", self.net()))
    }

    pub fn carrier_addr(self) -> SocketAddr {
        addr(&format!("198.51.100.{}:5060", 1 + self as u8))
    }

    /// The `n`th phone, from 0.
    pub fn phone_addr(self, n: usize) -> SocketAddr {
        addr(&format!("{}.{}:5060", self.net(), 21 + n))
    }

    /// The branch's people: agent, phone, queues.
    pub fn people(self) -> &'static [(&'static str, &'static str, &'static [&'static str])] {
        match self {
            Side::North => &[
                ("ann", "201", &["sales", "repairs"]),
                ("bob", "202", &["sales"]),
                ("cleo", "203", &["sales"]),
                ("dora", "204", &["repairs", "sales"]),
                ("emil", "205", &["sales"]),
            ],
            Side::South => &[
                ("finn", "301", &["sales", "parts"]),
                ("gwen", "302", &["sales"]),
                ("hugo", "303", &["parts", "sales"]),
                ("iris", "304", &["sales"]),
            ],
        }
    }

    /// The queue whose calls stay at home.
    pub fn home_queue(self) -> &'static str {
        match self {
            Side::North => "repairs",
            Side::South => "parts",
        }
    }

    /// The number that callers dial, and callers of a day, on average.
    pub fn number(self) -> &'static str {
        match self {
            Side::North => "5550100",
            Side::South => "5550300",
        }
    }

    pub fn callers_a_day(self) -> f64 {
        match self {
            Side::North => 390.0,
            Side::South => 150.0,
        }
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub fn id<T: std::str::FromStr<Err = model::id::Error>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// The branch as the centre planned it.
pub fn config(side: Side) -> Config {
    let queues = BTreeMap::from([
        (id("sales"), queue("Sales", Locality::MayLeave, side)),
        (id(side.home_queue()), queue("Home", Locality::LocalOnly, side)),
    ]);
    let agents = side.people().iter().map(|(agent, phone, queues)| {
        let queues = queues.iter().map(|queue| id(queue)).collect();
        (id(agent), Agent { badge: format!("A-{phone}"), phone: Some(id(phone)), skills: BTreeMap::new(), queues })
    });
    let phones = side
        .people()
        .iter()
        .map(|(_, phone, _)| (id(phone), Phone { label: format!("Desk {phone}"), ..Phone::default() }));
    let trunk = Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: side.carrier_addr(), transport: SipTransport::Udp },
        calls_max: 60,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    };
    Config {
        site: Site {
            id: side.site(),
            label: side.name().into(),
            time_zone: "UTC".into(),
            emergency: BTreeSet::from([id("112")]),
            outward: Some(id("carrier")),
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        },
        queues,
        agents: agents.collect(),
        phones: phones.collect(),
        trunks: BTreeMap::from([(id("carrier"), trunk)]),
        numbers: BTreeMap::from([(id(side.number()), id("main"))]),
        flows: BTreeMap::from([(id("main"), flow(side))]),
        hours: BTreeMap::from([(id("office"), office())]),
        places: BTreeMap::new(),
    }
}

fn queue(label: &str, locality: Locality, side: Side) -> Queue {
    Queue {
        label: label.into(),
        skills: BTreeMap::new(),
        music: id("waiting"),
        position_every_s: 45,
        ring_s: 20,
        wrap_up_s: 25,
        service_level_s: 20,
        hours: None,
        recorded: label == "Sales",
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality, after_s: 20, to: vec![side.other().site()] },
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    }
}

/// Open? A greeting, a menu of two queues, and sales for those who press nothing.
fn flow(side: Side) -> Flow {
    let choices = BTreeMap::from([('1', id("to-sales")), ('2', id("to-home"))]);
    let steps = [
        ("door", Step::Open { hours: id("office"), then: id("hello"), otherwise: id("closed") }),
        ("hello", Step::Play { prompt: id("greeting"), next: id("which") }),
        ("which", Step::Menu { prompt: id("menu"), choices, wait_s: 6, tries: 2, otherwise: id("to-sales") }),
        ("closed", Step::Play { prompt: id("closed"), next: id("end") }),
        ("to-sales", Step::Queue { queue: id("sales"), asks: Default::default(), after: None, otherwise: None }),
        (
            "to-home",
            Step::Queue { queue: id(side.home_queue()), asks: Default::default(), after: None, otherwise: None },
        ),
        ("end", Step::Hangup),
    ];
    Flow {
        label: "Main".into(),
        language: None,
        variables: BTreeMap::new(),
        shown: BTreeMap::new(),
        start: id("door"),
        steps: steps.map(|(step, what)| (id(step), what)).into(),
    }
}

fn office() -> Hours {
    let week = (0..7).map(|day| Span { day, from_min: 480, to_min: 1_110 }).collect();
    Hours { label: "Office".into(), week, closed: BTreeSet::new() }
}

/// What the telephone lines of a box begin with.
pub fn calls(side: Side, site: Config) -> call::Config {
    call::Config {
        domain: side.domain(),
        local: vec![side.box_addr()],
        listeners: Vec::new(),
        networks: Vec::new(),
        certified: Default::default(),
        recorders: Vec::new(),
        product: "Branchline".into(),
        secrets: secrets(side, &site),
        limits: Limits::default(),
        site,
    }
}

/// What the box keeps of its phones' passwords.
pub fn secrets(side: Side, site: &Config) -> Secrets {
    let ha1 = |phone: &Extension| {
        let hash = Sha256::digest(format!("{phone}:{}:{PASSWORD}", side.domain()));
        PhoneAuth { ha1_sha256: hex::encode(hash), ha1_md5: None }
    };
    Secrets { phones: site.phones.keys().map(|phone| (phone.clone(), ha1(phone))).collect(), trunks: BTreeMap::new() }
}

impl Side {
    /// Where a phone is.
    pub fn phone(self, extension: &str) -> Option<SocketAddr> {
        self.people().iter().position(|(_, phone, _)| *phone == extension).map(|n| self.phone_addr(n))
    }

    /// Where an agent's phone is.
    pub fn phone_of(self, agent: &str) -> Option<SocketAddr> {
        self.people().iter().position(|(name, _, _)| *name == agent).map(|n| self.phone_addr(n))
    }
}
