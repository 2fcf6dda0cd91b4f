//! REFER within a dialog (RFC 3515): a blind transfer, its 202 and its NOTIFYs.

use bytes::Bytes;

use super::peer::Peer;
use crate::context::Context;
use crate::message::{Address, Method, Request, Response, reason};
use crate::transaction::TxId;

/// One at a time.
#[derive(Debug, Default)]
pub enum Refer {
    #[default]
    None,
    /// Waiting for `refer_accept` or `refer_reject`.
    Asked { tx: TxId, request: Box<Request> },
    /// Accepted: the outcome is owed.
    Owed { number: u32 },
    /// Accepted, and they want no NOTIFY (RFC 4488).
    Silent,
}

/// The user part of Refer-To; Err is the status to refuse with.
pub fn target(request: &Request) -> Result<String, u16> {
    let mut lines = request.head.all("Refer-To");
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(400) };
    let address = Address::parse("Refer-To", line).map_err(|_| 400_u16)?;
    if address.uri.has_headers() {
        // `?Replaces=`: an attended transfer, which is another thing.
        return Err(603);
    }
    address.uri.user().ok_or(400)
}

pub fn accepted(cx: &Context<'_>, request: &Request, tag: &str) -> (Response, Refer) {
    let mut response = cx.response(request, 202, tag);
    let silent = request.head.field("Refer-Sub").is_some_and(|value| value.trim().eq_ignore_ascii_case("false"));
    if silent {
        response.head.set("Refer-Sub", "false");
        return (response, Refer::Silent);
    }
    // RFC 3515 §2.4.6: the CSeq of the REFER tells its subscription from others'.
    (response, Refer::Owed { number: request.head.cseq })
}

/// RFC 3515 §2.4.5: the outcome as a status line; 1xx keeps the subscription, a final status ends it.
pub fn notify(cx: &mut Context<'_>, peer: &mut Peer, number: u32, status: u16) -> Request {
    let mut request = peer.request(cx, Method::Notify);
    let state = if status < 200 { "active;expires=60" } else { "terminated;reason=noresource" };
    request.head.set("Event", format!("refer;id={number}"));
    request.head.set("Subscription-State", state);
    let line = format!("SIP/2.0 {status} {}\r\n", reason(status));
    request.with_body("message/sipfrag;version=2.0", Bytes::from(line))
}
