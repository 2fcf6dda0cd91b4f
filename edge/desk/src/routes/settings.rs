//! The settings of the branch: what runs, what the resolver found, and edits of the branch's own document.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use model::history::{Decision, Report};

use crate::{ChangeRefused, Desk, Fault, api, door::Supervisor, fault::Refusal, view};

/// Edits in one request.
pub const CHANGES_MAX: usize = 100;

pub async fn show(State(desk): State<Desk>, Supervisor(_): Supervisor) -> Json<api::Settings> {
    let effective = desk.floor.effective().borrow().clone();
    Json(view::settings(&effective))
}

pub async fn change(
    State(desk): State<Desk>,
    Supervisor(session): Supervisor,
    body: Result<Json<api::Changes>, JsonRejection>,
) -> Result<Json<api::Settings>, Refusal> {
    let Json(api::Changes { changes }) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    if changes.is_empty() || changes.len() > CHANGES_MAX {
        let message = format!("1 to {CHANGES_MAX} changes at once, not {}", changes.len());
        let index = changes.len().min(CHANGES_MAX);
        return Err(ChangeRefused { index, code: "count".into(), message, fault: Fault::Request }.into());
    }
    let effective = desk.floor.change(session.agent.clone(), changes).await?;
    Ok(Json(view::settings(&effective)))
}

/// Longest path that is decided of, in bytes.
const PATH_MAX: usize = 200;

pub async fn merge_report(State(desk): State<Desk>, Supervisor(_): Supervisor) -> Result<Json<Report>, Refusal> {
    Ok(Json(desk.records.merge_report().await?))
}

pub async fn decide(
    State(desk): State<Desk>,
    Supervisor(session): Supervisor,
    body: Result<Json<Decision>, JsonRejection>,
) -> Result<Json<api::Settings>, Refusal> {
    let Json(decision) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let (Decision::Take { path, .. } | Decision::FollowPlan { path }) = &decision;
    if path.len() > PATH_MAX {
        return Err(Refusal::BadRequest("the path is too long".into()));
    }
    let effective = desk.floor.decide(session.agent.clone(), decision).await?;
    Ok(Json(view::settings(&effective)))
}
