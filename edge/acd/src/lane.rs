//! Lanes: the contacts of one queue who ask for the same, and the agents who are ready and can give it. A queue has one
//! lane for those who ask for nothing beyond the queue itself, and more as contacts with wishes, or tiers, need them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use model::{AgentId, QueueId, SkillId, config::Queue, fact::AgentState, routing::Strategy};

use crate::{
    Acd,
    agent::Agent,
    line::{Line, Place, Turn},
    tier,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneId(pub u32);

/// What a lane's contacts have in common: their tier, and what they ask for beyond the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wish {
    pub tier: usize,
    pub skills: BTreeMap<SkillId, u8>,
}

/// A ready agent's place in a lane; the smallest is offered a contact first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seat {
    pub rank: u64,
    pub ticket: u64,
    pub agent: AgentId,
}

#[derive(Debug)]
pub(crate) struct Lane {
    pub queue: QueueId,
    pub strategy: Strategy,
    /// The skills and levels that an agent must have.
    pub asks: BTreeMap<SkillId, u8>,
    /// The agent must be a member of one of these.
    pub members_of: BTreeSet<QueueId>,
    /// Those who wait and are not being offered.
    pub waiting: Line,
    pub ready: BTreeSet<Seat>,
    /// Contacts of this lane, those being offered included.
    pub contacts: usize,
}

impl Lane {
    pub fn new(queue: &QueueId, config: &Queue, wish: &Wish) -> Self {
        Self {
            asks: tier::asks(config, wish),
            members_of: tier::members_of(queue, config, wish.tier),
            strategy: config.routing.strategy,
            queue: queue.clone(),
            waiting: Line::default(),
            ready: BTreeSet::new(),
            contacts: 0,
        }
    }

    /// Membership, and every skill that is asked for at its level or above (RT-01).
    pub fn takes(&self, agent: &Agent) -> bool {
        !agent.dismissed
            && agent.member_of.iter().any(|queue| self.members_of.contains(queue))
            && self.asks.iter().all(|(skill, level)| agent.skills.get(skill).is_some_and(|has| has >= level))
    }

    pub fn skill(&self, skills: &BTreeMap<SkillId, u8>) -> u32 {
        self.asks.keys().filter_map(|skill| skills.get(skill)).map(|level| u32::from(*level)).sum()
    }

    pub fn seat(&self, id: &AgentId, agent: &Agent) -> Seat {
        let standing = &agent.standing;
        let rank = rank(self.strategy, self.skill(&agent.skills), standing.occupancy, standing.turn);
        Seat { rank, ticket: standing.ticket, agent: id.clone() }
    }
}

/// Which agent comes first under a strategy: the smallest rank, then the smallest ticket.
pub(crate) fn rank(strategy: Strategy, skill: u32, occupancy: u16, turn: u64) -> u64 {
    match strategy {
        Strategy::LongestIdle => 0,
        Strategy::LeastOccupied => occupancy.into(),
        Strategy::MostSkilled => u64::from(u32::MAX.saturating_sub(skill)),
        Strategy::RoundRobin => turn,
    }
}

impl Acd {
    /// The lane of a wish, made when there is none; None when the queue has no room for another.
    pub(crate) fn lane_of(&mut self, queue: &QueueId, wish: &Wish) -> Option<LaneId> {
        let known = self.queues.get(queue)?;
        if let Some(lane) = known.lanes.get(wish) {
            return Some(*lane);
        }
        if known.lanes.len() >= crate::LANES_MAX {
            self.drop_empty_lane(queue)?;
        }
        self.make_lane(queue, wish.clone())
    }

    /// Looks at every agent once.
    pub(crate) fn make_lane(&mut self, id: &QueueId, wish: Wish) -> Option<LaneId> {
        let queue = self.queues.get_mut(id)?;
        self.last_lane = self.last_lane.wrapping_add(1);
        let lane_id = LaneId(self.last_lane);
        let mut lane = Lane::new(id, &queue.config, &wish);
        queue.lanes.insert(wish, lane_id);
        for (agent_id, agent) in &mut self.agents {
            if lane.takes(agent) {
                agent.serves.insert(lane_id);
                let seat = (agent.state == AgentState::Ready).then(|| lane.seat(agent_id, agent));
                lane.ready.extend(seat);
            }
        }
        self.lanes.insert(lane_id, lane);
        Some(lane_id)
    }

    fn drop_empty_lane(&mut self, queue: &QueueId) -> Option<()> {
        let queue = self.queues.get_mut(queue)?;
        let empty = |lane: &LaneId| self.lanes.get(lane).is_none_or(|lane| lane.contacts == 0);
        let own = Wish::default();
        let (wish, lane) = queue.lanes.iter().find(|(wish, lane)| **wish != own && empty(lane))?;
        let (wish, lane) = (wish.clone(), *lane);
        queue.lanes.remove(&wish);
        self.lanes.remove(&lane);
        for agent in self.agents.values_mut() {
            agent.serves.remove(&lane);
        }
        Some(())
    }

    /// The contact that this lane would give to an agent, if it may be served at all.
    pub(crate) fn next_in(&self, now: Instant, id: LaneId) -> Option<(Turn, Place)> {
        let lane = self.lanes.get(&id)?;
        let queue = self.queues.get(&lane.queue)?;
        let reserve = &queue.config.routing.reserve;
        let plenty = lane.ready.len() > usize::try_from(reserve.agents).unwrap_or(usize::MAX);
        lane.waiting.next(now, queue.ageing(), if plenty { 0 } else { reserve.value })
    }
}
