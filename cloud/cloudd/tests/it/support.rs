//! A running console and people who use it.

use std::{net::SocketAddr, sync::Arc};

use cloudd::{app::App, clock, http, secret, settings, shelf::Shelf};
use db::{
    Connection,
    user::{Role, Scope, User},
};
use model::{BoxId, Epoch, Millis, QueueId, SiteId, leaving};
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::Value;

pub const ADMIN: &str = "ann@example.org";
pub const ANALYST: &str = "ben@example.org";
pub const PASSWORD: &str = "correct horse battery";
pub const BOX: BoxId = BoxId(7);
pub const EPOCH: Epoch = Epoch(1);
/// 2026-01-01T00:00:00Z
pub const START: i64 = 1_767_225_600_000;

pub struct Cloud {
    pub app: Arc<App>,
    pub address: SocketAddr,
    client: reqwest::Client,
    _dir: tempfile::TempDir,
}

/// Somebody with a browser.
pub struct Person<'a> {
    cloud: &'a Cloud,
    pub cookie: String,
}

pub fn north() -> SiteId {
    SiteId::new("north").unwrap()
}

impl Cloud {
    /// With an administrator, an analyst, the site `north` and a box there.
    pub async fn start() -> Self {
        Self::start_with(async |_| String::new()).await
    }

    /// With more in its settings, which may need to know where it listens.
    pub async fn start_with(more: impl AsyncFnOnce(SocketAddr) -> String) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = crate::store(dir.path());
        let password = secret::hash_password(PASSWORD).unwrap();
        db.write(move |conn| {
            let user =
                |login: &str, role| User { login: login.into(), password: password.clone(), role, scope: Scope::All };
            db::org::found(conn, "Example", Millis(START))?;
            db::user::add(conn, &user(ADMIN, Role::Administrator), Millis(START))?;
            db::user::add(conn, &user(ANALYST, Role::Analyst), Millis(START))?;
            db::site::add(conn, &north(), Millis(START))?;
            db::boxes::add(conn, BOX, &north(), Millis(START))
        })
        .await
        .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let text = format!("data = \".\"\n{}\n[http]\nlisten = \"{address}\"", more(address).await);
        let settings = settings::parse(&text, dir.path()).unwrap();
        let app = Arc::new(App::new(settings, db, address, [7; 32]).unwrap());
        tokio::spawn(http::serve(Arc::clone(&app), listener));
        Self { app, address, client: reqwest::Client::new(), _dir: dir }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// As our own page would send it, by nobody.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin()));
        request.header("x-branchline", "1").header(header::ORIGIN, self.origin())
    }

    /// With no header of our page.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin()))
    }

    pub async fn try_sign_in(&self, login: &str, password: &str) -> Response {
        let body = serde_json::json!({ "login": login, "password": password });
        self.request(Method::POST, "/api/session").json(&body).send().await.unwrap()
    }

    pub async fn sign_in(&self, login: &str) -> Person<'_> {
        let response = self.try_sign_in(login, PASSWORD).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        Person { cloud: self, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    pub fn shelf(&self) -> Shelf {
        self.app.shelf()
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> db::Result<T> + Send + 'static,
    ) -> T {
        self.app.db.write(work).await.unwrap()
    }

    /// A session without the cost of a password.
    pub async fn session(&self, login: &'static str, lasts_ms: i64) -> Person<'_> {
        let token = secret::token().unwrap();
        let (hash, now) = (secret::sha256(&token), clock::now());
        self.write(move |conn| db::session::open(conn, &hash, login, Millis(now.0 - 1000), Millis(now.0 + lasts_ms)))
            .await;
        Person { cloud: self, cookie: format!("branchline={token}") }
    }
}

impl Person<'_> {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.cloud.request(method, path).header(header::COOKIE, &self.cookie)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        answer(self.request(Method::POST, path).json(body).send().await.unwrap()).await
    }
}

pub fn token(name: &str, role: Role) -> db::token::Token {
    let (created, created_by) = (Millis(START), ADMIN.to_owned());
    let (expires, used, revoked) = (None, None, None);
    db::token::Token { name: name.into(), role, scope: Scope::All, created, created_by, expires, used, revoked }
}

pub async fn answer(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The `n`-th quarter of an hour, as the body of a row.
pub fn interval(n: i64, queue: &str, offered: u32) -> leaving::Leaving {
    leaving::Leaving::Interval(leaving::Interval {
        queue: Some(QueueId::new(queue).unwrap()),
        start: Millis(START + n * 900_000),
        length_s: 900,
        revision: 1,
        figures: leaving::Figures { offered, ..Default::default() },
    })
}

/// That the quarters `from..until` are closed, in which there was the queue `sales`.
pub fn closed(from: i64, until: i64) -> leaving::Leaving {
    let [from, until] = [from, until].map(|n| Millis(START + n * 900_000));
    let queues = vec![QueueId::new("sales").unwrap()];
    leaving::Leaving::Closed(leaving::Closed { from, until, length_s: 900, at: until, queues })
}

pub fn health(intervals_closed: u64) -> leaving::Leaving {
    leaving::Leaving::Health(leaving::Health {
        at: Millis(START),
        processes_up: 3,
        restarts: 0,
        disk_free_percent: 50,
        phones_registered: 4,
        trunks_up: 1,
        trunks: 1,
        intervals_closed,
        slot: 0,
        version: [1, 2, 3],
        alone: Vec::new(),
    })
}

pub fn row(seq: u64, leaving: &leaving::Leaving) -> wire::outbox::Row {
    let mut body = Vec::new();
    ciborium::into_writer(leaving, &mut body).unwrap();
    wire::outbox::Row { epoch: EPOCH, seq, kind: wire::outbox::KIND_LEAVING, body: body.into() }
}
