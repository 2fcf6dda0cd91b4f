//! What is wrong with a flow where it stands: among the queues, hours, phones and flows of a site.

use std::collections::BTreeSet;

use model::{
    FlowId,
    config::Config,
    flow::{DEPTH_MAX, Fault, Flow, Step, Test},
};

use crate::{Found, graph};

/// What the flow points at that is not there, sub-flows that go too deep, and variables on whose type a sub-flow does not
/// agree. What a run can do without (a phone to transfer to, a condition's queue or hours) is not grave.
pub fn check_among(id: &FlowId, flow: &Flow, config: &Config) -> Vec<Found> {
    let roads = graph::roads(flow);
    let mut found = Vec::new();
    let mut add = |at: &model::StepId, fault: Fault, grave: bool| {
        let road = roads.get(at).cloned().unwrap_or_default();
        found.push(Found { at: Some(at.clone()), fault, road, grave });
    };
    let missing = |what: &dyn ToString| Fault::Missing { what: what.to_string() };
    for (at, step) in &flow.steps {
        match step {
            Step::Queue { queue, .. } | Step::Callback { queue, .. } | Step::Voicemail { queue, .. }
                if !config.queues.contains_key(queue) =>
            {
                add(at, missing(queue), true);
            }
            Step::Transfer { phone, .. } if !config.phones.contains_key(phone) => add(at, missing(phone), false),
            Step::SubFlow { flow: other, .. } => match config.flows.get(other) {
                None => add(at, missing(other), true),
                Some(below) => {
                    if let Some(flows) = too_deep(config, &[id.clone(), other.clone()]) {
                        add(at, Fault::TooDeep { flows }, true);
                    } else if let Some(fault) = disagreement(flow, below) {
                        add(at, fault, true);
                    }
                }
            },
            Step::If { all, .. } => {
                for test in all {
                    match test {
                        Test::Open { hours } if !config.hours.contains_key(hours) => add(at, missing(hours), false),
                        Test::Takes { queue }
                        | Test::Waiting { queue, .. }
                        | Test::WaitLonger { queue, .. }
                        | Test::Served { queue }
                            if !config.queues.contains_key(queue) =>
                        {
                            add(at, missing(queue), false);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Flows that this one calls.
pub fn refers(flow: &Flow) -> BTreeSet<&FlowId> {
    let called = flow.steps.values().filter_map(|step| match step {
        Step::SubFlow { flow, .. } => Some(flow),
        _ => None,
    });
    called.collect()
}

/// The flows on a road of sub-flows that is longer than the limit, or comes back to where it was.
fn too_deep(config: &Config, road: &[FlowId]) -> Option<Vec<FlowId>> {
    let (last, before) = road.split_last()?;
    if before.contains(last) || before.len() > DEPTH_MAX {
        return Some(road.to_vec());
    }
    let next = config.flows.get(last).map(refers).unwrap_or_default();
    next.into_iter().find_map(|other| {
        let mut longer = road.to_vec();
        longer.push(other.clone());
        too_deep(config, &longer)
    })
}

fn disagreement(flow: &Flow, below: &Flow) -> Option<Fault> {
    let other = |(name, first): &(&model::VariableId, &model::flow::Value)| {
        below.variables.get(*name).is_some_and(|theirs| !theirs.has_type_of(first))
    };
    flow.variables.iter().find(other).map(|(variable, _)| Fault::OtherType { variable: variable.clone() })
}
