//! RFC 3261 §13.3.1.4: a 2xx to an INVITE is repeated by its user, on any transport, until the ACK comes.

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::message::Response;
use crate::transaction::{T1, T2, TIMEOUT, TxId};

#[derive(Debug)]
pub struct Unacked {
    tx: TxId,
    response: Response,
    pub kind: Kind,
    wait: Duration,
    pub give_up_at: Instant,
}

/// Which 2xx it was, for what the ACK means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To the INVITE that began the dialog.
    First,
    /// To a re-INVITE with their offer.
    Answer,
    /// To a re-INVITE that asked for our offer: the ACK brings their answer.
    Offer,
}

impl Unacked {
    /// Sends it once and says when to send it again.
    pub fn send(cx: &mut Context<'_>, tx: TxId, response: Response, kind: Kind) -> (Self, Option<Instant>) {
        cx.tx.respond(cx.now, tx, &response);
        let give_up_at = cx.now.checked_add(TIMEOUT).unwrap_or(cx.now);
        (Self { tx, response, kind, wait: T1, give_up_at }, cx.now.checked_add(T1))
    }

    pub fn cseq(&self) -> u32 {
        self.response.head.cseq
    }

    pub fn send_again(&mut self, cx: &mut Context<'_>) -> Option<Instant> {
        cx.tx.respond(cx.now, self.tx, &self.response);
        self.wait = self.wait.saturating_mul(2).min(T2);
        cx.now.checked_add(self.wait)
    }
}
