//! A code with which one box joins a site.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use db::session::Who;
use serde_json::{Value, json};

use super::{fault::Fault, site_of};
use crate::{app::App, enrol};

pub async fn issue(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
) -> Result<Json<Value>, Fault> {
    let site = site_of(&site)?;
    let issued = enrol::issue(&app.db, &app.settings, app.ca_sha256, &site, &who.login).await?;
    let issued = issued.ok_or_else(|| Fault::not_found("site"))?;
    Ok(Json(json!({ "code": issued.code.to_string(), "expires": issued.expires })))
}
