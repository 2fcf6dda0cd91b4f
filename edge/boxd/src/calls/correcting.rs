//! What came of a contact is said anew: the floor decides by what the ledger has of it.

use std::time::Instant;

use desk::{CommandError, Unavailable};
use floor::correcting::Correction;
use ledger::Batch;
use model::fact::Fact;
use tokio::sync::oneshot;
use tracing::warn;

use super::{clock::wall, engine::Engine};

impl Engine {
    /// Answered when the facts are durable.
    pub fn correct(&mut self, correction: Correction, answer: oneshot::Sender<Result<(), CommandError>>) {
        // What is told beside a sick disk of contacts that are over does not come home.
        if self.stay.is_spare() {
            let _ = answer.send(Err(Unavailable.into()));
            return;
        }
        let facts = match self.settled_facts(&correction) {
            Ok(facts) => facts,
            Err(error) => {
                warn!(%error, "the ledger does not say what it has of a contact");
                let _ = answer.send(Err(Unavailable.into()));
                return;
            }
        };
        let result = self.floor.correct(Instant::now(), wall(), correction, &facts);
        self.obey();
        let Err(refused) = result else { return self.store.write_then(answer, Ok(())) };
        let _ = answer.send(Err(refused.into()));
    }

    /// Everything that was told of the contact so far. It is rare: the engine waits the few milliseconds until what it has
    /// told is on the disk, so that nothing is missing.
    fn settled_facts(&mut self, correction: &Correction) -> Result<Vec<Fact>, ledger::Error> {
        self.write();
        self.store.writer().submit_once(Batch::default()).wait()?;
        self.reader.facts_of(correction.contact)
    }
}
