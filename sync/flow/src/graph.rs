//! A flow as a graph: roads from the start, circles, and ends.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{
    StepId,
    flow::{Flow, Step},
};

/// Where a road ends, and the shortest of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    pub at: StepId,
    pub road: Vec<StepId>,
}

/// Every end that a caller can come to, in the order of their roads' lengths.
pub fn ends(flow: &Flow) -> Vec<End> {
    let roads = roads(flow);
    let is_end = |id: &StepId| flow.steps.get(id).is_some_and(Step::ends);
    let mut ends: Vec<End> =
        roads.into_iter().filter(|(at, _)| is_end(at)).map(|(at, road)| End { at, road }).collect();
    ends.sort_by_key(|end| end.road.len());
    ends
}

/// The shortest road from the start to each step that can be reached, both ends included.
pub(crate) fn roads(flow: &Flow) -> BTreeMap<StepId, Vec<StepId>> {
    let mut roads = BTreeMap::new();
    let mut to_visit = VecDeque::from([vec![flow.start.clone()]]);
    while let Some(road) = to_visit.pop_front() {
        let Some((id, step)) = road.last().and_then(|id| flow.steps.get_key_value(id)) else { continue };
        if roads.contains_key(id) {
            continue;
        }
        for next in step.leads_to() {
            if !roads.contains_key(next) {
                let mut longer = road.clone();
                longer.push(next.clone());
                to_visit.push_back(longer);
            }
        }
        roads.insert(id.clone(), road);
    }
    roads
}

/// Steps that can come to an end, as far as one can see: where a step is missing, that is the fault to mend.
pub(crate) fn with_a_way_out(flow: &Flow) -> BTreeSet<&StepId> {
    let may_end = |step: &Step| step.ends() || step.leads_to().into_iter().any(|to| !flow.steps.contains_key(to));
    let mut fine: BTreeSet<&StepId> = flow.steps.iter().filter(|(_, step)| may_end(step)).map(|(id, _)| id).collect();
    loop {
        let leads = |step: &Step| step.leads_to().into_iter().any(|to| fine.contains(to));
        let more: Vec<&StepId> =
            flow.steps.iter().filter(|(id, step)| !fine.contains(id) && leads(step)).map(|(id, _)| id).collect();
        if more.is_empty() {
            return fine;
        }
        fine.extend(more);
    }
}

/// Circles of steps none of which waits: two steps are in one when each reaches the other.
pub(crate) fn circles(flow: &Flow) -> BTreeSet<BTreeSet<StepId>> {
    let hurries = |id: &StepId| flow.steps.get(id).is_some_and(|step| !step.waits());
    let after = |id: &StepId| -> BTreeSet<&StepId> {
        let mut found = BTreeSet::new();
        let mut to_visit: Vec<&StepId> = flow.steps.get(id).map(Step::leads_to).unwrap_or_default();
        while let Some(next) = to_visit.pop() {
            if hurries(next) && found.insert(next) {
                to_visit.extend(flow.steps.get(next).map(Step::leads_to).unwrap_or_default());
            }
        }
        found
    };
    let reach: BTreeMap<&StepId, BTreeSet<&StepId>> =
        flow.steps.keys().filter(|id| hurries(id)).map(|id| (id, after(id))).collect();
    let in_circles = reach.iter().filter(|(id, reached)| reached.contains(**id));
    let circle = |id: &StepId, reached: &BTreeSet<&StepId>| {
        let back = |other: &&&StepId| reach.get(**other).is_some_and(|back| back.contains(id));
        reached.iter().filter(back).map(|other| (*other).clone()).collect()
    };
    in_circles.map(|(id, reached)| circle(id, reached)).collect()
}
