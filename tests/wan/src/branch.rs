//! A branch: an enrolled box, its *sync* process, and what *calls* and *media* do with it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use boxd::sync::{
    self, SyncConfig,
    local::{Line, Wake},
};
use config::{Author, Documents};
use gate::{Gate, Policy};
use ledger::{Batch, BranchKey, Ledger};
use model::{
    BoxId, SiteId,
    change::{Change, Doc},
    leaving::{Health, Leaving},
};
use prometheus::Registry;
use tokio::{net::UdpSocket, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use wire::backoff;

use crate::cloud::{Cloud, now};

pub struct Branch {
    pub site: SiteId,
    pub box_id: BoxId,
    /// As *calls* has it.
    pub ledger: Ledger,
    pub line: Line,
    pub registry: Registry,
    dir: tempfile::TempDir,
    running: Option<(CancellationToken, JoinHandle<anyhow::Result<()>>)>,
    cloud: SocketAddr,
    written: u32,
}

const KEY: [u8; 32] = [9; 32];

impl Branch {
    pub async fn open(cloud: &Cloud, site: &str) -> Self {
        let site = SiteId::new(site).expect("a site");
        let dir = tempfile::tempdir().expect("a folder");
        let code = cloud.code(&site).to_string();
        let identity = dir.path().join("identity");
        let peer =
            sync::enrol(&code, &[link::endpoint::Endpoint::Udp(cloud.address.to_string())], &identity, [0, 1, 0])
                .await
                .expect("enrolled");
        assert_eq!(peer.site, site);
        let ledger = Ledger::open(&dir.path().join("box.db"), BranchKey::new(KEY), ledger::Options::default());
        let ledger = ledger.expect("a ledger");
        let (running, registry) = start(dir.path().to_owned(), cloud.address);
        let line = connect(dir.path().join("sync.sock")).await;
        let box_id = peer.box_id;
        Self { site, box_id, ledger, line, registry, dir, running: Some(running), cloud: cloud.address, written: 0 }
    }

    /// The *sync* process ends without a word, and another begins.
    pub async fn restart_sync(&mut self) {
        let (_, task) = self.running.take().expect("it runs");
        task.abort();
        let _ = task.await;
        let (running, registry) = start(self.dir.path().to_owned(), self.cloud);
        (self.running, self.registry) = (Some(running), registry);
        self.line = connect(self.dir.path().join("sync.sock")).await;
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Rows of the outbox, each told from the others by its count of phones; returns how many there are by then.
    pub async fn write_rows(&mut self, count: u32) -> u32 {
        let reader = self.ledger.reader().expect("a reader");
        let mut gate = Gate::new(Policy { k: 1 }, reader.gate_state().expect("a state"));
        let items: Vec<Leaving> = (0..count).map(|n| health(self.written + n)).collect();
        let outbox = gate.pass(&items, now()).expect("nothing sensitive");
        let batch = Batch { outbox, gate: Some(gate.state().clone()), ..Batch::default() };
        self.ledger.writer().submit(batch).wait().expect("a disk");
        self.written += count;
        self.line.writer.send(&Wake::OutboxGrew).await.ok();
        self.written
    }

    pub fn documents(&self) -> Documents {
        let reader = self.ledger.reader().expect("a reader");
        let mut documents = Documents::new(self.site.clone(), rand::random());
        for doc in [Doc::Org, Doc::Site, Doc::Local] {
            let changes = reader.config_changes(doc, 0).expect("changes");
            let bytes = changes.iter().map(|change| change.bytes.as_slice());
            documents.document_mut(doc).load(bytes).expect("sound changes");
        }
        documents
    }

    /// Somebody in the branch edits.
    pub async fn edit(&mut self, change: Change) {
        let mut documents = self.documents();
        let edited = documents.edit(Doc::Local, &change, Author::Branch, now());
        let bytes = edited.expect("a sound edit").expect("an edit");
        let batch = Batch { config: vec![(Doc::Local, bytes)], ..Batch::default() };
        self.ledger.writer().submit(batch).wait().expect("a disk");
        self.line.writer.send(&Wake::ConfigEdited).await.ok();
    }

    pub async fn say(&mut self, wake: Wake) {
        self.line.writer.send(&wake).await.expect("sync is there");
    }

    /// The next message that `pick` wants; others are passed over.
    pub async fn hear<T>(&mut self, what: &str, pick: impl Fn(Wake) -> Option<T>) -> T {
        let hearing = async {
            loop {
                let wake = self.line.reader.next().await.expect("a line").expect("sync is there");
                if let Some(found) = pick(wake) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), hearing).await.unwrap_or_else(|_| panic!("never heard: {what}"))
    }

    pub fn figure(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("a figure");
        let metric = family.get_metric().first().expect("a value");
        metric.get_counter().get_value() + metric.get_gauge().get_value()
    }
}

impl Drop for Branch {
    fn drop(&mut self) {
        if let Some((stop, _)) = &self.running {
            stop.cancel();
        }
    }
}

/// The socket of a media process.
pub async fn media() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

pub fn health(n: u32) -> Leaving {
    Leaving::Health(Health {
        at: now(),
        processes_up: 3,
        restarts: 0,
        disk_free_percent: 50,
        phones_registered: n,
        trunks_up: 1,
        trunks: 1,
        intervals_closed: 0,
        slot: 0,
        version: [0, 1, 0],
        alone: Vec::new(),
    })
}

type Running = (CancellationToken, JoinHandle<anyhow::Result<()>>);

fn start(dir: PathBuf, cloud: SocketAddr) -> (Running, Registry) {
    let (stop, registry) = (CancellationToken::new(), Registry::new());
    let config = SyncConfig {
        cloud: vec![cloud.to_string()],
        web: Vec::new(),
        identity: dir.join("identity"),
        ledger: dir.join("box.db"),
        key: BranchKey::new(KEY),
        socket: dir.join("sync.sock"),
        apart: dir.join("apart.json"),
        spool: dir.join("spool"),
        firmware: None,
        witness: Vec::new(),
        backoff: backoff::Policy {
            base: Duration::from_millis(20),
            cap: Duration::from_millis(200),
            ..backoff::Policy::default()
        },
        registry: registry.clone(),
        stop: stop.clone(),
    };
    ((stop, tokio::spawn(sync::run(config))), registry)
}

async fn connect(socket: PathBuf) -> Line {
    for _ in 0..1_000 {
        if let Ok(line) = Line::connect(&socket).await {
            return line;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("sync never listens");
}
