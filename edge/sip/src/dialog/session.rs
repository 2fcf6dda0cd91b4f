//! A dialog that stands (RFC 3261 §12.2, §14): offers of both sides, keys, transfers.

use std::time::Instant;

use bytes::Bytes;

use super::fork::Forks;
use super::info::{self, Info};
use super::peer::Peer;
use super::refer::{self, Refer};
use super::unacked::{Kind, Unacked};
use super::{SDP, respond};
use crate::context::Context;
use crate::endpoint::{DialogId, Event};
use crate::message::{self, Method, Request};
use crate::transaction::TxId;

pub struct Session {
    pub peer: Peer,
    /// The INVITE of ours that made it; None when they called.
    pub forks: Option<Forks>,
    pub ours: Ours,
    unacked: Option<Unacked>,
    theirs: Option<Theirs>,
    refer: Refer,
}

/// Our re-INVITE.
#[derive(Debug)]
pub enum Ours {
    None,
    Sent {
        tx: TxId,
        sdp: Bytes,
        tries: u8,
    },
    /// After a glare, or behind an offer of theirs: to be sent when the timer says.
    Waiting {
        sdp: Bytes,
        tries: u8,
    },
    /// Answered: the ACK, should the 2xx come again.
    Done {
        tx: TxId,
        ack: Bytes,
    },
}

/// Their re-INVITE or UPDATE, not yet answered.
struct Theirs {
    tx: TxId,
    request: Request,
}

impl Session {
    pub fn confirmed_by_ack(peer: Peer, unacked: Unacked) -> Self {
        let unacked = Some(unacked);
        Self { peer, forks: None, ours: Ours::None, unacked, theirs: None, refer: Refer::None }
    }

    pub fn answered(peer: Peer, forks: Forks) -> Self {
        Self { peer, forks: Some(forks), ours: Ours::None, unacked: None, theirs: None, refer: Refer::None }
    }

    pub fn is_unacked(&self) -> bool {
        self.unacked.is_some()
    }

    /// No INVITE of either side is open (RFC 3261 §14.1).
    pub fn may_offer(&self) -> bool {
        self.unacked.is_none() && self.theirs.is_none() && !matches!(self.ours, Ours::Sent { .. })
    }

    pub fn set_unacked(&mut self, unacked: Unacked) {
        self.unacked = Some(unacked);
    }

    pub fn repeat(&mut self, cx: &mut Context<'_>) -> Option<Instant> {
        self.unacked.as_mut()?.send_again(cx)
    }

    /// What was acknowledged, if it was the 2xx we wait for.
    pub fn acknowledged(&mut self, ack: &Request) -> Option<Kind> {
        self.unacked.take_if(|unacked| unacked.cseq() == ack.head.cseq).map(|unacked| unacked.kind)
    }

    pub fn request(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        match request.method() {
            Method::Invite | Method::Update => self.offered(cx, dialog, tx, request),
            Method::Info => match info::read(&request) {
                Info::Digit(digit) => {
                    respond(cx, tx, &request, 200);
                    cx.event(Event::Digit { dialog, digit });
                }
                Info::Empty => respond(cx, tx, &request, 200),
                Info::Unknown => respond(cx, tx, &request, 415),
            },
            Method::Refer => self.referred(cx, dialog, tx, request),
            Method::Options => respond(cx, tx, &request, 200),
            // Nobody subscribed to anything here; nothing was sent reliably.
            Method::Notify | Method::PRack => respond(cx, tx, &request, 481),
            _ => respond(cx, tx, &request, 405),
        }
    }

    fn offered(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        let is_invite = request.method() == Method::Invite;
        if !request.body.is_empty() && message::media_type(&request.head) != SDP {
            return respond(cx, tx, &request, 415);
        }
        if !is_invite && request.body.is_empty() {
            // RFC 3311 §5.2: a refresh.
            self.peer.refresh(&request.head);
            let mut response = cx.response(&request, 200, "");
            cx.introduce(&mut response.head, self.peer.flow);
            return cx.tx.respond(cx.now, tx, &response);
        }
        if matches!(self.ours, Ours::Sent { .. }) {
            // RFC 3261 §14.2: glare.
            return respond(cx, tx, &request, 491);
        }
        if self.theirs.is_some() || self.unacked.is_some() {
            return respond(cx, tx, &request, 500);
        }
        self.peer.refresh(&request.head);
        if is_invite {
            cx.tx.respond(cx.now, tx, &request.response(100, ""));
        }
        let sdp = message::sdp(&request.head, &request.body);
        self.theirs = Some(Theirs { tx, request });
        cx.event(Event::Reoffer { dialog, sdp });
    }

    /// 200 to their open offer; for an INVITE the 2xx waits for its ACK.
    pub fn accept(&mut self, cx: &mut Context<'_>, sdp: Bytes) -> Option<(Unacked, Option<Instant>)> {
        let Theirs { tx, request } = self.theirs.take()?;
        let mut response = cx.response(&request, 200, "");
        response.head.record_route = request.head.record_route.clone();
        cx.introduce(&mut response.head, self.peer.flow);
        let response = response.with_body(SDP, sdp);
        if request.method() == Method::Invite {
            let kind = if request.body.is_empty() { Kind::Offer } else { Kind::Answer };
            return Some(Unacked::send(cx, tx, response, kind));
        }
        cx.tx.respond(cx.now, tx, &response);
        None
    }

    pub fn refuse_theirs(&mut self, cx: &mut Context<'_>, status: u16) {
        if let Some(Theirs { tx, request }) = self.theirs.take() {
            respond(cx, tx, &request, status);
        }
    }

    fn referred(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        if !matches!(self.refer, Refer::None) {
            return respond(cx, tx, &request, 491);
        }
        match refer::target(&request) {
            Ok(target) => {
                self.refer = Refer::Asked { tx, request: Box::new(request) };
                cx.event(Event::Referred { dialog, target });
            }
            Err(status) => respond(cx, tx, &request, status),
        }
    }

    pub fn refer_accept(&mut self, cx: &mut Context<'_>) {
        let Refer::Asked { tx, request } = std::mem::take(&mut self.refer) else { return };
        let (mut response, next) = refer::accepted(cx, &request, "");
        response.head.contacts = message::Contacts::List(vec![cx.contact(self.peer.flow, None)]);
        cx.tx.respond(cx.now, tx, &response);
        if let Refer::Owed { number } = next {
            self.notify(cx, number, 100);
        }
        self.refer = next;
    }

    pub fn refer_reject(&mut self, cx: &mut Context<'_>) {
        match std::mem::take(&mut self.refer) {
            Refer::Asked { tx, request } => respond(cx, tx, &request, 603),
            other => self.refer = other,
        }
    }

    /// 1xx reports progress, a final status is the last word.
    pub fn refer_outcome(&mut self, cx: &mut Context<'_>, status: u16) {
        if let Refer::Owed { number } = self.refer {
            self.notify(cx, number, status);
        }
        if status >= 200 && !matches!(self.refer, Refer::Asked { .. }) {
            self.refer = Refer::None;
        }
    }

    fn notify(&mut self, cx: &mut Context<'_>, number: u32, status: u16) {
        let notify = refer::notify(cx, &mut self.peer, number, status);
        // At the limit the outcome is not told; the transfer itself goes on.
        let _ = cx.tx.request(cx.now, self.peer.flow, notify);
    }
}
