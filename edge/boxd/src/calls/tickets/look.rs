//! Tickets as a desk lists and shows them.

use desk::{TicketContact, TicketLine, TicketList, TicketRow, TicketShown, TicketsWanted};
use ledger::{KeptTicket, Reader};
use model::{ContactId, Millis, TicketId, config::Config, ticket::Terms};
use ticket::{Rules, Ticket};

use super::calendar;
use crate::calls::desk_ports::caller;

/// Tickets of one customer that a card shows.
const OF_CUSTOMER_MAX: usize = 20;

pub fn list(
    reader: &Reader,
    config: &Config,
    wanted: &TicketsWanted,
    now: Millis,
) -> Result<TicketList, ledger::Error> {
    let terms = reader.ticket_terms()?.unwrap_or_default();
    let fits = |ticket: &Ticket| {
        wanted.reader.sees(ticket)
            && wanted.state.is_none_or(|state| ticket.state == state)
            && wanted.priority.is_none_or(|priority| ticket.priority == priority)
            && wanted.queue.as_ref().is_none_or(|queue| ticket.queue.as_ref() == Some(queue))
            && wanted.assignee.as_ref().is_none_or(|agent| ticket.assignee.as_ref() == Some(agent))
            && wanted.category.as_ref().is_none_or(|category| ticket.category.as_ref() == Some(category))
    };
    let (mut kept, more) = match wanted.text.as_deref().filter(|_| wanted.before.is_none()).and_then(digits) {
        // Of a number, whatever state they are in.
        Some(digits) => (by_number(reader, config, &digits, wanted.limit)?, false),
        None => (Vec::new(), false),
    };
    kept.retain(|kept| fits(&kept.ticket));
    let asked = ledger::TicketsWanted {
        closed: wanted.closed,
        before: wanted.before,
        text: wanted.text.clone(),
        limit: wanted.limit,
    };
    let (found, older) = reader.tickets(&asked, fits)?;
    for one in found {
        if kept.iter().all(|kept| kept.ticket.ticket != one.ticket.ticket) {
            kept.push(one);
        }
    }
    let tickets = kept.into_iter().map(|kept| row(kept, &terms, config)).collect();
    Ok(TicketList { tickets, now, more: more || older })
}

/// Something that is a number: a ticket's, as people write it (`#1042`), or a customer's.
fn digits(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.' | '#')).collect();
    let digits = text.strip_prefix('+').unwrap_or(&text);
    (!digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

fn by_number(reader: &Reader, config: &Config, text: &str, limit: usize) -> Result<Vec<KeptTicket>, ledger::Error> {
    let mut found: Vec<KeptTicket> = Vec::new();
    if let Ok(number) = text.parse() {
        found.extend(reader.ticket_number(number)?);
    }
    if let Some(customer) = call::numbers::customer(&config.site.dialling, text) {
        found.extend(reader.tickets_of_number(&customer, limit)?);
    }
    Ok(found)
}

pub fn shown(
    reader: &Reader,
    config: &Config,
    ticket: TicketId,
    now: Millis,
) -> Result<Option<TicketShown>, ledger::Error> {
    let Some(kept) = reader.ticket(ticket)? else { return Ok(None) };
    let terms = reader.ticket_terms()?.unwrap_or_default();
    let line = |entry: &ledger::TicketEntry| TicketLine {
        at: entry.at,
        by: entry.by.clone(),
        what: entry.what.clone(),
        text: entry.text.clone(),
    };
    let entries = reader.ticket_entries(ticket)?.iter().map(line).collect();
    let contact = |contact: &ContactId| {
        Ok(TicketContact { contact: *contact, cdr: reader.cdr(*contact)?, caller: caller(reader, *contact)? })
    };
    let contacts = kept.ticket.contacts.iter().map(contact).collect::<Result<_, ledger::Error>>()?;
    Ok(Some(TicketShown { row: row(kept, &terms, config), entries, contacts, now }))
}

pub fn of_contact(
    reader: &Reader,
    config: &Config,
    contact: ContactId,
    now: Millis,
) -> Result<TicketList, ledger::Error> {
    let terms = reader.ticket_terms()?.unwrap_or_default();
    let found = reader.tickets_of(contact, OF_CUSTOMER_MAX)?;
    let tickets = found.into_iter().map(|kept| row(kept, &terms, config)).collect();
    Ok(TicketList { tickets, now, more: false })
}

fn row(kept: KeptTicket, terms: &Terms, config: &Config) -> TicketRow {
    let calendar = calendar(terms, config, kept.ticket.queue.as_ref());
    let due = ticket::due(&kept.ticket, Rules { terms, calendar: &calendar });
    TicketRow { ticket: kept.ticket, subject: kept.subject, due }
}
