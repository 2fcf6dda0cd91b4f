//! Who is qualified: membership of the queue, and every skill the queue asks for at its level or above (RT-01).

use std::collections::BTreeSet;

use model::{
    QueueId,
    config::{Agent, Config, Queue},
};

/// Has the agent each of the queue's skills at its level or above?
pub fn qualified(agent: &Agent, queue: &Queue) -> bool {
    queue.skills.iter().all(|(skill, level)| agent.skills.get(skill).is_some_and(|has| has >= level))
}

/// The queues that this agent may be offered contacts of.
pub fn serves(config: &Config, agent: &Agent) -> BTreeSet<QueueId> {
    let member = |id: &&QueueId| config.queues.get(*id).is_some_and(|queue| qualified(agent, queue));
    agent.queues.iter().filter(member).cloned().collect()
}
