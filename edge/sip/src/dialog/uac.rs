//! What our INVITEs meet: progress, challenges, answers, refusals; and what is left of those that were called off.

use std::time::Duration;

use bytes::Bytes;

use super::flows;
use super::fork::Forks;
use super::lease;
use super::outgoing::{self, Branch, Draft, Outgoing, Stage};
use super::session::{Ours, Session};
use super::{Dialogs, Phase, Role, SDP, Timer, Usage, send_bye};
use crate::context::Context;
use crate::endpoint::{Binding, DialogId, Event, Flow, Invite, Source, Target};
use crate::identity;
use crate::message::{Method, Release, Response};
use crate::transaction::{T1, TIMEOUT, TxId};
use crate::trunk;

/// Our re-INVITE meets glare so often before we give in.
const GLARES_MAX: u8 = 4;

impl Dialogs {
    /// Begins a call; `bindings` are the phone's when it goes to one.
    pub fn invite(&mut self, cx: &mut Context<'_>, invite: &Invite, bindings: &[Binding]) -> DialogId {
        let dialog = self.next_id();
        let (bindings, flows) = flows::choose(bindings);
        let (drafts, flows, none) = match &invite.to {
            Target::Phone(user) => (outgoing::to_phone(cx, invite, user, &bindings), flows, 480),
            Target::Trunk { trunk, user } => match outgoing::to_trunk(cx, invite, trunk, user) {
                Some((draft, flows)) => (vec![draft], flows, 503),
                None => (Vec::new(), flows, if cx.config.trunks.contains_key(trunk) { 503 } else { 404 }),
            },
        };
        let full = self.usages.len() >= cx.config.limits.dialogs;
        if full || drafts.is_empty() {
            let status = if drafts.is_empty() { none } else { 503 };
            cx.event(Event::Failed { dialog, status, why: None });
            return dialog;
        }
        let mut outgoing = Outgoing::new(invite.to.clone(), invite.sdp.clone());
        (outgoing.flows, outgoing.patience) = (flows, invite.patience);
        for draft in drafts {
            self.launch(cx, dialog, draft).into_iter().for_each(|branch| outgoing.branches.push(branch));
        }
        if outgoing.branches.is_empty() {
            cx.event(Event::Failed { dialog, status: 503, why: None });
            return dialog;
        }
        let source = match &invite.to {
            Target::Phone(user) => Source::Phone(user.clone()),
            Target::Trunk { trunk, .. } => Source::Trunk(trunk.clone()),
        };
        self.usages.insert(dialog, Usage { source, phase: Phase::Outgoing(outgoing) });
        self.changed();
        self.set_timer(Timer::Silent(dialog), invite.patience.and_then(|patience| cx.now.checked_add(patience)));
        dialog
    }

    fn launch(&mut self, cx: &mut Context<'_>, dialog: DialogId, draft: Draft) -> Option<Branch> {
        let tx = cx.tx.request(cx.now, draft.flow, draft.request.clone()).ok()?;
        self.roles.insert(tx, Role::Invite(dialog));
        Some(Branch::new(tx, draft.request, draft.flow))
    }

    pub(super) fn invite_response(
        &mut self,
        cx: &mut Context<'_>,
        dialog: DialogId,
        tx: TxId,
        response: &Response,
        flow: Flow,
    ) {
        match self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            Some(Phase::Outgoing(outgoing)) => match response.status {
                0..200 => {
                    let Some(branch) = outgoing.branch(tx) else { return };
                    if branch.progressed(cx, response) && response.status > 100 {
                        let peer = branch.early.of(response.head.to.tag()).map(|early| early.peer.clone());
                        let authorised = identity::lets_early_media(&response.head);
                        // Leave may be given after the description.
                        let before = || branch.early_sdp.clone().filter(|_| authorised);
                        let sdp = response.sdp().or_else(before);
                        cx.event(Event::Progress { dialog, status: response.status, sdp, authorised });
                        peer.into_iter().for_each(|peer| self.index(dialog, &peer));
                    }
                }
                200..300 => self.answered(cx, dialog, tx, response),
                401 | 407 => self.challenged(cx, dialog, tx, response, flow),
                // RFC 4028 §7.3.
                422 => {
                    let draft = outgoing.branch(tx).and_then(|branch| branch.with_interval(cx, response));
                    self.once_more(cx, dialog, tx, response, draft);
                }
                // A place that cannot be read, or not beside SDP, holds up no emergency call.
                400 | 406 | 413 | 415 | 420 | 424 | 488 | 493 | 500 | 501 | 606 => {
                    let sdp = outgoing.sdp.clone();
                    let draft = outgoing.branch(tx).and_then(|branch| branch.without_location(cx, sdp));
                    self.once_more(cx, dialog, tx, response, draft);
                }
                status => self.branch_failed(cx, dialog, tx, status, Release::of(&response.head)),
            },
            Some(Phase::Open(session) | Phase::Closing(session)) if response.status >= 200 => {
                // RFC 3261 §13.2.2.4: the 2xx again, or one of another fork.
                if let Some(mut stranger) = session.forks.as_mut().and_then(|forks| forks.acknowledge(cx, response)) {
                    send_bye(cx, &mut stranger, None);
                }
            }
            _ => {}
        }
    }

    fn answered(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, response: &Response) {
        let Some(Usage { source, phase: Phase::Outgoing(mut outgoing) }) = self.usages.remove(&dialog) else { return };
        let Some(branch) = outgoing.take(tx) else { return };
        outgoing.branches.into_iter().for_each(|other| self.call_off(cx, other, Some(Release::ELSEWHERE)));
        let early_sdp = branch.early.of(response.head.to.tag()).and_then(|early| early.sdp.clone());
        let sdp = response.sdp().or(early_sdp).or_else(|| branch.early_sdp.clone());
        let mut forks = Forks::new(branch);
        let Some(mut peer) = forks.acknowledge(cx, response) else { return };
        let Some(sdp) = sdp else {
            // RFC 3261 §13.2.1: the offer went out, so the 2xx owed an answer.
            send_bye(cx, &mut peer, None);
            self.drain(forks);
            return cx.event(Event::Failed { dialog, status: 488, why: None });
        };
        self.index(dialog, &peer);
        let session = Session::answered(peer, forks, lease::granted(&response.head));
        self.usages.insert(dialog, Usage { source, phase: Phase::Open(Box::new(session)) });
        self.keep_lease(cx, dialog);
        cx.event(Event::Answered { dialog, sdp });
    }

    /// S-02: only a trunk with an account is answered, only at its address, only for the realm of its own.
    fn challenged(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, response: &Response, flow: Flow) {
        let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else {
            return;
        };
        let (trunk, learnt) = match &outgoing.target {
            Target::Trunk { trunk, .. } if cx.reach.is_peer(cx.config, trunk, flow) => {
                (cx.config.trunks.get(trunk), cx.realms.get(trunk).cloned())
            }
            Target::Trunk { .. } | Target::Phone(_) => (None, None),
        };
        let recording = |name: &String| cx.config.recording.get(name).and_then(|peer| peer.account.as_ref());
        let account = trunk.and_then(|trunk| trunk.registration.as_ref()).or_else(|| match &outgoing.target {
            Target::Trunk { trunk: name, .. } if trunk.is_some() => recording(name),
            Target::Trunk { .. } | Target::Phone(_) => None,
        });
        let draft = account.and_then(|account| {
            let branch = outgoing.branch(tx)?;
            let fits = |realm: &str| realm.eq_ignore_ascii_case(&account.domain) || learnt.as_deref() == Some(realm);
            branch.proved(cx, response, account, fits)
        });
        self.once_more(cx, dialog, tx, response, draft);
    }

    /// The INVITE again in another transaction, when there is something to send.
    fn once_more(
        &mut self,
        cx: &mut Context<'_>,
        dialog: DialogId,
        tx: TxId,
        response: &Response,
        draft: Option<Draft>,
    ) {
        let Some(draft) = draft else {
            self.asked_for_rest(cx, dialog, tx, response);
            return self.branch_failed(cx, dialog, tx, response.status, Release::of(&response.head));
        };
        let Ok(next) = cx.tx.request(cx.now, draft.flow, draft.request.clone()) else {
            return self.branch_failed(cx, dialog, tx, 503, None);
        };
        let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else {
            return;
        };
        if let Some(branch) = outgoing.branch(tx) {
            branch.over(cx);
            (branch.tx, branch.request, branch.stage) = (next, draft.request, Stage::Silent);
        }
        self.roles.remove(&tx);
        self.roles.insert(next, Role::Invite(dialog));
    }

    fn asked_for_rest(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, response: &Response) {
        let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else {
            return;
        };
        let to_trunk = matches!(outgoing.target, Target::Trunk { .. });
        if let (true, Some(rest)) = (to_trunk, trunk::rest_of(response))
            && let Some(branch) = outgoing.branch(tx)
        {
            cx.reach.asks_for_rest(cx.now, (branch.flow.transport, branch.flow.remote), rest);
        }
    }

    pub(super) fn branch_failed(
        &mut self,
        cx: &mut Context<'_>,
        dialog: DialogId,
        tx: TxId,
        status: u16,
        why: Option<Release>,
    ) {
        let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else {
            return;
        };
        let Some(branch) = outgoing.take(tx) else { return };
        // RFC 3263 §4.3: silence, a broken connection, 503.
        if matches!(outgoing.target, Target::Trunk { .. })
            && matches!(status, 408 | 503)
            && branch.stage != Stage::Ringing
        {
            cx.reach.failed(cx.now, (branch.flow.transport, branch.flow.remote));
        }
        if let Some(draft) = outgoing.flows.next(cx, &branch, status)
            && let Some(next) = self.launch(cx, dialog, draft)
            && let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase)
        {
            return outgoing.branches.push(next);
        }
        let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else {
            return;
        };
        // RFC 3261 §16.7 step 5: a 6xx ends the search everywhere.
        let rest = if status >= 600 { std::mem::take(&mut outgoing.branches) } else { Vec::new() };
        let verdict = outgoing.refused(status, why);
        rest.into_iter().for_each(|branch| self.call_off(cx, branch, None));
        if let Some((status, why)) = verdict {
            self.forget(dialog);
            cx.event(Event::Failed { dialog, status, why });
        }
    }

    /// Nobody has said a word in the time that the owner gives: the next address of the trunk has as much, and when
    /// there is none, that was the call.
    pub(super) fn silent(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else {
            return;
        };
        if outgoing.branches.iter().all(|branch| branch.stage == Stage::Silent) {
            let branches = std::mem::take(&mut outgoing.branches);
            let next = outgoing.next_way(cx, &branches);
            let patience = outgoing.patience;
            branches.into_iter().for_each(|branch| self.call_off(cx, branch, None));
            if let Some(next) = next.and_then(|draft| self.launch(cx, dialog, draft))
                && let Some(Phase::Outgoing(outgoing)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase)
            {
                outgoing.branches.push(next);
                return self.set_timer(Timer::Silent(dialog), patience.and_then(|time| cx.now.checked_add(time)));
            }
            self.forget(dialog);
            cx.event(Event::Failed { dialog, status: 503, why: None });
        }
    }

    /// CANCEL as soon as it may be sent; the INVITE's end is watched without its dialog.
    pub(super) fn call_off(&mut self, cx: &mut Context<'_>, mut branch: Branch, why: Option<Release>) {
        branch.why = why;
        if branch.stage != Stage::Silent {
            self.send_cancel(cx, &branch);
        }
        self.drain(Forks::new(branch));
    }

    fn send_cancel(&mut self, cx: &mut Context<'_>, branch: &Branch) {
        let cancel = branch.cancel(&cx.config.product);
        let _ = cx.tx.request(cx.now, branch.flow, cancel);
        // RFC 3261 §9.1: after 64*T1 without a final response the INVITE is over.
        self.set_timer(Timer::Uncancelled(branch.tx), cx.now.checked_add(TIMEOUT));
    }

    fn drain(&mut self, forks: Forks) {
        self.roles.insert(forks.branch.tx, Role::Drain);
        self.drains.insert(forks.branch.tx, Box::new(forks));
    }

    /// What a session leaves open when it ends: their offer is refused, a 2xx to our INVITE may come again, and a
    /// re-INVITE of ours may never be answered.
    pub(super) fn wind_up(&mut self, cx: &mut Context<'_>, mut session: Session) {
        session.refuse_theirs(cx, 487);
        session.refer_reject(cx);
        if let Ours::Sent { tx, .. } = session.ours {
            self.set_timer(Timer::Uncancelled(tx), cx.now.checked_add(TIMEOUT));
        }
        if let Some(forks) = session.forks
            && self.roles.contains_key(&forks.branch.tx)
        {
            self.drain(forks);
        }
    }

    pub(super) fn drain_response(&mut self, cx: &mut Context<'_>, tx: TxId, response: &Response) {
        let Some(mut forks) = self.drains.remove(&tx) else { return };
        match response.status {
            0..200 if forks.branch.stage == Stage::Silent => {
                forks.branch.progressed(cx, response);
                self.send_cancel(cx, &forks.branch);
            }
            200..300 => {
                self.timers.clear(&Timer::Uncancelled(tx));
                // The 2xx crossed the CANCEL: ACK, then BYE.
                if let Some(mut peer) = forks.acknowledge(cx, response) {
                    send_bye(cx, &mut peer, None);
                }
            }
            _ => {}
        }
        self.drains.insert(tx, forks);
    }

    pub fn reinvite(&mut self, cx: &mut Context<'_>, dialog: DialogId, sdp: Bytes) {
        let Some(Phase::Open(session)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else { return };
        match session.ours {
            // One offer at a time; whoever asks twice hears that the second stood down.
            Ours::Sent { .. } | Ours::Waiting { .. } => cx.event(Event::Reanswered { dialog, sdp: None }),
            Ours::None | Ours::Done { .. } => {
                session.ours = Ours::Waiting { sdp, tries: 0 };
                self.retry(cx, dialog);
            }
        }
    }

    /// What the next re-INVITE in a recording session tells of it.
    pub fn describe(&mut self, dialog: DialogId, metadata: Bytes) {
        self.with_session(dialog, |session| session.metadata = Some(metadata));
    }

    /// Sends the waiting re-INVITE, or waits on when an offer of theirs is open.
    pub(super) fn retry(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let Some(Phase::Open(session)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) else { return };
        if !session.may_offer() {
            return self.set_timer(Timer::Retry(dialog), cx.now.checked_add(T1));
        }
        let Ours::Waiting { sdp, tries } = std::mem::replace(&mut session.ours, Ours::None) else { return };
        let request = session.peer.request(cx, Method::Invite);
        let mut request = match &session.metadata {
            Some(metadata) => outgoing::recording_body(cx, request, &sdp, metadata),
            None => request.with_body(SDP, sdp.clone()),
        };
        session.renew(&mut request);
        match cx.tx.request(cx.now, session.peer.flow, request) {
            Ok(tx) => {
                session.ours = Ours::Sent { tx, sdp, tries };
                self.roles.insert(tx, Role::Reinvite(dialog));
            }
            Err(_) => cx.event(Event::Reanswered { dialog, sdp: None }),
        }
    }

    pub(super) fn reinvite_response(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, response: &Response) {
        let (session, told) = match self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            Some(Phase::Open(session)) => (session, true),
            Some(Phase::Closing(session)) => (session, false),
            _ => return,
        };
        let is_current = matches!(&session.ours, Ours::Sent { tx: own, .. } | Ours::Done { tx: own, .. } if *own == tx);
        if !is_current {
            // RFC 3261 §13.2.2.4: the 2xx to an earlier one came again; it gets its ACK and says nothing of the latest.
            if (200..300).contains(&response.status) {
                let ack = session.peer.ack(cx, response.head.cseq).to_bytes();
                cx.tx.send(session.peer.flow, ack);
            }
            return;
        }
        match (&session.ours, response.status) {
            (_, 0..200) => {}
            (Ours::Done { tx: done, ack }, 200..300) if *done == tx => cx.tx.send(session.peer.flow, ack.clone()),
            (Ours::Sent { tx: sent, .. }, 200..300) if *sent == tx => {
                session.peer.refresh(&response.head);
                let ack = session.peer.ack(cx, response.head.cseq).to_bytes();
                cx.tx.send(session.peer.flow, ack.clone());
                session.ours = Ours::Done { tx, ack };
                session.granted(&response.head);
                if told {
                    cx.event(Event::Reanswered { dialog, sdp: response.sdp() });
                    self.keep_lease(cx, dialog);
                }
            }
            // RFC 4028 §7.3.
            (Ours::Sent { sdp, tries, .. }, 422) if *tries < GLARES_MAX => {
                let (sdp, tries) = (sdp.clone(), tries.saturating_add(1));
                session.ours = Ours::Waiting { sdp, tries };
                if session.longer(response) {
                    return self.retry(cx, dialog);
                }
                session.ours = Ours::None;
                if told {
                    cx.event(Event::Reanswered { dialog, sdp: None });
                }
            }
            (Ours::Sent { sdp, tries, .. }, 491) if *tries < GLARES_MAX => {
                let (sdp, tries) = (sdp.clone(), tries.saturating_add(1));
                // RFC 3261 §14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
                let wait = match session.called_us {
                    false => cx.ids.below(191).saturating_add(210),
                    true => cx.ids.below(201),
                };
                session.ours = Ours::Waiting { sdp, tries };
                let at = cx.now.checked_add(Duration::from_millis(wait.saturating_mul(10)));
                self.set_timer(Timer::Retry(dialog), at);
            }
            // RFC 3261 §12.2.1.2: the peer does not know this dialog, or is gone.
            (_, 408 | 481) => self.lost(cx, dialog),
            _ => {
                session.ours = Ours::None;
                if told {
                    cx.event(Event::Reanswered { dialog, sdp: None });
                }
            }
        }
    }

    pub fn refer_accept(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        self.with_session(dialog, |session| session.refer_accept(cx));
    }

    pub fn refer_reject(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        self.with_session(dialog, |session| session.refer_reject(cx));
    }

    pub fn refer_outcome(&mut self, cx: &mut Context<'_>, dialog: DialogId, status: u16) {
        self.with_session(dialog, |session| session.refer_outcome(cx, status));
    }

    fn with_session(&mut self, dialog: DialogId, act: impl FnOnce(&mut Session)) {
        if let Some(Phase::Open(session)) = self.usages.get_mut(&dialog).map(|usage| &mut usage.phase) {
            act(session);
        }
    }
}
