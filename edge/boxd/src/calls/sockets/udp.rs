//! UDP: many datagrams through few system calls, both ways.

use std::{
    collections::BTreeMap,
    io::{IoSlice, IoSliceMut},
    net::SocketAddr,
    os::fd::AsRawFd,
    sync::Arc,
};

use bytes::Bytes;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg, setsockopt, sockopt::RcvBufForce};
use sip::endpoint::{Flow, Input, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket, sync::mpsc};
use tokio_util::sync::CancellationToken;

/// What a burst of retransmissions from every phone of a branch needs, in bytes; without privilege the kernel may grant
/// less.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Every datagram fits (RFC 768: 65,507 bytes of payload).
const DATAGRAM_MAX: usize = 65_535;
/// Datagrams in one system call.
const BATCH: usize = 32;
/// System calls in one turn: under a flood the kernel must not be left to choose what is dropped.
const READS_A_TURN: usize = 64;
/// Datagrams that wait for [`Udp::flush`].
const OUTGOING_MAX: usize = 256;

/// All UDP sockets.
#[derive(Default)]
pub struct Udp {
    sockets: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    outgoing: Vec<(SocketAddr, SocketAddr, Bytes)>,
}

impl Udp {
    pub fn listen(
        &mut self,
        addr: SocketAddr,
        inputs: &mpsc::Sender<Input>,
        stop: &CancellationToken,
    ) -> anyhow::Result<SocketAddr> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER).is_err()
            && let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER)
        {
            tracing::debug!(%error, "the kernel's own receive buffer has to do");
        }
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        let socket = Arc::new(UdpSocket::from_std(socket.into())?);
        let local = socket.local_addr()?;
        self.sockets.insert(local, Arc::clone(&socket));
        let read = read(socket, local, inputs.clone());
        let stop = stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(read).await });
        Ok(local)
    }

    /// Leaves with the next [`Self::flush`], or before.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        let same_family = |addr: &&SocketAddr| addr.is_ipv4() == flow.remote.is_ipv4();
        let known = Some(flow.local).filter(|local| self.sockets.contains_key(local));
        match known.or_else(|| self.sockets.keys().find(same_family).copied()) {
            Some(local) => self.outgoing.push((local, flow.remote, bytes)),
            None => tracing::debug!("no UDP socket for a SIP datagram"),
        }
        if self.outgoing.len() >= OUTGOING_MAX {
            self.flush();
        }
    }

    /// Sends or drops, and never waits: SIP repeats what UDP loses.
    pub fn flush(&mut self) {
        for batch in self.outgoing.chunk_by(|(one, ..), (other, ..)| one == other) {
            let Some(socket) = batch.first().and_then(|(local, ..)| self.sockets.get(local)) else { continue };
            for some in batch.chunks(BATCH) {
                send_some(socket, some);
            }
        }
        self.outgoing.clear();
    }
}

/// In order; one that cannot be sent does not hold up those after it.
fn send_some(socket: &UdpSocket, mut batch: &[(SocketAddr, SocketAddr, Bytes)]) {
    while !batch.is_empty() {
        let slices: Vec<[IoSlice<'_>; 1]> = batch.iter().map(|(.., bytes)| [IoSlice::new(bytes)]).collect();
        let remotes: Vec<Option<SockaddrStorage>> = batch.iter().map(|(_, remote, _)| Some((*remote).into())).collect();
        let mut headers = MultiHeaders::preallocate(batch.len(), None);
        let flags = MsgFlags::MSG_DONTWAIT;
        let sent = match sendmmsg(socket.as_raw_fd(), &mut headers, slices.iter(), &remotes, [], flags) {
            Ok(sent) => sent.count().max(1),
            Err(error) => {
                tracing::debug!(%error, "a SIP datagram was not sent");
                1
            }
        };
        batch = batch.get(sent..).unwrap_or_default();
    }
}

async fn read(socket: Arc<UdpSocket>, local: SocketAddr, inputs: mpsc::Sender<Input>) {
    let mut buffers = vec![0_u8; DATAGRAM_MAX * BATCH];
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        if socket.readable().await.is_err() {
            tokio::task::yield_now().await;
            continue;
        }
        for _ in 0..READS_A_TURN {
            let received = socket.try_io(Interest::READABLE, || receive(&socket, local, &mut buffers, &mut batch));
            let more = batch.len() == BATCH;
            // An ICMP error of something sent before says nothing about the next datagram.
            if let Err(error) = received
                && error.kind() != std::io::ErrorKind::WouldBlock
            {
                tracing::debug!(%error, "reading SIP datagrams");
            }
            for input in batch.drain(..) {
                if inputs.send(input).await.is_err() {
                    return;
                }
            }
            if !more {
                break;
            }
        }
        // Others have their turn, however much comes.
        tokio::task::yield_now().await;
    }
}

fn receive(socket: &UdpSocket, local: SocketAddr, buffers: &mut [u8], batch: &mut Vec<Input>) -> std::io::Result<()> {
    let found = receive_into(socket, buffers)?;
    for (buffer, (length, remote)) in buffers.chunks(DATAGRAM_MAX).zip(found) {
        let Some(remote) = remote.filter(|remote| remote.port() != 0) else { continue };
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
        batch.push(Input::Received { flow, bytes });
    }
    Ok(())
}

/// Length and sender of what came into each buffer.
fn receive_into(socket: &UdpSocket, buffers: &mut [u8]) -> std::io::Result<Vec<(usize, Option<SocketAddr>)>> {
    let mut slices: Vec<[IoSliceMut<'_>; 1]> =
        buffers.chunks_mut(DATAGRAM_MAX).map(|buffer| [IoSliceMut::new(buffer)]).collect();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slices.len(), None);
    let received = recvmmsg(socket.as_raw_fd(), &mut headers, slices.iter_mut(), MsgFlags::MSG_DONTWAIT, None)?;
    Ok(received.map(|message| (message.bytes, message.address.as_ref().and_then(address))).collect())
}

fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = of.as_sockaddr_in().map(|v4| SocketAddr::new(v4.ip().into(), v4.port()));
    v4.or_else(|| of.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
