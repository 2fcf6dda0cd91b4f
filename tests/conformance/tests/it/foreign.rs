//! Two foreign parsers, libre (baresip's) and Kamailio's, read every message that our endpoints say in these tests as we
//! meant it: start line, addresses, tags, Call-ID, CSeq, Via, Contact, length, body, the addresses of identity headers, and
//! where the audio is. What they find in a call out is what the trunk's list names (S-09).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use conformance::foreign::{self, Reading, kamailio, libre};
use conformance::net::Net;
use conformance::tape;
use sip::endpoint::{Emergency, Invite, Shown, Style};

use crate::stage::{BOX, CARRIER as PEER, box_config, to_trunk};
use crate::town::{ALICE, CARRIER, Town};

/// Tests that say the same kinds of messages ten thousand times over, and these here.
const NOT_RECORDED: [&str; 3] = ["foreign::", "of_all_replayed_proofs", "every_call_ends_once"];

/// The other tests of this program, run once more with a tape.
fn recorded(folder: &Path) -> Vec<Bytes> {
    let file = folder.join("tape");
    let mut others = Command::new(std::env::current_exe().expect("this program"));
    others.args(NOT_RECORDED.iter().flat_map(|name| ["--skip", name]));
    // Their own report is another's business: what they say is read, whether or not it was what they wanted.
    let others = others.env(tape::VARIABLE, &file).stdout(Stdio::null()).stderr(Stdio::null());
    others.status().expect("the other tests");
    tape::played(&file)
}

/// What we meant by each message, and whether it only repeats oddities of somebody else's.
fn meaning(bytes: &Bytes) -> (Reading, bool) {
    match foreign::ours(bytes) {
        Ok(reading) => {
            let repeats = reading.repeats_oddities();
            (reading, repeats)
        }
        Err(why) => {
            let refusal = foreign::refusal(bytes);
            let refusal = refusal.unwrap_or_else(|no| panic!("{why}, {no}\n{}", String::from_utf8_lossy(bytes)));
            (refusal, true)
        }
    }
}

/// What the readers say otherwise than is meant, message by message. A reply that repeats oddities need not be read; who
/// reads it must find the same status in it, and no body.
fn misread(folder: &Path, meant: &[(Reading, bool)], messages: &[Bytes]) -> Vec<(usize, String)> {
    let readers = [
        ("libre", libre::read(folder, messages), libre::parts()),
        ("kamailio", kamailio::read(folder, messages), kamailio::parts()),
    ];
    let mut found = Vec::new();
    for (reader, readings, parts) in readers {
        for (number, ((meant, repeats), read)) in meant.iter().zip(&readings).enumerate() {
            let parts = if *repeats { &["status", "length", "body"][..] } else { &parts[..] };
            if !*repeats || read.parts.contains_key("status") {
                found.extend(meant.differs(read, parts).into_iter().map(|what| (number, format!("{reader}, {what}"))));
            }
        }
    }
    found
}

#[test]
fn libre_and_kamailio_read_every_message_of_all_these_tests_as_we_meant_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let messages = recorded(folder.path());
    let meant: Vec<(Reading, bool)> = messages.iter().map(meaning).collect();
    let kinds: BTreeSet<&Bytes> =
        meant.iter().filter_map(|(meant, _)| meant.parts.get("method").or(meant.parts.get("status"))).collect();
    let repeat = meant.iter().filter(|(_, repeats)| *repeats).count();
    println!("{} messages of {} kinds, {repeat} of them repeat oddities", messages.len(), kinds.len());
    assert!(messages.len() > 2_000 && kinds.len() > 40, "{} messages, {kinds:?}", messages.len());
    assert!(repeat * 50 < messages.len(), "{repeat} need not be read");
    let found = misread(folder.path(), &meant, &messages);
    // One of each kind of fault says more than all of one.
    let mut kinds = BTreeSet::new();
    let shown: Vec<String> = found
        .iter()
        .filter(|(_, what)| kinds.insert(what.split(':').next()))
        .map(|(number, what)| format!("{what}\n{}", String::from_utf8_lossy(&messages[*number])))
        .collect();
    assert!(found.is_empty(), "{} are misread:\n{}", found.len(), shown.join("\n---\n"));
}

/// A call out with everything that a trunk may be told of its caller, as it was on the wire.
fn call_out() -> Bytes {
    let mut net = Net::new();
    let hub = net.endpoint("box", BOX, box_config());
    let carrier = net.talker("carrier", PEER);
    let shown =
        Shown { style: Style::Asserted, diverted: Some("+86105".into()), early_media: true, ..Shown::default() };
    let body = crate::town::sdp(1, "sendrecv");
    let emergency = Some(Emergency { location: Some(Bytes::from_static(b"<presence/>")) });
    let invite = Invite {
        from_name: Some("The \"Desk\"".into()),
        shown,
        sdp: body,
        emergency,
        ..to_trunk("carrier", "1", "4001")
    };
    net.with(hub, |hub, now| hub.invite(now, invite));
    net.run_ms(20);
    let heard = std::iter::from_fn(|| net.heard(carrier)).find(|text| text.starts_with("INVITE"));
    Bytes::from(heard.expect("an INVITE"))
}

#[test]
fn a_message_that_is_damaged_in_any_part_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = String::from_utf8(call_out().to_vec()).expect("text");
    let length = format!("Content-Length: {}", good.split_once("\r\n\r\n").expect("a body").1.len());
    let faults = [
        ("INVITE sip:1@", "INVITE sip:2@"),
        ("INVITE sip:1@", "INVTE sip:1@"),
        (" SIP/2.0\r\n", " SIP/3.0\r\n"),
        (";branch=z9hG4bK", ";branch=z9hG4bk"),
        ("\r\nMax-Forwards", "\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx\r\nMax-Forwards"),
        ("\r\nMax-Forwards", "\r\nX-Bypass: 1\r\nMax-Forwards"),
        ("\r\nMax-Forwards: 70", ""),
        ("From: \"The \\\"Desk\\\"\" <sip:4001@", "From: \"The \\\"Desk\\\" <sip:4001@"),
        ("From: \"The \\\"Desk\\\"\" <sip:4001@", "From: \"The \\\"Desk\\\"\" <sip:4002@"),
        ("<sip:4001@branch-a.example>;tag=", "<sip:4001@branch-a.example>;gat="),
        ("To: <sip:1@", "To: <sip:1;tag=x@"),
        ("\r\nCall-ID: ", "\r\n Call-ID: "),
        ("\r\nCall-ID: ", "\r\nCall-ID: x"),
        ("CSeq: 1 INVITE", "CSeq: 1 OPTIONS"),
        ("CSeq: 1 INVITE", "CSeq: 2 INVITE"),
        ("Contact: <sip:", "Contact: <sips:"),
        ("\r\nP-Asserted-Identity: ", "\r\nP-Asserted-Identity: <sip:4002@x>, "),
        ("\r\nDiversion: <sip:+86105", "\r\nDiversion: <sip:+86106"),
        (length.as_str(), "Content-Length: 7"),
        ("\r\n\r\n", "\r\n\r\n\r\n"),
    ];
    let meant = (foreign::ours(&Bytes::from(good.clone())).expect("a good message"), false);
    let mut messages = vec![Bytes::from(good.clone())];
    for (from, to) in faults {
        assert!(good.contains(from), "{from:?} is not in\n{good}");
        messages.push(Bytes::from(good.replacen(from, to, 1)));
    }
    let all = vec![meant; messages.len()];
    let found = misread(folder.path(), &all, &messages);
    let of = |number: usize| found.iter().filter(|(n, _)| *n == number).map(|(_, what)| what).collect::<Vec<_>>();
    assert!(of(0).is_empty(), "the good one: {:?}\n{good}", of(0));
    for (number, fault) in (1..).zip(faults) {
        assert!(!of(number).is_empty(), "nobody finds {fault:?}");
    }
}

/// Everything that a phone may write goes into the INVITE; what leaves for the carrier is built anew (S-09).
#[test]
fn foreign_readers_find_no_header_in_a_call_out_that_the_trunk_s_list_does_not_name() {
    let listed = [
        "via",
        "max-forwards",
        "from",
        "to",
        "call-id",
        "cseq",
        "contact",
        "user-agent",
        "allow",
        "supported",
        "session-expires",
        "min-se",
        "content-type",
        "content-length",
    ];
    let smuggled = [
        "X-Bypass-me: smuggled\r\n",
        "P-Asserted-Identity: <sip:smuggled@north.example>\r\n",
        "x-folded: a\r\n smuggled\r\n",
        "Subject: smuggled\r\ns: smuggled\r\n",
        "Diversion: <sip:smuggled@north.example>\r\nHistory-Info: <sip:smuggled@x>;index=1\r\n",
        "Remote-Party-ID: \"smuggled%0d%0aX-Bypass: 1\" <sip:smuggled@x>\r\n",
        "Call-Info: <http://smuggled.example>\r\nAlert-Info: <http://smuggled.example>\r\n",
        "User-to-User: smuggled;encoding=hex\r\nReferred-By: <sip:smuggled@x>\r\nGeolocation: <cid:smuggled>\r\n",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let mut out = Vec::new();
    for more in smuggled {
        let mut town = Town::new();
        let answer = town.asks(ALICE, "INVITE", "01701234567", more);
        let heard = town.peers[CARRIER].heard.iter().find(|text| text.starts_with("INVITE"));
        let heard = heard.unwrap_or_else(|| panic!("{more}: no call goes out: {answer}"));
        assert!(!heard.contains("smuggled"), "{more}\n{heard}");
        out.push(Bytes::from(heard.clone()));
    }
    let readings = libre::read(folder.path(), &out);
    for (reading, more) in readings.iter().zip(smuggled) {
        let names = reading.names.as_ref().expect("it is read");
        let strange: Vec<&String> = names.iter().filter(|name| !listed.contains(&name.as_str())).collect();
        assert!(strange.is_empty(), "{more}: {strange:?}");
    }
    let meant: Vec<(Reading, bool)> = out.iter().map(meaning).collect();
    assert_eq!(misread(folder.path(), &meant, &out), []);
}
