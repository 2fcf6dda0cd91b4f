//! Session timers (RFC 4028): both refreshers, intervals that are too small, sessions that nobody renews.

use conformance::ladder::check;
use conformance::net::Net;

use crate::calls::raw;
use crate::stage::*;

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let prefix = format!("{name}: ");
    text.split("\r\n").find_map(|line| line.strip_prefix(&prefix))
}

/// A call from a hand-written carrier with these headers; our 200.
fn called_with(headers: &str) -> (Net, usize, usize, String) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &raw("INVITE", 1, "", "", "v=0 offer").replace("CSeq", &format!("{headers}CSeq")));
    net.run_ms(20);
    let ours = invited(&mut net, hub);
    net.with(hub, |hub, now| hub.accept(now, ours, answer()));
    net.run_ms(20);
    let ok = std::iter::from_fn(|| net.heard(carrier)).last().unwrap();
    let tag = format!(";tag={}", header(&ok, "To").unwrap().split("tag=").nth(1).unwrap());
    net.say(carrier, hub, &raw("ACK", 1, &tag, "ack", ""));
    net.run_ms(20);
    net.story();
    (net, hub, carrier, ok)
}

#[test]
fn what_a_caller_asks_for_is_granted() {
    let check = |asked: &str, expires: Option<&str>, require: Option<&str>| {
        let (.., ok) = called_with(asked);
        assert_eq!((header(&ok, "Session-Expires"), header(&ok, "Require")), (expires, require), "{asked}");
    };
    check("", None, None);
    check("Session-Expires: 300\r\n", None, None);
    check("Supported: timer\r\n", Some("1800;refresher=uas"), None);
    check("Supported: timer\r\nx: 300\r\n", Some("300;refresher=uac"), Some("timer"));
    check("Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n", Some("90;refresher=uas"), None);
    check("Require: timer\r\nSession-Expires: 120 ; refresher=UAC\r\n", Some("120;refresher=uac"), Some("timer"));
}

#[test]
fn an_interval_that_is_too_small_is_refused_with_ours() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let asked = "Supported: timer\r\nSession-Expires: 89\r\nCSeq";
    net.say(carrier, hub, &raw("INVITE", 1, "", "", "v=0 offer").replace("CSeq", asked));
    net.run_ms(20);
    let reply = net.heard(carrier).unwrap();
    assert!(reply.starts_with("SIP/2.0 422 Session Interval Too Small"), "{reply}");
    assert_eq!(header(&reply, "Min-SE"), Some("90"));
}

#[test]
fn a_caller_who_does_not_renew_is_ended_before_the_interval_is_over() {
    let (mut net, hub, carrier, ok) = called_with("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    net.run_ms(40_000);
    let tag = format!(";tag={}", header(&ok, "To").unwrap().split("tag=").nth(1).unwrap());
    let renewal = raw("UPDATE", 2, &tag, "", "").replace("CSeq", "Supported: timer\r\nSession-Expires: 90\r\nCSeq");
    net.say(carrier, hub, &renewal);
    net.run_ms(20);
    let renewed = std::iter::from_fn(|| net.heard(carrier)).last().unwrap();
    assert_eq!(header(&renewed, "Session-Expires"), Some("90;refresher=uac"), "{renewed}");
    net.story();
    // RFC 4028 §10: min(32 s, a third) before the end, that is 60 s after the renewal.
    net.run_ms(59_900);
    assert_eq!(net.story(), "");
    net.run_ms(200);
    check(&net.story(), "100070 box * Ended Lost\n100070 box -> carrier BYE");
    ends_once(&mut net, hub);
}

#[test]
fn we_renew_by_update_at_half_the_time_when_it_is_ours_to_do() {
    let ask = "Supported: timer\r\nAllow: INVITE, ACK, BYE, UPDATE\r\nSession-Expires: 100;refresher=uas\r\n";
    let (mut net, hub, carrier, _) = called_with(ask);
    net.run_ms(50_000);
    let update = net.heard(carrier).unwrap();
    assert!(update.starts_with("UPDATE "), "{update}");
    assert_eq!(header(&update, "Session-Expires"), Some("100;refresher=uac"));
    let keep = ["Via", "From", "To", "Call-ID", "CSeq"];
    let keep = keep.map(|name| format!("{name}: {}\r\n", header(&update, name).unwrap())).concat();
    net.say(carrier, hub, &format!("SIP/2.0 422 X\r\n{keep}Min-SE: 400\r\nContent-Length: 0\r\n\r\n"));
    net.run_ms(20);
    let again = net.heard(carrier).unwrap();
    assert_eq!((header(&again, "Session-Expires"), header(&again, "Min-SE")), (Some("400;refresher=uac"), Some("400")));
    // Nobody answers this one: the dialog is lost with its transaction (RFC 3261 §12.2.1.2).
    net.run_ms(33_000);
    let story = net.story();
    assert!(story.contains("* Ended Lost") && story.contains("-> carrier BYE"), "{story}");
}

#[test]
fn a_peer_without_update_gets_a_re_invite_of_its_owner() {
    let (mut net, hub, _, _) = called_with("Supported: timer\r\nSession-Expires: 100;refresher=uas\r\n");
    net.run_ms(50_000);
    let story = net.story();
    assert!(story.contains("* RefreshDue"), "{story}");
    // Its owner does nothing: the session ends with its time.
    net.run_ms(50_100);
    assert!(net.story().contains("* Ended Lost"));
    ends_once(&mut net, hub);
}

#[test]
fn our_own_calls_ask_for_a_timer_once_more_when_told_to_and_two_of_us_keep_it() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "5550100", "100")));
    net.run_ms(20);
    let invite = net.heard(carrier).unwrap();
    assert_eq!((header(&invite, "Session-Expires"), header(&invite, "Min-SE")), (Some("1800"), Some("90")));
    let keep = ["Via", "From", "Call-ID", "CSeq"];
    let refusal = |invite: &str| {
        let keep = keep.map(|name| format!("{name}: {}\r\n", header(invite, name).unwrap())).concat();
        format!("SIP/2.0 422 X\r\n{keep}To: <sip:x@y>;tag=z\r\nMin-SE: 3600\r\nContent-Length: 0\r\n\r\n")
    };
    net.say(carrier, hub, &refusal(&invite));
    net.run_ms(20);
    let again = std::iter::from_fn(|| net.heard(carrier)).last().unwrap();
    assert_eq!((header(&again, "Session-Expires"), header(&again, "CSeq")), (Some("3600"), Some("2 INVITE")));
    net.say(carrier, hub, &refusal(&again));
    net.run_ms(20);
    assert!(net.story().contains("* Failed 422"), "asked a second time, it is a refusal");

    let (mut net, hub, carrier) = box_and_carrier();
    talking(&mut net, hub, carrier);
    net.run_ms(900_000);
    let story = net.story();
    assert_eq!(story.matches("UPDATE").count(), 1, "{story}");
    net.run_ms(1_800_000);
    let story = net.story();
    assert!(story.matches("UPDATE").count() >= 2 && !story.contains("Ended"), "{story}");
}
