//! Which sites have changed and when, so that open consoles can be told to look again. Bounded by the number of
//! sites, however much happens.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use model::SiteId;

#[derive(Debug, Default)]
pub struct Hints {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    turn: u64,
    sites: BTreeMap<SiteId, u64>,
}

impl Hints {
    /// Something about the site is other than before.
    pub fn touch(&self, site: &SiteId) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.turn += 1;
        let turn = inner.turn;
        inner.sites.insert(site.clone(), turn);
    }

    /// Sites touched after turn `seen`, and the turn to ask with next.
    pub fn since(&self, seen: u64) -> (Vec<SiteId>, u64) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let sites = inner.sites.iter().filter(|(_, turn)| **turn > seen).map(|(site, _)| site.clone()).collect();
        (sites, inner.turn)
    }

    /// The turn from which somebody who has just read everything goes on.
    pub fn turn(&self) -> u64 {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_touched_often_is_told_once_and_never_missed() {
        let site = |name: &str| SiteId::new(name).unwrap();
        let hints = Hints::default();
        let start = hints.turn();
        hints.touch(&site("north"));
        hints.touch(&site("south"));
        hints.touch(&site("north"));
        let (sites, seen) = hints.since(start);
        assert_eq!(sites, [site("north"), site("south")]);
        assert_eq!(hints.since(seen), (vec![], seen));
        hints.touch(&site("south"));
        assert_eq!(hints.since(seen).0, [site("south")]);
    }
}
