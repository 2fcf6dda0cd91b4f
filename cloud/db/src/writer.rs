//! The one thread that writes. Writes that wait while the disk is busy are committed together, each in a savepoint of
//! its own, so that one that fails undoes only itself. Nobody is answered before the commit is on the disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot, watch};

use crate::Error;

/// Most writes in one commit.
pub const GROUP_MAX: usize = 256;
/// Most writes waiting; a caller beyond that waits to get in.
pub const WAITING_MAX: usize = 1024;

/// For the metrics.
#[derive(Debug, Default)]
pub struct Counts {
    pub commits: AtomicU64,
    pub writes: AtomicU64,
}

/// One write and the one who waits for it.
pub(crate) trait Job: Send {
    /// Runs inside a savepoint; says whether to keep the effects.
    fn run(&mut self, conn: &Connection) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

pub(crate) struct Write<F, T, E> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    to: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Write<F, T, E> {
    pub(crate) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (to, from) = oneshot::channel();
        (Self { work: Some(work), outcome: None, to }, from)
    }
}

impl<F, T, E> Job for Write<F, T, E>
where
    F: FnOnce(&Connection) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, conn: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or_else(|_| Err(Error::Panicked.into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let outcome = match (committed, self.outcome) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Stopped.into()),
        };
        // Whoever waited may have gone away; the write stands.
        let _ = self.to.send(outcome);
    }
}

/// Runs until every sender is gone or a commit fails.
pub(crate) fn run(
    conn: &Connection,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    counts: &Arc<Counts>,
    stopped: &watch::Sender<bool>,
) {
    while let Some(first) = jobs.blocking_recv() {
        if let Err(error) = group(conn, first, &mut jobs, counts) {
            tracing::error!(%error, "the database cannot be written; writing stops");
            break;
        }
    }
    stopped.send_replace(true);
    jobs.close();
    while let Ok(job) = jobs.try_recv() {
        job.answer(Err(Error::Stopped));
    }
}

fn group(
    conn: &Connection,
    first: Box<dyn Job>,
    jobs: &mut mpsc::Receiver<Box<dyn Job>>,
    counts: &Counts,
) -> Result<(), Error> {
    if let Err(error) = step(conn, "BEGIN IMMEDIATE") {
        return fail(conn, vec![first], error);
    }
    let mut group = Vec::new();
    let mut next = Some(first);
    while let Some(mut job) = next.take() {
        let ran = savepoint(conn, job.as_mut());
        group.push(job);
        if let Err(error) = ran {
            return fail(conn, group, error);
        }
        if group.len() < GROUP_MAX {
            next = jobs.try_recv().ok();
        }
    }
    if let Err(error) = step(conn, "COMMIT") {
        return fail(conn, group, error);
    }
    counts.commits.fetch_add(1, Relaxed);
    counts.writes.fetch_add(group.len() as u64, Relaxed);
    for job in group {
        job.answer(Ok(()));
    }
    Ok(())
}

fn savepoint(conn: &Connection, job: &mut dyn Job) -> rusqlite::Result<()> {
    step(conn, "SAVEPOINT job")?;
    if !job.run(conn) {
        step(conn, "ROLLBACK TO job")?;
    }
    step(conn, "RELEASE job")
}

/// Parsed once: there are three of these to a write.
fn step(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}

/// Ok when the next group may be tried: SQLite undoes a group by itself when a disk is full, and then the savepoint
/// that a job's end names is gone with it.
fn fail(conn: &Connection, group: Vec<Box<dyn Job>>, error: rusqlite::Error) -> Result<(), Error> {
    let undone = conn.is_autocommit();
    if !undone {
        let _ = conn.execute_batch("ROLLBACK");
    }
    for job in group {
        job.answer(Err(Error::Commit(error.to_string())));
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy) => {}
        _ if undone => {}
        _ => return Err(error.into()),
    }
    tracing::warn!(%error, "a group of writes was undone");
    Ok(())
}
