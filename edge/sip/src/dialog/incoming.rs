//! Their INVITE until our final answer (RFC 3261 §13.3), and our answers to offers within the dialog.

use bytes::Bytes;

use super::peer::Peer;
use super::session::Session;
use super::unacked::{Kind, Unacked};
use super::{Dialogs, Phase, Role, SDP, Timer, Usage};
use crate::context::Context;
use crate::endpoint::{DialogId, EndedBy, Event, Flow, Invited};
use crate::message::{Request, Response};
use crate::transaction::TxId;

pub struct Incoming {
    pub tx: TxId,
    pub request: Request,
    pub peer: Peer,
}

impl Incoming {
    pub fn refuse(&self, cx: &mut Context<'_>, status: u16) {
        let response = cx.response(&self.request, status, self.peer.local_tag());
        cx.tx.respond(cx.now, self.tx, &response);
    }

    fn response(&self, cx: &Context<'_>, status: u16, sdp: Option<Bytes>) -> Response {
        let mut response = cx.response(&self.request, status, self.peer.local_tag());
        // RFC 3261 §12.1.1: the route set is copied, our Contact is where requests come to.
        response.head.record_route = self.request.head.record_route.clone();
        cx.introduce(&mut response.head, self.peer.flow);
        match sdp {
            Some(sdp) => response.with_body(SDP, sdp),
            None => response,
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
        // RFC 3261 §8.2.6.1.
        cx.tx.respond(cx.now, tx, &request.response(100, ""));
        let dialog = self.next_id();
        self.index(dialog, &peer);
        self.roles.insert(tx, Role::Incoming(dialog));
        let phase = Phase::Incoming(Incoming { tx, request, peer });
        self.usages.insert(dialog, Usage { source: invited.source.clone(), phase });
        cx.event(Event::Invited { dialog, invited });
        Some(dialog)
    }

    pub fn provisional(&mut self, cx: &mut Context<'_>, dialog: DialogId, status: u16, sdp: Option<Bytes>) {
        let Some(Usage { phase: Phase::Incoming(incoming), .. }) = self.usages.get(&dialog) else { return };
        if (101..200).contains(&status) {
            let response = incoming.response(cx, status, sdp);
            cx.tx.respond(cx.now, incoming.tx, &response);
        }
    }

    pub fn accept(&mut self, cx: &mut Context<'_>, dialog: DialogId, sdp: Bytes) {
        let Some(Usage { source, phase }) = self.usages.remove(&dialog) else { return };
        let phase = match phase {
            Phase::Incoming(incoming) => {
                let response = incoming.response(cx, 200, Some(sdp));
                let (unacked, again_at) = Unacked::send(cx, incoming.tx, response, Kind::First);
                self.await_ack(dialog, &unacked, again_at);
                Phase::Open(Session::confirmed_by_ack(incoming.peer, unacked))
            }
            Phase::Open(mut session) => {
                if let Some((unacked, again_at)) = session.accept(cx, sdp) {
                    self.await_ack(dialog, &unacked, again_at);
                    session.set_unacked(unacked);
                }
                Phase::Open(session)
            }
            other => other,
        };
        self.usages.insert(dialog, Usage { source, phase });
    }

    pub fn reject(&mut self, cx: &mut Context<'_>, dialog: DialogId, status: u16) {
        // A refusal that is none would leave the caller ringing for ever.
        let status = if (300..700).contains(&status) { status } else { 480 };
        match self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            Some(Phase::Incoming(incoming)) => {
                incoming.refuse(cx, status);
                self.forget(dialog);
                cx.event(Event::Ended { dialog, by: EndedBy::Us });
            }
            Some(Phase::Open(session)) => session.refuse_theirs(cx, status),
            _ => {}
        }
    }

    pub(super) fn repeat(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let session = match self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            Some(Phase::Open(session) | Phase::Closing(session)) => session,
            _ => return,
        };
        let again_at = session.repeat(cx);
        self.set_timer(Timer::Repeat(dialog), again_at);
    }

    fn await_ack(&mut self, dialog: DialogId, unacked: &Unacked, again_at: Option<std::time::Instant>) {
        self.set_timer(Timer::Repeat(dialog), again_at);
        self.timers.set(Timer::NoAck(dialog), unacked.give_up_at);
    }
}
