//! How a run of calls went, with every call that did not pass under the cause that its caller could tell, and what the
//! generator itself is to blame for.

use std::{collections::BTreeMap, time::Duration};

use super::quantile;

/// A run says nothing about the server when the kernel dropped more of what came to the generator, in thousandths.
const DROPPED_MAX: u64 = 1;
/// Or when a call of a hundred began later than this.
const LATE_MAX: Duration = Duration::from_millis(100);

#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub offered: u32,
    pub answered: u32,
    /// Of these, hung up and confirmed.
    pub passed: u32,
    /// Refused by 503.
    pub shed: u32,
    /// Refused by something else.
    pub refused: BTreeMap<u16, u32>,
    /// Nothing came back.
    pub silent: u32,
    /// A provisional answer came, and no other.
    pub unanswered: u32,
    /// Hung up, and nobody confirmed.
    pub unended: u32,
    /// Answered with a media address that is no port of the server's for this call alone; they count as passed, too.
    pub unanchored: u32,
    /// From the INVITE to its 200, in microseconds, sorted.
    pub answer_us: Vec<u32>,
    /// How much later than planned each call began, in microseconds, sorted.
    pub late_us: Vec<u32>,
    pub own: Own,
}

/// What came to the generator's sockets, and what the kernel had no room for there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    pub read: u64,
    pub dropped: u64,
}

impl Own {
    pub fn since(self, before: Self) -> Self {
        Self { read: self.read.saturating_sub(before.read), dropped: self.dropped.saturating_sub(before.dropped) }
    }
}

impl Seen {
    pub fn quantile_ms(&self, share: f64) -> f64 {
        f64::from(quantile(&self.answer_us, share)) / 1_000.0
    }

    /// Neither passed nor shed.
    pub fn failed(&self) -> u32 {
        self.refused.values().sum::<u32>() + self.silent + self.unanswered + self.unended
    }

    /// Why this run says nothing about the server; None: it does.
    pub fn is_void(&self) -> Option<String> {
        let Own { read, dropped } = self.own;
        if dropped * 1_000 > (read + dropped) * DROPPED_MAX {
            return Some(format!("the generator lost {dropped} of {} answers at its own sockets", read + dropped));
        }
        let late = Duration::from_micros(quantile(&self.late_us, 0.99).into());
        (late > LATE_MAX).then(|| format!("the generator was {late:?} behind its own plan"))
    }

    /// The failed ones by cause, and the generator's own share.
    pub fn causes(&self) -> String {
        let others: Vec<String> = self.refused.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        format!(
            "silent {}, provisional only {}, BYE unconfirmed {}, other refusals {{{}}}, media not anchored {}; generator: {} read, \
             {} dropped at its sockets, p99 {:.1} ms late",
            self.silent,
            self.unanswered,
            self.unended,
            others.join(", "),
            self.unanchored,
            self.own.read,
            self.own.dropped,
            f64::from(quantile(&self.late_us, 0.99)) / 1_000.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_whose_generator_lost_answers_or_came_late_is_void() {
        let seen =
            |read, dropped, late_us| Seen { own: Own { read, dropped }, late_us: vec![late_us; 10], ..Seen::default() };
        assert_eq!(seen(10_000, 10, 99_000).is_void(), None);
        assert!(seen(10_000, 11, 0).is_void().is_some_and(|why| why.contains("lost 11 of 10011")));
        assert!(seen(10_000, 0, 100_001).is_void().is_some_and(|why| why.contains("behind")));
    }
}
