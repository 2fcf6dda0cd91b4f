//! A dialog that stands (RFC 3261 §12.2, §14, RFC 4028): offers of both sides, keys, transfers, its time.

use std::time::Instant;

use bytes::Bytes;

use super::fork::Forks;
use super::info;
use super::lease::{self, Lease};
use super::peer::Peer;
use super::refer::{self, Refer, Referral};
use super::reliable;
use super::unacked::{Kind, Unacked};
use super::{SDP, respond};
use crate::context::Context;
use crate::endpoint::{DialogId, Event, Flow};
use crate::message::{self, Head, Method, Request, Response};
use crate::transaction::TxId;

pub struct Session {
    pub peer: Peer,
    /// The INVITE of ours that made it, while others may answer it; None when they called.
    pub forks: Option<Forks>,
    /// Their INVITE began it.
    pub called_us: bool,
    pub ours: Ours,
    unacked: Option<Unacked>,
    theirs: Option<Theirs>,
    refer: Refer,
    /// How long it stands without a word.
    pub lease: Option<Lease>,
    /// It was agreed anew: its timers begin again.
    pub renewed: bool,
    /// What a 422 asked for at least.
    min_se_s: u32,
    /// Number and CSeq of a reliable response whose PRACK had not come when we answered.
    unpracked: Option<(u32, u32)>,
    /// Goes beside the description of our next re-INVITE in a recording session.
    pub metadata: Option<Bytes>,
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

/// An offer of theirs, not yet answered.
#[derive(Debug)]
pub struct Theirs {
    pub tx: TxId,
    pub request: Request,
}

impl Theirs {
    /// 200 to an UPDATE or PRACK.
    pub fn answer(self, cx: &mut Context<'_>, flow: Flow, sdp: Bytes) {
        let mut response = cx.response(&self.request, 200, "");
        cx.introduce(&mut response.head, flow);
        cx.tx.respond(cx.now, self.tx, &response.with_body(SDP, sdp));
    }
}

impl Session {
    pub fn confirmed_by_ack(peer: Peer, unacked: Unacked, lease: Option<Lease>, unpracked: Option<(u32, u32)>) -> Self {
        Self { unacked: Some(unacked), unpracked, ..Self::new(peer, None, lease) }
    }

    /// As an earlier life left it.
    pub fn restored(peer: Peer, lease: Option<Lease>) -> Self {
        Self::new(peer, None, lease)
    }

    pub fn answered(peer: Peer, forks: Forks, lease: Option<Lease>) -> Self {
        Self::new(peer, Some(forks), lease)
    }

    fn new(peer: Peer, forks: Option<Forks>, lease: Option<Lease>) -> Self {
        let (ours, unacked, theirs, refer, called_us) = (Ours::None, None, None, Refer::None, forks.is_none());
        Self {
            peer,
            forks,
            called_us,
            ours,
            unacked,
            theirs,
            refer,
            lease,
            renewed: true,
            min_se_s: 0,
            unpracked: None,
            metadata: None,
        }
    }

    /// What our requests within the session say of its time.
    pub fn renew(&self, request: &mut Request) {
        match self.lease {
            Some(lease) => lease.renew(&mut request.head, self.min_se_s),
            None => lease::ask(&mut request.head, lease::ASK_S.max(self.min_se_s), self.min_se_s, None),
        }
    }

    /// What their 2xx says of it.
    pub fn granted(&mut self, response: &Head) {
        self.lease = lease::granted(response);
        self.renewed = true;
    }

    /// A 422 to one of them: whether there is a longer interval to try.
    pub fn longer(&mut self, response: &Response) -> bool {
        let asked = lease::asked_for(response, self.min_se_s.max(lease::MIN_S).saturating_sub(1));
        let longer = asked.filter(|asked| *asked > self.min_se_s);
        self.min_se_s = longer.unwrap_or(self.min_se_s);
        longer.is_some()
    }

    pub fn is_unacked(&self) -> bool {
        self.unacked.is_some()
    }

    /// The ACK of the INVITE that began it has come, or was ours.
    pub fn is_confirmed(&self) -> bool {
        self.unacked.as_ref().is_none_or(|unacked| unacked.kind != Kind::First)
    }

    /// No INVITE of either side is open (RFC 3261 §14.1).
    pub fn may_offer(&self) -> bool {
        self.unacked.is_none() && self.theirs.is_none() && !matches!(self.ours, Ours::Sent { .. })
    }

    /// Whether `tx` is a request of theirs that waits for our answer.
    pub fn has_offer(&self, tx: TxId) -> bool {
        self.theirs.as_ref().is_some_and(|theirs| theirs.tx == tx)
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
            Method::Info => info::answer(cx, dialog, tx, &request),
            Method::Options => respond(cx, tx, &request, 200),
            Method::PRack => {
                let late = self.unpracked.take_if(|(rseq, cseq)| reliable::names(&request, *rseq, *cseq));
                respond(cx, tx, &request, if late.is_some() && request.body.is_empty() { 200 } else { 481 });
            }
            // Nobody subscribed to anything here.
            Method::Notify => respond(cx, tx, &request, 481),
            _ => respond(cx, tx, &request, 405),
        }
    }

    fn offered(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        let is_invite = request.method() == Method::Invite;
        let carried = match self.peer.carried(&request) {
            Ok(carried) => carried,
            Err(status) => return respond(cx, tx, &request, status),
        };
        if lease::is_too_small(&request) {
            // RFC 4028 §9.
            let response = cx.response(&request, 422, "").with("Min-SE", lease::MIN_S.to_string());
            return cx.tx.respond(cx.now, tx, &response);
        }
        if !is_invite && carried.sdp.is_none() {
            // RFC 3311 §5.2: a refresh; or metadata alone (RFC 7866 §9.1).
            self.peer.refresh(&request.head);
            if let Some(metadata) = carried.metadata {
                cx.event(Event::Described { dialog, metadata });
            }
            let mut response = cx.response(&request, 200, "");
            self.peer.introduce(cx, &mut response.head);
            self.lease = lease::grant(&request, &mut response);
            self.renewed = true;
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
            cx.tx.respond(cx.now, tx, &request.trying());
        }
        self.theirs = Some(Theirs { tx, request });
        if let Some(metadata) = carried.metadata {
            cx.event(Event::Described { dialog, metadata });
        }
        cx.event(Event::Reoffer { dialog, sdp: carried.sdp });
    }

    /// 200 to their open offer; for an INVITE the 2xx waits for its ACK.
    pub fn accept(&mut self, cx: &mut Context<'_>, sdp: Bytes) -> Option<(Unacked, Option<Instant>)> {
        let Theirs { tx, request } = self.theirs.take()?;
        let mut response = cx.response(&request, 200, "");
        response.head.record_route = request.head.record_route.clone();
        self.peer.introduce(cx, &mut response.head);
        self.lease = lease::grant(&request, &mut response);
        self.renewed = true;
        let response = response.with_body(SDP, sdp);
        if request.method() == Method::Invite {
            let offered = self.peer.carried(&request).is_ok_and(|carried| carried.sdp.is_some());
            let kind = if offered { Kind::Answer } else { Kind::Offer };
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

    /// `find` says which dialog its Replaces means; Err is the status when that is none of the asker's.
    pub fn referred(
        &mut self,
        cx: &mut Context<'_>,
        dialog: DialogId,
        tx: TxId,
        request: Request,
        find: impl FnOnce(&Referral) -> Result<Option<DialogId>, u16>,
    ) {
        if !matches!(self.refer, Refer::None) {
            return respond(cx, tx, &request, 491);
        }
        let flow = self.peer.flow;
        let asked = refer::referral(&request, |host| cx.is_us(host, flow))
            .and_then(|referral| Ok((find(&referral)?, referral.to)));
        match asked {
            Ok((replaces, target)) => {
                self.refer = Refer::Asked { tx, request: Box::new(request) };
                cx.event(Event::Referred { dialog, target, replaces });
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
