//! Their INVITE until our final answer (RFC 3261 §13.3, RFC 3262 §3), and our answers to offers within the dialog.

use std::time::Instant;

use bytes::Bytes;

use super::lease;
use super::peer::Peer;
use super::reliable::{self, Reliable, Wish};
use super::session::{Session, Theirs};
use super::unacked::{Kind, Unacked};
use super::{Dialogs, Phase, Role, SDP, Timer, Usage, respond};
use crate::context::Context;
use crate::endpoint::{DialogId, EndedBy, Event, Flow, Invited};
use crate::message::{self, Method, Request, Response};
use crate::transaction::TxId;
use crate::trunk::is_trusted;

pub struct Incoming {
    pub tx: TxId,
    pub request: Request,
    pub peer: Peer,
    wish: Wish,
    /// The number of the last reliable response (RFC 3262 §3).
    rseq: u32,
    unpracked: Option<Reliable>,
    /// What is to be sent once the PRACK came: the last progress, and the answer.
    next: Option<(u16, Option<Bytes>)>,
    accept: Option<Bytes>,
    /// Our answer was acknowledged before the call was: offers may come (RFC 3311 §5.1).
    settled: bool,
    /// Their INVITE had no offer, and a progress of ours brought it.
    offered: Offered,
    theirs: Option<Theirs>,
    /// A trusted peer asked whether early media may be heard (RFC 5009).
    early_asked: bool,
}

/// Our offer in a reliable progress (RFC 3261 §13.2.1: in the first reliable response, if not in the INVITE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offered {
    No,
    /// Its PRACK brings the answer (RFC 3262 §5).
    Out,
    Answered,
}

impl Incoming {
    fn new(cx: &mut Context<'_>, tx: TxId, request: Request, peer: Peer) -> Self {
        let wish = Wish::of(&request);
        // RFC 3262 §3: chosen at random between 1 and 2^31 - 1.
        let rseq = u32::try_from(cx.ids.below(1 << 30)).unwrap_or(0);
        let (unpracked, next, accept, theirs) = (None, None, None, None);
        let (offered, settled, early_asked) = (Offered::No, false, false);
        Self { tx, request, peer, wish, rseq, unpracked, next, accept, settled, offered, theirs, early_asked }
    }

    /// A delayed offer: it is ours to make.
    fn owes_offer(&self) -> bool {
        self.offered == Offered::No && self.peer.carried(&self.request).is_ok_and(|carried| carried.sdp.is_none())
    }

    pub fn refuse(&self, cx: &mut Context<'_>, status: u16) {
        if let Some(Theirs { tx, request }) = &self.theirs {
            respond(cx, *tx, request, 487);
        }
        let mut response = cx.response(&self.request, status, self.peer.local_tag());
        if status == 488 {
            // RFC 3261 §20.43.
            let host = crate::context::domain(cx.config);
            response.head.set("Warning", format!("305 {host} \"Incompatible media format\""));
        }
        cx.tx.respond(cx.now, self.tx, &response);
    }

    fn response(&self, cx: &Context<'_>, status: u16, sdp: Option<Bytes>) -> Response {
        let mut response = cx.response(&self.request, status, self.peer.local_tag());
        // RFC 3261 §12.1.1: the route set is copied, our Contact is where requests come to.
        response.head.record_route = self.request.head.record_route.clone();
        self.peer.introduce(cx, &mut response.head);
        match sdp {
            Some(sdp) => response.with_body(SDP, sdp),
            None => response,
        }
    }

    /// Sends progress; Some(when to send it again, when to give up) if it wants a PRACK.
    fn progress(
        &mut self,
        cx: &mut Context<'_>,
        status: u16,
        sdp: Option<Bytes>,
    ) -> Option<(Option<Instant>, Instant)> {
        if self.accept.is_some() {
            return None;
        }
        if self.unpracked.is_some() {
            // RFC 3262 §3: the second waits until the first is acknowledged; SDP is not lost to a later 180.
            let kept = self.next.take().and_then(|(_, sdp)| sdp);
            self.next = Some((status, sdp.or(kept)));
            return None;
        }
        let owed = self.owes_offer();
        if owed && sdp.is_none() && self.wish == Wish::Required {
            // RFC 3262 §5: the first reliable response would owe the offer. The next one, or the 2xx, brings it.
            return None;
        }
        // Nobody acknowledges what is not reliable: an offer has no place there.
        let sdp = sdp.filter(|_| !owed || self.wish != Wish::Unknown);
        let reliable = match self.wish {
            Wish::Required => true,
            Wish::Supported => sdp.is_some() && !self.settled,
            Wish::Unknown => false,
        };
        let early = self.early_asked && sdp.is_some();
        let mut response = self.response(cx, status, sdp);
        if early {
            response.head.set("P-Early-Media", "sendrecv");
        }
        if !reliable {
            cx.tx.respond(cx.now, self.tx, &response);
            return None;
        }
        if owed && !response.body.is_empty() {
            self.offered = Offered::Out;
        }
        self.rseq = self.rseq.saturating_add(1);
        let (unpracked, again_at) = Reliable::send(cx, self.tx, response, self.rseq);
        let give_up_at = unpracked.give_up_at;
        self.unpracked = Some(unpracked);
        Some((again_at, give_up_at))
    }

    /// An offer before the call is answered (RFC 3311 §5.2, RFC 3262 §5), or a PRACK without one.
    fn request(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        let with_sdp = !request.body.is_empty();
        match request.method() {
            _ if with_sdp && message::media_type(&request.head) != SDP && request.method() != Method::Info => {
                respond(cx, tx, &request, 415);
            }
            Method::Update | Method::PRack if with_sdp && (!self.settled || self.theirs.is_some()) => {
                // RFC 3311 §5.2: our answer, or theirs to come, is still on its way.
                respond(cx, tx, &request, 500);
            }
            Method::Update | Method::PRack if with_sdp => {
                self.peer.refresh(&request.head);
                let sdp = message::sdp(&request.head, &request.body);
                self.theirs = Some(Theirs { tx, request });
                cx.event(Event::Reoffer { dialog, sdp });
            }
            Method::Update => {
                self.peer.refresh(&request.head);
                let mut response = cx.response(&request, 200, "");
                self.peer.introduce(cx, &mut response.head);
                cx.tx.respond(cx.now, tx, &response);
            }
            Method::PRack => respond(cx, tx, &request, 200),
            Method::Info => super::info::answer(cx, dialog, tx, &request),
            Method::Options => respond(cx, tx, &request, 200),
            Method::Notify => respond(cx, tx, &request, 481),
            // RFC 3261 §14.2: a re-INVITE while the first is open.
            Method::Invite => respond(cx, tx, &request, 500),
            Method::Refer => respond(cx, tx, &request, 603),
            _ => respond(cx, tx, &request, 405),
        }
    }
}

impl Dialogs {
    /// An INVITE that was let in; `tx` is open. None when it has no usable Contact.
    pub fn invited(
        &mut self,
        cx: &mut Context<'_>,
        tx: TxId,
        request: Request,
        flow: Flow,
        invited: Invited,
    ) -> Option<DialogId> {
        let tag = cx.ids.tag();
        let peer = Peer::of_invite(&request, &tag, flow)?;
        cx.tx.respond(cx.now, tx, &request.trying());
        let dialog = self.next_id();
        self.index(dialog, &peer);
        self.roles.insert(tx, Role::Incoming(dialog));
        let early_asked = is_trusted(cx.config, &invited.source) && request.head.field("P-Early-Media").is_some();
        let incoming = Incoming { early_asked, ..Incoming::new(cx, tx, request, peer) };
        let phase = Phase::Incoming(Box::new(incoming));
        self.usages.insert(dialog, Usage { source: invited.source.clone(), phase });
        cx.event(Event::Invited { dialog, invited });
        Some(dialog)
    }

    pub fn provisional(&mut self, cx: &mut Context<'_>, dialog: DialogId, status: u16, sdp: Option<Bytes>) {
        let Some(Usage { phase: Phase::Incoming(incoming), .. }) = self.usages.get_mut(&dialog) else { return };
        if (101..200).contains(&status) {
            let waits = incoming.progress(cx, status, sdp);
            self.await_prack(dialog, waits);
        }
    }

    fn await_prack(&mut self, dialog: DialogId, waits: Option<(Option<Instant>, Instant)>) {
        if let Some((again_at, give_up_at)) = waits {
            self.set_timer(Timer::Repeat(dialog), again_at);
            self.timers.set(Timer::NoPrack(dialog), give_up_at);
        }
    }

    /// A request from whoever called and was not answered yet.
    pub(super) fn before_answer(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        let Some(Usage { phase: Phase::Incoming(incoming), .. }) = self.usages.get_mut(&dialog) else { return };
        if request.method() != Method::PRack {
            return incoming.request(cx, dialog, tx, request);
        }
        let cseq = incoming.request.head.cseq;
        let answers = incoming.offered == Offered::Out && incoming.unpracked.as_ref().is_some_and(Reliable::has_sdp);
        let sdp = message::sdp(&request.head, &request.body).filter(|_| answers);
        let named = |unpracked: &mut Reliable| reliable::names(&request, unpracked.rseq(), cseq);
        if answers && sdp.is_none() && incoming.unpracked.as_mut().is_some_and(named) {
            // RFC 3262 §5: the PRACK of an offer carries the answer. Our progress waits for the right one.
            return respond(cx, tx, &request, 400);
        }
        let Some(acknowledged) = incoming.unpracked.take_if(named) else {
            return respond(cx, tx, &request, 481);
        };
        incoming.settled |= acknowledged.has_sdp();
        self.timers.clear(&Timer::Repeat(dialog));
        self.timers.clear(&Timer::NoPrack(dialog));
        match sdp {
            Some(sdp) => {
                incoming.offered = Offered::Answered;
                respond(cx, tx, &request, 200);
                cx.event(Event::EarlyAnswered { dialog, sdp });
            }
            None => incoming.request(cx, dialog, tx, request),
        }
        if let Some(sdp) = incoming.accept.take() {
            return self.accept(cx, dialog, sdp);
        }
        if let Some((status, sdp)) = incoming.next.take() {
            let waits = incoming.progress(cx, status, sdp);
            self.await_prack(dialog, waits);
        }
    }

    /// RFC 3262 §3: nobody acknowledged our progress for 64*T1.
    pub(super) fn not_pracked(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        if let Some(Usage { phase: Phase::Incoming(incoming), .. }) = self.usages.get(&dialog) {
            incoming.refuse(cx, 504);
            self.forget(dialog);
            cx.event(Event::Ended { dialog, by: EndedBy::Lost, why: None });
        }
    }

    pub fn accept(&mut self, cx: &mut Context<'_>, dialog: DialogId, sdp: Bytes) {
        let Some(Usage { source, phase }) = self.usages.remove(&dialog) else { return };
        let phase = match phase {
            Phase::Incoming(mut incoming) => match incoming.theirs.take() {
                Some(theirs) => {
                    theirs.answer(cx, incoming.peer.flow, sdp);
                    Phase::Incoming(incoming)
                }
                // RFC 3262 §3: the 2xx waits until the answer in the progress is acknowledged.
                None if incoming.unpracked.as_ref().is_some_and(Reliable::has_sdp) => {
                    incoming.accept = Some(sdp);
                    Phase::Incoming(incoming)
                }
                None => Phase::Open(Box::new(self.answer(cx, dialog, *incoming, sdp))),
            },
            Phase::Open(mut session) => {
                if let Some((unacked, again_at)) = session.accept(cx, sdp) {
                    self.await_ack(dialog, &unacked, again_at);
                    session.set_unacked(unacked);
                }
                Phase::Open(session)
            }
            Phase::Outgoing(mut outgoing) => {
                outgoing.answer_theirs(cx, sdp);
                Phase::Outgoing(outgoing)
            }
            closing @ Phase::Closing(_) => closing,
        };
        self.usages.insert(dialog, Usage { source, phase });
        self.changed();
        self.keep_lease(cx, dialog);
    }

    /// The 2xx to their INVITE.
    fn answer(&mut self, cx: &mut Context<'_>, dialog: DialogId, incoming: Incoming, sdp: Bytes) -> Session {
        // RFC 3261 §13.2.1: after an answer to our offer no other one is made.
        let sdp = (incoming.offered != Offered::Answered).then_some(sdp);
        let mut response = incoming.response(cx, 200, sdp);
        let lease = lease::grant(&incoming.request, &mut response);
        let rseq = incoming.unpracked.as_ref().map(Reliable::rseq);
        self.timers.clear(&Timer::NoPrack(dialog));
        let (unacked, again_at) = Unacked::send(cx, incoming.tx, response, Kind::First);
        self.await_ack(dialog, &unacked, again_at);
        Session::confirmed_by_ack(incoming.peer, unacked, lease, rseq.map(|rseq| (rseq, incoming.request.head.cseq)))
    }

    pub fn reject(&mut self, cx: &mut Context<'_>, dialog: DialogId, status: u16) {
        // A refusal that is none would leave the caller ringing for ever.
        let status = if (300..700).contains(&status) { status } else { 480 };
        match self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            Some(Phase::Incoming(incoming)) => match incoming.theirs.take() {
                Some(Theirs { tx, request }) => respond(cx, tx, &request, status),
                None => {
                    incoming.refuse(cx, status);
                    self.forget(dialog);
                    cx.event(Event::Ended { dialog, by: EndedBy::Us, why: None });
                }
            },
            Some(Phase::Open(session)) => session.refuse_theirs(cx, status),
            Some(Phase::Outgoing(outgoing)) => outgoing.refuse_theirs(cx, status),
            Some(Phase::Closing(_)) | None => {}
        }
    }

    pub(super) fn repeat(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let again_at = match self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            Some(Phase::Open(session) | Phase::Closing(session)) => session.repeat(cx),
            Some(Phase::Incoming(incoming)) => {
                let tx = incoming.tx;
                incoming.unpracked.as_mut().and_then(|unpracked| unpracked.send_again(cx, tx))
            }
            Some(Phase::Outgoing(_)) | None => return,
        };
        self.set_timer(Timer::Repeat(dialog), again_at);
    }

    fn await_ack(&mut self, dialog: DialogId, unacked: &Unacked, again_at: Option<Instant>) {
        self.set_timer(Timer::Repeat(dialog), again_at);
        self.timers.set(Timer::NoAck(dialog), unacked.give_up_at);
    }
}
