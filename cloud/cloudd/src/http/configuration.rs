//! A site's configuration: what it amounts to, now or at another moment, and typed edits of it.

use std::{collections::BTreeMap, sync::Arc};

use ::config::Effective;
use axum::{
    Extension, Json,
    extract::{Path, Query, State},
};
use db::session::Who;
use model::{
    Millis, SiteId,
    change::{Change, Doc, Finding},
    config::Config,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{body::Body, fault::Fault, site_of};
use crate::{
    app::App,
    clock,
    documents::{Edited, Refused},
    overview,
};

/// Most edits of one request.
pub const CHANGES_MAX: usize = 500;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConfigKnown)]
pub struct Known {
    config: Config,
    findings: Vec<Finding>,
    /// Names the state of the documents.
    heads: String,
    /// A box of the site has not yet confirmed that it has all there is.
    pending: bool,
}

/// What a site runs by once it has what was written.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConfigKept)]
pub struct Kept {
    pub heads: String,
    pub findings: Vec<Finding>,
}

/// `?at=MILLISECONDS` for what the centre knew at that moment.
pub async fn read(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Known>, Fault> {
    let site = site_of(&site)?;
    let at = moment(&query, "at")?;
    let reader = Arc::clone(&app);
    let found = app
        .db
        .read(move |conn| {
            let effective = match at {
                None => reader.documents.effective(conn, &site)?,
                Some(at) => reader.documents.at(conn, &site, at)?.map(|then| Arc::new(::config::effective(&then))),
            };
            let Some(effective) = effective else { return Ok(None) };
            Ok::<_, db::Error>(Some((effective, overview::pending(conn, &site)?)))
        })
        .await?;
    let (effective, pending) = found.ok_or_else(|| Fault::not_found("site"))?;
    let Effective { config, findings, heads, .. } = Effective::clone(&effective);
    Ok(Json(Known { config, findings, heads, pending }))
}

/// Milliseconds since 1970.
pub(super) fn moment(query: &BTreeMap<String, String>, name: &str) -> Result<Option<Millis>, Fault> {
    let parsed = query.get(name).map(|text| text.parse().map(Millis)).transpose();
    parsed.map_err(|_| Fault::bad_request(format!("{name} is not a time in milliseconds")))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ConfigEdit)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    doc: Doc,
    #[schema(value_type = Vec<Change>)]
    changes: Vec<Value>,
}

pub async fn change(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Edit { doc, changes }): Body<Edit>,
) -> Result<Json<Kept>, Fault> {
    let site = site_of(&site)?;
    if doc == Doc::Org {
        return Err(Fault::invalid("the organisation's document is not edited through one site"));
    }
    let changes = parse(changes)?;
    let now = clock::now();
    let _turn = app.documents.turn.lock().await;
    let (editor, of) = (Arc::clone(&app), site.clone());
    let edited =
        app.db.read(move |conn| editor.documents.edit(conn, (&of, doc), &changes, now)).await.map_err(fault)?;
    let detail = json!({ "site": site, "doc": doc, "changes": edited.count(), "heads": edited.effective.heads });
    keep(&app, who, site, edited, ("config.change", detail), now).await.map(Json)
}

/// Stores edits with a line of the audit, tells the boxes, and answers with what the site runs by once it has them.
/// The caller holds the turn.
pub(super) async fn keep(
    app: &App,
    who: Who,
    site: SiteId,
    edited: Edited,
    (verb, detail): (&'static str, Value),
    now: Millis,
) -> Result<Kept, Fault> {
    let (effective, docs) = (Arc::clone(&edited.effective), edited.docs());
    if edited.count() > 0 {
        app.db
            .write(move |conn| {
                edited.store(conn, &who.login, now)?;
                db::audit::add(conn, &who.login, verb, &detail, now)
            })
            .await
            .map_err(|error: db::Error| Fault::from(error))?;
        docs.into_iter().for_each(|doc| app.edited(&site, doc));
    }
    Ok(Kept { heads: effective.heads.clone(), findings: effective.findings.clone() })
}

/// Each by itself, so that a fault says which one it is in.
pub(super) fn parse(changes: Vec<Value>) -> Result<Vec<Change>, Fault> {
    if changes.len() > CHANGES_MAX {
        return Err(Fault::invalid(format!("more than {CHANGES_MAX} changes at once")));
    }
    let parsed = changes.into_iter().enumerate().map(|(index, change)| match serde_json::from_value(change) {
        // Only there it is checked, and told of in the audit.
        Ok(Change::SiteDrill { .. }) => {
            Err(Fault::invalid("an outage drill is ordered by itself, site by site").at(index))
        }
        Ok(change) => Ok(change),
        Err(error) => Err(Fault::invalid(error.to_string()).at(index)),
    });
    parsed.collect()
}

pub(super) fn fault(refused: Refused) -> Fault {
    match refused {
        Refused::NoSite => Fault::not_found("site"),
        Refused::Change { index, error } => Fault::invalid(error.to_string()).at(index),
        Refused::Db(error) => error.into(),
    }
}
