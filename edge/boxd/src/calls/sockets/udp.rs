//! UDP: many datagrams through few system calls, both ways. A thread reads each socket, whatever the engine does.

use std::{
    collections::BTreeMap,
    io::{IoSlice, IoSliceMut},
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use bytes::Bytes;
use nix::{
    errno::Errno,
    sys::socket::{
        ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg, setsockopt,
        sockopt::{RcvBufForce, RxqOvfl},
    },
};
use sip::endpoint::Flow;
use socket2::{Domain, Protocol, Socket, Type};

use crate::calls::reception::Reception;

/// What a burst of retransmissions from every phone of a branch needs, in bytes; without privilege the kernel may grant
/// less.
const RECEIVE_BUFFER: usize = 16 << 20;
/// Every datagram fits (RFC 768: 65,507 bytes of payload).
const DATAGRAM_MAX: usize = 65_535;
/// Datagrams in one system call.
const BATCH: usize = 32;
/// So many at once, and the thread lets more come before it reads again.
const MANY: usize = 4;
/// How long it does: a tenth of what anybody hears.
const PAUSE: Duration = Duration::from_micros(500);
/// How long the thread waits before it looks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Datagrams that wait for [`Udp::flush`].
const OUTGOING_MAX: usize = 256;

/// All UDP sockets.
#[derive(Default)]
pub struct Udp {
    sockets: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    outgoing: Vec<(SocketAddr, (SocketAddr, Bytes))>,
    readers: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Udp {
    /// What comes to `addr` goes to `reception`.
    pub fn listen(&mut self, addr: SocketAddr, reception: &Arc<Reception>) -> anyhow::Result<SocketAddr> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER).is_err()
            && let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER)
        {
            tracing::debug!(%error, "the kernel's own receive buffer has to do");
        }
        if let Err(error) = setsockopt(&socket, RxqOvfl, &1) {
            tracing::debug!(%error, "the kernel does not say what it drops");
        }
        socket.set_read_timeout(Some(LOOK_EVERY))?;
        socket.bind(&addr.into())?;
        let socket = Arc::new(UdpSocket::from(socket));
        let local = socket.local_addr()?;
        self.sockets.insert(local, Arc::clone(&socket));
        let (reception, stop) = (Arc::clone(reception), Arc::clone(&self.stop));
        let reader = Reader { socket, local, reception, stop, dropped: 0 };
        self.readers.push(std::thread::Builder::new().name("sip-udp".into()).spawn(move || reader.run())?);
        Ok(local)
    }

    /// Leaves with the next [`Self::flush`], or before.
    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        let same_family = |addr: &&SocketAddr| addr.is_ipv4() == flow.remote.is_ipv4();
        let known = Some(flow.local).filter(|local| self.sockets.contains_key(local));
        match known.or_else(|| self.sockets.keys().find(same_family).copied()) {
            Some(local) => self.outgoing.push((local, (flow.remote, bytes))),
            None => tracing::debug!("no UDP socket for a SIP datagram"),
        }
        if self.outgoing.len() >= OUTGOING_MAX {
            self.flush();
        }
    }

    /// Sends or drops, and never waits: SIP repeats what UDP loses.
    pub fn flush(&mut self) {
        while let Some((local, _)) = self.outgoing.first() {
            let local = *local;
            let count = self.outgoing.iter().take(BATCH).take_while(|(of, _)| *of == local).count();
            let some: Vec<_> = self.outgoing.drain(..count).map(|(_, datagram)| datagram).collect();
            if let Some(socket) = self.sockets.get(&local) {
                send_some(socket, &some);
            }
        }
    }
}

impl Drop for Udp {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for socket in self.sockets.values() {
            // Wakes its reader; the error says that it is connected to nobody.
            let _ = nix::sys::socket::shutdown(socket.as_raw_fd(), nix::sys::socket::Shutdown::Read);
        }
        self.sockets.clear();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }
}

/// In order; one that cannot be sent does not hold up those after it.
fn send_some(socket: &UdpSocket, mut batch: &[(SocketAddr, Bytes)]) {
    while !batch.is_empty() {
        let slices: Vec<[IoSlice<'_>; 1]> = batch.iter().map(|(_, bytes)| [IoSlice::new(bytes)]).collect();
        let remotes: Vec<Option<SockaddrStorage>> = batch.iter().map(|(remote, _)| Some((*remote).into())).collect();
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

/// One socket's reading end: a thread that waits for nothing but the socket.
struct Reader {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    reception: Arc<Reception>,
    stop: Arc<AtomicBool>,
    /// What the kernel has said that it dropped (SO_RXQ_OVFL).
    dropped: u32,
}

impl Reader {
    fn run(mut self) {
        let mut buffers = vec![0_u8; DATAGRAM_MAX * BATCH];
        while !self.stop.load(Ordering::Relaxed) {
            match self.receive(&mut buffers) {
                // Much comes: the next are read together, and those who serve are not disturbed by each.
                Ok(count) if count >= MANY => std::thread::sleep(PAUSE),
                Ok(_) => {}
                // Nothing for a while. An ICMP error of something sent before says nothing about the next datagram.
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => {
                    tracing::debug!(%error, "reading SIP datagrams");
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Waits for one datagram and takes those that are there with it; how many they were.
    fn receive(&mut self, buffers: &mut [u8]) -> Result<usize, Errno> {
        let found = self.receive_into(buffers)?;
        let count = found.len();
        let came = buffers.chunks(DATAGRAM_MAX).zip(found).filter_map(|(buffer, (length, remote))| {
            let remote = remote.filter(|remote| remote.port() != 0)?;
            Some((remote, buffer.get(..length).unwrap_or_default()))
        });
        let refused = self.reception.arrive(Instant::now(), self.local, came);
        for some in refused.chunks(BATCH) {
            send_some(&self.socket, some);
        }
        Ok(count)
    }

    /// Length and sender of what came into each buffer.
    fn receive_into(&mut self, buffers: &mut [u8]) -> Result<Vec<(usize, Option<SocketAddr>)>, Errno> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            buffers.chunks_mut(DATAGRAM_MAX).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let space = nix::cmsg_space!(u32);
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slices.len(), Some(space));
        let flags = MsgFlags::MSG_WAITFORONE;
        let received = recvmmsg(self.socket.as_raw_fd(), &mut headers, slices.iter_mut(), flags, None)?;
        let mut dropped = self.dropped;
        let found = received
            .map(|message| {
                for said in message.cmsgs().into_iter().flatten() {
                    if let ControlMessageOwned::RxqOvfl(count) = said {
                        dropped = count;
                    }
                }
                (message.bytes, message.address.as_ref().and_then(address))
            })
            .collect();
        let lost = dropped.wrapping_sub(self.dropped);
        if lost > 0 {
            self.reception.lost(lost.into());
            self.dropped = dropped;
        }
        Ok(found)
    }
}

fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = of.as_sockaddr_in().map(|v4| SocketAddr::new(v4.ip().into(), v4.port()));
    v4.or_else(|| of.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}
