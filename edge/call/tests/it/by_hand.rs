//! Messages that our own endpoint never sends, written by hand: a delayed offer, a REFER.

use bytes::Bytes;
use call::leg::{Event, Input};
use model::LegId;
use sip::endpoint::{self, Flow, Transport};

use crate::bench::{Bench, CARRIER};
use crate::setup::{BOX, DOMAIN};

impl Bench {
    /// An INVITE without SDP from the carrier's address; from here on the test plays the carrier.
    pub fn hand_invite_without_sdp(&mut self, more: &str) -> LegId {
        self.by_hand = Some(vec![]);
        self.hand(&format!(
            "INVITE sip:4001@192.0.2.1:5060 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKhand1\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:13800000000@192.0.2.9>;tag=hand\r\n\
             To: <sip:4001@192.0.2.1>\r\n\
             Call-ID: by-hand\r\n\
             CSeq: 1 INVITE\r\n\
             Contact: <sip:hand@192.0.2.9:5060>\r\n{more}\
             Content-Length: 0\r\n\r\n",
        ));
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

    /// The answer to the offer that the box's progress brought; that progress.
    pub fn hand_prack(&mut self, sdp: &str) -> String {
        self.run();
        let heard = self.by_hand.as_ref().expect("a carrier by hand");
        let progress = heard.iter().rev().find(|text| text.starts_with("SIP/2.0 183")).expect("a 183").clone();
        self.hand(&format!(
            "PRACK {} SIP/2.0\r\n\
             Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKhand3\r\n\
             Max-Forwards: 70\r\n\
             {}\r\n{}\r\n{}\r\n\
             CSeq: 2 PRACK\r\n\
             RAck: {} 1 INVITE\r\n\
             Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{sdp}",
            contact(&progress),
            header(&progress, "From"),
            header(&progress, "To"),
            header(&progress, "Call-ID"),
            header(&progress, "RSeq").trim_start_matches("RSeq: "),
            sdp.len(),
        ));
        progress
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

    /// A key by INFO, of a peer whose dialog the box began.
    pub fn peer_keys_by_info(&mut self, peer: usize, cseq: u32, key: char) {
        let ok = self.heads[self.peers[peer].name].clone();
        let addr = self.peers[peer].addr;
        let (ours, theirs) =
            (header(&ok, "To").replacen("To", "From", 1), header(&ok, "From").replacen("From", "To", 1));
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        let message = format!(
            "INFO sip:box@{BOX} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {addr};branch=z9hG4bKinfo{cseq}\r\n\
             Max-Forwards: 70\r\n\
             {ours}\r\n{theirs}\r\n{}\r\n\
             CSeq: {cseq} INFO\r\n\
             Contact: <sip:201@{addr}>\r\n\
             Content-Type: application/dtmf-relay\r\n\
             Content-Length: {}\r\n\r\n{body}",
            header(&ok, "Call-ID"),
            body.len(),
        );
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
}

/// A whole header line.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}:");
    message.lines().find(|line| line.starts_with(&prefix)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn contact(message: &str) -> &str {
    header(message, "Contact").split(['<', '>']).nth(1).expect("a URI in angle brackets")
}
