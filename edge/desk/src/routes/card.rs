//! The contact card: who has or had the contact sees it, with the customer's history on this box, and writes a note on it.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use model::{ContactId, QueueId};

use crate::{
    Desk, Role, api,
    fault::Refusal,
    ports::{Known, NoteWritten},
    routes::contacts,
    session::Session,
    view,
};

pub async fn show(
    State(desk): State<Desk>,
    session: Session,
    Path(contact): Path<String>,
) -> Result<Json<api::Card>, Refusal> {
    let contact = contact.parse::<ContactId>().map_err(|_| Refusal::NotFound)?;
    let (queue, known) = open(&desk, &session, contact).await?;
    let effective = desk.floor.effective().borrow().clone();
    Ok(Json(view::card(&effective.config, contact, queue.as_ref(), known, &session.reader())))
}

pub async fn write(
    State(desk): State<Desk>,
    session: Session,
    Path(contact): Path<String>,
    body: Result<Json<api::WriteNote>, JsonRejection>,
) -> Result<Json<api::NoteKept>, Refusal> {
    let Json(wanted) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let contact = contact.parse::<ContactId>().map_err(|_| Refusal::NotFound)?;
    let text = plain(&wanted.text, api::NOTE_CHARS_MAX)?;
    open(&desk, &session, contact).await?;
    let has = session.reader().has(&desk.floor.board().borrow().board, contact).is_some();
    let later = (!has).then(|| contacts::reach(session.role));
    let written = NoteWritten { contact, by: session.agent.clone(), text, base: wanted.base, later };
    let version = desk.records.write_note(written).await?;
    Ok(Json(api::NoteKept { version }))
}

/// The contact's queue, and what is known of it. Who may not see it learns not even whether it exists. Who has it at this
/// moment has it also while the box's memory cannot be read.
pub async fn open(
    desk: &Desk,
    session: &Session,
    contact: ContactId,
) -> Result<(Option<QueueId>, Option<Known>), Refusal> {
    let reader = session.reader();
    let board = desk.floor.board().borrow().clone();
    let has = reader.has(&board.board, contact);
    let known = match (desk.records.known(contact).await, &has) {
        (Ok(known), _) => known,
        (Err(_), Some(_)) => None,
        (Err(unavailable), None) => return Err(unavailable.into()),
    };
    if let Some(queue) = has {
        return Ok((queue, known));
    }
    let may = |known: &Known| session.role == Role::Supervisor || known.handled_by.contains(&session.agent);
    let known = known.filter(may).ok_or(Refusal::NotFound)?;
    Ok((known.queue.clone(), Some(known)))
}

/// Lines and tabs stay; other control characters say nothing to a reader.
pub fn plain(written: &str, chars_max: usize) -> Result<String, Refusal> {
    let text = written.replace("\r\n", "\n");
    if text.chars().count() > chars_max {
        return Err(Refusal::BadRequest(format!("a text has at most {chars_max} characters here")));
    }
    Ok(text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect())
}
