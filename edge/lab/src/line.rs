//! What probes share: the clock as last told, the inbox and outbox, requests that are still repeated, calls that must
//! be hung up, the voice and the ears, and the evidence.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::framing::{Frame, Framer};
use sip::front::{self, Carrier, Opened};
use sip::ids::Ids;
use sip::message::{Message, Request, Response};

use crate::ear::Ear;
use crate::engine::Output;
use crate::mask::mask;
use crate::plan::{Link, Plan, Socket};
use crate::report::{Evidence, Way};
use crate::speaker::Speaker;

/// RFC 3261 §17.1.1.1.
pub const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
/// Messages kept as evidence of one probe.
pub const EVIDENCE_MAX: usize = 60;
/// Things that happened and were not looked at; more are dropped, oldest first.
pub const INBOX_MAX: usize = 256;
/// Longest message that is read.
pub const MESSAGE_MAX: usize = 65_535;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Happened {
    pub at: Instant,
    pub link: Link,
    pub from: SocketAddr,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Response(Box<Response>),
    Request(Box<Request>),
    /// Blank lines: a keep-alive or its answer.
    Blank,
    Opened,
    /// The connection could not be made, or ended.
    Closed(String),
}

/// A request that is repeated until something answers (RFC 3261 §17.1).
struct Pending {
    branch: String,
    link: Link,
    to: SocketAddr,
    bytes: Vec<u8>,
    at: Instant,
    wait: Duration,
    is_invite: bool,
}

/// An ACK for a 2xx, sent again for each repetition of that 2xx (RFC 3261 §13.2.2.4).
pub struct Acked {
    pub call_id: String,
    pub cseq: u32,
    pub bytes: Vec<u8>,
    pub link: Link,
    pub to: SocketAddr,
    /// How often the 2xx came again, and when last.
    pub repeats: u32,
    pub last: Option<Instant>,
}

/// A call that is up: what its next request needs.
#[derive(Debug, Clone)]
pub struct Dialog {
    pub call_id: String,
    pub from: String,
    pub to: String,
    pub uri: String,
    pub route: Vec<String>,
    pub cseq: u32,
    pub link: Link,
    pub address: SocketAddr,
}

pub struct Line {
    pub now: Instant,
    pub plan: Plan,
    pub ids: Ids,
    pub inbox: VecDeque<Happened>,
    pub out: VecDeque<Output>,
    /// When the waiting probe wants to be woken.
    pub wake: Option<Instant>,
    pending: Vec<Pending>,
    pub acked: Vec<Acked>,
    pub calls: BTreeMap<String, Dialog>,
    framers: BTreeMap<Link, Framer>,
    pub open: BTreeSet<Link>,
    pub speaker: Option<Speaker>,
    pub ears: BTreeMap<Socket, Ear>,
    /// Payload types that were agreed on for keys.
    pub events: BTreeSet<u8>,
    pub evidence: Vec<Evidence>,
    /// When the running probe began.
    pub began: Instant,
    /// Causes for which the front door refused what came in.
    pub unreadable: BTreeMap<&'static str, u32>,
    /// `Server` or `User-Agent` as the device names itself.
    pub product: Option<String>,
    /// The device called whom our REFER named.
    pub followed: bool,
    /// Why no call can be made, once that is known.
    pub no_call: Option<crate::verdict::Text>,
}

impl Line {
    pub fn new(now: Instant, plan: Plan) -> Self {
        Self {
            now,
            ids: Ids::new(plan.seed),
            plan,
            inbox: VecDeque::new(),
            out: VecDeque::new(),
            wake: None,
            pending: Vec::new(),
            acked: Vec::new(),
            calls: BTreeMap::new(),
            framers: BTreeMap::new(),
            open: BTreeSet::new(),
            speaker: None,
            ears: BTreeMap::new(),
            events: BTreeSet::new(),
            evidence: Vec::new(),
            began: now,
            unreadable: BTreeMap::new(),
            product: None,
            followed: false,
            no_call: None,
        }
    }

    /// A fresh page for the next probe.
    pub fn begin(&mut self) {
        self.began = self.now;
        self.inbox.clear();
        self.pending.clear();
        self.acked.clear();
        self.evidence.clear();
        self.speaker = None;
        self.ears.clear();
        self.events.clear();
        self.followed = false;
    }

    pub fn send(&mut self, link: Link, to: SocketAddr, bytes: Vec<u8>) {
        self.note(Way::Sent, link, &bytes);
        self.out.push_back(Output::Sip { link, to, bytes: bytes.into() });
    }

    /// Sends and repeats until a response with this branch comes.
    pub fn send_surely(&mut self, link: Link, to: SocketAddr, branch: &str, bytes: Vec<u8>) {
        if link == Link::Udp {
            let is_invite = bytes.starts_with(b"INVITE ");
            let at = self.now.checked_add(T1).unwrap_or(self.now);
            let branch = branch.to_string();
            self.pending.push(Pending { branch, link, to, bytes: bytes.clone(), at, wait: T1, is_invite });
        }
        self.send(link, to, bytes);
    }

    pub fn give_up(&mut self, branch: &str) {
        self.pending.retain(|pending| pending.branch != branch);
    }

    pub fn arrived(&mut self, link: Link, from: SocketAddr, bytes: &Bytes) {
        if link == Link::Udp {
            return self.message(link, from, bytes, Carrier::Datagram);
        }
        let framer = self.framers.entry(link).or_insert_with(|| Framer::new(MESSAGE_MAX));
        if bytes.as_ref() == b"\r\n" {
            return self.happened(link, from, What::Blank);
        }
        framer.push(bytes);
        let frames: Vec<Frame> = std::iter::from_fn(|| framer.poll()).collect();
        for frame in frames {
            match frame {
                Frame::Message(bytes) => self.message(link, from, &bytes, Carrier::Stream),
                Frame::Ping => self.happened(link, from, What::Blank),
                Frame::Broken(_) => self.unreadable("framing"),
            }
        }
    }

    pub fn opened(&mut self, link: Link, address: SocketAddr, result: Result<(), String>) {
        self.framers.remove(&link);
        match result {
            Ok(()) => {
                self.open.insert(link);
                self.happened(link, address, What::Opened);
            }
            Err(why) => {
                self.open.remove(&link);
                self.happened(link, address, What::Closed(why));
            }
        }
    }

    pub fn media(&mut self, socket: Socket, from: SocketAddr, bytes: &[u8]) {
        let now = self.now;
        self.ears.entry(socket).or_default().hear(now, from, bytes, &self.events);
    }

    fn message(&mut self, link: Link, from: SocketAddr, bytes: &Bytes, carrier: Carrier) {
        match front::open(bytes, carrier, MESSAGE_MAX) {
            Opened::KeepAlive => self.happened(link, from, What::Blank),
            Opened::Refused(refusal) => {
                self.note(Way::Received, link, bytes);
                self.unreadable(refusal.cause);
            }
            Opened::Dropped { cause } => {
                self.note(Way::Received, link, bytes);
                self.unreadable(cause);
            }
            Opened::Message(message) => {
                self.note(Way::Received, link, bytes);
                match *message {
                    Message::Request(request) => self.happened(link, from, What::Request(Box::new(request))),
                    Message::Response(response) => self.response(link, from, response),
                }
            }
        }
    }

    fn response(&mut self, link: Link, from: SocketAddr, response: Response) {
        let branch = response.head.top_branch().to_string();
        let product = response.head.field("Server").or_else(|| response.head.field("User-Agent"));
        if let Some(product) = product {
            self.product.get_or_insert_with(|| product.to_string());
        }
        let is_final = response.status >= 200;
        self.pending.retain(|pending| pending.branch != branch || !(is_final || pending.is_invite));
        let now = self.now;
        let again = self.acked.iter_mut().find(|acked| {
            acked.call_id == response.head.call_id.as_str()
                && acked.cseq == response.head.cseq
                && response.head.method == sip::message::Method::Invite
                && (200..300).contains(&response.status)
        });
        if let Some(acked) = again {
            acked.repeats = acked.repeats.saturating_add(1);
            acked.last = Some(now);
            let (link, to, bytes) = (acked.link, acked.to, acked.bytes.clone());
            return self.send(link, to, bytes);
        }
        self.happened(link, from, What::Response(Box::new(response)));
    }

    fn unreadable(&mut self, cause: &'static str) {
        let count = self.unreadable.entry(cause).or_default();
        *count = count.saturating_add(1);
    }

    fn happened(&mut self, link: Link, from: SocketAddr, what: What) {
        if self.inbox.len() >= INBOX_MAX {
            self.inbox.pop_front();
        }
        self.inbox.push_back(Happened { at: self.now, link, from, what });
    }

    fn note(&mut self, way: Way, link: Link, bytes: &[u8]) {
        if self.evidence.len() < EVIDENCE_MAX {
            let at_ms = u64::try_from(self.now.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
            self.evidence.push(Evidence { at_ms, way, link: link.word().to_string(), text: mask(bytes) });
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let pending = self.pending.iter().map(|pending| pending.at).min();
        let speaker = self.speaker.as_ref().map(Speaker::due);
        [self.wake, pending, speaker].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self) {
        let now = self.now;
        let mut due = Vec::new();
        for pending in self.pending.iter_mut().filter(|pending| pending.at <= now) {
            // RFC 3261 §17.1.2.1: doubling, up to T2 unless it is an INVITE.
            pending.wait = pending.wait.saturating_mul(2).min(if pending.is_invite { T1 * 64 } else { T2 });
            pending.at = now.checked_add(pending.wait).unwrap_or(now);
            due.push((pending.link, pending.to, pending.bytes.clone()));
        }
        for (link, to, bytes) in due {
            self.send(link, to, bytes);
        }
        if let Some(speaker) = &mut self.speaker
            && let Some(packet) = speaker.next(now)
        {
            let (socket, to) = (speaker.socket, speaker.to);
            self.out.push_back(Output::Media { socket, to, bytes: packet.into() });
        }
    }
}
