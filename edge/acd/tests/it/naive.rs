//! The same rules written the slow and obvious way: lists, scans, and one sentence per rule.

use std::time::{Duration, Instant};

use acd::{Input, OVERFLOW_AGAIN, Output, POSITION_MAX, Return, Stay, UNANSWERED_MAX, Wants};
use model::{
    AgentId, ContactId, QueueId,
    config::{self, Config, Locality},
    fact::{AgentState, OfferOutcome},
    routing::{Strategy, Tier},
};

#[derive(Debug, Clone)]
pub struct Waiter {
    pub id: ContactId,
    pub queue: QueueId,
    since: Instant,
    order: u64,
    stay: Stay,
    pub offered_to: Option<AgentId>,
    position_at: Option<Instant>,
    overflow_at: Option<Instant>,
    late: bool,
    wants: Wants,
    tier: usize,
    tier_at: Option<Instant>,
    ripe_at: Option<Instant>,
    kept_for: Option<AgentId>,
    kept_until: Option<Instant>,
}

impl Waiter {
    fn waits(&self) -> bool {
        self.offered_to.is_none() && self.kept_for.is_none()
    }

    /// 0 for those who have waited too long, then the highest value, then the oldest.
    fn turn(&self, now: Instant, ageing_s: u32) -> (u8, Instant, u64) {
        let aged = now.saturating_duration_since(self.since) >= Duration::from_secs(ageing_s.into());
        (if aged { 0 } else { 10 - self.wants.value }, self.since, self.order)
    }
}

/// How an agent stands among those who are ready.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    idle_order: u64,
    turn: u64,
    occupancy: u128,
}

#[derive(Debug, Clone)]
pub struct Worker {
    pub id: AgentId,
    pub state: AgentState,
    standing: Standing,
    turn: u64,
    /// What the agent did since sign-in, and until when.
    history: Vec<(AgentState, Instant)>,
    then: AgentState,
    missed: u32,
    work: Option<(ContactId, QueueId)>,
    work_over: bool,
    others: u32,
    ring_until: Option<Instant>,
    wrap_until: Option<Instant>,
    mores: u32,
}

pub struct Naive {
    pub config: Config,
    pub waiters: Vec<Waiter>,
    pub workers: Vec<Worker>,
    order: u64,
    idle: u64,
    turns: u64,
    now: Option<Instant>,
    pub out: Vec<Output>,
}

impl Naive {
    pub fn new(config: &Config) -> Self {
        let mut naive = Self {
            config: config.clone(),
            waiters: Vec::new(),
            workers: Vec::new(),
            order: 0,
            idle: 0,
            turns: 0,
            now: None,
            out: Vec::new(),
        };
        naive.hire();
        naive
    }

    fn hire(&mut self) {
        for id in self.config.agents.keys() {
            if !self.workers.iter().any(|w| w.id == *id) {
                self.workers.push(Worker {
                    id: id.clone(),
                    state: AgentState::SignedOut,
                    standing: Standing::default(),
                    turn: 0,
                    history: Vec::new(),
                    then: AgentState::NotReady,
                    missed: 0,
                    work: None,
                    work_over: false,
                    others: 0,
                    ring_until: None,
                    wrap_until: None,
                    mores: 0,
                });
            }
        }
    }

    fn queue(&self, id: &QueueId) -> Option<&config::Queue> {
        self.config.queues.get(id)
    }

    /// The tiers that are open to a contact.
    fn tiers(&self, queue: &QueueId, tier: usize) -> &[Tier] {
        self.queue(queue).map_or(&[], |q| &q.routing.tiers[..tier.min(q.routing.tiers.len())])
    }

    fn asks(&self, waiter: &Waiter) -> Vec<(model::SkillId, u8)> {
        let Some(q) = self.queue(&waiter.queue) else { return Vec::new() };
        let less = self.tiers(&waiter.queue, waiter.tier).iter().map(|t| t.levels_less).max().unwrap_or(0);
        let all = q.skills.keys().chain(waiter.wants.skills.keys()).cloned();
        let level = |skill: &model::SkillId| {
            q.skills.get(skill).copied().max(waiter.wants.skills.get(skill).copied()).unwrap_or(0)
        };
        let mut asks: Vec<_> = all.map(|s| (s.clone(), level(&s).saturating_sub(less))).collect();
        asks.sort();
        asks.dedup();
        asks.retain(|(_, level)| *level > 0);
        asks
    }

    fn may_serve(&self, agent: &AgentId, waiter: &Waiter) -> bool {
        let Some(agent) = self.config.agents.get(agent) else { return false };
        let also =
            self.tiers(&waiter.queue, waiter.tier).iter().flat_map(|t| &t.also).any(|q| agent.queues.contains(q));
        let asks = self.asks(waiter);
        (also || agent.queues.contains(&waiter.queue))
            && asks.iter().all(|(s, l)| agent.skills.get(s).is_some_and(|has| has >= l))
    }

    /// Everybody who could be offered this contact, best first.
    fn ready_for(&self, waiter: &Waiter) -> Vec<AgentId> {
        let asks = self.asks(waiter);
        let skill = |id: &AgentId| -> u32 {
            asks.iter().filter_map(|(s, _)| self.config.agents.get(id)?.skills.get(s)).map(|l| u32::from(*l)).sum()
        };
        let strategy = self.queue(&waiter.queue).map(|q| q.routing.strategy).unwrap_or_default();
        let mut able: Vec<&Worker> =
            self.workers.iter().filter(|w| w.state == AgentState::Ready && self.may_serve(&w.id, waiter)).collect();
        able.sort_by_key(|w| w.standing.idle_order);
        match strategy {
            Strategy::LongestIdle => {}
            Strategy::LeastOccupied => able.sort_by_key(|w| w.standing.occupancy),
            Strategy::MostSkilled => able.sort_by_key(|w| std::cmp::Reverse(skill(&w.id))),
            Strategy::RoundRobin => able.sort_by_key(|w| w.standing.turn),
        }
        able.into_iter().map(|w| w.id.clone()).collect()
    }

    /// The agent for this contact, unless those who are ready are kept for others.
    fn agent_for(&self, now: Instant, waiter: &Waiter) -> Option<AgentId> {
        let routing = &self.queue(&waiter.queue)?.routing;
        let ready = self.ready_for(waiter);
        let aged = now.saturating_duration_since(waiter.since) >= Duration::from_secs(routing.ageing_s.into());
        let allowed =
            ready.len() > routing.reserve.agents as usize || waiter.wants.value >= routing.reserve.value || aged;
        ready.into_iter().next().filter(|_| allowed)
    }

    fn worker(&mut self, id: &AgentId) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|w| w.id == *id)
    }

    fn set(&mut self, id: &AgentId, state: AgentState) {
        let (idle, now) = (self.idle + 1, self.now);
        let Some(worker) = self.worker(id) else { return };
        if worker.state == state {
            return;
        }
        if let Some(now) = now {
            worker.history.push((worker.state, now));
        }
        if worker.state == AgentState::SignedOut {
            worker.history.truncate(0);
            worker.history.extend(now.map(|now| (AgentState::SignedOut, now)));
            worker.turn = 0;
        }
        worker.state = state;
        if state == AgentState::Ready {
            let spent = |states: &[AgentState]| -> u128 {
                let spans = worker.history.windows(2).filter(|pair| states.contains(&pair[1].0));
                spans.map(|pair| pair[1].1 - pair[0].1).sum::<Duration>().as_millis()
            };
            let handled = spent(&[AgentState::Talking, AgentState::WrapUp]);
            let occupancy = (handled * 1000).checked_div(handled + spent(&[AgentState::Ready])).unwrap_or(0);
            worker.standing = Standing { idle_order: idle, turn: worker.turn, occupancy };
            self.idle = idle;
        }
        self.out.push(Output::AgentState { agent: id.clone(), state });
    }

    /// The contact whose turn it is, of those for whom somebody is ready, meets the best of them, until nobody is left.
    /// Who waits for one agent alone meets that agent first.
    fn settle(&mut self, now: Instant) {
        self.release();
        loop {
            let ready = |id: &AgentId| self.workers.iter().any(|w| w.id == *id && w.state == AgentState::Ready);
            let mut kept: Vec<&Waiter> =
                self.waiters.iter().filter(|w| w.kept_for.as_ref().is_some_and(ready)).collect();
            kept.sort_by_key(|w| (w.since, w.order));
            let mut waiting: Vec<&Waiter> = self.waiters.iter().filter(|w| w.waits()).collect();
            waiting.sort_by_key(|w| w.turn(now, self.queue(&w.queue).map_or(0, |q| q.routing.ageing_s)));
            let for_one = kept.first().and_then(|w| Some((w.id, w.kept_for.clone()?, w.queue.clone())));
            let for_any = || waiting.iter().find_map(|w| Some((w.id, self.agent_for(now, w)?, w.queue.clone())));
            let Some((contact, agent, queue)) = for_one.or_else(for_any) else { break };
            self.ring(now, contact, agent, queue);
        }
        let idle = Waiter::waits;
        let back: Vec<ContactId> =
            self.waiters.iter().filter(|w| idle(w) && w.stay == Stay::Guest).map(|w| w.id).collect();
        for contact in back {
            self.waiters.retain(|w| w.id != contact);
            self.out.push(Output::Returned { contact, why: Return::NobodyReady });
        }
        let late: Vec<ContactId> = self.waiters.iter().filter(|w| idle(w) && w.late).map(|w| w.id).collect();
        for contact in late {
            self.overflow(contact);
        }
    }

    fn ring(&mut self, now: Instant, contact: ContactId, agent: AgentId, queue: QueueId) {
        let ring = self.queue(&queue).map_or(1, |q| q.ring_s.max(1));
        self.set(&agent, AgentState::Offered);
        if let Some(worker) = self.worker(&agent) {
            worker.work = Some((contact, queue.clone()));
            worker.work_over = false;
            worker.then = AgentState::Ready;
            worker.ring_until = Some(now + Duration::from_secs(ring.into()));
        }
        for waiter in self.waiters.iter_mut().filter(|w| w.id == contact) {
            waiter.offered_to = Some(agent.clone());
            (waiter.kept_for, waiter.kept_until) = (None, None);
        }
        self.out.push(Output::Offer { contact, agent, queue });
    }

    /// Nobody waits for an agent who is away, or who may not take the contact.
    fn release(&mut self) {
        let at_work = |id: &AgentId| {
            let away = [AgentState::NotReady, AgentState::SignedOut];
            self.workers.iter().any(|w| w.id == *id && !away.contains(&w.state))
        };
        let free: Vec<ContactId> = self
            .waiters
            .iter()
            .filter(|w| w.kept_for.as_ref().is_some_and(|id| !at_work(id) || !self.may_serve(id, w)))
            .map(|w| w.id)
            .collect();
        for waiter in self.waiters.iter_mut().filter(|w| free.contains(&w.id)) {
            (waiter.kept_for, waiter.kept_until) = (None, None);
        }
    }

    /// Looks which tiers are open, and to whom.
    fn widen(&mut self, now: Instant, who: impl Fn(&Waiter) -> bool) {
        for index in 0..self.waiters.len() {
            let waiter = self.waiters[index].clone();
            let Some(config) = self.queue(&waiter.queue).filter(|_| who(&waiter) && waiter.stay != Stay::Guest) else {
                continue;
            };
            let length = self.waiters.iter().filter(|w| w.queue == waiter.queue).count();
            let waited = now.saturating_duration_since(waiter.since);
            let open = |t: &Tier| {
                t.after_s.is_some_and(|s| waited >= Duration::from_secs(s.into()))
                    || t.longer_than.is_some_and(|most| length > most as usize)
            };
            let tiers = &config.routing.tiers;
            let tier = (1..=tiers.len()).filter(|n| open(&tiers[n - 1])).max().unwrap_or(0).max(waiter.tier);
            let next = tiers[tier..].iter().filter_map(|t| t.after_s).min();
            let at = next.map(|s| waiter.since + Duration::from_secs(s.into())).filter(|at| *at > now);
            (self.waiters[index].tier, self.waiters[index].tier_at) = (tier, at);
        }
    }

    fn overflow(&mut self, contact: ContactId) {
        let Some(waiter) = self.waiters.iter_mut().find(|w| w.id == contact) else { return };
        waiter.late = waiter.offered_to.is_some();
        if waiter.late {
            return;
        }
        let queue = waiter.queue.clone();
        let Some(config) = self.queue(&queue) else { return };
        if config.overflow.locality == Locality::MayLeave {
            let sites = config.overflow.to.clone();
            self.out.push(Output::OverflowDue { contact, queue, sites });
        }
    }

    /// Ends the offer that rings at this agent, if any, and puts the contact back.
    fn stop_ringing(&mut self, id: &AgentId, outcome: OfferOutcome) -> bool {
        let Some(worker) = self.worker(id).filter(|w| w.state == AgentState::Offered) else { return false };
        worker.ring_until = None;
        let Some((contact, _)) = worker.work.take() else { return false };
        if outcome != OfferOutcome::Withdrawn {
            self.turn(id);
        }
        for waiter in self.waiters.iter_mut().filter(|w| w.id == contact) {
            waiter.offered_to = None;
        }
        self.out.push(Output::OfferEnded { contact, agent: id.clone(), outcome });
        true
    }

    fn missed(&mut self, id: &AgentId, outcome: OfferOutcome) {
        if !self.stop_ringing(id, outcome) {
            return;
        }
        let Some(worker) = self.worker(id) else { return };
        worker.missed += 1;
        if outcome == OfferOutcome::Failed || worker.missed >= UNANSWERED_MAX {
            self.set(id, AgentState::NotReady);
        } else {
            // Ready again, behind the others.
            self.set(id, AgentState::Ready);
        }
    }

    fn out_of_line(&mut self, contact: ContactId) {
        let agent = self.waiters.iter().find(|w| w.id == contact).and_then(|w| w.offered_to.clone());
        if let Some(agent) = agent {
            self.stop_ringing(&agent, OfferOutcome::Withdrawn);
            self.ready_in_old_place(&agent);
        }
        self.waiters.retain(|w| w.id != contact);
    }

    fn ready_in_old_place(&mut self, agent: &AgentId) {
        let place = self.worker(agent).map(|w| w.standing);
        self.set(agent, AgentState::Ready);
        if let (Some(place), Some(worker)) = (place, self.worker(agent)) {
            worker.standing = place;
        }
    }

    fn turn(&mut self, agent: &AgentId) {
        self.turns += 1;
        let turns = self.turns;
        if let Some(worker) = self.worker(agent) {
            worker.turn = turns;
        }
    }

    /// Talking ends when neither the contact nor another call is left.
    fn rest(&mut self, now: Instant, id: &AgentId) {
        let Some(worker) = self.worker(id).filter(|w| w.state == AgentState::Talking) else { return };
        if worker.others > 0 || (worker.work.is_some() && !worker.work_over) {
            return;
        }
        let then = worker.then;
        let owed = worker.work.clone();
        let wrap = owed.as_ref().and_then(|(_, q)| self.queue(q)).map_or(0, |q| q.wrap_up_s);
        match owed {
            Some((contact, _)) if wrap > 0 && then != AgentState::SignedOut => {
                self.set(id, AgentState::WrapUp);
                if let Some(worker) = self.worker(id) {
                    worker.wrap_until = Some(now + Duration::from_secs(wrap.into()));
                    worker.mores = 0;
                }
                self.out.push(Output::WrapUpStarted { agent: id.clone(), contact });
            }
            _ => {
                if let Some(worker) = self.worker(id) {
                    worker.work = None;
                }
                self.set(id, then);
            }
        }
    }

    fn wrapped(&mut self, id: &AgentId, state: Option<AgentState>) {
        let Some(worker) = self.worker(id).filter(|w| w.state == AgentState::WrapUp) else { return };
        let then = state.unwrap_or(worker.then);
        worker.wrap_until = None;
        if let Some((contact, _)) = worker.work.take() {
            self.out.push(Output::WrapUpEnded { agent: id.clone(), contact });
        }
        self.set(id, then);
    }

    pub fn input(&mut self, now: Instant, input: Input) {
        self.now = Some(now);
        match input {
            Input::Enter { contact, queue, since, stay, wants } => {
                self.enter(now, contact, queue, (since, stay, wants));
            }
            Input::Leave { contact } => self.out_of_line(contact),
            Input::GoneHome { contact } => {
                for waiter in self.waiters.iter_mut().filter(|w| w.id == contact && w.stay == Stay::Own) {
                    (waiter.stay, waiter.late) = (Stay::Absent, false);
                    (waiter.position_at, waiter.overflow_at) = (None, None);
                }
            }
            Input::SignIn { agent } => self.sign_in(&agent),
            Input::SignOut { agent } => self.wish(&agent, AgentState::SignedOut),
            Input::Ready { agent } => self.wish(&agent, AgentState::Ready),
            Input::NotReady { agent } => self.wish(&agent, AgentState::NotReady),
            Input::Accept { agent } => self.accept(&agent),
            Input::OfferEnded { agent, outcome } => self.missed(&agent, outcome),
            Input::ContactDone { agent } => {
                if let Some(w) = self.worker(&agent).filter(|w| w.state == AgentState::Talking && w.work.is_some()) {
                    w.work_over = true;
                    self.rest(now, &agent);
                }
            }
            Input::OtherCallBegan { agent } => self.other_call(&agent),
            Input::OtherCallEnded { agent } => {
                if let Some(worker) = self.worker(&agent) {
                    worker.others = worker.others.saturating_sub(1);
                }
                self.rest(now, &agent);
            }
            Input::WrapUpMore { agent } => {
                let queue = self.worker(&agent).and_then(|w| w.work.clone()).and_then(|(_, q)| self.queue(&q));
                let more = queue.map(|q| Duration::from_secs(q.wrap_up_s.into()));
                if let (Some(worker), Some(more)) = (self.worker(&agent), more)
                    && worker.state == AgentState::WrapUp
                    && worker.mores < acd::WRAP_UP_MORE_MAX
                {
                    worker.mores += 1;
                    worker.wrap_until = worker.wrap_until.map(|at| at + more);
                }
            }
            Input::WrapUpDone { agent } => self.wrapped(&agent, None),
            Input::Resume { agent, contact, rest } => self.resume(&agent, contact, rest),
            Input::OverflowFailed { contact } => self.again(now, contact),
            Input::Configure(config) => self.configure(now, *config),
        }
        self.settle(now);
    }

    fn enter(&mut self, now: Instant, id: ContactId, queue: QueueId, (since, stay, wants): (Instant, Stay, Wants)) {
        if self.waiters.iter().any(|w| w.id == id) {
            return;
        }
        let Some(config) = self.config.queues.get(&queue) else {
            self.out.push(Output::Returned { contact: id, why: Return::UnknownQueue });
            return;
        };
        self.order += 1;
        let mut waiter = Waiter {
            id,
            queue,
            since,
            order: self.order,
            stay,
            offered_to: None,
            position_at: None,
            overflow_at: None,
            late: false,
            wants,
            tier: 0,
            tier_at: None,
            ripe_at: None,
            kept_for: None,
            kept_until: None,
        };
        follow(&mut waiter, config, now);
        self.waiters.push(waiter);
        self.widen(now, |w| w.id == id);
        self.ask_last_agent(now, id);
        let queue = self.waiters.last().map(|w| w.queue.clone());
        let length = self.waiters.iter().filter(|w| Some(&w.queue) == queue.as_ref()).count();
        let bounds = queue.as_ref().and_then(|q| self.queue(q)).map(|q| q.routing.tiers.clone()).unwrap_or_default();
        if bounds.iter().any(|t| t.longer_than.is_some_and(|most| length == most as usize + 1)) {
            self.widen(now, |w| Some(&w.queue) == queue.as_ref());
        }
    }

    fn ask_last_agent(&mut self, now: Instant, id: ContactId) {
        let Some(waiter) = self.waiters.iter().find(|w| w.id == id).cloned() else { return };
        let Some(agent) = waiter.wants.last_agent.clone().filter(|agent| self.may_serve(agent, &waiter)) else {
            return;
        };
        let patience_s = self.queue(&waiter.queue).map_or(0, |q| q.routing.last_agent_s);
        match self.worker(&agent).map(|w| w.state) {
            Some(AgentState::Ready) if self.agent_for(now, &waiter).is_some() => {
                self.ring(now, id, agent, waiter.queue);
            }
            Some(AgentState::Talking | AgentState::WrapUp | AgentState::Offered) if patience_s > 0 => {
                for waiter in self.waiters.iter_mut().filter(|w| w.id == id) {
                    waiter.kept_for = Some(agent.clone());
                    waiter.kept_until = Some(now + Duration::from_secs(patience_s.into()));
                }
            }
            _ => {}
        }
    }

    fn sign_in(&mut self, id: &AgentId) {
        let Some(worker) = self.worker(id) else { return };
        if worker.state == AgentState::SignedOut {
            worker.missed = 0;
            worker.then = AgentState::NotReady;
            let calling = worker.others > 0;
            self.set(id, AgentState::NotReady);
            if calling {
                self.set(id, AgentState::Talking);
            }
        } else if worker.then == AgentState::SignedOut {
            worker.then = AgentState::NotReady;
        }
    }

    fn resume(&mut self, id: &AgentId, work: Option<(ContactId, QueueId)>, rest: AgentState) {
        let known = self.config.agents.contains_key(id);
        if !known || self.worker(id).is_none_or(|worker| worker.state != AgentState::SignedOut) {
            return;
        }
        if work.is_none() {
            self.sign_in(id);
        } else {
            if let Some(worker) = self.worker(id) {
                (worker.missed, worker.work, worker.work_over) = (0, work, false);
            }
            self.set(id, AgentState::Talking);
        }
        if let Some(worker) = self.worker(id) {
            worker.then = rest;
        }
    }

    fn wish(&mut self, id: &AgentId, wish: AgentState) {
        let Some(worker) = self.worker(id) else { return };
        if worker.state == AgentState::SignedOut {
            return;
        }
        worker.then = wish;
        if wish == AgentState::Ready {
            worker.missed = 0;
        }
        match worker.state {
            AgentState::Talking => {}
            AgentState::WrapUp if wish == AgentState::NotReady => {}
            AgentState::WrapUp => self.wrapped(id, None),
            AgentState::Offered if wish == AgentState::Ready => {}
            AgentState::Offered => {
                self.stop_ringing(id, OfferOutcome::Declined);
                self.set(id, wish);
            }
            _ => self.set(id, wish),
        }
    }

    fn accept(&mut self, id: &AgentId) {
        let Some(worker) = self.worker(id).filter(|w| w.state == AgentState::Offered) else { return };
        worker.missed = 0;
        worker.ring_until = None;
        let Some((contact, _)) = worker.work.clone() else { return };
        self.turn(id);
        self.waiters.retain(|w| w.id != contact);
        self.out.push(Output::OfferEnded { contact, agent: id.clone(), outcome: OfferOutcome::Accepted });
        self.set(id, AgentState::Talking);
    }

    fn other_call(&mut self, id: &AgentId) {
        let Some(worker) = self.worker(id) else { return };
        worker.others += 1;
        match worker.state {
            AgentState::SignedOut | AgentState::Talking => return,
            AgentState::NotReady | AgentState::Ready => worker.then = worker.state,
            AgentState::Offered => drop(self.stop_ringing(id, OfferOutcome::Declined)),
            AgentState::WrapUp => return self.wrapped(id, Some(AgentState::Talking)),
        }
        self.set(id, AgentState::Talking);
    }

    fn again(&mut self, now: Instant, contact: ContactId) {
        let Some(queue) = self.waiters.iter().find(|w| w.id == contact).map(|w| w.queue.clone()) else { return };
        let Some(config) = self.config.queues.get(&queue) else { return };
        let (may, after) = (config.overflow.locality == Locality::MayLeave, config.overflow.after_s);
        for waiter in self.waiters.iter_mut().filter(|w| w.id == contact && w.stay == Stay::Own && may) {
            waiter.overflow_at = Some(now + OVERFLOW_AGAIN.max(Duration::from_secs(after.into())));
        }
    }

    fn configure(&mut self, now: Instant, config: Config) {
        self.config = config;
        let mut gone: Vec<Waiter> =
            self.waiters.iter().filter(|w| !self.config.queues.contains_key(&w.queue)).cloned().collect();
        gone.sort_by_key(|w| (w.queue.clone(), w.since, w.order));
        for waiter in gone {
            self.out_of_line(waiter.id);
            self.out.push(Output::Returned { contact: waiter.id, why: Return::QueueGone });
        }
        for waiter in &mut self.waiters {
            waiter.tier = 0;
        }
        self.widen(now, |_| true);
        let offered = |w: &Waiter| Some((w.offered_to.clone()?, w.clone()));
        let ringing: Vec<(AgentId, Waiter)> = self.waiters.iter().filter_map(offered).collect();
        for (agent, waiter) in ringing {
            if self.may_serve(&agent, &waiter) {
                continue;
            }
            self.stop_ringing(&agent, OfferOutcome::Withdrawn);
            self.ready_in_old_place(&agent);
        }
        for waiter in &mut self.waiters {
            if let Some(config) = self.config.queues.get(&waiter.queue) {
                follow(waiter, config, now);
            }
        }
    }

    /// When something happens by itself, and what: rings before wrap-ups before announcements before overflow.
    fn next(&self) -> Option<(Instant, u8, AgentId, ContactId)> {
        let (nobody, nothing) = (AgentId::new("0").ok()?, ContactId(0));
        let mut due = Vec::new();
        for w in &self.workers {
            due.extend(w.ring_until.map(|at| (at, 0, w.id.clone(), nothing)));
            due.extend(w.wrap_until.map(|at| (at, 1, w.id.clone(), nothing)));
        }
        for w in &self.waiters {
            due.extend(w.position_at.map(|at| (at, 2, nobody.clone(), w.id)));
            due.extend(w.overflow_at.map(|at| (at, 3, nobody.clone(), w.id)));
            due.extend(w.tier_at.map(|at| (at, 4, nobody.clone(), w.id)));
            due.extend(w.ripe_at.map(|at| (at, 5, nobody.clone(), w.id)));
            due.extend(w.kept_until.map(|at| (at, 6, nobody.clone(), w.id)));
        }
        due.into_iter().min()
    }

    pub fn next_at(&self) -> Option<Instant> {
        self.next().map(|(at, ..)| at)
    }

    pub fn timeout(&mut self, now: Instant) {
        self.now = Some(now);
        while let Some((at, kind, agent, contact)) = self.next().filter(|(at, ..)| *at <= now) {
            match kind {
                0 => self.missed(&agent, OfferOutcome::TimedOut),
                1 => self.wrapped(&agent, None),
                2 => self.announce(at, now, contact),
                3 => {
                    for waiter in self.waiters.iter_mut().filter(|w| w.id == contact) {
                        waiter.overflow_at = None;
                    }
                    self.overflow(contact);
                }
                4 => self.widen(now, |w| w.id == contact),
                5 => self.waiters.iter_mut().filter(|w| w.id == contact).for_each(|w| w.ripe_at = None),
                _ => {
                    for waiter in self.waiters.iter_mut().filter(|w| w.id == contact) {
                        (waiter.kept_for, waiter.kept_until) = (None, None);
                    }
                }
            }
            self.settle(now);
        }
    }

    fn announce(&mut self, at: Instant, now: Instant, contact: ContactId) {
        let Some(index) = self.waiters.iter().position(|w| w.id == contact) else { return };
        let me = self.waiters[index].clone();
        let every = self.queue(&me.queue).map_or(1, |q| q.position_every_s);
        let next = at + Duration::from_secs(every.into());
        self.waiters[index].position_at = Some(if next > now { next } else { now + Duration::from_secs(every.into()) });
        if me.offered_to.is_none() {
            let before = |w: &Waiter, me: &Waiter| {
                (std::cmp::Reverse(w.wants.value), w.since, w.order)
                    < (std::cmp::Reverse(me.wants.value), me.since, me.order)
            };
            let before = self.waiters.iter().filter(|w| w.queue == me.queue && before(w, &me)).count();
            let position = (before < POSITION_MAX).then_some(before as u32 + 1);
            self.out.push(Output::Position { contact, position });
        }
    }
}

/// Timers follow the queue's settings: off stops them, on starts them, an earlier overflow counts.
fn follow(waiter: &mut Waiter, config: &config::Queue, now: Instant) {
    let after = |s: u32| now + Duration::from_secs(s.into());
    let own = waiter.stay == Stay::Own;
    waiter.position_at =
        (own && config.position_every_s > 0).then(|| waiter.position_at.unwrap_or(after(config.position_every_s)));
    waiter.overflow_at = (own && config.overflow.locality == Locality::MayLeave).then(|| {
        let at = after(config.overflow.after_s);
        waiter.overflow_at.map_or(at, |set| set.min(at))
    });
    let ripe = waiter.since + Duration::from_secs(config.routing.ageing_s.into());
    waiter.ripe_at = (config.routing.reserve.agents > 0 && ripe > now).then_some(ripe);
}
