//! What time does to tickets: warnings and broken promises are facts, told within seconds, and what a box slept through is
//! told when it is there again. Other opening hours, or other promises' hours, plan all of them anew.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ledger::{Batch, TicketWrite, TicketsWanted};
use model::{
    HoursId, Millis, QueueId,
    config::{Config, Hours},
    ticket::Terms,
};
use ticket::Rules;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::{TicketsPort, Words, calendar};
use crate::calls::clock::wall;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Tickets in one look; the others have the next.
const STEP: usize = 200;

/// What decides when something is due, beside the tickets themselves.
#[derive(PartialEq)]
struct Planned {
    terms: Terms,
    time_zone: String,
    hours: BTreeMap<HoursId, Hours>,
    queues: BTreeMap<QueueId, Option<HoursId>>,
}

impl Planned {
    fn of(terms: Terms, config: &Config) -> Self {
        Self {
            terms,
            time_zone: config.site.time_zone.clone(),
            hours: config.hours.clone(),
            queues: config.queues.iter().map(|(id, queue)| (id.clone(), queue.hours.clone())).collect(),
        }
    }
}

pub struct Clock {
    port: TicketsPort,
    planned: Option<Planned>,
}

impl Clock {
    pub fn new(port: TicketsPort) -> Self {
        Self { port, planned: None }
    }

    /// Until the task is dropped.
    pub async fn forever(mut self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.port.spare {
            looks.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let result = self.look(wall());
                (self, result)
            });
            let Ok((clock, result)) = looked.await else { return };
            self = clock;
            if let Err(error) = result {
                warn!(%error, "what is due of tickets cannot be looked at");
            }
        }
    }

    pub(super) fn look(&mut self, now: Millis) -> Result<(), ledger::Error> {
        let effective = self.port.effective.borrow().clone();
        let terms = self.port.terms()?;
        let planned = Planned::of(terms, &effective.config);
        if self.planned.as_ref() != Some(&planned) {
            self.plan_anew(&planned.terms, &effective)?;
            self.planned = Some(planned);
        }
        let Some(planned) = &self.planned else { return Ok(()) };
        for kept in self.port.ledger.reader()?.tickets_due(now, STEP)? {
            let ticket = kept.ticket;
            let calendar = calendar(&planned.terms, &effective.config, ticket.queue.as_ref());
            let rules = Rules { terms: &planned.terms, calendar: &calendar };
            match ticket::tick(&ticket, now, rules) {
                Some(change) => {
                    // Somebody was faster: it is looked at again.
                    let _ = self.port.keep(change, ticket.version, None, now, Words::default(), rules);
                }
                None => {
                    let next = ticket::next(&ticket, rules);
                    let base = ticket.version;
                    // Otherwise it is looked at again.
                    let _ = self.plan(TicketWrite { ticket, base, next, subject: None, entries: Vec::new() }).wait();
                }
            }
        }
        Ok(())
    }

    fn plan_anew(&self, terms: &Terms, effective: &Arc<desk::Effective>) -> Result<(), ledger::Error> {
        let all = TicketsWanted { limit: ledger::TICKETS_MAX, ..TicketsWanted::default() };
        let (tickets, _) = self.port.ledger.reader()?.tickets(&all, |_| true)?;
        let mut writes = tickets.into_iter().map(|kept| {
            let calendar = calendar(terms, &effective.config, kept.ticket.queue.as_ref());
            let next = ticket::next(&kept.ticket, Rules { terms, calendar: &calendar });
            TicketWrite { base: kept.ticket.version, ticket: kept.ticket, next, subject: None, entries: Vec::new() }
        });
        loop {
            let step: Vec<_> = writes.by_ref().take(STEP).map(|write| self.plan(write)).collect();
            if step.is_empty() {
                return Ok(());
            }
            for planned in step {
                match planned.wait() {
                    // One that has changed meanwhile was planned with that.
                    Ok(_) | Err(ledger::Error::TicketChanged { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    fn plan(&self, write: TicketWrite) -> ledger::Pending {
        self.port.ledger.writer().submit_once(Batch { tickets: vec![write], ..Batch::default() })
    }
}
