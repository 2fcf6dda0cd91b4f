//! What *calls* and *sync* say to one another over `sync.sock`: a Unix stream, each message `length: u32 big endian`,
//! then JSON. Each side forgets the other without harm: what must last is in the ledger.

use std::{io, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path};

use model::{Millis, Number, OverflowId, SiteId, change::Doc, overflow::Signal};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixListener, UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{broadcast, mpsc},
};

/// Largest message: an offer with its certificate is about 3 KB.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Messages that wait for a slow reader; then it is disconnected and must ask anew.
const WAITING_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "wake", rename_all = "snake_case")]
pub enum Wake {
    // To *calls*.
    /// Changes of these documents are in the ledger: read them and resolve.
    ConfigChanged { docs: Vec<Doc> },
    /// The cloud answers. Also said to each new connection, when it is so.
    LinkUp,
    /// The cloud does not answer. Also said to each new connection, when it is so.
    LinkDown,
    /// Where the media process sends this call's RTP, once [`Wake::TunnelOpen`] was said.
    TunnelReady { overflow: OverflowId, addr: SocketAddr },
    /// Nothing genuine was heard from the other box for three seconds, or its key was false: take the caller back.
    PathLost { overflow: OverflowId },
    /// The number of a caller that we help, when the passport shows it.
    Caller { overflow: OverflowId, number: Number },

    // Both ways.
    /// Sent by *calls* with empty keys; *sync* fills them. Received only with keys that were verified.
    Signal { signal: Signal },

    // From *calls*.
    /// Carry this call's media. `media` is where the media process receives its RTP on loopback. `caller` is sent to
    /// the helper inside the sealed path, when the passport allows it.
    TunnelOpen { overflow: OverflowId, media: SocketAddr, caller: Option<Number> },
    /// An outage drill: no link before then, unless [`Wake::Join`] is said. Said again and again while it lasts.
    Cut { until: Millis },
    /// The drill is over.
    Join,
    /// The outbox has new rows.
    OutboxGrew,
    /// The branch has written to its document.
    ConfigEdited,
}

/// A connection of either side.
pub struct Line {
    pub reader: LineReader,
    pub writer: LineWriter,
}

pub struct LineReader {
    half: OwnedReadHalf,
    buffer: Vec<u8>,
}

pub struct LineWriter(OwnedWriteHalf);

impl Line {
    /// For *calls*: fails while *sync* is not there; try again.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self::new(UnixStream::connect(path).await?))
    }

    fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        Self { reader: LineReader { half: read, buffer: Vec::new() }, writer: LineWriter(write) }
    }
}

impl LineReader {
    /// The next message; None at the end. Safe to drop within `select!`.
    pub async fn next(&mut self) -> io::Result<Option<Wake>> {
        loop {
            if let Some(wake) = self.take()? {
                return Ok(Some(wake));
            }
            if self.half.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Wake>> {
        let Some((prefix, rest)) = self.buffer.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > MESSAGE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes")));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let wake = serde_json::from_slice(body)?;
        self.buffer.drain(..length.saturating_add(4));
        Ok(Some(wake))
    }
}

impl LineWriter {
    pub async fn send(&mut self, wake: &Wake) -> io::Result<()> {
        let body = serde_json::to_vec(wake)?;
        let length = u32::try_from(body.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(&body);
        self.0.write_all(&bytes).await
    }
}

/// *sync*'s side: what anybody says arrives here, and what is said reaches everybody.
pub struct Exchange {
    said: mpsc::Receiver<Wake>,
    everybody: broadcast::Sender<Wake>,
    link: tokio::sync::watch::Sender<bool>,
}

impl Exchange {
    /// Listens at `path`, in place of a socket that an earlier process left.
    pub fn bind(path: &Path) -> io::Result<Self> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        let (sender, said) = mpsc::channel(WAITING_MAX);
        let (everybody, _) = broadcast::channel(WAITING_MAX);
        let (link, _) = tokio::sync::watch::channel(false);
        tokio::spawn(accept(listener, sender, everybody.clone(), link.subscribe()));
        Ok(Self { said, everybody, link })
    }

    /// The next message of anybody. Safe to drop within `select!`.
    pub async fn next(&mut self) -> Wake {
        match self.said.recv().await {
            Some(wake) => wake,
            None => std::future::pending().await,
        }
    }

    /// Nobody may be there: then nobody hears it.
    pub fn tell(&self, wake: Wake) {
        let _ = self.everybody.send(wake);
    }

    pub fn link(&self, up: bool) {
        if self.link.send_replace(up) != up {
            self.tell(if up { Wake::LinkUp } else { Wake::LinkDown });
        }
    }
}

async fn accept(
    listener: UnixListener,
    said: mpsc::Sender<Wake>,
    everybody: broadcast::Sender<Wake>,
    link: tokio::sync::watch::Receiver<bool>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let greeting = if *link.borrow() { Wake::LinkUp } else { Wake::LinkDown };
                tokio::spawn(serve(Line::new(stream), greeting, said.clone(), everybody.subscribe()));
            }
            Err(error) => {
                tracing::warn!(%error, "the local socket");
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    }
}

async fn serve(mut line: Line, greeting: Wake, said: mpsc::Sender<Wake>, mut told: broadcast::Receiver<Wake>) {
    if line.writer.send(&greeting).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            wake = line.reader.next() => match wake {
                Ok(Some(wake)) => {
                    if said.send(wake).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "a local message was not understood");
                    return;
                }
            },
            wake = told.recv() => match wake {
                Ok(wake) => {
                    if line.writer.send(&wake).await.is_err() {
                        return;
                    }
                }
                // It has missed something: it connects again and looks.
                Err(_) => return,
            },
        }
    }
}

/// Which sites a signal is between must be ours on one side.
pub fn is_from(signal: &Signal, site: &SiteId) -> bool {
    signal.from == *site && signal.to != *site
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_pass_both_ways_and_a_newcomer_learns_the_link() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sync.sock");
        let mut exchange = Exchange::bind(&path).unwrap();
        exchange.link(true);
        let mut line = Line::connect(&path).await.unwrap();
        assert_eq!(line.reader.next().await.unwrap(), Some(Wake::LinkUp));
        line.writer.send(&Wake::OutboxGrew).await.unwrap();
        assert_eq!(exchange.next().await, Wake::OutboxGrew);
        exchange.tell(Wake::ConfigChanged { docs: vec![Doc::Local] });
        assert_eq!(line.reader.next().await.unwrap(), Some(Wake::ConfigChanged { docs: vec![Doc::Local] }));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_message_above_the_limit_ends_the_connection() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sync.sock");
        let _exchange = Exchange::bind(&path).unwrap();
        let mut line = Line::connect(&path).await.unwrap();
        assert_eq!(line.reader.next().await.unwrap(), Some(Wake::LinkDown));
        line.writer.0.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        assert_eq!(line.reader.next().await.unwrap(), None);
    }
}
