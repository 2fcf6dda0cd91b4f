//! Tokens of programs that use this interface: made, listed and revoked by people.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{
    session::Who,
    token::{self, Added, NAME_LEN_MAX, Token},
};
use model::{Millis, SiteId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{body::Body, fault::Fault, people::standing, session::sites};
use crate::{access::RoleName, app::App, clock, secret};

/// Longest life of a token, in days.
const DAYS_MAX: u32 = 3_660;
/// What a token begins with, so that people and scanners know one.
pub const PREFIX: &str = "bl_";

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenLine)]
pub struct Line {
    name: String,
    #[schema(value_type = RoleName)]
    role: &'static str,
    /// Null: all.
    sites: Option<BTreeSet<SiteId>>,
    created: Millis,
    created_by: String,
    /// Null: it lasts until it is revoked.
    expires: Option<Millis>,
    used: Option<Millis>,
    revoked: Option<Millis>,
}

/// A token that is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenMade)]
pub struct Made {
    name: String,
    token: String,
}

pub async fn all(State(app): State<Arc<App>>) -> Result<Json<Vec<Line>>, Fault> {
    let tokens = app.db.read(token::all).await.map_err(|error: db::Error| Fault::from(error))?;
    let lines = tokens.into_iter().map(|token| {
        let Token { name, role, scope, created, created_by, expires, used, revoked } = token;
        Line { name, role: role.name(), sites: sites(&scope), created, created_by, expires, used, revoked }
    });
    Ok(Json(lines.collect()))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewToken)]
#[serde(deny_unknown_fields)]
pub struct Fresh {
    name: String,
    #[schema(value_type = RoleName)]
    role: String,
    /// Null: all.
    sites: Option<Vec<SiteId>>,
    /// Null: until it is revoked.
    days: Option<u32>,
}

/// Answers with the token, which is shown once.
pub async fn add(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Body(Fresh { name, role, sites, days }): Body<Fresh>,
) -> Result<Json<Made>, Fault> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > NAME_LEN_MAX || !name.bytes().all(fits) {
        return Err(Fault::invalid(format!("name: 1 to {NAME_LEN_MAX} of a-z, 0-9 and -")));
    }
    if days.is_some_and(|days| days == 0 || days > DAYS_MAX) {
        return Err(Fault::invalid(format!("days: 1 to {DAYS_MAX}, or none")));
    }
    let (role, scope) = standing(&role, sites)?;
    let secret = format!("{PREFIX}{}", secret::token()?);
    let (hash, now) = (secret::sha256(&secret), clock::now());
    let expires = days.map(|days| Millis(now.0.saturating_add(i64::from(days).saturating_mul(86_400_000))));
    let (created_by, detail) = (
        who.login.clone(),
        json!({ "token": name, "role": role.name(), "sites": scope.to_string(), "expires": expires }),
    );
    let fresh = Token { name: name.clone(), role, scope, created: now, created_by, expires, used: None, revoked: None };
    let added = app
        .db
        .write(move |conn| {
            let added = token::add(conn, &hash, &fresh)?;
            if added == Added::Added {
                db::audit::add(conn, &who.login, "token.add", &detail, now)?;
            }
            Ok(added)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    match added {
        Added::Added => Ok(Json(Made { name, token: secret })),
        Added::Taken => Err(Fault::invalid(format!("there is or was a token {name}: take another name"))),
        Added::Full => Err(Fault::invalid("there is no room for more tokens")),
    }
}

/// At once, for good.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
) -> Result<StatusCode, Fault> {
    let now = clock::now();
    let done = app
        .db
        .write(move |conn| {
            let done = token::revoke(conn, &name, now)?;
            if done {
                db::audit::add(conn, &who.login, "token.revoke", &json!({ "token": name }), now)?;
            }
            Ok(done)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if done { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::not_found("token")) }
}
