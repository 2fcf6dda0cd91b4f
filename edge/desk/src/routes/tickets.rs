//! Tickets: found, shown, opened, and worked on. An agent sees what is the own, and what waits for the own queues.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use model::{
    AgentId, CategoryId, ContactId, Millis, QueueId, TicketId,
    config::Config,
    ticket::{Priority, State as TicketState, Terms},
};
use serde::Deserialize;
use ticket::Act;

use crate::{
    Desk, api,
    door::Supervisor,
    fault::Refusal,
    ports::{TicketActed, TicketOpened, TicketReader, TicketShown, TicketsWanted},
    routes::card,
    session::Session,
    view,
};

/// Lines of one answer.
pub const LIMIT_MAX: usize = 200;
const LIMIT_USUAL: usize = 100;
/// Characters of what is looked for.
const TEXT_CHARS_MAX: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    state: Option<TicketState>,
    queue: Option<QueueId>,
    assignee: Option<AgentId>,
    priority: Option<Priority>,
    category: Option<CategoryId>,
    text: Option<String>,
    #[serde(default)]
    closed: bool,
    before: Option<i64>,
    limit: Option<usize>,
}

pub async fn list(
    State(desk): State<Desk>,
    session: Session,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<api::Tickets>, Refusal> {
    let Query(wanted) = wanted.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let text = wanted.text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
        return Err(Refusal::BadRequest(format!("at most {TEXT_CHARS_MAX} characters are looked for")));
    }
    let wanted = TicketsWanted {
        reader: reader(&desk, &session),
        closed: wanted.closed || wanted.state == Some(TicketState::Closed),
        state: wanted.state,
        queue: wanted.queue,
        assignee: wanted.assignee,
        priority: wanted.priority,
        category: wanted.category,
        text,
        before: wanted.before.map(Millis),
        limit: wanted.limit.unwrap_or(LIMIT_USUAL).clamp(1, LIMIT_MAX),
    };
    let found = desk.tickets.list(wanted).await?;
    Ok(Json(view::tickets(found, desk.tickets.terms().await?.categories)))
}

/// Of the customer of a contact that the reader may see.
pub async fn of_contact(
    State(desk): State<Desk>,
    session: Session,
    Path(contact): Path<String>,
) -> Result<Json<api::Tickets>, Refusal> {
    let contact = contact.parse::<ContactId>().map_err(|_| Refusal::NotFound)?;
    card::open(&desk, &session, contact).await?;
    // Whoever serves the customer must know what is under way for them, whoever has it.
    let found = desk.tickets.of_contact(contact).await?;
    Ok(Json(view::tickets(found, desk.tickets.terms().await?.categories)))
}

pub async fn open(
    State(desk): State<Desk>,
    session: Session,
    body: Result<Json<api::OpenTicket>, JsonRejection>,
) -> Result<Json<api::TicketMade>, Refusal> {
    let Json(wanted) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let effective = desk.floor.effective().borrow().clone();
    known(&effective.config, &session, wanted.assignee.as_ref(), wanted.queue.as_ref())?;
    if let Some(contact) = wanted.contact {
        card::open(&desk, &session, contact).await?;
    }
    let opened = TicketOpened {
        by: session.agent.clone(),
        subject: subject(&wanted.subject)?,
        text: card::plain(&wanted.text, api::COMMENT_CHARS_MAX)?,
        queue: wanted.queue,
        assignee: wanted.assignee,
        priority: wanted.priority,
        category: wanted.category,
        contact: wanted.contact,
    };
    let ticket = desk.tickets.open(opened).await?;
    Ok(Json(api::TicketMade { ticket }))
}

pub async fn show(
    State(desk): State<Desk>,
    session: Session,
    Path(ticket): Path<String>,
) -> Result<Json<api::TicketShown>, Refusal> {
    let shown = seen(&desk, &session, &ticket).await?;
    told(&desk, &session, shown).await
}

pub async fn act(
    State(desk): State<Desk>,
    session: Session,
    Path(ticket): Path<String>,
    body: Result<Json<api::ActOnTicket>, JsonRejection>,
) -> Result<Json<api::TicketShown>, Refusal> {
    let Json(wanted) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    if wanted.acts.is_empty() || wanted.acts.len() > api::ACTS_MAX {
        return Err(Refusal::BadRequest(format!("1 to {} acts at once", api::ACTS_MAX)));
    }
    let id = seen(&desk, &session, &ticket).await?.row.ticket.ticket;
    let mut acted = TicketActed {
        by: session.agent.clone(),
        ticket: id,
        base: wanted.base,
        acts: Vec::new(),
        comment: None,
        subject: None,
    };
    for one in wanted.acts {
        let act = taken(&desk, &session, one, &mut acted).await?;
        acted.acts.push(act);
    }
    desk.tickets.act(acted).await?;
    // Whoever gave it away has done so, and sees it no more.
    let shown = desk.tickets.ticket(id).await?.ok_or(Refusal::NotFound)?;
    told(&desk, &session, shown).await
}

/// What somebody asks for, checked; its words go aside.
async fn taken(
    desk: &Desk,
    session: &Session,
    wanted: api::TicketAct,
    acted: &mut TicketActed,
) -> Result<Act, Refusal> {
    Ok(match wanted {
        api::TicketAct::Move { to } => Act::Move { to },
        api::TicketAct::Assign { agent, queue } => {
            let effective = desk.floor.effective().borrow().clone();
            known(&effective.config, session, agent.as_ref(), queue.as_ref())?;
            Act::Assign { agent, queue }
        }
        api::TicketAct::Rate { priority } => Act::Rate { priority },
        api::TicketAct::Sort { category } => Act::Sort { category },
        api::TicketAct::Link { contact } => {
            card::open(desk, session, contact).await?;
            Act::Link { contact }
        }
        api::TicketAct::Comment { said, text } => {
            let text = card::plain(&text, api::COMMENT_CHARS_MAX)?;
            if text.trim().is_empty() || acted.comment.replace(text).is_some() {
                return Err(Refusal::BadRequest("one comment at once, with something in it".into()));
            }
            Act::Comment { said }
        }
        api::TicketAct::Rename { subject: text } => {
            if acted.subject.replace(subject(&text)?).is_some() {
                return Err(Refusal::BadRequest("one subject at once".into()));
            }
            Act::Rename
        }
    })
}

pub async fn terms(State(desk): State<Desk>, _: Session) -> Result<Json<Terms>, Refusal> {
    Ok(Json(desk.tickets.terms().await?))
}

pub async fn set_terms(
    State(desk): State<Desk>,
    Supervisor(session): Supervisor,
    body: Result<Json<Terms>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(terms) = body.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    let effective = desk.floor.effective().borrow().clone();
    let faults = ticket::terms::check(&terms, &effective.config);
    if !faults.is_empty() {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return Err(Refusal::BadTerms(faults.join("; ")));
    }
    desk.tickets.set_terms(session.agent.clone(), terms).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ticket, for whom may see it. Who may not learns not even whether it exists.
async fn seen(desk: &Desk, session: &Session, ticket: &str) -> Result<TicketShown, Refusal> {
    let ticket = ticket.parse::<TicketId>().map_err(|_| Refusal::NotFound)?;
    let shown = desk.tickets.ticket(ticket).await?.ok_or(Refusal::NotFound)?;
    reader(desk, session).sees(&shown.row.ticket).then_some(shown).ok_or(Refusal::NotFound)
}

async fn told(desk: &Desk, session: &Session, shown: TicketShown) -> Result<Json<api::TicketShown>, Refusal> {
    let categories = desk.tickets.terms().await?.categories;
    Ok(Json(view::ticket(shown, categories, &session.reader())))
}

pub fn reader(desk: &Desk, session: &Session) -> TicketReader {
    let effective = desk.floor.effective().borrow().clone();
    let queues = effective.config.agents.get(&session.agent).map(|agent| agent.queues.clone()).unwrap_or_default();
    TicketReader { agent: session.agent.clone(), role: session.role, queues }
}

/// A ticket goes to somebody who works here, and to a queue that is there.
fn known(config: &Config, session: &Session, agent: Option<&AgentId>, queue: Option<&QueueId>) -> Result<(), Refusal> {
    let works_here = |agent: &AgentId| config.agents.contains_key(agent) || *agent == session.agent;
    if !agent.is_none_or(works_here) {
        return Err(Refusal::BadRequest("no such agent at this site".into()));
    }
    if !queue.is_none_or(|queue| config.queues.contains_key(queue)) {
        return Err(Refusal::BadRequest("no such queue at this site".into()));
    }
    Ok(())
}

fn subject(written: &str) -> Result<String, Refusal> {
    let text = card::plain(written, api::SUBJECT_CHARS_MAX)?.replace(['\n', '\t'], " ");
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::BadRequest("a ticket says what it is about".into()));
    }
    Ok(text.to_owned())
}
