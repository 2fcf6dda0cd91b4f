//! Lamps and mailboxes: SUBSCRIBE and NOTIFY (RFC 6665) for `dialog` (RFC 4235) and `message-summary` (RFC 3842).

use conformance::ladder::check;
use conformance::net::Net;
use sip::endpoint::{Event, Input, Summary, Transport};
use sip::subscription::PER_PHONE_MAX;

use crate::calls::raw;
use crate::hand::{Hand, Say, answer, body, header, status};
use crate::stage::*;

const LAMP: &str = "Event: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: 600\r\n";
const MAILBOX: &str = "Event: message-summary\r\nExpires: 600\r\n";

fn say<'a>(to: &'a str, more: &'a str) -> Say<'a> {
    Say { method: "SUBSCRIBE", to, more, body: "" }
}

fn stage() -> (Net, usize, Hand) {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let watcher = Hand::new(&mut net, "102", PHONE2);
    (net, hub, watcher)
}

/// Subscribes; the 200 and the first NOTIFY, which is answered.
fn subscribe(net: &mut Net, hub: usize, watcher: &mut Hand, to: &str, more: &str) -> (String, String) {
    let proof = watcher.proof(net, hub, "SUBSCRIBE");
    let text = watcher.text(say(to, more), &proof);
    net.story();
    net.say(watcher.node, hub, &text);
    net.run_ms(20);
    let mut heard = watcher.heard(net).into_iter();
    let (Some(ok), Some(notify)) = (heard.next(), heard.next()) else { panic!("{}", net.story()) };
    assert_eq!((status(&ok), heard.next()), ("200", None), "{ok}");
    agree(net, hub, watcher, &notify);
    (ok, notify)
}

fn agree(net: &mut Net, hub: usize, watcher: &Hand, notify: &str) {
    net.say(watcher.node, hub, &answer(notify, "200", ""));
    net.run_ms(20);
}

/// The NOTIFYs since, answered: each as state, and direction where there is one.
fn lamp(net: &mut Net, hub: usize, watcher: &Hand) -> Vec<String> {
    let heard = watcher.heard(net);
    heard.iter().for_each(|notify| agree(net, hub, watcher, notify));
    heard.iter().map(|notify| shown(notify)).collect()
}

fn shown(notify: &str) -> String {
    let (xml, between) = (body(notify), |from: &str, to: &str| {
        body(notify).split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap_or_default().to_string()
    });
    assert!(xml.contains("state=\"full\""), "{xml}");
    format!("{} {}", between("<state>", "<"), between("direction=\"", "\"")).trim().to_string()
}

/// Another SUBSCRIBE in the dialog that the first reply made.
fn again(watcher: &Hand, ok: &str, cseq: u32, more: &str) -> String {
    format!(
        "SUBSCRIBE sip:{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP {};rport;branch=z9hG4bKagain{cseq}\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} SUBSCRIBE\r\nContact: <sip:102@{}>\r\n{more}\
         Content-Length: 0\r\n\r\n",
        watcher.addr,
        header(ok, "From"),
        header(ok, "To"),
        header(ok, "Call-ID"),
        watcher.addr
    )
}

#[test]
fn a_lamp_follows_a_call_to_the_phone_it_watches() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let mut watcher = Hand::new(&mut net, "102", PHONE2);
    let (ok, first) = subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    assert_eq!((header(&ok, "Expires"), shown(&first).as_str()), ("600", "terminated"));
    assert_eq!(header(&first, "Subscription-State"), "active;expires=600");
    assert!(body(&first).contains("version=\"0\"") && body(&first).contains("entity=\"sip:100@branch-a.example\""));
    let start = 200;
    net.run_ms(start - 180);
    net.story();
    net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(120);
    let calling = lamp(&mut net, hub, &watcher);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.provisional(now, theirs, 180, None));
    net.run_ms(130);
    let ringing = lamp(&mut net, hub, &watcher);
    net.with(phone, |phone, now| phone.accept(now, theirs, crate::stage::answer()));
    net.run_ms(130);
    let talking = lamp(&mut net, hub, &watcher);
    net.with(phone, |phone, now| phone.end(now, theirs));
    net.run_ms(130);
    let over = lamp(&mut net, hub, &watcher);
    assert_eq!(
        [calling, ringing, talking, over].concat(),
        ["trying recipient", "early recipient", "confirmed recipient", "terminated"]
    );
    let notifies = net.story().matches("box     -> 102     NOTIFY").count();
    assert_eq!(notifies, 4, "no more than what changed");
}

#[test]
fn a_lamp_follows_a_call_that_the_phone_makes_and_short_changes_are_told_together() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let mut watcher = Hand::new(&mut net, "102", PHONE2);
    subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    net.with(phone, |phone, now| phone.invite(now, to_trunk("box", "5550100", "100")));
    net.run_ms(40);
    let ours = invited(&mut net, hub);
    net.with(hub, |hub, now| hub.accept(now, ours, crate::stage::answer()));
    net.run_ms(150);
    assert_eq!(lamp(&mut net, hub, &watcher), ["confirmed initiator"]);
    net.with(hub, |hub, now| hub.end(now, ours));
    net.run_ms(150);
    assert_eq!(lamp(&mut net, hub, &watcher), ["terminated"]);
}

#[test]
fn what_a_lamp_shows_of_a_ringing_phone_is_enough_to_take_its_call() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let mut watcher = Hand::new(&mut net, "102", PHONE2);
    subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    let rung = net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
    net.run_ms(20);
    let theirs = invited(&mut net, phone);
    net.with(phone, |phone, now| phone.provisional(now, theirs, 180, None));
    net.run_ms(200);
    let notify = watcher.heard(&mut net).pop().unwrap();
    let name = |of: &str| body(&notify).split(&format!("{of}=\"")).nth(1).unwrap().split('"').next().unwrap();
    let replaces = format!(
        "Content-Type: application/sdp\r\nReplaces: {};to-tag={};from-tag={};early-only\r\n",
        name("call-id"),
        name("remote-tag"),
        name("local-tag")
    );
    forget_events(&mut net, hub);
    watcher.ask(&mut net, hub, Say { method: "INVITE", to: "100", more: &replaces, body: "v=0 offer" });
    let event = net.event(hub);
    let Some(Event::Invited { invited, .. }) = event else { panic!("{event:?} {}", net.story()) };
    assert_eq!(invited.replaces, Some(rung));
}

#[test]
fn a_subscription_is_refreshed_fetched_ended_and_runs_out() {
    let (mut net, hub, mut watcher) = stage();
    let (ok, _) = subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    net.story();
    net.run_ms(300_000);
    assert_eq!(status(&watcher.put(&mut net, hub, &again(&watcher, &ok, 50, LAMP))), "200");
    check(
        &net.story(),
        "300060 box <- 102 SUBSCRIBE
         300070 box -> 102 200
         300070 box -> 102 NOTIFY",
    );
    net.run_ms(500);
    let notify = watcher.heard(&mut net).pop().unwrap();
    assert_eq!(header(&notify, "Subscription-State"), "active;expires=600");
    agree(&mut net, hub, &watcher, &notify);
    // Out of order, another event, and an end.
    assert_eq!(status(&watcher.put(&mut net, hub, &again(&watcher, &ok, 49, LAMP))), "500");
    assert_eq!(status(&watcher.put(&mut net, hub, &again(&watcher, &ok, 51, MAILBOX))), "489");
    let reply = watcher.put(&mut net, hub, &again(&watcher, &ok, 52, "Event: dialog\r\nExpires: 0\r\n"));
    assert_eq!((status(&reply), header(&reply, "Expires")), ("200", "0"));
    net.run_ms(500);
    let last = watcher.heard(&mut net).pop().unwrap();
    assert_eq!(header(&last, "Subscription-State"), "terminated;reason=timeout");
    agree(&mut net, hub, &watcher, &last);
    assert_eq!(status(&watcher.put(&mut net, hub, &again(&watcher, &ok, 53, LAMP))), "481");
    // A fetch: one answer, one NOTIFY, nothing left.
    let (_, fetched) = subscribe(&mut net, hub, &mut watcher, "100", "Event: dialog\r\nExpires: 0\r\n");
    assert_eq!(header(&fetched, "Subscription-State"), "terminated;reason=timeout");
    assert_eq!(shown(&fetched), "terminated");
    // Nobody refreshes this one.
    subscribe(&mut net, hub, &mut watcher, "100", "Event: dialog;id=7\r\nExpires: 60\r\n");
    net.run_ms(59_000);
    assert!(watcher.heard(&mut net).is_empty());
    net.run_ms(1_100);
    let over = watcher.heard(&mut net).pop().unwrap();
    assert_eq!(header(&over, "Event"), "dialog;id=7");
    assert_eq!(header(&over, "Subscription-State"), "terminated;reason=timeout");
}

#[test]
fn what_may_not_be_watched_is_refused_by_its_name() {
    let (mut net, hub, mut watcher) = stage();
    for (to, more, expected) in [
        ("100", "", "489"),
        ("100", "Event: presence\r\n", "489"),
        ("100", "Event: dialog;id\r\nExpires: ten\r\n", "400"),
        ("999", LAMP, "404"),
        ("100", MAILBOX, "403"),
        ("100", "Event: dialog\r\nAccept: text/plain\r\n", "406"),
        ("100", "Event: dialog\r\nExpires: 59\r\n", "423"),
        ("100", "Event: dialog\r\nRequire: eventlist\r\n", "420"),
        ("102", MAILBOX, "200"),
    ] {
        let reply = watcher.ask(&mut net, hub, say(to, more));
        assert_eq!(status(&reply), expected, "{to} {more} {reply}");
        match expected {
            "489" => assert_eq!(header(&reply, "Allow-Events"), "dialog, message-summary"),
            "423" => assert_eq!(header(&reply, "Min-Expires"), "60"),
            _ => {}
        }
    }
    let mut changed = |from: &str, to: &str| {
        let proof = watcher.proof(&mut net, hub, "SUBSCRIBE");
        let text = watcher.text(say("100", LAMP), &proof).replace(from, to);
        status(&watcher.put(&mut net, hub, &text)).to_string()
    };
    assert_eq!(changed("From: <sip:102@", "From: <sip:101@"), "403");
    assert_eq!(changed("Contact: <sip:102@192.0.2.11:5070>\r\n", ""), "400");
    assert_eq!(changed("sip:100@branch-a.example SIP", "sip:100@evil.example SIP"), "404");
    let carrier = net.talker("carrier", CARRIER);
    net.say(carrier, hub, &raw("SUBSCRIBE", 1, "", "", "").replace("CSeq", &format!("{LAMP}CSeq")));
    net.run_ms(20);
    assert_eq!(status(&net.heard(carrier).unwrap()), "403");
}

#[test]
fn a_restarted_phone_has_one_subscription_and_a_restarted_box_none() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let mut watcher = Hand::new(&mut net, "102", PHONE2);
    let (old, _) = subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    let (new, _) = subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    net.with(phone, |phone, now| phone.invite(now, to_trunk("box", "5550100", "100")));
    net.run_ms(200);
    let heard = watcher.heard(&mut net);
    assert_eq!(heard.iter().map(|text| header(text, "Call-ID")).collect::<Vec<_>>(), [header(&new, "Call-ID")]);
    assert_eq!(status(&watcher.put(&mut net, hub, &again(&watcher, &old, 90, LAMP))), "481");
    let second = net.endpoint("second", "192.0.2.2:5060", box_config());
    assert_eq!(status(&watcher.put(&mut net, second, &again(&watcher, &new, 91, LAMP))), "481");
}

#[test]
fn a_notify_that_is_refused_or_never_answered_ends_the_subscription_in_silence() {
    for (reply, kept) in [
        (Some(("481", "")), false),
        (Some(("404", "")), false),
        (Some(("503", "")), false),
        (Some(("503", "Retry-After: 1\r\n")), true),
        (None, false),
    ] {
        let (mut net, hub, phone) = box_and_phone(Transport::Udp);
        let mut watcher = Hand::new(&mut net, "102", PHONE2);
        subscribe(&mut net, hub, &mut watcher, "100", LAMP);
        let theirs = net.with(phone, |phone, now| phone.invite(now, to_trunk("box", "5550100", "100")));
        net.run_ms(200);
        let notify = watcher.heard(&mut net).pop().unwrap();
        if let Some((status, more)) = reply {
            net.say(watcher.node, hub, &answer(&notify, status, more));
        }
        net.run_ms(40_000);
        watcher.heard(&mut net);
        net.with(phone, |phone, now| phone.end(now, theirs));
        net.run_ms(300);
        assert_eq!(!watcher.heard(&mut net).is_empty(), kept, "{reply:?}");
    }
}

#[test]
fn a_refresh_from_another_address_must_prove_itself() {
    let (mut net, hub, mut watcher) = stage();
    let (ok, _) = subscribe(&mut net, hub, &mut watcher, "100", LAMP);
    let mut thief = Hand::new(&mut net, "101", "203.0.113.9:5060");
    let text = again(&watcher, &ok, 50, "Event: dialog\r\nExpires: 0\r\n")
        .replace(&format!("UDP {PHONE2}"), &format!("UDP {}", thief.addr));
    assert_eq!(status(&thief.put(&mut net, hub, &text)), "401");
    let proof = thief.proof(&mut net, hub, "SUBSCRIBE");
    let proved = text.replace("Event", &format!("{proof}Event")).replace("again50", "again51");
    assert_eq!(status(&thief.put(&mut net, hub, &proved)), "403");
    assert_eq!(status(&watcher.put(&mut net, hub, &again(&watcher, &ok, 52, LAMP))), "200");
}

#[test]
fn phones_that_leave_the_configuration_watch_nothing_and_are_not_seen() {
    for (gone, reason) in [("100", "noresource"), ("102", "rejected")] {
        let (mut net, hub, mut watcher) = stage();
        subscribe(&mut net, hub, &mut watcher, "100", LAMP);
        let mut config = box_config();
        config.phones.remove(gone);
        net.input(hub, Input::Configure(Box::new(config)));
        net.run_ms(20);
        let last = watcher.heard(&mut net).pop().unwrap();
        assert_eq!(header(&last, "Subscription-State"), format!("terminated;reason={reason}"));
        assert_eq!(body(&last), "");
    }
}

#[test]
fn a_mailbox_tells_its_owner_what_the_box_was_told() {
    let (mut net, hub, mut watcher) = stage();
    let (_, first) = subscribe(&mut net, hub, &mut watcher, "102", MAILBOX);
    let account = "Message-Account: sip:102@branch-a.example\r\n";
    assert_eq!(body(&first), format!("Messages-Waiting: no\r\n{account}Voice-Message: 0/0 (0/0)\r\n"));
    assert_eq!(header(&first, "Content-Type"), "application/simple-message-summary");
    let mut told = |new, old| {
        net.with(hub, |hub, now| hub.set_mailbox(now, "102", Summary { new, old }));
        net.run_ms(20);
        let heard = watcher.heard(&mut net);
        heard.iter().for_each(|notify| agree(&mut net, hub, &watcher, notify));
        heard.iter().map(|notify| body(notify).to_string()).collect::<Vec<_>>()
    };
    assert_eq!(told(2, 8), [format!("Messages-Waiting: yes\r\n{account}Voice-Message: 2/8 (0/0)\r\n")]);
    assert_eq!(told(2, 8), Vec::<String>::new(), "nothing new");
    assert_eq!(told(0, 8), [format!("Messages-Waiting: no\r\n{account}Voice-Message: 0/8 (0/0)\r\n")]);
}

#[test]
fn a_phone_watches_so_many_others_and_no_more() {
    let mut net = Net::new();
    let mut config = box_config();
    let many: Vec<String> = (1_000..=1_000 + PER_PHONE_MAX).map(|user| user.to_string()).collect();
    config.phones.extend(many.iter().map(|user| (user.clone(), phone_auth(user, false))));
    let hub = net.endpoint("box", BOX, config);
    let mut watcher = Hand::new(&mut net, "102", PHONE2);
    for (n, user) in many.iter().enumerate() {
        let reply = watcher.ask(&mut net, hub, say(user, LAMP));
        let expected = if n < PER_PHONE_MAX { "200" } else { "503" };
        assert_eq!(status(&reply), expected, "{n}");
    }
}
