//! What each kind of trunk may say of the caller, header by header (S-12).

use bytes::Bytes;

use super::*;
use crate::front::{self, Carrier, Opened};
use crate::message::Message;

#[test]
fn a_caller_is_who_the_trunk_may_say() {
    // Headers beside `From: "Bob" <sip:555@…>`, who it is from a stranger, and from a trusted trunk.
    let table: [(&[&str], &str, &str); 12] = [
        (&[], "Bob 555", "Bob 555"),
        (&["P-Asserted-Identity: \"Ann\" <sip:+8610777@c.example;user=phone>"], "Bob 555", "Ann +8610777"),
        (&["P-Asserted-Identity: <tel:+8610777>, <sip:888@c.example>"], "Bob 555", "+8610777"),
        (&["P-Asserted-Identity: <sip:c.example>", "P-Asserted-Identity: <sip:888@c.example>"], "Bob 555", "888"),
        (&["P-Asserted-Identity: nonsense <<"], "Bob 555", "Bob 555"),
        (&["Remote-Party-ID: <sip:999@c.example>;party=calling;screen=yes"], "Bob 555", "999"),
        (&["Remote-Party-ID: <sip:1@c.example>;party=called, <sip:2@c.example>"], "Bob 555", "2"),
        (&["Remote-Party-ID: <sip:999@c.example>;privacy=full"], "Bob 555", "anonymous withheld"),
        (&["P-Asserted-Identity: <tel:777>", "Remote-Party-ID: <sip:999@c.example>"], "Bob 555", "777"),
        (&["P-Asserted-Identity: <tel:777>", "Privacy: id"], "anonymous withheld", "anonymous withheld"),
        (&["Privacy: none"], "Bob 555", "Bob 555"),
        (&["privacy: critical;USER"], "anonymous withheld", "anonymous withheld"),
    ];
    for (lines, stranger, trusted) in table {
        let head = head("\"Bob\" <sip:555@c.example>;tag=1", lines);
        assert_eq!(said(&caller(&head, false)), stranger, "{lines:?} of a stranger");
        assert_eq!(said(&caller(&head, true)), trusted, "{lines:?} of a trusted trunk");
    }
}

#[test]
fn who_is_anonymous_is_known_to_nobody_but_by_assertion() {
    let from = "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1";
    assert_eq!(said(&caller(&head(from, &[]), true)), "anonymous");
    assert_eq!(said(&caller(&head(from, &["P-Asserted-Identity: <tel:777>"]), true)), "777");
    assert_eq!(said(&caller(&head(from, &["P-Asserted-Identity: <tel:777>"]), false)), "anonymous");
}

#[test]
fn the_way_of_a_call_is_read_from_either_header() {
    let way = |lines: &[&str]| diverted(&head("<sip:5@c.example>;tag=1", lines)).map(|d| (d.from, d.why, d.hops));
    let one = |from: &str, why, hops| Some((from.to_string(), why, hops));
    assert_eq!(way(&[]), None);
    assert_eq!(way(&["Diversion: <sip:701@c.example>;reason=user-busy"]), one("701", DivertedFor::Busy, 1));
    let two = ["Diversion: <tel:702>;reason=\"no-answer\";counter=2, <sip:701@c.example>;reason=unconditional"];
    assert_eq!(way(&two), one("701", DivertedFor::Always, 3));
    let history = ["History-Info: <sip:701@c.example>;index=1, <sip:702@c.example;cause=408>;index=1.1;mp=1"];
    assert_eq!(way(&history), one("701", DivertedFor::NoAnswer, 1));
    assert_eq!(way(&["History-Info: <sip:701@c.example>;index=1"]), None, "it came straight");
    assert_eq!(way(&["Diversion: rubbish, <"]), None);
}

#[test]
fn a_long_way_is_read_to_its_limit() {
    let hops = vec!["<sip:701@c.example>;counter=4294967295"; 40].join(", ");
    let read = diverted(&head("<sip:5@c.example>;tag=1", &[&format!("Diversion: {hops}")])).unwrap();
    assert_eq!((read.from.as_str(), read.hops), ("701", 255));
}

#[test]
fn early_media_is_let_through_by_what_the_other_side_may_send() {
    let lets = |line: &str| lets_early_media(&head("<sip:5@c.example>;tag=1", &[&format!("P-Early-Media: {line}")]));
    for (line, expected) in [("sendrecv", true), ("gated, SENDONLY", true), ("recvonly", false), ("inactive", false)] {
        assert_eq!(lets(line), expected, "{line}");
    }
    assert!(!lets_early_media(&head("<sip:5@c.example>;tag=1", &[])));
}

fn said(caller: &Caller) -> String {
    let withheld = caller.withheld.then(|| "withheld".to_string());
    [caller.name.clone(), Some(caller.user.clone()), withheld].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn head(from: &str, lines: &[&str]) -> Head {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!(
        "INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:5@192.0.2.2>\r\n{lines}Content-Length: 0\r\n\r\n"
    );
    match front::open(&Bytes::from(text), Carrier::Datagram, 65_535) {
        Opened::Message(message) => match *message {
            Message::Request(request) => request.head,
            Message::Response(_) => panic!("a response"),
        },
        _ => panic!("refused"),
    }
}
