//! How often a phone and the site have called out in the last hour (S-140). A fold of `Dialled` facts: a restart reads
//! them again, so that a stolen password is worth no more after it.

use std::collections::VecDeque;

use model::{
    Extension, Millis,
    dialling::Dialling,
    fact::{Fact, Kind, OutwardRefusal},
};

const HOUR_MS: u64 = 3_600_000;
/// Calls of an hour that are counted; a site that may make more is not held back by what went before.
const CALLS_MAX: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Caps {
    /// In the order of time.
    calls: VecDeque<(Millis, Extension)>,
}

impl Caps {
    pub fn note(&mut self, fact: &Fact) {
        if let Kind::Dialled { phone: Some(phone), trunk: Some(_), emergency: false } = &fact.kind {
            self.calls.push_back((fact.at, phone.clone()));
            if self.calls.len() > CALLS_MAX {
                self.calls.pop_front();
            }
        }
    }

    /// May this phone call out?
    pub fn check(&mut self, now: Millis, phone: &Extension, plan: &Dialling) -> Result<(), OutwardRefusal> {
        while self.calls.front().is_some_and(|(at, _)| now.since(*at) >= HOUR_MS) {
            self.calls.pop_front();
        }
        let count = |calls: usize| u32::try_from(calls).unwrap_or(u32::MAX);
        if count(self.calls.iter().filter(|(_, of)| of == phone).count()) >= plan.phone_hour_max {
            return Err(OutwardRefusal::PhoneHour);
        }
        if count(self.calls.len()) >= plan.site_hour_max { Err(OutwardRefusal::SiteHour) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_and_a_site_call_out_so_often_in_any_hour() {
        let plan = Dialling { phone_hour_max: 2, site_hour_max: 3, ..Dialling::default() };
        let phone = |text: &str| Extension::new(text).unwrap();
        let mut caps = Caps::default();
        let call = |caps: &mut Caps, at: i64, of: &str| {
            let verdict = caps.check(Millis(at), &phone(of), &plan);
            if verdict.is_ok() {
                let kind = Kind::Dialled {
                    phone: Some(phone(of)),
                    trunk: model::TrunkId::new("carrier").ok(),
                    emergency: false,
                };
                caps.note(&Fact { seq: 0, at: Millis(at), contact: None, kind });
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
}
