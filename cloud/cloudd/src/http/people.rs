//! The people who may use the console: who they are, what they may, and new ones.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use db::{
    session::Who,
    user::{self, Listed, Role, Scope, Set, Standing, User},
};
use model::{Millis, SiteId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{body::Body, fault::Fault, session::sites};
use crate::{
    access::RoleName,
    app::App,
    clock,
    command::user::{login_of, scope_of},
    secret,
};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonLine)]
pub struct Line {
    login: String,
    #[schema(value_type = RoleName)]
    role: &'static str,
    /// Null: all.
    sites: Option<BTreeSet<SiteId>>,
    created: Millis,
    disabled: Option<Millis>,
    signed_in: Option<Millis>,
    /// Of the identity provider that vouches for them; null: they have a password here.
    issuer: Option<String>,
}

/// A password that is shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonAdded)]
pub struct Added {
    login: String,
    password: String,
}

pub async fn all(State(app): State<Arc<App>>) -> Result<Json<Vec<Line>>, Fault> {
    let people = app.db.read(user::all).await.map_err(|error: db::Error| Fault::from(error))?;
    Ok(Json(people.iter().map(line).collect()))
}

fn line(listed: &Listed) -> Line {
    Line {
        login: listed.login.clone(),
        role: listed.role.name(),
        sites: sites(&listed.scope),
        created: listed.created,
        disabled: listed.disabled,
        signed_in: listed.signed_in,
        issuer: listed.issuer.clone(),
    }
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewPerson)]
#[serde(deny_unknown_fields)]
pub struct Fresh {
    login: String,
    #[schema(value_type = RoleName)]
    role: String,
    /// Null: all.
    sites: Option<Vec<SiteId>>,
}

/// Answers with the password, which is shown once.
pub async fn add(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Body(Fresh { login, role, sites }): Body<Fresh>,
) -> Result<Json<Added>, Fault> {
    let login = login_of(&login).map_err(|error| Fault::invalid(error.to_string()))?;
    let (role, scope) = standing(&role, sites)?;
    let password = secret::password()?;
    let hash = app.door.hash(password.clone()).await?;
    let fresh = User { login: login.clone(), password: hash, role, scope };
    let now = clock::now();
    let added = app
        .db
        .write(move |conn| {
            let added = user::add(conn, &fresh, now)?;
            if added {
                let detail =
                    json!({ "login": fresh.login, "role": fresh.role.name(), "sites": fresh.scope.to_string() });
                db::audit::add(conn, &who.login, "user.add", &detail, now)?;
            }
            Ok(added)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if !added {
        return Err(Fault::invalid(format!("there is somebody with the login {login} already, or no room for more")));
    }
    Ok(Json(Added { login, password }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = PersonChange)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[schema(value_type = RoleName)]
    role: String,
    sites: Option<Vec<SiteId>>,
    disabled: bool,
}

/// At once, for sessions that are open too.
pub async fn set(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(login): Path<String>,
    Body(Change { role, sites, disabled }): Body<Change>,
) -> Result<StatusCode, Fault> {
    let (role, scope) = standing(&role, sites)?;
    if login == who.login && (disabled || role != who.role) {
        return Err(Fault::invalid("nobody takes away their own rights: ask another administrator"));
    }
    let now = clock::now();
    let set = app
        .db
        .write(move |conn| {
            let standing = Standing { role, scope, disabled };
            let set = user::set(conn, &login, &standing, now)?;
            if set == Set::Done {
                let Standing { role, scope, disabled } = standing;
                let detail =
                    json!({ "login": login, "role": role.name(), "sites": scope.to_string(), "disabled": disabled });
                db::audit::add(conn, &who.login, "user.set", &detail, now)?;
            }
            Ok(set)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    match set {
        Set::Done => Ok(StatusCode::NO_CONTENT),
        Set::Unknown => Err(Fault::not_found("person")),
        Set::LastAdministrator => Err(Fault::invalid("nobody would be left who can administer people")),
    }
}

/// A new password, shown once; the old one and its sessions end.
pub async fn password(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Path(login): Path<String>,
) -> Result<Json<Added>, Fault> {
    let password = secret::password()?;
    let hash = app.door.hash(password.clone()).await?;
    let of = login.clone();
    let done = app
        .db
        .write(move |conn| {
            let done = user::password(conn, &of, &hash)?;
            if done {
                db::audit::add(conn, &who.login, "user.password", &json!({ "login": of }), clock::now())?;
            }
            Ok(done)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    if done { Ok(Json(Added { login, password })) } else { Err(Fault::not_found("person")) }
}

pub(super) fn standing(role: &str, sites: Option<Vec<SiteId>>) -> Result<(Role, Scope), Fault> {
    let role = Role::named(role).ok_or_else(|| Fault::invalid("role: there is no such role"))?;
    if sites.as_ref().is_some_and(Vec::is_empty) {
        return Err(Fault::invalid("sites: name at least one, or leave it out for all"));
    }
    let scope = scope_of(role, sites.unwrap_or_default()).map_err(|why| Fault::invalid(format!("sites: {why}")))?;
    Ok((role, scope))
}
