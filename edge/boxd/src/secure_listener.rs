//! HTTPS: a handshake holds nobody else up, and there are not too many connections.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::{ListenerExt, TapIo};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::{Sleep, sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// From accept to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// After an accept that failed for want of files.
const PAUSE: Duration = Duration::from_millis(200);

/// Everything has one.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once, handshakes included; more wait to be accepted.
    pub connections: usize,
    /// From the handshake to the end; None: as long as both sides want it.
    pub life: Option<Duration>,
}

/// Connections whose handshake is done.
pub struct Connections {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    local: SocketAddr,
}

/// Tapped, though nothing is done: axum tells handlers the peer's address of its own and of tapped listeners alone.
pub type Tapped = TapIo<Connections, fn(&mut Connection)>;

impl Connections {
    pub fn listen(listener: TcpListener, tls: Arc<ServerConfig>, limits: Limits) -> io::Result<Tapped> {
        let local = listener.local_addr()?;
        let (done, ready) = mpsc::channel(limits.connections);
        tokio::spawn(accept(listener, TlsAcceptor::from(tls), done, limits));
        Ok(Connections { ready, local }.tap_io(|_| {}))
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, done: mpsc::Sender<(Connection, SocketAddr)>, limits: Limits) {
    let room = Arc::new(Semaphore::new(limits.connections));
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
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
                let end = limits.life.map(|life| Box::pin(sleep(life)));
                let connection = Connection { stream, end, _permit: permit };
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

pub struct Connection {
    stream: TlsStream<TcpStream>,
    end: Option<Pin<Box<Sleep>>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready())
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_over(cx) {
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
