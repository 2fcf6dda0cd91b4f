//! The shell of the cloud: its ends of the sessions over its database. What the hub of the daemon does with tasks and
//! orders is done here one thing after another.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use config::{Author, Document, Documents, Peer as Who, SyncState};
use db::{Db, change, change::Of, ingest};
use model::{
    Epoch, Millis, OverflowId, SiteId,
    change::{Change, Doc},
    leaving::Leaving,
    overflow::{Kind, Refusal, Signal},
};
use wire::{
    frame::{self, Decoder, Frame, Hello, Reason, Refuse, Versions},
    outbox::Row,
    session::{
        CloudEnd, Peer,
        at_cloud::{Input, Output},
    },
};

use crate::{
    branch::serde_text,
    dice::{self, Dice},
    event::Event,
    plan::Fault,
    settings::DOCS,
    stage::Stage,
    sync::refusal,
    town::{SIDES, Side},
    wan::{Parcel, Way, without_ids},
};

const ANSWERS_MAX: usize = 64;

pub struct Cloud {
    path: PathBuf,
    /// None while the process is down.
    pub db: Option<Db>,
    pub process: u32,
    sessions: BTreeMap<Side, Session>,
    /// Batches that the database was given and has not answered.
    storing: VecDeque<Storing>,
    /// Which two sites an overflow call is between.
    calls: BTreeMap<OverflowId, (Side, Side)>,
    /// Rows that took effect, counted by the observer: it is no part of the cloud and survives it.
    pub effects: BTreeMap<(Side, Epoch, u64), u32>,
    /// Starts of the intervals for which such rows speak, likewise.
    pub arrived: BTreeMap<Side, BTreeSet<i64>>,
    dice: Dice,
}

struct Session {
    attempt: u32,
    end: CloudEnd,
    decoder: Decoder,
    replicas: BTreeMap<Doc, Replica>,
}

struct Replica {
    document: Document,
    after: i64,
    state: SyncState,
}

struct Storing {
    side: Side,
    attempt: u32,
    epoch: Epoch,
    rows: Vec<Row>,
}

impl Cloud {
    /// With its sites and boxes, and the plans of both.
    pub fn found(dir: &Path, seed: u64, plans: BTreeMap<Side, Vec<Vec<u8>>>) -> anyhow::Result<Self> {
        let path = dir.join("cloud.db");
        let db = Db::open(&path)?;
        db.write_blocking(move |conn| -> db::Result<()> {
            let now = crate::clock::MORNING;
            for (side, plan) in plans {
                let site = side.site();
                db::site::add(conn, &site, now)?;
                db::boxes::add(conn, side.box_id(), &site, now)?;
                keep(conn, &site, Doc::Site, &plan, "founder", now)?;
            }
            Ok(())
        })?;
        Ok(Self {
            path,
            db: Some(db),
            process: 1,
            sessions: BTreeMap::new(),
            storing: VecDeque::new(),
            calls: BTreeMap::new(),
            effects: BTreeMap::new(),
            arrived: BTreeMap::new(),
            dice: Dice::new(seed, "cloud"),
        })
    }

    fn db(&self) -> anyhow::Result<&Db> {
        self.db.as_ref().context("the cloud is down")
    }

    /// The process dies. A batch that is with the database may become durable all the same.
    pub fn die(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        for storing in std::mem::take(&mut self.storing) {
            if self.dice.chance(0.5) {
                self.ingest(stage, &storing)?;
            }
        }
        (self.db, stage.cloud_up) = (None, false);
        self.sessions.clear();
        self.calls.clear();
        stage.journal.say(stage.clock.passed(), "cloud", "the cloud dies");
        stage.path_breaks(true);
        Ok(())
    }

    pub fn begin(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        self.process += 1;
        self.db = Some(Db::open(&self.path)?);
        stage.cloud_up = true;
        stage.journal.say(stage.clock.passed(), "cloud", "the cloud begins");
        Ok(())
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sessions.values().filter_map(|session| session.end.poll_timeout()).min()
    }

    pub fn timeout(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        for side in SIDES {
            if let Some(session) = self.sessions.get_mut(&side) {
                session.end.handle_timeout(stage.clock.now());
                self.obey(stage, side)?;
            }
        }
        Ok(())
    }

    /// A box connects; an older connection of the same box is forgotten.
    pub fn connected(&mut self, stage: &Stage, side: Side, attempt: u32) {
        let peer = Peer { box_id: side.box_id(), site: side.site() };
        let end = CloudEnd::new(stage.clock.now(), stage.clock.wall(), peer, Versions::OURS);
        let session = Session { attempt, end, decoder: Decoder::default(), replicas: BTreeMap::new() };
        self.sessions.insert(side, session);
    }

    pub fn broken(&mut self, side: Side, attempt: u32) {
        if self.sessions.get(&side).is_some_and(|session| session.attempt == attempt) {
            self.sessions.remove(&side);
        }
    }

    pub fn received(&mut self, stage: &mut Stage, side: Side, attempt: u32, bytes: &Bytes) -> anyhow::Result<()> {
        let Some(session) = self.sessions.get_mut(&side).filter(|session| session.attempt == attempt) else {
            return Ok(());
        };
        session.decoder.push(bytes);
        while let Some(session) = self.sessions.get_mut(&side) {
            let Some(frame) = session.decoder.next_frame().context("a frame of a box")? else { break };
            session.end.handle_input(stage.clock.now(), Input::Frame(frame));
            self.obey(stage, side)?;
        }
        Ok(())
    }

    fn input(&mut self, stage: &Stage, side: Side, input: Input) {
        if let Some(session) = self.sessions.get_mut(&side) {
            session.end.handle_input(stage.clock.now(), input);
        }
    }

    fn obey(&mut self, stage: &mut Stage, side: Side) -> anyhow::Result<()> {
        while let Some(output) = self.sessions.get_mut(&side).and_then(|session| session.end.poll_output()) {
            match output {
                Output::Send(frame) => self.send(stage, side, &frame)?,
                Output::Admit(hello) => {
                    let admitted = self.admit(side, &hello)?;
                    self.input(stage, side, admitted);
                }
                Output::Store { epoch, rows } => {
                    let attempt = self.sessions.get(&side).map_or(0, |session| session.attempt);
                    self.storing.push_back(Storing { side, attempt, epoch, rows });
                    let wait = self.dice.between(Duration::from_millis(2), Duration::from_millis(80));
                    stage.later(wait, Event::Stored { process: self.process });
                }
                Output::Config { doc, bytes } => self.config(stage, side, doc, Some(&bytes))?,
                Output::Signal(signal) => self.signal(stage, side, signal)?,
                Output::Close(end) => {
                    let text = without_ids(&format!("the cloud ends {}'s session: {end:?}", side.name()));
                    stage.journal.say(stage.clock.passed(), "cloud", &text);
                    self.sessions.remove(&side);
                }
                // The town's boxes make no checkpoints.
                Output::Checkpoint(_) => {}
                Output::Renew { .. } | Output::Seen { .. } => {}
            }
        }
        Ok(())
    }

    fn send(&mut self, stage: &mut Stage, side: Side, frame: &Frame) -> anyhow::Result<()> {
        let attempt = self.sessions.get(&side).map_or(0, |session| session.attempt);
        stage.transmit(Parcel { side, attempt, way: Way::ToBox, bytes: frame::encode(frame)?.into() });
        Ok(())
    }

    fn admit(&self, side: Side, hello: &Hello) -> anyhow::Result<Input> {
        let (site, epoch) = (side.site(), hello.epoch);
        let answer = self.db()?.read_blocking(|conn| -> db::Result<_> {
            let Some(device) = db::boxes::one(conn, side.box_id())? else { return Ok(None) };
            let mut heads = Vec::new();
            for doc in DOCS {
                let mut ours = change::heads(conn, Of { site: &device.site, doc })?;
                if ours.is_empty() {
                    // An empty document has the first change that all replicas make alike.
                    ours = Document::new(doc, &site, [0; 16]).heads().0.into_iter().collect();
                }
                heads.push((doc, ours));
            }
            Ok(Some((ingest::watermark(conn, side.box_id(), epoch)?, heads)))
        })?;
        let Some((watermark, heads)) = answer else {
            return Ok(Input::Refused(Refuse { reason: Reason::Identity, retry_after_ms: 0 }));
        };
        let differ = |(doc, ours): &(Doc, std::collections::BTreeSet<[u8; 32]>)| {
            hello.heads.iter().find(|theirs| theirs.doc == *doc).is_none_or(|theirs| theirs.heads != *ours)
        };
        let sync = heads.iter().filter(|entry| differ(entry)).map(|(doc, _)| *doc).collect();
        Ok(Input::Admitted { watermark, sync })
    }

    /// The database has the oldest batch, and its session hears so if there still is one.
    pub fn stored(&mut self, stage: &mut Stage, process: u32) -> anyhow::Result<()> {
        if process != self.process || self.db.is_none() {
            return Ok(());
        }
        let Some(storing) = self.storing.pop_front() else { return Ok(()) };
        let watermark = self.ingest(stage, &storing)?;
        let side = storing.side;
        if self.sessions.get(&side).is_some_and(|session| session.attempt == storing.attempt) {
            let input = match watermark {
                Some(watermark) => Input::Stored { watermark },
                None => Input::Refused(Refuse { reason: Reason::Unavailable, retry_after_ms: 5_000 }),
            };
            self.input(stage, side, input);
            self.obey(stage, side)?;
        }
        Ok(())
    }

    /// None: the rows do not follow what the database has.
    fn ingest(&mut self, stage: &mut Stage, storing: &Storing) -> anyhow::Result<Option<u64>> {
        let Some(first) = storing.rows.first().map(|row| row.seq) else { return Ok(None) };
        let (side, epoch, now) = (storing.side, storing.epoch, stage.clock.wall());
        let rows = storing.rows.iter().map(|row| ingest::decode(row.kind, &row.body)).collect();
        let batch = ingest::Batch { box_id: side.box_id(), site: side.site(), epoch, first, rows };
        let twice = stage.plan.has(Fault::RowsTakenTwice);
        let db = self.db()?.clone();
        for _ in 0..if twice { 2 } else { 1 } {
            if twice {
                db.write_blocking(|conn| -> db::Result<()> { conn.execute("DELETE FROM watermark", &[]).map(drop) })?;
            }
            let batch = if twice { ingest::Batch { first: 1, ..batch.clone() } } else { batch.clone() };
            let taken = match db.write_blocking(move |conn| ingest::take(conn, &batch, now)) {
                Ok(taken) => taken,
                Err(error) => {
                    let text = format!("rows of {} are not taken: {error}", side.name());
                    stage.journal.violation(stage.clock.passed(), text);
                    return Ok(None);
                }
            };
            for seq in taken.watermark - taken.fresh + 1..=taken.watermark {
                *self.effects.entry((side, epoch, seq)).or_default() += 1;
                let row = storing.rows.iter().find(|row| row.seq == seq);
                if let Some(Leaving::Closed(closed)) = row.and_then(|row| gate::decode(&row.body).ok()) {
                    let step = usize::try_from(closed.length_s)? * 1_000;
                    self.arrived.entry(side).or_default().extend((closed.from.0..closed.until.0).step_by(step));
                }
            }
            if !twice {
                return Ok(Some(taken.watermark));
            }
        }
        Ok(storing.rows.last().map(|row| row.seq))
    }

    /// Answers a message of a box, or speaks first when there is none.
    fn config(&mut self, stage: &mut Stage, side: Side, doc: Doc, message: Option<&[u8]>) -> anyhow::Result<()> {
        self.refresh(stage, side, doc)?;
        let db = self.db()?.clone();
        let Some(replica) = self.sessions.get_mut(&side).and_then(|session| session.replicas.get_mut(&doc)) else {
            return Ok(());
        };
        if let Some(message) = message {
            match replica.document.receive(&mut replica.state, message) {
                Ok(fresh) => {
                    let (state, site, now) = (replica.state.encode(), side.site(), stage.clock.wall());
                    db.write_blocking(move |conn| -> db::Result<()> {
                        keep(conn, &site, doc, &fresh, "box", now)?;
                        db::sync_state::keep(conn, side.box_id(), doc, &state, now)
                    })?;
                }
                Err(error) => {
                    let text = format!("a configuration message of {} is refused: {error}", side.name());
                    stage.journal.violation(stage.clock.passed(), text);
                    return Ok(());
                }
            }
        }
        let mut answers = Vec::new();
        while let Some(bytes) = replica.document.generate(&mut replica.state).filter(|_| answers.len() < ANSWERS_MAX) {
            answers.push(bytes);
        }
        for bytes in answers {
            self.input(stage, side, Input::Config { doc, bytes: bytes.into() });
        }
        Ok(())
    }

    /// The session's replica has what the database has.
    fn refresh(&mut self, stage: &Stage, side: Side, doc: Doc) -> anyhow::Result<()> {
        let db = self.db()?.clone();
        let Some(session) = self.sessions.get_mut(&side) else { return Ok(()) };
        let site = side.site();
        if !session.replicas.contains_key(&doc) {
            let name = format!("replica of {} {doc:?} {}", side.name(), session.attempt);
            let actor = dice::seed(stage.plan.seed, &name);
            let document = Document::new(doc, &site, actor[..16].try_into()?);
            let kept = db.read_blocking(|conn| db::sync_state::read(conn, side.box_id(), doc))?;
            let state = match kept {
                Some(bytes) => document.sync_resume(Who::Box, &bytes),
                None => document.sync_begin(Who::Box),
            };
            session.replicas.insert(doc, Replica { document, after: 0, state });
        }
        let Some(replica) = session.replicas.get_mut(&doc) else { return Ok(()) };
        let after = replica.after;
        let kept = db.read_blocking(|conn| change::after(conn, Of { site: &site, doc }, after))?;
        replica.document.load(kept.iter().map(|(_, change)| change.bytes.as_slice()))?;
        replica.after = kept.last().map_or(after, |(place, _)| *place);
        Ok(())
    }

    /// Somebody edits at the console.
    pub fn edit(&mut self, stage: &mut Stage, side: Side, doc: Doc, edit: &Change) -> anyhow::Result<()> {
        if self.db.is_none() {
            return Ok(());
        }
        let mut documents = self.documents(side, stage.plan.seed, &format!("console {}", self.process))?;
        let now = stage.clock.wall();
        match documents.edit(doc, edit, Author::Centre, now) {
            Ok(Some(bytes)) => {
                let text = format!("the centre edits {} of {}: {}", name(doc), side.name(), serde_text(edit));
                stage.journal.say(stage.clock.passed(), "cloud", &text);
                let site = side.site();
                self.db()?.write_blocking(move |conn| keep(conn, &site, doc, &[bytes], "console", now))?;
                if self.sessions.get(&side).is_some_and(|session| session.end.is_linked())
                    && !stage.plan.has(Fault::EditsKeptBack)
                {
                    self.config(stage, side, doc, None)?;
                    self.obey(stage, side)?;
                }
            }
            Ok(None) => {}
            Err(error) => {
                let text = format!("the centre may not edit {}: {error}", serde_text(edit));
                stage.journal.say(stage.clock.passed(), "cloud", &text);
            }
        }
        Ok(())
    }

    /// A site's documents as the database has them.
    pub fn documents(&self, side: Side, seed: u64, who: &str) -> anyhow::Result<Documents> {
        let actor = dice::seed(seed, &format!("{who} of {}", side.name()));
        let site = side.site();
        let mut documents = Documents::new(site.clone(), actor[..16].try_into()?);
        for doc in DOCS {
            let kept = self.db()?.read_blocking(|conn| change::after(conn, Of { site: &site, doc }, 0))?;
            documents.document_mut(doc).load(kept.iter().map(|(_, change)| change.bytes.as_slice()))?;
        }
        Ok(documents)
    }

    fn signal(&mut self, stage: &mut Stage, from: Side, signal: Signal) -> anyhow::Result<()> {
        match self.route(from, &signal) {
            Some(to) => {
                self.input(stage, to, Input::Signal(signal));
                self.obey(stage, to)?;
            }
            None if !matches!(signal.kind, Kind::End | Kind::Refuse { .. }) => {
                self.input(stage, from, Input::Signal(refusal(&signal, Refusal::NotLinked)));
            }
            None => {}
        }
        Ok(())
    }

    fn route(&mut self, from: Side, signal: &Signal) -> Option<Side> {
        let to = match signal.kind {
            Kind::Offer { .. } => {
                let to = Side::of(&signal.to).filter(|to| *to != from)?;
                self.sessions.get(&to).filter(|session| session.end.is_linked())?;
                self.calls.insert(signal.overflow, (from, to));
                to
            }
            _ => match *self.calls.get(&signal.overflow)? {
                (origin, helper) if origin == from => helper,
                (origin, helper) if helper == from => origin,
                _ => return None,
            },
        };
        if matches!(signal.kind, Kind::End | Kind::Refuse { .. }) {
            self.calls.remove(&signal.overflow);
        }
        self.sessions.get(&to).filter(|session| session.end.is_linked()).map(|_| to)
    }
}

fn name(doc: Doc) -> &'static str {
    match doc {
        Doc::Org => "the organisation's document",
        Doc::Site => "the site's document",
        Doc::Local => "the local document",
    }
}

/// Stores encoded changes with their hashes and what they build on.
fn keep(
    conn: &db::Connection,
    site: &SiteId,
    doc: Doc,
    encoded: &[Vec<u8>],
    author: &str,
    at: Millis,
) -> db::Result<()> {
    let parsed: Vec<change::Change> = encoded
        .iter()
        .filter_map(|bytes| {
            let known = automerge::Change::try_from(bytes.as_slice()).ok()?;
            let deps = known.deps().iter().map(|dep| dep.0).collect();
            Some(change::Change { hash: known.hash().0, deps, bytes: bytes.clone() })
        })
        .collect();
    let signed = change::Signed { author: author.into(), note: String::new(), at };
    change::add(conn, Of { site, doc }, &parsed, &signed)?;
    Ok(())
}
