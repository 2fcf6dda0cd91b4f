//! For machines: is the daemon well, and its counters.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::fault::Fault;
use crate::app::App;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DaemonHealth)]
pub struct Health {
    well: bool,
    version: &'static str,
}

pub async fn healthz(State(app): State<Arc<App>>) -> (StatusCode, Json<Health>) {
    let readable = app.db.read(db::org::read).await.is_ok();
    let well = readable && !app.db.is_stopped();
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Health { well, version: env!("CARGO_PKG_VERSION") }))
}

pub async fn metrics(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
) -> Result<impl IntoResponse, Fault> {
    if !app.settings.http.metrics_from.contains(&peer.ip().to_canonical()) {
        return Err(Fault::forbidden("metrics are not for this address"));
    }
    app.metrics.sites_linked.set(i64::try_from(app.links.linked()).unwrap_or(i64::MAX));
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.text(app.db.counts())?))
}
