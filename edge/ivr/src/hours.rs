//! Opening hours in the site's own civil time. Time zones are the shell's part: what comes in here is what the clock
//! on the branch's wall shows.

use model::config::Hours;

/// What the wall clock and the calendar on the wall show.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilTime {
    /// `2026-12-25`.
    pub date: String,
    /// 0 is Monday.
    pub day: u8,
    /// Since midnight, 0 to 1439.
    pub minute: u16,
}

/// Is it open at this moment? A span is open from its first minute up to, and without, its last.
pub fn is_open(hours: &Hours, now: &CivilTime) -> bool {
    let within = |span: &model::config::Span| span.day == now.day && (span.from_min..span.to_min).contains(&now.minute);
    !hours.closed.contains(&now.date) && hours.week.iter().any(within)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::config::Span;

    use super::*;

    #[test]
    fn open_from_the_first_minute_and_closed_from_the_last() {
        let hours = Hours {
            label: "office".into(),
            week: vec![
                Span { day: 0, from_min: 540, to_min: 720 },
                Span { day: 0, from_min: 780, to_min: 1080 },
                Span { day: 6, from_min: 0, to_min: 1440 },
            ],
            closed: BTreeSet::from(["2026-12-20".to_owned(), "2026-12-25".to_owned()]),
        };
        let table = [
            ("2026-12-21", 0, 539, false),
            ("2026-12-21", 0, 540, true),
            ("2026-12-21", 0, 719, true),
            ("2026-12-21", 0, 720, false),
            ("2026-12-21", 0, 780, true),
            ("2026-12-22", 1, 600, false),
            ("2026-12-27", 6, 0, true),
            ("2026-12-27", 6, 1439, true),
            ("2026-12-20", 6, 600, false),
        ];
        for (date, day, minute, expected) in table {
            let now = CivilTime { date: date.into(), day, minute };
            assert_eq!(is_open(&hours, &now), expected, "{now:?}");
        }
    }
}
