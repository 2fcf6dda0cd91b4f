//! Connections: accepted or opened on demand, numbered from 1, each with a reader and a writer of its own. TLS and
//! WebSocket are put on the TCP connection before the first message passes. Here is the table of them; `stream` is the
//! life of one.

mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sip::endpoint::{Flow, Input, Transport};
use tokio::net::TcpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::secure::{Peer, Security};
use stream::{accept, end, open};

#[cfg(test)]
pub use stream::FirstHeader;

/// Messages that wait for one peer to take them.
const WRITES_MAX: usize = 256;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 256;

#[derive(Clone)]
pub struct Connections {
    shared: Arc<Shared>,
}

pub struct Shared {
    pub limits: Limits,
    pub security: Security,
    pub inputs: mpsc::Sender<Input>,
    stop: CancellationToken,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: u64,
    open: BTreeMap<u64, Connection>,
    trusted: BTreeSet<IpAddr>,
    peers: BTreeMap<SocketAddr, Peer>,
    /// Why TLS to a trunk's address failed last; gone when it succeeds.
    faults: BTreeMap<SocketAddr, String>,
}

struct Connection {
    transport: Transport,
    remote: SocketAddr,
    writes: mpsc::Sender<Bytes>,
    stop: CancellationToken,
}

/// A place in the table, before there is a stream.
pub struct Place {
    pub number: u64,
    pub writes: mpsc::Receiver<Bytes>,
    pub stop: CancellationToken,
}

impl Connections {
    pub fn new(limits: Limits, security: Security, inputs: mpsc::Sender<Input>, stop: CancellationToken) -> Self {
        Self { shared: Arc::new(Shared { limits, security, inputs, stop, table: Mutex::default() }) }
    }

    pub fn listen(&self, transport: Transport, addr: SocketAddr) -> anyhow::Result<SocketAddr> {
        if transport.is_secure() && self.shared.security.server.is_none() {
            anyhow::bail!("no certificate");
        }
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        let listener = socket.listen(BACKLOG)?;
        let local = listener.local_addr()?;
        let shared = Arc::clone(&self.shared);
        let stop = shared.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(accept(shared, listener, transport, local)).await });
        Ok(local)
    }

    pub fn trust(&self, peers: BTreeSet<IpAddr>) {
        self.shared.table().trusted = peers;
    }

    /// Connections to a peer that must prove something else than before are closed.
    pub fn secure(&self, peers: BTreeMap<SocketAddr, Peer>) {
        let mut table = self.shared.table();
        let changed = |open: &&Connection| {
            open.transport == Transport::Tls && table.peers.get(&open.remote) != peers.get(&open.remote)
        };
        table.open.values().filter(changed).for_each(|open| open.stop.cancel());
        let table = &mut *table;
        table.faults.retain(|remote, _| peers.contains_key(remote));
        table.peers = peers;
    }

    pub fn faults(&self) -> BTreeMap<SocketAddr, String> {
        self.shared.table().faults.clone()
    }

    /// For a page of ours: many may come from one address.
    pub fn place_of_page(&self, flow: Flow) -> Option<Place> {
        self.shared.table().place(&self.shared, flow, Asked::ByUs)
    }

    pub fn inputs(&self) -> &mpsc::Sender<Input> {
        &self.shared.inputs
    }

    pub async fn end_of_page(&self, flow: Flow, why: &'static str) {
        end(&self.shared, flow.connection, flow, why).await;
    }

    pub fn count(&self) -> usize {
        self.shared.table().open.len()
    }

    pub fn send(&self, flow: Flow, bytes: Bytes) {
        let shared = &self.shared;
        let mut table = shared.table();
        let known = match flow.connection {
            0 => {
                let same = |open: &Connection| open.transport == flow.transport && open.remote == flow.remote;
                table.open.iter().find(|(_, open)| same(open)).map(|(number, _)| *number)
            }
            number => Some(number).filter(|number| table.open.contains_key(number)),
        };
        let refused = match (known.and_then(|number| table.open.get(&number)), flow.connection) {
            (Some(connection), _) => {
                // A peer that takes nothing is not waited for: its reader and writer stop and say so.
                if connection.writes.try_send(bytes).is_err() {
                    connection.stop.cancel();
                }
                false
            }
            // RFC 7118 §3: nobody opens a connection to a browser.
            (None, 0) if flow.transport.is_websocket() => true,
            (None, 0) => match table.place(shared, flow, Asked::ByUs) {
                Some(place) => {
                    let first = table.open.get(&place.number).map(|connection| connection.writes.try_send(bytes));
                    debug_assert!(matches!(first, Some(Ok(()))), "a new queue is empty");
                    tokio::spawn(open(Arc::clone(shared), flow, place));
                    false
                }
                None => true,
            },
            (None, _) => true,
        };
        drop(table);
        if refused {
            shared.report_closed(flow);
        }
    }

    /// What waits to be written is written first: the writer stops when its queue is empty and nobody can fill it.
    pub fn close(&self, flow: Flow) {
        if let Some(connection) = self.shared.table().open.get_mut(&flow.connection) {
            let (nobody, _) = mpsc::channel(1);
            connection.writes = nobody;
        }
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        // Every change of the table is one call of a map: a panic leaves nothing half done.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From outside a task of its own: in order with what else is told, but never waited for.
    fn report_closed(&self, flow: Flow) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move { inputs.send(Input::Closed { flow }).await });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    ByPeer,
    ByUs,
}

impl Table {
    /// Takes a place, unless the limits say no.
    fn place(&mut self, shared: &Shared, flow: Flow, asked: Asked) -> Option<Place> {
        let Shared { limits, stop, .. } = shared;
        let Flow { transport, remote, .. } = flow;
        let ip = remote.ip().to_canonical();
        let favoured = asked == Asked::ByUs || self.trusted.contains(&ip);
        let reserved = if favoured { limits.connections_reserved } else { 0 };
        let of_source = self.open.values().filter(|open| open.remote.ip().to_canonical() == ip).count();
        let full = self.open.len() >= limits.connections.saturating_add(reserved);
        if full || (!favoured && of_source >= limits.per_source) {
            return None;
        }
        self.last = self.last.checked_add(1)?;
        let (sender, writes) = mpsc::channel(WRITES_MAX);
        let stop = stop.child_token();
        self.open.insert(self.last, Connection { transport, remote, writes: sender, stop: stop.clone() });
        Some(Place { number: self.last, writes, stop })
    }
}
