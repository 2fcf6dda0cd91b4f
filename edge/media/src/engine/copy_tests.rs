//! What a recording server of the customer's own is sent: what our own recorder takes down, and nothing else.

use super::{tests::*, *};
use crate::{
    plane::{Codec, RecordingState},
    tone,
};

/// The ports of a copy, and where they stand in an engine that opened A, B, and these.
const CALLER: PortId = PortId(3);
const AGENT: PortId = PortId(4);
const CALLER_AT: u16 = 6_000;
const AGENT_AT: u16 = 6_002;

/// A joined to B, and what each says copied in the codec.
fn copied(codec: Codec) -> (Engine, Net, Instant) {
    let (mut engine, mut net, now) = joined();
    for (id, port) in [(CALLER, CALLER_AT), (AGENT, AGENT_AT)] {
        assert!(engine.open(now, id).is_some());
        tell(&mut engine, &mut net, now, Command::Connect { port: id, remote: remote(port, codec) });
    }
    let copy = Command::Copy { recording: "c".into(), port: A, caller: CALLER, agent: AGENT };
    tell(&mut engine, &mut net, now, copy);
    (engine, net, now)
}

fn tell(engine: &mut Engine, net: &mut Net, now: Instant, command: Command) {
    engine.handle_command(now, command, &mut Shelf, net);
}

/// What went there: payload type and payload.
fn sent_to(net: &Net, port: u16) -> Vec<(u8, Vec<u8>)> {
    let there = net.sent.iter().filter(|(_, to, _)| *to == address(port));
    there
        .map(|(_, _, bytes)| {
            let (header, payload) = rtp::parse(bytes).expect("RTP");
            (header.payload_type, payload.to_vec())
        })
        .collect()
}

#[test]
fn each_side_leaves_by_a_port_of_its_own_and_nothing_is_written_to_a_file() {
    let (mut engine, mut net, now) = copied(Codec::Pcma);
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[0x11; 160]), &mut net);
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[0xff; 160]), &mut net);
    assert_eq!(sent_to(&net, CALLER_AT), [(8, vec![0x11; 160])]);
    let agent = sent_to(&net, AGENT_AT);
    assert_eq!((agent.len(), agent[0].0), (1, 8), "in the law that the server speaks");
    assert!(Codec::Pcma.decode(agent[0].1[0]).abs() <= 16, "silence stays silence");
    assert_eq!(sent_to(&net, 5_000).len(), 1, "the call goes on");
    tell(&mut engine, &mut net, now, Command::RecordEnd { recording: "c".into() });
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(2, 8, &[0x11; 160]), &mut net);
    assert_eq!(sent_to(&net, CALLER_AT).len(), 1);
    assert!(!net.log.iter().any(|line| line.starts_with("begin") || line.starts_with("end")), "{:?}", net.log);
}

#[test]
fn a_pause_and_a_server_that_wants_nothing_stop_it() {
    let (mut engine, mut net, now) = copied(Codec::Pcma);
    tell(&mut engine, &mut net, now, Command::RecordPause { recording: "c".into(), paused: true });
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[0x11; 160]), &mut net);
    assert!(sent_to(&net, CALLER_AT).is_empty());
    tell(&mut engine, &mut net, now, Command::RecordPause { recording: "c".into(), paused: false });
    tell(&mut engine, &mut net, now, Command::Mute { port: CALLER, muted: true });
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(2, 8, &[0x11; 160]), &mut net);
    assert!(sent_to(&net, CALLER_AT).is_empty());
    tell(&mut engine, &mut net, now, Command::Mute { port: CALLER, muted: false });
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(3, 8, &[0x11; 160]), &mut net);
    assert_eq!(sent_to(&net, CALLER_AT).len(), 1);
}

#[test]
fn another_codec_is_spoken_where_the_server_speaks_another() {
    let (mut engine, mut net, now) = copied(Codec::G722);
    for n in 0..50_u16 {
        let at = now + Duration::from_millis(20) * u32::from(n);
        engine.handle_packet(at, SLOT_A, address(4_000), &packet(n, 8, &[0x11; 160]), &mut net);
    }
    let sent = sent_to(&net, CALLER_AT);
    // The first may still be on its way through the filters.
    assert!(sent.len() >= 48, "{}", sent.len());
    assert!(sent.iter().all(|(kind, payload)| *kind == 9 && payload.len() == 160));
}

#[test]
fn no_key_of_a_card_is_in_it() {
    let (mut engine, mut net, now) = copied(Codec::Pcma);
    tell(&mut engine, &mut net, now, Command::Shield { port: A, shielded: true });
    let press = packet(1, 101, &[5, 0x80, 1, 64]);
    engine.handle_packet(now, SLOT_A, address(4_000), &press, &mut net);
    let tone = tone::sound('5', 8_000, 3_000.0).expect("a key");
    for (n, part) in (2_u16..).zip(tone.chunks(160)) {
        let payload: Vec<u8> = part.iter().map(|sample| Codec::Pcma.encode(*sample)).collect();
        let at = now + Duration::from_millis(20) * u32::from(n);
        engine.handle_packet(at, SLOT_A, address(4_000), &packet(n, 8, &payload), &mut net);
    }
    let (copy, peer) = (sent_to(&net, CALLER_AT), sent_to(&net, 5_000));
    assert!(copy.iter().all(|(kind, _)| *kind == 8));
    let loud = copy.iter().flat_map(|(_, payload)| payload).filter(|byte| Codec::Pcma.decode(**byte).abs() > 500);
    assert!(loud.count() < 160, "less than 20 ms of the tone");
    assert_eq!(copy.len(), peer.len(), "what the other side hears is what is copied");
}

#[test]
fn in_a_mix_it_has_what_its_party_says_and_hears() {
    let (mut engine, mut net, now) = copied(Codec::Pcma);
    let seats = vec![crate::plane::Seat { port: A, hears: vec![B] }, crate::plane::Seat { port: B, hears: vec![A] }];
    tell(&mut engine, &mut net, now, Command::Mix { mix: crate::plane::MixId(1), seats });
    for n in 0..20_u16 {
        let at = now + Duration::from_millis(20) * u32::from(n);
        engine.handle_packet(at, SLOT_A, address(4_000), &packet(n, 8, &[0x11; 160]), &mut net);
        engine.handle_packet(at, SLOT_B, address(5_000), &packet(n, 0, &[0x22; 160]), &mut net);
        engine.handle_tick(at, false, &mut net);
    }
    assert_eq!(sent_to(&net, CALLER_AT).len(), 20);
    assert!(sent_to(&net, AGENT_AT).len() >= 18);
}

#[test]
fn copies_and_files_of_a_port_share_its_limit() {
    let (mut engine, mut net, now) = copied(Codec::Pcma);
    for n in 1..=TAPES_PER_PORT_MAX {
        let copy = Command::Copy { recording: format!("c{n}"), port: A, caller: CALLER, agent: AGENT };
        tell(&mut engine, &mut net, now, copy);
    }
    let failed: Vec<Event> =
        std::iter::from_fn(|| engine.poll_event()).filter(|event| !matches!(event, Event::Ready { .. })).collect();
    // By the tape's name: the port's own life goes on.
    let (recording, state) = (format!("c{TAPES_PER_PORT_MAX}"), RecordingState::Failed { why: Failure::Limit });
    assert_eq!(failed, [Event::Recording { recording, state }]);
}

#[test]
fn a_new_life_of_calls_finds_no_copy_that_it_could_not_pause() {
    let (mut engine, mut net, now) = copied(Codec::Pcma);
    tell(&mut engine, &mut net, now, Command::Hello { generation: 2 });
    engine.handle_packet(now, SLOT_A, address(4_000), &packet(1, 8, &[0x11; 160]), &mut net);
    assert!(sent_to(&net, CALLER_AT).is_empty());
    assert_eq!(
        (sent_to(&net, 5_000).len(), engine.ports_open()),
        (1, 2),
        "the call goes on, and the copy's ports are closed"
    );
    for n in 0..TAPES_PER_PORT_MAX {
        tell(&mut engine, &mut net, now, Command::Record { recording: format!("r{n}"), port: A });
    }
    assert!(net.log.iter().filter(|line| line.starts_with("begin")).count() == TAPES_PER_PORT_MAX, "{:?}", net.log);
}
