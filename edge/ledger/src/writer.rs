//! The one thread of a process that writes. Batches that arrive close together share a transaction (group commit);
//! a callback runs after the disk has it. While the disk refuses, batches stay in memory, in order, and are tried
//! again; callers are told at once and are never made to wait.

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use model::Epoch;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{
    apply::{self, apply},
    batch::{Batch, Committed},
    customers,
    error::{Error, World},
    key::BranchKey,
    life,
    open::Options,
    outbox,
};

/// Rows in one transaction.
const GROUP_ROWS_MAX: usize = 5_000;
/// Between two tries while the disk refuses.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);

type Done = Box<dyn FnOnce(Result<Committed, Error>) + Send>;

enum Work {
    Write(Box<Batch>),
    NewEpoch,
    Watermark { epoch: Epoch, seq: u64 },
}

struct Job {
    work: Work,
    /// Given up when the disk refuses, for whoever asked takes it for not done.
    once: bool,
    /// None when the caller was already told that the disk refuses.
    done: Option<Done>,
}

enum Command {
    Do(Job),
    Close(mpsc::SyncSender<()>),
}

/// How the writer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pressure {
    /// Why the last transaction failed; None when it went well.
    pub failing: Option<World>,
    /// Batches and rows that are held in memory since.
    pub kept_batches: usize,
    pub kept_rows: usize,
}

/// Hands batches to the writer thread. Cheap to clone.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::SyncSender<Command>,
    queue_max: usize,
    pressure: Arc<Mutex<Pressure>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("pressure", &self.pressure()).finish_non_exhaustive()
    }
}

/// The answer to a batch, once it is durable or refused.
#[derive(Debug)]
#[must_use = "a batch is durable only when it says so"]
pub struct Pending(mpsc::Receiver<Result<Committed, Error>>);

impl Pending {
    /// Blocks until the answer is there.
    pub fn wait(self) -> Result<Committed, Error> {
        self.0.recv().unwrap_or(Err(Error::Closed))
    }

    /// Blocks for at most this long; None when there is no answer yet.
    pub fn wait_for(&self, time: Duration) -> Option<Result<Committed, Error>> {
        match self.0.recv_timeout(time) {
            Ok(answer) => Some(answer),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => Some(Err(Error::Closed)),
        }
    }
}

impl Writer {
    pub(crate) fn start(db: Connection, path: PathBuf, key: BranchKey, options: Options) -> Writer {
        let (queue, commands) = mpsc::sync_channel(options.queue_max);
        let pressure = Arc::new(Mutex::new(Pressure::default()));
        let shared = Arc::clone(&pressure);
        let machine = Machine { db, path, key, options, pressure: shared, kept: Vec::new(), sweeping: true };
        // The thread ends when the last clone of the writer is gone, or at `close`.
        let spawned = thread::Builder::new().name("ledger".into()).spawn(move || {
            // The machine, and the file with it, is closed before anybody is told.
            if let Some(ended) = machine.run(&commands) {
                ended.send(()).ok();
            }
        });
        if let Err(error) = spawned {
            // Without its thread every batch is answered with `Closed`.
            tracing::error!(%error, "the ledger's writer could not start");
        }
        Writer { queue, queue_max: options.queue_max, pressure }
    }

    /// Queues a batch and returns at once.
    pub fn submit(&self, batch: Batch) -> Pending {
        self.pending(Work::Write(Box::new(batch)), false)
    }

    /// The same, but while the disk refuses the batch is given up, and nothing of it is written later: for what is told to
    /// have failed then.
    pub fn submit_once(&self, batch: Batch) -> Pending {
        self.pending(Work::Write(Box::new(batch)), true)
    }

    /// Queues a batch and returns at once. `done` runs on the writer's thread after the disk has the batch, in the
    /// order of submission, or here when the batch is refused at the door. It must be short.
    pub fn submit_then(&self, batch: Batch, done: impl FnOnce(Result<Committed, Error>) + Send + 'static) {
        self.send(Work::Write(Box::new(batch)), false, Box::new(done));
    }

    pub fn pressure(&self) -> Pressure {
        *self.pressure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new_epoch(&self) -> Pending {
        self.pending(Work::NewEpoch, true)
    }

    pub(crate) fn set_watermark(&self, epoch: Epoch, seq: u64) -> Pending {
        self.pending(Work::Watermark { epoch, seq }, true)
    }

    pub(crate) fn close(&self) {
        let (ended, wait) = mpsc::sync_channel(1);
        if self.queue.send(Command::Close(ended)).is_ok() {
            wait.recv().ok();
        }
    }

    fn pending(&self, work: Work, once: bool) -> Pending {
        let (answer, pending) = mpsc::sync_channel(1);
        // The caller may have dropped it.
        self.send(work, once, Box::new(move |result| drop(answer.send(result))));
        Pending(pending)
    }

    fn send(&self, work: Work, once: bool, done: Done) {
        if let Work::Write(batch) = &work
            && let Err(error) = batch.check()
        {
            return done(Err(error));
        }
        let refused = match self.queue.try_send(Command::Do(Job { work, once, done: Some(done) })) {
            Ok(()) => return,
            Err(mpsc::TrySendError::Full(command)) => (command, Error::Full { max: self.queue_max }),
            Err(mpsc::TrySendError::Disconnected(command)) => (command, Error::Closed),
        };
        if let (Command::Do(Job { done: Some(done), .. }), error) = refused {
            done(Err(error));
        }
    }
}

struct Machine {
    db: Connection,
    path: PathBuf,
    key: BranchKey,
    options: Options,
    pressure: Arc<Mutex<Pressure>>,
    /// Batches whose transaction failed, oldest first.
    kept: Vec<Job>,
    /// Acknowledged outbox rows may still be there, or records that the index of customers does not know.
    sweeping: bool,
}

impl Machine {
    fn run(mut self, commands: &mpsc::Receiver<Command>) -> Option<mpsc::SyncSender<()>> {
        let mut retry = RETRY_MIN;
        loop {
            let first = if self.kept.is_empty() && !self.sweeping {
                commands.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected)
            } else {
                commands.recv_timeout(if self.kept.is_empty() { Duration::ZERO } else { retry })
            };
            let (jobs, close) = match first {
                Ok(command) => self.gather(command, commands),
                Err(mpsc::RecvTimeoutError::Timeout) => (Vec::new(), None),
                Err(mpsc::RecvTimeoutError::Disconnected) => (Vec::new(), Some(None)),
            };
            let fine = self.write(jobs);
            retry = if fine { RETRY_MIN } else { retry.saturating_mul(2).min(RETRY_MAX) };
            if let Some(ended) = close {
                return ended;
            }
            if fine {
                self.sweep();
            }
        }
    }

    /// Everything that arrives while the group is open.
    #[allow(clippy::type_complexity, reason = "the outer option says close, the inner one whom to tell")]
    fn gather(
        &self,
        first: Command,
        commands: &mpsc::Receiver<Command>,
    ) -> (Vec<Job>, Option<Option<mpsc::SyncSender<()>>>) {
        let until = Instant::now() + self.options.group;
        let (mut jobs, mut rows, mut next) = (Vec::new(), 0_usize, Some(first));
        while let Some(command) = next {
            match command {
                Command::Close(ended) => return (jobs, Some(Some(ended))),
                Command::Do(job) => {
                    rows = rows.saturating_add(job.rows());
                    jobs.push(job);
                }
            }
            if rows >= GROUP_ROWS_MAX {
                break;
            }
            next = commands.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
        }
        (jobs, None)
    }

    /// One transaction over what was kept and what is new. Returns whether the disk took it.
    fn write(&mut self, new: Vec<Job>) -> bool {
        let mut jobs = std::mem::take(&mut self.kept);
        jobs.extend(new);
        if jobs.is_empty() {
            return true;
        }
        match self.transact(&jobs) {
            Ok(answers) => {
                self.remember_life();
                self.report(None);
                for (job, answer) in jobs.into_iter().zip(answers) {
                    self.sweeping |= matches!(job.work, Work::Watermark { .. });
                    job.tell(answer);
                }
                true
            }
            Err(Error::World { cause, .. }) => {
                self.keep(jobs, cause);
                false
            }
            Err(error) => {
                for job in jobs {
                    job.tell(Err(self.named(error.clone())));
                }
                false
            }
        }
    }

    /// An error of one job is that job's answer; an error of the world is everybody's.
    fn transact(&mut self, jobs: &[Job]) -> Result<Vec<Result<Committed, Error>>, Error> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut answers = Vec::with_capacity(jobs.len());
        let mut erased = false;
        for job in jobs {
            transaction.prepare_cached("SAVEPOINT job")?.execute([])?;
            let answer = perform(&transaction, &self.key, &job.work);
            match &answer {
                Err(Error::World { .. } | Error::Damaged { .. }) => return Err(answer.err().unwrap_or(Error::Closed)),
                Err(_) => transaction.execute_batch("ROLLBACK TO job; RELEASE job")?,
                Ok(_) => {
                    transaction.prepare_cached("RELEASE job")?.execute([])?;
                }
            }
            erased |= matches!(&job.work, Work::Write(batch) if !batch.erase.is_empty());
            answers.push(answer);
        }
        transaction.commit()?;
        if erased {
            apply::scrub(&self.db);
        }
        Ok(answers)
    }

    fn keep(&mut self, jobs: Vec<Job>, cause: World) {
        let mut rows = 0_usize;
        for mut job in jobs {
            rows = rows.saturating_add(job.rows());
            let kept = matches!(job.work, Work::Write(_)) && !job.once && rows <= self.options.kept_rows_max;
            if let Some(done) = job.done.take() {
                done(Err(Error::World { cause, kept }));
            } else if !kept {
                tracing::error!(rows = job.rows(), "a batch was given up because too many wait for the disk");
            }
            if kept {
                self.kept.push(job);
            }
        }
        self.report(Some(cause));
    }

    fn report(&self, failing: Option<World>) {
        let kept_rows = self.kept.iter().map(Job::rows).sum();
        let now = Pressure { failing, kept_batches: self.kept.len(), kept_rows };
        let before = std::mem::replace(&mut *self.pressure.lock().unwrap_or_else(PoisonError::into_inner), now);
        match (before.failing, failing) {
            (None, Some(cause)) => tracing::error!(?cause, "the ledger cannot be written; facts are kept in memory"),
            (Some(_), None) => tracing::info!(rows = before.kept_rows, "the ledger can be written again"),
            _ => {}
        }
    }

    fn remember_life(&self) {
        let written = life::current(&self.db).map(|life| life.map(|life| life.write(&self.path, false)));
        if let Ok(Some(Err(error))) = written {
            tracing::warn!(%error, "the life file could not be written");
        }
    }

    /// A bounded step of deleting what the cloud has, and of looking at older records.
    fn sweep(&mut self) {
        if self.sweeping {
            // A failure leaves rows that the next watermark sweeps.
            let outbox = outbox::sweep(&self.db).unwrap_or(false);
            self.sweeping = customers::look_at_older(&self.db, &self.key).unwrap_or(false) || outbox;
        }
    }

    fn named(&self, error: Error) -> Error {
        match error {
            Error::Damaged { found, .. } => Error::Damaged { path: self.path.clone(), found },
            other => other,
        }
    }
}

fn perform(db: &Transaction<'_>, key: &BranchKey, work: &Work) -> Result<Committed, Error> {
    match work {
        Work::Write(batch) => apply(db, key, batch),
        Work::NewEpoch => life::begin(db).map(|life| Committed::nothing(life.epoch)),
        Work::Watermark { epoch, seq } => outbox::acknowledge(db, *epoch, *seq).map(|()| Committed::nothing(*epoch)),
    }
}

impl Job {
    fn rows(&self) -> usize {
        match &self.work {
            Work::Write(batch) => batch.rows().max(1),
            Work::NewEpoch | Work::Watermark { .. } => 1,
        }
    }

    fn tell(self, answer: Result<Committed, Error>) {
        match (self.done, answer) {
            (Some(done), answer) => done(answer),
            (None, Err(error)) => tracing::error!(%error, "a kept batch was refused"),
            (None, Ok(_)) => {}
        }
    }
}

impl Committed {
    fn nothing(epoch: Epoch) -> Committed {
        Committed { epoch, facts: None, outbox: None, egress: None, config: Vec::new() }
    }
}
