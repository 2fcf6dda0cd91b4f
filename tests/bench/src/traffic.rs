//! RTP as many phones send it: each stream a packet of 20 ms G.711, evenly spread over the 20 ms. One socket speaks for
//! all of them, so that the generator costs little; each packet carries the time it left. Who listens looks once a
//! millisecond, and takes the kernel's word for when a packet came: a relay that sends to phones in a network does not
//! wake a sleeping thread with each packet, and is not to pay for one here.

use std::{
    io::{IoSlice, IoSliceMut},
    net::{SocketAddr, SocketAddrV4, UdpSocket},
    os::fd::AsRawFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use nix::sys::{
    socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg, setsockopt, sockopt},
    time::TimeSpec,
};

use crate::cpu;

const FRAME: Duration = Duration::from_millis(20);
const PACKET_LEN: usize = 172;
/// Milliseconds of a frame; in each, its share of the streams has its turn.
const TURNS: u32 = 20;
const BATCH: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What a span of traffic showed.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub sent: u64,
    pub received: u64,
    /// Microseconds under way, of every packet, sorted.
    pub latency_us: Vec<u32>,
}

impl Seen {
    pub fn lost(&self) -> u64 {
        self.sent.saturating_sub(self.received)
    }

    /// Microseconds that `share` (0 to 1) of the packets stayed below.
    pub fn quantile(&self, share: f64) -> u32 {
        let at = (self.latency_us.len() as f64 * share) as usize;
        self.latency_us.get(at.min(self.latency_us.len().saturating_sub(1))).copied().unwrap_or(0)
    }
}

/// The one socket of all phones.
pub struct Phones {
    socket: UdpSocket,
    pub addr: SocketAddr,
}

impl Phones {
    pub fn new() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0").context("the phones' socket")?;
        let of = socket2::SockRef::from(&socket);
        of.set_recv_buffer_size(16 << 20)?;
        of.set_send_buffer_size(16 << 20)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        let addr = socket.local_addr()?;
        Ok(Self { socket, addr })
    }

    /// Talks into every address of `to` for `lead` and then for `span`, and reports the latter. `mark` is called at its
    /// beginning and at its end, which is late where the generator itself cannot keep up.
    pub fn talk(
        &self,
        to: &[SocketAddr],
        lead: Duration,
        span: Duration,
        mut mark: impl FnMut(),
    ) -> anyhow::Result<Seen> {
        let (start, started) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
        let (begin, end) = (lead, lead + span);
        let going = AtomicBool::new(true);
        let sent = AtomicU64::new(0);
        let heard = Arc::new(Mutex::new(Vec::new()));
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let listener = scope.spawn(|| self.listen(started, begin, end, &going, &heard));
            let talker = scope.spawn(|| self.send_all(start, begin, end, to, &sent));
            std::thread::sleep(lead);
            mark();
            talker.join().map_err(|_| anyhow::anyhow!("the talker panicked"))??;
            mark();
            // What is under way arrives within this time or not at all.
            std::thread::sleep(Duration::from_millis(500));
            going.store(false, Ordering::SeqCst);
            listener.join().map_err(|_| anyhow::anyhow!("the listener panicked"))?
        })?;
        let mut latency_us = std::mem::take(&mut *heard.lock().map_err(|_| anyhow::anyhow!("poisoned"))?);
        latency_us.sort_unstable();
        Ok(Seen { sent: sent.into_inner(), received: latency_us.len() as u64, latency_us })
    }

    fn send_all(
        &self,
        start: Instant,
        begin: Duration,
        end: Duration,
        to: &[SocketAddr],
        sent: &AtomicU64,
    ) -> anyhow::Result<()> {
        cpu::stay_on(cpu::TRAFFIC_CORE)?;
        let to: Vec<SockaddrIn> = to
            .iter()
            .map(|addr| match addr {
                SocketAddr::V4(addr) => Ok(SockaddrIn::from(SocketAddrV4::new(*addr.ip(), addr.port()))),
                SocketAddr::V6(_) => Err(anyhow::anyhow!("IPv4 only")),
            })
            .collect::<anyhow::Result<_>>()?;
        let share = to.len().div_ceil(TURNS as usize).max(1);
        for frame in 0_u32.. {
            for (turn, group) in (0_u32..).zip(to.chunks(share)) {
                let due = FRAME * frame + FRAME * turn / TURNS;
                if due >= end {
                    return Ok(());
                }
                if let Some(wait) = due.checked_sub(start.elapsed()) {
                    std::thread::sleep(wait);
                }
                for batch in group.chunks(BATCH) {
                    send_batch(&self.socket, start, due, frame, batch)?;
                }
                if due >= begin {
                    sent.fetch_add(group.len() as u64, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    /// `started` is the beginning by the wall's clock, which the kernel stamps packets with.
    fn listen(
        &self,
        started: Duration,
        begin: Duration,
        end: Duration,
        going: &AtomicBool,
        heard: &Mutex<Vec<u32>>,
    ) -> anyhow::Result<()> {
        cpu::stay_on(cpu::TRAFFIC_CORE)?;
        let mut found = Vec::new();
        while going.load(Ordering::SeqCst) {
            let mut buffers = [[0_u8; 256]; BATCH];
            let mut slices: Vec<[IoSliceMut<'_>; 1]> =
                buffers.iter_mut().map(|buffer| [IoSliceMut::new(buffer)]).collect();
            let mut headers = MultiHeaders::<SockaddrIn>::preallocate(BATCH, Some(nix::cmsg_space!(TimeSpec)));
            let flags = MsgFlags::MSG_DONTWAIT;
            let got: Vec<(usize, Option<Duration>)> =
                match recvmmsg(self.socket.as_raw_fd(), &mut headers, slices.iter_mut(), flags, None) {
                    Ok(got) => got.map(|message| (message.bytes, message.cmsgs().ok().and_then(stamp))).collect(),
                    Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => Vec::new(),
                    Err(error) => return Err(error).context("the phones' socket"),
                };
            for (buffer, (length, arrived)) in buffers.iter().zip(&got) {
                // A frame's due time decides whether it counts, on both sides alike.
                let Some(stamp) = buffer.get(12..28).filter(|_| *length == PACKET_LEN) else { continue };
                let (due, left) = stamp.split_at(8);
                let (due, left) = (nanoseconds(due), nanoseconds(left));
                let arrived = arrived.context("a packet without the kernel's time")?.saturating_sub(started);
                if due >= begin && due < end {
                    found.push(u32::try_from(arrived.saturating_sub(left).as_micros()).unwrap_or(u32::MAX));
                }
            }
            if got.len() < BATCH {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        *heard.lock().map_err(|_| anyhow::anyhow!("poisoned"))? = found;
        Ok(())
    }
}

fn stamp(mut messages: impl Iterator<Item = ControlMessageOwned>) -> Option<Duration> {
    messages.find_map(|message| match message {
        ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
        _ => None,
    })
}

fn nanoseconds(bytes: &[u8]) -> Duration {
    Duration::from_nanos(bytes.try_into().map_or(0, u64::from_be_bytes))
}

fn send_batch(socket: &UdpSocket, start: Instant, due: Duration, frame: u32, to: &[SockaddrIn]) -> anyhow::Result<()> {
    let mut packet = [0xFF_u8; PACKET_LEN];
    packet[0] = 0x80;
    packet[1] = 0;
    packet[2..4].copy_from_slice(&(frame as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&frame.wrapping_mul(160).to_be_bytes());
    packet[8..12].copy_from_slice(&0x4252_4348_u32.to_be_bytes());
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).to_be_bytes();
    packet[12..20].copy_from_slice(&nanos(due));
    packet[20..28].copy_from_slice(&nanos(start.elapsed()));
    let slices: Vec<[IoSlice<'_>; 1]> = to.iter().map(|_| [IoSlice::new(&packet)]).collect();
    let addrs: Vec<Option<SockaddrIn>> = to.iter().copied().map(Some).collect();
    let mut headers = MultiHeaders::preallocate(to.len(), None);
    let count = sendmmsg(socket.as_raw_fd(), &mut headers, slices.iter(), &addrs, [], MsgFlags::empty())?.count();
    anyhow::ensure!(count == to.len(), "the generator's own socket is full");
    Ok(())
}
