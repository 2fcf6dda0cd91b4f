//! How far what calls need beside SIP (ports, the ledger) is behind.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use media::plane::{Command, Event};

/// A port that *media* was asked for so long ago and has not opened: no call begins.
const PORT_LATE: Duration = Duration::from_millis(200);
/// A batch that was handed to the ledger so long ago and is not on the disk: no call begins.
const BATCH_LATE: Duration = Duration::from_millis(1_000);
/// A disk that takes a second is as late as a port that takes a tenth of it: nobody listens to a disk.
const DISK_PATIENCE: u32 = 10;
/// What was asked and is remembered; beyond it nothing is learnt of it.
const ASKED_MAX: usize = 10_000;

/// What was asked of others and is not done.
#[derive(Default)]
pub struct Backlog {
    ports: VecDeque<Instant>,
    batches: Arc<Mutex<VecDeque<Instant>>>,
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
    /// No call is to begin until they have caught up.
    pub fn is_behind(&self, now: Instant) -> bool {
        age(&self.ports, now) > PORT_LATE || self.of_batches(now) > BATCH_LATE
    }

    /// How late they are, in the measure of what is late for a call.
    pub fn delay(&self, now: Instant) -> Duration {
        age(&self.ports, now).max(self.of_batches(now) / DISK_PATIENCE)
    }

    pub fn asks(&mut self, now: Instant, command: &Command) {
        if matches!(command, Command::Open { .. }) && self.ports.len() < ASKED_MAX {
            self.ports.push_back(now);
        }
    }

    pub fn heard(&mut self, event: &Event) {
        if matches!(event, Event::Opened { .. } | Event::Failed { .. }) {
            self.ports.pop_front();
        }
    }

    /// Another *media* owes us nothing of what its predecessor did.
    pub fn media_began(&mut self) {
        self.ports.clear();
    }

    pub fn writes(&self, now: Instant) -> Written {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner).push_back(now);
        Written(self.batches.clone())
    }

    fn of_batches(&self, now: Instant) -> Duration {
        age(&self.batches.lock().unwrap_or_else(PoisonError::into_inner), now)
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
        let (backlog, start) = (Backlog::default(), Instant::now());
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
}
