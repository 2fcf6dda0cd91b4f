//! OPTIONS pings (RFC 3261 §11): down after two silences, up after one answer.

use std::net::SocketAddr;

use crate::context::{self, Context, Parties};
use crate::endpoint::Flow;
use crate::ids::Ids;
use crate::message::{Address, Method, Request, Value};
use crate::uri::Uri;

/// One lost datagram takes no trunk down.
const FAILURES_MAX: u32 = 2;

pub struct Health {
    call_id: Value,
    cseq: u32,
    failures: u32,
}

impl Health {
    pub fn new(ids: &mut Ids) -> Self {
        Self { call_id: Value::cleaned(&ids.call_id()), cseq: 0, failures: 0 }
    }

    pub fn is_up(&self) -> bool {
        self.failures < FAILURES_MAX
    }

    pub fn request(&mut self, cx: &mut Context<'_>, flow: Flow, peer: SocketAddr) -> Request {
        self.cseq = self.cseq.wrapping_add(1) & 0x7fff_ffff;
        let uri = Uri::sip(None, peer.into(), Some(peer.port()));
        let mut from = Address::new(Uri::sip(None, context::domain(cx.config), None));
        from.set_tag(&cx.ids.tag());
        let (to, call_id) = (Address::new(uri.clone()), self.call_id.clone());
        let mut request = cx.request(Method::Options, flow, Parties { uri, from, to, call_id, cseq: self.cseq });
        request.head.set("Accept", "application/sdp");
        request
    }

    /// Any answer proves a peer that lives, were it a refusal; a server failure proves that it does not serve.
    pub fn heard(&mut self, status: Option<u16>) {
        self.failures = match status {
            Some(status) if !matches!(status, 408 | 500 | 502..=504) => 0,
            _ => self.failures.saturating_add(1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_failures_take_it_down_and_one_answer_brings_it_back() {
        let mut health = Health::new(&mut Ids::new([0; 32]));
        let mut check = |status, up| {
            health.heard(status);
            assert_eq!(health.is_up(), up, "{status:?}");
        };
        check(Some(200), true);
        check(None, true);
        check(Some(405), true);
        check(None, true);
        check(Some(503), false);
        check(None, false);
        check(Some(404), true);
    }
}
