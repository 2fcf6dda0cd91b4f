//! The lab and a device on one clock, 5 ms apart, without sockets.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lab::engine::{Input, Lab, Output};
use lab::plan::{Account, Kind, Link, Plan, Registered, Socket};
use lab::report::{Findings, Outcome};
use lab::verdict::Mark;
use sip::uri::Uri;

use crate::device::{Device, Quirk};

const WAY: Duration = Duration::from_millis(5);
pub const PASSWORD: &str = "a-good-long-password";

pub fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub fn plan(kind: Kind) -> Plan {
    Plan {
        kind,
        target: Uri::parse("sip:101@192.0.2.9:5060").expect("a URI"),
        address: addr("192.0.2.9:5060"),
        tls_address: addr("192.0.2.9:5061"),
        call: Some(Uri::parse("sip:101@192.0.2.9:5060").expect("a URI")),
        registered: (kind == Kind::Phone).then_some(Registered { sha256: true, expires_s: 120, contact_fits: true }),
        account: Some(Account { user: "box".into(), password: PASSWORD.into() }),
        caller: "lab".into(),
        local: addr("192.0.2.1:5070"),
        rtp: addr("192.0.2.1:4000"),
        second_rtp: addr("192.0.2.1:4002"),
        answer: Duration::from_secs(10),
        keys: Some(Duration::from_secs(3)),
        only: Vec::new(),
        seed: [7; 32],
    }
}

enum Travelling {
    ToLab(Input),
    Sip(Link, Bytes),
    Media(SocketAddr, Bytes),
}

/// Runs all probes that suit against a device with these faults.
pub fn run(plan: Plan, quirks: &[Quirk]) -> Findings {
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    let start = Instant::now();
    let (mut now, mut device) = (start, Device::new(quirks, plan.local));
    let mut lab = Lab::new(now, plan.clone());
    let mut wire: VecDeque<(Instant, Travelling)> = VecDeque::new();
    for _ in 0..3_000_000 {
        let at = now + WAY;
        while let Some(output) = lab.poll_output() {
            match output {
                // Nobody lives at any other address.
                Output::Sip { to, .. } if to != plan.address => {}
                Output::Sip { link, bytes, .. } => wire.push_back((at, Travelling::Sip(link, bytes))),
                Output::Open { link, .. } => {
                    let result = if link == Link::Tcp { Ok(()) } else { Err("refused".into()) };
                    wire.push_back((at, Travelling::ToLab(Input::Opened { link, result })));
                }
                Output::Media { to, bytes, .. } => wire.push_back((at, Travelling::Media(to, bytes))),
                Output::Done(findings) => return *findings,
                Output::Close { .. } | Output::Began { .. } | Output::Ended(_) => {}
            }
        }
        for (link, bytes) in device.take_sip() {
            let input = Input::Sip { link, from: plan.address, bytes };
            wire.push_back((at, Travelling::ToLab(input)));
        }
        for (from, to, bytes) in device.take_media() {
            let socket = if to == plan.rtp { Socket::Rtp } else { Socket::Second };
            wire.push_back((at, Travelling::ToLab(Input::Media { socket, from, bytes })));
        }
        let next = [wire.front().map(|(at, _)| *at), lab.poll_timeout(), device.poll_timeout()];
        now = now.max(next.into_iter().flatten().min().expect("something is always due"));
        if wire.front().is_some_and(|(at, _)| *at <= now) {
            match wire.pop_front().expect("just seen").1 {
                Travelling::ToLab(input) => lab.handle_input(now, input),
                Travelling::Sip(link, bytes) => device.hear(now, link, &bytes),
                Travelling::Media(to, bytes) => device.listen(to, &bytes),
            }
        }
        lab.handle_timeout(now);
        device.handle_timeout(now);
    }
    panic!("the lab does not end");
}

pub fn outcome<'a>(findings: &'a Findings, id: &str) -> &'a Outcome {
    findings.outcomes.iter().find(|one| one.id == id).unwrap_or_else(|| panic!("no outcome of {id}"))
}

pub fn mark(findings: &Findings, id: &str) -> Mark {
    outcome(findings, id).mark
}
