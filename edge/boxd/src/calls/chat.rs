//! The house's own chat between the desk and the ledger: what was written is told to whoever looks once the disk has it.

use std::sync::Arc;

use desk::{ChatReader, ChatRefused, Future, Unavailable};
use ledger::{Batch, ChatMessage, ChatRead, ChatRoom, ChatWrite, Ledger};
use model::{AgentId, chat::Room};
use tokio::sync::{Mutex, broadcast};
use tracing::warn;

use super::{clock::wall, desk_ports::read};

/// Messages that a slow page may be behind.
const NEWS_MAX: usize = 256;

pub struct ChatPort {
    ledger: Arc<Ledger>,
    news: broadcast::Sender<ChatMessage>,
    /// It is the spare ledger: what is written there does not come home.
    spare: bool,
    /// One is told after the other, in the order of the ledger.
    order: Mutex<()>,
}

impl ChatPort {
    pub fn new(ledger: Arc<Ledger>, spare: bool) -> Self {
        Self { ledger, news: broadcast::Sender::new(NEWS_MAX), spare, order: Mutex::default() }
    }

    /// Written on a thread that may block.
    async fn write(&self, batch: Batch) -> Result<(), ChatRefused> {
        if self.spare {
            return Err(Unavailable.into());
        }
        let pending = self.ledger.writer().submit_once(batch);
        match tokio::task::spawn_blocking(move || pending.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(ledger::Error::TooLarge { .. })) => Err(ChatRefused::TooMany),
            Ok(Err(error)) => {
                warn!(%error, "a message cannot be kept");
                Err(Unavailable.into())
            }
            Err(_) => Err(Unavailable.into()),
        }
    }
}

impl desk::Chat for ChatPort {
    fn rooms(&self, reader: ChatReader) -> Future<'_, Result<Vec<ChatRoom>, Unavailable>> {
        Box::pin(read(&self.ledger, move |ledger| ledger.chat_rooms(&reader.agent, |room| reader.may(room))))
    }

    fn messages(
        &self,
        room: Room,
        before: Option<u64>,
        limit: usize,
    ) -> Future<'_, Result<Vec<ChatMessage>, Unavailable>> {
        Box::pin(read(&self.ledger, move |ledger| ledger.chat(&room, before, limit)))
    }

    fn say(&self, by: AgentId, room: Room, text: String) -> Future<'_, Result<(), ChatRefused>> {
        Box::pin(async move {
            let _turn = self.order.lock().await;
            let write = ChatWrite { room: room.clone(), by, at: wall(), text };
            self.write(Batch { chat: vec![write], ..Batch::default() }).await?;
            // As it stands there, with its number.
            let last = read(&self.ledger, move |ledger| ledger.chat(&room, None, 1)).await?;
            for message in last {
                // Nobody may look at this moment.
                self.news.send(message).ok();
            }
            Ok(())
        })
    }

    fn read(&self, by: AgentId, room: Room, n: u64) -> Future<'_, Result<(), Unavailable>> {
        Box::pin(async move {
            let batch = Batch { chat_read: vec![ChatRead { by, room, n }], ..Batch::default() };
            self.write(batch).await.map_err(|_| Unavailable)
        })
    }

    fn news(&self) -> broadcast::Receiver<ChatMessage> {
        self.news.subscribe()
    }
}
