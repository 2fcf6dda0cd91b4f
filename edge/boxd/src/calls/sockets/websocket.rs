//! SIP over WebSocket (RFC 7118), the server's side: one message of ours or theirs is one WebSocket message.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use sip::endpoint::{Flow, Input};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::tcp::Shared;

/// RFC 7118 §4.1.
const PROTOCOL: &str = "sip";

/// Bytes of one message, and of what waits to be written beyond the queue.
const MESSAGE_MAX: usize = 65_535;

/// A browser that vanished is noticed after two of these (RFC 6455 §5.5.2).
const PING_EVERY: Duration = Duration::from_secs(30);

/// From the HTTP request to the end. `deadline` is for the handshake and the first message.
#[expect(clippy::result_large_err, reason = "the handshake's refusal is tungstenite's type")]
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Shared,
    stream: S,
    flow: Flow,
    mut writes: mpsc::Receiver<Bytes>,
    deadline: Instant,
) -> &'static str {
    let mut config = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
    config.max_message_size = Some(MESSAGE_MAX);
    config.max_frame_size = Some(MESSAGE_MAX);
    config.max_write_buffer_size = MESSAGE_MAX.saturating_mul(2);
    let check = |request: &Request, response: Response| admit(request, response, &shared.security.origins);
    let handshake = tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(config));
    let Ok(Ok(mut socket)) = timeout_at(deadline, handshake).await else { return "no WebSocket" };
    let mut first = Some(deadline);
    let mut heard = Instant::now();
    let mut pings = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let until = first.unwrap_or_else(|| heard + shared.limits.idle);
        let out = tokio::select! {
            message = timeout_at(until, socket.next()) => {
                let bytes = match message {
                    Err(_) if first.is_some() => return "no message in time",
                    Err(_) => return "idle",
                    Ok(None | Some(Ok(Message::Close(_)))) => return "closed by the peer",
                    Ok(Some(Err(_))) => return "broken",
                    Ok(Some(Ok(Message::Text(text)))) => Bytes::from(text),
                    Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
                    Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {
                        heard = Instant::now();
                        continue;
                    }
                };
                heard = Instant::now();
                // A keep-alive is no message.
                if bytes.len() > 4 {
                    first = None;
                }
                if shared.inputs.send(Input::Received { flow, bytes }).await.is_err() {
                    return "stopped";
                }
                continue;
            }
            bytes = writes.recv() => match bytes {
                // RFC 7118 §5: text when it is UTF-8.
                Some(bytes) => Utf8Bytes::try_from(bytes.clone()).map_or(Message::Binary(bytes), Message::Text),
                None => return "stopped",
            },
            _ = pings.tick() => {
                if heard.elapsed() > PING_EVERY.saturating_mul(2) {
                    return "the peer is gone";
                }
                Message::Ping(Bytes::new())
            }
        };
        match timeout(shared.limits.patience, socket.send(out)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "broken",
            Err(_) => return "the peer takes nothing",
        }
    }
}

/// RFC 7118 §4: the subprotocol must be asked for. A browser says which page it runs (RFC 6454 §7), and only our own
/// pages may speak; who is no browser proves itself by digest like any phone.
#[expect(clippy::result_large_err, reason = "the handshake's refusal is tungstenite's type")]
fn admit(request: &Request, mut response: Response, origins: &[String]) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if !offered.any(|one| one.trim().eq_ignore_ascii_case(PROTOCOL)) {
        return Err(refusal(StatusCode::BAD_REQUEST, "the subprotocol is sip"));
    }
    let mut from = request.headers().get_all(header::ORIGIN).iter();
    let own = |value: &HeaderValue| value.to_str().is_ok_and(|origin| origins.iter().any(|own| own == origin));
    if !from.all(own) {
        return Err(refusal(StatusCode::FORBIDDEN, "a page of another origin"));
    }
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    Ok(response)
}

fn refusal(status: StatusCode, why: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(why.to_string()));
    *response.status_mut() = status;
    response
}
