//! Which sites are linked to this process and when they were last heard: in memory only, for nothing is written
//! because a box connected.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use model::{Millis, SiteId};

/// Of one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    pub linked: bool,
    pub last_heard: Option<Millis>,
}

#[derive(Debug, Default)]
pub struct Links {
    sites: Mutex<BTreeMap<SiteId, Link>>,
}

impl Links {
    /// True when the site was not linked before.
    pub fn heard(&self, site: &SiteId, now: Millis) -> bool {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let link = sites.entry(site.clone()).or_default();
        let before = std::mem::replace(link, Link { linked: true, last_heard: Some(now) });
        !before.linked
    }

    /// True when the site was linked before.
    pub fn lost(&self, site: &SiteId) -> bool {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        sites.get_mut(site).is_some_and(|link| std::mem::replace(&mut link.linked, false))
    }

    pub fn of(&self, site: &SiteId) -> Link {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner).get(site).copied().unwrap_or_default()
    }

    pub fn linked(&self) -> usize {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner).values().filter(|link| link.linked).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_site_keeps_the_time_it_was_last_heard() {
        let links = Links::default();
        let north = SiteId::new("north").unwrap();
        assert_eq!(links.of(&north), Link::default());
        assert!(!links.lost(&north));
        assert!(links.heard(&north, Millis(5)));
        assert!(!links.heard(&north, Millis(9)));
        assert_eq!(links.linked(), 1);
        assert!(links.lost(&north));
        assert_eq!(links.of(&north), Link { linked: false, last_heard: Some(Millis(9)) });
        assert_eq!(links.linked(), 0);
    }
}
