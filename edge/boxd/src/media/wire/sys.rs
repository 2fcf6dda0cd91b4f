//! Three system calls that no safe wrapper offers.
#![allow(unsafe_code)]

use std::{io, net::UdpSocket, os::fd::AsRawFd};

/// Lets a connected UDP socket hear everybody again (connect(2): AF_UNSPEC dissolves the association).
pub fn disconnect(socket: &UdpSocket) -> io::Result<()> {
    let nobody =
        libc::sockaddr { sa_family: libc::sa_family_t::try_from(libc::AF_UNSPEC).unwrap_or(0), sa_data: [0; 14] };
    let length = libc::socklen_t::try_from(size_of::<libc::sockaddr>()).unwrap_or(16);
    // SAFETY: the descriptor is open, the address and its length are those of a local that outlives the call.
    match unsafe { libc::connect(socket.as_raw_fd(), &raw const nobody, length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The calling thread yields to others: recording gives way to audio.
pub fn lower_priority() {
    nice(10);
}

/// The calling thread goes first, where the system allows it (CAP_SYS_NICE).
pub fn raise_priority() {
    nice(-15);
}

fn nice(value: libc::c_int) {
    // SAFETY: plain values; 0 is the calling thread.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, value) };
}
