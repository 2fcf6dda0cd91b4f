//! A code with which one box joins a site.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use db::session::Who;
use model::Millis;
use serde::Serialize;
use utoipa::ToSchema;

use super::{fault::Fault, site_of};
use crate::{app::App, enrol};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnrolmentCode)]
pub struct Code {
    code: String,
    expires: Millis,
}

pub async fn issue(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
) -> Result<Json<Code>, Fault> {
    let site = site_of(&site)?;
    let issued = enrol::issue(&app.db, &app.settings, app.ca_sha256, &site, &who.login).await?;
    let issued = issued.ok_or_else(|| Fault::not_found("site"))?;
    Ok(Json(Code { code: issued.code.to_string(), expires: issued.expires }))
}
