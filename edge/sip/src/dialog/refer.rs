//! REFER within a dialog (RFC 3515, RFC 5589): a transfer, blind or attended, its 202 and its NOTIFYs.

use bytes::Bytes;

use super::peer::Peer;
use super::replaces::Replaces;
use crate::context::Context;
use crate::message::{Address, Method, Request, Response, reason};
use crate::transaction::TxId;
use crate::uri::Host;

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

/// Where a REFER points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// The user part of Refer-To.
    pub to: String,
    /// RFC 5589 §7: an attended transfer names the call that it ends.
    pub replaces: Option<Replaces>,
}

/// Err is the status to refuse with.
pub fn referral(request: &Request, is_us: impl Fn(&Host) -> bool) -> Result<Referral, u16> {
    let mut lines = request.head.all("Refer-To");
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(400) };
    let address = Address::parse("Refer-To", line).map_err(|_| 400_u16)?;
    // RFC 3515 §2.1: another method than INVITE may be asked for; we send none for somebody else.
    if address.uri.param("method").is_some_and(|method| method != "INVITE") {
        return Err(603);
    }
    let replaces = match address.uri.headers() {
        Some(headers) => Some(Replaces::of_uri_headers(headers).ok_or(603_u16)?),
        None => None,
    };
    let to = match (address.uri.user(), &replaces) {
        // A place elsewhere: only the dial plan leads out (S-11).
        (Some(_), None) if address.uri.host().is_some_and(|host| !is_us(host)) => return Err(603),
        (Some(user), _) => user,
        // The call to take over says who is meant.
        (None, Some(_)) => String::new(),
        (None, None) => return Err(400),
    };
    Ok(Referral { to, replaces })
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
