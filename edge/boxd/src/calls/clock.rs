//! The clocks that a shell reads for its engines, beside the monotonic one.

use std::time::{SystemTime, UNIX_EPOCH};

use floor::CivilTime;
use model::Millis;

/// Milliseconds of the civil epoch; 0 for a clock that stands before it.
pub fn wall() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Millis(i64::try_from(since).unwrap_or(i64::MAX))
}

/// From UTC to the site's own time, as it is today.
pub fn offset_ms(time_zone: &str) -> i64 {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    i64::from(zone.to_offset(jiff::Timestamp::now()).seconds()).saturating_mul(1_000)
}

/// The site's own clock on the wall.
pub fn civil(time_zone: &str) -> CivilTime {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::now().to_zoned(zone);
    let minute = u16::try_from(i32::from(now.hour()) * 60 + i32::from(now.minute())).unwrap_or(0);
    let day = u8::try_from(now.weekday().to_monday_zero_offset()).unwrap_or(0);
    CivilTime { date: now.date().to_string(), day, minute }
}
