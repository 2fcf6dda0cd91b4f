//! A site as people know it, and replicas of it.

use std::{collections::BTreeMap, str::FromStr};

use automerge::{
    Automerge,
    sync::{Message, State, SyncDoc},
};
use config::{Author, Document, Documents, Effective, Peer, SyncState, changes_from, effective};
use model::{
    Millis,
    change::{Change, Doc, Finding, Problem},
    config::{Agent, Config, Hours, Locality, Overflow, Phone, Queue, SipTransport, Site, Span, Trunk, TrunkKind},
    flow::{Flow, Step},
};

pub const AT: Millis = Millis(1_760_000_000_000);

pub fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn map<K: FromStr<Err: std::fmt::Debug> + Ord, V>(
    entries: impl IntoIterator<Item = (&'static str, V)>,
) -> BTreeMap<K, V> {
    entries.into_iter().map(|(key, value)| (id(key), value)).collect()
}

pub fn queue(skill: &str) -> Queue {
    Queue {
        label: "Sales".into(),
        skills: [(id(skill), 3)].into(),
        music: id("waltz"),
        position_every_s: 30,
        ring_s: 15,
        wrap_up_s: 20,
        service_level_s: 20,
        hours: Some(id("office")),
        recorded: true,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::MayLeave, after_s: 45, to: vec![id("suzhou"), id("ningbo")] },
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    }
}

pub fn agent(phone: &str, skill: &str) -> Agent {
    Agent {
        badge: "Mei".into(),
        phone: Some(id(phone)),
        skills: [(id(skill), 5)].into(),
        queues: [id("sales"), id("support")].into(),
    }
}

pub fn flow() -> Flow {
    let steps = [
        ("open", Step::Open { hours: id("office"), then: id("greeting"), otherwise: id("closed") }),
        ("greeting", Step::Play { prompt: id("welcome"), next: id("menu") }),
        (
            "menu",
            Step::Menu {
                prompt: id("choose"),
                choices: [('1', id("sales")), ('2', id("support")), ('9', id("greeting"))].into(),
                wait_s: 5,
                tries: 3,
                otherwise: id("sales"),
            },
        ),
        ("sales", Step::Queue { queue: id("sales"), asks: Default::default(), after: None, otherwise: None }),
        ("support", Step::Queue { queue: id("support"), asks: Default::default(), after: None, otherwise: None }),
        ("closed", Step::Play { prompt: id("closed"), next: id("bye") }),
        ("bye", Step::Hangup),
    ];
    Flow {
        label: "Main".into(),
        language: None,
        variables: BTreeMap::new(),
        shown: BTreeMap::new(),
        start: id("open"),
        steps: map(steps),
    }
}

/// A configuration without a fault.
pub fn sample() -> Config {
    let week = (0..5).map(|day| Span { day, from_min: 540, to_min: 1_080 }).collect();
    let carrier = Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: "192.0.2.10:5060".parse().unwrap(), transport: SipTransport::Udp },
        calls_max: 30,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    };
    let gateway = TrunkKind::Registration {
        peer: "192.0.2.11:5060".parse().unwrap(),
        transport: SipTransport::Tcp,
        user: "branch".into(),
        domain: "gateway.example".into(),
        expires_s: 300,
    };
    Config {
        places: BTreeMap::new(),
        site: Site {
            id: id("hangzhou"),
            label: "Hangzhou".into(),
            time_zone: "Asia/Shanghai".into(),
            emergency: [id("110"), id("119")].into(),
            outward: Some(id("carrier")),
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        },
        queues: map([("sales", queue("english")), ("support", queue("repairs"))]),
        agents: map([("mei", agent("201", "english")), ("tao", agent("202", "repairs"))]),
        phones: map([
            ("201", Phone { label: "Desk 1".into(), ..Phone::default() }),
            ("202", Phone { label: "Desk 2".into(), ..Phone::default() }),
        ]),
        trunks: map([("carrier", carrier.clone()), ("gateway", Trunk { kind: gateway, ..carrier })]),
        numbers: map([("+8657112345678", id("main"))]),
        flows: map([("main", flow())]),
        hours: map([(
            "office",
            Hours { label: "Office".into(), week, closed: ["2026-10-01".to_owned(), "2026-10-02".to_owned()].into() },
        )]),
    }
}

pub fn empty(actor: u8) -> Documents {
    Documents::new(id("hangzhou"), [actor; 16])
}

/// A replica that holds the sample as the centre's plan.
pub fn seeded(actor: u8) -> Documents {
    let mut planned = empty(250);
    for change in changes_from(&sample()) {
        planned.edit(Doc::Site, &change, Author::Centre, AT).unwrap();
    }
    let mut documents = empty(actor);
    documents.site.load(planned.site.changes().iter().map(Vec::as_slice)).unwrap();
    documents
}

pub fn local(documents: &mut Documents, change: Change) -> Vec<u8> {
    documents.edit(Doc::Local, &change, Author::Branch, AT).unwrap().expect("something changes")
}

pub fn site(documents: &mut Documents, change: Change) -> Vec<u8> {
    documents.edit(Doc::Site, &change, Author::Centre, AT).unwrap().expect("something changes")
}

pub fn finding<'a>(effective: &'a Effective, path: &str) -> Option<&'a Finding> {
    effective.findings.iter().find(|finding| finding.path == path)
}

pub fn problem(documents: &Documents, path: &str) -> Option<Problem> {
    finding(&effective(documents), path).map(|finding| finding.problem.clone())
}

/// Messages to and fro until both are silent. Returns how many bytes travelled.
pub fn exchange(a: &mut Document, sa: &mut SyncState, b: &mut Document, sb: &mut SyncState) -> usize {
    let mut bytes = 0;
    for _ in 0..100 {
        let (to_b, to_a) = (a.generate(sa), b.generate(sb));
        if to_a.is_none() && to_b.is_none() {
            return bytes;
        }
        if let Some(message) = to_b {
            bytes += message.len();
            b.receive(sb, &message).unwrap();
        }
        if let Some(message) = to_a {
            bytes += message.len();
            a.receive(sa, &message).unwrap();
        }
    }
    panic!("two replicas do not come to rest");
}

/// A peer that writes whatever it likes: the bare library, with the true history.
pub struct Liar {
    pub automerge: Automerge,
    state: State,
    ours: SyncState,
}

impl Liar {
    /// Speaks with the document as `peer` would and learns its history.
    pub fn meet(document: &mut Document, peer: Peer) -> Liar {
        let mut liar = Liar { automerge: Automerge::new(), state: State::new(), ours: document.sync_begin(peer) };
        liar.hear(document);
        liar.tell(document).unwrap();
        liar
    }

    fn hear(&mut self, document: &mut Document) {
        if let Some(message) = document.generate(&mut self.ours) {
            let message = Message::decode(&message).unwrap();
            self.automerge.receive_sync_message(&mut self.state, message).unwrap();
            self.state.their_capabilities = None;
        }
    }

    /// Says what it has to say, until it is heard: about one change in a hundred passes for known in a summary, and is
    /// sent when it is asked for.
    pub fn tell(&mut self, document: &mut Document) -> Result<usize, config::Error> {
        let mut new = 0;
        for _ in 0..10 {
            let Some(message) = self.automerge.generate_sync_message(&mut self.state) else { break };
            new += document.receive(&mut self.ours, &message.encode())?.len();
            self.hear(document);
        }
        Ok(new)
    }
}

/// Writes into a document what its rules forbid, as a box with another program would. How many changes that made.
pub fn forged(document: &mut Document, path: &str, number: i64) -> usize {
    use automerge::{ROOT, transaction::Transactable};
    let mut liar = Liar::meet(document, Peer::Cloud);
    let mut transaction = liar.automerge.transaction();
    transaction.put(ROOT, path, number).unwrap();
    transaction.commit();
    liar.tell(document).unwrap()
}

/// The document as the bare library holds it.
fn bare(document: &Document) -> Automerge {
    let genesis = Document::new(document.kind(), &id("hangzhou"), [0; 16]);
    let mut bare = Liar::meet(&mut genesis.clone(), Peer::Cloud).automerge;
    let changes = document.changes();
    bare.apply_changes(changes.iter().map(|bytes| automerge::Change::try_from(bytes.as_slice()).unwrap())).unwrap();
    bare
}

/// How many fields of a document say something, by the library's own word.
pub fn standing(document: &Document) -> usize {
    use automerge::{ROOT, ReadDoc};
    let bare = bare(document);
    let says = |path: &str| bare.get(ROOT, path).unwrap().is_some_and(|(value, _)| !value.is_null());
    bare.keys(ROOT).filter(|path| path != "document" && says(path)).count()
}

/// Whether a change builds on another, directly or by others, by the library's own word.
pub fn descends(document: &Document, later: &[u8], earlier: &[u8]) -> bool {
    use automerge::ReadDoc;
    let bare = bare(document);
    let hash = |bytes: &[u8]| automerge::Change::try_from(bytes).unwrap().hash();
    let earlier = hash(earlier);
    let (mut seen, mut open) = (std::collections::BTreeSet::new(), vec![hash(later)]);
    while let Some(next) = open.pop() {
        if next == earlier {
            return true;
        }
        if seen.insert(next) {
            open.extend(bare.get_change_by_hash(&next).map(|change| change.deps().to_vec()).unwrap_or_default());
        }
    }
    false
}
