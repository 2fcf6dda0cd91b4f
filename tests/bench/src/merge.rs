//! One site's documents in three replicas: the cloud, an honest box, and a box that lies. Under one seed they edit,
//! connect, lose the line in the middle of a message, and start again with nothing but what is durable; every message
//! is a frame of the protocol, encoded and decoded. In the end the honest box and the cloud meet, and it is judged
//! whether they agree, whether anybody wrote what is not theirs, and whether an edit vanished without a word.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, bail, ensure};
use automerge::{
    ActorId, Automerge, ROOT, ScalarValue,
    sync::{Message, State, SyncDoc},
    transaction::Transactable,
};
use bytes::Bytes;
use config::{Author, Documents, Effective, Peer, SyncState, effective};
use model::{
    HoursId, Millis, QueueId, SiteId,
    change::{Change, Doc, Problem},
    config::{Hours, Locality, Overflow, Queue},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use wire::frame::{self, Decoder, Frame};

const AT: Millis = Millis(1_760_000_000_000);
const DOCS: [Doc; 2] = [Doc::Site, Doc::Local];
const QUEUES: [&str; 2] = ["sales", "support"];
/// Messages that two replicas may need to come to rest.
const ROUNDS_MAX: usize = 400;

type Hash = [u8; 32];

/// What a run has seen, so that nobody takes an empty schedule for a proof.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub edits: u64,
    pub cuts: u64,
    pub restarts: u64,
    pub lies: u64,
    pub lies_refused: u64,
    pub concurrent: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Tally) {
        self.edits += other.edits;
        self.cuts += other.cuts;
        self.restarts += other.restarts;
        self.lies += other.lies;
        self.lies_refused += other.lies_refused;
        self.concurrent += other.concurrent;
    }
}

/// The plan that all replicas begin with, made once.
pub struct Plan {
    site: SiteId,
    changes: Vec<Vec<u8>>,
}

impl Plan {
    pub fn new() -> anyhow::Result<Self> {
        let site = SiteId::new("hangzhou")?;
        let mut documents = Documents::new(site.clone(), [250; 16]);
        let mut changes = Vec::new();
        let hours = Hours { label: "Office".into(), week: Vec::new(), closed: BTreeSet::new() };
        let mut plan = vec![
            Change::SiteLabel { label: "Hangzhou".into() },
            Change::HoursAdd { hours: HoursId::new("office")?, value: hours },
        ];
        for queue in QUEUES {
            plan.push(Change::QueueAdd { queue: QueueId::new(queue)?, value: Box::new(queue_value()?) });
        }
        for change in &plan {
            changes.extend(documents.edit(Doc::Site, change, Author::Centre, AT)?);
        }
        Ok(Self { site, changes })
    }
}

fn queue_value() -> anyhow::Result<Queue> {
    Ok(Queue {
        label: "Queue".into(),
        skills: BTreeMap::new(),
        music: "waltz".parse()?,
        position_every_s: 30,
        ring_s: 15,
        wrap_up_s: 20,
        service_level_s: 20,
        hours: Some(HoursId::new("office")?),
        recorded: true,
        recording: Default::default(),
        closed: false,
        routing: Default::default(),
        callback: Default::default(),
        dispositions: Default::default(),
        alerts: Default::default(),
        overflow: Overflow { locality: Locality::MayLeave, after_s: 45, to: Vec::new() },
    })
}

/// An edit of one number of one queue, and what its author knew.
struct Edit {
    hash: Hash,
    doc: Doc,
    path: String,
    value: u32,
    knew: BTreeSet<Hash>,
}

/// A replica with its durable log: what a restart leaves.
struct Replica {
    who: u8,
    lives: u8,
    documents: Documents,
    log: BTreeMap<Doc, Vec<Vec<u8>>>,
    has: BTreeSet<Hash>,
}

impl Replica {
    fn new(plan: &Plan, who: u8) -> anyhow::Result<Self> {
        let log = BTreeMap::from([(Doc::Site, plan.changes.clone()), (Doc::Local, Vec::new())]);
        let documents = Documents::new(plan.site.clone(), [who; 16]);
        let mut replica = Self { who, lives: 0, documents, log, has: BTreeSet::new() };
        replica.restart(plan)?;
        Ok(replica)
    }

    fn restart(&mut self, plan: &Plan) -> anyhow::Result<()> {
        self.lives += 1;
        let mut actor = [self.who; 16];
        actor[1] = self.lives;
        self.documents = Documents::new(plan.site.clone(), actor);
        for doc in DOCS {
            let log = self.log.get(&doc).map(Vec::as_slice).unwrap_or_default();
            self.documents.document_mut(doc).load(log.iter().map(Vec::as_slice))?;
        }
        Ok(())
    }

    fn keep(&mut self, doc: Doc, changes: Vec<Vec<u8>>) -> anyhow::Result<()> {
        for bytes in changes {
            self.has.insert(hash(&bytes)?);
            self.log.entry(doc).or_default().push(bytes);
        }
        Ok(())
    }
}

fn hash(bytes: &[u8]) -> anyhow::Result<Hash> {
    Ok(automerge::Change::try_from(bytes).map_err(|error| anyhow::anyhow!("{error}"))?.hash().0)
}

/// A link between the cloud and a box: frames on their way, and what each end knows of the other.
#[derive(Default)]
struct Link {
    up: bool,
    to_cloud: VecDeque<Vec<u8>>,
    to_box: VecDeque<Vec<u8>>,
    at_cloud: BTreeMap<Doc, SyncState>,
    at_box: BTreeMap<Doc, SyncState>,
    /// What the cloud does not listen to any more in this session.
    deaf: BTreeSet<Doc>,
}

/// The bare library with the true history, and whatever it likes to add.
struct Liar {
    documents: BTreeMap<Doc, (Automerge, State)>,
}

pub struct World<'p> {
    plan: &'p Plan,
    dice: ChaCha8Rng,
    cloud: Replica,
    edge: Replica,
    liar: Liar,
    /// To the honest box, to the liar.
    links: [Link; 2],
    /// The cloud's memory of a box over sessions, as its database has it.
    remembered: [BTreeMap<Doc, Vec<u8>>; 2],
    edits: Vec<Edit>,
    /// Everything that the cloud itself wrote into the site's document.
    centre: BTreeSet<Hash>,
    pub tally: Tally,
}

const EDGE: usize = 0;
const LIAR: usize = 1;

/// Runs one schedule to its end and judges it.
pub fn run(plan: &Plan, seed: u64, steps: u32) -> anyhow::Result<Tally> {
    let mut world = World::new(plan, seed)?;
    for _ in 0..steps {
        world.step()?;
    }
    world.heal()?;
    world.judge()?;
    Ok(world.tally)
}

impl<'p> World<'p> {
    fn new(plan: &'p Plan, seed: u64) -> anyhow::Result<Self> {
        let mut liar = Liar { documents: BTreeMap::new() };
        for (n, doc) in (0..).zip(DOCS) {
            let automerge = Automerge::new().with_actor(ActorId::from([90_u8 + n; 16]));
            liar.documents.insert(doc, (automerge, State::new()));
        }
        let centre = plan.changes.iter().map(|bytes| hash(bytes)).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            plan,
            dice: ChaCha8Rng::seed_from_u64(seed),
            cloud: Replica::new(plan, 1)?,
            edge: Replica::new(plan, 2)?,
            liar,
            links: [Link::default(), Link::default()],
            remembered: [BTreeMap::new(), BTreeMap::new()],
            edits: Vec::new(),
            centre,
            tally: Tally::default(),
        })
    }

    fn below(&mut self, n: u64) -> u64 {
        self.dice.next_u64() % n
    }

    fn step(&mut self) -> anyhow::Result<()> {
        let which = if self.below(3) == 0 { LIAR } else { EDGE };
        match self.below(20) {
            0..=2 => self.edit(true)?,
            3..=5 => self.edit(false)?,
            6..=8 => self.lie()?,
            9 | 10 if self.links[which].up => self.cut(which),
            9..=11 => self.connect(which),
            12 => {
                self.tally.restarts += 1;
                (0..2).for_each(|link| self.cut(link));
                self.cloud.restart(self.plan)?;
            }
            13 => {
                self.tally.restarts += 1;
                self.cut(EDGE);
                self.edge.restart(self.plan)?;
            }
            _ => drop(self.deliver(which)?),
        }
        Ok(())
    }

    /// One number of one queue, in a document that the author may write.
    fn edit(&mut self, centre: bool) -> anyhow::Result<()> {
        let queue = QueueId::new(QUEUES[self.below(2) as usize])?;
        let doc = if centre && self.below(2) == 0 { Doc::Site } else { Doc::Local };
        let seconds = 5 + self.below(200) as u32;
        let (field, change) = match self.below(3) {
            0 => ("ring_s", Change::QueueRing { queue: queue.clone(), seconds }),
            1 => ("wrap_up_s", Change::QueueWrapUp { queue: queue.clone(), seconds }),
            _ => ("service_level_s", Change::QueueServiceLevel { queue: queue.clone(), seconds }),
        };
        let (author, replica) =
            if centre { (Author::Centre, &mut self.cloud) } else { (Author::Branch, &mut self.edge) };
        let Some(bytes) = replica.documents.edit(doc, &change, author, AT)? else { return Ok(()) };
        let (knew, id) = (replica.has.clone(), hash(&bytes)?);
        replica.keep(doc, vec![bytes])?;
        if doc == Doc::Site {
            self.centre.insert(id);
        }
        self.tally.edits += 1;
        self.edits.push(Edit { hash: id, doc, path: format!("queues/{queue}/{field}"), value: seconds, knew });
        let links: &[usize] = if centre { &[EDGE, LIAR] } else { &[EDGE] };
        for link in links {
            if centre {
                self.cloud_speaks(*link, doc)?;
            } else {
                self.edge_speaks(doc)?;
            }
        }
        Ok(())
    }

    /// The third replica writes what it may not, or what is not a message, and says so to the cloud.
    fn lie(&mut self) -> anyhow::Result<()> {
        self.tally.lies += 1;
        // A lie wants to be heard: the liar connects, and what it says arrives at once.
        if !self.links[LIAR].up {
            self.connect(LIAR);
        }
        let doc = if self.below(2) == 0 { Doc::Site } else { Doc::Local };
        let choice = self.below(6);
        let noise: Vec<u8> = (0..self.below(80)).map(|_| self.dice.next_u64() as u8).collect();
        let Some((automerge, state)) = self.liar.documents.get_mut(&doc) else { return Ok(()) };
        let mut transaction = automerge.transaction();
        let wrote = match choice {
            0 => transaction.put(ROOT, "trunks/evil/is", true),
            1 => transaction.put(ROOT, "numbers/110", "evil"),
            2 => transaction.put(ROOT, "site/label", "Evil"),
            3 => transaction.put(ROOT, "queues/sales/label", "Evil"),
            4 => transaction.put(ROOT, "queues/sales/recorded", ScalarValue::Boolean(false)),
            _ => Ok(()),
        };
        wrote.map_err(|error| anyhow::anyhow!("{error}"))?;
        transaction.commit();
        let bytes = match choice {
            5 => Some(noise),
            // As the protocol has it: told of, and sent when it is asked for.
            0 | 1 => automerge.generate_sync_message(state).map(Message::encode),
            // Thrown at the cloud, unasked.
            _ => automerge.generate_sync_message(&mut State::new()).map(|mut message| {
                let all: Vec<Vec<u8>> =
                    automerge.get_changes(&[]).iter().map(|change| change.raw_bytes().to_vec()).collect();
                message.changes = all.into();
                message.encode()
            }),
        };
        if let Some(bytes) = bytes {
            let frame = frame::encode(&Frame::Config { doc, bytes: bytes.into() })?;
            self.links[LIAR].to_cloud.push_back(frame);
        }
        for _ in 0..ROUNDS_MAX {
            if self.links[LIAR].to_cloud.is_empty() {
                break;
            }
            self.deliver(LIAR)?;
        }
        Ok(())
    }

    /// What was on its way is gone, and so is what the ends knew of one another but for what the cloud wrote down.
    fn cut(&mut self, which: usize) {
        if std::mem::take(&mut self.links[which]).up {
            self.tally.cuts += 1;
        }
    }

    fn connect(&mut self, which: usize) {
        let mut link = Link { up: true, ..Link::default() };
        for doc in DOCS {
            let at_cloud = match self.remembered[which].get(&doc) {
                Some(bytes) => self.cloud.documents.document(doc).sync_resume(Peer::Box, bytes),
                None => self.cloud.documents.document(doc).sync_begin(Peer::Box),
            };
            link.at_cloud.insert(doc, at_cloud);
            link.at_box.insert(doc, self.edge.documents.document(doc).sync_begin(Peer::Cloud));
        }
        self.links[which] = link;
        if which == LIAR {
            for (_, state) in self.liar.documents.values_mut() {
                *state = State::new();
            }
        }
        for doc in DOCS {
            // Nothing here can fail: frames of documents of this size are encoded.
            let _ = self.cloud_speaks(which, doc);
            if which == EDGE {
                let _ = self.edge_speaks(doc);
            } else {
                self.liar_speaks(doc);
            }
        }
    }

    fn cloud_speaks(&mut self, which: usize, doc: Doc) -> anyhow::Result<()> {
        let link = &mut self.links[which];
        if !link.up || link.deaf.contains(&doc) {
            return Ok(());
        }
        let Some(state) = link.at_cloud.get_mut(&doc) else { return Ok(()) };
        while let Some(bytes) = self.cloud.documents.document(doc).generate(state) {
            link.to_box.push_back(frame::encode(&Frame::Config { doc, bytes: bytes.into() })?);
        }
        Ok(())
    }

    fn edge_speaks(&mut self, doc: Doc) -> anyhow::Result<()> {
        let link = &mut self.links[EDGE];
        if !link.up {
            return Ok(());
        }
        let Some(state) = link.at_box.get_mut(&doc) else { return Ok(()) };
        while let Some(bytes) = self.edge.documents.document(doc).generate(state) {
            link.to_cloud.push_back(frame::encode(&Frame::Config { doc, bytes: bytes.into() })?);
        }
        Ok(())
    }

    fn liar_speaks(&mut self, doc: Doc) {
        let Some((automerge, state)) = self.liar.documents.get_mut(&doc) else { return };
        let Some(message) = automerge.generate_sync_message(state) else { return };
        if let Ok(frame) = frame::encode(&Frame::Config { doc, bytes: message.encode().into() }) {
            self.links[LIAR].to_cloud.push_back(frame);
        }
    }

    /// The oldest frame of one way or the other arrives. False when there is none.
    fn deliver(&mut self, which: usize) -> anyhow::Result<bool> {
        let cloudwards = self.below(2) == 0;
        for cloudwards in [cloudwards, !cloudwards] {
            let link = &mut self.links[which];
            let queue = if cloudwards { &mut link.to_cloud } else { &mut link.to_box };
            let Some(bytes) = queue.pop_front() else { continue };
            let mut decoder = Decoder::default();
            decoder.push(&bytes);
            let Some(Frame::Config { doc, bytes }) = decoder.next_frame()? else {
                bail!("not the frame that was sent")
            };
            match (cloudwards, which) {
                (true, _) => self.at_cloud(which, doc, &bytes)?,
                (false, EDGE) => self.at_edge(doc, &bytes)?,
                (false, _) => self.at_liar(doc, &bytes),
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn at_cloud(&mut self, which: usize, doc: Doc, bytes: &Bytes) -> anyhow::Result<()> {
        let link = &mut self.links[which];
        if link.deaf.contains(&doc) {
            return Ok(());
        }
        let Some(state) = link.at_cloud.get_mut(&doc) else { return Ok(()) };
        let fresh = match self.cloud.documents.document_mut(doc).receive(state, bytes) {
            Ok(fresh) => fresh,
            Err(error) => {
                ensure!(which == LIAR, "the cloud refused the honest box: {error}");
                self.tally.lies_refused += 1;
                link.deaf.insert(doc);
                return Ok(());
            }
        };
        self.remembered[which].insert(doc, state.encode());
        let told = !fresh.is_empty();
        self.cloud.keep(doc, fresh)?;
        self.cloud_speaks(which, doc)?;
        if told { self.cloud_speaks(1 - which, doc) } else { Ok(()) }
    }

    fn at_edge(&mut self, doc: Doc, bytes: &Bytes) -> anyhow::Result<()> {
        let Some(state) = self.links[EDGE].at_box.get_mut(&doc) else { return Ok(()) };
        let fresh = self.edge.documents.document_mut(doc).receive(state, bytes);
        self.edge.keep(doc, fresh.context("the box refused the cloud")?)?;
        self.edge_speaks(doc)
    }

    fn at_liar(&mut self, doc: Doc, bytes: &Bytes) {
        let Some((automerge, state)) = self.liar.documents.get_mut(&doc) else { return };
        if let Ok(message) = Message::decode(bytes) {
            let _ = automerge.receive_sync_message(state, message);
            state.their_capabilities = None;
        }
        self.liar_speaks(doc);
    }

    /// The honest box and the cloud meet, and speak until both are silent.
    fn heal(&mut self) -> anyhow::Result<()> {
        self.cut(LIAR);
        self.cut(EDGE);
        self.connect(EDGE);
        for _ in 0..ROUNDS_MAX {
            if !self.deliver(EDGE)? {
                return Ok(());
            }
        }
        bail!("the replicas do not come to rest")
    }

    fn judge(&mut self) -> anyhow::Result<()> {
        let (cloud, edge) = (effective(&self.cloud.documents), effective(&self.edge.documents));
        for doc in DOCS {
            let heads = [&self.cloud, &self.edge].map(|replica| replica.documents.document(doc).heads());
            ensure!(heads[0] == heads[1], "divergence: the heads of {doc:?} are {heads:?}");
        }
        ensure!(cloud == edge, "divergence: the same heads mean different things");
        self.nobody_elses_writes(&cloud)?;
        for n in 0..self.edits.len() {
            self.kept_or_told(n, &cloud)?;
        }
        Ok(())
    }

    fn nobody_elses_writes(&self, found: &Effective) -> anyhow::Result<()> {
        for bytes in self.cloud.log.get(&Doc::Site).into_iter().flatten() {
            ensure!(self.centre.contains(&hash(bytes)?), "a foreign write in the site's document");
        }
        let mut planned = Documents::new(self.plan.site.clone(), [9; 16]);
        let log = self.cloud.log.get(&Doc::Site).map(Vec::as_slice).unwrap_or_default();
        planned.site.load(log.iter().map(Vec::as_slice))?;
        let (planned, found) = (effective(&planned).config, &found.config);
        ensure!(found.site == planned.site, "a foreign write: the site is {:?}", found.site);
        ensure!(found.trunks == planned.trunks && found.numbers == planned.numbers, "a foreign trunk or number");
        for (id, queue) in &found.queues {
            let plan = planned.queues.get(id).context("a foreign queue")?;
            ensure!((&queue.label, queue.recorded) == (&plan.label, plan.recorded), "a foreign write to queue {id}");
        }
        Ok(())
    }

    /// An edit is in force, was replaced by somebody who knew it, or stands in a finding.
    fn kept_or_told(&mut self, n: usize, found: &Effective) -> anyhow::Result<()> {
        let Some(edit) = self.edits.get(n) else { return Ok(()) };
        ensure!(self.cloud.has.contains(&edit.hash) && self.edge.has.contains(&edit.hash), "an edit is not everywhere");
        let rivals = |other: &&Edit| other.doc == edit.doc && other.path == edit.path && other.hash != edit.hash;
        if self.edits.iter().filter(rivals).any(|other| other.knew.contains(&edit.hash)) {
            return Ok(());
        }
        let value = edit.value.to_string();
        let told = found.findings.iter().any(|finding| match &finding.problem {
            Problem::Concurrent { kept, dropped } => {
                finding.path == edit.path && (*kept == value || dropped.contains(&value))
            }
            _ => false,
        });
        if told {
            self.tally.concurrent += 1;
            return Ok(());
        }
        // The branch's document speaks after the centre's plan: that is a rule, not a loss.
        let local = |other: &&Edit| other.doc == Doc::Local && other.path == edit.path;
        if edit.doc == Doc::Site && self.edits.iter().any(|other| local(&other)) {
            return Ok(());
        }
        let mut parts = edit.path.split('/').skip(1);
        let queue = QueueId::new(parts.next().context("a queue")?)?;
        let queue = found.config.queues.get(&queue).context("the queue is gone")?;
        let stands = match parts.next() {
            Some("ring_s") => queue.ring_s,
            Some("wrap_up_s") => queue.wrap_up_s,
            _ => queue.service_level_s,
        };
        ensure!(stands == edit.value, "lost without a word: {} = {value}, {stands} stands", edit.path);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_schedule_of_edits_partitions_restarts_and_lies_ends_in_one_configuration() {
        let plan = Plan::new().unwrap();
        let mut all = Tally::default();
        for seed in 0..100 {
            match run(&plan, seed, 60) {
                Ok(tally) => all.add(&tally),
                Err(error) => panic!("seed {seed}: {error:#}"),
            }
        }
        assert!(all.edits > 500 && all.cuts > 100 && all.restarts > 100 && all.concurrent > 50, "{all:?}");
        assert!(all.lies > 100 && all.lies_refused > 10, "{all:?}");
    }
}
