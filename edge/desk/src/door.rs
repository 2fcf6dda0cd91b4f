//! What every request passes: the headers of every answer, the origin a request comes from, the mark on writes, the
//! cookie, and the address behind the connection.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Instant,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{Desk, Role, fault::Refusal, session::Session};

pub const COOKIE: &str = "branchline_desk";
const WRITE_MARK: HeaderName = HeaderName::from_static("x-branchline");

/// Answers carry the pages' security headers; what is private is kept by no cache.
pub async fn headers(request: Request, next: Next) -> Response {
    let private = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in pages::SECURITY_HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let (name, value) = pages::DESK_PERMISSIONS;
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    if private {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// A write carries a header that no foreign page can set, and comes from an origin on the list (S-111).
pub async fn writes(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads {
        if request.headers().get(WRITE_MARK).is_none_or(|mark| mark != "1") {
            return Refusal::UnmarkedWrite.into_response();
        }
        // A program that is no browser sends no origin, and carries nobody's cookie by accident.
        if request.headers().contains_key(header::ORIGIN) && !origin_allowed(&desk, request.headers()) {
            return Refusal::ForeignOrigin.into_response();
        }
    }
    next.run(request).await
}

/// The live connection asks for an origin on the list, whoever opens it (S-110).
pub fn origin_allowed(desk: &Desk, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next().and_then(|origin| origin.to_str().ok()), origins.next()) {
        (Some(origin), None) => desk.options.origins.iter().any(|allowed| allowed == origin),
        _ => false,
    }
}

/// The `Set-Cookie` that begins a session.
pub fn cookie(desk: &Desk, token: &str) -> String {
    let secure = if desk.options.secure_cookie { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

/// The `Set-Cookie` that ends it.
pub fn no_cookie(desk: &Desk) -> String {
    format!("{}; Max-Age=0", cookie(desk, ""))
}

fn token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

impl FromRequestParts<Desk> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        let token = token(&parts.headers).ok_or(Refusal::SignedOut)?;
        desk.sessions.find(Instant::now(), token).ok_or(Refusal::SignedOut)
    }
}

/// A session of a supervisor.
pub struct Supervisor(pub Session);

impl FromRequestParts<Desk> for Supervisor {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Refusal> {
        let session = Session::from_request_parts(parts, desk).await?;
        match session.role {
            Role::Supervisor => Ok(Self(session)),
            Role::Agent => Err(Refusal::Forbidden),
        }
    }
}

/// Where the connection comes from, as the daemon tells it.
pub struct Peer(pub SocketAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Ok(Self(peer.map_or(nowhere, |peer| SocketAddr::new(peer.0.ip().to_canonical(), peer.0.port()))))
    }
}

/// The address at the other end of the connection. All share one where the daemon does not tell it.
pub struct Source(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for Source {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Peer::from_request_parts(parts, &()).await.map(|peer| Self(peer.0.ip()))
    }
}
