//! A protected leg beside a clear one, and those who would break in.

use super::{
    tests::{A, B, Net, SLOT_A, SLOT_B, Shelf, address, joined, packet, remote},
    *,
};
use crate::{
    plane::{Codec, Remote, Security, Sound},
    srtp::{Keys, Master, Opener, RTCP_ROOM, RTP_ROOM, Sealer, Suite},
};

fn master(suite: Suite, seed: u8) -> Master {
    Master::new(suite, &vec![seed; suite.master_len()]).expect("the right length")
}

/// The phone's end of A, whose keys these are.
struct Phone {
    sealer: Sealer,
    opener: Opener,
}

impl Phone {
    fn new(keys: &Keys) -> Self {
        let sealer = Sealer::new(&keys.theirs).expect("a key");
        Self { sealer, opener: Opener::new(&keys.ours).expect("a key") }
    }

    fn says(&mut self, sequence: u16, byte: u8) -> Vec<u8> {
        let mut wire = packet(sequence, 8, &[byte; 160]);
        let length = wire.len();
        wire.resize(length + RTP_ROOM, 0);
        let length = self.sealer.rtp(&mut wire, length).expect("sealed");
        wire.truncate(length);
        wire
    }

    fn hears(&mut self, wire: &[u8]) -> Option<Vec<u8>> {
        let mut plain = wire.to_vec();
        let length = self.opener.rtp(&mut plain)?;
        plain.truncate(length);
        Some(plain)
    }
}

fn keys(suite: Suite) -> Keys {
    Keys { ours: master(suite, 1), theirs: master(suite, 2) }
}

fn secured(keys: &Keys) -> Remote {
    Remote { security: Security::Keys(Box::new(keys.clone())), ..remote(4_000, Codec::Pcma) }
}

fn connect(engine: &mut Engine, net: &mut Net, now: Instant, remote: Remote) {
    engine.handle_command(now, Command::Connect { port: A, remote }, &mut Shelf, net);
}

#[test]
fn a_protected_leg_and_a_clear_one_hear_each_other_and_the_recording_is_plain() {
    for suite in Suite::ALL {
        let (mut engine, mut net, now) = joined();
        let keys = keys(suite);
        let mut phone = Phone::new(&keys);
        connect(&mut engine, &mut net, now, secured(&keys));
        engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
        engine.handle_packet(now, SLOT_A, address(4_000), &phone.says(1, 0xd5), &mut net);
        let (_, to, clear) = net.sent.pop().expect("relayed");
        assert_eq!((to, clear.len()), (address(5_000), 172), "{suite:?}");
        engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[0x7e; 160]), &mut net);
        let (_, to, wire) = net.sent.pop().expect("relayed");
        assert_eq!(to, address(4_000));
        let plain = phone.hears(&wire).expect("sealed with our key");
        assert_eq!(plain.len(), 172);
        assert!(!wire.windows(20).any(|part| part == &plain[12..32]), "{suite:?}: in clear");
        engine.handle_command(now, Command::RecordEnd { recording: "r".into() }, &mut Shelf, &mut net);
        assert_eq!(net.frames, 2);
    }
}

#[test]
fn prompts_keypresses_and_reports_of_a_protected_leg_are_sealed_too() {
    let (mut engine, mut net, now) = joined();
    let keys = keys(Suite::AesCm128HmacSha1_80);
    let mut phone = Phone::new(&keys);
    connect(&mut engine, &mut net, now, secured(&keys));
    let play = Command::Play {
        port: A,
        play: crate::plane::PlayId(1),
        sounds: vec![Sound::Prompt("frames-2".into())],
        again: false,
    };
    engine.handle_command(now, play, &mut Shelf, &mut net);
    engine.handle_tick(now, false, &mut net);
    engine.handle_command(now, Command::Digit { port: A, digit: '5', ms: 40 }, &mut Shelf, &mut net);
    engine.handle_tick(now + Duration::from_millis(20), false, &mut net);
    engine.handle_tick(now + Duration::from_secs(11), false, &mut net);
    assert!(net.sent.len() >= 2);
    for (_, to, wire) in &net.sent {
        assert_eq!(*to, address(4_000));
        phone.hears(wire).expect("sealed");
    }
    let report = net.reports.iter().find(|(slot, ..)| *slot == SLOT_A).expect("a report");
    let mut wire = report.2.clone();
    assert!(phone.opener.rtcp(&mut wire).is_some());
}

/// What S-22 asks for.
const FORGED: u32 = 1_000_000;

/// S-22, S-26, S-28: what does not prove itself is counted and changes nothing.
#[test]
fn forged_damaged_repeated_and_clear_packets_of_the_right_address_are_nothing() {
    let (mut engine, mut net, now) = joined();
    let keys = keys(Suite::AesCm128HmacSha1_80);
    let (mut phone, mut thief) =
        (Phone::new(&keys), Phone::new(&Keys { ours: keys.theirs.clone(), theirs: keys.ours.clone() }));
    connect(&mut engine, &mut net, now, secured(&keys));
    let good = phone.says(1, 0x11);
    engine.handle_packet(now, SLOT_A, address(4_000), &good, &mut net);
    assert_eq!(net.sent.len(), 1);
    engine.handle_command(now, Command::Record { recording: "r".into(), port: A }, &mut Shelf, &mut net);
    let (mut relayed, mut sequence) = (1, 1);
    for n in 0..FORGED {
        #[allow(clippy::cast_possible_truncation)]
        let forged = n as u16;
        let bad = match n % 5 {
            0 => packet(forged, 8, &[0x66; 170]),
            1 => packet(forged, 101, &[7, 0, 0, 160, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            2 => thief.says(forged, 0x66),
            3 => good.clone(),
            _ => {
                let mut bad = good.clone();
                bad[20] ^= 1;
                bad
            }
        };
        engine.handle_packet(now, SLOT_A, address(4_000), &bad, &mut net);
        if n % 1_000 == 0 {
            (relayed, sequence) = (relayed + 1, sequence + 1);
            engine.handle_packet(now, SLOT_A, address(4_000), &phone.says(sequence, 0x11), &mut net);
        }
    }
    assert_eq!((net.sent.len(), engine.poll_event()), (relayed, None), "the phone's own packets alone, and no key");
    engine.handle_command(now, Command::Close { port: A }, &mut Shelf, &mut net);
    assert_eq!(net.frames as usize, relayed - 1, "the recording has all of the phone's");
    let Some(Event::Stats { stats, .. }) = engine.poll_event() else { panic!("no figures") };
    assert_eq!(stats.unproven, u64::from(FORGED));
}

/// S-27: a report that is not sealed says nothing, and a BYE is no hang-up.
#[test]
fn forged_reports_of_the_right_address_change_nothing() {
    let (mut engine, mut net, now) = joined();
    let keys = keys(Suite::AeadAes128Gcm);
    connect(&mut engine, &mut net, now, secured(&keys));
    let goodbye = [0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 203, 0, 1, 0, 0, 0, 9];
    engine.handle_report(now, SLOT_A, address(4_001), &goodbye);
    let mut sealed = goodbye.to_vec();
    sealed.resize(goodbye.len() + RTCP_ROOM, 0);
    let mut phone = Phone::new(&keys);
    phone.sealer.rtcp(&mut sealed, goodbye.len()).expect("sealed");
    engine.handle_report(now, SLOT_A, address(4_001), &sealed);
    assert_eq!((engine.ports_open(), engine.poll_event()), (2, None));
    engine.handle_packet(now, SLOT_A, address(4_000), &phone.says(1, 0x11), &mut net);
    assert_eq!(net.sent.len(), 1, "the call goes on");
}

/// S-20: an address is learnt from a packet that proves itself, and from no other.
#[test]
fn behind_a_nat_a_protected_leg_is_learnt_from_a_proven_packet_alone() {
    let (mut engine, mut net, now) = joined();
    let keys = keys(Suite::AesCm128HmacSha1_80);
    let mut phone = Phone::new(&keys);
    connect(&mut engine, &mut net, now, Remote { learn: true, ..secured(&keys) });
    let host = |last: u8| SocketAddr::new([198, 51, 100, last].into(), 9_000);
    for n in 0..20 {
        engine.handle_packet(now, SLOT_A, host(66), &packet(n, 8, &[6; 160]), &mut net);
    }
    assert!(net.sent.is_empty() && net.log.iter().all(|line| !line.contains("lock 0 9000")));
    engine.handle_packet(now, SLOT_A, host(7), &phone.says(1, 0x11), &mut net);
    assert_eq!(net.sent.len(), 1);
    assert!(net.log.contains(&"lock 0 9000".to_owned()), "{:?}", net.log);
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
    assert_eq!(net.sent.last().expect("back").1, host(7));
}

#[test]
fn the_same_keys_again_begin_nothing_anew_and_new_ones_do() {
    let (mut engine, mut net, now) = joined();
    let keys = keys(Suite::AesCm128HmacSha1_80);
    let mut phone = Phone::new(&keys);
    connect(&mut engine, &mut net, now, secured(&keys));
    let first = phone.says(1, 0x11);
    engine.handle_packet(now, SLOT_A, address(4_000), &first, &mut net);
    connect(&mut engine, &mut net, now, secured(&keys));
    engine.handle_packet(now, SLOT_A, address(4_000), &first, &mut net);
    assert_eq!(net.sent.len(), 1, "played again after a re-INVITE");
    let fresh = Keys { theirs: master(Suite::AesCm128HmacSha1_80, 7), ..keys };
    connect(&mut engine, &mut net, now, secured(&fresh));
    engine.handle_packet(now, SLOT_A, address(4_000), &phone.says(2, 0x11), &mut net);
    assert_eq!(net.sent.len(), 1, "the old key is over");
    engine.handle_packet(now, SLOT_A, address(4_000), &Phone::new(&fresh).says(3, 0x11), &mut net);
    assert_eq!(net.sent.len(), 2);
    // B hears us under one key for the whole time: no place in the stream is used twice.
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
    assert!(phone.hears(&net.sent.last().expect("sealed").2).is_some());
    engine.handle_command(now, Command::Part { port: B }, &mut Shelf, &mut net);
}

#[test]
fn audio_and_reports_may_share_a_port() {
    let (mut engine, mut net, now) = joined();
    let keys = keys(Suite::AeadAes256Gcm);
    let mut phone = Phone::new(&keys);
    connect(&mut engine, &mut net, now, Remote { mux: true, ..secured(&keys) });
    engine.handle_packet(now, SLOT_A, address(4_000), &phone.says(1, 0x11), &mut net);
    let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
    report.resize(8 + RTCP_ROOM, 0);
    let length = phone.sealer.rtcp(&mut report, 8).expect("sealed");
    engine.handle_packet(now, SLOT_A, address(4_000), &report[..length], &mut net);
    net.sent.clear();
    engine.handle_tick(now + Duration::from_secs(11), false, &mut net);
    let (_, to, wire) = net.sent.iter().find(|(slot, ..)| *slot == SLOT_A).expect("a report beside the audio");
    assert_eq!(*to, address(4_000));
    assert!(phone.opener.rtcp(&mut wire.clone()).is_some());
    assert!(net.reports.iter().all(|(slot, ..)| *slot != SLOT_A));
    engine.handle_command(now, Command::Close { port: A }, &mut Shelf, &mut net);
    let stats = std::iter::from_fn(|| engine.poll_event()).find_map(|event| match event {
        Event::Stats { stats, .. } => Some(stats),
        _ => None,
    });
    assert_eq!(stats.expect("figures").unproven, 0);
}
