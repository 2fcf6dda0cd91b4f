//! Answers without body to requests within a dialog, with the headers that their status owes.

use crate::context::{Context, SUPPORTED};
use crate::front::ALLOW;
use crate::message::{Method, Request};
use crate::transaction::TxId;

/// A final response; the To tag is there already.
pub(super) fn respond(cx: &mut Context<'_>, tx: TxId, request: &Request, status: u16) {
    let mut response = cx.response(request, status, "");
    match (status, request.method()) {
        // RFC 3261 §11.2.
        (200, Method::Options) => {
            response.head.set("Allow", ALLOW);
            response.head.set("Accept", accept(request));
            response.head.set("Supported", SUPPORTED);
        }
        (405, _) => response.head.set("Allow", ALLOW),
        // §21.4.13.
        (415, _) => response.head.set("Accept", accept(request)),
        // RFC 6086 §4.2.2: no Info Package is known here.
        (469, _) => response.head.set("Recv-Info", ""),
        // RFC 3261 §14.2: 0 to 10 seconds, at random.
        (500 | 503, _) => {
            let wait_s = cx.ids.below(11).to_string();
            response.head.set("Retry-After", wait_s);
        }
        _ => {}
    }
    cx.tx.respond(cx.now, tx, &response);
}

fn accept(request: &Request) -> &'static str {
    match request.method() {
        Method::Info => "application/dtmf-relay, application/dtmf",
        _ => "application/sdp",
    }
}
