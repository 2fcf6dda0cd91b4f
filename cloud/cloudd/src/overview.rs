//! What a console shows of a site at a glance: is it linked, how old and how complete is what is known of it.

use db::{
    Connection,
    change::{Hash, Of},
    coverage::{Counts, Cover},
};
use model::{Millis, SiteId, change::Doc, leaving::Health};

/// From the database alone; whether the site is linked is known to the hub.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// When something of its outbox was last taken in.
    pub data_at: Option<Millis>,
    pub health: Option<Health>,
    /// Intervals that have arrived ÷ those that are expected since its first box was enrolled, 0 to 1.
    pub completeness: Option<f64>,
}

/// `cover`: of all the time of the site.
pub fn known(conn: &Connection, site: &SiteId, cover: Option<&Cover>) -> db::Result<Known> {
    let latest = db::health::of_site(conn, site)?.into_iter().next();
    Ok(Known {
        data_at: db::ingest::last_taken(conn, site)?,
        health: latest.map(|latest| latest.health),
        completeness: cover.map(Cover::whole).and_then(Counts::part),
    })
}

/// Whether a box of the site has not yet confirmed that it has all there is; also when no box is enrolled.
pub fn pending(conn: &Connection, site: &SiteId) -> db::Result<bool> {
    let boxes = db::boxes::of_site(conn, site)?;
    let mut boxes = boxes.iter().filter(|device| device.revoked.is_none()).peekable();
    if boxes.peek().is_none() {
        return Ok(true);
    }
    for device in boxes {
        for doc in [Doc::Org, Doc::Site, Doc::Local] {
            let state = db::sync_state::read(conn, device.id, doc)?;
            let shared = state.as_deref().and_then(shared_heads).unwrap_or_default();
            if !db::change::heads(conn, Of { site, doc })?.iter().all(|head| shared.contains(head)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What both ends had, from a stored sync state: automerge writes a type byte, a count and that many hashes.
fn shared_heads(state: &[u8]) -> Option<Vec<Hash>> {
    const SYNC_STATE: u8 = 0x43;
    let (count, hashes) = state.strip_prefix(&[SYNC_STATE])?.split_first()?;
    let hashes = hashes.as_chunks::<32>().0;
    // A count of 128 or more takes further bytes; nobody shares that many heads.
    (usize::from(*count) == hashes.len() && *count < 0x80).then(|| hashes.to_vec())
}
