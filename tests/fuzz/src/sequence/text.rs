//! The messages of the other side, as text: what a phone, a trunk or a liar would say next in a call that it knows.

use std::fmt::Write as _;

use bytes::Bytes;
use sip::auth::Algorithm;
use sip::message::{Method, Request, Response, name_of};

use super::script::Script;
use super::world::{Call, Line};
use super::{DOMAIN, PASSWORD, USER};

pub const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

const TARGETS: [&str; 5] = ["100", "101", "+4930123", "%00", "*8101"];

/// A request in `call`, from `line`. The wishes say what stands in it; most combinations are wrong somewhere.
pub fn request(script: &mut Script<'_>, call: &mut Call, other: &Call, line: &Line, nonce: &str) -> Bytes {
    let methods: Vec<Method> = Method::all();
    let method = methods.get(script.pick(methods.len())).copied().unwrap_or(Method::Invite);
    let (w, more) = (script.wishes(), script.wishes());
    let to = TARGETS.get(script.pick(TARGETS.len())).copied().unwrap_or_default();
    let name = name_of(method);
    let of_invite = w.has(1) || matches!(method, Method::Ack | Method::Cancel) && !more.has(4);
    if !of_invite && !more.has(4) {
        call.cseq = call.cseq.wrapping_add(1);
        call.branch = call.branch.wrapping_add(1);
    }
    if method == Method::Invite {
        call.invite = (call.branch, call.cseq);
    }
    let (branch, cseq) = if of_invite { call.invite } else { (call.branch, call.cseq) };
    let (id, via, remote) = (call.id, line.flow.transport.via(), line.flow.remote);
    let tag = |call: &Call| call.tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
    let to_tag = if w.has(0) { tag(call) } else { String::new() };
    let from = if line.is_phone { USER } else { "+4930999" };
    let mut text = format!(
        "{name} sip:{to}@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/{via} {remote};branch=z9hG4bK{id}x{branch}\r\n\
         Max-Forwards: 70\r\nFrom: \"A\" <sip:{from}@{DOMAIN}>;tag=f{id}\r\nTo: <sip:{from}@{DOMAIN}>{to_tag}\r\n\
         Call-ID: c{id}\r\nCSeq: {cseq} {name}\r\n"
    );
    if more.has(3) {
        text.push_str("Contact: *\r\n");
    } else {
        let _ = write!(text, "Contact: <sip:{from}@{remote}>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n");
    }
    if w.has(3) {
        text.push_str("Supported: 100rel, replaces, outbound\r\nRequire: 100rel\r\n");
    }
    if w.has(4) {
        text.push_str("Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    }
    if w.has(5) {
        let (id, tag) = (other.id, other.tag.as_deref().unwrap_or("x"));
        let _ = write!(text, "Replaces: c{id};to-tag={tag};from-tag=f{id}\r\n");
    }
    if w.has(6) {
        let (id, tag) = (other.id, other.tag.as_deref().unwrap_or("x"));
        let replaces = format!("?Replaces=c{id}%3Bto-tag%3D{tag}%3Bfrom-tag%3Df{id}");
        let replaces = if more.has(5) { replaces.as_str() } else { "" };
        let _ = write!(text, "Refer-To: <sip:101@{DOMAIN}{replaces}>\r\n");
    }
    if more.has(0) {
        let (rseq, (_, invite)) = (call.rseq, call.invite);
        let _ = write!(text, "RAck: {rseq} {invite} INVITE\r\n");
    }
    if more.has(1) {
        text.push_str(if w.has(7) { "Event: dialog\r\n" } else { "Event: message-summary\r\n" });
    }
    if more.has(2) {
        text.push_str("Expires: 0\r\n");
    }
    if more.has(5) {
        text.push_str("Record-Route: <sip:198.51.100.9;lr>\r\n");
    }
    if more.has(6) {
        text.push_str(
            "P-Asserted-Identity: <sip:+4930777@c>\r\nDiversion: <sip:+4930555@c>;reason=no-answer\r\nPrivacy: id\r\n",
        );
    }
    if w.has(7) {
        let uri = format!("sip:{to}@192.0.2.1");
        let sha = |parts: &[&str]| Algorithm::Sha256.hash(parts);
        call.proofs = call.proofs.wrapping_add(1);
        let count = format!("{:08x}", call.proofs);
        let (ha1, ha2) = (sha(&[USER, DOMAIN, PASSWORD]), sha(&[name, &uri]));
        let response = sha(&[&ha1, nonce, &count, "c", "auth", &ha2]);
        let _ = write!(
            text,
            "Authorization: Digest username=\"{USER}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm=SHA-256, cnonce=\"c\", qop=auth, nc={count}\r\n"
        );
    }
    let (kind, body) = match (w.has(2), more.has(7)) {
        (true, _) => ("application/sdp", SDP),
        (false, true) => ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"),
        (false, false) => ("", ""),
    };
    if !kind.is_empty() {
        let _ = write!(text, "Content-Type: {kind}\r\n");
    }
    let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
    text.into()
}

const STATUSES: [u16; 22] =
    [100, 180, 183, 199, 200, 202, 302, 400, 401, 403, 404, 407, 408, 422, 423, 480, 481, 486, 487, 491, 503, 603];

/// An answer to a request of ours.
pub fn response(script: &mut Script<'_>, asked: &Request) -> Response {
    let status = STATUSES.get(script.pick(STATUSES.len())).copied().unwrap_or(200);
    let w = script.wishes();
    let mut response = asked.response(status, if w.has(0) { "t1" } else { "t2" });
    let contact = if w.has(1) { "<sip:c@198.51.100.5:5062>" } else { "<sip:c@198.51.100.5>;expires=60" };
    response.head.contacts = asked_contacts(contact);
    if w.has(2) {
        response = response.with_body("application/sdp", Bytes::from_static(SDP.as_bytes()));
    }
    if w.has(3) {
        response = response.with("Require", "100rel").with("RSeq", if w.has(0) { "7" } else { "8" });
    }
    if w.has(4) {
        let challenge = "Digest realm=\"c\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
        response = response.with(if status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" }, challenge);
    }
    if w.has(5) {
        response = response.with("Session-Expires", "90;refresher=uas").with("Supported", "timer");
    }
    if w.has(6) {
        response = response.with("Min-SE", "1800").with("Min-Expires", "3600").with("Retry-After", "5");
    }
    response
}

fn asked_contacts(text: &str) -> sip::message::Contacts {
    sip::message::Address::parse("Contact", text)
        .map_or_else(|_| Default::default(), |one| sip::message::Contacts::List(vec![one]))
}
