//! Past contacts, newest first: an agent's own, or all of the site for a supervisor.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use model::Millis;
use serde::Deserialize;

use crate::{ContactPage, Desk, Role, api, fault::Refusal, session::Session, view};

/// Lines of one answer.
pub const LIMIT_MAX: u32 = 200;
const LIMIT_USUAL: u32 = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    limit: Option<u32>,
    before: Option<i64>,
}

pub async fn list(
    State(desk): State<Desk>,
    session: Session,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<api::Contacts>, Refusal> {
    let Query(wanted) = wanted.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let of = match session.role {
        Role::Supervisor => None,
        Role::Agent => Some(session.agent.clone()),
    };
    let limit = wanted.limit.unwrap_or(LIMIT_USUAL).clamp(1, LIMIT_MAX);
    let page = ContactPage { of, before: wanted.before.map(Millis), limit };
    let rows = desk.records.contacts(page).await?;
    let reader = session.reader();
    let more = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
    let dispositions = desk.floor.effective().borrow().config.site.dispositions.clone();
    let contacts = rows.into_iter().map(|row| view::contact(row, &reader)).collect();
    Ok(Json(api::Contacts { contacts, dispositions, more }))
}
