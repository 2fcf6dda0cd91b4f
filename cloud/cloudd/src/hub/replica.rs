//! The cloud's copy of one document while a session syncs it: loaded when there is something to say, brought up to
//! date from the database before each word, and dropped when both ends have nothing more to say.

use anyhow::Context;
use config::{Document, Peer, SyncState};
use model::{BoxId, SiteId, change::Doc};

use super::{change::identify, store::Store};

/// Messages in answer to one: more would be a loop.
const ANSWERS_MAX: usize = 64;

pub struct Replica {
    box_id: BoxId,
    site: SiteId,
    doc: Doc,
    document: Document,
    /// Place of the last change that was read.
    after: u64,
    sync: SyncState,
}

/// What a message has brought.
pub struct Received {
    pub answers: Vec<Vec<u8>>,
    /// Changes that were new in the cloud, and are durable.
    pub changes: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The box's fault: this document is not synced in this session any more.
    #[error(transparent)]
    Message(#[from] config::Error),
    #[error(transparent)]
    Store(#[from] super::store::Error),
}

impl Replica {
    /// Goes on from `known`, what this session knew of the box when it last had nothing to say.
    pub async fn open<S: Store>(
        store: &S,
        box_id: BoxId,
        site: &SiteId,
        doc: Doc,
        known: Option<SyncState>,
    ) -> Result<Self, Error> {
        let document = Document::new(doc, site, rand::random());
        let sync = match known {
            Some(known) => known,
            None => match store.sync_state(box_id, doc).await? {
                Some(bytes) => document.sync_resume(Peer::Box, &bytes),
                None => document.sync_begin(Peer::Box),
            },
        };
        let mut replica = Self { box_id, site: site.clone(), doc, document, after: 0, sync };
        replica.refresh(store).await?;
        Ok(replica)
    }

    /// Takes what others have written to the database.
    async fn refresh<S: Store>(&mut self, store: &S) -> Result<(), Error> {
        let kept = store.config_changes(&self.site, self.doc, self.after).await?;
        self.document.load(kept.iter().map(|kept| kept.change.bytes.as_slice()))?;
        self.after = kept.last().map_or(self.after, |kept| kept.position);
        Ok(())
    }

    /// Takes a message of the box. New changes are durable when this returns; then come the answers.
    pub async fn receive<S: Store>(&mut self, store: &S, message: &[u8]) -> Result<Received, Error> {
        self.refresh(store).await?;
        let fresh = self.document.receive(&mut self.sync, message)?;
        let changes = fresh.len();
        if changes > 0 {
            let kept = fresh.iter().map(|bytes| identify(bytes).context("a change without a hash"));
            let kept = kept.collect::<anyhow::Result<Vec<_>>>().map_err(super::store::Error)?;
            store.config_append(&self.site, self.doc, kept).await?;
        }
        store.sync_state_put(self.box_id, self.doc, self.sync.encode()).await?;
        Ok(Received { answers: self.answers(), changes })
    }

    /// What the database has and the box may not have yet.
    pub async fn speak<S: Store>(&mut self, store: &S) -> Result<Vec<Vec<u8>>, Error> {
        self.refresh(store).await?;
        Ok(self.answers())
    }

    /// Lets go of the document. Ten thousand sessions would each hold a copy of it.
    pub fn close(self) -> SyncState {
        self.sync
    }

    fn answers(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.document.generate(&mut self.sync)).take(ANSWERS_MAX).collect()
    }
}
