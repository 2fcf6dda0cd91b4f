//! The engine's timers, by name and in order. One timer of a name at a time: setting it again moves it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use model::{AgentId, ContactId};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// An offer rings for `ring_s`.
    Ring(AgentId),
    WrapUp(AgentId),
    /// The next announcement of the position.
    Position(ContactId),
    /// Eligible for other sites.
    Overflow(ContactId),
    /// The next tier of its queue opens.
    Tier(ContactId),
    /// Waited so long that the reserve is not kept from it.
    Ripe(ContactId),
    /// Waits no longer for the agent it spoke with last.
    LastAgent(ContactId),
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    order: BTreeSet<(Instant, Timer)>,
    at: BTreeMap<Timer, Instant>,
}

impl Timers {
    pub fn set(&mut self, timer: Timer, at: Instant) {
        self.cancel(&timer);
        self.order.insert((at, timer.clone()));
        self.at.insert(timer, at);
    }

    pub fn cancel(&mut self, timer: &Timer) {
        if let Some(at) = self.at.remove(timer) {
            self.order.remove(&(at, timer.clone()));
        }
    }

    pub fn at(&self, timer: &Timer) -> Option<Instant> {
        self.at.get(timer).copied()
    }

    pub fn first(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The first timer that is due, with the time it was set for.
    pub fn pop(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        if self.first()? > now {
            return None;
        }
        let (at, timer) = self.order.pop_first()?;
        self.at.remove(&timer);
        Some((at, timer))
    }
}
