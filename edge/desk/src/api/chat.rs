//! The house's own chat on the wire. A room is written `two.li.wang`, `queue.sales` or `supervisors.li`.

use std::collections::BTreeSet;

use model::{AgentId, Millis, QueueId, chat::Room};
use serde::{Deserialize, Serialize};

/// Characters of a message.
pub const CHAT_CHARS_MAX: usize = 2_000;

/// `GET /api/chat`: rooms in which something was written, the latest first.
#[derive(Debug, Clone, Serialize)]
pub struct ChatRooms {
    pub rooms: Vec<ChatRoom>,
    /// Whose rooms the reader may enter.
    pub queues: BTreeSet<QueueId>,
}

#[derive(Debug, Clone, Serialize)]
pub struct ChatRoom {
    pub room: Room,
    pub last: ChatMessage,
    /// Of others, that the reader has not read.
    pub unread: u64,
}

/// `GET /api/chat/{room}?before=`: the last messages before that one, in order.
#[derive(Debug, Clone, Serialize)]
pub struct ChatMessages {
    pub messages: Vec<ChatMessage>,
    pub more: bool,
}

/// Also over the live connection, to whom may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Of all messages of the box, in order.
    pub n: u64,
    pub room: Room,
    pub by: AgentId,
    pub at: Millis,
    pub text: String,
}

/// `POST /api/chat/{room}`. Answered with 204 when it is on the disk.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatSay {
    pub text: String,
}

/// `POST /api/chat/{room}/read`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatRead {
    pub n: u64,
}
