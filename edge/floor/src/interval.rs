//! Figures per queue and interval, as a fold of CDRs: each contact counts where it was *queued* (NORMS 4), so that late
//! answers change an earlier interval and parts always equal totals.

use std::collections::BTreeMap;

use model::{ContactId, Millis, QueueId, cdr::Cdr, leaving::Figures};

/// One cell: a queue and the start of an interval, a multiple of its length.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub start: Millis,
    pub queue: QueueId,
}

/// The start of the interval that a moment falls into.
pub fn start_of(at: Millis, length_s: u32) -> Millis {
    let length = i64::from(length_s.max(1)).saturating_mul(1000);
    Millis(at.0.saturating_sub(at.0.rem_euclid(length)))
}

/// Sums up records. A contact that was written twice (after its wrap-up) counts once, as it was written last.
/// `within_s` is T of a queue's service level.
pub fn fold<'a>(
    cdrs: impl IntoIterator<Item = &'a Cdr>,
    length_s: u32,
    within_s: impl Fn(&QueueId) -> u32,
) -> BTreeMap<Key, Figures> {
    let last: BTreeMap<ContactId, &Cdr> = cdrs.into_iter().map(|cdr| (cdr.contact, cdr)).collect();
    let mut cells: BTreeMap<Key, Figures> = BTreeMap::new();
    for cdr in last.into_values() {
        let (Some(queue), Some(queued)) = (&cdr.queue, cdr.queued) else { continue };
        let key = Key { start: start_of(queued, length_s), queue: queue.clone() };
        let cell = cells.entry(key).or_default();
        *cell = sum(*cell, figures_of(cdr, within_s(queue)));
    }
    cells
}

/// What one queued contact adds.
pub fn figures_of(cdr: &Cdr, within_s: u32) -> Figures {
    if cdr.queued.is_none() {
        return Figures::default();
    }
    let outcome = outcome(cdr.wait_ms, within_s, cdr.answered.is_some());
    Figures {
        overflowed: u32::from(cdr.answered_at.is_some()),
        recorded: u32::from(cdr.recording.is_some()),
        talk_s: seconds(cdr.talk_ms),
        hold_s: seconds(cdr.hold_ms),
        wrap_up_s: seconds(cdr.wrap_up_ms.unwrap_or(0)),
        ..outcome
    }
}

/// One contact offered, and answered or not after this wait.
pub(crate) fn outcome(wait_ms: u64, within_s: u32, answered: bool) -> Figures {
    let in_t = wait_ms <= u64::from(within_s) * 1000;
    Figures {
        offered: 1,
        answered: u32::from(answered),
        abandoned: u32::from(!answered),
        answered_in_t: u32::from(answered && in_t),
        abandoned_in_t: u32::from(!answered && in_t),
        wait_s: if answered { seconds(wait_ms) } else { 0 },
        ..Figures::default()
    }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms.saturating_add(500) / 1000).unwrap_or(u32::MAX)
}

/// Figures add up, field by field.
pub fn sum(a: Figures, b: Figures) -> Figures {
    Figures {
        offered: a.offered.saturating_add(b.offered),
        answered: a.answered.saturating_add(b.answered),
        abandoned: a.abandoned.saturating_add(b.abandoned),
        answered_in_t: a.answered_in_t.saturating_add(b.answered_in_t),
        abandoned_in_t: a.abandoned_in_t.saturating_add(b.abandoned_in_t),
        overflowed: a.overflowed.saturating_add(b.overflowed),
        recorded: a.recorded.saturating_add(b.recorded),
        wait_s: a.wait_s.saturating_add(b.wait_s),
        talk_s: a.talk_s.saturating_add(b.talk_s),
        hold_s: a.hold_s.saturating_add(b.hold_s),
        wrap_up_s: a.wrap_up_s.saturating_add(b.wrap_up_s),
    }
}
