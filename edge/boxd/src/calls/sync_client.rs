//! The calls process' end of the socket to *sync*: wake-ups and overflow signals. What must last is in the ledger, so a
//! lost connection loses nothing; it only means that the link is down until it is back.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use model::{Millis, OverflowId, overflow::Signal};
use tokio::{sync::mpsc, time::sleep};
use tracing::{debug, warn};

use crate::sync::local::{Line, Wake};

const WAITING_MAX: usize = 1_024;
const RETRY: Duration = Duration::from_millis(200);

/// What arrives from the sync process.
#[derive(Debug)]
pub enum FromSync {
    Signal(Signal),
    /// Where *media* is to send this overflow call's audio.
    TunnelReady {
        overflow: OverflowId,
        peer: SocketAddr,
    },
    PathLost {
        overflow: OverflowId,
    },
    LinkUp,
    LinkDown,
    ConfigChanged,
}

#[derive(Clone)]
pub struct SyncClient {
    to_sync: mpsc::Sender<Wake>,
}

impl SyncClient {
    /// Starts the connection's task; None for a box without a cloud, whose receiver stays silent.
    pub fn start(socket: Option<PathBuf>) -> (Option<Self>, mpsc::Receiver<FromSync>) {
        let (told, receiver) = mpsc::channel(WAITING_MAX);
        let Some(socket) = socket else { return (None, receiver) };
        let (to_sync, outgoing) = mpsc::channel(WAITING_MAX);
        tokio::spawn(keep_connected(socket, outgoing, told));
        (Some(Self { to_sync }), receiver)
    }

    /// For another thread that has something for it.
    pub fn wakes(&self) -> Self {
        self.clone()
    }

    pub fn signal(&self, signal: Signal) {
        self.send(Wake::Signal { signal });
    }

    pub fn tunnel(&self, overflow: OverflowId, media: SocketAddr) {
        self.send(Wake::TunnelOpen { overflow, media, caller: None });
    }

    /// No link before then.
    pub fn cut(&self, until: Millis) {
        self.send(Wake::Cut { until });
    }

    /// The link may be had again.
    pub fn join(&self) {
        self.send(Wake::Join);
    }

    pub fn outbox_grew(&self) {
        self.send(Wake::OutboxGrew);
    }

    pub fn config_changed(&self) {
        self.send(Wake::ConfigEdited);
    }

    fn send(&self, wake: Wake) {
        if self.to_sync.try_send(wake).is_err() {
            warn!("the sync process does not listen");
        }
    }
}

async fn keep_connected(socket: PathBuf, mut outgoing: mpsc::Receiver<Wake>, told: mpsc::Sender<FromSync>) {
    let mut up = false;
    while !told.is_closed() {
        let Ok(mut line) = Line::connect(&socket).await else {
            // Nobody would hear it; what it was about is found in the ledger when somebody is there.
            while outgoing.try_recv().is_ok() {}
            sleep(RETRY).await;
            continue;
        };
        loop {
            tokio::select! {
                wake = line.reader.next() => match wake {
                    Ok(Some(wake)) => {
                        if hear(wake, &mut up, &told).await.is_none() {
                            return;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        debug!(%error, "the local socket to sync");
                        break;
                    }
                },
                wake = outgoing.recv() => {
                    let Some(wake) = wake else { return };
                    if line.writer.send(&wake).await.is_err() {
                        break;
                    }
                }
            }
        }
        if hear(Wake::LinkDown, &mut up, &told).await.is_none() {
            return;
        }
    }
}

/// None when the engine has ended.
async fn hear(wake: Wake, up: &mut bool, told: &mpsc::Sender<FromSync>) -> Option<()> {
    let event = match wake {
        Wake::LinkUp if !std::mem::replace(up, true) => FromSync::LinkUp,
        Wake::LinkDown if std::mem::replace(up, false) => FromSync::LinkDown,
        Wake::Signal { signal } => FromSync::Signal(signal),
        Wake::TunnelReady { overflow, addr } => FromSync::TunnelReady { overflow, peer: addr },
        Wake::PathLost { overflow } => FromSync::PathLost { overflow },
        Wake::ConfigChanged { .. } => FromSync::ConfigChanged,
        _ => return Some(()),
    };
    told.send(event).await.ok()
}
