//! The bench: one `Calls`, its peers (real endpoints: a carrier and phones), a lossless net, a clock that is told.
//!
//! A ladder line is `carrier > INVITE` (to the box), `carrier < 200` (from it), `media: open p1`, or `* incoming A`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use call::leg::{Event, Input, Output};
use call::siprec::CopyState;
use call::{Calls, Config, Secrets};
use media::plane::{self, RecordingState};
use model::{Extension, LegId};
use sip::endpoint::{self, DialogId, Endpoint, Flow};

use crate::double::Media;
use crate::setup::{BOX, config, peer};

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
    pub site: model::config::Config,
    pub secrets: Secrets,
    pub log: Vec<String>,
    pub names: BTreeMap<LegId, char>,
    pub to_media: VecDeque<plane::Event>,
    /// What the box sent to the peer that a test plays by hand, and every NOTIFY.
    pub by_hand: Option<Vec<String>>,
    pub notifies: Vec<String>,
    /// The last INVITE to each peer and that peer's 200, for requests written by hand within that dialog.
    pub heads: BTreeMap<&'static str, String>,
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
                Output::Close { .. } => {}
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
                    endpoint::Output::Close { .. } => {}
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
            Event::AttendedAsked { leg, replaces } => {
                format!("transfer {} into the place of {}", self.name(*leg), self.name(*replaces))
            }
            Event::Recording { state, .. } => match state {
                RecordingState::Started => "recording started".to_owned(),
                RecordingState::Sealed { .. } => "recording sealed".to_owned(),
                RecordingState::Failed { why } => format!("recording failed: {why:?}"),
            },
            Event::TunnelOpen { leg, local } => format!("tunnel {} at {local}", self.name(*leg)),
            Event::Ended { leg, cause } => format!("ended {} {cause:?}", self.name(*leg)),
            Event::Refused { cause, status } => format!("refused {cause} {status:?}"),
            Event::Unkeyed { leg, why } => format!("unkeyed {} {why:?}", self.name(*leg)),
            Event::Registered { .. } | Event::TrunkState { .. } | Event::Quality { .. } => return None,
            Event::Copied { state: CopyState::Started { recorder }, .. } => format!("copied by {recorder}"),
            Event::Copied { state: CopyState::Missing { recorder, why }, .. } => {
                format!("not copied by {}: {why:?}", recorder.as_ref().map_or("any", |one| one.as_str()))
            }
            Event::Brought { leg, by, .. } => format!("{by} brings {}", self.name(*leg)),
            Event::BroughtAnew { leg, .. } => format!("{} is described anew", self.name(*leg)),
            Event::BroughtPaused { leg, paused } => format!("{} pauses: {paused}", self.name(*leg)),
            Event::BroughtOver { leg } => format!("{} is over", self.name(*leg)),
            Event::Diverted { .. } | Event::Released { .. } => return None,
        })
    }

    pub fn name(&mut self, leg: LegId) -> char {
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

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
