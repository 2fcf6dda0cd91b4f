//! What an assignment was made of, and the same choice made again from that and the configuration (RT-04, N-13).

use std::time::Instant;

use model::{
    AgentId, ContactId,
    config::Config,
    routing::{CANDIDATES_MAX, Candidate, Decision, Why},
};

use crate::{
    Acd,
    agent::Agent,
    lane::{self, Lane, Wish},
    line::Turn,
    tier,
};

/// Why a decision cannot be made again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the configuration has no queue {0}")]
    Queue(String),
    #[error("the configuration has no agent {0}")]
    Agent(AgentId),
    #[error("{0} may not be offered this contact under the configuration")]
    Unqualified(AgentId),
    #[error("{agent} has {found} in the skills that are asked for, not {written}")]
    Skill { agent: AgentId, written: u32, found: u32 },
    #[error("no agent is written down")]
    Empty,
}

/// Chooses again. The configuration must be the one that was in force.
///
/// # Errors
/// When the decision does not fit the configuration.
pub fn replay(config: &Config, decision: &Decision) -> Result<AgentId, Fault> {
    let queue = config.queues.get(&decision.queue).ok_or_else(|| Fault::Queue(decision.queue.to_string()))?;
    let wish = Wish { tier: decision.tier.into(), skills: decision.skills.clone() };
    let lane = Lane::new(&decision.queue, queue, &wish);
    let mut seats = Vec::new();
    for candidate in &decision.candidates {
        let id = &candidate.agent;
        let agent = config.agents.get(id).ok_or_else(|| Fault::Agent(id.clone()))?;
        let probe = Agent::of(agent);
        if !lane.takes(&probe) {
            return Err(Fault::Unqualified(id.clone()));
        }
        let found = lane.skill(&agent.skills);
        if found != candidate.skill {
            return Err(Fault::Skill { agent: id.clone(), written: candidate.skill, found });
        }
        let rank = lane::rank(lane.strategy, found, candidate.occupancy, candidate.turn);
        seats.push((rank, candidate.ticket, id.clone()));
    }
    seats.into_iter().min().map(|(_, _, agent)| agent).ok_or(Fault::Empty)
}

impl Acd {
    /// Written while the contact still waits and the agent is still ready.
    pub(crate) fn decision(&self, now: Instant, contact: ContactId, id: &AgentId, why: Why) -> Option<Decision> {
        let entry = self.contacts.get(&contact)?;
        let (lane, queue) = (self.lanes.get(&entry.lane)?, self.queues.get(&entry.queue)?);
        let waited = now.saturating_duration_since(entry.place.since);
        let best = lane.ready.iter().map(|seat| &seat.agent);
        let candidates = match why {
            Why::LastAgent => vec![self.candidate(lane, id)?],
            Why::Strategy => best.take(CANDIDATES_MAX).filter_map(|id| self.candidate(lane, id)).collect(),
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Some(Decision {
            queue: entry.queue.clone(),
            tier: u8::try_from(entry.wish.tier).unwrap_or(u8::MAX),
            value: entry.value,
            aged: Turn::of(entry.value, waited, queue.ageing()) == Turn::Aged,
            waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            skills: entry.wish.skills.clone(),
            why,
            ready: count(lane.ready.len()),
            waiting: count(lane.waiting.len()),
            candidates,
        })
    }

    fn candidate(&self, lane: &Lane, id: &AgentId) -> Option<Candidate> {
        let agent = self.agents.get(id)?;
        let standing = &agent.standing;
        Some(Candidate {
            agent: id.clone(),
            skill: lane.skill(&agent.skills),
            ticket: standing.ticket,
            turn: standing.turn,
            occupancy: standing.occupancy,
        })
    }
}

/// The skills that a tier asks for, as text for people: `english 3, repairs 5`.
pub fn asked(config: &Config, decision: &Decision) -> String {
    let Some(queue) = config.queues.get(&decision.queue) else { return String::new() };
    let wish = Wish { tier: decision.tier.into(), skills: decision.skills.clone() };
    let asks = tier::asks(queue, &wish);
    asks.iter().map(|(skill, level)| format!("{skill} {level}")).collect::<Vec<_>>().join(", ")
}
