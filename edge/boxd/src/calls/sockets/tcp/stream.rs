//! One connection from its first byte to its end: accepted or opened, made private, read and written.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use sip::endpoint::{Flow, Input, Transport};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::websocket;
use super::{Asked, Place, Shared};

/// Bytes read at once; a silent connection holds this much.
const READ_MAX: usize = 4 * 1024;

/// A peer that vanished without a word is noticed after this and three probes.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Of a reason; a certificate may list many names.
const FAULT_CHARS_MAX: usize = 200;

/// Pause after a failed accept (no descriptors left, for example).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn accept(shared: Arc<Shared>, listener: TcpListener, transport: Transport, local: SocketAddr) {
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accepting a SIP connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let flow = Flow { transport, local, remote, connection: 0 };
        let place = shared.table().place(&shared, flow, Asked::ByPeer);
        match place {
            Some(place) => {
                let flow = Flow { connection: place.number, ..flow };
                tokio::spawn(serve(Arc::clone(&shared), stream, flow, place));
            }
            None => tracing::debug!("a SIP connection beyond the limits is closed"),
        }
    }
}

/// Opens a connection that something waits to be sent on. `asked` has connection 0, and so has what is told when it
/// cannot be opened.
pub(super) async fn open(shared: Arc<Shared>, asked: Flow, place: Place) {
    let number = place.number;
    let flow = Flow { connection: number, ..asked };
    let opened = async {
        let stream = connect(asked).await?;
        tune(&stream);
        if asked.transport != Transport::Tls {
            return Ok(Carried::Plain(stream));
        }
        let peer = shared.table().peers.get(&asked.remote).cloned();
        let peer = peer.ok_or_else(|| std::io::Error::other("no TLS is agreed with this peer"))?;
        peer.connect(stream).await.map(|stream| Carried::Client(Box::new(stream), peer.trunk()))
    };
    let fault = match timeout(shared.limits.patience, opened).await {
        Ok(Ok(Carried::Plain(stream))) => {
            let (reader, writer) = stream.into_split();
            return run(shared, place, flow, None, reader, writer).await;
        }
        Ok(Ok(Carried::Client(stream, trunk))) => {
            shared.table().faults.remove(&asked.remote);
            if let Some(trunk) = trunk {
                let _told = shared.inputs.send(Input::Proved { flow, trunk }).await;
            }
            let (reader, writer) = tokio::io::split(*stream);
            return run(shared, place, flow, None, reader, writer).await;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer in time".to_string(),
    };
    if asked.transport == Transport::Tls {
        tracing::warn!(peer = %asked.remote, why = fault, "TLS to a trunk failed");
        let mut table = shared.table();
        if table.peers.contains_key(&asked.remote) {
            table.faults.insert(asked.remote, fault.chars().take(FAULT_CHARS_MAX).collect());
        }
    } else {
        tracing::debug!(why = fault, "a SIP connection cannot be opened");
    }
    shared.table().open.remove(&number);
    let _gone = shared.inputs.send(Input::Closed { flow: asked }).await;
}

enum Carried {
    Plain(TcpStream),
    /// And the trunk that is known by what it proved.
    Client(Box<tokio_rustls::client::TlsStream<TcpStream>>, Option<String>),
}

/// From the address that the peer knows us by, any port.
async fn connect(flow: Flow) -> std::io::Result<TcpStream> {
    let socket = if flow.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if flow.local.is_ipv4() == flow.remote.is_ipv4() && !flow.local.ip().is_unspecified() {
        socket.bind(SocketAddr::new(flow.local.ip(), 0))?;
    }
    socket.connect(flow.remote).await
}

fn tune(stream: &TcpStream) {
    let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE).with_retries(3);
    let tuned = SockRef::from(stream).set_tcp_keepalive(&keep_alive).and(stream.set_nodelay(true));
    if let Err(error) = tuned {
        tracing::debug!(%error, "a SIP connection keeps the kernel's defaults");
    }
}

/// A connection of a peer's, from accept to `Input::Closed`. Handshakes and the first header share one deadline.
async fn serve(shared: Arc<Shared>, stream: TcpStream, flow: Flow, place: Place) {
    tune(&stream);
    let deadline = Instant::now() + shared.limits.first_header;
    let callers = shared.security.callers.clone().filter(|_| flow.transport == Transport::Tls);
    let server = callers.as_ref().map(|callers| callers.server()).or_else(|| shared.security.server.clone());
    let acceptor = server.map(tokio_rustls::TlsAcceptor::from);
    match (flow.transport, acceptor) {
        (Transport::Tls | Transport::Wss, Some(acceptor)) => {
            let stop = place.stop.clone();
            let shaken = stop.run_until_cancelled(timeout_at(deadline, acceptor.accept(stream))).await;
            let Some(Ok(Ok(stream))) = shaken else {
                tracing::debug!(connection = place.number, "a TLS handshake failed");
                shared.table().open.remove(&place.number);
                return;
            };
            if flow.transport == Transport::Wss {
                return run_websocket(shared, place, flow, deadline, stream).await;
            }
            match callers.as_ref().map(|callers| callers.who(stream.get_ref().1.peer_certificates())) {
                Some(Ok(Some(trunk))) => {
                    let _told = shared.inputs.send(Input::Proved { flow, trunk: trunk.to_owned() }).await;
                }
                Some(Err(why)) => tracing::warn!(peer = %flow.remote, why, "a certificate that is no trunk's"),
                Some(Ok(None)) | None => {}
            }
            let (reader, writer) = tokio::io::split(stream);
            run(shared, place, flow, Some(deadline), reader, writer).await;
        }
        (Transport::Ws, _) => run_websocket(shared, place, flow, deadline, stream).await,
        _ => {
            let (reader, writer) = stream.into_split();
            run(shared, place, flow, Some(deadline), reader, writer).await;
        }
    }
}

async fn run_websocket<S: AsyncRead + AsyncWrite + Unpin>(
    shared: Arc<Shared>,
    place: Place,
    flow: Flow,
    deadline: Instant,
    stream: S,
) {
    let Place { number, writes, stop } = place;
    let work = websocket::serve(&shared, stream, flow, writes, deadline);
    let why = stop.run_until_cancelled(work).await.unwrap_or("stopped");
    end(&shared, number, flow, why).await;
}

/// A stream that is ready for messages, to its end.
async fn run(
    shared: Arc<Shared>,
    place: Place,
    flow: Flow,
    deadline: Option<Instant>,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
) {
    let Place { number, writes, stop } = place;
    let work = async {
        tokio::select! {
            why = read(&shared, reader, flow, deadline) => why,
            why = write(writer, writes, shared.limits.patience) => why,
        }
    };
    let why = stop.run_until_cancelled(work).await.unwrap_or("stopped");
    end(&shared, number, flow, why).await;
}

pub(super) async fn end(shared: &Shared, number: u64, flow: Flow, why: &'static str) {
    tracing::debug!(connection = number, why, "a SIP connection ends");
    shared.table().open.remove(&number);
    let _gone = shared.inputs.send(Input::Closed { flow }).await;
}

async fn read(
    shared: &Shared,
    mut reader: impl AsyncRead + Unpin,
    flow: Flow,
    mut deadline: Option<Instant>,
) -> &'static str {
    let mut header = FirstHeader::default();
    loop {
        let mut buffer = BytesMut::with_capacity(READ_MAX);
        let until = deadline.unwrap_or_else(|| Instant::now() + shared.limits.idle);
        match timeout_at(until, reader.read_buf(&mut buffer)).await {
            Err(_) if deadline.is_some() => return "no message in time",
            Err(_) => return "idle",
            Ok(Err(_)) => return "broken",
            Ok(Ok(0)) => return "closed by the peer",
            Ok(Ok(_)) => {}
        }
        if deadline.is_some() && header.ends_in(&buffer) {
            deadline = None;
        }
        if shared.inputs.send(Input::Received { flow, bytes: buffer.freeze() }).await.is_err() {
            return "stopped";
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut writes: mpsc::Receiver<Bytes>,
    patience: Duration,
) -> &'static str {
    while let Some(bytes) = writes.recv().await {
        let sent = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        match timeout(patience, sent).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "broken",
            Err(_) => return "the peer takes nothing",
        }
    }
    // The last word is to arrive: a port that is closed while the peer still writes would take it back (RFC 9293 §3.6.1).
    // What the peer still says is read meanwhile, and means nothing.
    let _ended = timeout(patience, writer.shutdown()).await;
    tokio::time::sleep(patience).await;
    "closed by us"
}

/// Finds the blank line that ends the first header, in any cut. Keep-alives (CRLF CRLF, RFC 5626 §3.5.1) before it do
/// not count.
#[derive(Debug, Default)]
pub struct FirstHeader {
    begun: bool,
    /// How much of CR LF CR LF was just seen.
    matched: usize,
}

impl FirstHeader {
    pub fn ends_in(&mut self, bytes: &[u8]) -> bool {
        const END: [u8; 4] = *b"\r\n\r\n";
        for byte in bytes {
            if !matches!(byte, b'\r' | b'\n') {
                self.begun = true;
            }
            self.matched = match (END.get(self.matched), byte) {
                (Some(expected), byte) if expected == byte => self.matched.saturating_add(1),
                (_, b'\r') => 1,
                _ => 0,
            };
            if self.matched == END.len() {
                if self.begun {
                    return true;
                }
                self.matched = 0;
            }
        }
        false
    }
}
