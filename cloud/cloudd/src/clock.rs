//! The one place of this daemon that reads the wall clock.

use model::Millis;

pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// `now` and a while.
pub fn after(now: Millis, while_: std::time::Duration) -> Millis {
    Millis(now.0.saturating_add(i64::try_from(while_.as_millis()).unwrap_or(i64::MAX)))
}
