//! `boxd run`: starts *media*, *calls* and *sync*, restarts what dies, and writes the health file. It decides nothing
//! about calls; when it is asked to stop it asks its children to stop and waits for them.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use ledger::BranchKey;
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};
use tracing::{error, info, warn};

use crate::{
    config::BoxConfig,
    health::{self, Health, ProcessHealth},
    keys,
    lab::night::Night,
    probe, recording,
};

/// First wait before a restart; doubled up to `BACK_OFF_MAX`, forgotten after `CALM`.
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(5);
const CALM: Duration = Duration::from_secs(30);
/// A child that has not ended this long after SIGTERM is killed.
const GRACE: Duration = Duration::from_secs(10);
/// From one try of a vault that did not open to the next.
const KEY_AGAIN: Duration = Duration::from_secs(60);
const HEALTH_EVERY: Duration = Duration::from_secs(2);

struct Watched {
    name: &'static str,
    child: Option<Child>,
    started: Instant,
    restarts: u32,
    back_off: Duration,
    due: Instant,
}

impl Watched {
    fn new(name: &'static str) -> Self {
        let now = Instant::now();
        Self { name, child: None, started: now, restarts: 0, back_off: BACK_OFF_MIN, due: now }
    }

    /// The branch key goes with it, over its standard input, which is empty where there is none: who is started again needs
    /// neither the disk nor a chip for it, and no process but this one waits for a chip.
    fn start(&mut self, program: &Path, config: &Path, key: Option<&BranchKey>) -> anyhow::Result<()> {
        let mut child = Command::new(program)
            .arg(self.name)
            .arg("--config")
            .arg(config)
            .arg("--key-on-stdin")
            .stdin(if key.is_some() { Stdio::piped() } else { Stdio::null() })
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the {} process", self.name))?;
        if let (Some(key), Some(stdin)) = (key, child.stdin.take()) {
            // A pipe takes 32 bytes at once.
            let stdin = stdin.into_owned_fd().context("a pipe")?;
            std::fs::File::from(stdin).write_all(key.bytes()).context("the key cannot be handed over")?;
        }
        info!(process = self.name, pid = child.id(), "started");
        self.started = Instant::now();
        self.child = Some(child);
        Ok(())
    }

    /// Notices an end; says when to try again.
    fn check(&mut self) {
        let Some(child) = self.child.as_mut() else { return };
        match child.try_wait() {
            Ok(None) => {
                if self.started.elapsed() > CALM {
                    self.back_off = BACK_OFF_MIN;
                }
            }
            Ok(Some(status)) => self.ended(&status.to_string()),
            Err(error) => self.ended(&error.to_string()),
        }
    }

    fn ended(&mut self, how: &str) {
        warn!(process = self.name, how, restart_in = ?self.back_off, "process ended");
        self.child = None;
        self.restarts = self.restarts.saturating_add(1);
        self.due = Instant::now() + self.back_off;
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
    }

    fn health(&self) -> ProcessHealth {
        ProcessHealth {
            pid: self.child.as_ref().and_then(Child::id),
            restarts: self.restarts,
            up_s: if self.child.is_some() { self.started.elapsed().as_secs() } else { 0 },
        }
    }
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(config_file: PathBuf, config: BoxConfig) -> anyhow::Result<()> {
    let _alone = keys::alone(&config.run)?.context("the box runs already, or its key is being changed")?;
    prepare(&config)?;
    let mut opening = Opening::new(&config);
    let mut key = opening.now();
    let program = std::env::current_exe().context("cannot find the program's own file")?;
    let mut children = vec![Watched::new("media"), Watched::new("calls")];
    if config.cloud.is_some() {
        children.push(Watched::new("sync"));
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (seen_in, seen) = tokio::sync::watch::channel(probe::Seen::default());
    tokio::spawn(probe::run(config.clone(), seen_in));
    let mut health_due = Instant::now();
    let mut told_ready = false;
    let mut night = Night::new(&config);
    loop {
        for child in &mut children {
            child.check();
            if child.child.is_none()
                && child.due <= Instant::now()
                && let Err(error) = child.start(&program, &config_file, key.as_ref())
            {
                error!("{error:#}");
                child.ended("did not start");
            }
        }
        if key.is_none()
            && let Some(opened) = opening.later(seen.borrow().calls)
        {
            info!("the branch key opens: all processes begin anew with it");
            key = Some(opened);
            end(&mut children).await;
            children.iter_mut().for_each(|child| child.due = Instant::now());
        }
        night.look(&program, &config_file);
        if health_due <= Instant::now() {
            health_due = Instant::now() + HEALTH_EVERY;
            let health = health_of(&children, seen.borrow().clone());
            if let Err(error) = health::write(&config.health_file(), &health) {
                warn!(%error, "the health file cannot be written");
            }
            if health.checks.registrar && !told_ready {
                told_ready = true;
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
                info!("ready: the registrar answers");
            }
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = sleep(Duration::from_millis(50)) => {}
        }
    }
    stop(&mut children).await;
    Ok(())
}

/// The key, when the vault opens: calls go on without it meanwhile, nothing is recorded, and the book is a spare one.
struct Opening {
    config: BoxConfig,
    trying: Option<std::sync::mpsc::Receiver<anyhow::Result<BranchKey>>>,
    opened: Option<BranchKey>,
    again: Instant,
}

impl Opening {
    fn new(config: &BoxConfig) -> Self {
        Self { config: config.clone(), trying: None, opened: None, again: Instant::now() }
    }

    fn now(&mut self) -> Option<BranchKey> {
        self.again = Instant::now() + KEY_AGAIN;
        match self.config.keys.load_or_create() {
            Ok(key) => {
                self.tell_of_shares(&key);
                Some(key)
            }
            Err(error) => {
                error!("{error:#}; calls go on, and nothing is recorded until it opens");
                None
            }
        }
    }

    /// Tried in the background now and then; once it opens, handed out at a moment without calls.
    fn later(&mut self, calls: u32) -> Option<BranchKey> {
        if self.trying.is_none() && self.opened.is_none() && self.again <= Instant::now() {
            let (said, says) = std::sync::mpsc::channel();
            let keys = self.config.keys.clone();
            std::thread::spawn(move || said.send(keys.load_or_create()));
            self.trying = Some(says);
        }
        if let Some(tried) = self.trying.as_ref().and_then(|says| says.try_recv().ok()) {
            self.trying = None;
            self.again = Instant::now() + KEY_AGAIN;
            match tried {
                Ok(key) => self.opened = Some(key),
                Err(error) => warn!("{error:#}"),
            }
        }
        self.opened.take_if(|_| calls == 0)
    }

    fn tell_of_shares(&self, key: &BranchKey) {
        match keys::shared(&self.config, key) {
            Ok(Some(made)) => info!(need = made.need, of = made.of, "the branch key has been given out in shares"),
            Ok(None) => {
                warn!(
                    "if this machine is lost, nobody opens its recordings: `boxd key split` makes shares of their key"
                );
            }
            Err(error) => warn!("{error:#}"),
        }
    }
}

fn prepare(config: &BoxConfig) -> anyhow::Result<()> {
    for folder in [&config.data, &config.run, &config.recordings(), &config.identity()] {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    // A box with the old key goes on in calls; what cannot be opened is said where it is needed.
    match recording::Rekey::interrupted(config) {
        Ok(Some(rekey)) => match rekey.finish() {
            Ok(done) => info!(?done, "the change of the branch key was finished"),
            Err(error) => error!("the change of the branch key cannot be finished: {error:#}"),
        },
        Ok(None) => {}
        Err(error) => error!("the change of the branch key cannot be finished: {error:#}"),
    }
    check(config)
}

/// What the file names and a box cannot do without is there.
pub fn check(config: &BoxConfig) -> anyhow::Result<()> {
    let prompts = &config.prompts;
    anyhow::ensure!(
        prompts.is_dir(),
        "prompts: {} is not a folder; `deploy/prompts/make {}` speaks a first set",
        prompts.display(),
        prompts.display()
    );
    // A box without a voice is a box all the same.
    match config.speech.as_deref().map(crate::media::voice_of) {
        Some(Ok(voice)) => info!(voice, "the box can say words"),
        Some(Err(error)) => warn!("speech.program: {error:#}; flows' words are left out"),
        None => {}
    }
    Ok(())
}

fn health_of(children: &[Watched], seen: probe::Seen) -> Health {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let processes: BTreeMap<_, _> = children.iter().map(|child| (child.name.to_owned(), child.health())).collect();
    let emergency = seen.help.unwrap_or_else(|| "unknown".into());
    Health {
        at,
        version: env!("CARGO_PKG_VERSION").into(),
        processes,
        checks: seen.checks,
        calls: seen.calls,
        emergency,
        alone: seen.alone,
    }
}

async fn stop(children: &mut [Watched]) {
    info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    end(children).await;
}

async fn end(children: &mut [Watched]) {
    for child in children.iter().rev() {
        if let Some(pid) = child.child.as_ref().and_then(Child::id).and_then(|pid| i32::try_from(pid).ok()) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
    }
    for watched in children {
        if let Some(child) = watched.child.as_mut()
            && timeout(GRACE, child.wait()).await.is_err()
        {
            warn!(process = watched.name, "did not stop in time and is killed");
            let _ = child.kill().await;
        }
    }
}

/// Ties a child's life to its supervisor's: called by each process at its start.
pub fn die_with_parent() {
    if let Err(error) = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM) {
        warn!(%error, "the process will outlive its supervisor");
    }
}
