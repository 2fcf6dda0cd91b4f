//! A configuration that is wanted, as a file says it.

use config::{Author, Documents, Error, Unfit, effective, plan};
use model::{
    Millis,
    change::{Change, Doc},
    config::{Config, Phone},
    history::Value,
};
use proptest::prelude::*;

use crate::{
    convergence::change,
    support::{AT, agent, id, local, queue, sample, seeded},
};

fn apply(documents: &mut Documents, wanted: &Config) -> config::Plan {
    let plan = plan(documents, wanted, AT).unwrap();
    for (doc, fields) in &plan.writes {
        documents.restore(*doc, fields, Author::Centre, AT).unwrap();
    }
    plan
}

fn paths(plan: &config::Plan) -> Vec<&str> {
    plan.differences.iter().map(|difference| difference.path.as_str()).collect()
}

#[test]
fn what_is_as_wanted_needs_nothing() {
    let documents = seeded(1);
    let plan = plan(&documents, &sample(), AT).unwrap();
    assert!(plan.differences.is_empty() && plan.stays.is_empty());
    assert!(plan.writes.iter().all(|(_, fields)| fields.is_empty()));
}

#[test]
fn a_wanted_configuration_is_what_the_site_then_runs_by() {
    let mut documents = seeded(1);
    let mut wanted = sample();
    wanted.queues.get_mut(&id("sales")).unwrap().ring_s = 44;
    wanted.queues.get_mut(&id("sales")).unwrap().hours = None;
    wanted.queues.insert(id("third"), queue("english"));
    wanted.agents.remove(&id("tao"));
    wanted.agents.get_mut(&id("mei")).unwrap().skills.clear();
    wanted.agents.get_mut(&id("mei")).unwrap().queues.remove(&id("support"));
    wanted.phones.insert(id("203"), Phone { label: "Desk 3".into(), ..Phone::default() });
    wanted.site.emergency.remove(&id("119"));
    wanted.numbers.clear();
    wanted.hours.get_mut(&id("office")).unwrap().closed.clear();
    wanted.site.dialling.prefix = "0".into();
    let done = apply(&mut documents, &wanted);
    assert_eq!(done.stays, Vec::<String>::new());
    assert_eq!(effective(&documents).config, wanted);
    assert!(paths(&done).contains(&"queues/sales/ring_s") && paths(&done).contains(&"site/dialling/prefix"));
    assert!(plan(&documents, &wanted, AT).unwrap().differences.is_empty());
}

#[test]
fn a_branch_s_own_word_at_the_same_path_gives_way_and_elsewhere_stays() {
    let mut documents = seeded(1);
    local(&mut documents, Change::QueueRing { queue: id("sales"), seconds: 40 });
    local(&mut documents, Change::QueueWrapUp { queue: id("sales"), seconds: 41 });
    local(&mut documents, Change::AgentAdd { agent: id("lin"), value: agent("201", "french") });
    let mut wanted = effective(&documents).config;
    assert!(
        plan(&documents, &wanted, AT).unwrap().differences.is_empty(),
        "what the branch runs by is no drift from itself"
    );
    wanted.queues.get_mut(&id("sales")).unwrap().ring_s = 44;
    wanted.agents.remove(&id("lin"));
    apply(&mut documents, &wanted);
    let sales = effective(&documents).config.queues[&id("sales")].clone();
    assert_eq!((sales.ring_s, sales.wrap_up_s), (44, 41));
    assert_eq!(effective(&documents).config, wanted);
}

#[test]
fn a_flow_that_is_replaced_stays_as_an_earlier_version_and_its_parts_are_told() {
    let mut documents = seeded(1);
    let mut wanted = sample();
    wanted.flows.get_mut(&id("main")).unwrap().label = "Second".into();
    let done = apply(&mut documents, &wanted);
    assert_eq!(paths(&done), ["flows/main/label"]);
    assert_eq!(done.differences[0].after, Some(Value::Text("Second".into())));
    assert_eq!(config::flow_versions(&documents, &id("main")).len(), 1);
}

#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let documents = seeded(1);
    let mut wanted = sample();
    wanted.queues.get_mut(&id("sales")).unwrap().ring_s = 4_000;
    let Err(Unfit::Change { error, .. }) = plan(&documents, &wanted, AT) else { panic!("it fits") };
    assert_eq!(error, Error::Bounds { field: "queues/sales/ring_s".into(), value: 4_000, min: 5, max: 300 });
    let mut other = sample();
    other.site.id = id("suzhou");
    assert_eq!(plan(&documents, &other, AT), Err(Unfit::OtherSite(id("suzhou"))));
}

#[test]
fn what_the_organisation_says_stays_and_is_told() {
    let mut documents = seeded(1);
    let numbers = Change::SiteEmergency { numbers: [id("112")].into() };
    documents.edit(Doc::Org, &numbers, Author::Centre, Millis(AT.0)).unwrap();
    let plan = plan(&documents, &sample(), AT).unwrap();
    assert_eq!(paths(&plan), ["site/emergency/112"]);
    assert_eq!(plan.stays, ["site/emergency/112"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// From anything that people made of a site, back to the file.
    #[test]
    fn whatever_was_edited_a_plan_leads_back(changes in prop::collection::vec((any::<bool>(), change()), 0..30)) {
        let mut documents = seeded(1);
        for (here, change) in changes {
            let (doc, author) = if here { (Doc::Local, Author::Branch) } else { (Doc::Site, Author::Centre) };
            drop(documents.edit(doc, &change, author, AT));
        }
        let done = apply(&mut documents, &sample());
        prop_assert_eq!(done.stays, Vec::<String>::new());
        prop_assert_eq!(effective(&documents).config, sample());
    }
}
