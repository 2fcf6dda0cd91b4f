//! The line between the branches and the cloud: a UDP relay that can be cut without a word, as a digger does it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context;

/// A datagram of a path with jumbo frames, and more.
const DATAGRAM_MAX: usize = 65_535;
const TURN: Duration = Duration::from_millis(1);
/// Datagrams moved for one socket before the next has its turn.
const BURST: usize = 64;

/// Relays until dropped.
pub struct Wan {
    /// Where boxes connect.
    pub address: String,
    whole: Arc<AtomicBool>,
    going: Arc<AtomicBool>,
    moved: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Wan {
    /// A whole line to `to`, `127.0.0.1:4433`.
    pub fn to(to: &str) -> anyhow::Result<Self> {
        let to: SocketAddr = to.parse().context("an address")?;
        let front = UdpSocket::bind("127.0.0.1:0")?;
        front.set_nonblocking(true)?;
        let address = front.local_addr()?.to_string();
        let (whole, going) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicBool::new(true)));
        let moved = Arc::new(AtomicU64::new(0));
        let relay = Relay { front, to, backs: BTreeMap::new(), whole: whole.clone(), moved: moved.clone() };
        let thread = std::thread::spawn({
            let going = going.clone();
            move || relay.run(&going)
        });
        Ok(Self { address, whole, going, moved, thread: Some(thread) })
    }

    /// From here on nothing arrives, in either direction.
    pub fn cut(&self) {
        self.whole.store(false, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.whole.store(true, Ordering::SeqCst);
    }

    /// Bytes that arrived, both directions.
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::SeqCst)
    }
}

impl Drop for Wan {
    fn drop(&mut self) {
        self.going.store(false, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Relay {
    front: UdpSocket,
    to: SocketAddr,
    /// One socket towards the cloud per box's address.
    backs: BTreeMap<SocketAddr, UdpSocket>,
    whole: Arc<AtomicBool>,
    moved: Arc<AtomicU64>,
}

impl Relay {
    fn run(mut self, going: &AtomicBool) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        while going.load(Ordering::SeqCst) {
            let busy = self.up(&mut buffer) | self.down(&mut buffer);
            if !busy {
                std::thread::sleep(TURN);
            }
        }
    }

    fn up(&mut self, buffer: &mut [u8]) -> bool {
        for n in 0..BURST {
            let Some((length, from)) = received(&self.front, buffer) else { return n > 0 };
            if let Entry::Vacant(vacant) = self.backs.entry(from) {
                let Ok(back) = UdpSocket::bind("127.0.0.1:0") else { continue };
                let _ = back.set_nonblocking(true);
                vacant.insert(back);
            }
            if let Some(back) = self.backs.get(&from).filter(|_| self.whole.load(Ordering::SeqCst)) {
                self.moved.fetch_add(length as u64, Ordering::SeqCst);
                let _ = back.send_to(&buffer[..length], self.to);
            }
        }
        true
    }

    fn down(&mut self, buffer: &mut [u8]) -> bool {
        let mut busy = false;
        for (box_at, back) in &self.backs {
            for _ in 0..BURST {
                let Some((length, _)) = received(back, buffer) else { break };
                busy = true;
                if self.whole.load(Ordering::SeqCst) {
                    self.moved.fetch_add(length as u64, Ordering::SeqCst);
                    let _ = self.front.send_to(&buffer[..length], box_at);
                }
            }
        }
        busy
    }
}

/// None when nothing waits. A port that nobody listens on gives an error for each datagram sent to it: read on.
fn received(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buffer) {
            Ok(received) => return Some(received),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_line_carries_nothing_and_a_mended_one_does_again() {
        let cloud = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let wan = Wan::to(&cloud.local_addr().expect("bound").to_string()).expect("a line");
        let branch = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let patience = Duration::from_millis(500);
        cloud.set_read_timeout(Some(patience)).expect("a timeout");
        branch.set_read_timeout(Some(patience)).expect("a timeout");
        let mut buffer = [0; 16];
        branch.send_to(b"one", &wan.address).expect("sent");
        let (_, back) = cloud.recv_from(&mut buffer).expect("arrived");
        cloud.send_to(b"two", back).expect("sent");
        branch.recv_from(&mut buffer).expect("answered");
        wan.cut();
        branch.send_to(b"lost", &wan.address).expect("sent");
        assert!(cloud.recv_from(&mut buffer).is_err(), "a cut line carried something");
        wan.mend();
        branch.send_to(b"three", &wan.address).expect("sent");
        let (length, _) = cloud.recv_from(&mut buffer).expect("arrived");
        assert_eq!(&buffer[..length], b"three");
        assert_eq!(wan.moved(), 11);
    }
}
