//! What people of the house write to one another, as the desk asks for it.

use std::collections::BTreeSet;

use ledger::{ChatMessage, ChatRoom};
use model::{AgentId, QueueId, chat::Room};
use tokio::sync::broadcast;

use super::{Future, Unavailable};
use crate::Role;

/// The house's own chat.
pub trait Chat: Send + Sync + 'static {
    /// Rooms that this reader may see and in which something was written, the latest first.
    fn rooms(&self, reader: ChatReader) -> Future<'_, Result<Vec<ChatRoom>, Unavailable>>;

    /// The last messages of a room before `before`, in order.
    fn messages(
        &self,
        room: Room,
        before: Option<u64>,
        limit: usize,
    ) -> Future<'_, Result<Vec<ChatMessage>, Unavailable>>;

    /// Resolves when it is durable.
    fn say(&self, by: AgentId, room: Room, text: String) -> Future<'_, Result<(), ChatRefused>>;

    /// How far this person has read.
    fn read(&self, by: AgentId, room: Room, n: u64) -> Future<'_, Result<(), Unavailable>>;

    /// What is written from here on, once it is durable.
    fn news(&self) -> broadcast::Receiver<ChatMessage>;
}

/// Whose eyes look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatReader {
    pub agent: AgentId,
    pub role: Role,
    /// The agent's.
    pub queues: BTreeSet<QueueId>,
}

impl ChatReader {
    /// Who may read in a room may write there.
    pub fn may(&self, room: &Room) -> bool {
        let supervisor = self.role == Role::Supervisor;
        match room {
            Room::Two(one, other) => self.agent == *one || self.agent == *other,
            Room::Queue(queue) => supervisor || self.queues.contains(queue),
            Room::Supervisors(of) => supervisor || self.agent == *of,
        }
    }
}

/// Why it was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatRefused {
    #[error("too many messages in a minute")]
    TooMany,
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
