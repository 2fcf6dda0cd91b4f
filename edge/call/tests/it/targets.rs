//! S-14: where audio is sent is the box's to judge. Three hundred descriptions that aim it at somebody who is not the caller,
//! at everybody, at the box itself, or at nobody: none is followed, whichever part of the exchange it stands in.

use crate::bench::{ANN, Bench, CARRIER};
use crate::setup::sdp;

/// Addresses at which no single caller can be, and one of ours.
const FORBIDDEN: [(&str, &str); 20] = [
    ("IP4", "127.0.0.1"),
    ("IP4", "127.255.255.254"),
    ("IP4", "0.0.0.0"),
    ("IP4", "224.0.0.1"),
    ("IP4", "239.255.255.250"),
    ("IP4", "255.255.255.255"),
    ("IP4", "169.254.169.254"),
    ("IP4", "169.254.0.1"),
    ("IP6", "::"),
    ("IP6", "::1"),
    ("IP6", "ff02::1"),
    ("IP6", "ff05::1:3"),
    ("IP6", "::ffff:127.0.0.1"),
    ("IP6", "::ffff:0.0.0.0"),
    ("IP6", "::ffff:224.0.0.1"),
    ("IP6", "::ffff:169.254.169.254"),
    ("IP4", "localhost"),
    ("IP4", "carrier.example"),
    ("IP4", "224.2.1.1/127"),
    ("IP6", "ff15::101/3"),
];

/// Every way to write an address into a description; the host that o= names never counts.
fn descriptions() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (kind, address) in FORBIDDEN {
        let bad = format!("c=IN {kind} {address}\r\n");
        let good = "c=IN IP4 198.51.100.77\r\n";
        let media = "m=audio 6000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
        let head = "v=0\r\no=- 1 1 IN IP4 198.51.100.77\r\ns=-\r\n";
        let ways = [
            format!("{head}{bad}t=0 0\r\n{media}a=sendrecv\r\n"),
            format!("{head}t=0 0\r\nm=audio 6000 RTP/AVP 8\r\n{bad}a=rtpmap:8 PCMA/8000\r\n"),
            format!("{head}{good}t=0 0\r\nm=audio 6000 RTP/AVP 8\r\n{bad}a=rtpmap:8 PCMA/8000\r\n"),
            format!("{head}{bad}t=0 0\r\n{media}a=rtcp:6001 IN IP4 198.51.100.77\r\n"),
            format!("{head}{bad}t=0 0\r\n{media}a=recvonly\r\n"),
        ];
        all.extend(ways.map(|text| (address.to_owned(), text)));
    }
    all
}

#[test]
fn no_offer_no_answer_and_no_change_aims_our_audio_where_no_caller_is() {
    let all = descriptions();
    let mut tried = 0;
    for (address, text) in &all {
        // As the offer of a call.
        let mut bench = Bench::new(4);
        if let Some(leg) = bench.call(CARRIER, "4001", Some(text)) {
            bench.calls.answer(bench.now, leg);
            bench.run();
        }
        nowhere(&mut bench, address, text);
        // As the answer to ours, early and final.
        let mut bench = Bench::new(4);
        bench.dial_out("5550100", None);
        bench.peer_rings(CARRIER, Some(text.clone()));
        nowhere(&mut bench, address, text);
        // As a change of a call that stands: the old address is kept.
        let mut bench = Bench::new(4);
        bench.dial_phone("201", None);
        bench.peer_answers(ANN);
        bench.take_log();
        bench.peer_reinvites(ANN, text);
        nowhere(&mut bench, address, text);
        tried += 3;
    }
    assert_eq!(tried, 300);
}

fn nowhere(bench: &mut Bench, address: &str, text: &str) {
    let log = bench.take_log();
    let aimed = |line: &&String| line.contains("media: connect") && !line.contains("198.51.100.1:");
    assert!(!log.iter().any(|line| aimed(&line)), "{address}: {log:#?}\n{text}");
}

/// A thousand streams, long lines and many attributes cost one refusal, or are read in their place.
#[test]
fn a_description_of_any_size_is_one_call_and_no_more() {
    let good = sdp("198.51.100.77", 6_000, "8 101", "sendrecv");
    let many = |count: usize, line: &str| format!("{good}{}", line.repeat(count));
    let texts = [
        many(1_000, "m=audio 6002 RTP/AVP 8\r\n"),
        many(1_000, "a=rtpmap:96 x/8000\r\n"),
        many(500, "a=candidate:1 1 UDP 1 127.0.0.1 9 typ host\r\n"),
        good.replace("a=fmtp:101 0-15", &format!("a=fmtp:101 {}", "0,".repeat(20_000))),
        good.replace("RTP/AVP 8", &format!("RTP/AVP 8 {}", "96 ".repeat(5_000))),
    ];
    for text in texts {
        let mut bench = Bench::new(4);
        bench.call(CARRIER, "4001", Some(&text));
        let log = bench.take_log();
        let aimed = |line: &String| line.contains("connect") && !line.contains("198.51.100.77:6000");
        assert!(!log.iter().any(aimed), "{log:#?}");
    }
}
