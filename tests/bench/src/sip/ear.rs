//! What comes back to the generator: a thread for each socket does nothing but read it, so that an answer that was given is
//! an answer that is counted. What the kernel dropped all the same is known ([`dropped`]), and a run in which that
//! matters says nothing about the server.

use std::{
    io::IoSliceMut,
    net::{SocketAddr, UdpSocket},
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use anyhow::Context;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        eventfd::EventFd,
        socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg},
    },
};

/// Datagrams in one system call.
const BATCH: usize = 64;
/// The longest message that anybody here sends, in bytes.
const MESSAGE_MAX: usize = 8_192;
/// Batches that wait for the generator; behind them the kernel's buffer fills.
const BATCHES_MAX: usize = 8_192;
/// How often the thread looks whether it is still wanted.
const LOOK_MS: u16 = 50;

/// One message and its sender.
pub type Heard = (String, SocketAddr);

/// The reading end of a socket.
pub struct Ear {
    heard: Receiver<Vec<Heard>>,
    bell: Arc<EventFd>,
    count: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    /// Reads `socket` from here on.
    pub fn of(socket: &UdpSocket) -> anyhow::Result<Self> {
        let socket = socket.try_clone()?;
        let (tell, heard) = sync_channel(BATCHES_MAX);
        let (bell, stop) = (Arc::new(EventFd::from_flags(nix::sys::eventfd::EfdFlags::EFD_NONBLOCK)?), Arc::default());
        let count: Arc<AtomicU64> = Arc::default();
        let reader =
            Reader { socket, tell, bell: Arc::clone(&bell), count: Arc::clone(&count), stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new().name("ear".into()).spawn(move || reader.run())?;
        Ok(Self { heard, bell, count, stop, thread: Some(thread) })
    }

    /// Hands over what waits; how much it was.
    pub fn each(&self, mut take: impl FnMut(&str, SocketAddr)) -> usize {
        let _ = self.bell.read();
        let mut taken = 0;
        for batch in self.heard.try_iter().take(super::BURST) {
            taken += batch.len();
            batch.iter().for_each(|(text, from)| take(text, *from));
        }
        if taken > 0 {
            // More may wait, for which no bell rings again.
            let _ = self.bell.write(1);
        }
        taken
    }

    /// Messages that were read since the beginning.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl AsFd for Ear {
    /// Readable while something waits.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A thread that waits for room finds nobody who would make some.
        let (_, nobody) = sync_channel(0);
        self.heard = nobody;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Reader {
    socket: UdpSocket,
    tell: SyncSender<Vec<Heard>>,
    bell: Arc<EventFd>,
    count: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Reader {
    fn run(self) {
        let mut buffers = vec![0; MESSAGE_MAX * BATCH];
        while !self.stop.load(Ordering::Relaxed) {
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            let _ = poll(&mut fds, PollTimeout::from(LOOK_MS));
            loop {
                let heard = self.read(&mut buffers);
                let more = heard.len() == BATCH;
                if !heard.is_empty() {
                    self.count.fetch_add(heard.len() as u64, Ordering::Relaxed);
                    if self.tell.send(heard).is_err() {
                        return;
                    }
                    let _ = self.bell.write(1);
                }
                if !more {
                    break;
                }
            }
        }
    }

    fn read(&self, buffers: &mut [u8]) -> Vec<Heard> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            buffers.chunks_mut(MESSAGE_MAX).map(|buffer| [IoSliceMut::new(buffer)]).collect();
        let mut headers = MultiHeaders::<SockaddrIn>::preallocate(slices.len(), None);
        let flags = MsgFlags::MSG_DONTWAIT;
        let Ok(received) = recvmmsg(self.socket.as_raw_fd(), &mut headers, slices.iter_mut(), flags, None) else {
            return Vec::new();
        };
        let found: Vec<(usize, Option<SockaddrIn>)> =
            received.map(|message| (message.bytes, message.address)).collect();
        let text = |(buffer, (length, from)): (&[u8], (usize, Option<SockaddrIn>))| {
            let from = from?;
            let text = String::from_utf8_lossy(buffer.get(..length)?).into_owned();
            Some((text, SocketAddr::from((from.ip(), from.port()))))
        };
        buffers.chunks(MESSAGE_MAX).zip(found).filter_map(text).collect()
    }
}

/// Datagrams that the kernel had no room for in the socket at this address of IPv4, since it was opened.
pub fn dropped(at: SocketAddr) -> anyhow::Result<u64> {
    // The kernel tells its sockets piece by piece, and leaves some out while thousands come and go.
    (1..LOOKS).find_map(|_| look(at).ok()).map_or_else(|| look(at), Ok)
}

/// How often the kernel's list is read before a socket counts as missing.
const LOOKS: u32 = 20;

fn look(at: SocketAddr) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string("/proc/net/udp")?;
    let SocketAddr::V4(at) = at else { anyhow::bail!("{at}: not IPv4") };
    // The address as the processor stores it, and the port, in hexadecimal.
    let wanted = format!("{:08X}:{:04X}", u32::from_ne_bytes(at.ip().octets()), at.port());
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines.find(|fields| fields.get(1) == Some(&wanted.as_str()));
    line.as_ref().and_then(|fields| fields.last()?.parse().ok()).with_context(|| format!("no UDP socket at {at}"))
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    #[test]
    fn what_a_full_socket_drops_is_counted_and_what_is_read_arrives_in_order() {
        let (here, there) = (super::super::socket(Ipv4Addr::LOCALHOST, 0), UdpSocket::bind("127.0.0.1:0"));
        let (here, there) = (here.expect("a socket"), there.expect("a socket"));
        let at = here.local_addr().expect("an address");
        let ear = Ear::of(&here).expect("a thread");
        for n in 0..1_000 {
            there.send_to(n.to_string().as_bytes(), at).expect("sent");
        }
        let mut heard = Vec::new();
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while heard.len() < 1_000 && std::time::Instant::now() < until {
            super::super::wait(&[&ear], until).expect("waited");
            ear.each(|text, _| heard.push(text.to_owned()));
        }
        assert_eq!(heard, (0..1_000).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!((ear.count(), dropped(at).expect("a socket")), (1_000, 0));
        drop(ear);
        socket2::SockRef::from(&here).set_recv_buffer_size(4_096).expect("a small buffer");
        for _ in 0..1_000 {
            there.send_to(&[0; 1_000], at).expect("sent");
        }
        let dropped = dropped(at).expect("a socket");
        assert!((900..1_000).contains(&dropped), "{dropped}");
    }
}
