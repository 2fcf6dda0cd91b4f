//! Answers to an INVITE that nobody here knows any more: the process that sent it has ended while the phone rang. Who
//! picked up would wait for an ACK for half a minute, and have a call with nobody on the display.

use super::Dialogs;
use super::peer::Peer;
use crate::context::Context;
use crate::endpoint::Flow;
use crate::message::{Method, Response, Via};

impl Dialogs {
    /// The call is acknowledged and ended (RFC 3261 §13.2.2.4, as for a fork that is not wanted). False: it is no such
    /// answer, or belongs to a dialog that stands. Ask only about those who are known here: it makes us send.
    pub fn answered_too_late(&mut self, cx: &mut Context<'_>, response: &Response, flow: Flow) -> bool {
        let head = &response.head;
        let ours = |tag: &str| {
            let key = (head.call_id.as_str().to_owned(), tag.to_owned());
            !self.by_tag.contains_key(&key)
        };
        let answer = head.method == Method::Invite && (200..300).contains(&response.status) && head.via.len() == 1;
        let nobodys = head.from.tag().is_some_and(ours) && head.to.tag().is_some();
        let Some(mut peer) = Peer::of_stray(response, flow).filter(|_| answer && nobodys) else { return false };
        let (ack, bye) = (peer.ack(cx, head.cseq), peer.request(cx, Method::Bye));
        // RFC 3261 §18.1.2: what does not name us as who asked is not for us.
        let asked = |via: &[Via]| via.first().map(|via| (via.host.clone(), via.port));
        if asked(&head.via) != asked(&ack.head.via) {
            return false;
        }
        cx.tx.send(flow, ack.to_bytes());
        // Without room for it the answer comes again.
        let _ = cx.tx.request(cx.now, flow, bye);
        true
    }
}
