//! What a flow needs of the documents around it, and how its faults become findings. What is wrong with a flow itself is
//! `flow`'s to say: the same answer serves the editor and the resolver.

use std::collections::BTreeMap;

use ::flow::Found;
use model::{
    HoursId, StepId,
    change::Problem,
    config::Hours,
    flow::{Fault, Flow, Step},
};

use crate::{change::Named, error::Error, rules::LABEL_MAX};

/// Versions of one flow that are kept, beside the one that is published.
pub(crate) const VERSIONS_MAX: usize = 10;

/// Why an editor may not publish the flow. What is not grave is a finding, but nobody shall be led where there is no way
/// out.
pub(crate) fn refusal(flow: &Flow) -> Option<Error> {
    let refused = ::flow::check(flow).into_iter().find(|found| found.grave || found.fault == Fault::NoWayOut)?;
    let at = refused.at.map_or_else(|| "start".to_owned(), |step| format!("steps/{step}"));
    Some(Error::Flow { at, fault: Box::new(refused.fault), road: refused.road })
}

/// The place of a finding within the flow, and the finding.
pub(crate) fn finding(found: Found) -> (String, Problem) {
    let place = found.at.map_or_else(|| "start".to_owned(), |step| format!("steps/{step}"));
    (place, Problem::Flow { fault: found.fault, road: found.road })
}

pub(crate) fn label_fits(flow: &Flow) -> Option<(String, Problem)> {
    let long = flow.label.chars().count() > LABEL_MAX;
    long.then(|| ("label".to_owned(), Problem::TooLong { max: u32::try_from(LABEL_MAX).unwrap_or(u32::MAX) }))
}

/// Queues, hours and flows that the flow cannot do without.
pub(crate) fn refers(flow: &Flow) -> Vec<Named> {
    let named = |step: &Step| match step {
        Step::Queue { queue, .. } | Step::Callback { queue, .. } | Step::Voicemail { queue, .. } => {
            Some(("queues", queue.to_string()))
        }
        Step::Open { hours, .. } => Some(("hours", hours.to_string())),
        Step::SubFlow { flow, .. } => Some(("flows", flow.to_string())),
        _ => None,
    };
    flow.steps.values().filter_map(named).collect()
}

/// Steps that ask for hours that are not there are taken as open: whoever leads to them is led on. Returns the steps
/// that were bypassed.
pub(crate) fn bypass(flow: &mut Flow, hours: &BTreeMap<HoursId, Hours>) -> Vec<(StepId, HoursId)> {
    let mut bypassed = Vec::new();
    // Each round takes one step away, so this ends.
    while let Some((id, missing, then)) = flow.steps.iter().find_map(|(id, step)| match step {
        Step::Open { hours: asked, then, .. } if !hours.contains_key(asked) => {
            Some((id.clone(), asked.clone(), then.clone()))
        }
        _ => None,
    }) {
        flow.steps.remove(&id);
        let all = flow.steps.values_mut().flat_map(Step::leads_to_mut).chain([&mut flow.start]);
        all.filter(|to| **to == id).for_each(|to| *to = then.clone());
        bypassed.push((id, missing));
    }
    bypassed
}
