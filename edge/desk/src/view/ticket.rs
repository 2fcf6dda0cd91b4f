//! Tickets as one reader sees them.

use std::collections::BTreeMap;

use model::{
    CategoryId,
    ticket::{State, Ticketed},
};

use super::Reader;
use crate::{
    Role, api,
    ports::{self, TicketReader},
};

const STATES: [State; 5] = [State::Open, State::WaitsForUs, State::WaitsForCustomer, State::Solved, State::Closed];

pub fn tickets(found: ports::TicketList, categories: BTreeMap<CategoryId, String>) -> api::Tickets {
    let ports::TicketList { tickets, now, more } = found;
    api::Tickets { tickets: tickets.into_iter().map(row).collect(), categories, now, more }
}

fn row(row: ports::TicketRow) -> api::TicketRow {
    api::TicketRow {
        ticket: row.ticket,
        subject: row.subject,
        first_answer_due: row.due.first_answer,
        resolution_due: row.due.resolution,
    }
}

pub fn ticket(
    shown: ports::TicketShown,
    categories: BTreeMap<CategoryId, String>,
    reader: &Reader<'_>,
) -> api::TicketShown {
    let from = shown.row.ticket.state;
    api::TicketShown {
        row: row(shown.row),
        entries: shown.entries.into_iter().map(line).collect(),
        links: shown.contacts.into_iter().map(|one| contact(one, reader)).collect(),
        categories,
        moves: STATES.into_iter().filter(|to| ticket::may_move(from, *to)).collect(),
        now: shown.now,
    }
}

fn line(line: ports::TicketLine) -> api::TicketLine {
    let ports::TicketLine { at, by, what, text } = line;
    api::TicketLine { at, by, what, text }
}

/// Whoever works on the ticket must know whom to call.
fn contact(one: ports::TicketContact, reader: &Reader<'_>) -> api::TicketContact {
    let cdr = one.cdr.as_ref();
    let agent = cdr.and_then(|cdr| cdr.agent.clone());
    api::TicketContact {
        contact: one.contact,
        arrived: cdr.map(|cdr| cdr.arrived),
        direction: cdr.map(|cdr| cdr.direction),
        recording: cdr.and_then(|cdr| cdr.recording).filter(|_| reader.may_see(agent.as_ref())),
        agent,
        caller: one.caller.map(|caller| api::Caller { number: caller.number, name: caller.name }),
    }
}

/// None: it is not for this reader's eyes.
pub fn ticket_news(news: &ports::TicketNews, reader: &TicketReader) -> Option<api::TicketNews> {
    if !reader.may_see(news.queue.as_ref(), news.assignee.as_ref(), &news.opened_by) {
        return None;
    }
    let own = news.assignee.as_ref() == Some(&reader.agent);
    let by_self = news.by.as_ref() == Some(&reader.agent);
    // What nobody has is everybody's; a broken promise is the supervisor's too.
    let warned = own || news.assignee.is_none();
    let alarm = news.told.iter().rev().find_map(|told| match told {
        Ticketed::Assigned { agent: Some(agent), .. } if *agent == reader.agent && !by_self => {
            Some(api::TicketAlarm::Assigned)
        }
        Ticketed::Warned { promise } if warned => Some(api::TicketAlarm::Warned { promise: *promise }),
        Ticketed::Breached { promise } if warned || reader.role == Role::Supervisor => {
            Some(api::TicketAlarm::Breached { promise: *promise })
        }
        _ => None,
    });
    Some(api::TicketNews { ticket: Some(news.ticket), number: news.number, alarm })
}
