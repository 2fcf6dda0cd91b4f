//! RFC 4475 and RFC 5118 at the endpoint: each message gets its reply, by datagram, by stream, byte by byte and by
//! WebSocket, and keeps it however it is dressed; each valid one is read as it was meant.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;
use conformance::tape;
use conformance::torture::{CASES, Case, Reply, Verdict};
use sip::auth::Algorithm;
use sip::endpoint::{Config, Endpoint, Flow, Input, Output, PhoneAuth, Transport, Trunk};
use sip::front::{self, Carrier, Opened};
use sip::message::{Message, Method, Request};
use sip::uri::Host;

use crate::stage::{BOX, CARRIER, password};

const DOMAIN: &str = "example.com";
const STRANGER: &str = "203.0.113.7:5060";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Datagram,
    OneWrite,
    ByteByByte,
    WebSocket,
}

const WAYS: [Way; 4] = [Way::Datagram, Way::OneWrite, Way::ByteByByte, Way::WebSocket];

#[test]
fn every_torture_message_gets_the_same_reply_by_every_way() {
    let (sip, ipv6) = (CASES.iter().filter(|case| !case.section.starts_with('4')).count(), 12);
    assert_eq!((sip, CASES.len() - sip), (49, ipv6));
    let wrong: Vec<String> = WAYS
        .iter()
        .flat_map(|way| CASES.iter().map(move |case| (case, *way)))
        .flat_map(|(case, way)| check(case, way, case.bytes))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The INVITE behind dblreq announces 150 bytes of a body that has 155: what is left over is no message, and a stream
/// whose borders are lost is closed, so that who goes on by it hears of it and takes another.
#[test]
fn a_stream_whose_borders_are_lost_is_closed_behind_its_last_reply() {
    let closes = |bytes: &[u8]| {
        let mut endpoint = Endpoint::new(config(), [7; 32]);
        let (local, remote) = (BOX.parse().unwrap(), STRANGER.parse().unwrap());
        let flow = Flow { transport: Transport::Tcp, local, remote, connection: 1 };
        endpoint.handle_input(Instant::now(), Input::Received { flow, bytes: Bytes::copy_from_slice(bytes) });
        let outputs: Vec<Output> = std::iter::from_fn(|| endpoint.poll_output()).collect();
        let replies = outputs.iter().filter(|output| matches!(output, Output::Send { .. })).count();
        let closed =
            outputs.iter().position(|output| matches!(output, Output::Close { flow: closed } if *closed == flow));
        let last = outputs.iter().rposition(|output| matches!(output, Output::Send { .. }));
        assert!(closed.is_none() || closed > last, "its reply goes first");
        (replies, closed.is_some())
    };
    let bytes = |name: &str| CASES.iter().find(|case| case.name == name).unwrap().bytes;
    assert_eq!(closes(bytes("dblreq")), (2, true), "the REGISTER, and the INVITE behind it");
    // RFC 4475 §3.1.2.3, §3.3.9.
    assert_eq!(closes(bytes("ncl")), (1, true));
    assert_eq!(closes(bytes("mcl01")), (1, true));
    assert_eq!(closes(bytes("cparam01")), (1, false));
    assert_eq!(closes(bytes("clerr")), (0, false), "there is only waiting");
}

#[test]
fn only_authentication_comes_before_the_verdict_of_the_document() {
    for case in &CASES {
        assert_eq!(case.known, case.rfc, "{}: a known sender gets what the document says", case.name);
        assert!(case.stranger == case.rfc || case.stranger == Reply::Status(401), "{}", case.name);
    }
}

#[test]
fn order_case_compact_names_folding_and_unknown_headers_change_no_reply() {
    for (dress, name) in DRESSES {
        let wrong: Vec<String> = [Way::Datagram, Way::OneWrite, Way::WebSocket]
            .iter()
            .flat_map(|way| CASES.iter().flat_map(|case| check(case, *way, &dressed(case.bytes, *dress))))
            .collect();
        assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    }
}

#[test]
fn valid_messages_are_read_as_they_were_meant() {
    let wsinv = request("wsinv");
    let head = &wsinv.head;
    assert_eq!((head.cseq, head.max_forwards, head.via.len(), head.route.len()), (9, Some(68), 3, 1));
    assert_eq!(head.from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((head.from.tag(), head.to.tag()), (Some("98asjd8"), Some("1918181833n")));
    assert_eq!(head.via[1].to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
    let contact = head.contacts.first().unwrap();
    assert_eq!((contact.display.as_deref(), contact.params.get("q")), (Some("Quoted string \"\""), Some("0.33")));
    assert_eq!((head.field("Subject"), wsinv.body.len()), (Some(""), 150));
    assert_eq!(head.field("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));

    let esc01 = request("esc01");
    assert_eq!(esc01.uri.user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(esc01.head.to.uri.user().as_deref(), Some("user"));
    assert_eq!(esc01.head.from.uri.user().as_deref(), Some("I have spaces"));

    let escnull = request("escnull");
    let sip::message::Contacts::List(contacts) = &escnull.head.contacts else { panic!() };
    assert_eq!(contacts.len(), 2);
    assert!(!contacts[0].uri.same_target(&contacts[1].uri), "one null is not two");
    assert_eq!(escnull.head.to.uri.user(), None, "no user of ours has a null in its name");

    let lwsdisp = request("lwsdisp");
    assert_eq!(lwsdisp.head.from.display.as_deref(), Some("caller"));

    let longreq = request("longreq");
    assert_eq!((longreq.head.via.len(), longreq.head.to.uri.port(), longreq.body.len()), (34, Some(6000), 150));
    assert_eq!(longreq.head.from.tag().map(str::len), Some(155));

    assert_eq!(request("dblreq").body.len(), 0, "the INVITE behind it is not part of it");
    let semiuri = request("semiuri");
    assert_eq!(semiuri.uri.to_string(), "sip:user;par=u%40example.net@example.com");
    assert_eq!((semiuri.uri.param("par"), semiuri.head.list("Accept").len()), (None, 6));
    let transports: Vec<String> = request("transports").head.via.iter().map(|via| via.transport.clone()).collect();
    assert_eq!(transports, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);

    let mpart01 = request("mpart01");
    assert_eq!((mpart01.method(), mpart01.body.len()), (Method::Message, 553));
    assert!(mpart01.body.windows(4).any(|w| w == [0x30, 0x82, 0x01, 0x52]), "the binary part is untouched");

    let Opened::Message(message) = open("unreason") else { panic!() };
    let Message::Response(unreason) = *message else { panic!() };
    assert_eq!(unreason.reason.as_str(), "= 2**3 * 5**2 но сто девяносто девять - простое");

    let contact = |name| request(name).head.contacts.first().unwrap().clone();
    let (outside, inside) = (contact("cparam01"), contact("cparam02"));
    assert_eq!((outside.params.has("unknownparam"), outside.uri.param("unknownparam")), (true, None));
    assert_eq!((inside.params.has("unknownparam"), inside.uri.param("unknownparam")), (false, Some("")));
    assert_eq!(contact("regescrt").uri.headers(), Some("Route=%3Csip:sip.example.com%3E"));
    let inv2543 = request("inv2543");
    assert_eq!((inv2543.head.from.tag(), inv2543.head.max_forwards, inv2543.body.len()), (None, None, 105));
    assert_eq!(request("zeromf").head.max_forwards, Some(0));

    let host = |text: &str| Some(Host::parse(text).unwrap());
    let uri = |name| (request(name).uri.host().cloned(), request(name).uri.port());
    assert_eq!(uri("port-ambiguous"), (host("[2001:db8::10:5070]"), None));
    assert_eq!(uri("port-unambiguous"), (host("[2001:db8::10]"), Some(5070)));
    assert_eq!(uri("ipv6-bug-abnf-3-colons"), uri("ipv6-correct-abnf-2-colons"));
    let received = |name| request(name).head.via[0].params.get("received").map(str::to_string);
    assert_eq!(received("via-received-param-with-delim").as_deref(), Some("[2001:db8::9:255]"));
    assert_eq!(received("via-received-param-no-delim").as_deref(), Some("2001:db8::9:255"));
    assert_eq!(request("mult-ip-in-header").head.via[2].params.get("received"), Some("192.0.2.200"));
    assert_eq!(Some(request("ipv4-mapped-ipv6").head.via[0].host.clone()), host("[::ffff:192.0.2.10]"));
    for name in ["ipv6-in-sdp", "mult-ip-in-sdp", "ipv4-mapped-ipv6"] {
        assert!(sip::message::sdp(&request(name).head, &request(name).body).is_some(), "{name}");
    }
}

#[test]
fn replies_name_what_they_refuse_and_show_bindings_as_they_were_written() {
    let reply = |name: &str| {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        answer(case.bytes, Way::Datagram, true).unwrap()
    };
    let has = |name: &str, line: &str| {
        let reply = reply(name);
        assert!(reply.contains(&format!("\r\n{line}\r\n")), "{name} wants {line}:\n{reply}");
    };
    has("bext01", "Unsupported: nothingSupportsThis, nothingSupportsThisEither");
    has("invut", "Accept: application/sdp");
    has("cparam02", "Contact: <sip:+19725552222@gw1.example.net;unknownparam>;expires=3600");
    has("cparam01", "Contact: <sip:+19725552222@gw1.example.net>;expires=3600");
    has("regescrt", "Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=3600");
    assert!(reply("esc02").contains("To: \"%Z%45\" <sip:resource@example.com>;tag="));
    assert!(!reply("intmeth").contains(['\0', '\x07', '\x7f']), "what we send holds no control character");
}

/// Outside of the grammar, and to be read all the same (RFC 5118 §4.5, §4.10).
const READ_ALL_THE_SAME: [&str; 2] = ["via-received-param-with-delim", "ipv6-bug-abnf-3-colons"];

fn open(name: &str) -> Opened {
    let case = CASES.iter().find(|case| case.name == name).unwrap();
    let expected = if READ_ALL_THE_SAME.contains(&name) { Verdict::Invalid } else { Verdict::Valid };
    assert_eq!((case.verdict, name), (expected, name));
    front::open(&Bytes::from_static(case.bytes), Carrier::Datagram, 65_535)
}

fn request(name: &str) -> Request {
    let Opened::Message(message) = open(name) else { panic!("{name} is not let in") };
    let Message::Request(request) = *message else { panic!("{name} is a response") };
    request
}

/// What is wrong with the replies to a stranger and to a known sender.
fn check(case: &Case, way: Way, bytes: &[u8]) -> Vec<String> {
    let by_stream = case.stream.filter(|_| matches!(way, Way::OneWrite | Way::ByteByByte));
    let wrong = |who: &str, expected: Reply, known: bool| {
        let found = reply(bytes, way, known);
        let text = format!("{} ({}) {way:?} {who}: {found:?} instead of {expected:?}", case.name, case.section);
        (found != expected).then_some(text)
    };
    let stranger = wrong("stranger", by_stream.unwrap_or(case.stranger), false);
    // No trunk comes by WebSocket.
    let is_known = way != Way::WebSocket || by_password(bytes);
    let known = is_known.then(|| wrong("known", by_stream.unwrap_or(case.known), true)).flatten();
    stranger.into_iter().chain(known).collect()
}

fn reply(bytes: &[u8], way: Way, known: bool) -> Reply {
    match answer(bytes, way, known) {
        Some(text) if text == "waits" => Reply::Waits,
        Some(text) => Reply::Status(text.split(' ').nth(1).unwrap().parse().unwrap()),
        None => Reply::Silence,
    }
}

/// The first answer. REGISTER and MESSAGE of a known sender are sent again with a proof, other requests come from a
/// trunk.
fn answer(bytes: &[u8], way: Way, known: bool) -> Option<String> {
    let mut endpoint = Endpoint::new(config(), [7; 32]);
    let by_password = by_password(bytes);
    let remote = if known && !by_password { CARRIER } else { STRANGER };
    let first = say(&mut endpoint, (way, 1), remote, bytes);
    let Some(nonce) = first.as_deref().filter(|_| known && by_password).and_then(nonce) else { return first };
    let opened = front::open(&Bytes::copy_from_slice(bytes), Carrier::Datagram, 65_535);
    let Opened::Message(message) = opened else { return first };
    let Message::Request(request) = *message else { return first };
    if request.head.field("Authorization").is_some() {
        return first;
    }
    let Some(user) = request.head.from.uri.user() else { return first };
    let proof = proof(&user, &nonce, &request);
    let at = bytes.windows(2).position(|w| w == b"\r\n").unwrap() + 2;
    let proved = [&bytes[..at], proof.as_bytes(), &bytes[at..]].concat();
    // By a connection of its own: what dblreq leaves behind on a stream is the next message's beginning.
    say(&mut endpoint, (way, 2), remote, &proved)
}

fn by_password(bytes: &[u8]) -> bool {
    bytes.starts_with(b"REGISTER ") || bytes.starts_with(b"MESSAGE ")
}

/// "waits" when a stream wants more bytes before it answers.
fn say(endpoint: &mut Endpoint, (way, number): (Way, u64), remote: &str, bytes: &[u8]) -> Option<String> {
    let (transport, connection, piece) = match way {
        Way::Datagram => (Transport::Udp, 0, bytes.len()),
        Way::OneWrite => (Transport::Tcp, number, bytes.len()),
        Way::ByteByByte => (Transport::Tcp, number, 1),
        Way::WebSocket => (Transport::Ws, number, bytes.len()),
    };
    let flow = Flow { transport, local: BOX.parse().unwrap(), remote: remote.parse().unwrap(), connection };
    let now = Instant::now();
    for piece in bytes.chunks(piece) {
        endpoint.handle_input(now, Input::Received { flow, bytes: Bytes::copy_from_slice(piece) });
    }
    let answered = heard(endpoint);
    if answered.is_some() || transport != Transport::Tcp {
        return answered;
    }
    endpoint.handle_input(now, Input::Received { flow, bytes: Bytes::from(vec![b'x'; 10_000]) });
    heard(endpoint).map(|_| "waits".to_string())
}

fn heard(endpoint: &mut Endpoint) -> Option<String> {
    let mut sent = Vec::new();
    while let Some(output) = endpoint.poll_output() {
        if let Output::Send { bytes, .. } = output {
            tape::said(&bytes);
            sent.push(String::from_utf8(bytes.to_vec()).unwrap());
        }
    }
    sent.into_iter().next()
}

fn config() -> Config {
    let trunk = |transport| Trunk {
        peer: CARRIER.parse().unwrap(),
        transport,
        registration: None,
        options_every_s: 0,
        rules: Default::default(),
    };
    let phone = |user: &str| {
        let ha1_sha256 = Algorithm::Sha256.hash(&[user, DOMAIN, &password(user)]);
        (user.to_string(), PhoneAuth { ha1_sha256, ha1_md5: None })
    };
    Config {
        domain: DOMAIN.to_string(),
        local: vec![BOX.parse().unwrap(), "[2001:db8::10]:5060".parse().unwrap()],
        phones: BTreeMap::from(["user", "j.user", "watson", "fluffy"].map(phone)),
        trunks: BTreeMap::from([
            ("udp".to_string(), trunk(Transport::Udp)),
            ("tcp".to_string(), trunk(Transport::Tcp)),
        ]),
        product: "Branchline".to_string(),
        ..Config::default()
    }
}

fn nonce(challenge: &str) -> Option<String> {
    Some(challenge.split("nonce=\"").nth(1)?.split('"').next()?.to_string())
}

/// RFC 7616 §3.4.1.
fn proof(user: &str, nonce: &str, request: &Request) -> String {
    let sha = |parts: &[&str]| Algorithm::Sha256.hash(parts);
    let (uri, method) = (request.uri.to_string(), request.method().to_string());
    let (ha1, ha2) = (sha(&[user, DOMAIN, &password(user)]), sha(&[&method, &uri]));
    let response = sha(&[&ha1, nonce, "00000001", "c", "auth", &ha2]);
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc=00000001\r\n"
    )
}

type Dress = fn(Vec<String>) -> Vec<String>;

const DRESSES: &[(Dress, &str)] =
    &[(reordered, "order"), (shouted, "case"), (renamed, "compact names"), (folded, "folding"), (adorned, "extra")];

/// The header lines (folds included) pass through `dress`; start-line and body stay.
fn dressed(bytes: &[u8], dress: Dress) -> Vec<u8> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let start = lines.next().unwrap().to_string();
    let mut fields: Vec<String> = Vec::new();
    for line in lines {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.push_str(&format!("\r\n{line}")),
            _ => fields.push(line.to_string()),
        }
    }
    let head = std::iter::once(start).chain(dress(fields)).collect::<Vec<_>>().join("\r\n");
    [head.as_bytes(), &bytes[end..]].concat()
}

fn name_of(field: &str) -> String {
    let name = field.split(':').next().unwrap().trim().to_ascii_lowercase();
    PAIRS.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| long.to_ascii_lowercase())
}

/// Headers of one name keep their order among themselves: in a list it means something.
fn reordered(mut fields: Vec<String>) -> Vec<String> {
    fields.sort_by_key(|field| std::cmp::Reverse(name_of(field)));
    fields
}

fn shouted(fields: Vec<String>) -> Vec<String> {
    let shout = |field: String| {
        let (name, value) = field.split_once(':').unwrap();
        format!("{}:{value}", name.to_ascii_uppercase())
    };
    fields.into_iter().map(shout).collect()
}

const PAIRS: [(&str, &str); 9] = [
    ("c", "Content-Type"),
    ("f", "From"),
    ("i", "Call-ID"),
    ("l", "Content-Length"),
    ("m", "Contact"),
    ("s", "Subject"),
    ("t", "To"),
    ("v", "Via"),
    ("k", "Supported"),
];

/// Long names become short, short ones long.
fn renamed(fields: Vec<String>) -> Vec<String> {
    let rename = |field: String| {
        let (name, value) = field.split_once(':').unwrap();
        let found = PAIRS.iter().find_map(|(short, long)| match name.trim() {
            name if name.eq_ignore_ascii_case(short) => Some(*long),
            name if name.eq_ignore_ascii_case(long) => Some(*short),
            _ => None,
        });
        format!("{}:{value}", found.unwrap_or(name))
    };
    fields.into_iter().map(rename).collect()
}

fn folded(fields: Vec<String>) -> Vec<String> {
    let fold = |field: String| match field.split_once(':') {
        Some((name, value)) if !value.starts_with("\r\n") => format!("{name}:\r\n\t {value}"),
        _ => field,
    };
    fields.into_iter().map(fold).collect()
}

fn adorned(fields: Vec<String>) -> Vec<String> {
    let extra = |n: usize| format!("X-Torture-{n}: ;;,,\"<>{n}");
    (0..5).map(extra).chain(fields).chain((5..9).map(extra)).collect()
}
