//! Where calls to one's own phone go. A supervisor sets anybody's with the branch's settings.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use model::{Extension, change::Change, forward::Forward};

use crate::{Desk, api, fault::Refusal, session::Session};

pub async fn show(State(desk): State<Desk>, session: Session) -> Result<Json<api::OwnForward>, Refusal> {
    let phone = own(&desk, &session)?;
    let effective = desk.floor.effective().borrow().clone();
    let forward = effective.config.phones.get(&phone).map(|is| is.forward.clone()).unwrap_or_default();
    Ok(Json(api::OwnForward { phone, forward }))
}

pub async fn set(
    State(desk): State<Desk>,
    session: Session,
    body: Result<Json<Forward>, JsonRejection>,
) -> Result<Json<api::OwnForward>, Refusal> {
    let Json(forward) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let phone = own(&desk, &session)?;
    let change = Change::PhoneForward { phone: phone.clone(), forward: forward.clone() };
    desk.floor.change(session.agent.clone(), vec![change]).await?;
    Ok(Json(api::OwnForward { phone, forward }))
}

fn own(desk: &Desk, session: &Session) -> Result<Extension, Refusal> {
    let effective = desk.floor.effective().borrow().clone();
    let phone = effective.config.agents.get(&session.agent).and_then(|agent| agent.phone.clone());
    phone.filter(|phone| effective.config.phones.contains_key(phone)).ok_or(Refusal::NoPhone)
}
