//! Boxes without a floor: each links, keeps its documents in step, and comes back when the link is gone.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::bail;
use config::{Document, Peer as Who, SyncState};
use link::client::{Client, Control};
use model::{Epoch, Millis, SiteId, change::Doc};
use wire::{
    backoff::{self, Backoff},
    frame::{self, Frame, Heads, Hello, Versions},
    session::{
        BoxEnd, Peer,
        at_box::{Input, Output},
    },
};

use crate::{Shared, ground::Ground};

const SOCKETS: usize = 16;
const DOCS: [Doc; 3] = [Doc::Org, Doc::Site, Doc::Local];

#[derive(Default)]
pub struct Tally {
    pub linked: AtomicUsize,
    failed: AtomicU64,
    /// Sessions that have ended.
    ended: AtomicUsize,
    pub config_bytes: AtomicU64,
    edited: Mutex<BTreeMap<SiteId, Instant>>,
    /// When a document first changed at each box.
    arrived: Mutex<Vec<(SiteId, Instant)>>,
}

pub struct Fleet {
    tally: Shared<Tally>,
    boxes: Vec<Arc<SimBox>>,
    sockets: Vec<quinn::Endpoint>,
}

struct SimBox {
    client: Client,
    peer: Peer,
}

impl std::ops::Deref for Fleet {
    type Target = Tally;

    fn deref(&self) -> &Tally {
        &self.tally
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    pub fn gather(ground: &Ground) -> anyhow::Result<Self> {
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let sockets = (0..SOCKETS).map(|_| quinn::Endpoint::client(any)).collect::<Result<Vec<_>, _>>()?;
        let sim = |identity: &link::identity::Identity| -> anyhow::Result<Arc<SimBox>> {
            Ok(Arc::new(SimBox { client: Client::new(&ground.link, identity)?, peer: identity.peer.clone() }))
        };
        let boxes = ground.boxes.iter().map(sim).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { tally: Arc::default(), boxes, sockets })
    }

    pub fn start(&self) {
        for (sim, socket) in self.boxes.iter().zip(self.sockets.iter().cycle()) {
            tokio::spawn(live(sim.clone(), socket.clone(), self.tally.clone()));
        }
    }

    pub fn failed(&self) -> u64 {
        self.failed.load(Relaxed)
    }

    pub async fn linked(&self, boxes: usize, patience: Duration) -> anyhow::Result<()> {
        until("boxes linked", patience, || (self.linked.load(Relaxed), boxes)).await
    }

    /// Until every session of the cloud that was killed has ended.
    pub async fn lost(&self, patience: Duration) -> anyhow::Result<()> {
        until("sessions ended", patience, || (self.ended.load(Relaxed), self.boxes.len())).await
    }

    pub fn forget(&self) {
        lock(&self.arrived).clear();
        lock(&self.edited).clear();
        self.config_bytes.store(0, Relaxed);
    }

    pub fn edited(&self, site: &SiteId, at: Instant) {
        lock(&self.edited).insert(site.clone(), at);
    }

    pub async fn configured(&self, boxes: usize, patience: Duration) -> anyhow::Result<()> {
        until("boxes configured", patience, || (lock(&self.arrived).len(), boxes)).await
    }

    /// Milliseconds from the edit to the box: the middle, the 99th of a hundred, the last.
    pub fn delays(&self) -> (f64, f64, f64) {
        let edited = lock(&self.edited);
        let mut all: Vec<f64> = lock(&self.arrived)
            .iter()
            .filter_map(|(site, at)| Some(at.saturating_duration_since(*edited.get(site)?).as_secs_f64() * 1e3))
            .collect();
        all.sort_by(f64::total_cmp);
        let at = |share: usize| all.get((all.len().saturating_sub(1)) * share / 100).copied().unwrap_or(f64::NAN);
        (at(50), at(99), at(100))
    }
}

async fn until(what: &str, patience: Duration, look: impl Fn() -> (usize, usize)) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let (found, wanted) = look();
        if found >= wanted {
            return Ok(());
        }
        if begun.elapsed() > patience {
            bail!("{found} of {wanted} {what} after {:.0} s", patience.as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn live(sim: Arc<SimBox>, socket: quinn::Endpoint, tally: Shared<Tally>) {
    let mut backoff = Backoff::new(backoff::Policy::default(), rand::random());
    let mut documents = Documents { site: sim.peer.site.clone(), known: BTreeMap::new() };
    loop {
        while backoff.poll_output().is_none() {
            if let Some(at) = backoff.poll_timeout() {
                tokio::time::sleep_until(at.into()).await;
            }
            backoff.handle_timeout(Instant::now());
        }
        let retry_after = match sim.client.control_from(&socket).await {
            Ok(control) => session(&sim.peer, control, &mut documents, &mut backoff, &tally).await,
            Err(link::client::Error::Refused { retry_after, .. }) => {
                tally.failed.fetch_add(1, Relaxed);
                Some(retry_after)
            }
            Err(_) => {
                tally.failed.fetch_add(1, Relaxed);
                None
            }
        };
        backoff.handle_input(Instant::now(), backoff::Input::Down { retry_after });
    }
}

/// Until it is over; how long the cloud wants to be left alone then.
async fn session(
    peer: &Peer,
    mut control: Control,
    documents: &mut Documents,
    backoff: &mut Backoff,
    tally: &Tally,
) -> Option<Duration> {
    let mut end = BoxEnd::new(Instant::now(), hello(peer, documents));
    documents.known.values_mut().for_each(|(document, state)| *state = document.sync_begin(Who::Cloud));
    let mut linked = false;
    let retry_after = loop {
        while let Some(output) = end.poll_output() {
            match output {
                Output::Send(frame) => control.writer.push(&frame).ok()?,
                Output::Linked(_) => {
                    linked = true;
                    tally.linked.fetch_add(1, Relaxed);
                    backoff.handle_input(Instant::now(), backoff::Input::Up);
                }
                Output::Config { doc, bytes } => {
                    tally.config_bytes.fetch_add(size(&Frame::Config { doc, bytes: bytes.clone() }), Relaxed);
                    let (fresh, answers) = documents.receive(doc, &bytes);
                    if fresh {
                        lock(&tally.arrived).push((peer.site.clone(), Instant::now()));
                    }
                    for bytes in answers {
                        tally
                            .config_bytes
                            .fetch_add(size(&Frame::Config { doc, bytes: bytes.clone().into() }), Relaxed);
                        end.handle_input(Instant::now(), Input::Config { doc, bytes: bytes.into() });
                    }
                }
                Output::Close(over) => {
                    settle(tally, linked);
                    let _ = control.writer.flush().await;
                    return over.retry_after();
                }
                _ => {}
            }
        }
        let at = end.poll_timeout().unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
        tokio::select! {
            frame = control.reader.next() => match frame {
                Ok(Some(frame)) => end.handle_input(Instant::now(), Input::Frame(frame)),
                _ => break None,
            },
            flushed = control.writer.flush(), if !control.writer.is_flushed() => if flushed.is_err() { break None },
            () = tokio::time::sleep_until(at.into()) => end.handle_timeout(Instant::now()),
        }
    };
    settle(tally, linked);
    retry_after
}

fn settle(tally: &Tally, linked: bool) {
    if linked {
        tally.linked.fetch_sub(1, Relaxed);
        tally.ended.fetch_add(1, Relaxed);
    } else {
        tally.failed.fetch_add(1, Relaxed);
    }
}

fn size(frame: &Frame) -> u64 {
    frame::encode(frame).map_or(0, |bytes| bytes.len() as u64)
}

fn hello(peer: &Peer, documents: &Documents) -> Hello {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Hello {
        versions: Versions::OURS,
        box_id: peer.box_id,
        site: peer.site.clone(),
        epoch: Epoch(1),
        last: 0,
        heads: DOCS.map(|doc| documents.heads(doc)).into(),
        software: [0, 1, 0],
        at: Millis(i64::try_from(since.as_millis()).unwrap_or(0)),
    }
}

/// Made when there is something to know of them: ten thousand boxes share one process.
struct Documents {
    site: SiteId,
    known: BTreeMap<Doc, (Document, SyncState)>,
}

impl Documents {
    fn heads(&self, doc: Doc) -> Heads {
        let heads = match self.known.get(&doc) {
            Some((document, _)) => document.heads(),
            None => Document::new(doc, &self.site, [0; 16]).heads(),
        };
        Heads { doc, heads: heads.0.into_iter().collect() }
    }

    /// Whether the document changed, and what is to be said to it.
    fn receive(&mut self, doc: Doc, bytes: &[u8]) -> (bool, Vec<Vec<u8>>) {
        let (document, state) = self.known.entry(doc).or_insert_with(|| {
            let document = Document::new(doc, &self.site, rand::random());
            let state = document.sync_begin(Who::Cloud);
            (document, state)
        });
        let fresh = document.receive(state, bytes).is_ok_and(|fresh| !fresh.is_empty());
        (fresh, std::iter::from_fn(|| document.generate(state)).take(64).collect())
    }
}
