//! Who may register, and what a stranger learns: nothing.

use conformance::ladder::check;
use conformance::net::Net;
use sip::auth::Algorithm;
use sip::endpoint::{Event, Input, Transport};

use crate::hand::Proof;
use crate::stage::*;

const STRANGER: &str = "203.0.113.9:5060";

#[test]
fn a_phone_registers_with_sha_256_refreshes_and_expires() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    net.endpoint("phone", PHONE, phone_config("100", PHONE, Transport::Udp));
    net.run_ms(1_000);
    check(
        &net.story(),
        "     0 box     <- phone   REGISTER
             10 box     -> phone   401
             20 box     <- phone   REGISTER
             30 box      * Registered 100
             30 box     -> phone   200
             40 phone    * Trunk box up",
    );
    net.run_ms(299_100);
    assert!(net.story().contains("-> phone   200"));
    net.lose(|_, _, _, _| true);
    net.run_ms(601_000);
    assert!(net.story().contains("box      * Unregistered 100"));
    assert!(net.with(hub, |hub, _| hub.bindings("100").is_empty()));
}

#[test]
fn a_phone_that_needs_md5_is_asked_for_md5_and_another_is_not() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let talker = net.talker("phone", PHONE);
    let mut asked = |user: &str| {
        net.say(talker, hub, &register(user, 1, user, None, 600));
        net.run_ms(20);
        let reply = net.heard(talker).unwrap();
        reply.lines().find(|line| line.starts_with("WWW-Authenticate")).unwrap().to_string()
    };
    assert!(asked("100").contains("algorithm=SHA-256"));
    assert!(asked("101").contains("algorithm=MD5"));
}

#[test]
fn md5_proves_a_phone_that_has_the_hash_and_no_other() {
    for (user, status) in [("101", "200"), ("100", "401")] {
        let mut net = Net::new();
        let hub = net.endpoint("box", BOX, box_config());
        let talker = net.talker("phone", PHONE);
        let nonce = nonce(&mut net, hub, talker, user);
        let proof = Proof { algorithm: Algorithm::Md5, ..Proof::of(user, &nonce) };
        assert_eq!(attempt(&mut net, hub, talker, &register(user, 2, "b", Some(&proof), 600)), status, "{user}");
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_get_the_same_reply() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let talker = net.talker("phone", STRANGER);
    let mut shape =
        |user: &str| {
            let nonce = nonce(&mut net, hub, talker, user);
            let proof = Proof { password: "wrong".to_string(), ..Proof::of(user, &nonce) };
            net.say(talker, hub, &register(user, 2, &format!("b{user}"), Some(&proof), 600));
            net.run_ms(20);
            let reply = net.heard(talker).unwrap();
            let blind = |line: &str| line.split(['"', '=']).step_by(2).collect::<String>().replace(user, "U");
            let lines = reply.lines().filter(|line| !line.starts_with("Call-ID") && !line.starts_with("Via"));
            lines
                .map(|line| {
                    if line.starts_with("WWW") { line.split("nonce").next().unwrap().to_string() } else { blind(line) }
                })
                .collect::<Vec<_>>()
                .join("\n")
        };
    assert_eq!(shape("100"), shape("999"));
    assert!(shape("100").starts_with("SIP/2.0 401"));
}

#[test]
fn a_proof_is_good_once_and_only_for_a_minute() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let talker = net.talker("phone", PHONE);
    let nonce = nonce(&mut net, hub, talker, "100");
    let proof = |count: u32| Proof { count, ..Proof::of("100", &nonce) };
    let mut cseq = 1;
    let mut send = |net: &mut Net, proof: &Proof| {
        cseq += 1;
        attempt(net, hub, talker, &register("100", cseq, &format!("n{cseq}"), Some(proof), 600))
    };
    assert_eq!(send(&mut net, &proof(1)), "200");
    assert_eq!(send(&mut net, &proof(1)), "401", "replayed");
    assert_eq!(send(&mut net, &proof(3)), "200");
    assert_eq!(send(&mut net, &proof(2)), "200", "overtaken");
    assert_eq!(send(&mut net, &proof(2)), "401");
    net.run_ms(62_000);
    net.say(talker, hub, &register("100", 50, "late", Some(&proof(4)), 600));
    net.run_ms(20);
    assert!(net.heard(talker).unwrap().contains("stale=true"), "the password was right, only the nonce was old");
    let foreign = Proof::of("100", &"0".repeat(56));
    assert_eq!(send(&mut net, &foreign), "401");
}

#[test]
fn a_phone_binds_itself_only() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let talker = net.talker("phone", PHONE);
    let nonce = nonce(&mut net, hub, talker, "100");
    let proof = Proof::of("100", &nonce);
    let text = register("101", 2, "b", Some(&proof), 600);
    assert_eq!(attempt(&mut net, hub, talker, &text), "403");
    assert!(net.with(hub, |hub, _| hub.bindings("101").is_empty() && hub.bindings("100").is_empty()));
}

#[test]
fn contacts_are_listed_replaced_refused_and_removed() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let talker = net.talker("phone", PHONE);
    let mut cseq = 1;
    let mut send = |net: &mut Net, contact: &str, expires: &str| {
        cseq += 2;
        let nonce = nonce(net, hub, talker, "100");
        let text = register("100", cseq, &format!("c{cseq}"), Some(&Proof::of("100", &nonce)), 600)
            .replace("Contact: <sip:100@192.0.2.10:5070>\r\n", contact)
            .replace("Expires: 600\r\n", expires);
        net.say(talker, hub, &text);
        net.run_ms(20);
        net.heard(talker).unwrap()
    };
    let contacts =
        |reply: &str| reply.lines().filter(|line| line.starts_with("Contact")).map(str::to_string).collect::<Vec<_>>();
    let first = send(&mut net, "Contact: <sip:100@a.h>;q=0.5\r\n", "Expires: 600\r\n");
    assert_eq!(contacts(&first), ["Contact: <sip:100@a.h>;expires=600"]);
    let two = send(&mut net, "Contact: <sip:100@b.h>;expires=120;q=0.9\r\n", "");
    assert_eq!(contacts(&two), ["Contact: <sip:100@b.h>;expires=120", "Contact: <sip:100@a.h>;expires=599"]);
    let short = send(&mut net, "Contact: <sip:100@c.h>;expires=30\r\n", "");
    assert!(short.starts_with("SIP/2.0 423") && short.contains("Min-Expires: 60\r\n"), "{short}");
    let query = send(&mut net, "", "");
    assert_eq!(contacts(&query).len(), 2, "{query}");
    let star = send(&mut net, "Contact: *\r\n", "Expires: 600\r\n");
    assert!(star.starts_with("SIP/2.0 400"), "{star}");
    let one = send(&mut net, "Contact: <sip:100@b.h>;expires=0\r\n", "");
    assert_eq!(contacts(&one).len(), 1, "{one}");
    let none = send(&mut net, "Contact: *\r\n", "Expires: 0\r\n");
    assert_eq!(contacts(&none), Vec::<String>::new(), "{none}");
}

#[test]
fn the_contact_over_the_limit_pushes_out_the_one_that_ends_first() {
    let mut net = Net::new();
    let mut config = box_config();
    config.limits.bindings_per_user = 2;
    let hub = net.endpoint("box", BOX, config);
    let talker = net.talker("phone", PHONE);
    for (n, host) in ["a.h", "b.h", "c.h"].iter().enumerate() {
        let nonce = nonce(&mut net, hub, talker, "100");
        let text = register("100", 10 + n as u32, host, Some(&Proof::of("100", &nonce)), 600)
            .replace("192.0.2.10:5070>\r\nE", &format!("{host}>\r\nE"));
        assert_eq!(attempt(&mut net, hub, talker, &text), "200");
        net.run_ms(1_000);
    }
    let left = net.with(hub, |hub, _| hub.bindings("100").iter().map(|b| b.contact.clone()).collect::<Vec<_>>());
    assert_eq!(left, ["sip:100@b.h", "sip:100@c.h"]);
}

#[test]
fn a_retransmitted_register_is_answered_the_same_and_binds_once() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let talker = net.talker("phone", PHONE);
    let nonce = nonce(&mut net, hub, talker, "100");
    let text = register("100", 2, "b", Some(&Proof::of("100", &nonce)), 600);
    assert_eq!(attempt(&mut net, hub, talker, &text), "200");
    assert_eq!(attempt(&mut net, hub, talker, &text), "200");
    let registered =
        std::iter::from_fn(|| net.event(hub)).filter(|event| matches!(event, Event::Registered { .. })).count();
    assert_eq!(registered, 1);
}

#[test]
fn every_method_of_a_stranger_is_challenged_or_refused() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let stranger = net.talker("x", STRANGER);
    for (method, expected) in [
        ("REGISTER", "401"),
        ("INVITE", "401"),
        ("SUBSCRIBE", "401"),
        ("MESSAGE", "401"),
        ("PUBLISH", "401"),
        ("REFER", "401"),
        ("NOTIFY", "401"),
        ("BYE", "401"),
        ("INFO", "401"),
        ("UPDATE", "401"),
        ("PRACK", "401"),
        ("CANCEL", "481"),
        ("NONSENSE", "501"),
        ("OPTIONS", "200"),
    ] {
        let text = register("100", 1, method, None, 600).replace("REGISTER", method);
        assert_eq!(attempt(&mut net, hub, stranger, &text), expected, "{method}");
    }
    net.say(stranger, hub, &register("100", 1, "ack", None, 600).replace("REGISTER", "ACK"));
    net.run_ms(40_000);
    assert_eq!(net.heard(stranger), None, "nothing is repeated, for nothing is remembered");
}

#[test]
fn unknown_extensions_hops_and_merged_requests_get_their_names() {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", CARRIER);
    let invite = crate::calls::raw("INVITE", 1, "", "", "v=0 offer");
    let with = |line: &str| invite.replace("CSeq", &format!("{line}\r\nCSeq"));
    let cases = [
        (with("Require: nothingSupportsThis, 100rel"), "420"),
        (invite.replace("Forwards: 70", "Forwards: 0"), "483"),
        (invite.replace("application/sdp", "application/x"), "415"),
        (with("Accept: text/x"), "406"),
        (invite.replace("5550100@192.0.2.1 SIP", "1@h.example SIP"), "404"),
        (invite.replace("Contact: <sip:198.51.100.5:5060>\r\n", ""), "400"),
    ];
    for (n, (text, expected)) in cases.iter().enumerate() {
        let text = text.replace("raw-call", &format!("call-{n}")).replace("INVITE1", &format!("b{n}"));
        assert_eq!(attempt(&mut net, hub, carrier, &text), *expected, "{text}");
    }
    net.run_ms(60_000);
    std::iter::from_fn(|| net.heard(carrier)).count();
    assert_eq!(attempt(&mut net, hub, carrier, &invite), "100");
    assert_eq!(attempt(&mut net, hub, carrier, &invite.replace("INVITE1", "other-way")), "482");
}

#[test]
fn bindings_survive_a_restart_and_end_with_their_phone_s_account() {
    let (mut net, hub, _) = box_and_phone(Transport::Udp);
    let binding = net.with(hub, |hub, _| hub.bindings("100")[0].clone());
    let again = net.endpoint("again", "192.0.2.2:5060", box_config());
    net.input(again, Input::Restore { user: "100".to_string(), binding });
    assert_eq!(net.with(again, |again, _| again.bindings("100").len()), 1);
    let mut config = box_config();
    config.phones.remove("100");
    net.input(again, Input::Configure(Box::new(config)));
    assert_eq!(net.with(again, |again, _| again.bindings("100").len()), 0);
}

#[test]
fn a_phone_is_told_to_fetch_its_configuration_again_and_only_when_it_is_there() {
    let (mut net, hub, _) = box_and_phone(Transport::Udp);
    let mut binding = net.with(hub, |hub, _| hub.bindings("100")[0].clone());
    let listener = net.talker("listener", "192.0.2.77:5060");
    binding.contact = "sip:100@192.0.2.77:5060".into();
    binding.flow.remote = "192.0.2.77:5060".parse().unwrap();
    net.input(hub, Input::Resync { user: "100".to_string() });
    net.run_ms(20);
    // The phone's own end of the line, which knows no such subscription, says so; that is the end of it.
    check(
        &net.story(),
        "   100 box     -> phone   NOTIFY
           110 box     <- phone   481",
    );
    net.input(hub, Input::Restore { user: "101".to_string(), binding });
    net.input(hub, Input::Resync { user: "101".to_string() });
    net.run_ms(20);
    let notify = net.heard(listener).expect("a NOTIFY");
    for line in ["NOTIFY sip:100@192.0.2.77:5060 SIP/2.0", "Event: check-sync;reboot=false", "To: <sip:101@"] {
        assert!(notify.contains(line), "{notify}");
    }
    net.run_ms(40_000);
    std::iter::from_fn(|| net.heard(listener)).count();
    net.input(hub, Input::Resync { user: "nobody".to_string() });
    net.run_ms(20);
    assert_eq!(net.heard(listener), None);
}

fn register(user: &str, cseq: u32, branch: &str, proof: Option<&Proof>, expires_s: u32) -> String {
    let proof = proof.map(|proof| proof.line("REGISTER")).unwrap_or_default();
    format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5070;rport;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{DOMAIN}>;tag=f\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: reg\r\nCSeq: {cseq} REGISTER\r\n\
         Contact: <sip:{user}@192.0.2.10:5070>\r\nExpires: {expires_s}\r\n{proof}Content-Length: 0\r\n\r\n"
    )
}

/// The status of the reply.
fn attempt(net: &mut Net, hub: usize, talker: usize, text: &str) -> String {
    net.say(talker, hub, text);
    net.run_ms(20);
    let reply = net.heard(talker).unwrap_or_else(|| panic!("no reply to {text}"));
    reply.split(' ').nth(1).unwrap().to_string()
}

fn nonce(net: &mut Net, hub: usize, talker: usize, user: &str) -> String {
    net.say(talker, hub, &register(user, 1, "first", None, 600));
    net.run_ms(20);
    let reply = net.heard(talker).unwrap();
    reply.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_string()
}
