//! HTTPS for phones. Whoever has no right to a file learns nothing: an unknown device, a wrong token and a file that
//! nobody has are the same 404.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use ledger::{Batch, Ledger};
use model::{Extension, fact::Kind};
use provision::{Asked, Device, Guesses, Make, Part};
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    time::timeout,
};
use tracing::{error, info, warn};

use super::{
    Enrolment, Seen,
    enrolment::{chance, enrolments, facts, hashed},
    tell,
};
use crate::{
    calls::{Request, secrets, wall},
    config::{BoxConfig, Provision},
    secure_listener::{Connections, Limits},
    tls,
};

/// Characters of a SIP password: 119 bits.
const PASSWORD_LEN: usize = 24;
/// Between two fetches of one phone: it cannot make the box write for ever.
const APART: Duration = Duration::from_secs(1);
/// The registrar knows the password after this long; it looks by itself every two seconds.
const IN_FORCE: Duration = Duration::from_secs(3);
/// A fetch is short.
const LIMITS: Limits = Limits { connections: 128, life: Some(Duration::from_secs(60)) };
/// After the listener failed.
const AGAIN: Duration = Duration::from_secs(10);
/// Refusals become one fact at most this often.
const REFUSALS_EVERY: Duration = Duration::from_secs(60);

/// What the listener needs of the process it runs in.
pub struct Port {
    pub config: BoxConfig,
    pub provision: Provision,
    pub ledger: Arc<Ledger>,
    pub effective: watch::Receiver<Arc<desk::Effective>>,
    pub requests: mpsc::Sender<Request>,
}

struct Shared {
    port: Arc<Port>,
    /// PEM and DER; None when the certificate is not the box's own.
    ca: Option<(String, Vec<u8>)>,
    /// One fetch at a time writes passwords.
    state: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    guesses: Guesses,
    /// As of this version of the ledger's credentials.
    known: Option<(u64, BTreeMap<Extension, Enrolment>)>,
    /// When, and as which enrolment: by the hash of its token.
    fetched: BTreeMap<Extension, (Instant, String)>,
    refused: u32,
    told: Option<Instant>,
}

/// Serves until the task is dropped. What goes wrong is said and tried again: calls go on without it.
pub async fn run(port: Port) {
    let port = Arc::new(port);
    loop {
        if let Err(error) = serve(Arc::clone(&port)).await {
            error!("phones cannot fetch their configuration: {error:#}");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn serve(port: Arc<Port>) -> anyhow::Result<()> {
    let at = port.provision.listen;
    let own = tls::own(&port.config).context("[tls]")?;
    let listener =
        tokio::net::TcpListener::bind(at).await.with_context(|| format!("provision.listen: cannot listen on {at}"))?;
    let connections = Connections::listen(listener, tls::server(&own)?, LIMITS)?;
    let ca = tls::ca_file(&port.config).map(|file| -> anyhow::Result<_> {
        let pem = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Ok((pem, tls::certificates(&file)?.first().context("no CA")?.to_vec()))
    });
    let shared = Arc::new(Shared { port, ca: ca.transpose()?, state: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(shared);
    info!(listen = %at, "phones fetch their configuration");
    axum::serve(connections, router.into_make_service_with_connect_info::<SocketAddr>())
        .await
        .context("phones' listener")
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    // Phones put their logs; nobody reads them here.
    if method != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match (uri.path(), &shared.ca) {
        ("/ca.pem", Some((pem, _))) => return file("application/x-pem-file", pem.clone()),
        ("/ca.der", Some((_, der))) => return file("application/x-x509-ca-cert", der.clone()),
        _ => {}
    }
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).and_then(Device::of_user_agent);
    shared.fetch(source.ip(), uri.path(), agent).await.unwrap_or_else(IntoResponse::into_response)
}

fn file(kind: &'static str, body: impl Into<axum::body::Body>) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], body.into()).into_response()
}

impl Shared {
    async fn fetch(&self, source: IpAddr, path: &str, agent: Option<Device>) -> Result<Response, StatusCode> {
        let mut state = self.state.lock().await;
        let asked = provision::asked(path);
        self.learn(&mut state).await?;
        let found = asked.as_ref().and_then(|asked| state.whose(source, asked));
        let Some((phone, enrolment)) = found else {
            state.guesses.missed(Instant::now(), source);
            self.refused(&mut state);
            return Err(StatusCode::NOT_FOUND);
        };
        // A device that we know asks for more than we have.
        let wanted = asked.as_ref().and_then(|asked| wanted(asked, &enrolment));
        let (make, part) = wanted.ok_or(StatusCode::NOT_FOUND)?;
        let mac = enrolment.mac().ok_or(StatusCode::NOT_FOUND)?;
        if part == Part::Index {
            let blank = self.settings(&phone, &enrolment, ("", "")).ok_or(StatusCode::NOT_FOUND)?;
            let index = provision::render(make, part, mac, &blank);
            return Ok(file(index.content_type, index.text));
        }
        let now = Instant::now();
        let is_same = |(last, token): &(Instant, String)| {
            *token == enrolment.token_sha256 && now.saturating_duration_since(*last) < APART
        };
        if state.fetched.get(&phone).is_some_and(is_same) {
            return Err(StatusCode::TOO_MANY_REQUESTS);
        }
        let shown = asked.and_then(|asked| asked.token);
        let token = shown.clone().unwrap_or_else(|| chance(provision::TOKEN_LEN));
        let password = chance(PASSWORD_LEN);
        let settings = self.settings(&phone, &enrolment, (&token, &password)).ok_or(StatusCode::NOT_FOUND)?;
        let (model, firmware) = agent.map(|device| (device.model, device.firmware)).unzip();
        let mut renewed = Enrolment { token_sha256: hashed(&token), ..enrolment };
        if shown.is_some() {
            // It has its token: the window has served.
            renewed.open_until = model::Millis(0);
        }
        renewed.seen = Some(Seen { at: wall(), model, firmware: firmware.clone() });
        self.commit(&phone, &renewed, &password, firmware).await.map_err(|error| {
            warn!(%phone, "a phone's password cannot be kept, so it gets none: {error:#}");
            StatusCode::SERVICE_UNAVAILABLE
        })?;
        state.fetched.insert(phone.clone(), (now, renewed.token_sha256));
        state.known = None;
        info!(%phone, %make, "a phone fetched its configuration");
        let rendered = provision::render(make, part, mac, &settings);
        Ok(file(rendered.content_type, rendered.text))
    }

    fn settings(&self, phone: &Extension, enrolment: &Enrolment, secrets: (&str, &str)) -> Option<provision::Settings> {
        let effective = self.port.effective.borrow().clone();
        let ca = self.ca.as_ref().map(|(pem, _)| pem.as_str());
        let files = (&self.port.config, &self.port.provision);
        tell::settings(files, &effective.config, (phone, enrolment), secrets, ca)
    }

    /// The HA1s are on the disk, and then in force.
    async fn commit(
        &self,
        phone: &Extension,
        renewed: &Enrolment,
        password: &str,
        firmware: Option<String>,
    ) -> anyhow::Result<()> {
        let writer = self.port.ledger.writer();
        // What is kept for a better day would change the password behind the phone's back.
        anyhow::ensure!(writer.pressure().failing.is_none(), "the disk refuses");
        let mut credentials = secrets::phone_password(phone, &self.port.config.sip.domain, password)?;
        credentials.push(renewed.change(phone)?);
        let facts = facts(vec![Kind::PhoneProvisioned { phone: phone.clone(), firmware }]);
        let (done, written) = oneshot::channel();
        let batch = Batch { credentials, facts, ..Batch::default() };
        writer.submit_then(batch, move |result| drop(done.send(result)));
        written.await.context("the ledger is closed")?.context("the ledger")?;
        let (answer, in_force) = oneshot::channel();
        if self.port.requests.try_send(Request::Credentials { answer }).is_ok() {
            // Late is not wrong: the registrar looks by itself.
            let _ = timeout(IN_FORCE, in_force).await;
        }
        Ok(())
    }

    async fn learn(&self, state: &mut Inner) -> Result<(), StatusCode> {
        let (ledger, known) = (Arc::clone(&self.port.ledger), state.known.as_ref().map(|(version, _)| *version));
        let read = tokio::task::spawn_blocking(move || {
            let reader = ledger.reader()?;
            let version = reader.credentials_version()?;
            let fresh = (known != Some(version)).then(|| enrolments(&reader)).transpose()?;
            Ok::<_, ledger::Error>(fresh.map(|fresh| (version, fresh)))
        });
        match read.await {
            Ok(Ok(Some(fresh))) => state.known = Some(fresh),
            Ok(Ok(None)) => {}
            Ok(Err(error)) => {
                warn!(%error, "enrolments cannot be read");
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            Err(_) => return Err(StatusCode::SERVICE_UNAVAILABLE),
        }
        Ok(())
    }

    /// An audit of what was refused, in numbers: who guesses cannot fill the disk with facts.
    fn refused(&self, state: &mut Inner) {
        state.refused = state.refused.saturating_add(1);
        let now = Instant::now();
        if state.told.is_some_and(|told| now.saturating_duration_since(told) < REFUSALS_EVERY) {
            return;
        }
        state.told = Some(now);
        let facts = facts(vec![Kind::PhoneFetchesRefused { count: std::mem::take(&mut state.refused) }]);
        self.port.ledger.writer().submit_then(Batch { facts, ..Batch::default() }, |_| {});
    }
}

impl Inner {
    /// By its token, or, while its window is open, by its address alone.
    fn whose(&mut self, source: IpAddr, asked: &Asked) -> Option<(Extension, Enrolment)> {
        let (_, known) = self.known.as_ref()?;
        let found = match &asked.token {
            Some(token) => {
                let hash = hashed(token);
                known.iter().find(|(_, one)| one.token_sha256 == hash)
            }
            None if !self.guesses.may_ask(Instant::now(), source) => None,
            None => {
                let (mac, now) = (asked.mac?, wall());
                known.iter().find(|(_, one)| one.mac() == Some(mac) && now < one.open_until)
            }
        };
        found.map(|(phone, one)| (phone.clone(), one.clone()))
    }
}

/// The file, if a device of this make and address asks for it so.
fn wanted(asked: &Asked, enrolment: &Enrolment) -> Option<(Make, Part)> {
    let make = enrolment.make()?;
    let part = asked.part(make)?;
    let is_its_own = asked.mac.is_none_or(|mac| enrolment.mac() == Some(mac));
    is_its_own.then_some((make, part))
}
