//! The house's own chat: between two, among a queue's agents, and between an agent and the supervisors.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use model::chat::Room;
use serde::Deserialize;

use crate::{
    Desk, Role, api,
    fault::Refusal,
    ports::ChatReader,
    routes::{card, tickets},
    session::Session,
    view,
};

/// Messages of one answer.
pub const LIMIT: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    before: Option<u64>,
}

pub async fn rooms(State(desk): State<Desk>, session: Session) -> Result<Json<api::ChatRooms>, Refusal> {
    let reader = reader(&desk, &session);
    let effective = desk.floor.effective().borrow().clone();
    let queues = match reader.role {
        Role::Supervisor => effective.config.queues.keys().cloned().collect(),
        Role::Agent => reader.queues.clone(),
    };
    let rooms = desk.chat.rooms(reader).await?;
    Ok(Json(api::ChatRooms { rooms: rooms.into_iter().map(view::chat_room).collect(), queues }))
}

pub async fn messages(
    State(desk): State<Desk>,
    session: Session,
    Path(room): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<api::ChatMessages>, Refusal> {
    let Query(wanted) = wanted.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let room = entered(&desk, &session, &room)?;
    let found = desk.chat.messages(room, wanted.before, LIMIT).await?;
    let more = found.len() >= LIMIT;
    Ok(Json(api::ChatMessages { messages: found.iter().map(view::chat_message).collect(), more }))
}

pub async fn say(
    State(desk): State<Desk>,
    session: Session,
    Path(room): Path<String>,
    body: Result<Json<api::ChatSay>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(wanted) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let room = entered(&desk, &session, &room)?;
    let text = card::plain(&wanted.text, api::CHAT_CHARS_MAX)?;
    if text.trim().is_empty() {
        return Err(Refusal::BadRequest("a message says something".into()));
    }
    somebody_reads(&desk, &session, &room).await?;
    desk.chat.say(session.agent.clone(), room, text).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn read(
    State(desk): State<Desk>,
    session: Session,
    Path(room): Path<String>,
    body: Result<Json<api::ChatRead>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(wanted) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let room = entered(&desk, &session, &room)?;
    desk.chat.read(session.agent.clone(), room, wanted.n).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub fn reader(desk: &Desk, session: &Session) -> ChatReader {
    let reader = tickets::reader(desk, session);
    ChatReader { agent: reader.agent, role: reader.role, queues: reader.queues }
}

/// Who may not enter learns nothing of the room.
fn entered(desk: &Desk, session: &Session, room: &str) -> Result<Room, Refusal> {
    let room = room.parse::<Room>().map_err(|_| Refusal::NotFound)?;
    reader(desk, session).may(&room).then_some(room).ok_or(Refusal::NotFound)
}

/// A room has a reader beside who writes: somebody on the floor, or somebody who has written there.
async fn somebody_reads(desk: &Desk, session: &Session, room: &Room) -> Result<(), Refusal> {
    let effective = desk.floor.effective().borrow().clone();
    let works_here = |agent| effective.config.agents.contains_key(agent);
    let known = match room {
        Room::Two(one, other) => works_here(if *one == session.agent { other } else { one }),
        Room::Queue(queue) => effective.config.queues.contains_key(queue),
        Room::Supervisors(of) => *of == session.agent || works_here(of),
    };
    if known || !desk.chat.messages(room.clone(), None, 1).await?.is_empty() {
        return Ok(());
    }
    Err(Refusal::NotFound)
}
