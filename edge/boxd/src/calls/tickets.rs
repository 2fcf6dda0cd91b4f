//! Tickets between the desk and the ledger: the engine decides on what the ledger has, and the ledger refuses what was made
//! of another version. Who waits is answered when the disk has it; what the clock has to say is looked for every few seconds.

mod clock;
mod look;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use desk::{
    Future, TicketActed, TicketList, TicketNews, TicketOpened, TicketRefused, TicketShown, TicketsWanted, Unavailable,
};
use ledger::{Batch, KeptTicket, Ledger, TicketEntry, TicketWrite};
use model::{
    AgentId, ContactId, Millis, QueueId, TicketId,
    config::Config,
    fact::{Fact, Kind},
    ticket::{Terms, Ticketed},
};
use rand::Rng as _;
use ticket::{Calendar, Change, Opening, Rules, Ticket};
use tokio::sync::{broadcast, watch};
use tracing::warn;

use super::{clock::wall, desk_ports::read};
pub use clock::Clock;

/// News that a slow page may be behind.
const NEWS_MAX: usize = 256;

#[derive(Clone)]
pub struct TicketsPort {
    ledger: Arc<Ledger>,
    effective: watch::Receiver<Arc<desk::Effective>>,
    news: broadcast::Sender<TicketNews>,
    /// It is the spare ledger: what is written of tickets does not come home.
    spare: bool,
}

/// What is written beside the change itself.
#[derive(Default)]
struct Words {
    subject: Option<String>,
    /// With the first of what is told that carries words.
    text: Option<String>,
}

impl TicketsPort {
    pub fn new(ledger: Arc<Ledger>, effective: watch::Receiver<Arc<desk::Effective>>, spare: bool) -> Self {
        Self { ledger, effective, news: broadcast::Sender::new(NEWS_MAX), spare }
    }

    fn terms(&self) -> Result<Terms, ledger::Error> {
        Ok(self.ledger.reader()?.ticket_terms()?.unwrap_or_default())
    }

    /// Decides and writes, on a thread that may block.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, TicketRefused> + Send + 'static,
    ) -> Result<T, TicketRefused> {
        if self.spare {
            return Err(Unavailable.into());
        }
        let port = self.clone();
        tokio::task::spawn_blocking(move || work(&port)).await.unwrap_or(Err(Unavailable.into()))
    }

    fn opens(&self, opened: TicketOpened) -> Result<TicketId, TicketRefused> {
        let at = wall();
        let TicketOpened { by, subject, text, queue, assignee, priority, category, contact } = opened;
        let ticket = TicketId(dated(at, rand::rng().next_u64()));
        let terms = self.terms().map_err(unreadable)?;
        let calendar = calendar(&terms, &self.effective.borrow().config, queue.as_ref());
        let rules = Rules { terms: &terms, calendar: &calendar };
        let opening = Opening { ticket, by: by.clone(), queue, assignee, priority, category, contact };
        let change = ticket::open(at, opening, rules)?;
        let words = Words { subject: Some(subject), text: Some(text).filter(|text| !text.is_empty()) };
        self.keep(change, 0, Some(by), at, words, rules)?;
        Ok(ticket)
    }

    fn acts(&self, acted: TicketActed) -> Result<(), TicketRefused> {
        let TicketActed { by, ticket, base, acts, comment, subject } = acted;
        let kept = self.ledger.reader().and_then(|reader| reader.ticket(ticket)).map_err(unreadable)?;
        let KeptTicket { ticket: stands, .. } = kept.ok_or(TicketRefused::NotFound)?;
        if stands.version != base {
            return Err(TicketRefused::Changed { version: stands.version });
        }
        let terms = self.terms().map_err(unreadable)?;
        let config = self.effective.borrow().config.clone();
        let hours_before = calendar(&terms, &config, stands.queue.as_ref());
        let rules = Rules { terms: &terms, calendar: &hours_before };
        let at = wall();
        let change = ticket::act(&stands, at, &acts, rules)?;
        if change.told.is_empty() {
            return Ok(());
        }
        // The hours of the queue that it goes to count from here on.
        let hours = calendar(&terms, &config, change.ticket.queue.as_ref());
        let rules = Rules { terms: &terms, calendar: &hours };
        self.keep(change, base, Some(by), at, Words { subject, text: comment }, rules)
    }

    /// Facts, the ticket as it stands and what happened to it, in one transaction; then whoever looks is told.
    fn keep(
        &self,
        change: Change,
        base: u64,
        by: Option<AgentId>,
        at: Millis,
        words: Words,
        rules: Rules<'_>,
    ) -> Result<(), TicketRefused> {
        let Change { mut ticket, told } = change;
        let Words { subject, mut text } = words;
        let entry = |what: &Ticketed| {
            // What the clock says stands beside what was done in the same moment.
            let clock = matches!(what, Ticketed::Warned { .. } | Ticketed::Breached { .. });
            let carries = matches!(what, Ticketed::Opened { .. } | Ticketed::Commented { .. });
            let text = if carries { text.take() } else { None };
            TicketEntry { at, by: by.clone().filter(|_| !clock), what: what.clone(), text }
        };
        let entries: Vec<TicketEntry> = told.iter().map(entry).collect();
        let fact = |entry: &TicketEntry| {
            let kind = Kind::Ticket { ticket: ticket.ticket, by: entry.by.clone(), what: entry.what.clone() };
            Fact { seq: 0, at, contact: None, kind }
        };
        let facts = entries.iter().map(fact).collect();
        let next = ticket::next(&ticket, rules);
        let write = TicketWrite { ticket: ticket.clone(), base, next, subject, entries };
        let batch = Batch { facts, tickets: vec![write], ..Batch::default() };
        self.ledger.writer().submit_once(batch).wait().map_err(refused)?;
        if base == 0 {
            // The ledger has given it a number.
            let kept = self.ledger.reader().and_then(|reader| reader.ticket(ticket.ticket)).map_err(unreadable)?;
            ticket.number = kept.map_or(0, |kept| kept.ticket.number);
        }
        self.tell(&ticket, by, told);
        Ok(())
    }

    fn tell(&self, ticket: &Ticket, by: Option<AgentId>, told: Vec<Ticketed>) {
        let news = TicketNews {
            ticket: ticket.ticket,
            number: ticket.number,
            queue: ticket.queue.clone(),
            assignee: ticket.assignee.clone(),
            opened_by: ticket.opened_by.clone(),
            by,
            told,
        };
        // Nobody may look at this moment.
        self.news.send(news).ok();
    }
}

impl desk::Tickets for TicketsPort {
    fn list(&self, wanted: TicketsWanted) -> Future<'_, Result<TicketList, Unavailable>> {
        let config = self.effective.borrow().clone();
        Box::pin(read(&self.ledger, move |reader| look::list(reader, &config.config, &wanted, wall())))
    }

    fn ticket(&self, ticket: TicketId) -> Future<'_, Result<Option<TicketShown>, Unavailable>> {
        let config = self.effective.borrow().clone();
        Box::pin(read(&self.ledger, move |reader| look::shown(reader, &config.config, ticket, wall())))
    }

    fn of_contact(&self, contact: ContactId) -> Future<'_, Result<TicketList, Unavailable>> {
        let config = self.effective.borrow().clone();
        Box::pin(read(&self.ledger, move |reader| look::of_contact(reader, &config.config, contact, wall())))
    }

    fn open(&self, opened: TicketOpened) -> Future<'_, Result<TicketId, TicketRefused>> {
        Box::pin(self.write(move |port| port.opens(opened)))
    }

    fn act(&self, acted: TicketActed) -> Future<'_, Result<(), TicketRefused>> {
        Box::pin(self.write(move |port| port.acts(acted)))
    }

    fn terms(&self) -> Future<'_, Result<Terms, Unavailable>> {
        Box::pin(read(&self.ledger, |reader| Ok(reader.ticket_terms()?.unwrap_or_default())))
    }

    fn set_terms(&self, by: AgentId, terms: Terms) -> Future<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            let set = self.write(move |port| {
                let facts = vec![Fact { seq: 0, at: wall(), contact: None, kind: Kind::TicketTerms { by } }];
                let batch = Batch { facts, ticket_terms: Some(terms), ..Batch::default() };
                port.ledger.writer().submit_once(batch).wait().map(drop).map_err(refused)
            });
            set.await.map_err(|_| Unavailable)
        })
    }

    fn news(&self) -> broadcast::Receiver<TicketNews> {
        self.news.subscribe()
    }
}

/// Which hours count for a ticket of this queue.
fn calendar(terms: &Terms, config: &Config, queue: Option<&QueueId>) -> Calendar {
    let of_queue = || queue.and_then(|queue| config.queues.get(queue)).and_then(|queue| queue.hours.as_ref());
    // Hours that are gone are nobody's: the queue's own count.
    let named = terms.hours.as_ref().filter(|hours| config.hours.contains_key(*hours));
    let hours = named.or_else(of_queue).and_then(|hours| config.hours.get(hours));
    match hours {
        Some(hours) => {
            let zone = jiff::tz::TimeZone::get(&config.site.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
            Calendar::new(hours.clone(), zone)
        }
        None => Calendar::always(),
    }
}

/// Ids go by time, as those of contacts do.
fn dated(at: Millis, random: u64) -> u128 {
    (u128::from(at.0.max(0).unsigned_abs()) << 64) | u128::from(random)
}

fn unreadable(error: ledger::Error) -> TicketRefused {
    warn!(%error, "the ledger cannot be read for a ticket");
    Unavailable.into()
}

fn refused(error: ledger::Error) -> TicketRefused {
    match error {
        ledger::Error::TicketChanged { version } => TicketRefused::Changed { version },
        ledger::Error::Erased => TicketRefused::Erased,
        ledger::Error::TooLarge { .. } => TicketRefused::TooMany,
        error => {
            warn!(%error, "a ticket cannot be kept");
            Unavailable.into()
        }
    }
}
