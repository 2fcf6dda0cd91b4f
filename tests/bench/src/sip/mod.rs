//! SIP as a carrier and many phones speak it, fast: one thread that speaks and one for each socket that listens, plain UDP,
//! texts written by hand. SIPp is clean to some 400 calls a second; these are to drive a server beyond what it can do.

pub mod carrier;
pub mod digest;
pub mod ear;
pub mod emergency;
pub mod flood;
pub mod phones;
pub mod secure;
pub mod seen;
pub mod text;

use std::{
    net::{Ipv4Addr, UdpSocket},
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
/// In bytes: seconds of answers from the fastest server.
const RECEIVE_BUFFER: usize = 64 << 20;
/// Batches of datagrams taken from one ear before another has its turn.
const BURST: usize = 4;

/// A socket of ours on loopback that never blocks; port 0 takes a free one.
pub fn socket(ip: Ipv4Addr, port: u16) -> anyhow::Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, port)).with_context(|| format!("binding {ip}:{port}"))?;
    let of = socket2::SockRef::from(&socket);
    of.set_recv_buffer_size(RECEIVE_BUFFER)?;
    of.set_send_buffer_size(16 << 20)?;
    // Beyond the system's limit, where we may.
    let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBufForce, &RECEIVE_BUFFER);
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Waits until one of the ears has something or it is time.
pub fn wait(ears: &[&ear::Ear], until: Instant) -> anyhow::Result<()> {
    let mut fds: Vec<PollFd<'_>> = ears.iter().map(|ear| PollFd::new(ear.as_fd(), PollFlags::POLLIN)).collect();
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
