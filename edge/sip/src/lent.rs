//! Accounts that are lent: a page that somebody opened proves itself by a name and a password of its own, which speak for
//! one of our phones until they are taken back. The phone's own password is never given away.
//!
//! A lent account counts over WebSocket alone, which is where pages are (RFC 7118).

use std::collections::BTreeMap;

use crate::endpoint::PhoneAuth;

/// Accounts that are out at once.
pub const LENT_MAX: usize = 2_000;

/// What stands behind a lent name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The SIP user that it speaks for.
    pub phone: String,
    pub auth: PhoneAuth,
}

/// By the name that a page proves.
#[derive(Debug, Default)]
pub struct Lent(BTreeMap<String, Account>);

impl Lent {
    /// False: there are [`LENT_MAX`] already.
    pub fn lend(&mut self, name: String, account: Account) -> bool {
        let room = self.0.len() < LENT_MAX || self.0.contains_key(&name);
        if room {
            self.0.insert(name, account);
        }
        room
    }

    pub fn take_back(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub fn auth(&self, name: &str) -> Option<&PhoneAuth> {
        self.0.get(name).map(|account| &account.auth)
    }

    /// Whom a name speaks for: a lent one for its phone, any other for itself.
    pub fn phone<'a>(&'a self, name: &'a str) -> &'a str {
        self.0.get(name).map_or(name, |account| account.phone.as_str())
    }

    /// Whether somebody has an account of this phone.
    pub fn is_of(&self, phone: &str) -> bool {
        self.0.values().any(|account| account.phone == phone)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account { phone: "101".into(), auth: PhoneAuth { ha1_sha256: "x".into(), ha1_md5: None } }
    }

    #[test]
    fn a_lent_name_speaks_for_its_phone_until_it_is_taken_back() {
        let mut lent = Lent::default();
        assert!(lent.lend("101-x".into(), account()));
        assert_eq!((lent.phone("101-x"), lent.phone("102"), lent.is_of("101")), ("101", "102", true));
        lent.take_back("101-x");
        assert_eq!((lent.phone("101-x"), lent.auth("101-x"), lent.is_of("101")), ("101-x", None, false));
    }

    #[test]
    fn beyond_the_limit_nothing_is_lent_and_what_is_out_stays() {
        let mut lent = Lent::default();
        for n in 0..LENT_MAX {
            assert!(lent.lend(format!("101-{n}"), account()));
        }
        assert!(!lent.lend("101-more".into(), account()));
        assert!(lent.lend("101-1".into(), account()));
        assert_eq!(lent.phone("101-0"), "101");
    }
}
