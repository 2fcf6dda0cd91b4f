//! Firmware bundles: which there are, and which of them a site is offered. The files are put here by `cloudd bundle`.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{bundle, session::Who};
use model::{Millis, SiteId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{body::Body, fault::Fault, site_of};
use crate::{app::App, clock};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BundleLine)]
pub struct Line {
    name: String,
    version: String,
    sha256: String,
    size: u64,
    added: Millis,
    offered_to: Vec<SiteId>,
}

pub async fn all(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Vec<Line>>, Fault> {
    let read = |conn: &db::Connection| Ok::<_, db::Error>((bundle::all(conn)?, bundle::offers(conn)?));
    let (bundles, offers) = app.db.read(read).await?;
    let lines = bundles.into_iter().map(|(bundle, added)| {
        let to = offers
            .iter()
            .filter(|(site, sha256)| *sha256 == bundle.sha256 && who.scope.holds(site))
            .map(|(site, _)| site.clone());
        let offered_to = to.collect();
        let bundle::Bundle { name, version, sha256, size } = bundle;
        Line { name, version, sha256, size, added, offered_to }
    });
    Ok(Json(lines.collect()))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = BundleOffer)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    sha256: String,
}

/// In place of whatever the site was offered before. The hub hears of it where it looks for offers (`watch`).
pub async fn offer(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Offer { sha256 }): Body<Offer>,
) -> Result<StatusCode, Fault> {
    let site = site_of(&site)?;
    let (to, now) = (site.clone(), clock::now());
    let missing = app
        .db
        .write(move |conn| {
            if !db::site::exists(conn, &to)? {
                return Ok(Some("site"));
            }
            let Some(bundle) = bundle::one(conn, &sha256)? else { return Ok(Some("bundle")) };
            bundle::offer(conn, &bundle, &to, now)?;
            let detail = json!({ "site": to, "bundle": bundle.name, "sha256": bundle.sha256 });
            db::audit::add(conn, &who.login, "bundle.offer", &detail, now)?;
            Ok(None)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if let Some(what) = missing {
        return Err(Fault::not_found(what));
    }
    app.hints.touch(&site);
    Ok(StatusCode::NO_CONTENT)
}
