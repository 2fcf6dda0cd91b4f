//! Who may edit what, and what an edit writes.

use config::{Author, Error, changes_from, effective, flow_versions};
use model::{
    Millis,
    change::{Change, Doc},
    flow::{Flow, Step},
    recording::{Directions, Recording},
    routing::{Routing, Tier},
};

use crate::support::{AT, agent, empty, flow, id, local, queue, sample, seeded, site};

#[test]
fn a_site_written_from_a_configuration_gives_that_configuration_back() {
    let resolved = effective(&seeded(1));
    assert_eq!(resolved.config, sample());
    assert_eq!(resolved.findings, []);
    assert!(!resolved.fatal());
}

#[test]
fn every_change_of_the_seed_survives_json() {
    for change in changes_from(&sample()) {
        let json = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&json).unwrap(), change, "{json}");
    }
}

#[test]
fn an_edit_that_changes_nothing_writes_nothing() {
    let mut documents = seeded(1);
    let change = Change::QueueRing { queue: id("sales"), seconds: 15 };
    assert_eq!(documents.edit(Doc::Site, &change, Author::Centre, AT), Ok(None));
    local(&mut documents, Change::QueueRing { queue: id("sales"), seconds: 40 });
    let again = Change::QueueRing { queue: id("sales"), seconds: 40 };
    assert_eq!(documents.edit(Doc::Local, &again, Author::Branch, AT), Ok(None));
}

#[test]
fn a_branch_edits_only_its_own_document() {
    let mut documents = seeded(1);
    let change = Change::QueueRing { queue: id("sales"), seconds: 40 };
    for doc in [Doc::Org, Doc::Site] {
        assert_eq!(documents.edit(doc, &change, Author::Branch, AT), Err(Error::NotTheirs { doc }));
    }
}

#[test]
fn what_the_centre_alone_decides_is_not_written_into_the_local_document() {
    let changes = [
        Change::SiteLabel { label: "X".into() },
        Change::SiteEmergency { numbers: [id("112")].into() },
        Change::SiteOutward { trunk: None },
        Change::QueueAdd { queue: id("new"), value: Box::new(queue("english")) },
        Change::QueueRemove { queue: id("sales") },
        Change::QueueRecorded { queue: id("sales"), recorded: false },
        Change::QueueRecording { queue: id("sales"), recording: Recording::default() },
        Change::SiteRecording { recording: Directions::default() },
        Change::QueueOverflowTo { queue: id("sales"), to: vec![] },
        Change::TrunkRemove { trunk: id("carrier") },
        Change::NumberRemove { number: id("+8657112345678") },
        Change::FlowRemove { flow: id("main") },
    ];
    let mut documents = seeded(1);
    for change in changes {
        let refused = documents.edit(Doc::Local, &change, Author::Centre, AT);
        assert_eq!(refused, Err(Error::WrongDocument { doc: Doc::Local }), "{change:?}");
    }
    let refused = documents.edit(Doc::Org, &Change::SiteLabel { label: "X".into() }, Author::Centre, AT);
    assert_eq!(refused, Err(Error::WrongDocument { doc: Doc::Org }));
}

#[test]
fn an_edit_out_of_bounds_names_its_field_and_the_bounds_and_changes_nothing() {
    let mut documents = seeded(1);
    let before = documents.local.heads();
    let cases = [
        (Change::QueueRing { queue: id("sales"), seconds: 4 }, ("queues/sales/ring_s", 4, 5, 300)),
        (Change::QueueRing { queue: id("sales"), seconds: 301 }, ("queues/sales/ring_s", 301, 5, 300)),
        (
            Change::AgentSkill { agent: id("mei"), skill: id("english"), level: Some(11) },
            ("agents/mei/skills/english", 11, 1, 10),
        ),
        (
            Change::AgentSkill { agent: id("mei"), skill: id("english"), level: Some(0) },
            ("agents/mei/skills/english", 0, 1, 10),
        ),
    ];
    for (change, (field, value, min, max)) in cases {
        let expected = Error::Bounds { field: field.into(), value, min, max };
        assert_eq!(documents.edit(Doc::Local, &change, Author::Branch, AT), Err(expected));
    }
    let badge = |badge: &str| Change::AgentBadge { agent: id("mei"), badge: badge.into() };
    let long = Error::Length { field: "agents/mei/badge".into(), len: 61, max: 60 };
    assert_eq!(documents.edit(Doc::Local, &badge(&"x".repeat(61)), Author::Branch, AT), Err(long));
    assert!(matches!(documents.edit(Doc::Local, &badge(""), Author::Branch, AT), Err(Error::Length { len: 0, .. })));
    assert!(matches!(documents.edit(Doc::Local, &badge("a\nb"), Author::Branch, AT), Err(Error::Invalid { .. })));
    let day = Change::HoursClosed { hours: id("office"), day: "25.12.2026".into(), closed: true };
    assert!(matches!(documents.edit(Doc::Local, &day, Author::Branch, AT), Err(Error::Invalid { .. })));
    assert_eq!(documents.local.heads(), before);
}

#[test]
fn an_edit_of_something_that_is_not_there_or_points_nowhere_is_refused() {
    let mut documents = seeded(1);
    let cases = [
        (Change::QueueRing { queue: id("nobody"), seconds: 20 }, ("queues", "nobody")),
        (Change::AgentPhone { agent: id("mei"), phone: Some(id("999")) }, ("phones", "999")),
        (Change::AgentQueue { agent: id("mei"), queue: id("nobody"), member: true }, ("queues", "nobody")),
        (Change::QueueHours { queue: id("sales"), hours: Some(id("never")) }, ("hours", "never")),
        (Change::AgentRemove { agent: id("nobody") }, ("agents", "nobody")),
    ];
    for (change, (what, name)) in cases {
        let expected = Error::Unknown { what, id: name.into() };
        assert_eq!(documents.edit(Doc::Local, &change, Author::Branch, AT), Err(expected));
    }
    let number = Change::NumberPut { number: id("+86571999"), flow: id("never") };
    let expected = Error::Unknown { what: "flows", id: "never".into() };
    assert_eq!(documents.edit(Doc::Site, &number, Author::Centre, AT), Err(expected));
}

#[test]
fn a_flow_that_cannot_run_is_refused_at_the_editor() {
    let mut documents = seeded(1);
    let mut refused =
        |value: Flow| documents.edit(Doc::Site, &Change::FlowPut { flow: id("f"), value }, Author::Centre, AT);
    let with = |name: &str, step: Step| {
        let mut flow = flow();
        flow.steps.insert(id(name), step);
        flow
    };
    let start = Flow { start: id("nowhere"), ..flow() };
    assert!(matches!(refused(start), Err(Error::Flow { at, .. }) if at == "start"));
    let dangling = with("greeting", Step::Play { prompt: id("welcome"), next: id("nowhere") });
    assert!(matches!(refused(dangling), Err(Error::Flow { at, .. }) if at == "steps/greeting"));
    let circle = with("greeting", Step::Play { prompt: id("welcome"), next: id("open") });
    assert!(matches!(refused(circle), Err(Error::Flow { .. })));
    let unknown =
        with("sales", Step::Queue { queue: id("nobody"), asks: Default::default(), after: None, otherwise: None });
    assert_eq!(refused(unknown), Err(Error::Unknown { what: "queues", id: "nobody".into() }));
    assert!(refused(flow()).unwrap().is_some(), "a circle through a menu waits for the caller");
}

#[test]
fn a_thing_that_is_added_again_has_nothing_of_its_former_self() {
    let mut documents = seeded(1);
    local(&mut documents, Change::AgentSkill { agent: id("mei"), skill: id("latin"), level: Some(2) });
    local(&mut documents, Change::AgentRemove { agent: id("mei") });
    assert!(!effective(&documents).config.agents.contains_key(&id("mei")));
    let mut fresh = agent("201", "french");
    fresh.queues = [id("sales")].into();
    local(&mut documents, Change::AgentAdd { agent: id("mei"), value: fresh.clone() });
    assert_eq!(effective(&documents).config.agents[&id("mei")], fresh);
}

#[test]
fn emergency_numbers_are_replaced_as_a_whole_and_the_organisations_stay() {
    let mut documents = seeded(1);
    let numbers = |numbers: &[&str]| Change::SiteEmergency { numbers: numbers.iter().map(|n| id(n)).collect() };
    documents.edit(Doc::Org, &numbers(&["112"]), Author::Centre, AT).unwrap().unwrap();
    site(&mut documents, numbers(&["120"]));
    assert_eq!(effective(&documents).config.site.emergency, [id("112"), id("120")].into());
}

#[test]
fn an_empty_site_never_activates() {
    assert!(effective(&empty(1)).fatal());
}

#[test]
fn the_branch_overrides_what_is_its_own_and_the_centre_goes_on_below() {
    let mut documents = seeded(1);
    local(&mut documents, Change::QueueWrapUp { queue: id("sales"), seconds: 60 });
    local(&mut documents, Change::QueueHours { queue: id("sales"), hours: None });
    local(&mut documents, Change::AgentSkill { agent: id("mei"), skill: id("english"), level: None });
    site(&mut documents, Change::QueueWrapUp { queue: id("sales"), seconds: 5 });
    site(&mut documents, Change::QueueRing { queue: id("sales"), seconds: 33 });
    let config = effective(&documents).config;
    let sales = &config.queues[&id("sales")];
    assert_eq!((sales.wrap_up_s, sales.ring_s, &sales.hours), (60, 33, &None));
    assert!(config.agents[&id("mei")].skills.is_empty());
}

#[test]
fn how_a_queue_chooses_is_refused_outside_of_its_bounds() {
    let mut documents = seeded(1);
    let edit = |routing: Routing| Change::QueueRouting { queue: id("sales"), routing: Box::new(routing) };
    let mut refused = |routing| documents.edit(Doc::Local, &edit(routing), Author::Branch, AT);
    let ageing = Routing { ageing_s: 9, ..Routing::default() };
    let bounds = Error::Bounds { field: "ageing_s".into(), value: 9, min: 10, max: 3_600 };
    assert_eq!(refused(ageing), Err(bounds));
    let never = Routing { tiers: vec![Tier::default()], ..Routing::default() };
    assert!(matches!(refused(never), Err(Error::Invalid { field, .. }) if field == "tiers"));
    let tier = |after_s| Tier { after_s: Some(after_s), ..Tier::default() };
    let many = Routing { tiers: (0..7).map(tier).collect(), ..Routing::default() };
    assert!(refused(many).is_err());
    let nowhere = Tier { also: [id("nobody")].into(), ..tier(20) };
    let unknown = Error::Unknown { what: "queues", id: "nobody".into() };
    assert_eq!(refused(Routing { tiers: vec![nowhere], ..Routing::default() }), Err(unknown));
    let six = Routing { tiers: (0..6).map(tier).collect(), ..Routing::default() };
    assert!(refused(six).is_ok());
}

#[test]
fn a_phone_stands_at_a_place_that_is_there_and_at_no_other() {
    let mut documents = seeded(1);
    let place = |place: &str| Change::PhonePlace { phone: id("201"), place: Some(id(place)) };
    let unknown = Error::Unknown { what: "places", id: "annex".into() };
    assert_eq!(documents.edit(Doc::Site, &place("annex"), Author::Centre, AT), Err(unknown));
    let annex = Box::new(model::dialling::Place { label: "Annex".into(), ..Default::default() });
    let put = Change::PlacePut { place: id("annex"), value: annex };
    documents.edit(Doc::Site, &put, Author::Centre, AT).unwrap();
    documents.edit(Doc::Site, &place("annex"), Author::Centre, AT).unwrap();
    let config = config::effective(&documents).config;
    assert_eq!(config.phones[&id("201")].place, Some(id("annex")));
}

#[test]
fn a_flow_that_is_replaced_can_be_rolled_back_to_and_the_oldest_go() {
    let mut documents = seeded(1);
    let main = id("main");
    let labelled = |label: &str| Flow { label: label.into(), ..flow() };
    let at = |second: i64| Millis(AT.0 + second * 1_000);
    let mut edit = |change: Change, second: i64| {
        documents.edit(Doc::Site, &change, Author::Centre, at(second)).map(|bytes| (bytes.is_some(), documents.clone()))
    };
    let put = |label: &str| Change::FlowPut { flow: id("main"), value: labelled(label) };
    edit(put("second"), 1).unwrap();
    let (written, documents) = edit(put("second"), 2).unwrap();
    assert!(!written, "nothing is replaced by itself");
    let versions = flow_versions(&documents, &main);
    assert_eq!(versions.iter().map(|(at, flow)| (*at, flow.label.as_str())).collect::<Vec<_>>(), [(at(1), "Main")]);
    let back = Change::FlowRollBack { flow: main.clone(), replaced: at(1) };
    let (_, documents) = edit(back.clone(), 1).unwrap();
    assert_eq!(effective(&documents).config.flows[&main], flow());
    let versions = flow_versions(&documents, &main);
    assert_eq!(versions.into_values().map(|flow| flow.label).collect::<Vec<_>>(), ["Main", "second"]);
    for second in 3..20 {
        edit(put(&format!("{second}")), second).unwrap();
    }
    assert_eq!(edit(back, 21).map(drop), Err(Error::Unknown { what: "flow_versions", id: at(1).0.to_string() }));
    let (_, documents) = edit(put("last"), 22).unwrap();
    let versions = flow_versions(&documents, &main);
    assert_eq!(versions.len(), 10);
    assert_eq!(versions.into_values().next_back().map(|flow| flow.label), Some("19".to_owned()));
    assert!(effective(&documents).findings.is_empty());
}
