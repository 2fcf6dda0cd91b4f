//! The sockets of open ports, and how many packets go through few system calls. Two ways in, one face: io_uring with
//! multishot receives (Linux 6.1), and epoll where that is not to be had, as in most containers.

mod poll;
mod ring;
mod sys;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    os::fd::BorrowedFd,
    time::Duration,
};

use media::engine::{PACKET_MAX, Slot};
use tracing::info;

pub use sys::{lower_priority, raise_priority};

/// Larger datagrams are cut to this and then refused.
const DATAGRAM_MAX: usize = PACKET_MAX + 1;
/// Bytes of an address as the kernel writes it (sockaddr_in6).
const NAME_LEN: usize = 28;

/// Which of a port's two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Rtp,
    /// RFC 3550 §11: the next higher number.
    Rtcp,
}

const LANES: [Lane; 2] = [Lane::Rtp, Lane::Rtcp];

/// A received datagram; the buffer is used again and again.
pub struct Packet {
    pub slot: Slot,
    pub lane: Lane,
    pub source: SocketAddr,
    length: usize,
    bytes: [u8; DATAGRAM_MAX],
}

impl Packet {
    pub fn new() -> Self {
        Self {
            slot: Slot { index: 0, generation: 0 },
            lane: Lane::Rtp,
            source: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
            length: 0,
            bytes: [0; DATAGRAM_MAX],
        }
    }

    /// None for what is larger than any packet of ours.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length).filter(|bytes| bytes.len() <= PACKET_MAX)
    }
}

/// Sockets by slot.
#[derive(Default)]
struct Lines {
    all: Vec<[Option<Line>; 2]>,
}

struct Line {
    socket: UdpSocket,
    generation: u32,
    /// The kernel lets in this source alone, and knows where to send.
    locked: Option<SocketAddr>,
}

impl Lines {
    fn insert(&mut self, slot: Slot, lane: Lane, socket: UdpSocket) {
        let index = slot.index as usize;
        if self.all.len() <= index {
            self.all.resize_with(index + 1, || [None, None]);
        }
        if let Some(place) = self.place(slot.index, lane) {
            *place = Some(Line { socket, generation: slot.generation, locked: None });
        }
    }

    fn place(&mut self, index: u32, lane: Lane) -> Option<&mut Option<Line>> {
        let [rtp, rtcp] = self.all.get_mut(index as usize)?;
        Some(match lane {
            Lane::Rtp => rtp,
            Lane::Rtcp => rtcp,
        })
    }

    fn get(&self, slot: Slot, lane: Lane) -> Option<&Line> {
        let [rtp, rtcp] = self.all.get(slot.index as usize)?;
        let line = match lane {
            Lane::Rtp => rtp,
            Lane::Rtcp => rtcp,
        };
        line.as_ref().filter(|line| line.generation == slot.generation)
    }

    fn lock(&mut self, slot: Slot, lane: Lane, to: SocketAddr) {
        if let Some(Some(line)) = self.place(slot.index, lane)
            && line.generation == slot.generation
            && line.socket.connect(to).is_ok()
        {
            line.locked = Some(to);
        }
    }

    fn unlock(&mut self, slot: Slot) {
        for lane in LANES {
            if let Some(Some(line)) = self.place(slot.index, lane)
                && line.generation == slot.generation
                && line.locked.is_some()
                && sys::disconnect(&line.socket).is_ok()
            {
                line.locked = None;
            }
        }
    }
}

/// One of the two ways.
pub enum Wire {
    Ring(Box<ring::Ring>),
    Poll(poll::Poll),
}

impl Wire {
    /// `wake` ends a wait from another thread.
    pub fn new(wake: BorrowedFd<'_>) -> anyhow::Result<Self> {
        match ring::Ring::new(wake) {
            Ok(ring) => {
                info!("packets go through io_uring");
                Ok(Self::Ring(Box::new(ring)))
            }
            Err(error) => {
                info!(%error, "io_uring is not to be had; packets go through epoll");
                Self::polled(wake)
            }
        }
    }

    pub fn polled(wake: BorrowedFd<'_>) -> anyhow::Result<Self> {
        Ok(Self::Poll(poll::Poll::new(wake)?))
    }

    pub fn add(&mut self, slot: Slot, lane: Lane, socket: UdpSocket) -> std::io::Result<()> {
        match self {
            Wire::Ring(ring) => ring.add(slot, lane, socket),
            Wire::Poll(poll) => poll.add(slot, lane, socket),
        }
    }

    /// Closes a slot's sockets.
    pub fn remove(&mut self, slot: Slot) {
        match self {
            Wire::Ring(ring) => ring.remove(slot),
            Wire::Poll(poll) => poll.remove(slot),
        }
    }

    pub fn lock(&mut self, slot: Slot, lane: Lane, to: SocketAddr) {
        match self {
            Wire::Ring(ring) => ring.lines.lock(slot, lane, to),
            Wire::Poll(poll) => poll.lines.lock(slot, lane, to),
        }
    }

    pub fn unlock(&mut self, slot: Slot) {
        match self {
            Wire::Ring(ring) => ring.lines.unlock(slot),
            Wire::Poll(poll) => poll.lines.unlock(slot),
        }
    }

    /// Sends, or keeps for the next wait. False: there is no such socket, or its buffer is full, and the packet is lost,
    /// as the network may lose it.
    pub fn send(&mut self, slot: Slot, lane: Lane, to: SocketAddr, packet: &[u8]) -> bool {
        match self {
            Wire::Ring(ring) => ring.send(slot, lane, to, packet),
            Wire::Poll(poll) => poll.send(slot, lane, to, packet),
        }
    }

    /// Sends what was kept; then waits until about so many packets are there, or the time is over, or another thread
    /// wakes it and no more than one packet is waited for.
    pub fn wait(&mut self, packets: usize, timeout: Duration) {
        match self {
            Wire::Ring(ring) => ring.wait(packets, timeout),
            Wire::Poll(poll) => poll.wait(packets, timeout),
        }
    }

    /// The next packet that is there; false when all were taken.
    pub fn next(&mut self, packet: &mut Packet) -> bool {
        match self {
            Wire::Ring(ring) => ring.next(packet),
            Wire::Poll(poll) => poll.next(packet),
        }
    }
}

/// Reads a sockaddr_in or sockaddr_in6.
fn read_name(name: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = name.split_first_chunk::<2>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => {
            let ip: Ipv4Addr = (*rest.first_chunk::<4>()?).into();
            Some(SocketAddr::new(ip.into(), port))
        }
        libc::AF_INET6 => {
            let ip: Ipv6Addr = (*rest.get(4..)?.first_chunk::<16>()?).into();
            Some(SocketAddr::new(ip.into(), port))
        }
        _ => None,
    }
}

/// Writes one; the second value is its length.
fn write_name(address: SocketAddr) -> ([u8; NAME_LEN], u32) {
    let mut name = [0; NAME_LEN];
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    name[..2].copy_from_slice(&u16::try_from(family).unwrap_or(0).to_ne_bytes());
    name[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address.ip() {
        IpAddr::V4(ip) => {
            name[4..8].copy_from_slice(&ip.octets());
            (name, 16)
        }
        IpAddr::V6(ip) => {
            name[8..24].copy_from_slice(&ip.octets());
            (name, 28)
        }
    }
}

#[cfg(test)]
mod tests;
