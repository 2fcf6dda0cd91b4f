//! RFC 3261 §17 with RFC 6026: repetitions sent and absorbed, so that above this layer every message counts once.
//!
//! Each of the four machines is a table in a file of its own, `step(state, input)`, readable beside the RFC's figures
//! 5 to 8. This file runs them: matching, timers, bytes. ACKs to 2xx are not transactions and never come here.

mod client_invite;
mod client_non_invite;
mod key;
mod large;
mod room;
mod server_invite;
mod server_non_invite;
mod timer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::endpoint::Flow;
use crate::message::{Method, Request, Response};
use crate::timers::Timers;
use key::{Class, ClientKey, MergeKey, ServerKey};
pub use room::{OWED_PER_DIALOG, Room};
pub use timer::{T1, T2, TIMEOUT, Timer};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TxId(u64);

/// RFC 3261 figures 5–8, RFC 6026 §7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Calling,
    Trying,
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
    Terminated,
}

/// For a client the responses come from the network, for a server from its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Timer(Timer),
    Provisional,
    Success,
    Failure,
    Request,
    Ack,
    TransportError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    SendRequest,
    SendAck,
    SendResponse,
    /// The response goes up to the user.
    Pass,
    TimedOut,
    TransportFailed,
    Start(Timer),
    Stop(Timer),
}

/// None: the table has no such row, nothing happens.
type Step = Option<(State, &'static [Action])>;

#[derive(Debug, Clone)]
pub enum Event {
    Response {
        tx: TxId,
        response: Box<Response>,
        flow: Flow,
    },
    TimedOut {
        tx: TxId,
    },
    TransportFailed {
        tx: TxId,
    },
    /// The transaction is gone; its id will not be heard of again.
    Ended {
        tx: TxId,
    },
}

/// What an arriving request is to this layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// A repetition, or the ACK of a refused INVITE: dealt with.
    Absorbed,
    /// Another copy of a request already here, by another way (RFC 3261 §8.2.2.2).
    Merged,
    /// A request of our own came back to us.
    Looped,
    New,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many transactions as the limit allows")]
pub struct Full;

struct Client {
    key: Arc<ClientKey>,
    method: Method,
    /// While it may be sent, acknowledged or called off.
    request: Option<Box<Request>>,
    bytes: Bytes,
    flow: Flow,
    state: State,
    repeats: u32,
    /// The UDP flow to fall back to when TCP cannot be had.
    small: Option<Flow>,
}

struct Server {
    key: Arc<ServerKey>,
    merge: Option<Arc<MergeKey>>,
    flow: Flow,
    state: State,
    last: Option<Bytes>,
    repeats: u32,
}

pub struct Layer {
    clients: BTreeMap<TxId, Client>,
    servers: BTreeMap<TxId, Server>,
    by_client: BTreeMap<Arc<ClientKey>, TxId>,
    by_server: BTreeMap<Arc<ServerKey>, TxId>,
    by_merge: BTreeMap<Arc<MergeKey>, TxId>,
    timers: Timers<(TxId, Timer)>,
    sent: VecDeque<(Flow, Bytes)>,
    events: VecDeque<Event>,
    last_id: u64,
    transactions_max: usize,
    /// UDP peers that may be tried by TCP.
    tcp: BTreeSet<SocketAddr>,
}

impl Layer {
    pub fn new(transactions_max: usize) -> Self {
        Self {
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            by_client: BTreeMap::new(),
            by_server: BTreeMap::new(),
            by_merge: BTreeMap::new(),
            timers: Timers::default(),
            sent: VecDeque::new(),
            events: VecDeque::new(),
            last_id: 0,
            transactions_max,
            tcp: BTreeSet::new(),
        }
    }

    pub fn limit(&mut self, transactions_max: usize) {
        self.transactions_max = transactions_max;
    }

    pub fn len(&self) -> usize {
        self.clients.len().saturating_add(self.servers.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no place for one more of this kind, when `owed` are needed to end what has begun.
    pub fn is_full(&self, room: Room, owed: usize) -> bool {
        self.len().saturating_add(owed) >= room.of(self.transactions_max)
    }

    /// Opens a client transaction: sends the request and keeps sending it as its table says.
    pub fn request(&mut self, now: Instant, flow: Flow, mut request: Request) -> Result<TxId, Full> {
        if self.is_full(Room::of_ours(&request), 0) {
            return Err(Full);
        }
        let (flow, small) = self.way(flow, &mut request);
        let tx = self.next_id();
        let invite = request.method() == Method::Invite;
        let state = if invite { State::Calling } else { State::Trying };
        let first = if invite { [Timer::A, Timer::B] } else { [Timer::E, Timer::F] };
        let bytes = request.to_bytes();
        let (key, method) = (Arc::new(ClientKey::of(&request.head)), request.method());
        self.by_client.insert(key.clone(), tx);
        let request = Some(Box::new(request));
        self.clients.insert(tx, Client { key, method, request, bytes, flow, state, repeats: 0, small });
        self.act(now, tx, Action::SendRequest, None);
        for timer in first {
            self.act(now, tx, Action::Start(timer), None);
        }
        Ok(tx)
    }

    pub fn request_of(&self, tx: TxId) -> Option<&Request> {
        self.clients.get(&tx).and_then(|client| client.request.as_deref())
    }

    /// Ends a client transaction without a word: a cancelled INVITE that nobody answers (RFC 3261 §9.1).
    pub fn forget(&mut self, tx: TxId) {
        self.remove(tx);
    }

    /// Sorts an arriving request; only `Arrival::New` is for the layers above.
    pub fn arrive(&mut self, now: Instant, request: &Request, flow: Flow) -> Arrival {
        let key = ServerKey::of(request, flow);
        if let Some(&tx) = self.by_server.get(&key) {
            let input = if request.method() == Method::Ack { Input::Ack } else { Input::Request };
            self.step(now, tx, input, None);
            let acked_2xx = input == Input::Ack && self.servers.get(&tx).is_some_and(|s| s.state == State::Accepted);
            return if acked_2xx { Arrival::New } else { Arrival::Absorbed };
        }
        if matches!(request.method(), Method::Ack | Method::Cancel) {
            return Arrival::New;
        }
        if self.by_client.contains_key(&ClientKey::of(&request.head)) {
            return Arrival::Looped;
        }
        match MergeKey::of(request) {
            Some(merge) if self.by_merge.contains_key(&merge) => Arrival::Merged,
            _ => Arrival::New,
        }
    }

    /// Opens the server transaction of an admitted request; `flow` is where its responses go.
    pub fn open(&mut self, request: &Request, source: Flow, flow: Flow, room: Room) -> Result<TxId, Full> {
        if self.is_full(room, 0) {
            return Err(Full);
        }
        let tx = self.next_id();
        let invite = request.method() == Method::Invite;
        let state = if invite { State::Proceeding } else { State::Trying };
        let (key, merge) = (Arc::new(ServerKey::of(request, source)), MergeKey::of(request).map(Arc::new));
        self.by_server.insert(key.clone(), tx);
        if let Some(merge) = merge.clone() {
            self.by_merge.insert(merge, tx);
        }
        self.servers.insert(tx, Server { key, merge, flow, state, last: None, repeats: 0 });
        Ok(tx)
    }

    /// The INVITE that a CANCEL means: same branch, same sender (RFC 3261 §9.2).
    pub fn cancelled_by(&self, cancel: &Request, flow: Flow) -> Option<TxId> {
        self.by_server.get(&ServerKey::of(cancel, flow).for_invite()).copied()
    }

    pub fn respond(&mut self, now: Instant, tx: TxId, response: &Response) {
        let input = class_of(response.status);
        if self.look_up(tx, input).is_none() {
            return;
        }
        if let Some(server) = self.servers.get_mut(&tx) {
            server.last = Some(response.to_bytes());
        }
        self.step(now, tx, input, None);
    }

    /// The response, when it answers nothing that is still asked.
    pub fn receive_response(&mut self, now: Instant, response: Response, flow: Flow) -> Option<Response> {
        // RFC 3261 §8.1.3.3: more than one Via means it was meant for somebody else.
        let tx = self.by_client.get(&ClientKey::of(&response.head)).copied();
        let (Some(tx), 1) = (tx, response.head.via.len()) else { return Some(response) };
        if self.clients.get(&tx).is_none_or(|client| client.method != response.head.method) {
            return Some(response);
        }
        self.step(now, tx, class_of(response.status), Some((Box::new(response), flow)));
        None
    }

    /// A connection ended, or could not be opened.
    pub fn closed(&mut self, now: Instant, flow: Flow) {
        let hit = |own: &Flow| {
            let same = own.connection == flow.connection || own.connection == 0 || flow.connection == 0;
            own.transport.is_connection() && own.transport == flow.transport && own.remote == flow.remote && same
        };
        let clients = self.clients.iter().filter(|(_, client)| hit(&client.flow)).map(|(tx, _)| *tx);
        let servers = self.servers.iter().filter(|(_, server)| hit(&server.flow)).map(|(tx, _)| *tx);
        for tx in clients.chain(servers).collect::<Vec<_>>() {
            if self.by_datagram(now, tx) {
                continue;
            }
            self.step(now, tx, Input::TransportError, None);
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((tx, timer)) = self.timers.due(now) {
            self.step(now, tx, Input::Timer(timer), None);
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// For what no transaction repeats: ACKs and retransmitted 2xx of the user, stateless refusals.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.sent.push_back((flow, bytes));
    }

    pub fn poll_sent(&mut self) -> Option<(Flow, Bytes)> {
        self.sent.pop_front()
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn next_id(&mut self) -> TxId {
        self.last_id = self.last_id.wrapping_add(1);
        TxId(self.last_id)
    }

    fn step(&mut self, now: Instant, tx: TxId, input: Input, response: Option<(Box<Response>, Flow)>) {
        let Some((next, actions)) = self.look_up(tx, input) else { return };
        if let Some(client) = self.clients.get_mut(&tx) {
            client.state = next;
        } else if let Some(server) = self.servers.get_mut(&tx) {
            server.state = next;
        }
        for action in actions {
            self.act(now, tx, *action, response.as_ref());
        }
        match next {
            State::Terminated => self.remove(tx),
            State::Accepted | State::Completed | State::Confirmed => self.slim(tx),
            State::Calling | State::Trying | State::Proceeding => {}
        }
    }

    /// For half a minute a finished transaction only knows repetitions from news: what it sends no more is let go.
    fn slim(&mut self, tx: TxId) {
        if let Some(client) = self.clients.get_mut(&tx) {
            client.bytes = Bytes::new();
            // The ACK of a failure is made of the INVITE.
            if client.state == State::Accepted || client.method != Method::Invite {
                client.request = None;
            }
        } else if let Some(server) = self.servers.get_mut(&tx) {
            server.last = match server.state {
                // RFC 6026 §8.7: the user repeats its 2xx itself. RFC 3261 figure 7: nothing is said after the ACK.
                State::Accepted | State::Confirmed => None,
                // Without the space that printing left at its end.
                _ => server.last.take().map(|last| Bytes::copy_from_slice(&last)),
            };
        }
    }

    fn look_up(&self, tx: TxId, input: Input) -> Step {
        if let Some(client) = self.clients.get(&tx) {
            return match client.method {
                Method::Invite => client_invite::step(client.state, input),
                _ => client_non_invite::step(client.state, input),
            };
        }
        let server = self.servers.get(&tx)?;
        match server.key.class {
            Class::Invite => server_invite::step(server.state, input),
            Class::Cancel | Class::Other(_) => server_non_invite::step(server.state, input),
        }
    }

    fn act(&mut self, now: Instant, tx: TxId, action: Action, response: Option<&(Box<Response>, Flow)>) {
        match action {
            Action::SendRequest => {
                if let Some(client) = self.clients.get(&tx) {
                    self.sent.push_back((client.flow, client.bytes.clone()));
                }
            }
            Action::SendAck => {
                if let (Some(client), Some((response, _))) = (self.clients.get(&tx), response)
                    && let Some(request) = &client.request
                {
                    let ack = ack_of_failure(request, response);
                    self.sent.push_back((client.flow, ack.to_bytes()));
                }
            }
            Action::SendResponse => {
                if let Some(server) = self.servers.get(&tx)
                    && let Some(last) = server.last.clone()
                {
                    self.sent.push_back((server.flow, last));
                }
            }
            Action::Pass => {
                if let Some((response, flow)) = response {
                    self.events.push_back(Event::Response { tx, response: response.clone(), flow: *flow });
                }
            }
            Action::TimedOut => self.events.push_back(Event::TimedOut { tx }),
            Action::TransportFailed => self.events.push_back(Event::TransportFailed { tx }),
            Action::Start(timer) => self.start(now, tx, timer),
            Action::Stop(timer) => self.timers.clear(&(tx, timer)),
        }
    }

    fn start(&mut self, now: Instant, tx: TxId, timer: Timer) {
        let (flow, state, repeats) = match (self.clients.get_mut(&tx), self.servers.get_mut(&tx)) {
            (Some(client), _) => (client.flow, client.state, &mut client.repeats),
            (None, Some(server)) => (server.flow, server.state, &mut server.repeats),
            (None, None) => return,
        };
        let reliable = flow.transport.is_connection();
        let Some(wait) = timer.wait(reliable, state, *repeats) else { return };
        if timer.repeats() {
            *repeats = repeats.saturating_add(1);
        }
        if let Some(at) = now.checked_add(wait) {
            self.timers.set((tx, timer), at);
        }
    }

    fn remove(&mut self, tx: TxId) {
        if let Some(client) = self.clients.remove(&tx) {
            self.by_client.remove(&client.key);
        } else if let Some(server) = self.servers.remove(&tx) {
            self.by_server.remove(&server.key);
            if let Some(merge) = server.merge {
                self.by_merge.remove(&merge);
            }
        } else {
            return;
        }
        self.timers.clear_between((tx, Timer::A), (tx, Timer::M));
        self.events.push_back(Event::Ended { tx });
    }
}

fn class_of(status: u16) -> Input {
    match status {
        0..200 => Input::Provisional,
        200..300 => Input::Success,
        _ => Input::Failure,
    }
}

/// RFC 3261 §17.1.1.3: the INVITE's own Via, Route and Request-URI; To from the response.
fn ack_of_failure(invite: &Request, response: &Response) -> Request {
    let mut ack = invite.clone();
    ack.head.method = Method::Ack;
    ack.head.to = response.head.to.clone();
    ack.head.contacts = Default::default();
    ack.head.content_type = None;
    ack.head.fields.retain(|(name, _)| name == "User-Agent");
    ack.body = Bytes::new();
    ack
}

#[cfg(test)]
mod tests;
