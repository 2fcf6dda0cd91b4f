//! What is to be remembered, on its way to the ledger. It waits a moment for company, for a transaction is dear; what a
//! desk waits for goes at once. The engine never waits for the disk.

use std::time::{Duration, Instant};

use ledger::{Batch, Writer};
use model::ContactId;
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::{backlog::Written, sync_client::SyncClient};

/// Facts are handed to the ledger this often; what a desk waits for, at once.
const STORE_EVERY: Duration = Duration::from_millis(10);
/// Rows that are handed over at once, however soon.
const STORE_ROWS: usize = 500;
/// Contacts that are told of at once that they are kept.
const KEPT_MAX: usize = 256;

pub struct Store {
    writer: Writer,
    /// Not yet handed to the ledger, and when it will be.
    unwritten: Batch,
    due: Option<Instant>,
    /// The outbox grows by what is not yet written, and the link is to hear of it.
    hurry: bool,
    kept: mpsc::Sender<(ContactId, bool)>,
}

impl Store {
    /// The second tells of what was to be kept.
    pub fn new(writer: Writer) -> (Self, mpsc::Receiver<(ContactId, bool)>) {
        let (kept, told) = mpsc::channel(KEPT_MAX);
        (Self { writer, unwritten: Batch::default(), due: None, hurry: false, kept }, told)
    }

    /// For what is too rare and too small to wait for company.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// When [`Self::write`] is to be called, unless it [`Self::is_due`] before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|at| at <= now) || self.unwritten.rows() >= STORE_ROWS
    }

    /// It waits a moment for more.
    pub fn add(&mut self, now: Instant, batch: Batch) {
        self.unwritten.append(batch);
        self.due.get_or_insert_with(|| now + STORE_EVERY);
    }

    /// The outbox grows by what was added, and somebody waits for it beyond the link.
    pub fn hurry(&mut self) {
        self.hurry = true;
    }

    /// Nothing of the outbox is on its way: what the ledger says of it is all there is.
    pub fn is_told(&self) -> bool {
        !self.hurry && self.unwritten.is_empty() && self.writer.pressure().kept_batches == 0
    }

    /// The last transaction went well.
    pub fn is_well(&self) -> bool {
        self.writer.pressure().failing.is_none()
    }

    /// Hands everything to the ledger; `written` counts it until the disk has it.
    pub fn write(&mut self, written: impl FnOnce() -> Written, sync: Option<&SyncClient>) {
        let Some(batch) = self.take() else { return };
        let written = written();
        let waiting = std::mem::take(&mut self.hurry).then(|| sync.map(SyncClient::wakes)).flatten();
        self.writer.submit_then(batch, move |stored| {
            if let (Ok(_), Some(sync)) = (&stored, waiting) {
                sync.outbox_grew();
            }
            drop(written);
            if let Err(error) = stored {
                error!(%error, "facts wait in memory: the ledger does not take them");
            }
        });
    }

    /// The same; whoever asked is answered when the disk has it.
    pub fn write_then<T: Send + 'static>(&mut self, answer: oneshot::Sender<T>, value: T) {
        let Some(batch) = self.take() else {
            let _ = answer.send(value);
            return;
        };
        self.writer.submit_then(batch, move |stored| match stored {
            Ok(_) => drop(answer.send(value)),
            Err(error) => error!(%error, "facts wait in memory: the desk is not answered"),
        });
    }

    /// Hands everything to the ledger, and says of each of these contacts when the disk has it, or will not. `lasting`:
    /// what is stored outlives the process. Who is told nothing, for there are too many, gives up in a moment.
    pub fn keep(&mut self, contacts: Vec<ContactId>, lasting: bool) {
        let kept = self.kept.clone();
        let tell = move |stored: bool| {
            for contact in contacts {
                let _ = kept.try_send((contact, stored && lasting));
            }
        };
        match self.take() {
            Some(batch) => self.writer.submit_then(batch, move |stored| tell(stored.is_ok())),
            None => tell(true),
        }
    }

    fn take(&mut self) -> Option<Batch> {
        self.due = None;
        Some(std::mem::take(&mut self.unwritten)).filter(|batch| !batch.is_empty())
    }
}
