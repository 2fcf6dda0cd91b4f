//! Who may do what, as whole matrices: replayed proofs (S-01), hijacked registrations (S-03), unproved methods (S-04).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use conformance::net::Net;
use conformance::tape;
use sip::endpoint::{Config, Endpoint, Flow, Input, Output, Transport};
use sip::message::Method;

use crate::hand::{Hand, Proof, Say, header, status};
use crate::stage::*;

/// How many replays are tried; a million when `BRANCHLINE_REPLAYS` says so.
fn replays() -> usize {
    std::env::var("BRANCHLINE_REPLAYS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000)
}

/// A box alone, spoken to without a network between.
struct Door {
    hub: Endpoint,
    now: Instant,
    sent: usize,
}

impl Door {
    fn new(now: Instant, seed: u8) -> Self {
        Self { hub: Endpoint::new(box_config(), [seed; 32]), now, sent: 0 }
    }

    /// A request in a transaction of its own; status and challenge of the answer.
    fn say(&mut self, method: &str, from: &str, user: &str, proof: &str) -> (String, String) {
        self.sent += 1;
        let text = format!(
            "{method} sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag=f\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: c{n}\r\nCSeq: 1 {method}\r\n\
             {proof}Content-Length: 0\r\n\r\n",
            n = self.sent
        );
        let (local, remote) = (BOX.parse().unwrap(), from.parse().unwrap());
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        self.hub.handle_timeout(self.now);
        self.hub.handle_input(self.now, Input::Received { flow, bytes: Bytes::from(text) });
        let mut answer = String::new();
        while let Some(output) = self.hub.poll_output() {
            if let Output::Send { bytes, .. } = output {
                tape::said(&bytes);
                answer = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        let challenge = answer.lines().find(|line| line.starts_with("WWW-Authenticate")).unwrap_or_default();
        (status(&answer).to_string(), challenge.to_string())
    }

    fn nonce(&mut self, user: &str) -> String {
        let (_, challenge) = self.say("REGISTER", PHONE, user, "");
        challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_string()
    }
}

#[test]
fn of_all_replayed_proofs_none_is_believed_twice_nor_after_a_restart() {
    #[allow(clippy::disallowed_methods, reason = "a test needs some first instant")]
    let mut door = Door::new(Instant::now(), 1);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut dice = move |below: u64| {
        // xorshift64: the same night every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    // What a listener on the wire has: every proof that the phone ever sent, in the order in which it sent them.
    let mut captured: Vec<(String, u32, Instant)> = Vec::new();
    let mut believed: BTreeSet<(String, u32)> = BTreeSet::new();
    let mut nonce = door.nonce("100");
    let mut count = 0;
    let mut tried = 0;
    while tried < replays() {
        door.now += Duration::from_millis(dice(700));
        match dice(40) {
            // The phone itself: a new count, now and then a new nonce.
            0 => {
                if dice(8) == 0
                    || captured.last().is_some_and(|(_, _, made)| door.now - *made > Duration::from_secs(40))
                {
                    (nonce, count) = (door.nonce("100"), 0);
                }
                count += 1;
                let made = captured.iter().rev().find(|(of, _, _)| *of == nonce).map_or(door.now, |(_, _, made)| *made);
                captured.push((nonce.clone(), count, made));
                // Some are overtaken: the thief may come first, once.
                if dice(4) > 0 {
                    let proof = Proof { count, ..Proof::of("100", &nonce) }.line("REGISTER");
                    if door.say("REGISTER", PHONE, "100", &proof).0 == "200" {
                        assert!(believed.insert((nonce.clone(), count)), "{nonce} {count}");
                    }
                }
            }
            _ if captured.is_empty() => {}
            // The thief: one of the last, any, from its own address or as if from the phone's.
            kind => {
                tried += 1;
                let back = if kind < 30 { dice(20) } else { dice(captured.len() as u64) };
                let at = captured.len().saturating_sub(1 + usize::try_from(back).unwrap());
                let (nonce, count, made) = captured[at].clone();
                let from = ["203.0.113.9:5060", PHONE][usize::from(dice(2) == 0)];
                let proof = Proof { count, ..Proof::of("100", &nonce) }.line("REGISTER");
                let method = if dice(10) == 0 { "MESSAGE" } else { "REGISTER" };
                let (status, _) = door.say(method, from, "100", &proof);
                assert!(method == "REGISTER" || status == "401", "a proof is good for its method");
                if status == "200" {
                    assert!(door.now - made <= Duration::from_secs(61), "older than a nonce lives");
                    assert!(believed.insert((nonce, count)), "believed twice");
                }
            }
        }
    }
    assert!(believed.len() > replays() / 200, "the phone itself is let in: {}", believed.len());
    let mut again = Door::new(door.now, 2);
    for (nonce, count, _) in captured.iter().rev().take(500) {
        let proof = Proof { count: *count, ..Proof::of("100", nonce) }.line("REGISTER");
        let (status, challenge) = again.say("REGISTER", PHONE, "100", &proof);
        assert_eq!((status.as_str(), challenge.contains("stale=true")), ("401", true), "after a restart");
    }
}

/// S-05: how long an answer takes tells nobody who exists. Known and unknown names are asked in random turns, and the two
/// samples compared by their ranks (Mann-Whitney); the machine's noise falls on both. 10,000 each and p > 0.01 on
/// request (`BRANCHLINE_TIMINGS=10000`, of a release build); fewer, and only a gross difference counts, otherwise.
///
/// The challenge says openly which hash it wants, and a name's place in the alphabet is no secret either: each known name
/// stands beside an unknown one of the same kind, just before it.
#[test]
fn a_known_and_an_unknown_name_are_answered_equally_fast() {
    let asked = std::env::var("BRANCHLINE_TIMINGS").ok().and_then(|count| count.parse::<u64>().ok());
    #[allow(clippy::disallowed_methods, reason = "a test of time needs a clock")]
    let clock = Instant::now;
    let phones = ["100", "300", "500"].map(|user| (user.to_string(), phone_auth(user, user == "300")));
    let config = Config { phones: phones.into(), ..box_config() };
    let mut door = Door { hub: Endpoint::new(config, [1; 32]), now: clock(), sent: 0 };
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut taken: Vec<(Duration, bool)> = Vec::new();
    let mut kind = |user: &str| door.say("REGISTER", PHONE, user, "").1.contains("MD5");
    let mut pair = |known: u32| {
        let below = (known - 99..known).map(|name| format!("{name:03}"));
        let alike = |name: &String| kind(name) == kind(&known.to_string());
        [below.clone().find(alike).expect("a name of each kind"), known.to_string()]
    };
    let pairs = [pair(100), pair(300), pair(500)];
    for _ in 0..2 * asked.unwrap_or(400) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let known = state >> 20 & 1 == 0;
        let user = &pairs[(state >> 30) as usize % 3][usize::from(known)];
        let wrong = Proof { password: "guess".to_string(), ..Proof::of(user, &"0".repeat(56)) }.line("REGISTER");
        let began = clock();
        let (status, _) = door.say("REGISTER", "203.0.113.9:5060", user, &wrong);
        taken.push((began.elapsed(), known));
        assert_eq!(status, "401");
    }
    taken.sort();
    let ranks = taken.iter().enumerate().filter(|(_, (_, known))| *known).map(|(at, _)| at as f64 + 1.0);
    let (n, sum) = ranks.fold((0.0, 0.0), |(n, sum), rank| (n + 1.0, sum + rank));
    let all = taken.len() as f64;
    let z = (sum - n * (all + 1.0) / 2.0) / (n * (all - n) * (all + 1.0) / 12.0).sqrt();
    println!("z = {z:.2} over {all} answers, median {:?}", taken[taken.len() / 2].0);
    let limit = if asked.is_some() { 2.58 } else { 6.0 };
    assert!(z.abs() < limit, "known names stand out: z = {z}");
}

/// What a request is told that nobody proved, that is proved wrongly, and that another phone proved.
struct Row {
    none: &'static str,
    wrong: &'static str,
    other: &'static str,
}

/// Exhaustive: a method that is new to the enum does not compile here until it has its row.
fn row(method: Method) -> Row {
    let guarded = Row { none: "401", wrong: "401", other: "403" };
    match method {
        Method::Bye
        | Method::Info
        | Method::Invite
        | Method::Message
        | Method::Notify
        | Method::PRack
        | Method::Publish
        | Method::Refer
        | Method::Register
        | Method::Subscribe
        | Method::Update => guarded,
        // RFC 3261 §22.1: neither can be challenged. An ACK without a call is dropped; a CANCEL finds nothing to cancel.
        Method::Ack => Row { none: "", wrong: "", other: "" },
        Method::Cancel => Row { none: "481", wrong: "481", other: "481" },
        // A ping: answered to everybody, the same to everybody, from no state (RFC 3261 §11.2).
        Method::Options => Row { none: "200", wrong: "200", other: "200" },
    }
}

#[test]
fn every_method_wants_the_password_of_whom_it_names() {
    for method in Method::all() {
        let name = method.to_string();
        let Row { none, wrong, other } = row(method);
        let mut net = Net::new();
        let hub = net.endpoint("box", BOX, box_config());
        let mut hand = Hand::new(&mut net, "100", PHONE);
        let mut thief = Hand::new(&mut net, "102", "203.0.113.9:5060");
        let say = Say { method: &name, to: "100", more: "Expires: 600\r\nEvent: dialog\r\n", body: "" };
        let text = hand.text(say, "");
        assert_eq!(status(&hand.put(&mut net, hub, &text)), none, "{name} without a proof");
        let proof = hand.proof(&mut net, hub, &name).replace("response=\"", "response=\"0");
        let text = hand.text(say, &proof);
        assert_eq!(status(&hand.put(&mut net, hub, &text)), wrong, "{name} with a wrong one");
        // Phone 102 proves itself, and speaks as 100.
        let proof = thief.proof(&mut net, hub, &name);
        let text = thief.text(say, &proof).replace("<sip:102@branch-a.example>", "<sip:100@branch-a.example>");
        assert_eq!(status(&thief.put(&mut net, hub, &text)), other, "{name} with another's");
        assert_eq!(net.with(hub, |hub, _| (hub.bindings("100").len(), hub.load().dialogs)), (0, 0), "{name}");
        assert!(net.event(hub).is_none(), "{name} came through");
    }
}

#[test]
fn within_a_call_a_stranger_must_prove_whom_the_call_is_with() {
    for method in Method::all().into_iter().filter(|method| !matches!(method, Method::Ack | Method::Cancel)) {
        let name = method.to_string();
        let mut net = Net::new();
        let hub = net.endpoint("box", BOX, box_config());
        let mut phone = Hand::new(&mut net, "100", PHONE);
        let sdp = Say { method: "INVITE", to: "5550100", more: "Content-Type: application/sdp\r\n", body: "v=0 offer" };
        phone.ask(&mut net, hub, sdp);
        let ours = invited(&mut net, hub);
        net.with(hub, |hub, now| hub.accept(now, ours, answer()));
        net.run_ms(20);
        let ok = phone.heard(&mut net).pop().unwrap();
        let tag = |name: &str| header(&ok, name).split("tag=").nth(1).unwrap().to_string();
        let (call_id, local_tag, remote_tag) = (header(&ok, "Call-ID").to_string(), tag("To"), tag("From"));
        let mut thief = Hand::new(&mut net, "102", "203.0.113.9:5060");
        let mut stolen = |proof: &str, cseq: u32, branch: &str| {
            let text = format!(
                "{name} sip:{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
                 From: <sip:100@{DOMAIN}>;tag={remote_tag}\r\nTo: <sip:5550100@{DOMAIN}>;tag={local_tag}\r\n\
                 Call-ID: {call_id}\r\nCSeq: {cseq} {name}\r\nContact: <sip:x@203.0.113.9>\r\n{proof}\
                 Refer-To: <sip:102@{DOMAIN}>\r\nContent-Length: 0\r\n\r\n",
                thief.addr
            );
            thief.put(&mut net, hub, &text)
        };
        assert_eq!(status(&stolen("", 900, "none")), "401", "{name}");
        let nonce = Door::nonce_of(&stolen("", 901, "ask"));
        let wrong = Proof { password: "guess".to_string(), ..Proof::of("100", &nonce) };
        assert_eq!(status(&stolen(&wrong.line(&name), 902, "wrong")), "401", "{name}");
        let nonce = Door::nonce_of(&stolen("", 903, "ask2"));
        assert_eq!(status(&stolen(&Proof::of("102", &nonce).line(&name), 904, "other")), "403", "{name}");
        let event = net.event(hub);
        assert!(event.is_none(), "{name}: {event:?}");
    }
}

impl Door {
    fn nonce_of(reply: &str) -> String {
        header(reply, "WWW-Authenticate").split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_string()
    }
}

#[test]
fn no_user_binds_another_whatever_it_writes_where() {
    let users = ["100", "101", "102"];
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let addrs = ["192.0.2.31:5060", "192.0.2.32:5060", "192.0.2.33:5060"];
    let mut hands: Vec<Hand> = users.iter().zip(addrs).map(|(user, addr)| Hand::new(&mut net, user, addr)).collect();
    hands.iter_mut().for_each(|hand| hand.register(&mut net, hub));
    let bound = |net: &mut Net| {
        users.map(|user| {
            net.with(hub, |hub, _| hub.bindings(user).iter().map(|b| b.contact.clone()).collect::<Vec<_>>())
        })
    };
    let before = bound(&mut net);
    let mut foreign = 0;
    for (prover, hand) in users.iter().zip(&mut hands) {
        for aor in users {
            for claims in users {
                for (method, contact) in [
                    ("REGISTER", "Contact: <sip:evil@203.0.113.9>\r\nExpires: 600\r\n"),
                    ("REGISTER", "Contact: *\r\nExpires: 0\r\n"),
                    ("REGISTER", "Contact: <sip:evil@203.0.113.9>;expires=0, <sip:a@b.h>;q=0.1\r\nExpires: 600\r\n"),
                    ("SUBSCRIBE", "Contact: <sip:evil@203.0.113.9>\r\nEvent: message-summary\r\n"),
                    ("MESSAGE", "Contact: <sip:evil@203.0.113.9>\r\nContent-Type: text/plain\r\n"),
                    ("INVITE", "Contact: <sip:evil@203.0.113.9>\r\n"),
                ] {
                    if *prover == aor && aor == claims {
                        continue;
                    }
                    let proof = hand.proof(&mut net, hub, method);
                    let own = format!("Contact: <sip:{prover}@{}>\r\n", hand.addr);
                    let text = hand
                        .text(Say { method, to: aor, more: "", body: "" }, &proof)
                        .replace(&own, contact)
                        .replace(&format!("From: <sip:{prover}@"), &format!("From: <sip:{claims}@"));
                    let reply = hand.put(&mut net, hub, &text);
                    if method == "REGISTER" || *prover != claims {
                        assert_eq!(status(&reply), "403", "{prover} as {claims} for {aor}: {method} {contact}");
                        foreign += 1;
                    }
                    forget_events(&mut net, hub);
                }
            }
        }
        assert_eq!(bound(&mut net), before, "after {prover}");
    }
    assert!(foreign >= 100, "{foreign} attempts");
    // The victims keep ringing, at their own places.
    for (user, hand) in users.iter().zip(&hands) {
        hand.heard(&mut net);
        net.with(hub, |hub, now| hub.invite(now, to_phone(user)));
        net.run_ms(20);
        assert!(hand.heard(&mut net).iter().any(|text| text.starts_with("INVITE")), "{user}");
    }
}
