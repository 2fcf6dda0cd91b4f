//! The bounds of how customers are called back: an edit outside of them is refused, a document brought within.

use model::{
    callback::{ATTEMPTS_MAX, Callback},
    change::Problem,
};

pub(crate) const OFFER_AFTER_S: (i64, i64) = (30, 3_600);
pub(crate) const ATTEMPTS: (i64, i64) = (1, ATTEMPTS_MAX as i64);
pub(crate) const AGAIN_MIN: (i64, i64) = (1, 240);

/// Brings everything within its bounds; returned is the first problem that there was.
pub(crate) fn bounded(callback: &mut Callback) -> Option<Problem> {
    let offer = callback.offer_after_s.as_mut().and_then(|after| clamp(after, OFFER_AFTER_S));
    let attempts = clamp(&mut callback.attempts, ATTEMPTS);
    let again = clamp(&mut callback.again_min, AGAIN_MIN);
    offer.or(attempts).or(again)
}

fn clamp(value: &mut u32, (min, max): (i64, i64)) -> Option<Problem> {
    let was = i64::from(*value);
    let used = was.clamp(min, max);
    *value = u32::try_from(used).ok()?;
    (used != was).then_some(Problem::OutOfBounds { min, max, used })
}
