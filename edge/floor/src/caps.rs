//! What calls out have cost and how often they were made in the last hour, of each phone and of the site (S-140). A fold
//! of `Dialled` and `Charged` facts: a restart reads them again, so that a stolen password is worth no more after it.

use std::collections::VecDeque;

use model::{
    Extension, Millis,
    dialling::Dialling,
    fact::{Fact, Kind, OutwardRefusal},
};

const HOUR_MS: u64 = 3_600_000;
const MINUTE_MS: u64 = 60_000;
/// Calls and paid minutes of an hour that are counted; a site that may make more is not held back by what went before.
const CALLS_MAX: usize = 100_000;
/// Attempts of a minute that are counted, of all phones.
const ATTEMPTS_MAX: usize = 1_000;
/// Attempts of one phone within a minute that no person makes.
pub(crate) const PATTERN: usize = 10;

#[derive(Debug, Default)]
pub(crate) struct Caps {
    /// In the order of time.
    calls: VecDeque<(Millis, Extension)>,
    charges: VecDeque<(Millis, Extension, u32)>,
    /// Numbers dialled, let out or not.
    attempts: VecDeque<(Millis, Extension)>,
}

impl Caps {
    pub fn note(&mut self, fact: &Fact) {
        match &fact.kind {
            Kind::Dialled { phone: Some(phone), trunk: Some(_), emergency: false } => {
                self.calls.push_back((fact.at, phone.clone()));
                bound(&mut self.calls, CALLS_MAX);
            }
            Kind::Charged { phone, cents } => {
                self.charges.push_back((fact.at, phone.clone(), *cents));
                bound(&mut self.charges, CALLS_MAX);
            }
            _ => {}
        }
    }

    /// May this phone call out? `cents` is what the first minute costs, and what other calls are about to cost: of this
    /// phone, and of all.
    pub fn check(
        &mut self,
        now: Millis,
        phone: &Extension,
        plan: &Dialling,
        cents: (u64, u64),
    ) -> Result<(), OutwardRefusal> {
        forget(&mut self.calls, |(at, _)| now.since(*at) >= HOUR_MS);
        let count = |calls: usize| u32::try_from(calls).unwrap_or(u32::MAX);
        if count(self.calls.iter().filter(|(_, of)| of == phone).count()) >= plan.phone_hour_max {
            return Err(OutwardRefusal::PhoneHour);
        }
        if count(self.calls.len()) >= plan.site_hour_max {
            return Err(OutwardRefusal::SiteHour);
        }
        self.check_money(now, phone, plan, cents)
    }

    /// The same for money alone: may this phone's call go on?
    pub fn check_money(
        &mut self,
        now: Millis,
        phone: &Extension,
        plan: &Dialling,
        (of_phone, of_all): (u64, u64),
    ) -> Result<(), OutwardRefusal> {
        forget(&mut self.charges, |(at, ..)| now.since(*at) >= HOUR_MS);
        let (mut own, mut all) = (of_phone, of_all);
        for (_, of, cents) in &self.charges {
            all = all.saturating_add((*cents).into());
            if of == phone {
                own = own.saturating_add((*cents).into());
            }
        }
        // What costs nothing is not held back.
        if of_phone > 0 && own > plan.phone_hour_cents_max.into() {
            return Err(OutwardRefusal::PhoneMoney);
        }
        if of_phone > 0 && all > plan.site_hour_cents_max.into() { Err(OutwardRefusal::SiteMoney) } else { Ok(()) }
    }

    /// A phone has dialled outside, or tried to. True: it does so as no person would.
    pub fn attempt(&mut self, now: Millis, phone: &Extension) -> bool {
        forget(&mut self.attempts, |(at, _)| now.since(*at) >= MINUTE_MS);
        self.attempts.push_back((now, phone.clone()));
        bound(&mut self.attempts, ATTEMPTS_MAX);
        self.attempts.iter().filter(|(_, of)| of == phone).count() >= PATTERN
    }
}

fn bound<T>(list: &mut VecDeque<T>, max: usize) {
    if list.len() > max {
        list.pop_front();
    }
}

fn forget<T>(list: &mut VecDeque<T>, is_old: impl Fn(&T) -> bool) {
    while list.front().is_some_and(&is_old) {
        list.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Extension {
        Extension::new(text).unwrap()
    }

    fn note(caps: &mut Caps, at: i64, kind: Kind) {
        caps.note(&Fact { seq: 0, at: Millis(at), contact: None, kind });
    }

    #[test]
    fn a_phone_and_a_site_call_out_so_often_in_any_hour() {
        let plan = Dialling { phone_hour_max: 2, site_hour_max: 3, ..Dialling::default() };
        let mut caps = Caps::default();
        let call = |caps: &mut Caps, at: i64, of: &str| {
            let verdict = caps.check(Millis(at), &phone(of), &plan, (0, 0));
            if verdict.is_ok() {
                let trunk = model::TrunkId::new("carrier").ok();
                note(caps, at, Kind::Dialled { phone: Some(phone(of)), trunk, emergency: false });
            }
            verdict
        };
        assert_eq!(call(&mut caps, 0, "201"), Ok(()));
        assert_eq!(call(&mut caps, 1, "201"), Ok(()));
        assert_eq!(call(&mut caps, 2, "201"), Err(OutwardRefusal::PhoneHour));
        assert_eq!(call(&mut caps, 3, "202"), Ok(()));
        assert_eq!(call(&mut caps, 4, "202"), Err(OutwardRefusal::SiteHour));
        assert_eq!(call(&mut caps, 3_600_000, "201"), Ok(()));
    }

    #[test]
    fn a_phone_and_a_site_spend_so_much_in_any_hour_and_free_calls_go_on() {
        let plan = Dialling { phone_hour_cents_max: 100, site_hour_cents_max: 150, ..Dialling::default() };
        let mut caps = Caps::default();
        let pay = |caps: &mut Caps, at: i64, of: &str, cents: u32| {
            let due = (cents.into(), cents.into());
            let verdict = caps.check_money(Millis(at), &phone(of), &plan, due);
            if verdict.is_ok() {
                note(caps, at, Kind::Charged { phone: phone(of), cents });
            }
            verdict
        };
        assert_eq!(pay(&mut caps, 0, "201", 60), Ok(()));
        assert_eq!(pay(&mut caps, 1, "201", 40), Ok(()));
        assert_eq!(pay(&mut caps, 2, "201", 1), Err(OutwardRefusal::PhoneMoney));
        assert_eq!(pay(&mut caps, 3, "202", 51), Err(OutwardRefusal::SiteMoney));
        assert_eq!(pay(&mut caps, 4, "202", 50), Ok(()));
        assert_eq!(pay(&mut caps, 5, "201", 0), Ok(()));
        assert_eq!(pay(&mut caps, 3_600_002, "201", 100), Ok(()));
    }

    #[test]
    fn what_is_about_to_be_paid_counts() {
        let plan = Dialling { phone_hour_cents_max: 100, ..Dialling::default() };
        let mut caps = Caps::default();
        assert_eq!(caps.check(Millis(0), &phone("201"), &plan, (100, 400)), Ok(()));
        assert_eq!(caps.check(Millis(0), &phone("201"), &plan, (101, 101)), Err(OutwardRefusal::PhoneMoney));
    }

    #[test]
    fn ten_attempts_in_a_minute_are_no_person_s() {
        let mut caps = Caps::default();
        let seen: Vec<bool> = (0..10).map(|n| caps.attempt(Millis(n * 5_000), &phone("201"))).collect();
        assert_eq!(seen.iter().filter(|seen| **seen).count(), 1);
        assert!(!caps.attempt(Millis(50_000), &phone("202")));
        assert!(!caps.attempt(Millis(60_000 + 9_999), &phone("201")), "the first ones are forgotten");
    }
}
