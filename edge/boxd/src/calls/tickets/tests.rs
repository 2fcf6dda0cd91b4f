//! Tickets on a real ledger: two at once, another life of the process, and what the clock says of what nobody touched.

use desk::{TicketReader, Tickets as _};
use ledger::{BranchKey, Options};
use model::{
    SiteId,
    ticket::{Priority, Promise, Said, State},
};
use ticket::Act;

use super::*;
use crate::calls::settings;

struct House {
    dir: tempfile::TempDir,
    ledger: Arc<Ledger>,
    port: TicketsPort,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::begin(dir, false)
    }

    fn begin(dir: tempfile::TempDir, spare: bool) -> Self {
        let ledger = Ledger::open(&dir.path().join("box.db"), BranchKey::new([7; 32]), Options::default()).unwrap();
        let ledger = Arc::new(ledger);
        let config = settings::empty(SiteId::new("north").unwrap());
        let effective = desk::Effective { config, findings: Vec::new(), alone: Vec::new(), drill: None };
        let (_, effective) = watch::channel(Arc::new(effective));
        let port = TicketsPort::new(Arc::clone(&ledger), effective, spare);
        Self { dir, ledger, port }
    }

    /// Another life of the process, on the same files.
    fn again(self) -> Self {
        let Self { dir, ledger, port } = self;
        drop(port);
        Arc::into_inner(ledger).unwrap().close();
        Self::begin(dir, false)
    }

    async fn open(&self, by: &str, subject: &str) -> TicketId {
        let opened = TicketOpened {
            by: by.parse().unwrap(),
            subject: subject.into(),
            text: "Came broken".into(),
            queue: None,
            assignee: Some(by.parse().unwrap()),
            priority: Priority::Normal,
            category: None,
            contact: None,
        };
        self.port.open(opened).await.unwrap()
    }

    async fn shown(&self, ticket: TicketId) -> TicketShown {
        self.port.ticket(ticket).await.unwrap().unwrap()
    }

    async fn listed(&self, who: &str, text: Option<&str>) -> Vec<u64> {
        let reader = TicketReader { agent: who.parse().unwrap(), role: desk::Role::Agent, queues: Default::default() };
        let wanted = TicketsWanted {
            reader,
            closed: false,
            state: None,
            queue: None,
            assignee: None,
            priority: None,
            category: None,
            text: text.map(str::to_owned),
            before: None,
            limit: 10,
        };
        self.port.list(wanted).await.unwrap().tickets.iter().map(|row| row.ticket.number).collect()
    }

    fn facts(&self) -> Vec<Ticketed> {
        let facts = self.ledger.reader().unwrap().facts_after(0, 100).unwrap();
        let told = facts.into_iter().filter_map(|fact| match fact.kind {
            Kind::Ticket { what, .. } => Some(what),
            _ => None,
        });
        told.collect()
    }
}

fn says(by: &str, ticket: TicketId, base: u64, text: &str) -> TicketActed {
    let acts = vec![Act::Comment { said: Said::Inside }, Act::Move { to: State::WaitsForUs }];
    TicketActed { by: by.parse().unwrap(), ticket, base, acts, comment: Some(text.into()), subject: None }
}

#[tokio::test]
async fn of_two_who_act_at_once_one_is_told_of_a_conflict_and_nothing_is_lost() {
    let house = House::new();
    let mut news = house.port.news();
    let ticket = house.open("li", "The blue one").await;
    assert_eq!(news.recv().await.unwrap().number, 1);
    let (li, wang) = tokio::join!(
        house.port.act(says("li", ticket, 1, "I call")),
        house.port.act(says("wang", ticket, 1, "I write")),
    );
    let refused = [li.clone(), wang.clone()].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(refused, [TicketRefused::Changed { version: 2 }], "{li:?} {wang:?}");
    let (second, text) = if li.is_ok() { ("wang", "I write") } else { ("li", "I call") };
    house.port.act(says(second, ticket, 2, text)).await.unwrap();
    let house = house.again();
    let shown = house.shown(ticket).await;
    let mut texts: Vec<_> = shown.entries.iter().filter_map(|entry| entry.text.as_deref()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["Came broken", "I call", "I write"]);
    assert_eq!((shown.row.ticket.version, shown.row.ticket.state), (3, State::WaitsForUs));
    let moved = |told: &&Ticketed| matches!(told, Ticketed::Moved { .. });
    assert_eq!(house.facts().iter().filter(moved).count(), 1, "the move was made once");
}

#[tokio::test]
async fn a_ticket_is_found_by_its_words_and_its_number_by_whom_may_see_it() {
    let house = House::new();
    house.open("li", "The blue one").await;
    house.open("li", "The red one, order 4711").await;
    house.open("wang", "Another blue one").await;
    assert_eq!(house.listed("li", None).await, [2, 1]);
    assert_eq!((house.listed("li", Some("BLUE")).await, house.listed("wang", Some("blue")).await), (vec![1], vec![3]));
    assert_eq!((house.listed("li", Some("#2")).await, house.listed("li", Some("3")).await), (vec![2], vec![]));
    assert_eq!(house.listed("li", Some("4711")).await, [2]);
}

#[tokio::test]
async fn what_is_broken_while_nobody_looked_is_a_fact_once_and_is_told() {
    let house = House::new();
    let ticket = house.open("li", "The blue one").await;
    let house = house.again();
    let mut news = house.port.news();
    let mut clock = Clock::new(house.port.clone());
    let opened = house.shown(ticket).await.row.ticket.opened;
    let minutes = |n: i64| Millis(opened.0 + n * 60_000);
    // Four hours are promised for the first answer; there are no opening hours.
    for (minute, facts) in [(191, 2), (193, 3), (240, 3), (241, 4), (242, 4)] {
        clock.look(minutes(minute)).unwrap();
        assert_eq!(house.facts().len(), facts, "at {minute}");
    }
    let promise = Promise::FirstAnswer;
    assert_eq!(house.facts()[2..], [Ticketed::Warned { promise }, Ticketed::Breached { promise }]);
    assert_eq!(news.try_recv().unwrap().told, [Ticketed::Warned { promise }]);
    let last = news.try_recv().unwrap();
    assert_eq!((last.told, last.by), (vec![Ticketed::Breached { promise }], None));
    drop(clock);
    let house = house.again();
    let mut clock = Clock::new(house.port.clone());
    clock.look(minutes(243)).unwrap();
    assert_eq!(house.facts().len(), 4, "and not again in the next life");
}

#[tokio::test]
async fn other_promises_are_in_force_for_tickets_that_are_there() {
    let house = House::new();
    let ticket = house.open("li", "The blue one").await;
    let mut clock = Clock::new(house.port.clone());
    let opened = house.shown(ticket).await.row.ticket.opened;
    clock.look(Millis(opened.0 + 60_000)).unwrap();
    let terms = Terms { warn_percent: 1, ..Terms::default() };
    house.port.set_terms("zhao".parse().unwrap(), terms.clone()).await.unwrap();
    assert_eq!(house.port.terms().unwrap(), terms);
    // The first look plans anew, and finds what is due by that.
    clock.look(Millis(opened.0 + 3 * 60_000)).unwrap();
    assert_eq!(house.facts().last(), Some(&Ticketed::Warned { promise: Promise::FirstAnswer }));
}

#[tokio::test]
async fn beside_a_sick_disk_no_ticket_is_written() {
    let house = House::begin(tempfile::tempdir().unwrap(), true);
    let refused = house.port.act(says("li", TicketId(1), 1, "x")).await;
    assert_eq!(refused, Err(TicketRefused::Unavailable(Unavailable)));
}
