//! How a site is, as its boxes report it.

use std::collections::{BTreeMap, BTreeSet};

use db::Connection;
use fleet::Evidence;
use model::{
    BoxId, SiteId,
    leaving::{Fare, Health, Running},
};

use crate::{app::App, overview};

/// Processes of a box that runs as a whole: *media*, *calls* and *sync*. A box that is not supervised tells of none.
const PROCESSES: u8 = 3;

/// Of a site of which nothing can be known.
pub const UNKNOWN: Evidence =
    Evidence { linked: false, runs: false, refused: false, others_wrote: false, restarts: None, calls: Fare::Few };

/// Of the boxes that are linked; of those that are not nothing is known.
pub fn of(app: &App, conn: &Connection, (id, site): (i64, &SiteId), linked: &BTreeSet<BoxId>) -> db::Result<Evidence> {
    let devices = db::boxes::of_site(conn, site)?;
    let here = devices.iter().filter(|device| device.revoked.is_none() && linked.contains(&device.id));
    let here: Vec<BoxId> = here.map(|device| device.id).collect();
    let mut evidence = Evidence { linked: !here.is_empty(), ..UNKNOWN };
    let Some(effective) = app.documents.effective(conn, site)? else { return Ok(evidence) };
    let heads = u64::from_str_radix(&effective.heads, 16).unwrap_or(0);
    let said: BTreeMap<BoxId, Running> = db::running::of_site(conn, site)?.into_iter().collect();
    let told = db::health::of_site(conn, site)?.into_iter();
    let health: BTreeMap<BoxId, Health> = told.map(|latest| (latest.box_id, latest.health)).collect();
    let restarts = here.iter().filter_map(|box_id| health.get(box_id)).map(|health| health.restarts);
    evidence.restarts = restarts.reduce(u32::saturating_add);
    let mut runs = Vec::new();
    for box_id in here {
        runs.push(health.get(&box_id).is_none_or(is_whole));
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
    let is_bad = evidence.refused || evidence.calls == Fare::Worse;
    evidence.others_wrote = is_bad && db::rollout::others_wrote(conn, id, site)?;
    Ok(evidence)
}

fn is_whole(health: &Health) -> bool {
    health.processes_up == 0 || health.processes_up >= PROCESSES
}
