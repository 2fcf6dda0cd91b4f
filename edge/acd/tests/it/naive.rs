//! The same rules written the slow and obvious way: lists, scans, and one sentence per rule.

use std::time::{Duration, Instant};

use acd::{Input, OVERFLOW_AGAIN, Output, POSITION_MAX, Return, Stay, UNANSWERED_MAX};
use model::{
    AgentId, ContactId, QueueId,
    config::{self, Config, Locality},
    fact::{AgentState, OfferOutcome},
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
}

#[derive(Debug, Clone)]
pub struct Worker {
    pub id: AgentId,
    pub state: AgentState,
    idle_order: u64,
    then: AgentState,
    missed: u32,
    work: Option<(ContactId, QueueId)>,
    work_over: bool,
    others: u32,
    ring_until: Option<Instant>,
    wrap_until: Option<Instant>,
}

pub struct Naive {
    pub config: Config,
    pub waiters: Vec<Waiter>,
    pub workers: Vec<Worker>,
    order: u64,
    idle: u64,
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
                    idle_order: 0,
                    then: AgentState::NotReady,
                    missed: 0,
                    work: None,
                    work_over: false,
                    others: 0,
                    ring_until: None,
                    wrap_until: None,
                });
            }
        }
    }

    fn queue(&self, id: &QueueId) -> Option<&config::Queue> {
        self.config.queues.get(id)
    }

    fn may_serve(&self, agent: &AgentId, queue: &QueueId) -> bool {
        let (Some(agent), Some(q)) = (self.config.agents.get(agent), self.config.queues.get(queue)) else {
            return false;
        };
        agent.queues.contains(queue) && q.skills.iter().all(|(s, l)| agent.skills.get(s).is_some_and(|has| has >= l))
    }

    fn worker(&mut self, id: &AgentId) -> Option<&mut Worker> {
        self.workers.iter_mut().find(|w| w.id == *id)
    }

    fn set(&mut self, id: &AgentId, state: AgentState) {
        let idle = self.idle + 1;
        let Some(worker) = self.worker(id) else { return };
        if worker.state == state {
            return;
        }
        worker.state = state;
        if state == AgentState::Ready {
            worker.idle_order = idle;
            self.idle = idle;
        }
        self.out.push(Output::AgentState { agent: id.clone(), state });
    }

    /// The oldest contact for whom somebody is ready meets the longest idle, until nobody is left.
    fn settle(&mut self, now: Instant) {
        loop {
            let mut waiting: Vec<&Waiter> = self.waiters.iter().filter(|w| w.offered_to.is_none()).collect();
            waiting.sort_by_key(|w| (w.since, w.order));
            let pair = waiting.iter().find_map(|waiter| {
                let ready = self.workers.iter().filter(|w| w.state == AgentState::Ready);
                let able = ready.filter(|w| self.may_serve(&w.id, &waiter.queue));
                able.min_by_key(|w| w.idle_order).map(|w| (waiter.id, w.id.clone(), waiter.queue.clone()))
            });
            let Some((contact, agent, queue)) = pair else { break };
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
            }
            self.out.push(Output::Offer { contact, agent, queue });
        }
        let idle = |w: &Waiter| w.offered_to.is_none();
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
        let place = self.worker(agent).map(|w| w.idle_order);
        self.set(agent, AgentState::Ready);
        if let (Some(place), Some(worker)) = (place, self.worker(agent)) {
            worker.idle_order = place;
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
        match input {
            Input::Enter { contact, queue, since, stay } => self.enter(now, contact, queue, (since, stay)),
            Input::Leave { contact } => self.out_of_line(contact),
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
            Input::WrapUpDone { agent } => self.wrapped(&agent, None),
            Input::OverflowFailed { contact } => self.again(now, contact),
            Input::Configure(config) => self.configure(now, *config),
        }
        self.settle(now);
    }

    fn enter(&mut self, now: Instant, id: ContactId, queue: QueueId, (since, stay): (Instant, Stay)) {
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
        };
        follow(&mut waiter, config, now);
        self.waiters.push(waiter);
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
        let ringing: Vec<(AgentId, QueueId)> = self
            .workers
            .iter()
            .filter(|w| w.state == AgentState::Offered)
            .filter_map(|w| Some((w.id.clone(), w.work.clone()?.1)))
            .filter(|(agent, queue)| !self.may_serve(agent, queue))
            .collect();
        for (agent, _) in ringing {
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
        }
        due.into_iter().min()
    }

    pub fn next_at(&self) -> Option<Instant> {
        self.next().map(|(at, ..)| at)
    }

    pub fn timeout(&mut self, now: Instant) {
        while let Some((at, kind, agent, contact)) = self.next().filter(|(at, ..)| *at <= now) {
            match kind {
                0 => self.missed(&agent, OfferOutcome::TimedOut),
                1 => self.wrapped(&agent, None),
                2 => self.announce(at, now, contact),
                _ => {
                    for waiter in self.waiters.iter_mut().filter(|w| w.id == contact) {
                        waiter.overflow_at = None;
                    }
                    self.overflow(contact);
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
            let before = self
                .waiters
                .iter()
                .filter(|w| w.queue == me.queue && (w.since, w.order) < (me.since, me.order))
                .count();
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
}
