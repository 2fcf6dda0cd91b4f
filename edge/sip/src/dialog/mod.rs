//! INVITE usages (RFC 3261 §12–15): every call of ours or theirs from its first message to its last event, and the
//! clean-up that outlives it. Who may speak in a dialog is decided by the caller of [`Dialogs::request`].

mod early;
mod flows;
mod fork;
mod incoming;
mod info;
mod kept;
mod lease;
mod lines;
mod outgoing;
pub(crate) mod peer;
mod refer;
mod refresh;
mod reliable;
mod replaces;
mod reply;
mod session;
mod stray;
mod uac;
mod unacked;

use std::collections::BTreeMap;
use std::time::Instant;

use crate::context::Context;
use crate::endpoint::{DialogId, EndedBy, Event, Flow, Source};
use crate::message::{Method, Release, Request};
use crate::timers::Timers;
use crate::transaction::{self, TxId};
use fork::Forks;
use incoming::Incoming;
pub use kept::Kept;
pub use lease::{MIN_S as MIN_SE_S, is_too_small as is_too_short};
pub use lines::{Line, LineState, Pickup};
use outgoing::Outgoing;
pub(crate) use outgoing::rank;
use peer::Peer;
use refer::Referral;
use replaces::Replaces;
use reply::respond;
use session::Session;

/// Whether a caller knows reliable provisional responses (RFC 3262 §3).
pub(crate) fn acknowledges_progress(invite: &Request) -> bool {
    reliable::Wish::of(invite) != reliable::Wish::Unknown
}

pub struct Dialogs {
    usages: BTreeMap<DialogId, Usage>,
    /// Call-ID and our tag.
    by_tag: BTreeMap<(String, String), DialogId>,
    /// The way back: what stands for a dialog in `by_tag`.
    tags: BTreeMap<DialogId, Vec<(String, String)>>,
    roles: BTreeMap<TxId, Role>,
    /// INVITEs that lost, or were called off: a late 2xx is acknowledged and ended.
    drains: BTreeMap<TxId, Box<Forks>>,
    timers: Timers<Timer>,
    last_id: u64,
    /// Counts whatever a lamp could show.
    changes: u64,
}

struct Usage {
    source: Source,
    phase: Phase,
}

enum Phase {
    Outgoing(Outgoing),
    Incoming(Box<Incoming>),
    Open(Box<Session>),
    /// Ended by us between our 2xx and its ACK: the BYE waits for the ACK (RFC 3261 §15). No events any more.
    Closing(Box<Session>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Our first INVITE, or one of its branches.
    Invite(DialogId),
    /// Their first INVITE.
    Incoming(DialogId),
    Reinvite(DialogId),
    /// Our UPDATE that keeps the session (RFC 4028).
    Refresh(DialogId),
    Drain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// Send the 2xx, or the reliable provisional response, again.
    Repeat(DialogId),
    /// No ACK came.
    NoAck(DialogId),
    /// Our INVITE has met silence for as long as its owner waits.
    Silent(DialogId),
    /// No PRACK came.
    NoPrack(DialogId),
    /// Half of the session's time is over, and it is ours to renew.
    Refresh(DialogId),
    /// All of it is over.
    Expired(DialogId),
    /// Our re-INVITE, after a glare.
    Retry(DialogId),
    /// A cancelled INVITE was never answered.
    Uncancelled(TxId),
}

/// Where a request within a dialog belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub dialog: DialogId,
    pub source: Source,
    /// Where its peer spoke from last.
    pub flow: Flow,
}

impl Default for Dialogs {
    fn default() -> Self {
        let (usages, by_tag, tags) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (roles, drains) = (BTreeMap::new(), BTreeMap::new());
        Self { usages, by_tag, tags, roles, drains, timers: Timers::default(), last_id: 0, changes: 0 }
    }
}

impl Dialogs {
    pub fn len(&self) -> usize {
        self.usages.len()
    }

    /// Calls of devices that proved nothing.
    pub fn unproved(&self) -> usize {
        self.usages.values().filter(|usage| usage.source == Source::Unproved).count()
    }

    pub fn is_empty(&self) -> bool {
        self.usages.is_empty()
    }

    /// RFC 3261 §12.2.2: Call-ID and both tags.
    pub fn find(&self, request: &Request) -> Option<Place> {
        let head = &request.head;
        let key = (head.call_id.as_str().to_string(), head.to.tag()?.to_string());
        let dialog = *self.by_tag.get(&key)?;
        let usage = self.usages.get(&dialog)?;
        let peer = usage.phase.peer(head.from.tag())?;
        (peer.remote_tag() == head.from.tag()).then(|| Place { dialog, source: usage.source.clone(), flow: peer.flow })
    }

    /// Where the peer of an answered dialog is.
    pub fn flow(&self, dialog: DialogId) -> Option<Flow> {
        Some(self.usages.get(&dialog)?.phase.session()?.peer.flow)
    }

    /// The peer proved itself from another address.
    pub fn moved(&mut self, dialog: DialogId, flow: Flow) {
        if let Some(peer) = self.usages.get_mut(&dialog).and_then(|usage| usage.phase.peer_mut(None)) {
            peer.flow = flow;
        }
    }

    /// A request within the dialog, other than ACK and CANCEL, with its open transaction.
    pub fn request(&mut self, cx: &mut Context<'_>, dialog: DialogId, tx: TxId, request: Request) {
        let Some(mut usage) = self.usages.remove(&dialog) else { return };
        let tag = request.head.from.tag().map(str::to_string);
        let in_order = usage.phase.peer_mut(tag.as_deref()).is_some_and(|peer| peer.takes(request.head.cseq));
        if !in_order {
            // RFC 3261 §12.2.2.
            respond(cx, tx, &request, 500);
        } else if request.method() == Method::Bye && !matches!(usage.phase, Phase::Outgoing(_)) {
            respond(cx, tx, &request, 200);
            let why = Release::of(&request.head);
            return self.bye_received(cx, dialog, usage, why);
        } else if matches!(usage.phase, Phase::Incoming(_)) {
            self.usages.insert(dialog, usage);
            return self.before_answer(cx, dialog, tx, request);
        } else {
            match &mut usage.phase {
                Phase::Open(session) if request.method() == Method::Refer => {
                    let find = |referral: &Referral| self.replaced_by(&usage.source, dialog, referral);
                    session.referred(cx, dialog, tx, request, find);
                }
                Phase::Open(session) => session.request(cx, dialog, tx, request),
                Phase::Outgoing(outgoing) => match outgoing.early_mut(tag.as_deref()) {
                    Some(early) => early.request(cx, dialog, tx, request),
                    None => respond(cx, tx, &request, 481),
                },
                Phase::Incoming(_) | Phase::Closing(_) => respond(cx, tx, &request, 481),
            }
        }
        self.usages.insert(dialog, usage);
        self.keep_lease(cx, dialog);
    }

    /// The dialog that a REFER's Replaces means: another one of the same phone (RFC 3891 §3, RFC 5589 §7.1).
    fn replaced_by(&self, source: &Source, asker: DialogId, referral: &Referral) -> Result<Option<DialogId>, u16> {
        let Some(replaces) = &referral.replaces else { return Ok(None) };
        let found = self.named(replaces).filter(|found| *found != asker);
        let own = found.filter(|found| self.usages.get(found).is_some_and(|usage| usage.source == *source));
        own.map(Some).ok_or(481)
    }

    fn named(&self, replaces: &Replaces) -> Option<DialogId> {
        let key = (replaces.call_id.clone(), replaces.to_tag.clone());
        let dialog = *self.by_tag.get(&key)?;
        let peer = self.usages.get(&dialog)?.phase.peer(Some(&replaces.from_tag))?;
        (peer.remote_tag() == Some(&replaces.from_tag)).then_some(dialog)
    }

    /// The dialog that an INVITE wants to take over (RFC 3891 §3); Err is the status to refuse with.
    pub fn to_replace(&self, invite: &Request) -> Result<Option<DialogId>, u16> {
        let Some(replaces) = Replaces::of_invite(invite)? else { return Ok(None) };
        let dialog = self.named(&replaces).ok_or(481_u16)?;
        match self.usages.get(&dialog).map(|usage| &usage.phase) {
            Some(Phase::Open(_)) if replaces.early_only => Err(486),
            Some(Phase::Open(_) | Phase::Outgoing(_)) => Ok(Some(dialog)),
            // An early dialog that we did not begin.
            Some(Phase::Incoming(_) | Phase::Closing(_)) | None => Err(481),
        }
    }

    /// An ACK that no transaction took: it acknowledges a 2xx of ours.
    pub fn ack(&mut self, cx: &mut Context<'_>, dialog: DialogId, ack: &Request) {
        let Some(usage) = self.usages.get_mut(&dialog) else { return };
        let (Phase::Open(session) | Phase::Closing(session)) = &mut usage.phase else { return };
        let Some(kind) = session.acknowledged(ack) else { return };
        self.timers.clear(&Timer::Repeat(dialog));
        self.timers.clear(&Timer::NoAck(dialog));
        let sdp = crate::message::sdp(&ack.head, &ack.body);
        match &mut usage.phase {
            Phase::Open(_) => match kind {
                unacked::Kind::First => cx.event(Event::Confirmed { dialog, sdp }),
                unacked::Kind::Offer => cx.event(Event::Confirmed { dialog, sdp }),
                unacked::Kind::Answer => {}
            },
            Phase::Closing(_) => self.lost(cx, dialog),
            Phase::Outgoing(_) | Phase::Incoming(_) => {}
        }
    }

    /// CANCEL for this INVITE transaction (RFC 3261 §9.2); it changes nothing once a final answer went out.
    pub fn cancelled(&mut self, cx: &mut Context<'_>, invite: TxId, why: Option<Release>) {
        let Some(Role::Incoming(dialog)) = self.roles.get(&invite).copied() else {
            return self.reinvite_cancelled(cx, invite);
        };
        if let Some(Usage { phase: Phase::Incoming(incoming), .. }) = self.usages.get(&dialog) {
            incoming.refuse(cx, 487);
            cx.event(Event::Ended { dialog, by: EndedBy::Peer, why });
            self.forget(dialog);
        }
    }

    /// News from a transaction; false when it is none of ours.
    pub fn transaction(&mut self, cx: &mut Context<'_>, event: &transaction::Event) -> bool {
        use transaction::Event as Tx;
        let (Tx::Response { tx, .. } | Tx::TimedOut { tx } | Tx::TransportFailed { tx } | Tx::Ended { tx }) = event;
        let Some(role) = self.roles.get(tx).copied() else { return false };
        match (role, event) {
            (_, Tx::Ended { tx }) => {
                self.roles.remove(tx);
                self.drains.remove(tx);
                self.timers.clear(&Timer::Uncancelled(*tx));
            }
            (Role::Invite(dialog), Tx::Response { tx, response, flow }) => {
                self.invite_response(cx, dialog, *tx, response, *flow);
            }
            (Role::Invite(dialog), Tx::TimedOut { tx }) => self.branch_failed(cx, dialog, *tx, 408, None),
            (Role::Invite(dialog), Tx::TransportFailed { tx }) => self.branch_failed(cx, dialog, *tx, 503, None),
            (Role::Drain, Tx::Response { tx, response, .. }) => self.drain_response(cx, *tx, response),
            (Role::Drain, _) => {}
            (Role::Reinvite(dialog), Tx::Response { tx, response, .. }) => {
                self.reinvite_response(cx, dialog, *tx, response);
            }
            (Role::Refresh(dialog), Tx::Response { response, .. }) => self.refreshed(cx, dialog, response),
            (Role::Reinvite(dialog) | Role::Refresh(dialog), _) => self.lost(cx, dialog),
            (Role::Incoming(dialog), _) => self.incoming_failed(cx, dialog),
        }
        true
    }

    /// A connection ended: calls of a phone on it are lost, a trunk's peer can be reached by a new one.
    pub fn closed(&mut self, cx: &mut Context<'_>, flow: Flow) {
        let hit = |peer: &Peer| {
            peer.flow.transport.is_connection()
                && peer.flow.transport == flow.transport
                && peer.flow.remote == flow.remote
                && (peer.flow.connection == flow.connection || flow.connection == 0)
        };
        let on_it = self.usages.iter().filter(|(_, usage)| usage.phase.session().is_some_and(|s| hit(&s.peer)));
        let dialogs: Vec<(DialogId, bool)> =
            on_it.map(|(id, usage)| (*id, matches!(usage.source, Source::Trunk(_)) && flow.connection != 0)).collect();
        for (dialog, reachable) in dialogs {
            if reachable {
                self.moved(dialog, Flow { connection: 0, ..flow });
            } else {
                self.lost(cx, dialog);
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = self.timers.due(cx.now) {
            match timer {
                Timer::Repeat(dialog) => self.repeat(cx, dialog),
                Timer::NoAck(dialog) | Timer::Expired(dialog) => self.lost(cx, dialog),
                Timer::NoPrack(dialog) => self.not_pracked(cx, dialog),
                Timer::Refresh(dialog) => self.refresh(cx, dialog),
                Timer::Silent(dialog) => self.silent(cx, dialog),
                Timer::Retry(dialog) => self.retry(cx, dialog),
                Timer::Uncancelled(tx) => cx.tx.forget(tx),
            }
        }
    }

    /// CANCEL, BYE or a final refusal, whichever fits, with the reason; nothing when it is over already.
    pub fn end(&mut self, cx: &mut Context<'_>, dialog: DialogId, why: Option<Release>) {
        let Some(usage) = self.usages.remove(&dialog) else { return };
        match usage.phase {
            Phase::Closing(session) => {
                self.usages.insert(dialog, Usage { source: usage.source, phase: Phase::Closing(session) });
                return;
            }
            Phase::Outgoing(outgoing) => {
                outgoing.branches.into_iter().for_each(|branch| self.call_off(cx, branch, why));
            }
            Phase::Incoming(incoming) => incoming.refuse(cx, 480),
            Phase::Open(mut session) => {
                session.refuse_theirs(cx, 487);
                if session.is_unacked() {
                    self.usages.insert(dialog, Usage { source: usage.source, phase: Phase::Closing(session) });
                    return cx.event(Event::Ended { dialog, by: EndedBy::Us, why: None });
                }
                send_bye(cx, &mut session.peer, why);
                self.wind_up(cx, *session);
            }
        }
        self.forget(dialog);
        cx.event(Event::Ended { dialog, by: EndedBy::Us, why: None });
    }

    fn bye_received(&mut self, cx: &mut Context<'_>, dialog: DialogId, usage: Usage, why: Option<Release>) {
        match usage.phase {
            Phase::Incoming(incoming) => incoming.refuse(cx, 487),
            Phase::Open(session) => self.wind_up(cx, *session),
            Phase::Closing(session) => {
                self.wind_up(cx, *session);
                return self.forget(dialog);
            }
            Phase::Outgoing(_) => {}
        }
        self.forget(dialog);
        cx.event(Event::Ended { dialog, by: EndedBy::Peer, why });
    }

    /// A BYE, should the peer still listen, and the end; without an event when it was ended by us before.
    fn lost(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        let Some(usage) = self.usages.remove(&dialog) else { return };
        let ended = match usage.phase {
            Phase::Open(mut session) => {
                send_bye(cx, &mut session.peer, None);
                self.wind_up(cx, *session);
                true
            }
            Phase::Closing(mut session) => {
                send_bye(cx, &mut session.peer, None);
                self.wind_up(cx, *session);
                false
            }
            Phase::Incoming(_) | Phase::Outgoing(_) => true,
        };
        self.forget(dialog);
        if ended {
            cx.event(Event::Ended { dialog, by: EndedBy::Lost, why: None });
        }
    }

    fn incoming_failed(&mut self, cx: &mut Context<'_>, dialog: DialogId) {
        if self.usages.get(&dialog).is_some_and(|usage| matches!(usage.phase, Phase::Incoming(_))) {
            self.lost(cx, dialog);
        }
    }

    fn next_id(&mut self) -> DialogId {
        self.last_id = self.last_id.wrapping_add(1);
        DialogId(self.last_id)
    }

    fn index(&mut self, dialog: DialogId, peer: &Peer) {
        let key = (peer.call_id.as_str().to_string(), peer.local_tag().to_string());
        if self.by_tag.insert(key.clone(), dialog) != Some(dialog) {
            self.tags.entry(dialog).or_default().push(key);
        }
        self.changed();
    }

    /// Drops the usage and everything that points at it.
    fn forget(&mut self, dialog: DialogId) {
        self.changed();
        self.usages.remove(&dialog);
        for key in self.tags.remove(&dialog).unwrap_or_default() {
            if self.by_tag.get(&key) == Some(&dialog) {
                self.by_tag.remove(&key);
            }
        }
        use Timer as T;
        for timer in [T::Repeat, T::NoAck, T::NoPrack, T::Silent, T::Retry, T::Refresh, T::Expired] {
            self.timers.clear(&timer(dialog));
        }
    }

    fn set_timer(&mut self, timer: Timer, at: Option<Instant>) {
        if let Some(at) = at {
            self.timers.set(timer, at);
        }
    }
}

impl Phase {
    /// `tag` is theirs: of the early dialogs of our INVITE it picks one.
    fn peer(&self, tag: Option<&str>) -> Option<&Peer> {
        match self {
            Self::Outgoing(outgoing) => outgoing.early(tag).map(|early| &early.peer),
            Self::Incoming(incoming) => Some(&incoming.peer),
            Self::Open(session) | Self::Closing(session) => Some(&session.peer),
        }
    }

    fn peer_mut(&mut self, tag: Option<&str>) -> Option<&mut Peer> {
        match self {
            Self::Outgoing(outgoing) => outgoing.early_mut(tag).map(|early| &mut early.peer),
            Self::Incoming(incoming) => Some(&mut incoming.peer),
            Self::Open(session) | Self::Closing(session) => Some(&mut session.peer),
        }
    }

    fn session(&self) -> Option<&Session> {
        match self {
            Self::Open(session) | Self::Closing(session) => Some(session),
            Self::Outgoing(_) | Self::Incoming(_) => None,
        }
    }
}

/// Nothing waits for its answer: the transaction repeats it and forgets. At the limit it is not sent, and the peer
/// finds out when it speaks next.
fn send_bye(cx: &mut Context<'_>, peer: &mut Peer, why: Option<Release>) {
    let mut bye = peer.request(cx, Method::Bye);
    why.into_iter().for_each(|why| why.write(&mut bye.head));
    let _ = cx.tx.request(cx.now, peer.flow, bye);
}

/// The header value and media type of SDP.
const SDP: &str = "application/sdp";
