//! REFER, Replaces and Join in hostile hands (S-11): two hundred tries to dial out, to steal a call or to listen in,
//! over the whole branch. No leg may come of any, nobody may be rung, and the talk goes on.

use bytes::Bytes;

use crate::hand::{self, status};
use crate::town::*;

/// Alice and Bob talk, Carol's phone is idle, a stranger listens on the wire.
fn talking() -> Town {
    let mut town = Town::new();
    town.calls(ALICE, "202");
    town.rings(BOB);
    town.answers(BOB);
    town.story();
    town
}

const STRANGER: &str = "203.0.113.9:5060";

/// Nothing came of what was just tried: two legs, nobody rung, nobody hung up.
#[track_caller]
fn nothing_happened(town: &mut Town, what: &str) {
    town.advance(1);
    assert_eq!(town.legs(), 2, "{what}: legs\n{}", town.story());
    let story = town.story();
    for sign in ["box -> carrier INVITE", "box -> carol INVITE", "box -> alice INVITE", "box -> bob INVITE", " BYE"] {
        assert!(!story.contains(sign), "{what}: {sign}\n{story}");
    }
}

/// Where a thief would like to be put through to.
fn targets() -> Vec<String> {
    let numbers = [
        "00881612345678",
        "+881612345678",
        "0088213123",
        "0900123456",
        "01701234567",
        "+491701234567",
        "0017005550100",
        "112",
        "201",
        "202",
        "999",
        "",
        "*8201",
        "*8202",
        "*8203",
        "203%0d%0aX: y",
        "203%00",
        "../203",
        "203;ext=1@h",
    ];
    let mut targets: Vec<String> = numbers.iter().map(|number| format!("<sip:{number}@north.example>")).collect();
    targets.extend(
        [
            "<sip:203@evil.example>",
            "<sip:203@203.0.113.9:5060>",
            "<sips:203@evil.example>",
            "<tel:+881612345678>",
            "<tel:0900123456>",
            "<urn:service:sos>",
            "<http://evil.example/203>",
            "<sip:203@north.example;method=BYE>",
            "<sip:203@north.example;method=REGISTER>",
            "<sip:203@north.example;method=SUBSCRIBE>",
            "<sip:203@north.example?Route=%3Csip:evil.example%3E>",
            "<sip:203@north.example?Replaces=x>",
            "<sip:203@north.example?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
            "<sip:203@north.example?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&Replaces=d>",
            "<sip:203@north.example?Replaces=a%0d%0aX%3Ay%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
            "<sip:203@north.example?Join=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
            "sip:203@north.example?Replaces=x",
            "<sip:203@north.example>\r\nRefer-To: <sip:203@north.example>",
            "<sip:203@north.example>, <sip:203@north.example>",
            "203",
            "*",
            "<>",
            "",
        ]
        .map(str::to_string),
    );
    targets
}

#[test]
fn no_refer_leads_out_or_anywhere_it_should_not() {
    let mut tried = 0;
    // Within the talk, by its own phone: what the dial plan does not let through.
    for target in targets() {
        let mut town = talking();
        town.says(BOB, 0, "REFER", &format!("Refer-To: {target}\r\n"));
        nothing_happened(&mut town, &target);
        tried += 1;
    }
    let mut town = talking();
    town.says(BOB, 0, "REFER", "");
    nothing_happened(&mut town, "no Refer-To");
    // Within the talk, by a stranger who knows its names, even to where a transfer would be right.
    let good = "Refer-To: <sip:203@north.example>\r\n";
    for side in [ALICE, BOB] {
        for n in 0..10 {
            let names = town.peers[side].names.last().cloned().unwrap();
            town.bring(STRANGER.parse().unwrap(), by(STRANGER, &names, "REFER", n, good));
            nothing_happened(&mut town, "a stranger within the talk");
            tried += 1;
        }
        // And by Carol's phone, which has no part in it.
        for n in 0..10 {
            let names = town.peers[side].names.last().cloned().unwrap();
            let carol = town.peers[CAROL].addr.to_string();
            town.bring(town.peers[CAROL].addr, by(&carol, &names, "REFER", 20 + n, good));
            nothing_happened(&mut town, "another phone within the talk");
            tried += 1;
        }
    }
    // Outside any talk, by the carrier.
    for target in targets() {
        let mut town = talking();
        let carrier = town.peers[CARRIER].addr;
        let names = Names {
            own: "<sip:x@192.0.2.1>;tag=own".to_string(),
            remote: "<sip:203@north.example>".to_string(),
            call_id: "out-of-the-blue".to_string(),
        };
        town.bring(carrier, by(&carrier.to_string(), &names, "REFER", 1, &format!("Refer-To: {target}\r\n")));
        nothing_happened(&mut town, &format!("the carrier: {target}"));
        tried += 1;
    }
    println!("{tried} REFERs");
    assert!(tried >= 120);
}

/// S-10: a good transfer whose Refer-To carries lines of its own, spelled in every way that a careless reader undoes.
#[test]
fn what_a_refer_to_smuggles_reaches_nobody() {
    let spelled = [
        "\"a%0d%0aX-Bypass: smuggled\" <sip:203@north.example>",
        "\"a\\\r\n X-Bypass: smuggled\" <sip:203@north.example>",
        "<sip:203@north.example>;x=\"%0d%0aX-Bypass: smuggled\"",
        "<sip:203@north.example;x=%0d%0aX-Bypass:%20smuggled>",
        "<sip:203:smuggled%0d%0aX-Bypass:1@north.example>",
        "<sip:203@north.example?X-Bypass=smuggled>",
        "<sip:203@north.example?Subject=a%0d%0aX-Bypass:%20smuggled>",
        "<sip:203@north.example?Replaces=a%0d%0aX-Bypass:%20smuggled%3bto-tag%3db%3bfrom-tag%3dc>",
        "<sip:203@north.example?body=smuggled>",
        "<sip:203%0d%0aX-Bypass:%20smuggled@north.example>",
        "<sip:203%0D%0A%0D%0Asmuggled@north.example>",
        "<sip:203%00smuggled@north.example>",
        "<sip:203%E5%98%8A%E5%98%8DX-Bypass:smuggled@north.example>",
    ];
    let (mut moved, mut refused) = (0, 0);
    for target in spelled {
        let mut town = talking();
        town.says(BOB, 0, "REFER", &format!("Refer-To: {target}\r\nReferred-By: <sip:smuggled@north.example>\r\n"));
        town.advance(1);
        for peer in [CARRIER, ALICE, CAROL] {
            for text in &town.peers[peer].heard {
                assert!(!text.contains("smuggled") && !text.contains("X-Bypass"), "{target}\n{text}");
                // RFC 3892: who sends a caller on is said by us, and not by whoever does.
                let rung = peer == CAROL && text.starts_with("INVITE");
                assert!(!rung || text.contains("\r\nReferred-By: <sip:202@north.example>\r\n"), "{target}\n{text}");
            }
        }
        let answer = town.peers[BOB].heard.iter().find(|text| text.contains(" REFER\r\n")).map(|text| status(text));
        match answer {
            Some("202") => moved += 1,
            Some("400" | "603") => refused += 1,
            other => panic!("{target}: {other:?}"),
        }
    }
    println!("{moved} moved, {refused} refused");
    assert!(moved >= 3 && refused >= 5, "{moved} moved, {refused} refused");
}

/// The dial plan is the only way out: where a phone or the carrier sends a call on (RFC 3261 §8.1.3.4), nobody is rung.
#[test]
fn no_redirection_leads_anywhere() {
    let inside = "<sip:203@north.example>".to_string();
    let (mut tried, mut over) = (0, 0);
    for (called, number) in [(BOB, "202"), (CARRIER, "01701234567")] {
        for target in targets().into_iter().chain([inside.clone()]) {
            for status in ["300", "301", "302", "305", "380"] {
                let mut town = Town::new();
                town.calls(ALICE, number);
                let invite = town.peers[called].heard.iter().find(|text| text.starts_with("INVITE")).cloned();
                let invite = invite.expect("a call");
                town.story();
                let more = format!("Contact: {target}\r\nDiversion: <sip:202@north.example>;reason=unconditional\r\n");
                town.puts(called, hand::answer(&invite, status, &more));
                town.advance(40);
                let story = town.story();
                assert!(!story.contains(" INVITE"), "{status} {target}\n{story}");
                tried += 1;
                if town.legs() > 0 {
                    // No answer at all: what cannot be read is dropped, and it goes on ringing.
                    continue;
                }
                let said = story.lines().find(|line| line.starts_with("box -> alice ")).unwrap_or_default();
                let told = said.rsplit(' ').next().unwrap_or_default();
                assert!(
                    told.starts_with(['4', '5', '6']),
                    "{status} {target}: the caller hears an end, no 3xx: {said}"
                );
                over += 1;
            }
        }
    }
    println!("{tried} redirections, {over} of them end the call");
    assert!(tried >= 200 && over >= 150, "{tried}, {over}");
}

#[test]
fn no_invite_takes_or_joins_a_talk_that_is_not_its_own() {
    let mut town = talking();
    let (alice, bob) =
        (town.peers[ALICE].names.last().cloned().unwrap(), town.peers[BOB].names.last().cloned().unwrap());
    let tag = |value: &str| value.split("tag=").nth(1).unwrap().to_string();
    let mut wanted = Vec::new();
    for names in [&alice, &bob] {
        let (call_id, ours, theirs) = (&names.call_id, tag(&names.remote), tag(&names.own));
        for header in ["Replaces", "Join"] {
            for value in [
                // The right names of a talk that stands: a theft.
                format!("{call_id};to-tag={ours};from-tag={theirs}"),
                format!("{call_id};to-tag={ours};from-tag={theirs};early-only"),
                format!("{call_id};to-tag={theirs};from-tag={ours}"),
                format!("{call_id};to-tag={ours};from-tag=0"),
                format!("{call_id};to-tag=0;from-tag={theirs}"),
                format!("{call_id};to-tag=;from-tag="),
                format!("x{call_id};to-tag={ours};from-tag={theirs}"),
                format!("{call_id};to-tag={ours};to-tag={ours};from-tag={theirs}"),
                format!("{call_id};from-tag={theirs}"),
                call_id.clone(),
                String::new(),
                format!(
                    "{call_id};to-tag={ours};from-tag={theirs}\r\n{header}: {call_id};to-tag={ours};from-tag={theirs}"
                ),
                format!(
                    "{call_id};to-tag={ours};from-tag={theirs}\r\nReplaces: a;to-tag=b;from-tag=c\r\nJoin: d;to-tag=e;from-tag=f"
                ),
            ] {
                wanted.push(format!("{header}: {value}\r\n"));
            }
        }
    }
    let mut tried = 0;
    for lines in &wanted {
        for who in [CAROL, CARRIER] {
            let reply = town.asks(who, "INVITE", "203", lines);
            let refused = ["400", "403", "404", "481", "486"].contains(&status(&reply));
            assert!(refused, "{who} {lines} {reply}");
            nothing_happened(&mut town, lines);
            tried += 1;
        }
        let names = Names {
            own: "<sip:203@north.example>;tag=own".to_string(),
            remote: "<sip:203@north.example>".to_string(),
            call_id: format!("stranger-{tried}"),
        };
        town.bring(STRANGER.parse().unwrap(), by(STRANGER, &names, "INVITE", 1, lines));
        nothing_happened(&mut town, lines);
        tried += 1;
    }
    println!("{tried} INVITEs");
    assert!(tried >= 150);
}

fn by(addr: &str, names: &Names, method: &str, n: usize, more: &str) -> Bytes {
    let Names { own, remote, call_id } = names;
    Bytes::from(format!(
        "{method} sip:203@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};branch=z9hG4bKevil{n}{call_id}\r\nMax-Forwards: 70\r\n\
         From: {own}\r\nTo: {remote}\r\nCall-ID: {call_id}\r\nCSeq: {} {method}\r\nContact: <sip:x@{addr}>\r\n{more}\
         Content-Length: 0\r\n\r\n",
        900 + n
    ))
}

impl Town {
    /// A request outside a dialog, proved when a challenge asks for it; the last answer.
    pub fn asks(&mut self, peer: usize, method: &str, to: &str, more: &str) -> String {
        let (addr, user) = (self.peers[peer].addr, ["carrier", "201", "202", "203"][peer]);
        let ask = |town: &mut Self, proof: &str| {
            let n = town.number();
            let offer = if method == "INVITE" { sdp(peer, "sendrecv") } else { Bytes::new() };
            let body = String::from_utf8(offer.to_vec()).unwrap();
            town.peers[peer].by_hand.insert(format!("z9hG4bKask{n};"));
            let uri = if to.starts_with("urn:") { to.to_owned() } else { format!("sip:{to}@{DOMAIN}") };
            let text = format!(
                "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};branch=z9hG4bKask{n};rport\r\nMax-Forwards: 70\r\n\
                 From: <sip:{user}@{DOMAIN}>;tag=t{n}\r\nTo: <{uri}>\r\nCall-ID: ask-{n}\r\nCSeq: 1 {method}\r\n\
                 Contact: <sip:{user}@{addr}>\r\n{more}{proof}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            town.peers[peer].heard.clear();
            town.puts(peer, text);
            town.peers[peer].heard.iter().rfind(|text| text.starts_with("SIP/2.0")).cloned().unwrap_or_default()
        };
        let first = ask(self, "");
        if status(&first) != "401" {
            return first;
        }
        let challenge = hand::header(&first, "WWW-Authenticate");
        let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let proof = hand::Proof { password: "secret".to_string(), ..hand::Proof::of(user, nonce) };
        ask(self, &proof.line_in(DOMAIN, method))
    }
}
