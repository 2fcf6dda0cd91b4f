//! S-09, S-10: whatever stands in the INVITE of leg A, leg B has the headers of its trunk's list and no others, in one
//! spelling, once each, and no line end that is not ours.
//!
//! `SMUGGLED=100000 cargo test --release` makes as many calls; without it there are fewer, for every day.

use std::fmt::Write as _;

use bytes::Bytes;
use call::leg::{Caller, Dial, Event, Input, Party};
use model::carrier::Style;
use sip::endpoint::{self, Flow, Transport};

use crate::bench::{Bench, CARRIER};
use crate::setup::{BOX, carrier, offer};

const CALLS: usize = 1_500;
/// Of one bench; its ladder grows with each.
const CALLS_OF_A_BENCH: usize = 100;

/// What any trunk is told, and what its rules add (`sip::identity`).
const ALWAYS: &[&str] = &[
    "Via",
    "Max-Forwards",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Allow",
    "Supported",
    "User-Agent",
    "Content-Type",
    "Content-Length",
    "Session-Expires",
    "Min-SE",
];

const MARK: &str = "smuggled";

#[test]
fn no_header_reaches_leg_b_that_the_trunk_s_list_does_not_name() {
    let calls = std::env::var("SMUGGLED").ok().and_then(|n| n.parse().ok()).unwrap_or(CALLS);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut let_in, mut left) = (0, calls);
    while left > 0 {
        let (style, listed): (Style, &[&str]) = match dice.below(3) {
            0 => (Style::From, &[]),
            1 => (Style::Asserted, &["P-Asserted-Identity", "Privacy"]),
            _ => (Style::RemoteParty, &["Remote-Party-ID", "Privacy"]),
        };
        let trusted = dice.below(2) == 0;
        let mut bench = Bench::with(1_000, |config| {
            let identity = &mut config.site.trunks.get_mut(&carrier()).unwrap().carrier.identity;
            identity.style = style;
            identity.trusted = trusted;
        });
        for _ in 0..left.min(CALLS_OF_A_BENCH) {
            let text = invite(&mut dice, left);
            left -= 1;
            if let Some(leg_b) = pass_on(&mut bench, &text) {
                let_in += 1;
                check(&text, &leg_b, listed);
            }
        }
    }
    println!("{let_in} of {calls} calls were let in");
    assert!(let_in > calls / 4, "only {let_in} of {calls} calls were let in: the rest proves little");
}

/// The INVITE of leg B, when leg A was let in.
fn pass_on(bench: &mut Bench, text: &str) -> Option<String> {
    bench.by_hand = Some(vec![]);
    bench.log.clear();
    let before = bench.events.len();
    let flow = Flow {
        transport: Transport::Udp,
        local: BOX.parse().unwrap(),
        remote: bench.peers[CARRIER].addr,
        connection: 0,
    };
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    bench.calls.handle_input(bench.now, Input::Sip(endpoint::Input::Received { flow, bytes }));
    bench.run();
    let (leg, caller) = bench.events[before..].iter().find_map(|event| match event {
        Event::Incoming { leg, caller, .. } => Some((*leg, caller.clone())),
        _ => None,
    })?;
    let caller = Caller { number: caller.number, name: caller.name };
    let party = Party::Trunk { trunk: carrier(), user: "13900000000".into() };
    let dial = Dial { party, caller, ringback_to: Some(leg), meets: Some(leg), on_behalf_of: None, forwarded: None };
    let leg_b = bench.calls.dial(bench.now, dial);
    bench.begun.insert(leg_b);
    bench.run();
    let heard = bench.by_hand.take().unwrap();
    bench.calls.hang_up(bench.now, leg_b);
    bench.calls.hang_up(bench.now, leg);
    bench.run();
    Some(heard.into_iter().find(|text| text.starts_with("INVITE ")).expect("leg B"))
}

fn check(leg_a: &str, leg_b: &str, listed: &[&str]) {
    let (head, body) = leg_b.split_once("\r\n\r\n").unwrap();
    let lines: Vec<&str> = head.split("\r\n").skip(1).collect();
    assert!(!head.replace("\r\n", "").contains(char::is_control), "{leg_a}\n{leg_b}");
    let names: Vec<&str> = lines.iter().map(|line| line.split_once(": ").expect("one spelling").0).collect();
    for name in &names {
        assert!(ALWAYS.contains(name) || listed.contains(name), "{name}:\n{leg_a}\n{leg_b}");
        assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} twice:\n{leg_a}\n{leg_b}");
    }
    assert!(lines.contains(&format!("Content-Length: {}", body.len()).as_str()), "{leg_b}");
    assert!(!leg_b.contains(MARK), "{leg_a}\n{leg_b}");
}

/// An INVITE of the carrier's with up to six lines that mean to get through, and a caller who tries as well.
fn invite(dice: &mut Dice, number: usize) -> String {
    let name = dice.of(&[
        "",
        "A ",
        "\"A\" ",
        "\"A\\\"\r\n ;x=\" ",
        "\"A%0d%0aX-Bypass: shown\" ",
        "\"A\\\r\" ",
        "\"A\u{85}B\" ",
        "\"漢\" ",
    ]);
    let user = dice.of(&["13800000000", "138%0d%0aX-Bypass:%20smuggled", "a%00b", "a;x=smuggled", "anonymous"]);
    let mut lines = vec![
        format!("Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKs{number}"),
        "Max-Forwards: 70".to_string(),
        format!("{}: {name}<sip:{user}@192.0.2.9>;tag=s{number}", dice.of(&["From", "f", "FROM ", "F\t"])),
        "To: <sip:4001@192.0.2.1>".to_string(),
        format!("Call-ID: s{number}"),
        format!("CSeq: 1 {}", dice.of(&["INVITE", "\r\n INVITE"])),
        format!("{}: <sip:hand@192.0.2.9:5060>", dice.of(&["Contact", "m", "M "])),
        format!("{}: application/sdp", dice.of(&["Content-Type", "c", "CONTENT-TYPE\t"])),
    ];
    for _ in 0..dice.below(7) {
        let at = dice.below(lines.len() + 1);
        let line = smuggled(dice);
        lines.insert(at, line);
    }
    let sdp = offer(CARRIER);
    let length = dice.of(&["Content-Length", "l", "L "]);
    lines.push(format!("{length}: {}", sdp.len()));
    let mut text = format!("INVITE sip:4001@{BOX} SIP/2.0\r\n");
    for line in &lines {
        write!(text, "{line}\r\n").unwrap();
    }
    text + "\r\n" + &sdp
}

/// A header that leg B must not have, in one of many dresses; some are faults, most are not.
fn smuggled(dice: &mut Dice) -> String {
    let name = dice.of(&[
        "X-Bypass-me",
        "x-bypass-me",
        "P-Asserted-Identity",
        "P-Preferred-Identity",
        "Remote-Party-ID",
        "Diversion",
        "History-Info",
        "Identity",
        "y",
        "Alert-Info",
        "Call-Info",
        "Subject",
        "s",
        "Record-Route",
        "Route",
        "Referred-By",
        "b",
        "User-Agent",
        "Organization",
        "Priority",
        "Geolocation",
        "Accept-Contact",
        "a",
        "P-Charging-Vector",
        "Reason",
        "Server",
        "Warning",
        "Content-Disposition",
        "Supported",
        "k",
        "Allow",
        "P-Early-Media",
        "Content-Length",
        "Max-Forwards",
    ]);
    let colon = dice.of(&[":", " :", ": ", "\t: ", " : ", ":\r\n ", " :\r\n\t", ":\t"]);
    let value = dice.of(&[
        "smuggled",
        "<sip:smuggled@evil.example>",
        // Of a trusted trunk a name is believed.
        "\"shown\" <sip:smuggled@evil.example>;smuggled=1",
        "<sip:smuggled@evil.example>,\r\n <sip:smuggled2@evil.example>",
        "a\r\n\tX-Bypass: smuggled",
        "a\r\n X-Bypass: smuggled\r\n Content-Length: 0",
        "\"a\\\r\\\nX-Bypass: smuggled\"",
        "a\rX-Bypass: smuggled",
        "a\nX-Bypass: smuggled",
        "a%0d%0aX-Bypass:%20smuggled",
        "a\0smuggled",
        "0",
        "a\u{2028}X-Bypass: smuggled",
        "",
    ]);
    format!("{name}{colon}{value}")
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 33) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn of(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len())]
    }
}
