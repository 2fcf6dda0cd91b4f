//! The engine's doors: inputs, timers, outputs, and the change of configuration.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use model::{
    AgentId, ContactId, QueueId,
    config::Config,
    fact::AgentState::{self, Offered, Talking, WrapUp},
};

use crate::{
    Input, Output, Return,
    agent::{Agent, Event},
    lane::{Lane, LaneId, Wish},
    line::{Place, Turn},
    queue::{Contact, Queue},
    tier,
    timer::{Timer, Timers},
};

/// The automatic call distributor of one site.
#[derive(Debug, Default)]
pub struct Acd {
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) lanes: BTreeMap<LaneId, Lane>,
    /// Last number given to a lane.
    pub(crate) last_lane: u32,
    /// Contacts in a line, those being offered included.
    pub(crate) contacts: BTreeMap<ContactId, Contact>,
    pub(crate) timers: Timers,
    /// Last place given in any line.
    pub(crate) order: u64,
    /// Last ticket given to an agent who became idle.
    pub(crate) ticket: u64,
    /// Last turn: offers that were taken or missed.
    pub(crate) turn: u64,
    /// Drained by the owner after every input.
    pub(crate) outputs: VecDeque<Output>,
}

impl Acd {
    /// Everybody is signed out and nobody waits.
    pub fn new(now: Instant, config: &Config) -> Self {
        let mut acd = Self::default();
        acd.configure(now, config);
        acd
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Enter { .. } => self.enter(now, input),
            Input::Leave { contact } => self.leave(now, contact),
            Input::GoneHome { contact } => self.gone_home(now, contact),
            Input::SignIn { agent } => self.sign_in(now, &agent),
            Input::SignOut { agent } => self.sign_out(now, &agent),
            Input::Ready { agent } => self.be_ready(now, &agent),
            Input::NotReady { agent } => self.be_not_ready(now, &agent),
            Input::Accept { agent } => self.accept(now, &agent),
            Input::OfferEnded { agent, outcome } => self.offer_ended(now, &agent, outcome),
            Input::ContactDone { agent } => self.contact_done(now, &agent),
            Input::OtherCallBegan { agent } => self.other_call_began(now, &agent),
            Input::OtherCallEnded { agent } => self.other_call_ended(now, &agent),
            Input::WrapUpDone { agent } => self.wrap_up_done(now, &agent),
            Input::Resume { agent, contact, rest } => self.resume(now, &agent, contact, rest),
            Input::WrapUpMore { agent } => drop(self.wrap_up_more(&agent)),
            Input::OverflowFailed { contact } => self.overflow_failed(now, contact),
            Input::Configure(config) => self.configure(now, &config),
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, timer)) = self.timers.pop(now) {
            match timer {
                Timer::Ring(agent) => self.offer_ended(now, &agent, model::fact::OfferOutcome::TimedOut),
                Timer::WrapUp(agent) => self.wrap_up_done(now, &agent),
                Timer::Position(contact) => self.position_due(now, at, contact),
                Timer::Overflow(contact) => self.overflow_due(contact),
                Timer::Tier(contact) => self.tier_due(now, contact),
                Timer::Ripe(contact) => self.serve_contact(now, contact),
                Timer::LastAgent(contact) => self.last_agent_due(now, contact),
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The agent who is being rung for this contact.
    pub fn offered_to(&self, contact: ContactId) -> Option<&AgentId> {
        self.contacts.get(&contact)?.offered_to.as_ref()
    }

    /// Is the contact in a line here (waiting or being offered)?
    pub fn holds(&self, contact: ContactId) -> bool {
        self.contacts.contains_key(&contact)
    }

    fn configure(&mut self, now: Instant, config: &Config) {
        self.drop_queues(now, config);
        for (id, queue) in &config.queues {
            match self.queues.get_mut(id) {
                Some(known) => known.config = queue.clone(),
                None => drop(self.queues.insert(id.clone(), Queue::new(queue.clone()))),
            }
        }
        let gone = self.configure_agents(now, config);
        self.build_lanes(now);
        for id in config.agents.keys() {
            self.recall_unqualified(now, id);
        }
        for id in &gone {
            self.dismiss(now, id);
        }
        let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
        contacts.into_iter().for_each(|contact| self.time_contact(now, contact));
        self.settle(now);
    }

    /// Everybody who waits is looked at again.
    fn settle(&mut self, now: Instant) {
        let everybody = self.contacts.keys().copied().collect();
        self.serve_in_turn(now, everybody);
    }

    /// Finds agents for these contacts, for the one whose turn it is first.
    pub(crate) fn serve_in_turn(&mut self, now: Instant, contacts: Vec<ContactId>) {
        let turn = |contact: ContactId| {
            let entry = self.contacts.get(&contact)?;
            let ageing = self.queues.get(&entry.queue).map(Queue::ageing)?;
            Some((Turn::of(entry.value, now.saturating_duration_since(entry.place.since), ageing), entry.place))
        };
        let mut waiting: Vec<(Turn, Place)> = contacts.into_iter().filter_map(turn).collect();
        waiting.sort_unstable();
        for (_, place) in waiting {
            self.serve_contact(now, place.contact);
        }
    }

    fn drop_queues(&mut self, now: Instant, config: &Config) {
        let gone: Vec<QueueId> = self.queues.keys().filter(|id| !config.queues.contains_key(*id)).cloned().collect();
        for id in gone {
            let mut line: Vec<Place> =
                self.queues.get(&id).into_iter().flat_map(|queue| queue.line.iter()).copied().collect();
            line.sort_unstable();
            for Place { contact, .. } in line {
                self.take_out(now, contact);
                self.outputs.push_back(Output::Returned { contact, why: Return::QueueGone });
            }
            self.queues.remove(&id);
        }
    }

    /// Who is a member of what and has which skills; returned is who is not there any more.
    fn configure_agents(&mut self, now: Instant, config: &Config) -> Vec<AgentId> {
        for (id, agent) in &config.agents {
            match self.agents.get_mut(id) {
                Some(known) => {
                    known.dismissed = false;
                    known.member_of.clone_from(&agent.queues);
                    known.skills.clone_from(&agent.skills);
                }
                None => drop(self.agents.insert(id.clone(), Agent { since: Some(now), ..Agent::of(agent) })),
            }
        }
        let mut gone = Vec::new();
        for (id, agent) in self.agents.iter_mut().filter(|(id, _)| !config.agents.contains_key(*id)) {
            agent.dismissed = true;
            gone.push(id.clone());
        }
        gone
    }

    /// All lanes anew, from the settings of the queues and the wishes of those who wait; ready agents keep their order.
    fn build_lanes(&mut self, now: Instant) {
        self.lanes.clear();
        self.agents.values_mut().for_each(|agent| agent.serves.clear());
        self.queues.values_mut().for_each(|queue| queue.lanes.clear());
        let queues: Vec<QueueId> = self.queues.keys().cloned().collect();
        for queue in &queues {
            self.make_lane(queue, Wish::default());
        }
        let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
        for contact in contacts {
            self.lane_again(now, contact);
        }
    }

    /// The lane of a contact after a change: its tier may be another one, and nobody is kept for an agent who is away.
    fn lane_again(&mut self, now: Instant, contact: ContactId) {
        let Some(entry) = self.contacts.get(&contact) else { return };
        let Some(queue) = self.queues.get(&entry.queue) else { return };
        let tier = tier::now(now, &queue.config, (entry.place.since, entry.stay), queue.line.len());
        let (wish, queue) = (Wish { tier, skills: entry.wish.skills.clone() }, entry.queue.clone());
        // The lanes of those who already wait are no more than before.
        let own = Wish { tier: 0, skills: wish.skills.clone() };
        let found = self.lane_of(&queue, &wish).map(|lane| (wish, lane));
        let Some((wish, lane)) = found.or_else(|| self.make_lane(&queue, own.clone()).map(|lane| (own, lane))) else {
            return;
        };
        let Some(entry) = self.contacts.get_mut(&contact) else { return };
        (entry.wish, entry.lane) = (wish, lane);
        let kept = entry.kept_for.clone();
        let waits = entry.offered_to.is_none() && kept.is_none();
        self.enter_lane(contact, waits);
        let stays = |agent: &Agent| matches!(agent.state, Offered | Talking | WrapUp) && agent.serves.contains(&lane);
        if kept.is_some_and(|id| !self.agents.get(&id).is_some_and(stays)) {
            self.keep_no_longer(contact);
        }
    }

    /// The agent goes at once when idle, after the call when not.
    fn dismiss(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.dismissed = true;
        match agent.state {
            AgentState::SignedOut if agent.other_calls == 0 => drop(self.agents.remove(id)),
            AgentState::Offered => self.recall_offer(now, id, Event::SignOut),
            _ => self.sign_out(now, id),
        }
    }

    fn recall_unqualified(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get(id).filter(|agent| agent.state == AgentState::Offered) else { return };
        let lane = agent.work.as_ref().and_then(|work| self.contacts.get(&work.contact)).map(|entry| entry.lane);
        if lane.is_some_and(|lane| !agent.serves.contains(&lane)) {
            self.recall_offer(now, id, Event::Withdrawn);
        }
    }
}
