//! Connections that the desk carries: SIP of its own pages, over the WebSocket that the desk has accepted.

use std::net::SocketAddr;

use bytes::Bytes;
use sip::endpoint::{Flow, Input, Transport};
use tokio::sync::mpsc;

use super::tcp::Connections;

/// Messages of a page that wait for their turn.
const SAID_MAX: usize = 32;

/// Cheap to clone, and good for any thread.
#[derive(Clone)]
pub struct Pages(pub(super) Connections);

impl Pages {
    /// A connection of a page whose session was proved; it ends when either side is dropped. None beyond the limits.
    pub fn connect(
        &self,
        transport: Transport,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Option<(mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>)> {
        let flow = Flow { transport, local, remote, connection: 0 };
        let place = self.0.place_of_page(flow)?;
        let flow = Flow { connection: place.number, ..flow };
        let (said, mut says) = mpsc::channel(SAID_MAX);
        let connections = self.0.clone();
        tokio::spawn(async move {
            let work = async {
                while let Some(bytes) = says.recv().await {
                    if connections.inputs().send(Input::Received { flow, bytes }).await.is_err() {
                        return "stopped";
                    }
                }
                "closed by the page"
            };
            let why = place.stop.run_until_cancelled(work).await.unwrap_or("stopped");
            connections.end_of_page(flow, why).await;
        });
        Some((said, place.writes))
    }
}
