//! The way through epoll: one look for many sockets, then a read and a write per packet.

use std::{
    net::{SocketAddr, UdpSocket},
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use anyhow::Context;
use media::engine::{GENERATION_MAX, Slot};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::{LANES, Lane, Lines, Packet};

const READY_MAX: usize = 1_024;
/// Token of the wake-up; sockets have the lane in the topmost bit.
const WAKE: u64 = u64::MAX;

pub struct Poll {
    pub(super) lines: Lines,
    epoll: Epoll,
    ready: Box<[EpollEvent]>,
    /// Of `ready`: how many there are, how many were read.
    count: usize,
    read: usize,
}

impl Poll {
    pub fn new(wake: BorrowedFd<'_>) -> anyhow::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).context("epoll")?;
        // Edge-triggered: each wake-up is seen once, and nobody need read it away.
        epoll.add(wake, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, WAKE)).context("epoll")?;
        let ready = vec![EpollEvent::empty(); READY_MAX].into_boxed_slice();
        Ok(Self { lines: Lines::default(), epoll, ready, count: 0, read: 0 })
    }

    pub fn add(&mut self, slot: Slot, lane: Lane, socket: UdpSocket) -> std::io::Result<()> {
        socket.set_nonblocking(true)?;
        self.epoll.add(socket.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, token(slot, lane)))?;
        self.lines.insert(slot, lane, socket);
        Ok(())
    }

    pub fn remove(&mut self, slot: Slot) {
        for lane in LANES {
            if let Some(line) = self.lines.place(slot.index, lane)
                && let Some(line) = line.take_if(|line| line.generation == slot.generation)
            {
                let _ = self.epoll.delete(line.socket.as_fd());
            }
        }
    }

    pub fn send(&mut self, slot: Slot, lane: Lane, to: SocketAddr, packet: &[u8]) -> bool {
        let Some(line) = self.lines.get(slot, lane) else { return false };
        match line.locked {
            Some(locked) if locked == to => line.socket.send(packet).is_ok(),
            _ => line.socket.send_to(packet, to).is_ok(),
        }
    }

    pub fn wait(&mut self, packets: usize, timeout: Duration) {
        // epoll cannot wait for many: sleep a little, so that a wake-up finds many.
        let rest = if packets > 1 {
            std::thread::sleep(timeout.min(Duration::from_millis(2)));
            EpollTimeout::ZERO
        } else {
            EpollTimeout::try_from(timeout + Duration::from_micros(999)).unwrap_or(EpollTimeout::ZERO)
        };
        self.count = self.epoll.wait(&mut self.ready, rest).unwrap_or(0);
        self.read = 0;
    }

    pub fn next(&mut self, packet: &mut Packet) -> bool {
        while let Some(event) = self.ready.get(self.read).filter(|_| self.read < self.count) {
            self.read += 1;
            let Some((slot, lane)) = place(event.data()) else { continue };
            let Some(line) = self.lines.get(slot, lane) else { continue };
            // An error (ECONNREFUSED after an ICMP message) is taken off the socket by this read.
            if let Ok((length, source)) = line.socket.recv_from(&mut packet.bytes) {
                (packet.slot, packet.lane, packet.source, packet.length) = (slot, lane, source, length);
                return true;
            }
        }
        false
    }
}

/// Lane, generation, index.
fn token(slot: Slot, lane: Lane) -> u64 {
    let lane = u64::from(lane == Lane::Rtcp) << 63;
    lane | u64::from(slot.generation) << 32 | u64::from(slot.index)
}

fn place(token: u64) -> Option<(Slot, Lane)> {
    if token == WAKE {
        return None;
    }
    let lane = if token >> 63 == 1 { Lane::Rtcp } else { Lane::Rtp };
    #[allow(clippy::cast_possible_truncation)]
    let slot = Slot { index: token as u32, generation: (token >> 32) as u32 & GENERATION_MAX };
    Some((slot, lane))
}
