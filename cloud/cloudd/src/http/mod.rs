//! The console's HTTP server: its routes by noun, behind one guard. Plain HTTP; TLS is a reverse proxy's.

pub mod audit;
pub mod body;
pub mod boxes;
pub mod bundles;
pub mod configuration;
pub mod document;
pub mod drills;
pub mod enrolment;
pub mod events;
pub mod fault;
pub mod figures;
pub mod flows;
pub mod guard;
pub mod health;
pub mod history;
pub mod link;
pub mod notices;
pub mod page;
pub mod people;
pub mod plan;
pub mod rollouts;
pub mod session;
pub mod single_sign_on;
pub mod sites;
pub mod templates;
pub mod tokens;
pub mod trends;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode, header::CACHE_CONTROL},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use model::SiteId;
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use crate::app::App;

/// A request that takes longer is answered with 408 and given up. WebSockets are not requests any more by then.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Serves until the daemon stops, then lets running requests end.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> anyhow::Result<()> {
    let stop = app.stop.clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await?;
    Ok(())
}

pub fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .route("/api/session", post(session::sign_in).delete(session::sign_out))
        .route("/api/me", get(session::me))
        .route("/api/me/password", put(session::change_password))
        .route("/api/sites", get(sites::all))
        .route("/api/sites/{site}/config", get(configuration::read))
        .route("/api/sites/{site}/changes", post(configuration::change))
        .route("/api/sites/{site}/history", get(history::list))
        .route("/api/sites/{site}/plan", post(plan::plan))
        .route("/api/sites/{site}/apply", post(plan::apply))
        .route("/api/sites/{site}/blame", get(history::blame))
        .route("/api/sites/{site}/diff", get(history::diff))
        .route("/api/sites/{site}/undo", post(history::undo))
        .route("/api/sites/{site}/merge", get(history::report).post(history::decide))
        .route("/api/sites/{site}/flows/{flow}/versions", get(flows::versions))
        .route("/api/flows/read", post(flows::read))
        .route("/api/flows/print", post(flows::print))
        .route("/api/sites/{site}/drill", put(drills::order).delete(drills::call_off))
        .route("/api/drills", get(drills::all))
        .route("/api/sites/{site}/enrolment", post(enrolment::issue))
        .route("/api/sites/{site}/bundle", post(bundles::offer))
        .route("/api/boxes", get(boxes::all))
        .route("/api/boxes/{box}/revocation", post(boxes::revoke))
        .route("/api/bundles", get(bundles::all))
        .route("/api/sites/{site}/tags", put(templates::tag))
        .route("/api/templates", get(templates::all))
        .route("/api/templates/{template}", put(templates::put).delete(templates::remove))
        .route("/api/rollouts", get(rollouts::all).post(rollouts::begin))
        .route("/api/rollouts/look", post(rollouts::look))
        .route("/api/rollouts/{rollout}/say", post(rollouts::say))
        .route("/api/rollouts/{rollout}/agreement", post(rollouts::agree))
        .route("/api/figures", get(figures::figures))
        .route("/api/trends", get(trends::trends))
        .route("/api/corrections", get(trends::corrections))
        .route("/api/notices", get(notices::recent))
        .route("/api/notices/{site}/{notice}/seen", post(notices::see))
        .route("/api/audit", get(audit::audit))
        .route("/api/events", get(events::events))
        .route("/api/people", get(people::all).post(people::add))
        .route("/api/people/{login}", put(people::set))
        .route("/api/people/{login}/password", post(people::password))
        .route("/api/tokens", get(tokens::all).post(tokens::add))
        .route("/api/tokens/{token}/revocation", post(tokens::revoke))
        .route("/api/single-sign-on", get(single_sign_on::offered))
        .route("/api/single-sign-on/begin", get(single_sign_on::begin))
        .route("/api/single-sign-on/done", get(single_sign_on::done))
        .route(document::PATH, get(document::document))
        .route("/link", get(link::link))
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::healthz))
        .layer(from_fn(no_store))
        .route_layer(from_fn_with_state(Arc::clone(&app), guard::guard))
        .method_not_allowed_fallback(async || {
            fault::Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method", "this cannot be done here")
        });
    api.fallback(page::page)
        .layer(DefaultBodyLimit::max(body::BODY_LEN_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN))
        .layer(CatchPanicLayer::custom(|_| {
            fault::Fault::internal(&anyhow::anyhow!("a request panicked")).into_response()
        }))
        .layer(from_fn(secure))
        .with_state(app)
}

/// The site of a path. A name that cannot be one is not found either.
fn site_of(text: &str) -> Result<SiteId, fault::Fault> {
    SiteId::new(text).map_err(|_| fault::Fault::not_found("site"))
}

async fn no_store(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn secure(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in pages::SECURITY_HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
