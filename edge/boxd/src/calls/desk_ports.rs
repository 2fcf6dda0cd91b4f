//! The daemon's side of the desk's three traits: commands go to the engine's queue and are answered when their facts
//! are durable; records and credentials are read from the ledger on blocking threads.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use desk::{
    BoardAt, Caller, ChangeRefused, CommandError, ContactPage, ContactRow, Effective, Fault, Floor, Future, Known,
    MessageRow, NoteRefused, NoteWritten, Records, Unavailable, Waveform,
};
use floor::{
    board::{DeskCommand, Refused},
    correcting::Correction,
};
use ledger::{Batch, BranchKey, Ledger, Reader};
use media::record::Peaks;
use model::{
    AgentId, ContactId, QueueId, RecordingId,
    cdr::Cdr,
    change::Change,
    fact::{Fact, Kind},
    history::{Decision, Report},
};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::warn;

use super::{clock::wall, customers, look_back};

/// Requests waiting for the engine.
pub const REQUESTS_MAX: usize = 1_024;
/// Rows that one page of contacts may have.
const CONTACTS_MAX: u32 = 500;
/// Messages that one answer holds: open ones, and others.
const MESSAGES_OPEN_MAX: usize = 1_000;
const MESSAGES_DONE: usize = 50;

/// What is asked of the engine.
pub enum Request {
    /// Credentials have changed; the answer says that they are in force.
    Credentials {
        answer: oneshot::Sender<()>,
    },
    /// A page may speak for a phone by this name; the answer says that it may from now on.
    Lend {
        name: String,
        lent: sip::endpoint::Account,
        answer: oneshot::Sender<()>,
    },
    TakeBack {
        name: String,
    },
    Command {
        command: DeskCommand,
        answer: oneshot::Sender<Result<(), Refused>>,
    },
    Correct {
        correction: Correction,
        answer: oneshot::Sender<Result<(), CommandError>>,
    },
    Change {
        by: AgentId,
        edit: Edit,
        answer: oneshot::Sender<Result<Arc<Effective>, ChangeRefused>>,
    },
}

/// What somebody at a desk writes into the branch's document.
pub enum Edit {
    Changes(Vec<Change>),
    Decision(Decision),
}

/// The engine as the desks see it.
pub struct FloorPort {
    pub requests: mpsc::Sender<Request>,
    pub board: watch::Receiver<Arc<BoardAt>>,
    pub effective: watch::Receiver<Arc<Effective>>,
}

impl Floor for FloorPort {
    fn command(&self, command: DeskCommand) -> Future<'_, Result<(), CommandError>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.requests.try_send(Request::Command { command, answer }).map_err(|_| Unavailable)?;
            answered.await.map_err(|_| Unavailable)?.map_err(CommandError::from)
        })
    }

    fn correct(&self, correction: Correction) -> Future<'_, Result<(), CommandError>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            self.requests.try_send(Request::Correct { correction, answer }).map_err(|_| Unavailable)?;
            answered.await.map_err(|_| Unavailable)?
        })
    }

    fn board(&self) -> watch::Receiver<Arc<BoardAt>> {
        self.board.clone()
    }

    fn effective(&self) -> watch::Receiver<Arc<Effective>> {
        self.effective.clone()
    }

    fn change(&self, by: AgentId, changes: Vec<Change>) -> Future<'_, Result<Arc<Effective>, ChangeRefused>> {
        Box::pin(self.edit(by, Edit::Changes(changes)))
    }

    fn decide(&self, by: AgentId, decision: Decision) -> Future<'_, Result<Arc<Effective>, ChangeRefused>> {
        Box::pin(self.edit(by, Edit::Decision(decision)))
    }
}

impl FloorPort {
    async fn edit(&self, by: AgentId, edit: Edit) -> Result<Arc<Effective>, ChangeRefused> {
        let (answer, answered) = oneshot::channel();
        self.requests.try_send(Request::Change { by, edit, answer }).map_err(|_| busy())?;
        answered.await.map_err(|_| busy())?
    }
}

fn busy() -> ChangeRefused {
    ChangeRefused {
        index: 0,
        code: "unavailable".into(),
        message: "the box cannot write settings at the moment; nothing was changed".into(),
        fault: Fault::Box,
    }
}

/// What the ledger and the recordings' folder hold.
pub struct RecordsPort {
    pub ledger: Arc<Ledger>,
    pub recordings: PathBuf,
    pub key: BranchKey,
    /// It is the spare ledger: what is written of contacts that are over does not come home.
    pub spare: bool,
}

/// Reads the ledger on a thread that may block.
pub(super) async fn read<T: Send + 'static>(
    ledger: &Arc<Ledger>,
    look: impl FnOnce(&Reader) -> Result<T, ledger::Error> + Send + 'static,
) -> Result<T, Unavailable> {
    let ledger = Arc::clone(ledger);
    let looked = tokio::task::spawn_blocking(move || ledger.reader().and_then(|reader| look(&reader))).await;
    match looked {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => {
            warn!(%error, "the ledger cannot be read");
            Err(Unavailable)
        }
        Err(_) => Err(Unavailable),
    }
}

impl RecordsPort {
    /// What `make` makes of a recording's file, on a thread that may block. None when there is no such file.
    async fn of_recording<T: Send + 'static>(
        &self,
        recording: RecordingId,
        make: impl FnOnce(&Path, &[u8; 32]) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<Option<T>, Unavailable> {
        let (path, key) = (self.recordings.join(format!("{recording}.blr")), self.key.clone());
        let make = move || if path.is_file() { make(&path, key.bytes()).map(Some) } else { Ok(None) };
        match tokio::task::spawn_blocking(make).await {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(error)) => {
                warn!(%recording, %error, "a recording cannot be rendered");
                Err(Unavailable)
            }
            Err(_) => Err(Unavailable),
        }
    }
}

impl Records for RecordsPort {
    fn contacts(&self, page: ContactPage) -> Future<'_, Result<Vec<ContactRow>, Unavailable>> {
        Box::pin(read(&self.ledger, move |reader| {
            let limit = page.limit.min(CONTACTS_MAX) as usize;
            let mut rows = Vec::new();
            let mut before = page.before;
            // An agent's own contacts are a part of the site's: further pages are read until enough are found.
            while rows.len() < limit {
                let cdrs = match &page.disposition {
                    Some(said) => reader.cdrs_disposed(said, limit, before)?,
                    None => reader.cdrs(limit, before)?,
                };
                let Some(last) = cdrs.last() else { break };
                before = Some(last.ended);
                for cdr in cdrs {
                    // To the end of what ended in the same moment: the next page begins before it.
                    if page.of.as_ref().is_none_or(|agent| cdr.agent.as_ref() == Some(agent)) {
                        rows.push(row(reader, cdr)?);
                    }
                }
            }
            Ok(rows)
        }))
    }

    fn known(&self, contact: ContactId) -> Future<'_, Result<Option<Known>, Unavailable>> {
        Box::pin(read(&self.ledger, move |reader| customers::known(reader, contact)))
    }

    fn write_note(&self, written: NoteWritten) -> Future<'_, Result<u64, NoteRefused>> {
        if self.spare && written.later.is_some() {
            return Box::pin(async { Err(Unavailable.into()) });
        }
        let kept = customers::write(Arc::clone(&self.ledger), written);
        Box::pin(async move { tokio::task::spawn_blocking(kept).await.unwrap_or(Err(Unavailable.into())) })
    }

    fn merge_report(&self) -> Future<'_, Result<Report, Unavailable>> {
        Box::pin(read(&self.ledger, look_back::report))
    }

    fn messages(&self, of: Option<BTreeSet<QueueId>>) -> Future<'_, Result<Vec<MessageRow>, Unavailable>> {
        Box::pin(read(&self.ledger, move |reader| {
            let open = reader.open_messages(of.as_ref(), MESSAGES_OPEN_MAX)?;
            let done = reader.done_messages(of.as_ref(), MESSAGES_DONE)?;
            open.into_iter().chain(done).map(|message| message_row(reader, message)).collect()
        }))
    }

    fn message_of(&self, recording: RecordingId) -> Future<'_, Result<Option<MessageRow>, Unavailable>> {
        Box::pin(read(&self.ledger, move |reader| {
            reader.message_of(recording)?.map(|message| message_row(reader, message)).transpose()
        }))
    }

    fn contact_of(&self, recording: RecordingId) -> Future<'_, Result<Option<Cdr>, Unavailable>> {
        Box::pin(read(&self.ledger, move |reader| {
            let mut before = None;
            loop {
                let cdrs = reader.cdrs(CONTACTS_MAX as usize, before)?;
                let Some(last) = cdrs.last() else { return Ok(None) };
                before = Some(last.ended);
                if let Some(found) = cdrs.into_iter().find(|cdr| cdr.recording == Some(recording)) {
                    return Ok(Some(found));
                }
            }
        }))
    }

    fn listened(&self, by: AgentId, recording: RecordingId) -> Future<'_, Result<(), Unavailable>> {
        let kind = Kind::Listened { by, recording };
        let batch = Batch { facts: vec![Fact { seq: 0, at: wall(), contact: None, kind }], ..Batch::default() };
        let written = self.ledger.writer().submit(batch);
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || written.wait()).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => {
                    warn!(%error, "the audit cannot be written, and so nobody listens");
                    Err(Unavailable)
                }
                Err(_) => Err(Unavailable),
            }
        })
    }

    fn recording_wav(&self, recording: RecordingId) -> Future<'_, Result<Option<Bytes>, Unavailable>> {
        Box::pin(self.of_recording(recording, |path, key| Ok(Bytes::from(crate::recording::wav(path, key)?))))
    }

    fn recording_waveform(
        &self,
        recording: RecordingId,
        count: usize,
    ) -> Future<'_, Result<Option<Waveform>, Unavailable>> {
        Box::pin(self.of_recording(recording, move |path, key| {
            let Peaks { ms, caller, agent } = crate::recording::peaks(path, key, count)?;
            Ok(Waveform { ms, caller, agent })
        }))
    }
}

fn message_row(reader: &Reader, message: ledger::Message) -> Result<MessageRow, ledger::Error> {
    let caller = caller(reader, message.contact)?;
    let ledger::Message { contact, at, queue, recording, ms, done } = message;
    Ok(MessageRow { contact, queue, at, recording, ms, done, caller })
}

pub(super) fn caller(reader: &Reader, contact: ContactId) -> Result<Option<Caller>, ledger::Error> {
    Ok(reader.personal(contact)?.and_then(|person| {
        let number = person.caller.clone().or_else(|| person.dialled.clone())?;
        Some(Caller { number, name: person.name.clone() })
    }))
}

fn row(reader: &Reader, cdr: Cdr) -> Result<ContactRow, ledger::Error> {
    let caller = caller(reader, cdr.contact)?;
    let notes = customers::notes(reader, cdr.contact)?;
    Ok(ContactRow { cdr, caller, notes })
}
