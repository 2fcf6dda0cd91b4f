//! The nightly test of the emergency path (N-19): over the line of each place a number is called that stands for the
//! emergency centre, with the place in the call; places that nobody has confirmed for long are told; and the test's own
//! notice has to be seen by the centre or at a desk. What broke is an alarm in the morning.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use call::{
    leg::{Caller, Dial, Party},
    route,
};
use model::{Extension, LegId, NoticeId, Number, PlaceId, TrunkId, leaving::What};

use crate::{CivilTime, Floor, emergency::shown_number, lines::Lines, timer::Timer};

/// Places that one night tests.
const PLACES_MAX: usize = 64;
/// A test call that nobody has answered by then has failed.
const PATIENCE: Duration = Duration::from_secs(20);
/// The test's notice is seen within this, or the way of notices is broken.
const SEEN_WITHIN: Duration = Duration::from_secs(4 * 3_600);
/// Two tests are at least so far apart, also when the process died in between.
const APART_MS: u64 = 20 * 3_600_000;
/// A notice needs a moment before it can have been seen.
const MOMENT_MS: u64 = 5_000;

#[derive(Debug, Default)]
pub(crate) struct SelfTest {
    to_call: VecDeque<(Option<PlaceId>, Option<Extension>, TrunkId)>,
    calling: Option<(LegId, Option<PlaceId>)>,
    /// Of the test that runs, or whose notice nobody has seen.
    notice: Option<NoticeId>,
    broken: bool,
    seen: bool,
}

impl SelfTest {
    fn is_calling(&self) -> bool {
        self.calling.is_some() || !self.to_call.is_empty()
    }
}

impl<L: Lines> Floor<L> {
    /// It is some minute of some hour: perhaps that of the test.
    pub(crate) fn test_if_due(&mut self) {
        let plan = &self.config.site.dialling;
        let hour = self.civil.minute / 60;
        if plan.test_number.is_some()
            && u16::from(plan.test_hour) == hour
            && !self.notices.is_recent(What::TestBegan, self.chronicle.wall, APART_MS)
        {
            self.begin_test();
        }
    }

    fn begin_test(&mut self) {
        // What the last night left open is told before it is forgotten.
        self.unseen();
        let notice = NoticeId(self.dated_id());
        self.test = SelfTest { notice: Some(notice), to_call: self.lines_to_test(), ..SelfTest::default() };
        self.notice(notice, What::TestBegan, None);
        if let Some(at) = self.now.checked_add(SEEN_WITHIN) {
            self.timers.set(Timer::Unseen, at);
        }
        for place in self.stale_places() {
            self.broke(What::TestLocation, place);
        }
        if self.test.to_call.is_empty() {
            self.broke(What::TestLine, None);
        }
        self.next_test_call();
    }

    /// The line that an emergency call would take first, for each place at which a phone stands.
    fn lines_to_test(&self) -> VecDeque<(Option<PlaceId>, Option<Extension>, TrunkId)> {
        let config = &self.config;
        let mut places: BTreeMap<Option<PlaceId>, Option<Extension>> = BTreeMap::new();
        places.insert(route::place(config, None).cloned(), None);
        for phone in config.phones.keys() {
            places.entry(route::place(config, Some(phone)).cloned()).or_insert_with(|| Some(phone.clone()));
        }
        let number = config.site.dialling.test_number.as_ref();
        let line = |(place, phone): (Option<PlaceId>, Option<Extension>)| {
            let source = phone.clone().map_or(call::Source::Unproved, call::Source::Phone);
            // As if every line were there: one that is not has to be found.
            let trunk = route::trunks(config, &source, number, |_| true).into_iter().next()?;
            Some((place, phone, trunk))
        };
        places.into_iter().filter_map(line).take(PLACES_MAX).collect()
    }

    /// Where phones stand and nobody has looked for too long; None for phones that stand nowhere.
    fn stale_places(&self) -> Vec<Option<PlaceId>> {
        let config = &self.config;
        let days_max = i64::from(config.site.dialling.confirm_days);
        if days_max == 0 {
            return Vec::new();
        }
        let today = day_number(&self.civil.date);
        let is_fresh = |place: &PlaceId| {
            let confirmed = config.places.get(place).and_then(|place| day_number(&place.confirmed));
            today.zip(confirmed).is_some_and(|(today, day)| (0..=days_max).contains(&today.saturating_sub(day)))
        };
        let mut stale: Vec<Option<PlaceId>> = Vec::new();
        for phone in config.phones.keys() {
            let place = route::place(config, Some(phone));
            if !place.is_some_and(is_fresh) && !stale.contains(&place.cloned()) {
                stale.push(place.cloned());
            }
        }
        stale
    }

    fn next_test_call(&mut self) {
        let Some(number) = self.config.site.dialling.test_number.clone() else { return self.test.to_call.clear() };
        let Some((place, phone, trunk)) = self.test.to_call.pop_front() else { return self.calls_are_over() };
        let shown = shown_number(&self.config, phone.as_ref()).map(Number::to_string).unwrap_or_default();
        let dial = Dial {
            party: Party::Trunk { trunk, user: number.to_string() },
            caller: Caller { number: shown, name: None },
            ringback_to: None,
            meets: None,
            on_behalf_of: phone,
            forwarded: None,
        };
        let leg = self.lines.dial(self.now, dial);
        self.test.calling = Some((leg, place));
        if let Some(at) = self.now.checked_add(PATIENCE) {
            self.timers.set(Timer::TestCall, at);
        }
    }

    /// True: the leg was the test's.
    pub(crate) fn test_answered(&mut self, leg: LegId) -> bool {
        let is_test = self.test.calling.as_ref().is_some_and(|(calling, _)| *calling == leg);
        if is_test {
            self.test_call_over(None);
        }
        is_test
    }

    /// The same, when it ended without an answer.
    pub(crate) fn test_ended(&mut self, leg: LegId) -> bool {
        let is_test = self.test.calling.as_ref().is_some_and(|(calling, _)| *calling == leg);
        if is_test {
            self.test_call_over(Some(What::TestLine));
        }
        is_test
    }

    pub(crate) fn test_in_vain(&mut self) {
        self.test_call_over(Some(What::TestLine));
    }

    fn test_call_over(&mut self, broke: Option<What>) {
        self.timers.cancel(Timer::TestCall);
        let Some((leg, place)) = self.test.calling.take() else { return };
        if let Some(what) = broke {
            self.broke(what, place);
        }
        self.lines.hang_up(self.now, leg);
        self.next_test_call();
    }

    fn broke(&mut self, what: What, place: Option<PlaceId>) {
        self.test.broken = true;
        let id = NoticeId(self.dated_id());
        self.notice(id, what, place);
    }

    fn calls_are_over(&mut self) {
        if self.test.seen {
            self.test_over();
        }
    }

    /// Whether the shell is to find out that the test's notice has arrived.
    pub fn awaits_notice(&self) -> bool {
        let began = self.notices.is_recent(What::TestBegan, self.chronicle.wall, MOMENT_MS);
        self.test.notice.is_some() && !self.test.seen && !began
    }

    /// The centre has everything that was told so far, or a supervisor has seen it.
    pub(crate) fn notice_heard(&mut self) {
        if self.test.notice.is_some() && !std::mem::replace(&mut self.test.seen, true) {
            self.timers.cancel(Timer::Unseen);
            if !self.test.is_calling() {
                self.test_over();
            }
        }
    }

    pub(crate) fn is_test_notice(&self, notice: NoticeId) -> bool {
        self.test.notice == Some(notice)
    }

    fn test_over(&mut self) {
        if let Some(notice) = self.test.notice.take().filter(|_| !self.test.broken) {
            self.notice(notice, What::TestPassed, None);
        }
    }

    pub(crate) fn unseen(&mut self) {
        if self.test.notice.take().is_some() && !self.test.seen {
            self.broke(What::TestUnseen, None);
        }
    }

    /// The clock on the wall moved on.
    pub(crate) fn set_civil(&mut self, civil: CivilTime) {
        self.civil = civil;
        self.test_if_due();
    }
}

/// Days since some day, of `2026-11-28`; None for what is no day.
fn day_number(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1..=9_999).contains(&year) {
        return None;
    }
    // The year begins in March, so that the day that comes and goes is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day)
}

#[cfg(test)]
mod tests {
    use super::day_number;

    #[test]
    fn days_are_counted_through_leap_years() {
        let between = |a: &str, b: &str| day_number(b).unwrap() - day_number(a).unwrap();
        assert_eq!(between("2026-11-28", "2026-11-29"), 1);
        assert_eq!(between("2026-12-31", "2027-01-01"), 1);
        assert_eq!(between("2028-02-28", "2028-03-01"), 2);
        assert_eq!(between("2026-02-28", "2026-03-01"), 1);
        assert_eq!(between("2026-01-01", "2027-01-01"), 365);
        assert_eq!(between("2028-01-01", "2029-01-01"), 366);
        for bad in ["", "2026", "2026-13-01", "2026-00-01", "x-1-1"] {
            assert_eq!(day_number(bad), None, "{bad}");
        }
    }
}
