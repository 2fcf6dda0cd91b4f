//! The relay's thread: packets in, the engine, packets out, with one system call for many of them and neither an
//! allocation nor a lock per packet. Requests from the control socket and the recorder wake it through an eventfd.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use media::{
    dtls::{Certificate, Fingerprint},
    engine::{Engine, Sink, Slot, SoundId, TapeId},
    plane::{Command, Event, Failure, Flow, PortId, Quality},
    prompt::Prompt,
    record::Batch,
};
use nix::sys::eventfd::{EfdFlags, EventFd};
use prometheus::{IntCounter, IntGauge, Registry};
use rand::Rng;
use tracing::error;

use super::{
    MediaConfig,
    numbers::Numbers,
    pace::Pace,
    prompts::Shelf,
    recorder::ToRecorder,
    wire::{self, Lane, Packet, Wire},
};

pub const REQUESTS_MAX: usize = 8_192;
pub const EVENTS_MAX: usize = 8_192;
const TICK: Duration = Duration::from_millis(20);
/// Without a port there is nothing to tick for.
const IDLE: Duration = Duration::from_secs(1);
/// Ports beyond the range's: those on loopback.
const LOOPBACK_MAX: usize = 4_096;

/// What other threads ask of the relay.
pub enum Request {
    Command(Command),
    /// A new connection of *calls*: say that we are ready.
    Announce,
    /// An event of another thread on its way to *calls*.
    Report(Event),
    /// A sound that the relay waits for; None: there is no such.
    Ready(SoundId, Option<Prompt>),
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
    wakes: IntCounter,
    pub unrecorded: IntCounter,
    open: IntGauge,
    poor: IntCounter,
    one_way: IntCounter,
    unsaid: IntCounter,
    ports: AtomicUsize,
}

/// Below this rating users are dissatisfied (ITU-T G.109).
const RATING_POOR: u16 = 70;

impl Counters {
    pub fn new(registry: &Registry) -> anyhow::Result<Self> {
        let counters = Self {
            received: IntCounter::new("branchline_rtp_received_total", "RTP packets received")?,
            sent: IntCounter::new("branchline_rtp_sent_total", "RTP packets sent")?,
            wakes: IntCounter::new("branchline_relay_wakes_total", "Times the relay woke up")?,
            unrecorded: IntCounter::new(
                "branchline_recording_frames_lost_total",
                "Frames the recorder could not take",
            )?,
            open: IntGauge::new("branchline_rtp_ports_open", "RTP ports in use")?,
            poor: IntCounter::new("branchline_legs_poor_total", "Five seconds of a leg rated below 70")?,
            one_way: IntCounter::new("branchline_legs_one_way_total", "Five seconds of a leg with audio one way only")?,
            unsaid: IntCounter::new(
                "branchline_words_left_out_total",
                "Sentences and prompts that could not be made sound",
            )?,
            ports: AtomicUsize::new(0),
        };
        registry.register(Box::new(counters.unsaid.clone()))?;
        registry.register(Box::new(counters.poor.clone()))?;
        registry.register(Box::new(counters.one_way.clone()))?;
        registry.register(Box::new(counters.received.clone()))?;
        registry.register(Box::new(counters.sent.clone()))?;
        registry.register(Box::new(counters.wakes.clone()))?;
        registry.register(Box::new(counters.unrecorded.clone()))?;
        registry.register(Box::new(counters.open.clone()))?;
        Ok(counters)
    }

    fn judge(&self, quality: &Quality) {
        self.poor.inc_by(u64::from(quality.rating_at_worst() < RATING_POOR));
        self.one_way.inc_by(u64::from(quality.flow != Flow::Both));
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
    recorder: ToRecorder,
    shelf: Shelf,
    counters: Arc<Counters>,
) -> anyhow::Result<()> {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    let numbers = Numbers::new(config.rtp_ip, config.rtp_ports.clone(), Instant::now());
    let ports_max = config.rtp_ports.clone().count() / 2 + LOOPBACK_MAX;
    let (io_uring, level) = (config.io_uring, config.level);
    let (requests, wake) = inbox;
    // Calls without a handshake need none.
    let certificate = certificate().map_err(|error| error!("no certificate for handshakes: {error:#}")).ok();
    let (built, is_built) = sync_channel::<anyhow::Result<()>>(1);
    let run = move || {
        wire::raise_priority();
        // The ring belongs to the thread that makes it.
        let wire = if io_uring { Wire::new(wake.as_fd()) } else { Wire::polled(wake.as_fd()) };
        match wire {
            Ok(wire) => {
                let _ = built.send(Ok(()));
                let net = Net { wire, recorder, numbers, used: BTreeMap::new(), sent: 0 };
                let mut engine = Engine::new(ports_max, seed);
                engine.level(level);
                let fingerprint = certificate.map(|certificate| {
                    let fingerprint = certificate.fingerprint;
                    engine.certify(certificate);
                    fingerprint
                });
                let waiting = VecDeque::new();
                Relay { engine, net, shelf, events, waiting, counters, fingerprint }.run(&requests);
            }
            Err(error) => drop(built.send(Err(error))),
        }
    };
    std::thread::Builder::new().name("relay".into()).spawn(run).context("the relay thread cannot start")?;
    is_built.recv().context("the relay thread ended")?
}

/// A certificate that nobody signed, of a key that lives as long as this process: its fingerprint goes by signalling.
fn certificate() -> anyhow::Result<Certificate> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = rcgen::CertificateParams::new(vec!["branchline".to_owned()])?;
    let mut serial = [0; 16];
    rand::rng().fill_bytes(&mut serial);
    params.serial_number = Some(serial.to_vec().into());
    let certificate = params.self_signed(&key)?;
    Ok(Certificate::new(certificate.der().to_vec(), key.serialize_der()))
}

struct Relay {
    engine: Engine,
    net: Net,
    shelf: Shelf,
    events: tokio::sync::mpsc::Sender<Event>,
    waiting: VecDeque<Event>,
    counters: Arc<Counters>,
    fingerprint: Option<Fingerprint>,
}

impl Relay {
    fn run(mut self, requests: &Receiver<Request>) {
        let mut packet = Packet::new();
        let mut now = Instant::now();
        let (mut pace, mut tick_due, mut ticks) = (Pace::new(now), now + TICK, 0_u32);
        loop {
            let (packets, wait) = pace.plan();
            let rest = if self.engine.ports_open() == 0 { IDLE } else { tick_due.saturating_duration_since(now) };
            self.net.wire.wait(packets, wait.unwrap_or(rest).min(rest));
            now = Instant::now();
            pace.note(now, self.relay(now, &mut packet));
            while let Ok(request) = requests.try_recv() {
                self.obey(now, request);
            }
            if now >= tick_due {
                ticks = ticks.wrapping_add(1);
                self.engine.handle_tick(now, ticks.is_multiple_of(50), &mut self.net);
                // After a stall the clock starts afresh: prompts are not played faster to catch up.
                tick_due = if now > tick_due + TICK * 5 { now + TICK } else { tick_due + TICK };
            }
            self.report();
        }
    }

    /// All packets that are there; how many they were.
    fn relay(&mut self, now: Instant, packet: &mut Packet) -> u32 {
        let mut count = 0;
        while self.net.wire.next(packet) {
            count += 1;
            match (packet.bytes(), packet.lane) {
                (Some(bytes), Lane::Rtp) => {
                    self.engine.handle_packet(now, packet.slot, packet.source, bytes, &mut self.net);
                }
                (Some(bytes), Lane::Rtcp) => self.engine.handle_report(now, packet.slot, packet.source, bytes),
                (None, _) => {}
            }
        }
        self.counters.received.inc_by(u64::from(count));
        self.counters.sent.inc_by(std::mem::take(&mut self.net.sent));
        self.counters.wakes.inc();
        count
    }

    fn obey(&mut self, now: Instant, request: Request) {
        match request {
            Request::Announce => {
                let ports_open = u32::try_from(self.engine.ports_open()).unwrap_or(u32::MAX);
                self.waiting.push_front(Event::Ready { ports_open, fingerprint: self.fingerprint });
            }
            Request::Report(event) => self.waiting.push_back(event),
            Request::Ready(awaited, sound) => {
                self.counters.unsaid.inc_by(u64::from(sound.is_none()));
                self.shelf.ready(awaited, sound.as_ref());
                self.engine.ready(awaited, sound.as_ref());
            }
            Request::Command(Command::Open { port, loopback }) => self.open(now, port, loopback),
            Request::Command(command) => {
                self.engine.handle_command(now, command, &mut self.shelf, &mut self.net);
            }
        }
        self.counters.ports.store(self.engine.ports_open(), Ordering::Relaxed);
        self.counters.open.set(i64::try_from(self.engine.ports_open()).unwrap_or(i64::MAX));
    }

    fn open(&mut self, now: Instant, port: PortId, loopback: bool) {
        let opened = match self.engine.open(now, port) {
            Some(slot) => self.net.open(now, slot, loopback).ok_or(Failure::NoPort),
            None => Err(Failure::Limit),
        };
        match opened {
            Ok(local) => {
                self.engine.opened(port, local);
                self.waiting.push_back(Event::Opened { port, local });
            }
            Err(why) => {
                if why == Failure::NoPort {
                    self.engine.handle_command(now, Command::Close { port }, &mut self.shelf, &mut self.net);
                }
                self.waiting.push_back(Event::Failed { port, why });
            }
        }
    }

    /// Events go out in order; what *calls* does not take waits, up to the channel's size again.
    fn report(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            if let Event::Quality { quality, .. } = &event {
                self.counters.judge(quality);
            }
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

/// What the engine's output goes to.
struct Net {
    wire: Wire,
    recorder: ToRecorder,
    numbers: Numbers,
    /// Numbers in use, by slot.
    used: BTreeMap<u32, u16>,
    sent: u64,
}

impl Net {
    fn open(&mut self, now: Instant, slot: Slot, loopback: bool) -> Option<SocketAddr> {
        let bound = if loopback { Numbers::loopback().ok()? } else { self.numbers.bind(now)? };
        let local = bound.rtp.local_addr().ok()?;
        if let Some(number) = bound.number {
            self.used.insert(slot.index, number);
        }
        self.wire.add(slot, Lane::Rtp, bound.rtp).ok()?;
        if let Some(rtcp) = bound.rtcp {
            self.wire.add(slot, Lane::Rtcp, rtcp).ok()?;
        }
        Some(local)
    }
}

impl Sink for Net {
    fn send(&mut self, slot: Slot, to: SocketAddr, packet: &[u8]) {
        self.sent += u64::from(self.wire.send(slot, Lane::Rtp, to, packet));
    }

    fn send_report(&mut self, slot: Slot, to: SocketAddr, packet: &[u8]) {
        self.wire.send(slot, Lane::Rtcp, to, packet);
    }

    fn lock(&mut self, slot: Slot, to: SocketAddr) {
        // On loopback nobody else can send, and a number that the system chose would be lost with the lock.
        if self.used.contains_key(&slot.index) {
            self.wire.lock(slot, Lane::Rtp, to);
        }
    }

    fn unlock(&mut self, slot: Slot) {
        self.wire.unlock(slot);
    }

    fn record_begin(&mut self, tape: TapeId, recording: &str) {
        if !self.recorder.begin(tape, recording) {
            error!("the recorder takes no more recordings");
        }
    }

    fn batch(&mut self, tape: TapeId, batch: &mut Batch) {
        self.recorder.batch(tape, batch);
    }

    fn batches_end(&mut self) {
        self.recorder.wake();
    }

    fn record_end(&mut self, tape: TapeId) {
        if !self.recorder.end(tape) {
            error!("the recorder is gone");
        }
    }

    fn close(&mut self, slot: Slot) {
        self.wire.remove(slot);
        if let Some(number) = self.used.remove(&slot.index) {
            self.numbers.rest(Instant::now(), number);
        }
    }
}
