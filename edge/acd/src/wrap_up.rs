//! The end of the talk, the time to write it up, and the calls an agent has beside the queue's contacts.

use std::time::{Duration, Instant};

use model::{AgentId, fact::AgentState};

use crate::{
    Acd, Output, WRAP_UP_MORE_MAX,
    agent::{Event, Wish, Work},
    timer::Timer,
};

impl Acd {
    /// The agent and the contact have parted.
    pub(crate) fn contact_done(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id).filter(|a| a.state == AgentState::Talking) else { return };
        let Some(work) = agent.work.as_mut().filter(|work| !work.done) else { return };
        work.done = true;
        if let Some(queue) = self.queues.get_mut(&work.queue) {
            queue.talking = queue.talking.saturating_sub(1);
        }
        self.freed(now, id);
    }

    pub(crate) fn other_call_began(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.other_calls += 1;
        match agent.state {
            AgentState::SignedOut | AgentState::Talking => {}
            AgentState::Offered => self.give_up_offer(now, id, Event::OtherCall),
            AgentState::WrapUp => {
                self.end_wrap_up(id);
                self.move_agent(now, id, Event::OtherCall);
            }
            state @ (AgentState::NotReady | AgentState::Ready) => {
                agent.wish = if state == AgentState::Ready { Wish::Ready } else { Wish::NotReady };
                self.move_agent(now, id, Event::OtherCall);
            }
        }
    }

    pub(crate) fn other_call_ended(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.other_calls = agent.other_calls.saturating_sub(1);
        if agent.state == AgentState::Talking {
            self.freed(now, id);
        } else if agent.dismissed && agent.other_calls == 0 && agent.state == AgentState::SignedOut {
            self.agents.remove(id);
        }
    }

    /// Something ended; when nothing is left, the wrap-up begins, or the rest.
    fn freed(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        if agent.other_calls > 0 || agent.work.as_ref().is_some_and(|work| !work.done) {
            return;
        }
        let wish = agent.wish;
        let Some(Work { contact, queue, .. }) = agent.work.clone() else {
            self.move_agent(now, id, Event::Rest(wish));
            return;
        };
        let wrap_up_s = self.queues.get(&queue).map_or(0, |queue| queue.config.wrap_up_s);
        if wish == Wish::SignedOut || wrap_up_s == 0 {
            agent.work = None;
            self.move_agent(now, id, Event::Rest(wish));
        } else {
            self.timers.set(Timer::WrapUp(id.clone()), now + Duration::from_secs(wrap_up_s.into()));
            self.move_agent(now, id, Event::ToWrapUp);
            self.outputs.push_back(Output::WrapUpStarted { agent: id.clone(), contact });
        }
    }

    /// The time is over, or the agent says so.
    pub(crate) fn wrap_up_done(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get(id).filter(|a| a.state == AgentState::WrapUp) else { return };
        let wish = agent.wish;
        self.end_wrap_up(id);
        self.move_agent(now, id, Event::Rest(wish));
    }

    /// May the agent have more time?
    pub fn may_wrap_up_more(&self, id: &AgentId) -> bool {
        let agent = self.agents.get(id).filter(|agent| agent.state == AgentState::WrapUp);
        agent.and_then(|agent| agent.work.as_ref()).is_some_and(|work| work.more < WRAP_UP_MORE_MAX)
    }

    pub(crate) fn wrap_up_more(&mut self, id: &AgentId) -> Option<()> {
        let until = self.wrap_up_until(id).filter(|_| self.may_wrap_up_more(id))?;
        let work = self.agents.get_mut(id)?.work.as_mut()?;
        let more_s = self.queues.get(&work.queue)?.config.wrap_up_s;
        work.more += 1;
        self.timers.set(Timer::WrapUp(id.clone()), until + Duration::from_secs(more_s.into()));
        Some(())
    }

    fn end_wrap_up(&mut self, id: &AgentId) {
        self.timers.cancel(&Timer::WrapUp(id.clone()));
        let Some(work) = self.agents.get_mut(id).and_then(|agent| agent.work.take()) else { return };
        self.outputs.push_back(Output::WrapUpEnded { agent: id.clone(), contact: work.contact });
    }
}
