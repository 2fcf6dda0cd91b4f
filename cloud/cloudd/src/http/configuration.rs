//! A site's configuration: what it amounts to, typed edits of it, and who edited what.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
};
use db::{change::Of, session::Who};
use model::change::{Change, Doc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body::Body, fault::Fault, site_of};
use crate::{app::App, clock, documents::Refused, overview};

/// Most edits of one request.
pub const CHANGES_MAX: usize = 500;
const HISTORY_MAX: u32 = 200;

pub async fn read(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Json<Value>, Fault> {
    let site = site_of(&site)?;
    let reader = Arc::clone(&app);
    let found = app
        .db
        .read(move |conn| {
            let Some(effective) = reader.documents.effective(conn, &site)? else { return Ok(None) };
            Ok::<_, db::Error>(Some((effective, overview::pending(conn, &site)?)))
        })
        .await?;
    let (effective, pending) = found.ok_or_else(|| Fault::not_found("site"))?;
    Ok(Json(json!({
        "config": effective.config,
        "findings": effective.findings,
        "heads": effective.heads,
        "pending": pending,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    doc: Doc,
    changes: Vec<Value>,
}

pub async fn change(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Edit { doc, changes }): Body<Edit>,
) -> Result<Json<Value>, Fault> {
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
    let effective = Arc::clone(&edited.effective);
    if edited.count() > 0 {
        let detail = json!({ "site": site, "doc": doc, "changes": edited.count(), "heads": effective.heads });
        app.db
            .write(move |conn| {
                edited.store(conn, &who.login, now)?;
                db::audit::add(conn, &who.login, "config.change", &detail, now)
            })
            .await
            .map_err(|error: db::Error| Fault::from(error))?;
        app.edited(&site, doc);
    }
    Ok(Json(json!({ "heads": effective.heads, "findings": effective.findings })))
}

/// Each by itself, so that a fault says which one it is in.
fn parse(changes: Vec<Value>) -> Result<Vec<Change>, Fault> {
    if changes.len() > CHANGES_MAX {
        return Err(Fault::invalid(format!("more than {CHANGES_MAX} changes at once")));
    }
    let parsed = changes.into_iter().enumerate().map(|(index, change)| {
        serde_json::from_value(change).map_err(|error| Fault::invalid(error.to_string()).at(index))
    });
    parsed.collect()
}

fn fault(refused: Refused) -> Fault {
    match refused {
        Refused::NoSite => Fault::not_found("site"),
        Refused::Change { index, error } => Fault::invalid(error.to_string()).at(index),
        Refused::Db(error) => error.into(),
    }
}

/// Newest first. What the branch edited is known as a change of its own; what was edited is known of the centre's.
pub async fn history(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Value>, Fault> {
    let site = site_of(&site)?;
    let doc = match query.get("doc").map(String::as_str) {
        None | Some("site") => Doc::Site,
        Some("local") => Doc::Local,
        Some("org") => Doc::Org,
        Some(_) => return Err(Fault::bad_request("doc is none of site, local, org")),
    };
    let entries = app
        .db
        .read(move |conn| {
            if !db::site::exists(conn, &site)? {
                return Ok(None);
            }
            db::change::history(conn, Of { site: &site, doc }, HISTORY_MAX).map(Some)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    let entries = entries.ok_or_else(|| Fault::not_found("site"))?;
    let entries = entries.into_iter().map(|entry| {
        let change: Value = serde_json::from_str(&entry.signed.note).unwrap_or(Value::Null);
        json!({ "seq": entry.seq, "at": entry.signed.at, "author": entry.signed.author, "change": change })
    });
    Ok(Json(entries.collect()))
}
