//! Early dialogs of our INVITE (RFC 3261 §12.1, §13.2.2.1), one per fork: provisional responses that want a PRACK
//! (RFC 3262) get it, and what the called side sends before its answer is served (RFC 3311).

use bytes::Bytes;

use super::peer::Peer;
use super::reliable;
use super::session::Theirs;
use super::{SDP, respond};
use crate::context::Context;
use crate::endpoint::{DialogId, Event, Flow};
use crate::message::{self, Method, Request, Response};
use crate::transaction::TxId;

/// Forks of one INVITE; more are some fault of the peer's and stay unheard until one of them answers.
const EARLY_MAX: usize = 8;

#[derive(Debug)]
pub struct Early {
    /// Theirs.
    tag: String,
    pub peer: Peer,
    rseq: Option<u32>,
    /// Their last SDP: the answer to our offer.
    pub sdp: Option<Bytes>,
    /// A new offer of theirs, not yet answered.
    pub theirs: Option<Theirs>,
}

/// Nearly always one, and while its INVITE's repetitions are awaited none: what is empty takes no room.
#[derive(Debug, Default)]
pub struct EarlyDialogs(Vec<Early>);

impl EarlyDialogs {
    pub fn of(&self, tag: Option<&str>) -> Option<&Early> {
        let tag = tag?;
        self.0.iter().find(|early| early.tag == tag)
    }

    pub fn of_mut(&mut self, tag: Option<&str>) -> Option<&mut Early> {
        let tag = tag?;
        self.0.iter_mut().find(|early| early.tag == tag)
    }

    pub fn take(&mut self, tag: Option<&str>) -> Option<Early> {
        let tag = tag?;
        let at = self.0.iter().position(|early| early.tag == tag)?;
        let early = self.0.remove(at);
        if self.0.is_empty() {
            self.0 = Vec::new();
        }
        Some(early)
    }

    pub fn first(&self) -> Option<&Early> {
        self.0.first()
    }

    /// The one whose offer is open.
    pub fn offered(&mut self) -> Option<&mut Early> {
        self.0.iter_mut().find(|early| early.theirs.is_some())
    }

    /// Takes a response above 100. False: a repetition, or one out of order, which says nothing (RFC 3262 §4).
    pub fn heard(&mut self, cx: &mut Context<'_>, invite: &Request, response: &Response, flow: Flow) -> bool {
        let Some(tag) = response.head.to.tag() else { return true };
        if self.of(Some(tag)).is_none() {
            if self.0.len() >= EARLY_MAX {
                return true;
            }
            let peer = Peer::of_response(invite, response, flow);
            self.0.reserve_exact(1);
            self.0.push(Early { tag: tag.to_owned(), peer, rseq: None, sdp: None, theirs: None });
        }
        let Some(early) = self.of_mut(Some(tag)) else { return true };
        if let Some(rseq) = reliable::rseq_of(&response.head) {
            if early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
                return false;
            }
            early.rseq = Some(rseq);
            early.prack(cx, rseq, invite.head.cseq);
        }
        if let Some(sdp) = response.sdp() {
            early.sdp = Some(sdp);
        }
        true
    }
}

impl Early {
    fn prack(&mut self, cx: &mut Context<'_>, rseq: u32, invite_cseq: u32) {
        let mut prack = self.peer.request(cx, Method::PRack);
        prack.head.set("RAck", format!("{rseq} {invite_cseq} INVITE"));
        // At the limit it is not sent: the response comes again.
        if cx.tx.request(cx.now, self.peer.flow, prack).is_err() {
            self.rseq = rseq.checked_sub(1);
        }
    }

    /// RFC 3311 §5.1: an offer of theirs may come once ours is answered.
    pub fn request(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        match request.method() {
            Method::Update if request.body.is_empty() => {
                self.peer.refresh(&request.head);
                let mut response = cx.response(&request, 200, "");
                cx.introduce(&mut response.head, self.peer.flow);
                cx.tx.respond(cx.now, tx, &response);
            }
            Method::Update if message::media_type(&request.head) != SDP => respond(cx, tx, &request, 415),
            // RFC 3311 §5.2: our own offer is open; an earlier one of theirs is.
            Method::Update if self.sdp.is_none() => respond(cx, tx, &request, 491),
            Method::Update if self.theirs.is_some() => respond(cx, tx, &request, 500),
            Method::Update => {
                self.peer.refresh(&request.head);
                let sdp = message::sdp(&request.head, &request.body);
                self.theirs = Some(Theirs { tx, request });
                cx.event(Event::Reoffer { dialog, sdp });
            }
            Method::Info => super::info::answer(cx, dialog, tx, &request),
            Method::Options => respond(cx, tx, &request, 200),
            _ => respond(cx, tx, &request, 481),
        }
    }
}
