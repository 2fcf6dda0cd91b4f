//! The house's own chat as it goes to a page.

use ledger::{ChatMessage, ChatRoom};

use crate::api;

pub fn chat_room(room: ChatRoom) -> api::ChatRoom {
    api::ChatRoom { room: room.room, last: chat_message(&room.last), unread: room.unread }
}

pub fn chat_message(message: &ChatMessage) -> api::ChatMessage {
    api::ChatMessage {
        n: message.n,
        room: message.room.clone(),
        by: message.by.clone(),
        at: message.at,
        text: message.text.clone(),
    }
}
