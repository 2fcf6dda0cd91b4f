//! The media engine: ports, joins, prompts and what is recorded. Packets go through it without an allocation; the shell
//! gives it sockets' bytes and a tick every 20 ms, and a [`Sink`] that takes what leaves.

mod port;
mod release;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{
    dtmf,
    g711::convert,
    plane::{Codec, Command, Event, Failure, PortId, Side},
    prompt::Prompt,
    rtp::{self, HEADER_LEN},
};
use port::Port;

/// Largest packet that is relayed: 60 ms of G.711, with room.
pub const PACKET_MAX: usize = 600;
/// Bytes of audio in one packet at most.
pub const PAYLOAD_MAX: usize = PACKET_MAX - HEADER_LEN;
/// Prompts of one `Play`.
pub const PROMPTS_MAX: usize = 32;
/// Events waiting for the shell.
const EVENTS_MAX: usize = 100_000;
/// A connected port without a packet for this long is reported.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// One received frame, as the recorder wants it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    pub recording: &'a str,
    pub side: Side,
    pub codec: Codec,
    pub timestamp: u32,
    pub at: Instant,
    pub payload: &'a [u8],
}

/// Where the engine's bytes go. Implementations must not block.
pub trait Sink {
    fn send(&mut self, port: PortId, to: SocketAddr, packet: &[u8]);
    fn heard(&mut self, frame: Heard<'_>);
    fn record_begin(&mut self, recording: &str);
    fn record_end(&mut self, recording: &str);
    fn close(&mut self, port: PortId);
}

/// Finds a prompt by name.
pub trait Prompts {
    fn prompt(&mut self, name: &str) -> Option<Prompt>;
}

pub struct Engine {
    ports: BTreeMap<PortId, Port>,
    /// Which port begins each recording: its side is the caller's.
    recordings: BTreeMap<String, PortId>,
    ports_max: usize,
    random: ChaCha12Rng,
    events: VecDeque<Event>,
    pub(crate) orphaned: bool,
}

impl Engine {
    pub fn new(ports_max: usize, seed: [u8; 32]) -> Self {
        Self {
            ports: BTreeMap::new(),
            recordings: BTreeMap::new(),
            ports_max,
            random: ChaCha12Rng::from_seed(seed),
            events: VecDeque::new(),
            orphaned: false,
        }
    }

    pub fn ports_open(&self) -> usize {
        self.ports.len()
    }

    /// The shell opened a socket for a port (`Command::Open`); false when the limit is reached or the id is taken.
    pub fn open(&mut self, now: Instant, id: PortId) -> bool {
        if self.ports.len() >= self.ports_max || self.ports.contains_key(&id) {
            return false;
        }
        let (ssrc, start) = (self.random.next_u32(), self.random.next_u64());
        #[allow(clippy::cast_possible_truncation)]
        let sender = rtp::send::Sender::new(ssrc, start as u16, (start >> 16) as u32);
        self.ports.insert(id, Port::new(sender, now));
        true
    }

    /// Everything but `Hello`'s and `Open`'s socket work.
    pub fn handle_command(&mut self, now: Instant, command: Command, prompts: &mut impl Prompts, sink: &mut impl Sink) {
        match command {
            Command::Hello { .. } => self.orphan_all(),
            Command::Open { .. } => {}
            Command::Connect { port, remote } => self.with(port, |port| port.connect(now, remote)),
            Command::Mute { port, muted } => self.with(port, |port| port.muted = muted),
            Command::Join { a, b } => self.join(a, b),
            Command::Part { port } => self.part(port),
            Command::Play { port, play, prompts: names, again } => {
                let found: Option<Vec<Prompt>> = match names.len() {
                    1..=PROMPTS_MAX => names.iter().map(|name| prompts.prompt(name)).collect(),
                    _ => None,
                };
                match found {
                    Some(found) => self.with(port, |port| port.play(play, found, again)),
                    None => self.fail(port, Failure::Prompt),
                }
            }
            Command::Stop { port } => self.with(port, |port| port.playing = None),
            Command::Digit { port, digit, ms } => self.with(port, |port| port.press(digit, ms)),
            Command::Record { recording, port } => {
                if self.ports.contains_key(&port) {
                    sink.record_begin(&recording);
                    self.recordings.insert(recording, port);
                } else {
                    self.fail(port, Failure::UnknownPort);
                }
            }
            Command::RecordEnd { recording } => self.record_end(&recording, sink),
            Command::Close { port } => self.close(port, sink),
        }
    }

    /// One datagram. Returns nothing: what leaves goes to the sink, what happened to the events.
    pub fn handle_packet(&mut self, now: Instant, id: PortId, source: SocketAddr, packet: &[u8], sink: &mut impl Sink) {
        let Some(port) = self.ports.get_mut(&id) else { return };
        let Some(codec) = port.admit(source, packet) else { return };
        let Some((header, payload)) = rtp::parse(packet) else {
            port.foreign += 1;
            return;
        };
        if payload.is_empty() || payload.len() > PAYLOAD_MAX {
            return;
        }
        let event = port.telephone_event() == Some(header.payload_type);
        if !event && header.payload_type != codec.payload_type() {
            return;
        }
        let in_order = port.receiver.note(now, &header);
        if port.alive(now) {
            self.events.push_back(Event::Silent { port: id, silent: false });
        }
        let Some(port) = self.ports.get_mut(&id) else { return };
        let peer = port.joined;
        if event {
            let pressed = port.listener.hear(header.timestamp, payload);
            if let Some(digit) = pressed {
                self.event(Event::Digit { port: id, digit });
            }
            self.relay_event(now, peer, payload, pressed.is_some(), sink);
            return;
        }
        self.record_frame(id, peer, codec, header.timestamp, now, payload, sink);
        if in_order {
            self.relay(now, id, peer, codec, payload, sink);
        }
    }

    /// Every 20 ms: the next frame of each prompt and keypress, and, once a second, a look at the silent.
    pub fn handle_tick(&mut self, now: Instant, look: bool, sink: &mut impl Sink) {
        let mut events = std::mem::take(&mut self.events);
        for (id, port) in &mut self.ports {
            port.tick(now, *id, &mut events, sink);
            if look && port.fell_silent(now, SILENT_AFTER) {
                events.push_back(Event::Silent { port: *id, silent: true });
            }
        }
        self.events = events;
        if look && self.orphaned {
            self.release_orphans(now, sink);
        }
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn relay(
        &mut self,
        now: Instant,
        from: PortId,
        peer: Option<PortId>,
        codec: Codec,
        payload: &[u8],
        sink: &mut impl Sink,
    ) {
        let Some((peer_id, peer)) = peer.and_then(|peer| Some((peer, self.ports.get_mut(&peer)?))) else { return };
        let Some(remote) = peer.sendable().filter(|_| peer.playing.is_none()) else { return };
        let mut out = [0_u8; PACKET_MAX];
        let (head, body) = out.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&peer.sender.next(now, from.0.wrapping_add(1), remote.codec.payload_type()));
        let Some(body) = body.get_mut(..payload.len()) else { return };
        body.copy_from_slice(payload);
        convert(codec, remote.codec, body);
        if let Some(packet) = out.get(..HEADER_LEN + payload.len()) {
            sink.send(peer_id, remote.addr, packet);
        }
    }

    fn relay_event(&mut self, now: Instant, peer: Option<PortId>, payload: &[u8], begins: bool, sink: &mut impl Sink) {
        let Some((peer_id, peer)) = peer.and_then(|peer| Some((peer, self.ports.get_mut(&peer)?))) else { return };
        let (Some(remote), Some(body)) = (peer.sendable(), payload.first_chunk::<4>()) else { return };
        let Some(payload_type) = remote.telephone_event.filter(|_| dtmf::key(body[0]).is_some()) else { return };
        let mut packet = [0_u8; HEADER_LEN + 4];
        let (head, tail) = packet.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&peer.sender.event(now, begins, payload_type));
        tail.copy_from_slice(body);
        sink.send(peer_id, remote.addr, &packet);
    }

    #[allow(clippy::too_many_arguments)]
    fn record_frame(
        &self,
        id: PortId,
        peer: Option<PortId>,
        codec: Codec,
        timestamp: u32,
        at: Instant,
        payload: &[u8],
        sink: &mut impl Sink,
    ) {
        for (recording, port) in &self.recordings {
            let side = match (*port == id, peer == Some(*port)) {
                (true, _) => Side::Caller,
                (false, true) => Side::Agent,
                (false, false) => continue,
            };
            sink.heard(Heard { recording, side, codec, timestamp, at, payload });
        }
    }

    fn join(&mut self, a: PortId, b: PortId) {
        if a == b || !self.ports.contains_key(&a) || !self.ports.contains_key(&b) {
            self.fail(a, Failure::UnknownPort);
            return;
        }
        self.part(a);
        self.part(b);
        self.with(a, |port| port.joined = Some(b));
        self.with(b, |port| port.joined = Some(a));
    }

    fn part(&mut self, id: PortId) {
        let peer = self.ports.get_mut(&id).and_then(|port| port.joined.take());
        if let Some(peer) = peer.and_then(|peer| self.ports.get_mut(&peer)) {
            peer.joined = None;
        }
    }

    fn close(&mut self, id: PortId, sink: &mut impl Sink) {
        self.part(id);
        let ended: Vec<String> =
            self.recordings.iter().filter(|(_, port)| **port == id).map(|(recording, _)| recording.clone()).collect();
        for recording in ended {
            self.record_end(&recording, sink);
        }
        if let Some(port) = self.ports.remove(&id) {
            self.event(Event::Stats { port: id, stats: port.stats() });
            sink.close(id);
        }
    }

    fn record_end(&mut self, recording: &str, sink: &mut impl Sink) {
        if self.recordings.remove(recording).is_some() {
            sink.record_end(recording);
        }
    }

    fn with(&mut self, id: PortId, act: impl FnOnce(&mut Port)) {
        match self.ports.get_mut(&id) {
            Some(port) => act(port),
            None => self.fail(id, Failure::UnknownPort),
        }
    }

    fn fail(&mut self, port: PortId, why: Failure) {
        self.event(Event::Failed { port, why });
    }

    fn event(&mut self, event: Event) {
        if self.events.len() < EVENTS_MAX {
            self.events.push_back(event);
        }
    }
}

#[cfg(test)]
mod tests;
