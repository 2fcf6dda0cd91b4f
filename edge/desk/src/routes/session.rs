//! Sign-in and sign-out. A sign-in opens the page; going ready on the floor is a command of its own.

use std::{net::IpAddr, time::Instant};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use model::AgentId;

use crate::{
    Desk, Role, api,
    door::{self, Source},
    fault::Refusal,
    session::Session,
    view,
};

pub async fn begin(
    State(desk): State<Desk>,
    Source(source): Source,
    body: Result<Json<api::SignIn>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(sign_in) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let agent = AgentId::new(&sign_in.agent).map_err(|_| Refusal::BadCredentials)?;
    let role = prove(&desk, source, &agent, sign_in.password).await?;
    let token = desk.sessions.begin(Instant::now(), agent, role);
    let session = desk.sessions.find(Instant::now(), &token).ok_or(Refusal::SignedOut)?;
    tracing::info!(?role, "signed in at the desk");
    Ok(([(header::SET_COOKIE, door::cookie(&desk, &token))], Json(view::me(&desk, &session))).into_response())
}

async fn prove(desk: &Desk, source: IpAddr, agent: &AgentId, password: String) -> Result<Role, Refusal> {
    let throttle = || desk.throttle.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    throttle().attempt(Instant::now(), source, agent).map_err(|wait| {
        tracing::warn!(%source, "sign-in throttled");
        Refusal::TooManyAttempts { retry_after_s: wait.as_secs().saturating_add(1) }
    })?;
    let role = desk.credentials.verify(agent.clone(), password).await?;
    let Some(role) = role else {
        tracing::info!(%source, "sign-in refused");
        return Err(Refusal::BadCredentials);
    };
    throttle().succeeded(Instant::now(), source, agent);
    Ok(role)
}

pub async fn end(State(desk): State<Desk>, session: Session) -> Response {
    desk.sessions.end(session.key);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, door::no_cookie(&desk))]).into_response()
}

pub async fn me(State(desk): State<Desk>, session: Session) -> Json<api::Me> {
    Json(view::me(&desk, &session))
}
