//! A network in memory: SIP endpoints and hand-written talkers, one clock, delay, loss, TCP in pieces.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::endpoint::{Config, DialogId, Endpoint, Event, Flow, Input, Output, Transport};

use crate::ladder::Ladder;
use crate::tape;

/// Which messages are lost: sender, receiver, label (`INVITE`, `200`) and how often this one was seen before.
pub type Loss = Box<dyn FnMut(&str, &str, &str, usize) -> bool>;

pub struct Net {
    started: Instant,
    now: Instant,
    nodes: Vec<Node>,
    wire: BTreeMap<(Instant, u64), Packet>,
    connections: Vec<Connection>,
    sent: u64,
    seen: BTreeMap<(usize, usize, String), usize>,
    loss: Loss,
    pub ladder: Ladder,
    pub latency: Duration,
    /// Bytes per piece of a TCP stream.
    pub piece: usize,
}

struct Node {
    name: String,
    addr: SocketAddr,
    /// None for a talker whose lines the test writes.
    endpoint: Option<Endpoint>,
    events: VecDeque<Event>,
    heard: VecDeque<String>,
}

struct Packet {
    to: usize,
    flow: Flow,
    bytes: Bytes,
}

/// Ends by node, address seen by the other side, and number at that end.
struct Connection {
    transport: Transport,
    ends: [(usize, SocketAddr, u64); 2],
}

impl Default for Net {
    fn default() -> Self {
        Self::new()
    }
}

impl Net {
    pub fn new() -> Self {
        let started = Instant::now();
        Self {
            started,
            now: started,
            nodes: Vec::new(),
            wire: BTreeMap::new(),
            connections: Vec::new(),
            sent: 0,
            seen: BTreeMap::new(),
            loss: Box::new(|_, _, _, _| false),
            ladder: Ladder::default(),
            latency: Duration::from_millis(10),
            piece: usize::MAX,
        }
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// An endpoint at `addr`; its seed is its place.
    pub fn endpoint(&mut self, name: &str, addr: &str, config: Config) -> usize {
        let seed = [u8::try_from(self.nodes.len()).unwrap_or(0).wrapping_add(1); 32];
        let mut endpoint = Endpoint::new(config, seed);
        endpoint.handle_timeout(self.now);
        let node = self.node(name, addr, Some(endpoint));
        self.drain(node);
        node
    }

    pub fn talker(&mut self, name: &str, addr: &str) -> usize {
        self.node(name, addr, None)
    }

    fn node(&mut self, name: &str, addr: &str, endpoint: Option<Endpoint>) -> usize {
        self.ladder.place(name);
        let addr = addr.parse().expect("an address");
        let (events, heard) = (VecDeque::new(), VecDeque::new());
        self.nodes.push(Node { name: name.to_string(), addr, endpoint, events, heard });
        self.nodes.len() - 1
    }

    pub fn lose(&mut self, loss: impl FnMut(&str, &str, &str, usize) -> bool + 'static) {
        self.loss = Box::new(loss);
    }

    /// A command to an endpoint.
    pub fn with<T>(&mut self, node: usize, act: impl FnOnce(&mut Endpoint, Instant) -> T) -> T {
        let now = self.now;
        let result = act(self.nodes[node].endpoint.as_mut().expect("an endpoint"), now);
        self.drain(node);
        result
    }

    pub fn input(&mut self, node: usize, input: Input) {
        self.with(node, |endpoint, now| endpoint.handle_input(now, input));
    }

    /// A message of a talker by any flow.
    pub fn say_by(&mut self, from: usize, to: usize, flow: Flow, text: &str) {
        self.put(from, to, flow, Bytes::from(text.to_string()));
    }

    /// A datagram of a talker, or one that pretends to come from `from`.
    pub fn say(&mut self, from: usize, to: usize, text: &str) {
        let (local, remote) = (self.nodes[to].addr, self.nodes[from].addr);
        self.put(
            from,
            to,
            Flow { transport: Transport::Udp, local, remote, connection: 0 },
            Bytes::from(text.to_string()),
        );
    }

    /// The next message a talker heard.
    pub fn heard(&mut self, node: usize) -> Option<String> {
        self.nodes[node].heard.pop_front()
    }

    /// The next event of an endpoint that is not about the counters.
    pub fn event(&mut self, node: usize) -> Option<Event> {
        self.nodes[node].events.pop_front()
    }

    /// Runs for a while.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.turn();
        }
        self.now = end;
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run(Duration::from_millis(ms));
    }

    /// The ladder since the last call.
    pub fn story(&mut self) -> String {
        self.ladder.take()
    }

    /// Both ends hear that the first open connection broke.
    pub fn cut_connections(&mut self) {
        for Connection { transport, ends } in std::mem::take(&mut self.connections) {
            for (at, other) in [(0, 1), (1, 0)] {
                let ((node, local, number), (_, remote, _)) = (ends[at], ends[other]);
                let flow = Flow { transport, local, remote, connection: number };
                self.input(node, Input::Closed { flow });
            }
        }
    }

    fn next_at(&self) -> Option<Instant> {
        let timers = self.nodes.iter().filter_map(|node| node.endpoint.as_ref()?.poll_timeout());
        timers.chain(self.wire.keys().next().map(|(at, _)| *at)).min()
    }

    fn turn(&mut self) {
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let Packet { to, flow, bytes } = entry.remove();
            if self.nodes[to].endpoint.is_none() {
                self.nodes[to].heard.push_back(String::from_utf8_lossy(&bytes).into_owned());
                continue;
            }
            self.input(to, Input::Received { flow, bytes });
        }
        for node in 0..self.nodes.len() {
            let due = self.nodes[node].endpoint.as_ref().and_then(Endpoint::poll_timeout);
            if due.is_some_and(|due| due <= self.now) {
                self.with(node, Endpoint::handle_timeout);
            }
        }
    }

    fn drain(&mut self, node: usize) {
        while let Some(output) = self.nodes[node].endpoint.as_mut().and_then(Endpoint::poll_output) {
            match output {
                Output::Send { flow, bytes } => {
                    tape::said(&bytes);
                    self.carry(node, flow, bytes);
                }
                Output::Close { .. } | Output::Event(Event::Refused { .. }) => {}
                Output::Event(event) => {
                    let at = self.now - self.started;
                    self.ladder.event(at, &self.nodes[node].name.clone(), &brief(&event));
                    self.nodes[node].events.push_back(event);
                }
            }
        }
    }

    fn carry(&mut self, from: usize, flow: Flow, bytes: Bytes) {
        let (to, flow) = match flow.transport {
            Transport::Udp => {
                let Some(to) = self.nodes.iter().position(|node| node.addr == flow.remote) else { return };
                let remote = self.nodes[from].addr;
                (to, Flow { transport: Transport::Udp, local: flow.remote, remote, connection: 0 })
            }
            _ => match self.connected(from, flow) {
                Some(end) => end,
                None => return self.input(from, Input::Closed { flow: Flow { connection: 0, ..flow } }),
            },
        };
        self.put(from, to, flow, bytes);
    }

    /// The far end of a connection, opened when the flow says so.
    fn connected(&mut self, from: usize, flow: Flow) -> Option<(usize, Flow)> {
        let alike = self.connections.iter().filter(|connection| connection.transport == flow.transport);
        let known = alike.into_iter().find_map(|connection| {
            let side = connection
                .ends
                .iter()
                .position(|(node, _, number)| *node == from && (*number == flow.connection || flow.connection == 0))?;
            let (near, far) = (connection.ends[side], connection.ends[1 - side]);
            (far.1 == flow.remote).then_some((near, far))
        });
        let (near, far) = match known {
            Some(ends) => ends,
            None if flow.connection != 0 => return None,
            None => {
                let to = self.nodes.iter().position(|node| node.addr == flow.remote)?;
                let number = self.connections.len() as u64 + 1;
                let port = 40_000 + u16::try_from(number).ok()?;
                let near = (from, SocketAddr::new(self.nodes[from].addr.ip(), port), number);
                let far = (to, flow.remote, number);
                self.connections.push(Connection { transport: flow.transport, ends: [near, far] });
                (near, far)
            }
        };
        Some((far.0, Flow { transport: flow.transport, local: far.1, remote: near.1, connection: far.2 }))
    }

    fn put(&mut self, from: usize, to: usize, flow: Flow, bytes: Bytes) {
        let label = label(&bytes);
        let seen = self.seen.entry((from, to, label.clone())).or_default();
        let before = std::mem::replace(seen, *seen + 1);
        let (left, right) = (self.nodes[from].name.clone(), self.nodes[to].name.clone());
        let lost = (self.loss)(&left, &right, &label, before);
        self.ladder.message(self.now - self.started, &left, &right, &label, lost);
        if lost {
            return;
        }
        let piece = if flow.transport.is_stream() { self.piece } else { usize::MAX };
        let mut rest = bytes;
        while !rest.is_empty() {
            let bytes = rest.split_to(piece.min(rest.len()));
            self.sent += 1;
            self.wire.insert((self.now + self.latency, self.sent), Packet { to, flow, bytes });
        }
    }
}

/// `INVITE`, `200`, or what else the first line begins with.
pub fn label(bytes: &[u8]) -> String {
    let line = String::from_utf8_lossy(bytes);
    let line = line.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let first = words.next().unwrap_or_default();
    let label = if first.starts_with("SIP/") { words.next().unwrap_or_default() } else { first };
    label.chars().take(12).collect()
}

/// An event in a few words.
pub fn brief(event: &Event) -> String {
    let has = |sdp: &Option<Bytes>| if sdp.is_some() { " sdp" } else { "" };
    match event {
        Event::Invited { invited, .. } => format!("Invited {} to {}{}", invited.from, invited.to, has(&invited.sdp)),
        Event::Progress { status, sdp, .. } => format!("Progress {status}{}", has(sdp)),
        Event::Answered { .. } => "Answered".to_string(),
        Event::Failed { status, .. } => format!("Failed {status}"),
        Event::Confirmed { sdp, .. } => format!("Confirmed{}", has(sdp)),
        Event::EarlyAnswered { .. } => "EarlyAnswered".to_string(),
        Event::Reoffer { sdp, .. } => format!("Reoffer{}", has(sdp)),
        Event::Described { .. } => "Described".to_string(),
        Event::Reanswered { sdp, .. } => format!("Reanswered{}", has(sdp)),
        Event::Referred { target, replaces, .. } => {
            format!("Referred {target}{}", if replaces.is_some() { " replaces" } else { "" })
        }
        Event::RefreshDue { .. } => "RefreshDue".to_string(),
        Event::Digit { digit, .. } => format!("Digit {digit}"),
        Event::Ended { by, .. } => format!("Ended {by:?}"),
        Event::Registered { user, .. } => format!("Registered {user}"),
        Event::Unregistered { user, .. } => format!("Unregistered {user}"),
        Event::TrunkState { trunk, up } => format!("Trunk {trunk} {}", if *up { "up" } else { "down" }),
        Event::Refused { cause, .. } => format!("Refused {cause}"),
    }
}

/// The dialog an event belongs to.
pub fn dialog_of(event: &Event) -> Option<DialogId> {
    match event {
        Event::Invited { dialog, .. }
        | Event::Progress { dialog, .. }
        | Event::Answered { dialog, .. }
        | Event::Failed { dialog, .. }
        | Event::Confirmed { dialog, .. }
        | Event::EarlyAnswered { dialog, .. }
        | Event::Reoffer { dialog, .. }
        | Event::Described { dialog, .. }
        | Event::Reanswered { dialog, .. }
        | Event::Referred { dialog, .. }
        | Event::RefreshDue { dialog }
        | Event::Digit { dialog, .. }
        | Event::Ended { dialog, .. } => Some(*dialog),
        Event::Registered { .. } | Event::Unregistered { .. } | Event::TrunkState { .. } | Event::Refused { .. } => {
            None
        }
    }
}
