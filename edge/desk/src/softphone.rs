//! Accounts lent to pages: one for a session, whose latest page has it. It ends with the session, and the page's line
//! with it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
};
use tokio::sync::watch;

use crate::{
    Account, Desk, SipLine,
    session::{Key, Session},
    socket::{CLOSE_SIGNED_OUT, SEND_WITHIN, signed_out},
};

/// Longest SIP message, in bytes.
pub const MESSAGE_LEN_MAX: usize = 65_535;
/// How often it is asked whether a session is still alive, and a page whether it is there.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// A page answers pings; one that said nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(40);
/// RFC 6455 §7.4.2: codes from 4000 are ours. Another page of this session has the telephone.
const CLOSE_ELSEWHERE: u16 = 4002;

#[derive(Default)]
pub struct Loans(Mutex<BTreeMap<Key, Loan>>);

struct Loan {
    name: String,
    /// Whose turn it is to speak: the number of the latest line. Gone with the loan.
    turn: watch::Sender<u64>,
}

/// A line's place in the order of its session's lines.
pub struct Turn {
    own: u64,
    latest: watch::Receiver<u64>,
}

impl Loans {
    /// The next line of this session; the one before it ends. None: nothing was lent.
    pub fn turn(&self, key: Key) -> Option<Turn> {
        let loans = self.held();
        let loan = loans.get(&key)?;
        loan.turn.send_modify(|turn| *turn = turn.wrapping_add(1));
        let latest = loan.turn.subscribe();
        let own = *latest.borrow();
        Some(Turn { own, latest })
    }

    fn put(&self, key: Key, loan: Loan) -> Option<String> {
        self.held().insert(key, loan).map(|before| before.name)
    }

    fn remove(&self, key: Key) -> Option<String> {
        self.held().remove(&key).map(|loan| loan.name)
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<Key, Loan>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Turn {
    /// Returns when another line has the turn, or there is none to have.
    async fn over(&mut self) {
        let own = self.own;
        self.latest.wait_for(|latest| *latest != own).await.ok();
    }
}

/// Keeps an account for a session, and takes it back when the session is over, whichever way it ends.
pub fn keep(desk: &Desk, session: Session, account: &Account) {
    let turn = watch::Sender::new(0);
    let mut replaced = turn.subscribe();
    if let Some(before) = desk.loans.put(session.key, Loan { name: account.name.clone(), turn }) {
        desk.softphones.take_back(&before);
    }
    let desk = desk.clone();
    tokio::spawn(async move {
        let mut over = session.over.clone();
        let until = tokio::time::Instant::from_std(session.until);
        let idle = async {
            while desk.sessions.is_alive(Instant::now(), session.key) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            biased;
            // Another account was lent, or this one was given back.
            _ = async { while replaced.changed().await.is_ok() {} } => return,
            () = signed_out(&mut over) => {}
            () = tokio::time::sleep_until(until) => {}
            () = idle => {}
        }
        end(&desk, session.key);
    });
}

/// The session's account is taken back.
pub fn end(desk: &Desk, key: Key) {
    if let Some(name) = desk.loans.remove(key) {
        desk.softphones.take_back(&name);
    }
}

/// Carries SIP between a page and the box until either ends; says why.
pub async fn carry(
    desk: &Desk,
    session: &Session,
    mut socket: WebSocket,
    mut line: SipLine,
    mut turn: Turn,
) -> &'static str {
    let mut over = session.over.clone();
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut heard = Instant::now();
    loop {
        let out = tokio::select! {
            biased;
            () = signed_out(&mut over) => return close(socket, CLOSE_SIGNED_OUT, "signed out").await,
            () = turn.over() => return close(socket, CLOSE_ELSEWHERE, "elsewhere").await,
            message = socket.recv() => {
                let bytes = match message {
                    Some(Ok(Message::Text(text))) => Bytes::from(text),
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                        heard = Instant::now();
                        continue;
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return "closed by the page",
                };
                heard = Instant::now();
                if line.said.send(bytes).await.is_err() {
                    return "closed by the box";
                }
                continue;
            }
            bytes = line.heard.recv() => match bytes {
                // RFC 7118 §5: text when it is UTF-8.
                Some(bytes) => Utf8Bytes::try_from(bytes.clone()).map_or(Message::Binary(bytes), Message::Text),
                None => return "closed by the box",
            },
            _ = looks.tick() => {
                if heard.elapsed() > SILENCE_MAX {
                    return "the page is gone";
                }
                desk.sessions.touch(Instant::now(), session.key);
                Message::Ping(Bytes::new())
            }
        };
        match tokio::time::timeout(SEND_WITHIN, socket.send(out)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "broken",
            Err(_) => return "the page takes nothing",
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, why: &'static str) -> &'static str {
    let frame = CloseFrame { code, reason: why.into() };
    // The page learns it at its next request, if this does not arrive.
    tokio::time::timeout(SEND_WITHIN, socket.send(Message::Close(Some(frame)))).await.ok();
    why
}
