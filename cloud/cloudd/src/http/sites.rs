//! All sites at a glance.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use db::session::Who;
use model::{
    Millis, SiteId,
    change::{FindingCounts, Severity},
    drill::Drill,
    leaving::Health,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::fault::Fault;
use crate::{
    app::App,
    clock, documents, drills, links,
    overview::{self, Known},
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SiteLine)]
pub struct Line {
    site: SiteId,
    label: String,
    tags: Vec<String>,
    /// One that is ordered, and not reported yet.
    drill: Option<Drill>,
    /// It is not linked for that reason.
    drill_apart: bool,
    linked: bool,
    last_heard_ms_ago: Option<u64>,
    data_age_s: Option<u64>,
    /// Intervals that have arrived, of those that are expected, 0 to 1.
    completeness: Option<f64>,
    software: Option<String>,
    health: Option<Health>,
    findings: Findings,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FindingsOfSite)]
struct Findings {
    repaired: u32,
    warning: u32,
    fatal: u32,
}

pub async fn all(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Vec<Line>>, Fault> {
    let (reader, now) = (Arc::clone(&app), clock::now());
    let (rows, mut tags) = app
        .db
        .read(move |conn| {
            let mut rows: Vec<(SiteId, String, Option<Drill>, FindingCounts, Known)> = Vec::new();
            let covers = db::coverage::read(conn, Millis(0), now, |site| who.scope.holds(site))?;
            for site in db::site::all(conn)?.into_iter().filter(|site| who.scope.holds(site)) {
                let Some(effective) = reader.documents.effective(conn, &site)? else { continue };
                let label = effective.config.site.label.clone();
                let known = overview::known(conn, &site, covers.get(&site))?;
                let drill = drills::standing(&reader, conn, &site, now)?;
                rows.push((site, label, drill, documents::count(&effective.findings), known));
            }
            Ok::<_, db::Error>((rows, db::tag::all(conn)?))
        })
        .await?;
    let rows = rows.into_iter().map(|(site, label, drill, findings, known)| {
        let link = app.links.of(&site);
        let count = |severity| findings.get(&severity).copied().unwrap_or(0);
        Line {
            tags: tags.remove(&site).unwrap_or_default().into_iter().collect(),
            site,
            label,
            drill,
            drill_apart: drill.is_some_and(|drill| drills::is_apart(drill, link, now)),
            linked: link.linked,
            last_heard_ms_ago: link.last_heard.map(|at| now.since(at)),
            data_age_s: known.data_at.map(|at: Millis| now.since(at) / 1_000),
            completeness: known.completeness,
            software: links::software(link.software, known.health.as_ref()),
            health: known.health,
            findings: Findings {
                repaired: count(Severity::Repaired),
                warning: count(Severity::Warning),
                fatal: count(Severity::Fatal),
            },
        }
    });
    Ok(Json(rows.collect()))
}
