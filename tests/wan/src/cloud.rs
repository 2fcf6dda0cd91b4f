//! A cloud that can be stopped politely, or fall over, and come back at the same address.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use cloudd::{
    ca::Ca,
    hub::{Hub, Options, identify, store::Store},
};
use config::{Author, Documents};
use link::{enrol::Code, identity::sha256, server};
use model::{
    Millis, SiteId,
    change::{Change, Doc},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::store::Database;

pub struct Cloud {
    pub database: Database,
    pub address: SocketAddr,
    pub options: Options,
    pub hub: Hub<Database>,
    ca: Arc<Ca>,
    running: Option<Running>,
    _dir: tempfile::TempDir,
}

struct Running {
    endpoint: quinn::Endpoint,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

pub fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    Millis(since.as_millis() as i64)
}

impl Cloud {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let ca = Arc::new(Ca::open(dir.path(), now()).expect("a CA"));
        let mut options = Options::new(dir.path().join("bundles"));
        std::fs::create_dir(&options.bundles).expect("a folder");
        change(&mut options);
        let database = Database::default();
        let hub = hub(&database, &ca, &options);
        let address = "127.0.0.1:0".parse().expect("an address");
        let mut cloud = Self { database, address, options, hub, ca, running: None, _dir: dir };
        cloud.resume();
        cloud
    }

    /// A new process: nothing is remembered but the database and the CA.
    pub fn resume(&mut self) {
        self.hub = hub(&self.database, &self.ca, &self.options);
        // The one that fell lets go of its port when its last packets are sent.
        let mut tries = 0..100;
        let server = loop {
            let (certificate, key) = self.ca.cloud(now()).expect("a certificate");
            let options = server::Options::new(self.address, self.ca.certificate(), certificate, key);
            match server::Server::bind(options) {
                Ok(server) => break server,
                Err(error) => assert!(tries.next().is_some(), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        self.address = server.local_address().expect("an address");
        let (endpoint, stop) = (server.endpoint(), CancellationToken::new());
        let (hub, stopping) = (self.hub.clone(), stop.clone());
        let task = tokio::spawn(async move { hub.run(server, stopping).await });
        self.running = Some(Running { endpoint, stop, task });
    }

    /// Every connection breaks at once; work that is with the database may still end.
    pub async fn fall(&mut self) {
        if let Some(Running { endpoint, task, .. }) = self.running.take() {
            endpoint.close(link::code::OVERLOAD, b"");
            task.await.expect("the hub ends");
        }
    }

    pub async fn stop(&mut self) {
        if let Some(Running { stop, task, .. }) = self.running.take() {
            stop.cancel();
            task.await.expect("the hub ends");
        }
    }

    /// A code for a new box of this site.
    pub fn code(&self, site: &SiteId) -> Code {
        let token: String = (0..16).map(|_| char::from(b'A' + rand::random::<u8>() % 26)).collect();
        self.database.lock().tokens.insert(sha256(token.as_bytes()), (site.clone(), None));
        Code { token, ca_sha256: self.ca.sha256() }
    }

    /// What the console sees of a site's documents.
    pub async fn documents(&self, site: &SiteId) -> Documents {
        let mut documents = Documents::new(site.clone(), rand::random());
        for doc in [Doc::Org, Doc::Site, Doc::Local] {
            let kept = self.database.config_changes(site, doc, 0).await.expect("a database");
            let bytes = kept.iter().map(|kept| kept.change.bytes.as_slice());
            documents.document_mut(doc).load(bytes).expect("sound changes");
        }
        documents
    }

    /// An administrator edits.
    pub async fn edit(&self, site: &SiteId, doc: Doc, change: Change) {
        let mut documents = self.documents(site).await;
        let bytes = documents.edit(doc, &change, Author::Centre, now()).expect("a sound edit").expect("an edit");
        let kept = vec![identify(&bytes).expect("a change")];
        self.database.config_append(site, doc, kept).await.expect("a database");
        self.hub.config_changed(site, doc);
    }

    pub async fn linked(&self, boxes: usize) {
        crate::until("the boxes are linked", || async { self.hub.presence().len() == boxes }).await;
    }

    pub async fn media(&self, boxes: usize) {
        let up = || async { self.hub.presence().iter().filter(|presence| presence.media).count() == boxes };
        crate::until("the media connections are up", up).await;
    }
}

fn hub(database: &Database, ca: &Arc<Ca>, options: &Options) -> Hub<Database> {
    let registry = prometheus::Registry::new();
    Hub::new(Arc::new(database.clone()), ca.clone(), options.clone(), &registry).expect("metrics")
}

/// As long as nothing may happen.
pub async fn quiet() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}
