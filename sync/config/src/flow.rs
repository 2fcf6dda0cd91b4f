//! Is a flow document a graph that can be run? The same answer serves the editor and the resolver.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    HoursId, StepId,
    change::Problem,
    config::{Flow, Hours, Step},
};

use crate::{
    change::Named,
    rules::{LABEL_MAX, most},
};

const WAIT_S: (u32, u32) = (1, 60);
const TRIES: (u32, u32) = (1, 10);

/// What makes the flow unusable, each with the place within the flow.
pub(crate) fn faults(flow: &Flow) -> Vec<(String, Problem)> {
    let mut faults = Vec::new();
    if flow.steps.len() > most::STEPS {
        let max = i64::try_from(most::STEPS).unwrap_or(i64::MAX);
        faults.push(("steps".to_owned(), Problem::OutOfBounds { min: 1, max, used: max }));
        return faults;
    }
    if flow.label.chars().count() > LABEL_MAX {
        faults.push(("label".to_owned(), Problem::TooLong { max: u32::try_from(LABEL_MAX).unwrap_or(u32::MAX) }));
    }
    if !flow.steps.contains_key(&flow.start) {
        faults.push(("start".to_owned(), Problem::Dangling { to: flow.start.to_string() }));
    }
    for (id, step) in &flow.steps {
        let missing = leads_to(step).into_iter().find(|to| !flow.steps.contains_key(*to));
        if let Some(to) = missing {
            faults.push((format!("steps/{id}"), Problem::Dangling { to: to.to_string() }));
        }
        faults.extend(bounds(step).map(|problem| (format!("steps/{id}"), problem)));
    }
    if faults.is_empty()
        && let Some(step) = circle(flow)
    {
        faults.push((format!("steps/{step}"), Problem::FlowLoop));
    }
    faults
}

fn bounds(step: &Step) -> Option<Problem> {
    let Step::Menu { choices, wait_s, tries, .. } = step else { return None };
    let outside = |value: u32, (min, max): (u32, u32)| {
        let used = value.clamp(min, max);
        (used != value).then(|| Problem::OutOfBounds { min: min.into(), max: max.into(), used: used.into() })
    };
    let digit = |key: &char| key.is_ascii_digit() || matches!(key, '*' | '#');
    let wrong = choices.keys().any(|key| !digit(key)).then_some(Problem::WrongType);
    wrong.or_else(|| outside(*wait_s, WAIT_S)).or_else(|| outside(*tries, TRIES))
}

fn leads_to(step: &Step) -> Vec<&StepId> {
    match step {
        Step::Play { next, .. } => vec![next],
        Step::Menu { choices, otherwise, .. } => choices.values().chain([otherwise]).collect(),
        Step::Open { then, otherwise, .. } => vec![then, otherwise],
        Step::Queue { .. } | Step::Hangup => Vec::new(),
    }
}

/// A step from which the flow can go in a circle without waiting for the caller: only a menu waits, and a queue or a
/// hang-up ends.
fn circle(flow: &Flow) -> Option<&StepId> {
    let waits = |step: &Step| matches!(step, Step::Menu { .. } | Step::Queue { .. } | Step::Hangup);
    let mut fine: BTreeSet<&StepId> = flow.steps.iter().filter(|(_, step)| waits(step)).map(|(id, _)| id).collect();
    loop {
        let more: Vec<&StepId> = flow
            .steps
            .iter()
            .filter(|(id, step)| !fine.contains(id) && leads_to(step).iter().all(|to| fine.contains(to)))
            .map(|(id, _)| id)
            .collect();
        if more.is_empty() {
            break;
        }
        fine.extend(more);
    }
    flow.steps.keys().find(|id| !fine.contains(id))
}

/// Queues and hours that the flow needs.
pub(crate) fn refers(flow: &Flow) -> Vec<Named> {
    let named = |step: &Step| match step {
        Step::Queue { queue, .. } => Some(("queues", queue.to_string())),
        Step::Open { hours, .. } => Some(("hours", hours.to_string())),
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
        let redirect = |to: &mut StepId| {
            if *to == id {
                *to = then.clone();
            }
        };
        redirect(&mut flow.start);
        for step in flow.steps.values_mut() {
            match step {
                Step::Play { next, .. } => redirect(next),
                Step::Menu { choices, otherwise, .. } => choices.values_mut().chain([otherwise]).for_each(redirect),
                Step::Open { then, otherwise, .. } => [then, otherwise].into_iter().for_each(redirect),
                Step::Queue { .. } | Step::Hangup => {}
            }
        }
        bypassed.push((id, missing));
    }
    bypassed
}
