//! What calls out have cost and how often they were made in the last hour, of each phone, of each agent, who may change
//! phones, and of the site (S-140). A fold of `Dialled`, `Forwarded`, `CallbackTried` and `Charged` facts: a restart reads them again, so that a stolen password is worth no more after it.

use std::collections::VecDeque;

use model::{
    AgentId, Extension, Millis,
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

/// Who calls out: a phone, and the person whose phone it is, who may have another tomorrow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payer<'a> {
    pub phone: &'a Extension,
    pub agent: Option<&'a AgentId>,
}

/// Which part of somebody else's call is ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub phone: bool,
    pub agent: bool,
}

impl Payer<'_> {
    pub fn share(&self, phone: Option<&Extension>, agent: Option<&AgentId>) -> Share {
        Share { phone: phone == Some(self.phone), agent: self.agent.is_some() && agent == self.agent }
    }
}

/// What is about to be paid, in cents: by the phone, by its agent, by all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub phone: u64,
    pub agent: u64,
    pub all: u64,
}

impl Due {
    pub fn add(&mut self, share: Share, cents: u64) {
        let of = |is: bool| if is { cents } else { 0 };
        self.phone = self.phone.saturating_add(of(share.phone));
        self.agent = self.agent.saturating_add(of(share.agent));
        self.all = self.all.saturating_add(cents);
    }
}

type By = (Extension, Option<AgentId>);

#[derive(Debug, Default)]
pub(crate) struct Caps {
    /// In the order of time.
    calls: VecDeque<(Millis, By)>,
    charges: VecDeque<(Millis, By, u32)>,
    /// Numbers dialled, let out or not.
    attempts: VecDeque<(Millis, Extension)>,
}

impl Caps {
    pub fn note(&mut self, fact: &Fact) {
        match &fact.kind {
            Kind::Dialled { phone: Some(phone), agent, trunk: Some(_), emergency: false }
            | Kind::Forwarded { phone, agent, trunk: Some(_), .. }
            | Kind::CallbackTried { phone, agent, trunk: Some(_) } => {
                self.calls.push_back((fact.at, (phone.clone(), agent.clone())));
                bound(&mut self.calls, CALLS_MAX);
            }
            Kind::Charged { phone, agent, cents } => {
                self.charges.push_back((fact.at, (phone.clone(), agent.clone()), *cents));
                bound(&mut self.charges, CALLS_MAX);
            }
            _ => {}
        }
    }

    /// May this phone call out? `due` is what the first minute costs, and what other calls are about to cost.
    pub fn check(&mut self, now: Millis, payer: &Payer<'_>, plan: &Dialling, due: Due) -> Result<(), OutwardRefusal> {
        forget(&mut self.calls, |(at, _)| now.since(*at) >= HOUR_MS);
        let (mut of_phone, mut of_agent, mut of_all) = (0_u32, 0_u32, 0_u32);
        for (_, (phone, agent)) in &self.calls {
            let share = payer.share(Some(phone), agent.as_ref());
            of_phone = of_phone.saturating_add(share.phone.into());
            of_agent = of_agent.saturating_add(share.agent.into());
            of_all = of_all.saturating_add(1);
        }
        if of_phone >= plan.phone_hour_max {
            return Err(OutwardRefusal::PhoneHour);
        }
        if of_agent >= plan.phone_hour_max {
            return Err(OutwardRefusal::AgentHour);
        }
        if of_all >= plan.site_hour_max {
            return Err(OutwardRefusal::SiteHour);
        }
        self.check_money(now, payer, plan, due)
    }

    /// The same for money alone: may this phone's call go on?
    pub fn check_money(
        &mut self,
        now: Millis,
        payer: &Payer<'_>,
        plan: &Dialling,
        due: Due,
    ) -> Result<(), OutwardRefusal> {
        forget(&mut self.charges, |(at, ..)| now.since(*at) >= HOUR_MS);
        let mut spent = due;
        for (_, (phone, agent), cents) in &self.charges {
            spent.add(payer.share(Some(phone), agent.as_ref()), (*cents).into());
        }
        // What costs nothing is not held back.
        if due.phone == 0 {
            return Ok(());
        }
        let most = u64::from(plan.phone_hour_cents_max);
        if spent.phone > most {
            return Err(OutwardRefusal::PhoneMoney);
        }
        if spent.agent > most {
            return Err(OutwardRefusal::AgentMoney);
        }
        if spent.all > plan.site_hour_cents_max.into() { Err(OutwardRefusal::SiteMoney) } else { Ok(()) }
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

    fn payer(of: &Extension) -> Payer<'_> {
        Payer { phone: of, agent: None }
    }

    fn due(own: u64, all: u64) -> Due {
        Due { phone: own, agent: 0, all }
    }

    fn note(caps: &mut Caps, at: i64, kind: Kind) {
        caps.note(&Fact { seq: 0, at: Millis(at), contact: None, kind });
    }

    #[test]
    fn a_phone_and_a_site_call_out_so_often_in_any_hour() {
        let plan = Dialling { phone_hour_max: 2, site_hour_max: 3, ..Dialling::default() };
        let mut caps = Caps::default();
        let call = |caps: &mut Caps, at: i64, of: &str| {
            let verdict = caps.check(Millis(at), &payer(&phone(of)), &plan, due(0, 0));
            if verdict.is_ok() {
                let trunk = model::TrunkId::new("carrier").ok();
                note(caps, at, Kind::Dialled { phone: Some(phone(of)), agent: None, trunk, emergency: false });
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
            let due = due(cents.into(), cents.into());
            let verdict = caps.check_money(Millis(at), &payer(&phone(of)), &plan, due);
            if verdict.is_ok() {
                note(caps, at, Kind::Charged { phone: phone(of), agent: None, cents });
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
        assert_eq!(caps.check(Millis(0), &payer(&phone("201")), &plan, due(100, 400)), Ok(()));
        assert_eq!(caps.check(Millis(0), &payer(&phone("201")), &plan, due(101, 101)), Err(OutwardRefusal::PhoneMoney));
    }

    #[test]
    fn a_person_who_changes_phones_keeps_the_cap_and_so_does_the_phone() {
        let plan = Dialling { phone_hour_max: 2, phone_hour_cents_max: 100, ..Dialling::default() };
        let ann = AgentId::new("ann").unwrap();
        let mut caps = Caps::default();
        let dialled = |of: &str| Kind::Dialled {
            phone: Some(phone(of)),
            agent: Some(ann.clone()),
            trunk: model::TrunkId::new("carrier").ok(),
            emergency: false,
        };
        note(&mut caps, 0, dialled("201"));
        note(&mut caps, 1, dialled("202"));
        let mut check = |of: &str, agent: Option<&AgentId>, cents: u64| {
            let due = Due { phone: cents, agent: cents, all: cents };
            caps.check(Millis(2), &Payer { phone: &phone(of), agent }, &plan, due)
        };
        assert_eq!(check("203", Some(&ann), 0), Err(OutwardRefusal::AgentHour));
        assert_eq!(check("203", None, 0), Ok(()));
        assert_eq!(check("201", None, 0), Ok(()), "the phone itself has called once");
        let mut caps = Caps::default();
        for (of, cents) in [("201", 60), ("202", 30)] {
            note(&mut caps, 0, Kind::Charged { phone: phone(of), agent: Some(ann.clone()), cents });
        }
        let due = Due { phone: 20, agent: 20, all: 20 };
        let payer = Payer { phone: &phone("203"), agent: Some(&ann) };
        assert_eq!(caps.check(Millis(1), &payer, &plan, due), Err(OutwardRefusal::AgentMoney));
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
