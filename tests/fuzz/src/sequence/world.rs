//! The endpoint, and what the others remember of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::auth::Algorithm;
use sip::endpoint::{
    Config, DialogId, DivertedFor, Emergency, Endpoint, Event, Flow, Input, Invite, Output, PhoneAuth, Shown, Style,
    Target, Transport, Trunk, TrunkRegistration, TrunkRules,
};
use sip::front::{self, Carrier, Opened};
use sip::message::Message;

use super::script::Script;
use super::{DOMAIN, PASSWORD, USER, text};
use crate::message::lines_of;

const LOCAL: &str = "192.0.2.1:5060";
const TRUNK: &str = "198.51.100.5:5060";
const ASKED_MAX: usize = 16;
/// A script's own time.
const LASTS_MAX: Duration = Duration::from_secs(1_200);
const CHECKED_MAX: usize = 16;
/// Timers that may fire at one instant before we call it spinning.
const TIMERS_MAX: usize = 500;

static TRACE: LazyLock<bool> = LazyLock::new(|| std::env::var_os("TRACE").is_some());
static CONFIG: LazyLock<Config> = LazyLock::new(config);

pub struct Call {
    pub id: usize,
    pub cseq: u32,
    pub branch: u32,
    /// Branch and CSeq of the latest INVITE.
    pub invite: (u32, u32),
    /// The tag that the box gave itself.
    pub tag: Option<String>,
    pub rseq: u32,
    pub proofs: u32,
}

pub struct Line {
    pub flow: Flow,
    pub is_phone: bool,
}

pub struct World {
    endpoint: Endpoint,
    began: Instant,
    now: Instant,
    lines: Vec<Line>,
    calls: Vec<Call>,
    nonce: String,
    /// Requests of ours, read when they are answered.
    asked: VecDeque<(Flow, Bytes)>,
    said: Option<(Flow, Bytes)>,
    /// What was heard last; said again, it is not read again.
    checked: VecDeque<Bytes>,
    live: BTreeSet<DialogId>,
}

impl World {
    pub fn new() -> Self {
        let line = |transport, remote: &str, connection, is_phone| Line {
            flow: Flow { transport, local: addr(LOCAL), remote: addr(remote), connection },
            is_phone,
        };
        let call = |id| Call { id, cseq: 0, branch: 0, invite: (0, 0), tag: None, rseq: 0, proofs: 0 };
        let now = Instant::now();
        Self {
            endpoint: Endpoint::new(CONFIG.clone(), [7; 32]),
            began: now,
            now,
            lines: vec![
                line(Transport::Udp, TRUNK, 0, false),
                line(Transport::Tcp, TRUNK, 1, false),
                line(Transport::Udp, "203.0.113.7:5062", 0, true),
                line(Transport::Ws, "203.0.113.8:40000", 2, true),
                line(Transport::Udp, "203.0.113.66:5060", 0, false),
            ],
            calls: (0..4).map(call).collect(),
            nonce: String::new(),
            asked: VecDeque::new(),
            said: None,
            checked: VecDeque::new(),
            live: BTreeSet::new(),
        }
    }

    /// A request of theirs.
    pub fn ask(&mut self, script: &mut Script<'_>) {
        let line = script.pick(self.lines.len());
        let (call, other) = (script.pick(self.calls.len()), script.pick(3));
        let Some(line) = self.lines.get(line) else { return };
        let (before, rest) = self.calls.split_at_mut(call);
        let Some((call, after)) = rest.split_first_mut() else { return };
        let Some(other) = before.iter().chain(after.iter()).nth(other) else { return };
        let bytes = text::request(script, call, other, line, &self.nonce);
        let flow = line.flow;
        self.receive(flow, bytes);
    }

    /// An answer to one of our latest requests.
    pub fn answer(&mut self, script: &mut Script<'_>) {
        let Some(latest) = self.asked.len().checked_sub(1) else { return };
        let at = latest.saturating_sub(script.pick(self.asked.len()));
        let Some((flow, asked)) = self.asked.get(at).cloned() else { return };
        let Message::Request(asked) = read(flow, &asked) else { return };
        let bytes = text::response(script, &asked).to_bytes();
        self.receive(flow, bytes);
    }

    /// The box decides something.
    pub fn command(&mut self, script: &mut Script<'_>) {
        let Some(dialog) = self.live.iter().nth(script.pick(self.live.len())).copied() else { return };
        let (endpoint, now, sdp) = (&mut self.endpoint, self.now, Bytes::from_static(text::SDP.as_bytes()));
        match script.pick(10) {
            0 => endpoint.provisional(now, dialog, 180, None),
            1 => endpoint.provisional(now, dialog, 183, Some(sdp)),
            2 | 3 => endpoint.accept(now, dialog, sdp),
            4 => endpoint.reject(now, dialog, 486),
            5 => endpoint.reinvite(now, dialog, sdp),
            6 => endpoint.refer_accept(now, dialog),
            7 => endpoint.refer_reject(now, dialog),
            8 => endpoint.refer_outcome(now, dialog, if script.byte().is_multiple_of(2) { 200 } else { 180 }),
            _ => endpoint.end(now, dialog),
        }
        self.listen();
    }

    pub fn dial(&mut self, script: &mut Script<'_>) {
        let w = script.wishes();
        let to = match w.has(0) {
            true => Target::Phone(USER.to_string()),
            false => Target::Trunk { trunk: (if w.has(1) { "udp" } else { "tcp" }).to_string(), user: "+49301".into() },
        };
        let style = if w.has(2) { Style::Asserted } else { Style::RemoteParty };
        let shown = Shown {
            style,
            withheld: w.has(3),
            diverted: w.has(4).then(|| "+4930555".to_string()),
            diverted_for: DivertedFor::default(),
            diverted_hops: if w.has(7) { u8::MAX } else { 1 },
            history: w.has(5),
            early_media: w.has(6),
            referred_by: w.has(6).then(|| "102".to_string()),
        };
        let location = w.has(5).then(|| Bytes::from_static(b"<presence/>"));
        let invite = Invite {
            to,
            from_user: "+4930".to_string(),
            from_name: Some("A \"B\"".to_string()),
            sdp: Bytes::from_static(text::SDP.as_bytes()),
            sdp_to_browsers: w.has(2).then(|| Bytes::from_static(text::SDP.as_bytes())),
            emergency: w.has(7).then_some(Emergency { location }),
            patience: w.has(7).then_some(Duration::from_secs(2)),
            shown,
            recording: None,
        };
        let dialog = self.endpoint.invite(self.now, invite);
        assert!(self.live.insert(dialog), "a dialog's id is given once");
        self.listen();
    }

    /// To the next timer, or for some seconds.
    pub fn pass(&mut self, script: &mut Script<'_>) {
        let next = self.endpoint.poll_timeout().unwrap_or(self.now);
        let seconds = u64::from(script.byte());
        let until = if seconds == 0 { next.max(self.now) } else { self.now + Duration::from_secs(seconds) };
        // A pause costs what its timers cost; a script is one run.
        let until = until.min(self.began + LASTS_MAX).max(self.now);
        self.timers(until);
        self.now = self.now.max(until);
    }

    /// The same again, perhaps by another way, perhaps with some bytes changed.
    pub fn repeat(&mut self, script: &mut Script<'_>) {
        let Some((mut flow, bytes)) = self.said.clone() else { return };
        let mut bytes = bytes.to_vec();
        let w = script.wishes();
        if w.has(0)
            && let Some(line) = self.lines.get(script.pick(self.lines.len()))
        {
            flow = line.flow;
        }
        for _ in 0..if w.has(1) { script.pick(4) } else { 0 } {
            let at = usize::from(script.byte()) << 2 | usize::from(script.byte() & 3);
            let byte = script.byte();
            bytes.iter_mut().skip(at).take(1).for_each(|place| *place = byte);
        }
        self.receive(flow, bytes.into());
    }

    /// Bytes as they stand in the script.
    pub fn say(&mut self, script: &mut Script<'_>) {
        let flow = self.lines.get(script.pick(self.lines.len())).map(|line| line.flow);
        let len = usize::from(script.byte());
        let bytes = Bytes::copy_from_slice(script.bytes(len));
        if let Some(flow) = flow {
            self.receive(flow, bytes);
        }
    }

    /// A connection ends; or the configuration changes.
    pub fn disturb(&mut self, script: &mut Script<'_>) {
        let input = match script.pick(6) {
            0 => Input::Configure(Box::new(Config { trunks: BTreeMap::new(), ..CONFIG.clone() })),
            1 => Input::Configure(Box::new(Config { phones: BTreeMap::new(), ..CONFIG.clone() })),
            2 => Input::Configure(Box::new(CONFIG.clone())),
            at => {
                let Some(line) = self.lines.get(at.wrapping_sub(2)) else { return };
                Input::Closed { flow: line.flow }
            }
        };
        self.endpoint.handle_input(self.now, input);
        self.listen();
    }

    /// The box hangs up everywhere, nobody is configured any more, and two hours pass.
    pub fn finish(mut self) {
        for dialog in self.live.clone() {
            self.endpoint.end(self.now, dialog);
            self.listen();
        }
        let nobody = Config { trunks: BTreeMap::new(), phones: BTreeMap::new(), ..CONFIG.clone() };
        self.endpoint.handle_input(self.now, Input::Configure(Box::new(nobody)));
        self.listen();
        self.timers(self.now + Duration::from_secs(7_200));
        assert_eq!(self.live, BTreeSet::new(), "a dialog never ended");
        let load = self.endpoint.load();
        assert_eq!((load.dialogs, load.transactions), (0, 0), "something is left");
    }

    fn timers(&mut self, until: Instant) {
        let (mut at_once, mut last) = (0_usize, self.now);
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= until) {
            let at = at.max(self.now);
            at_once = if at == last { at_once.saturating_add(1) } else { 0 };
            assert!(at_once < TIMERS_MAX, "a timer spins");
            (self.now, last) = (at, at);
            self.endpoint.handle_timeout(at);
            self.listen();
        }
    }

    /// `TRACE=1` tells what a script does.
    fn trace(&self, way: &str, bytes: &[u8]) {
        if *TRACE {
            let at = self.now.saturating_duration_since(self.began);
            eprintln!("{at:?} {way}\n{}", String::from_utf8_lossy(bytes));
        }
    }

    fn receive(&mut self, flow: Flow, bytes: Bytes) {
        self.trace(">", &bytes);
        self.said = Some((flow, bytes.clone()));
        self.endpoint.handle_input(self.now, Input::Received { flow, bytes });
        self.listen();
    }

    fn listen(&mut self) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.heard(flow, &bytes),
                Output::Close { flow } => self.endpoint.handle_input(self.now, Input::Closed { flow }),
                Output::Event(event) => self.happened(&event),
            }
        }
    }

    fn heard(&mut self, flow: Flow, bytes: &Bytes) {
        // The answers to a keep-alive and to a STUN binding request.
        if bytes.as_ref() == b"\r\n" || bytes.first() == Some(&1) {
            return;
        }
        self.trace("<", bytes);
        if self.checked.contains(bytes) {
            return;
        }
        push(&mut self.checked, CHECKED_MAX, bytes.clone());
        // Reading all of it would take most of the time.
        if bytes.len().is_multiple_of(8) {
            assert!(!lines_of(bytes).is_empty());
            // A refusal says again what was wrong with the request.
            if !bytes.starts_with(b"SIP/2.0 4") && !bytes.starts_with(b"SIP/2.0 5") {
                let _read = read(flow, bytes);
            }
        }
        if bytes.starts_with(b"SIP/2.0 ") {
            self.remember(bytes);
        } else {
            push(&mut self.asked, ASKED_MAX, (flow, bytes.clone()));
        }
    }

    fn remember(&mut self, bytes: &Bytes) {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let value = |name: &str| {
            let (_, rest) = text.split_once(name)?;
            rest.split_once("\r\n").map(|(value, _)| value)
        };
        if let Some((_, rest)) = value("\r\nWWW-Authenticate: ").and_then(|value| value.split_once("nonce=\"")) {
            self.nonce = rest.split('"').next().unwrap_or_default().to_string();
        }
        let id = value("\r\nCall-ID: c").and_then(|id| id.parse::<usize>().ok());
        let Some(call) = id.and_then(|id| self.calls.get_mut(id)) else { return };
        if let Some((_, tag)) = value("\r\nTo: ").and_then(|to| to.split_once(";tag=")) {
            call.tag = Some(tag.to_string());
        }
        if let Some(rseq) = value("\r\nRSeq: ").and_then(|rseq| rseq.parse().ok()) {
            call.rseq = rseq;
        }
    }

    /// `Ended` or `Failed` is a dialog's last event, exactly once.
    fn happened(&mut self, event: &Event) {
        match event {
            Event::Invited { dialog, .. } => assert!(self.live.insert(*dialog), "a dialog's id is given once"),
            Event::Ended { dialog, .. } | Event::Failed { dialog, .. } => {
                assert!(self.live.remove(dialog), "{event:?} of a dialog that is over");
            }
            Event::Progress { dialog, .. }
            | Event::Answered { dialog, .. }
            | Event::Confirmed { dialog, .. }
            | Event::EarlyAnswered { dialog, .. }
            | Event::Reoffer { dialog, .. }
            | Event::Described { dialog, .. }
            | Event::Reanswered { dialog, .. }
            | Event::Referred { dialog, .. }
            | Event::RefreshDue { dialog }
            | Event::Digit { dialog, .. } => {
                assert!(self.live.contains(dialog), "{event:?} of a dialog that is over");
            }
            Event::Registered { .. }
            | Event::Unregistered { .. }
            | Event::TrunkState { .. }
            | Event::Refused { .. } => {}
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, max: usize, item: T) {
    if queue.len() >= max {
        queue.pop_front();
    }
    queue.push_back(item);
}

/// What we say is what we would let in.
fn read(flow: Flow, bytes: &Bytes) -> Message {
    let carrier = if flow.transport == Transport::Udp { Carrier::Datagram } else { Carrier::Stream };
    match front::open(bytes, carrier, 65_535) {
        Opened::Message(message) => *message,
        other => panic!("we would not let in what we say: {other:?}"),
    }
}

fn addr(text: &str) -> std::net::SocketAddr {
    text.parse().expect("an address")
}

fn config() -> Config {
    let trunk = |transport, registration, options_every_s| Trunk {
        peer: addr(TRUNK),
        transport,
        registration,
        options_every_s,
        rules: TrunkRules { trusted: transport == Transport::Udp, ..TrunkRules::default() },
    };
    let registration = TrunkRegistration {
        user: "box".to_string(),
        domain: "c".to_string(),
        password: PASSWORD.to_string(),
        expires_s: 600,
    };
    let phone = |user: &str, ha1_md5| {
        let ha1_sha256 = Algorithm::Sha256.hash(&[user, DOMAIN, PASSWORD]);
        (user.to_string(), PhoneAuth { ha1_sha256, ha1_md5 })
    };
    Config {
        domain: DOMAIN.to_string(),
        local: vec![addr(LOCAL)],
        listeners: vec![(Transport::Udp, addr(LOCAL)), (Transport::Tcp, addr(LOCAL))],
        phones: BTreeMap::from([phone(USER, None), phone("101", Some("0".repeat(32)))]),
        trunks: BTreeMap::from([
            ("udp".to_string(), trunk(Transport::Udp, Some(registration), 60)),
            ("tcp".to_string(), trunk(Transport::Tcp, None, 0)),
        ]),
        product: "Branchline".to_string(),
        ..Config::default()
    }
}
