//! A third socket that sprays the whole port range, from before the first call to after the last (S-20, S-21, S-28).

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use media::{
    plane::{Command, Event, PortId, RecordingState},
    srtp::Suite,
};

use crate::rig::{Phone, Plane, rtp};

const CALLER: u8 = 0x11;
const AGENT: u8 = 0x22;
const STRANGER: u8 = 0x66;

/// Calls at once; 1,000 of them with `BRANCHLINE_SPRAYED_CALLS=1000`.
fn calls() -> u16 {
    std::env::var("BRANCHLINE_SPRAYED_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(25)
}

#[test]
fn nothing_of_a_sprayer_s_is_heard_or_recorded_and_nothing_comes_to_it() {
    for (io_uring, first) in [(true, 21_000_u16), (false, 26_000)] {
        let last = first + calls() * 4 + 3;
        let mut plane = Plane::start(first..=last, io_uring);
        let stop = Arc::new(AtomicBool::new(false));
        let sprayer = spray(first, last, stop.clone());
        converse(&mut plane);
        stop.store(true, Ordering::Relaxed);
        let (sent, came) = sprayer.join().expect("the sprayer ends");
        assert!(sent > 1_000, "it sprayed {sent}");
        assert_eq!(came, 0, "packets came to the sprayer");
    }
}

/// All calls at once, two seconds long.
fn converse(plane: &mut Plane) {
    let mut talks = Vec::new();
    for n in 0..u64::from(calls()) {
        let (a, b) = (PortId(2 * n + 1), PortId(2 * n + 2));
        // Every fifth caller's leg is protected: there nothing may be heard that has not proven itself.
        let caller = match n % 5 {
            4 => Phone::secured(plane, a, CALLER, Suite::AesCm128HmacSha1_80),
            _ => Phone::new(plane, a, CALLER),
        };
        let agent = Phone::new(plane, b, AGENT);
        plane.send(&Command::Join { a, b });
        plane.send(&Command::Record { recording: format!("{n:032x}"), port: a });
        talks.push((caller, agent));
    }
    let (mut foreign, mut heard) = (0, 0);
    let began = Instant::now();
    for round in 0..100_u32 {
        for (caller, agent) in &mut talks {
            caller.say();
            agent.say();
            for (stranger_bytes, packets) in [caller.hear(AGENT), agent.hear(CALLER)] {
                foreign += stranger_bytes;
                heard += packets;
            }
        }
        std::thread::sleep((began + Duration::from_millis(20) * round).saturating_duration_since(Instant::now()));
    }
    assert_eq!(foreign, 0, "foreign samples were heard");
    assert!(heard > usize::from(calls()) * 150, "{heard} packets came through");
    for (caller, agent) in &talks {
        plane.send(&Command::Close { port: caller.port });
        plane.send(&Command::Close { port: agent.port });
    }
    let (mut sealed, mut stats) = (0, 0);
    while sealed < calls() || stats < 2 * calls() {
        match plane.event(Duration::from_secs(10)).expect("all end well") {
            Event::Recording { state: RecordingState::Sealed { .. }, .. } => sealed += 1,
            Event::Recording { state: RecordingState::Failed { why }, .. } => panic!("a recording failed: {why}"),
            Event::Digit { digit, .. } => panic!("a stranger pressed {digit}"),
            Event::Stats { .. } => stats += 1,
            _ => {}
        }
    }
    let key = std::fs::read(plane.folder.path().join("branch.key")).expect("the key");
    let key: [u8; 32] = key.try_into().expect("32 bytes");
    for n in 0..calls() {
        let bytes = std::fs::read(plane.recordings().join(format!("{n:032x}.blr"))).expect("a recording");
        let journal = media::record::read(&bytes, &key).expect("readable");
        assert_eq!(journal.fault, None);
        assert!(journal.frames.len() > 150, "{} frames", journal.frames.len());
        let strange =
            journal.frames.iter().flat_map(|frame| &frame.payload).filter(|byte| ![CALLER, AGENT].contains(byte));
        assert_eq!(strange.count(), 0, "foreign samples were recorded");
    }
}

/// Audio, keypresses and forged reports to every number in turn; how much was sent, and how much came.
fn spray(first: u16, last: u16, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(u64, u64)> {
    std::thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        socket.set_nonblocking(true).expect("a socket");
        let (mut sent, mut came, mut sequence) = (0, 0, 0_u16);
        // RFC 3550 §6.6: an empty report, then BYE for the caller's source.
        let goodbye = [0x80, 201, 0, 1, 0, 0, 0, CALLER, 0x81, 203, 0, 1, 0, 0, 0, CALLER];
        while !stop.load(Ordering::Relaxed) {
            for number in first..=last {
                sequence = sequence.wrapping_add(1);
                let audio = rtp(8, sequence, u32::from(CALLER), &[STRANGER; 160]);
                let press = rtp(101, sequence, u32::from(CALLER), &[7, 0, 0, 160]);
                for packet in [&audio[..], &press, &goodbye] {
                    sent += u64::from(socket.send_to(packet, ("127.0.0.1", number)).is_ok());
                }
                if number % 64 == 0 {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            while socket.recv_from(&mut [0; 2_000]).is_ok() {
                came += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        (sent, came)
    })
}
