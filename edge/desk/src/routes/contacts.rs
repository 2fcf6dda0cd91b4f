//! Past contacts, newest first: an agent's own, or all of the site for a supervisor. What came of one can be said anew.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use floor::{
    board::Refused,
    correcting::{Correction, OWN_WITHIN, Reach},
};
use model::{ContactId, Millis, fact::Disposition};
use serde::Deserialize;

use crate::{CommandError, ContactPage, Desk, Role, api, fault::Refusal, session::Session, view};

/// Lines of one answer.
pub const LIMIT_MAX: u32 = 200;
const LIMIT_USUAL: u32 = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    limit: Option<u32>,
    before: Option<i64>,
    disposition: Option<String>,
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
    let disposition = wanted.disposition.as_deref().map(said).transpose()?;
    let page = ContactPage { of, disposition, before: wanted.before.map(Millis), limit };
    let rows = desk.records.contacts(page).await?;
    let reader = session.reader();
    let more = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
    let dispositions = desk.floor.effective().borrow().config.site.dispositions.clone();
    let contacts = rows.into_iter().map(|row| view::contact(row, &reader)).collect();
    let correct_within_ms = match reach(session.role) {
        Reach::Own => Some(u64::try_from(OWN_WITHIN.as_millis()).unwrap_or(u64::MAX)),
        Reach::Any => None,
    };
    Ok(Json(api::Contacts { contacts, dispositions, correct_within_ms, more }))
}

fn said(wanted: &str) -> Result<Disposition, Refusal> {
    match wanted {
        "none_chosen" => Ok(Disposition::NoneChosen),
        code => match code.parse() {
            Ok(code) => Ok(Disposition::Code(code)),
            Err(_) => Err(Refusal::BadRequest("no such disposition".into())),
        },
    }
}

pub async fn correct(
    State(desk): State<Desk>,
    session: Session,
    Path(contact): Path<String>,
    body: Result<Json<api::Correct>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(wanted) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let contact = contact.parse::<ContactId>().map_err(|_| Refusal::NotFound)?;
    let (by, reach) = (session.agent.clone(), reach(session.role));
    let correction = Correction { by, contact, disposition: wanted.disposition, reach };
    match desk.floor.correct(correction).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(CommandError::Refused(Refused::TooLate)) => Err(Refusal::TooLate),
        Err(CommandError::Refused(Refused::WrongState)) => Err(Refusal::GoesOn),
        Err(CommandError::Refused(Refused::UnknownDisposition)) => Err(Refusal::UnknownDisposition),
        Err(CommandError::Refused(_)) => Err(Refusal::NotFound),
        Err(CommandError::Unavailable(unavailable)) => Err(unavailable.into()),
    }
}

/// Whose contacts a person of this role may speak of when they are over.
pub fn reach(role: Role) -> Reach {
    match role {
        Role::Supervisor => Reach::Any,
        Role::Agent => Reach::Own,
    }
}
