//! The handle on the database: opens the file, owns the writing thread and lends read connections.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::{
    Error, Result, migrate,
    writer::{self, Counts, Job, WAITING_MAX, Write},
};

/// Most reads at once; a reader beyond that waits.
pub const READERS_MAX: usize = 4;
/// How long to wait for another process (a command beside the running server) that writes.
const BUSY: Duration = Duration::from_secs(5);
/// Pages of the log after which it is carried over into the file: 32 MiB, so that a page that many commits touch, as
/// those at the end of the figures are, is carried over once for all of them.
const CHECKPOINT_PAGES: u32 = 8_192;
/// What the writing connection keeps of the file, in KiB: a page that is pushed out is read again for the next row.
const CACHE_KIB: i32 = 32 * 1_024;

/// Cheap to clone; the writing thread ends with the last clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    jobs: mpsc::Sender<Box<dyn Job>>,
    idle: Mutex<Vec<Connection>>,
    readers: Semaphore,
    counts: Arc<Counts>,
    stopped: watch::Receiver<bool>,
}

impl Db {
    /// Opens or creates the file and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self> {
        let mut conn = connect(path, OpenFlags::default())?;
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        // FULL: a commit is on the disk before it returns, also in WAL mode.
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        migrate::run(&mut conn)?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (stop, stopped) = watch::channel(false);
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || writer::run(&conn, waiting, &counted, &stop))
            .map_err(|error| Error::corrupt("the writing thread", error))?;
        let inner = Inner {
            path: path.into(),
            jobs,
            idle: Mutex::new(Vec::new()),
            readers: Semaphore::new(READERS_MAX),
            counts,
            stopped,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs `work` in the next commit and answers when that is on the disk. An `Err` undoes what `work` wrote.
    pub async fn write<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        F: FnOnce(&Connection) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = Write::new(work);
        self.inner.jobs.send(Box::new(job)).await.map_err(|_| Error::Stopped)?;
        answer.await.unwrap_or_else(|_| Err(Error::Stopped.into()))
    }

    /// [`Db::write`] for a thread that may block.
    pub fn write_blocking<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        F: FnOnce(&Connection) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = Write::new(work);
        self.inner.jobs.blocking_send(Box::new(job)).map_err(|_| Error::Stopped)?;
        answer.blocking_recv().unwrap_or_else(|_| Err(Error::Stopped.into()))
    }

    /// Runs `work` on a thread of the blocking pool, on a connection that cannot write.
    pub async fn read<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        F: FnOnce(&Connection) -> std::result::Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let _turn = self.inner.readers.acquire().await.map_err(|_| Error::Stopped)?;
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.read_blocking(work))
            .await
            .unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    /// [`Db::read`] on this thread.
    pub fn read_blocking<T, E, F>(&self, work: F) -> std::result::Result<T, E>
    where
        F: FnOnce(&Connection) -> std::result::Result<T, E>,
        E: From<Error>,
    {
        let idle = self.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.reader()?,
        };
        // One read transaction: every query of `work` sees the same state.
        conn.execute_batch("BEGIN").map_err(Error::from)?;
        let outcome = work(&conn);
        if conn.execute_batch("ROLLBACK").is_ok() && self.idle().len() < READERS_MAX {
            self.idle().push(conn);
        }
        outcome
    }

    /// Resolves when nothing can be written any more; the process should end and start again.
    pub async fn stopped(&self) {
        let mut stopped = self.inner.stopped.clone();
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    pub fn is_stopped(&self) -> bool {
        *self.inner.stopped.borrow()
    }

    pub fn counts(&self) -> &Counts {
        &self.inner.counts
    }

    fn reader(&self) -> Result<Connection> {
        let conn = connect(&self.inner.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}
