//! Who did what, newest first, and whether the chain still holds.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
};
use db::audit::{self, Verdict};
use model::Millis;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fault::Fault;
use crate::app::App;

const PAGE: u32 = 200;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditPage)]
pub struct Page {
    entries: Vec<Entry>,
    /// Where the chain does not hold; null: it does.
    broken_at: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry {
    seq: i64,
    at: Millis,
    who: String,
    what: String,
    detail: Value,
}

/// `?before=SEQ` for the page after the one that ended with `SEQ`.
pub async fn audit(
    State(app): State<Arc<App>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Page>, Fault> {
    let before = match query.get("before") {
        None => i64::MAX,
        Some(text) => text.parse().map_err(|_| Fault::bad_request("before is not a whole number"))?,
    };
    let read =
        move |conn: &db::Connection| Ok::<_, db::Error>((audit::page(conn, before, PAGE)?, audit::verify(conn)?));
    let (entries, verdict) = app.db.read(read).await?;
    let entries: Vec<Entry> = entries
        .into_iter()
        .map(|entry| {
            let detail: Value = serde_json::from_str(&entry.detail).unwrap_or(Value::Null);
            Entry { seq: entry.seq, at: entry.at, who: entry.who, what: entry.what, detail }
        })
        .collect();
    let broken_at = match verdict {
        Verdict::Whole { .. } => None,
        Verdict::Broken { seq } => Some(seq),
    };
    Ok(Json(Page { entries, broken_at }))
}
