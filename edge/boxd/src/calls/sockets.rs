//! The SIP sockets of the *calls* process: UDP and TCP, carrying `sip::endpoint` flows. It reads no SIP beyond the
//! first blank line of a TCP connection, which must come soon (S-07).

mod tcp;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use sip::endpoint::{Flow, Input, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Inputs that wait for the engine. Beyond it, readers wait: UDP is then dropped by the kernel, TCP by its window.
const INPUTS_MAX: usize = 4_096;

/// What a burst of retransmissions from every phone of a branch needs, in bytes; the kernel may grant less.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Every datagram fits (RFC 768: 65,507 bytes of payload).
const DATAGRAM_MAX: usize = 65_535;

/// Everything has one.
#[derive(Debug, Clone)]
pub struct Limits {
    /// TCP connections of strangers at once.
    pub connections: usize,
    /// More, for the addresses named by `trust`.
    pub connections_reserved: usize,
    /// TCP connections of one stranger's address at once.
    pub per_source: usize,
    /// From accept to the end of the first message's header.
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
    udp: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    tcp: tcp::Connections,
    listening: Vec<(Transport, SocketAddr)>,
    _stop: DropGuard,
}

impl Sockets {
    /// Opens every listener or none. Port 0 takes a free one (see `listening`).
    pub async fn bind(listen: &[(Transport, SocketAddr)], limits: Limits) -> anyhow::Result<Self> {
        let (sender, inputs) = mpsc::channel(INPUTS_MAX);
        let stop = CancellationToken::new();
        let tcp = tcp::Connections::new(limits, sender.clone(), stop.clone());
        let mut sockets =
            Self { inputs, udp: BTreeMap::new(), tcp, listening: Vec::new(), _stop: stop.clone().drop_guard() };
        for (transport, addr) in listen {
            if addr.ip().is_unspecified() {
                bail!("SIP listens on an address, not on {addr}: peers are told it");
            }
            let local = match transport {
                Transport::Udp => sockets.listen_udp(*addr, &sender, &stop),
                Transport::Tcp => sockets.tcp.listen(*addr),
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

    /// Addresses of our trunks: they find a free place also when strangers have taken all others.
    pub fn trust(&self, peers: BTreeSet<IpAddr>) {
        self.tcp.trust(peers);
    }

    /// The next thing that happened. Safe to cancel. None never comes while `self` lives.
    pub async fn recv(&mut self) -> Option<Input> {
        self.inputs.recv().await
    }

    /// Sends or drops, and never waits: SIP repeats what UDP loses, and a TCP peer that takes nothing is closed.
    pub fn send(&self, flow: Flow, bytes: Bytes) {
        match flow.transport {
            Transport::Udp => self.send_udp(flow, &bytes),
            Transport::Tcp => self.tcp.send(flow, bytes),
        }
    }

    /// TCP connections at this moment.
    pub fn connections(&self) -> usize {
        self.tcp.count()
    }

    fn send_udp(&self, flow: Flow, bytes: &[u8]) {
        let same_family = |addr: &&SocketAddr| addr.is_ipv4() == flow.remote.is_ipv4();
        let socket = self.udp.get(&flow.local).or_else(|| {
            let any = self.udp.keys().find(same_family)?;
            self.udp.get(any)
        });
        match socket.map(|socket| socket.try_send_to(bytes, flow.remote)) {
            Some(Ok(_)) => {}
            Some(Err(error)) => tracing::debug!(%error, "a SIP datagram was not sent"),
            None => tracing::debug!("no UDP socket for a SIP datagram"),
        }
    }

    fn listen_udp(
        &mut self,
        addr: SocketAddr,
        inputs: &mpsc::Sender<Input>,
        stop: &CancellationToken,
    ) -> anyhow::Result<SocketAddr> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
            tracing::debug!(%error, "the kernel's own receive buffer has to do");
        }
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        let socket = Arc::new(UdpSocket::from_std(socket.into())?);
        let local = socket.local_addr()?;
        self.udp.insert(local, Arc::clone(&socket));
        let read = read_udp(socket, local, inputs.clone());
        let stop = stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(read).await });
        Ok(local)
    }
}

async fn read_udp(socket: Arc<UdpSocket>, local: SocketAddr, inputs: mpsc::Sender<Input>) {
    let mut buffer = vec![0; DATAGRAM_MAX];
    loop {
        let (length, remote) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // An ICMP error of something sent before says nothing about the next datagram.
            Err(error) => {
                tracing::debug!(%error, "reading a SIP datagram");
                tokio::task::yield_now().await;
                continue;
            }
        };
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        if remote.port() != 0 && inputs.send(Input::Received { flow, bytes }).await.is_err() {
            return;
        }
    }
}
