//! What people of the house write to one another: sealed under a key of the day, which is destroyed when the day is too old.

use std::fmt;

use model::{AgentId, Millis, chat::Room};
use rusqlite::{Connection, OptionalExtension, Row, params};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    error::Error,
    key::{BranchKey, KEY_LEN, open, seal},
    outbox::{integer, length, unsigned},
    personal,
    reader::Reader,
};

/// Longest message, in bytes.
pub const CHAT_TEXT_LEN_MAX: usize = 8_000;
/// Messages are kept so long: 30 days.
pub const CHAT_KEPT_DAYS: i64 = 30;
/// Messages in all; the oldest day makes room.
pub const CHAT_MAX: usize = 200_000;
/// Messages of one person in a minute.
pub const CHAT_MINUTE_MAX: usize = 60;
const DAY_MS: i64 = 24 * 3_600 * 1_000;
const MINUTE_MS: i64 = 60_000;

/// A message that somebody writes.
#[derive(Clone, PartialEq, Eq)]
pub struct ChatWrite {
    pub room: Room,
    pub by: AgentId,
    pub at: Millis,
    pub text: String,
}

/// A message that was written.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ChatMessage {
    /// Of all messages, in order.
    pub n: u64,
    #[zeroize(skip)]
    pub room: Room,
    #[zeroize(skip)]
    pub by: AgentId,
    #[zeroize(skip)]
    pub at: Millis,
    pub text: String,
}

/// How far somebody has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRead {
    pub by: AgentId,
    pub room: Room,
    pub n: u64,
}

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("room", &self.room).finish_non_exhaustive()
            }
        }
    )*};
}
silent!(ChatWrite, ChatMessage);

/// Which day's key.
fn day_id(at: Millis) -> [u8; 16] {
    let day = at.0.div_euclid(DAY_MS);
    let mut id = *b"chat-day........";
    if let Some(end) = id.get_mut(8..) {
        end.copy_from_slice(&day.to_be_bytes());
    }
    id
}

pub(crate) fn write(db: &Connection, branch: &BranchKey, write: &ChatWrite) -> Result<(), Error> {
    let (room, since) = (write.room.to_string(), write.at.0.saturating_sub(MINUTE_MS));
    let lately: i64 = db
        .prepare_cached("SELECT count(*) FROM chat WHERE at > ?1 AND sender = ?2")?
        .query_row(params![since, write.by.as_str()], |row| row.get(0))?;
    let len = usize::try_from(lately).unwrap_or(usize::MAX).saturating_add(1);
    if len > CHAT_MINUTE_MAX {
        return Err(Error::TooLarge { what: "messages in a minute", len, max: CHAT_MINUTE_MAX });
    }
    forget(db, write.at)?;
    let id = day_id(write.at);
    let key = personal::key_of(db, branch, &id)?;
    let sealed = seal(&key, &context(&id, &room, &write.by), write.text.as_bytes())?;
    db.prepare_cached("INSERT INTO chat (at, room, sender, day, sealed) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![write.at.0, room, write.by.as_str(), id, sealed])?;
    // Whoever writes has read what is there.
    db.prepare_cached("INSERT OR REPLACE INTO chat_read (agent, room, n) VALUES (?1, ?2, last_insert_rowid())")?
        .execute(params![write.by.as_str(), room])?;
    Ok(())
}

/// Days that are too old go, with their keys; and the oldest when there are too many messages.
fn forget(db: &Connection, now: Millis) -> Result<(), Error> {
    let kept_since = now.0.saturating_sub(CHAT_KEPT_DAYS.saturating_mul(DAY_MS));
    let oldest: Option<(i64, Vec<u8>)> = db
        .prepare_cached("SELECT at, day FROM chat ORDER BY n LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((at, day)) = oldest else { return Ok(()) };
    let span: i64 = db.prepare_cached("SELECT max(n) - min(n) FROM chat")?.query_row([], |row| row.get(0))?;
    if at >= kept_since && span < length(CHAT_MAX) {
        return Ok(());
    }
    db.pragma_update(None, "secure_delete", true)?;
    for sql in ["DELETE FROM personal_keys WHERE contact = ?1", "DELETE FROM chat WHERE day = ?1"] {
        db.prepare_cached(sql)?.execute([&day])?;
    }
    db.pragma_update(None, "secure_delete", false)?;
    Ok(())
}

/// It never goes back.
pub(crate) fn read_up_to(db: &Connection, read: &ChatRead) -> Result<(), Error> {
    db.prepare_cached(
        "INSERT INTO chat_read (agent, room, n) VALUES (?1, ?2, ?3)
         ON CONFLICT (agent, room) DO UPDATE SET n = max(n, excluded.n)",
    )?
    .execute(params![read.by.as_str(), read.room.to_string(), integer(read.n)?])?;
    Ok(())
}

const COLUMNS: &str = "SELECT n, room, sender, at, day, sealed, wrapped FROM chat
                       JOIN personal_keys ON personal_keys.contact = chat.day";

/// A room, as one person finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRoom {
    pub room: Room,
    pub last: ChatMessage,
    /// Of others, that the person has not read.
    pub unread: u64,
}

impl Reader {
    /// Rooms in which something was written, the latest first.
    pub fn chat_rooms(&self, of: &AgentId, mut may: impl FnMut(&Room) -> bool) -> Result<Vec<ChatRoom>, Error> {
        let sql = format!("{COLUMNS} WHERE n IN (SELECT max(n) FROM chat GROUP BY room) ORDER BY n DESC");
        let mut select = self.db().prepare_cached(&sql)?;
        let mut count = self.db().prepare_cached(
            "SELECT count(*) FROM chat WHERE room = ?1 AND sender <> ?2
             AND n > coalesce((SELECT n FROM chat_read WHERE agent = ?2 AND room = ?1), 0)",
        )?;
        let mut rooms = Vec::new();
        for raw in select.query_map([], Raw::read)? {
            let raw = raw?;
            let Ok(room) = raw.room.parse::<Room>() else { continue };
            if !may(&room) {
                continue;
            }
            let unread = count.query_row([raw.room.as_str(), of.as_str()], |row| row.get(0))?;
            rooms.push(ChatRoom { room, last: raw.message(self.key())?, unread: unsigned(unread) });
        }
        Ok(rooms)
    }

    /// Of one room before `before` (or the last ones), in order.
    pub fn chat(&self, room: &Room, before: Option<u64>, limit: usize) -> Result<Vec<ChatMessage>, Error> {
        let sql = format!("{COLUMNS} WHERE room = ?1 AND n < ?2 ORDER BY n DESC LIMIT ?3");
        let mut select = self.db().prepare_cached(&sql)?;
        let before = before.map_or(Ok(i64::MAX), integer)?;
        let found = select.query_map(params![room.to_string(), before, length(limit)], Raw::read)?;
        let mut messages = found.map(|raw| raw?.message(self.key())).collect::<Result<Vec<_>, Error>>()?;
        messages.reverse();
        Ok(messages)
    }
}

struct Raw {
    n: i64,
    room: String,
    sender: String,
    at: i64,
    day: Vec<u8>,
    sealed: Vec<u8>,
    wrapped: Vec<u8>,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Raw> {
        Ok(Raw {
            n: row.get(0)?,
            room: row.get(1)?,
            sender: row.get(2)?,
            at: row.get(3)?,
            day: row.get(4)?,
            sealed: row.get(5)?,
            wrapped: row.get(6)?,
        })
    }

    fn message(&self, branch: &BranchKey) -> Result<ChatMessage, Error> {
        let unreadable = || Error::Unreadable { what: "chat message" };
        let room: Room = self.room.parse().map_err(|_| unreadable())?;
        let by = AgentId::new(&self.sender).map_err(|_| unreadable())?;
        let key = branch.open(&self.day, &self.wrapped)?;
        let key: &[u8; KEY_LEN] = key.as_slice().try_into().map_err(|_| Error::Sealed)?;
        let text = open(key, &context(&self.day, &self.room, &by), &self.sealed)?;
        let text = std::str::from_utf8(&text).map_err(|_| unreadable())?.to_owned();
        Ok(ChatMessage { n: unsigned(self.n), room, by, at: Millis(self.at), text })
    }
}

/// Bound into the seal, so that no message is anybody else's, or of another room.
fn context(day: &[u8], room: &str, by: &AgentId) -> Vec<u8> {
    [day, b"\0", room.as_bytes(), b"\0", by.as_str().as_bytes()].concat()
}
