//! The 2xx of one INVITE, of which forking proxies can bring several (RFC 3261 §13.2.2.4): each is acknowledged, again
//! whenever it comes again, and all but the first are ended.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::outgoing::Branch;
use super::peer::Peer;
use crate::context::Context;
use crate::message::Response;

/// 2xx of one INVITE with different tags; more are some fault of the peer's and stay unacknowledged.
const FORKS_MAX: usize = 8;

#[derive(Debug)]
pub struct Forks {
    pub branch: Branch,
    /// To tag → the ACK it got.
    acks: BTreeMap<String, Bytes>,
}

impl Forks {
    pub fn new(branch: Branch) -> Self {
        Self { branch, acks: BTreeMap::new() }
    }

    /// Acknowledges; the peer is returned when this tag was not heard of before.
    pub fn acknowledge(&mut self, cx: &mut Context<'_>, response: &Response) -> Option<Peer> {
        let tag = response.head.to.tag().unwrap_or_default().to_string();
        if let Some(ack) = self.acks.get(&tag) {
            cx.tx.send(self.branch.flow, ack.clone());
            return None;
        }
        if self.acks.len() >= FORKS_MAX {
            return None;
        }
        let (peer, ack) = self.branch.acknowledge(cx, response);
        self.acks.insert(tag, ack);
        Some(peer)
    }
}
