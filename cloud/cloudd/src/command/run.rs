//! Serves boxes and the console until a signal, or until the database cannot be written any more.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

use link::server::{Options, Server};
use tokio_util::task::TaskTracker;

use crate::{
    app::App,
    clock, http,
    hub::{self, Hub},
    rollouts,
    settings::{Log, Settings},
    watch,
};

/// How long running requests and sessions may take to end.
const END_WITHIN: Duration = Duration::from_secs(10);

pub async fn run(settings: Settings) -> anyhow::Result<()> {
    log(&settings.log)?;
    super::founded(&settings)?;
    let _only_one = lock(&settings)?;
    let db = super::open(&settings)?;
    let listener = TcpListener::bind(settings.http.listen)
        .await
        .with_context(|| format!("http.listen: cannot listen at {}", settings.http.listen))?;
    let address = listener.local_addr()?;
    let ca = super::authority(&settings)?;
    let (certificate, key) = ca.cloud(clock::now())?;
    let server = Server::bind(Options::new(settings.link.listen, ca.certificate(), certificate, key))
        .with_context(|| format!("link.listen: cannot listen at {}", settings.link.listen))?;
    let boxes = server.local_address()?;
    let seen = db.read(db::touched::turn).await?;
    let bundles = hub::Options::new(super::bundle::folder(&settings));
    let app = Arc::new(App::new(settings, db, address, ca.sha256())?);
    let hub = Hub::new(Arc::new(app.shelf()), Arc::new(ca), bundles, app.metrics.registry())?;
    app.tell(hub.clone(), boxes);
    let tasks = TaskTracker::new();
    tasks.spawn({
        let (hub, stop) = (hub.clone(), app.stop.clone());
        async move { hub.run(server, stop).await }
    });
    tasks.spawn(watch::run(Arc::clone(&app), hub, seen));
    tasks.spawn(rollouts::run(Arc::clone(&app)));
    tracing::info!(console = %address, %boxes, "the cloud is open");
    let mut served = tasks.spawn(http::serve(Arc::clone(&app), listener));
    tasks.close();
    let outcome = tokio::select! {
        why = asked_to_stop() => {
            tracing::info!(signal = why?, "stopping");
            Ok(())
        }
        () = app.db.stopped() => Err(anyhow::anyhow!("the database cannot be written: ending, to begin again from the disk")),
        ended = &mut served => Err(anyhow::anyhow!("the console ended by itself: {ended:?}")),
    };
    app.stop.cancel();
    if tokio::time::timeout(END_WITHIN, tasks.wait()).await.is_err() {
        tracing::warn!("some requests or sessions did not end in time");
    }
    outcome
}

async fn asked_to_stop() -> anyhow::Result<&'static str> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => Ok("SIGTERM"),
        _ = int.recv() => Ok("SIGINT"),
    }
}

fn lock(settings: &Settings) -> anyhow::Result<std::fs::File> {
    let path = settings.data.join("cloudd.lock");
    let file = std::fs::File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    file.try_lock().with_context(|| format!("another cloudd runs on {}", settings.data.display()))?;
    Ok(file)
}

fn log(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).context("log.filter: is not a filter such as info,cloudd=debug")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if log.json { builder.json().try_init() } else { builder.try_init() };
    set.map_err(|error| anyhow::anyhow!("log: {error}"))
}
