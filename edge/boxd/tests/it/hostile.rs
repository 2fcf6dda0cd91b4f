//! A third socket that sprays the whole port range, from before the first call to after the last (S-20, S-21, S-28).

use std::{
    net::{Ipv4Addr, UdpSocket},
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

/// Calls at once.
const CALLS: u16 = 1_000;
/// Packets that each party says.
const SAID: u32 = 60;
/// Nobody else's ports lie here.
const LOOPBACK: [u8; 4] = [127, 0, 66, 1];
/// Nor is any port here the second one of a phone.
const STRANGER_AT: [u8; 4] = [127, 0, 66, 2];

#[test]
fn nothing_of_a_sprayer_s_is_heard_or_recorded_and_nothing_comes_to_it() {
    for (io_uring, first) in [(true, 21_000_u16), (false, 26_000)] {
        let last = first + CALLS * 4 + 3;
        let mut plane = Plane::start(LOOPBACK, first..=last, io_uring);
        let stop = Arc::new(AtomicBool::new(false));
        let sprayer = spray(first, last, stop.clone());
        converse(&mut plane);
        stop.store(true, Ordering::Relaxed);
        let (sent, came) = sprayer.join().expect("the sprayer ends");
        assert!(sent > 1_000, "it sprayed {sent}");
        assert_eq!(came, 0, "packets came to the sprayer");
    }
}

/// All calls at once.
fn converse(plane: &mut Plane) {
    let mut talks = Vec::new();
    for n in 0..u64::from(CALLS) {
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
    let mut listen = |talks: &mut Vec<(Phone, Phone)>| {
        let before = heard;
        for (caller, agent) in talks {
            for (stranger_bytes, packets) in [caller.hear(AGENT), agent.hear(CALLER)] {
                foreign += stranger_bytes;
                heard += packets;
            }
        }
        heard > before
    };
    for round in 0..SAID {
        for (caller, agent) in &mut talks {
            caller.say();
            agent.say();
        }
        listen(&mut talks);
        std::thread::sleep((began + Duration::from_millis(20) * round).saturating_duration_since(Instant::now()));
    }
    // A busy machine is behind: what was said is heard before anybody hangs up.
    let mut quiet = 0;
    while quiet < 10 {
        std::thread::sleep(Duration::from_millis(100));
        quiet = if listen(&mut talks) { 0 } else { quiet + 1 };
    }
    assert_eq!(foreign, 0, "foreign samples were heard");
    assert!(heard > usize::from(CALLS) * SAID as usize * 3 / 2, "{heard} packets came through");
    for (caller, agent) in &talks {
        plane.send(&Command::Close { port: caller.port });
        plane.send(&Command::Close { port: agent.port });
    }
    let (mut sealed, mut stats) = (0, 0);
    while sealed < CALLS || stats < 2 * CALLS {
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
    for n in 0..CALLS {
        let bytes = std::fs::read(plane.recordings().join(format!("{n:032x}.blr"))).expect("a recording");
        let journal = media::record::read(&bytes, &key).expect("readable");
        assert_eq!(journal.fault, None);
        assert!(journal.frames.len() > SAID as usize * 3 / 2, "{} frames", journal.frames.len());
        let strange =
            journal.frames.iter().flat_map(|frame| &frame.payload).filter(|byte| ![CALLER, AGENT].contains(byte));
        assert_eq!(strange.count(), 0, "foreign samples were recorded");
    }
}

/// Audio, keypresses and forged reports to every number in turn; how much was sent, and how much came.
fn spray(first: u16, last: u16, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(u64, u64)> {
    std::thread::spawn(move || {
        let socket = UdpSocket::bind((Ipv4Addr::from(STRANGER_AT), 0)).expect("loopback");
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
                    sent += u64::from(socket.send_to(packet, (Ipv4Addr::from(LOOPBACK), number)).is_ok());
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
