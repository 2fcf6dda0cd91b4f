//! The floor on its real lines: SIP messages go in and out, and the peers are endpoints themselves. Media is scripted.
//! The ladder shows the messages of all, and the facts.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use call::{Limits, Secrets, endpoint, leg::Input as LineInput, plane, will::Left};
use floor::{
    Floor, Input, Output, Setup,
    board::{Ask, DeskCommand},
};
use model::{
    Extension, Millis,
    config::{Config, SipTransport, TrunkKind},
    dialling::Place,
    fact::{Fact, Kind},
};
use sha2::{Digest, Sha256};
use sip::endpoint::{DialogId, Endpoint, Flow, PhoneAuth, Target, Transport, TrunkRegistration};

use crate::branch::{self, id};

mod cards;
mod next_life;

const BOX: &str = "192.0.2.2:5060";
const DOMAIN: &str = "north.example";
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n";

struct Peer {
    name: &'static str,
    addr: SocketAddr,
    endpoint: Endpoint,
    dialog: Option<DialogId>,
}

struct Town {
    floor: Floor,
    now: Instant,
    zero: Instant,
    peers: Vec<Peer>,
    to_media: VecDeque<plane::Event>,
    plays: BTreeMap<plane::PortId, plane::PlayId>,
    /// The answer to the carrier's last INVITE.
    heard: Option<Bytes>,
    /// Peers that hear nothing.
    deaf: BTreeSet<usize>,
    log: Vec<String>,
    facts: Vec<Fact>,
    /// As the ledger has them.
    bindings: BTreeMap<Extension, endpoint::Binding>,
    /// What media keeps of each port for the next life.
    left: BTreeMap<plane::PortId, Left>,
}

const CARRIER: usize = 0;
const ANN: usize = 1;
const GATEWAY: usize = 2;
const COLLEAGUE: usize = 3;

#[test]
fn a_call_goes_all_the_way_over_sip() {
    let mut town = Town::new();
    town.desk(Ask::SignIn);
    town.desk(Ask::Ready);
    town.carrier_calls("5550100");
    town.prompts_end();
    town.phone_answers(ANN);
    town.advance(30);
    town.ends(CARRIER);
    town.advance(20);
    let expected = "\
        ann is NotReady
        ann is Ready
        carrier > INVITE
        Arrived 5550100
        carrier < 100
        carrier < 200
        carrier > ACK
        FlowEntered hello
        play greeting
        FlowEntered to-sales
        Queued
        ann is Offered
        Offered ann
        play jazz again
        ann < INVITE
        ann > 100
        ann > 200
        OfferEnded Accepted
        ann is Talking
        Answered
        ann < ACK
        join
        record
        RecordingStarted
        carrier < OPTIONS
        carrier > 200
        carrier > BYE
        record end
        Ended Caller
        cdr wait 0 talk 30
        ann is WrapUp
        WrapUpStarted
        carrier < 200
        ann < BYE
        RecordingSealed
        ann > 200
        WrapUpEnded
        cdr wait 0 talk 30
        ann is Ready";
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    assert_eq!(town.log, expected);
    assert_eq!(town.floor.in_use(), floor::InUse::default());
    assert_eq!(town.floor.lines().in_use().legs, 0);
}

/// The example branch, with a line in the annex, where ann sits.
fn with_annex() -> Config {
    let mut config = branch::config();
    let mut line = config.trunks[&id("carrier")].clone();
    line.kind =
        TrunkKind::Address { peer: "192.0.2.3:5060".parse().expect("an address"), transport: SipTransport::Udp };
    config.trunks.insert(id("gateway"), line);
    config.places.insert(id("annex"), Place { trunk: Some(id("gateway")), ..Place::default() });
    config.phones.get_mut(&id("201")).expect("a phone").place = Some(id("annex"));
    config
}

#[test]
fn an_emergency_call_leaves_by_another_line_when_its_own_is_dead() {
    let mut town = Town::of(with_annex());
    town.deaf.insert(GATEWAY);
    town.phone_calls("112");
    assert!(town.saw("gateway < INVITE") && !town.saw("carrier < INVITE"), "{:#?}", town.log);
    // S-150: two seconds are all that it loses.
    town.advance(2);
    assert!(town.saw("carrier < INVITE") && town.saw("TrunkTried"), "{:#?}", town.log);
    town.phone_answers(CARRIER);
    assert!(town.saw("join") && town.saw("ann < 200"), "{:#?}", town.log);
}

#[test]
fn an_emergency_call_leaves_by_another_line_whatever_its_own_says() {
    for status in [403, 404, 480, 486, 488, 500, 503, 600, 603, 302] {
        let mut town = Town::of(with_annex());
        town.phone_calls("112");
        town.rejects(GATEWAY, status);
        assert!(town.saw("carrier < INVITE"), "{status}: {:#?}", town.log);
        town.phone_answers(CARRIER);
        assert!(town.saw("ann < 200"), "{status}: {:#?}", town.log);
    }
}

#[test]
fn an_emergency_call_tries_a_line_that_had_no_room_again() {
    let mut town = Town::of(branch::config());
    town.phone_calls("112");
    for _ in 0..2 {
        town.rejects(CARRIER, 503);
        assert!(!town.saw("ann < 503") && !town.saw("ann < 480"), "{:#?}", town.log);
    }
    assert_eq!(town.log.iter().filter(|line| *line == "carrier < INVITE").count(), 3, "{:#?}", town.log);
    town.rejects(CARRIER, 503);
    assert!(town.saw("ann < 480"), "it ends at last: {:#?}", town.log);
    assert_eq!(town.floor.in_use(), floor::InUse::default());
}

/// S-140: numbers abroad and premium ones as people and thieves write them.
fn forbidden_spellings() -> BTreeSet<String> {
    let full_width = |text: &str| -> String {
        text.chars().map(|c| c.to_digit(10).and_then(|d| char::from_u32(0xFF10 + d)).unwrap_or(c)).collect()
    };
    let spaced = |text: &str, by: &str| text.chars().map(|c| format!("{c}{by}")).collect::<String>();
    let mut all = BTreeSet::new();
    for number in ["442079460000", "8821612345678", "2526123456", "53712345678", "37253001234", "18095550123"] {
        for prefix in
            ["00", "+", "011", "\u{FF0B}", "\u{FF10}\u{FF10}", "(00)", "0-0", "0 0", "%2b", "%2B", "tel:+", "sip:00"]
        {
            let plain = format!("{prefix}{number}");
            for by in ["", " ", "-", ".", "()"] {
                all.insert(spaced(&plain, by));
                all.insert(full_width(&spaced(&plain, by)));
            }
            for tail in [
                ";ext=1",
                ";phone-context=+44",
                ";isub=1",
                ";npdi",
                "@192.0.2.1",
                "%40192.0.2.1",
                ",,1",
                "p1",
                "x",
                "#",
                "*",
            ] {
                all.insert(format!("{plain}{tail}"));
            }
        }
    }
    for premium in ["0900123456", "0190123456", "16812345"] {
        for by in ["", " ", "-", "."] {
            all.insert(spaced(premium, by));
            all.insert(full_width(&spaced(premium, by)));
        }
    }
    all
}

#[test]
fn a_thousand_spellings_of_a_forbidden_number_do_not_leave() {
    let mut town = Town::of(branch::config());
    let all = forbidden_spellings();
    assert!(all.len() >= 1_000, "{}", all.len());
    for spelling in &all {
        town.log.clear();
        town.phone_calls(spelling);
        town.prompts_end();
        assert!(!town.saw("carrier < INVITE"), "{spelling:?}: {:#?}", town.log);
        // Whatever became of it, the phone is free again.
        town.phone_gives_up();
    }
    assert_eq!(town.floor.in_use(), floor::InUse::default());
    town.phone_calls("030 123456");
    assert!(town.saw("carrier < INVITE"), "an ordinary number does: {:#?}", town.log);
}

fn box_config(site: Config) -> call::Config {
    let phones = site.phones.keys().cloned().map(|phone| {
        let hash = Sha256::digest(format!("{phone}:{DOMAIN}:secret"));
        (phone, PhoneAuth { ha1_sha256: hex::encode(hash), ha1_md5: None })
    });
    call::Config {
        domain: DOMAIN.into(),
        local: vec![BOX.parse().expect("an address")],
        listeners: Vec::new(),
        networks: Vec::new(),
        certified: Default::default(),
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
    Peer { name, addr, endpoint: Endpoint::new(config, [name.as_bytes()[0]; 32]), dialog: None }
}

impl Town {
    fn new() -> Self {
        Self::of(branch::config())
    }

    fn of(site: Config) -> Self {
        // The one moment that everything else is counted from.
        #[allow(clippy::disallowed_methods)]
        let zero = Instant::now();
        let setup = Setup { calls: box_config(site), seed: [3; 32], civil: branch::monday() };
        let mut town = Self {
            floor: Floor::new(zero, setup),
            now: zero,
            zero,
            peers: vec![
                peer("carrier", "192.0.2.1:5060", None),
                peer("ann", "192.0.2.21:5060", Some("201")),
                peer("gateway", "192.0.2.3:5060", None),
                peer("colleague", "192.0.2.23:5060", Some("203")),
            ],
            heard: None,
            deaf: BTreeSet::new(),
            to_media: VecDeque::new(),
            plays: BTreeMap::new(),
            log: Vec::new(),
            facts: Vec::new(),
            bindings: BTreeMap::new(),
            left: BTreeMap::new(),
        };
        town.floor.handle_timeout(zero, town.wall());
        for peer in &mut town.peers {
            peer.endpoint.handle_timeout(zero);
        }
        town.advance(2);
        town.log.clear();
        town
    }

    fn wall(&self) -> Millis {
        Millis(i64::try_from((self.now - self.zero).as_millis()).expect("small"))
    }

    fn desk(&mut self, ask: Ask) {
        let command = DeskCommand { agent: id("ann"), ask };
        self.floor.desk(self.now, self.wall(), command).expect("possible");
        self.run();
    }

    fn carrier_calls(&mut self, to: &str) {
        self.calls(CARRIER, to);
    }

    fn phone_calls(&mut self, to: &str) {
        self.calls(ANN, to);
    }

    fn phone_gives_up(&mut self) {
        let peer = &mut self.peers[ANN];
        if let Some(dialog) = peer.dialog.take() {
            peer.endpoint.end(self.now, dialog);
        }
        self.run();
    }

    fn rejects(&mut self, peer: usize, status: u16) {
        let peer = &mut self.peers[peer];
        peer.endpoint.reject(self.now, peer.dialog.take().expect("an INVITE"), status);
        self.run();
    }

    fn saw(&self, line: &str) -> bool {
        self.log.iter().any(|told| told == line)
    }

    fn calls(&mut self, peer: usize, to: &str) {
        let peer = &mut self.peers[peer];
        let invite = endpoint::Invite {
            to: Target::Trunk { trunk: "box".into(), user: to.into() },
            from_user: if peer.name == "ann" { "201" } else { "01701234567" }.into(),
            from_name: None,
            sdp: Bytes::from(SDP),
            sdp_to_browsers: None,
            emergency: None,
            patience: None,
            shown: Default::default(),
            recording: None,
        };
        peer.dialog = Some(peer.endpoint.invite(self.now, invite));
        self.run();
    }

    fn phone_answers(&mut self, peer: usize) {
        let peer = &mut self.peers[peer];
        peer.endpoint.accept(self.now, peer.dialog.expect("an INVITE"), Bytes::from(SDP));
        self.run();
    }

    fn ends(&mut self, peer: usize) {
        let peer = &mut self.peers[peer];
        peer.endpoint.end(self.now, peer.dialog.expect("a call"));
        self.run();
    }

    /// Everything that plays once reaches its end.
    fn prompts_end(&mut self) {
        let ended: Vec<_> = std::mem::take(&mut self.plays).into_iter().collect();
        self.to_media.extend(ended.into_iter().map(|(port, play)| plane::Event::Played { port, play }));
        self.run();
    }

    fn advance(&mut self, seconds: u64) {
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
    fn run(&mut self) {
        for _ in 0..1_000 {
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
                let peer = &mut self.peers[index];
                match output {
                    endpoint::Output::Send { flow, bytes } => {
                        self.log.push(format!("{} > {}", peer.name, first_word(&bytes)));
                        let back = Flow { local: flow.remote, remote: peer.addr, ..flow };
                        let input = sip::endpoint::Input::Received { flow: back, bytes };
                        self.input(LineInput::Sip(input));
                    }
                    endpoint::Output::Event(endpoint::Event::Invited { dialog, .. }) => peer.dialog = Some(dialog),
                    endpoint::Output::Event(_) | endpoint::Output::Close { .. } => {}
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
                Output::Send { flow, bytes } => self.deliver(flow, bytes),
                Output::Media(command) => self.obey(command),
                Output::Fact(fact) => {
                    self.log.push(tell(&fact.kind));
                    self.facts.push(fact);
                }
                Output::Cdr(cdr) => {
                    self.log.push(format!("cdr wait {} talk {}", cdr.wait_ms / 1000, cdr.talk_ms / 1000));
                }
                Output::Registered { phone, binding, .. } => drop(self.bindings.insert(phone, binding)),
                _ => {}
            }
        }
        busy
    }

    fn deliver(&mut self, flow: Flow, bytes: Bytes) {
        let Some(index) = self.peers.iter().position(|peer| peer.addr == flow.remote) else { return };
        let peer = &mut self.peers[index];
        self.log.push(format!("{} < {}", peer.name, first_word(&bytes)));
        if self.deaf.contains(&index) {
            return;
        }
        if index == CARRIER && bytes.starts_with(b"SIP/2.0 200") && bytes.windows(8).any(|part| part == b"1 INVITE") {
            self.heard = Some(bytes.clone());
        }
        let there = Flow { local: peer.addr, remote: BOX.parse().expect("an address"), ..flow };
        peer.endpoint.handle_input(self.now, endpoint::Input::Received { flow: there, bytes });
    }

    fn obey(&mut self, command: plane::Command) {
        match command {
            plane::Command::Open { port, .. } => {
                let local = format!("192.0.2.2:{}", 30_000 + port.0 % 1_000 * 2).parse().expect("an address");
                self.left.insert(port, Left { port, local, will: String::new() });
                self.to_media.push_back(plane::Event::Opened { port, local });
            }
            plane::Command::Will { port, will } => self.left.get_mut(&port).expect("a port").will = will,
            plane::Command::Close { port } => drop(self.left.remove(&port)),
            plane::Command::Play { port, play, sounds, again } => {
                let sounds: Vec<&str> = sounds.iter().map(plane::Sound::as_str).collect();
                self.log.push(format!("play {}{}", sounds.join(" "), if again { " again" } else { "" }));
                if !again {
                    self.plays.insert(port, play);
                }
            }
            plane::Command::Digit { digit, .. } => self.log.push(format!("digit {digit}")),
            plane::Command::Join { .. } => self.log.push("join".to_owned()),
            plane::Command::Record { recording, .. } => {
                self.log.push("record".to_owned());
                let state = plane::RecordingState::Started;
                self.to_media.push_back(plane::Event::Recording { recording, state });
            }
            plane::Command::RecordEnd { recording } => {
                self.log.push("record end".to_owned());
                let state = plane::RecordingState::Sealed { chunks: 1, frames: 1, sha256: "00".into(), ms: 20 };
                self.to_media.push_back(plane::Event::Recording { recording, state });
            }
            _ => {}
        }
    }
}

fn first_word(bytes: &Bytes) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    if first == "SIP/2.0" { words.next().unwrap_or_default().to_owned() } else { first.to_owned() }
}

fn tell(kind: &Kind) -> String {
    match kind {
        Kind::Arrived { number, .. } => format!("Arrived {}", number.as_ref().map_or("-", |number| number.as_str())),
        Kind::FlowEntered { step, .. } => format!("FlowEntered {step}"),
        Kind::Offered { agent, .. } => format!("Offered {agent}"),
        Kind::OfferEnded { outcome, .. } => format!("OfferEnded {outcome:?}"),
        Kind::AgentState { agent, state, pause: None } => format!("{agent} is {state:?}"),
        Kind::AgentState { agent, state, pause: Some(pause) } => format!("{agent} is {state:?}, {pause:?}"),
        Kind::Ended { cause } => format!("Ended {cause:?}"),
        other => format!("{other:?}").split([' ', '{']).next().unwrap_or_default().to_owned(),
    }
}
