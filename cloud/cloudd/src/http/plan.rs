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
use model::{SiteId, config::Config};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    body::Body,
    configuration::{fault, keep},
    fault::Fault,
    site_of,
};
use crate::{app::App, clock};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    config: Config,
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
) -> Result<Json<Value>, Fault> {
    let (heads, plan) = planned(&app, site_of(&site)?, config).await?;
    Ok(Json(told(&heads, &plan)))
}

fn told(base: &str, plan: &config::Plan) -> Value {
    json!({ "base": base, "differences": plan.differences, "findings": plan.findings, "stays": plan.stays })
}

#[derive(Deserialize)]
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
) -> Result<Json<Value>, Fault> {
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
    let mut answer = keep(&app, who, site, edited.map_err(fault)?, ("config.apply", detail), now).await?;
    answer["applied"] = told(&heads, &plan);
    Ok(Json(answer))
}
