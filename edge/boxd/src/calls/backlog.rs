//! How far what calls need beside SIP (ports, the ledger) is behind, and whether there are ports enough.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use media::plane::{Command, Event, Failure, PortId};

use crate::media::QUARANTINE;

/// A port that *media* was asked for so long ago and has not opened: no call begins.
const PORT_LATE: Duration = Duration::from_millis(200);
/// A batch that was handed to the ledger so long ago and is not on the disk: no call begins.
const BATCH_LATE: Duration = Duration::from_millis(1_000);
/// A disk that takes a second is as late as a port that takes a tenth of it: nobody listens to a disk.
const DISK_PATIENCE: u32 = 10;
/// What was asked and is remembered; beyond it nothing is learnt of it.
const ASKED_MAX: usize = 10_000;

/// Of all ports, the share that no new call takes: for emergency calls, and for the other leg of those that have begun.
const RESERVE: usize = 16;
/// It is never more than this.
const RESERVE_MAX: usize = 256;
/// Nor less, where there are twice as many: both legs of two calls for help.
const RESERVE_MIN: usize = 4;

/// What was asked of others and is not done.
pub struct Backlog {
    asked: VecDeque<Instant>,
    ports: Ports,
    batches: Arc<Mutex<VecDeque<Instant>>>,
}

/// RTP ports as *media* has them: open, or at rest after a call.
struct Ports {
    all: usize,
    open: BTreeSet<PortId>,
    /// Until when, in order.
    resting: VecDeque<Instant>,
}

/// A batch on its way; dropped when the disk has it, or has refused it.
pub struct Written(Arc<Mutex<VecDeque<Instant>>>);

impl Drop for Written {
    fn drop(&mut self) {
        // They are written in order.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    }
}

impl Backlog {
    /// For so many RTP ports.
    pub fn new(ports: usize) -> Self {
        let ports = Ports { all: ports, open: BTreeSet::new(), resting: VecDeque::new() };
        Self { asked: VecDeque::new(), ports, batches: Arc::default() }
    }

    /// No call is to begin until they have caught up, or until ports are free.
    pub fn is_behind(&mut self, now: Instant) -> bool {
        self.ports.are_short(now) || age(&self.asked, now) > PORT_LATE || self.of_batches(now) > BATCH_LATE
    }

    /// RTP ports that are neither in use, at rest nor in reserve.
    pub fn spare_ports(&mut self, now: Instant) -> usize {
        self.ports.spare(now)
    }

    /// How late they are, in the measure of what is late for a call.
    pub fn delay(&self, now: Instant) -> Duration {
        age(&self.asked, now).max(self.of_batches(now) / DISK_PATIENCE)
    }

    pub fn asks(&mut self, now: Instant, command: &Command) {
        match command {
            Command::Open { port, loopback } => {
                if self.asked.len() < ASKED_MAX {
                    self.asked.push_back(now);
                }
                if !loopback {
                    self.ports.open.insert(*port);
                }
            }
            Command::Close { port } => self.ports.close(now, *port),
            _ => {}
        }
    }

    pub fn heard(&mut self, event: &Event) {
        match event {
            Event::Opened { .. } => drop(self.asked.pop_front()),
            Event::Failed { port, why: Failure::NoPort | Failure::Limit } => {
                self.asked.pop_front();
                self.ports.open.remove(port);
            }
            _ => {}
        }
    }

    /// Another *media* owes us nothing of what its predecessor did.
    pub fn media_began(&mut self) {
        self.asked.clear();
        self.ports.open.clear();
        self.ports.resting.clear();
    }

    pub fn writes(&self, now: Instant) -> Written {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).push_back(now);
        Written(self.batches.clone())
    }

    fn of_batches(&self, now: Instant) -> Duration {
        age(&self.batches.lock().unwrap_or_else(PoisonError::into_inner), now)
    }
}

impl Ports {
    /// No number is left but those in reserve.
    fn are_short(&mut self, now: Instant) -> bool {
        self.spare(now) == 0
    }

    fn spare(&mut self, now: Instant) -> usize {
        while self.resting.front().is_some_and(|until| *until <= now) {
            self.resting.pop_front();
        }
        let reserve = (self.all / RESERVE).clamp(RESERVE_MIN, RESERVE_MAX).min(self.all / 2);
        let taken = self.open.len().saturating_add(self.resting.len()).saturating_add(reserve);
        self.all.saturating_sub(taken)
    }

    fn close(&mut self, now: Instant, port: PortId) {
        if self.open.remove(&port) {
            self.resting.push_back(now + QUARANTINE);
        }
    }
}

fn age(asked: &VecDeque<Instant>, now: Instant) -> Duration {
    asked.front().map_or(Duration::ZERO, |oldest| now.saturating_duration_since(*oldest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_that_is_not_done_says_how_late_it_is() {
        let (mut backlog, start) = (Backlog::new(100), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let first = backlog.writes(at(0));
        let second = backlog.writes(at(800));
        assert_eq!((backlog.delay(at(1_000)), backlog.is_behind(at(1_000))), (Duration::from_millis(100), false));
        assert!(backlog.is_behind(at(1_001)));
        drop(first);
        assert_eq!((backlog.delay(at(1_000)), backlog.is_behind(at(1_001))), (Duration::from_millis(20), false));
        drop(second);
        assert_eq!(backlog.delay(at(9_000)), Duration::ZERO);
    }

    #[test]
    fn the_smallest_range_keeps_ports_for_two_calls_for_help() {
        let start = Instant::now();
        let behind = |all: usize, open: u64| {
            let mut backlog = Backlog::new(all);
            (0..open).for_each(|n| backlog.asks(start, &Command::Open { port: PortId(n), loopback: false }));
            (0..open)
                .for_each(|n| backlog.heard(&Event::Opened { port: PortId(n), local: ([127, 0, 0, 1], 9).into() }));
            backlog.is_behind(start)
        };
        assert_eq!([behind(30, 25), behind(30, 26)], [false, true]);
        assert_eq!([behind(4, 1), behind(4, 2)], [false, true]);
    }

    #[test]
    fn no_call_begins_while_the_ports_that_are_left_are_those_in_reserve() {
        let (mut backlog, start) = (Backlog::new(100), Instant::now());
        let open = |n| Command::Open { port: PortId(n), loopback: false };
        let close = |n| Command::Close { port: PortId(n) };
        (0..93).for_each(|n| backlog.asks(start, &open(n)));
        (0..93).for_each(|n| backlog.heard(&Event::Opened { port: PortId(n), local: ([127, 0, 0, 1], 9).into() }));
        assert!(!backlog.is_behind(start));
        backlog.asks(start, &Command::Open { port: PortId(98), loopback: true });
        backlog.heard(&Event::Opened { port: PortId(98), local: ([127, 0, 0, 1], 9).into() });
        assert!(!backlog.is_behind(start), "another process' port is none of the range");
        backlog.asks(start, &open(99));
        backlog.heard(&Event::Opened { port: PortId(99), local: ([127, 0, 0, 1], 9).into() });
        assert!(backlog.is_behind(start), "100 / 16 are in reserve");
        backlog.asks(start, &close(99));
        assert!(backlog.is_behind(start + QUARANTINE / 2), "a port rests after its call");
        assert!(!backlog.is_behind(start + QUARANTINE));
    }
}
