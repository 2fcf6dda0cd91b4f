//! The bench's box and peers: their configuration and their session descriptions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use call::{Config, Limits, Secrets};
use model::config::{Phone, SipTransport, Site, Trunk, TrunkKind};
use model::{Extension, FlowId, Number, SiteId, TrunkId};
use sha2::{Digest, Sha256};
use sip::endpoint::{self, Endpoint, PhoneAuth, Transport, TrunkRegistration};

use crate::bench::{CARRIER, Peer};

pub const DOMAIN: &str = "branch.example";
pub const BOX: &str = "192.0.2.1:5060";

pub fn carrier() -> TrunkId {
    TrunkId::new("carrier").unwrap()
}

/// A peer's SDP: PCMU first for the carrier, PCMA for phones.
pub fn offer(peer: usize) -> String {
    let codecs = if peer == CARRIER { "0 8 101" } else { "8 101" };
    sdp(&format!("198.51.100.{peer}"), 4_000, codecs, "sendrecv")
}

pub fn sdp(ip: &str, port: u16, codecs: &str, direction: &str) -> String {
    let maps = "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15";
    let maps: Vec<&str> =
        maps.split("\r\n").filter(|line| codecs.split(' ').any(|codec| line.contains(&format!(":{codec} ")))).collect();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP {codecs}\r\n{}\r\na={direction}\r\n",
        maps.join("\r\n")
    )
}

pub fn peer(name: &'static str, addr: &str, phone: Option<&str>) -> Peer {
    let registration = phone.map(|user| TrunkRegistration {
        user: user.into(),
        domain: DOMAIN.into(),
        password: format!("secret-{user}"),
        expires_s: 3_600,
    });
    let addr: SocketAddr = addr.parse().unwrap();
    let to_box = endpoint::Trunk {
        peer: BOX.parse().unwrap(),
        transport: Transport::Udp,
        registration,
        options_every_s: 0,
        rules: Default::default(),
    };
    let config = endpoint::Config {
        domain: addr.ip().to_string(),
        local: vec![addr],
        trunks: BTreeMap::from([("box".to_owned(), to_box)]),
        product: name.into(),
        ..Default::default()
    };
    let seed = [u8::try_from(addr.port() % 251).unwrap() ^ name.as_bytes()[0]; 32];
    Peer { name, addr, endpoint: Endpoint::new(config, seed), events: vec![], dialog: None, unplugged: false }
}

pub fn config(calls_max: u32) -> Config {
    let number = |text: &str| Number::new(text).unwrap();
    let extensions = ["201", "202"].map(|text| Extension::new(text).unwrap());
    let trunk = Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: "192.0.2.9:5060".parse().unwrap(), transport: SipTransport::Udp },
        calls_max,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    };
    let auth = |user: &str| PhoneAuth {
        ha1_sha256: hex::encode(Sha256::digest(format!("{user}:{DOMAIN}:secret-{user}"))),
        ha1_md5: None,
    };
    Config {
        domain: DOMAIN.into(),
        local: vec![BOX.parse().unwrap()],
        listeners: Vec::new(),
        networks: Vec::new(),
        certified: Default::default(),
        recorders: Vec::new(),
        product: "Branchline".into(),
        site: model::config::Config {
            site: Site {
                id: SiteId::new("branch").unwrap(),
                label: "Branch".into(),
                time_zone: "Asia/Shanghai".into(),
                emergency: BTreeSet::from([number("110")]),
                outward: Some(carrier()),
                dialling: Default::default(),
                closed: false,
                pauses: BTreeMap::new(),
                dispositions: BTreeMap::new(),
                recording: Default::default(),
            },
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            phones: extensions.clone().map(|e| (e, Phone { label: "Desk".into(), ..Phone::default() })).into(),
            trunks: BTreeMap::from([(carrier(), trunk)]),
            numbers: BTreeMap::from([(number("4001"), FlowId::new("main").unwrap())]),
            flows: BTreeMap::new(),
            hours: BTreeMap::new(),
            places: BTreeMap::new(),
        },
        secrets: Secrets { phones: extensions.map(|e| (e.clone(), auth(e.as_str()))).into(), trunks: BTreeMap::new() },
        limits: Limits::default(),
    }
}
