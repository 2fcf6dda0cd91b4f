//! What three documents amount to, and what the resolver found in them.

use config::{Author, effective};
use model::{
    change::{Change, Doc, Problem, Severity},
    config::{Locality, Phone},
    flow::{Fault, Flow, Step},
    routing::{Routing, Strategy, Tier},
};

use crate::support::{AT, agent, empty, finding, flow, id, local, problem, seeded, site};

fn locality(locality: Locality) -> Change {
    Change::QueueLocality { queue: id("sales"), locality }
}

#[test]
fn a_queue_that_the_organisation_keeps_local_is_loosened_by_nobody() {
    let mut documents = seeded(1);
    let sales = |documents: &config::Documents| effective(documents).config.queues[&id("sales")].overflow.locality;
    assert_eq!(sales(&documents), Locality::MayLeave);
    documents.edit(Doc::Org, &locality(Locality::LocalOnly), Author::Centre, AT).unwrap().unwrap();
    local(&mut documents, locality(Locality::MayLeave));
    assert_eq!(sales(&documents), Locality::LocalOnly);
}

#[test]
fn a_branch_may_be_stricter_than_the_centre() {
    let mut documents = seeded(1);
    local(&mut documents, locality(Locality::LocalOnly));
    assert_eq!(effective(&documents).config.queues[&id("sales")].overflow.locality, Locality::LocalOnly);
}

#[test]
fn two_agents_on_one_phone_leave_it_to_the_smaller_id() {
    let mut documents = seeded(1);
    local(&mut documents, Change::AgentPhone { agent: id("mei"), phone: Some(id("202")) });
    let resolved = effective(&documents);
    assert_eq!(resolved.config.agents[&id("mei")].phone, Some(id("202")));
    assert_eq!(resolved.config.agents[&id("tao")].phone, None);
    let found = finding(&resolved, "agents/tao/phone").unwrap();
    assert_eq!(found.problem, Problem::PhoneShared { kept_by: id("mei") });
    assert_eq!(found.severity, Severity::Repaired);
}

#[test]
fn what_points_at_something_removed_is_dropped_and_reported() {
    let mut documents = seeded(1);
    local(&mut documents, Change::PhoneRemove { phone: id("201") });
    local(&mut documents, Change::HoursRemove { hours: id("office") });
    site(&mut documents, Change::TrunkRemove { trunk: id("carrier") });
    let resolved = effective(&documents);
    let dangling = |to: &str| Some(Problem::Dangling { to: to.into() });
    assert_eq!(problem(&documents, "agents/mei/phone"), dangling("201"));
    assert_eq!(problem(&documents, "queues/sales/hours"), dangling("office"));
    assert_eq!(problem(&documents, "site/outward"), dangling("carrier"));
    assert_eq!(resolved.config.site.outward, None);
    // The flow asked for those hours: it is led on as if they were open.
    assert_eq!(problem(&documents, "flows/main/steps/open"), dangling("office"));
    assert_eq!(resolved.config.flows[&id("main")].start, id("greeting"));
    assert!(!resolved.fatal());
}

#[test]
fn a_number_that_nothing_answers_is_fatal() {
    let mut documents = seeded(1);
    site(&mut documents, Change::QueueRemove { queue: id("sales") });
    let resolved = effective(&documents);
    assert!(resolved.fatal());
    assert_eq!(finding(&resolved, "numbers/+8657112345678").unwrap().severity, Severity::Fatal);
    assert_eq!(
        problem(&documents, "flows/main/steps/sales"),
        Some(Problem::Flow {
            fault: Fault::Missing { what: "sales".into() },
            road: [id("open"), id("greeting"), id("menu"), id("sales")].into()
        })
    );
    site(&mut documents, Change::NumberRemove { number: id("+8657112345678") });
    assert!(!effective(&documents).fatal());
}

#[test]
fn a_queue_that_no_agent_can_serve_is_pointed_out() {
    let mut documents = seeded(1);
    local(&mut documents, Change::AgentSkill { agent: id("mei"), skill: id("english"), level: Some(2) });
    assert_eq!(problem(&documents, "queues/sales"), Some(Problem::NobodyServes));
    local(&mut documents, Change::AgentSkill { agent: id("mei"), skill: id("english"), level: Some(3) });
    assert_eq!(problem(&documents, "queues/sales"), None);
}

#[test]
fn overflow_to_oneself_or_twice_to_the_same_site_is_taken_out() {
    let mut documents = seeded(1);
    let to = vec![id("hangzhou"), id("suzhou"), id("suzhou")];
    site(&mut documents, Change::QueueOverflowTo { queue: id("sales"), to });
    assert_eq!(effective(&documents).config.queues[&id("sales")].overflow.to, [id("suzhou")]);
    assert_eq!(problem(&documents, "queues/sales/overflow_to"), Some(Problem::OverflowLoop));
}

#[test]
fn different_fields_edited_while_apart_both_survive_without_a_finding() {
    let (mut centre, mut branch) = (seeded(1), seeded(2));
    let one = local(&mut centre, Change::QueueRing { queue: id("sales"), seconds: 40 });
    let other = local(&mut branch, Change::QueueWrapUp { queue: id("sales"), seconds: 7 });
    centre.local.apply(&other).unwrap();
    branch.local.apply(&one).unwrap();
    let resolved = effective(&centre);
    assert_eq!(resolved, effective(&branch));
    let sales = &resolved.config.queues[&id("sales")];
    assert_eq!((sales.ring_s, sales.wrap_up_s), (40, 7));
    assert_eq!(resolved.findings, []);
}

#[test]
fn the_same_field_edited_while_apart_keeps_one_value_and_reports_the_other() {
    let (mut centre, mut branch) = (seeded(1), seeded(2));
    let one = local(&mut centre, Change::QueueRing { queue: id("sales"), seconds: 40 });
    let other = local(&mut branch, Change::QueueRing { queue: id("sales"), seconds: 50 });
    centre.local.apply(&other).unwrap();
    branch.local.apply(&one).unwrap();
    assert_eq!(effective(&centre), effective(&branch));
    let kept = effective(&centre).config.queues[&id("sales")].ring_s;
    let dropped = if kept == 40 { "50" } else { "40" };
    let expected = Problem::Concurrent { kept: kept.to_string(), dropped: [dropped.to_owned()].into() };
    assert_eq!(problem(&centre, "queues/sales/ring_s"), Some(expected));
    // Whoever confirms the value that was kept settles it.
    local(&mut centre, Change::QueueRing { queue: id("sales"), seconds: kept });
    assert_eq!(problem(&centre, "queues/sales/ring_s"), None);
}

#[test]
fn strict_and_loose_written_at_once_are_strict() {
    let (mut one, mut other) = (seeded(1), seeded(2));
    let strict = one.edit(Doc::Org, &locality(Locality::LocalOnly), Author::Centre, AT).unwrap().unwrap();
    let loose = other.edit(Doc::Org, &locality(Locality::MayLeave), Author::Centre, AT).unwrap().unwrap();
    one.org.apply(&loose).unwrap();
    other.org.apply(&strict).unwrap();
    for documents in [&one, &other] {
        assert_eq!(effective(documents).config.queues[&id("sales")].overflow.locality, Locality::LocalOnly);
    }
}

#[test]
fn an_agent_and_a_phone_of_the_branchs_own_serve() {
    let mut documents = seeded(1);
    local(
        &mut documents,
        Change::PhoneAdd { phone: id("203"), value: Phone { label: "Desk 3".into(), ..Phone::default() } },
    );
    local(&mut documents, Change::AgentAdd { agent: id("lin"), value: agent("203", "english") });
    let resolved = effective(&documents);
    assert_eq!(resolved.config.agents[&id("lin")], agent("203", "english"));
    assert_eq!(resolved.findings, []);
}

#[test]
fn more_agents_than_there_may_be_are_left_out_in_the_order_of_their_names() {
    let mut documents = empty(1);
    for change in config::changes_from(&crate::support::sample()) {
        site(&mut documents, change);
    }
    for number in 0..2_000 {
        let mut extra = agent("201", "english");
        extra.phone = None;
        site(&mut documents, Change::AgentAdd { agent: id(&format!("a{number:04}")), value: extra });
    }
    let resolved = effective(&documents);
    assert_eq!(resolved.config.agents.len(), 2_000);
    assert!(!resolved.config.agents.contains_key(&id("tao")), "the last by name");
    assert_eq!(problem(&documents, "agents"), Some(Problem::OutOfBounds { min: 0, max: 2_000, used: 2_000 }));
}

#[test]
fn a_flow_whose_circle_waits_in_a_menu_is_run() {
    let mut documents = seeded(1);
    let mut circle = flow();
    circle.steps.insert(
        id("closed"),
        Step::Menu { prompt: id("closed"), choices: Default::default(), wait_s: 5, tries: 1, otherwise: id("open") },
    );
    circle.steps.insert(id("open"), Step::Open { hours: id("office"), then: id("closed"), otherwise: id("bye") });
    site(&mut documents, Change::FlowPut { flow: id("main"), value: circle });
    assert!(!effective(&documents).fatal(), "a menu waits");
}

#[test]
fn how_a_queue_chooses_is_read_bounded_and_freed_of_queues_that_are_gone() {
    let mut documents = seeded(1);
    let tier = Tier { after_s: Some(30), also: [id("support")].into(), ..Tier::default() };
    let routing = Routing { strategy: Strategy::MostSkilled, tiers: vec![tier], ..Routing::default() };
    local(&mut documents, Change::QueueRouting { queue: id("sales"), routing: Box::new(routing.clone()) });
    assert_eq!(effective(&documents).config.queues[&id("sales")].routing, routing);
    assert_eq!(effective(&documents).config.queues[&id("support")].routing, Routing::default());
    site(&mut documents, Change::QueueRemove { queue: id("support") });
    let resolved = effective(&documents);
    assert!(resolved.config.queues[&id("sales")].routing.tiers[0].also.is_empty());
    let found = finding(&resolved, "queues/sales/routing").unwrap();
    assert_eq!(found.problem, Problem::Dangling { to: "support".into() });
}

#[test]
fn a_flow_that_goes_takes_along_those_that_call_it() {
    let mut documents = seeded(1);
    let sub = |flow: &str| Step::SubFlow { flow: id(flow), next: id("bye") };
    let calls = |flow: &str| {
        let steps = [(id("start"), sub(flow)), (id("bye"), Step::Hangup)].into();
        Flow {
            label: flow.into(),
            language: None,
            start: id("start"),
            variables: Default::default(),
            shown: Default::default(),
            steps,
        }
    };
    site(&mut documents, Change::FlowPut { flow: id("top"), value: calls("main") });
    site(&mut documents, Change::NumberPut { number: id("+8657112345679"), flow: id("top") });
    assert!(effective(&documents).findings.is_empty());
    site(&mut documents, Change::QueueRemove { queue: id("sales") });
    let resolved = effective(&documents);
    assert!(resolved.config.flows.is_empty());
    let missing = Problem::Flow { fault: Fault::Missing { what: "main".into() }, road: vec![id("start")] };
    assert_eq!(problem(&documents, "flows/top/steps/start"), Some(missing));
    assert!(resolved.fatal());
}

#[test]
fn flows_that_call_one_another_in_a_circle_are_not_run() {
    let mut documents = seeded(1);
    let mut back = flow();
    back.steps.insert(id("bye"), Step::SubFlow { flow: id("main"), next: id("end") });
    back.steps.insert(id("end"), Step::Hangup);
    site(&mut documents, Change::FlowPut { flow: id("main"), value: back });
    let found = problem(&documents, "flows/main/steps/bye");
    assert!(
        matches!(found, Some(Problem::Flow { fault: Fault::TooDeep { flows }, .. }) if flows == [id("main"), id("main")])
    );
}
