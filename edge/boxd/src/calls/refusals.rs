//! What was refused or dropped of what came in: counted by cause, and told in the log now and then. A cause is a word of
//! the program's own, so neither can name a person.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use prometheus::{IntCounterVec, Opts, Registry};

/// Between two lines of one cause: who sends rubbish by the thousand does not fill the disk with it.
const TELL_EVERY: Duration = Duration::from_secs(60);

pub struct Refusals {
    counter: IntCounterVec,
    told: BTreeMap<&'static str, Told>,
}

struct Told {
    at: Instant,
    since: u64,
}

impl Refusals {
    pub fn new(registry: &Registry) -> anyhow::Result<Self> {
        let opts = Opts::new("branchline_sip_refused_total", "SIP messages refused or dropped");
        let counter = IntCounterVec::new(opts, &["cause"])?;
        registry.register(Box::new(counter.clone()))?;
        Ok(Self { counter, told: BTreeMap::new() })
    }

    /// `status` is the answer's; None when there was none.
    pub fn count(&mut self, now: Instant, cause: &'static str, status: Option<u16>) {
        self.count_many(now, cause, status, 1);
    }

    /// The same for so many.
    pub fn count_many(&mut self, now: Instant, cause: &'static str, status: Option<u16>, count: u64) {
        self.counter.with_label_values(&[cause]).inc_by(count);
        if let Some(count) = self.due(now, cause, count) {
            tracing::warn!(cause, status, count, "SIP refused or dropped");
        }
    }

    /// How many there were since the last line, when another is due: the first of a cause is told at once.
    fn due(&mut self, now: Instant, cause: &'static str, count: u64) -> Option<u64> {
        let Some(told) = self.told.get_mut(cause) else {
            self.told.insert(cause, Told { at: now, since: 0 });
            return Some(count);
        };
        told.since = told.since.saturating_add(count);
        if now.saturating_duration_since(told.at) < TELL_EVERY {
            return None;
        }
        told.at = now;
        Some(std::mem::take(&mut told.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_at_once_and_then_by_the_minute_and_no_refusal_is_left_uncounted() {
        let registry = Registry::new();
        let mut refusals = Refusals::new(&registry).expect("a counter");
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        assert_eq!(refusals.due(at(0), "via", 1), Some(1));
        assert_eq!(refusals.due(at(0), "cseq", 1), Some(1), "another cause is another line");
        assert!((1..60).all(|second| refusals.due(at(second), "via", 1).is_none()));
        assert_eq!(refusals.due(at(60), "via", 1), Some(60));
        assert_eq!(refusals.due(at(61), "via", 1), None);
        for _ in 0..3 {
            refusals.count(at(0), "duplicate", Some(400));
        }
        assert_eq!(refusals.counter.with_label_values(&["duplicate"]).get(), 3);
        assert_eq!(registry.gather().len(), 1);
    }
}
