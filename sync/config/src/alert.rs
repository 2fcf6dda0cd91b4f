//! The bounds of alert thresholds: an edit outside of them is refused, a document brought within.

use model::{alert::Alerts, change::Problem};

pub(crate) const LONGEST_WAIT_S: (i64, i64) = (5, 3_600);
pub(crate) const WAITING: (i64, i64) = (1, 1_000);
pub(crate) const PERCENT: (i64, i64) = (1, 100);

/// Each threshold that is set, with its name and its bounds.
pub(crate) fn thresholds(alerts: &mut Alerts) -> impl Iterator<Item = (&'static str, &mut u32, (i64, i64))> {
    let Alerts { longest_wait_s, waiting, service_level, abandoned, unserved: _, quality: _ } = alerts;
    let all = [
        ("longest_wait_s", longest_wait_s, LONGEST_WAIT_S),
        ("waiting", waiting, WAITING),
        ("service_level", service_level, PERCENT),
        ("abandoned", abandoned, PERCENT),
    ];
    all.into_iter().filter_map(|(name, value, bounds)| Some((name, value.as_mut()?, bounds)))
}

/// Brings everything within its bounds; returned is the first problem that there was.
pub(crate) fn bounded(alerts: &mut Alerts) -> Option<Problem> {
    let mut first = None;
    for (_, value, (min, max)) in thresholds(alerts) {
        let was = i64::from(*value);
        let used = was.clamp(min, max);
        if used != was {
            *value = u32::try_from(used).unwrap_or(0);
            first.get_or_insert(Problem::OutOfBounds { min, max, used });
        }
    }
    first
}
