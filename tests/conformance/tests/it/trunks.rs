//! Trunks: our registration, its refresh, its refusals; pings.

use conformance::ladder::check;
use conformance::net::Net;
use sip::endpoint::{Transport, Trunk, TrunkRegistration};

use crate::stage::*;

#[test]
fn a_registration_is_kept_fresh_with_a_new_proof_each_time() {
    let (mut net, _, _) = box_and_phone(Transport::Udp);
    net.run_ms(300_000);
    check(
        &net.story(),
        " 300040 box     <- phone   REGISTER
          300050 box     -> phone   401
          300060 box     <- phone   REGISTER
          300070 box      * Registered 100
          300070 box     -> phone   200",
    );
}

#[test]
fn a_wrong_password_is_tried_ever_less_often_and_the_trunk_stays_down() {
    let mut net = Net::new();
    net.endpoint("box", BOX, box_config());
    let mut config = phone_config("100", PHONE, Transport::Udp);
    if let Some(registration) = &mut config.trunks.get_mut("box").unwrap().registration {
        registration.password = "wrong".to_string();
    }
    let phone = net.endpoint("phone", PHONE, config);
    net.run_ms(600_000);
    let tries = net.story().matches("REGISTER").count() / 2;
    assert!((5..=40).contains(&tries), "{tries}");
    assert!(!net.with(phone, |phone, _| phone.trunk_up("box")));
}

#[test]
fn a_registrar_that_falls_silent_takes_the_trunk_down_and_its_return_brings_it_back() {
    let (mut net, _, phone) = box_and_phone(Transport::Udp);
    let down = std::rc::Rc::new(std::cell::Cell::new(true));
    let switch = down.clone();
    net.lose(move |_, _, _, _| switch.get());
    net.run_ms(500_000);
    assert!(!net.with(phone, |phone, _| phone.trunk_up("box")));
    down.set(false);
    net.run_ms(200_000);
    assert!(net.with(phone, |phone, _| phone.trunk_up("box")));
    let story = net.story();
    let changes: Vec<&str> = story.lines().filter(|line| line.contains("Trunk box")).collect();
    assert_eq!(changes.len(), 2, "{changes:?}");
}

#[test]
fn two_lost_pings_take_a_trunk_down_and_one_answer_brings_it_up() {
    let mut net = Net::new();
    let mut config = box_config();
    config.trunks.get_mut("carrier").unwrap().options_every_s = 60;
    net.endpoint("carrier", CARRIER, carrier_config());
    let hub = net.endpoint("box", BOX, config);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")), "alive until proved otherwise");
    net.run_ms(30_000);
    check(&net.story(), "0 carrier <- box OPTIONS\n10 carrier -> box 200");
    let down = std::rc::Rc::new(std::cell::Cell::new(true));
    let switch = down.clone();
    net.lose(move |_, _, _, _| switch.get());
    net.run_ms(70_000);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")), "one silence is not yet the end");
    net.run_ms(60_000);
    assert!(!net.with(hub, |hub, _| hub.trunk_up("carrier")));
    down.set(false);
    net.run_ms(60_000);
    assert!(net.with(hub, |hub, _| hub.trunk_up("carrier")));
}

#[test]
fn a_password_answers_its_own_trunk_only() {
    let mut net = Net::new();
    let mut config = box_config();
    let registration = TrunkRegistration {
        user: "account".to_string(),
        domain: "carrier.example".to_string(),
        password: "pw".to_string(),
        expires_s: 600,
    };
    let trunk = Trunk {
        peer: CARRIER.parse().unwrap(),
        transport: Transport::Udp,
        registration: Some(registration),
        options_every_s: 0,
        rules: Default::default(),
    };
    config.trunks.insert("carrier".to_string(), trunk);
    let hub = net.endpoint("box", BOX, config);
    let carrier = net.talker("carrier", CARRIER);
    let thief = net.talker("thief", "203.0.113.9:5060");
    net.run_ms(20);
    net.heard(carrier);
    let mut challenged = |from: usize, realm: &str, ringing: bool| {
        net.with(hub, |hub, now| hub.invite(now, to_trunk("carrier", "1", "2")));
        net.run_ms(20);
        let invite = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("INVITE")).unwrap();
        let echo: String = invite
            .lines()
            .filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|n| line.starts_with(n)))
            .map(|line| if line.starts_with("To:") { format!("{line};tag=t\r\n") } else { format!("{line}\r\n") })
            .collect();
        if ringing {
            net.say(carrier, hub, &format!("SIP/2.0 180 Ringing\r\n{echo}Content-Length: 0\r\n\r\n"));
            net.run_ms(20);
        }
        let ask = format!(
            "SIP/2.0 407 x\r\n{echo}Proxy-Authenticate: Digest realm=\"{realm}\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n"
        );
        net.say(from, hub, &ask);
        net.run_ms(20);
        std::iter::from_fn(|| net.heard(carrier))
            .any(|text| text.contains("Proxy-Authorization: Digest username=\"account\""))
    };
    assert!(challenged(carrier, "carrier.example", false));
    assert!(!challenged(carrier, "other.example", false), "another realm");
    assert!(!challenged(thief, "carrier.example", false), "another address");
    assert!(!challenged(carrier, "carrier.example", true), "the called side asks");
}

#[test]
fn a_trunk_that_leaves_the_configuration_is_let_go() {
    let (mut net, hub, phone) = box_and_phone(Transport::Udp);
    let mut config = phone_config("100", PHONE, Transport::Udp);
    config.trunks.clear();
    net.input(phone, sip::endpoint::Input::Configure(Box::new(config)));
    net.run_ms(100);
    let _ = hub;
    assert!(!net.with(phone, |phone, _| phone.trunk_up("box")));
    assert!(net.story().contains("<- phone   REGISTER"));
}
