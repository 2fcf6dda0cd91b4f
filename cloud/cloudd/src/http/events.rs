//! A WebSocket on which a console hears which sites have changed, at most every two seconds, so that it asks again.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::Response,
};
use db::{session::Who, user::Scope};
use serde_json::json;
use tokio::{sync::OwnedSemaphorePermit, time::MissedTickBehavior};

use super::{fault::Fault, guard::Token};
use crate::{app::App, clock};

/// Most consoles that listen at once.
pub const LISTENERS_MAX: usize = 256;
/// Hints are told this often at most.
pub const EVERY: Duration = Duration::from_secs(2);
/// Ticks between two looks at whether the session still stands and the browser is still there.
const TICKS_PER_CHECK: u32 = 10;
/// A console sends nothing but control frames.
const MESSAGE_LEN_MAX: usize = 4096;

pub async fn events(
    State(app): State<Arc<App>>,
    Extension(token): Extension<Token>,
    Extension(who): Extension<Who>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Fault> {
    let Ok(place) = Arc::clone(&app.listeners).try_acquire_owned() else {
        let message = "too many consoles are open";
        return Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, "full", message).retry_after(Duration::from_secs(30)));
    };
    let seen = app.hints.turn();
    let upgrade = upgrade.max_message_size(MESSAGE_LEN_MAX).max_frame_size(MESSAGE_LEN_MAX);
    Ok(upgrade.on_upgrade(move |socket| tell(app, socket, (token, who.scope), seen, place)))
}

async fn tell(
    app: Arc<App>,
    mut socket: WebSocket,
    (token, mut scope): (Token, Scope),
    mut seen: u64,
    _place: OwnedSemaphorePermit,
) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tick: u32 = 0;
    loop {
        tokio::select! {
            () = app.stop.cancelled() => break,
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            _ = ticks.tick() => {
                tick = tick.wrapping_add(1);
                if tick.is_multiple_of(TICKS_PER_CHECK) {
                    let Some(still) = still_there(&app, &mut socket, token).await else { break };
                    scope = still;
                }
                let (sites, turn) = app.hints.since(seen);
                seen = turn;
                for site in sites.into_iter().filter(|site| scope.holds(site)) {
                    let text = json!({ "event": "site", "site": site }).to_string();
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
    let _ = socket.send(Message::Close(None)).await;
}

/// Whose sites the listener may hear of by now; None: the session or the browser is gone.
async fn still_there(app: &App, socket: &mut WebSocket, token: Token) -> Option<Scope> {
    let who = app.db.read(move |conn| db::session::who(conn, &token.0, clock::now())).await;
    let who =
        who.inspect_err(|error: &db::Error| tracing::warn!(%error, "a session could not be looked at")).ok()??;
    socket.send(Message::Ping(Vec::new().into())).await.ok()?;
    Some(who.scope)
}
