//! A whole configuration that is wanted: what would have to change, and making it so, unless something else was changed
//! since it was looked at.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use config::Unfit;
use db::session::Who;
use model::{SiteId, change::Finding, config::Config, history::Difference};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    body::Body,
    configuration::{Kept, fault, keep},
    fault::Fault,
    site_of,
};
use crate::{app::App, clock};

#[derive(Deserialize, ToSchema)]
#[schema(as = WantedConfig)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    config: Config,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Planned {
    /// The state of which it was made.
    base: String,
    differences: Vec<Difference>,
    findings: Vec<Finding>,
    /// Paths at which it will still not be as wanted.
    stays: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Applied {
    #[serde(flatten)]
    kept: Kept,
    applied: Planned,
}

async fn planned(app: &Arc<App>, site: SiteId, wanted: Config) -> Result<(String, config::Plan), Fault> {
    let reader = Arc::clone(app);
    let read = move |conn: &db::Connection| {
        let Some(documents) = reader.documents.present(conn, &site)? else { return Ok(None) };
        Ok::<_, db::Error>(Some((config::heads(&documents), config::plan(&documents, &wanted, clock::now()))))
    };
    let (heads, plan) = app.db.read(read).await?.ok_or_else(|| Fault::not_found("site"))?;
    plan.map(|plan| (heads, plan)).map_err(|unfit: Unfit| Fault::invalid(unfit.to_string()))
}

pub async fn plan(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    Body(Wanted { config }): Body<Wanted>,
) -> Result<Json<Planned>, Fault> {
    let (heads, plan) = planned(&app, site_of(&site)?, config).await?;
    Ok(Json(told(heads, plan)))
}

fn told(base: String, plan: config::Plan) -> Planned {
    let config::Plan { differences, findings, stays, .. } = plan;
    Planned { base, differences, findings, stays }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = WantedPlan)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Of the plan that somebody has looked at.
    base: String,
    config: Config,
}

pub async fn apply(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Apply { base, config }): Body<Apply>,
) -> Result<Json<Applied>, Fault> {
    let site = site_of(&site)?;
    let _turn = app.documents.turn.lock().await;
    let (heads, plan) = planned(&app, site.clone(), config).await?;
    if heads != base {
        let message = "the configuration was changed since it was planned: plan again";
        return Err(Fault::new(StatusCode::CONFLICT, "moved", message));
    }
    let now = clock::now();
    let (editor, of, writes) = (Arc::clone(&app), site.clone(), plan.writes.clone());
    let note = json!({ "apply": { "base": base } }).to_string();
    let edited = app.db.read(move |conn| editor.documents.restore(conn, &of, &writes, &note, now)).await;
    let detail = json!({ "site": site, "fields": plan.differences.len(), "heads": heads });
    let kept = keep(&app, who, site, edited.map_err(fault)?, ("config.apply", detail), now).await?;
    Ok(Json(Applied { kept, applied: told(heads, plan) }))
}
