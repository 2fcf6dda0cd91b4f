//! The types the pages were written against are those of `model`: samples of every kind are written from Rust into a
//! TypeScript file, and the build's type check refuses it where the two differ.

use std::collections::{BTreeMap, BTreeSet};

use model::{ContactId, Millis, RecordingId};
use model::{
    alert::Alerts,
    callback::Callback,
    cdr::{Cdr, Direction, Outcome},
    change::{Change, Finding, Problem, Severity},
    config::{Agent, Config, Hours, Locality, Overflow, Phone, Queue, SipTransport, Site, Span, Trunk, TrunkKind},
    disposition::Dispositions,
    fact::{AgentState, EndCause},
    flow::{Fault, Flow, Part, Source, Step, Test, Value},
    leaving::Figures,
    recording::{Consent, Directions, Recording},
    routing::{Routing, Strategy, Tier},
};
use serde::Serialize;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/shared/src/samples.ts");

/// `UPDATE_SAMPLES=1 cargo test -p pages` writes the file again.
#[test]
fn samples_of_the_model_are_those_the_pages_are_checked_against() {
    let written = samples();
    if std::env::var_os("UPDATE_SAMPLES").is_some() {
        std::fs::write(SAMPLES, &written).unwrap();
    }
    let committed = std::fs::read_to_string(SAMPLES).unwrap();
    assert!(committed == written, "the model has changed: UPDATE_SAMPLES=1 cargo test -p pages, then mend model.ts");
}

/// The pages' own tests, of what needs no server and no browser.
#[test]
fn the_tests_written_in_typescript_pass() {
    let done = std::process::Command::new("npm")
        .args(["run", "--silent", "test"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CI", "true")
        .env("NO_COLOR", "1")
        .output()
        .expect("npm can be started: the build used it");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}

fn samples() -> String {
    let mut out = String::from(
        "// Written by `UPDATE_SAMPLES=1 cargo test -p pages` from the Rust types; not edited by hand.\n\
         import type { AgentState, Cdr, Change, Config, Figures, Finding } from './model';\n",
    );
    let mut add = |name: &str, kind: &str, value: &dyn erased::Json| {
        out.push_str(&format!("\nexport const {name} = {} satisfies {kind};\n", value.json()));
    };
    add("config", "Config", &config());
    let changes: Vec<String> = changes().iter().map(|change| serde_json::to_string(change).unwrap()).collect();
    out.push_str(&format!("\nexport const changes = [\n  {},\n] satisfies Change[];\n", changes.join(",\n  ")));
    let mut add = |name: &str, kind: &str, value: &dyn erased::Json| {
        out.push_str(&format!("\nexport const {name} = {} satisfies {kind};\n", value.json()));
    };
    add("findings", "Finding[]", &findings());
    add("cdr", "Cdr", &cdr());
    add("figures", "Figures", &Figures { offered: 3, ..Figures::default() });
    let states = [
        AgentState::SignedOut,
        AgentState::NotReady,
        AgentState::Ready,
        AgentState::Offered,
        AgentState::Talking,
        AgentState::WrapUp,
    ];
    add("states", "AgentState[]", &states);
    let causes = [
        EndCause::Caller,
        EndCause::Agent,
        EndCause::Flow,
        EndCause::NoRoute,
        EndCause::Forbidden,
        EndCause::Busy,
        EndCause::NotReachable,
        EndCause::NotReached,
        EndCause::StruckOff,
        EndCause::Restart,
        EndCause::Overload,
        EndCause::Fault,
    ];
    add("causes", "Cdr['cause'][]", &causes);
    let outcomes = [Outcome::Answered, Outcome::Abandoned, Outcome::InFlow, Outcome::Refused];
    add("outcomes", "Cdr['outcome'][]", &outcomes);
    add("directions", "Cdr['direction'][]", &[Direction::Inbound, Direction::Outbound, Direction::Internal]);
    out
}

/// Serialising behind a pointer.
mod erased {
    pub trait Json {
        fn json(&self) -> String;
    }
    impl<T: super::Serialize> Json for T {
        fn json(&self) -> String {
            match serde_json::to_value(self).unwrap() {
                // One a line.
                serde_json::Value::Array(all) => {
                    let lines: Vec<String> = all.iter().map(|one| format!("  {one}")).collect();
                    format!("[\n{}\n]", lines.join(",\n"))
                }
                _ => serde_json::to_string_pretty(self).unwrap(),
            }
        }
    }
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn queue() -> Queue {
    Queue {
        label: "Sales".into(),
        skills: [(id("english"), 3)].into(),
        music: id("music"),
        position_every_s: 30,
        ring_s: 15,
        wrap_up_s: 20,
        service_level_s: 20,
        hours: Some(id("office")),
        recorded: true,
        recording: Default::default(),
        closed: false,
        overflow: Overflow { locality: Locality::MayLeave, after_s: 45, to: vec![id("south")] },
        routing: routing(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
    }
}

fn agent() -> Agent {
    Agent {
        badge: "Li".into(),
        phone: Some(id("201")),
        skills: [(id("english"), 4)].into(),
        queues: [id("sales")].into(),
    }
}

fn trunk(kind: TrunkKind) -> Trunk {
    Trunk {
        label: "Carrier".into(),
        kind,
        calls_max: 30,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    }
}

fn by_address() -> TrunkKind {
    TrunkKind::Address { peer: id("203.0.113.5:5060"), transport: SipTransport::Udp }
}

fn by_registration() -> TrunkKind {
    TrunkKind::Registration {
        peer: id("203.0.113.5:5060"),
        transport: SipTransport::Tcp,
        user: "north".into(),
        domain: "carrier.example".into(),
        expires_s: 300,
    }
}

fn flow() -> Flow {
    let steps: BTreeMap<_, _> = [
        (id("hello"), Step::Play { prompt: id("hello"), next: id("menu") }),
        (
            id("menu"),
            Step::Menu {
                prompt: id("menu"),
                choices: [('1', id("open"))].into(),
                wait_s: 5,
                tries: 3,
                otherwise: id("bye"),
            },
        ),
        (id("open"), Step::Open { hours: id("office"), then: id("queue"), otherwise: id("bye") }),
        (
            id("queue"),
            Step::Queue {
                queue: id("sales"),
                asks: Default::default(),
                after: Some(id("survey")),
                otherwise: Some(id("bye")),
            },
        ),
        (
            id("consent"),
            Step::Consent {
                prompt: id("consent"),
                agree: '1',
                refuse: '2',
                wait_s: 5,
                tries: 2,
                next: id("survey"),
                otherwise: id("survey"),
            },
        ),
        (id("survey"), Step::Survey { prompt: id("how"), best: 5, wait_s: 5, next: id("bye") }),
        (id("bye"), Step::Hangup),
    ]
    .into();
    let more = [
        (
            "say",
            Step::Say {
                parts: vec![
                    Part::Prompt(id("hello")),
                    Part::Digits(id("account")),
                    Part::Speech { language: id("en"), text: "Thank you, {account}.".into() },
                ],
                next: id("bye"),
            },
        ),
        ("digits", digits()),
        ("if", Step::If { all: tests(), then: id("bye"), otherwise: id("bye") }),
        ("set", Step::Set { variable: id("gold"), to: Value::Flag(true), next: id("bye") }),
        ("ask", look_up()),
        ("sub", Step::SubFlow { flow: id("other"), next: id("bye") }),
        ("back", Step::Return),
        ("transfer", Step::Transfer { phone: id("201"), ring_s: 20, otherwise: id("bye") }),
        ("voicemail", Step::Voicemail { queue: id("sales"), max_s: 120, next: id("bye"), otherwise: id("bye") }),
        (
            "callback",
            Step::Callback {
                queue: id("sales"),
                asks: Default::default(),
                number: Some(id("account")),
                next: id("bye"),
                otherwise: id("bye"),
            },
        ),
    ];
    let more = more.map(|(step, does)| (id(step), does));
    let variables = [(id("account"), Value::Text(String::new())), (id("gold"), Value::Flag(false))].into();
    let shown = [(id("account"), "Account".into())].into();
    let language = Some(id("de"));
    Flow {
        label: "Main".into(),
        language,
        start: id("hello"),
        variables,
        shown,
        steps: more.into_iter().chain(steps).collect(),
    }
}

fn digits() -> Step {
    Step::Digits {
        prompt: id("account"),
        into: id("account"),
        min: 3,
        max: 8,
        wait_s: 5,
        tries: 2,
        next: id("bye"),
        otherwise: id("bye"),
    }
}

fn look_up() -> Step {
    Step::LookUp {
        url: "http://crm.example/who".into(),
        send: [("phone".into(), Source::Caller), ("account".into(), Source::Variable(id("account")))].into(),
        take: [(id("gold"), "is_gold".into())].into(),
        wait_ms: 1_500,
        next: id("bye"),
        otherwise: id("bye"),
    }
}

fn tests() -> Vec<Test> {
    vec![
        Test::Withheld,
        Test::Inside,
        Test::CallerBegins { with: ["+86".into()].into() },
        Test::Open { hours: id("office") },
        Test::Takes { queue: id("sales") },
        Test::Waiting { queue: id("sales"), more_than: 5 },
        Test::WaitLonger { queue: id("sales"), than_s: 120 },
        Test::Served { queue: id("sales") },
        Test::Equal { variable: id("gold"), to: Value::Flag(true) },
        Test::AtLeast { variable: id("level"), number: 3 },
    ]
}

fn hours() -> Hours {
    Hours {
        label: "Office".into(),
        week: vec![Span { day: 0, from_min: 540, to_min: 1080 }],
        closed: BTreeSet::from(["2026-12-25".into()]),
    }
}

fn config() -> Config {
    Config {
        site: Site {
            id: id("north"),
            label: "North".into(),
            time_zone: "Asia/Shanghai".into(),
            emergency: [id("110")].into(),
            outward: Some(id("carrier")),
            dialling: Default::default(),
            closed: false,
            pauses: [(id("lunch"), "Lunch".into())].into(),
            dispositions: [(id("sold"), "Sold".into())].into(),
            recording: Default::default(),
        },
        queues: [(id("sales"), queue())].into(),
        agents: [(id("li"), agent())].into(),
        phones: [(id("201"), Phone { label: "Desk 1".into(), ..Phone::default() })].into(),
        trunks: [(id("carrier"), trunk(by_address())), (id("other"), trunk(by_registration()))].into(),
        numbers: [(id("+8675512345678"), id("main"))].into(),
        flows: [(id("main"), flow())].into(),
        hours: [(id("office"), hours())].into(),
        places: BTreeMap::new(),
    }
}

/// One of each. The match below does not compile when there is a new one.
fn changes() -> Vec<Change> {
    let (queue_id, agent_id, hours_id) = (id("sales"), id("li"), id("office"));
    let (queue_id, agent_id, hours_id) =
        (|| Clone::clone(&queue_id), || Clone::clone(&agent_id), || Clone::clone(&hours_id));
    let all = vec![
        Change::SiteLabel { label: "North".into() },
        Change::SiteTimeZone { time_zone: "Asia/Shanghai".into() },
        Change::SiteEmergency { numbers: [id("110")].into() },
        Change::SiteOutward { trunk: None },
        Change::SiteDialling { dialling: Default::default() },
        Change::PlacePut { place: id("hall"), value: Default::default() },
        Change::PlaceRemove { place: id("hall") },
        Change::QueueAdd { queue: queue_id(), value: Box::new(queue()) },
        Change::QueueRemove { queue: queue_id() },
        Change::QueueLabel { queue: queue_id(), label: "Sales".into() },
        Change::QueueSkill { queue: queue_id(), skill: id("english"), level: None },
        Change::QueueMusic { queue: queue_id(), prompt: id("music") },
        Change::QueuePositionEvery { queue: queue_id(), seconds: 30 },
        Change::QueueRing { queue: queue_id(), seconds: 15 },
        Change::QueueWrapUp { queue: queue_id(), seconds: 20 },
        Change::QueueServiceLevel { queue: queue_id(), seconds: 20 },
        Change::QueueHours { queue: queue_id(), hours: None },
        Change::QueueRecorded { queue: queue_id(), recorded: true },
        Change::QueueRecording {
            queue: queue_id(),
            recording: Recording { consent: Consent::UnlessRefused, pause_s: 120 },
        },
        Change::SiteRecording {
            recording: Directions { outward: Some(Recording::default()), ..Directions::default() },
        },
        Change::QueueClosed { queue: queue_id(), closed: true },
        Change::SiteClosed { closed: true },
        Change::SiteDrill { drill: None },
        Change::PausePut { pause: id("lunch"), label: "Lunch".into() },
        Change::PauseRemove { pause: id("lunch") },
        Change::DispositionPut { disposition: id("sold"), label: "Sold".into() },
        Change::DispositionRemove { disposition: id("sold") },
        Change::QueueLocality { queue: queue_id(), locality: Locality::LocalOnly },
        Change::QueueOverflowAfter { queue: queue_id(), seconds: 45 },
        Change::QueueOverflowTo { queue: queue_id(), to: vec![id("south")] },
        Change::QueueRouting { queue: queue_id(), routing: Box::new(routing()) },
        Change::QueueCallback {
            queue: queue_id(),
            callback: Callback { offer_after_s: Some(180), hours: Some(id("office")), ..Callback::default() },
        },
        Change::QueueDispositions {
            queue: queue_id(),
            dispositions: Dispositions { only: [id("sold")].into(), required: true },
        },
        Change::QueueAlerts {
            queue: queue_id(),
            alerts: Alerts { longest_wait_s: Some(90), service_level: Some(80), ..Alerts::default() },
        },
        Change::AgentAdd { agent: agent_id(), value: agent() },
        Change::AgentRemove { agent: agent_id() },
        Change::AgentBadge { agent: agent_id(), badge: "Li".into() },
        Change::AgentPhone { agent: agent_id(), phone: Some(id("201")) },
        Change::AgentSkill { agent: agent_id(), skill: id("english"), level: Some(4) },
        Change::AgentQueue { agent: agent_id(), queue: queue_id(), member: true },
        Change::PhoneAdd { phone: id("201"), value: Phone { label: "Desk 1".into(), ..Phone::default() } },
        Change::PhoneRemove { phone: id("201") },
        Change::PhoneNumber { phone: id("201"), number: None },
        Change::PhonePlace { phone: id("201"), place: Some(id("hall")) },
        Change::PhoneProtection { phone: id("201"), protection: model::config::Protection::Required },
        Change::PhoneForward {
            phone: id("201"),
            forward: model::forward::Forward { busy: Some(id("202")), ..Default::default() },
        },
        Change::TrunkPut { trunk: id("carrier"), value: trunk(by_registration()) },
        Change::TrunkRemove { trunk: id("carrier") },
        Change::NumberPut { number: id("110"), flow: id("main") },
        Change::NumberRemove { number: id("110") },
        Change::FlowPut { flow: id("main"), value: flow() },
        Change::FlowRollBack { flow: id("main"), replaced: Millis(1) },
        Change::FlowRemove { flow: id("main") },
        Change::HoursAdd { hours: hours_id(), value: hours() },
        Change::HoursRemove { hours: hours_id() },
        Change::HoursWeek { hours: hours_id(), week: vec![] },
        Change::HoursClosed { hours: hours_id(), day: "2026-12-25".into(), closed: true },
    ];
    for change in &all {
        use Change::*;
        match change {
            SiteLabel { .. } | SiteTimeZone { .. } | SiteEmergency { .. } | SiteOutward { .. } => {}
            SiteDialling { .. } | PlacePut { .. } | PlaceRemove { .. } => {}
            SiteDrill { .. } => {}
            SiteRecording { .. } | QueueRecording { .. } => {}
            SiteClosed { .. } | PausePut { .. } | PauseRemove { .. } | QueueClosed { .. } => {}
            DispositionPut { .. } | DispositionRemove { .. } | QueueDispositions { .. } | QueueAlerts { .. } => {}
            PhoneNumber { .. } | PhonePlace { .. } | PhoneProtection { .. } | PhoneForward { .. } => {}
            QueueAdd { .. } | QueueRemove { .. } | QueueLabel { .. } | QueueSkill { .. } | QueueMusic { .. } => {}
            QueuePositionEvery { .. } | QueueRing { .. } | QueueWrapUp { .. } | QueueServiceLevel { .. } => {}
            QueueHours { .. } | QueueRecorded { .. } | QueueLocality { .. } => {}
            QueueOverflowAfter { .. } | QueueOverflowTo { .. } | QueueRouting { .. } | QueueCallback { .. } => {}
            AgentAdd { .. } | AgentRemove { .. } | AgentBadge { .. } | AgentPhone { .. } => {}
            AgentSkill { .. } | AgentQueue { .. } | PhoneAdd { .. } | PhoneRemove { .. } => {}
            TrunkPut { .. } | TrunkRemove { .. } | NumberPut { .. } | NumberRemove { .. } => {}
            FlowPut { .. } | FlowRollBack { .. } | FlowRemove { .. } => {}
            HoursAdd { .. } | HoursRemove { .. } | HoursWeek { .. } | HoursClosed { .. } => {}
        }
    }
    all
}

fn routing() -> Routing {
    let tiers = vec![
        Tier { after_s: Some(30), levels_less: 2, ..Tier::default() },
        Tier { longer_than: Some(5), also: [id("support")].into(), ..Tier::default() },
    ];
    Routing { strategy: Strategy::MostSkilled, tiers, ..Routing::default() }
}

fn findings() -> Vec<Finding> {
    let problems = [
        Problem::Dangling { to: "office".into() },
        Problem::PhoneShared { kept_by: id("li") },
        Problem::WrongType,
        Problem::OutOfBounds { min: 5, max: 300, used: 300 },
        Problem::TooLong { max: 60 },
        Problem::Concurrent { kept: "15".into(), dropped: ["25".into()].into() },
        Problem::NotYours,
        Problem::Flow { fault: Fault::NoWayOut, road: vec![id("menu")] },
        Problem::Flow { fault: Fault::Circle { steps: [id("a")].into() }, road: vec![] },
        Problem::Flow { fault: Fault::OutOfBounds { field: "tries".into(), min: 1, max: 10 }, road: vec![] },
        Problem::Flow { fault: Fault::Braces { text: "{a".into() }, road: vec![] },
        Problem::Flow { fault: Fault::OtherType { variable: id("gold") }, road: vec![] },
        Problem::Flow { fault: Fault::TooDeep { flows: vec![id("main"), id("main")] }, road: vec![] },
        Problem::NobodyServes,
        Problem::Missing,
        Problem::OverflowLoop,
        Problem::EmptyGroup,
        Problem::NotOurs { number: id("+8675512345678") },
        Problem::UnknownCodec { name: "G729".into() },
        Problem::MustBeSeen,
    ];
    let severities = [Severity::Repaired, Severity::Warning, Severity::Fatal].into_iter().cycle();
    let finding = |(problem, severity)| Finding { severity, path: "queues/sales/hours".into(), problem };
    problems.into_iter().zip(severities).map(finding).collect()
}

fn cdr() -> Cdr {
    Cdr {
        contact: ContactId(1),
        direction: Direction::Inbound,
        trunk: Some(id("carrier")),
        number: Some(id("110")),
        arrived: Millis(1),
        queue: Some(id("sales")),
        queued: Some(Millis(2)),
        answered: None,
        ended: Millis(3),
        agent: Some(id("li")),
        answered_at: None,
        outcome: Outcome::Abandoned,
        cause: EndCause::Caller,
        wait_ms: 1,
        talk_ms: 0,
        hold_ms: 0,
        wrap_up_ms: None,
        offers: 1,
        recording: Some(RecordingId(2)),
        sound: None,
        released: None,
        diverted: None,
        unkeyed: None,
        consent: None,
        disposition: None,
        corrected: None,
        called_back: None,
    }
}
