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
use db::session::Who;
use model::{
    BoxId, Millis, SiteId,
    change::{Change, Doc},
    drill::{Drill, MINUTES_MAX, MINUTES_MIN, Report},
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
use crate::{app::App, clock, rollouts};

/// A drill is ordered for so long ahead at most, in ms.
const AHEAD_MS_MAX: i64 = 60 * 24 * 3_600 * 1_000;

#[derive(Debug, Serialize, ToSchema)]
pub struct Drills {
    ordered: Vec<Ordered>,
    reports: Vec<Reported>,
}

/// One that is not over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderedDrill)]
struct Ordered {
    site: SiteId,
    label: String,
    drill: Drill,
    until: Millis,
    /// Its time has come, and the site is not linked.
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
    passed: bool,
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
            if let Some(drill) = effective.drill.filter(|drill| drill.until() > now) {
                let apart = drill.at <= now && !linked.contains(&site);
                ordered.push(Ordered { site, label, drill, until: drill.until(), apart });
            }
        }
        ordered.sort_by_key(|one| one.drill.at);
        let reports = db::drill::all(conn)?.into_iter().filter(|kept| who.scope.holds(&kept.site));
        let reports = reports.map(|kept| {
            let passed = kept.passed();
            let label = labels.get(&kept.site).cloned().unwrap_or_else(|| kept.site.to_string());
            let db::drill::Kept { site, box_id, report, whole, equal, received } = kept;
            Reported { site, label, box_id, report, whole, equal, passed, received }
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

/// One at a site at a time, and none while a roll-out watches it: the site would be taken for lost.
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
    let of = site.clone();
    let live = app.db.read(move |conn| {
        let live = db::rollout::live(conn)?;
        Ok::<_, db::Error>(live.iter().any(|kept| rollouts::has(kept, &of)))
    });
    if live.await? {
        return Err(not_now("the site is part of a roll-out that is not over"));
    }
    write(&app, who, site, Some(drill), now).await?;
    Ok(Json(drill))
}

/// One that runs is ended at the branch alone: from here nothing reaches it.
pub async fn call_off(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
) -> Result<StatusCode, Fault> {
    write(&app, who, site_of(&site)?, None, clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn write(app: &Arc<App>, who: Who, site: SiteId, drill: Option<Drill>, now: Millis) -> Result<(), Fault> {
    let _turn = app.documents.turn.lock().await;
    let (editor, of) = (Arc::clone(app), site.clone());
    let standing = app.db.read(move |conn| editor.documents.effective(conn, &of)).await?;
    let standing = standing.ok_or_else(|| Fault::not_found("site"))?.drill.filter(|drill| drill.until() > now);
    match (standing, drill) {
        (Some(standing), _) if standing.at <= now => return Err(not_now("a drill runs there: it ends at the branch")),
        (None, None) => return Ok(()),
        _ => {}
    }
    let (editor, of) = (Arc::clone(app), site.clone());
    // The branch speaks in the same document, and whoever spoke last is right.
    let edit =
        app.db.read(move |conn| editor.documents.edit(conn, (&of, Doc::Local), &[Change::SiteDrill { drill }], now));
    let edited = edit.await.map_err(fault)?;
    let verb = if drill.is_some() { "drill.order" } else { "drill.call_off" };
    let detail = json!({ "site": site, "drill": drill.or(standing) });
    keep(app, who, site, edited, (verb, detail), now).await.map(drop)
}

fn not_now(why: &str) -> Fault {
    Fault::new(StatusCode::CONFLICT, "not_now", why)
}
