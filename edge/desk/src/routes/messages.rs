//! Messages that callers left: for agents of the queue, and for supervisors.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Path, State},
};
use floor::board::{Ask, DeskCommand, Refused};
use model::{QueueId, RecordingId};

use crate::{CommandError, Desk, Role, api, fault::Refusal, session::Session, view};

pub async fn list(State(desk): State<Desk>, session: Session) -> Result<Json<api::Messages>, Refusal> {
    let rows = desk.records.messages(own_queues(&desk, &session)).await?;
    Ok(Json(api::Messages { messages: rows.into_iter().map(view::message).collect() }))
}

/// Answered when the fact is durable. Who is second hears that somebody was before.
pub async fn done(
    State(desk): State<Desk>,
    session: Session,
    Path(recording): Path<RecordingId>,
) -> Result<Json<api::Messages>, Refusal> {
    let row = desk.records.message_of(recording).await?.filter(|row| may_hear(&desk, &session, &row.queue));
    row.ok_or(Refusal::NotFound)?;
    let ask = Ask::MessageDone { recording };
    let command = DeskCommand { agent: session.agent.clone(), ask };
    match desk.floor.command(command).await {
        Err(CommandError::Refused(Refused::NoMessage)) => return Err(Refusal::AlreadyDone),
        Err(CommandError::Refused(_)) => return Err(Refusal::Forbidden),
        Err(CommandError::Unavailable(unavailable)) => return Err(unavailable.into()),
        Ok(()) => {}
    }
    list(State(desk), session).await
}

/// Is the queue this person's?
pub fn may_hear(desk: &Desk, session: &Session, queue: &QueueId) -> bool {
    own_queues(desk, session).is_none_or(|own| own.contains(queue))
}

/// None: all.
fn own_queues(desk: &Desk, session: &Session) -> Option<BTreeSet<QueueId>> {
    let effective = desk.floor.effective().borrow().clone();
    let own = || effective.config.agents.get(&session.agent).map(|agent| agent.queues.clone()).unwrap_or_default();
    (session.role != Role::Supervisor).then(own)
}
