//! TLS connections of phones: a handshake holds nobody else up, a connection has an end, and there are not too many.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Connections at once, handshakes included; more wait to be accepted.
const CONNECTIONS_MAX: usize = 128;
/// From accept to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// From the handshake to the end.
const LIFE: Duration = Duration::from_secs(60);
/// After an accept that failed for want of files.
const PAUSE: Duration = Duration::from_millis(200);

/// Connections whose handshake is done.
pub struct Connections {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    local: SocketAddr,
}

impl Connections {
    pub fn listen(listener: TcpListener, tls: Arc<ServerConfig>) -> io::Result<Connections> {
        let local = listener.local_addr()?;
        let (done, ready) = mpsc::channel(CONNECTIONS_MAX);
        tokio::spawn(accept(listener, TlsAcceptor::from(tls), done));
        Ok(Connections { ready, local })
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, done: mpsc::Sender<(Connection, SocketAddr)>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a phone's connection could not be accepted");
                sleep(PAUSE).await;
                continue;
            }
        };
        if done.is_closed() {
            return;
        }
        let (tls, done) = (tls.clone(), done.clone());
        tokio::spawn(async move {
            // Who speaks HTTP in clear, or does not believe us, is gone here.
            if let Ok(Ok(stream)) = timeout(HANDSHAKE, tls.accept(stream)).await {
                let connection = Connection { stream, end: Box::pin(sleep(LIFE)), _permit: permit };
                let _ = done.send((connection, peer)).await;
            }
        });
    }
}

impl axum::serve::Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Peer {
        Peer(stream.remote_addr().ip())
    }
}

pub struct Connection {
    stream: TlsStream<TcpStream>,
    end: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
