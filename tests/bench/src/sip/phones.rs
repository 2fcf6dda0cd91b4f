//! Phones behind one address: they register, answer every call at once, and hang up when they are hung up on.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    GIVE_UP, T1, digest,
    ear::Ear,
    quantile, socket,
    text::{Text, answer, body, sdp},
    wait,
};

/// Rounds of registrations of this process.
static RUNS: AtomicU32 = AtomicU32::new(0);

pub struct Phones {
    socket: UdpSocket,
    ear: Ear,
    pub at: SocketAddr,
    pub server: SocketAddr,
    domain: String,
    sdp: String,
}

/// What a round of registrations took.
#[derive(Debug, Default)]
pub struct Registered {
    pub count: usize,
    /// From the first REGISTER to the last 200.
    pub whole: Duration,
    /// From a phone's first REGISTER to its 200, in microseconds, sorted.
    pub each_us: Vec<u32>,
}

impl Registered {
    pub fn quantile_ms(&self, share: f64) -> f64 {
        f64::from(quantile(&self.each_us, share)) / 1_000.0
    }
}

/// A phone on its way.
struct Turn {
    phone: usize,
    began: Instant,
    sent: Instant,
    proof: String,
    cseq: u32,
    done: bool,
}

impl Phones {
    pub fn new(port: u16, server: SocketAddr, domain: &str) -> anyhow::Result<Self> {
        let socket = socket(Ipv4Addr::LOCALHOST, port)?;
        let at = socket.local_addr()?;
        Ok(Self { sdp: sdp(at), ear: Ear::of(&socket)?, socket, at, server, domain: domain.into() })
    }

    /// Answers one message; the reply to everything but an ACK.
    pub fn hear(&self, text: &str, from: SocketAddr) {
        let request = Text(text);
        if request.is_response() {
            return;
        }
        let contact = format!("Contact: <sip:phone@{}>\r\n", self.at);
        let send = |text: String| drop(self.socket.send_to(text.as_bytes(), from));
        match request.method() {
            "ACK" => {}
            "INVITE" => {
                send(answer(request, "180 Ringing", "phone", &contact, None));
                send(answer(request, "200 OK", "phone", &contact, Some(&self.sdp)));
            }
            _ => send(answer(request, "200 OK", "phone", "", None)),
        }
    }

    /// Every waiting message.
    pub fn turn(&self) -> usize {
        self.ear.each(|text, from| self.hear(text, from))
    }

    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Registers all of them; at most `at_once` wait for an answer at one time.
    pub fn register(&self, numbers: &[String], password: &str, at_once: usize) -> anyhow::Result<Registered> {
        let began = Instant::now();
        let mut turns: Vec<Turn> = Vec::with_capacity(numbers.len());
        let (mut open, mut seen) = (VecDeque::new(), Registered::default());
        // Each run has Call-IDs of its own: RFC 3261 §10.2.4 counts within one.
        let run = u64::from(std::process::id()) << 16 | u64::from(RUNS.fetch_add(1, Ordering::Relaxed));
        while seen.count < numbers.len() {
            let now = Instant::now();
            while open.len() < at_once && turns.len() < numbers.len() {
                let turn =
                    Turn { phone: turns.len(), began: now, sent: now, proof: String::new(), cseq: 1, done: false };
                self.ask(numbers, &turn, run);
                open.push_back(turns.len());
                turns.push(turn);
            }
            wait(&[&self.ear], now + Duration::from_millis(20))?;
            self.ear.each(|text, _| {
                let response = Text(text);
                let Some(turn) = response.call().and_then(|call| turns.get_mut(usize::try_from(call).ok()?)) else {
                    return self.hear(text, self.server);
                };
                let cseq = response.first("CSeq").and_then(|cseq| cseq.split(' ').next()?.parse::<u32>().ok());
                if turn.done || cseq != Some(turn.cseq) {
                    return;
                }
                match response.status() {
                    200 => {
                        turn.done = true;
                        seen.count += 1;
                        seen.each_us.push(u32::try_from(turn.began.elapsed().as_micros()).unwrap_or(u32::MAX));
                    }
                    401 => {
                        let (number, uri) = (&numbers[turn.phone], format!("sip:{}", self.domain));
                        turn.proof = digest::proof(response, "REGISTER", &uri, number, password, 1).unwrap_or_default();
                        turn.cseq += 1;
                        turn.sent = Instant::now();
                        self.ask(numbers, turn, run);
                    }
                    // Overloaded: the phone asks again when its timer is due.
                    _ => {}
                }
            });
            open.retain(|at: &usize| !turns[*at].done);
            let now = Instant::now();
            for at in &open {
                let turn = &mut turns[*at];
                ensure!(now < turn.began + GIVE_UP * 8, "phone {} is not registered", numbers[turn.phone]);
                if now >= turn.sent + T1 {
                    turn.sent = now;
                    self.ask(numbers, turn, run);
                }
            }
        }
        seen.whole = began.elapsed();
        seen.each_us.sort_unstable();
        Ok(seen)
    }

    fn ask(&self, numbers: &[String], turn: &Turn, run: u64) {
        let (number, domain, at, cseq) = (&numbers[turn.phone], &self.domain, self.at, turn.cseq);
        let text = format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {at};rport;branch=z9hG4bKr{number}.{cseq}.{run:x}\r\n\
             From: <sip:{number}@{domain}>;tag=r{number}\r\nTo: <sip:{number}@{domain}>\r\n\
             Call-ID: {call:x}-{run:x}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{number}@{at}>\r\n{proof}\
             Max-Forwards: 70\r\nExpires: 3600\r\nUser-Agent: bench\r\n{body}",
            call = turn.phone,
            proof = turn.proof,
            body = body(None)
        );
        let _ = self.socket.send_to(text.as_bytes(), self.server);
    }
}
