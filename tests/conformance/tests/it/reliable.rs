//! Progress that is acknowledged (RFC 3262), offers before the answer (RFC 3311), forks that talk early.

use bytes::Bytes;
use conformance::ladder::check;
use conformance::net::Net;
use sip::endpoint::{DialogId, Event};

use crate::calls::raw;
use crate::stage::*;

/// `INVITE` of a carrier that knows, or wants, reliable progress.
fn invite_with(header: &str) -> String {
    raw("INVITE", 1, "", "", "v=0 offer").replace("CSeq", &format!("{header}: 100rel\r\nCSeq"))
}

fn call_with(header: &str) -> (Net, usize, usize, DialogId) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &invite_with(header));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    while net.heard(carrier).is_some() {}
    net.story();
    (net, hub, carrier, ours)
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    text.split("\r\n").find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {name} in {text}"))
}

fn tag(text: &str) -> String {
    format!(";tag={}", header(text, "To").split("tag=").nth(1).unwrap())
}

fn prack(cseq: u32, progress: &str, rack: &str, body: &str) -> String {
    let text = raw("PRACK", cseq, &tag(progress), &format!("p{cseq}"), body);
    text.replace("Max-Forwards", &format!("RAck: {rack}\r\nMax-Forwards"))
}

#[test]
fn an_early_answer_is_repeated_until_its_prack_and_holds_the_200_back() {
    let (mut net, hub, carrier, ours) = call_with("Supported");
    net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(answer())));
    net.run_ms(1_600);
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    let progress = net.heard(carrier).unwrap();
    let rseq = header(&progress, "RSeq").to_string();
    assert_eq!(header(&progress, "Require"), "100rel");
    net.say(carrier, hub, &prack(2, &progress, &format!("{rseq} 1 INVITE"), ""));
    net.run_ms(20);
    check(
        &net.story(),
        "     20 box     -> carrier 183
             520 box     -> carrier 183
            1520 box     -> carrier 183
            1640 box     <- carrier PRACK
            1650 box     -> carrier 200
            1650 box     -> carrier 200",
    );
    let last: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
    let finals: Vec<&str> =
        last.iter().filter(|text| text.starts_with("SIP/2.0 200")).map(|text| header(text, "CSeq")).collect();
    assert_eq!(finals, ["2 PRACK", "1 INVITE"]);
}

#[test]
fn a_prack_that_names_nothing_of_ours_is_refused() {
    let (mut net, hub, carrier, ours) = call_with("Supported");
    net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(answer())));
    net.run_ms(20);
    let progress = net.heard(carrier).unwrap();
    let rseq: u32 = header(&progress, "RSeq").parse().unwrap();
    let table = [
        (format!("{} 1 INVITE", rseq + 1), "481"),
        (format!("{rseq} 2 INVITE"), "481"),
        (format!("{rseq} 1 UPDATE"), "481"),
        (format!("{rseq} 1"), "481"),
        (format!("{rseq} 1 INVITE x"), "481"),
        (format!("{rseq} 1 INVITE"), "200"),
        (format!("{rseq} 1 INVITE"), "481"),
    ];
    for (cseq, (rack, status)) in (2..).zip(table) {
        net.say(carrier, hub, &prack(cseq, &progress, &rack, ""));
        net.run_ms(20);
        let reply = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.contains("PRACK")).unwrap();
        assert!(reply.starts_with(&format!("SIP/2.0 {status}")), "{rack}: {reply}");
    }
}

#[test]
fn where_it_is_required_even_a_ringing_is_acknowledged_one_after_the_other() {
    let (mut net, hub, carrier, ours) = call_with("Require");
    net.with(hub, |hub, now| hub.provisional(now, ours, 180, None));
    net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(answer())));
    net.run_ms(20);
    let ringing = net.heard(carrier).unwrap();
    assert_eq!(net.heard(carrier), None);
    let first: u32 = header(&ringing, "RSeq").parse().unwrap();
    net.say(carrier, hub, &prack(2, &ringing, &format!("{first} 1 INVITE"), ""));
    net.run_ms(20);
    let next: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
    assert!(next[0].starts_with("SIP/2.0 200") && next[1].starts_with("SIP/2.0 183"), "{next:?}");
    assert_eq!(header(&next[1], "RSeq"), (first + 1).to_string());
    // RFC 3262 §3: after 64*T1 without a PRACK the call is given up.
    net.run_ms(33_000);
    let story = net.story();
    assert!(story.contains("box     -> carrier 504") && story.contains("box      * Ended Lost"), "{story}");
}

#[test]
fn a_caller_s_new_offer_before_the_answer_is_answered_in_its_own_transaction() {
    let (mut net, hub, carrier, ours) = call_with("Supported");
    net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(answer())));
    net.run_ms(20);
    let progress = net.heard(carrier).unwrap();
    // RFC 3311 §5.2: not while our answer may still be lost.
    net.say(carrier, hub, &raw("UPDATE", 2, &tag(&progress), "early", "v=0 offer"));
    net.run_ms(20);
    assert!(net.heard(carrier).unwrap().starts_with("SIP/2.0 500"));
    let rseq = header(&progress, "RSeq").to_string();
    net.say(carrier, hub, &prack(3, &progress, &format!("{rseq} 1 INVITE"), "v=0 offer"));
    net.run_ms(20);
    assert!(matches!(net.event(hub), Some(Event::Reoffer { sdp: Some(_), .. })), "{}", net.story());
    net.with(hub, |hub, now| hub.accept(now, ours, Bytes::from_static(b"v=0 second answer")));
    net.run_ms(20);
    let reply = net.heard(carrier).unwrap();
    assert!(header(&reply, "CSeq") == "3 PRACK" && reply.ends_with("v=0 second answer"), "{reply}");
    net.say(carrier, hub, &raw("UPDATE", 4, &tag(&progress), "", "v=0 offer"));
    net.run_ms(20);
    assert!(matches!(net.event(hub), Some(Event::Reoffer { sdp: Some(_), .. })), "{}", net.story());
    net.with(hub, |hub, now| hub.reject(now, ours, 488));
    net.run_ms(20);
    assert!(net.heard(carrier).unwrap().starts_with("SIP/2.0 488"));
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    assert!(header(&net.heard(carrier).unwrap(), "CSeq") == "1 INVITE", "the call itself is answered");
}

/// A response of the called side to our INVITE.
pub fn reply(invite: &str, status: &str, tag: &str, more: &str, body: &str) -> String {
    let keep = ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(invite, name))).concat();
    format!(
        "SIP/2.0 {status} X\r\n{keep}To: {};tag={tag}\r\nContact: <sip:{tag}@198.51.100.5:5060>\r\n{more}\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        header(invite, "To"),
        body.len()
    )
}

#[test]
fn each_fork_s_progress_is_acknowledged_in_its_own_dialog_and_the_late_one_is_ended() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "5550100", "100")));
    net.run_ms(20);
    let invite = net.heard(carrier).unwrap();
    let rel = |rseq: u32| format!("Require: 100rel\r\nRSeq: {rseq}\r\n");
    net.say(carrier, hub, &reply(&invite, "183", "a", &rel(7), "v=0 from a"));
    net.say(carrier, hub, &reply(&invite, "183", "b", &rel(100), "v=0 from b"));
    net.run_ms(20);
    let pracks: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
    let seen: Vec<(&str, &str, bool)> = pracks
        .iter()
        .map(|text| (header(text, "RAck"), header(text, "CSeq"), text.starts_with("PRACK sip:a@")))
        .collect();
    assert_eq!(seen, [("7 1 INVITE", "2 PRACK", true), ("100 1 INVITE", "2 PRACK", false)]);
    // The same again says nothing, nor does one out of order; the next is acknowledged.
    net.say(carrier, hub, &reply(&invite, "183", "a", &rel(7), "v=0 from a"));
    net.say(carrier, hub, &reply(&invite, "180", "a", &rel(9), ""));
    net.say(carrier, hub, &reply(&invite, "180", "a", &rel(8), ""));
    net.run_ms(20);
    let again: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
    assert_eq!(again.iter().map(|text| header(text, "RAck")).collect::<Vec<_>>(), ["8 1 INVITE"]);
    // Fork b answers without SDP: its early answer counts. Then fork a answers too: ACK and BYE.
    net.say(carrier, hub, &reply(&invite, "200", "b", "", ""));
    net.run_ms(20);
    let sdp = std::iter::from_fn(|| net.event(hub)).find_map(|event| match event {
        Event::Answered { sdp, .. } => Some(sdp),
        _ => None,
    });
    assert_eq!(sdp.as_deref(), Some(b"v=0 from b".as_slice()));
    let ack = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("ACK")).unwrap();
    assert!(ack.starts_with("ACK sip:b@") && header(&ack, "CSeq") == "1 ACK", "{ack}");
    net.say(carrier, hub, &reply(&invite, "200", "a", "", "v=0 from a"));
    net.run_ms(20);
    let ended: Vec<String> =
        std::iter::from_fn(|| net.heard(carrier)).filter(|text| !text.starts_with("PRACK")).collect();
    assert!(ended[0].starts_with("ACK sip:a@") && ended[1].starts_with("BYE sip:a@"), "{ended:?}");
    assert_eq!(header(&ended[1], "CSeq"), "4 BYE", "numbers go on after the two PRACKs");
}

#[test]
fn the_called_side_s_update_before_its_answer_is_answered() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "5550100", "100")));
    net.run_ms(20);
    let invite = net.heard(carrier).unwrap();
    let from = header(&invite, "From").to_string();
    let update = |cseq: u32, body: &str| {
        format!(
            "UPDATE sip:192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5:5060;branch=z9hG4bKup{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: {};tag=a\r\nTo: {from}\r\nCall-ID: {}\r\nCSeq: {cseq} UPDATE\r\n\
             Contact: <sip:a@198.51.100.5:5060>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            header(&invite, "To"),
            header(&invite, "Call-ID"),
            body.len()
        )
    };
    net.say(carrier, hub, &reply(&invite, "180", "a", "Require: 100rel\r\nRSeq: 1\r\n", ""));
    net.run_ms(20);
    net.say(carrier, hub, &update(1, "v=0 offer"));
    net.run_ms(20);
    let refused = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.contains("UPDATE")).unwrap();
    assert!(refused.starts_with("SIP/2.0 491"), "our offer is open: {refused}");
    net.say(carrier, hub, &reply(&invite, "183", "a", "Require: 100rel\r\nRSeq: 2\r\n", "v=0 early"));
    net.run_ms(20);
    forget_events(&mut net, hub);
    net.say(carrier, hub, &update(2, "v=0 offer"));
    net.run_ms(20);
    assert!(matches!(net.event(hub), Some(Event::Reoffer { .. })), "{}", net.story());
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    let told = std::iter::from_fn(|| net.heard(carrier)).last().unwrap();
    assert!(told.starts_with("SIP/2.0 200") && told.ends_with("v=0 answer"), "{told}");
    net.say(carrier, hub, &reply(&invite, "486", "a", "", ""));
    net.run_ms(20);
    assert!(matches!(net.event(hub), Some(Event::Failed { status: 486, .. })), "{}", net.story());
}

/// `INVITE` without an offer, of a carrier that knows, or wants, reliable progress.
fn call_without_offer(header: &str) -> (Net, usize, usize, DialogId) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let header = if header.is_empty() { String::new() } else { format!("{header}: 100rel\r\n") };
    net.say(carrier, hub, &raw("INVITE", 1, "", "", "").replace("CSeq", &format!("{header}CSeq")));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    while net.heard(carrier).is_some() {}
    net.story();
    (net, hub, carrier, ours)
}

/// RFC 3262 §5, RFC 3261 §13.2.1.
#[test]
fn an_offer_in_progress_is_answered_in_its_prack_and_the_200_says_no_more() {
    for header_name in ["Supported", "Require"] {
        let (mut net, hub, carrier, ours) = call_without_offer(header_name);
        net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(offer())));
        net.run_ms(20);
        let progress = net.heard(carrier).unwrap();
        assert!(header(&progress, "Require") == "100rel" && progress.ends_with("v=0 offer"), "{progress}");
        let rack = format!("{} 1 INVITE", header(&progress, "RSeq"));
        // Without an answer it acknowledges nothing, and our answer to the call waits for it.
        net.say(carrier, hub, &prack(2, &progress, &rack, ""));
        net.with(hub, |hub, now| hub.accept(now, ours, offer()));
        net.run_ms(20);
        net.say(carrier, hub, &prack(3, &progress, &rack, "v=0 answer"));
        net.run_ms(20);
        let said: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
        let brief: Vec<(&str, &str)> = said.iter().map(|text| (&text[8..11], header(text, "CSeq"))).collect();
        assert_eq!(brief, [("400", "2 PRACK"), ("200", "3 PRACK"), ("200", "1 INVITE")]);
        assert!(said[2].ends_with("Content-Length: 0\r\n\r\n"), "one offer, one answer: {}", said[2]);
        assert!(matches!(net.event(hub), Some(Event::EarlyAnswered { sdp, .. }) if sdp == answer()));
        net.say(carrier, hub, &raw("ACK", 1, &tag(&said[2]), "ack", ""));
        net.run_ms(20);
        assert!(matches!(net.event(hub), Some(Event::Confirmed { sdp: None, .. })), "{}", net.story());
        check(
            &net.story(),
            "      20 box     -> carrier 183
               40 box     <- carrier PRACK
               50 box     -> carrier 400
               60 box     <- carrier PRACK
               70 box      * EarlyAnswered
               70 box     -> carrier 200
               70 box     -> carrier 200
               80 box     <- carrier ACK
               90 box      * Confirmed",
        );
    }
}

#[test]
fn an_offer_in_progress_is_repeated_and_a_call_without_its_answer_is_given_up() {
    let (mut net, hub, carrier, ours) = call_without_offer("Supported");
    net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(offer())));
    net.run_ms(33_000);
    let heard: Vec<String> = std::iter::from_fn(|| net.heard(carrier)).collect();
    let offers = heard.iter().filter(|text| text.starts_with("SIP/2.0 183") && text.ends_with("v=0 offer")).count();
    assert!((6..=8).contains(&offers), "T1, doubled each time, until 64*T1: {offers}");
    assert!(heard.last().unwrap().starts_with("SIP/2.0 504"), "{heard:?}");
    ends_once(&mut net, hub);
}

#[test]
fn who_acknowledges_no_progress_has_no_offer_in_it() {
    let (mut net, hub, carrier, ours) = call_without_offer("");
    net.with(hub, |hub, now| hub.provisional(now, ours, 183, Some(offer())));
    net.run_ms(20);
    let progress = net.heard(carrier).unwrap();
    assert!(progress.starts_with("SIP/2.0 183") && progress.ends_with("Content-Length: 0\r\n\r\n"), "{progress}");
    net.with(hub, |hub, now| hub.accept(now, ours, offer()));
    net.run_ms(20);
    assert!(net.heard(carrier).unwrap().ends_with("v=0 offer"), "the 2xx brings it");
}
