//! S-10: whatever people, pages and peers write into a field, no message of ours has a line end, a NUL or any other
//! control character that is not ours, and no line more for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;
use sip::endpoint::{
    Config, Emergency, Endpoint, Event, Flow, Input, Invite, Output, Shown, Style, Target, Transport, Trunk,
    TrunkRegistration, TrunkRules,
};
use sip::message::{Address, Contacts, Head, Method, Params, Request, Value, Via};
use sip::uri::{Host, Uri};

const PEER: &str = "198.51.100.5:5060";
const LOCAL: &str = "192.0.2.1:5060";

/// Text as an attacker writes it: line ends, NUL, C1 controls, escapes, quotes, and a header to be taken for one.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\nX-Injected: 1\r\n".to_string()),
        Just("\r".to_string()),
        Just("\n".to_string()),
        Just("\0".to_string()),
        Just("\u{85}".to_string()),
        Just("\u{7f}".to_string()),
        Just("%0d%0aX-Injected: 1".to_string()),
        Just("\"".to_string()),
        Just("\\".to_string()),
        Just(">".to_string()),
        Just(";x=".to_string()),
        "[a-z0-9+]{1,6}",
        "\\PC{1,3}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn check(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let (head, _) = text.split_once("\r\n\r\n").expect("a head that ends");
    let lines: Vec<&str> = head.split("\r\n").collect();
    for line in &lines {
        assert!(!line.contains(char::is_control), "{line:?} in {text}");
        assert!(!line.starts_with("X-Injected"), "{text}");
    }
    lines.len()
}

#[expect(clippy::disallowed_methods, reason = "a test needs one instant to count from")]
fn start() -> Instant {
    Instant::now()
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// All fields that configuration and the box's owner give to the endpoint.
#[derive(Debug, Clone)]
struct Fields {
    domain: String,
    product: String,
    user: String,
    trunk_domain: String,
    password: String,
    to: String,
    from_user: String,
    from_name: String,
    diverted: String,
    location: String,
    sdp: String,
}

impl Fields {
    fn all(text: &str) -> Self {
        let text = || text.to_string();
        Self {
            domain: text(),
            product: text(),
            user: text(),
            trunk_domain: text(),
            password: text(),
            to: text(),
            from_user: text(),
            from_name: text(),
            diverted: text(),
            location: text(),
            sdp: text(),
        }
    }
}

prop_compose! {
    fn fields()(texts in prop::collection::vec(hostile(), 11)) -> Fields {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap_or_default();
        Fields {
            domain: next(),
            product: next(),
            user: next(),
            trunk_domain: next(),
            password: next(),
            to: next(),
            from_user: next(),
            from_name: next(),
            diverted: next(),
            location: next(),
            sdp: next(),
        }
    }
}

/// Registers, is challenged, calls by a trunk in the style given, is rung and ends: the lines of each message.
fn life(fields: &Fields, style: Style, history: bool, emergency: bool) -> Vec<usize> {
    let registration = TrunkRegistration {
        user: fields.user.clone(),
        domain: fields.trunk_domain.clone(),
        password: fields.password.clone(),
        expires_s: 600,
    };
    let trunk = Trunk {
        peer: addr(PEER),
        transport: Transport::Udp,
        registration: Some(registration),
        options_every_s: 30,
        rules: TrunkRules { trusted: true, ..TrunkRules::default() },
    };
    let config = Config {
        domain: fields.domain.clone(),
        local: vec![addr(LOCAL)],
        trunks: BTreeMap::from([("t".to_string(), trunk)]),
        product: fields.product.clone(),
        ..Config::default()
    };
    let mut endpoint = Endpoint::new(config, [7; 32]);
    let mut now = start();
    endpoint.handle_timeout(now);
    let mut counts = Vec::new();
    let flow = Flow { transport: Transport::Udp, local: addr(LOCAL), remote: addr(PEER), connection: 0 };
    let shown = Shown {
        style,
        withheld: false,
        diverted: Some(fields.diverted.clone()),
        diverted_for: Default::default(),
        diverted_hops: 1,
        history,
        early_media: true,
        referred_by: Some(fields.diverted.clone()),
    };
    let location = Some(Bytes::from(fields.location.clone()));
    let invite = Invite {
        to: Target::Trunk { trunk: "t".to_string(), user: fields.to.clone() },
        from_user: fields.from_user.clone(),
        from_name: Some(fields.from_name.clone()),
        sdp: Bytes::from(fields.sdp.clone()),
        sdp_to_browsers: None,
        emergency: emergency.then_some(Emergency { location }),
        patience: None,
        shown,
        recording: None,
    };
    let dialog = endpoint.invite(now, invite);
    let stranger = "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5;branch=z9hG4bKo\r\nMax-Forwards: 70\r\n\
        From: <sip:a@c>;tag=1\r\nTo: <sip:b@d>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\r\n";
    for message in [stranger, "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5\r\n\r\n"] {
        endpoint.handle_input(now, Input::Received { flow, bytes: Bytes::from_static(message.as_bytes()) });
    }
    for _ in 0..40 {
        while let Some(output) = endpoint.poll_output() {
            match output {
                Output::Send { bytes, .. } => {
                    counts.push(check(&bytes));
                    if let Some(answer) = answer(&bytes) {
                        endpoint.handle_input(now, Input::Received { flow, bytes: answer });
                    }
                }
                Output::Event(Event::Progress { dialog, .. }) => endpoint.end(now, dialog),
                Output::Event(_) | Output::Close { .. } => {}
            }
        }
        let Some(at) = endpoint.poll_timeout() else { break };
        now = now.max(at).min(now + Duration::from_secs(60));
        endpoint.handle_timeout(now);
    }
    endpoint.end(now, dialog);
    counts
}

/// A trunk's: a challenge first, then 180, and 200 to what is no INVITE.
fn answer(bytes: &Bytes) -> Option<Bytes> {
    let text = String::from_utf8_lossy(bytes);
    if text.starts_with("SIP/2.0") || text.starts_with("ACK") {
        return None;
    }
    let echoed = |name: &str| text.split("\r\n").find(|line| line.starts_with(name)).unwrap_or_default().to_string();
    let (status, challenge) = match (text.contains("uthorization: "), text.starts_with("INVITE")) {
        (false, true) => {
            ("407 P", "Proxy-Authenticate: Digest realm=\"c\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n")
        }
        (false, false) => {
            ("401 U", "WWW-Authenticate: Digest realm=\"c\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n")
        }
        (true, true) => ("180 R", ""),
        (true, false) => ("200 O", ""),
    };
    let lines = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].map(echoed).join("\r\n");
    let lines = lines.replacen("\r\nCall-ID", ";tag=t\r\nCall-ID", usize::from(!text.contains(";tag=t\r\n")));
    Some(
        format!("SIP/2.0 {status}\r\n{lines}\r\n{challenge}Contact: <sip:x@198.51.100.5>\r\nContent-Length: 0\r\n\r\n")
            .into(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_field_of_configuration_or_of_a_call_adds_a_line(
        fields in fields(), style in 0..4_usize, history in any::<bool>(), emergency in any::<bool>(),
    ) {
        let style = [Style::From, Style::Asserted, Style::Preferred, Style::RemoteParty][style];
        prop_assert!(!life(&fields, style, history, emergency).is_empty());
    }

    #[test]
    fn no_public_constructor_makes_a_line_end(
        text in hostile(), other in hostile(), number in any::<u32>(), count in 1..4_usize,
    ) {
        let mut params = Params::default();
        params.set(&text, Some(&other));
        params.set("y", Some(&text));
        let mut uri = Uri::sip(Some(&text), Host::Name(other.clone()), Some(5_060)).with_param(&text);
        let mut address = Address::new(uri.clone());
        address.display = Some(text.clone());
        address.set_tag(&other);
        address.params.set("x", Some(&text));
        let via = Via { transport: other.clone(), host: Host::Name(text.clone()), port: None, params };
        let mut head = Head {
            via: vec![via; count],
            from: address.clone(),
            to: address.clone(),
            call_id: Value::cleaned(&text),
            cseq: number,
            method: Method::Invite,
            max_forwards: Some(70),
            contacts: Contacts::List(vec![address.clone(); count]),
            route: vec![address.clone(); count],
            record_route: vec![address; count],
            content_type: Some(Value::cleaned(&text)),
            fields: Vec::new(),
        };
        head.set("X-Set", text.as_str());
        head.push("X-Pushed", Value::cleaned(&other));
        let set = usize::from(head.field("X-Set").is_some());
        prop_assert_eq!(set == 1, !text.contains(char::is_control));
        if number.is_multiple_of(2) {
            uri = Uri::Other { scheme: text.clone(), rest: other.clone() };
        }
        let request = Request { uri, head, body: Bytes::new() }.with_body(&text, Bytes::from(other.clone()));
        let typed = usize::from(request.head.content_type.is_some());
        // The start-line; From, To, Call-ID, CSeq, Max-Forwards, Content-Length and what was pushed; the lists.
        prop_assert_eq!(check(&request.to_bytes()), 8 + set + typed + 4 * count);
        let response = request.response(200, &text).with("Server", other.as_str());
        let served = usize::from(response.head.field("Server").is_some());
        prop_assert_eq!(check(&response.to_bytes()), 6 + served + count);
    }
}

#[test]
fn every_field_is_asked_with_a_line_end() {
    for style in [Style::From, Style::Asserted, Style::Preferred, Style::RemoteParty] {
        for (history, emergency) in [(false, false), (true, true)] {
            life(&Fields::all("a\r\nX-Injected: 1\r\n\r\n\0"), style, history, emergency);
        }
    }
}
