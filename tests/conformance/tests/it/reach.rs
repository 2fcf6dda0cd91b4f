//! Trunks that are known by name (RFC 3263 §4.3): which address a request tries, and what happens when it fails.

use std::time::Duration;

use conformance::ladder::check;
use conformance::net::Net;
use sip::endpoint::{Config, Event, Flow, Input, Transport};
use sip::locate::{Target, Wish};

use crate::stage::*;

const FIRST: &str = "198.51.100.11:5060";
const SECOND: &str = "198.51.100.12:5060";

fn target(priority: u16, address: &str) -> Target {
    let addresses = vec![address.parse().unwrap()];
    Target { rank: 0, priority, weight: 0, transport: Transport::Udp, addresses }
}

/// A box whose carrier is `sip.carrier.example`, at `FIRST` and then `SECOND`.
fn named(change: impl FnOnce(&mut Config)) -> (Net, usize, [usize; 2]) {
    let mut net = Net::new();
    let mut config = box_config();
    config.trunks.get_mut("carrier").unwrap().peer = "0.0.0.0:5060".parse().unwrap();
    config.names.insert("carrier".to_string(), Wish::new("sip.carrier.example", Transport::Udp).unwrap());
    change(&mut config);
    let hub = net.endpoint("box", BOX, config);
    let carriers = [net.talker("first", FIRST), net.talker("second", SECOND)];
    (net, hub, carriers)
}

fn locate(net: &mut Net, hub: usize, targets: Vec<Target>) {
    net.input(hub, Input::Located { trunk: "carrier".to_string(), targets });
}

fn call(net: &mut Net, hub: usize) {
    let mut invite = to_trunk("carrier", "0301234567", "100");
    invite.patience = Some(Duration::from_secs(4));
    net.with(hub, |hub, now| hub.invite(now, invite));
}

fn reply(status: &str, request: &str, more: &str) -> String {
    let echo: String = request
        .lines()
        .filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name)))
        .map(|line| if line.starts_with("To:") { format!("{line};tag=t\r\n") } else { format!("{line}\r\n") })
        .collect();
    format!("SIP/2.0 {status}\r\n{echo}{more}Content-Length: 0\r\n\r\n")
}

fn invite(net: &mut Net, at: usize) -> Option<String> {
    std::iter::from_fn(|| net.heard(at)).find(|text| text.starts_with("INVITE"))
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(name)).unwrap_or_default()
}

#[test]
fn a_trunk_that_nobody_knows_the_place_of_is_down_and_a_call_fails_at_once() {
    let (mut net, hub, _) = named(|_| {});
    assert!(!net.with(hub, |hub, _| hub.trunk_up("carrier")));
    call(&mut net, hub);
    check(&net.story(), "0 box * Failed 503");
    locate(&mut net, hub, vec![target(0, FIRST)]);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")));
    locate(&mut net, hub, Vec::new());
    assert!(!net.with(hub, |hub, _| hub.trunk_up("carrier")));
}

#[test]
fn an_emergency_call_takes_the_configured_address_while_dns_is_silent() {
    let (mut net, hub, [first, _]) = named(|config| {
        config.trunks.get_mut("carrier").unwrap().peer = FIRST.parse().unwrap();
    });
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")));
    let mut emergency = to_trunk("carrier", "112", "100");
    emergency.emergency = Some(sip::endpoint::Emergency { location: None });
    net.with(hub, |hub, now| hub.invite(now, emergency));
    net.run_ms(20);
    assert!(invite(&mut net, first).is_some_and(|text| text.starts_with("INVITE sip:112@sip.carrier.example ")));
}

#[test]
fn silence_a_503_and_a_broken_connection_lead_to_the_next_address_with_a_branch_of_its_own() {
    for failure in ["silence", "503", "100 and 503", "broken"] {
        let (mut net, hub, [first, second]) = named(|_| {});
        // A datagram cannot break.
        let transport = if failure == "broken" { Transport::Tcp } else { Transport::Udp };
        locate(&mut net, hub, vec![Target { transport, ..target(0, FIRST) }, target(1, SECOND)]);
        call(&mut net, hub);
        net.run_ms(20);
        let at_first = invite(&mut net, first).expect("the first address");
        assert!(at_first.starts_with("INVITE sip:0301234567@sip.carrier.example SIP/2.0\r\n"), "{at_first}");
        match failure {
            "silence" => net.run_ms(4_100),
            "broken" => {
                let (local, remote) = (BOX.parse().unwrap(), FIRST.parse().unwrap());
                net.input(hub, Input::Closed { flow: Flow { transport, local, remote, connection: 0 } });
            }
            _ => {
                if failure == "100 and 503" {
                    net.say(first, hub, &reply("100 Trying", &at_first, ""));
                    net.run_ms(20);
                }
                net.say(first, hub, &reply("503 x", &at_first, "Retry-After: 100\r\n"));
            }
        }
        net.run_ms(50);
        let at_second = invite(&mut net, second).unwrap_or_else(|| panic!("{failure}: {}", net.story()));
        assert_ne!(field(&at_first, "Via"), field(&at_second, "Via"), "{failure}");
        for same in ["Call-ID", "CSeq", "From", "To", "INVITE"] {
            assert_eq!(field(&at_first, same), field(&at_second, same), "{failure}");
        }
        assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")), "{failure}: one address is not the trunk");

        // The next call does not knock at the dead door first; after a minute it does again.
        net.say(second, hub, &reply("486 Busy", &at_second, ""));
        net.run_ms(50);
        let fails = std::iter::from_fn(|| net.event(hub)).any(|e| matches!(e, Event::Failed { status: 486, .. }));
        assert!(fails, "{failure}");
        while invite(&mut net, first).is_some() {}
        call(&mut net, hub);
        net.run_ms(20);
        assert!(invite(&mut net, second).is_some() && invite(&mut net, first).is_none(), "{failure}");
        net.run_ms(61_000);
        while invite(&mut net, first).is_some() {}
        call(&mut net, hub);
        net.run_ms(20);
        assert!(invite(&mut net, first).is_some(), "{failure}: after a minute");
    }
}

#[test]
fn a_refusal_and_a_phone_that_rang_end_the_search() {
    for answer in ["486 Busy Here", "404 Not Found", "600 Busy Everywhere"] {
        let (mut net, hub, [first, second]) = named(|_| {});
        locate(&mut net, hub, vec![target(0, FIRST), target(1, SECOND)]);
        call(&mut net, hub);
        net.run_ms(20);
        let at_first = invite(&mut net, first).expect("the first address");
        net.say(first, hub, &reply(answer, &at_first, ""));
        net.run_ms(5_000);
        assert!(invite(&mut net, second).is_none(), "{answer}");
    }
    let (mut net, hub, [first, second]) = named(|_| {});
    locate(&mut net, hub, vec![target(0, FIRST), target(1, SECOND)]);
    call(&mut net, hub);
    net.run_ms(20);
    let at_first = invite(&mut net, first).expect("the first address");
    net.say(first, hub, &reply("180 Ringing", &at_first, "Contact: <sip:x@198.51.100.11>\r\n"));
    net.run_ms(100);
    net.say(first, hub, &reply("503 x", &at_first, ""));
    net.run_ms(5_000);
    assert!(invite(&mut net, second).is_none(), "who rang was reached");
}

#[test]
fn when_every_address_is_silent_the_call_fails_after_the_patience_for_each() {
    let (mut net, hub, _) = named(|_| {});
    locate(&mut net, hub, vec![target(0, FIRST), target(1, SECOND)]);
    call(&mut net, hub);
    net.run_ms(7_900);
    let failed = |net: &mut Net| std::iter::from_fn(|| net.event(hub)).any(|e| matches!(e, Event::Failed { .. }));
    assert!(!failed(&mut net));
    net.run_ms(200);
    assert!(failed(&mut net));
}

#[test]
fn a_trunk_by_name_is_known_at_all_its_addresses_and_at_no_other() {
    let (mut net, hub, [first, second]) = named(|_| {});
    locate(&mut net, hub, vec![target(0, FIRST), target(1, SECOND)]);
    let stranger = net.talker("stranger", "203.0.113.9:5060");
    let mut heard = |from: usize, address: &str| {
        let call = format!(
            "INVITE sip:4000@{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bK{from}\r\nMax-Forwards: 70\r\n\
             From: <sip:1@x.example>;tag={from}\r\nTo: <sip:4000@{BOX}>\r\nCall-ID: {from}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:1@{address}>\r\nContent-Type: application/sdp\r\nContent-Length: 9\r\n\r\nv=0 offer"
        );
        net.say(from, hub, &call);
        net.run_ms(20);
        let said = std::iter::from_fn(|| net.heard(from)).find(|text| text.starts_with("SIP/2.0")).unwrap_or_default();
        said.lines().next().unwrap_or_default().to_string()
    };
    assert!(heard(first, FIRST).contains("100"));
    assert!(heard(second, SECOND).contains("100"));
    assert!(heard(stranger, "203.0.113.9:5060").contains("401"));
}

#[test]
fn pings_take_the_next_address_before_they_judge_the_trunk() {
    let (mut net, hub, [first, second]) = named(|config| {
        let trunk = config.trunks.get_mut("carrier").unwrap();
        (trunk.options_every_s, trunk.rules.down_after) = (60, 1);
    });
    locate(&mut net, hub, vec![target(0, FIRST), target(1, SECOND)]);
    let pinged = |net: &mut Net, at: usize| {
        std::iter::from_fn(|| net.heard(at)).find(|text| text.starts_with("OPTIONS sip:sip.carrier.example SIP"))
    };
    net.run_ms(20);
    let ping = pinged(&mut net, first).expect("the first is pinged");
    net.say(first, hub, &reply("503 x", &ping, ""));
    net.run_ms(50);
    let ping = pinged(&mut net, second).expect("the second is pinged at once");
    net.say(second, hub, &reply("200 OK", &ping, ""));
    net.run_ms(50);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")));
    // Nobody answers any more: both are asked, then it is down.
    net.run_ms(60_000 + 32_000 * 2 + 1_000);
    assert!(!net.with(hub, |hub, _| hub.trunk_up("carrier")), "{}", net.story());
}

#[test]
fn a_registration_moves_to_the_next_address_and_follows_dns() {
    let (mut net, hub, [first, second]) = named(|config| {
        let registration = sip::endpoint::TrunkRegistration {
            user: "account".to_string(),
            domain: "carrier.example".to_string(),
            password: "pw".to_string(),
            expires_s: 600,
        };
        config.trunks.get_mut("carrier").unwrap().registration = Some(registration);
    });
    net.run_ms(5_000);
    assert!(net.heard(first).is_none() && net.heard(second).is_none(), "nobody knows where");
    locate(&mut net, hub, vec![target(0, FIRST), target(1, SECOND)]);
    net.run_ms(50);
    let registers = |net: &mut Net, at: usize| {
        std::iter::from_fn(|| net.heard(at)).find(|text| text.starts_with("REGISTER sip:carrier.example SIP"))
    };
    let asked = registers(&mut net, first).expect("at the first");
    net.say(first, hub, &reply("503 x", &asked, ""));
    net.run_ms(50);
    let asked = registers(&mut net, second).expect("at the second, at once");
    net.say(second, hub, &reply("200 OK", &asked, "Expires: 600\r\n"));
    net.run_ms(50);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")));
    // DNS moves the carrier: it is registered there without waiting.
    let third = net.talker("third", "198.51.100.13:5060");
    locate(&mut net, hub, vec![target(0, "198.51.100.13:5060")]);
    net.run_ms(50);
    assert!(registers(&mut net, third).is_some());
}
