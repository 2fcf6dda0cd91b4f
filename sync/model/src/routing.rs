//! How a queue chooses: which of the agents who are ready, which of the contacts that wait, and whom else it asks when
//! that takes too long. And what a choice was made of, so that it can be made again (N-13).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{AgentId, QueueId, SkillId};

/// The highest customer value; 0 is an ordinary customer's.
pub const VALUE_MAX: u8 = 4;
/// Tiers of one queue.
pub const TIERS_MAX: usize = 6;
/// Agents of a decision that are written down, the chosen one first.
pub const CANDIDATES_MAX: usize = 4;

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    pub strategy: Strategy,
    /// A contact that has waited this long comes before all others, whatever their value (RT-02). Seconds, 10 to 3600.
    pub ageing_s: u32,
    /// How long a contact waits for the agent it spoke with last when that agent is at work, in seconds, 0 to 600;
    /// 0 takes that agent only when ready.
    pub last_agent_s: u32,
    /// Whom else to ask, each wider than the one before.
    pub tiers: Vec<Tier>,
    pub reserve: Reserve,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            ageing_s: 300,
            last_agent_s: 0,
            tiers: Vec::new(),
            reserve: Reserve::default(),
        }
    }
}

/// Which of the agents who are ready and qualified is offered a contact. Ties go to the longest idle.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Who became ready first.
    #[default]
    LongestIdle,
    /// The smallest share of work in the time since sign-in: `handle / (handle + available)` (NORMS 4), as it was when
    /// the agent became ready.
    LeastOccupied,
    /// The highest sum of levels in the skills that are asked for.
    MostSkilled,
    /// Whose last offer lies furthest back.
    RoundRobin,
}

/// One step wider. It opens for a contact that has waited `after_s`, and for all when more than `longer_than` wait;
/// one of the two is set.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Tier {
    pub after_s: Option<u32>,
    pub longer_than: Option<u32>,
    /// Every level that is asked for is lower by this; a skill asked for at level 0 is not asked for.
    pub levels_less: u8,
    /// The members of these queues may be offered the contact too.
    pub also: BTreeSet<QueueId>,
}

/// The last agents who are ready are kept for customers of value: others are served only while more than `agents` are
/// ready, or when they have waited for `ageing_s`.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reserve {
    /// 0 reserves nobody.
    pub agents: u32,
    /// From this value up, 1 to 4.
    pub value: u8,
}

impl Default for Reserve {
    fn default() -> Self {
        Self { agents: 0, value: 1 }
    }
}

/// What the contacts of a flow's step ask for beyond their queue.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Asks {
    /// Customer value, 0 to 4.
    pub value: u8,
    /// Skill → level, 1 to 10: a language, a scenario.
    pub skills: BTreeMap<SkillId, u8>,
}

/// One assignment and what it was made of. No personal datum: agents are ids, the contact is a number of the box.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub queue: QueueId,
    /// 0 is the queue's own tier.
    pub tier: u8,
    pub value: u8,
    /// Waited so long that its value did not matter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aged: bool,
    /// Since its original queue time, in milliseconds.
    pub waited_ms: u64,
    /// What the contact asked for beyond its queue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<SkillId, u8>,
    pub why: Why,
    /// Agents who were ready and qualified.
    pub ready: u32,
    /// Contacts that waited for the same, this one included.
    pub waiting: u32,
    /// The best of the agents, best first; the first one was offered the contact.
    pub candidates: Vec<Candidate>,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The queue's strategy.
    Strategy,
    /// The agent whom this customer spoke with last.
    LastAgent,
}

/// An agent in a decision, with the figure of every strategy.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub agent: AgentId,
    /// Sum of the levels in the skills that were asked for.
    pub skill: u32,
    /// Order of becoming ready: the smallest has been idle longest.
    pub ticket: u64,
    /// Order of the last offer; 0 for none since sign-in.
    pub turn: u64,
    /// Tenths of a percent.
    pub occupancy: u16,
}
