//! Signing in and out, and who is signed in.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    extract::{ConnectInfo, State},
    http::{HeaderName, StatusCode, header::SET_COOKIE},
    response::IntoResponse,
};
use db::{
    session::{self, Who},
    user::{self, LOGIN_LEN_MAX, Scope},
};
use model::SiteId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::{
    body::Body,
    fault::Fault,
    guard::{Token, cookie_name},
};
use crate::{
    access::{self, RoleName, Verb},
    app::App,
    clock,
    lockout::{Locked, Lockout, Rate},
    secret,
};

/// Somebody who guesses at one login from one address.
const ONE_LOGIN: Rate = Rate { burst: 5, refill: Duration::from_secs(30) };
/// Somebody who tries many logins from one address, and a proxy before us that hides all addresses.
const ONE_ADDRESS: Rate = Rate { burst: 60, refill: Duration::from_secs(1) };
/// Passwords hashed at once: each takes 19 MiB and a processor.
const HASHES_MAX: usize = 2;
/// Passwords that may wait for their turn; more are turned away.
const WAITING_MAX: usize = 32;

/// The door: how often somebody knocked, and how many are being judged.
pub struct Door {
    logins: Mutex<Lockout<(IpAddr, String)>>,
    addresses: Mutex<Lockout<IpAddr>>,
    waiting: Semaphore,
    hashes: Semaphore,
}

impl Default for Door {
    fn default() -> Self {
        let (logins, addresses) = (Lockout::new(ONE_LOGIN), Lockout::new(ONE_ADDRESS));
        let (waiting, hashes) = (Semaphore::new(WAITING_MAX), Semaphore::new(HASHES_MAX));
        Self { logins: logins.into(), addresses: addresses.into(), waiting, hashes }
    }
}

impl Door {
    fn knock(&self, ip: IpAddr, login: &str) -> Result<(), Locked> {
        let now = Instant::now();
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).take(ip, now)?;
        self.logins.lock().unwrap_or_else(PoisonError::into_inner).take((ip, login.to_owned()), now)
    }

    fn was_right(&self, ip: IpAddr, login: &str) {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner).give_back(&ip);
        self.logins.lock().unwrap_or_else(PoisonError::into_inner).give_back(&(ip, login.to_owned()));
    }

    async fn fits(&self, password: String, stored: Option<String>) -> Result<bool, Fault> {
        self.in_turn(move || secret::password_fits(&password, stored.as_deref())).await
    }

    pub async fn hash(&self, password: String) -> Result<String, Fault> {
        Ok(self.in_turn(move || secret::hash_password(&password)).await??)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
        let Ok(_place) = self.waiting.try_acquire() else {
            let message = "too many people sign in at once; try again";
            let fault = Fault::new(StatusCode::SERVICE_UNAVAILABLE, "full", message);
            return Err(fault.retry_after(Duration::from_secs(2)));
        };
        let _turn = self.hashes.acquire().await.map_err(anyhow::Error::from)?;
        Ok(tokio::task::spawn_blocking(work).await.map_err(anyhow::Error::from)?)
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    login: String,
    password: String,
}

pub async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(SignIn { login, password }): Body<SignIn>,
) -> Result<impl IntoResponse, Fault> {
    let login = login.trim().to_ascii_lowercase();
    if login.len() > LOGIN_LEN_MAX || password.len() > secret::PASSWORD_LEN_MAX {
        return Err(Fault::bad_request("login or password is too long"));
    }
    let count = |outcome| app.metrics.sign_ins.with_label_values(&[outcome]).inc();
    let ip = peer.ip();
    app.door.knock(ip, &login).map_err(|Locked(wait)| {
        count("locked_out");
        let message = "too many attempts; wait a while";
        Fault::new(StatusCode::TOO_MANY_REQUESTS, "locked_out", message).retry_after(wait)
    })?;
    let asked = login.clone();
    let user: Option<user::User> = app.db.read(move |conn| user::one(conn, &asked)).await.map_err(Fault::from)?;
    // Who is vouched for elsewhere has none, and takes as long.
    let stored = user.as_ref().map(|user| user.password.clone()).filter(|stored| !stored.is_empty());
    if !app.door.fits(password, stored).await? {
        count("refused");
        // The same words for an unknown login and a wrong password (S-05).
        return Err(Fault::new(StatusCode::UNAUTHORIZED, "bad_credentials", "login or password is wrong"));
    }
    app.door.was_right(ip, &login);
    count("signed_in");
    Ok((StatusCode::NO_CONTENT, [open(&app, login, json!({})).await?]))
}

/// Begins a session of somebody who has proved who they are; its cookie.
pub async fn open(app: &App, login: String, detail: Value) -> Result<(HeaderName, String), Fault> {
    let token = secret::token()?;
    let (hash, now) = (secret::sha256(&token), clock::now());
    let expires = clock::after(now, app.settings.session);
    app.db
        .write(move |conn| {
            session::open(conn, &hash, &login, now, expires)?;
            db::audit::add(conn, &login, "session.open", &detail, now)
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    Ok(set_cookie(app, &token, app.settings.session))
}

pub async fn sign_out(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Who>,
    Extension(token): Extension<Token>,
) -> Result<impl IntoResponse, Fault> {
    app.db
        .write(move |conn| {
            session::close(conn, &token.0)?;
            db::audit::add(conn, &who.login, "session.close", &json!({}), clock::now())
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    Ok((StatusCode::NO_CONTENT, [set_cookie(&app, "", Duration::ZERO)]))
}

/// None for all of them.
pub fn sites(scope: &Scope) -> Option<BTreeSet<SiteId>> {
    match scope {
        Scope::All => None,
        Scope::Sites(sites) => Some(sites.clone()),
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    login: String,
    #[schema(value_type = RoleName)]
    role: &'static str,
    /// Null: all.
    sites: Option<BTreeSet<SiteId>>,
    may: Vec<Verb>,
}

/// Who is signed in, and what the page need not even show.
pub async fn me(Extension(who): Extension<Who>) -> Json<Me> {
    let may: Vec<Verb> = Verb::ALL.into_iter().filter(|verb| access::may(who.role, *verb)).collect();
    Json(Me { role: who.role.name(), sites: sites(&who.scope), login: who.login, may })
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    old: String,
    new: String,
}

/// Ends all sessions of the user, this one too.
pub async fn change_password(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(who): Extension<Who>,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Result<impl IntoResponse, Fault> {
    if let Some(why) = secret::password_is_weak(&new) {
        return Err(Fault::invalid(why));
    }
    let login = who.login;
    app.door.knock(peer.ip(), &login).map_err(|Locked(wait)| {
        Fault::new(StatusCode::TOO_MANY_REQUESTS, "locked_out", "too many attempts; wait a while").retry_after(wait)
    })?;
    let asked = login.clone();
    let user = app.db.read(move |conn| user::one(conn, &asked)).await.map_err(|error: db::Error| Fault::from(error))?;
    if old.len() > secret::PASSWORD_LEN_MAX
        || !app.door.fits(old, user.map(|user| user.password).filter(|stored| !stored.is_empty())).await?
    {
        return Err(Fault::forbidden("the old password is wrong"));
    }
    app.door.was_right(peer.ip(), &login);
    let hash = app.door.hash(new).await?;
    app.db
        .write(move |conn| {
            user::password(conn, &login, &hash)?;
            db::audit::add(conn, &login, "user.password", &json!({}), clock::now())
        })
        .await
        .map_err(|error: db::Error| Fault::from(error))?;
    Ok((StatusCode::NO_CONTENT, [set_cookie(&app, "", Duration::ZERO)]))
}

fn set_cookie(app: &App, token: &str, age: Duration) -> (HeaderName, String) {
    let secure = if app.settings.http.secure { "; Secure" } else { "" };
    let cookie =
        format!("{}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}", cookie_name(app), age.as_secs());
    (SET_COOKIE, cookie)
}
