//! What people at the centre must see soon, from all sites; and that they have.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{notice::Kept, session::Who};
use model::{Millis, NoticeId, SiteId, config::Config, leaving::What};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{fault::Fault, site_of};
use crate::{app::App, clock};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NoticeLine)]
pub struct Line {
    site: SiteId,
    site_label: Option<String>,
    notice: NoticeId,
    at: Millis,
    received: Millis,
    what: What,
    /// Somebody has to look.
    alarm: bool,
    place: Option<String>,
    trunk: Option<String>,
    seen_by: Option<String>,
    seen: Option<Millis>,
}

/// How long a notice is shown.
const SHOWN_MS: i64 = 7 * 24 * 3_600_000;

/// The last week's, the youngest first.
pub async fn recent(State(app): State<Arc<App>>, Extension(who): Extension<Who>) -> Result<Json<Vec<Line>>, Fault> {
    let since = Millis(clock::now().0.saturating_sub(SHOWN_MS));
    let reader = Arc::clone(&app);
    let (kept, configs) = app
        .db
        .read(move |conn| {
            let mut kept = db::notice::since(conn, since)?;
            kept.retain(|one| who.scope.holds(&one.site));
            let mut configs: BTreeMap<SiteId, Config> = BTreeMap::new();
            for one in &kept {
                if !configs.contains_key(&one.site)
                    && let Some(effective) = reader.documents.effective(conn, &one.site)?
                {
                    configs.insert(one.site.clone(), effective.config.clone());
                }
            }
            Ok::<_, db::Error>((kept, configs))
        })
        .await?;
    Ok(Json(kept.iter().map(|one| line(one, configs.get(&one.site))).collect()))
}

/// The names of places and trunks are the cloud's own: a box sends their ids.
fn line(kept: &Kept, config: Option<&Config>) -> Line {
    let notice = &kept.notice;
    let place = notice.place.as_ref();
    let known = config.zip(place).and_then(|(config, place)| config.places.get(place));
    let trunk = notice.trunk.as_ref();
    let line = config.zip(trunk).and_then(|(config, trunk)| config.trunks.get(trunk));
    Line {
        site: kept.site.clone(),
        site_label: config.map(|config| config.site.label.clone()),
        notice: notice.notice,
        at: notice.at,
        received: kept.received,
        what: notice.what,
        alarm: notice.what.is_alarm(),
        place: known.map(|known| known.label.clone()).or_else(|| place.map(ToString::to_string)),
        trunk: line.map(|line| line.label.clone()).or_else(|| trunk.map(ToString::to_string)),
        seen_by: kept.seen.as_ref().map(|(by, _)| by.clone()),
        seen: kept.seen.as_ref().map(|(_, at)| *at),
    }
}

pub async fn see(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path((site, notice)): Path<(String, String)>,
) -> Result<StatusCode, Fault> {
    let site = site_of(&site)?;
    let notice: NoticeId = notice.parse().map_err(|_| Fault::not_found("notice"))?;
    let (of, now) = (site.clone(), clock::now());
    let known = app
        .db
        .write(move |conn| {
            let known = db::notice::see(conn, &of, notice, &who.login, now)?;
            if known {
                let detail = json!({ "site": of, "notice": notice });
                db::audit::add(conn, &who.login, "notice.see", &detail, now)?;
            }
            Ok(known)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    app.hints.touch(&site);
    if known { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::not_found("notice")) }
}
