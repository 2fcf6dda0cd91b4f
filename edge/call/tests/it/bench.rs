//! The bench: one `Calls`, its peers (real endpoints: a carrier and phones), a lossless net, a clock that is told.
//!
//! A ladder line is `carrier > INVITE` (to the box), `carrier < 200` (from it), `media: open p1`, or `* incoming A`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use call::leg::{Caller, Dial, Event, Input, Output, Party};
use call::{Calls, Config, Limits, Secrets};
use media::plane::{self, RecordingState};
use model::config::{Phone, SipTransport, Site, Trunk, TrunkKind};
use model::{Extension, FlowId, LegId, Number, SiteId, TrunkId};
use sha2::{Digest, Sha256};
use sip::endpoint::{self, DialogId, Endpoint, Flow, PhoneAuth, Transport, TrunkRegistration};

use crate::double::Media;

pub const DOMAIN: &str = "branch.example";
const BOX: &str = "192.0.2.1:5060";
pub const CARRIER: usize = 0;
pub const ANN: usize = 1;
pub const BOB: usize = 2;

pub struct Bench {
    pub now: Instant,
    pub calls: Calls,
    pub peers: Vec<Peer>,
    pub media: Media,
    pub events: Vec<Event>,
    pub ended: BTreeMap<LegId, u32>,
    pub begun: BTreeSet<LegId>,
    site: model::config::Config,
    secrets: Secrets,
    log: Vec<String>,
    names: BTreeMap<LegId, char>,
    to_media: VecDeque<plane::Event>,
    /// What the box sent to the peer that a test plays by hand, and every NOTIFY.
    by_hand: Option<Vec<String>>,
    notifies: Vec<String>,
    /// The last INVITE to each peer and that peer's 200, for requests written by hand within that dialog.
    heads: BTreeMap<&'static str, String>,
}

pub struct Peer {
    pub name: &'static str,
    pub addr: SocketAddr,
    pub endpoint: Endpoint,
    pub events: Vec<endpoint::Event>,
    /// Its newest dialog.
    pub dialog: Option<DialogId>,
    /// Sends nothing and hears nothing.
    pub unplugged: bool,
}

impl Bench {
    /// A box with a carrier of `calls_max` channels and the registered phones 201 (ann) and 202 (bob).
    pub fn new(calls_max: u32) -> Self {
        Self::with(calls_max, |_| {})
    }

    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    pub fn with(calls_max: u32, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(calls_max);
        change(&mut config);
        let peers = vec![
            peer("carrier", "192.0.2.9:5060", None),
            peer("ann", "192.0.2.21:5060", Some("201")),
            peer("bob", "192.0.2.22:5060", Some("202")),
        ];
        let mut bench = Self {
            now: Instant::now(),
            site: config.site.clone(),
            secrets: config.secrets.clone(),
            calls: Calls::new(config, [7; 32]),
            peers,
            media: Media::default(),
            events: vec![],
            ended: BTreeMap::new(),
            begun: BTreeSet::new(),
            log: vec![],
            names: BTreeMap::new(),
            to_media: VecDeque::new(),
            by_hand: None,
            notifies: vec![],
            heads: BTreeMap::new(),
        };
        // Trunks begin with the first input or timeout.
        bench.calls.handle_timeout(bench.now);
        for peer in &mut bench.peers {
            peer.endpoint.handle_timeout(bench.now);
        }
        bench.advance(Duration::from_secs(2));
        for phone in ["201", "202"] {
            assert!(bench.calls.is_registered(&Extension::new(phone).unwrap()), "{phone}: {:#?}", bench.log);
        }
        bench.log.clear();
        bench.events.clear();
        bench
    }

    /// Lets every message arrive and every engine answer.
    pub fn run(&mut self) {
        for _ in 0..10_000 {
            if !self.run_calls() && !self.run_media() && !self.run_peers() {
                return;
            }
        }
        panic!("the bench does not come to rest:\n{}", self.log.join("\n"));
    }

    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        self.run();
        loop {
            let timers = self.peers.iter().filter_map(|peer| peer.endpoint.poll_timeout());
            match timers.chain(self.calls.poll_timeout()).min().filter(|at| *at <= end) {
                Some(at) => self.now = at.max(self.now),
                None => break,
            }
            self.calls.handle_timeout(self.now);
            for peer in &mut self.peers {
                peer.endpoint.handle_timeout(self.now);
            }
            self.run();
        }
        self.now = end;
    }

    fn run_calls(&mut self) -> bool {
        let mut busy = false;
        while let Some(output) = self.calls.poll_output() {
            busy = true;
            match output {
                Output::Send { flow, bytes } => self.deliver(flow, bytes),
                Output::Media(command) => {
                    if let Some(line) = self.media.line(&command) {
                        self.log.push(format!("media: {line}"));
                    }
                    self.to_media.extend(self.media.obey(&command));
                }
                Output::Event(event) => self.heard(event),
            }
        }
        busy
    }

    fn run_media(&mut self) -> bool {
        let Some(event) = self.to_media.pop_front() else { return false };
        self.calls.handle_input(self.now, Input::Media(event));
        true
    }

    fn run_peers(&mut self) -> bool {
        let mut busy = false;
        for index in 0..self.peers.len() {
            while let Some(output) = self.peers[index].endpoint.poll_output() {
                busy = true;
                match output {
                    endpoint::Output::Send { flow, bytes } => {
                        let peer = &self.peers[index];
                        if peer.unplugged {
                            continue;
                        }
                        self.log.push(format!("{} > {}", peer.name, first_word(&bytes)));
                        if first_word(&bytes) == "200" && text(&bytes).contains("INVITE\r\n") {
                            self.heads.insert(peer.name, text(&bytes));
                        }
                        let back = Flow { local: flow.remote, remote: peer.addr, ..flow };
                        let input = endpoint::Input::Received { flow: back, bytes };
                        self.calls.handle_input(self.now, Input::Sip(input));
                        self.run_calls();
                    }
                    endpoint::Output::Event(event) => {
                        let peer = &mut self.peers[index];
                        if let endpoint::Event::Invited { dialog, .. } = &event {
                            peer.dialog = Some(*dialog);
                        }
                        peer.events.push(event);
                    }
                }
            }
        }
        busy
    }

    fn deliver(&mut self, flow: Flow, bytes: Bytes) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.addr == flow.remote) else { return };
        if peer.unplugged {
            return;
        }
        if let (Some(heard), "carrier") = (&mut self.by_hand, peer.name) {
            self.log.push(format!("by hand < {}", first_word(&bytes)));
            heard.push(text(&bytes));
            return;
        }
        self.log.push(format!("{} < {}", peer.name, first_word(&bytes)));
        if first_word(&bytes) == "NOTIFY" {
            self.notifies.push(text(&bytes));
        }
        let there = Flow { local: peer.addr, remote: BOX.parse().unwrap(), ..flow };
        peer.endpoint.handle_input(self.now, endpoint::Input::Received { flow: there, bytes });
    }

    fn heard(&mut self, event: Event) {
        if let Event::Incoming { leg, .. } = &event {
            self.begun.insert(*leg);
        }
        if let Event::Ended { leg, .. } = &event {
            *self.ended.entry(*leg).or_default() += 1;
        }
        if let Some(line) = self.line(&event) {
            self.log.push(format!("* {line}"));
        }
        self.events.push(event);
    }

    fn line(&mut self, event: &Event) -> Option<String> {
        Some(match event {
            Event::Incoming { leg, to, .. } => format!("incoming {} to {to}", self.name(*leg)),
            Event::Ringing { leg } => format!("ringing {}", self.name(*leg)),
            Event::Answered { leg } => format!("answered {}", self.name(*leg)),
            Event::Digit { leg, digit } => format!("digit {} {digit}", self.name(*leg)),
            Event::Played { leg, .. } => format!("played {}", self.name(*leg)),
            Event::Hold { leg, held } => format!("hold {} {held}", self.name(*leg)),
            Event::TransferAsked { leg, to } => format!("transfer {} to {to}", self.name(*leg)),
            Event::Recording { state, .. } => match state {
                RecordingState::Started => "recording started".to_owned(),
                RecordingState::Sealed { .. } => "recording sealed".to_owned(),
                RecordingState::Failed { why } => format!("recording failed: {why:?}"),
            },
            Event::TunnelOpen { leg, local } => format!("tunnel {} at {local}", self.name(*leg)),
            Event::Ended { leg, cause } => format!("ended {} {cause:?}", self.name(*leg)),
            Event::Refused { cause, status } => format!("refused {cause} {status:?}"),
            Event::Registered { .. } | Event::TrunkState { .. } => return None,
        })
    }

    fn name(&mut self, leg: LegId) -> char {
        let next = char::from(b'A' + u8::try_from(self.names.len() % 26).unwrap());
        *self.names.entry(leg).or_insert(next)
    }

    /// Compares the ladder since the last check, whole.
    #[track_caller]
    pub fn check(&mut self, expected: &str) {
        self.run();
        let got = std::mem::take(&mut self.log).join("\n");
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(got, expected.join("\n"), "\ngot:\n{got}\n");
    }

    /// Lets things happen that another test looks at.
    pub fn skip(&mut self) {
        self.run();
        self.log.clear();
    }

    // What peers do.

    /// A peer calls; returns the incoming leg, if there was one.
    pub fn call(&mut self, from: usize, to: &str, sdp: Option<&str>) -> Option<LegId> {
        let peer = &mut self.peers[from];
        let from_user = if from == CARRIER { "13800000000" } else { ["", "201", "202"][from] };
        let invite = endpoint::Invite {
            to: endpoint::Target::Trunk { trunk: "box".into(), user: to.into() },
            from_user: from_user.into(),
            from_name: None,
            sdp: Bytes::from(sdp.map_or_else(|| offer(from), str::to_owned)),
        };
        peer.dialog = Some(peer.endpoint.invite(self.now, invite));
        let before = self.events.len();
        self.run();
        self.events[before..].iter().find_map(|event| match event {
            Event::Incoming { leg, .. } => Some(*leg),
            _ => None,
        })
    }

    pub fn peer_rings(&mut self, peer: usize, sdp: Option<String>) {
        let dialog = self.peers[peer].dialog.unwrap();
        let status = if sdp.is_some() { 183 } else { 180 };
        self.peers[peer].endpoint.provisional(self.now, dialog, status, sdp.map(Bytes::from));
        self.run();
    }

    pub fn peer_answers(&mut self, peer: usize) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.accept(self.now, dialog, Bytes::from(offer(peer)));
        self.run();
    }

    pub fn peer_answers_with(&mut self, peer: usize, sdp: &str) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.accept(self.now, dialog, Bytes::from(sdp.to_owned()));
        self.run();
    }

    /// Answers our re-INVITE.
    pub fn peer_answers_reoffer(&mut self, peer: usize, direction: &str) {
        let answer = offer(peer).replace("sendrecv", direction);
        self.peer_answers_with(peer, &answer);
    }

    pub fn peer_rejects(&mut self, peer: usize, status: u16) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.reject(self.now, dialog, status);
        self.run();
    }

    pub fn peer_reinvites(&mut self, peer: usize, sdp: &str) {
        let dialog = self.peers[peer].dialog.unwrap();
        self.peers[peer].endpoint.reinvite(self.now, dialog, Bytes::from(sdp.to_owned()));
        self.run();
    }

    /// BYE or CANCEL.
    pub fn peer_ends(&mut self, peer: usize) {
        if let Some(dialog) = self.peers[peer].dialog {
            self.peers[peer].endpoint.end(self.now, dialog);
        }
        self.run();
    }

    /// The SDP of the last answer or offer that a peer got.
    pub fn peer_sdp(&self, peer: usize) -> String {
        let sdp = self.peers[peer].events.iter().rev().find_map(|event| match event {
            endpoint::Event::Answered { sdp, .. } => Some(sdp.clone()),
            endpoint::Event::Reoffer { sdp, .. } | endpoint::Event::Reanswered { sdp, .. } => sdp.clone(),
            endpoint::Event::Progress { sdp, .. } => sdp.clone(),
            endpoint::Event::Invited { invited, .. } => invited.sdp.clone(),
            _ => None,
        });
        String::from_utf8(sdp.expect("some SDP").to_vec()).unwrap()
    }

    // What a test writes by hand, because our endpoint never says it.

    /// An INVITE without SDP from the carrier's address; from here on the test plays the carrier.
    pub fn hand_invite_without_sdp(&mut self) -> LegId {
        self.by_hand = Some(vec![]);
        self.hand(
            "INVITE sip:4001@192.0.2.1:5060 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKhand1\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:13800000000@192.0.2.9>;tag=hand\r\n\
             To: <sip:4001@192.0.2.1>\r\n\
             Call-ID: by-hand\r\n\
             CSeq: 1 INVITE\r\n\
             Contact: <sip:hand@192.0.2.9:5060>\r\n\
             Content-Length: 0\r\n\r\n",
        );
        let incoming = self.events.iter().rev().find_map(|event| match event {
            Event::Incoming { leg, .. } => Some(*leg),
            _ => None,
        });
        incoming.expect("an incoming leg")
    }

    /// The 200 that the box sent.
    pub fn hand_heard_200(&mut self) -> String {
        self.run();
        let heard = self.by_hand.as_ref().expect("a carrier by hand");
        heard.iter().rev().find(|text| text.starts_with("SIP/2.0 200")).expect("a 200").clone()
    }

    pub fn hand_ack(&mut self, sdp: &str) {
        let ok = self.hand_heard_200();
        self.hand(&format!(
            "ACK {} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKhand2\r\n\
             Max-Forwards: 70\r\n\
             {}\r\n{}\r\n{}\r\n\
             CSeq: 1 ACK\r\n\
             Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            contact(&ok),
            header(&ok, "From"),
            header(&ok, "To"),
            header(&ok, "Call-ID"),
            sdp.len(),
        ));
    }

    fn hand(&mut self, message: &str) {
        self.log.push(format!("by hand > {}", message.split(' ').next().unwrap()));
        self.inject(CARRIER, message);
    }

    /// A REFER of a peer whose dialog the box began.
    pub fn peer_refers(&mut self, peer: usize, to: &str) {
        let ok = self.heads[self.peers[peer].name].clone();
        let addr = self.peers[peer].addr;
        let (ours, theirs) =
            (header(&ok, "To").replacen("To", "From", 1), header(&ok, "From").replacen("From", "To", 1));
        let message = format!(
            "REFER sip:box@{BOX} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {addr};branch=z9hG4bKrefer{to}\r\n\
             Max-Forwards: 70\r\n\
             {ours}\r\n{theirs}\r\n{}\r\n\
             CSeq: 900 REFER\r\n\
             Contact: <sip:201@{addr}>\r\n\
             Refer-To: <sip:{to}@{DOMAIN}>\r\n\
             Content-Length: 0\r\n\r\n",
            header(&ok, "Call-ID"),
        );
        self.log.push(format!("{} > REFER", self.peers[peer].name));
        self.inject(peer, &message);
    }

    fn inject(&mut self, peer: usize, message: &str) {
        let remote = self.peers[peer].addr;
        let flow = Flow { transport: Transport::Udp, local: BOX.parse().unwrap(), remote, connection: 0 };
        let input = endpoint::Input::Received { flow, bytes: Bytes::from(message.to_owned()) };
        self.calls.handle_input(self.now, Input::Sip(input));
        self.run();
    }

    pub fn notified(&self) -> &[String] {
        &self.notifies
    }

    // What media says of its own accord.

    pub fn media_digit(&mut self, leg: LegId, digit: char) {
        let port = self.port_of(leg);
        self.to_media.push_back(plane::Event::Digit { port, digit });
        self.run();
    }

    pub fn media_silent(&mut self, leg: LegId, silent: bool) {
        let port = self.port_of(leg);
        self.to_media.push_back(plane::Event::Silent { port, silent });
        self.run();
    }

    pub fn media_prompt_fails(&mut self, leg: LegId) {
        self.run();
        let port = self.port_of(leg);
        self.to_media.push_back(plane::Event::Failed { port, why: plane::Failure::Prompt });
        self.run();
    }

    /// The bench names legs A, B and ports p1, p2 in the same order.
    fn port_of(&mut self, leg: LegId) -> plane::PortId {
        let index = usize::try_from(u32::from(self.name(leg)) - u32::from('A')).unwrap();
        *self.media.open.keys().nth(index).unwrap()
    }

    pub fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    // What the owner does, with the bench's clock.

    pub fn dial_phone(&mut self, extension: &str, ringback_to: Option<LegId>) -> LegId {
        self.dial(Party::Phone(Extension::new(extension).unwrap()), ringback_to)
    }

    pub fn dial_out(&mut self, user: &str, ringback_to: Option<LegId>) -> LegId {
        self.dial(Party::Trunk { trunk: carrier(), user: user.into() }, ringback_to)
    }

    fn dial(&mut self, party: Party, ringback_to: Option<LegId>) -> LegId {
        let caller = Caller { number: "4001".into(), name: None };
        let leg = self.calls.dial(self.now, Dial { party, caller, ringback_to });
        self.begun.insert(leg);
        self.run();
        leg
    }

    /// What the box runs on, to be changed.
    pub fn configured(&self) -> (model::config::Config, Secrets) {
        (self.site.clone(), self.secrets.clone())
    }

    pub fn media_restarts(&mut self) {
        self.media.die();
        self.to_media.clear();
        self.calls.handle_input(self.now, Input::MediaRestarted);
        self.run();
    }

    /// Every leg that ever was has ended exactly once and nothing is left of it.
    #[track_caller]
    pub fn assert_empty(&mut self) {
        self.run();
        assert_eq!(self.calls.in_use(), Default::default());
        assert!(self.media.open.is_empty(), "ports left: {:?}", self.media.open);
        assert!(self.media.recording.is_empty() && self.media.joined.is_empty());
        for leg in &self.begun {
            assert_eq!(self.ended.get(leg), Some(&1), "leg {leg} ended this often");
        }
    }
}

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

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A whole header line.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}:");
    message.lines().find(|line| line.starts_with(&prefix)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn contact(message: &str) -> &str {
    header(message, "Contact").split(['<', '>']).nth(1).expect("a URI in angle brackets")
}

fn first_word(bytes: &Bytes) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some("SIP/2.0"), Some(status)) => status.to_owned(),
        (Some(method), _) => method.to_owned(),
        _ => "-".to_owned(),
    }
}

fn peer(name: &'static str, addr: &str, phone: Option<&str>) -> Peer {
    let registration = phone.map(|user| TrunkRegistration {
        user: user.into(),
        domain: DOMAIN.into(),
        password: format!("secret-{user}"),
        expires_s: 3_600,
    });
    let addr: SocketAddr = addr.parse().unwrap();
    let to_box =
        endpoint::Trunk { peer: BOX.parse().unwrap(), transport: Transport::Udp, registration, options_every_s: 0 };
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

fn config(calls_max: u32) -> Config {
    let number = |text: &str| Number::new(text).unwrap();
    let extensions = ["201", "202"].map(|text| Extension::new(text).unwrap());
    let trunk = Trunk {
        label: "Carrier".into(),
        kind: TrunkKind::Address { peer: "192.0.2.9:5060".parse().unwrap(), transport: SipTransport::Udp },
        calls_max,
        behind_nat: false,
    };
    let auth = |user: &str| PhoneAuth {
        ha1_sha256: hex::encode(Sha256::digest(format!("{user}:{DOMAIN}:secret-{user}"))),
        ha1_md5: None,
    };
    Config {
        domain: DOMAIN.into(),
        local: vec![BOX.parse().unwrap()],
        product: "Branchline".into(),
        site: model::config::Config {
            site: Site {
                id: SiteId::new("branch").unwrap(),
                label: "Branch".into(),
                time_zone: "Asia/Shanghai".into(),
                emergency: BTreeSet::from([number("110")]),
                outward: Some(carrier()),
            },
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            phones: extensions.clone().map(|e| (e, Phone { label: "Desk".into() })).into(),
            trunks: BTreeMap::from([(carrier(), trunk)]),
            numbers: BTreeMap::from([(number("4001"), FlowId::new("main").unwrap())]),
            flows: BTreeMap::new(),
            hours: BTreeMap::new(),
        },
        secrets: Secrets { phones: extensions.map(|e| (e.clone(), auth(e.as_str()))).into(), trunks: BTreeMap::new() },
        limits: Limits::default(),
    }
}
