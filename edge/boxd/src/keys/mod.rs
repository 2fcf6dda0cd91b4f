//! The branch key's place: a file whose bytes are the key, or what the machine's TPM sealed, behind one trait. The
//! supervisor opens it once; its processes are handed it. Shares of it (`shares`) are the way back when the machine, or its
//! TPM, is gone.

mod given_out;
mod shares;
mod tpm;

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use ledger::BranchKey;
use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, Flock, FlockArg, RenameFlags, renameat2},
};
use rand::Rng;
use zeroize::Zeroizing;

pub use given_out::{GivenOut, note, shared};
pub use shares::{OF_MAX, Share, combine, name_of, split};
pub use tpm::Tpm;

/// Of a key in a file as it is.
const PLAIN_LEN: usize = 32;
/// Of any key file that is believed.
const FILE_MAX: u64 = 64 * 1024;

/// What is between the key and the disk.
pub trait Vault: fmt::Debug + Send + Sync {
    /// The bytes that may lie on the disk.
    fn seal(&self, key: &BranchKey) -> anyhow::Result<Vec<u8>>;
    /// The key of such bytes.
    fn open(&self, kept: &[u8]) -> anyhow::Result<BranchKey>;
}

/// The disk itself: whoever reads the file has the key.
#[derive(Debug)]
pub struct Plain;

impl Vault for Plain {
    fn seal(&self, key: &BranchKey) -> anyhow::Result<Vec<u8>> {
        Ok(key.bytes().to_vec())
    }

    fn open(&self, kept: &[u8]) -> anyhow::Result<BranchKey> {
        plain(kept).context("it has not the 32 bytes of a branch key: if a TPM sealed it, set [key] in = \"tpm\"")
    }
}

/// What a process of the box was given instead of the vault.
#[derive(Debug, Clone)]
enum Handed {
    /// It asks the vault itself.
    Nothing,
    Key(BranchKey),
    /// The vault did not open for the supervisor, and is asked by nobody else.
    Locked,
}

/// Where the key of a box lies, and how it is opened.
#[derive(Debug, Clone)]
pub struct Keys {
    file: PathBuf,
    vault: Arc<dyn Vault>,
    handed: Handed,
}

impl Keys {
    pub fn new(file: PathBuf, vault: Arc<dyn Vault>) -> Self {
        Self { file, vault, handed: Handed::Nothing }
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The same place with another name, in the same vault.
    pub fn beside(&self, file: PathBuf) -> Self {
        Self::new(file, self.vault.clone())
    }

    /// For a process that is handed the key instead of asking for it; None: there is none to be had.
    pub fn handed(self, key: Option<BranchKey>) -> Self {
        Self { handed: key.map_or(Handed::Locked, Handed::Key), ..self }
    }

    /// Opens the key; where there is none, one is drawn and kept, and none that is there is ever written over.
    pub fn load_or_create(&self) -> anyhow::Result<BranchKey> {
        match &self.handed {
            Handed::Key(key) => return Ok(key.clone()),
            Handed::Locked => anyhow::bail!("the branch key was not opened when the box started: its log says why"),
            Handed::Nothing => {}
        }
        if let Some(key) = self.load()? {
            return Ok(key);
        }
        let mut bytes = Zeroizing::new([0; PLAIN_LEN]);
        rand::rng().fill_bytes(bytes.as_mut_slice());
        let key = BranchKey::new(*bytes);
        if self.keep(&key)? {
            return Ok(key);
        }
        // Somebody else was faster.
        self.load()?.with_context(|| format!("the branch key {} is gone", self.file.display()))
    }

    /// None: there is no key yet.
    pub fn load(&self) -> anyhow::Result<Option<BranchKey>> {
        let open = |kept: Kept| self.vault.open(&kept).map(Some);
        let loaded = self.read().and_then(|kept| kept.map_or(Ok(None), open));
        loaded.with_context(|| format!("the branch key {} cannot be used", self.file.display()))
    }

    /// A key that lies open on the disk is sealed, and its open bytes are overwritten. False: it is sealed already.
    pub fn seal(&self) -> anyhow::Result<bool> {
        let kept = self.read()?.context("there is no branch key yet; the box makes one when it starts")?;
        let Some(key) = plain(&kept) else { return self.vault.open(&kept).map(|_| false) };
        let fresh = self.write_beside(&key)?;
        // Proved before the open one is gone.
        self.beside(fresh.clone()).load()?.filter(|proved| proved.bytes() == key.bytes()).context("the seal is bad")?;
        take_place(&fresh, &self.file)?;
        Ok(true)
    }

    /// Durable when this returns. False: there is a key already, and it stays.
    pub fn keep(&self, key: &BranchKey) -> anyhow::Result<bool> {
        let fresh = self.write_beside(key)?;
        // Of two that draw a key at once one wins.
        let moved = renameat2(AT_FDCWD, &fresh, AT_FDCWD, &self.file, RenameFlags::RENAME_NOREPLACE);
        match moved {
            Ok(()) => sync_folder(&self.file).map(|()| true),
            Err(error) => {
                fs::remove_file(&fresh).context("the data folder")?;
                match error {
                    Errno::EEXIST => Ok(false),
                    error => Err(error).with_context(|| format!("{} cannot be written", self.file.display())),
                }
            }
        }
    }

    fn read(&self) -> anyhow::Result<Option<Kept>> {
        let file = match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.context("it cannot be read")?,
        };
        let mut kept = Zeroizing::new(Vec::new());
        file.take(FILE_MAX).read_to_end(&mut kept).context("it cannot be read")?;
        Ok(Some(kept))
    }

    fn write_beside(&self, key: &BranchKey) -> anyhow::Result<PathBuf> {
        let sealed = Zeroizing::new(self.vault.seal(key)?);
        let fresh = self.file.with_extension(format!("key.{}", std::process::id()));
        let context = || format!("{} cannot be written", fresh.display());
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(context),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).with_context(context)?;
        file.write_all(&sealed).and_then(|()| file.sync_all()).with_context(context)?;
        Ok(fresh)
    }
}

type Kept = Zeroizing<Vec<u8>>;

/// Whoever holds it is the only one that changes the key of this box, or runs it; until it is dropped.
#[derive(Debug)]
pub struct Alone {
    _lock: Flock<File>,
}

/// None: the box runs, or its key is being changed.
pub fn alone(run: &Path) -> anyhow::Result<Option<Alone>> {
    fs::create_dir_all(run).with_context(|| run.display().to_string())?;
    let file = run.join("boxd.lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file);
    let open = open.with_context(|| format!("{} cannot be opened", file.display()))?;
    match Flock::lock(open, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(Alone { _lock: lock })),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, error)) => Err(error).with_context(|| format!("{} cannot be locked", file.display())),
    }
}

/// A file takes another's name, durably, and the other's bytes are overwritten.
pub fn take_place(fresh: &Path, place: &Path) -> anyhow::Result<()> {
    let mut before = OpenOptions::new().write(true).open(place).context("the old key")?;
    let len = before.metadata().context("the old key")?.len().min(FILE_MAX);
    fs::rename(fresh, place).context("the new key")?;
    sync_folder(place)?;
    let zeros = vec![0; usize::try_from(len).unwrap_or(PLAIN_LEN)];
    before.write_all(&zeros).and_then(|()| before.sync_all()).context("the old key cannot be overwritten")
}

/// What was made, renamed or removed in a file's folder is so after a power cut.
pub fn sync_folder(file: &Path) -> anyhow::Result<()> {
    let folder = file.parent().context("a folder")?;
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| folder.display().to_string())
}

/// Overwritten bytes are no key.
fn plain(kept: &[u8]) -> Option<BranchKey> {
    kept.try_into().ok().filter(|bytes| *bytes != [0; PLAIN_LEN]).map(BranchKey::new)
}

#[cfg(test)]
mod tests;
