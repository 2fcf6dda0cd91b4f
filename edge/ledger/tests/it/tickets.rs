//! Tickets in the ledger: who is second gets a conflict and loses nothing, words go with the contact, and what stands is
//! there after a restart.

use std::fs;

use ledger::{
    Batch, Error, Ledger, Personal, TICKET_TEXT_LEN_MAX, TICKETS_MAX, TicketEntry, TicketWrite, TicketsWanted,
};
use model::{
    AgentId, ContactId, Millis, TicketId,
    ticket::{Clock, Priority, Said, State, Terms, Ticket, Ticketed},
};

use crate::support::{Place, arrived};

fn agent(name: &str) -> AgentId {
    AgentId::new(name).unwrap()
}

fn ticket(id: u128, version: u64, contacts: &[u128]) -> Ticket {
    let clock = Clock { budget_ms: 1, spent_ms: 0, since: None, warned: false, breached: None, done: None };
    Ticket {
        ticket: TicketId(id),
        number: 0,
        version,
        state: State::Open,
        priority: Priority::Normal,
        category: None,
        queue: None,
        assignee: Some(agent("li")),
        contacts: contacts.iter().copied().map(ContactId).collect(),
        opened: Millis(1),
        opened_by: agent("li"),
        changed: Millis(i64::try_from(id).unwrap() * 100 + i64::try_from(version).unwrap()),
        first_answer: clock,
        resolution: clock,
        solved: None,
    }
}

fn comment(by: &str, text: &str) -> TicketEntry {
    let what = Ticketed::Commented { said: Said::Inside };
    TicketEntry { at: Millis(5), by: Some(agent(by)), what, text: Some(text.into()) }
}

fn opened(id: u128, contacts: &[u128], subject: &str) -> TicketWrite {
    let ticket = ticket(id, 1, contacts);
    let entries = vec![comment("li", "Broken when it came")];
    TicketWrite { ticket, base: 0, next: None, subject: Some(subject.into()), entries }
}

fn write(ledger: &Ledger, write: TicketWrite) -> Result<(), Error> {
    ledger.writer().submit(Batch { tickets: vec![write], ..Batch::default() }).wait().map(drop)
}

fn said(ledger: &Ledger, id: u128) -> Vec<Option<String>> {
    let entries = ledger.reader().unwrap().ticket_entries(TicketId(id)).unwrap();
    entries.iter().map(|entry| entry.text.clone()).collect()
}

fn texts(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}

#[test]
fn who_is_second_gets_a_conflict_and_nothing_is_lost() {
    let place = Place::new();
    let ledger = place.open();
    write(&ledger, opened(1, &[7], "The blue one")).unwrap();
    let change = |by: &str, text: &str| TicketWrite {
        ticket: ticket(1, 2, &[7]),
        base: 1,
        next: Some(Millis(9)),
        subject: None,
        entries: vec![comment(by, text)],
    };
    // Both have read the first version; they write at once.
    let writer = ledger.writer();
    let [first, second] = [("li", "I call"), ("wang", "I write")]
        .map(|(by, text)| writer.submit(Batch { tickets: vec![change(by, text)], ..Batch::default() }));
    assert!(first.wait().is_ok());
    assert_eq!(second.wait().map(drop), Err(Error::TicketChanged { version: 2 }));
    assert_eq!(said(&ledger, 1), texts(&["Broken when it came", "I call"]));
    let again = TicketWrite { ticket: ticket(1, 3, &[7]), base: 2, ..change("wang", "I write") };
    write(&ledger, again).unwrap();
    assert_eq!(said(&ledger, 1), texts(&["Broken when it came", "I call", "I write"]));
    let due = ledger.reader().unwrap().tickets_due(Millis(9), 10).unwrap();
    assert_eq!(due.iter().map(|kept| kept.ticket.version).collect::<Vec<_>>(), [3]);
    // Planned anew without being changed.
    let planned = TicketWrite { ticket: ticket(1, 3, &[7]), base: 3, entries: Vec::new(), next: None, subject: None };
    write(&ledger, planned).unwrap();
    assert_eq!(ledger.reader().unwrap().tickets_due(Millis(9), 10).unwrap(), []);
}

#[test]
fn tickets_are_numbered_and_stand_after_a_power_cut() {
    let place = Place::new();
    let ledger = place.open();
    for id in 1..=3 {
        write(&ledger, opened(id, &[], "The blue one")).unwrap();
    }
    let terms = Terms { warn_percent: 60, ..Terms::default() };
    ledger.writer().submit(Batch { ticket_terms: Some(terms.clone()), ..Batch::default() }).wait().unwrap();
    // The files as they are at the moment of the acknowledgement.
    let other = Place::new();
    for file in fs::read_dir(place.dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), other.dir.path().join(file.file_name())).unwrap();
    }
    let reader = other.open().reader().unwrap();
    let (found, more) = reader.tickets(&TicketsWanted { limit: 2, ..Default::default() }, |_| true).unwrap();
    let numbers: Vec<_> = found.iter().map(|kept| (kept.ticket.number, kept.subject.as_deref())).collect();
    assert_eq!((numbers, more), (vec![(3, Some("The blue one")), (2, Some("The blue one"))], true));
    assert_eq!(reader.ticket_number(2).unwrap().map(|kept| kept.ticket.ticket), Some(TicketId(2)));
    assert_eq!(reader.ticket_terms().unwrap(), Some(terms));
}

#[test]
fn tickets_are_found_by_words_state_and_customer() {
    let place = Place::new();
    let ledger = place.open();
    let person = |number: &str| {
        let customer = Some(number.to_owned());
        Personal { caller: None, name: None, dialled: None, customer, shown: Vec::new() }
    };
    let personal = [(7, "8613800001111"), (8, "8613800001111"), (9, "8613800002222")]
        .map(|(contact, number)| (ContactId(contact), person(number)));
    let facts = [7, 8, 9].map(|contact| arrived(contact, 0)).into();
    ledger.writer().submit(Batch { facts, personal: personal.into(), ..Batch::default() }).wait().unwrap();
    write(&ledger, opened(1, &[7], "Wants the BLUE one, 语言")).unwrap();
    write(&ledger, opened(2, &[9], "Wants the red one")).unwrap();
    let closed = Ticket { state: State::Closed, ..ticket(2, 2, &[9]) };
    write(&ledger, TicketWrite { ticket: closed, base: 1, next: None, subject: None, entries: vec![] }).unwrap();
    let reader = ledger.reader().unwrap();
    let found = |closed, text: Option<&str>| {
        let wanted = TicketsWanted { closed, text: text.map(str::to_owned), limit: 9, before: None };
        let (found, _) = reader.tickets(&wanted, |_| true).unwrap();
        found.iter().map(|kept| kept.ticket.ticket.0).collect::<Vec<_>>()
    };
    assert_eq!((found(false, None), found(true, None)), (vec![1], vec![2, 1]));
    assert_eq!(
        (found(true, Some("blue")), found(true, Some("语")), found(true, Some("green"))),
        (vec![1], vec![1], vec![])
    );
    let ids = |found: Vec<ledger::KeptTicket>| found.iter().map(|kept| kept.ticket.ticket.0).collect::<Vec<_>>();
    assert_eq!(ids(reader.tickets_of(ContactId(8), 9).unwrap()), [1], "by another visit of the customer");
    assert_eq!(ids(reader.tickets_of_number("8613800002222", 9).unwrap()), [2]);
    assert_eq!(ids(reader.tickets_of(ContactId(99), 9).unwrap()), [] as [u128; 0]);
}

#[test]
fn erasing_a_contact_takes_the_words_of_its_tickets_and_nobody_else_s() {
    let place = Place::new();
    let ledger = place.open();
    write(&ledger, opened(1, &[7, 8], "Ms Zhang wants it on Friday")).unwrap();
    write(&ledger, opened(2, &[9], "Mr Wu wants it on Monday")).unwrap();
    let sealed: Vec<Vec<u8>> = {
        let db = rusqlite::Connection::open(&place.path).unwrap();
        let mut select = db.prepare("SELECT sealed FROM ticket_entries ORDER BY ticket").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    ledger.writer().submit(Batch { erase: vec![ContactId(8)], ..Batch::default() }).wait().unwrap();
    assert_eq!((said(&ledger, 1), said(&ledger, 2)), (vec![None], texts(&["Broken when it came"])));
    let reader = ledger.reader().unwrap();
    let subject = |id| reader.ticket(TicketId(id)).unwrap().unwrap().subject;
    assert_eq!((subject(1), subject(2).as_deref()), (None, Some("Mr Wu wants it on Monday")));
    let files = |needle: &[u8]| {
        let mut files = fs::read_dir(place.dir.path()).unwrap();
        files.any(|file| fs::read(file.unwrap().path()).unwrap().windows(needle.len()).any(|w| w == needle))
    };
    assert!(!files(&sealed[0]) && files(&sealed[1]) && !files(b"Monday"));
    // It goes on without words, and takes none any more.
    let moved = |entries| TicketWrite { ticket: ticket(1, 2, &[7, 8]), base: 1, next: None, subject: None, entries };
    assert_eq!(write(&ledger, moved(vec![comment("li", "late")])), Err(Error::Erased));
    write(&ledger, moved(Vec::new())).unwrap();
}

#[test]
fn there_is_an_end_to_texts_and_to_tickets() {
    let place = Place::new();
    let ledger = place.open();
    let len = TICKET_TEXT_LEN_MAX + 1;
    assert_eq!(
        write(&ledger, opened(1, &[], &"x".repeat(len))),
        Err(Error::TooLarge { what: "bytes of a ticket's text", len, max: TICKET_TEXT_LEN_MAX })
    );
    write(&ledger, opened(1, &[], &"x".repeat(TICKET_TEXT_LEN_MAX))).unwrap();
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO tickets (ticket, number, version, active, changed, json) SELECT randomblob(16), i, 1, 1, i, '' FROM n",
        [i64::try_from(TICKETS_MAX).unwrap()],
    )
    .unwrap();
    let what = "tickets that are not closed";
    let full = Err(Error::TooLarge { what, len: TICKETS_MAX + 1, max: TICKETS_MAX });
    assert_eq!(write(&ledger, opened(2, &[], "one more")), full);
    let closed = Ticket { state: State::Closed, ..ticket(1, 2, &[]) };
    write(&ledger, TicketWrite { ticket: closed, base: 1, next: None, subject: None, entries: vec![] }).unwrap();
    write(&ledger, opened(2, &[], "one more")).unwrap();
}

#[test]
fn pages_leave_out_no_ticket_that_changed_in_the_same_moment_as_another() {
    let place = Place::new();
    let ledger = place.open();
    for id in 1..=7 {
        let mut one = opened(id, &[], "Broken");
        one.ticket.changed = Millis(500);
        write(&ledger, one).unwrap();
    }
    let reader = ledger.reader().unwrap();
    let (mut before, mut seen) = (None, Vec::new());
    for _ in 0..4 {
        let wanted = TicketsWanted { before, limit: 2, ..TicketsWanted::default() };
        let (page, _) = reader.tickets(&wanted, |_| true).unwrap();
        before = page.last().map(|kept| kept.ticket.changed).or(before);
        seen.extend(page.iter().map(|kept| kept.ticket.ticket.0));
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
}
