//! What everybody in the world shares: the clock, the agenda, the telephone network, and the journal.

use std::time::Duration;

use crate::{
    clock::{Agenda, Clock},
    event::Event,
    journal::Journal,
    net::Net,
    plan::Plan,
    wan::Wan,
};

pub struct Stage {
    pub plan: Plan,
    pub clock: Clock,
    pub agenda: Agenda,
    pub net: Net,
    pub wan: Wan,
    pub cloud_up: bool,
    pub journal: Journal,
}

impl Stage {
    pub fn new(plan: Plan) -> Self {
        let (clock, agenda) = (Clock::start(), Agenda::default());
        Self {
            net: Net::new(plan.seed),
            wan: Wan::new(plan.seed),
            cloud_up: true,
            journal: Journal::default(),
            plan,
            clock,
            agenda,
        }
    }

    pub fn later(&mut self, delay: Duration, event: Event) {
        self.agenda.at(self.clock.passed() + delay, event);
    }
}
