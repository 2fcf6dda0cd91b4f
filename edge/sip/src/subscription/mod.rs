//! SUBSCRIBE and NOTIFY (RFC 6665), the notifier's side: `dialog` (RFC 4235), by which a phone's lamp shows another
//! phone's calls, and `message-summary` (RFC 3842), by which a phone shows its own mailbox. Phones of the box only, each
//! with its password proved before it comes here; bounded by phone and in all; gone with the box, and asked for again
//! by the phone whose refresh then meets 481.

mod ask;
mod body;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::context::{self, Context};
use crate::dialog::peer::Peer;
use crate::dialog::{Dialogs, Line};
use crate::endpoint::{Flow, Transport};
use crate::message::{Method, Request};
use crate::timers::Timers;
use crate::transaction::{self, TxId};
use crate::uri::Uri;

/// Subscriptions at once.
pub const SUBSCRIPTIONS_MAX: usize = 8_000;
/// Subscriptions of one phone: a console with three side cars.
pub const PER_PHONE_MAX: usize = 150;
/// Changes within this time are told together: a lamp needs no more, and a busy box has better to do.
const GATHER: Duration = Duration::from_millis(100);

/// What a mailbox holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    pub new: u32,
    pub old: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Package {
    Dialog,
    Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Expired(u64),
    /// Look at the lines and tell what has changed.
    Look,
}

#[derive(Default)]
pub struct Subscriptions {
    held: BTreeMap<u64, Subscription>,
    /// Call-ID and our tag.
    by_tag: BTreeMap<(String, String), u64>,
    notifies: BTreeMap<TxId, u64>,
    timers: Timers<Timer>,
    /// What the owner said of mailboxes; who is not here has an empty one.
    summaries: BTreeMap<String, Summary>,
    /// The lines of watched phones as they were looked at last; who is not here has none.
    lines: BTreeMap<String, Vec<Line>>,
    /// [`Dialogs::changes`] at that moment.
    looked: u64,
    /// Subscriptions to `dialog`.
    watching: usize,
    last_id: u64,
}

struct Subscription {
    package: Package,
    /// `id` of the Event header.
    id: Option<String>,
    subscriber: String,
    /// The phone that is watched.
    resource: String,
    contact: String,
    peer: Peer,
    version: u32,
    expires_at: Instant,
    /// Our NOTIFY is on its way.
    sending: Option<TxId>,
    /// Something changed meanwhile.
    owed: bool,
}

/// Where a SUBSCRIBE within a subscription belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub subscription: u64,
    pub subscriber: String,
    /// Where it spoke from last.
    pub flow: Flow,
}

/// RFC 6665 §4.1.3: why a subscription ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Timeout,
    Rejected,
    NoResource,
}

impl Package {
    const ALL: [Self; 2] = [Self::Dialog, Self::Summary];

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|package| package.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Summary => "message-summary",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Dialog => "application/dialog-info+xml",
            Self::Summary => "application/simple-message-summary",
        }
    }
}

/// RFC 6665 §8.2.2.
pub const ALLOW_EVENTS: &str = "dialog, message-summary";

impl Subscriptions {
    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// RFC 3261 §12.2.2: Call-ID and both tags.
    pub fn find(&self, request: &Request) -> Option<Place> {
        let head = &request.head;
        let key = (head.call_id.as_str().to_string(), head.to.tag()?.to_string());
        let subscription = *self.by_tag.get(&key)?;
        let held = self.held.get(&subscription).filter(|held| held.peer.remote_tag() == head.from.tag())?;
        Some(Place { subscription, subscriber: held.subscriber.clone(), flow: held.peer.flow })
    }

    /// What the owner knows of a phone's mailbox.
    pub fn set_summary(&mut self, cx: &mut Context<'_>, user: &str, summary: Summary) {
        let before = match summary {
            Summary { new: 0, old: 0 } => self.summaries.remove(user),
            told => self.summaries.insert(user.to_string(), told),
        };
        if before.unwrap_or_default() != summary {
            self.tell_of(cx, Package::Summary, |resource| resource == user);
        }
    }

    /// Calls have moved: somebody may be watching.
    pub fn look_soon(&mut self, now: Instant, dialogs: &Dialogs) {
        if self.watching > 0
            && dialogs.changes() != self.looked
            && let Some(at) = now.checked_add(GATHER)
        {
            // Set once: a busy box looks every GATHER, not after it.
            self.looked = dialogs.changes();
            self.timers.set_if_none(Timer::Look, at);
        }
    }

    fn look(&mut self, cx: &mut Context<'_>, dialogs: &Dialogs) {
        let lamps = self.held.values().filter(|held| held.package == Package::Dialog);
        let watched: BTreeSet<&str> = lamps.map(|held| held.resource.as_str()).collect();
        let lines = dialogs.lines(|user| watched.contains(user));
        let before = std::mem::replace(&mut self.lines, lines);
        let changed: Vec<String> = before
            .keys()
            .chain(self.lines.keys())
            .filter(|user| before.get(*user) != self.lines.get(*user))
            .cloned()
            .collect();
        self.tell_of(cx, Package::Dialog, |resource| changed.iter().any(|user| user == resource));
    }

    fn tell_of(&mut self, cx: &mut Context<'_>, package: Package, concerns: impl Fn(&str) -> bool) {
        let hit = |held: &Subscription| held.package == package && concerns(&held.resource);
        let ids: Vec<u64> = self.held.iter().filter(|(_, held)| hit(held)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.notify(cx, id));
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>, dialogs: &Dialogs) {
        while let Some(timer) = self.timers.due(cx.now) {
            match timer {
                Timer::Expired(id) => self.end(cx, id, Why::Timeout),
                Timer::Look => self.look(cx, dialogs),
            }
        }
    }

    /// News from a transaction; false when it is none of ours.
    pub fn transaction(&mut self, cx: &mut Context<'_>, event: &transaction::Event) -> bool {
        use transaction::Event as Tx;
        let (Tx::Response { tx, .. } | Tx::TimedOut { tx } | Tx::TransportFailed { tx } | Tx::Ended { tx }) = event;
        let Some(id) = self.notifies.get(tx).copied() else { return false };
        let current = self.held.get(&id).is_some_and(|held| held.sending == Some(*tx));
        match event {
            Tx::Ended { tx } => drop(self.notifies.remove(tx)),
            Tx::Response { response, .. } if response.status < 200 => {}
            _ if !current => {}
            // RFC 6665 §4.2.2: only who says when to try again keeps its subscription.
            Tx::Response { response, .. } if response.status < 300 || response.head.field("Retry-After").is_some() => {
                self.delivered(cx, id);
            }
            Tx::Response { .. } | Tx::TimedOut { .. } | Tx::TransportFailed { .. } => self.forget(id),
        }
        true
    }

    fn delivered(&mut self, cx: &mut Context<'_>, id: u64) {
        let Some(held) = self.held.get_mut(&id) else { return };
        held.sending = None;
        if std::mem::take(&mut held.owed) {
            self.notify(cx, id);
        }
    }

    /// A connection ended: whoever came by it comes again.
    pub fn closed(&mut self, flow: Flow) {
        let hit = |held: &Subscription| held.peer.flow.transport != Transport::Udp && held.peer.flow == flow;
        let ids: Vec<u64> = self.held.iter().filter(|(_, held)| hit(held)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.forget(id));
    }

    /// Phones that are configured no more watch nothing, and there is nothing of them to see.
    pub fn configured(&mut self, cx: &mut Context<'_>) {
        let known = |user: &str| cx.config.phones.contains_key(user);
        let why = |held: &Subscription| match (known(&held.subscriber), known(&held.resource)) {
            (false, _) => Some(Why::Rejected),
            (true, false) => Some(Why::NoResource),
            (true, true) => None,
        };
        let gone: Vec<(u64, Why)> = self.held.iter().filter_map(|(id, held)| Some((*id, why(held)?))).collect();
        self.summaries.retain(|user, _| known(user));
        gone.into_iter().for_each(|(id, why)| self.end(cx, id, why));
    }

    /// Tells the state, at once or after the NOTIFY that is on its way.
    fn notify(&mut self, cx: &mut Context<'_>, id: u64) {
        let Some(held) = self.held.get_mut(&id) else { return };
        if held.sending.is_some() {
            held.owed = true;
            return;
        }
        let left = held.expires_at.saturating_duration_since(cx.now).as_secs();
        let state = format!("active;expires={left}");
        let sent = self.send(cx, id, &state, true);
        match sent {
            Some(tx) => {
                if let Some(held) = self.held.get_mut(&id) {
                    held.sending = Some(tx);
                }
            }
            // At the limit: with the next change.
            None => tracing::debug!("a NOTIFY finds no transaction"),
        }
    }

    /// The last NOTIFY, and the end. Nobody waits for its answer.
    fn end(&mut self, cx: &mut Context<'_>, id: u64, why: Why) {
        let (reason, with_state) = match why {
            Why::Timeout => ("timeout", true),
            Why::Rejected => ("rejected", false),
            Why::NoResource => ("noresource", false),
        };
        let _ = self.send(cx, id, &format!("terminated;reason={reason}"), with_state);
        self.forget(id);
    }

    fn send(&mut self, cx: &mut Context<'_>, id: u64, state: &str, with_body: bool) -> Option<TxId> {
        let held = self.held.get_mut(&id)?;
        let event = match &held.id {
            Some(id) => format!("{};id={id}", held.package.name()),
            None => held.package.name().to_string(),
        };
        let mut request = held.peer.request(cx, Method::Notify);
        request.head.set("Event", event);
        request.head.set("Subscription-State", state);
        if with_body {
            let entity = Uri::sip(Some(&held.resource), context::domain(cx.config), None).to_string();
            let body = match held.package {
                Package::Dialog => {
                    let lines = self.lines.get(&held.resource).map(Vec::as_slice).unwrap_or_default();
                    body::dialog_info(&entity, held.version, lines)
                }
                Package::Summary => {
                    body::summary(&entity, self.summaries.get(&held.resource).copied().unwrap_or_default())
                }
            };
            held.version = held.version.wrapping_add(1);
            request = request.with_body(held.package.media_type(), body);
        }
        let tx = cx.tx.request(cx.now, held.peer.flow, request).ok()?;
        self.notifies.insert(tx, id);
        Some(tx)
    }

    fn forget(&mut self, id: u64) {
        if let Some(held) = self.held.remove(&id) {
            self.by_tag.remove(&(held.peer.call_id.as_str().to_string(), held.peer.local_tag().to_string()));
            self.timers.clear(&Timer::Expired(id));
            let lamp = held.package == Package::Dialog;
            self.watching = self.watching.saturating_sub(usize::from(lamp));
            if lamp && !self.held.values().any(|other| other.package == held.package && other.resource == held.resource)
            {
                self.lines.remove(&held.resource);
            }
        }
    }
}
