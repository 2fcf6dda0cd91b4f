//! The media engine: ports, joins, prompts and what is recorded. Packets go through it without an allocation; the shell
//! gives it sockets' bytes and a tick every 20 ms, and a [`Sink`] that takes what leaves.

mod copy;
mod guard;
mod mixing;
mod playing;
mod port;
mod quality;
mod release;
mod seat;
mod shield;
mod slab;
mod tape;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::{
    dtls::Certificate,
    dtmf,
    g711::convert,
    noise,
    plane::{Command, Event, Failure, PortId, Side},
    progress::Tones,
    prompt::Prompt,
    record::Batch,
    rtp::{self, HEADER_LEN, rtcp},
    srtp::RTP_ROOM,
};
use mixing::Mixes;
use port::{Admitted, Port};
use slab::Ports;
use tape::Tapes;

pub use mixing::{MIXES_MAX, SEATS_MAX};
pub use playing::{Awaited, Prompts, SoundId};
pub use slab::{GENERATION_MAX, Slot};
pub use tape::{CLOSE_EVERY, TAPES_PER_PORT_MAX, TapeId};

/// Largest datagram that is taken or sent: a flight of a handshake.
pub const PACKET_MAX: usize = 1_500;
/// Largest packet of audio: 60 ms of G.711, with room.
const AUDIO_MAX: usize = 600 + RTP_ROOM;
/// Bytes of audio in one packet at most.
pub const PAYLOAD_MAX: usize = AUDIO_MAX - HEADER_LEN - RTP_ROOM;
/// Prompts of one `Play`.
pub const PROMPTS_MAX: usize = 32;
/// Events waiting for the shell.
const EVENTS_MAX: usize = 100_000;
/// A connected port without a packet for this long is reported.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// Where the engine's bytes go. Implementations must not block.
pub trait Sink {
    fn send(&mut self, slot: Slot, to: SocketAddr, packet: &[u8]);
    /// From the port's second socket.
    fn send_report(&mut self, slot: Slot, to: SocketAddr, packet: &[u8]);
    /// The port's source is known for certain: nothing from elsewhere need be received until it is unlocked.
    fn lock(&mut self, slot: Slot, to: SocketAddr);
    fn unlock(&mut self, slot: Slot);
    fn record_begin(&mut self, tape: TapeId, recording: &str);
    /// Takes what the batch holds and leaves it empty. What cannot be taken is to be counted with [`Batch::lose`].
    fn batch(&mut self, tape: TapeId, batch: &mut Batch);
    /// All batches of this round were handed over.
    fn batches_end(&mut self);
    fn record_end(&mut self, tape: TapeId);
    fn close(&mut self, slot: Slot);
}

pub struct Engine {
    ports: Ports,
    tapes: Tapes,
    mixes: Mixes,
    tones: Tones,
    levelled: bool,
    ports_max: usize,
    random: ChaCha12Rng,
    events: VecDeque<Event>,
    /// The zero of the times in reports.
    started: Option<Instant>,
    certificate: Option<Certificate>,
    pub(crate) orphaned: bool,
}

impl Engine {
    pub fn new(ports_max: usize, seed: [u8; 32]) -> Self {
        Self {
            ports: Ports::default(),
            tapes: Tapes::default(),
            mixes: Mixes::default(),
            tones: Tones::default(),
            levelled: true,
            ports_max,
            random: ChaCha12Rng::from_seed(seed),
            events: VecDeque::with_capacity(256),
            started: None,
            certificate: None,
            orphaned: false,
        }
    }

    /// What is shown in handshakes; without it there are none.
    pub fn certify(&mut self, certificate: Certificate) {
        self.certificate = Some(certificate);
    }

    /// Whether parties of mixes are brought near one loudness from their next mix on; at first they are.
    pub fn level(&mut self, levelled: bool) {
        self.levelled = levelled;
    }

    pub fn ports_open(&self) -> usize {
        self.ports.len()
    }

    /// The shell is about to open a socket for a port (`Command::Open`); None when the limit is reached or the id is
    /// taken.
    pub fn open(&mut self, now: Instant, id: PortId) -> Option<Slot> {
        if self.ports.len() >= self.ports_max || self.ports.contains(id) {
            return None;
        }
        let (ssrc, start) = (self.random.next_u32(), self.random.next_u64());
        #[allow(clippy::cast_possible_truncation)]
        let sender = rtp::send::Sender::new(ssrc, start as u16, (start >> 16) as u32);
        self.ports.insert(id, Port::new(id, sender, now))
    }

    /// The socket of a port is open there.
    pub fn opened(&mut self, id: PortId, local: SocketAddr) {
        self.with(id, |port| port.local = Some(local));
    }

    /// Everything but `Hello`'s and `Open`'s socket work.
    pub fn handle_command(&mut self, now: Instant, command: Command, prompts: &mut impl Prompts, sink: &mut impl Sink) {
        match command {
            Command::Hello { .. } => self.orphan_all(now, sink),
            Command::Will { port, will } => self.bequeath(port, will),
            Command::Adopt { port } => self.with(port, Port::adopt),
            Command::Open { .. } => {}
            Command::Connect { port, remote } => {
                if let Some(slot) = self.ports.slot(port) {
                    sink.unlock(slot);
                }
                match self.ports.get_mut(port) {
                    Some(entry) => {
                        entry.connect(now, remote, self.certificate.as_ref());
                        self.rejoin(port);
                    }
                    None => self.fail(port, Failure::UnknownPort),
                }
            }
            Command::Mute { port, muted } => self.with(port, |port| port.muted = muted),
            Command::Join { a, b } => self.join(a, b),
            Command::Part { port } => self.part(port),
            Command::Mix { mix, seats } => self.mix(mix, &seats),
            Command::Play { port, play, sounds, again } => match playing::found(&sounds, &mut self.tones, prompts) {
                Some(parts) => self.with(port, |port| port.play(play, parts, again)),
                None => self.fail(port, Failure::Prompt),
            },
            Command::Stop { port } => self.with(port, |port| port.playing = None),
            Command::Digit { port, digit, ms } => self.with(port, |port| port.press(digit, ms)),
            Command::Record { recording, port } => self.record(now, &recording, port, sink),
            Command::Copy { recording, port, caller, agent } => self.copy(now, &recording, port, [caller, agent]),
            Command::RecordPause { recording, paused } => self.tapes.pause(&recording, paused),
            Command::Shield { port, shielded } => self.with(port, |port| port.shield(shielded)),
            Command::RecordEnd { recording } => self.record_end(&recording, sink),
            Command::Close { port } => self.close(port, sink),
        }
    }

    /// What [`Prompts`] had awaited is here; None: there is no such sound, and what plays goes on without.
    pub fn ready(&mut self, awaited: SoundId, sound: Option<&Prompt>) {
        for (_, port) in self.ports.iter_mut() {
            if let Some(playing) = &mut port.playing {
                playing.ready(awaited, sound);
            }
        }
    }

    /// One datagram. Returns nothing: what leaves goes to the sink, what happened to the events.
    pub fn handle_packet(&mut self, now: Instant, slot: Slot, source: SocketAddr, packet: &[u8], sink: &mut impl Sink) {
        self.packet(now, slot, source, packet, sink);
        self.send_copies(now, sink);
    }

    fn packet(&mut self, now: Instant, slot: Slot, source: SocketAddr, packet: &[u8], sink: &mut impl Sink) {
        let Some((port, peer)) = self.ports.pair(slot) else { return };
        if port.meet(now, slot, source, packet, sink) {
            return;
        }
        if port.is_report(packet) {
            return self.handle_report(now, slot, source, packet);
        }
        let mut room = [0; AUDIO_MAX];
        let Some(packet) = port.plain(source, packet, &mut room) else { return };
        let Some((header, payload)) = rtp::parse(packet) else {
            port.foreign = port.foreign.saturating_add(1);
            return;
        };
        let codec = match port.admit(now, source, &header) {
            Admitted::No => return,
            Admitted::Yes(codec) => codec,
            Admitted::First(codec) => {
                sink.lock(slot, source);
                codec
            }
        };
        if payload.is_empty() || payload.len() > PAYLOAD_MAX {
            return;
        }
        let event = port.telephone_event() == Some(header.payload_type);
        let calm = header.payload_type == noise::PAYLOAD_TYPE;
        if !event && !calm && port.remote.is_none_or(|remote| header.payload_type != remote.payload.received) {
            return;
        }
        let in_order = port.receiver.note(now, &header);
        let id = port.id;
        if port.alive(now) {
            push(&mut self.events, Event::Silent { port: id, silent: false });
        }
        if event {
            let pressed = port.listener.hear(header.timestamp, payload);
            if let Some(digit) = pressed {
                push(&mut self.events, Event::Digit { port: id, digit });
            }
            if port.shield.is_some() {
                return;
            }
            if let Some((place, peer)) = peer {
                relay_event(now, place, peer, payload, pressed.is_some(), sink);
            } else if let Some(place) = port.place {
                for id in self.mixes.hearers(place) {
                    if let Some((slot, hearer)) = self.ports.find(id) {
                        relay_event(now, slot, hearer, payload, pressed.is_some(), sink);
                    }
                }
            }
            return;
        }
        if calm {
            if let Some(place) = port.place {
                self.mixes.calm(place, payload);
            }
            return;
        }
        let (mut timestamp, mut payload) = (header.timestamp, payload);
        let passed;
        if let Some(shield) = &mut port.shield {
            if !in_order {
                return;
            }
            let (before, pressed) = shield.pass(codec, timestamp, payload);
            if let Some(digit) = pressed {
                push(&mut self.events, Event::Digit { port: id, digit });
            }
            let Some(before) = before else { return };
            passed = before;
            (timestamp, payload) = (passed.timestamp, passed.payload());
        } else if in_order && let Some(digit) = port.hear_key(codec, payload) {
            push(&mut self.events, Event::Digit { port: id, digit });
        }
        self.tapes.hear(now, &port.tapes, Side::Caller, codec, timestamp, payload, sink);
        if let Some(place) = port.place {
            return self.mixes.hear(now, place, codec, &header, payload);
        }
        let Some((place, peer)) = peer else { return };
        self.tapes.hear(now, &peer.tapes, Side::Agent, codec, timestamp, payload, sink);
        if in_order {
            let Some(remote) = peer.sendable().filter(|_| peer.playing.is_none()) else { return };
            let mut out = [0_u8; AUDIO_MAX];
            let length = HEADER_LEN + payload.len();
            let (head, body) = out.split_at_mut(HEADER_LEN);
            head.copy_from_slice(&peer.sender.next(now, id.0.wrapping_add(1), remote.payload.sent));
            let Some(body) = body.get_mut(..payload.len()) else { return };
            body.copy_from_slice(payload);
            convert(codec, remote.codec, body);
            peer.sender.carried(payload.len());
            peer.send(place, &mut out, length, sink);
        }
    }

    /// One datagram of the port's second socket. Reports inform; they never end or move anything (S-27).
    pub fn handle_report(&mut self, now: Instant, slot: Slot, source: SocketAddr, packet: &[u8]) {
        let started = *self.started.get_or_insert(now);
        let Some((port, _)) = self.ports.pair(slot) else { return };
        if port.reports_at() != Some(source) {
            return;
        }
        let mut room = [0; AUDIO_MAX];
        let plain = port.plain_report(packet, &mut room);
        if let Some(report) = plain.and_then(|packet| rtcp::parse(packet, port.sender.ssrc())) {
            port.monitor.hear(now, &report, now.saturating_duration_since(started));
        }
    }

    /// Every 20 ms: the next frame of each prompt and keypress, and, once a second, a look at the silent.
    pub fn handle_tick(&mut self, now: Instant, look: bool, sink: &mut impl Sink) {
        let started = *self.started.get_or_insert(now);
        for (slot, port) in self.ports.iter_mut() {
            if let Some(why) = port.shake(now, slot, sink) {
                push(&mut self.events, Event::Unkeyed { port: port.id, why });
            }
            port.tick(now, slot, &mut self.events, sink);
            if port.monitor.is_due(now) {
                port.send_report(now, now.saturating_duration_since(started), slot, sink);
                if let Some(quality) = port.judge(now) {
                    push(&mut self.events, Event::Quality { port: port.id, quality });
                }
            }
            if look && port.fell_silent(now, SILENT_AFTER) {
                push(&mut self.events, Event::Silent { port: port.id, silent: true });
                // Whoever sends from elsewhere is to be seen.
                sink.unlock(slot);
            }
        }
        self.tick_mixes(now, sink);
        self.send_copies(now, sink);
        self.tapes.tick(now, sink);
        if look && self.orphaned {
            self.release_orphans(now, sink);
        }
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn record(&mut self, now: Instant, recording: &str, id: PortId, sink: &mut impl Sink) {
        let Some(port) = self.ports.get_mut(id) else {
            return self.no_tape(recording, Failure::UnknownPort);
        };
        if port.tapes.len() >= TAPES_PER_PORT_MAX {
            return self.no_tape(recording, Failure::Limit);
        }
        if let Some(tape) = self.tapes.begin(now, recording, id, sink) {
            port.tapes.push(tape);
        }
    }

    fn join(&mut self, a: PortId, b: PortId) {
        let (Some(first), Some(second)) = (self.ports.slot(a), self.ports.slot(b)) else {
            self.fail(a, Failure::UnknownPort);
            return;
        };
        if a == b {
            self.fail(a, Failure::UnknownPort);
            return;
        }
        for port in [a, b] {
            self.part(port);
            self.leave_mix(port);
        }
        if !self.passes(a, b) {
            return self.transcode(a, b);
        }
        self.with(a, |port| port.joined = Some(second.index));
        self.with(b, |port| port.joined = Some(first.index));
    }

    fn part(&mut self, id: PortId) {
        if self.is_transcoded(id) {
            return self.untranscode(id);
        }
        let peer = self.ports.get_mut(id).and_then(|port| port.joined.take());
        if let Some(peer) = peer.and_then(|peer| self.ports.at_mut(peer)) {
            peer.joined = None;
        }
    }

    fn close(&mut self, id: PortId, sink: &mut impl Sink) {
        self.part(id);
        self.leave_mix(id);
        for recording in self.tapes.names_of(id) {
            self.record_end(&recording, sink);
        }
        if let Some((slot, port)) = self.ports.remove(id) {
            push(&mut self.events, Event::Stats { port: id, stats: port.stats() });
            sink.close(slot);
        }
    }

    fn record_end(&mut self, recording: &str, sink: &mut impl Sink) {
        let ended = self.tapes.end(recording, sink);
        if let Some((tape, port)) = ended.and_then(|(tape, id)| Some((tape, self.ports.get_mut(id)?))) {
            port.tapes.retain(|other| *other != tape);
        }
    }

    fn with(&mut self, id: PortId, act: impl FnOnce(&mut Port)) {
        match self.ports.get_mut(id) {
            Some(port) => act(port),
            None => self.fail(id, Failure::UnknownPort),
        }
    }

    fn no_tape(&mut self, recording: &str, why: Failure) {
        let state = crate::plane::RecordingState::Failed { why };
        push(&mut self.events, Event::Recording { recording: recording.to_owned(), state });
    }

    fn fail(&mut self, port: PortId, why: Failure) {
        push(&mut self.events, Event::Failed { port, why });
    }
}

fn push(events: &mut VecDeque<Event>, event: Event) {
    if events.len() < EVENTS_MAX {
        events.push_back(event);
    }
}

fn relay_event(now: Instant, place: Slot, peer: &mut Port, payload: &[u8], begins: bool, sink: &mut impl Sink) {
    let (Some(remote), Some(body)) = (peer.sendable(), payload.first_chunk::<4>()) else { return };
    let Some(payload_type) = remote.telephone_event.filter(|_| dtmf::key(body[0]).is_some()) else { return };
    let mut packet = [0_u8; HEADER_LEN + 4 + RTP_ROOM];
    packet[..HEADER_LEN].copy_from_slice(&peer.sender.event(now, begins, payload_type));
    packet[HEADER_LEN..HEADER_LEN + 4].copy_from_slice(body);
    peer.pressed = Some(now);
    peer.send(place, &mut packet, HEADER_LEN + 4, sink);
}

#[cfg(test)]
mod copy_tests;
#[cfg(test)]
mod guard_tests;
#[cfg(test)]
mod mixing_tests;
#[cfg(test)]
mod path_tests;
#[cfg(test)]
mod quality_tests;
#[cfg(test)]
mod shield_tests;
#[cfg(test)]
mod tests;
