//! The cloud's end of every link: lets boxes in, runs their sessions, forwards signals and sealed media between sites,
//! serves bundles and enrolments. What must last is asked of a [`store::Store`]; who is linked lives in memory alone.

mod admission;
mod calls;
mod change;
mod desk;
mod figures;
mod media;
mod replica;
mod session;
pub mod store;
mod witness;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use link::server::{Arrival, Server};
use model::{BoxId, Millis, SiteId, change::Doc, overflow::Signal};
use prometheus::Registry;
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{
    bucket::Bucket,
    frame::{Bundle, Reason, Refuse},
};

pub use change::identify;

use crate::ca::{BOX_LIFE, Ca};
use calls::Calls;
use figures::Figures;
use store::Store;

/// What others want a session to do; more than this waiting, and the session is behind and loses it.
const ORDERS_MAX: usize = 64;

#[derive(Debug, Clone)]
pub struct Options {
    /// Where bundles lie under their names.
    pub bundles: PathBuf,
    /// For all transfers together.
    pub bundle_bytes_per_second: f64,
    /// New sessions; more are told when to come back.
    pub sessions_per_second: f64,
    pub sessions_burst: f64,
    pub certificate_life: Duration,
}

impl Options {
    pub fn new(bundles: PathBuf) -> Self {
        Self {
            bundles,
            bundle_bytes_per_second: 4.0 * 1024.0 * 1024.0,
            sessions_per_second: 400.0,
            sessions_burst: 800.0,
            certificate_life: BOX_LIFE,
        }
    }
}

/// A linked box, as the console shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    pub box_id: BoxId,
    pub site: SiteId,
    pub address: SocketAddr,
    pub since: Millis,
    /// When it last said something.
    pub heard: Millis,
    pub software: [u16; 3],
    /// How far its clock is ahead of ours.
    pub skew_ms: i64,
    /// Outbox rows it has and we do not.
    pub behind: u64,
    /// Its media connection is up.
    pub media: bool,
}

/// To a session. Small: a queue has room for many of them before there is one.
#[derive(Debug)]
enum Order {
    Refuse(Refuse),
    Signal(Box<Signal>),
    /// Somebody else has written to the documents.
    Config(Vec<Doc>),
    Offer(Option<Box<Bundle>>),
}

struct Handle {
    /// Tells a session from the one that replaced it.
    number: u64,
    /// The box was welcomed: before that nobody is told of it, and nothing is sent to it.
    admitted: bool,
    orders: mpsc::Sender<Order>,
    presence: Presence,
}

struct Shared<S> {
    store: Arc<S>,
    ca: Arc<Ca>,
    options: Options,
    figures: Figures,
    linked: Mutex<BTreeMap<BoxId, Handle>>,
    media: Mutex<BTreeMap<BoxId, quinn::Connection>>,
    calls: Mutex<Calls>,
    sessions: Mutex<Bucket>,
    bundle_pace: tokio::sync::Mutex<Bucket>,
    numbers: AtomicU64,
}

/// Cheap to clone.
pub struct Hub<S>(Arc<Shared<S>>);

impl<S> Clone for Hub<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Store> Hub<S> {
    pub fn new(store: Arc<S>, ca: Arc<Ca>, options: Options, registry: &Registry) -> prometheus::Result<Self> {
        let now = Instant::now();
        let (rate, burst) = (options.bundle_bytes_per_second, options.bundle_bytes_per_second / 4.0);
        Ok(Self(Arc::new(Shared {
            figures: Figures::new(registry)?,
            sessions: Mutex::new(Bucket::new(now, options.sessions_per_second, options.sessions_burst)),
            bundle_pace: tokio::sync::Mutex::new(Bucket::new(now, rate, burst)),
            store,
            ca,
            options,
            linked: Mutex::default(),
            media: Mutex::default(),
            calls: Mutex::default(),
            numbers: AtomicU64::new(0),
        })))
    }

    /// Serves until `stop`; then tells every box to come back soon, and ends when the sessions have.
    pub async fn run(&self, mut server: Server, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        loop {
            let arrival = tokio::select! {
                arrival = server.next() => arrival,
                () = stop.cancelled() => None,
            };
            let Some(arrival) = arrival else { break };
            let shared = self.0.clone();
            match arrival {
                Arrival::Control(arrival) => tasks.spawn(session::run(shared, arrival)),
                Arrival::Media(arrival) => tasks.spawn(media::run(shared, arrival)),
                Arrival::Bulk(arrival) => tasks.spawn(desk::bundle(shared, arrival)),
                Arrival::Enrol(arrival) => tasks.spawn(desk::enrol(shared, arrival)),
            };
        }
        for handle in lock(&self.0.linked).values() {
            let refuse = Refuse { reason: Reason::Leaving, retry_after_ms: 1_000 };
            let _ = handle.orders.try_send(Order::Refuse(refuse));
        }
        tasks.close();
        let _ = tokio::time::timeout(Duration::from_secs(5), tasks.wait()).await;
        let endpoint = server.endpoint();
        endpoint.close(link::code::DONE, b"leaving");
        let _ = tokio::time::timeout(Duration::from_secs(2), endpoint.wait_idle()).await;
    }

    /// The boxes that are linked, by id.
    pub fn presence(&self) -> Vec<Presence> {
        let linked = lock(&self.0.linked);
        linked.values().filter(|handle| handle.admitted).map(|handle| handle.presence.clone()).collect()
    }

    /// Somebody has written to a document of the site: its boxes are told. For the organisation's document, call it
    /// for every site.
    pub fn config_changed(&self, site: &SiteId, doc: Doc) {
        self.0.order_site(site, None, || Order::Config(vec![doc]));
    }

    /// Another bundle is on offer to the site, or none any more.
    pub async fn offer_changed(&self, site: &SiteId) -> Result<(), store::Error> {
        let offer = self.0.store.bundle_offer(site).await?.map(Box::new);
        self.0.order_site(site, None, || Order::Offer(offer.clone()));
        Ok(())
    }

    /// Ends the session of a box that has linked to another instance.
    pub fn replaced(&self, box_id: BoxId) {
        let refuse = Refuse { reason: Reason::Replaced, retry_after_ms: 0 };
        if let Some(handle) = lock(&self.0.linked).get(&box_id) {
            let _ = handle.orders.try_send(Order::Refuse(refuse));
        }
    }

    /// Ends the session of a box that was revoked.
    pub fn revoked(&self, box_id: BoxId) {
        let refuse = Refuse { reason: Reason::Revoked, retry_after_ms: 0 };
        if let Some(handle) = lock(&self.0.linked).get(&box_id) {
            let _ = handle.orders.try_send(Order::Refuse(refuse));
        }
        if let Some(connection) = lock(&self.0.media).remove(&box_id) {
            connection.close(link::code::IDENTITY, b"revoked");
        }
    }
}

impl<S> Shared<S> {
    /// Gives an order to the site's boxes but one.
    fn order_site(&self, site: &SiteId, but: Option<BoxId>, order: impl Fn() -> Order) {
        for (box_id, handle) in lock(&self.linked).iter() {
            if handle.presence.site == *site && Some(*box_id) != but {
                let _ = handle.orders.try_send(order());
            }
        }
    }

    /// Registers a session and ends the one it replaces.
    fn enter(&self, presence: Presence) -> (u64, mpsc::Receiver<Order>) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let mut linked = lock(&self.linked);
        if let Some(old) = linked.insert(presence.box_id, Handle { number, admitted: false, orders, presence }) {
            let refuse = Refuse { reason: Reason::Replaced, retry_after_ms: 0 };
            let _ = old.orders.try_send(Order::Refuse(refuse));
        }
        self.figures.sessions.set(i64::try_from(linked.len()).unwrap_or(i64::MAX));
        (number, receiver)
    }

    fn leave(&self, box_id: BoxId, number: u64) {
        let mut linked = lock(&self.linked);
        if linked.get(&box_id).is_some_and(|handle| handle.number == number) {
            linked.remove(&box_id);
        }
        self.figures.sessions.set(i64::try_from(linked.len()).unwrap_or(i64::MAX));
    }

    fn admitted(&self, box_id: BoxId, number: u64) {
        if let Some(handle) = lock(&self.linked).get_mut(&box_id).filter(|handle| handle.number == number) {
            handle.admitted = true;
        }
    }

    fn seen(&self, box_id: BoxId, number: u64, update: impl FnOnce(&mut Presence)) {
        if let Some(handle) = lock(&self.linked).get_mut(&box_id).filter(|handle| handle.number == number) {
            handle.presence.heard = wall();
            update(&mut handle.presence);
        }
    }
}

/// Nothing is done under these locks that could panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wall() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
