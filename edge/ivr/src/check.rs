//! What is wrong with a flow, found without running it.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    StepId,
    config::{Flow, Step},
};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// A step, or the flow's start (None), points at a step that is not there.
    Dangling { from: Option<StepId>, to: StepId },
    /// These steps form a circle that never waits for the caller, in id order.
    Loop { steps: BTreeSet<StepId> },
    /// No road from the start leads here.
    Unreachable { step: StepId },
    /// A menu without a choice.
    NoChoice { step: StepId },
    /// A key that no telephone has.
    Key { step: StepId, key: char },
}

/// All problems, in order. A flow without one never ends by [`crate::run::End::Dangling`].
pub fn check(flow: &Flow) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !flow.steps.contains_key(&flow.start) {
        problems.push(Problem::Dangling { from: None, to: flow.start.clone() });
    }
    for (id, step) in &flow.steps {
        let missing = next_steps(step).into_iter().filter(|to| !flow.steps.contains_key(*to));
        problems.extend(missing.map(|to| Problem::Dangling { from: Some(id.clone()), to: to.clone() }));
        if let Step::Menu { choices, .. } = step {
            if choices.is_empty() {
                problems.push(Problem::NoChoice { step: id.clone() });
            }
            let foreign = choices.keys().filter(|key| !"0123456789*#ABCD".contains(**key));
            problems.extend(foreign.map(|key| Problem::Key { step: id.clone(), key: *key }));
        }
    }
    problems.extend(loops(flow));
    let reached = reachable(flow, &flow.start, |_| true);
    let lost = flow.steps.keys().filter(|id| !reached.contains(*id));
    problems.extend(lost.map(|id| Problem::Unreachable { step: id.clone() }));
    problems.sort();
    problems.dedup();
    problems
}

/// Where a step can lead.
pub fn next_steps(step: &Step) -> BTreeSet<&StepId> {
    match step {
        Step::Play { next, .. } => BTreeSet::from([next]),
        Step::Menu { choices, otherwise, .. } => choices.values().chain([otherwise]).collect(),
        Step::Open { then, otherwise, .. } => BTreeSet::from([then, otherwise]),
        Step::Queue { .. } | Step::Hangup => BTreeSet::new(),
    }
}

/// Everything that can be reached from `from`, leaving only steps of which `through` is true.
fn reachable(flow: &Flow, from: &StepId, through: impl Fn(&Step) -> bool) -> BTreeSet<StepId> {
    let mut found = BTreeSet::new();
    let mut to_visit = vec![from];
    while let Some(id) = to_visit.pop() {
        let Some(step) = flow.steps.get(id) else { continue };
        if found.insert(id.clone()) && through(step) {
            to_visit.extend(next_steps(step));
        }
    }
    found
}

/// Circles of steps none of which waits for the caller: two steps are in one when each reaches the other.
fn loops(flow: &Flow) -> BTreeSet<Problem> {
    let hurries = |step: &Step| !matches!(step, Step::Menu { .. });
    let after = |id: &StepId, step: &Step| -> BTreeSet<StepId> {
        let nexts = next_steps(step).into_iter();
        let mut all: BTreeSet<StepId> = nexts.flat_map(|next| reachable(flow, next, hurries)).collect();
        all.retain(|other| flow.steps.get(other).is_some_and(hurries) || other == id);
        all
    };
    let reach: BTreeMap<&StepId, BTreeSet<StepId>> =
        flow.steps.iter().filter(|(_, step)| hurries(step)).map(|(id, step)| (id, after(id, step))).collect();
    let circle = |id: &StepId, reached: &BTreeSet<StepId>| {
        reached.iter().filter(|other| reach.get(other).is_some_and(|back| back.contains(id))).cloned().collect()
    };
    let in_circles = reach.iter().filter(|(id, reached)| reached.contains(**id));
    in_circles.map(|(id, reached)| Problem::Loop { steps: circle(id, reached) }).collect()
}
