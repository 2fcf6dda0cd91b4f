//! A replica of a branch's documents as one process of the box holds it, over the ledger that they share.

use config::{Author, Documents, Effective, effective};
use ledger::Reader;
use model::{
    Millis, SiteId,
    change::{Change, Doc},
};

pub const DOCS: [Doc; 3] = [Doc::Org, Doc::Site, Doc::Local];

pub struct Settings {
    pub documents: Documents,
    /// Of each document: the last of the ledger's changes that is in it.
    seen: [u64; 3],
}

impl Settings {
    pub fn open(site: SiteId, actor: [u8; 16], reader: &Reader) -> anyhow::Result<Self> {
        let mut settings = Self { documents: Documents::new(site, actor), seen: [0; 3] };
        settings.catch_up(reader)?;
        Ok(settings)
    }

    /// Takes in what the other process stored; the documents that grew.
    pub fn catch_up(&mut self, reader: &Reader) -> anyhow::Result<Vec<Doc>> {
        let mut grown = Vec::new();
        for (doc, seen) in DOCS.into_iter().zip(&mut self.seen) {
            let changes = reader.config_changes(doc, *seen)?;
            if let Some(last) = changes.last() {
                *seen = last.seq;
                if self.documents.document_mut(doc).load(changes.iter().map(|change| change.bytes.as_slice()))? > 0 {
                    grown.push(doc);
                }
            }
        }
        Ok(grown)
    }

    pub fn effective(&self) -> Effective {
        effective(&self.documents)
    }

    /// An edit in the branch: what is to be stored, if the documents take it.
    pub fn edit(&mut self, change: &Change, at: Millis) -> Result<Option<Vec<u8>>, config::Error> {
        self.documents.edit(Doc::Local, change, Author::Branch, at)
    }
}
