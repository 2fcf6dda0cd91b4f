//! The recorder's thread: frames come over a bounded queue, chunks go to disk and are synced before the next. A slow or
//! full disk never touches the audio: frames are dropped here, the recording is marked failed, and the call goes on.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ledger::BranchKey;
use media::{
    engine::{Heard, PAYLOAD_MAX},
    plane::{Codec, Event, Failure, RecordingState, Side},
    record,
};
use rand::Rng;
use tracing::{error, info, warn};

use super::relay::{Request, ToRelay};

/// Frames waiting for the disk: half a minute of a hundred calls.
pub const FRAMES_MAX: usize = 131_072;
/// Chunks are looked at this often, so that a silent leg's chunk is closed in time.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A frame on its way to the recorder; copied, so that the relay never waits.
pub struct Kept {
    pub recording: std::sync::Arc<str>,
    pub side: Side,
    pub codec: Codec,
    pub timestamp: u32,
    pub at: Instant,
    pub length: u16,
    pub payload: [u8; PAYLOAD_MAX],
}

pub enum Job {
    Begin(String),
    Frame(Box<Kept>),
    End(String),
}

struct Recorder {
    folder: PathBuf,
    site: String,
    key: BranchKey,
    open: BTreeMap<String, Open>,
    report: ToRelay,
}

struct Open {
    writer: record::Writer,
    file: File,
}

/// Starts the thread.
pub fn start(folder: PathBuf, site: String, key: BranchKey, report: ToRelay) -> SyncSender<Job> {
    let (jobs, inbox) = sync_channel(FRAMES_MAX);
    std::thread::Builder::new()
        .name("recorder".into())
        .spawn(move || Recorder { folder, site, key, open: BTreeMap::new(), report }.run(&inbox))
        .map_or_else(|error| error!(%error, "the recorder cannot start: nothing will be recorded"), drop);
    jobs
}

impl Recorder {
    fn run(mut self, inbox: &Receiver<Job>) {
        let mut looked = Instant::now();
        loop {
            match inbox.recv_timeout(LOOK_EVERY) {
                Ok(Job::Begin(recording)) => self.begin(recording),
                Ok(Job::Frame(frame)) => self.frame(&frame),
                Ok(Job::End(recording)) => self.end(&recording),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if looked.elapsed() >= LOOK_EVERY {
                looked = Instant::now();
                self.close_due(looked);
            }
        }
    }

    fn begin(&mut self, recording: String) {
        match self.create(&recording) {
            Ok(open) => {
                self.open.insert(recording.clone(), open);
                self.report(recording, RecordingState::Started);
            }
            Err(why) => self.report(recording, RecordingState::Failed { why }),
        }
    }

    fn create(&self, recording: &str) -> Result<Open, Failure> {
        // File names are made of ids alone (S-41).
        let id: model::RecordingId = recording.parse().map_err(|_| Failure::Limit)?;
        let mut random = [0; 44];
        rand::rng().fill_bytes(&mut random);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let started = i64::try_from(started).unwrap_or(0);
        let begun = record::Writer::begin(recording, &self.site, started, Instant::now(), self.key.bytes(), &random);
        let (writer, head) = begun.map_err(|_| Failure::Key)?;
        let path = self.folder.join(format!("{id}.blr"));
        let disk = |error: std::io::Error| {
            error!(%error, "a recording cannot be begun");
            Failure::Disk
        };
        let mut file = File::options().create_new(true).append(true).open(&path).map_err(disk)?;
        file.write_all(&head).and_then(|()| file.sync_all()).map_err(disk)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(disk)?;
        Ok(Open { writer, file })
    }

    fn frame(&mut self, frame: &Kept) {
        let recording: &str = &frame.recording;
        let Some(open) = self.open.get_mut(recording) else { return };
        let payload = frame.payload.get(..usize::from(frame.length)).unwrap_or_default();
        let heard = Heard {
            recording,
            side: frame.side,
            codec: frame.codec,
            timestamp: frame.timestamp,
            at: frame.at,
            payload,
        };
        let written = open.writer.frame(&heard);
        self.append(recording.to_owned(), written);
    }

    fn close_due(&mut self, now: Instant) {
        let due: Vec<String> =
            self.open.iter().filter(|(_, open)| open.writer.due(now)).map(|(name, _)| name.clone()).collect();
        for recording in due {
            let Some(open) = self.open.get_mut(&recording) else { continue };
            let written = open.writer.close_chunk();
            self.append(recording, written);
        }
    }

    fn append(&mut self, recording: String, written: Result<Option<Vec<u8>>, record::Error>) {
        let Some(open) = self.open.get_mut(&recording) else { return };
        let failed = match written {
            Ok(None) => return,
            Ok(Some(bytes)) => open.file.write_all(&bytes).and_then(|()| open.file.sync_data()).err(),
            Err(error) => Some(std::io::Error::other(error)),
        };
        if let Some(error) = failed {
            error!(%error, "a recording cannot be written on; the call goes on");
            self.open.remove(&recording);
            self.report(recording, RecordingState::Failed { why: Failure::Disk });
        }
    }

    fn end(&mut self, recording: &str) {
        let Some(Open { writer, mut file }) = self.open.remove(recording) else { return };
        let sealed = writer.seal().map_err(std::io::Error::other).and_then(|(bytes, trailer)| {
            file.write_all(&bytes)?;
            file.sync_all()?;
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
        self.report(recording.to_owned(), state);
    }

    fn report(&self, recording: String, state: RecordingState) {
        if !self.report.send(Request::Report(Event::Recording { recording, state })) {
            warn!("nobody hears of a recording's state");
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
    let Some((keep, trailer, _)) = record::recover(&bytes, key.bytes())? else { return Ok(false) };
    let mut file = File::options().write(true).open(path)?;
    file.set_len(keep as u64)?;
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
    file.write_all(&trailer)?;
    file.sync_all()?;
    Ok(true)
}
