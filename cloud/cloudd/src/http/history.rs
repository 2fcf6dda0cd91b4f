//! What was written into a site's configuration, by whom and when; how it was at another moment; taking a change back; and
//! what became of edits that centre and branch made apart.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
};
use config::{Histories, is_under};
use db::{change::Of, session::Who};
use model::{
    Millis, SiteId,
    change::Doc,
    history::{Blame, Decision, Difference, Entry, Report, Undone},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    body::Body,
    configuration::{Kept, fault, keep, moment},
    fault::Fault,
    site_of,
};
use crate::{app::App, clock, documents::Fields};

/// Changes in one answer.
const PAGE: usize = 100;
const PATH_LEN_MAX: usize = 200;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryPage)]
pub struct Page {
    entries: Vec<Line>,
    more: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryLine)]
struct Line {
    #[serde(flatten)]
    entry: Entry,
    /// What was asked for, where it is known: a typed change, or an undo.
    change: Value,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryDiff)]
pub struct Diff {
    from: Millis,
    to: Millis,
    differences: Vec<Difference>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TakenBack {
    #[serde(flatten)]
    kept: Kept,
    undone: Undone,
}

async fn histories(app: &Arc<App>, site: SiteId) -> Result<Histories, Fault> {
    let reader = Arc::clone(app);
    let found = app.db.read(move |conn| reader.documents.histories(conn, &site)).await;
    found.map_err(|error: db::Error| Fault::from(error))?.ok_or_else(|| Fault::not_found("site"))
}

fn under(query: &BTreeMap<String, String>) -> Result<&str, Fault> {
    let under = query.get("under").map_or("", String::as_str);
    if under.len() <= PATH_LEN_MAX { Ok(under) } else { Err(Fault::bad_request("under is too long")) }
}

/// Newest first; `?under=queues/sales` for one thing or field, `?skip=100` for the page after the first.
pub async fn list(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Page>, Fault> {
    let (site, under) = (site_of(&site)?, under(&query)?.to_owned());
    let skip: usize = match query.get("skip") {
        None => 0,
        Some(text) => text.parse().map_err(|_| Fault::bad_request("skip is not a whole number"))?,
    };
    let of = histories(&app, site.clone()).await?;
    let mut entries: Vec<Entry> = of
        .all()
        .into_iter()
        .flat_map(|history| history.entries().filter(|entry| under.is_empty() || history.wrote(entry.by.seq, &under)))
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.by.taken, entry.by.doc, entry.by.seq)));
    let more = entries.len() > skip.saturating_add(PAGE);
    let mut entries: Vec<Entry> = entries.into_iter().skip(skip).take(PAGE).collect();
    for entry in entries.iter_mut().filter(|_| !under.is_empty()) {
        entry.fields.retain(|field| is_under(&field.path, &under));
    }
    let places: Vec<(Doc, i64)> =
        entries.iter().map(|entry| (entry.by.doc, i64::try_from(entry.by.seq).unwrap_or(i64::MAX))).collect();
    let notes = app
        .db
        .read(move |conn| {
            let note = |(doc, seq): (Doc, i64)| db::change::note(conn, Of { site: &site, doc }, seq);
            places.into_iter().map(note).collect::<db::Result<Vec<String>>>()
        })
        .await?;
    let lines = entries.into_iter().zip(notes);
    let lines = lines.map(|(entry, note)| Line { entry, change: serde_json::from_str(&note).unwrap_or(Value::Null) });
    Ok(Json(Page { entries: lines.collect(), more }))
}

/// Who said last what each field under `?under=` is.
pub async fn blame(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Vec<Blame>>, Fault> {
    let (site, under) = (site_of(&site)?, under(&query)?);
    Ok(Json(histories(&app, site).await?.blame(under)))
}

/// The fields that differ between two moments, `?from=` and `?to=` in milliseconds; without the second, until now.
pub async fn diff(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Diff>, Fault> {
    let site = site_of(&site)?;
    let from = moment(&query, "from")?.ok_or_else(|| Fault::bad_request("from is missing"))?;
    let to = moment(&query, "to")?.unwrap_or_else(clock::now);
    let reader = Arc::clone(&app);
    let read = move |conn: &db::Connection| {
        let (before, after) = (reader.documents.at(conn, &site, from)?, reader.documents.at(conn, &site, to)?);
        Ok::<_, db::Error>(before.zip(after))
    };
    let (before, after) = app.db.read(read).await?.ok_or_else(|| Fault::not_found("site"))?;
    Ok(Json(Diff { from, to, differences: config::differences(&before, &after) }))
}

/// A change of a document.
#[derive(Deserialize, ToSchema)]
#[schema(as = NamedChange)]
#[serde(deny_unknown_fields)]
pub struct Named {
    doc: Doc,
    seq: u64,
}

/// What stood before it stands again, as an edit like any other; what somebody wrote since is left, and told.
pub async fn undo(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(Named { doc, seq }): Body<Named>,
) -> Result<Json<TakenBack>, Fault> {
    let site = site_of(&site)?;
    own(doc)?;
    let _turn = app.documents.turn.lock().await;
    let undo = histories(&app, site.clone()).await?.of(doc).undo(seq);
    let mut undo = undo.ok_or_else(|| Fault::not_found("change"))?;
    undo.back.retain(|(path, _)| path != config::DRILL_PATH);
    let undone = Undone { restored: undo.back.iter().map(|(path, _)| path.clone()).collect(), left: undo.left };
    let note = json!({ "undo": { "doc": doc, "seq": seq } });
    let audit = ("config.undo", json!({ "site": site, "doc": doc, "seq": seq, "fields": undone.restored.len() }));
    let kept = restore(&app, who, site, vec![(doc, undo.back)], &note, audit).await?;
    Ok(Json(TakenBack { kept, undone }))
}

pub async fn report(State(app): State<Arc<App>>, Path(site): Path<String>) -> Result<Json<Report>, Fault> {
    Ok(Json(config::report(&histories(&app, site_of(&site)?).await?)))
}

pub async fn decide(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(site): Path<String>,
    Body(decision): Body<Decision>,
) -> Result<Json<Kept>, Fault> {
    let site = site_of(&site)?;
    let _turn = app.documents.turn.lock().await;
    let (path, value) = match decision {
        Decision::FollowPlan { path } => (path, None),
        Decision::Take { path, seq } => {
            let word = histories(&app, site.clone()).await?.word(&path, seq);
            (path, word.ok_or_else(|| Fault::not_found("word of that change at that path"))?)
        }
    };
    let note = json!({ "decide": { "path": path } });
    let audit = ("config.decide", json!({ "site": site, "path": path }));
    restore(&app, who, site, vec![(Doc::Local, vec![(path, value)])], &note, audit).await.map(Json)
}

async fn restore(
    app: &Arc<App>,
    who: Who,
    site: SiteId,
    fields: Vec<(Doc, Fields)>,
    note: &Value,
    audit: (&'static str, Value),
) -> Result<Kept, Fault> {
    let now = clock::now();
    let (editor, of, note) = (Arc::clone(app), site.clone(), note.to_string());
    let edited = app.db.read(move |conn| editor.documents.restore(conn, &of, &fields, &note, now)).await;
    keep(app, who, site, edited.map_err(fault)?, audit, now).await
}

fn own(doc: Doc) -> Result<(), Fault> {
    let message = "the organisation's document is not edited through one site";
    if doc == Doc::Org { Err(Fault::invalid(message)) } else { Ok(()) }
}
