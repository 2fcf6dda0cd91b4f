//! The way in for boxes behind a firewall that lets nothing but the web pass: a WebSocket that carries QUIC's packets to
//! the hub's own port. Who is in it proves itself there, so nothing is asked here.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::Response,
};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, future::ready};
use link::{endpoint::SUBPROTOCOL, web};
use tokio::sync::OwnedSemaphorePermit;

use super::fault::Fault;
use crate::app::App;

/// Each holds two sockets. A box has up to three at once.
pub const WAYS_MAX: usize = 3_000;

pub async fn link(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Result<Response, Fault> {
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        let message = format!("this WebSocket speaks {SUBPROTOCOL}");
        return Err(Fault::bad_request(message));
    }
    let Ok(place) = Arc::clone(&app.ways).try_acquire_owned() else {
        let message = "too many boxes come by the web";
        return Err(Fault::new(StatusCode::SERVICE_UNAVAILABLE, "full", message).retry_after(Duration::from_secs(30)));
    };
    let upgrade = upgrade.max_message_size(web::PACKET_LEN_MAX).max_frame_size(web::PACKET_LEN_MAX);
    Ok(upgrade.write_buffer_size(0).on_upgrade(move |socket| carry(app, socket, place)))
}

async fn carry(app: Arc<App>, socket: WebSocket, _place: OwnedSemaphorePermit) {
    let Some(boxes) = app.boxes() else { return };
    let (sink, stream) = socket.split();
    let ended = |message: &Result<Message, axum::Error>| ready(!matches!(message, Err(_) | Ok(Message::Close(_))));
    let packets = stream.take_while(ended).filter_map(|message| {
        ready(match message {
            Ok(Message::Binary(packet)) => Some(packet),
            _ => None,
        })
    });
    let answers = sink.with(|packet: Bytes| ready(Ok::<_, axum::Error>(Message::Binary(packet))));
    tokio::select! {
        () = app.stop.cancelled() => {}
        ended = web::relay(packets, answers, boxes) => {
            if let Err(error) = ended {
                tracing::warn!(%error, "a box that came by the web found no way to the hub");
            }
        }
    }
}
