//! The carrier: it calls numbers in turn at a steady rate, stays a while, hangs up, and counts how each call went.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::{
    GIVE_UP, T1,
    ear::{Ear, dropped},
    phones::Phones,
    seen::{Own, Seen},
    socket,
    text::{Text, answer, body, sdp},
    wait,
};

#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// New calls in a second.
    pub rate: u32,
    /// How long new calls come.
    pub length: Duration,
    /// How long a call lasts.
    pub talk: Duration,
}

enum Stage {
    Calling,
    Talking,
    Leaving,
}

struct Call {
    stage: Stage,
    began: Instant,
    sent: Instant,
    again: Duration,
    last: String,
    provisional: bool,
    to: String,
    target: String,
    routes: String,
    hang_up_at: Option<Instant>,
    /// Where the server wants our audio.
    port: Option<u16>,
    apart: bool,
}

pub struct Carrier {
    pub socket: UdpSocket,
    ear: Ear,
    pub at: SocketAddr,
    pub server: SocketAddr,
    sdp: String,
    calls: HashMap<u64, Call>,
    timers: BinaryHeap<Reverse<(Instant, u64)>>,
    last_id: u64,
    /// Where calls that are up send their audio: each has a port of its own.
    ports: BTreeSet<u16>,
    seen: Seen,
    standing: Standing,
}

/// Calls that stand apart from the others.
#[derive(Debug, Default, Clone, Copy)]
pub struct Standing {
    pub begun: u32,
    /// Hung up, and the other side said yes.
    pub ended: u32,
}

impl Carrier {
    pub fn new(port: u16, server: SocketAddr) -> anyhow::Result<Self> {
        let socket = socket(Ipv4Addr::LOCALHOST, port)?;
        let at = socket.local_addr()?;
        Ok(Self {
            sdp: sdp(at),
            ear: Ear::of(&socket)?,
            socket,
            at,
            server,
            calls: HashMap::new(),
            timers: BinaryHeap::new(),
            last_id: 0,
            ports: BTreeSet::new(),
            seen: Seen::default(),
            standing: Standing::default(),
        })
    }

    /// Calls `numbers` in turn while the phones answer; returns when every call has ended.
    pub fn run(&mut self, load: &Load, numbers: &[String], phones: &Phones) -> anyhow::Result<Seen> {
        self.run_with(load, numbers, phones, |_| {})
    }

    /// The same; `beside` is called again and again.
    pub fn run_with(
        &mut self,
        load: &Load,
        numbers: &[String],
        phones: &Phones,
        mut beside: impl FnMut(Instant),
    ) -> anyhow::Result<Seen> {
        let (began, own) = (Instant::now(), self.own(phones)?);
        let count = (u128::from(load.rate) * load.length.as_millis() / 1_000) as u64;
        let mut made = 0;
        // Calls that stand apart were counted when they began.
        self.seen = Seen::default();
        while made < count || !self.calls.is_empty() {
            let now = Instant::now();
            let due = |made: u64| began + load.length.mul_f64(made as f64 / count.max(1) as f64);
            while made < count && due(made) <= now {
                let late = now.saturating_duration_since(due(made));
                self.seen.late_us.push(u32::try_from(late.as_micros()).unwrap_or(u32::MAX));
                let number = &numbers[made as usize % numbers.len()];
                self.call(number, load.talk);
                made += 1;
            }
            self.remind(now);
            beside(now);
            let busy = self.turn(phones.at) + phones.turn();
            if busy == 0 {
                let next =
                    self.timers.peek().map_or(now + T1, |Reverse((at, _))| *at).min(now + Duration::from_millis(20));
                let next = if made < count { next.min(due(made)) } else { next };
                wait(&[&self.ear, phones.ear()], next)?;
            }
        }
        let mut seen = std::mem::take(&mut self.seen);
        seen.answer_us.sort_unstable();
        seen.late_us.sort_unstable();
        seen.own = self.own(phones)?.since(own);
        Ok(seen)
    }

    fn own(&self, phones: &Phones) -> anyhow::Result<Own> {
        let read = self.ear.count() + phones.ear().count();
        Ok(Own { read, dropped: dropped(self.at)? + dropped(phones.at)? })
    }

    /// Begins so many calls, to end one after the other within `length`; they are counted apart.
    pub fn stand(&mut self, numbers: &[String], count: u32, length: Duration) {
        for n in 0..count {
            let id = self.call(&numbers[n as usize % numbers.len()], length * (n + 1) / (count + 1));
            if let Some(call) = self.calls.get_mut(&id) {
                call.apart = true;
            }
        }
        self.standing = Standing { begun: count, ended: 0 };
    }

    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Begins one call that lasts `talk`.
    pub fn call(&mut self, number: &str, talk: Duration) -> u64 {
        self.last_id += 1;
        let (id, at, server, now) = (self.last_id, self.at, self.server, Instant::now());
        let pid = std::process::id();
        let last = format!(
            "INVITE sip:{number}@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{pid:x}.{id:x}.1\r\n\
             From: \"carrier\" <sip:0301234567@{at}>;tag=c{id:x}\r\nTo: <sip:{number}@{server}>\r\nCall-ID: {id:x}-{pid:x}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:carrier@{at}>\r\nMax-Forwards: 70\r\n{}",
            body(Some(&self.sdp))
        );
        let call = Call {
            stage: Stage::Calling,
            began: now,
            sent: now,
            again: T1,
            last,
            provisional: false,
            to: String::new(),
            target: format!("sip:{number}@{server}"),
            routes: String::new(),
            hang_up_at: None,
            port: None,
            apart: false,
        };
        self.send(&call.last);
        self.timers.push(Reverse((now + T1, id)));
        self.calls.insert(id, Call { hang_up_at: now.checked_add(talk), ..call });
        self.seen.offered += 1;
        id
    }

    /// Takes what came; how much it was.
    fn turn(&mut self, phones: SocketAddr) -> usize {
        let mut heard = Vec::new();
        let count = self.ear.each(|text, from| heard.push((text.to_owned(), from)));
        heard.iter().for_each(|(text, from)| self.hear(text, *from, phones));
        count
    }

    fn hear(&mut self, text: &str, from: SocketAddr, phones: SocketAddr) {
        let message = Text(text);
        if !message.is_response() {
            if message.method() == "INVITE" {
                // A call out over this trunk: an emergency call, answered at once.
                let contact = format!("Contact: <sip:desk@{}>\r\n", self.at);
                let _ = self
                    .socket
                    .send_to(answer(message, "200 OK", "carrier", &contact, Some(&self.sdp)).as_bytes(), from);
            } else if message.method() != "ACK" {
                let _ = self.socket.send_to(answer(message, "200 OK", "carrier", "", None).as_bytes(), from);
            }
            return;
        }
        let (status, Some(id)) = (message.status(), message.call()) else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let now = Instant::now();
        match (&call.stage, message.method(), status) {
            (Stage::Calling, "INVITE", 0..200) => call.provisional = true,
            (Stage::Calling, "INVITE", 200..300) => {
                self.seen.answered += 1;
                self.seen.answer_us.push(u32::try_from((now - call.began).as_micros()).unwrap_or(u32::MAX));
                call.stage = Stage::Talking;
                call.to = message.first("To").unwrap_or_default().to_owned();
                call.target = message.contact().unwrap_or_default().to_owned();
                let mut routes: Vec<&str> = message.all("Record-Route").collect();
                routes.reverse();
                call.routes = routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
                let talk = call.hang_up_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(call.began));
                call.hang_up_at = Some(now + talk);
                self.timers.push(Reverse((now + talk, id)));
                call.port = message.audio_port();
                // Anchored: neither of the phone's own, nor another call's.
                let own = call.port.filter(|port| ![self.at.port(), phones.port()].contains(port));
                if !own.is_some_and(|port| self.ports.insert(port)) {
                    self.seen.unanchored += 1;
                }
                let ack = self.within(id, "ACK", 1);
                self.send(&ack);
            }
            // Its ACK was lost.
            (Stage::Talking | Stage::Leaving, "INVITE", 200..300) => {
                let ack = self.within(id, "ACK", 1);
                self.send(&ack);
            }
            (Stage::Calling, "INVITE", _) => {
                let to = message.first("To").unwrap_or_default();
                let ack = acknowledged(&call.last, to);
                match status {
                    503 => self.seen.shed += 1,
                    _ => *self.seen.refused.entry(status).or_default() += 1,
                }
                self.calls.remove(&id);
                self.send(&ack);
            }
            (Stage::Leaving, "BYE", 200..300) => {
                match call.apart {
                    true => self.standing.ended += 1,
                    false => self.seen.passed += 1,
                }
                self.calls.remove(&id);
            }
            (Stage::Leaving, "BYE", 300..) => {
                self.seen.unended += 1;
                self.calls.remove(&id);
            }
            _ => {}
        }
    }

    /// Repeats, hangs up and gives up.
    pub fn remind(&mut self, now: Instant) {
        while let Some(Reverse((at, id))) = self.timers.peek().copied()
            && at <= now
        {
            self.timers.pop();
            let Some(call) = self.calls.get_mut(&id) else { continue };
            match call.stage {
                Stage::Talking => {
                    if call.hang_up_at.is_some_and(|at| at <= now) {
                        call.stage = Stage::Leaving;
                        call.port.take().map(|port| self.ports.remove(&port));
                        (call.sent, call.again) = (now, T1);
                        let bye = self.within(id, "BYE", 2);
                        self.send(&bye);
                        if let Some(call) = self.calls.get_mut(&id) {
                            call.last = bye;
                        }
                        self.timers.push(Reverse((now + T1, id)));
                    }
                }
                Stage::Calling | Stage::Leaving => {
                    if now >= call.sent + GIVE_UP {
                        match (&call.stage, call.provisional) {
                            (Stage::Leaving, _) => self.seen.unended += 1,
                            (_, true) => self.seen.unanswered += 1,
                            (_, false) => self.seen.silent += 1,
                        }
                        self.calls.remove(&id);
                        continue;
                    }
                    call.again *= 2;
                    self.timers.push(Reverse((now + call.again, id)));
                    if !call.provisional || matches!(call.stage, Stage::Leaving) {
                        let _ = self.socket.send_to(call.last.as_bytes(), self.server);
                    }
                }
            }
        }
    }

    fn within(&self, id: u64, method: &str, cseq: u32) -> String {
        let Some(call) = self.calls.get(&id) else { return String::new() };
        let (at, pid) = (self.at, std::process::id());
        format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{pid:x}.{id:x}.{method}\r\n{}\
             From: \"carrier\" <sip:0301234567@{at}>;tag=c{id:x}\r\nTo: {}\r\nCall-ID: {id:x}-{pid:x}\r\n\
             CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{}",
            call.target,
            call.routes,
            call.to,
            body(None)
        )
    }

    fn send(&self, text: &str) {
        let _ = self.socket.send_to(text.as_bytes(), self.server);
    }
}

/// The ACK of a refusal (RFC 3261 §17.1.1.3), made of the INVITE.
fn acknowledged(invite: &str, to: &str) -> String {
    let mut ack = String::new();
    for line in invite.split("\r\n").take_while(|line| !line.starts_with("Contact:")) {
        if line.starts_with("To:") {
            ack.push_str(&format!("To: {to}\r\n"));
        } else {
            ack.push_str(&line.replacen("INVITE", "ACK", 1));
            ack.push_str("\r\n");
        }
    }
    ack.push_str(&format!("Max-Forwards: 70\r\n{}", body(None)));
    ack
}
