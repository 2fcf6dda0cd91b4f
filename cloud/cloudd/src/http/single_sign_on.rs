//! The way into the console through the organisation's identity provider: a browser is sent there, comes back with a
//! code, and is signed in as whom the provider says it is.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{LOCATION, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use db::{
    asked::{self, Asked},
    user::{self, Met, Vouched},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{fault::Fault, guard::cookie, session};
use crate::{
    app::App,
    clock,
    oidc::{Error, Person},
    secret,
};

/// How long somebody may take at the provider, in seconds.
const BACK_WITHIN_S: u32 = 600;
/// Longest code and state that are looked at.
const PARAMETER_LEN_MAX: usize = 4_096;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SingleSignOn)]
pub struct Offered {
    /// Null: there is none.
    label: Option<String>,
}

/// Whether there is such a way, and what it is called.
pub async fn offered(State(app): State<Arc<App>>) -> Json<Offered> {
    Json(Offered { label: app.oidc.as_ref().map(|oidc| oidc.label().to_owned()) })
}

/// Sends the browser away.
pub async fn begin(State(app): State<Arc<App>>) -> Result<Response, Fault> {
    let Some(oidc) = app.oidc.as_ref() else { return Ok(away(&app, "off")) };
    let begun = match oidc.begin().await {
        Ok(begun) => begun,
        Err(error) => return Ok(refused(&app, &error)),
    };
    let (state, now) = (secret::sha256(&begun.state), clock::now());
    let expires = model::Millis(now.0.saturating_add(i64::from(BACK_WITHIN_S) * 1_000));
    let asked = Asked { nonce: begun.nonce, verifier: begun.verifier };
    app.db
        .write(move |conn| asked::keep(conn, &state, &asked, now, expires))
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    let cookie = remembered(&app, &begun.state, BACK_WITHIN_S);
    Ok((StatusCode::SEE_OTHER, [(LOCATION, header(&begun.url)?), cookie]).into_response())
}

#[derive(Deserialize)]
pub struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    /// RFC 6749 §4.1.2.1: the provider has refused.
    #[serde(default)]
    error: String,
}

/// Takes the browser back.
pub async fn done(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, Fault> {
    let Some(oidc) = app.oidc.as_ref() else { return Ok(away(&app, "off")) };
    if [&back.code, &back.state, &back.error].iter().any(|text| text.len() > PARAMETER_LEN_MAX) {
        return Err(Fault::bad_request("code or state is too long"));
    }
    // The browser that comes back is the one that was sent: else a stranger could sign it in as themselves.
    let ours = cookie(&headers, name(&app)).is_some_and(|kept| kept == back.state);
    let state = secret::sha256(&back.state);
    let asked = if ours {
        let take = move |conn: &db::Connection| asked::take(conn, &state, clock::now());
        app.db.write(take).await.map_err(|error: db::Error| Fault::from(error))?
    } else {
        None
    };
    let Some(asked) = asked else { return Ok(away(&app, "late")) };
    if !back.error.is_empty() {
        tracing::info!(error = %back.error.escape_debug(), "the identity provider has refused somebody");
        return Ok(away(&app, "refused"));
    }
    match oidc.finish(&back.code, &asked.nonce, &asked.verifier).await {
        Ok(person) => enter(&app, person).await,
        Err(error) => Ok(refused(&app, &error)),
    }
}

async fn enter(app: &App, person: Person) -> Result<Response, Fault> {
    let Person { issuer, subject, login, role, scope } = person;
    let vouched = Vouched { issuer: issuer.clone(), subject, login, role, scope };
    let met = app.db.write(move |conn| user::meet(conn, &vouched, clock::now())).await;
    let login = match met.map_err(|error: db::Error| Fault::from(error))? {
        Met::Known(login) => login,
        Met::Disabled => return Ok(away(app, "disabled")),
        Met::Taken => return Ok(away(app, "taken")),
        Met::Full => return Ok(away(app, "full")),
    };
    app.metrics.sign_ins.with_label_values(&["signed_in"]).inc();
    let (name, value) = session::open(app, login, json!({ "issuer": issuer })).await?;
    let entered = (name, header(&value)?);
    Ok(home(app, "/", Some(entered)))
}

fn refused(app: &App, error: &Error) -> Response {
    app.metrics.sign_ins.with_label_values(&["refused"]).inc();
    tracing::warn!(%error, "nobody was signed in by the identity provider");
    away(
        app,
        match error {
            Error::Provider(_) => "provider",
            Error::Token(_) => "token",
            Error::NoLogin => "no_login",
            Error::NoRole => "no_role",
        },
    )
}

/// Back to the door, with why; the page has the words.
fn away(app: &App, why: &'static str) -> Response {
    home(app, &format!("/?sign_in={why}"), None)
}

fn home(app: &App, path: &str, entered: Option<(HeaderName, HeaderValue)>) -> Response {
    let forgotten = remembered(app, "", 0);
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, path.to_owned())]).into_response();
    for (name, value) in [Some(forgotten), entered].into_iter().flatten() {
        response.headers_mut().append(name, value);
    }
    response
}

fn name(app: &App) -> &'static str {
    if app.settings.http.secure { "__Host-branchline-asked" } else { "branchline-asked" }
}

/// `Lax`: it must come with the navigation that leads back from the provider's page.
fn remembered(app: &App, state: &str, age_s: u32) -> (HeaderName, HeaderValue) {
    let secure = if app.settings.http.secure { "; Secure" } else { "" };
    let cookie = format!("{}={state}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}{secure}", name(app));
    (SET_COOKIE, HeaderValue::from_str(&cookie).unwrap_or_else(|_| HeaderValue::from_static("")))
}

fn header(text: &str) -> Result<HeaderValue, Fault> {
    Ok(HeaderValue::from_str(text).map_err(anyhow::Error::from)?)
}
