//! The box's copies of the three documents, as far as syncing them goes: what they mean is resolved elsewhere.

use std::collections::BTreeMap;

use config::{Documents, Peer, SyncState};
use model::{SiteId, change::Doc};
use wire::frame::{HEADS_MAX, Heads};

use super::memory::Memory;

pub const DOCS: [Doc; 3] = [Doc::Org, Doc::Site, Doc::Local];
/// Messages in answer to one: more would be a loop.
const ANSWERS_MAX: usize = 64;

pub struct Copies {
    documents: Documents,
    /// Place in the ledger of the last change that was read.
    after: BTreeMap<Doc, u64>,
    /// Of the present session.
    sync: BTreeMap<Doc, SyncState>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cloud's fault: this message changed nothing.
    #[error(transparent)]
    Message(#[from] config::Error),
    #[error(transparent)]
    Memory(#[from] anyhow::Error),
}

impl Copies {
    pub fn new(site: &SiteId) -> Self {
        Self { documents: Documents::new(site.clone(), rand::random()), after: BTreeMap::new(), sync: BTreeMap::new() }
    }

    /// Takes what the ledger has and we have not; the documents that grew.
    pub async fn refresh(&mut self, memory: &Memory) -> Result<Vec<Doc>, Error> {
        let mut grown = Vec::new();
        for doc in DOCS {
            let after = self.after.get(&doc).copied().unwrap_or(0);
            let (changes, last) = memory.config_changes(doc, after).await?;
            if self.documents.document_mut(doc).load(changes.iter().map(Vec::as_slice))? > 0 {
                grown.push(doc);
            }
            self.after.insert(doc, last);
        }
        Ok(grown)
    }

    /// A document with more heads than a hello holds is synced whatever the cloud has.
    pub fn heads(&self) -> Vec<Heads> {
        let all = DOCS.map(|doc| Heads { doc, heads: self.documents.document(doc).heads().0.into_iter().collect() });
        all.into_iter().filter(|heads| heads.heads.len() <= HEADS_MAX).collect()
    }

    /// Begins a session: the first messages for these documents.
    pub async fn begin(&mut self, memory: &Memory, docs: &[Doc]) -> Result<Vec<(Doc, Vec<u8>)>, Error> {
        self.sync.clear();
        let mut messages = Vec::new();
        for doc in docs {
            messages.extend(self.speak(memory, *doc).await?);
        }
        Ok(messages)
    }

    /// What the cloud may not have yet of one document.
    pub async fn speak(&mut self, memory: &Memory, doc: Doc) -> Result<Vec<(Doc, Vec<u8>)>, Error> {
        self.know(memory, doc).await?;
        let Some(sync) = self.sync.get_mut(&doc) else { return Ok(vec![]) };
        let document = self.documents.document(doc);
        Ok(std::iter::from_fn(|| document.generate(sync)).take(ANSWERS_MAX).map(|bytes| (doc, bytes)).collect())
    }

    /// Takes a message. What it brought is durable when this returns: how many changes, and the answers.
    pub async fn receive(
        &mut self,
        memory: &Memory,
        doc: Doc,
        bytes: &[u8],
    ) -> Result<(usize, Vec<(Doc, Vec<u8>)>), Error> {
        self.know(memory, doc).await?;
        let Some(sync) = self.sync.get_mut(&doc) else { return Ok((0, vec![])) };
        let fresh = self.documents.document_mut(doc).receive(sync, bytes)?;
        let (count, state) = (fresh.len(), sync.encode());
        memory.config_received(doc, fresh, state).await?;
        Ok((count, self.speak(memory, doc).await?))
    }

    async fn know(&mut self, memory: &Memory, doc: Doc) -> Result<(), Error> {
        if !self.sync.contains_key(&doc) {
            let document = self.documents.document(doc);
            let sync = match memory.sync_state(doc).await? {
                Some(bytes) => document.sync_resume(Peer::Cloud, &bytes),
                None => document.sync_begin(Peer::Cloud),
            };
            self.sync.insert(doc, sync);
        }
        Ok(())
    }
}
