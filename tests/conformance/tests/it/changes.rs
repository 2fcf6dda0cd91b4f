//! What changes within a dialog: hold, glare, UPDATE, keys, transfers.

use bytes::Bytes;
use conformance::ladder::check;
use conformance::net::Net;
use sip::endpoint::Event;

use crate::calls::raw;
use crate::stage::*;

#[test]
fn a_re_invite_puts_the_peer_on_hold_and_its_answer_comes_back() {
    let (mut net, hub, carrier) = box_and_carrier();
    let (ours, theirs) = talking(&mut net, hub, carrier);
    net.with(hub, |hub, now| hub.reinvite(now, ours, Bytes::from_static(b"v=0 sendonly")));
    net.run_ms(20);
    net.with(carrier, |carrier, now| carrier.accept(now, theirs, Bytes::from_static(b"v=0 recvonly")));
    net.run_ms(40);
    check(
        &net.story(),
        "   120 box     -> carrier INVITE
            130 carrier  * Reoffer sdp
            130 box     <- carrier 100
            140 box     <- carrier 200
            150 box      * Reanswered sdp
            150 box     -> carrier ACK",
    );
    net.with(carrier, |carrier, now| carrier.reinvite(now, theirs, offer()));
    net.run_ms(20);
    net.with(hub, |hub, now| hub.reject(now, ours, 488));
    net.run_ms(40);
    check(
        &net.story(),
        "   180 box     <- carrier INVITE
            190 box      * Reoffer sdp
            190 box     -> carrier 100
            200 box     -> carrier 488
            210 carrier  * Reanswered
            210 box     <- carrier ACK",
    );
}

#[test]
fn two_offers_that_cross_are_both_refused_and_tried_again_one_by_one() {
    let (mut net, hub, carrier) = box_and_carrier();
    let (ours, theirs) = talking(&mut net, hub, carrier);
    net.with(hub, |hub, now| hub.reinvite(now, ours, offer()));
    net.with(carrier, |carrier, now| carrier.reinvite(now, theirs, offer()));
    net.run_ms(40);
    check(
        &net.story(),
        "   120 box     -> carrier INVITE
            120 box     <- carrier INVITE
            130 box     <- carrier 491
            130 box     -> carrier 491
            140 box     -> carrier ACK
            140 box     <- carrier ACK",
    );
    // RFC 3261 §14.1: the callee tries again within 2 s, the caller between 2.1 and 4 s.
    net.run_ms(2_000);
    assert!(net.story().contains("box      * Reoffer sdp"));
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(2_100);
    assert!(net.story().contains("carrier  * Reoffer sdp"));
    net.with(carrier, |carrier, now| carrier.accept(now, theirs, answer()));
    net.run_ms(100);
    assert!(net.story().contains("box      * Reanswered sdp"));
}

#[test]
fn an_update_with_an_offer_is_answered_and_one_without_is_a_refresh() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let tag = raw_call(&mut net, hub, carrier);
    net.say(carrier, hub, &raw("UPDATE", 2, &tag, "", ""));
    net.run_ms(20);
    net.say(carrier, hub, &raw("UPDATE", 3, &tag, "", "v=0 offer"));
    net.run_ms(20);
    let Some(Event::Reoffer { dialog, sdp: Some(_) }) = net.event(hub) else { panic!("{}", net.story()) };
    net.with(hub, |hub, now| hub.accept(now, dialog, answer()));
    net.run_ms(700);
    check(
        &net.story(),
        "    60 box     <- carrier UPDATE
             70 box     -> carrier 200
             80 box     <- carrier UPDATE
             90 box      * Reoffer sdp
            100 box     -> carrier 200",
    );
}

#[test]
fn keys_come_by_info_and_unknown_bodies_are_refused() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let tag = raw_call(&mut net, hub, carrier);
    let mut cseq = 1;
    let mut check = |body: &str, media: &str, status: &str, digit: Option<char>| {
        cseq += 1;
        let text = raw("INFO", cseq, &tag, "", body).replace("application/sdp", media);
        net.say(carrier, hub, &text);
        net.run_ms(20);
        let reply = net.heard(carrier).unwrap();
        assert!(reply.starts_with(&format!("SIP/2.0 {status}")), "{body:?} {reply}");
        let heard = match net.event(hub) {
            Some(Event::Digit { digit, .. }) => Some(digit),
            _ => None,
        };
        assert_eq!(heard, digit, "{body:?}");
    };
    check("Signal=5\r\nDuration=160\r\n", "application/dtmf-relay", "200", Some('5'));
    check("Signal= 11\r\n", "application/dtmf-relay", "200", Some('#'));
    check("*", "application/dtmf", "200", Some('*'));
    check("Signal=x\r\n", "application/dtmf-relay", "415", None);
    check("<media_control/>", "application/media_control+xml", "415", None);
    check("", "application/sdp", "200", None);
}

#[test]
fn a_blind_transfer_is_accepted_and_its_outcome_told() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let tag = raw_call(&mut net, hub, carrier);
    let refer = |cseq, to: &str| raw("REFER", cseq, &tag, "", "").replace("CSeq", &format!("Refer-To: {to}\r\nCSeq"));
    net.say(carrier, hub, &refer(2, "<sip:102@branch-a.example>"));
    net.run_ms(20);
    let Some(Event::Referred { dialog, target, replaces: None }) = net.event(hub) else { panic!("{}", net.story()) };
    assert_eq!(target, "102");
    net.with(hub, |hub, now| hub.refer_accept(now, dialog));
    net.run_ms(20);
    let accepted = net.heard(carrier).unwrap();
    let trying = net.heard(carrier).unwrap();
    assert!(accepted.starts_with("SIP/2.0 202"), "{accepted}");
    assert!(
        trying.contains("Event: refer;id=2\r\nSubscription-State: active")
            && trying.ends_with("SIP/2.0 100 Trying\r\n")
    );
    net.with(hub, |hub, now| hub.refer_outcome(now, dialog, 200));
    net.run_ms(20);
    let told = net.heard(carrier).unwrap();
    assert!(told.contains("terminated") && told.ends_with("SIP/2.0 200 OK\r\n"), "{told}");
    for (cseq, target, status) in [
        (3, "<sip:102@h?Replaces=x>", "603"),
        (4, "<sip:102@h?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db>", "481"),
        (5, "102", "400"),
        (6, "<sip:h>", "400"),
    ] {
        net.say(carrier, hub, &refer(cseq, target));
        net.run_ms(20);
        let reply = std::iter::from_fn(|| net.heard(carrier)).last().unwrap();
        assert!(reply.starts_with(&format!("SIP/2.0 {status}")), "{target} {reply}");
    }
}

#[test]
fn a_request_out_of_order_is_refused_and_changes_nothing() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let tag = raw_call(&mut net, hub, carrier);
    for (cseq, to, expected) in [(1, tag.as_str(), "500"), (9, ";tag=other", "481"), (9, tag.as_str(), "200")] {
        net.say(carrier, hub, &raw("BYE", cseq, to, to, ""));
        net.run_ms(20);
        let reply = net.heard(carrier).unwrap();
        assert!(reply.starts_with(&format!("SIP/2.0 {expected}")), "{cseq} {to} {reply}");
    }
}

/// A call from a hand-written carrier, acknowledged; `;tag=…` of ours.
fn raw_call(net: &mut Net, hub: usize, carrier: usize) -> String {
    net.say(carrier, hub, &raw("INVITE", 1, "", "", "v=0 offer"));
    net.run_ms(20);
    let ours = invited(net, hub);
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    let ok = std::iter::from_fn(|| net.heard(carrier)).last().unwrap();
    let tag = ok.split("tag=").nth(2).unwrap().split("\r\n").next().unwrap();
    let tag = format!(";tag={tag}");
    net.say(carrier, hub, &raw("ACK", 1, &tag, "ack", ""));
    net.run_ms(20);
    forget_events(net, hub);
    net.story();
    tag
}
