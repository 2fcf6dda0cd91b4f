//! The auditor's page: what left this box, in plain words, and who has witnessed it.

use axum::{
    Json,
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use model::Millis;
use serde::Deserialize;

use crate::{Desk, EgressLine, EgressPage, EgressSums, door::Supervisor, fault::Refusal};

const LINES_MAX: u32 = 200;

#[derive(Deserialize)]
pub struct Span {
    /// ms since 1970.
    from: i64,
    until: i64,
}

#[derive(Deserialize)]
pub struct Page {
    from: i64,
    until: i64,
    before: Option<u64>,
}

pub async fn sums(
    State(desk): State<Desk>,
    Supervisor(_): Supervisor,
    Query(Span { from, until }): Query<Span>,
) -> Result<Json<EgressSums>, Refusal> {
    Ok(Json(desk.egress.sums(Millis(from), Millis(until)).await?))
}

pub async fn lines(
    State(desk): State<Desk>,
    Supervisor(_): Supervisor,
    Query(Page { from, until, before }): Query<Page>,
) -> Result<Json<Vec<EgressLine>>, Refusal> {
    let page = EgressPage { from: Millis(from), until: Millis(until), before, limit: LINES_MAX };
    Ok(Json(desk.egress.lines(page).await?))
}

/// The file that `deploy/verify/egress.py` checks.
pub async fn export(State(desk): State<Desk>, Supervisor(_): Supervisor) -> Result<Response, Refusal> {
    let pieces = desk.egress.export().await?;
    let pieces = stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), pieces))
    });
    let head = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"egress.jsonl\""),
    ];
    Ok((head, Body::from_stream(pieces)).into_response())
}
