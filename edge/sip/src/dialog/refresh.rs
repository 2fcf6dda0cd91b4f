//! A session's time (RFC 4028 §10): renewed at half of it when that is our part, and over when nobody did.

use super::{Dialogs, Phase, Role, Timer};
use crate::context::Context;
use crate::endpoint::{DialogId, Event};
use crate::message::{Method, Response};
use crate::transaction::T1;

impl Dialogs {
    /// Brings the timers in line with what was agreed; called whenever that may have changed.
    pub(super) fn keep_lease(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let Some(Phase::Open(session)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else { return };
        if !std::mem::take(&mut session.renewed) {
            return;
        }
        let lease = session.lease;
        self.timers.clear(&Timer::Refresh(dialog));
        self.timers.clear(&Timer::Expired(dialog));
        if let Some(lease) = lease {
            self.set_timer(Timer::Expired(dialog), cx.now.checked_add(lease.over_after()));
            let at = cx.now.checked_add(lease.refresh_after()).filter(|_| lease.we_refresh);
            self.set_timer(Timer::Refresh(dialog), at);
        }
    }

    /// An UPDATE without an offer where the peer takes one; else its owner is asked for a re-INVITE.
    pub(super) fn refresh(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let Some(Phase::Open(session)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else { return };
        if !session.may_offer() {
            return self.set_timer(Timer::Refresh(dialog), cx.now.checked_add(T1));
        }
        if !session.peer.takes_update {
            return cx.event(Event::RefreshDue { dialog });
        }
        let mut update = session.peer.request(cx, Method::Update);
        session.renew(&mut update);
        match cx.tx.request(cx.now, session.peer.flow, update) {
            Ok(tx) => drop(self.roles.insert(tx, Role::Refresh(dialog))),
            Err(_) => self.set_timer(Timer::Refresh(dialog), cx.now.checked_add(T1)),
        }
    }

    pub(super) fn refreshed(&mut self, cx: &mut Context<'_>, dialog: DialogId, response: &Response) {
        let Some(Phase::Open(session)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else { return };
        match response.status {
            0..200 => {}
            200..300 => {
                session.peer.refresh(&response.head);
                session.granted(&response.head);
                self.keep_lease(cx, dialog);
            }
            422 if session.longer(response) => self.refresh(cx, dialog),
            // RFC 3261 §12.2.1.2.
            408 | 481 => self.lost(cx, dialog),
            491 | 500 => self.set_timer(Timer::Refresh(dialog), cx.now.checked_add(T1.saturating_mul(4))),
            _ => {
                session.peer.takes_update = false;
                cx.event(Event::RefreshDue { dialog });
            }
        }
    }
}
