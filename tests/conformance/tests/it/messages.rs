//! MESSAGE between phones (RFC 3428): who may send what to whom, and what the sender hears.

use conformance::ladder::check;
use conformance::net::Net;
use sip::page::{BODY_BYTES_MAX, PAGES_PER_PHONE_MAX};

use crate::calls::raw;
use crate::hand::{Hand, Say, answer, body, header, status};
use crate::stage::*;

const TEXT: &str = "Content-Type: text/plain\r\n";

/// Phone 100 (two contacts) and phone 102, all registered; the box.
fn stage() -> (Net, usize, Hand, Hand, Hand) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let mut sender = Hand::new(&mut net, "102", PHONE2);
    let mut first = Hand::new(&mut net, "100", PHONE);
    let mut second = Hand::new(&mut net, "100", "192.0.2.12:5070");
    for hand in [&mut sender, &mut first, &mut second] {
        hand.register(&mut net, hub);
    }
    net.story();
    (net, hub, sender, first, second)
}

fn say<'a>(to: &'a str, body: &'a str) -> Say<'a> {
    Say { method: "MESSAGE", to, more: TEXT, body }
}

#[test]
fn a_message_reaches_every_contact_and_the_first_yes_is_the_answer() {
    let (mut net, hub, mut sender, first, second) = stage();
    let proof = sender.proof(&mut net, hub, "MESSAGE");
    let text = sender.text(say("100", "Lunch?"), &proof);
    let named = text.replace("From: ", "From: \"Ann \\\"A\\\"\" ").replace("CSeq", "X-Secret: planted\r\nCSeq");
    net.story();
    net.say(sender.node, hub, &named);
    net.run_ms(20);
    let (at_first, at_second) = (first.heard(&mut net).remove(0), second.heard(&mut net).remove(0));
    net.say(first.node, hub, &answer(&at_first, "486", ""));
    net.run_ms(20);
    net.say(second.node, hub, &answer(&at_second, "200", ""));
    net.run_ms(20);
    check(
        &net.story(),
        " 140 box     <- 102     MESSAGE
          150 box     -> 100     MESSAGE
          150 box     -> 100     MESSAGE
          160 box     <- 100     486
          180 box     <- 100     200
          190 box     -> 102     200",
    );
    assert_eq!(body(&at_first), "Lunch?");
    assert_eq!(header(&at_first, "Content-Type"), "text/plain;charset=utf-8");
    assert!(header(&at_first, "From").starts_with("\"Ann \\\"A\\\"\" <sip:102@branch-a.example>;tag="), "{at_first}");
    let names: Vec<&str> =
        at_first.split("\r\n").skip(1).filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    // RFC 3428 §4: no Contact. S-09: nothing is copied.
    let expected =
        ["Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq", "User-Agent", "Content-Type", "Content-Length"];
    assert_eq!(names, expected, "{at_first}");
}

#[test]
fn a_contact_s_refusal_is_told_as_what_it_means_to_the_sender() {
    for (refusals, expected) in [
        (["486", "480"], "486"),
        (["603", "486"], "603"),
        (["415", "415"], "415"),
        (["302", "302"], "480"),
        (["401", "407"], "480"),
        (["503", "408"], "480"),
    ] {
        let (mut net, hub, mut sender, first, second) = stage();
        let proof = sender.proof(&mut net, hub, "MESSAGE");
        let text = sender.text(say("100", "Lunch?"), &proof);
        net.say(sender.node, hub, &text);
        net.run_ms(20);
        for (hand, refusal) in [&first, &second].into_iter().zip(refusals) {
            let heard = hand.heard(&mut net).remove(0);
            net.say(hand.node, hub, &answer(&heard, refusal, "Contact: <sip:9@evil.example>\r\n"));
            net.run_ms(20);
        }
        let heard = sender.heard(&mut net);
        assert_eq!(heard.iter().map(|text| status(text)).collect::<Vec<_>>(), [expected], "{refusals:?}");
    }
}

#[test]
fn silence_is_answered_before_the_sender_gives_up_by_itself() {
    let (mut net, hub, mut sender, _, _) = stage();
    let proof = sender.proof(&mut net, hub, "MESSAGE");
    let text = sender.text(say("100", "Lunch?"), &proof);
    net.say(sender.node, hub, &text);
    net.run_ms(24_900);
    assert!(sender.heard(&mut net).is_empty());
    net.run_ms(200);
    assert_eq!(sender.heard(&mut net).iter().map(|text| status(text)).collect::<Vec<_>>(), ["480"]);
    net.run_ms(60_000);
    assert_eq!(net.with(hub, |hub, _| hub.load().transactions), 0);
}

#[test]
fn what_cannot_be_said_or_not_to_them_is_refused_by_its_name() {
    let (mut net, hub, mut sender, first, _) = stage();
    let long = "x".repeat(BODY_BYTES_MAX + 1);
    let longest = "x".repeat(BODY_BYTES_MAX);
    let html = "Content-Type: text/html\r\n";
    let latin = "Content-Type: text/plain;charset=iso-8859-1\r\n";
    let zipped = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\n";
    let required = "Content-Type: text/plain\r\nRequire: privacy-of-fish\r\n";
    for (to, more, body, expected) in [
        ("999", TEXT, "x", "404"),
        ("101", TEXT, "x", "480"),
        ("100", TEXT, long.as_str(), "413"),
        ("100", html, "x", "415"),
        ("100", latin, "x", "415"),
        ("100", zipped, "x", "415"),
        ("100", "", "x", "415"),
        ("100", TEXT, "", "400"),
        ("100", required, "x", "420"),
    ] {
        let reply = sender.ask(&mut net, hub, Say { method: "MESSAGE", to, more, body });
        assert_eq!(status(&reply), expected, "{to} {more} {reply}");
        if expected == "415" {
            assert_eq!(header(&reply, "Accept"), "text/plain");
        }
        assert!(first.heard(&mut net).is_empty(), "{to} {more}");
    }
    let proof = sender.proof(&mut net, hub, "MESSAGE");
    let forged = sender.text(say("100", "I am 101"), &proof).replace("From: <sip:102@", "From: <sip:101@");
    assert_eq!(status(&sender.put(&mut net, hub, &forged)), "403");
    let proof = sender.proof(&mut net, hub, "MESSAGE");
    let elsewhere =
        sender.text(say("100", "x"), &proof).replace("sip:100@branch-a.example SIP", "sip:100@evil.example SIP");
    assert_eq!(status(&sender.put(&mut net, hub, &elsewhere)), "404");
    assert!(first.heard(&mut net).is_empty());
    // The longest is carried.
    let proof = sender.proof(&mut net, hub, "MESSAGE");
    let text = sender.text(say("100", &longest), &proof);
    net.say(sender.node, hub, &text);
    net.run_ms(20);
    assert_eq!(body(&first.heard(&mut net)[0]), longest);
}

#[test]
fn a_trunk_sends_no_message_and_gets_none() {
    let (mut net, hub, mut sender, _, _) = stage();
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &raw("MESSAGE", 1, "", "", "spam").replace("5550100@", "100@"));
    net.run_ms(20);
    assert_eq!(status(&net.heard(carrier).unwrap()), "403");
    let reply = sender.ask(&mut net, hub, say("+15550100", "x"));
    assert_eq!(status(&reply), "404");
    assert_eq!(net.heard(carrier), None);
}

#[test]
fn a_phone_has_so_many_messages_on_their_way_and_no_more() {
    let (mut net, hub, mut sender, first, _) = stage();
    for _ in 0..PAGES_PER_PHONE_MAX {
        let proof = sender.proof(&mut net, hub, "MESSAGE");
        let text = sender.text(say("100", "x"), &proof);
        net.say(sender.node, hub, &text);
    }
    let reply = sender.ask(&mut net, hub, say("100", "x"));
    assert_eq!((status(&reply), header(&reply, "Retry-After")), ("503", "5"));
    let heard = first.heard(&mut net).remove(0);
    net.say(first.node, hub, &answer(&heard, "200", ""));
    net.run_ms(20);
    let proof = sender.proof(&mut net, hub, "MESSAGE");
    let text = sender.text(say("100", "again"), &proof);
    net.say(sender.node, hub, &text);
    net.run_ms(20);
    assert!(first.heard(&mut net).iter().any(|text| body(text) == "again"));
}
