//! What the centre hears of the configuration: which one runs, and in a word how callers fare by it. Said again when it is
//! another, and by each life of the process.

use ledger::Batch;
use model::leaving::{Fare, Leaving, Running};
use tracing::{error, info};

use super::{clock::wall, engine::Engine};

/// What was said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    heads: String,
    taken: bool,
    calls: Fare,
}

impl Engine {
    pub fn tell_running(&mut self) {
        // What is written on the spare ledger does not leave.
        if self.config.cloud.is_none() || self.stay.is_spare() || self.heads.is_empty() {
            return;
        }
        let told = Told { heads: self.heads.clone(), taken: self.taken, calls: self.fares.say() };
        if self.told.as_ref() == Some(&told) {
            return;
        }
        let (at, heads) = (wall(), u64::from_str_radix(&told.heads, 16).unwrap_or(0));
        let running = Running { at, heads, taken: told.taken, calls: told.calls };
        info!(heads = told.heads, taken = told.taken, calls = ?told.calls, "the centre is told which configuration runs");
        match self.gate.pass(&[Leaving::Running(running)], at) {
            Ok(outbox) => {
                let gate = Some(self.gate.state().clone());
                self.store.add(std::time::Instant::now(), Batch { outbox, gate, ..Batch::default() });
                self.store.hurry();
                self.write();
            }
            Err(error) => error!(%error, "the gate refused our own word of the configuration"),
        }
        self.told = Some(told);
    }
}
