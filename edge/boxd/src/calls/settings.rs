//! The box's replica of the three configuration documents, as *calls* holds it: loaded from the ledger, edited at the
//! desk, resolved, and activated unless a finding is fatal. The last good configuration is kept beside the ledger.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use ::config::{Author, Documents, Effective, effective};
use anyhow::Context;
use ledger::Reader;
use model::{
    Millis, SiteId,
    change::{Change, Doc},
    config::{Config, Site},
    history::Decision,
};
use tracing::{error, info, warn};

use super::look_back;

const DOCS: [Doc; 3] = [Doc::Org, Doc::Site, Doc::Local];

pub struct Settings {
    documents: Documents,
    /// Of each document: the last of the ledger's changes that is in it.
    seen: [u64; 3],
    last_good: PathBuf,
}

/// Which edit of a batch was refused, and why.
#[derive(Debug)]
pub struct Refused {
    pub index: usize,
    pub error: ::config::Error,
}

impl Settings {
    /// `actor` is fresh for every start of the process.
    pub fn open(site: SiteId, actor: [u8; 16], data: &Path, reader: &Reader) -> anyhow::Result<Self> {
        let documents = Documents::new(site, actor);
        let mut settings = Self { documents, seen: [0; 3], last_good: data.join("config.json") };
        settings.catch_up(reader)?;
        Ok(settings)
    }

    /// Takes in what the other process (or an earlier life) stored; true when there was something.
    pub fn catch_up(&mut self, reader: &Reader) -> anyhow::Result<bool> {
        let mut fresh = false;
        for (doc, seen) in DOCS.into_iter().zip(&mut self.seen) {
            let changes = reader.config_changes(doc, *seen).context("the configuration cannot be read")?;
            let Some(last) = changes.last() else { continue };
            *seen = last.seq;
            fresh = true;
            let document = self.documents.document_mut(doc);
            // All at once: each change by itself walks the whole document.
            if document.load(changes.iter().map(|change| change.bytes.as_slice())).is_ok() {
                continue;
            }
            for change in changes {
                if let Err(error) = document.apply(&change.bytes) {
                    warn!(?doc, %error, "a stored change cannot be applied and is passed over");
                }
            }
        }
        Ok(fresh)
    }

    pub fn effective(&self) -> Effective {
        effective(&self.documents)
    }

    /// Tries edits of the branch's own document, all or none. What is returned is to be stored; `commit` it then.
    pub fn edit(
        &self,
        doc: Doc,
        changes: &[Change],
        author: Author,
        at: Millis,
    ) -> Result<(Documents, Vec<Vec<u8>>), Refused> {
        let mut draft = self.documents.clone();
        let mut encoded = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            encoded.extend(draft.edit(doc, change, author, at).map_err(|error| Refused { index, error })?);
        }
        Ok((draft, encoded))
    }

    /// Tries a decision about the branch's own document, as `edit` does.
    pub fn decide(
        &self,
        decision: &Decision,
        at: Millis,
        reader: &Reader,
    ) -> Result<(Documents, Vec<Vec<u8>>), Refused> {
        let unknown = |path: &str| ::config::Error::Unknown { what: "word", id: path.to_owned() };
        let (path, value) = match decision {
            Decision::FollowPlan { path } => (path, None),
            Decision::Take { path, seq } => {
                let found = look_back::word(reader, path, *seq).unwrap_or_else(|error| {
                    warn!(%error, "the configuration's history cannot be read");
                    None
                });
                (path, found.ok_or_else(|| Refused { index: 0, error: unknown(path) })?)
            }
        };
        let mut draft = self.documents.clone();
        let encoded = draft.restore(Doc::Local, &[(path.clone(), value)], Author::Branch, at);
        Ok((draft, encoded.map_err(|error| Refused { index: 0, error })?))
    }

    /// Puts a draft in force; its changes are read back from the ledger as known ones.
    pub fn commit(&mut self, draft: Documents) {
        self.documents = draft;
    }

    /// Remembers a configuration that may run.
    pub fn keep_good(&self, config: &Config) -> anyhow::Result<()> {
        let fresh = self.last_good.with_extension("new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(config)?)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.last_good).context("the last good configuration cannot be kept")
    }

    /// What to run when the documents cannot be: the last good configuration, or one that knows only the site.
    pub fn fallback(&self) -> Config {
        let kept = std::fs::read(&self.last_good).ok().and_then(|bytes| serde_json::from_slice::<Config>(&bytes).ok());
        if let Some(config) = kept.filter(|config| &config.site.id == self.documents.site_id()) {
            info!("the last good configuration runs on");
            return config;
        }
        error!("no configuration yet: the box answers, waits for one, and no call for help can go out before");
        empty(self.documents.site_id().clone())
    }
}

pub(super) fn empty(id: SiteId) -> Config {
    let site = Site {
        label: id.as_str().to_owned(),
        id,
        time_zone: "UTC".into(),
        emergency: ["112"].iter().filter_map(|number| model::Number::new(number).ok()).collect(),
        outward: None,
        dialling: Default::default(),
        closed: false,
        pauses: Default::default(),
        dispositions: Default::default(),
        recording: Default::default(),
    };
    Config {
        site,
        queues: Default::default(),
        agents: Default::default(),
        phones: Default::default(),
        trunks: Default::default(),
        numbers: Default::default(),
        flows: Default::default(),
        hours: Default::default(),
        places: Default::default(),
    }
}
