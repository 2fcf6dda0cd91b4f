//! How a site is, as its boxes report it.

use std::collections::{BTreeMap, BTreeSet};

use db::Connection;
use fleet::Evidence;
use model::{
    BoxId, SiteId,
    leaving::{Fare, Running},
};

use crate::{app::App, overview};

/// Of the boxes that are linked; of those that are not nothing is known.
pub fn of(app: &App, conn: &Connection, site: &SiteId, linked: &BTreeSet<BoxId>) -> db::Result<Evidence> {
    let devices = db::boxes::of_site(conn, site)?;
    let here = devices.iter().filter(|device| device.revoked.is_none() && linked.contains(&device.id));
    let here: Vec<BoxId> = here.map(|device| device.id).collect();
    let mut evidence = Evidence { linked: !here.is_empty(), runs: false, refused: false, calls: Fare::Few };
    let Some(effective) = app.documents.effective(conn, site)? else { return Ok(evidence) };
    let heads = u64::from_str_radix(&effective.heads, 16).unwrap_or(0);
    let said: BTreeMap<BoxId, Running> = db::running::of_site(conn, site)?.into_iter().collect();
    let mut runs = Vec::new();
    for box_id in here {
        match said.get(&box_id) {
            Some(running) if running.heads == heads => {
                evidence.refused |= !running.taken;
                if running.taken {
                    evidence.calls = evidence.calls.max(running.calls);
                }
                runs.push(running.taken);
            }
            Some(_) => runs.push(false),
            // An older box does not say what it runs; that it has everything is all that is known.
            None => runs.push(!overview::pending(conn, site)?),
        }
    }
    evidence.runs = !runs.is_empty() && runs.into_iter().all(|runs| runs);
    Ok(evidence)
}
