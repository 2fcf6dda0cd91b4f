//! What the routes and the hub share for as long as the daemon runs.

use std::{net::SocketAddr, sync::Arc};

use db::Db;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    documents::Documents,
    hints::Hints,
    http::{events::LISTENERS_MAX, session::Door},
    links::Links,
    metrics::Metrics,
    settings::Settings,
};

pub struct App {
    pub settings: Settings,
    pub db: Db,
    pub documents: Documents,
    pub hints: Arc<Hints>,
    pub links: Arc<Links>,
    pub metrics: Arc<Metrics>,
    pub door: Door,
    pub listeners: Arc<Semaphore>,
    /// Fingerprint of the organisation's certificate authority.
    pub ca_sha256: [u8; 32],
    /// Where our own page comes from, in lower case.
    pub origins: Vec<String>,
    pub stop: CancellationToken,
}

impl App {
    /// `listening` is the address the console is really at.
    pub fn new(settings: Settings, db: Db, listening: SocketAddr, ca_sha256: [u8; 32]) -> anyhow::Result<Self> {
        let origins = match settings.http.origins.as_slice() {
            [] => vec![format!("http://{listening}"), format!("http://localhost:{}", listening.port())],
            named => named.to_vec(),
        };
        Ok(Self {
            settings,
            db,
            documents: Documents::new()?,
            hints: Arc::default(),
            links: Arc::default(),
            metrics: Arc::new(Metrics::new()?),
            door: Door::default(),
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
            ca_sha256,
            origins,
            stop: CancellationToken::new(),
        })
    }
}
