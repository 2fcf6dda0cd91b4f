//! Agents' time: what each state lasted, cut at the edges of the buckets, while the box was up.

use std::collections::BTreeMap;

use model::{
    AgentId, Millis,
    fact::{AgentState, Fact, Kind, Pause},
};

use crate::{
    sums::AgentTime,
    times::{Stretch, place},
};

/// Takes the facts in their order. Before an agent's first one nothing is known of the agent.
#[derive(Default)]
pub(crate) struct Shifts {
    open: BTreeMap<AgentId, (AgentState, String, Millis)>,
    /// By bucket and agent.
    pub cells: BTreeMap<(usize, AgentId), AgentTime>,
}

impl Shifts {
    pub fn apply(&mut self, fact: &Fact, edges: &[Millis], ups: &[Stretch]) {
        let Kind::AgentState { agent, state, pause } = &fact.kind else { return };
        let next = (*state, why(pause.as_ref()), fact.at);
        if let Some(last) = self.open.insert(agent.clone(), next) {
            self.lasted(agent, last, fact.at, edges, ups);
        }
    }

    /// What still goes on lasts until now.
    pub fn finish(&mut self, now: Millis, edges: &[Millis], ups: &[Stretch]) {
        for (agent, last) in std::mem::take(&mut self.open) {
            self.lasted(&agent, last, now, edges, ups);
        }
    }

    fn lasted(
        &mut self,
        agent: &AgentId,
        (state, why, since): (AgentState, String, Millis),
        until: Millis,
        edges: &[Millis],
        ups: &[Stretch],
    ) {
        if state == AgentState::SignedOut {
            return;
        }
        let state_lasted = Stretch { from: since, until };
        for part in ups.iter().filter_map(|up| up.with(state_lasted)) {
            let first = edges.partition_point(|edge| *edge <= part.from).saturating_sub(1);
            for (from, to) in edges.iter().zip(edges.iter().skip(1)).skip(first) {
                if *from >= part.until {
                    break;
                }
                let bucket = Stretch { from: *from, until: *to };
                let (Some(piece), Some(index)) = (bucket.with(part), place(edges, *from)) else { continue };
                let cell = self.cells.entry((index, agent.clone())).or_default();
                add(cell, state, &why, piece.ms());
            }
        }
    }
}

fn add(cell: &mut AgentTime, state: AgentState, why: &str, ms: u64) {
    let all = match state {
        AgentState::SignedOut => return,
        AgentState::NotReady => cell.not_ready_ms.entry(why.to_owned()).or_default(),
        AgentState::Ready => &mut cell.ready_ms,
        AgentState::Offered => &mut cell.offered_ms,
        AgentState::Talking => &mut cell.talking_ms,
        AgentState::WrapUp => &mut cell.wrap_up_ms,
    };
    *all = all.saturating_add(ms);
}

fn why(pause: Option<&Pause>) -> String {
    match pause {
        Some(Pause::Code(code)) => code.to_string(),
        Some(Pause::Missed) => ":missed".to_owned(),
        Some(Pause::PhoneAway) => ":phone_away".to_owned(),
        None => ":none".to_owned(),
    }
}
