//! The page's own telephone: an account for this session, and the WebSocket that its SIP goes over.

use axum::{
    Json,
    extract::{State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use crate::{
    Desk, LendError, api,
    door::{self, Peer},
    fault::Refusal,
    session::Session,
    softphone,
};

/// An earlier page of this session has its account no more.
pub async fn lend(State(desk): State<Desk>, session: Session) -> Result<Json<api::Phone>, Refusal> {
    let lent = desk.softphones.lend(session.agent.clone()).await;
    let account = lent.map_err(|error| match error {
        LendError::NoPhone => Refusal::NoPhone,
        LendError::Unavailable(gone) => Refusal::Unavailable(gone),
    })?;
    softphone::keep(&desk, session, &account);
    let crate::Account { extension, name, password, domain } = account;
    Ok(Json(api::Phone { extension, name, password, domain }))
}

pub async fn give_back(State(desk): State<Desk>, session: Session) -> StatusCode {
    softphone::end(&desk, session.key);
    StatusCode::NO_CONTENT
}

/// RFC 7118 §4: the subprotocol is `sip`.
pub async fn speak(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Peer(peer): Peer,
    session: Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    if !door::origin_allowed(&desk, &headers) {
        return Err(Refusal::ForeignOrigin);
    }
    let turn = desk.loans.turn(session.key).ok_or(Refusal::NoAccount)?;
    let line = desk.softphones.connect(peer).ok_or(Refusal::TooManySockets)?;
    let upgrade = upgrade.protocols(["sip"]);
    let upgrade = upgrade.max_message_size(softphone::MESSAGE_LEN_MAX).max_frame_size(softphone::MESSAGE_LEN_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let why = softphone::carry(&desk, &session, socket, line, turn).await;
        tracing::debug!(agent = %session.agent, why, "a page's telephone line ended");
    }))
}
