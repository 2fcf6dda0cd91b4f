//! A branch at work: the whole of `floor`, `call` and `sip` on one side, phones and a carrier that are endpoints of
//! their own on the other, a media process that does as it is told. Nothing is delayed; what everybody says, and who
//! hears whom, is written down in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use call::leg::Input as LineInput;
use call::{Limits, Secrets, plane};
use conformance::net::label;
use conformance::tape;
use floor::board::{Ask, DeskCommand};
use floor::{Floor, Input, Output, Setup};
use model::Millis;
use model::config::{Agent, Config, Phone, SipTransport, Site, Trunk, TrunkKind};
use sip::auth::Algorithm;
use sip::endpoint::{self, DialogId, Endpoint, Event, Flow, Invite, PhoneAuth, Target, Transport, TrunkRegistration};

use crate::hand;

pub const BOX: &str = "192.0.2.2:5060";
pub const DOMAIN: &str = "north.example";
pub const CARRIER: usize = 0;
pub const ALICE: usize = 1;
pub const BOB: usize = 2;
pub const CAROL: usize = 3;

pub struct Town {
    pub floor: Floor,
    pub now: Instant,
    zero: Instant,
    pub peers: Vec<Peer>,
    to_media: VecDeque<plane::Event>,
    plays: BTreeMap<plane::PortId, plane::PlayId>,
    /// Who is at the far end of a port.
    ends: BTreeMap<plane::PortId, String>,
    log: Vec<String>,
    last_number: u32,
}

pub struct Peer {
    name: &'static str,
    pub addr: SocketAddr,
    endpoint: Endpoint,
    /// In the order in which they began; those that are over are gone.
    pub dialogs: Vec<DialogId>,
    /// How each of its dialogs is named, the latest last.
    pub names: Vec<Names>,
    /// Requests that the test wrote for it: their answers and NOTIFYs are not for its endpoint.
    pub by_hand: BTreeSet<String>,
    unplugged: bool,
    /// What it heard, beginning with the last clearing.
    pub heard: Vec<String>,
}

/// A dialog as its peer names it: From, To with tags, Call-ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub own: String,
    pub remote: String,
    pub call_id: String,
}

fn id<T: std::str::FromStr<Err = model::id::Error>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// A peer's description; the direction is how it holds.
pub fn sdp(peer: usize, direction: &str) -> Bytes {
    Bytes::from(format!(
        "v=0\r\no=- 1 1 IN IP4 198.51.100.{peer}\r\ns=-\r\nc=IN IP4 198.51.100.{peer}\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ))
}

fn site() -> Config {
    let trunk = Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: "192.0.2.1:5060".parse().expect("an address"), transport: SipTransport::Udp },
        calls_max: 30,
        behind_nat: false,
        spelling: Default::default(),
        protection: Default::default(),
        carrier: Default::default(),
    };
    let agent =
        Agent { badge: "A-201".into(), phone: Some(id("201")), skills: BTreeMap::new(), queues: BTreeSet::new() };
    Config {
        site: Site {
            id: id("north"),
            label: "North".into(),
            time_zone: "Europe/Berlin".into(),
            emergency: BTreeSet::from([id("112")]),
            outward: Some(id("carrier")),
            dialling: Default::default(),
            closed: false,
            pauses: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            recording: Default::default(),
        },
        queues: BTreeMap::new(),
        agents: BTreeMap::from([(id("alice"), agent)]),
        phones: ["201", "202", "203"]
            .map(|phone| (id(phone), Phone { label: phone.into(), ..Phone::default() }))
            .into(),
        trunks: BTreeMap::from([(id("carrier"), trunk)]),
        numbers: BTreeMap::new(),
        flows: BTreeMap::new(),
        hours: BTreeMap::new(),
        places: BTreeMap::new(),
    }
}

fn box_config(site: Config) -> call::Config {
    let phones = site.phones.keys().cloned().map(|phone| {
        let ha1_sha256 = Algorithm::Sha256.hash(&[phone.as_str(), DOMAIN, "secret"]);
        (phone, PhoneAuth { ha1_sha256, ha1_md5: None })
    });
    call::Config {
        domain: DOMAIN.into(),
        local: vec![BOX.parse().expect("an address")],
        listeners: Vec::new(),
        networks: Vec::new(),
        certified: BTreeSet::new(),
        recorders: Vec::new(),
        product: "Branchline".into(),
        secrets: Secrets { phones: phones.collect(), trunks: BTreeMap::new() },
        limits: Limits::default(),
        site,
    }
}

fn peer(name: &'static str, addr: &str, phone: Option<&str>) -> Peer {
    let addr: SocketAddr = addr.parse().expect("an address");
    let registration = phone.map(|user| TrunkRegistration {
        user: user.into(),
        domain: DOMAIN.into(),
        password: "secret".into(),
        expires_s: 3_600,
    });
    let to_box = endpoint::Trunk {
        peer: BOX.parse().expect("an address"),
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
    let mut seed = [0; 32];
    seed.iter_mut().zip(addr.to_string().bytes()).for_each(|(to, from)| *to = from);
    Peer {
        name,
        addr,
        endpoint: Endpoint::new(config, seed),
        dialogs: Vec::new(),
        names: Vec::new(),
        by_hand: BTreeSet::new(),
        unplugged: false,
        heard: Vec::new(),
    }
}

impl Town {
    pub fn new() -> Self {
        Self::of(site())
    }

    /// With so many channels on the carrier's line.
    pub fn with_channels(channels: u32) -> Self {
        let mut site = site();
        site.trunks.values_mut().for_each(|trunk| trunk.calls_max = channels);
        Self::of(site)
    }

    fn of(site: Config) -> Self {
        #[allow(clippy::disallowed_methods, reason = "the one moment that everything else is counted from")]
        let zero = Instant::now();
        let civil = floor::CivilTime { date: "2026-11-23".into(), day: 0, minute: 600 };
        let setup = Setup { calls: box_config(site), seed: [3; 32], civil };
        let mut town = Self {
            floor: Floor::new(zero, setup),
            now: zero,
            zero,
            peers: vec![
                peer("carrier", "192.0.2.1:5060", None),
                peer("alice", "192.0.2.21:5060", Some("201")),
                peer("bob", "192.0.2.22:5060", Some("202")),
                peer("carol", "192.0.2.23:5060", Some("203")),
            ],
            to_media: VecDeque::new(),
            plays: BTreeMap::new(),
            ends: BTreeMap::new(),
            log: Vec::new(),
            last_number: 0,
        };
        town.floor.handle_timeout(zero, town.wall());
        for peer in &mut town.peers {
            peer.endpoint.handle_timeout(zero);
        }
        town.advance(2);
        town.story();
        town
    }

    /// What happened since the last call.
    pub fn story(&mut self) -> String {
        self.peers.iter_mut().for_each(|peer| peer.heard.clear());
        std::mem::take(&mut self.log).join("\n")
    }

    /// Nothing reaches it any more, and it says nothing.
    pub fn unplug(&mut self, peer: usize) {
        self.peers[peer].unplugged = true;
    }

    pub fn legs(&self) -> usize {
        self.floor.lines().in_use().legs
    }

    /// One that no message had before.
    pub fn number(&mut self) -> u32 {
        self.last_number += 1;
        self.last_number
    }

    fn wall(&self) -> Millis {
        Millis(i64::try_from((self.now - self.zero).as_millis()).expect("small"))
    }

    pub fn desk(&mut self, ask: Ask) {
        self.floor.desk(self.now, self.wall(), DeskCommand { agent: id("alice"), ask }).expect("possible");
        self.run();
    }

    pub fn calls(&mut self, from: usize, to: &str) {
        let user = ["01701234567", "201", "202", "203"][from];
        let invite = Invite {
            to: Target::Trunk { trunk: "box".into(), user: to.into() },
            from_user: user.into(),
            from_name: None,
            sdp: sdp(from, "sendrecv"),
            sdp_to_browsers: None,
            emergency: None,
            patience: None,
            shown: Default::default(),
            recording: None,
        };
        let peer = &mut self.peers[from];
        let dialog = peer.endpoint.invite(self.now, invite);
        peer.dialogs.push(dialog);
        self.run();
    }

    /// The peer's latest dialog, unless another is named.
    fn act(&mut self, peer: usize, act: impl FnOnce(&mut Endpoint, Instant, DialogId)) {
        let dialog = *self.peers[peer].dialogs.last().expect("a call");
        self.act_on(peer, dialog, act);
    }

    fn act_on(&mut self, peer: usize, dialog: DialogId, act: impl FnOnce(&mut Endpoint, Instant, DialogId)) {
        act(&mut self.peers[peer].endpoint, self.now, dialog);
        self.run();
    }

    pub fn rings(&mut self, peer: usize) {
        self.act(peer, |endpoint, now, dialog| endpoint.provisional(now, dialog, 180, None));
    }

    pub fn early(&mut self, peer: usize) {
        self.act(peer, |endpoint, now, dialog| endpoint.provisional(now, dialog, 183, Some(sdp(peer, "sendrecv"))));
    }

    pub fn answers(&mut self, peer: usize) {
        self.act(peer, |endpoint, now, dialog| endpoint.accept(now, dialog, sdp(peer, "sendrecv")));
    }

    pub fn refuses(&mut self, peer: usize, status: u16) {
        self.act(peer, |endpoint, now, dialog| endpoint.reject(now, dialog, status));
    }

    pub fn ends(&mut self, peer: usize) {
        self.act(peer, |endpoint, now, dialog| endpoint.end(now, dialog));
    }

    /// A re-INVITE of the peer's first dialog with this direction.
    pub fn offers(&mut self, peer: usize, direction: &str) {
        let dialog = *self.peers[peer].dialogs.first().expect("a call");
        self.act_on(peer, dialog, |endpoint, now, dialog| endpoint.reinvite(now, dialog, sdp(peer, direction)));
    }

    /// A request of the peer's within one of its dialogs (by age, from 0), written here.
    pub fn says(&mut self, peer: usize, dialog: usize, method: &str, more: &str) {
        let names = self.peers[peer].names[dialog].clone();
        self.says_as(peer, &names, method, more);
    }

    pub fn says_as(&mut self, peer: usize, names: &Names, method: &str, more: &str) {
        let Names { own, remote, call_id } = names;
        let addr = self.peers[peer].addr;
        let number = 500 + self.peers[peer].by_hand.len();
        let branch = format!("z9hG4bKhand{peer}x{number}");
        let text = format!(
            "{method} sip:box@{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};branch={branch}\r\nMax-Forwards: 70\r\n\
             From: {own}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:x@{addr}>\r\n{more}Content-Length: 0\r\n\r\n"
        );
        self.peers[peer].by_hand.insert(branch);
        self.puts(peer, text);
    }

    /// A whole message of a peer's, written by the test.
    pub fn puts(&mut self, peer: usize, text: String) {
        let name = self.peers[peer].name;
        let remote = self.peers[peer].addr;
        self.write(name, "->", "box", text.as_bytes());
        self.bring(remote, Bytes::from(text));
        self.run();
    }

    /// Bytes that reach the box from an address, whosever it is.
    pub fn bring(&mut self, remote: SocketAddr, bytes: Bytes) {
        let flow = Flow { transport: Transport::Udp, local: BOX.parse().expect("an address"), remote, connection: 0 };
        self.input(LineInput::Sip(endpoint::Input::Received { flow, bytes }));
        self.run();
    }

    /// Everything that plays once reaches its end.
    pub fn prompts_end(&mut self) {
        let ended: Vec<_> = std::mem::take(&mut self.plays).into_iter().collect();
        self.to_media.extend(ended.into_iter().map(|(port, play)| plane::Event::Played { port, play }));
        self.run();
    }

    pub fn advance(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        self.run();
        loop {
            let timers = self.peers.iter().filter_map(|peer| peer.endpoint.poll_timeout());
            let Some(at) = timers.chain(self.floor.poll_timeout()).min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.floor.handle_timeout(self.now, self.wall());
            for peer in &mut self.peers {
                peer.endpoint.handle_timeout(self.now);
            }
            self.run();
        }
        self.now = end;
    }

    fn input(&mut self, input: LineInput) {
        self.floor.handle_input(self.now, self.wall(), Input::Call(input));
    }

    /// Lets every message arrive and every engine answer.
    pub fn run(&mut self) {
        for _ in 0..2_000 {
            if !self.run_floor() && !self.run_media() && !self.run_peers() {
                return;
            }
        }
        panic!("the town does not come to rest: {:#?}", self.log);
    }

    fn run_media(&mut self) -> bool {
        let Some(event) = self.to_media.pop_front() else { return false };
        self.input(LineInput::Media(event));
        true
    }

    fn run_peers(&mut self) -> bool {
        let mut busy = false;
        for index in 0..self.peers.len() {
            while let Some(output) = self.peers[index].endpoint.poll_output() {
                busy = true;
                match output {
                    endpoint::Output::Send { bytes, .. } => {
                        tape::said(&bytes);
                        let (name, addr) = (self.peers[index].name, self.peers[index].addr);
                        self.write(name, "->", "box", &bytes);
                        self.peers[index].learn(&bytes, true);
                        let local = BOX.parse().expect("an address");
                        let flow = Flow { transport: Transport::Udp, local, remote: addr, connection: 0 };
                        self.input(LineInput::Sip(endpoint::Input::Received { flow, bytes }));
                    }
                    endpoint::Output::Close { .. } => {}
                    endpoint::Output::Event(event) => self.peers[index].note(&event),
                }
            }
        }
        busy
    }

    fn run_floor(&mut self) -> bool {
        let mut busy = false;
        while let Some(output) = self.floor.poll_output() {
            busy = true;
            match output {
                Output::Send { flow, bytes } => {
                    tape::said(&bytes);
                    self.deliver(flow, bytes);
                }
                Output::Media(command) => self.obey(command),
                _ => {}
            }
        }
        busy
    }

    fn deliver(&mut self, flow: Flow, bytes: Bytes) {
        let Some(index) = self.peers.iter().position(|peer| peer.addr == flow.remote) else { return };
        let name = self.peers[index].name;
        let arrow = if self.peers[index].unplugged { "-x" } else { "->" };
        self.write("box", arrow, name, &bytes);
        if self.peers[index].unplugged {
            return;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let peer = &mut self.peers[index];
        peer.heard.push(text.clone());
        if text.starts_with("NOTIFY") && !peer.by_hand.is_empty() {
            return self.puts(index, hand::answer(&text, "200", ""));
        }
        let to_hand = peer.by_hand.iter().any(|branch| text.starts_with("SIP/2.0") && text.contains(branch));
        if !to_hand {
            peer.learn(&bytes, false);
            let there = Flow { local: peer.addr, remote: BOX.parse().expect("an address"), ..flow };
            peer.endpoint.handle_input(self.now, endpoint::Input::Received { flow: there, bytes });
        }
    }

    fn obey(&mut self, command: plane::Command) {
        let end = |town: &Self, port: &plane::PortId| town.ends.get(port).cloned().unwrap_or_else(|| "nobody".into());
        match command {
            plane::Command::Open { port, .. } => {
                let local = format!("192.0.2.2:{}", 30_000 + port.0 % 1_000 * 2).parse().expect("an address");
                self.to_media.push_back(plane::Event::Opened { port, local });
            }
            plane::Command::Connect { port, remote } => {
                let number = remote.addr.ip().to_string().rsplit('.').next().and_then(|n| n.parse::<usize>().ok());
                let name = number.and_then(|number| self.peers.get(number)).map_or("nobody", |peer| peer.name);
                self.ends.insert(port, name.to_owned());
            }
            plane::Command::Play { port, play, sounds, again } => {
                let repeated = if again { " again and again" } else { "" };
                self.log.push(format!(
                    "box * play {} to {}{repeated}",
                    sounds.iter().map(plane::Sound::as_str).collect::<Vec<_>>().join(" "),
                    end(self, &port)
                ));
                if !again {
                    self.plays.insert(port, play);
                }
            }
            plane::Command::Stop { port } => self.log.push(format!("box * silence for {}", end(self, &port))),
            plane::Command::Join { a, b } => {
                self.log.push(format!("box * join {} and {}", end(self, &a), end(self, &b)))
            }
            plane::Command::Part { port } => self.log.push(format!("box * part {}", end(self, &port))),
            plane::Command::Mute { port, muted } => {
                self.log.push(format!("box * {} {}", if muted { "mute" } else { "unmute" }, end(self, &port)));
            }
            plane::Command::Record { recording, .. } => {
                let state = plane::RecordingState::Started;
                self.to_media.push_back(plane::Event::Recording { recording, state });
            }
            plane::Command::RecordEnd { recording } => {
                let state = plane::RecordingState::Sealed { chunks: 1, frames: 1, sha256: "00".into(), ms: 20 };
                self.to_media.push_back(plane::Event::Recording { recording, state });
            }
            _ => {}
        }
    }

    /// Pings are no part of a story. A NOTIFY shows the status line, or the line's state, that it tells.
    fn write(&mut self, from: &str, arrow: &str, to: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if text.contains(" OPTIONS\r\n") {
            return;
        }
        let told = text.split("\r\n\r\n").nth(1).and_then(|body| body.strip_prefix("SIP/2.0 "));
        let state = text.split("<state>").nth(1).and_then(|rest| rest.split('<').next());
        let told = told.or(state).map(|line| format!(" {}", line.trim())).unwrap_or_default();
        self.log.push(format!("{from} {arrow} {to} {}{told}", label(bytes)));
    }
}

impl Peer {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Invited { dialog, .. } => self.dialogs.push(*dialog),
            Event::Ended { dialog, .. } | Event::Failed { dialog, .. } => self.dialogs.retain(|other| other != dialog),
            _ => {}
        }
    }

    /// Notes the names of a dialog, from a message that has both tags.
    fn learn(&mut self, bytes: &Bytes, sent: bool) {
        let text = String::from_utf8_lossy(bytes);
        let (from, to) = (hand::header(&text, "From"), hand::header(&text, "To"));
        if !to.contains("tag=") || hand::header(&text, "CSeq").ends_with("REGISTER") || text.starts_with("SIP/2.0 4") {
            return;
        }
        let ours = sent != text.starts_with("SIP/2.0");
        let (own, remote) = if ours { (from, to) } else { (to, from) };
        let names = Names { own: own.into(), remote: remote.into(), call_id: hand::header(&text, "Call-ID").into() };
        if !self.names.contains(&names) {
            self.names.push(names);
        }
    }
}
