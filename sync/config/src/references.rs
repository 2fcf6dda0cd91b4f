//! Meaning across fields: what points at nothing, phones that two agents claim, flows that cannot be run, queues
//! that nobody serves. Repaired in the order of names, so that every replica does the same.

use std::collections::{BTreeMap, BTreeSet};

use ::flow::Found;
use model::{
    AgentId, Extension, FlowId, QueueId,
    change::{Problem, Severity},
    config::{Agent, Config, Queue},
    flow::Flow,
};

use crate::{carrier, flow, layers::Findings};

pub(crate) fn repair(config: &mut Config, findings: &mut Findings) {
    outward(config, findings);
    places(config, findings);
    carrier::repair(config, findings);
    queues(config, findings);
    agents(config, findings);
    flows(config, findings);
    numbers(config, findings);
    nobody_serves(config, findings);
}

pub(crate) fn dangling(to: &impl ToString) -> Problem {
    Problem::Dangling { to: to.to_string() }
}

fn outward(config: &mut Config, findings: &mut Findings) {
    if let Some(trunk) = config.site.outward.take_if(|trunk| !config.trunks.contains_key(trunk)) {
        findings.add(Severity::Warning, "site/outward", dangling(&trunk));
    }
}

fn places(config: &mut Config, findings: &mut Findings) {
    let trunks = &config.trunks;
    config.site.dialling.backup.retain(|trunk| {
        let there = trunks.contains_key(trunk);
        if !there {
            findings.add(Severity::Warning, "site/dialling", dangling(trunk));
        }
        there
    });
    if let Some(place) = config.site.dialling.place.take_if(|place| !config.places.contains_key(place)) {
        findings.add(Severity::Warning, "site/dialling", dangling(&place));
    }
    for (id, place) in &mut config.places {
        if let Some(trunk) = place.trunk.take_if(|trunk| !trunks.contains_key(trunk)) {
            findings.add(Severity::Warning, format!("places/{id}"), dangling(&trunk));
        }
    }
    for (id, phone) in &mut config.phones {
        if let Some(place) = phone.place.take_if(|place| !config.places.contains_key(place)) {
            findings.add(Severity::Warning, format!("phones/{id}/place"), dangling(&place));
        }
    }
}

fn queues(config: &mut Config, findings: &mut Findings) {
    let known: BTreeSet<QueueId> = config.queues.keys().cloned().collect();
    for (id, queue) in &mut config.queues {
        if let Some(hours) = queue.hours.take_if(|hours| !config.hours.contains_key(hours)) {
            findings.add(Severity::Repaired, format!("queues/{id}/hours"), dangling(&hours));
        }
        if let Some(hours) = queue.callback.hours.take_if(|hours| !config.hours.contains_key(hours)) {
            findings.add(Severity::Repaired, format!("queues/{id}/callback"), dangling(&hours));
        }
        queue.dispositions.only.retain(|code| {
            let there = config.site.dispositions.contains_key(code);
            if !there {
                findings.add(Severity::Repaired, format!("queues/{id}/dispositions"), dangling(code));
            }
            there
        });
        if queue.dispositions.required && config.site.dispositions.is_empty() {
            queue.dispositions.required = false;
            findings.add(Severity::Repaired, format!("queues/{id}/dispositions"), Problem::Missing);
        }
        for tier in &mut queue.routing.tiers {
            tier.also.retain(|other| {
                let there = known.contains(other);
                if !there {
                    findings.add(Severity::Repaired, format!("queues/{id}/routing"), dangling(other));
                }
                there
            });
        }
        let mut seen = BTreeSet::from([config.site.id.clone()]);
        let before = queue.overflow.to.len();
        queue.overflow.to.retain(|site| seen.insert(site.clone()));
        if queue.overflow.to.len() < before {
            findings.add(Severity::Repaired, format!("queues/{id}/overflow_to"), Problem::OverflowLoop);
        }
    }
}

fn agents(config: &mut Config, findings: &mut Findings) {
    let mut keepers: BTreeMap<Extension, AgentId> = BTreeMap::new();
    for (id, agent) in &mut config.agents {
        if let Some(phone) = agent.phone.take_if(|phone| !config.phones.contains_key(phone)) {
            findings.add(Severity::Repaired, format!("agents/{id}/phone"), dangling(&phone));
        }
        agent.queues.retain(|queue| {
            let there = config.queues.contains_key(queue);
            if !there {
                findings.add(Severity::Repaired, format!("agents/{id}/queues/{queue}"), dangling(queue));
            }
            there
        });
        let Some(phone) = agent.phone.clone() else { continue };
        match keepers.get(&phone) {
            Some(keeper) => {
                agent.phone = None;
                let problem = Problem::PhoneShared { kept_by: keeper.clone() };
                findings.add(Severity::Repaired, format!("agents/{id}/phone"), problem);
            }
            None => drop(keepers.insert(phone, id.clone())),
        }
    }
}

fn flows(config: &mut Config, findings: &mut Findings) {
    let hours = &config.hours;
    config.flows.retain(|id, flow| {
        let path = format!("flows/{id}");
        for (step, missing) in flow::bypass(flow, hours) {
            findings.add(Severity::Repaired, format!("{path}/steps/{step}"), dangling(&missing));
        }
        let label = flow::label_fits(flow);
        let found = ::flow::check(flow);
        let usable = label.is_none() && !found.iter().any(|found| found.grave);
        for (place, problem) in label.into_iter().chain(found.into_iter().map(flow::finding)) {
            findings.add(Severity::Warning, format!("{path}/{place}"), problem);
        }
        usable
    });
    // A flow that goes takes along those which cannot do without it; each round takes one away at least, so this ends.
    loop {
        let among = |id: &FlowId, flow: &Flow| ::flow::check_among(id, flow, config);
        let found: Vec<_> = config.flows.iter().map(|(id, flow)| (id.clone(), among(id, flow))).collect();
        let lame = |(id, found): &(FlowId, Vec<Found>)| found.iter().any(|one| one.grave).then(|| id.clone());
        let lame: BTreeSet<FlowId> = found.iter().filter_map(lame).collect();
        for (id, found) in found.into_iter().filter(|(id, _)| lame.is_empty() || lame.contains(id)) {
            for (place, problem) in found.into_iter().map(flow::finding) {
                findings.add(Severity::Warning, format!("flows/{id}/{place}"), problem);
            }
        }
        if lame.is_empty() {
            return;
        }
        config.flows.retain(|id, _| !lame.contains(id));
    }
}

/// A number that nothing answers would turn callers away: better to go on with the last good configuration.
fn numbers(config: &mut Config, findings: &mut Findings) {
    config.numbers.retain(|number, flow| {
        let answered = config.flows.contains_key(flow);
        if !answered {
            findings.add(Severity::Fatal, format!("numbers/{number}"), dangling(flow));
        }
        answered
    });
}

fn nobody_serves(config: &Config, findings: &mut Findings) {
    for (id, queue) in &config.queues {
        let served = config.agents.values().any(|agent| agent.queues.contains(id) && skilled(agent, queue));
        if !served {
            findings.add(Severity::Warning, format!("queues/{id}"), Problem::NobodyServes);
        }
    }
}

fn skilled(agent: &Agent, queue: &Queue) -> bool {
    queue.skills.iter().all(|(skill, needed)| agent.skills.get(skill).is_some_and(|level| level >= needed))
}
