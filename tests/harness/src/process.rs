//! Starting, watching and ending programs; free ports; waiting.

use std::{
    fs::File,
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// A program of ours or a real part; killed when dropped.
pub struct Program {
    pub name: String,
    child: Child,
    pub log: PathBuf,
}

impl Program {
    /// Starts `command` with its output in `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let out = File::options().create(true).append(true).open(log).with_context(|| format!("{}", log.display()))?;
        let err = out.try_clone()?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name: name.into(), child, log: log.into() })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end; the exit code.
    pub fn wait(&mut self, patience: Duration) -> anyhow::Result<i32> {
        until(patience, || self.child.try_wait().ok().flatten())
            .map(|status| status.code().unwrap_or(-1))
            .with_context(|| format!("{} did not end within {patience:?}", self.name))
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX));
        let _ = nix::sys::signal::kill(pid, signal);
    }

    /// SIGTERM, then SIGKILL after five seconds.
    pub fn stop(&mut self) {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        if self.wait(Duration::from_secs(5)).is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }

    /// The last lines of the log, for a failure's message.
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.stop();
    }
}

/// kill -9 by process id.
pub fn kill_hard(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
}

/// Looks every 20 ms until there is something or patience ends.
pub fn until<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if start.elapsed() >= patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Like [`until`], with an error that says what did not come about.
pub fn wait_for<T>(what: &str, patience: Duration, look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    until(patience, look).with_context(|| format!("{what}: not within {patience:?}"))
}

static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A port of 127.0.0.1 that is free for UDP and TCP, together with the `count - 1` above it; even.
pub fn free_ports(count: u16) -> u16 {
    let start = 21_000 + (u16::try_from(std::process::id() % 160).unwrap_or(0)) * 200;
    for _ in 0..400 {
        let step = count + count % 2;
        let at = start + NEXT_PORT.fetch_add(step, Ordering::Relaxed) % 9_000;
        let port = at - at % 2;
        let free = (port..port + count)
            .all(|port| UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok());
        if free {
            return port;
        }
    }
    panic!("no free ports on 127.0.0.1");
}

/// One of our own programs, built beside the one that runs.
pub fn ours(name: &str) -> anyhow::Result<PathBuf> {
    let exe = std::env::current_exe()?;
    for folder in exe.ancestors().skip(1).take(3) {
        let candidate = folder.join(name);
        if candidate.is_file() {
            return Ok(candidate);
        }
    }
    bail!("{name} is not built: run `cargo build --workspace` first")
}

/// Runs a helper program to its end and returns what it printed.
pub fn output(program: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(args).output().with_context(|| format!("{}", program.display()))?;
    if !output.status.success() {
        bail!("{} {}: {}", program.display(), args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
