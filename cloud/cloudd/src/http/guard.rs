//! Stands before every route: a write or a WebSocket must come from our own page (S-110, S-111), and its sender must be
//! allowed what the table of routes asks for. A route that is not in the table is denied.

use std::sync::Arc;

use axum::{
    RequestExt,
    extract::{MatchedPath, RawPathParams, Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, COOKIE, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use db::{session::Who, user::Scope};
use model::SiteId;

use super::fault::Fault;
use crate::{
    access::{self, Ask},
    app::App,
    clock, secret,
};

/// Header that another site's page cannot send without asking us first.
pub const HEADER: &str = "x-branchline";

/// The hash by which the caller's own session is found.
#[derive(Debug, Clone, Copy)]
pub struct Token(pub [u8; 32]);

pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("", MatchedPath::as_str).to_owned();
    let response = match check(&app, &path, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    app.metrics.requests.with_label_values(&[path.as_str(), response.status().as_str()]).inc();
    response
}

async fn check(app: &App, path: &str, request: &mut Request) -> Result<(), Fault> {
    let method = request.method().clone();
    let Some(ask) = access::ask(&method, path) else { return Err(Fault::forbidden("nobody may do this")) };
    own_page(app, path, &method, request.headers())?;
    if ask == Ask::Open {
        return Ok(());
    }
    let who = match bearer(request.headers()) {
        Some(bearer) if access::program_may(&method, path, ask) => program(app, bearer).await?,
        Some(_) => return Err(Fault::forbidden("a program may not do this: sign in as a person")),
        None => {
            let token = session_token(app, request.headers()).ok_or_else(Fault::not_signed_in)?;
            let token = Token(secret::sha256(token));
            let who = app.db.read(move |conn| db::session::who(conn, &token.0, clock::now())).await;
            request.extensions_mut().insert(token);
            who.map_err(|error: db::Error| Fault::from(error))?.ok_or_else(Fault::not_signed_in)?
        }
    };
    match ask {
        Ask::Verb(verb) if !access::may(who.role, verb) => {
            Err(Fault::forbidden(format!("the role {} may not do this", who.role.name())))
        }
        _ => {
            within_scope(&who, request).await?;
            request.extensions_mut().insert(who);
            Ok(())
        }
    }
}

/// The token of a program, which no browser sends by itself (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (kind, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn program(app: &App, token: &str) -> Result<Who, Fault> {
    let (hash, now) = (secret::sha256(token), clock::now());
    let found = app.db.read(move |conn| db::token::who(conn, &hash, now)).await;
    let (who, stale) = found.map_err(|error: db::Error| Fault::from(error))?.ok_or_else(Fault::not_signed_in)?;
    if stale {
        let write = app.db.write(move |conn| db::token::used(conn, &hash, now)).await;
        write.map_err(|error: db::Error| Fault::from(error))?;
    }
    Ok(who)
}

/// A site of the path that is not the caller's is not there, as one that nobody has.
async fn within_scope(who: &Who, request: &mut Request) -> Result<(), Fault> {
    if who.scope == Scope::All {
        return Ok(());
    }
    let Ok(parts) = request.extract_parts::<RawPathParams>().await else { return Ok(()) };
    let foreign = |text: &str| !SiteId::new(text).is_ok_and(|site| who.scope.holds(&site));
    if parts.iter().any(|(name, value)| name == "site" && foreign(value)) {
        return Err(Fault::not_found("site"));
    }
    Ok(())
}

fn own_page(app: &App, path: &str, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
    let socket = path == "/api/events";
    let write = !matches!(*method, Method::GET | Method::HEAD);
    if !socket && !write {
        return Ok(());
    }
    let foreign = || Fault::new(StatusCode::FORBIDDEN, "foreign_origin", "this came from another site's page");
    match headers.get(ORIGIN).map(|origin| origin.to_str()) {
        Some(Ok(origin)) if app.origins.iter().any(|ours| ours == origin) => {}
        Some(_) => return Err(foreign()),
        // A browser always names the origin of a WebSocket; a command line that writes need not.
        None if socket => return Err(foreign()),
        None => {}
    }
    if write && bearer(headers).is_none() && headers.get(HEADER).is_none_or(|value| value != "1") {
        let message = format!("a write needs the header {HEADER}: 1");
        return Err(Fault::new(StatusCode::FORBIDDEN, "header_missing", message));
    }
    Ok(())
}

/// The cookie's name. `__Host-` binds it to this host and to HTTPS, where there is HTTPS.
pub fn cookie_name(app: &App) -> &'static str {
    if app.settings.http.secure { "__Host-branchline" } else { "branchline" }
}

fn session_token<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie(headers, cookie_name(app))
}

/// The value of a cookie of ours: the first of its name that is not too long to be one.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && value.len() <= 64).then_some(value)
    })
}
