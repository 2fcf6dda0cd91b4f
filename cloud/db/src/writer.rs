//! The one thread that writes. Writes that wait while the disk is busy are committed together, each in a savepoint of
//! its own, so that one that fails undoes only itself. Nobody is answered before the commit is on the disk.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use rusqlite::ErrorCode;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Error, Result,
    sql::{Connection, Kind},
    store::Source,
};

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
    fn answer(self: Box<Self>, committed: Result<()>);
}

pub(crate) struct Write<F, T, E> {
    work: Option<F>,
    outcome: Option<std::result::Result<T, E>>,
    to: oneshot::Sender<std::result::Result<T, E>>,
}

impl<F, T, E> Write<F, T, E> {
    pub(crate) fn new(work: F) -> (Self, oneshot::Receiver<std::result::Result<T, E>>) {
        let (to, from) = oneshot::channel();
        (Self { work: Some(work), outcome: None, to }, from)
    }
}

impl<F, T, E> Job for Write<F, T, E>
where
    F: FnOnce(&Connection) -> std::result::Result<T, E> + Send,
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

    fn answer(self: Box<Self>, committed: Result<()>) {
        let outcome = match (committed, self.outcome) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Stopped.into()),
        };
        // Whoever waited may have gone away; the write stands.
        let _ = self.to.send(outcome);
    }
}

/// Runs until every sender is gone, or a commit to the file fails. A server that is away is asked for again with each
/// group: what comes meanwhile is refused.
pub(crate) fn run(
    mut conn: Connection,
    source: &Source,
    mut jobs: mpsc::Receiver<Box<dyn Job>>,
    counts: &Arc<Counts>,
    stopped: &watch::Sender<bool>,
) {
    while let Some(first) = jobs.blocking_recv() {
        if conn.is_gone() {
            match source.writer() {
                Ok(again) => conn = again,
                Err(error) => {
                    first.answer(Err(Error::Commit(error.to_string())));
                    continue;
                }
            }
        }
        if let Err(error) = group(&conn, first, &mut jobs, counts) {
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
) -> Result<()> {
    if let Err(error) = conn.begin_write() {
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
    if let Err(error) = conn.step("COMMIT") {
        return fail(conn, group, error);
    }
    counts.commits.fetch_add(1, Relaxed);
    counts.writes.fetch_add(group.len() as u64, Relaxed);
    for job in group {
        job.answer(Ok(()));
    }
    Ok(())
}

fn savepoint(conn: &Connection, job: &mut dyn Job) -> Result<()> {
    conn.step("SAVEPOINT job")?;
    if !job.run(conn) {
        conn.step("ROLLBACK TO job")?;
    }
    conn.step("RELEASE job")
}

/// Ok when the next group may be tried.
fn fail(conn: &Connection, group: Vec<Box<dyn Job>>, error: Error) -> Result<()> {
    let next = match &conn.0 {
        Kind::Sqlite(file) => undo(file, &error),
        // Either the server undoes it with the connection, or this does.
        Kind::Postgres(client) => client.is_gone() || conn.step("ROLLBACK").is_ok() || client.is_gone(),
    };
    for job in group {
        job.answer(Err(Error::Commit(error.to_string())));
    }
    if !next {
        return Err(error);
    }
    tracing::warn!(%error, "a group of writes was undone");
    Ok(())
}

/// SQLite undoes a group by itself when a disk is full, and then the savepoint that a job's end names is gone with it.
fn undo(file: &rusqlite::Connection, error: &Error) -> bool {
    let undone = file.is_autocommit();
    if !undone {
        let _ = file.execute_batch("ROLLBACK");
    }
    let Error::Sql(error) = error else { return undone };
    undone || matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy))
}
