//! The floor's own timers; the lines and the distributor keep theirs.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use model::{ContactId, LegId, OverflowId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A menu waits for a key.
    Collect(ContactId),
    /// Whom a contact was given to has not answered.
    Moving(ContactId),
    /// A browser that vanished in mid-call has not come back.
    Away(ContactId),
    /// Who may not call out has heard why, or never will.
    Refusing(ContactId),
    /// A phone has rung as long as its forward lets it.
    Forward(ContactId),
    /// A test call has not been answered.
    TestCall,
    /// Nobody has seen the test's notice.
    Unseen,
    /// A paid minute of a call out is over.
    Minute(ContactId),
    /// Whose line was taken has heard so.
    Farewell(LegId),
    /// A card is being keyed in.
    CardMode(ContactId),
    /// An agent keeps the talk out of the recording.
    Pause(ContactId),
    /// The disk has not taken a promise.
    Keeping(ContactId),
    /// A customer who is called back has not answered.
    CallBack(ContactId),
    /// A customer is to be called back once more.
    CallAgain(ContactId),
    /// Queues are looked at for what must be alerted of.
    Alerts,
    /// Another site was asked and has not answered.
    Asked(OverflowId),
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    order: BTreeSet<(Instant, Timer)>,
    at: BTreeMap<Timer, Instant>,
}

impl Timers {
    pub fn set(&mut self, timer: Timer, at: Instant) {
        self.cancel(timer);
        self.order.insert((at, timer));
        self.at.insert(timer, at);
    }

    pub fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    pub fn first(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        if self.first()? > now {
            return None;
        }
        let (_, timer) = self.order.pop_first()?;
        self.at.remove(&timer);
        Some(timer)
    }
}
