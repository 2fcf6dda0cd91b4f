//! Several equal instances on one database: each tells, now and then and for all its boxes together, whom it serves, and
//! learns whom the others serve. A box that has linked to another instance since is let go here.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use db::{
    presence::{self, Linked},
    touched,
};
use model::{BoxId, Millis};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    hub::{Hub, Presence},
    shelf::Shelf,
};

/// Figures of a link that move all the time (rows behind, clock skew) are told no more often than this.
const FIGURES_EVERY_MS: i64 = 15_000;

/// What the other instances serve.
#[derive(Debug, Default)]
pub struct Others(Mutex<Vec<Presence>>);

impl Others {
    /// These, and those of the others that have not come here since.
    pub fn join(&self, here: Vec<Presence>) -> Vec<Presence> {
        let others = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: BTreeMap<BoxId, Presence> = others.iter().map(|other| (other.box_id, other.clone())).collect();
        for presence in here {
            if all.get(&presence.box_id).is_none_or(|other| other.since <= presence.since) {
                all.insert(presence.box_id, presence);
            }
        }
        all.into_values().collect()
    }

    /// In place of what they served before.
    pub fn put(&self, others: Vec<Presence>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = others;
    }
}

/// What one instance says of a box, beside where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    address: SocketAddr,
    software: [u16; 3],
    media: bool,
    skew_ms: i64,
    behind: u64,
}

/// What this instance has told the others.
#[derive(Default)]
pub struct Teller {
    told: BTreeMap<BoxId, (Millis, Said)>,
    figures_at: Millis,
}

impl Teller {
    /// Tells what has changed, and learns.
    pub async fn turn(&mut self, app: &App, hub: &Hub<Shelf>, now: Millis) -> db::Result<()> {
        let here = hub.presence();
        let figures = now.0.saturating_sub(self.figures_at.0) >= FIGURES_EVERY_MS;
        let (changed, gone) = self.news(&here, figures);
        let label = app.settings.link.listen.to_string();
        let linked = app
            .db
            .write(move |conn| {
                presence::beat(conn, touched::me(), &label, now)?;
                for linked in &changed {
                    presence::put(conn, linked)?;
                }
                for box_id in gone {
                    presence::gone(conn, box_id, touched::me())?;
                }
                presence::linked(conn, now)
            })
            .await?;
        if figures {
            self.figures_at = now;
        }
        // Only what stands there: a box that has just come from an instance whose clock is ahead is told again.
        let stands: BTreeSet<BoxId> =
            linked.iter().filter(|linked| linked.instance == touched::me()).map(|linked| linked.box_id).collect();
        let told = here.iter().filter(|presence| stands.contains(&presence.box_id));
        self.told = told.map(|presence| (presence.box_id, (presence.since, said(presence)))).collect();
        let since: BTreeMap<BoxId, Millis> = here.iter().map(|presence| (presence.box_id, presence.since)).collect();
        let elsewhere = linked.iter().filter(|linked| linked.instance != touched::me());
        for linked in elsewhere.clone() {
            if since.get(&linked.box_id).is_some_and(|since| *since < linked.since) {
                tracing::info!(box_id = %linked.box_id, "the box has linked to another instance");
                hub.replaced(linked.box_id);
            }
        }
        app.others.put(elsewhere.filter_map(read).collect());
        Ok(())
    }

    /// Nobody is served here any more: the others need not wait until this is noticed.
    pub async fn leave(app: &App) {
        if let Err(error) = app.db.write(|conn| presence::leave(conn, touched::me())).await {
            tracing::warn!(%error, "the other instances could not be told that this one ends");
        }
    }

    fn news(&self, here: &[Presence], figures: bool) -> (Vec<Linked>, Vec<BoxId>) {
        let is_news = |presence: &&Presence| {
            let (since, said) = (presence.since, said(presence));
            self.told.get(&presence.box_id).is_none_or(|(told_since, told)| {
                *told_since != since || if figures { *told != said } else { !told.like(&said) }
            })
        };
        let changed = here.iter().filter(is_news).map(written).collect();
        let still: BTreeSet<BoxId> = here.iter().map(|presence| presence.box_id).collect();
        let gone = self.told.keys().filter(|box_id| !still.contains(box_id)).copied().collect();
        (changed, gone)
    }
}

impl Said {
    /// But for the figures that move all the time.
    fn like(&self, other: &Said) -> bool {
        (self.address, self.software, self.media) == (other.address, other.software, other.media)
    }
}

fn said(presence: &Presence) -> Said {
    let Presence { address, software, media, skew_ms, behind, .. } = *presence;
    Said { address, software, media, skew_ms, behind }
}

fn written(presence: &Presence) -> Linked {
    Linked {
        box_id: presence.box_id,
        site: presence.site.clone(),
        instance: touched::me().to_owned(),
        since: presence.since,
        body: serde_json::to_string(&said(presence)).unwrap_or_default(),
        heard: presence.heard,
    }
}

/// None: another version's, which says it in another way.
fn read(linked: &Linked) -> Option<Presence> {
    let Said { address, software, media, skew_ms, behind } = serde_json::from_str(&linked.body).ok()?;
    let Linked { box_id, site, since, heard, .. } = linked;
    Some(Presence {
        box_id: *box_id,
        site: site.clone(),
        since: *since,
        heard: *heard,
        address,
        software,
        skew_ms,
        behind,
        media,
    })
}

#[cfg(test)]
mod tests {
    use model::SiteId;

    use super::*;

    fn presence(box_id: u128, since: i64, behind: u64) -> Presence {
        Presence {
            box_id: BoxId(box_id),
            site: SiteId::new("north").unwrap(),
            address: "127.0.0.1:9".parse().unwrap(),
            since: Millis(since),
            heard: Millis(since),
            software: [1, 2, 3],
            skew_ms: 0,
            behind,
            media: false,
        }
    }

    #[test]
    fn a_box_at_two_instances_stands_where_it_linked_last() {
        let others = Others::default();
        others.put(vec![presence(1, 50, 7), presence(2, 50, 7)]);
        let all = others.join(vec![presence(1, 40, 0), presence(2, 60, 0), presence(3, 1, 0)]);
        let stand: Vec<(u128, i64)> = all.iter().map(|one| (one.box_id.0, one.since.0)).collect();
        assert_eq!(stand, [(1, 50), (2, 60), (3, 1)]);
    }

    #[test]
    fn what_moves_all_the_time_is_told_at_its_own_pace() {
        let told = |here: &[Presence]| Teller {
            told: here.iter().map(|one| (one.box_id, (one.since, said(one)))).collect(),
            figures_at: Millis(0),
        };
        let teller = told(&[presence(1, 5, 0), presence(2, 5, 0), presence(3, 5, 0)]);
        let here = [presence(1, 5, 900), presence(2, 6, 0), presence(4, 5, 0)];
        let ids = |(changed, gone): (Vec<Linked>, Vec<BoxId>)| {
            let changed: Vec<u128> = changed.iter().map(|linked| linked.box_id.0).collect();
            (changed, gone)
        };
        assert_eq!(ids(teller.news(&here, false)), (vec![2, 4], vec![BoxId(3)]));
        assert_eq!(ids(teller.news(&here, true)), (vec![1, 2, 4], vec![BoxId(3)]));
    }
}
