//! Messages that callers left: a table that follows the facts, so that nobody looks through all of them for the open ones.

use std::collections::BTreeSet;

use model::{
    AgentId, ContactId, Millis, QueueId, RecordingId,
    fact::{Fact, Kind},
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    apply::contact_bytes,
    error::Error,
    outbox::{integer, length, unsigned},
    reader::Reader,
};

/// Rows that are looked at for one list: more than a branch's queues can hold.
const LOOKED_AT_MAX: usize = 20_000;

/// A message, and what became of it. Who left it lies with the contact's personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub contact: ContactId,
    pub at: Millis,
    pub queue: QueueId,
    pub recording: RecordingId,
    /// None: a process died under it.
    pub ms: Option<u64>,
    /// When somebody said that it is dealt with, and who.
    pub done: Option<(Millis, AgentId)>,
}

pub(crate) fn track(db: &Connection, fact: &Fact) -> Result<(), Error> {
    let Some(contact) = fact.contact.map(contact_bytes) else { return Ok(()) };
    match &fact.kind {
        Kind::MessageLeft { queue, recording, ms } => db
            .prepare_cached(
                "INSERT OR IGNORE INTO messages (contact, at, queue, recording, ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                contact,
                fact.at.0,
                queue.as_str(),
                recording.0.to_be_bytes(),
                ms.map(integer).transpose()?
            ])?,
        Kind::MessageDone { recording, by } => db
            .prepare_cached("UPDATE messages SET done = ?2, done_by = ?3 WHERE recording = ?1 AND done IS NULL")?
            .execute(params![recording.0.to_be_bytes(), fact.at.0, by.as_str()])?,
        _ => 0,
    };
    Ok(())
}

const COLUMNS: &str = "SELECT contact, at, queue, recording, ms, done, done_by FROM messages";

impl Reader {
    /// Messages that nobody has dealt with, the oldest first.
    pub fn open_messages(&self, of: Option<&BTreeSet<QueueId>>, limit: usize) -> Result<Vec<Message>, Error> {
        self.listed(&format!("{COLUMNS} WHERE done IS NULL ORDER BY at LIMIT ?1"), of, limit)
    }

    /// The others, those first that were dealt with last.
    pub fn done_messages(&self, of: Option<&BTreeSet<QueueId>>, limit: usize) -> Result<Vec<Message>, Error> {
        self.listed(&format!("{COLUMNS} WHERE done IS NOT NULL ORDER BY done DESC LIMIT ?1"), of, limit)
    }

    /// Those of these queues (None: of all), looked for among so many.
    fn listed(&self, sql: &str, of: Option<&BTreeSet<QueueId>>, limit: usize) -> Result<Vec<Message>, Error> {
        let mut select = self.db().prepare_cached(sql)?;
        let mut found = Vec::new();
        for row in select.query_map([length(LOOKED_AT_MAX)], read)? {
            let message = row??;
            if of.is_none_or(|of| of.contains(&message.queue)) {
                found.push(message);
            }
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }

    /// The message that this recording is.
    pub fn message_of(&self, recording: RecordingId) -> Result<Option<Message>, Error> {
        let sql = format!("{COLUMNS} WHERE recording = ?1");
        self.db().prepare_cached(&sql)?.query_row([recording.0.to_be_bytes()], read).optional()?.transpose()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<Message, Error>> {
    let (contact, recording): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(3)?);
    let (queue, by): (String, Option<String>) = (row.get(2)?, row.get(6)?);
    let (done, ms): (Option<i64>, Option<i64>) = (row.get(5)?, row.get(4)?);
    let unreadable = || Error::Unreadable { what: "message" };
    let read = || {
        let by = by.map(|by| AgentId::new(&by)).transpose().map_err(|_| unreadable())?;
        Ok(Message {
            contact: ContactId(u128::from_be_bytes(contact)),
            at: Millis(row.get(1)?),
            queue: QueueId::new(&queue).map_err(|_| unreadable())?,
            recording: RecordingId(u128::from_be_bytes(recording)),
            ms: ms.map(unsigned),
            done: done.map(Millis).zip(by),
        })
    };
    Ok(read())
}
