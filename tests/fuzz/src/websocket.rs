//! A WebSocket connection from its first byte to its end, as the box serves it: the daemon's own file, built without the
//! rest of the daemon. An input says how the bytes are cut, whether a good handshake stands before them, and the bytes.
//! Nothing reaches the engine before a handshake that we accepted; no message is longer than the limit; and what we
//! write is an HTTP answer and whole frames.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use sip::endpoint::{Flow, Input, Transport};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

#[path = "../../../edge/boxd/src/calls/sockets/websocket.rs"]
mod served;

/// What the served file knows of its sockets.
mod tcp {
    use super::{Duration, Input, mpsc};

    pub struct Shared {
        pub limits: Limits,
        pub security: Security,
        pub inputs: mpsc::Sender<Input>,
    }

    pub struct Limits {
        pub idle: Duration,
        pub patience: Duration,
    }

    pub struct Security {
        pub origins: Vec<String>,
    }
}

const MESSAGE_MAX: usize = 65_535;
/// More than one input can hold.
const INPUTS_MAX: usize = 4_096;
const LONG: Duration = Duration::from_secs(600);

const HANDSHAKE: &[u8] = b"GET / HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n";

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub fn run(data: &[u8]) {
    let (piece, with_handshake, rest) = match data {
        [first, rest @ ..] => (usize::from(first >> 1), first & 1 == 0, rest),
        [] => return,
    };
    let before = if with_handshake { HANDSHAKE } else { b"" };
    WRITTEN.with_borrow_mut(Vec::clear);
    let bytes = [before, rest].concat();
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |at| at.saturating_add(4));
    let peer = Peer { bytes, read: 0, head, piece: if piece == 0 { usize::MAX } else { piece } };
    let (sender, mut inputs) = mpsc::channel(INPUTS_MAX);
    let limits = tcp::Limits { idle: LONG, patience: LONG };
    let security = tcp::Security { origins: vec!["https://b".to_string()] };
    let shared = tcp::Shared { limits, security, inputs: sender };
    let (_writer, writes) = mpsc::channel(1);
    let why = RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let deadline = tokio::time::Instant::now() + LONG;
            served::serve(&shared, peer, flow(), writes, deadline).await
        })
    });
    let received = std::iter::from_fn(|| inputs.try_recv().ok()).map(length).collect::<Vec<_>>();
    assert!(received.iter().all(|length| *length <= MESSAGE_MAX));
    let written = WRITTEN.with_borrow(Vec::clone);
    let accepted = written.starts_with(b"HTTP/1.1 101 ");
    assert!(accepted || received.is_empty(), "{why}: a message before the handshake");
    assert!(accepted || !with_handshake, "{why}: a good handshake is accepted");
    assert!(written.is_empty() || written.starts_with(b"HTTP/1.1 "), "{why}");
    if accepted {
        frames(&written);
    }
}

fn length(input: Input) -> usize {
    match input {
        Input::Received { bytes, .. } => bytes.len(),
        other => panic!("a connection that is served says only what it received: {other:?}"),
    }
}

/// RFC 6455 §5.1, §5.5: ours are not masked, and since nothing was sent they are short pongs and one close.
fn frames(written: &[u8]) {
    let head = written.windows(4).position(|window| window == b"\r\n\r\n").expect("the answer ends");
    let mut rest = written.get(head.saturating_add(4)..).unwrap_or_default();
    while let [first, second, payload @ ..] = rest {
        assert!(matches!(first, 0x88 | 0x8a) && *second <= 125, "{rest:?}");
        rest = payload.get(usize::from(*second)..).expect("a whole frame");
    }
    assert!(rest.is_empty(), "half a frame");
}

fn flow() -> Flow {
    let addr = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    Flow { transport: Transport::Ws, local: addr(80), remote: addr(40_000), connection: 1 }
}

/// The other end: it says what the input says, piece by piece, and hangs up.
struct Peer {
    bytes: Vec<u8>,
    read: usize,
    /// Length of the request, which comes in one piece: who asks says nothing more until it is answered (RFC 6455 §4.1),
    /// and tungstenite gives up on whoever asks by the byte.
    head: usize,
    piece: usize,
}

impl AsyncRead for Peer {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let (until, piece) =
            if self.read < self.head { (self.head, self.head) } else { (self.bytes.len(), self.piece) };
        let rest = self.bytes.get(self.read..until).unwrap_or_default();
        let count = rest.len().min(piece).min(buf.remaining());
        buf.put_slice(rest.get(..count).unwrap_or_default());
        self.read = self.read.saturating_add(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        WRITTEN.with_borrow_mut(|written| written.extend_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
