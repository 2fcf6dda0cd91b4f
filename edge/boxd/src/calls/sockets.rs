//! The SIP sockets of the *calls* process: UDP, TCP, TLS and WebSocket, carrying `sip::endpoint` flows. It reads no SIP
//! beyond the first blank line of a connection, which must come soon (S-07).

mod page;
mod secure;
mod tcp;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
mod udp;
mod websocket;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use sip::endpoint::{Flow, Input, Transport};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::reception::Reception;
pub use page::Pages;
pub use secure::{Peer, Security};

/// Inputs of streams that wait for the engine. Beyond it, readers wait, and so does the peer, by TCP's window.
const INPUTS_MAX: usize = 4_096;

/// Everything has one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections of strangers at once.
    pub connections: usize,
    /// More, for the addresses named by `trust`.
    pub connections_reserved: usize,
    /// Connections of one stranger's address at once.
    pub per_source: usize,
    /// From accept to the end of the first message's header, handshakes included.
    pub first_header: Duration,
    /// Without a byte in either direction; longer than a registration lives.
    pub idle: Duration,
    /// To open a connection, and for a peer to take what we send.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2_000,
            connections_reserved: 200,
            per_source: 100,
            first_header: Duration::from_secs(5),
            idle: Duration::from_secs(4_000),
            patience: Duration::from_secs(5),
        }
    }
}

/// All SIP sockets. Dropping it closes them.
pub struct Sockets {
    inputs: mpsc::Receiver<Input>,
    udp: udp::Udp,
    tcp: tcp::Connections,
    listening: Vec<(Transport, SocketAddr)>,
    _stop: DropGuard,
}

impl Sockets {
    /// Opens every listener or none. Port 0 takes a free one (see `listening`).
    /// What comes by UDP goes to `reception`.
    pub async fn bind(
        listen: &[(Transport, SocketAddr)],
        limits: Limits,
        security: Security,
        reception: &Arc<Reception>,
    ) -> anyhow::Result<Self> {
        let (sender, inputs) = mpsc::channel(INPUTS_MAX);
        let stop = CancellationToken::new();
        let tcp = tcp::Connections::new(limits, security, sender.clone(), stop.clone());
        let mut sockets =
            Self { inputs, udp: Default::default(), tcp, listening: Vec::new(), _stop: stop.clone().drop_guard() };
        for (transport, addr) in listen {
            if addr.ip().is_unspecified() {
                bail!("SIP listens on an address, not on {addr}: peers are told it");
            }
            let local = match transport {
                Transport::Udp => sockets.udp.listen(*addr, reception),
                _ => sockets.tcp.listen(*transport, *addr),
            };
            let local = local.with_context(|| format!("listening for SIP on {transport:?} {addr}"))?;
            sockets.listening.push((*transport, local));
        }
        Ok(sockets)
    }

    /// The listeners as they are.
    pub fn listening(&self) -> &[(Transport, SocketAddr)] {
        &self.listening
    }

    /// Where the desk's pages connect.
    pub fn pages(&self) -> Pages {
        Pages(self.tcp.clone())
    }

    /// Addresses of our trunks: they find a free place also when strangers have taken all others.
    pub fn trust(&self, peers: BTreeSet<IpAddr>) {
        self.tcp.trust(peers);
    }

    /// What our trunks' peers must prove over TLS; connections to any other peer are not opened.
    pub fn secure(&self, peers: BTreeMap<SocketAddr, Peer>) {
        self.tcp.secure(peers);
    }

    /// Why TLS to a trunk's address failed last, for those where it did not succeed since.
    pub fn faults(&self) -> BTreeMap<SocketAddr, String> {
        self.tcp.faults()
    }

    /// The next thing that happened on a stream. Safe to cancel. None never comes while `self` lives.
    pub async fn recv(&mut self) -> Option<Input> {
        self.inputs.recv().await
    }

    /// What is there of a stream.
    pub fn stream(&mut self) -> Option<Input> {
        self.inputs.try_recv().ok()
    }

    /// Sends or drops, and never waits: SIP repeats what UDP loses, and a peer that takes nothing is closed.
    /// A datagram leaves with the next `flush`.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        match flow.transport {
            Transport::Udp => self.udp.send(flow, bytes),
            _ => self.tcp.send(flow, bytes),
        }
    }

    /// Ends a connection behind what was sent on it.
    pub fn close(&self, flow: Flow) {
        self.tcp.close(flow);
    }

    /// Sends the datagrams that wait for company.
    pub fn flush(&mut self) {
        self.udp.flush();
    }

    /// Connections at this moment.
    pub fn connections(&self) -> usize {
        self.tcp.count()
    }
}
