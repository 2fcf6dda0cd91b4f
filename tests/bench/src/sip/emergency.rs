//! A phone of the branch that calls for help again and again: it proves its password, is put through over the trunk, and
//! hangs up.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::ensure;

use super::{
    T1, digest,
    ear::Ear,
    phones::Phones,
    socket,
    text::{Text, body, sdp},
};

pub struct Emergency {
    socket: UdpSocket,
    ear: Ear,
    at: SocketAddr,
    server: SocketAddr,
    domain: String,
    number: String,
    password: String,
    help: String,
    every: Duration,
    next: Option<Instant>,
    call: Option<Call>,
    pub made: u32,
    pub answered: u32,
    /// From the INVITE to its answer.
    pub slowest: Duration,
    /// Final answers that were none, by status.
    refused: BTreeMap<u16, u32>,
}

struct Call {
    began: Instant,
    sent: Instant,
    cseq: u32,
    last: String,
    up: bool,
}

/// How long somebody in need waits before the call counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

impl Emergency {
    /// Phone `number` calls `help` this often; it registers first.
    pub fn new(
        server: SocketAddr,
        domain: &str,
        (number, password): (&str, &str),
        help: &str,
        every: Duration,
    ) -> anyhow::Result<Self> {
        let port = {
            let phone = Phones::new(0, server, domain)?;
            phone.register(&[number.to_owned()], password, 1)?;
            phone.at.port()
        };
        let socket = socket(Ipv4Addr::LOCALHOST, port)?;
        Ok(Self {
            at: socket.local_addr()?,
            ear: Ear::of(&socket)?,
            socket,
            server,
            domain: domain.into(),
            number: number.into(),
            password: password.into(),
            help: help.into(),
            every,
            next: None,
            call: None,
            made: 0,
            answered: 0,
            slowest: Duration::ZERO,
            refused: BTreeMap::new(),
        })
    }

    /// All that were made were answered, but for the one that is being made.
    pub fn check(&self) -> anyhow::Result<()> {
        let open = u32::from(self.call.as_ref().is_some_and(|call| !call.up));
        let (made, answered, refused) = (self.made, self.answered, &self.refused);
        ensure!(answered + open >= made, "{answered} of {made} emergency calls were answered; refusals: {refused:?}");
        ensure!(self.answered > 0, "no emergency call was made");
        Ok(())
    }

    /// Calls, repeats and listens; to be called again and again.
    pub fn turn(&mut self, now: Instant) {
        let due = *self.next.get_or_insert(now) <= now;
        if due && self.call.as_ref().is_none_or(|call| call.up || now >= call.began + PATIENCE) {
            self.next = Some(now + self.every);
            self.made += 1;
            let last = self.request("INVITE", 1, "", Some(&sdp(self.at)), "");
            self.send(&last);
            self.call = Some(Call { began: now, sent: now, cseq: 1, last, up: false });
        }
        if let Some(call) = &mut self.call
            && !call.up
            && now >= call.sent + T1
        {
            call.sent = now;
            let _ = self.socket.send_to(call.last.as_bytes(), self.server);
        }
        let mut heard = Vec::new();
        self.ear.each(|text, _| heard.push(text.to_owned()));
        heard.iter().for_each(|text| self.hear(text));
    }

    fn hear(&mut self, text: &str) {
        let response = Text(text);
        if !response.is_response() || response.method() != "INVITE" || response.status() < 200 {
            return;
        }
        let cseq = response.first("CSeq").and_then(|cseq| cseq.split(' ').next()?.parse::<u32>().ok()).unwrap_or(0);
        let fits =
            response.call() == Some(self.made.into()) && self.call.as_ref().is_some_and(|call| call.cseq == cseq);
        let to = format!("To: {}\r\n", response.first("To").unwrap_or_default());
        match response.status() {
            200 => {
                let ack = self.request("ACK", cseq, "", None, &to);
                self.send(&ack);
                let bye = self.request("BYE", cseq + 1, "", None, &to);
                self.send(&bye);
                if let Some(call) = self.call.as_mut().filter(|call| fits && !call.up) {
                    call.up = true;
                    self.answered += 1;
                    self.slowest = self.slowest.max(call.began.elapsed());
                }
            }
            401 if fits && cseq == 1 => {
                let ack = self.request("ACK", cseq, "", None, &to);
                self.send(&ack);
                let uri = self.uri();
                let proof =
                    digest::proof(response, "INVITE", &uri, &self.number, &self.password, 1).unwrap_or_default();
                let last = self.request("INVITE", 2, &proof, Some(&sdp(self.at)), "");
                self.send(&last);
                if let Some(call) = &mut self.call {
                    (call.cseq, call.last, call.sent) = (2, last, Instant::now());
                }
            }
            status => {
                *self.refused.entry(status).or_default() += 1;
                let ack = self.request("ACK", cseq, "", None, &to);
                self.send(&ack);
            }
        }
    }

    fn uri(&self) -> String {
        format!("sip:{}@{}", self.help, self.domain)
    }

    /// An ACK of a refusal has its INVITE's branch (RFC 3261 §17.1.1.3); here every ACK has.
    fn request(&self, method: &str, cseq: u32, proof: &str, sdp: Option<&str>, to: &str) -> String {
        let (at, domain, number, uri) = (self.at, &self.domain, &self.number, self.uri());
        let (call, run) = (self.made, std::process::id());
        let to = if to.is_empty() { format!("To: <{uri}>\r\n") } else { to.to_owned() };
        let branch = if method == "BYE" { "bye" } else { "inv" };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};rport;branch=z9hG4bKe{run:x}.{call}.{branch}{cseq}\r\n\
             From: <sip:{number}@{domain}>;tag=e{call}\r\n{to}Call-ID: {call:x}-e{run:x}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:{number}@{at}>\r\n{proof}Max-Forwards: 70\r\n{}",
            body(sdp)
        )
    }

    fn send(&self, text: &str) {
        let _ = self.socket.send_to(text.as_bytes(), self.server);
    }
}
