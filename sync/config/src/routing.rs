//! The bounds of how a queue chooses: an edit outside of them is refused, a document brought within.

use model::{
    change::Problem,
    routing::{Routing, TIERS_MAX, VALUE_MAX},
};

use crate::rules::most;

/// Seconds before a contact comes before all others.
pub(crate) const AGEING_S: (i64, i64) = (10, 3_600);
/// Seconds a contact waits for the agent it knows.
pub(crate) const LAST_AGENT_S: (i64, i64) = (0, 600);
pub(crate) const RESERVE: (i64, i64) = (0, 1_000);
pub(crate) const RESERVE_VALUE: (i64, i64) = (1, VALUE_MAX as i64);
pub(crate) const TIER_AFTER_S: (i64, i64) = (0, 3_600);
pub(crate) const LEVELS_LESS: (i64, i64) = (0, 10);

/// Brings everything within its bounds; returned is the first problem that there was.
pub(crate) fn bounded(routing: &mut Routing) -> Option<Problem> {
    let mut problems = Vec::new();
    problems.extend(clamp(&mut routing.ageing_s, AGEING_S));
    problems.extend(clamp(&mut routing.last_agent_s, LAST_AGENT_S));
    problems.extend(clamp(&mut routing.reserve.agents, RESERVE));
    problems.extend(clamp(&mut routing.reserve.value, RESERVE_VALUE));
    if routing.tiers.len() > TIERS_MAX {
        routing.tiers.truncate(TIERS_MAX);
        problems.push(Problem::TooLong { max: u32::try_from(TIERS_MAX).unwrap_or(u32::MAX) });
    }
    for tier in &mut routing.tiers {
        problems.extend(tier.after_s.as_mut().and_then(|after| clamp(after, TIER_AFTER_S)));
        problems.extend(clamp(&mut tier.levels_less, LEVELS_LESS));
        while tier.also.len() > most::MEMBERSHIPS {
            tier.also.pop_last();
        }
    }
    problems.into_iter().next()
}

fn clamp<T: Copy + Into<i64> + TryFrom<i64>>(value: &mut T, (min, max): (i64, i64)) -> Option<Problem> {
    let was: i64 = (*value).into();
    let used = was.clamp(min, max);
    *value = T::try_from(used).ok()?;
    (used != was).then_some(Problem::OutOfBounds { min, max, used })
}
