//! Calls that go well, both ways.

use bytes::Bytes;
use conformance::ladder::check;
use sip::endpoint::{Event, Input, Source, Transport};

use crate::stage::*;

#[test]
fn a_call_to_a_phone_rings_is_answered_and_ended_by_the_phone() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.provisional(now, theirs, 180, None));
    net.run_ms(20);
    net.with(phone, |phone, now| phone.accept(now, theirs, answer()));
    net.run_ms(40);
    net.with(phone, |phone, now| phone.end(now, theirs));
    net.run_ms(100);
    check(
        &net.story(),
        "   100 box     -> phone   INVITE
            110 phone    * Invited 200 to 100 sdp
            110 box     <- phone   100
            120 box     <- phone   180
            130 box      * Progress 180
            140 box     <- phone   200
            150 box      * Answered
            150 box     -> phone   ACK
            160 phone    * Confirmed
            180 phone    * Ended Us
            180 box     <- phone   BYE
            190 box      * Ended Peer
            190 box     -> phone   200",
    );
    ends_once(&mut net, hub);
    ends_once(&mut net, phone);
}

#[test]
fn a_phone_that_calls_is_challenged_once_and_known_by_its_user() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let theirs = net.with(phone, |phone, now| phone.invite(now, to_trunk("box", "5550100", "100")));
    net.run_ms(60);
    let event = net.event(hub);
    let Some(Event::Invited { dialog, invited }) = event else { panic!("{event:?} {}", net.story()) };
    assert_eq!(invited.source, Source::Phone("100".to_string()));
    assert_eq!((invited.to.as_str(), invited.from.as_str(), invited.sdp), ("5550100", "100", Some(offer())));
    net.with(hub, |hub, now| hub.provisional(now, dialog, 183, Some(answer())));
    net.run_ms(20);
    net.with(hub, |hub, now| hub.accept(now, dialog, answer()));
    net.run_ms(40);
    net.with(phone, |phone, now| phone.end(now, theirs));
    net.run_ms(60);
    check(
        &net.story(),
        "   100 box     <- phone   INVITE
            110 box     -> phone   401
            120 box     <- phone   ACK
            120 box     <- phone   INVITE
            130 box      * Invited 100 to 5550100 sdp
            130 box     -> phone   100
            160 box     -> phone   183
            170 phone    * Progress 183 sdp
            170 box     <- phone   PRACK
            180 box     -> phone   200
            180 box     -> phone   200
            190 phone    * Answered
            190 box     <- phone   ACK
            200 box      * Confirmed
            220 phone    * Ended Us
            220 box     <- phone   BYE
            230 box      * Ended Peer
            230 box     -> phone   200",
    );
}

#[test]
fn a_call_over_a_trunk_goes_both_ways_without_a_challenge() {
    let (mut net, hub, carrier) = box_and_carrier();
    let theirs = net.with(carrier, |carrier, now| carrier.invite(now, to_trunk("box", "5550100", "+1555")));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(40);
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(40);
    check(
        &net.story(),
        "     0 box     <- carrier INVITE
             10 box      * Invited +1555 to 5550100 sdp
             10 box     -> carrier 100
             20 box     -> carrier 200
             30 carrier  * Answered
             30 box     <- carrier ACK
             40 box      * Confirmed
             60 box      * Ended Us
             60 box     -> carrier BYE
             70 carrier  * Ended Peer
             70 box     <- carrier 200",
    );
    let _ = theirs;
}

#[test]
fn every_phone_contact_rings_and_the_first_to_answer_has_the_call() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let second = net.endpoint("second", PHONE2, phone_config("100", PHONE2, Transport::Udp));
    net.run_ms(100);
    forget_events(&mut net, hub);
    net.story();
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let (first_rings, second_rings) = (invited(&mut net, phone), invited(&mut net, second));
    net.with(phone, |phone, now| phone.provisional(now, first_rings, 180, None));
    net.with(second, |phone, now| phone.provisional(now, second_rings, 180, None));
    net.run_ms(20);
    net.with(second, |phone, now| phone.accept(now, second_rings, answer()));
    net.run_ms(100);
    check(
        &net.story(),
        "   200 box     -> phone   INVITE
            200 box     -> second  INVITE
            210 phone    * Invited 200 to 100 sdp
            210 box     <- phone   100
            210 second   * Invited 200 to 100 sdp
            210 box     <- second  100
            220 box     <- phone   180
            220 box     <- second  180
            230 box      * Progress 180
            230 box      * Progress 180
            240 box     <- second  200
            250 box      * Answered
            250 box     -> phone   CANCEL
            250 box     -> second  ACK
            260 phone    * Ended Peer
            260 box     <- phone   200
            260 box     <- phone   487
            260 second   * Confirmed
            270 box     -> phone   ACK",
    );
}

#[test]
fn a_call_without_an_offer_gets_ours_and_answers_in_the_ack() {
    let mut net = conformance::net::Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &raw("INVITE", 1, "", "", ""));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    net.with(hub, |hub, now| hub.accept(now, ours, offer()));
    net.run_ms(20);
    let ok = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("SIP/2.0 200")).unwrap();
    assert!(ok.ends_with("v=0 offer"), "{ok}");
    let to_tag = ok.split("tag=").nth(2).unwrap().split("\r\n").next().unwrap();
    net.say(carrier, hub, &raw("ACK", 1, &format!(";tag={to_tag}"), "ack", "v=0 answer"));
    net.run_ms(20);
    let event = net.event(hub);
    assert!(matches!(&event, Some(Event::Confirmed { sdp: Some(sdp), .. }) if sdp == "v=0 answer"), "{event:?}");
}

#[test]
fn tcp_byte_by_byte_makes_the_same_call() {
    let (mut net, hub, phone) = {
        let mut net = conformance::net::Net::new();
        net.piece = 1;
        let hub = net.endpoint("box", BOX, box_config());
        let phone = net.endpoint("phone", PHONE, phone_config("100", PHONE, Transport::Tcp));
        net.run_ms(100);
        net.story();
        (net, hub, phone)
    };
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.accept(now, theirs, answer()));
    net.run_ms(60);
    net.with(phone, |phone, now| phone.end(now, theirs));
    net.run_ms(60);
    check(
        &net.story(),
        "   100 box     -> phone   INVITE
            110 phone    * Invited 200 to 100 sdp
            110 box     <- phone   100
            120 box     <- phone   200
            130 box      * Answered
            130 box     -> phone   ACK
            140 phone    * Confirmed
            180 phone    * Ended Us
            180 box     <- phone   BYE
            190 box      * Ended Peer
            190 box     -> phone   200",
    );
}

#[test]
fn a_broken_connection_ends_the_call_and_the_binding() {
    let (mut net, hub, phone) = box_and_phone(Transport::Tcp);
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.accept(now, theirs, answer()));
    net.run_ms(60);
    net.story();
    net.cut_connections();
    let story = net.story();
    assert!(story.contains("box      * Ended Lost") && story.contains("box      * Unregistered 100"), "{story}");
    assert!(net.with(hub, |hub, _| hub.bindings("100").is_empty()));
}

#[test]
fn a_caller_s_identity_is_asserted_by_a_trusted_trunk_only() {
    let mut net = conformance::net::Net::new();
    let mut config = box_config();
    config.trunks.get_mut("carrier").unwrap().rules.trusted = true;
    let hub = net.endpoint("box", BOX, config);
    let carrier = net.talker("carrier", CARRIER);
    let text = raw("INVITE", 1, "", "", "v=0 offer")
        .replace("CSeq", "P-Asserted-Identity: \"Ann\" <tel:+1555>\r\nX-Secret: planted\r\nCSeq");
    net.say(carrier, hub, &text);
    net.run_ms(20);
    let Some(Event::Invited { invited, .. }) = net.event(hub) else { panic!() };
    assert_eq!((invited.from.as_str(), invited.from_name.as_deref()), ("+1555", Some("Ann")));
}

#[test]
fn no_header_of_one_leg_reaches_the_other() {
    let mut net = conformance::net::Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let mut invite = to_trunk("carrier", "555;x=y\r\nX-Evil: 1", "1\r\nX-Evil: 2");
    invite.from_name = Some("Eve\r\nX-Evil: \"3\"".to_string());
    net.with(hub, |hub, now| hub.invite(now, invite));
    net.run_ms(20);
    let text = net.heard(carrier).unwrap();
    let names: Vec<&str> =
        text.split("\r\n").skip(1).filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    let expected = [
        "Via",
        "Max-Forwards",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "User-Agent",
        "Allow",
        "Supported",
        "Session-Expires",
        "Min-SE",
        "Content-Type",
        "Content-Length",
    ];
    assert_eq!(names, expected, "{text}");
    assert!(text.contains("From: \"Eve  X-Evil: \\\"3\\\"\" <sip:1%0D%0AX-Evil%3A%202@branch-a.example>"), "{text}");
}

#[test]
fn options_are_answered_to_anybody_without_state() {
    let mut net = conformance::net::Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let stranger = net.talker("stranger", "203.0.113.9:5060");
    net.say(stranger, hub, &raw("OPTIONS", 1, "", "", ""));
    net.run_ms(20);
    let text = net.heard(stranger).unwrap();
    assert!(text.starts_with("SIP/2.0 200 OK\r\n") && text.contains("Allow: INVITE, ACK"), "{text}");
    net.input(
        hub,
        Input::Received {
            flow: sip::endpoint::Flow {
                transport: Transport::Udp,
                local: BOX.parse().unwrap(),
                remote: "203.0.113.9:5060".parse().unwrap(),
                connection: 0,
            },
            bytes: Bytes::from_static(b"\r\n\r\n"),
        },
    );
    net.run_ms(20);
    assert_eq!(net.heard(stranger), None);
}

/// A request as a carrier writes it by hand.
pub fn raw(method: &str, cseq: u32, to_params: &str, branch: &str, body: &str) -> String {
    format!(
        "{method} sip:5550100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5:5060;rport;branch=z9hG4bK{method}{cseq}{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:+1999@carrier.example>;tag=raw\r\nTo: <sip:5550100@192.0.2.1>{to_params}\r\n\
         Call-ID: raw-call\r\nCSeq: {cseq} {method}\r\nContact: <sip:198.51.100.5:5060>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
