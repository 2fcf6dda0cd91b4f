//! QUIC within a WebSocket, for branches whose firewall lets nothing pass but the web: each binary message is one
//! packet. What is inside proves and hides itself as it does over UDP; the outer TLS only makes it pass, so it is taken
//! from whoever stands there, a proxy that opens it included.

mod dial;
mod relay;
mod socket;

use std::{net::SocketAddr, sync::Arc};

use futures_util::{Sink, SinkExt, Stream, StreamExt};
use quinn::EndpointConfig;

pub use dial::Error;
pub use relay::relay;

use crate::{client, endpoint::Web};
use dial::dial;
use socket::{Pipe, Socket};

/// A packet of QUIC is a UDP datagram.
pub const PACKET_LEN_MAX: usize = 65_527;

/// An endpoint whose only way leads through the WebSocket, and the address to name to it.
pub(crate) async fn endpoint(web: &Web) -> Result<(quinn::Endpoint, SocketAddr), client::Error> {
    let opened = dial(web).await?;
    let (socket, pipe) = Socket::new(opened.local, opened.remote);
    let (sink, stream) = opened.socket.split();
    tokio::spawn(carry(stream, sink, pipe));
    let runtime = quinn::default_runtime().ok_or_else(|| client::Error::Socket(std::io::Error::other("no runtime")))?;
    let endpoint =
        quinn::Endpoint::new_with_abstract_socket(EndpointConfig::default(), None, Arc::new(socket), runtime);
    Ok((endpoint.map_err(client::Error::Socket)?, opened.remote))
}

/// Until either end is gone.
async fn carry<E>(
    mut stream: impl Stream<Item = Result<tungstenite::Message, E>> + Unpin,
    mut sink: impl Sink<tungstenite::Message> + Unpin,
    mut pipe: Pipe,
) {
    loop {
        tokio::select! {
            packet = pipe.next() => {
                let Some(packet) = packet else { break };
                if sink.send(tungstenite::Message::Binary(packet)).await.is_err() {
                    break;
                }
            }
            message = stream.next() => match message {
                Some(Ok(tungstenite::Message::Binary(packet))) => pipe.arrived(packet),
                Some(Ok(tungstenite::Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    let _ = sink.close().await;
}
