//! Lines become types: one meaning per header, or a fault with the status that RFC 3261 or RFC 4475 names.

use bytes::Bytes;

use super::lines::Lines;
use super::{Carrier, Fault, HEADERS_MAX, MEMBER_BYTES_MAX};
use crate::lex;
use crate::message::{Address, Contacts, Head, Message, Method, Request, Response, Value, Via, method};
use crate::uri::Uri;

/// Headers of which a second one contradicts the first (RFC 3261 §7.3.1, table 2).
const SINGLE: [&str; 14] = [
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Max-Forwards",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Expires",
    "Min-Expires",
    "Refer-To",
    "Referred-By",
    "Event",
    "Session-Expires",
];

/// RFC 3261 §8.1.1.5: the sequence number is below 2^31.
const CSEQ_MAX: u32 = 0x7fff_ffff;

pub fn message(lines: &Lines, body: Bytes, carrier: Carrier) -> Result<Message, Fault> {
    if lines.is_response() {
        let (status, reason) = status_line(&lines.start)?;
        let head = head(lines)?;
        let body = body_of(lines, body, carrier)?;
        return Ok(Message::Response(Response { status, reason, head, body }));
    }
    let (method, uri) = request_line(&lines.start)?;
    let head = head(lines)?;
    if head.method != method {
        return Err(bad("cseq_method"));
    }
    if method == Method::Register && head.to.uri.as_sip().is_none() {
        // RFC 3261 §10.2, RFC 4475 §3.3.4: an address-of-record is a SIP or SIPS URI.
        return Err(bad("aor"));
    }
    let body = body_of(lines, body, carrier)?;
    Ok(Message::Request(Request { uri, head, body }))
}

fn request_line(line: &str) -> Result<(Method, Uri), Fault> {
    let mut words = line.split(' ');
    let (Some(name), Some(uri), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(bad("request_line"));
    };
    if !lex::is_token(name) {
        return Err(bad("request_line"));
    }
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return Err(Fault { status: 505, cause: "version" });
    }
    let method = method(name).ok_or(Fault { status: 501, cause: "method" })?;
    let uri = Uri::parse(uri).map_err(|_| bad("request_uri"))?;
    if uri.has_headers() {
        // RFC 3261 §19.1.1, table 1: headers may not stand in a Request-URI.
        return Err(bad("request_uri"));
    }
    match uri.as_sip() {
        Some(sip) if !sip.secure => Ok((method, uri)),
        // RFC 5031: who calls for help may name the service; what of the call bears the same URI goes with it.
        None if uri.sos().is_some() && matches!(method, Method::Invite | Method::Ack | Method::Cancel) => {
            Ok((method, uri))
        }
        _ => Err(Fault { status: 416, cause: "request_uri_scheme" }),
    }
}

fn status_line(line: &str) -> Result<(u16, Value), Fault> {
    let mut words = line.splitn(3, ' ');
    let version = words.next().unwrap_or_default();
    let code = words.next().unwrap_or_default();
    // RFC 4475 §3.1.1.13: the phrase may be empty, its space may not be missing.
    let reason = words.next().ok_or(bad("status_line"))?;
    let status = lex::number(code).and_then(|code| u16::try_from(code).ok());
    match status {
        Some(status) if version.eq_ignore_ascii_case("SIP/2.0") && code.len() == 3 && (100..700).contains(&status) => {
            Ok((status, Value::cleaned(reason)))
        }
        _ => Err(bad("status_line")),
    }
}

fn head(lines: &Lines) -> Result<Head, Fault> {
    for name in SINGLE {
        if lines.all(name).nth(1).is_some() {
            return Err(bad("duplicate"));
        }
    }
    let (cseq, method) = cseq(single(lines, "CSeq")?)?;
    let call_id = single(lines, "Call-ID")?;
    if call_id.is_empty() || call_id.contains(' ') {
        return Err(bad("call_id"));
    }
    let via = via(lines)?;
    let max_forwards = match lines.all("Max-Forwards").next() {
        // RFC 3261 §20.22: 0 to 255.
        Some(hops) => Some(lex::number(hops).and_then(|n| u8::try_from(n).ok()).ok_or(bad("max_forwards"))?),
        None => None,
    };
    let (from, to) = (single(lines, "From")?, single(lines, "To")?);
    if from.len().max(to.len()) > MEMBER_BYTES_MAX {
        return Err(bad("header_size"));
    }
    let head = Head {
        via,
        from: Address::parse("From", from).map_err(|_| bad("from"))?,
        to: Address::parse("To", to).map_err(|_| bad("to"))?,
        call_id: value(call_id)?,
        cseq,
        method,
        max_forwards,
        contacts: contacts(lines)?,
        route: addresses(lines, "Route")?,
        record_route: addresses(lines, "Record-Route")?,
        content_type: lines.all("Content-Type").next().map(value).transpose()?,
        fields: fields(lines)?,
    };
    // A list in one line is as many lines when it is printed, and what we print we must be able to read (S-09).
    if head.lines() > HEADERS_MAX { Err(bad("header_count")) } else { Ok(head) }
}

/// The members of all lines of a list.
fn members<'a>(lines: &'a Lines, name: &'static str, cause: &'static str) -> Result<Vec<&'a str>, Fault> {
    let mut found = Vec::new();
    for line in lines.all(name) {
        found.extend(lex::split_outside(line, b',').ok_or(bad(cause))?);
        if found.len() > HEADERS_MAX {
            return Err(bad("header_count"));
        }
    }
    if found.iter().any(|member| member.len() > MEMBER_BYTES_MAX) { Err(bad("header_size")) } else { Ok(found) }
}

fn single<'a>(lines: &'a Lines, name: &'static str) -> Result<&'a str, Fault> {
    lines.all(name).next().ok_or(bad("mandatory"))
}

fn cseq(text: &str) -> Result<(u32, Method), Fault> {
    let (number, name) = text.split_once(' ').ok_or(bad("cseq"))?;
    let number = lex::number(number).filter(|number| *number <= CSEQ_MAX).ok_or(bad("cseq"))?;
    Ok((number, method(name.trim()).ok_or(bad("cseq"))?))
}

fn via(lines: &Lines) -> Result<Vec<Via>, Fault> {
    let parsed = members(lines, "Via", "via")?.into_iter().map(|member| Via::parse(member).map_err(|_| bad("via")));
    let vias = parsed.collect::<Result<Vec<_>, _>>()?;
    if vias.is_empty() { Err(bad("mandatory")) } else { Ok(vias) }
}

fn contacts(lines: &Lines) -> Result<Contacts, Fault> {
    let mut written = lines.all("Contact");
    match (written.next(), written.next()) {
        (None, _) => Ok(Contacts::None),
        (Some("*"), None) => Ok(Contacts::Star),
        _ => addresses(lines, "Contact").map(Contacts::List),
    }
}

fn addresses(lines: &Lines, name: &'static str) -> Result<Vec<Address>, Fault> {
    let members = members(lines, name, "address")?.into_iter();
    members.map(|member| Address::parse(name, member).map_err(|_| bad("address"))).collect()
}

fn fields(lines: &Lines) -> Result<Vec<(String, Value)>, Fault> {
    const TYPED: [&str; 11] = [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Max-Forwards",
        "Contact",
        "Route",
        "Record-Route",
        "Content-Type",
        "Content-Length",
    ];
    let others = lines.headers().filter(|(name, _)| !TYPED.contains(name));
    others.map(|(name, text)| Ok((name.to_string(), value(text)?))).collect()
}

/// RFC 3261 §18.3: what follows the body in a datagram is dropped; a body shorter than announced is an error.
fn body_of(lines: &Lines, body: Bytes, carrier: Carrier) -> Result<Bytes, Fault> {
    let Some(written) = lines.all("Content-Length").next() else {
        return match carrier {
            Carrier::Datagram => Ok(body),
            Carrier::Stream => Err(bad("content_length")),
        };
    };
    let length = lex::number(written).and_then(|length| usize::try_from(length).ok()).ok_or(bad("content_length"))?;
    if length > body.len() { Err(bad("content_length")) } else { Ok(body.slice(..length)) }
}

fn value(text: &str) -> Result<Value, Fault> {
    Value::new(text).map_err(|_| bad("control"))
}

fn bad(cause: &'static str) -> Fault {
    Fault { status: 400, cause }
}
