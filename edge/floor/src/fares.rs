//! How callers fare by the configuration that runs: whether as many reach somebody as did before it, at this time of the
//! day. The box judges by itself, for it alone knows every call; one word of it may leave.

use std::collections::{BTreeMap, VecDeque};

use model::{
    ContactId, Millis,
    cdr::{Cdr, Direction, Outcome},
    fact::{Fact, Kind},
    leaving::Fare,
};

/// Earlier visits that are kept, and how long.
pub const PAST_MAX: usize = 2_000;
const PAST_MS: i64 = 14 * DAY_MS;
/// Visits by the configuration that runs; beyond them they become the past.
pub const NOW_MAX: usize = 200;
/// Visits of which nothing is known yet.
pub const OPEN_MAX: usize = 2_000;
/// Fewer earlier visits at such a time say nothing.
const PAST_MIN: usize = 5;
/// So many must have called before it is said that they fare worse, or as before.
const WORSE_MIN: usize = 4;
const AS_BEFORE_MIN: usize = 10;
/// A share that has fallen by less is no news.
const FALL_MIN: f64 = 0.1;
/// How likely chance may be, for it not to be chance.
const CHANCE_MAX: f64 = 0.001;
const DAY_MS: i64 = 86_400_000;
/// How far apart two times of a day may be to be compared.
const NEAR_MS: i64 = 90 * 60_000;
/// 1970-01-01 was a Thursday: this many days later is the first Saturday.
const FIRST_SATURDAY: i64 = 2;

/// One caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    pub arrived: Millis,
    /// Talked to somebody, left a message, or is called back.
    pub reached: bool,
}

impl Visit {
    /// None: nobody called us.
    pub fn of(cdr: &Cdr) -> Option<Visit> {
        let reached = cdr.outcome == Outcome::Answered || cdr.answered.is_some() || cdr.called_back.is_some();
        (cdr.direction == Direction::Inbound).then_some(Visit { arrived: cdr.arrived, reached })
    }
}

#[derive(Clone)]
pub struct Fares {
    /// Of fewer nothing is said.
    k: usize,
    /// From UTC to the site's own time.
    offset_ms: i64,
    past: VecDeque<Visit>,
    now: Vec<Visit>,
    open: BTreeMap<ContactId, Millis>,
    said: Fare,
}

impl Fares {
    /// `past`: what is remembered, the oldest first. `k`: callers below whom nothing may be told.
    pub fn new(k: u32, offset_ms: i64, past: impl IntoIterator<Item = Visit>) -> Self {
        let k = usize::try_from(k).unwrap_or(usize::MAX);
        let (now, open) = (Vec::new(), BTreeMap::new());
        let mut fares = Self { k, offset_ms, past: VecDeque::new(), now, open, said: Fare::Few };
        past.into_iter().for_each(|visit| fares.remember(visit));
        fares
    }

    /// Another configuration runs from here on. Who is on the line was led by the one before, and says nothing of it.
    pub fn activated(&mut self) {
        self.settle();
        self.open.clear();
        self.said = Fare::Few;
    }

    /// The same memory, and a judgement of its own from here on.
    pub fn anew(&self) -> Fares {
        let mut fares = self.clone();
        fares.activated();
        fares
    }

    /// How they fare. Once they fare worse, that stands until another configuration runs.
    pub fn say(&self) -> Fare {
        self.said
    }

    pub fn note(&mut self, fact: &Fact) {
        let Some(contact) = fact.contact else { return };
        match &fact.kind {
            Kind::Arrived { .. } if self.open.len() < OPEN_MAX => {
                self.open.insert(contact, fact.at);
            }
            Kind::Answered { .. }
            | Kind::OverflowAnswered { .. }
            | Kind::CallbackPromised { .. }
            | Kind::MessageLeft { .. } => self.over(contact, true),
            Kind::Ended { .. } => self.over(contact, false),
            _ => {}
        }
    }

    fn over(&mut self, contact: ContactId, reached: bool) {
        let Some(arrived) = self.open.remove(&contact) else { return };
        self.now.push(Visit { arrived, reached });
        self.said = self.said.max(self.judge(arrived));
        if self.now.len() >= NOW_MAX {
            self.settle();
        }
    }

    fn judge(&self, at: Millis) -> Fare {
        let called = self.now.len();
        if called < self.k.max(WORSE_MIN) {
            return Fare::Few;
        }
        let alike = self.past.iter().filter(|visit| self.is_alike(visit.arrived, at));
        let (past, reached_then) =
            alike.fold((0, 0), |(all, reached), visit| (all + 1, reached + usize::from(visit.reached)));
        if past < PAST_MIN {
            return Fare::Few;
        }
        // Laplace's rule: of few visits nothing is certain.
        let likely = (reached_then as f64 + 1.0) / (past as f64 + 2.0);
        // Who still waits may be reached yet.
        let open = self.open.len();
        let reached = self.now.iter().filter(|visit| visit.reached).count() + open;
        let all = called + open;
        let share = reached as f64 / all as f64;
        if share + FALL_MIN <= likely && at_most(reached, all, likely) < CHANCE_MAX {
            Fare::Worse
        } else if called >= self.k.max(AS_BEFORE_MIN) {
            Fare::AsBefore
        } else {
            Fare::Few
        }
    }

    /// Whether the two are at the same time of a day, both within the week or both at its end.
    fn is_alike(&self, one: Millis, other: Millis) -> bool {
        let local = |at: Millis| at.0.saturating_add(self.offset_ms);
        let is_weekend = |at: Millis| (local(at).div_euclid(DAY_MS) - FIRST_SATURDAY).rem_euclid(7) < 2;
        let apart = (local(one) - local(other)).rem_euclid(DAY_MS);
        is_weekend(one) == is_weekend(other) && apart.min(DAY_MS - apart) <= NEAR_MS
    }

    fn settle(&mut self) {
        for visit in std::mem::take(&mut self.now) {
            self.remember(visit);
        }
    }

    fn remember(&mut self, visit: Visit) {
        let horizon = visit.arrived.0.saturating_sub(PAST_MS);
        self.past.push_back(visit);
        while self.past.front().is_some_and(|old| self.past.len() > PAST_MAX || old.arrived.0 < horizon) {
            self.past.pop_front();
        }
    }
}

/// How likely at most `reached` of `all` are reached, when each is with this likelihood (strictly between 0 and 1).
fn at_most(reached: usize, all: usize, likely: f64) -> f64 {
    let (yes, no) = (likely.ln(), (1.0 - likely).ln());
    let mut term = all as f64 * no;
    let mut sum = 0.0;
    for n in 0..=reached.min(all) {
        sum += term.exp();
        term += ((all - n) as f64 / (n as f64 + 1.0)).ln() + yes - no;
    }
    sum
}

#[cfg(test)]
mod tests {
    use model::fact::EndCause;

    use super::*;

    /// 2026-11-30, a Monday, 10:00.
    const TEN: i64 = 1_796_032_800_000;
    const MINUTE: i64 = 60_000;

    fn past(count: i64, reached: impl Fn(i64) -> bool) -> Vec<Visit> {
        let visit = |n| Visit { arrived: Millis(TEN - DAY_MS * 3 - n * MINUTE), reached: reached(n) };
        (0..count).rev().map(visit).collect()
    }

    struct Day(Fares, u128);

    impl Day {
        fn new(k: u32, past: Vec<Visit>) -> Self {
            Self(Fares::new(k, 0, past), 0)
        }

        fn arrives(&mut self, at: i64) -> ContactId {
            self.1 += 1;
            let contact = ContactId(self.1);
            self.tell(contact, at, Kind::Arrived { trunk: None, number: None });
            contact
        }

        fn tell(&mut self, contact: ContactId, at: i64, kind: Kind) {
            self.0.note(&Fact { seq: 0, at: Millis(at), contact: Some(contact), kind });
        }

        fn calls(&mut self, count: usize, at: i64, reached: bool) {
            for _ in 0..count {
                let contact = self.arrives(at);
                if reached {
                    self.tell(contact, at, Kind::Answered { agent: None });
                }
                self.tell(contact, at, Kind::Ended { cause: EndCause::Caller });
            }
        }
    }

    #[test]
    fn a_judgement_of_its_own_counts_from_its_beginning() {
        let mut day = Day::new(1, past(40, |n| n % 10 > 0));
        day.calls(8, TEN, false);
        assert_eq!(day.0.say(), Fare::Worse);
        let mut since = Day(day.0.anew(), day.1);
        since.calls(2, TEN, true);
        assert_eq!(since.0.say(), Fare::Few, "what was before is not its doing");
        since.calls(8, TEN, false);
        assert_eq!(since.0.say(), Fare::Worse);
    }

    #[test]
    fn when_nobody_is_reached_any_more_that_is_said_after_a_few_callers() {
        let mut day = Day::new(1, past(40, |n| n % 10 > 0));
        day.0.activated();
        day.calls(3, TEN, false);
        assert_eq!(day.0.say(), Fare::Few);
        day.calls(1, TEN, false);
        assert_eq!(day.0.say(), Fare::Worse);
        day.calls(50, TEN, true);
        assert_eq!(day.0.say(), Fare::Worse, "until another configuration runs");
        day.0.activated();
        assert_eq!(day.0.say(), Fare::Few);
    }

    #[test]
    fn who_fare_as_before_are_said_to_and_chance_is_no_fall() {
        let mut day = Day::new(1, past(40, |n| n % 2 > 0));
        for _ in 0..3 {
            day.calls(1, TEN, true);
            day.calls(2, TEN, false);
        }
        assert_eq!(day.0.say(), Fare::Few);
        day.calls(1, TEN, true);
        assert_eq!(day.0.say(), Fare::AsBefore);
    }

    #[test]
    fn nothing_is_said_of_fewer_callers_than_may_be_told_of() {
        let mut day = Day::new(12, past(40, |_| true));
        day.calls(11, TEN, false);
        assert_eq!(day.0.say(), Fare::Few);
        day.calls(1, TEN, false);
        assert_eq!(day.0.say(), Fare::Worse);
    }

    #[test]
    fn a_night_is_not_held_against_a_day_nor_a_sunday_against_a_week() {
        let mut night = Day::new(1, past(40, |_| true));
        night.calls(30, TEN + 12 * 60 * MINUTE, false);
        assert_eq!(night.0.say(), Fare::Few);
        // The days before were a Friday.
        let mut sunday = Day::new(1, past(40, |_| true));
        sunday.calls(30, TEN + 6 * DAY_MS, false);
        assert_eq!(sunday.0.say(), Fare::Few);
    }

    #[test]
    fn who_was_on_the_line_at_the_change_and_who_still_waits_are_not_held_against_it() {
        let mut day = Day::new(1, past(40, |_| true));
        let before: Vec<ContactId> = (0..6).map(|_| day.arrives(TEN)).collect();
        day.0.activated();
        for contact in before {
            day.tell(contact, TEN, Kind::Ended { cause: EndCause::Caller });
        }
        assert_eq!(day.0.say(), Fare::Few);
        let waiting: Vec<ContactId> = (0..20).map(|_| day.arrives(TEN)).collect();
        day.calls(4, TEN, false);
        assert_ne!(day.0.say(), Fare::Worse);
        for contact in waiting {
            day.tell(contact, TEN, Kind::Ended { cause: EndCause::Caller });
        }
        assert_eq!(day.0.say(), Fare::Worse);
    }

    #[test]
    fn what_is_kept_has_limits() {
        let mut day = Day::new(1, past(3_000, |_| true));
        assert!(day.0.past.len() <= PAST_MAX);
        for _ in 0..3_000 {
            day.arrives(TEN);
        }
        assert_eq!(day.0.open.len(), OPEN_MAX);
        day.0.activated();
        day.calls(NOW_MAX, TEN, true);
        assert!(day.0.now.is_empty());
        assert_eq!(day.0.past.back(), Some(&Visit { arrived: Millis(TEN), reached: true }));
    }

    #[test]
    fn the_sum_of_chances_is_the_binomial_distribution() {
        assert!((at_most(0, 4, 0.9) - 1e-4).abs() < 1e-12);
        assert!((at_most(1, 3, 0.5) - 0.5).abs() < 1e-12);
        assert!((at_most(2_200, 2_200, 0.9) - 1.0).abs() < 1e-6);
    }
}
