//! The 2xx of one INVITE, of which forking proxies can bring several (RFC 3261 §13.2.2.4): each is acknowledged, again
//! whenever it comes again, and all but the first are ended.

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
    /// Their tag, and the ACK it got.
    acks: Vec<(String, Bytes)>,
}

impl Forks {
    /// Of the INVITE it takes an ACK's and a CANCEL's lines, and no body.
    pub fn new(mut branch: Branch) -> Self {
        branch.request.body = Bytes::new();
        Self { branch, acks: Vec::new() }
    }

    /// Acknowledges; the peer is returned when this tag was not heard of before.
    pub fn acknowledge(&mut self, cx: &mut Context<'_>, response: &Response) -> Option<Peer> {
        let tag = response.head.to.tag().unwrap_or_default().to_string();
        if let Some((_, ack)) = self.acks.iter().find(|(of, _)| *of == tag) {
            cx.tx.send(self.branch.flow, ack.clone());
            return None;
        }
        if self.acks.len() >= FORKS_MAX {
            return None;
        }
        let (peer, ack) = self.branch.acknowledge(cx, response);
        // For half a minute there is one, and without the space that printing left at its end.
        self.acks.reserve_exact(1);
        self.acks.push((tag, Bytes::copy_from_slice(&ack)));
        Some(peer)
    }
}
