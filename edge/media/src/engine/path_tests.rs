//! A browser's leg: found by its checks, proven by its certificate, and those who come first or in between.

use dimpl::{Config, Dtls, DtlsCertificate, Output};

use super::{
    tests::{A, B, Net, SLOT_A, SLOT_B, Shelf, address, joined, packet, remote},
    *,
};
use crate::{
    dtls::{Certificate, Fingerprint, Handshake},
    plane::{self, Codec, Ice, Remote, Security, Unkeyed},
    srtp::{Keys, Opener, RTP_ROOM, Sealer},
    stun::tests::request,
};

const USER: &str = "ourside:theirs";
const PASSWORD: &str = "a-password-of-24-letters";

fn certificate() -> DtlsCertificate {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let params = rcgen::CertificateParams::new(vec!["test".to_owned()]).expect("parameters");
    let certificate = params.self_signed(&key).expect("a certificate");
    DtlsCertificate { certificate: certificate.der().to_vec(), private_key: key.serialize_der() }
}

/// The far end: a real DTLS client, and the keys that it ends up with.
struct Browser {
    at: SocketAddr,
    dtls: Dtls,
    shows: Fingerprint,
    keys: Option<Keys>,
    box_shows: Option<Fingerprint>,
}

impl Browser {
    fn new(now: Instant, port: u16) -> Self {
        let pair = certificate();
        let shows = Fingerprint::of(&pair.certificate);
        let mut dtls = Dtls::new_auto(std::sync::Arc::new(Config::default()), pair, now);
        dtls.set_active(true);
        Self { at: address(port), dtls, shows, keys: None, box_shows: None }
    }

    fn remote(&self) -> Remote {
        let ice = Some(Ice { user: USER.into(), password: PASSWORD.into() });
        let wish = plane::Handshake { fingerprint: self.shows, active: false, ice };
        let security = Security::Handshake(Box::new(wish));
        Remote { addr: "0.0.0.0:9".parse().expect("nowhere"), mux: true, security, ..remote(1, Codec::Pcma) }
    }

    fn check(&self, engine: &mut Engine, net: &mut Net, now: Instant, nominates: bool) -> usize {
        let before = net.sent.len();
        engine.handle_packet(now, SLOT_A, self.at, &request(USER, PASSWORD, nominates), net);
        net.sent[before..].iter().filter(|(_, to, packet)| *to == self.at && packet[0] == 1).count()
    }

    /// What it has to say; what it learnt is kept.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        let (mut room, mut packets) = ([0; 3_000], Vec::new());
        loop {
            match self.dtls.poll_output(&mut room) {
                Output::Packet(packet) => packets.push(packet.to_vec()),
                Output::PeerCert(certificate) => self.box_shows = Some(Fingerprint::of(certificate)),
                Output::KeyingMaterial(material, profile) => {
                    self.keys = crate::dtls::keys(&material, profile, true);
                }
                Output::Timeout(_) => return packets,
                _ => {}
            }
        }
    }

    /// Lets both ends speak until neither has anything more to say.
    fn shake(&mut self, engine: &mut Engine, net: &mut Net, now: Instant) {
        self.shake_at(engine, net, now, SLOT_A);
    }

    fn shake_at(&mut self, engine: &mut Engine, net: &mut Net, mut now: Instant, slot: Slot) {
        for _ in 0..40 {
            now += Duration::from_millis(60);
            let _ = self.dtls.handle_timeout(now);
            for packet in self.drain() {
                engine.handle_packet(now, slot, self.at, &packet, net);
            }
            engine.handle_tick(now, false, net);
            let sent = std::mem::take(&mut net.sent);
            for (_, to, packet) in sent {
                if to == self.at && Handshake::is_dtls(&packet) {
                    let _ = self.dtls.handle_packet(&packet);
                }
            }
        }
    }
}

fn met() -> (Engine, Net, Instant, Browser, Fingerprint) {
    let (mut engine, mut net, now) = joined();
    let pair = certificate();
    let ours = Certificate::new(pair.certificate, pair.private_key);
    let shown = ours.fingerprint;
    engine.certify(ours);
    let browser = Browser::new(now, 6_000);
    engine.handle_command(now, Command::Connect { port: A, remote: browser.remote() }, &mut Shelf, &mut net);
    (engine, net, now, browser, shown)
}

fn says(keys: &Keys, sealer: &mut Option<Sealer>, sequence: u16) -> Vec<u8> {
    let sealer = sealer.get_or_insert_with(|| Sealer::new(&keys.ours).expect("a key"));
    let mut wire = packet(sequence, 8, &[0x2a; 160]);
    let length = wire.len();
    wire.resize(length + RTP_ROOM, 0);
    let length = sealer.rtp(&mut wire, length).expect("sealed");
    wire.truncate(length);
    wire
}

#[test]
fn a_browser_is_found_proven_and_heard() {
    let (mut engine, mut net, now, mut browser, shown) = met();
    assert_eq!(browser.check(&mut engine, &mut net, now, false), 1, "an answer");
    assert_eq!(browser.check(&mut engine, &mut net, now, true), 1, "an answer");
    browser.shake(&mut engine, &mut net, now);
    assert_eq!(browser.box_shows, Some(shown));
    let keys = browser.keys.clone().expect("keys");
    let mut sealer = None;
    let now = now + Duration::from_secs(3);
    engine.handle_packet(now, SLOT_A, browser.at, &says(&keys, &mut sealer, 1), &mut net);
    assert_eq!(net.sent.pop().map(|(slot, to, _)| (slot, to)), Some((SLOT_B, address(5_000))));
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
    let (_, to, mut wire) = net.sent.pop().expect("sealed");
    assert_eq!(to, browser.at);
    assert_eq!(Opener::new(&keys.theirs).expect("a key").rtp(&mut wire), Some(172));
    // The path moves with the party, and the keys stay.
    let mut moved = Browser::new(now, 6_002);
    moved.at = address(6_002);
    assert_eq!(moved.check(&mut engine, &mut net, now, true), 1);
    engine.handle_packet(now, SLOT_A, moved.at, &says(&keys, &mut sealer, 2), &mut net);
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(2, 0, &[1; 160]), &mut net);
    assert_eq!(net.sent.pop().map(|(_, to, _)| to), Some(address(6_002)));
    assert!(!net.log.iter().any(|line| line.starts_with("lock 0")), "the socket stays open to a moving path");
}

/// S-23: a stranger's handshake before the party's, and in its middle.
#[test]
fn a_foreign_handshake_is_nothing_and_the_party_s_goes_on() {
    let (mut engine, mut net, now, mut browser, _) = met();
    let mut stranger = Browser::new(now, 6_666);
    let hello = |stranger: &mut Browser, engine: &mut Engine, net: &mut Net, now| {
        let _ = stranger.dtls.handle_timeout(now);
        for packet in stranger.drain() {
            engine.handle_packet(now, SLOT_A, stranger.at, &packet, net);
        }
        assert!(net.sent.iter().all(|(_, to, _)| *to != stranger.at), "a stranger is answered");
    };
    hello(&mut stranger, &mut engine, &mut net, now);
    assert_eq!(browser.check(&mut engine, &mut net, now, true), 1);
    hello(&mut stranger, &mut engine, &mut net, now + Duration::from_secs(2));
    browser.shake(&mut engine, &mut net, now + Duration::from_secs(2));
    assert!(browser.keys.is_some());
    // Nor can it say that it is the party: it does not know the password.
    let mut net = Net::default();
    engine.handle_packet(now, SLOT_A, stranger.at, &request(USER, "another-password-24-long", true), &mut net);
    engine.handle_packet(now, SLOT_A, stranger.at, &request("ourside:others", PASSWORD, true), &mut net);
    assert!(net.sent.is_empty());
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
    assert_eq!(net.sent.pop().map(|(_, to, _)| to), Some(browser.at));
}

/// S-23 over as many calls as a box has: a stranger begins a handshake at each of them, before its party is found,
/// when it is, and once more. None of the calls ends, and every tenth party then comes through.
#[test]
fn a_foreign_handshake_at_each_of_a_thousand_calls_ends_none() {
    const CALLS: u32 = 1_000;
    let (_, mut net, now, browser, _) = met();
    let (mut engine, mut stranger) = (Engine::new(CALLS as usize, [4; 32]), Browser::new(now, 6_666));
    let pair = certificate();
    engine.certify(Certificate::new(pair.certificate, pair.private_key));
    let mut ports = Vec::new();
    for n in 0..CALLS {
        let port = PortId(u64::from(n) + 1);
        let slot = engine.open(now, port).expect("room");
        let connect = Command::Connect { port, remote: browser.remote() };
        engine.handle_command(now, connect, &mut Shelf, &mut net);
        ports.push((port, slot));
    }
    let _ = stranger.dtls.handle_timeout(now);
    let hello = stranger.drain();
    assert!(!hello.is_empty(), "a stranger says nothing");
    let spray = |engine: &mut Engine, net: &mut Net, now| {
        for (_, slot) in &ports {
            for packet in &hello {
                engine.handle_packet(now, *slot, stranger.at, packet, net);
            }
        }
        assert!(net.sent.iter().all(|(_, to, _)| *to != stranger.at), "a stranger is answered");
    };
    spray(&mut engine, &mut net, now);
    for (_, slot) in &ports {
        engine.handle_packet(now, *slot, browser.at, &request(USER, PASSWORD, true), &mut net);
    }
    spray(&mut engine, &mut net, now);
    engine.handle_tick(now + Duration::from_secs(1), false, &mut net);
    spray(&mut engine, &mut net, now + Duration::from_secs(1));
    assert_eq!((engine.ports_open(), engine.poll_event()), (CALLS as usize, None), "a call was torn down");
    for (port, slot) in ports.iter().step_by(10) {
        let mut party = Browser::new(now, 6_000);
        let remote = party.remote();
        engine.handle_command(now, Command::Connect { port: *port, remote }, &mut Shelf, &mut net);
        engine.handle_packet(now, *slot, party.at, &request(USER, PASSWORD, true), &mut net);
        party.shake_at(&mut engine, &mut net, now, *slot);
        assert!(party.keys.is_some(), "{port:?} has no keys");
    }
}

/// S-24: another certificate than the one that was named.
#[test]
fn a_party_with_another_certificate_is_never_heard_nor_hears() {
    for case in 0..6_usize {
        let (mut engine, mut net, now, mut browser, _) = met();
        let mut remote = browser.remote();
        let Security::Handshake(wish) = &mut remote.security else { panic!("a handshake") };
        match case {
            0 => wish.fingerprint.0[0] ^= 1,
            1 => wish.fingerprint.0[31] ^= 0x80,
            2 => wish.fingerprint = Fingerprint([0; 32]),
            3 => wish.fingerprint.0.reverse(),
            4 => wish.fingerprint = Browser::new(now, 1).shows,
            _ => wish.fingerprint = Fingerprint::of(b"nothing"),
        }
        engine.handle_command(now, Command::Connect { port: A, remote }, &mut Shelf, &mut net);
        assert_eq!(browser.check(&mut engine, &mut net, now, true), 1);
        browser.shake(&mut engine, &mut net, now);
        let now = now + Duration::from_secs(5);
        net.sent.clear();
        engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
        if let Some(keys) = browser.keys.clone() {
            engine.handle_packet(now, SLOT_A, browser.at, &says(&keys, &mut None, 1), &mut net);
        }
        assert!(net.sent.is_empty(), "case {case}: {:?}", net.sent);
    }
}

#[test]
fn before_the_handshake_and_in_clear_nothing_passes() {
    let (mut engine, mut net, now, browser, _) = met();
    assert_eq!(browser.check(&mut engine, &mut net, now, true), 1);
    net.sent.clear();
    engine.handle_packet(now, SLOT_A, browser.at, &packet(1, 8, &[1; 160]), &mut net);
    engine.handle_packet(now, SLOT_B, address(5_000), &packet(1, 0, &[1; 160]), &mut net);
    assert!(net.sent.is_empty(), "{:?}", net.sent);
    engine.handle_command(now, Command::Part { port: B }, &mut Shelf, &mut net);
}

fn failures(engine: &mut Engine) -> Vec<Unkeyed> {
    let why = |event| if let Event::Unkeyed { port: A, why } = event { Some(why) } else { None };
    std::iter::from_fn(|| engine.poll_event()).filter_map(why).collect()
}

/// Each is told once, and why.
#[test]
fn a_handshake_that_comes_to_nothing_is_told_with_its_reason() {
    // It shows another certificate than its signalling named.
    let (mut engine, mut net, now, mut browser, _) = met();
    let named = Browser { shows: Fingerprint([7; 32]), ..Browser::new(now, 6_000) };
    engine.handle_command(now, Command::Connect { port: A, remote: named.remote() }, &mut Shelf, &mut net);
    browser.check(&mut engine, &mut net, now, true);
    browser.shake(&mut engine, &mut net, now);
    assert_eq!(failures(&mut engine), [Unkeyed::AnotherCertificate]);

    // It is found, and says no more.
    let (mut engine, mut net, now, browser, _) = met();
    for _ in 0..2_000 {
        engine.handle_tick(now + Duration::from_secs(30), false, &mut net);
    }
    assert_eq!(failures(&mut engine), [], "who is not found yet may be found later");
    let found = now + Duration::from_secs(31);
    browser.check(&mut engine, &mut net, found, true);
    for tick in 0..2_000 {
        engine.handle_tick(found + Duration::from_millis(20 * tick), false, &mut net);
    }
    assert_eq!(failures(&mut engine), [Unkeyed::Silent]);

    // Without a certificate of ours there can be none.
    let (mut engine, mut net, now) = joined();
    let browser = Browser::new(now, 6_000);
    engine.handle_command(now, Command::Connect { port: A, remote: browser.remote() }, &mut Shelf, &mut net);
    engine.handle_tick(now, false, &mut net);
    engine.handle_tick(now, false, &mut net);
    assert_eq!(failures(&mut engine), [Unkeyed::NoCertificate]);

    // All went well: nothing is told.
    let (mut engine, mut net, now, mut browser, _) = met();
    browser.check(&mut engine, &mut net, now, true);
    browser.shake(&mut engine, &mut net, now);
    assert!(browser.keys.is_some());
    assert_eq!(failures(&mut engine), []);
}
