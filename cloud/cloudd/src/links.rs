//! Which sites are linked to this process and when they were last heard: in memory only, for nothing is written
//! because a box connected.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use model::{Millis, SiteId, leaving::Health};

use crate::hub::Presence;

/// Of one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    pub linked: bool,
    /// None: not since this process began.
    pub last_heard: Option<Millis>,
    /// What it said when it linked, and when that was.
    pub software: Option<(Millis, [u16; 3])>,
}

/// What runs on a box: what it said last, when it linked or with how it is.
pub fn software(said: Option<(Millis, [u16; 3])>, health: Option<&Health>) -> Option<String> {
    let told = health.map(|health| (health.at, health.version));
    let (_, version) = said.into_iter().chain(told).max_by_key(|(at, _)| *at)?;
    Some(version.map(|number| number.to_string()).join("."))
}

#[derive(Debug, Default)]
pub struct Links {
    sites: Mutex<BTreeMap<SiteId, Link>>,
}

impl Links {
    /// Takes in which boxes are linked. Says which sites have come, gone or changed their software.
    pub fn look(&self, present: &[Presence], now: Millis) -> Vec<SiteId> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        let before = sites.clone();
        let linked: BTreeSet<&SiteId> = present.iter().map(|presence| &presence.site).collect();
        for presence in present {
            let link = sites.entry(presence.site.clone()).or_default();
            // A site may have several boxes; a clock that was set back does not make one unheard.
            let heard = link.last_heard.map_or(presence.heard, |last| last.max(presence.heard)).min(now);
            *link = Link { linked: true, last_heard: Some(heard), software: Some((presence.since, presence.software)) };
        }
        for (_, link) in sites.iter_mut().filter(|(site, _)| !linked.contains(site)) {
            link.linked = false;
        }
        let version = |(_, version): (Millis, [u16; 3])| version;
        let other = |(site, link): (&SiteId, &Link)| {
            let before = before.get(site).copied().unwrap_or_default();
            ((before.linked, before.software.map(version)) != (link.linked, link.software.map(version)))
                .then(|| site.clone())
        };
        sites.iter().filter_map(other).collect()
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

    fn presence(site: &str, heard: i64) -> Presence {
        Presence {
            box_id: model::BoxId(1),
            site: SiteId::new(site).unwrap(),
            address: "127.0.0.1:9".parse().unwrap(),
            since: Millis(0),
            heard: Millis(heard),
            software: [1, 2, 3],
            skew_ms: 0,
            behind: 0,
            media: false,
        }
    }

    #[test]
    fn a_lost_site_keeps_the_time_it_was_last_heard() {
        let links = Links::default();
        let north = SiteId::new("north").unwrap();
        assert_eq!(links.of(&north), Link::default());
        assert_eq!(links.look(&[presence("north", 5)], Millis(100)), std::slice::from_ref(&north));
        assert_eq!(links.look(&[presence("north", 9)], Millis(100)), [], "being heard again is no news");
        assert_eq!(links.linked(), 1);
        assert_eq!(links.look(&[presence("south", 9)], Millis(100)), [north.clone(), SiteId::new("south").unwrap()]);
        let lost = Link { linked: false, last_heard: Some(Millis(9)), software: Some((Millis(0), [1, 2, 3])) };
        assert_eq!(links.of(&north), lost);
        assert_eq!(links.linked(), 1);
    }
}
