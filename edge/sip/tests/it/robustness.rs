//! Whatever arrives: no panic, no line of ours with a control character in it, no state for strangers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use sip::endpoint::{Config, Endpoint, Flow, Input, Output, Transport, Trunk};

const PEER: &str = "198.51.100.5:5060";

const SEEDS: [&str; 6] = [
    "INVITE sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: \"A\" <sip:2@c>;tag=f\r\nTo: <sip:1@b>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:c>\r\nRecord-Route: <sip:p;lr>\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0",
    "ACK sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5;branch=z9hG4bKa\r\nFrom: <sip:2@c>;tag=f\r\nTo: <sip:1@b>;tag=x\r\nCall-ID: c1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
    "CANCEL sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5;branch=z9hG4bKa\r\nFrom: <sip:2@c>;tag=f\r\nTo: <sip:1@b>\r\nCall-ID: c1\r\nCSeq: 1 CANCEL\r\n\r\n",
    "REGISTER sip:b SIP/2.0\r\nv: SIP/2.0/TCP 10.0.0.1;rport;branch=z9hG4bKr\r\nf: <sip:100@b>;tag=f\r\nt: <sip:100@b>\r\ni: r1\r\nCSeq: 1 REGISTER\r\nm: *\r\nExpires: 0\r\nAuthorization: Digest username=\"100\", realm=\"b\", nonce=\"00\", uri=\"sip:b\", response=\"0\", qop=auth, nc=00000001, cnonce=\"c\"\r\nl: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKz\r\nFrom: <sip:2@c>;tag=f\r\nTo: <sip:1@b>;tag=x\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:c>\r\nContent-Length: 0\r\n\r\n",
    "REFER sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5;branch=z9hG4bKq\r\nFrom: <sip:2@c>;tag=f\r\nTo: <sip:1@b>;tag=x\r\nCall-ID: c1\r\nCSeq: 9 REFER\r\nRefer-To: <sip:9@b>\r\nContent-Length: 0\r\n\r\n",
];

fn endpoint() -> Endpoint {
    let trunk = Trunk {
        peer: PEER.parse().unwrap(),
        transport: Transport::Udp,
        registration: None,
        options_every_s: 0,
        rules: Default::default(),
    };
    let config = Config {
        domain: "b".to_string(),
        local: vec!["192.0.2.1:5060".parse().unwrap()],
        trunks: BTreeMap::from([("t".to_string(), trunk)]),
        product: "Branchline".to_string(),
        ..Config::default()
    };
    Endpoint::new(config, [7; 32])
}

fn flow(transport: Transport, remote: &str) -> Flow {
    let connection = u64::from(transport == Transport::Tcp);
    Flow { transport, local: "192.0.2.1:5060".parse().unwrap(), remote: remote.parse().unwrap(), connection }
}

#[expect(clippy::disallowed_methods, reason = "a test needs one instant to count from")]
fn start() -> Instant {
    Instant::now()
}

/// Feeds it, lets an hour of timers pass, checks every line that came out.
fn feed(pieces: &[Bytes], flow: Flow) -> Endpoint {
    let mut endpoint = endpoint();
    let mut now = start();
    let check = |endpoint: &mut Endpoint| {
        while let Some(output) = endpoint.poll_output() {
            if let Output::Send { bytes, .. } = output {
                let text = String::from_utf8(bytes.to_vec()).expect("we print UTF-8 heads, and no bodies here");
                let head = text.split("\r\n\r\n").next().unwrap_or_default();
                assert!(head.split("\r\n").all(|line| !line.contains(char::is_control)), "{text:?}");
            }
        }
    };
    for bytes in pieces {
        endpoint.handle_input(now, Input::Received { flow, bytes: bytes.clone() });
        check(&mut endpoint);
    }
    let end = now + Duration::from_secs(3_600);
    while let Some(at) = endpoint.poll_timeout().filter(|at| *at <= end) {
        now = now.max(at);
        endpoint.handle_timeout(now);
        check(&mut endpoint);
    }
    endpoint
}

#[derive(Debug, Clone)]
enum Edit {
    Set(usize, u8),
    Cut(usize, usize),
    Insert(usize, Vec<u8>),
    Double(usize, usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let bytes = prop::sample::select(vec![
        &b"\r\n"[..],
        b"\0",
        b";",
        b",",
        b"\"",
        b"<",
        b">",
        b":",
        b"%0d%0a",
        b"\r\n ",
        b"\xff",
    ]);
    let edit = prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<usize>(), 0..60_usize).prop_map(|(at, len)| Edit::Cut(at, len)),
        (any::<usize>(), bytes).prop_map(|(at, bytes)| Edit::Insert(at, bytes.to_vec())),
        (any::<usize>(), 0..60_usize).prop_map(|(at, len)| Edit::Double(at, len)),
    ];
    prop::collection::vec(edit, 0..4)
}

fn edited(seed: &str, edits: &[Edit]) -> Bytes {
    let mut bytes = seed.as_bytes().to_vec();
    for edit in edits {
        let len = bytes.len().max(1);
        match edit {
            Edit::Set(at, byte) => bytes.iter_mut().skip(at % len).take(1).for_each(|b| *b = *byte),
            Edit::Cut(at, cut) => drop(bytes.drain(at % len..(at % len + cut).min(bytes.len()))),
            Edit::Insert(at, extra) => drop(bytes.splice(at % len..at % len, extra.iter().copied())),
            Edit::Double(at, cut) => {
                let piece = bytes[at % len..(at % len + cut).min(bytes.len())].to_vec();
                drop(bytes.splice(at % len..at % len, piece));
            }
        }
    }
    bytes.into()
}

proptest! {
    #[test]
    fn random_bytes_never_make_it_fall(bytes in prop::collection::vec(any::<u8>(), 0..300), tcp in any::<bool>()) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        feed(&[Bytes::from(bytes)], flow(transport, PEER));
    }

    #[test]
    fn mutated_messages_never_make_it_fall(
        messages in prop::collection::vec((0..SEEDS.len(), edits()), 1..6), tcp in any::<bool>(), stranger in any::<bool>(),
    ) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let pieces: Vec<Bytes> = messages.iter().map(|(seed, edits)| edited(SEEDS[*seed], edits)).collect();
        let remote = if stranger { "203.0.113.7:1024" } else { PEER };
        let endpoint = feed(&pieces, flow(transport, remote));
        if stranger || tcp {
            prop_assert_eq!((endpoint.load().dialogs, endpoint.load().transactions), (0, 0));
        }
    }
}
