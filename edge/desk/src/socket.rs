//! The live connection of one desk: the board whenever it changed, commands in, and their answers once durable.

use std::time::{Duration, Instant};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::HeaderMap,
    response::Response,
};
use floor::board::{Ask, DeskCommand};
use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use ledger::ChatMessage;
use tokio::sync::{broadcast::error::RecvError, watch};

use crate::{
    BoardAt, Desk, Future, Role, TicketNews,
    api::{self, Command, RefusedCode, Say},
    door,
    fault::Refusal,
    routes::{chat, tickets},
    session::Session,
    view,
};

/// Longest message from a page, in bytes.
pub const MESSAGE_LEN_MAX: usize = 4096;
/// Commands of one desk that wait for their facts.
pub const COMMANDS_MAX: usize = 8;
/// Boards are sent no closer together than this.
const BOARD_EVERY: Duration = Duration::from_millis(200);
/// The board is sent again this often, changed or not: a page that heard nothing for two of these knows that the box
/// is gone.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A page that takes nothing for so long is gone.
pub const SEND_WITHIN: Duration = Duration::from_secs(10);
/// A page answers pings; one that said nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(35);
/// RFC 6455 §7.4.2: codes from 4000 are ours. The page shows the sign-in.
pub const CLOSE_SIGNED_OUT: u16 = 4001;

pub async fn open(
    State(desk): State<Desk>,
    headers: HeaderMap,
    session: Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Refusal> {
    if !door::origin_allowed(&desk, &headers) {
        return Err(Refusal::ForeignOrigin);
    }
    let place = desk.sockets.clone().try_acquire_owned().map_err(|_| Refusal::TooManySockets)?;
    let upgrade = upgrade.max_message_size(MESSAGE_LEN_MAX).max_frame_size(MESSAGE_LEN_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let agent = session.agent.clone();
        let reason = Live::new(desk, session, socket).run().await;
        tracing::debug!(%agent, ?reason, "desk connection ended");
        drop(place);
    }))
}

/// Why a live connection ended.
#[derive(Debug)]
enum Ended {
    ByPage,
    Silent,
    NotTaking,
    SignedOut,
    FloorGone,
}

struct Live {
    desk: Desk,
    session: Session,
    socket: WebSocket,
    running: FuturesUnordered<Future<'static, Say>>,
    heard: Instant,
}

impl Live {
    fn new(desk: Desk, session: Session, socket: WebSocket) -> Self {
        Self { desk, session, socket, running: FuturesUnordered::new(), heard: Instant::now() }
    }

    async fn run(mut self) -> Ended {
        match self.talk().await {
            Ok(never) => match never {},
            Err(ended) => {
                if let Ended::SignedOut = ended {
                    let frame = CloseFrame { code: CLOSE_SIGNED_OUT, reason: "signed out".into() };
                    let close = self.socket.send(Message::Close(Some(frame)));
                    // The page learns it at its next request, if this does not arrive.
                    tokio::time::timeout(SEND_WITHIN, close).await.ok();
                }
                ended
            }
        }
    }

    async fn talk(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut board = self.desk.floor.board();
        let mut effective = self.desk.floor.effective();
        let mut tickets = self.desk.tickets.news();
        let mut chat = self.desk.chat.news();
        let mut over = self.session.over.clone();
        let mut ping = tokio::time::interval(PING_EVERY);
        let mut next_board = tokio::time::Instant::now();
        let until = tokio::time::Instant::from_std(self.session.until);
        board.mark_changed();
        effective.mark_unchanged();
        self.say(Say::Me(view::me(&self.desk, &self.session))).await?;
        loop {
            // In this order: a change that was seen and then dropped with the sleep would be lost.
            let board_due = async {
                tokio::time::sleep_until(next_board).await;
                board.changed().await
            };
            tokio::select! {
                biased;
                () = signed_out(&mut over) => return Err(Ended::SignedOut),
                () = tokio::time::sleep_until(until) => return Err(Ended::SignedOut),
                message = self.socket.recv() => self.heard(message).await?,
                Some(say) = self.running.next(), if !self.running.is_empty() => self.say(say).await?,
                changed = board_due => {
                    changed.map_err(|_| Ended::FloorGone)?;
                    let drawn = board.borrow_and_update().clone();
                    self.show(&drawn).await?;
                    next_board = tokio::time::Instant::now() + BOARD_EVERY;
                }
                changed = effective.changed() => {
                    changed.map_err(|_| Ended::FloorGone)?;
                    effective.mark_unchanged();
                    self.say(Say::Me(view::me(&self.desk, &self.session))).await?;
                    self.say(Say::Config).await?;
                }
                news = chat.recv() => self.chat(news).await?,
                news = tickets.recv() => self.ticket(news).await?,
                _ = ping.tick() => {
                    self.ping().await?;
                    let drawn = board.borrow().clone();
                    self.show(&drawn).await?;
                }
            }
        }
    }

    async fn heard(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Ended> {
        self.heard = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str::<Command>(&text) {
                Ok(command) => self.start(command).await,
                Err(_) => self.say(Say::Refused { id: None, code: RefusedCode::BadRequest }).await,
            },
            Some(Ok(Message::Binary(_))) => self.say(Say::Refused { id: None, code: RefusedCode::BadRequest }).await,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => Err(Ended::ByPage),
        }
    }

    /// Hands a command to the floor; its answer is sent when the floor has stored the facts.
    async fn start(&mut self, Command { id, ask }: Command) -> Result<(), Ended> {
        let ask = match view::ask(ask) {
            Ok(_) if self.running.len() >= COMMANDS_MAX => Err(RefusedCode::TooMany),
            // Who calls for help is told to supervisors alone, and they alone hear others' talks (S-112) and see whom
            // we call back.
            Ok(Ask::Seen { .. } | Ask::StrikeOff { .. } | Ask::Monitor { .. } | Ask::MonitorEnd)
                if self.session.role != Role::Supervisor =>
            {
                Err(RefusedCode::Forbidden)
            }
            other => other,
        };
        match ask {
            Err(code) => self.say(Say::Refused { id: Some(id), code }).await,
            Ok(ask) => {
                let command = DeskCommand { agent: self.session.agent.clone(), ask };
                let floor = self.desk.floor.clone();
                let done = async move { answer(id, floor.command(command).await) };
                self.running.push(done.boxed());
                Ok(())
            }
        }
    }

    /// Something happened to a ticket; what is not for this reader's eyes is passed over.
    async fn ticket(&mut self, news: Result<TicketNews, RecvError>) -> Result<(), Ended> {
        let told = match news {
            Ok(news) => view::ticket_news(&news, &tickets::reader(&self.desk, &self.session)),
            // More than this page could take: it reads its list again.
            Err(RecvError::Lagged(_)) => Some(api::TicketNews { ticket: None, number: 0, alarm: None }),
            Err(RecvError::Closed) => return Err(Ended::FloorGone),
        };
        match told {
            Some(told) => self.say(Say::Ticket(told)).await,
            None => Ok(()),
        }
    }

    /// Somebody wrote; only who may read there hears of it.
    async fn chat(&mut self, news: Result<ChatMessage, RecvError>) -> Result<(), Ended> {
        match news {
            Ok(message) if chat::reader(&self.desk, &self.session).may(&message.room) => {
                self.say(Say::Chat(view::chat_message(&message))).await
            }
            Ok(_) => Ok(()),
            Err(RecvError::Lagged(_)) => self.say(Say::ChatMissed).await,
            Err(RecvError::Closed) => Err(Ended::FloorGone),
        }
    }

    async fn ping(&mut self) -> Result<(), Ended> {
        if self.heard.elapsed() > SILENCE_MAX {
            return Err(Ended::Silent);
        }
        self.desk.sessions.touch(Instant::now(), self.session.key);
        self.send(Message::Ping(Default::default())).await
    }

    async fn show(&mut self, drawn: &BoardAt) -> Result<(), Ended> {
        self.say(Say::Board(view::board(Instant::now(), drawn, &self.session.reader()))).await
    }

    async fn say(&mut self, say: Say) -> Result<(), Ended> {
        let text = serde_json::to_string(&say).map_err(|_| Ended::NotTaking)?;
        self.send(Message::Text(text.into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        match tokio::time::timeout(SEND_WITHIN, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::ByPage),
            Err(_) => Err(Ended::NotTaking),
        }
    }
}

/// Also when the sender is gone: then the session is.
pub async fn signed_out(over: &mut watch::Receiver<bool>) {
    over.wait_for(|over| *over).await.ok();
}

fn answer(id: u64, done: Result<(), crate::CommandError>) -> Say {
    match done {
        Ok(()) => Say::Ack { id },
        Err(error) => Say::Refused { id: Some(id), code: view::refused(error) },
    }
}
