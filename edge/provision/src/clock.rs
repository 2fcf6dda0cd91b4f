//! The site's clock as phones are told it: they know nothing of time zones' names, or each make other ones.

/// Offset from UTC in winter, in minutes, -720 to 840.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    pub offset_min: i32,
    pub summer: Option<Summer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summer {
    /// How much the clock is put forward, in minutes.
    pub saving_min: i32,
    pub begins: Turn,
    pub ends: Turn,
}

/// The n-th weekday of a month, at an hour by the clock that is about to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 4, and 5 for the last.
    pub week: u8,
    /// 1 is Monday, 7 Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
}

impl Clock {
    /// `+8`, `-4:30`.
    pub(crate) fn hours(self) -> String {
        let (sign, minutes) = (if self.offset_min < 0 { '-' } else { '+' }, self.offset_min.unsigned_abs());
        match minutes % 60 {
            0 => format!("{sign}{}", minutes / 60),
            rest => format!("{sign}{}:{rest:02}", minutes / 60),
        }
    }

    pub(crate) fn seconds(self) -> i32 {
        self.offset_min.saturating_mul(60)
    }

    /// As POSIX writes it (`TZ`): `BLS-1BLD,M3.5.0/2,M10.5.0/3`; the sign is the other way round there.
    pub(crate) fn posix(self) -> String {
        let west = |minutes: i32| {
            let (sign, minutes) = (if minutes > 0 { "-" } else { "" }, minutes.unsigned_abs());
            match minutes % 60 {
                0 => format!("{sign}{}", minutes / 60),
                rest => format!("{sign}{}:{rest:02}", minutes / 60),
            }
        };
        let turn = |turn: Turn| format!("M{}.{}.{}/{}", turn.month, turn.week, turn.weekday % 7, turn.hour);
        match self.summer {
            None => format!("BLS{}", west(self.offset_min)),
            Some(Summer { saving_min, begins, ends }) => format!(
                "BLS{}BLD{},{},{}",
                west(self.offset_min),
                west(self.offset_min.saturating_add(saving_min)),
                turn(begins),
                turn(ends)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_written_as_each_reader_wants_it() {
        let beijing = Clock { offset_min: 480, summer: None };
        assert_eq!((beijing.hours(), beijing.seconds(), beijing.posix()), ("+8".into(), 28_800, "BLS-8".into()));
        let newfoundland = Clock { offset_min: -210, summer: None };
        assert_eq!((newfoundland.hours(), newfoundland.posix()), ("-3:30".into(), "BLS3:30".into()));
        let turn = |month, hour| Turn { month, week: 5, weekday: 7, hour };
        let summer = Summer { saving_min: 60, begins: turn(3, 2), ends: turn(10, 3) };
        let berlin = Clock { offset_min: 60, summer: Some(summer) };
        assert_eq!(berlin.posix(), "BLS-1BLD-2,M3.5.0/2,M10.5.0/3");
    }
}
