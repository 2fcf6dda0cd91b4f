//! The handle on the database: owns the writing thread and lends read connections.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Semaphore, mpsc, watch};

use crate::{
    Error, Result, migrate,
    sql::{
        Connection, Kind,
        postgres::{Pool, Server},
        sqlite,
    },
    writer::{self, Counts, Job, WAITING_MAX, Write},
};

/// Most reads at once; a reader beyond that waits.
pub const READERS_MAX: usize = 4;

/// Cheap to clone; the writing thread ends with the last clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<Source>,
    jobs: mpsc::Sender<Box<dyn Job>>,
    idle: Mutex<Vec<Connection>>,
    readers: Semaphore,
    counts: Arc<Counts>,
    stopped: watch::Receiver<bool>,
    /// Moves when another process may have changed something; None: nobody tells.
    woken: Option<watch::Receiver<u64>>,
}

/// Where connections come from.
pub(crate) enum Source {
    File(PathBuf),
    Postgres(Box<Pool>),
}

impl Source {
    pub(crate) fn writer(&self) -> Result<Connection> {
        Ok(Connection(match self {
            Source::File(path) => Kind::Sqlite(sqlite::writer(path)?),
            Source::Postgres(pool) => Kind::Postgres(Box::new(pool.connect()?)),
        }))
    }

    fn reader(&self) -> Result<Connection> {
        Ok(Connection(match self {
            Source::File(path) => Kind::Sqlite(sqlite::reader(path)?),
            Source::Postgres(pool) => Kind::Postgres(Box::new(pool.connect()?)),
        }))
    }
}

impl Db {
    /// Opens or creates the file and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self> {
        Self::start(Source::File(path.into()), None)
    }

    /// Signs in at a PostgreSQL server and brings the schema of its database up to date. Several processes may do so.
    pub fn connect(server: &Server) -> Result<Self> {
        let pool = Pool::new(server)?;
        let woken = pool.listen()?;
        Self::start(Source::Postgres(Box::new(pool)), Some(woken))
    }

    fn start(source: Source, woken: Option<watch::Receiver<u64>>) -> Result<Self> {
        let mut conn = source.writer()?;
        migrate::run(&mut conn)?;
        let source = Arc::new(source);
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let (stop, stopped) = watch::channel(false);
        let counts = Arc::new(Counts::default());
        let (counted, connects) = (Arc::clone(&counts), Arc::clone(&source));
        std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(move || writer::run(conn, &connects, waiting, &counted, &stop))
            .map_err(|error| Error::corrupt("the writing thread", error))?;
        let idle = Mutex::new(Vec::new());
        let readers = Semaphore::new(READERS_MAX);
        Ok(Self { inner: Arc::new(Inner { source, jobs, idle, readers, counts, stopped, woken }) })
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
        let conn = self.reader()?;
        let outcome = work(&conn);
        if conn.step("ROLLBACK").is_ok() && self.idle().len() < READERS_MAX {
            self.idle().push(conn);
        }
        outcome
    }

    /// In one read transaction: every query of a piece of work sees the same state.
    fn reader(&self) -> Result<Connection> {
        let idle = self.idle().pop();
        if let Some(conn) = idle {
            match conn.begin_read() {
                Ok(()) => return Ok(conn),
                // It was idle while the server went away and came back.
                Err(_) if conn.is_gone() => self.idle().clear(),
                Err(error) => return Err(error),
            }
        }
        let conn = self.inner.source.reader()?;
        conn.begin_read()?;
        Ok(conn)
    }

    /// Resolves when nothing can be written any more; the process should end and start again.
    pub async fn stopped(&self) {
        let mut stopped = self.inner.stopped.clone();
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }

    pub fn is_stopped(&self) -> bool {
        *self.inner.stopped.borrow()
    }

    /// Whether other processes may write and serve beside this one.
    pub fn is_shared(&self) -> bool {
        self.inner.woken.is_some()
    }

    /// A receiver that is marked changed when another process may have changed something; None with a file, of which
    /// nobody tells.
    pub fn woken(&self) -> Option<watch::Receiver<u64>> {
        self.inner.woken.clone()
    }

    pub fn counts(&self) -> &Counts {
        &self.inner.counts
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
