//! Looks at what changes without telling: which boxes are linked, and what commands beside this process have written
//! (a bundle on offer, a box revoked). Tells the hub and the consoles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use model::{BoxId, SiteId};

use crate::{app::App, clock, hub::Hub, shelf::Shelf};

/// How often the links are looked at.
const LINKS_EVERY: Duration = Duration::from_secs(1);
/// Of those looks, how many go by between two looks at the database.
const LOOKS_PER_READ: u32 = 5;

/// Until the daemon stops.
pub async fn run(app: Arc<App>, hub: Hub<Shelf>) {
    let mut looks = tokio::time::interval(LINKS_EVERY);
    let mut seen = Seen::default();
    let mut look: u32 = 0;
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        for site in app.links.look(&hub.presence(), clock::now()) {
            app.hints.touch(&site);
        }
        if look.is_multiple_of(LOOKS_PER_READ)
            && let Err(error) = seen.read(&app, &hub).await
        {
            tracing::warn!(%error, "offers and revocations could not be read");
        }
        look = look.wrapping_add(1);
    }
}

/// What the hub was told.
#[derive(Default)]
struct Seen {
    offers: BTreeMap<SiteId, String>,
    revoked: BTreeSet<BoxId>,
}

impl Seen {
    async fn read(&mut self, app: &App, hub: &Hub<Shelf>) -> db::Result<()> {
        let read = |conn: &db::Connection| Ok::<_, db::Error>((db::bundle::offers(conn)?, db::boxes::revoked(conn)?));
        let (offers, revoked) = app.db.read(read).await?;
        for (site, sha256) in offers {
            if self.offers.get(&site) != Some(&sha256) && hub.offer_changed(&site).await.is_ok() {
                self.offers.insert(site, sha256);
            }
        }
        for box_id in revoked {
            if self.revoked.insert(box_id) {
                hub.revoked(box_id);
            }
        }
        Ok(())
    }
}
