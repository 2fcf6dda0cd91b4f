//! What a contact's facts say of a promise to call back.

use model::{
    AgentId, Millis, QueueId,
    fact::{Fact, Kind},
    routing::Asks,
};

/// A promise that is open at the end of a contact's facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub queue: QueueId,
    pub since: Millis,
    pub asks: Asks,
    pub promised: Millis,
    /// That are over and count.
    pub attempts: u32,
    /// The customer was being called.
    pub(crate) calling: bool,
    /// An agent's phone rang.
    pub(crate) ringing: Option<AgentId>,
    pub(crate) missed: Option<Millis>,
}

/// What a contact's facts leave open.
pub fn open(facts: &[Fact]) -> Option<Open> {
    let mut open: Option<Open> = None;
    let mut ringing = None;
    for fact in facts {
        match &fact.kind {
            Kind::CallbackPromised { queue, since, asks } => {
                let (queue, since, asks) = (queue.clone(), *since, asks.clone());
                let promised = fact.at;
                open = Some(Open {
                    queue,
                    since,
                    asks,
                    promised,
                    attempts: 0,
                    calling: false,
                    ringing: None,
                    missed: None,
                });
            }
            Kind::Answered { .. } | Kind::CallbackStruckOff { .. } | Kind::Ended { .. } => open = None,
            Kind::Offered { agent, .. } => ringing = Some(agent.clone()),
            Kind::OfferEnded { .. } => ringing = None,
            Kind::CallbackTried { .. } => {
                if let Some(open) = &mut open {
                    open.calling = true;
                }
            }
            Kind::CallbackMissed { counts, .. } => {
                if let Some(open) = &mut open {
                    (open.calling, open.missed) = (false, Some(fact.at));
                    open.attempts = open.attempts.saturating_add((*counts).into());
                }
            }
            _ => {}
        }
    }
    open.map(|open| Open { ringing, ..open })
}
