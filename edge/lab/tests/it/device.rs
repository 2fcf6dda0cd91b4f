//! A phone that does everything right, and on demand one thing wrong. Written from the RFCs with string work only, so
//! that it shares nothing with what it tests but the digest's arithmetic.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lab::plan::Link;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quirk {
    PrackRefused,
    PrackAny,
    LateOfferIgnored,
    NoTimer,
    TimerTooSmallTaken,
    KeysMoveTimestamp,
    KeysOtherType,
    KeysNeverEnd,
    WrongContact,
    DropsCompact,
    DropsFolded,
    AckIgnored,
    SlowTrying,
    NoRport,
    RequireIgnored,
    MethodUnknownTaken,
    ByeStrayTaken,
    HoldIgnored,
    HoldSings,
    NoResume,
    PortStays,
    CancelIgnored,
    CodecNoneTaken,
    StrangePayload,
    TwoSources,
    Mute,
    SlowPackets,
    ReferSilent,
    AckAnswered,
    TagMissing,
    TimerLostOnRefresh,
    AudioAfterBye,
    Malformed,
    PasswordAny,
    KeepsBinding,
    Silent,
}

struct Call {
    cseq: u32,
    ok: Bytes,
    ok_at: Option<Instant>,
    ok_wait: Duration,
    acked: bool,
    media: Option<SocketAddr>,
    held: bool,
    ring: Option<(u32, bool)>,
    answer_at: Option<Instant>,
    invite: Heard,
    keys_at: Option<Instant>,
    refer_notify: Option<Heard>,
}

/// A message taken apart.
#[derive(Clone, Default)]
struct Heard {
    start: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Heard {
    fn read(bytes: &[u8], quirks: &BTreeSet<Quirk>) -> Option<Self> {
        let text = String::from_utf8(bytes.to_vec()).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        if quirks.contains(&Quirk::DropsFolded) && head.contains("\r\n ") {
            return None;
        }
        if head.is_empty() {
            return None;
        }
        let head = head.replace("\r\n ", " ");
        let mut lines = head.split("\r\n");
        let start = lines.next()?.to_string();
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let name = name.trim().to_ascii_lowercase();
            if name.len() == 1 && quirks.contains(&Quirk::DropsCompact) {
                return None;
            }
            let long = match name.as_str() {
                "v" => "via",
                "f" => "from",
                "t" => "to",
                "i" => "call-id",
                "m" => "contact",
                "l" => "content-length",
                "c" => "content-type",
                "k" => "supported",
                other => other,
            };
            headers.push((long.to_string(), value.trim().to_string()));
        }
        Some(Self { start, headers, body: body.to_string() })
    }

    fn get(&self, name: &str) -> &str {
        self.headers.iter().find(|(one, _)| one == name).map_or("", |(_, value)| value)
    }

    fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    fn cseq(&self) -> u32 {
        self.get("cseq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
    }

    fn branch(&self) -> &str {
        self.get("via").split("branch=").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default()
    }
}

pub struct Device {
    quirks: BTreeSet<Quirk>,
    now: Option<Instant>,
    peer: SocketAddr,
    calls: BTreeMap<String, Call>,
    answered: BTreeMap<String, Bytes>,
    sip: Vec<(Link, Bytes)>,
    media: Vec<(SocketAddr, SocketAddr, Bytes)>,
    next_frame: Option<Instant>,
    tags: u32,
    sequence: u16,
    registered: bool,
    tcp: Vec<u8>,
    ghosts: Vec<SocketAddr>,
}

const AUDIO: &str = "192.0.2.9:6000";

impl Device {
    pub fn new(quirks: &[Quirk], peer: SocketAddr) -> Self {
        Self {
            quirks: quirks.iter().copied().collect(),
            now: None,
            peer,
            calls: BTreeMap::new(),
            answered: BTreeMap::new(),
            sip: Vec::new(),
            media: Vec::new(),
            next_frame: None,
            tags: 0,
            sequence: 0,
            registered: false,
            tcp: Vec::new(),
            ghosts: Vec::new(),
        }
    }

    fn is(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    pub fn take_sip(&mut self) -> Vec<(Link, Bytes)> {
        std::mem::take(&mut self.sip)
    }

    pub fn take_media(&mut self) -> Vec<(SocketAddr, SocketAddr, Bytes)> {
        std::mem::take(&mut self.media)
    }

    pub fn listen(&mut self, _to: SocketAddr, _bytes: &[u8]) {}

    pub fn poll_timeout(&self) -> Option<Instant> {
        let calls = self.calls.values().flat_map(|call| {
            let repeat = call.ok_at.filter(|_| !call.acked);
            [call.answer_at, repeat]
        });
        calls.flatten().chain(self.next_frame).min()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        let due: Vec<String> = self
            .calls
            .iter()
            .filter(|(_, call)| call.answer_at.is_some_and(|at| at <= now))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.answer(&id);
        }
        let mut again = Vec::new();
        for call in self.calls.values_mut() {
            if !call.acked && call.ok_at.is_some_and(|at| at <= now) {
                again.push(call.ok.clone());
                call.ok_wait = (call.ok_wait * 2).min(Duration::from_secs(4));
                call.ok_at = Some(now + call.ok_wait);
            }
        }
        self.sip.extend(again.into_iter().map(|bytes| (Link::Udp, bytes)));
        if self.next_frame.is_some_and(|at| at <= now) {
            let step = if self.is(Quirk::SlowPackets) { 35 } else { 20 };
            self.next_frame = Some(now + Duration::from_millis(step));
            self.frame(now);
        }
    }

    fn frame(&mut self, now: Instant) {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let from: SocketAddr = AUDIO.parse().expect("an address");
        let quirks = self.quirks.clone();
        let ssrc = if quirks.contains(&Quirk::TwoSources) && sequence % 50 > 25 { 2_u32 } else { 1 };
        for call in self.calls.values() {
            let held = call.held && !quirks.contains(&Quirk::HoldSings);
            let Some(to) = call.media.filter(|_| !held && call.ok_at.is_some()) else { continue };
            let mut payload =
                if quirks.contains(&Quirk::StrangePayload) && sequence.is_multiple_of(10) { 97_u8 } else { 8 };
            let mut timestamp = u32::from(sequence) * 160;
            let mut body = vec![0xd5; 160];
            // A key, 100 ms after the answer.
            if let Some(began) = call.keys_at.filter(|at| *at <= now) {
                let step = u32::try_from((now - began).as_millis() / 20).unwrap_or(0);
                if step < 8 {
                    payload = if quirks.contains(&Quirk::KeysOtherType) { 96 } else { 101 };
                    let moves = quirks.contains(&Quirk::KeysMoveTimestamp);
                    timestamp = if moves { timestamp } else { 77_777 };
                    let end = step >= 5 && !quirks.contains(&Quirk::KeysNeverEnd);
                    let duration = u16::try_from((step.min(5) + 1) * 160).expect("small").to_be_bytes();
                    body = vec![5, u8::from(end) << 7 | 10, duration[0], duration[1]];
                    if step == 0 {
                        payload |= 0x80;
                    }
                }
            }
            let mut packet = vec![0x80, payload];
            packet.extend(sequence.to_be_bytes());
            packet.extend(timestamp.to_be_bytes());
            packet.extend(ssrc.to_be_bytes());
            packet.extend(body);
            self.media.push((from, to, packet.into()));
        }
        for to in &self.ghosts {
            let mut packet = vec![0x80, 8];
            packet.extend(sequence.to_be_bytes());
            packet.extend([0, 0, 0, 1, 0, 0, 0, 1, 0xd5]);
            self.media.push((from, *to, packet.into()));
        }
    }

    pub fn hear(&mut self, now: Instant, link: Link, bytes: &[u8]) {
        self.now = Some(now);
        self.next_frame.get_or_insert(now);
        if self.is(Quirk::Silent) {
            return;
        }
        if link == Link::Tcp {
            self.tcp.extend_from_slice(bytes);
            if self.tcp == b"\r\n\r\n" {
                self.tcp.clear();
                return self.sip.push((Link::Tcp, Bytes::from_static(b"\r\n")));
            }
            // No request of the lab over TCP has a body.
            while let Some(end) = self.tcp.windows(4).position(|four| four == b"\r\n\r\n") {
                let message: Vec<u8> = self.tcp.drain(..end + 4).collect();
                self.message(now, link, &message);
            }
            return;
        }
        self.message(now, link, bytes);
    }

    fn message(&mut self, now: Instant, link: Link, bytes: &[u8]) {
        let Some(heard) = Heard::read(bytes, &self.quirks) else { return };
        if heard.start.starts_with("SIP/2.0") {
            return self.outcome_of_refer(&heard);
        }
        let key = format!("{} {} {}", heard.branch(), heard.get("cseq"), heard.get("call-id"));
        if let Some(again) = self.answered.get(&key) {
            return self.sip.push((link, again.clone()));
        }
        if let Some(reply) = self.reply(now, &heard) {
            // A transaction is remembered for 32 s; for ever is simpler.
            self.answered.insert(key, reply.clone());
            self.sip.push((link, reply));
        }
    }

    fn reply(&mut self, now: Instant, heard: &Heard) -> Option<Bytes> {
        let method = heard.method().to_string();
        let id = heard.get("call-id").to_string();
        let uri = heard.start.split(' ').nth(1).unwrap_or_default();
        if method == "ACK" {
            if let Some(call) = self.calls.get_mut(&id) {
                call.acked = !self.quirks.contains(&Quirk::AckIgnored);
                if let Some(to) = media_of(&heard.body) {
                    call.media = Some(to);
                }
            } else if self.is(Quirk::AckAnswered) {
                return Some(self.say(heard, "481 Call Does Not Exist", "", ""));
            }
            return None;
        }
        if !heard.get("cseq").ends_with(&method) {
            return Some(self.say(heard, "400 Bad Request", "", ""));
        }
        if !uri.starts_with("sip:") {
            return Some(self.say(heard, "416 Unsupported URI Scheme", "", ""));
        }
        if heard.get("require").contains("x-branchline-lab") && !self.is(Quirk::RequireIgnored) {
            return Some(self.say(heard, "420 Bad Extension", "Unsupported: x-branchline-lab\r\n", ""));
        }
        let known = self.calls.contains_key(&id);
        let has_tag = heard.get("to").contains("tag=");
        match method.as_str() {
            "OPTIONS" if !has_tag || known => Some(self.say(heard, "200 OK", "Accept: application/sdp\r\n", "")),
            "OPTIONS" => Some(self.say(heard, "481 Call Does Not Exist", "", "")),
            "REGISTER" => Some(self.register(heard)),
            "INVITE" if known => self.reinvite(now, heard, &id),
            "INVITE" => self.invite(now, heard, &id),
            "CANCEL" => Some(self.cancel(heard, &id)),
            "BYE" if known => {
                let call = self.calls.remove(&id);
                if self.is(Quirk::AudioAfterBye) {
                    self.ghosts.extend(call.and_then(|call| call.media));
                }
                Some(self.say(heard, "200 OK", "", ""))
            }
            "BYE" if self.is(Quirk::ByeStrayTaken) => Some(self.say(heard, "200 OK", "", "")),
            "SUBSCRIBE" if heard.get("event") == "x-branchline-lab" => Some(self.say(heard, "489 Bad Event", "", "")),
            "SUBSCRIBE" | "MESSAGE" => Some(self.say(heard, "200 OK", "Expires: 0\r\n", "")),
            "NOTIFY" => Some(self.say(heard, "200 OK", "", "")),
            _ if has_tag && !known => Some(self.say(heard, "481 Call Does Not Exist", "", "")),
            "PRACK" => Some(self.prack(now, heard, &id)),
            "UPDATE" | "INFO" => Some(self.in_order(heard, &id)),
            "REFER" => Some(self.refer(heard, &id)),
            "LABTEST" if self.is(Quirk::MethodUnknownTaken) => Some(self.say(heard, "200 OK", "", "")),
            _ => Some(self.say(heard, "405 Method Not Allowed", "", "")),
        }
    }

    fn in_order(&mut self, heard: &Heard, id: &str) -> Bytes {
        let late = self.calls.get_mut(id).is_some_and(|call| {
            let late = heard.cseq() < call.cseq;
            call.cseq = call.cseq.max(heard.cseq());
            late
        });
        self.say(heard, if late { "500 Out Of Order" } else { "200 OK" }, "", "")
    }

    fn invite(&mut self, now: Instant, heard: &Heard, id: &str) -> Option<Bytes> {
        if heard.get("replaces").contains("no-such-call") {
            return Some(self.say(heard, "481 Call Does Not Exist", "", ""));
        }
        let unknown = heard.body.contains("X-LAB") && !heard.body.contains("PCMA");
        if (unknown && !self.is(Quirk::CodecNoneTaken)) || heard.body.contains("RTP/SAVP") {
            return Some(self.say(heard, "488 Not Acceptable Here", "", ""));
        }
        let expires: Option<u32> = heard.get("session-expires").split(';').next().and_then(|text| text.parse().ok());
        let timer = !self.is(Quirk::NoTimer);
        if timer && expires.is_some_and(|seconds| seconds < 90) && !self.is(Quirk::TimerTooSmallTaken) {
            return Some(self.say(heard, "422 Session Interval Too Small", "Min-SE: 90\r\n", ""));
        }
        self.tags += 1;
        let to = format!("{};tag=d{}", heard.get("to"), self.tags);
        let reliable = heard.get("supported").contains("100rel") || heard.get("require").contains("100rel");
        let mut ringing = heard.clone();
        ringing.headers.retain(|(name, _)| name != "to");
        ringing.headers.push(("to".into(), to));
        let more = if reliable { "Require: 100rel\r\nRSeq: 71\r\n" } else { "" };
        let ring = self.say(&ringing, "180 Ringing", more, "");
        let trying = self.say(heard, "100 Trying", "", "");
        let slow = self.is(Quirk::SlowTrying);
        let answer_at = if reliable { None } else { Some(now + Duration::from_millis(if slow { 400 } else { 300 })) };
        self.calls.insert(
            id.to_string(),
            Call {
                cseq: heard.cseq(),
                ok: Bytes::new(),
                ok_at: None,
                ok_wait: Duration::from_millis(500),
                acked: false,
                media: media_of(&heard.body),
                held: false,
                ring: reliable.then_some((71, false)),
                answer_at,
                invite: ringing,
                keys_at: None,
                refer_notify: None,
            },
        );
        if slow {
            return None;
        }
        if !reliable || heard.get("require").is_empty() {
            self.sip.push((Link::Udp, trying));
        }
        Some(ring)
    }

    fn answer(&mut self, id: &str) {
        let now = self.now.expect("a clock");
        let Some(call) = self.calls.get_mut(id) else { return };
        call.answer_at = None;
        let (invite, offered) = (call.invite.clone(), !call.invite.body.is_empty());
        let late = !offered && self.quirks.contains(&Quirk::LateOfferIgnored);
        let body = if late { String::new() } else { sdp(&invite.body, false) };
        let timer = invite.get("session-expires").to_string();
        let timer = if timer.is_empty() || self.is(Quirk::NoTimer) {
            String::new()
        } else {
            format!("Session-Expires: {timer}\r\nRequire: timer\r\n")
        };
        let ok = self.say(&invite, "200 OK", &timer, &body);
        let mute = self.is(Quirk::Mute);
        let ignored = self.is(Quirk::AckIgnored);
        let Some(call) = self.calls.get_mut(id) else { return };
        call.ok = ok.clone();
        call.ok_at = Some(now + call.ok_wait);
        call.keys_at = Some(now + Duration::from_millis(2_000));
        call.acked &= !ignored;
        if mute {
            call.media = None;
        }
        self.sip.push((Link::Udp, ok));
    }

    fn prack(&mut self, now: Instant, heard: &Heard, id: &str) -> Bytes {
        if self.is(Quirk::PrackRefused) {
            return self.say(heard, "400 Bad RAck", "", "");
        }
        let any = self.is(Quirk::PrackAny);
        let Some(call) = self.calls.get_mut(id) else { return self.say(heard, "481 No Such Call", "", "") };
        call.cseq = call.cseq.max(heard.cseq());
        let right = heard.get("rack").starts_with("71 ");
        if right || any {
            call.ring = Some((71, true));
            call.answer_at = Some(now + Duration::from_millis(1_500));
            return self.say(heard, "200 OK", "", "");
        }
        self.say(heard, "481 Unknown RAck", "", "")
    }

    fn cancel(&mut self, heard: &Heard, id: &str) -> Bytes {
        let ringing = self.calls.get(id).filter(|call| call.ok_at.is_none()).map(|call| call.invite.clone());
        let Some(invite) = ringing else {
            let known = self.calls.contains_key(id);
            return self.say(heard, if known { "200 OK" } else { "481 No Such Transaction" }, "", "");
        };
        if !self.is(Quirk::CancelIgnored) {
            self.calls.remove(id);
            let ended = self.say(&invite, "487 Request Terminated", "", "");
            self.sip.push((Link::Udp, ended));
        } else if let Some(call) = self.calls.get_mut(id) {
            call.answer_at = None;
        }
        self.say(heard, "200 OK", "", "")
    }

    fn reinvite(&mut self, now: Instant, heard: &Heard, id: &str) -> Option<Bytes> {
        let call = self.calls.get(id)?;
        if call.ok_at.is_none() {
            // A second branch of the same INVITE.
            return Some(self.say(heard, "482 Loop Detected", "", ""));
        }
        if heard.body.contains("X-LAB") {
            return Some(self.say(heard, "488 Not Acceptable Here", "", ""));
        }
        let hold = ["a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"].iter().any(|word| heard.body.contains(word));
        let stuck = call.held && self.quirks.contains(&Quirk::NoResume);
        let ignored = self.quirks.contains(&Quirk::HoldIgnored);
        let body = if ignored { sdp("", false) } else { sdp(&heard.body, stuck) };
        let timer = heard.get("session-expires").to_string();
        let lost = self.is(Quirk::TimerLostOnRefresh) || self.is(Quirk::NoTimer);
        let timer = if timer.is_empty() || lost { String::new() } else { format!("Session-Expires: {timer}\r\n") };
        let ok = self.say(heard, "200 OK", &timer, &body);
        let (stays, mute) = (self.is(Quirk::PortStays), self.is(Quirk::Mute));
        let call = self.calls.get_mut(id)?;
        call.cseq = call.cseq.max(heard.cseq());
        call.held = (hold && !ignored) || stuck;
        if let Some(to) = media_of(&heard.body)
            && !stays
            && !mute
        {
            call.media = Some(to);
        }
        (call.ok, call.ok_at, call.acked) = (ok.clone(), Some(now + Duration::from_millis(500)), false);
        Some(ok)
    }

    fn refer(&mut self, heard: &Heard, id: &str) -> Bytes {
        let silent = self.is(Quirk::ReferSilent);
        if let Some(call) = self.calls.get_mut(id) {
            call.refer_notify = Some(heard.clone());
        }
        let goal = heard.get("refer-to").trim_matches(['<', '>']).to_string();
        if !silent {
            let invite = format!(
                "INVITE {goal} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKr{id}\r\nMax-Forwards: 70\r\n\
                 From: <sip:101@192.0.2.9>;tag=r\r\nTo: <{goal}>\r\nCall-ID: refer-{id}\r\nCSeq: 1 INVITE\r\n\
                 Contact: <sip:101@192.0.2.9:5060>\r\nContent-Length: 0\r\n\r\n"
            );
            self.sip.push((Link::Udp, invite.into()));
        }
        self.say(heard, "202 Accepted", "", "")
    }

    fn outcome_of_refer(&mut self, heard: &Heard) {
        let Some(id) = heard.get("call-id").strip_prefix("refer-") else { return };
        let Some(asked) = self.calls.get(id).and_then(|call| call.refer_notify.clone()) else { return };
        let (line, length) = (heard.start.clone(), heard.start.len() + 2);
        let notify = format!(
            "NOTIFY sip:box@{} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKn{id}\r\nMax-Forwards: 70\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {id}\r\nCSeq: 1 NOTIFY\r\nContact: <sip:101@192.0.2.9:5060>\r\n\
             Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n\
             Content-Type: message/sipfrag\r\nContent-Length: {length}\r\n\r\n{line}\r\n",
            self.peer,
            asked.get("to"),
            asked.get("from"),
        );
        self.sip.push((Link::Udp, notify.into()));
    }

    fn register(&mut self, heard: &Heard) -> Bytes {
        let proof = heard.get("authorization").to_string();
        let right = !proof.is_empty() && (self.is(Quirk::PasswordAny) || proves(&proof, "REGISTER"));
        if !right {
            let challenge =
                "WWW-Authenticate: Digest realm=\"lab\", nonce=\"abc\", algorithm=SHA-256, qop=\"auth\"\r\n";
            return self.say(heard, "401 Unauthorized", challenge, "");
        }
        let expires = heard.get("expires");
        if expires == "1" {
            return self.say(heard, "423 Interval Too Brief", "Min-Expires: 60\r\n", "");
        }
        if !heard.get("contact").is_empty() {
            self.registered = expires != "0" || self.is(Quirk::KeepsBinding);
        }
        let bound = format!("Contact: <sip:box@{}>;expires=120\r\n", self.peer);
        let binding = if self.registered { bound } else { String::new() };
        let mut bare = heard.clone();
        bare.headers.retain(|(name, _)| name != "contact");
        self.say(&bare, "200 OK", &binding, "")
    }

    fn say(&mut self, heard: &Heard, line: &str, more: &str, body: &str) -> Bytes {
        let mut text = format!("SIP/2.0 {line}\r\n");
        for (at, (_, via)) in heard.headers.iter().filter(|(name, _)| name == "via").enumerate() {
            let rport = format!(";received={};rport={}", self.peer.ip(), self.peer.port());
            let stamped = if at == 0 && !self.quirks.contains(&Quirk::NoRport) {
                via.replacen(";rport", &rport, 1)
            } else {
                via.clone()
            };
            text.push_str(&format!("Via: {stamped}\r\n"));
        }
        let mut to = heard.get("to").to_string();
        let provisional = line.starts_with("100");
        if !to.contains("tag=") && !provisional && !self.quirks.contains(&Quirk::TagMissing) {
            self.tags += 1;
            to.push_str(&format!(";tag=t{}", self.tags));
        }
        let number = heard.get("cseq");
        let cseq = if self.quirks.contains(&Quirk::Malformed) { format!("x{number}") } else { number.to_string() };
        text.push_str(&format!(
            "From: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {cseq}\r\nServer: Puppet/1.0\r\n",
            heard.get("from"),
            heard.get("call-id")
        ));
        if heard.method() != "REGISTER" {
            let host = if self.quirks.contains(&Quirk::WrongContact) { "192.0.2.66" } else { "192.0.2.9" };
            text.push_str(&format!("Contact: <sip:101@{host}:5060>\r\n"));
            text.push_str("Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY\r\n");
        }
        text.push_str(more);
        if !body.is_empty() {
            text.push_str("Content-Type: application/sdp\r\n");
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        text.into()
    }
}

fn media_of(body: &str) -> Option<SocketAddr> {
    let port = body.lines().find(|line| line.starts_with("m=audio"))?.split(' ').nth(1)?.parse().ok()?;
    Some(SocketAddr::new("192.0.2.1".parse().ok()?, port))
}

fn sdp(offer: &str, stuck: bool) -> String {
    let direction = match offer {
        _ if stuck => "recvonly",
        offer if offer.contains("a=sendonly") => "recvonly",
        // An inactive second stream says nothing of the audio.
        offer if offer.contains("a=inactive") && !offer.contains("m=video") => "inactive",
        _ => "sendrecv",
    };
    let formats = if offer.contains("X-LAB") { "98" } else { "8 101" };
    let video = if offer.contains("m=video") { "m=video 0 RTP/AVP 31\r\n" } else { "" };
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 6000 RTP/AVP {formats}\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na={direction}\r\n{video}"
    )
}

fn proves(proof: &str, method: &str) -> bool {
    let field = |name: &str| {
        let rest = proof.split(&format!("{name}=")).nth(1).unwrap_or_default();
        rest.trim_start_matches('"').split(['"', ',']).next().unwrap_or_default().to_string()
    };
    let hash = |parts: &[&str]| sip::auth::Algorithm::Sha256.hash(parts);
    let ha1 = hash(&["box", "lab", crate::rig::PASSWORD]);
    let ha2 = hash(&[method, &field("uri")]);
    let expected = hash(&[&ha1, "abc", &field("nc"), &field("cnonce"), "auth", &ha2]);
    proof.contains(&format!("response=\"{expected}\""))
}
