//! The least a relay can do: two sockets a call, what comes in at one goes out at the other.

use std::{
    io::Write,
    net::{SocketAddr, UdpSocket},
    os::fd::AsFd,
    path::Path,
    time::Duration,
};

use anyhow::Context;
use bench::cpu;
use harness::process::{Program, wait_for};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::Subject;

pub fn start(dir: &Path, calls: usize, phones: SocketAddr) -> anyhow::Result<Subject> {
    let mut command = cpu::measured(&std::env::current_exe()?);
    command.args(["forward", &calls.to_string(), &phones.to_string()]);
    let log = dir.join("bare.log");
    let program = Program::start("bare", command, &log)?;
    let ports = wait_for("the bare forwarder's ports", Duration::from_secs(10), || {
        let text = std::fs::read_to_string(&log).ok()?;
        text.ends_with("ready\n").then(|| text.lines().filter_map(|line| line.parse().ok()).collect::<Vec<_>>())
    })?;
    Ok(Subject { pid: program.pid(), to: ports, idle: 0, _program: program, _control: None })
}

/// Runs until killed.
pub fn forward(calls: usize, to: SocketAddr) -> anyhow::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut sockets = Vec::new();
    let mut out = std::io::stdout().lock();
    for token in 0..calls * 2 {
        let socket = UdpSocket::bind("127.0.0.1:0").context("too few open files are allowed: ulimit -n")?;
        socket.set_nonblocking(true)?;
        epoll.add(socket.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, token as u64))?;
        writeln!(out, "{}", socket.local_addr()?)?;
        sockets.push(socket);
    }
    writeln!(out, "ready")?;
    drop(out);
    let mut ready = [EpollEvent::empty(); 256];
    let mut buffer = [0; 2_048];
    loop {
        let count = epoll.wait(&mut ready, EpollTimeout::NONE).unwrap_or(0);
        for event in ready.iter().take(count) {
            let at = event.data() as usize;
            while let Ok(length) = sockets[at].recv(&mut buffer) {
                let _ = sockets[at ^ 1].send_to(&buffer[..length], to);
            }
        }
    }
}
