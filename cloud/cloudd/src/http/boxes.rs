//! The boxes of all sites: how each stands, and an end to one that was lost.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{boxes::Device, egress::Seen, health::Latest, session::Who};
use model::{BoxId, Millis, SiteId, leaving::Health};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::fault::Fault;
use crate::{app::App, clock, hub::Presence, links};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BoxLine)]
pub struct Line {
    #[serde(rename = "box")]
    box_id: BoxId,
    site: SiteId,
    enrolled: Millis,
    certificate_until: Option<Millis>,
    revoked: Option<Millis>,
    linked: bool,
    linked_since: Option<Millis>,
    /// Outbox rows it has and we do not: known of a linked box alone.
    behind: Option<u64>,
    skew_ms: Option<i64>,
    media: Option<bool>,
    software: Option<String>,
    health: Option<Health>,
    egress: Option<Witnessed>,
}

/// How far its list of what left was witnessed here, and how often it has said two things about the same lines.
#[derive(Debug, Serialize, ToSchema)]
struct Witnessed {
    line: i64,
    at: Millis,
    disputed: i64,
}

pub async fn all(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Vec<Line>>, Fault> {
    let read = move |conn: &db::Connection| {
        let mut found = Vec::new();
        let mut seen: BTreeMap<BoxId, Seen> =
            db::egress::seen(conn)?.into_iter().map(|seen| (seen.box_id, seen)).collect();
        for site in db::site::all(conn)?.into_iter().filter(|site| who.scope.holds(site)) {
            let mut healths: BTreeMap<BoxId, Latest> =
                db::health::of_site(conn, &site)?.into_iter().map(|latest| (latest.box_id, latest)).collect();
            let devices = db::boxes::of_site(conn, &site)?.into_iter();
            found.extend(devices.map(|device| {
                let (latest, seen) = (healths.remove(&device.id), seen.remove(&device.id));
                (device, latest, seen)
            }));
        }
        Ok::<_, db::Error>(found)
    };
    let found = app.db.read(read).await?;
    let present: BTreeMap<BoxId, Presence> =
        app.presence().into_iter().map(|presence| (presence.box_id, presence)).collect();
    let lines = found
        .iter()
        .map(|(device, latest, seen)| line(device, latest.as_ref(), seen.as_ref(), present.get(&device.id)));
    Ok(Json(lines.collect()))
}

fn line(device: &Device, latest: Option<&Latest>, seen: Option<&Seen>, presence: Option<&Presence>) -> Line {
    let said = presence.map(|presence| (presence.since, presence.software));
    Line {
        box_id: device.id,
        site: device.site.clone(),
        enrolled: device.enrolled,
        certificate_until: device.not_after,
        revoked: device.revoked,
        linked: presence.is_some(),
        linked_since: presence.map(|presence| presence.since),
        behind: presence.map(|presence| presence.behind),
        skew_ms: presence.map(|presence| presence.skew_ms),
        media: presence.map(|presence| presence.media),
        software: links::software(said, latest.map(|latest| &latest.health)),
        health: latest.map(|latest| latest.health.clone()),
        egress: seen.map(|seen| Witnessed { line: seen.line, at: seen.at, disputed: seen.disputed }),
    }
}

/// Refuses the box from then on. It stays in the list, so that nobody wonders where it went.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Result<StatusCode, Fault> {
    let id: BoxId = id.parse().map_err(|_| Fault::not_found("box"))?;
    let now = clock::now();
    let device = app
        .db
        .write(move |conn| {
            let device = db::boxes::one(conn, id)?.filter(|device| who.scope.holds(&device.site));
            if device.is_some() && db::boxes::revoke(conn, id, now)? {
                db::audit::add(conn, &who.login, "box.revoke", &json!({ "box": id }), now)?;
            }
            Ok(device)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    let device = device.ok_or_else(|| Fault::not_found("box"))?;
    app.revoked(id, &device.site);
    Ok(StatusCode::NO_CONTENT)
}
