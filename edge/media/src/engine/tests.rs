//! Two phones, a prompt and a spy, in memory.

use super::*;
use crate::plane::{Codec, PlayId, Remote, Sound, WILL_BYTES_MAX};

#[derive(Default)]
pub(super) struct Net {
    pub(super) sent: Vec<(Slot, SocketAddr, Vec<u8>)>,
    pub(super) reports: Vec<(Slot, SocketAddr, Vec<u8>)>,
    pub(super) log: Vec<String>,
    pub(super) frames: u32,
}

impl Sink for Net {
    fn send(&mut self, slot: Slot, to: SocketAddr, packet: &[u8]) {
        self.sent.push((slot, to, packet.to_vec()));
    }

    fn send_report(&mut self, slot: Slot, to: SocketAddr, packet: &[u8]) {
        self.reports.push((slot, to, packet.to_vec()));
    }

    fn lock(&mut self, slot: Slot, to: SocketAddr) {
        self.log.push(format!("lock {} {}", slot.index, to.port()));
    }

    fn unlock(&mut self, slot: Slot) {
        self.log.push(format!("unlock {}", slot.index));
    }

    fn record_begin(&mut self, tape: TapeId, recording: &str) {
        self.log.push(format!("begin {} {recording}", tape.0));
    }

    fn batch(&mut self, _tape: TapeId, batch: &mut Batch) {
        self.frames += batch.frames();
        batch.clear();
    }

    fn batches_end(&mut self) {
        self.log.push("round".into());
    }

    fn record_end(&mut self, tape: TapeId) {
        self.log.push(format!("end {}", tape.0));
    }

    fn close(&mut self, slot: Slot) {
        self.log.push(format!("close {}", slot.index));
    }
}

pub(super) struct Shelf;

impl Prompts for Shelf {
    fn prompt(&mut self, name: &str) -> Option<Awaited> {
        let frames = name.strip_prefix("frames-")?.parse::<usize>().ok()?;
        Prompt::from_samples(&vec![1_000; frames * 160]).ok().map(Awaited::Here)
    }
}

pub(super) const A: PortId = PortId(1);
pub(super) const B: PortId = PortId(2);
/// Where they stand in an engine that opened A, then B.
pub(super) const SLOT_A: Slot = Slot { index: 0, generation: 0 };
pub(super) const SLOT_B: Slot = Slot { index: 1, generation: 0 };

pub(super) fn address(port: u16) -> SocketAddr {
    SocketAddr::new([192, 0, 2, 1].into(), port)
}

pub(super) fn remote(port: u16, codec: Codec) -> Remote {
    Remote::clear(address(port), codec, Some(101))
}

fn start() -> Instant {
    #[allow(clippy::disallowed_methods)]
    Instant::now()
}

pub(super) fn packet(sequence: u16, payload_type: u8, payload: &[u8]) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 160;
    let header = rtp::Header { marker: false, payload_type, sequence, timestamp, ssrc: 9 };
    let mut packet = rtp::write(&header).to_vec();
    packet.extend(payload);
    packet
}

/// A is joined to B; A speaks A-law, B µ-law.
pub(super) fn joined() -> (Engine, Net, Instant) {
    let (mut engine, mut net, now) = (Engine::new(10, [3; 32]), Net::default(), start());
    for (id, port, codec) in [(A, 4_000, Codec::Pcma), (B, 5_000, Codec::Pcmu)] {
        assert!(engine.open(now, id).is_some());
        let remote = remote(port, codec);
        engine.handle_command(now, Command::Connect { port: id, remote }, &mut Shelf, &mut net);
    }
    engine.handle_command(now, Command::Join { a: A, b: B }, &mut Shelf, &mut net);
    (engine, net, now)
}

#[test]
fn audio_crosses_a_join_in_the_other_side_s_law() {
    let (mut engine, mut net, now) = joined();
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[0xd5; 160]), &mut net);
    let (port, to, sent) = net.sent.pop().expect("relayed");
    assert_eq!((port, to), (SLOT_B, address(5_000)));
    let (header, payload) = rtp::parse(&sent).expect("RTP");
    assert_eq!(header.payload_type, 0);
    assert_eq!(payload.len(), 160);
    let level = Codec::Pcmu.decode(payload[0]).abs();
    assert!(level <= 16, "silence stays silence: {level}");
}

#[test]
fn a_stranger_s_packets_go_nowhere_and_are_counted() {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
    for n in 0..50 {
        engine.handle_packet(now, SLOT_A, address(6_666), &packet(n, 8, &[1; 160]), &mut net);
    }
    engine.handle_tick(now + CLOSE_EVERY, false, &mut net);
    assert!(net.sent.is_empty() && net.frames == 0);
    engine.handle_command(now, Command::Close { port: A }, &mut Shelf, &mut net);
    let stats = std::iter::from_fn(|| engine.poll_event()).find_map(|event| match event {
        Event::Stats { stats, .. } => Some(stats),
        _ => None,
    });
    assert_eq!(stats.expect("stats").foreign, 50);
}

#[test]
fn behind_a_declared_nat_the_address_is_learnt_once() {
    let (mut engine, mut net, now) = joined();
    let behind = Remote { learn: true, ..remote(4_000, Codec::Pcma) };
    engine.handle_command(now, Command::Connect { port: A, remote: behind }, &mut Shelf, &mut net);
    engine.handle_packet(now, SLOT_A, address(7_000), b"not rtp at all", &mut net);
    engine.handle_packet(now, SLOT_A, address(4_444), &packet(1, 8, &[1; 160]), &mut net);
    engine.handle_packet(now, SLOT_A, address(6_666), &packet(2, 8, &[1; 160]), &mut net);
    assert_eq!(net.sent.len(), 1, "the first valid source alone");
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
    assert_eq!(net.sent.last().expect("back").1, address(4_444));
    assert!(net.log.contains(&"lock 0 4444".to_owned()), "{:?}", net.log);
}

#[test]
fn another_host_is_learnt_only_when_it_keeps_sending() {
    let (mut engine, mut net, now) = joined();
    let behind = Remote { learn: true, ..remote(4_000, Codec::Pcma) };
    engine.handle_command(now, Command::Connect { port: A, remote: behind }, &mut Shelf, &mut net);
    let host = |last: u8| SocketAddr::new([198, 51, 100, last].into(), 9_000);
    // A sprayer comes by now and then; the phone sends every 20 ms from its own address.
    for n in 0..4_u16 {
        let at = now + Duration::from_millis(u64::from(n) * 20);
        if n != 2 {
            engine.handle_packet(at, SLOT_A, host(66), &packet(n * 7, 8, &[6; 160]), &mut net);
        }
        engine.handle_packet(at, SLOT_A, host(7), &packet(n, 8, &[7; 160]), &mut net);
    }
    assert!(net.sent.is_empty(), "while two compete nobody is believed");
    for n in 4..7_u16 {
        engine.handle_packet(now + Duration::from_millis(100), SLOT_A, host(7), &packet(n, 8, &[7; 160]), &mut net);
    }
    assert!(net.log.contains(&"lock 0 9000".to_owned()), "{:?}", net.log);
    engine.handle_packet(now, SLOT_A, host(66), &packet(9, 8, &[6; 160]), &mut net);
    assert!(net.sent.iter().all(|(_, _, packet)| packet[12] != 6) && !net.sent.is_empty());
}

#[test]
fn both_sides_are_recorded_as_received() {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[1; 160]), &mut net);
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[2; 160]), &mut net);
    engine.handle_command(now, Command::Close { port: A }, &mut Shelf, &mut net);
    assert_eq!(net.frames, 2);
    let log: Vec<_> = net.log.iter().filter(|line| !line.contains("lock")).collect();
    assert_eq!(log, ["begin 0 r", "end 0", "close 0"]);
}

#[test]
fn a_recording_keeps_going_when_its_batch_is_full_and_is_handed_over_in_rounds() {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
    engine.handle_tick(now, false, &mut net);
    for n in 0..100 {
        engine.handle_packet(now, SLOT_A, address(4_000), &packet(n, 8, &[1; 160]), &mut net);
    }
    assert!((40..100).contains(&net.frames), "one batch is full: {}", net.frames);
    engine.handle_tick(now + CLOSE_EVERY, false, &mut net);
    assert_eq!(net.frames, 100);
    assert_eq!(net.log.iter().filter(|line| *line == "round").count(), 1);
    engine.handle_tick(now + 2 * CLOSE_EVERY, false, &mut net);
    assert_eq!(net.log.iter().filter(|line| *line == "round").count(), 1, "an empty round is none");
}

#[test]
fn prompts_are_paced_by_the_tick_and_end_with_an_event() {
    let (mut engine, mut net, now) = joined();
    let sounds = vec![Sound::Prompt("frames-2".into()), Sound::Prompt("frames-1".into())];
    engine.handle_command(now, Command::Play { port: A, play: PlayId(7), sounds, again: false }, &mut Shelf, &mut net);
    for tick in 0..4 {
        engine.handle_tick(now + Duration::from_millis(20 * tick), false, &mut net);
    }
    assert_eq!(net.sent.len(), 3);
    assert_eq!(engine.poll_event(), Some(Event::Played { port: A, play: PlayId(7) }));
    let stamps: Vec<u32> = net.sent.iter().map(|(_, _, packet)| rtp::parse(packet).expect("RTP").0.timestamp).collect();
    assert_eq!(stamps[1].wrapping_sub(stamps[0]), 160);
    assert_eq!(stamps[2].wrapping_sub(stamps[1]), 160);
}

#[test]
fn the_stream_to_a_phone_stays_one_stream_through_prompt_and_join() {
    let (mut engine, mut net, now) = joined();
    let play = Command::Play { port: B, play: PlayId(1), sounds: vec![Sound::Prompt("frames-1".into())], again: false };
    engine.handle_command(now, play, &mut Shelf, &mut net);
    engine.handle_tick(now, false, &mut net);
    engine.handle_tick(now + Duration::from_millis(20), false, &mut net);
    engine.handle_packet(now + Duration::from_millis(100), SLOT_A, address(4_000), &packet(1, 8, &[1; 160]), &mut net);
    let headers: Vec<_> = net.sent.iter().map(|(_, _, packet)| rtp::parse(packet).expect("RTP").0).collect();
    assert_eq!(headers[0].ssrc, headers[1].ssrc);
    assert_eq!(headers[1].sequence, headers[0].sequence.wrapping_add(1));
    assert_eq!(headers[1].timestamp.wrapping_sub(headers[0].timestamp), 5 * 160, "the pause is in the clock");
    assert!(headers[1].marker, "a new talk spurt");
}

#[test]
fn a_keypress_is_one_event_and_reaches_the_other_side() {
    let (mut engine, mut net, now) = joined();
    for n in 0..6_u16 {
        let end = if n > 3 { 0x80 } else { 0 };
        let mut press = packet(n, 101, &[5, end, 0, 160]);
        press[4..8].copy_from_slice(&1_000_u32.to_be_bytes());
        engine.handle_packet(now, SLOT_A, address(4_000), &press, &mut net);
    }
    assert_eq!(engine.poll_event(), Some(Event::Digit { port: A, digit: '5' }));
    assert_eq!(engine.poll_event(), None);
    let stamps: std::collections::BTreeSet<u32> =
        net.sent.iter().map(|(_, _, packet)| rtp::parse(packet).expect("RTP").0.timestamp).collect();
    assert_eq!((net.sent.len(), stamps.len()), (6, 1), "one event on the wire");
}

#[test]
fn a_key_that_is_pressed_as_sound_is_one_where_the_party_knows_no_other_way() {
    for (events, told) in [(None, Some('7')), (Some(101), None)] {
        let (mut engine, mut net, now) = joined();
        let remote = Remote { telephone_event: events, ..remote(4_000, Codec::Pcma) };
        engine.handle_command(now, Command::Connect { port: A, remote }, &mut Shelf, &mut net);
        let sound = crate::tone::sound('7', 800, 3_000.0).expect("a key");
        for (sequence, part) in (1..).zip(sound.chunks(160)) {
            let payload: Vec<u8> = part.iter().map(|sample| Codec::Pcma.encode(*sample)).collect();
            engine.handle_packet(now, SLOT_A, address(4_000), &packet(sequence, 8, &payload), &mut net);
        }
        let digits = std::iter::from_fn(|| engine.poll_event()).find_map(|event| match event {
            Event::Digit { port: A, digit } => Some(digit),
            _ => None,
        });
        assert_eq!(digits, told, "{events:?}");
        assert_eq!(net.sent.len(), 5, "the other side hears it as ever");
    }
}

#[test]
fn a_muted_port_gets_nothing() {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Mute { port: B, muted: true }, &mut Shelf, &mut net);
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[1; 160]), &mut net);
    assert!(net.sent.is_empty());
}

#[test]
fn orphans_live_while_both_sides_speak() {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Hello { generation: 2 }, &mut Shelf, &mut net);
    let speak = |engine: &mut Engine, net: &mut Net, port, from, at| {
        let payload_type = if port == A { 8 } else { 0 };
        let slot = if port == A { SLOT_A } else { SLOT_B };
        engine.handle_packet(at, slot, address(from), &packet(1, payload_type, &[1; 160]), net);
    };
    let after = |seconds| now + Duration::from_secs(seconds);
    speak(&mut engine, &mut net, A, 4_000, after(9));
    speak(&mut engine, &mut net, B, 5_000, after(9));
    engine.handle_tick(after(14), true, &mut net);
    assert_eq!(engine.ports_open(), 2);
    // One side hangs up, which nobody hears; the other goes on.
    speak(&mut engine, &mut net, B, 5_000, after(18));
    engine.handle_tick(after(18), true, &mut net);
    assert_eq!(engine.ports_open(), 2);
    engine.handle_tick(after(20), true, &mut net);
    assert_eq!(engine.ports_open(), 0, "both are closed");
}

#[test]
fn what_is_left_is_told_to_the_next_life_which_may_take_it_over() {
    let (mut engine, mut net, now) = joined();
    let mut tell = |engine: &mut Engine, command| engine.handle_command(now, command, &mut Shelf, &mut net);
    let local = address(30_000);
    engine.opened(A, local);
    engine.opened(B, address(30_002));
    tell(&mut engine, Command::Will { port: A, will: "first".into() });
    tell(&mut engine, Command::Will { port: A, will: "x".repeat(WILL_BYTES_MAX) });
    tell(&mut engine, Command::Will { port: A, will: "x".repeat(WILL_BYTES_MAX + 1) });
    assert_eq!(engine.poll_event(), Some(Event::Failed { port: A, why: Failure::Limit }));
    tell(&mut engine, Command::Will { port: A, will: "last".into() });
    tell(&mut engine, Command::Will { port: B, will: "none in the end".into() });
    tell(&mut engine, Command::Will { port: B, will: String::new() });
    tell(&mut engine, Command::Hello { generation: 2 });
    assert_eq!(engine.poll_event(), Some(Event::Left { port: A, local, will: "last".into() }));
    assert_eq!(engine.poll_event(), Some(Event::LeftAll));
    // A leg that is held sends nothing, and is not taken for one that left.
    let late = now + Duration::from_secs(60);
    tell(&mut engine, Command::Adopt { port: A });
    tell(&mut engine, Command::Adopt { port: B });
    engine.handle_tick(late, true, &mut net);
    assert_eq!(engine.ports_open(), 2);
    // What nobody takes over has its ten seconds from the death on, however long it was silent before.
    engine.handle_command(late, Command::Hello { generation: 3 }, &mut Shelf, &mut net);
    engine.handle_tick(late + Duration::from_secs(9), true, &mut net);
    assert_eq!(engine.ports_open(), 2);
    engine.handle_tick(late + Duration::from_secs(10), true, &mut net);
    assert_eq!(engine.ports_open(), 0);
}

#[test]
fn a_port_above_the_limit_is_refused() {
    let (mut engine, now) = (Engine::new(2, [0; 32]), start());
    assert!(engine.open(now, PortId(1)).is_some() && engine.open(now, PortId(2)).is_some());
    assert!(engine.open(now, PortId(3)).is_none());
    assert!(engine.open(now, PortId(1)).is_none(), "an id is used once");
}

#[test]
fn an_unknown_prompt_is_reported() {
    let (mut engine, mut net, now) = joined();
    let play = Command::Play { port: A, play: PlayId(1), sounds: vec![Sound::Prompt("nothing".into())], again: false };
    engine.handle_command(now, play, &mut Shelf, &mut net);
    assert_eq!(engine.poll_event(), Some(Event::Failed { port: A, why: Failure::Prompt }));
}

#[test]
fn what_was_on_its_way_to_a_closed_port_does_not_reach_the_next_one() {
    let (mut engine, mut net, now) = joined();
    engine.handle_command(now, Command::Close { port: A }, &mut Shelf, &mut net);
    let next = engine.open(now, PortId(3)).expect("room");
    assert_eq!(next.index, SLOT_A.index, "the seat is used again");
    let remote = remote(4_000, Codec::Pcma);
    engine.handle_command(now, Command::Connect { port: PortId(3), remote }, &mut Shelf, &mut net);
    engine.handle_command(now, Command::Join { a: PortId(3), b: B }, &mut Shelf, &mut net);
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[1; 160]), &mut net);
    assert!(net.sent.is_empty());
    engine.handle_packet(now, next, address(4_000), &packet(1, 8, &[1; 160]), &mut net);
    assert_eq!(net.sent.len(), 1);
}

#[test]
fn a_tone_goes_round_and_round_until_it_is_stopped() {
    let (mut engine, mut net, now) = joined();
    let ringback = |country: &str| {
        Sound::Tone(crate::plane::Tone { tone: crate::progress::Tone::Ringback, country: country.into() })
    };
    let mut heard = |country: &str| {
        let play = Command::Play { port: A, play: PlayId(9), sounds: vec![ringback(country)], again: true };
        engine.handle_command(now, play, &mut Shelf, &mut net);
        net.sent.clear();
        (0..600).for_each(|_| engine.handle_tick(now, false, &mut net));
        let loud = |payload: &[u8]| payload.iter().any(|byte| Codec::Pcma.decode(*byte).abs() > 500);
        let frames = net.sent.iter().map(|(_, _, packet)| loud(rtp::parse(packet).expect("RTP").1));
        frames.collect::<Vec<_>>().chunk_by(|a, b| a == b).map(|run| (run[0], run.len())).collect::<Vec<_>>()
    };
    assert_eq!(heard("1"), [(true, 100), (false, 200), (true, 100), (false, 200)]);
    assert_eq!(heard("44")[..4], [(true, 20), (false, 10), (true, 20), (false, 100)]);
}
