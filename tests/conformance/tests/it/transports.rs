//! What carries the messages: TLS and WebSocket like TCP, browsers that nobody can call back, devices with several flows
//! (RFC 5626), messages too large for a datagram (RFC 3261 §18.1.1), IPv6.

use std::time::{Duration, Instant};

use bytes::Bytes;
use conformance::net::{Net, brief};
use conformance::tape;
use sip::auth::Algorithm;
use sip::endpoint::{Account, Endpoint, Event, Flow, Input, Output, Transport};

use crate::stage::*;

#[test]
fn a_call_goes_over_every_kind_of_connection_and_ends_with_it() {
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        let (mut net, hub, phone) = box_and_phone(transport);
        net.with(hub, |hub, now| hub.invite(now, to_phone("100")));
        net.run_ms(20);
        let theirs = invited(&mut net, phone);
        net.with(phone, |phone, now| phone.accept(now, theirs, answer()));
        net.run_ms(60);
        assert!(net.story().contains("box      * Answered"), "{transport:?}");
        net.cut_connections();
        let story = net.story();
        assert!(story.contains("box      * Ended Lost"), "{transport:?} {story}");
        assert!(story.contains("box      * Unregistered 100"), "{transport:?} {story}");
    }
}

/// S-15: neither the trunk's own address nor anybody's word makes a caller the trunk, once its certificate does.
#[test]
fn a_trunk_that_is_known_by_its_certificate_is_known_by_nothing_else() {
    let invite = |n: u32| {
        format!(
            "INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TLS 203.0.113.9;branch=z9hG4bKc{n}\r\nMax-Forwards: 70\r\n\
             From: <sip:555@carrier.example>;tag=1\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: c{n}\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:555@203.0.113.9;transport=tls>\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let mut config = box_config();
    config.certified.insert("carrier".to_string());
    let mut hub = Hub::new();
    hub.endpoint.handle_input(hub.now, Input::Configure(Box::new(config)));
    let asks = |hub: &mut Hub, n: u32, flow: Flow| {
        hub.hear(flow, &invite(n));
        let outputs: Vec<Output> = std::iter::from_fn(|| hub.endpoint.poll_output()).collect();
        let source = outputs.iter().find_map(|output| match output {
            Output::Event(Event::Invited { invited, .. }) => Some(format!("{:?}", invited.source)),
            _ => None,
        });
        let reply = outputs.iter().find_map(|output| match output {
            Output::Send { bytes, .. } => Some(String::from_utf8_lossy(bytes).split(' ').nth(1)?.to_string()),
            _ => None,
        });
        source.or(reply).unwrap_or_default()
    };
    let by_address = Flow { transport: Transport::Udp, remote: CARRIER.parse().unwrap(), connection: 0, ..phone(0) };
    let proves = |hub: &mut Hub, flow: Flow, trunk: &str| {
        let trunk = trunk.to_string();
        hub.endpoint.handle_input(hub.now, Input::Proved { flow, trunk });
    };
    assert_eq!(asks(&mut hub, 1, by_address), "401");
    assert_eq!(asks(&mut hub, 2, phone(7)), "401");
    proves(&mut hub, phone(7), "carrier");
    assert_eq!(asks(&mut hub, 3, phone(7)), "Trunk(\"carrier\")");
    assert_eq!(asks(&mut hub, 4, phone(8)), "401", "another connection from there");
    proves(&mut hub, phone(8), "nobody");
    assert_eq!(asks(&mut hub, 5, phone(8)), "401", "a trunk that is none");
    hub.endpoint.handle_input(hub.now, Input::Closed { flow: phone(7) });
    assert_eq!(asks(&mut hub, 6, phone(7)), "401", "what was proved ends with the connection");
}

#[test]
fn a_browser_registers_and_is_called_by_its_own_flow() {
    let mut hub = Hub::new();
    let flow = browser(1);
    let contact = "<sip:8k1q@k3jd9sl2.invalid;transport=ws>";
    let reply = hub.register("100", flow, contact, "");
    assert!(reply.starts_with("SIP/2.0 200"), "{reply}");
    assert!(
        reply.contains("Via: SIP/2.0/WSS k3jd9sl2.invalid;branch=z9hG4bK2;rport=51000;received=203.0.113.9"),
        "{reply}"
    );
    let (to, invite) = hub.ring("100");
    assert_eq!(to, flow);
    assert!(
        invite.starts_with("INVITE sip:8k1q@k3jd9sl2.invalid;transport=ws SIP/2.0\r\nVia: SIP/2.0/WSS "),
        "{invite}"
    );
    assert!(invite.contains("\r\nContact: <sip:192.0.2.1:5060;transport=ws>\r\n"), "{invite}");
}

#[test]
fn a_page_speaks_for_the_phone_it_was_lent_over_websocket_alone_and_until_it_is_taken_back() {
    let mut hub = Hub::new();
    let account = Account { phone: "100".into(), auth: phone_auth("100-page", false) };
    hub.endpoint.handle_input(hub.now, Input::Lend { name: "100-page".into(), account });
    let contact = "<sip:8k1q@k3jd9sl2.invalid;transport=ws>";
    let reply = hub.register("100-page", phone(1), contact, "");
    assert!(reply.starts_with("SIP/2.0 401"), "no page speaks TLS without a WebSocket: {reply}");
    let reply = hub.register("100-page", browser(2), contact, "");
    assert!(reply.starts_with("SIP/2.0 200"), "{reply}");
    assert_eq!(hub.ring("100").0, browser(2));
    // The phone itself, beside it.
    hub.register("100", phone(3), "<sip:100@203.0.113.9:51000>", "");
    assert_eq!(hub.endpoint.bindings("100").len(), 2);
    hub.endpoint.handle_input(hub.now, Input::TakeBack { name: "100-page".into() });
    let left: Vec<Flow> = hub.endpoint.bindings("100").iter().map(|binding| binding.flow).collect();
    assert_eq!(left, [phone(3)]);
    let reply = hub.register("100-page", browser(4), contact, "");
    assert!(reply.starts_with("SIP/2.0 401"), "{reply}");
}

#[test]
fn a_page_may_have_a_phone_that_has_no_password_of_its_own() {
    let mut hub = Hub::new();
    let account = Account { phone: "100".into(), auth: phone_auth("100-page", false) };
    hub.endpoint.handle_input(hub.now, Input::Lend { name: "100-page".into(), account });
    hub.register("100-page", browser(1), "<sip:8k1q@k3jd9sl2.invalid;transport=ws>", "");
    let mut config = box_config();
    config.phones.remove("100");
    hub.endpoint.handle_input(hub.now, Input::Configure(Box::new(config)));
    assert_eq!(hub.endpoint.bindings("100").len(), 1);
}

#[test]
fn a_double_crlf_is_answered_on_every_connection_and_stun_on_udp() {
    let mut hub = Hub::new();
    for transport in [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss] {
        hub.hear(Flow { transport, ..browser(7) }, "\r\n\r\n");
        assert_eq!(hub.sent().pop().unwrap().1, "\r\n", "{transport:?}");
    }
    let flow = Flow { transport: Transport::Udp, connection: 0, ..browser(7) };
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    hub.endpoint.handle_input(hub.now, Input::Received { flow, bytes: request.into() });
    assert!(matches!(hub.endpoint.poll_output(), Some(Output::Send { bytes, .. }) if bytes.starts_with(&[1, 1])));
}

#[test]
fn a_device_with_two_flows_rings_once_and_by_the_other_when_one_fails() {
    let mut hub = Hub::new();
    let (first, second) = (phone(1), phone(2));
    let contact = |reg_id: u32| format!("<sip:100@10.0.0.9>;+sip.instance=\"<urn:uuid:one>\";reg-id={reg_id}");
    let reply = hub.register("100", first, &contact(1), "Supported: outbound\r\n");
    assert!(reply.contains("\r\nRequire: outbound\r\n") && reply.contains("\r\nFlow-Timer: 120\r\n"), "{reply}");
    assert!(reply.contains("+sip.instance=\"<urn:uuid:one>\";reg-id=1"), "{reply}");
    hub.register("100", second, &contact(2), "Supported: outbound\r\n");
    assert_eq!(hub.endpoint.bindings("100").len(), 2);
    let (to, _) = hub.ring("100");
    assert_eq!(to, second, "the latest flow");
    assert!(hub.sent().is_empty(), "one device rings once");
    hub.endpoint.handle_input(hub.now, Input::Closed { flow: second });
    let sent = hub.sent();
    assert!(matches!(sent.as_slice(), [(to, text)] if *to == first && text.starts_with("INVITE ")), "{sent:?}");
    assert_eq!(hub.endpoint.bindings("100").len(), 1);
    hub.endpoint.handle_input(hub.now, Input::Closed { flow: first });
    assert!(hub.events().contains(&"Failed 503".to_string()));
}

#[test]
fn the_same_device_and_flow_replace_their_binding_whatever_the_contact() {
    let mut hub = Hub::new();
    let contact = |port: u16| format!("<sip:100@10.0.0.9:{port}>;+sip.instance=\"<urn:uuid:one>\";reg-id=1");
    hub.register("100", phone(1), &contact(5060), "Supported: outbound\r\n");
    hub.register("100", phone(2), &contact(5062), "Supported: outbound\r\n");
    let bindings = hub.endpoint.bindings("100");
    assert_eq!((bindings.len(), bindings[0].flow), (1, phone(2)));
}

#[test]
fn a_flow_that_promised_to_speak_and_is_silent_is_given_up() {
    let mut hub = Hub::new();
    let contact = "<sip:100@10.0.0.9>;+sip.instance=\"<urn:uuid:one>\";reg-id=1";
    hub.register("100", phone(1), contact, "Supported: outbound\r\n");
    hub.wait(149);
    hub.hear(phone(1), "\r\n\r\n");
    hub.wait(149);
    assert_eq!(hub.endpoint.bindings("100").len(), 1);
    hub.wait(2);
    assert!(hub.endpoint.bindings("100").is_empty());
}

#[test]
fn a_register_for_two_flows_is_refused() {
    let mut hub = Hub::new();
    let one = "<sip:100@10.0.0.9>;+sip.instance=\"<urn:uuid:one>\";reg-id=1";
    let both = format!("{one}, {}", one.replace("reg-id=1", "reg-id=2"));
    assert!(hub.register("100", phone(1), &both, "Supported: outbound\r\n").starts_with("SIP/2.0 400"));
}

#[test]
fn a_large_request_to_a_trunk_goes_by_tcp_and_by_udp_when_tcp_is_refused() {
    let mut hub = Hub::new();
    let mut large = to_trunk("carrier", "5550100", "100");
    large.sdp = Bytes::from(vec![b'x'; 1_300]);
    hub.endpoint.invite(hub.now, large.clone());
    let (tcp, invite) = hub.sent().remove(0);
    assert_eq!((tcp.transport, tcp.remote.to_string().as_str()), (Transport::Tcp, CARRIER));
    assert!(invite.contains("\r\nVia: SIP/2.0/TCP "), "{invite}");
    hub.endpoint.handle_input(hub.now, Input::Closed { flow: tcp });
    let (udp, again) = hub.sent().remove(0);
    assert_eq!(udp.transport, Transport::Udp);
    assert_eq!(again, invite.replacen("SIP/2.0/TCP", "SIP/2.0/UDP", 1));
    hub.endpoint.invite(hub.now, large);
    assert_eq!(hub.sent()[0].0.transport, Transport::Udp, "a peer that refused is not asked again");
}

#[test]
fn a_small_request_and_a_large_one_to_a_phone_stay_on_udp() {
    let mut hub = Hub::new();
    hub.endpoint.invite(hub.now, to_trunk("carrier", "5550100", "100"));
    assert_eq!(hub.sent()[0].0.transport, Transport::Udp);
    let flow = Flow { transport: Transport::Udp, connection: 0, ..phone(1) };
    hub.register("100", flow, "<sip:100@203.0.113.9:51000>", "");
    let mut large = to_phone("100");
    large.sdp = Bytes::from(vec![b'x'; 1_300]);
    hub.endpoint.invite(hub.now, large);
    assert_eq!(hub.sent()[0].0, flow);
}

/// S-08: what pretends to come from a trunk never speaks against the trunk.
#[test]
fn a_hundred_thousand_bad_datagrams_from_a_trunk_s_address_change_nothing_for_it() {
    let mut hub = Hub::new();
    let remote = CARRIER.parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local: BOX.parse().unwrap(), remote, connection: 0 };
    let bad = ["x", "INVITE", "INVITE sip:1@b SIP/2.0\r\n\r\n", "SIP/2.0 603 Decline\r\n\r\n", "\0\0\0\0"];
    for text in bad.iter().cycle().take(100_000) {
        hub.hear(flow, text);
        hub.sent();
    }
    hub.hear(
        flow,
        "INVITE sip:5550100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.5:5060;branch=z9hG4bKreal\r\nMax-Forwards: 70\r\n\
         From: <sip:200@198.51.100.5>;tag=f\r\nTo: <sip:5550100@192.0.2.1>\r\nCall-ID: real\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:198.51.100.5:5060>\r\nContent-Length: 0\r\n\r\n",
    );
    assert_eq!(hub.events(), ["Invited 200 to 5550100"]);
}

#[test]
fn ipv6_stands_in_brackets_in_via_and_contact() {
    let mut net = Net::new();
    let (hub_addr, phone_addr) = ("[2001:db8::1]:5060", "[2001:db8::10]:5070");
    let mut config = box_config();
    config.local = vec![BOX.parse().unwrap(), hub_addr.parse().unwrap()];
    let hub = net.endpoint("box", hub_addr, config);
    let talker = net.talker("phone", phone_addr);
    let lines = "From: <sip:1@b>;tag=f\r\nTo: <sip:b>\r\nCall-ID: six\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    let via = "SIP/2.0/UDP [2001:db8::99]:5070;branch=z9hG4bKsix;rport";
    net.say(talker, hub, &format!("OPTIONS sip:[2001:db8::1] SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n{lines}"));
    net.run_ms(20);
    let reply = net.heard(talker).unwrap();
    assert!(reply.starts_with("SIP/2.0 200"), "{reply}");
    assert!(reply.contains(";rport=5070;received=2001:db8::10"), "{reply}");
    let mut phone = phone_config("100", phone_addr, Transport::Tls);
    phone.trunks.get_mut("box").unwrap().peer = hub_addr.parse().unwrap();
    net.endpoint("six", "[2001:db8::11]:5061", phone);
    net.run_ms(100);
    let contact = net.with(hub, |hub, _| hub.bindings("100")[0].contact.clone());
    assert_eq!(contact, "sip:100@[2001:db8::10]:5070;transport=tls");
}

/// The box alone, its flows written by hand.
struct Hub {
    endpoint: Endpoint,
    now: Instant,
    cseq: u32,
}

fn browser(connection: u64) -> Flow {
    let (local, remote) = (BOX.parse().unwrap(), "203.0.113.9:51000".parse().unwrap());
    Flow { transport: Transport::Wss, local, remote, connection }
}

fn phone(connection: u64) -> Flow {
    Flow { transport: Transport::Tls, ..browser(connection) }
}

impl Hub {
    fn new() -> Self {
        let mut config = box_config();
        let carried = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Wss];
        config.listeners = carried.map(|transport| (transport, BOX.parse().unwrap())).to_vec();
        let now = Net::new().now();
        let mut endpoint = Endpoint::new(config, [3; 32]);
        endpoint.handle_timeout(now);
        Self { endpoint, now, cseq: 0 }
    }

    fn hear(&mut self, flow: Flow, text: &str) {
        let bytes = Bytes::from(text.to_string());
        self.endpoint.handle_input(self.now, Input::Received { flow, bytes });
    }

    fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
        }
        self.now = end;
    }

    fn sent(&mut self) -> Vec<(Flow, String)> {
        let outputs = std::iter::from_fn(|| self.endpoint.poll_output());
        let sent = outputs.filter_map(|output| match output {
            Output::Send { flow, bytes } => {
                tape::said(&bytes);
                Some((flow, String::from_utf8_lossy(&bytes).into_owned()))
            }
            Output::Event(_) | Output::Close { .. } => None,
        });
        sent.collect()
    }

    fn events(&mut self) -> Vec<String> {
        let outputs = std::iter::from_fn(|| self.endpoint.poll_output());
        let events = outputs.filter_map(|output| match output {
            Output::Event(event) if !matches!(event, Event::Refused { .. }) => Some(brief(&event)),
            Output::Event(_) | Output::Send { .. } | Output::Close { .. } => None,
        });
        events.collect()
    }

    /// Calls a phone; the first INVITE.
    fn ring(&mut self, user: &str) -> (Flow, String) {
        self.sent();
        self.endpoint.invite(self.now, to_phone(user));
        self.sent().into_iter().find(|(_, text)| text.starts_with("INVITE ")).expect("an INVITE")
    }

    /// Registers with a proof; the last reply. Over a WebSocket there is no Content-Length (RFC 7118 §5.1).
    fn register(&mut self, user: &str, flow: Flow, contact: &str, more: &str) -> String {
        let first = self.attempt(user, flow, contact, more, None);
        let nonce = first.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next());
        let nonce = nonce.unwrap_or_else(|| panic!("no challenge: {first}")).to_string();
        self.attempt(user, flow, contact, more, Some(&nonce))
    }

    fn attempt(&mut self, user: &str, flow: Flow, contact: &str, more: &str, nonce: Option<&str>) -> String {
        self.cseq += 1;
        let (cseq, via) = (self.cseq, flow.transport.via());
        let proof = nonce.map(|nonce| proof(user, nonce)).unwrap_or_default();
        let length = if flow.transport.is_websocket() { "" } else { "Content-Length: 0\r\n" };
        let sent_by = "k3jd9sl2.invalid";
        let text = format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/{via} {sent_by};branch=z9hG4bK{cseq};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag=f\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: reg{}\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: {contact}\r\nExpires: 600\r\n{more}{proof}{length}\r\n",
            flow.connection
        );
        self.sent();
        self.hear(flow, &text);
        let (to, reply) = self.sent().pop().expect("a reply");
        assert_eq!(to, flow, "an answer goes down the flow of its request");
        reply
    }
}

/// RFC 7616 §3.4.1.
fn proof(user: &str, nonce: &str) -> String {
    let (algorithm, uri) = (Algorithm::Sha256, format!("sip:{DOMAIN}"));
    let ha1 = algorithm.hash(&[user, DOMAIN, &password(user)]);
    let ha2 = algorithm.hash(&["REGISTER", &uri]);
    let response = algorithm.hash(&[&ha1, nonce, "00000001", "c", "auth", &ha2]);
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm={algorithm}, cnonce=\"c\", qop=auth, nc=00000001\r\n"
    )
}
