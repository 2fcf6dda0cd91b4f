//! What an agent is doing, as a table, and what an agent will do when the work in hand is over.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use model::{
    AgentId, ContactId, QueueId, SkillId, config,
    fact::AgentState::{self, NotReady, Offered, Ready, SignedOut, Talking, WrapUp},
};

use crate::{Acd, Output, lane::LaneId, line::Place, timer::Timer};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    SignIn,
    SignOut,
    BeReady,
    BeNotReady,
    Offer,
    Accept,
    /// The contact left: not the agent's doing.
    Withdrawn,
    /// Not answered or declined, but not often enough to matter.
    Missed,
    /// Not answered too often, or not reachable.
    StruckOut,
    OtherCall,
    /// A contact is over, and its queue grants time to write it up.
    ToWrapUp,
    /// As an earlier life left it.
    Resume,
    /// All work is done: what the agent wished for meanwhile.
    Rest(Wish),
}

/// The state that follows the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Ready,
    NotReady,
    SignedOut,
}

impl Wish {
    fn of(state: AgentState) -> Self {
        match state {
            Ready => Wish::Ready,
            SignedOut => Wish::SignedOut,
            NotReady | Offered | Talking | WrapUp => Wish::NotReady,
        }
    }

    fn state(self) -> AgentState {
        match self {
            Wish::Ready => Ready,
            Wish::NotReady => NotReady,
            Wish::SignedOut => SignedOut,
        }
    }
}

/// The legal moves; None is no move.
pub(crate) fn next(state: AgentState, event: Event) -> Option<AgentState> {
    Some(match (state, event) {
        (SignedOut, Event::SignIn) => NotReady,
        (NotReady | Ready | Offered, Event::SignOut) => SignedOut,
        (NotReady, Event::BeReady) => Ready,
        (Ready | Offered, Event::BeNotReady) => NotReady,
        (Ready, Event::Offer) => Offered,
        (Offered, Event::Accept) | (SignedOut, Event::Resume) => Talking,
        (Offered, Event::Withdrawn | Event::Missed) => Ready,
        (Offered, Event::StruckOut) => NotReady,
        (NotReady | Ready | Offered | WrapUp, Event::OtherCall) => Talking,
        (Talking, Event::ToWrapUp) => WrapUp,
        (Talking | WrapUp, Event::Rest(wish)) => wish.state(),
        _ => return None,
    })
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub state: AgentState,
    /// None until the first move.
    pub since: Option<Instant>,
    pub standing: Standing,
    /// Order of the last offer that was taken or missed; 0 for none since sign-in.
    pub turn: u64,
    /// Since sign-in: talk and wrap-up, and the time of being ready.
    pub handled: Duration,
    pub available: Duration,
    pub wish: Wish,
    pub member_of: BTreeSet<QueueId>,
    pub skills: BTreeMap<SkillId, u8>,
    pub serves: BTreeSet<LaneId>,
    /// Contacts that wait for this agent alone.
    pub awaited: BTreeSet<Place>,
    /// Offers missed in a row.
    pub missed: u32,
    /// The contact offered, talked to or wrapped up.
    pub work: Option<Work>,
    /// Calls beside the contact.
    pub other_calls: u32,
    /// Dropped by the configuration: leaves when the work is done.
    pub dismissed: bool,
}

/// What strategies go by, as it was when the agent became ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Order of becoming idle: the smallest has been idle longest.
    pub ticket: u64,
    pub turn: u64,
    /// Tenths of a percent.
    pub occupancy: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Work {
    pub contact: ContactId,
    pub queue: QueueId,
    /// The contact is gone; the wrap-up is still owed.
    pub done: bool,
    /// How often its wrap-up was made longer.
    pub more: u32,
}

impl Agent {
    pub fn of(config: &config::Agent) -> Self {
        Self {
            state: SignedOut,
            since: None,
            standing: Standing::default(),
            turn: 0,
            handled: Duration::ZERO,
            available: Duration::ZERO,
            wish: Wish::NotReady,
            member_of: config.queues.clone(),
            skills: config.skills.clone(),
            serves: BTreeSet::new(),
            awaited: BTreeSet::new(),
            missed: 0,
            work: None,
            other_calls: 0,
            dismissed: false,
        }
    }

    /// `handle / (handle + available)` since sign-in (NORMS 4), in tenths of a percent.
    fn occupancy(&self) -> u16 {
        let all = self.handled.saturating_add(self.available).as_millis();
        let permille = self.handled.as_millis().saturating_mul(1_000).checked_div(all).unwrap_or(0);
        u16::try_from(permille).unwrap_or(1_000)
    }

    /// The state changes: the time in the one before counts.
    fn moved(&mut self, now: Instant, state: AgentState) {
        let passed = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        match self.state {
            Talking | WrapUp => self.handled = self.handled.saturating_add(passed),
            Ready => self.available = self.available.saturating_add(passed),
            SignedOut => (self.handled, self.available, self.turn) = (Duration::ZERO, Duration::ZERO, 0),
            NotReady | Offered => {}
        }
        self.state = state;
        self.since = Some(now);
    }
}

impl Acd {
    pub fn state(&self, agent: &AgentId) -> Option<AgentState> {
        self.agents.get(agent).map(|a| a.state)
    }

    /// What an agent wants to be when its work is done.
    pub fn rest_of(&self, agent: &AgentId) -> Option<AgentState> {
        self.agents.get(agent).map(|agent| agent.wish.state())
    }

    pub(crate) fn resume(
        &mut self,
        now: Instant,
        id: &AgentId,
        contact: Option<(ContactId, QueueId)>,
        rest: AgentState,
    ) {
        let Some(agent) = self.agents.get_mut(id).filter(|agent| agent.state == SignedOut && !agent.dismissed) else {
            return;
        };
        match contact {
            None => self.sign_in(now, id),
            Some((contact, queue)) => {
                if let Some(queue) = self.queues.get_mut(&queue) {
                    queue.talking = queue.talking.saturating_add(1);
                }
                agent.missed = 0;
                agent.work = Some(Work { contact, queue, done: false, more: 0 });
                self.move_agent(now, id, Event::Resume);
            }
        }
        if let Some(agent) = self.agents.get_mut(id) {
            agent.wish = Wish::of(rest);
        }
    }

    /// Since when the agent is in its state.
    pub fn state_since(&self, agent: &AgentId) -> Option<Instant> {
        self.agents.get(agent)?.since
    }

    /// The contact an agent is offered, talks to or wraps up.
    pub fn contact_of(&self, agent: &AgentId) -> Option<ContactId> {
        self.agents.get(agent).and_then(|a| a.work.as_ref()).map(|work| work.contact)
    }

    /// When the agent's wrap-up ends by itself.
    pub fn wrap_up_until(&self, agent: &AgentId) -> Option<Instant> {
        self.timers.at(&Timer::WrapUp(agent.clone()))
    }

    pub(crate) fn sign_in(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        if agent.dismissed {
            return;
        }
        if agent.state == SignedOut {
            agent.wish = Wish::NotReady;
            agent.missed = 0;
            let on_the_phone = agent.other_calls > 0;
            self.move_agent(now, id, Event::SignIn);
            if on_the_phone {
                self.move_agent(now, id, Event::OtherCall);
            }
        } else if agent.wish == Wish::SignedOut {
            agent.wish = Wish::NotReady;
        }
    }

    pub(crate) fn sign_out(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        agent.wish = Wish::SignedOut;
        match agent.state {
            Talking => {}
            WrapUp => self.wrap_up_done(now, id),
            Offered => self.give_up_offer(now, id, Event::SignOut),
            _ => self.move_agent(now, id, Event::SignOut),
        }
    }

    pub(crate) fn be_ready(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        if agent.state == SignedOut || agent.dismissed {
            return;
        }
        agent.wish = Wish::Ready;
        agent.missed = 0;
        match agent.state {
            WrapUp => self.wrap_up_done(now, id),
            _ => self.move_agent(now, id, Event::BeReady),
        }
    }

    pub(crate) fn be_not_ready(&mut self, now: Instant, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        if agent.state == SignedOut || agent.dismissed {
            return;
        }
        agent.wish = Wish::NotReady;
        match agent.state {
            Offered => self.give_up_offer(now, id, Event::BeNotReady),
            _ => self.move_agent(now, id, Event::BeNotReady),
        }
    }

    /// Makes one legal move and finds work for whoever became ready.
    pub(crate) fn move_agent(&mut self, now: Instant, id: &AgentId, event: Event) {
        self.shift_agent(now, id, event);
        match self.state(id) {
            Some(Ready) => self.serve_agent(now, id),
            Some(NotReady | SignedOut) | None => {
                for contact in self.release_awaited(id) {
                    self.serve_contact(now, contact);
                }
            }
            Some(Offered | Talking | WrapUp) => {}
        }
    }

    /// Makes one legal move and keeps the ready lists in step; the caller finds the work.
    pub(crate) fn shift_agent(&mut self, now: Instant, id: &AgentId, event: Event) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let Some(state) = next(agent.state, event) else { return };
        let (was, kept_place) = (agent.state, event == Event::Withdrawn);
        if state != was {
            agent.moved(now, state);
            self.outputs.push_back(Output::AgentState { agent: id.clone(), state });
        }
        if was == Ready {
            self.leave_ready(id);
        }
        if state == Ready {
            self.join_ready(id, kept_place);
        }
        if state == SignedOut && self.agents.get(id).is_some_and(|a| a.dismissed && a.other_calls == 0) {
            self.release_awaited(id);
            self.agents.remove(id);
        }
    }

    fn leave_ready(&mut self, id: &AgentId) {
        let Some(agent) = self.agents.get(id) else { return };
        for lane in &agent.serves {
            if let Some(lane) = self.lanes.get_mut(lane) {
                let seat = lane.seat(id, agent);
                lane.ready.remove(&seat);
            }
        }
    }

    /// `kept_place`: the agent lost nothing by an offer that was withdrawn, and stands where it stood.
    fn join_ready(&mut self, id: &AgentId, kept_place: bool) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        if !kept_place {
            self.ticket += 1;
            agent.standing = Standing { ticket: self.ticket, turn: agent.turn, occupancy: agent.occupancy() };
        }
        for lane in &agent.serves {
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.ready.insert(lane.seat(id, agent));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [AgentState; 6] = [SignedOut, NotReady, Ready, Offered, Talking, WrapUp];

    #[test]
    fn the_table_allows_these_moves_and_no_others() {
        let table = "\
            SignIn       -> NotReady .        .        .        .         .
            SignOut      -> .        SignedOut SignedOut SignedOut .      .
            BeReady      -> .        Ready    .        .        .         .
            BeNotReady   -> .        .        NotReady NotReady .         .
            Offer        -> .        .        Offered  .        .         .
            Accept       -> .        .        .        Talking  .         .
            Withdrawn    -> .        .        .        Ready    .         .
            Missed       -> .        .        .        Ready    .         .
            StruckOut    -> .        .        .        NotReady .         .
            OtherCall    -> .        Talking  Talking  Talking  .         Talking
            ToWrapUp     -> .        .        .        .        WrapUp    .
            Resume       -> Talking  .        .        .        .         .
            Rest(Ready)  -> .        .        .        .        Ready     Ready";
        let events = [
            Event::SignIn,
            Event::SignOut,
            Event::BeReady,
            Event::BeNotReady,
            Event::Offer,
            Event::Accept,
            Event::Withdrawn,
            Event::Missed,
            Event::StruckOut,
            Event::OtherCall,
            Event::ToWrapUp,
            Event::Resume,
            Event::Rest(Wish::Ready),
        ];
        let line = |event: Event| {
            let cells = STATES.map(|s| next(s, event).map_or(".".to_owned(), |to| format!("{to:?}")));
            format!("{event:?} -> {}", cells.join(" "))
        };
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let expected: Vec<String> = table.lines().map(words).collect();
        assert_eq!(events.map(line).to_vec(), expected);
    }

    #[test]
    fn nobody_is_offered_a_second_contact() {
        for state in STATES {
            assert_eq!(next(state, Event::Offer).is_some(), state == Ready, "{state:?}");
        }
    }
}
