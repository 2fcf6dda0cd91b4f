//! The telephones of the house, for supervisors: which there are, where they are registered, what they fetched.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
};
use model::Extension;

use crate::{Desk, Device, PhoneError, api, door::Supervisor, fault::Refusal, view};

pub async fn list(State(desk): State<Desk>, Supervisor(_): Supervisor) -> Result<Json<api::Phones>, Refusal> {
    let mut found = desk.phones.all().await?;
    let effective = desk.floor.effective().borrow().clone();
    let agents: BTreeMap<_, _> = effective
        .config
        .agents
        .values()
        .filter_map(|agent| Some((agent.phone.clone()?, agent.badge.clone())))
        .collect();
    let known = effective.config.phones.iter();
    let phones = known.map(|(extension, phone)| {
        let is = found.remove(extension).unwrap_or_default();
        view::phone(extension, phone, agents.get(extension).cloned(), is)
    });
    Ok(Json(api::Phones { phones: phones.collect() }))
}

pub async fn enrol(
    State(desk): State<Desk>,
    Supervisor(session): Supervisor,
    Path(phone): Path<String>,
    body: Result<Json<api::Enrol>, JsonRejection>,
) -> Result<Json<api::EnrolledAt>, Refusal> {
    let Json(api::Enrol { mac, make, window_min }) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let phone = known(&desk, &phone)?;
    let device = Device { mac, make, window_min };
    let url = desk.phones.enrol(session.agent.clone(), phone, device).await.map_err(refusal)?;
    Ok(Json(api::EnrolledAt { url }))
}

pub async fn rotate(
    State(desk): State<Desk>,
    Supervisor(_): Supervisor,
    Path(phone): Path<String>,
) -> Result<StatusCode, Refusal> {
    let phone = known(&desk, &phone)?;
    desk.phones.rotate(phone).await.map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn dismiss(
    State(desk): State<Desk>,
    Supervisor(session): Supervisor,
    Path(phone): Path<String>,
) -> Result<StatusCode, Refusal> {
    let phone = known(&desk, &phone)?;
    desk.phones.dismiss(session.agent.clone(), phone).await.map_err(refusal)?;
    Ok(StatusCode::NO_CONTENT)
}

fn known(desk: &Desk, phone: &str) -> Result<Extension, Refusal> {
    let phone = Extension::new(phone).map_err(|_| Refusal::NotFound)?;
    let effective = desk.floor.effective().borrow().clone();
    if effective.config.phones.contains_key(&phone) { Ok(phone) } else { Err(Refusal::NotFound) }
}

fn refusal(error: PhoneError) -> Refusal {
    match error {
        PhoneError::NoProvisioning => Refusal::NoProvisioning,
        PhoneError::Refused(why) => Refusal::BadRequest(why),
        PhoneError::Unavailable(gone) => Refusal::Unavailable(gone),
    }
}
