//! Looks at what changes without telling: which boxes are linked, and what other processes on the same database have
//! written: commands beside this one, and its equal instances. Tells the hub and the consoles.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use db::touched::{self, What};
use model::{BoxId, SiteId};
use tokio::sync::watch;

use crate::{app::App, clock, hub::Hub, instances::Teller, shelf::Shelf};

/// How often the links are looked at.
const LINKS_EVERY: Duration = Duration::from_secs(1);
/// Of those looks, how many go by between two looks at the database that nobody asked for.
const LOOKS_PER_READ: u32 = 5;
/// Of those looks, how many go by between two exchanges with the other instances.
const LOOKS_PER_TURN: u32 = 2;

/// Until the daemon stops. `seen` is the turn of [`touched`] from before the hub began.
pub async fn run(app: Arc<App>, hub: Hub<Shelf>, seen: i64) {
    let mut looks = tokio::time::interval(LINKS_EVERY);
    let mut woken = app.db.woken();
    let mut seen = Seen { turn: seen, ..Seen::default() };
    let mut teller = Teller::default();
    let mut look: u32 = 0;
    loop {
        let due = tokio::select! {
            () = app.stop.cancelled() => break,
            () = changed(&mut woken) => true,
            _ = looks.tick() => {
                for site in app.links.look(&app.presence(), clock::now()) {
                    app.hints.touch(&site);
                }
                if app.db.is_shared()
                    && look.is_multiple_of(LOOKS_PER_TURN)
                    && let Err(error) = teller.turn(&app, &hub, clock::now()).await
                {
                    tracing::warn!(%error, "the other instances were not told whom this one serves");
                }
                look = look.wrapping_add(1);
                look.is_multiple_of(LOOKS_PER_READ)
            }
        };
        if due && let Err(error) = seen.read(&app, &hub).await {
            tracing::warn!(%error, "what others have written could not be read");
        }
    }
    if app.db.is_shared() {
        Teller::leave(&app).await;
    }
}

/// Somebody else may have written; never, when nobody tells.
async fn changed(woken: &mut Option<watch::Receiver<u64>>) {
    if let Some(turns) = woken
        && turns.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// What the hub was told.
#[derive(Default)]
struct Seen {
    turn: i64,
    offers: BTreeMap<SiteId, String>,
    revoked: BTreeSet<BoxId>,
}

impl Seen {
    async fn read(&mut self, app: &App, hub: &Hub<Shelf>) -> db::Result<()> {
        let mut boxes = false;
        loop {
            let seen = self.turn;
            let told = app.db.read(move |conn| touched::since(conn, seen)).await?;
            let Some(last) = told.last() else { break };
            self.turn = last.turn;
            boxes |= told.iter().any(|touched| matches!(touched.what, What::Box | What::Offer));
            for touched in told.iter().filter(|touched| touched.writer != touched::me()) {
                app.hints.touch(&touched.site);
                if let What::Config(doc) = touched.what {
                    hub.config_changed(&touched.site, doc);
                }
            }
        }
        if boxes { self.boxes(app, hub).await } else { Ok(()) }
    }

    async fn boxes(&mut self, app: &App, hub: &Hub<Shelf>) -> db::Result<()> {
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
