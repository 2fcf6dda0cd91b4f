//! Why an agent is not ready: a reason of the site's that the agent names, or what happened to the agent. And the phone
//! that was away for a moment while its agent took calls: when it is back, so is the agent.

use std::{collections::BTreeMap, time::Instant};

use model::{
    AgentId, PauseId,
    fact::{AgentState, Kind, Pause},
};

use crate::{Floor, away::AWAY_MAX, board::Refused, lines::Lines};

#[derive(Debug, Default)]
pub(crate) struct Pauses {
    agents: BTreeMap<AgentId, Rest>,
}

/// How an agent rests, or will when the work is done.
#[derive(Debug)]
struct Rest {
    /// Kept through calls that come between.
    pause: Option<Pause>,
    last: AgentState,
    /// The next rest is the agent's own wish, or has been explained.
    explained: bool,
    /// When the phone of an agent who took calls went away.
    away: Option<Instant>,
}

impl Pauses {
    fn rest(&mut self, agent: &AgentId) -> &mut Rest {
        let fresh = || Rest { pause: None, last: AgentState::SignedOut, explained: false, away: None };
        self.agents.entry(agent.clone()).or_insert_with(fresh)
    }

    /// The rest that comes next, and why.
    fn explain(&mut self, agent: &AgentId, pause: Option<Pause>) {
        let rest = self.rest(agent);
        (rest.pause, rest.explained, rest.away) = (pause, true, None);
    }

    /// The agent is in this state; why, when it is not ready.
    fn moved(&mut self, agent: &AgentId, state: AgentState) -> Option<Pause> {
        let rest = self.rest(agent);
        let before = std::mem::replace(&mut rest.last, state);
        match state {
            AgentState::NotReady => {
                let explained = std::mem::take(&mut rest.explained);
                if before == AgentState::Offered && !explained {
                    rest.pause = Some(Pause::Missed);
                }
                rest.pause.clone()
            }
            AgentState::SignedOut => {
                self.agents.remove(agent);
                None
            }
            AgentState::Ready => {
                (rest.pause, rest.explained, rest.away) = (None, false, None);
                None
            }
            AgentState::Offered | AgentState::Talking | AgentState::WrapUp => None,
        }
    }
}

impl<L: Lines> Floor<L> {
    pub(crate) fn agent_is(&mut self, agent: AgentId, state: AgentState) {
        if matches!(state, AgentState::SignedOut | AgentState::NotReady | AgentState::Ready) {
            self.cards.remove(&agent);
        }
        let pause = self.pauses.moved(&agent, state);
        self.chronicle.tell(Kind::AgentState { agent, state, pause });
    }

    /// The agent rests, at once or after the work. Where the site has reasons, one of them must be named.
    pub(crate) fn rests(&mut self, agent: AgentId, code: Option<PauseId>) -> Result<(), Refused> {
        let known = &self.config.site.pauses;
        let fits = code.as_ref().map_or(known.is_empty(), |code| known.contains_key(code));
        if !fits {
            return Err(Refused::PauseNeeded);
        }
        let pause = code.map(Pause::Code);
        let rested = self.acd.state(&agent) == Some(AgentState::NotReady);
        let another = rested && self.pause_of(&agent) != pause.as_ref();
        self.pauses.explain(&agent, pause.clone());
        self.ask_acd(acd::Input::NotReady { agent: agent.clone() });
        if another {
            self.agent_is(agent, AgentState::NotReady);
        }
        Ok(())
    }

    pub(crate) fn pause_of(&self, agent: &AgentId) -> Option<&Pause> {
        self.pauses.agents.get(agent).and_then(|rest| rest.pause.as_ref())
    }

    /// The phone of this agent cannot be rung.
    pub(crate) fn phone_is_away(&mut self, agent: AgentId) {
        if self.acd.state(&agent) != Some(AgentState::Ready) {
            return;
        }
        self.pauses.explain(&agent, Some(Pause::PhoneAway));
        self.pauses.rest(&agent).away = Some(self.now);
        self.ask_acd(acd::Input::NotReady { agent });
    }

    /// It can be rung: who was ready a moment ago is ready again. Who was away for longer may have gone, and is told.
    pub(crate) fn phone_is_back(&mut self, agent: AgentId) {
        let Some(rest) = self.pauses.agents.get_mut(&agent) else { return };
        let Some(away) = rest.away.take() else { return };
        let soon = self.now.saturating_duration_since(away) <= AWAY_MAX;
        if soon && self.acd.state(&agent) == Some(AgentState::NotReady) {
            self.ask_acd(acd::Input::Ready { agent });
        }
    }
}
