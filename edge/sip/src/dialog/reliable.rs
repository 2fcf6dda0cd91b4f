//! Provisional responses that are acknowledged (RFC 3262): what we sent and wait a PRACK for, and what a PRACK names.

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::lex;
use crate::message::{Head, Request, Response};
use crate::transaction::{T1, TIMEOUT, TxId};

/// The option tag.
pub const TAG: &str = "100rel";

/// What the caller wants of our provisional responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Unknown,
    /// We may ask for an acknowledgement, and do when there is SDP that must not be lost.
    Supported,
    /// Every one of them (RFC 3262 §3).
    Required,
}

impl Wish {
    pub fn of(invite: &Request) -> Self {
        let names = |header| invite.head.list(header).iter().any(|tag| tag.eq_ignore_ascii_case(TAG));
        match (names("Require"), names("Supported")) {
            (true, _) => Self::Required,
            (false, true) => Self::Supported,
            (false, false) => Self::Unknown,
        }
    }
}

/// A provisional response that goes out again and again until its PRACK comes.
#[derive(Debug)]
pub struct Reliable {
    response: Response,
    rseq: u32,
    wait: Duration,
    pub give_up_at: Instant,
}

impl Reliable {
    /// Sends it once and says when to send it again.
    pub fn send(cx: &mut Context<'_>, tx: TxId, mut response: Response, rseq: u32) -> (Self, Option<Instant>) {
        response.head.set("Require", TAG);
        response.head.set("RSeq", rseq.to_string());
        cx.tx.respond(cx.now, tx, &response);
        let give_up_at = cx.now.checked_add(TIMEOUT).unwrap_or(cx.now);
        (Self { response, rseq, wait: T1, give_up_at }, cx.now.checked_add(T1))
    }

    /// RFC 3262 §3: the wait doubles, without the ceiling T2.
    pub fn send_again(&mut self, cx: &mut Context<'_>, tx: TxId) -> Option<Instant> {
        cx.tx.respond(cx.now, tx, &self.response);
        self.wait = self.wait.saturating_mul(2);
        cx.now.checked_add(self.wait)
    }

    pub fn has_sdp(&self) -> bool {
        !self.response.body.is_empty()
    }

    pub fn rseq(&self) -> u32 {
        self.rseq
    }
}

/// RFC 3262 §7.2: whether a PRACK means this response to this INVITE.
pub fn names(prack: &Request, rseq: u32, invite_cseq: u32) -> bool {
    let Some(line) = prack.head.field("RAck") else { return false };
    let mut words = line.split_ascii_whitespace();
    let (number, cseq, method) = (words.next(), words.next(), words.next());
    number.and_then(lex::number) == Some(rseq)
        && cseq.and_then(lex::number) == Some(invite_cseq)
        && method == Some("INVITE")
        && words.next().is_none()
}

/// The number of a response that wants a PRACK (RFC 3262 §4).
pub fn rseq_of(head: &Head) -> Option<u32> {
    let reliable = head.list("Require").iter().any(|tag| tag.eq_ignore_ascii_case(TAG));
    head.field("RSeq").filter(|_| reliable).and_then(lex::number)
}
