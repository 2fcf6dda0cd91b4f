//! The relay's thread: epoll over all RTP sockets, one read per readiness, the engine in between, no allocation and no
//! lock per relayed packet. Requests from the control socket and the recorder wake it through an eventfd.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    ops::RangeInclusive,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use media::{
    engine::{Engine, Heard, PACKET_MAX, PAYLOAD_MAX, Sink},
    plane::{Command, Event, Failure, PortId},
};
use nix::sys::{
    epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
    eventfd::{EfdFlags, EventFd},
};
use prometheus::{IntCounter, IntGauge, Registry};
use rand::Rng;
use tracing::{error, warn};

use super::{
    MediaConfig,
    prompts::Shelf,
    recorder::{Job, Kept},
};

pub const REQUESTS_MAX: usize = 8_192;
pub const EVENTS_MAX: usize = 8_192;
const TICK: Duration = Duration::from_millis(20);
/// A freed RTP port rests this long, so that late packets of the old call find nobody (S-31).
const QUARANTINE: Duration = Duration::from_secs(5);
/// The eventfd's token; ports have theirs from 1.
const WAKE: u64 = 0;
const READY_MAX: usize = 256;

/// What other threads ask of the relay.
pub enum Request {
    Command(Command),
    /// A new connection of *calls*: say that we are ready.
    Announce,
    /// An event of another thread on its way to *calls*.
    Report(Event),
}

/// The way into the relay; it wakes it.
#[derive(Clone)]
pub struct ToRelay {
    sender: SyncSender<Request>,
    wake: Arc<EventFd>,
}

impl ToRelay {
    /// False when the relay cannot take more.
    pub fn send(&self, request: Request) -> bool {
        let taken = self.sender.try_send(request).is_ok();
        let _ = self.wake.write(1);
        taken
    }
}

/// What a relay hears requests through.
pub type Inbox = (Receiver<Request>, Arc<EventFd>);

/// Both ends.
pub fn channel() -> anyhow::Result<(ToRelay, Inbox)> {
    let (sender, receiver) = sync_channel(REQUESTS_MAX);
    let wake = EventFd::from_value_and_flags(0, EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC).context("eventfd")?;
    let wake = Arc::new(wake);
    Ok((ToRelay { sender, wake: wake.clone() }, (receiver, wake)))
}

pub struct Counters {
    received: IntCounter,
    sent: IntCounter,
    unrecorded: IntCounter,
    open: IntGauge,
    ports: AtomicUsize,
}

impl Counters {
    pub fn new(registry: &Registry) -> anyhow::Result<Self> {
        let counters = Self {
            received: IntCounter::new("branchline_rtp_received_total", "RTP packets received")?,
            sent: IntCounter::new("branchline_rtp_sent_total", "RTP packets sent")?,
            unrecorded: IntCounter::new(
                "branchline_recording_frames_lost_total",
                "Frames the recorder could not take",
            )?,
            open: IntGauge::new("branchline_rtp_ports_open", "RTP ports in use")?,
            ports: AtomicUsize::new(0),
        };
        registry.register(Box::new(counters.received.clone()))?;
        registry.register(Box::new(counters.sent.clone()))?;
        registry.register(Box::new(counters.unrecorded.clone()))?;
        registry.register(Box::new(counters.open.clone()))?;
        Ok(counters)
    }

    pub fn ports(&self) -> usize {
        self.ports.load(Ordering::Relaxed)
    }
}

/// Starts the thread.
pub fn start(
    config: &MediaConfig,
    inbox: Inbox,
    events: tokio::sync::mpsc::Sender<Event>,
    recorder: SyncSender<Job>,
    counters: Arc<Counters>,
) -> anyhow::Result<()> {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let sockets = Sockets::new(config.rtp_ip, config.rtp_ports.clone())?;
    let ports_max = config.rtp_ports.clone().count() / 2 + 4_096;
    let relay = Relay {
        engine: Engine::new(ports_max, seed),
        net: Net { sockets, recorder, names: BTreeMap::new(), counters },
        shelf: Shelf::new(config.prompts.clone()),
        events,
        waiting: VecDeque::new(),
    };
    let (requests, wake) = inbox;
    relay.net.sockets.epoll.add(wake.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, WAKE)).context("epoll")?;
    std::thread::Builder::new()
        .name("relay".into())
        .spawn(move || relay.run(&requests, &wake))
        .context("the relay thread cannot start")?;
    Ok(())
}

struct Relay {
    engine: Engine,
    net: Net,
    shelf: Shelf,
    events: tokio::sync::mpsc::Sender<Event>,
    waiting: VecDeque<Event>,
}

impl Relay {
    fn run(mut self, requests: &Receiver<Request>, wake: &EventFd) {
        let mut ready = [EpollEvent::empty(); READY_MAX];
        let mut buffer = [0_u8; PACKET_MAX + 1];
        let mut tick_due = Instant::now() + TICK;
        let mut ticks: u32 = 0;
        loop {
            let wait = tick_due.saturating_duration_since(Instant::now());
            let timeout = EpollTimeout::try_from(wait + Duration::from_micros(999)).unwrap_or(EpollTimeout::ZERO);
            let count = self.net.sockets.epoll.wait(&mut ready, timeout).unwrap_or(0);
            for event in ready.iter().take(count) {
                match event.data() {
                    WAKE => drop(wake.read()),
                    token => self.read(PortId(token - 1), &mut buffer),
                }
            }
            while let Ok(request) = requests.try_recv() {
                self.obey(request);
            }
            let now = Instant::now();
            if now >= tick_due {
                ticks = ticks.wrapping_add(1);
                self.engine.handle_tick(now, ticks.is_multiple_of(50), &mut self.net);
                // After a stall the clock starts afresh: prompts are not played faster to catch up.
                tick_due = if now > tick_due + TICK * 5 { now + TICK } else { tick_due + TICK };
            }
            self.report();
        }
    }

    fn read(&mut self, port: PortId, buffer: &mut [u8]) {
        let Some((socket, _)) = self.net.sockets.open.get(&port) else { return };
        let Ok((length, source)) = socket.recv_from(buffer) else { return };
        self.net.counters.received.inc();
        if let Some(packet) = buffer.get(..length).filter(|packet| packet.len() <= PACKET_MAX) {
            self.engine.handle_packet(Instant::now(), port, source, packet, &mut self.net);
        }
    }

    fn obey(&mut self, request: Request) {
        match request {
            Request::Announce => {
                let ports_open = u32::try_from(self.engine.ports_open()).unwrap_or(u32::MAX);
                self.waiting.push_front(Event::Ready { ports_open });
            }
            Request::Report(event) => self.waiting.push_back(event),
            Request::Command(Command::Open { port, loopback }) => self.open(port, loopback),
            Request::Command(command) => {
                self.engine.handle_command(Instant::now(), command, &mut self.shelf, &mut self.net);
            }
        }
        self.net.counters.ports.store(self.engine.ports_open(), Ordering::Relaxed);
        self.net.counters.open.set(i64::try_from(self.engine.ports_open()).unwrap_or(i64::MAX));
    }

    fn open(&mut self, port: PortId, loopback: bool) {
        let opened = if self.engine.open(Instant::now(), port) {
            self.net.sockets.open(port, loopback).ok_or(Failure::NoPort)
        } else {
            Err(Failure::Limit)
        };
        match opened {
            Ok(local) => self.waiting.push_back(Event::Opened { port, local }),
            Err(why) => {
                if why == Failure::NoPort {
                    self.engine.handle_command(Instant::now(), Command::Close { port }, &mut self.shelf, &mut self.net);
                }
                self.waiting.push_back(Event::Failed { port, why });
            }
        }
    }

    /// Events go out in order; what *calls* does not take waits, up to the channel's size again.
    fn report(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.waiting.push_back(event);
        }
        while let Some(event) = self.waiting.pop_front() {
            if let Err(tokio::sync::mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                self.waiting.push_front(event);
                break;
            }
        }
        self.waiting.truncate(EVENTS_MAX);
    }
}

struct Net {
    sockets: Sockets,
    recorder: SyncSender<Job>,
    /// Recordings' names, shared with the frames on their way.
    names: BTreeMap<String, Arc<str>>,
    counters: Arc<Counters>,
}

impl Sink for Net {
    fn send(&mut self, port: PortId, to: SocketAddr, packet: &[u8]) {
        // A full socket buffer loses a packet, as the network may.
        if self.sockets.open.get(&port).is_some_and(|(socket, _)| socket.send_to(packet, to).is_ok()) {
            self.counters.sent.inc();
        }
    }

    fn heard(&mut self, frame: Heard<'_>) {
        let Some(recording) = self.names.get(frame.recording) else { return };
        let mut payload = [0; PAYLOAD_MAX];
        let length = frame.payload.len().min(PAYLOAD_MAX);
        if let (Some(to), Some(from)) = (payload.get_mut(..length), frame.payload.get(..length)) {
            to.copy_from_slice(from);
        }
        let kept = Kept {
            recording: recording.clone(),
            side: frame.side,
            codec: frame.codec,
            timestamp: frame.timestamp,
            at: frame.at,
            length: u16::try_from(length).unwrap_or(0),
            payload,
        };
        if let Err(TrySendError::Full(_)) = self.recorder.try_send(Job::Frame(Box::new(kept))) {
            self.counters.unrecorded.inc();
        }
    }

    fn record_begin(&mut self, recording: &str) {
        self.names.insert(recording.to_owned(), recording.into());
        if self.recorder.try_send(Job::Begin(recording.to_owned())).is_err() {
            error!("the recorder takes no more recordings");
        }
    }

    fn record_end(&mut self, recording: &str) {
        self.names.remove(recording);
        if self.recorder.send(Job::End(recording.to_owned())).is_err() {
            error!("the recorder is gone");
        }
    }

    fn close(&mut self, port: PortId) {
        self.sockets.close(port);
    }
}

/// The sockets of open ports, and which numbers are free.
struct Sockets {
    epoll: Epoll,
    ip: IpAddr,
    free: VecDeque<(Instant, u16)>,
    /// With the RTP port to give back; None for loopback ports, which the system chose.
    open: BTreeMap<PortId, (UdpSocket, Option<u16>)>,
}

impl Sockets {
    fn new(ip: IpAddr, ports: RangeInclusive<u16>) -> anyhow::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).context("epoll")?;
        let now = Instant::now();
        // RFC 3550 §11: RTP on even ports.
        let free = ports.filter(|port| port % 2 == 0).map(|port| (now, port)).collect();
        Ok(Self { epoll, ip, free, open: BTreeMap::new() })
    }

    fn open(&mut self, id: PortId, loopback: bool) -> Option<SocketAddr> {
        let (socket, port) =
            if loopback { (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?, None) } else { self.bind_free()? };
        socket.set_nonblocking(true).ok()?;
        let local = socket.local_addr().ok()?;
        let token = id.0.checked_add(1)?;
        self.epoll.add(socket.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, token)).ok()?;
        self.open.insert(id, (socket, port));
        Some(local)
    }

    /// The port that rested longest; one that a stranger holds is tried again later.
    fn bind_free(&mut self) -> Option<(UdpSocket, Option<u16>)> {
        let now = Instant::now();
        for _ in 0..self.free.len().min(64) {
            let (rested, port) = self.free.pop_front()?;
            if rested > now {
                self.free.push_front((rested, port));
                return None;
            }
            match UdpSocket::bind((self.ip, port)) {
                Ok(socket) => return Some((socket, Some(port))),
                Err(error) => {
                    warn!(port, %error, "an RTP port of the range cannot be used");
                    self.free.push_back((now + QUARANTINE, port));
                }
            }
        }
        None
    }

    fn close(&mut self, id: PortId) {
        let Some((socket, port)) = self.open.remove(&id) else { return };
        let _ = self.epoll.delete(socket.as_fd());
        if let Some(port) = port {
            self.free.push_back((Instant::now() + QUARANTINE, port));
        }
    }
}
