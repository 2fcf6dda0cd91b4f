//! The endpoint itself: one message, command or timer in, messages and events out. It only passes things on; what
//! they mean is the business of the machines it holds.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Binding, Config, DialogId, Event, Flow, Input, Invite, Kept, Output, Target, Transport};
use crate::auth::Doorman;
use crate::context::Context;
use crate::dialog::Dialogs;
use crate::framing::{Frame, Framer};
use crate::front::{self, Carrier, Opened};
use crate::help::Helped;
use crate::ids::Ids;
use crate::lent::Lent;
use crate::message::{Message, Release};
use crate::page::Pages;
use crate::reach::Reach;
use crate::registrar::Registrar;
use crate::stun;
use crate::subscription::Subscriptions;
use crate::transaction::{Layer, Room};
use crate::trunk::{Trunks, large_by_tcp};

/// Streams with an unfinished message; bytes on more than these are dropped.
pub const CONNECTIONS_MAX: usize = 8_192;
/// Addresses from which somebody proved a password.
pub const NEIGHBOURS_MAX: usize = 20_000;

/// Trunks begin to register and to be pinged with the first input or `handle_timeout`; a shell gives one of either
/// right after `new`.
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) ids: Ids,
    pub(super) tx: Layer,
    pub(super) doorman: Doorman,
    pub(super) helped: Helped,
    pub(super) lent: Lent,
    pub(super) dialogs: Dialogs,
    pub(super) registrar: Registrar,
    pub(super) pages: Pages,
    pub(super) subscriptions: Subscriptions,
    trunks: Trunks,
    pub(super) realms: BTreeMap<String, String>,
    pub(super) reach: Reach,
    framers: BTreeMap<Flow, Framer>,
    pub(super) out: VecDeque<Output>,
    /// Where a password was proved from, in the order of addresses; only who proves one grows it.
    neighbours: BTreeMap<SocketAddr, Instant>,
    began: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    pub dialogs: usize,
    pub transactions: usize,
}

/// A [`Context`] of the endpoint's parts, the machines left free to be called with it.
macro_rules! context {
    ($self:ident, $now:expr) => {
        &mut Context {
            now: $now,
            tx: &mut $self.tx,
            ids: &mut $self.ids,
            config: &$self.config,
            out: &mut $self.out,
            realms: &mut $self.realms,
            reach: &mut $self.reach,
        }
    };
}
pub(super) use context;

impl Endpoint {
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        let mut ids = Ids::new(seed);
        let mut doorman = Doorman::new(&mut ids);
        doorman.configured(&config);
        Self {
            tx: Layer::new(config.limits.transactions),
            doorman,
            helped: Helped::default(),
            lent: Lent::default(),
            dialogs: Dialogs::default(),
            registrar: Registrar::default(),
            pages: Pages::default(),
            subscriptions: Subscriptions::default(),
            trunks: Trunks::default(),
            realms: BTreeMap::new(),
            reach: Reach::default(),
            framers: BTreeMap::new(),
            out: VecDeque::new(),
            neighbours: BTreeMap::new(),
            began: false,
            config,
            ids,
        }
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        self.begin(now);
        match input {
            Input::Received { flow, bytes } => {
                self.registrar.heard(now, flow);
                match flow.transport {
                    Transport::Udp => self.datagram(now, flow, &bytes),
                    Transport::Ws | Transport::Wss => self.framed(now, flow, &bytes),
                    Transport::Tcp | Transport::Tls => self.stream(now, flow, &bytes),
                }
            }
            Input::Proved { flow, trunk } => self.reach.proved(flow.connection, trunk),
            Input::Closed { flow } => {
                self.framers.remove(&flow);
                self.reach.unproved(flow.connection);
                self.tx.closed(now, flow);
                self.registrar.closed(context!(self, now), flow);
                self.dialogs.closed(context!(self, now), flow);
                self.subscriptions.closed(flow);
            }
            Input::Restore { user, binding } => {
                self.is_neighbour(now, binding.flow);
                self.registrar.restore(context!(self, now), &user, binding);
            }
            Input::Lend { name, account } => drop(self.lent.lend(name, account)),
            Input::TakeBack { name } => {
                self.lent.take_back(&name);
                self.registrar.taken_back(context!(self, now), &name);
            }
            Input::Resync { user } => self.resync(now, &user),
            Input::Located { trunk, targets } => {
                self.reach.located(trunk.clone(), targets);
                self.tx.allow_tcp(large_by_tcp(&self.config, &self.reach));
                self.trunks.located(context!(self, now), &trunk);
            }
            Input::Configure(config) => {
                self.config = *config;
                self.tx.limit(self.config.limits.transactions);
                self.doorman.configured(&self.config);
                self.tx.allow_tcp(large_by_tcp(&self.config, &self.reach));
                self.registrar.configured(context!(self, now), &self.lent);
                self.subscriptions.configured(context!(self, now));
                self.trunks.configured(context!(self, now));
            }
        }
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.begin(now);
        self.tx.handle_timeout(now);
        self.settle(now);
        self.dialogs.handle_timeout(context!(self, now));
        self.registrar.handle_timeout(context!(self, now));
        self.pages.handle_timeout(context!(self, now));
        self.subscriptions.handle_timeout(context!(self, now), &self.dialogs);
        self.trunks.handle_timeout(context!(self, now));
        self.settle(now);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.tx.poll_timeout(),
            self.dialogs.poll_timeout(),
            self.registrar.poll_timeout(),
            self.pages.poll_timeout(),
            self.subscriptions.poll_timeout(),
            self.trunks.poll_timeout(),
        ];
        timers.into_iter().flatten().min()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Calls; the outcome comes as events of the returned dialog, never sooner than the next `poll_output`.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> DialogId {
        self.begin(now);
        let bindings = match &invite.to {
            Target::Phone(user) => self.registrar.bindings(user),
            Target::Trunk { .. } => &[],
        };
        let dialog = self.dialogs.invite(context!(self, now), &invite, bindings);
        self.settle(now);
        dialog
    }

    /// 101–199 to their INVITE, with SDP for early media.
    pub fn provisional(&mut self, now: Instant, dialog: DialogId, status: u16, sdp: Option<Bytes>) {
        self.dialogs.provisional(context!(self, now), dialog, status, sdp);
        self.settle(now);
    }

    /// 2xx to the pending INVITE, re-INVITE or UPDATE; our offer when the INVITE had none.
    pub fn accept(&mut self, now: Instant, dialog: DialogId, sdp: Bytes) {
        self.dialogs.accept(context!(self, now), dialog, sdp);
        self.settle(now);
    }

    /// 3xx–6xx to the pending INVITE (the dialog ends), re-INVITE or UPDATE (it goes on as it was).
    pub fn reject(&mut self, now: Instant, dialog: DialogId, status: u16) {
        self.dialogs.reject(context!(self, now), dialog, status);
        self.settle(now);
    }

    /// Our re-INVITE; answered by `Event::Reanswered`.
    pub fn reinvite(&mut self, now: Instant, dialog: DialogId, sdp: Bytes) {
        self.dialogs.reinvite(context!(self, now), dialog, sdp);
        self.settle(now);
    }

    /// The same within a recording session, with what its metadata has become.
    pub fn reinvite_with(&mut self, now: Instant, dialog: DialogId, sdp: Bytes, metadata: Bytes) {
        self.dialogs.describe(dialog, metadata);
        self.reinvite(now, dialog, sdp);
    }

    /// 202 to their REFER, and a first NOTIFY.
    pub fn refer_accept(&mut self, now: Instant, dialog: DialogId) {
        self.dialogs.refer_accept(context!(self, now), dialog);
        self.settle(now);
    }

    /// 603 to their REFER.
    pub fn refer_reject(&mut self, now: Instant, dialog: DialogId) {
        self.dialogs.refer_reject(context!(self, now), dialog);
        self.settle(now);
    }

    /// How an accepted transfer goes: 1xx for progress, a final status once.
    pub fn refer_outcome(&mut self, now: Instant, dialog: DialogId, status: u16) {
        self.dialogs.refer_outcome(context!(self, now), dialog, status);
        self.settle(now);
    }

    /// CANCEL, BYE or a final refusal, whichever fits. Idempotent.
    pub fn end(&mut self, now: Instant, dialog: DialogId) {
        self.end_because(now, dialog, None);
    }

    /// The same, and the peer is told why (RFC 3326).
    pub fn end_because(&mut self, now: Instant, dialog: DialogId, why: Option<Release>) {
        self.dialogs.end(context!(self, now), dialog, why);
        self.settle(now);
    }

    /// What another life of this process must know of an answered dialog; None while it is not answered.
    pub fn keep(&self, dialog: DialogId) -> Option<Kept> {
        self.dialogs.keep(dialog)
    }

    /// The dialog that an earlier life kept, again; None when it makes no sense, or there is no room.
    pub fn restore(&mut self, now: Instant, kept: &Kept) -> Option<DialogId> {
        self.begin(now);
        let dialog = self.dialogs.restore(context!(self, now), kept);
        self.settle(now);
        dialog
    }

    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.registrar.bindings(user)
    }

    /// What carries an answered dialog.
    pub fn transport(&self, dialog: DialogId) -> Option<Transport> {
        self.dialogs.flow(dialog).map(|flow| flow.transport)
    }

    pub fn trunk_up(&self, name: &str) -> bool {
        self.trunks.is_up(name)
    }

    /// Whether a trunk's peer asked to be left alone (RFC 3261 §21.5.4), at every address of its own.
    pub fn trunk_rests(&self, now: Instant, name: &str) -> bool {
        self.reach.rests(&self.config, name, now)
    }

    /// Whether something from there is likely meant: it is a trunk's peer, or a password was proved from there. Good for
    /// the order in which datagrams are served, and for nothing else.
    pub fn knows(&self, flow: Flow) -> bool {
        self.neighbours.contains_key(&flow.remote) || crate::trunk::source(&self.config, &self.reach, flow).is_some()
    }

    /// Whether a trunk may begin another call: if not, what is new is best refused before it is read.
    pub fn has_room_for_calls(&self) -> bool {
        self.dialogs.len() < self.config.limits.dialogs && self.has_room(Room::Trunk)
    }

    /// A password was proved from there.
    pub(super) fn is_neighbour(&mut self, now: Instant, flow: Flow) {
        if self.neighbours.len() >= NEIGHBOURS_MAX {
            // A registration lives for an hour at most.
            self.neighbours.retain(|_, since| now.saturating_duration_since(*since) < Duration::from_secs(3_600));
        }
        if self.neighbours.len() < NEIGHBOURS_MAX {
            self.neighbours.insert(flow.remote, now);
        }
    }

    /// What is held at this moment, for metrics and for drains before a restart.
    pub fn load(&self) -> Load {
        Load { dialogs: self.dialogs.len(), transactions: self.tx.len() }
    }

    fn begin(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.began, true) {
            self.tx.allow_tcp(large_by_tcp(&self.config, &self.reach));
            self.trunks.configured(context!(self, now));
        }
    }

    fn datagram(&mut self, now: Instant, flow: Flow, bytes: &Bytes) {
        match stun::answer(bytes, flow.remote) {
            Some(answer) => self.out.push_back(Output::Send { flow, bytes: answer }),
            None => self.received(now, flow, bytes, Carrier::Datagram),
        }
    }

    /// RFC 7118 §5: a WebSocket message is one SIP message, or the double CRLF of RFC 5626 §3.5.1.
    fn framed(&mut self, now: Instant, flow: Flow, bytes: &Bytes) {
        if bytes.as_ref() == b"\r\n\r\n" {
            return self.out.push_back(Output::Send { flow, bytes: Bytes::from_static(b"\r\n") });
        }
        self.received(now, flow, bytes, Carrier::Datagram);
    }

    fn stream(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        if !self.framers.contains_key(&flow) && self.framers.len() >= CONNECTIONS_MAX {
            return self.refused("connections", None);
        }
        let bytes_max = self.config.limits.message_bytes;
        let mut framer = self.framers.remove(&flow).unwrap_or_else(|| Framer::new(bytes_max));
        framer.push(bytes);
        while let Some(frame) = framer.poll() {
            match frame {
                Frame::Message(message) => self.received(now, flow, &message, Carrier::Stream),
                Frame::Broken(head) => {
                    self.received(now, flow, &head, Carrier::Stream);
                    // RFC 4475 §3.1.2.3: who goes on there would speak to nobody.
                    self.out.push_back(Output::Close { flow });
                }
                Frame::Ping => self.out.push_back(Output::Send { flow, bytes: Bytes::from_static(b"\r\n") }),
            }
        }
        self.framers.insert(flow, framer);
    }

    fn received(&mut self, now: Instant, flow: Flow, bytes: &Bytes, carrier: Carrier) {
        match front::open(bytes, carrier, self.config.limits.message_bytes) {
            Opened::KeepAlive => {}
            Opened::Dropped { cause } => self.refused(cause, None),
            Opened::Refused(refusal) => {
                self.refused(refusal.cause, Some(refusal.status));
                let tag = self.ids.tag();
                if let Some((remote, bytes)) = refusal.reply(flow.remote, &tag, &self.config.product) {
                    let remote = if flow.transport.is_connection() { flow.remote } else { remote };
                    self.tx.send(Flow { remote, ..flow }, bytes);
                }
            }
            Opened::Message(message) => match *message {
                Message::Request(request) => self.request(now, request, flow),
                Message::Response(response) => {
                    if let Some(stray) = self.tx.receive_response(now, response, flow) {
                        let known = self.knows(flow);
                        if !known || !self.dialogs.answered_too_late(context!(self, now), &stray, flow) {
                            self.refused("stray_response", None);
                        }
                    }
                }
            },
        }
        self.settle(now);
    }

    pub(super) fn refused(&mut self, cause: &'static str, status: Option<u16>) {
        self.out.push_back(Output::Event(Event::Refused { cause, status }));
    }

    /// Lets the transactions' news reach their owners, and hands out what was sent.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(event) = self.tx.poll_event() {
            let of_call = self.dialogs.transaction(context!(self, now), &event);
            let taken = of_call
                || self.pages.transaction(context!(self, now), &event)
                || self.subscriptions.transaction(context!(self, now), &event);
            if of_call {
                self.trunks.noted(context!(self, now), &event);
            } else if !taken {
                self.trunks.transaction(context!(self, now), &event);
            }
        }
        self.subscriptions.look_soon(now, &self.dialogs);
        while let Some((flow, bytes)) = self.tx.poll_sent() {
            self.out.push_back(Output::Send { flow, bytes });
        }
    }
}
