//! Requests that cross on the wire, and what a dialog owes to those that come at a bad moment.

use conformance::ladder::check;
use conformance::net::Net;
use sip::endpoint::{DialogId, Event};

use crate::calls::raw;
use crate::hand::{header, status};
use crate::stage::*;

/// The carrier's INVITE by hand, let in; the box's dialog.
fn invited_by_hand(with: &str) -> (Net, usize, usize, DialogId) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &raw("INVITE", 1, "", "", "v=0 offer").replace("CSeq", &format!("{with}CSeq")));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    (net, hub, carrier, ours)
}

fn heard(net: &mut Net, carrier: usize) -> Vec<String> {
    std::iter::from_fn(|| net.heard(carrier)).collect()
}

fn tag(reply: &str) -> String {
    format!(";tag={}", header(reply, "To").split("tag=").nth(1).unwrap())
}

/// Answered and acknowledged; the To parameter of its requests.
fn talking_by_hand() -> (Net, usize, usize, DialogId, String) {
    let (mut net, hub, carrier, ours) = invited_by_hand("");
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    let tag = tag(heard(&mut net, carrier).last().unwrap());
    net.say(carrier, hub, &raw("ACK", 1, &tag, "ack", ""));
    net.run_ms(20);
    forget_events(&mut net, hub);
    net.story();
    (net, hub, carrier, ours, tag)
}

#[test]
fn the_caller_s_timestamp_comes_back_in_the_100() {
    // RFC 3261 §8.2.6.1.
    let (mut net, _, carrier, _) = invited_by_hand("Timestamp: 54.2\r\n");
    assert_eq!(header(&heard(&mut net, carrier)[0], "Timestamp"), "54.2");
    let (mut net, _, carrier, _) = invited_by_hand("");
    assert!(!heard(&mut net, carrier)[0].contains("Timestamp"));
}

#[test]
fn a_cancel_that_comes_after_the_200_changes_nothing() {
    // RFC 3261 §9.2: 200 to the CANCEL, and the call goes on.
    let (mut net, hub, carrier, ours) = invited_by_hand("");
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.story();
    net.say(carrier, hub, &raw("CANCEL", 1, "", "", "").replace("branch=z9hG4bKCANCEL", "branch=z9hG4bKINVITE"));
    net.run_ms(20);
    let tag =
        tag(heard(&mut net, carrier).iter().find(|text| text.contains("1 INVITE") && status(text) == "200").unwrap());
    net.say(carrier, hub, &raw("ACK", 1, &tag, "ack", ""));
    net.run_ms(20);
    check(
        &net.story(),
        " 20 box     <- carrier CANCEL
          30 box     -> carrier 200
          40 box     <- carrier ACK
          50 box      * Confirmed",
    );
}

#[test]
fn a_cancel_of_a_re_invite_leaves_the_call_as_it_was() {
    let (mut net, hub, carrier, ours, tag) = talking_by_hand();
    net.say(carrier, hub, &raw("INVITE", 2, &tag, "", "v=0 hold"));
    net.run_ms(20);
    assert!(matches!(net.event(hub), Some(Event::Reoffer { .. })));
    net.say(carrier, hub, &raw("CANCEL", 2, &tag, "", "").replace("branch=z9hG4bKCANCEL", "branch=z9hG4bKINVITE"));
    net.run_ms(20);
    let told: Vec<(String, String)> = heard(&mut net, carrier)
        .iter()
        .map(|text| (status(text).to_string(), header(text, "CSeq").to_string()))
        .collect();
    let of = |status: &str, cseq: &str| (status.to_string(), cseq.to_string());
    assert_eq!(told, [of("100", "2 INVITE"), of("200", "2 CANCEL"), of("487", "2 INVITE")]);
    // Too late: our answer finds nothing to answer; the next offer is taken.
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    assert!(heard(&mut net, carrier).is_empty());
    net.say(carrier, hub, &raw("ACK", 2, &tag, "", "").replace("branch=z9hG4bKACK", "branch=z9hG4bKINVITE"));
    net.say(carrier, hub, &raw("INVITE", 3, &tag, "", "v=0 hold"));
    net.run_ms(20);
    assert!(matches!(net.event(hub), Some(Event::Reoffer { .. })), "{}", net.story());
}

/// How long the box waits after each 491 to a re-INVITE of its own, in ms.
fn waits(net: &mut Net, hub: usize, carrier: usize, ours: DialogId) -> Vec<u128> {
    let mut waits = Vec::new();
    for _ in 0..12 {
        net.with(hub, |hub, now| hub.reinvite(now, ours, offer()));
        let mut refused_at: Option<std::time::Instant> = None;
        // RFC 3261 §14.1, four times, then it gives in.
        for _ in 0..1_700 {
            net.run_ms(10);
            let Some(invite) = heard(net, carrier).into_iter().find(|text| text.starts_with("INVITE")) else {
                continue;
            };
            waits.extend(refused_at.map(|at| (net.now() - at).as_millis()));
            refused_at = Some(net.now());
            net.say(carrier, hub, &crate::hand::answer(&invite, "491", ""));
        }
    }
    waits
}

#[test]
fn glare_is_waited_out_longer_by_who_owns_the_call_id() {
    // RFC 3261 §14.1: the owner waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms; here is a round trip on top.
    let (mut net, hub, carrier, ours, _) = talking_by_hand();
    let other = waits(&mut net, hub, carrier, ours);
    assert!(other.len() >= 40 && other.iter().all(|wait| (20..=2_020).contains(wait)), "{other:?}");
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let ours = net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    net.run_ms(20);
    let invite = heard(&mut net, carrier).remove(0);
    net.say(carrier, hub, &crate::reliable::reply(&invite, "200", "a", "", "v=0 answer"));
    net.run_ms(20);
    let owner = waits(&mut net, hub, carrier, ours);
    assert!(owner.len() >= 40 && owner.iter().all(|wait| (2_120..=4_020).contains(wait)), "{owner:?}");
    let spread = |waits: &[u128]| waits.iter().max().zip(waits.iter().min()).map(|(max, min)| max - min);
    assert!(spread(&other) > Some(1_000) && spread(&owner) > Some(1_000), "at random: {other:?} {owner:?}");
}

#[test]
fn an_offer_at_a_bad_moment_is_told_when_to_come_again() {
    let (mut net, hub, carrier, ours, tag) = talking_by_hand();
    let said = |net: &mut Net, method: &str, cseq: u32, body: &str| {
        net.say(carrier, hub, &raw(method, cseq, &tag, "", body));
        net.run_ms(20);
        heard(net, carrier).pop().unwrap_or_default()
    };
    // Theirs is open: another of theirs.
    said(&mut net, "INVITE", 2, "v=0 offer");
    let refused = said(&mut net, "UPDATE", 3, "v=0 other");
    assert_eq!(status(&refused), "500");
    assert!(header(&refused, "Retry-After").parse::<u32>().unwrap() <= 10, "RFC 3261 §14.2");
    net.with(hub, |hub, now| hub.reject(now, ours, 488));
    net.run_ms(20);
    heard(&mut net, carrier);
    net.say(carrier, hub, &raw("ACK", 2, &tag, "", "").replace("branch=z9hG4bKACK", "branch=z9hG4bKINVITE"));
    // Ours is open: RFC 3311 §5.2, RFC 3261 §14.2.
    net.with(hub, |hub, now| hub.reinvite(now, ours, offer()));
    net.run_ms(20);
    heard(&mut net, carrier);
    assert_eq!(status(&said(&mut net, "INVITE", 4, "v=0 offer")), "491");
    net.say(carrier, hub, &raw("ACK", 4, &tag, "", "").replace("branch=z9hG4bKACK", "branch=z9hG4bKINVITE"));
    assert_eq!(status(&said(&mut net, "UPDATE", 5, "v=0 offer")), "491");
    // A refresh is none of that.
    assert_eq!(status(&said(&mut net, "UPDATE", 6, "")), "200");
}

#[test]
fn what_a_dialog_cannot_do_is_named_with_what_it_can() {
    let (mut net, hub, carrier, _, tag) = talking_by_hand();
    let mut cseq = 1;
    let mut ask = |method: &str, more: &str, body: &str, media: &str| {
        cseq += 1;
        let text = raw(method, cseq, &tag, "", body)
            .replace("Content-Type: application/sdp", &format!("Content-Type: {media}"))
            .replace("CSeq", &format!("{more}CSeq"));
        net.say(carrier, hub, &text);
        net.run_ms(20);
        heard(&mut net, carrier).pop().unwrap_or_default()
    };
    let options = ask("OPTIONS", "", "", "application/sdp");
    assert_eq!((status(&options), header(&options, "Accept")), ("200", "application/sdp"));
    assert!(header(&options, "Allow").contains("SUBSCRIBE") && header(&options, "Supported").contains("100rel"));
    let update = ask("UPDATE", "", "x", "text/plain");
    assert_eq!((status(&update), header(&update, "Accept")), ("415", "application/sdp"));
    let info = ask("INFO", "", "x", "text/plain");
    assert_eq!((status(&info), header(&info, "Accept")), ("415", "application/dtmf-relay, application/dtmf"));
    let package = ask("INFO", "Info-Package: nothing\r\n", "Signal=5", "application/dtmf-relay");
    assert_eq!((status(&package), package.contains("Recv-Info:")), ("469", true));
    let unknown = ask("INFO", "Require: teleport, timer\r\n", "", "application/sdp");
    assert_eq!((status(&unknown), header(&unknown, "Unsupported")), ("420", "teleport"));
    let known = ask("OPTIONS", "Require: norefersub, replaces\r\n", "", "application/sdp");
    assert_eq!(status(&known), "200", "what is announced may be required");
    for method in ["MESSAGE", "PUBLISH"] {
        let reply = ask(method, "", "", "application/sdp");
        assert_eq!(status(&reply), "405", "{method}");
        assert!(header(&reply, "Allow").contains("INVITE"));
    }
    for (method, expected) in [("NOTIFY", "481"), ("PRACK", "481"), ("SUBSCRIBE", "405")] {
        assert_eq!(status(&ask(method, "", "", "application/sdp")), expected, "{method}");
    }
}

#[test]
fn who_requires_reliable_progress_and_makes_no_offer_hears_the_offer_in_the_200() {
    // RFC 3262 §5: the first reliable response would owe the offer.
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &raw("INVITE", 1, "", "", "").replace("CSeq", "Require: 100rel\r\nCSeq"));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    net.with(hub, |hub, now| hub.provisional(now, ours, 180, None));
    net.run_ms(2_000);
    assert_eq!(heard(&mut net, carrier).iter().map(|text| status(text)).collect::<Vec<_>>(), ["100"]);
    net.with(hub, |hub, now| hub.accept(now, ours, offer()));
    net.run_ms(20);
    let ok = heard(&mut net, carrier).pop().unwrap();
    assert!(status(&ok) == "200" && ok.ends_with("v=0 offer"), "{ok}");
}

#[test]
fn a_422_is_obeyed_once_and_no_more() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
    let mut invites = 0;
    for _ in 0..10 {
        net.run_ms(20);
        let Some(invite) = heard(&mut net, carrier).into_iter().find(|text| text.starts_with("INVITE")) else { break };
        invites += 1;
        let min_s = 2_000 * invites;
        net.say(carrier, hub, &crate::hand::answer(&invite, "422", &format!("Min-SE: {min_s}\r\n")));
    }
    assert_eq!(invites, 2);
    net.run_ms(20);
    assert!(net.story().contains("box      * Failed 422"));
}

#[test]
fn a_redirection_is_followed_nowhere() {
    for status in ["300", "301", "302", "305", "380"] {
        let mut net = Net::new();
        let hub = net.endpoint("box", BOX, box_config());
        let carrier = net.talker("carrier", CARRIER);
        let elsewhere = net.talker("elsewhere", "203.0.113.9:5060");
        net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
        net.run_ms(20);
        let invite = heard(&mut net, carrier).remove(0);
        let more = "Contact: <sip:900@203.0.113.9:5060>\r\n";
        net.say(carrier, hub, &crate::hand::answer(&invite, status, more));
        net.run_ms(1_000);
        assert!(net.story().contains(&format!("box      * Failed {status}")));
        assert_eq!(net.heard(elsewhere), None, "{status}");
    }
}
