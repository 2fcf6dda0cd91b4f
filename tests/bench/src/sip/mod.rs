//! SIP as a carrier and many phones speak it, fast: one thread, plain UDP sockets, texts written by hand. SIPp is clean to
//! some 400 calls a second; these are to drive a server beyond what it can do.

pub mod carrier;
pub mod digest;
pub mod emergency;
pub mod flood;
pub mod phones;
pub mod text;

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use anyhow::Context;
use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::time::TimeSpec,
};

/// RFC 3261 §17.1.1.1.
pub const T1: Duration = Duration::from_millis(500);
/// Who has heard nothing for so long gives up: shorter than Timer B, so that a run ends.
pub const GIVE_UP: Duration = Duration::from_secs(8);
/// Datagrams read from one socket before another has its turn.
pub const BURST: usize = 64;

/// A socket of ours on loopback that never blocks; port 0 takes a free one.
pub fn socket(ip: Ipv4Addr, port: u16) -> anyhow::Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, port)).with_context(|| format!("binding {ip}:{port}"))?;
    let of = socket2::SockRef::from(&socket);
    of.set_recv_buffer_size(16 << 20)?;
    of.set_send_buffer_size(16 << 20)?;
    // Beyond the system's limit, where we may.
    let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBufForce, &(16 << 20));
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Up to [`BURST`] datagrams that wait, one by one.
pub fn each(socket: &UdpSocket, buffer: &mut [u8], mut take: impl FnMut(&str, SocketAddr)) -> usize {
    for taken in 0..BURST {
        let Ok((length, from)) = socket.recv_from(buffer) else { return taken };
        if let Ok(text) = std::str::from_utf8(&buffer[..length]) {
            take(text, from);
        }
    }
    BURST
}

/// Waits until one of the sockets has something or it is time.
pub fn wait(sockets: &[&UdpSocket], until: Instant) -> anyhow::Result<()> {
    let mut fds: Vec<PollFd<'_>> =
        sockets.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
    let left = until.saturating_duration_since(Instant::now());
    match ppoll(&mut fds, Some(TimeSpec::from(left)), None) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The value that `share` (0 to 1) of them stay below; `values` are sorted.
pub fn quantile(values: &[u32], share: f64) -> u32 {
    let at = (values.len() as f64 * share) as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(0)
}
