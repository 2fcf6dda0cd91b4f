//! What the routes and the hub share for as long as the daemon runs.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use db::Db;
use model::{BoxId, SiteId, change::Doc};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    documents::Documents,
    hints::Hints,
    http::{events::LISTENERS_MAX, link::WAYS_MAX, session::Door},
    hub::{Hub, Presence},
    instances::Others,
    links::Links,
    metrics::Metrics,
    oidc::Oidc,
    rollouts::Memory,
    settings::Settings,
    shelf::Shelf,
};

pub struct App {
    pub settings: Settings,
    pub db: Db,
    pub documents: Documents,
    /// How watched sites are, as the database had it.
    pub evidence: Memory,
    pub hints: Arc<Hints>,
    pub links: Arc<Links>,
    pub others: Others,
    /// The identity provider, if there is one.
    pub oidc: Option<Oidc>,
    pub metrics: Arc<Metrics>,
    pub door: Door,
    pub listeners: Arc<Semaphore>,
    /// Boxes' ways through the web.
    pub ways: Arc<Semaphore>,
    /// Fingerprint of the organisation's certificate authority.
    pub ca_sha256: [u8; 32],
    /// Where our own page comes from, in lower case.
    pub origins: Vec<String>,
    pub stop: CancellationToken,
    hub: OnceLock<(Hub<Shelf>, SocketAddr)>,
}

impl App {
    /// `listening` is the address the console is really at.
    pub fn new(settings: Settings, db: Db, listening: SocketAddr, ca_sha256: [u8; 32]) -> anyhow::Result<Self> {
        let origins = match settings.http.origins.as_slice() {
            [] => vec![format!("http://{listening}"), format!("http://localhost:{}", listening.port())],
            named => named.to_vec(),
        };
        let oidc = settings.single_sign_on.clone().map(|single| {
            let secret = single.secret()?;
            Oidc::new(single, secret, origins.first().map_or("", String::as_str))
        });
        Ok(Self {
            oidc: oidc.transpose()?,
            settings,
            db,
            documents: Documents::new()?,
            evidence: Memory::default(),
            hints: Arc::default(),
            links: Arc::default(),
            others: Others::default(),
            metrics: Arc::new(Metrics::new()?),
            door: Door::default(),
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
            ways: Arc::new(Semaphore::new(WAYS_MAX)),
            ca_sha256,
            origins,
            stop: CancellationToken::new(),
            hub: OnceLock::new(),
        })
    }

    /// The database as the hub sees it.
    pub fn shelf(&self) -> Shelf {
        Shelf { db: self.db.clone(), hints: Arc::clone(&self.hints), metrics: Arc::clone(&self.metrics) }
    }

    /// From then on the hub, which listens at `boxes`, hears of what is edited here.
    pub fn tell(&self, hub: Hub<Shelf>, boxes: SocketAddr) {
        // A second hub would be a mistake of `run`; the first one stays.
        let _ = self.hub.set((hub, boxes));
    }

    fn hub(&self) -> Option<&Hub<Shelf>> {
        self.hub.get().map(|(hub, _)| hub)
    }

    /// Where boxes are served over QUIC.
    pub fn boxes(&self) -> Option<SocketAddr> {
        self.hub.get().map(|(_, boxes)| *boxes)
    }

    /// The boxes that are linked, here or to another instance.
    pub fn presence(&self) -> Vec<Presence> {
        self.others.join(self.hub().map(Hub::presence).unwrap_or_default())
    }

    /// A box was revoked at the console: its session ends.
    pub fn revoked(&self, box_id: BoxId, site: &SiteId) {
        self.hints.touch(site);
        if let Some(hub) = self.hub() {
            hub.revoked(box_id);
        }
    }

    /// A document of the site was edited at the console.
    pub fn edited(&self, site: &SiteId, doc: Doc) {
        self.hints.touch(site);
        if let Some(hub) = self.hub() {
            hub.config_changed(site, doc);
        }
    }
}
