//! What a process shows of itself on its loopback metrics address: `/metrics` for Prometheus and `/status` (JSON) for
//! the supervisor's prober. No names, no numbers of people.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::{Router, http::header, response::IntoResponse, routing::get};
use prometheus::{Encoder, Registry, TextEncoder};

/// Builds the status document at the moment it is asked for.
pub type Status = Arc<dyn Fn() -> serde_json::Value + Send + Sync>;

/// Serves until the task is dropped.
pub async fn serve(address: SocketAddr, registry: Registry, status: Status) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("metrics.listen: cannot listen on {address}"))?;
    let router = Router::new()
        .route("/metrics", get(move || text(registry.clone())))
        .route("/status", get(move || std::future::ready(axum::Json(status()))));
    axum::serve(listener, router).await.context("the metrics listener failed")
}

async fn text(registry: Registry) -> impl IntoResponse {
    let mut body = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&registry.gather(), &mut body) {
        tracing::warn!(%error, "metrics could not be written");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], body)
}
