//! The recorder's thread: batches of frames come over a bounded queue, are sealed where they lie and appended to their
//! files, and one sync makes all of a round durable. Only then is a recording said to be begun or sealed. A slow or
//! full disk never touches the audio: frames are dropped and counted before they come here, and the call goes on.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread::Thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use ledger::BranchKey;
use media::{
    engine::TapeId,
    plane::{Event, Failure, RecordingState},
    record::{self, BATCH_BYTES, Batch},
};
use nix::unistd::syncfs;
use prometheus::IntCounter;
use rand::Rng;
use tracing::{error, info, warn};

use super::{
    relay::{Request, ToRelay},
    wire,
};

/// Batches between the relay and the disk, full or empty: 128 MB, which is a minute and a half of a hundred calls.
const BATCHES_MAX: usize = 128 * 1024 * 1024 / BATCH_BYTES;
/// Recordings that begin or end between two rounds.
const MARKS_MAX: usize = 16_384;
/// A round without a wake-up.
const ROUND: Duration = Duration::from_millis(200);

enum Job {
    Begin(TapeId, String),
    Batch(TapeId, Batch),
    End(TapeId),
}

/// The relay's end: what it hands over never waits.
pub struct ToRecorder {
    jobs: SyncSender<Job>,
    /// Emptied batches on their way back.
    empty: Receiver<Batch>,
    /// How many batches there are beside those in tapes.
    made: usize,
    waiting: Arc<AtomicUsize>,
    unrecorded: IntCounter,
    thread: Thread,
}

impl ToRecorder {
    pub fn begin(&mut self, tape: TapeId, recording: &str) -> bool {
        let taken = self.jobs.try_send(Job::Begin(tape, recording.to_owned())).is_ok();
        self.wake();
        taken
    }

    /// Takes what a batch holds and puts an empty one in its place.
    pub fn batch(&mut self, tape: TapeId, batch: &mut Batch) {
        if batch.is_empty() && batch.lost() == 0 {
            return;
        }
        let empty = match self.empty.try_recv() {
            Ok(empty) => Some(empty),
            Err(_) if self.made < BATCHES_MAX => {
                self.made += 1;
                Some(Batch::default())
            }
            Err(_) => None,
        };
        let taken = empty.filter(|_| self.waiting.load(Ordering::Relaxed) < BATCHES_MAX).map(|empty| {
            let full = std::mem::replace(batch, empty);
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.jobs.try_send(Job::Batch(tape, full)).is_ok()
        });
        if taken != Some(true) {
            let lost = batch.frames();
            self.unrecorded.inc_by(u64::from(lost));
            let before = batch.lost();
            batch.clear();
            batch.lose(before.saturating_add(lost));
        }
    }

    pub fn wake(&self) {
        self.thread.unpark();
    }

    pub fn end(&mut self, tape: TapeId) -> bool {
        let taken = self.jobs.try_send(Job::End(tape)).is_ok();
        self.wake();
        taken
    }
}

struct Recorder {
    folder: PathBuf,
    disk: File,
    site: String,
    /// None: nothing can be recorded.
    key: Option<BranchKey>,
    open: Vec<Option<Open>>,
    /// What is to be said once the round is on disk.
    said: Vec<(String, RecordingState)>,
    empty: SyncSender<Batch>,
    waiting: Arc<AtomicUsize>,
    report: ToRelay,
}

struct Open {
    name: String,
    writer: record::Writer,
    file: File,
    /// Written to since the last sync.
    touched: bool,
}

/// Starts the thread.
pub fn start(
    folder: PathBuf,
    site: String,
    key: Option<BranchKey>,
    report: ToRelay,
    unrecorded: IntCounter,
) -> anyhow::Result<ToRecorder> {
    let (jobs, inbox) = sync_channel(BATCHES_MAX + MARKS_MAX);
    let (give, empty) = sync_channel(BATCHES_MAX);
    let waiting = Arc::new(AtomicUsize::new(0));
    let disk = File::open(&folder).with_context(|| format!("{} cannot be opened", folder.display()))?;
    let (open, said, counted) = (Vec::new(), Vec::new(), waiting.clone());
    let recorder = Recorder { folder, disk, site, key, open, said, empty: give, waiting: counted, report };
    let thread = std::thread::Builder::new()
        .name("recorder".into())
        .spawn(move || recorder.run(&inbox))
        .context("the recorder thread cannot start")?;
    Ok(ToRecorder { jobs, empty, made: 0, waiting, unrecorded, thread: thread.thread().clone() })
}

impl Recorder {
    fn run(mut self, inbox: &Receiver<Job>) {
        wire::lower_priority();
        loop {
            std::thread::park_timeout(ROUND);
            match self.round(inbox) {
                Ok(true) => self.sync(),
                Ok(false) => {}
                Err(TryRecvError::Disconnected | TryRecvError::Empty) => return,
            }
        }
    }

    /// Everything that waits; true when something was written. A round has an end even when more keeps coming.
    fn round(&mut self, inbox: &Receiver<Job>) -> Result<bool, TryRecvError> {
        let mut wrote = false;
        for _ in 0..BATCHES_MAX {
            match inbox.try_recv() {
                Ok(Job::Begin(tape, name)) => self.begin(tape, name),
                Ok(Job::Batch(tape, batch)) => self.batch(tape, batch),
                Ok(Job::End(tape)) => self.end(tape),
                Err(TryRecvError::Empty) => break,
                Err(gone) => return Err(gone),
            }
            wrote = true;
        }
        Ok(wrote)
    }

    fn begin(&mut self, tape: TapeId, name: String) {
        let index = tape.0 as usize;
        if self.open.len() <= index {
            self.open.resize_with(index + 1, || None);
        }
        let state = match self.create(&name) {
            Ok(open) => {
                if let Some(place) = self.open.get_mut(index) {
                    *place = Some(open);
                }
                RecordingState::Started
            }
            Err(why) => RecordingState::Failed { why },
        };
        self.said.push((name, state));
    }

    fn create(&self, name: &str) -> Result<Open, Failure> {
        // File names are made of ids alone (S-41).
        let id: model::RecordingId = name.parse().map_err(|_| Failure::Limit)?;
        let mut random = [0; 44];
        rand::rng().fill_bytes(&mut random);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let started = i64::try_from(started).unwrap_or(0);
        let key = self.key.as_ref().ok_or(Failure::Key)?;
        let begun = record::Writer::begin(name, &self.site, started, key.bytes(), &random);
        let (writer, head) = begun.map_err(|_| Failure::Key)?;
        let path = self.folder.join(format!("{id}.blr"));
        let disk = |error: std::io::Error| {
            error!(%error, "a recording cannot be begun");
            Failure::Disk
        };
        let mut file = File::options().create_new(true).append(true).open(&path).map_err(disk)?;
        file.write_all(&head).map_err(disk)?;
        Ok(Open { name: name.to_owned(), writer, file, touched: true })
    }

    fn batch(&mut self, tape: TapeId, mut batch: Batch) {
        if let Some(Some(open)) = self.open.get_mut(tape.0 as usize) {
            open.touched = true;
            let written = match open.writer.seal(&mut batch) {
                Ok(chunk) => open.file.write_all(chunk),
                Err(error) => Err(std::io::Error::other(error)),
            };
            if let Err(error) = written {
                error!(%error, "a recording cannot be written on; the call goes on");
                self.fail(tape.0 as usize);
            }
        }
        batch.clear();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let _ = self.empty.try_send(batch);
    }

    fn end(&mut self, tape: TapeId) {
        let Some(Open { name, writer, mut file, .. }) = self.open.get_mut(tape.0 as usize).and_then(Option::take)
        else {
            return;
        };
        let sealed = writer.end().map_err(std::io::Error::other).and_then(|(bytes, trailer)| {
            file.write_all(&bytes)?;
            Ok(trailer)
        });
        let state = match sealed {
            Ok(trailer) => RecordingState::Sealed {
                chunks: trailer.chunks,
                frames: trailer.frames,
                sha256: trailer.sha256,
                ms: trailer.ms,
            },
            Err(error) => {
                error!(%error, "a recording cannot be sealed; it is playable to its last chunk");
                RecordingState::Failed { why: Failure::Disk }
            }
        };
        self.said.push((name, state));
    }

    /// One sync for all files of the round (syncfs(2)), and then the word about them.
    fn sync(&mut self) {
        let began = Instant::now();
        if let Err(error) = syncfs(&self.disk) {
            error!(%error, "the disk does not keep what was written");
            for index in 0..self.open.len() {
                if self.open.get(index).is_some_and(|open| open.as_ref().is_some_and(|open| open.touched)) {
                    self.fail(index);
                }
            }
            for (_, state) in &mut self.said {
                *state = RecordingState::Failed { why: Failure::Disk };
            }
        }
        if began.elapsed() > Duration::from_secs(2) {
            warn!(took = ?began.elapsed(), "the disk is slow: a power cut would take more than half a second");
        }
        for open in self.open.iter_mut().flatten() {
            open.touched = false;
        }
        for (recording, state) in std::mem::take(&mut self.said) {
            if !self.report.send(Request::Report(Event::Recording { recording, state })) {
                warn!("nobody hears of a recording's state");
            }
        }
    }

    fn fail(&mut self, index: usize) {
        if let Some(open) = self.open.get_mut(index).and_then(Option::take) {
            self.said.push((open.name, RecordingState::Failed { why: Failure::Disk }));
        }
    }
}
/// Seals what an earlier life left open, each at its last whole chunk.
pub fn recover_all(folder: &Path, key: &BranchKey) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|ending| ending != "blr") {
            continue;
        }
        match recover(&path, key) {
            Ok(true) => info!(file = %path.display(), "a recording was sealed at its last whole chunk"),
            Ok(false) => {}
            Err(error) => warn!(file = %path.display(), %error, "a recording cannot be recovered and is left as it is"),
        }
    }
}

fn recover(path: &Path, key: &BranchKey) -> anyhow::Result<bool> {
    let bytes = std::fs::read(path)?;
    let Some(mend) = record::recover(&bytes, key.bytes())? else { return Ok(false) };
    // What is cut off is kept: a crash explains it, but so might somebody who meddled with the file.
    if let Some(cut) = bytes.get(mend.keep..).filter(|cut| !cut.is_empty()) {
        let mut beside = File::create(path.with_extension("cut"))?;
        beside.write_all(cut)?;
        beside.sync_all()?;
    }
    let mut file = File::options().write(true).open(path)?;
    file.set_len(mend.keep as u64)?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
    file.write_all(&mend.append)?;
    file.sync_all()?;
    Ok(true)
}
