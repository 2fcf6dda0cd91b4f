//! How a site is, as its boxes report it. What the database says of a site is kept until something of it is touched
//! ([`db::touched`]): a look at a thousand sites that are watched, and say nothing, is one question.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use db::{Connection, touched};
use fleet::Evidence;
use model::{
    BoxId, SiteId,
    change::Doc,
    leaving::{Fare, Health, Running},
};

use crate::{app::App, overview};

/// Processes of a box that runs as a whole: *media*, *calls* and *sync*. A box that is not supervised tells of none.
const PROCESSES: u8 = 3;
/// Most sites of which it is kept how they are.
const SITES_MAX: usize = 10_000;

/// Of a site of which nothing can be known.
pub const UNKNOWN: Evidence = Evidence {
    linked: false,
    runs: false,
    refused: false,
    others_wrote: false,
    restarts: BTreeMap::new(),
    calls: Fare::Few,
};

/// What was read of each site, and up to which turn nothing of it was touched since. Roll-outs step one after another, so
/// that nobody keeps what another has just forgotten.
#[derive(Default)]
pub struct Memory(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    turn: i64,
    sites: BTreeMap<SiteId, Arc<Told>>,
}

/// What the database says of one site.
struct Told {
    boxes: Vec<BoxId>,
    /// The state of its documents; None: there is no such site.
    heads: Option<u64>,
    said: BTreeMap<BoxId, Running>,
    health: BTreeMap<BoxId, Health>,
}

/// Forgets what was touched since the last look. Before anything is asked of sites: what is touched meanwhile is read
/// again at the next.
pub fn look(app: &App, conn: &Connection) -> db::Result<()> {
    let mut turn = app.evidence.inner().turn;
    loop {
        let told = touched::since(conn, turn)?;
        let Some(last) = told.last() else { break };
        let mut inner = app.evidence.inner();
        // Before the first look nothing is kept.
        for touched in &told {
            inner.sites.remove(&touched.site);
        }
        (turn, inner.turn) = (last.turn, inner.turn.max(last.turn));
    }
    Ok(())
}

/// Of the boxes that are linked; of those that are not nothing is known.
pub fn of(app: &App, conn: &Connection, (id, site): (i64, &SiteId), linked: &BTreeSet<BoxId>) -> db::Result<Evidence> {
    let told = app.evidence.told(app, conn, site)?;
    let here: Vec<&BoxId> = told.boxes.iter().filter(|box_id| linked.contains(box_id)).collect();
    let mut evidence = Evidence { linked: !here.is_empty(), ..UNKNOWN };
    let Some(heads) = told.heads else { return Ok(evidence) };
    let restarts = here.iter().filter_map(|box_id| Some((**box_id, told.health.get(box_id)?.restarts)));
    evidence.restarts = restarts.collect();
    let mut runs = Vec::new();
    for box_id in here {
        runs.push(told.health.get(box_id).is_none_or(is_whole));
        match told.said.get(box_id) {
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
    evidence.others_wrote = is_bad && others_wrote(app, conn, id, site)?;
    Ok(evidence)
}

/// Whether somebody else has written at the site since the roll-out did. An order for a drill changes nothing of how it runs.
fn others_wrote(app: &App, conn: &Connection, id: i64, site: &SiteId) -> db::Result<bool> {
    let theirs = db::rollout::others(conn, id, site)?;
    if theirs.is_empty() {
        return Ok(false);
    }
    let Some(histories) = app.documents.histories(conn, site)? else { return Ok(true) };
    let is_drill = |(doc, seq): &(Doc, i64)| histories.of(*doc).wrote_only(seq.unsigned_abs(), config::DRILL_PATH);
    Ok(!theirs.iter().all(is_drill))
}

fn is_whole(health: &Health) -> bool {
    health.processes_up == 0 || health.processes_up >= PROCESSES
}

impl Memory {
    /// Nothing is done under the lock that could panic half-way.
    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self, app: &App, conn: &Connection, site: &SiteId) -> db::Result<Arc<Told>> {
        if let Some(told) = self.inner().sites.get(site) {
            return Ok(Arc::clone(told));
        }
        let told = Arc::new(read(app, conn, site)?);
        app.metrics.evidence_read.inc();
        let mut inner = self.inner();
        if inner.sites.len() >= SITES_MAX {
            inner.sites.pop_first();
        }
        inner.sites.insert(site.clone(), Arc::clone(&told));
        Ok(told)
    }
}

fn read(app: &App, conn: &Connection, site: &SiteId) -> db::Result<Told> {
    let boxes = db::boxes::of_site(conn, site)?.into_iter().filter(|device| device.revoked.is_none());
    let effective = app.documents.effective(conn, site)?;
    Ok(Told {
        boxes: boxes.map(|device| device.id).collect(),
        heads: effective.map(|effective| u64::from_str_radix(&effective.heads, 16).unwrap_or(0)),
        said: db::running::of_site(conn, site)?.into_iter().collect(),
        health: db::health::of_site(conn, site)?.into_iter().map(|latest| (latest.box_id, latest.health)).collect(),
    })
}
