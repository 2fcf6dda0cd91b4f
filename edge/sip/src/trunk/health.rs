//! OPTIONS pings (RFC 3261 §11), and what calls show of the peer: down after a few failures in a row, up after a few
//! successes, so that a line that flickers stays down.

use crate::context::{self, Context, Parties};
use crate::endpoint::{Flow, TrunkRules};
use crate::ids::Ids;
use crate::message::{Address, Method, Request, Value};
use crate::uri::{Host, Uri};

pub struct Health {
    call_id: Value,
    cseq: u32,
    up: bool,
    /// In a row.
    failures: u8,
    successes: u8,
}

impl Health {
    pub fn new(ids: &mut Ids) -> Self {
        Self { call_id: Value::cleaned(&ids.call_id()), cseq: 0, up: true, failures: 0, successes: 0 }
    }

    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Nothing speaks against it.
    pub fn is_sound(&self) -> bool {
        self.up && self.failures == 0
    }

    pub fn request(&mut self, cx: &mut Context<'_>, flow: Flow, host: Host, port: Option<u16>) -> Request {
        self.cseq = self.cseq.wrapping_add(1) & 0x7fff_ffff;
        let uri = Uri::sip(None, host, port);
        let mut from = Address::new(Uri::sip(None, context::domain(cx.config), None));
        from.set_tag(&cx.ids.tag());
        let (to, call_id) = (Address::new(uri.clone()), self.call_id.clone());
        let mut request = cx.request(Method::Options, flow, Parties { uri, from, to, call_id, cseq: self.cseq });
        request.head.set("Accept", "application/sdp");
        request
    }

    /// Any answer proves a peer that lives, were it a refusal; a server failure proves that it does not serve.
    pub fn heard(&mut self, status: Option<u16>, rules: &TrunkRules) {
        let serves = status.is_some_and(|status| !matches!(status, 408 | 500 | 502..=504));
        if serves {
            (self.successes, self.failures) = (self.successes.saturating_add(1), 0);
            self.up |= self.successes >= rules.up_after;
        } else {
            (self.successes, self.failures) = (0, self.failures.saturating_add(1));
            self.up &= self.failures < rules.down_after.max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_flickers_stays_down() {
        let rules = TrunkRules { down_after: 3, up_after: 2, ..TrunkRules::default() };
        let mut health = Health::new(&mut Ids::new([0; 32]));
        let table = [(None, true), (None, true), (Some(200), true), (None, true), (Some(503), true), (None, false)];
        let flickers = [(Some(200), false), (None, false), (Some(200), false), (Some(404), true), (None, true)];
        for (at, (status, up)) in table.into_iter().chain(flickers).enumerate() {
            health.heard(status, &rules);
            assert_eq!(health.is_up(), up, "{at}: {status:?}");
        }
    }

    #[test]
    fn two_failures_take_it_down_and_one_answer_brings_it_back() {
        let mut health = Health::new(&mut Ids::new([0; 32]));
        let mut check = |status, up| {
            health.heard(status, &TrunkRules::default());
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
