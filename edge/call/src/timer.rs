//! Every timer of a leg, named, in one table. SIP's own timers live in the endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use model::LegId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The media process has not answered `Open`.
    Port,
    /// RFC 3261 §16.6 Timer C: nobody answered a call that we made. Owners give up long before.
    Ring,
    /// A tunnel that nobody connected.
    Tunnel,
    /// Our re-INVITE was refused: once more.
    Reoffer,
    /// Nothing is heard from a party: is it still there?
    Probe,
    /// No recording server took a copy: once more.
    CopyAgain,
    /// A recording server that is there does not answer.
    CopyRing,
}

impl Timer {
    const ALL: [Self; 7] =
        [Self::Port, Self::Ring, Self::Tunnel, Self::Reoffer, Self::Probe, Self::CopyAgain, Self::CopyRing];

    pub fn after(self) -> Duration {
        Duration::from_secs(match self {
            Timer::Port => 5,
            Timer::Ring => 180,
            Timer::Tunnel => 120,
            Timer::Reoffer => 2,
            Timer::Probe => 60,
            Timer::CopyAgain => 15,
            Timer::CopyRing => 5,
        })
    }
}

/// At most one of each kind per leg, so that legs bound the table.
#[derive(Debug, Default)]
pub struct Timers {
    set: BTreeMap<(LegId, Timer), Instant>,
    order: BTreeSet<(Instant, LegId, Timer)>,
}

impl Timers {
    pub fn start(&mut self, now: Instant, leg: LegId, timer: Timer) {
        self.stop(leg, timer);
        if let Some(at) = now.checked_add(timer.after()) {
            self.set.insert((leg, timer), at);
            self.order.insert((at, leg, timer));
        }
    }

    pub fn stop(&mut self, leg: LegId, timer: Timer) {
        if let Some(at) = self.set.remove(&(leg, timer)) {
            self.order.remove(&(at, leg, timer));
        }
    }

    pub fn forget(&mut self, leg: LegId) {
        Timer::ALL.into_iter().for_each(|timer| self.stop(leg, timer));
    }

    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, ..)| *at)
    }

    /// Takes one timer that is due.
    pub fn due(&mut self, now: Instant) -> Option<(LegId, Timer)> {
        let (_, leg, timer) = self.order.first().copied().filter(|(at, ..)| *at <= now)?;
        self.stop(leg, timer);
        Some((leg, timer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    fn timers_fall_due_in_order_and_a_forgotten_leg_has_none() {
        let start = Instant::now();
        let mut timers = Timers::default();
        timers.start(start, LegId(1), Timer::Ring);
        timers.start(start, LegId(2), Timer::Port);
        timers.start(start, LegId(3), Timer::Reoffer);
        timers.forget(LegId(3));
        timers.stop(LegId(3), Timer::Ring);
        assert_eq!(timers.next(), Some(start + Duration::from_secs(5)));
        assert_eq!(timers.due(start), None);
        assert_eq!(timers.due(start + Duration::from_secs(200)), Some((LegId(2), Timer::Port)));
        assert_eq!(timers.due(start + Duration::from_secs(200)), Some((LegId(1), Timer::Ring)));
        assert_eq!(timers.next(), None);
    }
}
