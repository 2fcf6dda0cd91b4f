//! The ledger as *sync* uses it, off the runtime's threads.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use gate::{Carried, Checkpoint, Item};
use ledger::{Batch, Committed, Ledger, Position, Reader, Testimony, Witness};
use model::{Epoch, Millis, change::Doc};
use tokio::sync::oneshot;
use wire::outbox::Row;

/// The peer's name in the ledger's table of sync states.
const CLOUD: &str = "cloud";

#[derive(Clone)]
pub struct Memory {
    ledger: Arc<Ledger>,
    reader: Arc<Mutex<Reader>>,
}

impl Memory {
    pub fn new(ledger: Ledger) -> Result<Self, ledger::Error> {
        let reader = Arc::new(Mutex::new(ledger.reader()?));
        Ok(Self { ledger: Arc::new(ledger), reader })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, ledger::Error> + Send + 'static,
    ) -> anyhow::Result<T> {
        let reader = self.reader.clone();
        let task = move || work(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(task).await.context("reading the ledger")?.context("reading the ledger")
    }

    /// Durable when this returns.
    pub async fn commit(&self, batch: Batch) -> anyhow::Result<Committed> {
        let (sender, answer) = oneshot::channel();
        self.ledger.writer().submit_then(batch, move |result| {
            let _ = sender.send(result);
        });
        answer.await.context("the ledger's writer has ended")?.context("writing to the ledger")
    }

    /// The line in the egress chain, before the bytes go out (N-01).
    pub async fn leaves(&self, carried: Carried, at: Millis, bytes: &[u8]) -> anyhow::Result<()> {
        self.leaves_item(Item::note(carried, at, bytes)).await
    }

    pub async fn leaves_item(&self, item: Item) -> anyhow::Result<()> {
        self.commit(Batch { egress: vec![item], ..Batch::default() }).await.map(drop)
    }

    pub async fn egress_origin(&self) -> anyhow::Result<[u8; 32]> {
        self.read(Reader::egress_origin).await
    }

    /// Checkpoints of the egress chain that a witness has not seen, oldest first.
    pub async fn unseen(&self, by: Witness, limit: usize) -> anyhow::Result<Vec<Checkpoint>> {
        self.read(move |reader| reader.unseen(by, limit)).await
    }

    pub async fn testimony(&self, first: u64, by: Witness) -> anyhow::Result<Option<Testimony>> {
        self.read(move |reader| reader.testimony(first, by)).await
    }

    pub async fn testify(&self, testimonies: Vec<Testimony>) -> anyhow::Result<()> {
        match testimonies.is_empty() {
            true => Ok(()),
            false => self.commit(Batch { testimonies, ..Batch::default() }).await.map(drop),
        }
    }

    pub async fn position(&self) -> anyhow::Result<Position> {
        self.read(Reader::position).await
    }

    pub async fn version(&self) -> anyhow::Result<u64> {
        self.read(Reader::data_version).await
    }

    pub async fn rows(&self, after: u64, limit: usize) -> anyhow::Result<Vec<Row>> {
        let rows = self.read(move |reader| reader.outbox_after(after, limit)).await?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| Row { epoch: row.epoch, seq: row.seq, kind: row.kind, body: row.body.into() }).collect())
    }

    /// The cloud has everything up to here.
    pub async fn acked(&self, epoch: Epoch, seq: u64) -> anyhow::Result<()> {
        let ticket = self.ledger.set_watermark(epoch, seq);
        let task = tokio::task::spawn_blocking(move || ticket.wait());
        task.await.context("the watermark")?.context("the watermark").map(drop)
    }

    pub async fn begin_epoch(&self) -> anyhow::Result<Epoch> {
        let ledger = self.ledger.clone();
        tokio::task::spawn_blocking(move || ledger.new_epoch()).await.context("a new epoch")?.context("a new epoch")
    }

    /// Encoded changes after a place, and the place of the last.
    pub async fn config_changes(&self, doc: Doc, after: u64) -> anyhow::Result<(Vec<Vec<u8>>, u64)> {
        let changes = self.read(move |reader| reader.config_changes(doc, after)).await?;
        let last = changes.last().map_or(after, |change| change.seq);
        Ok((changes.into_iter().map(|change| change.bytes).collect(), last))
    }

    pub async fn sync_state(&self, doc: Doc) -> anyhow::Result<Option<Vec<u8>>> {
        self.read(move |reader| reader.sync_state(doc, CLOUD)).await
    }

    /// Received changes, and what we know of the cloud's copy after them.
    pub async fn config_received(&self, doc: Doc, changes: Vec<Vec<u8>>, state: Vec<u8>) -> anyhow::Result<()> {
        let config = changes.into_iter().map(|bytes| (doc, bytes)).collect();
        let sync_state = vec![(doc, CLOUD.to_owned(), state)];
        self.commit(Batch { config, sync_state, ..Batch::default() }).await.map(drop)
    }
}
