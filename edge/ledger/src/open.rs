//! Opening the file: pragmas, soundness, schema, epoch. And putting a damaged file aside.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use model::Epoch;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::{
    error::Error,
    key::BranchKey,
    life,
    reader::Reader,
    schema,
    writer::{Pending, Pressure, Writer},
};

/// How the ledger writes. The defaults are what a box runs with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Batches that arrive within this time share one transaction and one wait for the disk.
    pub group: Duration,
    /// Batches waiting in the queue before `submit` says no.
    pub queue_max: usize,
    /// Rows held in memory while the disk refuses.
    pub kept_rows_max: usize,
    /// How long to wait for the other process' transaction.
    pub busy: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            group: Duration::from_millis(20),
            queue_max: 4_096,
            kept_rows_max: 100_000,
            busy: Duration::from_secs(5),
        }
    }
}

/// One process' hold of the box's memory: a writer thread, and readers as many as it likes.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    key: BranchKey,
    busy: Duration,
    epoch: Epoch,
    writer: Writer,
}

impl Ledger {
    /// Opens or begins the ledger at `path`. Checks the whole file first: a damaged one is refused.
    pub fn open(path: &Path, key: BranchKey, options: Options) -> Result<Ledger, Error> {
        let named = |error| match error {
            Error::Damaged { found, .. } => Error::Damaged { path: path.to_owned(), found },
            other => other,
        };
        let mut db = connect(path, options.busy, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
            .map_err(named)?;
        let epoch = prepare(&mut db, path).map_err(named)?;
        let writer = Writer::start(db, path.to_owned(), key.clone(), options);
        Ok(Ledger { path: path.to_owned(), key, busy: options.busy, epoch, writer })
    }

    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// A connection of its own; each thread takes one.
    pub fn reader(&self) -> Result<Reader, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let db = connect(&self.path, self.busy, flags)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(Reader::new(db, self.key.clone()))
    }

    /// The epoch at opening; `Reader::position` knows the current one.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub fn pressure(&self) -> Pressure {
        self.writer.pressure()
    }

    /// Begins a new epoch, because the cloud knows more of the old one than this box does. Returns when it is durable.
    pub fn new_epoch(&self) -> Result<Epoch, Error> {
        self.writer.new_epoch().wait().map(|committed| committed.epoch)
    }

    /// The cloud has everything of `epoch` up to `seq`: those rows go. A lower watermark than before changes nothing.
    pub fn set_watermark(&self, epoch: Epoch, seq: u64) -> Pending {
        self.writer.set_watermark(epoch, seq)
    }

    /// Writes what is queued and ends the writer thread; clones of the writer are told `Closed` afterwards.
    pub fn close(self) {
        self.writer.close();
    }
}

fn connect(path: &Path, busy: Duration, flags: OpenFlags) -> Result<Connection, Error> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(busy)?;
    db.set_prepared_statement_cache_capacity(64);
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    Ok(db)
}

/// A ledger that is there, at the present schema.
pub(crate) fn existing(path: &Path, busy: Duration) -> Result<Connection, Error> {
    let mut db = connect(path, busy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::migrate(&transaction)?;
    transaction.commit()?;
    Ok(db)
}

fn prepare(db: &mut Connection, path: &Path) -> Result<Epoch, Error> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Err(Error::Damaged { path: path.to_owned(), found });
    }
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::migrate(&transaction)?;
    let life = life::settle(&transaction, path)?;
    transaction.commit()?;
    Ok(life.epoch)
}

/// Renames a damaged ledger and its companions to `<name>.damaged-<n>…`, so that a fresh one can begin while this one
/// is kept for a rescue. Returns where it lies. No process may have it open.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let with = |base: &Path, suffix: &str| {
        let mut name = base.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free = (1..10_000).map(|n| with(path, &format!(".damaged-{n}"))).find(|aside| !aside.exists());
    let aside = free.ok_or_else(|| io::Error::other("too many damaged ledgers lie here"))?;
    fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm", ".life"] {
        match fs::rename(with(path, suffix), with(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}
