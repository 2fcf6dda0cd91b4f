//! A ledger for calls when the disk takes none: an emergency call depends on no disk, and neither may the process that
//! makes it (S-150). It lies in the run folder, which is memory on a box, and begins as a copy of the disk's ledger
//! where that can still be read, so that phones and their passwords are known.

mod back;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use ledger::{Batch, BranchKey, Ledger, Options, Reader};
use tracing::{error, info};

pub use back::bring;

use super::open_ledger;
use crate::{
    config::BoxConfig,
    keys::{Keys, Plain},
};

/// How often the disk is tried while calls run on the spare ledger.
const TRY_EVERY: Duration = Duration::from_secs(30);
/// A ledger larger than this is not copied into memory.
const COPY_BYTES_MAX: u64 = 256 << 20;

pub struct Opened {
    pub ledger: Arc<Ledger>,
    pub reader: Reader,
    pub key: BranchKey,
    pub spare: bool,
}

/// The disk's ledger if it can be written, or the spare one.
pub fn open(config: &BoxConfig) -> anyhow::Result<Opened> {
    match at_home(config) {
        Ok((ledger, reader, key)) => Ok(Opened { ledger: Arc::new(ledger), reader, key, spare: false }),
        Err(fault) => {
            error!("calls go on without the disk: {fault:#}");
            let key = config.keys.load_or_create().or_else(|_| {
                let file = config.run.join("spare.key");
                Keys::new(file, Arc::new(Plain)).load_or_create().context("a key for the spare ledger")
            })?;
            let ledger = spare(config, &key)?;
            let reader = ledger.reader().context("the spare ledger cannot be read")?;
            Ok(Opened { ledger: Arc::new(ledger), reader, key, spare: true })
        }
    }
}

/// How long calls run on the spare ledger: None where they are at home, otherwise when the disk was last tried.
pub struct Stay(Option<Instant>);

impl Stay {
    pub fn new(now: Instant, spare: bool) -> Self {
        Self(spare.then_some(now))
    }

    pub fn is_spare(&self) -> bool {
        self.0.is_some()
    }

    /// The disk takes a ledger again, and nobody is in a call: the next life begins on it.
    pub fn is_over(&mut self, config: &BoxConfig, legs: usize) -> bool {
        let due = self.0.is_some_and(|tried| tried.elapsed() >= TRY_EVERY);
        if !due || legs > 0 {
            return false;
        }
        let well = at_home(config).is_ok();
        if well {
            info!("the disk takes a ledger again: calls begin anew on it");
        } else {
            self.0 = Some(Instant::now());
        }
        well
    }
}

fn at_home(config: &BoxConfig) -> anyhow::Result<(Ledger, Reader, BranchKey)> {
    std::fs::create_dir_all(&config.data).context("the data folder")?;
    room_for_a_page(&config.data)?;
    let key = config.keys.load_or_create()?;
    let ledger = open_ledger(config, key.clone())?;
    let written = ledger.writer().submit(Batch::default()).wait();
    written.context("the ledger cannot be written")?;
    let reader = ledger.reader().context("the ledger cannot be read")?;
    Ok((ledger, reader, key))
}

/// An empty transaction succeeds on a full disk.
fn room_for_a_page(folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(format!("trial-{}", std::process::id()));
    let tried = std::fs::write(&file, [0; 4_096]);
    let _ = std::fs::remove_file(&file);
    tried.context("the disk takes nothing")
}

fn spare(config: &BoxConfig, key: &BranchKey) -> anyhow::Result<Ledger> {
    let path = spare_file(&config.run);
    if let Err(fault) = copy(&config.ledger_file(), &path) {
        error!("the spare ledger begins empty: {fault:#}");
    }
    match Ledger::open(&path, key.clone(), Options::default()) {
        Ok(ledger) => Ok(ledger),
        Err(fault) => {
            error!("the copy cannot be used, and the spare ledger begins empty: {fault:#}");
            let fresh = path.with_extension("fresh");
            Ledger::open(&fresh, key.clone(), Options::default()).context("no ledger can be opened")
        }
    }
}

/// A name of its own for each life: what an earlier one wrote there is kept until the box is started again.
fn spare_file(run: &Path) -> PathBuf {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    run.join(format!("spare-{since}.db"))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::metadata(from).context("the disk's ledger")?.len();
    anyhow::ensure!(bytes <= COPY_BYTES_MAX, "the disk's ledger has {bytes} bytes, too many for memory");
    for suffix in ["", "-wal"] {
        let with = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        match std::fs::copy(with(from), with(to)) {
            Err(error) if suffix.is_empty() || error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("the disk's ledger cannot be copied");
            }
            _ => {}
        }
    }
    Ok(())
}
