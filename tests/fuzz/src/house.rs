//! A media engine with two calls, for datagrams that anybody may send. An input is datagrams in a row: a byte says to
//! which port and from whom, another how long it is. Whatever comes, what leaves goes to the calls' own parties, is a
//! packet that can be read, and nothing leaves for what a stranger sent.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::dtls::Fingerprint;
use media::engine::{Awaited, Engine, PACKET_MAX, Prompts, Sink, Slot, TapeId};
use media::plane::{Codec, Command, Handshake, Ice, Payload, PortId, Remote, Security};
use media::record::Batch;
use media::rtp;

/// More than any input holds.
const DATAGRAMS_MAX: usize = 64;
const STRANGER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66)), 6_666);

/// Which of a port's sockets the datagrams come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Audio,
    Reports,
}

/// What the calls of the house are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// All are passed on as they are; one party keys in a card's number, and one pair's reports share the audio's port.
    Passed,
    /// As `Passed`, of parties that are found by ICE and proven by DTLS.
    Handshake,
    /// One pair shares no codec: each tick decodes, conceals, mixes and encodes, which takes a hundred times as long.
    Decoded,
}

#[derive(Default)]
struct Wire {
    sent: usize,
}

impl Sink for Wire {
    fn send(&mut self, _slot: Slot, to: SocketAddr, packet: &[u8]) {
        assert!(packet.len() <= PACKET_MAX);
        // An answer to a check goes to where the check came from; everything else is RTP to a party.
        if rtp::parse(packet).is_some() {
            assert_ne!(to, STRANGER, "a stranger is sent audio");
        }
        self.sent = self.sent.saturating_add(1);
    }
    fn send_report(&mut self, _slot: Slot, to: SocketAddr, packet: &[u8]) {
        assert!(packet.len() <= PACKET_MAX);
        assert_ne!(to, STRANGER, "a stranger is sent a report");
    }
    fn lock(&mut self, _slot: Slot, to: SocketAddr) {
        assert_ne!(to, STRANGER, "a port is locked to a stranger");
    }
    fn unlock(&mut self, _slot: Slot) {}
    fn record_begin(&mut self, _tape: TapeId, _recording: &str) {}
    fn batch(&mut self, _tape: TapeId, batch: &mut Batch) {
        batch.clear();
    }
    fn batches_end(&mut self) {}
    fn record_end(&mut self, _tape: TapeId) {}
    fn close(&mut self, _slot: Slot) {}
}

struct Silence;

impl Prompts for Silence {
    fn prompt(&mut self, _name: &str) -> Option<Awaited> {
        None
    }
}

pub fn run(calls: Calls, lane: Lane, data: &[u8]) {
    let mut now = Instant::now();
    let (mut engine, mut wire) = (Engine::new(4, [7; 32]), Wire::default());
    let codecs = match calls {
        Calls::Passed | Calls::Handshake => [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::G722],
        Calls::Decoded => [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus],
    };
    let mut slots = Vec::new();
    for (id, codec) in (1_u64..).zip(codecs) {
        let Some(slot) = engine.open(now, PortId(id)) else { return };
        let mut remote = Remote::clear(party(id), codec, Some(101));
        remote.payload = (codec == Codec::Opus).then_some(Payload { sent: 111, received: 111 });
        remote.mux = calls == Calls::Handshake || calls == Calls::Passed && id > 2;
        if calls == Calls::Handshake {
            let ice = Some(Ice { user: "ours:theirs".into(), password: "0123456789abcdef01234567".into() });
            let handshake = Handshake { fingerprint: Fingerprint([7; 32]), active: false, ice };
            remote.security = Security::Handshake(Box::new(handshake));
        }
        engine.handle_command(now, Command::Connect { port: PortId(id), remote }, &mut Silence, &mut wire);
        slots.push((slot, party(id)));
    }
    for (a, b) in [(1, 2), (3, 4)] {
        engine.handle_command(now, Command::Join { a: PortId(a), b: PortId(b) }, &mut Silence, &mut wire);
        let record = Command::Record { recording: a.to_string(), port: PortId(a) };
        engine.handle_command(now, record, &mut Silence, &mut wire);
    }
    if calls == Calls::Passed {
        let shield = Command::Shield { port: PortId(2), shielded: true };
        engine.handle_command(now, shield, &mut Silence, &mut wire);
    }
    let (mut rest, mut strangers_alone) = (data, true);
    for _ in 0..DATAGRAMS_MAX {
        let [how, length, after @ ..] = rest else { break };
        let (datagram, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        let Some((slot, party)) = slots.get(usize::from(how & 3)) else { break };
        let source = if how & 4 == 0 { *party } else { STRANGER };
        strangers_alone &= source == STRANGER;
        match lane {
            Lane::Audio => engine.handle_packet(now, *slot, source, datagram, &mut wire),
            Lane::Reports => engine.handle_report(now, *slot, source, datagram),
        }
        if strangers_alone && calls != Calls::Handshake {
            assert_eq!(wire.sent, 0, "something left for what a stranger sent");
        }
        if how & 8 != 0 {
            now = now.checked_add(Duration::from_millis(u64::from(how >> 4) * 20)).unwrap_or(now);
            engine.handle_tick(now, how & 16 != 0, &mut wire);
            wire.sent = 0;
        }
    }
    while engine.poll_event().is_some() {}
    assert_eq!(engine.ports_open(), 4, "a datagram closed a port");
}

fn party(id: u64) -> SocketAddr {
    SocketAddr::new(Ipv4Addr::new(192, 0, 2, 9).into(), 4_000 + u16::try_from(id).unwrap_or(0) * 2)
}
