//! What is wrong with one flow, whatever stands beside it.

use model::flow::{Fault, Flow};

use crate::{Found, STEPS_MAX, bounds, graph};

/// All faults, the flow's own first, then by step. A flow without a grave one never leads nowhere.
pub fn check(flow: &Flow) -> Vec<Found> {
    if flow.steps.len() > STEPS_MAX {
        let max = i64::try_from(STEPS_MAX).unwrap_or(i64::MAX);
        let fault = Fault::OutOfBounds { field: "steps".to_owned(), min: 1, max };
        return vec![Found { at: None, fault, road: Vec::new(), grave: true }];
    }
    let roads = graph::roads(flow);
    let mut found = Vec::new();
    let mut add = |at: Option<&model::StepId>, fault: Fault| {
        let road = at.and_then(|id| roads.get(id)).cloned().unwrap_or_default();
        found.push(Found { at: at.cloned(), grave: fault.is_grave(), fault, road });
    };
    if !flow.steps.contains_key(&flow.start) {
        add(None, Fault::Dangling { to: flow.start.clone() });
    }
    bounds::of_variables(flow).into_iter().for_each(|fault| add(None, fault));
    for (id, step) in &flow.steps {
        let missing = step.leads_to().into_iter().filter(|to| !flow.steps.contains_key(*to));
        missing.for_each(|to| add(Some(id), Fault::Dangling { to: to.clone() }));
        bounds::of_step(flow, step).into_iter().for_each(|fault| add(Some(id), fault));
    }
    let circles = graph::circles(flow);
    for steps in &circles {
        add(steps.first(), Fault::Circle { steps: steps.clone() });
    }
    let fine = graph::with_a_way_out(flow);
    for id in flow.steps.keys() {
        let circles = circles.iter().any(|steps| steps.contains(id));
        if !fine.contains(id) && !circles {
            add(Some(id), Fault::NoWayOut);
        }
        if !roads.contains_key(id) {
            add(Some(id), Fault::Unreachable);
        }
    }
    found.sort();
    found.dedup();
    found
}
