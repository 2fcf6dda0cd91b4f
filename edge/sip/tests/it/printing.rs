//! print ∘ parse is identity for everything we can build, and `rsip`, which nobody here wrote, reads the same headers.

use bytes::Bytes;
use proptest::prelude::*;
use sip::front::{self, Carrier, Opened};
use sip::message::{Address, Contacts, Head, Message, Method, Params, Request, Value, Via};
use sip::uri::{Host, Uri};

fn methods() -> impl Strategy<Value = Method> {
    prop::sample::select(Method::all())
}

fn tokens() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}"
}

fn hosts() -> impl Strategy<Value = Host> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|ip| Host::Ip(ip.into())),
        any::<[u8; 16]>().prop_map(|ip| Host::Ip(ip.into())),
        "[a-z][a-z0-9-]{0,8}(\\.[a-z][a-z0-9]{0,5}){0,3}".prop_map(|name| Host::parse(&name).unwrap()),
    ]
}

fn uris() -> impl Strategy<Value = Uri> {
    (prop::option::of("\\PC{1,10}"), hosts(), prop::option::of(1_u16..))
        .prop_map(|(user, host, port)| Uri::sip(user.as_deref(), host, port))
}

fn addresses() -> impl Strategy<Value = Address> {
    (prop::option::of("\\PC{0,12}"), uris(), prop::option::of(tokens())).prop_map(|(display, uri, tag)| {
        let mut address = Address::new(uri);
        address.display = display.map(|name| Value::cleaned(&name).as_str().to_string());
        if let Some(tag) = tag {
            address.set_tag(&tag);
        }
        address
    })
}

fn vias() -> impl Strategy<Value = Via> {
    (hosts(), prop::option::of(1_u16..), tokens(), prop::option::of(1_u16..)).prop_map(|(host, port, branch, rport)| {
        let mut params = Params::default();
        params.set("branch", Some(&format!("z9hG4bK{branch}")));
        params.set("rport", rport.map(|port| port.to_string()).as_deref());
        Via { transport: "UDP".to_string(), host, port, params }
    })
}

/// A value of a header that we do not type.
fn values() -> impl Strategy<Value = Value> {
    "\\PC{0,20}".prop_map(|text| Value::cleaned(&text))
}

prop_compose! {
    fn heads(method: Method)(
        via in prop::collection::vec(vias(), 1..4),
        from in addresses(),
        to in addresses(),
        call_id in "[!-~]{1,20}",
        cseq in 0..=0x7fff_ffff_u32,
        max_forwards in any::<Option<u8>>(),
        contacts in prop::collection::vec(addresses(), 0..3),
        route in prop::collection::vec(addresses(), 0..3),
        record_route in prop::collection::vec(addresses(), 0..3),
        with_type in any::<bool>(),
        fields in prop::collection::vec(("X-[A-Za-z]{1,8}", values()), 0..4),
    ) -> Head {
        let contacts = if contacts.is_empty() { Contacts::None } else { Contacts::List(contacts) };
        let content_type = with_type.then(|| Value::new("application/sdp").unwrap());
        let call_id = Value::new(call_id).unwrap();
        Head { via, from, to, call_id, cseq, method, max_forwards, contacts, route, record_route, content_type, fields }
    }
}

prop_compose! {
    fn requests()(method in methods())(
        uri in uris(), head in heads(method), body in prop::collection::vec(any::<u8>(), 0..40),
    ) -> Request {
        Request { uri, head, body: Bytes::from(body) }
    }
}

proptest! {
    #[test]
    fn every_request_we_print_is_read_back_the_same(request in requests()) {
        let opened = front::open(&request.to_bytes(), Carrier::Stream, 65_535);
        prop_assert_eq!(opened, Opened::Message(Box::new(Message::Request(request))));
    }

    #[test]
    fn every_response_we_print_is_read_back_the_same(request in requests(), status in 100_u16..700, body in "\\PC{0,9}") {
        let response = request.response(status, "ours").with_body("application/sdp", Bytes::from(body));
        let opened = front::open(&response.to_bytes(), Carrier::Datagram, 65_535);
        prop_assert_eq!(opened, Opened::Message(Box::new(Message::Response(response))));
    }

    #[test]
    fn a_foreign_parser_finds_the_same_headers_in_what_we_print(request in requests()) {
        let printed = Request { body: Bytes::new(), ..request }.to_bytes();
        let text = String::from_utf8(printed.to_vec()).unwrap();
        let ours = text.split("\r\n").skip(1).take_while(|line| !line.is_empty()).count();
        // rsip ends a user part at a dot; the start-line is not its business here.
        let blind = format!("OPTIONS sip:h SIP/2.0\r\n{}", text.split_once("\r\n").unwrap().1);
        let foreign = rsip::Request::try_from(blind.as_bytes()).unwrap();
        prop_assert_eq!(foreign.headers.iter().count(), ours);
    }

    #[test]
    fn no_value_holds_a_line_end(text in any::<String>()) {
        prop_assert!(!Value::cleaned(&text).as_str().contains(char::is_control));
        prop_assert_eq!(Value::new(text.clone()).is_ok(), !text.contains(char::is_control));
    }
}
