//! The *sync* process: the only one with a route to the cloud. It delivers the outbox, syncs the configuration, carries
//! overflow calls and fetches bundles; *calls* hears from it over `sync.sock`, and nobody on the phone notices when it
//! is gone.

mod apart;
mod copies;
mod fetch;
mod figures;
pub mod keys;
mod linked;
pub mod local;
mod memory;
mod notary;
pub mod overflow;
pub mod seal;
pub mod tunnel;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use ledger::{BranchKey, Ledger};
use link::{
    client::{Client, Control},
    endpoint::{Endpoint, Web},
    identity::Identity,
};
use model::{
    Millis,
    overflow::{Kind, Refusal, Signal},
};
use tokio::{
    sync::{mpsc, watch},
    time::sleep_until,
};
use tokio_util::sync::CancellationToken;
use wire::{
    backoff::{self, Backoff},
    session::{End, Peer},
    ways::{self, Way, Ways},
};

use crate::config::Sink;
use apart::Apart;
use copies::Copies;
use figures::Figures;
use local::{Exchange, Wake};
use memory::Memory;
use notary::Notary;
use overflow::{Overflows, Say};
use tunnel::{Event, Road};

/// Tunnels' news not yet read.
const EVENTS_MAX: usize = 256;

/// What the process runs with.
pub struct SyncConfig {
    /// `host:port` of the cloud's instances: each attempt takes the next, the first one first.
    pub cloud: Vec<String>,
    /// The same through WebSockets, for where no UDP passes.
    pub web: Vec<Web>,
    /// The folder of `key.pem`, `cert.pem` and `ca.pem`.
    pub identity: PathBuf,
    pub ledger: PathBuf,
    pub key: BranchKey,
    /// Where *calls* connects.
    pub socket: PathBuf,
    /// Where it is kept until when an outage drill lasts.
    pub apart: PathBuf,
    /// Where bundles are put.
    pub spool: PathBuf,
    /// What the update agent remembers: asked before each connection, for it may begin later than we do.
    pub firmware: Option<PathBuf>,
    /// The customer's own witnesses of the egress ledger.
    pub witness: Vec<Sink>,
    pub backoff: backoff::Policy,
    pub registry: prometheus::Registry,
    pub stop: CancellationToken,
}

/// Exchanges a one-time code for an identity in `identity`, at the first of the cloud's instances that can be reached, by
/// whichever way. The box's id and site come with it.
pub async fn enrol(code: &str, cloud: &[Endpoint], identity: &Path, software: [u16; 3]) -> anyhow::Result<Peer> {
    let code = code.parse().context("the enrolment code")?;
    let mut result = Err(anyhow::anyhow!("cloud.endpoints names none"));
    for endpoint in cloud {
        result = link::enrol::enrol(endpoint.clone(), &code, identity, software)
            .await
            .with_context(|| format!("enrolling at {endpoint}"));
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Runs until `stop`. The world's faults (the cloud, the network, a full disk) are waited out; only what a person must
/// mend (no identity, no ledger, no socket) is an error.
pub async fn run(config: SyncConfig) -> anyhow::Result<()> {
    let identity = Arc::new(Identity::load(&config.identity).context("the box is not enrolled")?);
    let opened = tokio::task::spawn_blocking({
        let (path, key) = (config.ledger.clone(), config.key.clone());
        move || Ledger::open(&path, key, ledger::Options::default())
    });
    let memory = Memory::new(opened.await?.context("opening the ledger")?).context("reading the ledger")?;
    let figures = Figures::new(&config.registry)?;
    let road = Road::new(figures.clone());
    let (events, heard) = mpsc::channel(EVENTS_MAX);
    let (client, clients) = watch::channel(None);
    let media = tokio::spawn(road.clone().keep(clients));
    let notary = Notary::new(identity.clone(), memory.clone(), config.witness.clone(), figures.clone());
    let notary = tokio::spawn(notary.forever());
    let stop = config.stop.clone();
    let ways = Ways::new(config.cloud.len(), config.web.len(), rand::random());
    let mut process = Process {
        ways,
        apart: Apart::open(config.apart.clone(), now()),
        copies: Copies::new(&identity.peer.site),
        overflows: Overflows::new(identity.clone(), road.clone(), events).context("the CA")?,
        exchange: Exchange::bind(&config.socket).with_context(|| config.socket.display().to_string())?,
        config,
        identity,
        memory,
        figures,
        heard,
        client,
        fetching: None,
        shown: None,
    };
    let result = tokio::select! {
        result = process.forever() => result,
        () = stop.cancelled() => Ok(()),
    };
    media.abort();
    notary.abort();
    result
}

/// A connection to the cloud, and by which way.
struct Link {
    way: Way,
    client: Arc<Client>,
    control: Control,
}

/// How a session ended.
enum Talked {
    /// None: it broke without a word.
    Ended(Option<End>),
    /// It goes on by another way.
    Moved(Box<Link>),
}

struct Process {
    config: SyncConfig,
    identity: Arc<Identity>,
    memory: Memory,
    apart: Apart,
    copies: Copies,
    overflows: Overflows,
    exchange: Exchange,
    figures: Figures,
    /// From the tunnels.
    heard: mpsc::Receiver<Event>,
    /// For the road: set while linked.
    client: watch::Sender<Option<Arc<Client>>>,
    fetching: Option<fetch::Fetching>,
    ways: Ways,
    /// The checkpoint that the cloud has been shown and has not answered for.
    shown: Option<u64>,
}

impl Process {
    async fn forever(&mut self) -> anyhow::Result<()> {
        let mut backoff = Backoff::new(self.config.backoff, rand::random());
        loop {
            self.stay_apart().await;
            while let Some(until) = backoff.poll_timeout() {
                self.meanwhile(sleep_until(until.into())).await;
                backoff.handle_timeout(Instant::now());
            }
            if self.apart.is_apart() {
                continue;
            }
            if backoff.poll_output().is_none() {
                anyhow::bail!("the back-off neither waits nor tries");
            }
            self.figures.attempts.inc();
            let retry_after = self.attempt(&mut backoff).await;
            self.figures.linked.set(0);
            self.figures.web.set(0);
            self.client.send_replace(None);
            self.exchange.link(false);
            backoff.handle_input(Instant::now(), backoff::Input::Down { retry_after });
        }
    }

    /// While an outage drill lasts nothing of ours goes to the cloud, and nothing of it is taken.
    async fn stay_apart(&mut self) {
        if !self.apart.is_apart() {
            return;
        }
        self.fetching = None;
        tracing::warn!("an outage drill: no link to the cloud until it is over");
        let over = self.apart.over();
        self.meanwhile(over).await;
        self.apart.join();
        tracing::warn!("the outage drill is over");
    }

    /// One connection from beginning to end. Returns when the cloud wants us back at the earliest.
    async fn attempt(&mut self, backoff: &mut Backoff) -> Option<Duration> {
        match self.connect_and_talk(backoff).await {
            Ok(end) => {
                tracing::info!(?end, "the link ended");
                if let Some(End::EpochSpent(spent)) = end {
                    self.begin_epoch(spent).await;
                }
                end.as_ref().and_then(End::retry_after)
            }
            Err(error) => {
                tracing::info!(error = format!("{error:#}"), "no link");
                error.downcast_ref::<link::client::Error>().and_then(|error| match error {
                    link::client::Error::Refused { retry_after, .. } => Some(*retry_after),
                    _ => None,
                })
            }
        }
    }

    /// One session, and those it moves into: a session within a WebSocket goes on over UDP as soon as that passes.
    async fn connect_and_talk(&mut self, backoff: &mut Backoff) -> anyhow::Result<Option<End>> {
        let identity = Arc::new(Identity::load(&self.config.identity).context("the identity")?);
        self.overflows.identity(identity.clone())?;
        self.identity = identity;
        let mut link = self.connect().await?;
        loop {
            let end = self.talk(link, backoff).await;
            self.ways.handle_input(Instant::now(), ways::Input::Down);
            match end? {
                Talked::Ended(end) => return Ok(end),
                Talked::Moved(free) => link = *free,
            }
        }
    }

    async fn connect(&mut self) -> anyhow::Result<Link> {
        loop {
            let way = self.ways.choose();
            let client = self.client_of(way)?;
            let connecting = client.clone();
            let error = match self.meanwhile(async move { connecting.control().await }).await {
                Ok(_) if self.apart.is_apart() => anyhow::bail!("an outage drill has begun"),
                Ok(control) => return Ok(Link { way, client, control }),
                Err(error) => error,
            };
            let silent = error.is_silence();
            self.ways.handle_input(Instant::now(), ways::Input::Failed { way, silent });
            if !(silent && self.ways.has_another()) {
                return Err(error.into());
            }
            tracing::info!(%error, "no answer by UDP: through a WebSocket");
        }
    }

    fn client_of(&self, way: Way) -> anyhow::Result<Arc<Client>> {
        let endpoint = match way {
            Way::Udp(at) => self.config.cloud.get(at).map(Endpoint::from),
            Way::Web(at) => self.config.web.get(at).cloned().map(Endpoint::Web),
        };
        let endpoint = endpoint.context("no endpoint of the cloud is configured")?;
        Ok(Arc::new(Client::new(endpoint, &self.identity)?))
    }

    async fn begin_epoch(&mut self, spent: wire::session::Spent) {
        match self.memory.begin_epoch().await {
            Ok(epoch) => tracing::warn!(?spent, %epoch, "the outbox begins a new epoch"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "no new epoch could be begun"),
        }
    }

    /// Does something, and answers *calls* and the tunnels while it lasts and there is no link.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            let wake = tokio::select! {
                done = &mut work => return done,
                wake = self.exchange.next() => Some(wake),
                Some(event) = self.heard.recv() => {
                    self.tunnel(event).await;
                    None
                }
            };
            match wake {
                Some(Wake::Signal { signal }) => self.signal_unlinked(signal),
                Some(wake) => self.local(wake).await,
                None => {}
            }
        }
    }

    fn signal_unlinked(&mut self, signal: Signal) {
        self.overflows.forget(signal.overflow);
        if !matches!(signal.kind, Kind::End | Kind::Refuse { .. }) {
            let signal = overflow::refusal(&signal, Refusal::NotLinked);
            self.exchange.tell(Wake::Signal { signal });
        }
    }

    /// What *calls* says that needs no link.
    async fn local(&mut self, wake: Wake) {
        let (overflow, media, caller) = match wake {
            Wake::TunnelOpen { overflow, media, caller } => (overflow, media, caller),
            Wake::Cut { until } => return self.apart.cut(until, now()),
            Wake::Join => return self.apart.join(),
            // The others are seen in the ledger when there is a link.
            _ => return,
        };
        match self.overflows.open(overflow, media, caller).await {
            Ok(addr) => self.exchange.tell(Wake::TunnelReady { overflow, addr }),
            Err(error) => {
                tracing::warn!(%overflow, %error, "no tunnel");
                self.exchange.tell(Wake::PathLost { overflow });
            }
        }
        self.unlock().await;
    }

    async fn tunnel(&mut self, event: Event) {
        match event {
            Event::Lost { overflow } => self.exchange.tell(Wake::PathLost { overflow }),
            Event::Caller { overflow, number } => self.exchange.tell(Wake::Caller { overflow, number }),
            Event::Ended { overflow, left } => {
                if let Err(error) = self.memory.leaves_item(left).await {
                    tracing::error!(%overflow, error = format!("{error:#}"), "what left is not in the egress chain");
                }
            }
        }
    }

    /// Lets media flow where the keys are agreed: after the line in the egress chain, or not at all.
    async fn unlock(&mut self) {
        for overflow in self.overflows.ready() {
            let flow = wire::media::flow_of(overflow).to_be_bytes();
            let noted = self.memory.leaves(gate::Carried::OverflowMedia, now(), &flow).await;
            let unlocked = match noted {
                Ok(()) => self.overflows.unlock(overflow).map_err(anyhow::Error::from),
                Err(error) => Err(error),
            };
            if let Err(error) = unlocked {
                tracing::error!(%overflow, error = format!("{error:#}"), "media may not leave");
                self.overflows.forget(overflow);
                self.exchange.tell(Wake::PathLost { overflow });
            }
        }
        self.figures.overflow_calls.set(i64::try_from(self.overflows.len()).unwrap_or(i64::MAX));
    }

    /// Tells *calls* its part; what is for the cloud is returned.
    fn say(&self, say: Vec<Say>) -> Vec<Signal> {
        let mut to_cloud = Vec::new();
        for say in say {
            match say {
                Say::ToCalls(wake) => self.exchange.tell(wake),
                Say::ToCloud(signal) => to_cloud.push(signal),
            }
        }
        to_cloud
    }
}

/// Wall time.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
