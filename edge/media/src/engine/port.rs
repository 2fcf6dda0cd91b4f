//! One port: its remote, its two streams, what is played on it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{
    Sink, Slot,
    copy::Recoder,
    guard::{Guard, Met},
    mixing::Place,
    playing::{Awaited, Next, Playing, Voice},
    push,
    quality::Monitor,
    shield::Shield,
    tape::TapeId,
};
use crate::{
    coder::ENCODED_MAX,
    dtls::Certificate,
    dtmf::{Listener, Press},
    plane::{Codec, Event, Payload, PlayId, PortId, Remote, Stats, Unkeyed},
    prompt::FRAME_LEN,
    rtp::{HEADER_LEN, Header, receive::Receiver, rtcp, send::Sender},
    srtp::{RTCP_ROOM, RTP_ROOM},
    tone::Ear,
};

/// Feeder number of prompts; a joined port's is its id plus one.
const PROMPT: u64 = 0;

/// Packets of a keypress come this often at least: meanwhile its clock stands still (RFC 4733 §2.5.1.2).
const PRESS_GAP: Duration = Duration::from_millis(70);

/// Behind a declared NAT, a source other than the SDP's must send this many packets in sequence ...
const LEARN_PACKETS: u16 = 3;
/// ... within this time. Who sprays all ports of the range comes by too seldom.
const LEARN_WITHIN: Duration = Duration::from_millis(250);

/// Whether a packet may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    No,
    Yes(Codec),
    /// Yes, and this is the leg's first: its source is known for certain.
    First(Codec),
}

/// Where audio goes and what it is: a remote's part that packets look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub addr: SocketAddr,
    pub codec: Codec,
    pub payload: Payload,
    pub telephone_event: Option<u8>,
    pub learn: bool,
    mux: bool,
    pub wants_xr: bool,
}

/// Somebody behind a declared NAT who may be the leg's phone.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u16,
    since: Instant,
}

pub(super) struct Port {
    pub id: PortId,
    pub remote: Option<Target>,
    /// None: packets go and come in clear.
    guard: Option<Box<Guard>>,
    /// The source is settled: the SDP's, or learnt once behind a declared NAT (S-20).
    settled: bool,
    candidate: Option<Candidate>,
    pub muted: bool,
    /// The seat of the port on the other side.
    pub joined: Option<u32>,
    /// Where it sits in a mix.
    pub place: Option<Place>,
    /// When another's keypress was passed on to it.
    pub pressed: Option<Instant>,
    pub sender: Sender,
    pub receiver: Receiver,
    pub listener: Listener,
    /// For a party that named no events, and so presses keys as sound.
    ear: Ear,
    pub playing: Option<Playing>,
    /// What encodes prompts for a party that speaks no G.711.
    voice: Option<Box<Voice>>,
    /// What a copy that goes here needs when its codec is another.
    pub recoder: Option<Box<Recoder>>,
    pressing: Option<Press>,
    pub tapes: Vec<TapeId>,
    pub shield: Option<Box<Shield>>,
    pub foreign: u64,
    pub monitor: Monitor,
    heard: Instant,
    silent: bool,
    /// Since when its *calls* process is dead.
    pub orphan: Option<Instant>,
    /// Ours, once the socket is open.
    pub local: Option<SocketAddr>,
    /// What the next life of *calls* is to know of its leg; empty while it cannot be taken over.
    pub will: String,
}

impl Port {
    pub fn new(id: PortId, sender: Sender, now: Instant) -> Self {
        Self {
            id,
            remote: None,
            guard: None,
            settled: false,
            candidate: None,
            muted: false,
            joined: None,
            place: None,
            pressed: None,
            sender,
            receiver: Receiver::default(),
            listener: Listener::default(),
            ear: Ear::default(),
            playing: None,
            voice: None,
            recoder: None,
            pressing: None,
            tapes: Vec::new(),
            shield: None,
            foreign: 0,
            monitor: Monitor::default(),
            heard: now,
            silent: false,
            orphan: None,
            local: None,
            will: String::new(),
        }
    }

    /// `certificate` is ours, for a handshake.
    pub fn connect(&mut self, now: Instant, remote: Remote, certificate: Option<&Certificate>) {
        self.settled = false;
        self.candidate = None;
        if self.remote.is_none() {
            self.monitor.begin(now, self.sender.ssrc().to_be_bytes()[3]);
        }
        self.heard = now;
        self.silent = false;
        let Remote { addr, codec, payload, telephone_event, learn, mux, wants_xr, security } = remote;
        let fixed = codec.payload_type();
        let payload = payload.unwrap_or(Payload { sent: fixed, received: fixed });
        self.sender.set_clock(codec.clock());
        self.receiver.set_clock(codec.clock());
        if self.voice.as_ref().is_none_or(|voice| voice.codec() != codec) {
            self.voice = (!codec.is_g711()).then(|| Box::new(Voice::new(codec)));
        }
        self.guard = Guard::over(now, self.guard.take(), &security, addr, certificate);
        let addr = self.guard.as_ref().and_then(|guard| guard.chosen()).unwrap_or(addr);
        self.remote = Some(Target { addr, codec, payload, telephone_event, learn, mux, wants_xr });
    }

    /// STUN and DTLS; true when the packet was either.
    pub fn meet(&mut self, now: Instant, slot: Slot, source: SocketAddr, packet: &[u8], sink: &mut impl Sink) -> bool {
        let Some(guard) = self.guard.as_mut().filter(|guard| guard.has_path()) else { return false };
        match guard.meet(now, source, packet, |to, packet| sink.send(slot, to, packet)) {
            Met::Other => return false,
            Met::Taken => {}
            Met::Chosen(addr) => {
                if let Some(remote) = self.remote.as_mut() {
                    remote.addr = addr;
                }
            }
        }
        true
    }

    /// Goes on with a handshake; why it came to nothing, once.
    pub fn shake(&mut self, now: Instant, slot: Slot, sink: &mut impl Sink) -> Option<Unkeyed> {
        let guard = self.guard.as_mut().filter(|guard| guard.has_path())?;
        guard.tick(now, |to, packet| sink.send(slot, to, packet));
        guard.failure()
    }

    /// The plain packet: `packet` itself, or, of a protected port, what was proven and decrypted into `room`. A source
    /// that cannot be the leg's is not worth the work.
    pub fn plain<'a>(&mut self, source: SocketAddr, packet: &'a [u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
        let Some(guard) = self.guard.as_mut() else { return Some(packet) };
        let may_come = self.remote.is_some_and(|to| to.addr == source || to.learn && !self.settled);
        if !may_come {
            self.foreign = self.foreign.saturating_add(1);
            return None;
        }
        let room = room.get_mut(..packet.len())?;
        room.copy_from_slice(packet);
        let length = guard.open(room)?;
        room.get(..length)
    }

    /// The same for a report.
    pub fn plain_report<'a>(&mut self, packet: &'a [u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
        let Some(guard) = self.guard.as_mut() else { return Some(packet) };
        let room = room.get_mut(..packet.len())?;
        room.copy_from_slice(packet);
        let length = guard.open_report(room)?;
        room.get(..length)
    }

    /// Whether an audio port's packet is a report (RFC 5761 §4).
    pub fn is_report(&self, packet: &[u8]) -> bool {
        self.remote.is_some_and(|remote| remote.mux) && packet.get(1).is_some_and(|kind| (192..224).contains(kind))
    }

    /// Sends the first `length` bytes, sealed where the port is protected; behind them there is room for that.
    pub fn send(&mut self, slot: Slot, packet: &mut [u8], length: usize, sink: &mut impl Sink) {
        let Some(to) = self.sendable() else { return };
        let length = match self.guard.as_mut() {
            Some(guard) => guard.seal(packet, length),
            None => Some(length),
        };
        if let Some(packet) = length.and_then(|length| packet.get(..length)) {
            sink.send(slot, to.addr, packet);
        }
    }

    /// Sends the port's own report.
    pub fn send_report(&mut self, now: Instant, since_start: Duration, slot: Slot, sink: &mut impl Sink) {
        let (Some(to), Some(remote)) = (self.reports_at(), self.remote) else { return };
        let mut out = [0; rtcp::LEN_MAX + RTCP_ROOM];
        let Some(plain) = out.first_chunk_mut() else { return };
        let length = self.report(now, since_start, plain);
        let length = match self.guard.as_mut() {
            Some(guard) => guard.seal_report(&mut out, length),
            None => Some(length),
        };
        match length.and_then(|length| out.get(..length)) {
            Some(packet) if remote.mux => sink.send(slot, to, packet),
            Some(packet) => sink.send_report(slot, to, packet),
            None => {}
        }
    }

    /// Only the address of the SDP may send. Behind a declared NAT the address is learnt once: at once from the SDP's
    /// own host, from elsewhere after a few packets in sequence.
    pub fn admit(&mut self, now: Instant, source: SocketAddr, header: &Header) -> Admitted {
        let Some(remote) = self.remote.as_mut() else {
            self.foreign = self.foreign.saturating_add(1);
            return Admitted::No;
        };
        let ours = header.payload_type == remote.payload.received;
        if source == remote.addr {
            if self.settled || !ours {
                return Admitted::Yes(remote.codec);
            }
        } else {
            let may_learn = remote.learn && !self.settled && ours;
            // A packet that has proven itself is the leg's, wherever it comes from.
            let proven = self.guard.is_some();
            if !(may_learn && (proven || learnt(&mut self.candidate, now, source, header, remote))) {
                self.foreign = self.foreign.saturating_add(1);
                return Admitted::No;
            }
            remote.addr = source;
        }
        self.settled = true;
        // Where a path may change, the socket stays open to it.
        match &self.guard {
            Some(guard) if guard.has_path() => Admitted::Yes(remote.codec),
            _ => Admitted::First(remote.codec),
        }
    }

    pub fn telephone_event(&self) -> Option<u8> {
        self.remote.and_then(|remote| remote.telephone_event)
    }

    /// A key that was pressed as sound, by a party that knows no other way.
    pub fn hear_key(&mut self, codec: Codec, payload: &[u8]) -> Option<char> {
        (self.telephone_event().is_none() && codec.is_g711()).then(|| self.ear.hear(codec, payload))?
    }

    /// Where audio may go at this moment.
    pub fn sendable(&self) -> Option<Target> {
        self.remote.filter(|_| !self.muted)
    }

    /// Its party hears a prompt or a keypress, and no mix beside it.
    pub fn is_speaking(&self, now: Instant) -> bool {
        let pressed = self.pressed.is_some_and(|at| now.saturating_duration_since(at) < PRESS_GAP);
        self.playing.is_some() || self.pressing.is_some() || pressed
    }

    /// A packet came; true when the port had been reported silent.
    pub fn alive(&mut self, now: Instant) -> bool {
        self.heard = now;
        std::mem::replace(&mut self.silent, false)
    }

    /// True once when nothing came for `after`.
    pub fn fell_silent(&mut self, now: Instant, after: Duration) -> bool {
        let fell = !self.silent && self.remote.is_some() && self.quiet_for(now) >= after;
        self.silent |= fell;
        if fell && (self.guard.is_some() || self.remote.is_some_and(|remote| !remote.learn)) {
            // The first packet locks the socket again; a protected one may come from elsewhere by now.
            self.settled = false;
        }
        fell
    }

    pub fn quiet_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// Another life of *calls* takes it over, and is to hear of a silence that the last one was told of.
    pub fn adopt(&mut self) {
        (self.orphan, self.silent) = (None, false);
    }

    /// Where the party's reports come from and ours go (RFC 3550 §11).
    pub fn reports_at(&self) -> Option<SocketAddr> {
        let Target { mut addr, mux, .. } = self.remote?;
        if mux {
            return Some(addr);
        }
        addr.set_port(addr.port().checked_add(1)?);
        Some(addr)
    }

    pub fn play(&mut self, play: PlayId, parts: Vec<Awaited>, again: bool) {
        self.playing = Some(Playing::new(play, parts, again));
    }

    pub fn shield(&mut self, shielded: bool) {
        if shielded != self.shield.is_some() {
            self.shield = shielded.then(|| Box::new(Shield::new()));
        }
    }

    pub fn press(&mut self, digit: char, ms: u16) {
        self.pressing = Press::new(digit, ms);
    }

    /// One frame of what is being played, or one packet of a keypress.
    pub fn tick(&mut self, now: Instant, slot: Slot, events: &mut VecDeque<Event>, sink: &mut impl Sink) {
        let Some(remote) = self.sendable() else { return };
        if let Some(payload_type) = remote.telephone_event.filter(|_| self.pressing.is_some()) {
            match self.pressing.as_mut().and_then(Press::next) {
                Some((payload, begins)) => {
                    let mut packet = [0_u8; HEADER_LEN + 4 + RTP_ROOM];
                    packet[..HEADER_LEN].copy_from_slice(&self.sender.event(now, begins, payload_type));
                    packet[HEADER_LEN..HEADER_LEN + 4].copy_from_slice(&payload);
                    self.send(slot, &mut packet, HEADER_LEN + 4, sink);
                    return;
                }
                None => self.pressing = None,
            }
        }
        let Some(playing) = self.playing.as_mut() else { return };
        match playing.next(remote.codec) {
            Next::Frame(frame) => {
                let mut packet = [0_u8; HEADER_LEN + ENCODED_MAX + RTP_ROOM];
                packet[..HEADER_LEN].copy_from_slice(&self.sender.next(now, PROMPT, remote.payload.sent));
                let length = match &mut self.voice {
                    Some(voice) => {
                        let (length, payload) = voice.say(frame);
                        packet[HEADER_LEN..HEADER_LEN + ENCODED_MAX].copy_from_slice(&payload);
                        length
                    }
                    None => {
                        packet[HEADER_LEN..HEADER_LEN + FRAME_LEN].copy_from_slice(frame);
                        FRAME_LEN
                    }
                };
                self.sender.carried(length);
                self.send(slot, &mut packet, HEADER_LEN + length, sink);
            }
            Next::Soon => {}
            Next::End => {
                push(events, Event::Played { port: self.id, play: playing.play() });
                self.playing = None;
            }
        }
    }

    pub fn stats(&self) -> Stats {
        Stats {
            received: self.receiver.received,
            sent: self.sender.sent,
            lost: self.receiver.lost(),
            jitter_us: self.receiver.jitter_us(),
            foreign: self.foreign,
            unproven: self.guard.as_ref().map_or(0, |guard| guard.unproven),
        }
    }
}

/// Has this source shown that it is the phone behind the NAT?
fn learnt(
    candidate: &mut Option<Candidate>,
    now: Instant,
    source: SocketAddr,
    header: &Header,
    remote: &Target,
) -> bool {
    if source.ip() == remote.addr.ip() {
        return true;
    }
    let follows = candidate.filter(|known| {
        known.source == source
            && known.ssrc == header.ssrc
            && header.sequence == known.sequence.wrapping_add(1)
            && now.saturating_duration_since(known.since) <= LEARN_WITHIN
    });
    let mut next = follows.unwrap_or(Candidate { source, ssrc: header.ssrc, sequence: 0, packets: 0, since: now });
    next.sequence = header.sequence;
    next.packets = next.packets.saturating_add(1);
    *candidate = Some(next);
    next.packets >= LEARN_PACKETS
}
