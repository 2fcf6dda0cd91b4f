//! Outage drills (N-04): ordering one for a site, calling it off, and what came of those that ran.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{Connection, session::Who};
use model::{
    BoxId, Millis, SiteId,
    change::{Change, Doc},
    drill::{Drill, MINUTES_MAX, MINUTES_MIN, Outcome, Report},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    body::Body,
    configuration::{fault, keep},
    fault::Fault,
    site_of,
};
use crate::{
    app::App,
    clock,
    drills::{is_apart, standing},
    rollouts,
};

/// A drill is ordered for so long ahead at most, in ms.
const AHEAD_MS_MAX: i64 = 60 * 24 * 3_600 * 1_000;
/// One in so many sites may be cut off at once, and so many at least.
const SHARE_MAX: usize = 10;
const AT_ONCE_MIN: usize = 5;

#[derive(Debug, Serialize, ToSchema)]
pub struct Drills {
    ordered: Vec<Ordered>,
    reports: Vec<Reported>,
}

/// One that is not over, or not reported yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderedDrill)]
struct Ordered {
    site: SiteId,
    label: String,
    drill: Drill,
    until: Millis,
    /// The site is not linked, for its drill runs.
    apart: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReportedDrill)]
struct Reported {
    site: SiteId,
    label: String,
    #[serde(rename = "box")]
    box_id: BoxId,
    report: Report,
    /// All intervals that it touches had arrived with it.
    whole: bool,
    /// Their figures here were those that the box has told.
    equal: bool,
    outcome: Outcome,
    received: Millis,
}

pub async fn all(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Drills>, Fault> {
    let (reader, now) = (Arc::clone(&app), clock::now());
    let linked: BTreeSet<SiteId> = app.presence().into_iter().map(|presence| presence.site).collect();
    let found = app.db.read(move |conn| {
        let mut labels: BTreeMap<SiteId, String> = BTreeMap::new();
        let mut ordered = Vec::new();
        for site in db::site::all(conn)?.into_iter().filter(|site| who.scope.holds(site)) {
            let Some(effective) = reader.documents.effective(conn, &site)? else { continue };
            let label = effective.config.site.label.clone();
            labels.insert(site.clone(), label.clone());
            if let Some(drill) = standing(&reader, conn, &site, now)? {
                let apart = is_apart(drill, reader.links.of(&site), now) && !linked.contains(&site);
                ordered.push(Ordered { site, label, drill, until: drill.until(), apart });
            }
        }
        ordered.sort_by_key(|one| one.drill.at);
        let reports = db::drill::all(conn, &who.scope)?.into_iter().map(|kept| {
            let outcome = kept.outcome();
            let label = labels.get(&kept.site).cloned().unwrap_or_else(|| kept.site.to_string());
            let db::drill::Kept { site, box_id, report, whole, equal, received } = kept;
            Reported { site, label, box_id, report, whole, equal, outcome, received }
        });
        Ok::<_, db::Error>(Drills { ordered, reports: reports.collect() })
    });
    Ok(Json(found.await?))
}

/// `at` is left out for at once.
#[derive(Deserialize, ToSchema)]
#[schema(as = DrillOrder)]
#[serde(deny_unknown_fields)]
pub struct Order {
    at: Option<Millis>,
    minutes: u16,
}

/// One at a site at a time, until its report is there; and none while a roll-out watches it: the site would be taken for
/// lost.
pub async fn order(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Order { at, minutes }): Body<Order>,
) -> Result<Json<Drill>, Fault> {
    let now = clock::now();
    let drill = Drill { at: at.unwrap_or(now).max(now), minutes };
    if !(MINUTES_MIN..=MINUTES_MAX).contains(&minutes) {
        return Err(Fault::invalid(format!("minutes: {MINUTES_MIN} to {MINUTES_MAX}")));
    }
    if drill.at.0.saturating_sub(now.0) > AHEAD_MS_MAX {
        return Err(Fault::invalid("at: within sixty days"));
    }
    let site = site_of(&site)?;
    let _turn = app.documents.turn.lock().await;
    let (reader, of) = (Arc::clone(&app), site.clone());
    let hindered = app.db.read(move |conn| hindered(&reader, conn, &of, drill, now)).await?;
    if let Some(why) = hindered {
        return Err(not_now(why));
    }
    write(&app, who, site, (Some(drill), drill), now).await?;
    Ok(Json(drill))
}

/// One that runs goes on at the branch until its time, where nobody there ends it: from here nothing reaches it. The order
/// is taken back all the same, so that it ends as soon as the branch hears of it.
pub async fn call_off(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
) -> Result<StatusCode, Fault> {
    let (site, now) = (site_of(&site)?, clock::now());
    let _turn = app.documents.turn.lock().await;
    let (reader, of) = (Arc::clone(&app), site.clone());
    let ordered = app.db.read(move |conn| standing(&reader, conn, &of, now)).await?;
    if let Some(drill) = ordered {
        write(&app, who, site, (None, drill), now).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Why there may be no such drill at the site now. The caller holds the turn.
fn hindered(
    app: &App,
    conn: &Connection,
    site: &SiteId,
    drill: Drill,
    now: Millis,
) -> db::Result<Option<&'static str>> {
    if db::rollout::live(conn)?.iter().any(|kept| rollouts::has(kept, site)) {
        return Ok(Some("the site is part of a roll-out that is not over"));
    }
    if standing(app, conn, site, now)?.is_some_and(|standing| standing.at <= now) {
        return Ok(Some("a drill runs there, or is not reported yet"));
    }
    let sites = db::site::all(conn)?;
    let most = sites.len().div_ceil(SHARE_MAX).max(AT_ONCE_MIN);
    let mut at_once = 0_usize;
    for other in sites.iter().filter(|other| *other != site) {
        let other = standing(app, conn, other, now)?;
        let meets = other.is_some_and(|other| other.at < drill.until() && drill.at < other.until());
        at_once = at_once.saturating_add(usize::from(meets));
    }
    Ok((at_once >= most).then_some("too many sites are cut off at that time: choose another"))
}

/// Orders a drill, or calls it off. The caller holds the turn.
async fn write(
    app: &Arc<App>,
    who: Who,
    site: SiteId,
    (drill, of_which): (Option<Drill>, Drill),
    now: Millis,
) -> Result<(), Fault> {
    let (editor, of) = (Arc::clone(app), site.clone());
    // The branch speaks in the same document, and whoever spoke last is right.
    let edit =
        app.db.read(move |conn| editor.documents.edit(conn, (&of, Doc::Local), &[Change::SiteDrill { drill }], now));
    let edited = edit.await.map_err(fault)?;
    let verb = if drill.is_some() { "drill.order" } else { "drill.call_off" };
    let detail = json!({ "site": site, "drill": of_which });
    keep(app, who, site, edited, (verb, detail), now).await.map(drop)
}

fn not_now(why: &str) -> Fault {
    Fault::new(StatusCode::CONFLICT, "not_now", why)
}
