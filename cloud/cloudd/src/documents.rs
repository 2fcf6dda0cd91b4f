//! The configuration documents of the sites: loaded from the database, edited as typed changes, and resolved to what a
//! site runs by. What the changes mean is `config`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use config::{Author, Effective, Histories, History, Kept, Scalar, effective};
use db::{
    Connection,
    change::{self, Hash, Of},
};
use model::{
    FlowId, Millis, SiteId,
    change::{Change, Doc, Finding, FindingCounts},
    flow::Flow,
    history::Side,
};

use crate::{hub, shelf::BRANCH};

/// Most sites whose resolved configuration is kept in memory.
const CACHE_MAX: usize = 1000;
const DOCS: [Doc; 3] = [Doc::Org, Doc::Site, Doc::Local];

/// What the database says is newest, of each document.
type Heads = [BTreeSet<Hash>; 3];

pub struct Documents {
    /// Whom the documents know this process as. Edits are made one after another, each on what the last one stored:
    /// two at once under one name would contradict each other.
    actor: [u8; 16],
    pub turn: tokio::sync::Mutex<()>,
    cache: Mutex<BTreeMap<SiteId, (Heads, Arc<Effective>)>>,
}

/// Why an edit is not made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("there is no such site")]
    NoSite,
    /// The fault of whoever edits: the change with this index, counted from 0.
    #[error("{error}")]
    Change { index: usize, error: config::Error },
    #[error(transparent)]
    Db(#[from] db::Error),
}

/// Edits that were made in memory and are to be stored.
pub struct Edited {
    site: SiteId,
    changes: Vec<Made>,
    pub effective: Arc<Effective>,
}

/// An edit with what it was, for the history.
pub type Made = (Doc, change::Change, String);

/// Fields of a document as they are to be; None: nothing is to be said.
pub type Fields = Vec<(String, Option<Scalar>)>;

impl Documents {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { actor: actor()?, turn: tokio::sync::Mutex::default(), cache: Mutex::default() })
    }

    /// What the site runs by once it has everything; None when there is no such site.
    pub fn effective(&self, conn: &Connection, site: &SiteId) -> db::Result<Option<Arc<Effective>>> {
        if !db::site::exists(conn, site)? {
            return Ok(None);
        }
        let heads = heads(conn, site)?;
        let cached = self.cache().get(site).filter(|(of, _)| *of == heads).map(|(_, known)| Arc::clone(known));
        if cached.is_some() {
            return Ok(cached);
        }
        let fresh = Arc::new(effective(&load(conn, site, self.actor)?));
        let mut cache = self.cache();
        if cache.len() >= CACHE_MAX && !cache.contains_key(site) {
            cache.pop_first();
        }
        cache.insert(site.clone(), (heads, Arc::clone(&fresh)));
        Ok(Some(fresh))
    }

    /// Versions of a flow that were replaced; None when there is no such site.
    pub fn flow_versions(
        &self,
        conn: &Connection,
        site: &SiteId,
        flow: &FlowId,
    ) -> db::Result<Option<BTreeMap<Millis, Flow>>> {
        if !db::site::exists(conn, site)? {
            return Ok(None);
        }
        Ok(Some(config::flow_versions(&load(conn, site, self.actor)?, flow)))
    }

    /// Makes the edits on a copy, all or none. The caller holds `turn` until they are stored.
    pub fn edit(
        &self,
        conn: &Connection,
        (site, doc): (&SiteId, Doc),
        changes: &[Change],
        now: Millis,
    ) -> Result<Edited, Refused> {
        if !db::site::exists(conn, site)? {
            return Err(Refused::NoSite);
        }
        edit(load(conn, site, self.actor)?, doc, changes, now)
    }

    /// Makes the edits in the plan, all or none; with `overrule`, what the branch itself says at the same places is taken
    /// away. The caller holds `turn` until they are stored.
    pub fn roll_out(
        &self,
        conn: &Connection,
        site: &SiteId,
        (changes, overrule): (&[Change], bool),
        now: Millis,
    ) -> Result<Edited, Refused> {
        if !db::site::exists(conn, site)? {
            return Err(Refused::NoSite);
        }
        let mut documents = load(conn, site, self.actor)?;
        let made = planned(&mut documents, changes, overrule, now)?;
        Ok(Edited { site: site.clone(), changes: made, effective: Arc::new(effective(&documents)) })
    }

    /// Writes fields of documents, all or none, with a note for the history; an outage drill is ordered and called off by
    /// itself, and is left as it is. The caller holds `turn` until they are stored.
    pub fn restore(
        &self,
        conn: &Connection,
        site: &SiteId,
        fields: &[(Doc, Fields)],
        note: &str,
        now: Millis,
    ) -> Result<Edited, Refused> {
        if !db::site::exists(conn, site)? {
            return Err(Refused::NoSite);
        }
        let mut documents = load(conn, site, self.actor)?;
        let mut made = Vec::new();
        for (index, (doc, fields)) in fields.iter().enumerate() {
            let fields: Fields = fields.iter().filter(|(path, _)| path != config::DRILL_PATH).cloned().collect();
            let changes = documents.restore(*doc, &fields, Author::Centre, now);
            for bytes in changes.map_err(|error| Refused::Change { index, error })? {
                made.push((*doc, identified(bytes)?, note.to_owned()));
            }
        }
        Ok(Edited { site: site.clone(), changes: made, effective: Arc::new(effective(&documents)) })
    }

    /// The documents as they were here at a moment; None when there is no such site.
    pub fn at(&self, conn: &Connection, site: &SiteId, at: Millis) -> db::Result<Option<config::Documents>> {
        if !db::site::exists(conn, site)? {
            return Ok(None);
        }
        let read = |doc| change::until(conn, Of { site, doc }, at);
        build(site, self.actor, read).map(Some)
    }

    /// The documents as they are; None when there is no such site.
    pub fn present(&self, conn: &Connection, site: &SiteId) -> db::Result<Option<config::Documents>> {
        if !db::site::exists(conn, site)? {
            return Ok(None);
        }
        load(conn, site, self.actor).map(Some)
    }

    /// Everything that was ever written; None when there is no such site.
    pub fn histories(&self, conn: &Connection, site: &SiteId) -> db::Result<Option<Histories>> {
        if !db::site::exists(conn, site)? {
            return Ok(None);
        }
        let of = |doc| {
            let stored = change::all(conn, Of { site, doc })?;
            Ok::<_, db::Error>(History::read(doc, stored.into_iter().map(kept)))
        };
        Ok(Some(Histories { org: of(Doc::Org)?, site: of(Doc::Site)?, local: of(Doc::Local)? }))
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, BTreeMap<SiteId, (Heads, Arc<Effective>)>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Edited {
    /// In the history they are said to be a roll-out's.
    pub fn rolled_out(mut self, id: i64) -> Self {
        for (.., note) in &mut self.changes {
            if let Ok(mut told) = serde_json::from_str::<serde_json::Value>(note) {
                told["rollout"] = id.into();
                *note = told.to_string();
            }
        }
        self
    }

    /// How many edits changed something.
    pub fn count(&self) -> usize {
        self.changes.len()
    }

    /// The documents that were changed.
    pub fn docs(&self) -> BTreeSet<Doc> {
        self.changes.iter().map(|(doc, ..)| *doc).collect()
    }

    /// Stores the edits, each with what was edited for the history.
    pub fn store(&self, conn: &Connection, author: &str, now: Millis) -> db::Result<()> {
        for (doc, change, note) in &self.changes {
            let signed = change::Signed { author: author.to_owned(), note: note.clone(), at: now };
            change::add(conn, Of { site: &self.site, doc: *doc }, std::slice::from_ref(change), &signed)?;
        }
        Ok(())
    }
}

/// The documents of a site that does not exist yet.
pub fn draft(site: &SiteId, changes: &[Change], now: Millis) -> anyhow::Result<Result<Edited, Refused>> {
    Ok(edit(config::Documents::new(site.clone(), actor()?), Doc::Site, changes, now))
}

/// Edits of the plan, and of what the branch says in its way.
pub fn planned(
    documents: &mut config::Documents,
    changes: &[Change],
    overrule: bool,
    now: Millis,
) -> Result<Vec<Made>, Refused> {
    let mut made = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let refused = |error| Refused::Change { index, error };
        let note = serde_json::to_string(change).unwrap_or_default();
        if let Some(bytes) = documents.edit(Doc::Site, change, Author::Centre, now).map_err(refused)? {
            made.push((Doc::Site, identified(bytes)?, note.clone()));
        }
        if overrule {
            let fields = documents.overruled(change).map_err(refused)?;
            for bytes in documents.restore(Doc::Local, &fields, Author::Centre, now).map_err(refused)? {
                made.push((Doc::Local, identified(bytes)?, note.clone()));
            }
        }
    }
    Ok(made)
}

fn edit(mut documents: config::Documents, doc: Doc, changes: &[Change], now: Millis) -> Result<Edited, Refused> {
    let mut made = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        let bytes = documents.edit(doc, change, Author::Centre, now);
        let Some(bytes) = bytes.map_err(|error| Refused::Change { index, error })? else { continue };
        let note = serde_json::to_string(change).unwrap_or_default();
        made.push((doc, identified(bytes)?, note));
    }
    let effective = Arc::new(effective(&documents));
    Ok(Edited { site: documents.site_id().clone(), changes: made, effective })
}

fn identified(bytes: Vec<u8>) -> db::Result<change::Change> {
    let made = hub::identify(&bytes)
        .ok_or_else(|| db::Error::Corrupt { what: "a change made here", why: "it has no hash".into() })?;
    Ok(change::Change { hash: made.hash, deps: made.deps, bytes })
}

fn kept(stored: change::Stored) -> Kept {
    let change::Stored { seq, signed, bytes } = stored;
    // Who stored it is certain; what it says of itself is its writer's word.
    let side = if signed.author == BRANCH { Side::Branch } else { Side::Centre };
    let author = Some(signed.author).filter(|author| author != BRANCH);
    Kept { seq: seq.unsigned_abs(), bytes, side: Some(side), author, taken: Some(signed.at) }
}

fn actor() -> anyhow::Result<[u8; 16]> {
    let mut actor = [0; 16];
    aws_lc_rs::rand::fill(&mut actor).map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(actor)
}

fn load(conn: &Connection, site: &SiteId, actor: [u8; 16]) -> db::Result<config::Documents> {
    build(site, actor, |doc| {
        let changes = change::after(conn, Of { site, doc }, 0)?;
        Ok(changes.into_iter().map(|(_, change)| change.bytes).collect())
    })
}

fn build(
    site: &SiteId,
    actor: [u8; 16],
    read: impl Fn(Doc) -> db::Result<Vec<Vec<u8>>>,
) -> db::Result<config::Documents> {
    let mut documents = config::Documents::new(site.clone(), actor);
    for doc in DOCS {
        let changes = read(doc)?;
        documents
            .document_mut(doc)
            .load(changes.iter().map(Vec::as_slice))
            .map_err(|error| db::Error::Corrupt { what: "a configuration document", why: error.to_string() })?;
    }
    Ok(documents)
}

fn heads(conn: &Connection, site: &SiteId) -> db::Result<Heads> {
    let of = |doc| change::heads(conn, Of { site, doc });
    Ok([of(Doc::Org)?, of(Doc::Site)?, of(Doc::Local)?])
}

pub fn count(findings: &[Finding]) -> FindingCounts {
    let mut counts = FindingCounts::new();
    for finding in findings {
        *counts.entry(finding.severity).or_default() += 1;
    }
    counts
}
