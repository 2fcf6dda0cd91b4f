//! Time that counts: the opening hours of the branch, in its own time zone, with its holidays and with the days on which the
//! clocks are set.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use model::{Millis, config::Hours};

/// So far ahead, or back, it is looked: a branch that does not open for longer keeps no promise and breaks none.
const HORIZON_DAYS: u32 = 800;

/// When somebody is there.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// None: always.
    hours: Option<Hours>,
    zone: TimeZone,
}

/// From and until, in milliseconds of the civil epoch.
type Stretch = (i64, i64);

impl Calendar {
    /// Day and night.
    pub fn always() -> Self {
        Self { hours: None, zone: TimeZone::UTC }
    }

    pub fn new(hours: Hours, zone: TimeZone) -> Self {
        Self { hours: Some(hours), zone }
    }

    /// How long it was open from `from` until `until`, in ms.
    pub fn open_between(&self, from: Millis, until: Millis) -> u64 {
        if self.hours.is_none() {
            return until.since(from);
        }
        let until = until.0;
        let within = self.stretches(from).take_while(|(opens, _)| *opens < until);
        within.map(|(opens, closes)| length(opens, closes.min(until))).fold(0, u64::saturating_add)
    }

    /// When so much open time (ms) has passed since `from`. None: not before the horizon.
    pub fn after(&self, from: Millis, open_ms: u64) -> Option<Millis> {
        let at = |from: i64, ms: u64| Millis(from.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)));
        if open_ms == 0 {
            return Some(from);
        }
        if self.hours.is_none() {
            return Some(at(from.0, open_ms));
        }
        let mut left = open_ms;
        for (opens, closes) in self.stretches(from) {
            let open = length(opens, closes);
            if open >= left {
                return Some(at(opens, left));
            }
            left = left.saturating_sub(open);
        }
        None
    }

    /// Open stretches from `from` on, in order, up to the horizon.
    fn stretches(&self, from: Millis) -> impl Iterator<Item = Stretch> + '_ {
        let first = Timestamp::from_millisecond(from.0).ok().map(|at| at.to_zoned(self.zone.clone()).date());
        let days = first
            .into_iter()
            .flat_map(|first| (0..HORIZON_DAYS).map_while(move |n| first.checked_add(i64::from(n).days()).ok()));
        days.flat_map(|day| self.of_day(day))
            .filter(move |(_, closes)| *closes > from.0)
            .map(move |(opens, closes)| (opens.max(from.0), closes))
    }

    /// Spans that touch or overlap are one.
    fn of_day(&self, day: Date) -> Vec<Stretch> {
        let Some(hours) = self.hours.as_ref().filter(|hours| !hours.closed.contains(&day.to_string())) else {
            return Vec::new();
        };
        let weekday = day.weekday().to_monday_zero_offset();
        let mut spans: Vec<(u16, u16)> = (hours.week.iter())
            .filter(|span| i8::try_from(span.day) == Ok(weekday) && span.from_min < span.to_min)
            .map(|span| (span.from_min, span.to_min))
            .collect();
        spans.sort_unstable();
        let mut stretches: Vec<Stretch> = Vec::new();
        for (from, to) in spans {
            let (Some(opens), Some(closes)) = (self.moment(day, from), self.moment(day, to)) else { continue };
            match stretches.last_mut() {
                Some((_, until)) if *until >= opens => *until = closes.max(*until),
                _ => stretches.push((opens, closes)),
            }
        }
        stretches
    }

    /// What the branch's wall clock shows so many minutes after midnight; the first of two such moments, the next after a
    /// gap.
    fn moment(&self, day: Date, minute: u16) -> Option<i64> {
        let at = day.to_datetime(jiff::civil::Time::midnight()).checked_add(i64::from(minute).minutes()).ok()?;
        self.zone.to_ambiguous_timestamp(at).compatible().ok().map(Timestamp::as_millisecond)
    }
}

fn length(opens: i64, closes: i64) -> u64 {
    closes.saturating_sub(opens).max(0).unsigned_abs()
}
