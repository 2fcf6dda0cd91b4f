//! The media path of overflow calls. A *road* is the box's media connection; a *tunnel* is one call on it: a loopback
//! socket towards the media process on one side, sealed datagrams on the other.
//!
//! A tunnel that hears nothing genuine for three seconds is lost, whatever the transport believes: both ends say at
//! least twice a second that they live.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use gate::{Carried, Item, Tally};
use link::client::Client;
use model::{Number, OverflowId};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior},
};
use wire::media::{flow_in, flow_of};

use super::{
    figures::Figures,
    now,
    seal::{Kind, OVERHEAD, Opener, Sealer},
};

/// Nothing genuine for this long: the caller goes back to the own queue.
pub const LOST_AFTER: Duration = Duration::from_secs(3);
const ALIVE_EVERY: Duration = Duration::from_millis(400);
/// Datagrams may be lost: the caller's number is said this often, and heard once.
const CALLER_TIMES: u32 = 6;
/// 20 ms of RTP each: half a second. Later ones are dropped.
const WAITING_MAX: usize = 25;
/// Largest RTP packet taken from the media process.
const RTP_BYTES_MAX: usize = 1500;

/// The media connection, and who listens to which flow.
pub struct Road {
    flows: Mutex<BTreeMap<u64, mpsc::Sender<Bytes>>>,
    connection: watch::Sender<Option<quinn::Connection>>,
    figures: Figures,
}

impl Road {
    pub fn new(figures: Figures) -> Arc<Self> {
        let (connection, _) = watch::channel(None);
        Arc::new(Self { flows: Mutex::default(), connection, figures })
    }

    pub fn is_up(&self) -> bool {
        self.connection.borrow().is_some()
    }

    /// Drives the connection for ever: up whenever there is a client to connect with.
    pub async fn keep(self: Arc<Self>, mut client: watch::Receiver<Option<Arc<Client>>>) {
        loop {
            let Ok(found) = client.wait_for(Option::is_some).await.map(|client| client.clone()) else { return };
            let Some(found) = found else { continue };
            match found.media().await {
                Ok(connection) => {
                    self.connection.send_replace(Some(connection.clone()));
                    while let Ok(datagram) = connection.read_datagram().await {
                        self.deliver(datagram);
                    }
                    self.connection.send_replace(None);
                    tracing::info!("the media connection ended");
                }
                Err(error) => tracing::info!(%error, "no media connection"),
            }
            let jitter = Duration::from_millis(200 + u64::from(rand::random::<u16>() % 1800));
            tokio::time::sleep(jitter).await;
        }
    }

    fn deliver(&self, datagram: Bytes) {
        let flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = flow_in(&datagram).and_then(|flow| flows.get(&flow));
        if listener.is_none_or(|listener| listener.try_send(datagram).is_err()) {
            self.figures.packets_dropped.inc();
        }
    }

    fn send(&self, packet: Bytes) -> bool {
        self.connection.borrow().as_ref().is_some_and(|connection| connection.send_datagram(packet).is_ok())
    }

    fn listen(&self, flow: u64) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        self.flows.lock().unwrap_or_else(PoisonError::into_inner).insert(flow, sender);
        receiver
    }

    fn forget(&self, flow: u64) {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner).remove(&flow);
    }
}

/// What a tunnel has to say.
#[derive(Debug)]
pub enum Event {
    Lost {
        overflow: OverflowId,
    },
    Caller {
        overflow: OverflowId,
        number: Number,
    },
    /// What left the box, for the egress chain.
    Ended {
        overflow: OverflowId,
        left: Item,
    },
}

/// One call's media. Dropping it ends it.
pub struct Tunnel {
    pub addr: SocketAddr,
    keys: mpsc::Sender<(Sealer, Opener)>,
}

/// What a tunnel is opened with.
pub struct Opening {
    pub overflow: OverflowId,
    /// Where the media process receives.
    pub media: SocketAddr,
    /// To tell the other end.
    pub caller: Option<Number>,
    /// May we learn the caller's number?
    pub show_number: bool,
}

impl Tunnel {
    /// Binds the loopback socket. Media flows once [`Tunnel::unlock`] was called.
    pub async fn open(road: Arc<Road>, opening: Opening, events: mpsc::Sender<Event>) -> io::Result<Self> {
        if !opening.media.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "media is on loopback"));
        }
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        socket.connect(opening.media).await?;
        let addr = socket.local_addr()?;
        let (keys, receiver) = mpsc::channel(1);
        let flow = flow_of(opening.overflow);
        let datagrams = road.listen(flow);
        tokio::spawn(async move {
            let (overflow, forget) = (opening.overflow, road.clone());
            let left = run(road, socket, opening, datagrams, receiver, &events).await;
            forget.forget(flow);
            let _ = events.send(Event::Ended { overflow, left: left.finish(Carried::OverflowMedia, now()) }).await;
        });
        Ok(Self { addr, keys })
    }

    pub fn unlock(&self, sealer: Sealer, opener: Opener) {
        let _ = self.keys.try_send((sealer, opener));
    }
}

/// Until the tunnel is dropped. Returns what left.
async fn run(
    road: Arc<Road>,
    socket: UdpSocket,
    opening: Opening,
    mut datagrams: mpsc::Receiver<Bytes>,
    mut keys: mpsc::Receiver<(Sealer, Opener)>,
    events: &mpsc::Sender<Event>,
) -> Tally {
    let mut left = Tally::default();
    let Some((sealer, opener)) = locked(&socket, &mut datagrams, &mut keys).await else { return left };
    let mut open =
        Open { road, sealer, opener, opening, heard: Instant::now(), lost: false, said: 0, heard_caller: false };
    let mut alive = tokio::time::interval(ALIVE_EVERY);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = vec![0; RTP_BYTES_MAX];
    loop {
        tokio::select! {
            key = keys.recv() => if key.is_none() { return left },
            received = socket.recv(&mut buffer) => {
                // An error here is the media process not being there yet.
                if let Ok(count) = received {
                    open.send(Kind::Rtp, buffer.get(..count).unwrap_or_default(), &mut left);
                }
            }
            datagram = datagrams.recv() => match datagram {
                Some(datagram) => open.take(&socket, &datagram, events).await,
                None => return left,
            },
            _ = alive.tick() => open.tick(&mut left, events).await,
        }
    }
}

/// Before the keys are there nothing passes. None: the tunnel was dropped.
async fn locked(
    socket: &UdpSocket,
    datagrams: &mut mpsc::Receiver<Bytes>,
    keys: &mut mpsc::Receiver<(Sealer, Opener)>,
) -> Option<(Sealer, Opener)> {
    let mut buffer = [0; 1];
    loop {
        tokio::select! {
            keys = keys.recv() => return keys,
            _ = socket.recv(&mut buffer) => {}
            // The other end may be a signal ahead of us: what it sends is not lost for good, it goes on sending.
            _ = datagrams.recv() => {}
        }
    }
}

struct Open {
    road: Arc<Road>,
    sealer: Sealer,
    opener: Opener,
    opening: Opening,
    heard: Instant,
    lost: bool,
    said: u32,
    heard_caller: bool,
}

impl Open {
    fn send(&mut self, kind: Kind, payload: &[u8], left: &mut Tally) {
        debug_assert!(payload.len() <= RTP_BYTES_MAX, "{} and {OVERHEAD}", payload.len());
        let sealed = self.sealer.seal(kind, payload);
        match sealed {
            Ok(packet) => {
                left.add(&packet);
                let figures = &self.road.figures;
                if self.road.send(packet) { figures.packets_sent.inc() } else { figures.packets_dropped.inc() }
            }
            Err(error) => tracing::error!(overflow = %self.opening.overflow, %error, "a packet was not sealed"),
        }
    }

    async fn take(&mut self, socket: &UdpSocket, datagram: &[u8], events: &mpsc::Sender<Event>) {
        let overflow = self.opening.overflow;
        let Ok((kind, payload)) = self.opener.open(datagram) else {
            self.road.figures.packets_dropped.inc();
            return;
        };
        (self.heard, self.lost) = (Instant::now(), false);
        match kind {
            Kind::Rtp => {
                self.road.figures.packets_received.inc();
                let _ = socket.send(&payload).await;
            }
            Kind::Caller if self.opening.show_number && !self.heard_caller => {
                if let Some(number) = std::str::from_utf8(&payload).ok().and_then(|text| Number::new(text).ok()) {
                    self.heard_caller = true;
                    let _ = events.send(Event::Caller { overflow, number }).await;
                }
            }
            Kind::Caller | Kind::Alive => {}
        }
    }

    async fn tick(&mut self, left: &mut Tally, events: &mpsc::Sender<Event>) {
        self.send(Kind::Alive, b"", left);
        if self.said < CALLER_TIMES
            && let Some(number) = self.opening.caller.clone()
        {
            self.said = self.said.saturating_add(1);
            self.send(Kind::Caller, number.as_str().as_bytes(), left);
        }
        if !self.lost && self.heard.elapsed() > LOST_AFTER {
            self.lost = true;
            let _ = events.send(Event::Lost { overflow: self.opening.overflow }).await;
        }
    }
}
