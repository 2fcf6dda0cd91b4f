//! Agents' time: what each state lasted, cut at the edges of the buckets, while the box was up.

use std::collections::BTreeMap;

use model::{
    AgentId, Millis,
    fact::{AgentState, Pause},
};

use crate::times::{Stretch, place};

/// Who is in which state since when. Before an agent's first one nothing is known of the agent.
#[derive(Default)]
pub(crate) struct Shifts(BTreeMap<AgentId, (AgentState, String, Millis)>);

/// A state that is over.
pub(crate) struct Shift {
    pub agent: AgentId,
    pub state: AgentState,
    pub why: String,
    pub lasted: Stretch,
}

impl Shifts {
    /// The agent's next state, in order; what it ends.
    pub fn apply(&mut self, at: Millis, agent: &AgentId, state: AgentState, pause: Option<&Pause>) -> Option<Shift> {
        let last = match state {
            AgentState::SignedOut => self.0.remove(agent),
            state => self.0.insert(agent.clone(), (state, why(pause), at)),
        };
        let (state, why, from) = last?;
        Some(Shift { agent: agent.clone(), state, why, lasted: Stretch { from, until: at } })
    }

    /// What still goes on lasts until now.
    pub fn finish(self, now: Millis) -> impl Iterator<Item = Shift> {
        let shift =
            move |(agent, (state, why, from))| Shift { agent, state, why, lasted: Stretch { from, until: now } };
        self.0.into_iter().map(shift)
    }
}

/// The buckets that it fell into while the box was up, and the milliseconds in each.
pub(crate) fn pieces(lasted: Stretch, edges: &[Millis], ups: &[Stretch]) -> impl Iterator<Item = (usize, u64)> {
    ups.iter().filter_map(move |up| up.with(lasted)).flat_map(move |part| {
        let first = edges.partition_point(|edge| *edge <= part.from).saturating_sub(1);
        let buckets =
            edges.iter().zip(edges.iter().skip(1)).skip(first).take_while(move |(from, _)| **from < part.until);
        buckets.filter_map(move |(from, until)| {
            let piece = Stretch { from: *from, until: *until }.with(part)?;
            Some((place(edges, *from)?, piece.ms()))
        })
    })
}

fn why(pause: Option<&Pause>) -> String {
    match pause {
        Some(Pause::Code(code)) => code.to_string(),
        Some(Pause::Missed) => ":missed".to_owned(),
        Some(Pause::PhoneAway) => ":phone_away".to_owned(),
        None => ":none".to_owned(),
    }
}
