//! The *calls* process: SIP sockets, the floor, the desk, the ledger. It has no route to the cloud.

mod backlog;
mod chat;
mod clock;
mod correcting;
mod customers;
mod desk_ports;
mod dns;
mod drills;
mod egress_port;
mod ends;
mod engine;
mod lab_news;
mod look_back;
mod look_up;
mod media_client;
mod meters;
mod next_life;
mod obeying;
mod outgoing;
mod phones_port;
mod reception;
mod refusals;
mod reports_port;
mod running;
mod running_told;
pub mod secrets;
pub mod settings;
mod shown;
mod sockets;
mod softphones;
mod spare;
mod store;
mod sync_client;
mod tickets;
pub mod trunks;
mod unsealed;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Instant,
};

use anyhow::Context;
use call::Limits;
use floor::{
    Floor, Input, Setup,
    book::{Book, Remembered},
    fares::{Fares, Visit},
};
use gate::{Gate, Policy};
use ledger::{BranchKey, Ledger, Options, Reader};
use model::{Millis, cdr::Direction};
use rand::Rng;
use sip::endpoint::Transport;
use softphones::SoftphonesPort;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::{
    config::BoxConfig,
    observe, provision,
    secure_listener::{Connections, Limits as HttpsLimits},
    tls,
};
use chat::ChatPort;
pub use clock::wall;
use clock::{civil, offset_ms};
pub use desk_ports::Request;
use desk_ports::{FloorPort, REQUESTS_MAX, RecordsPort};
use egress_port::EgressPort;
use engine::{Engine, Inbox, Standing};
use phones_port::{PhonesPort, Registrations};
use reports_port::ReportsPort;
use tickets::TicketsPort;

/// Records of the last day that the figures may still need.
const CDRS_AT_START: usize = floor::book::CDRS_MAX;
/// Records that are looked through for who served whom last.
const REGULARS_AT_START: usize = 5_000;
const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// Browsers keep a few connections each, and two of them for the whole shift.
const DESK_LIMITS: HttpsLimits = HttpsLimits { connections: 4_000, life: None };
/// Threads for the desk and the metrics.
const SIDE_THREADS: usize = 2;
const PRODUCT: &str = concat!("Branchline/", env!("CARGO_PKG_VERSION"));

/// Runs until the process is told to end.
pub async fn run(config: BoxConfig) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.run).context("the run folder")?;
    let opened = spare::open(&config)?;
    let unheard = if opened.spare { Vec::new() } else { spare::bring(&config.run, &opened) };
    let spare::Opened { ledger, reader, key, spare } = opened;
    let generation = rand::rng().next_u64();
    let (media, mut from_media) = media_client::MediaClient::start(config.media_socket(), generation);
    let heard = next_life::hear(&reader, &mut from_media).await;
    let orphans = next_life::close_the_rest(&ledger, &reader, &heard.left).unwrap_or_else(|error| {
        // Calls come before their book.
        error!("what the last life left open stays open: {error:#}");
        BTreeMap::new()
    });
    let sealing = unsealed::tell(orphans, config.recordings(), key.clone(), Arc::clone(&ledger));
    let mut engine = build(&config, ledger.clone(), reader, (media, from_media)).await?;
    engine.0.adopt(heard);
    engine.0.stay = spare::Stay::new(Instant::now(), spare);
    engine.0.announce_late(unheard);
    let (requests, requests_in) = mpsc::channel(REQUESTS_MAX);
    // Passwords that would be forgotten with the spare ledger are not made.
    let phones = config.provision.clone().filter(|_| !spare).map(|provision| provision::Port {
        config: config.clone(),
        provision,
        ledger: Arc::clone(&ledger),
        effective: engine.0.effective.subscribe(),
        requests: requests.clone(),
    });
    let tickets = TicketsPort::new(Arc::clone(&ledger), engine.0.effective.subscribe(), spare);
    let desk = desk_router(&config, &engine, requests, (ledger, key), tickets.clone());
    let standing = engine.0.standing.clone();
    let registry = engine.0.meters.registry.clone();
    let status: observe::Status = Arc::new(move || {
        serde_json::json!({
            "config": standing.config.load(Ordering::Relaxed),
            "ledger": standing.ledger.load(Ordering::Relaxed),
            "calls": standing.calls.load(Ordering::Relaxed),
            "help": standing.help.lock().unwrap_or_else(PoisonError::into_inner).map(call::Help::word),
            "alone": *standing.alone.lock().unwrap_or_else(PoisonError::into_inner),
            "trunks": *standing.trunks.lock().unwrap_or_else(PoisonError::into_inner),
        })
    });
    let looking = ends::Looking::new(&engine.0);
    let (engine, media, sync, located, looked_up) = engine;
    let listener = tokio::net::TcpListener::bind(config.desk)
        .await
        .with_context(|| format!("desk.listen: cannot listen on {}", config.desk))?;
    let secured = config.desk_tls.then(|| tls::own(&config).and_then(|own| tls::server(&own))).transpose();
    let secured = secured.context("desk.tls")?;
    info!(desk = %config.desk, tls = config.desk_tls, "the desk is served");
    let service = desk.into_make_service_with_connect_info::<SocketAddr>();
    // The lines have this thread for themselves: no page of a desk makes a call wait.
    let mut side = tokio::runtime::Builder::new_multi_thread();
    let side = side.worker_threads(SIDE_THREADS).thread_name("desk").enable_all().build();
    let side = Side(Some(side.context("the desk's threads cannot start")?));
    let listener = listener.into_std().context("the desk's listener")?;
    let serving = side.handle()?.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        match secured {
            Some(tls) => axum::serve(Connections::listen(listener, tls, DESK_LIMITS)?, service).await,
            None => axum::serve(listener, service).await,
        }
    });
    if let Some(port) = phones {
        side.handle()?.spawn(provision::run(port));
    }
    side.handle()?.spawn(sealing);
    side.handle()?.spawn(looking.forever());
    side.handle()?.spawn(tickets::Clock::new(tickets).forever());
    let observing = side.handle()?.spawn(observe::serve(config.metrics_of(0), registry, status));
    tokio::select! {
        () = engine.run(Inbox { media, sync, located, looked_up, requests: requests_in }) => Ok(()),
        ended = serving => ended.context("the desk")?.context("the desk's listener failed"),
        ended = observing => ended.context("the metrics")?,
    }
}

/// Threads that end without being waited for, also when the process is told to end in the midst of its work.
struct Side(Option<tokio::runtime::Runtime>);

impl Side {
    fn handle(&self) -> anyhow::Result<&tokio::runtime::Handle> {
        self.0.as_ref().map(tokio::runtime::Runtime::handle).context("threads that were begun")
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A damaged ledger is set aside, so that calls go on; what is missing is said loudly.
pub fn open_ledger(config: &BoxConfig, key: BranchKey) -> anyhow::Result<Ledger> {
    let path = config.ledger_file();
    match Ledger::open(&path, key.clone(), Options::default()) {
        Err(error @ ledger::Error::Damaged { .. }) => {
            let aside = ledger::set_aside(&path).context("the damaged ledger cannot be set aside")?;
            tracing::error!(%error, kept = %aside.display(), "the ledger is damaged: a fresh one begins");
            Ledger::open(&path, key, Options::default()).context("a fresh ledger cannot be opened")
        }
        opened => opened.with_context(|| format!("the ledger {} cannot be opened", path.display())),
    }
}

type Built = (
    Engine,
    mpsc::Receiver<media_client::FromMedia>,
    mpsc::Receiver<sync_client::FromSync>,
    mpsc::Receiver<dns::Located>,
    mpsc::Receiver<look_up::Answer>,
);

async fn build(
    config: &BoxConfig,
    ledger: Arc<Ledger>,
    reader: Reader,
    (media, from_media): (media_client::MediaClient, mpsc::Receiver<media_client::FromMedia>),
) -> anyhow::Result<Built> {
    let mut random = [0; 56];
    rand::rng().fill_bytes(&mut random);
    let (seed, rest) = random.split_at(32);
    let (actor, secret) = rest.split_at(16);
    let secret = u64::from_be_bytes(secret.try_into().context("a secret")?);
    let seed: [u8; 32] = seed.try_into().context("a seed")?;
    let settings =
        settings::Settings::open(config.site.clone(), actor.try_into().context("an actor")?, &config.data, &reader)?;
    let running = settings.fallback();
    let secrets = secrets::of_lines(&reader, &running, &config.sip.domain)?;
    let staff = secrets::of_staff(&reader, &running)?;
    let is_secure = config.sip.listen.iter().any(|(transport, _)| transport.is_secure());
    let own = (is_secure || config.tls.files.is_some()).then(|| tls::own(config)).transpose().context("[tls]")?;
    let mut origins = origins(config);
    origins.extend(config.sip.origins.iter().cloned());
    let server = own.as_ref().map(tls::server).transpose().context("[tls]")?;
    let roots = Arc::new(tls::roots(config.tls.trunk_ca.as_deref()).context("tls.trunk_ca")?);
    let wanted = config.tls.trunks.iter().map(|(id, wanted)| (id.to_string(), wanted));
    let mut security = sockets::Security { server, callers: None, origins };
    if let Some(own) = &own {
        security = security.asking(wanted, own, Arc::clone(&roots)).context("tls.trunks")?;
    }
    let reception = Arc::new(reception::Reception::new(Instant::now(), secret, PRODUCT));
    let sockets = sockets::Sockets::bind(&config.sip.listen, sockets::Limits::default(), security, &reception).await?;
    info!(listening = ?sockets.listening(), "SIP");
    let calls = call::Config {
        domain: config.sip.domain.clone(),
        local: config.sip.listen.iter().map(|(_, address)| *address).collect(),
        listeners: config.sip.listen.clone(),
        networks: config.sip.networks.clone(),
        recorders: config.siprec.clone(),
        certified: config.tls.trunks.iter().filter(|(_, of)| of.by_certificate).map(|(id, _)| id.clone()).collect(),
        product: PRODUCT.into(),
        site: running.clone(),
        secrets: secrets.clone(),
        limits: Limits::default(),
    };
    let now = wall();
    let length_s = config.cloud.as_ref().map_or(900, |cloud| cloud.interval_s);
    let since = Millis(now.0.saturating_sub(DAY_MS));
    let remembered = remembered(&reader, since)?;
    let visits: Vec<Visit> = {
        let cdrs = reader.cdrs(floor::fares::PAST_MAX, None)?;
        cdrs.iter().rev().filter(|cdr| !config.brought(cdr)).filter_map(Visit::of).collect()
    };
    let policy = Policy { k: config.cloud.as_ref().map_or(10, |cloud| cloud.k_callers) };
    let (sync, from_sync) = sync_client::SyncClient::start(config.cloud.as_ref().map(|_| config.sync_socket()));
    let located = config.data.join("located.json");
    let (dns, located) = dns::Dns::start(&config.sip.listen, config.dns.clone(), located);
    let (look_ups, looked_up) = look_up::LookUps::start(&config.look_up);
    let kept = reader.bindings(now)?;
    let enrolled = provision::enrolments(&reader).unwrap_or_else(|error| {
        warn!(%error, "enrolments cannot be read: what was asked of phones is asked again");
        BTreeMap::new()
    });
    let resyncs = enrolled.into_iter().map(|(phone, one)| (phone, one.resyncs)).collect();
    let setup = Setup { calls, seed, civil: civil(&running.site.time_zone) };
    let lab_heard = reader.facts_last()?;
    let (store, told_kept) = store::Store::new(ledger.writer());
    let mut engine = Engine {
        floor: Floor::new(Instant::now(), setup),
        sockets,
        tls: (own.filter(|_| config.tls.files.is_some()), roots),
        media,
        sync,
        dns,
        look_ups,
        located: BTreeMap::new(),
        store,
        kept: told_kept,
        fares: Fares::new(policy.k, offset_ms(&running.site.time_zone), visits),
        told: None,
        gate: Gate::new(policy, reader.gate_state()?),
        drills: drills::Drills::new(Arc::clone(&ledger), &reader),
        reader,
        settings,
        running: Arc::new(running.clone()),
        secrets,
        staff: Arc::new(desk::Staff::new(staff).context("the staff's credentials")?),
        book: Book::new(length_s, now, remembered),
        board: watch::channel(Arc::new(desk::BoardAt { at: Instant::now(), board: Default::default() })).0,
        effective: watch::channel(Arc::new(desk::Effective {
            config: running,
            findings: Vec::new(),
            alone: Vec::new(),
            drill: None,
        }))
        .0,
        meters: meters::Meters::new()?,
        standing: Arc::new(Standing::default()),
        phones: BTreeSet::new(),
        registrations: Registrations::default(),
        trunks: BTreeMap::new(),
        heads: String::new(),
        taken: false,
        data_version: 0,
        lab_heard,
        living: engine::Living { began: now, since: Instant::now() },
        show_at: None,
        looks: 0,
        reception,
        backlog: backlog::Backlog::new(crate::media::of_range(config.rtp.ports.clone()).count()),
        stay: spare::Stay::new(Instant::now(), false),
        credentials: 0,
        resyncs,
        config: config.clone(),
    };
    // Caps look an hour back, notices a day.
    match engine.reader.dialled_since(Millis(now.0.saturating_sub(DAY_MS))) {
        Ok(dialled) => engine.floor.remember(&dialled),
        // Calls come before their counting.
        Err(error) => warn!(%error, "the last calls out cannot be read: their caps begin anew"),
    }
    if let Err(error) = know_regulars(&mut engine) {
        warn!(%error, "who served whom last cannot be read: customers wait for anybody");
    }
    engine.activate();
    for input in kept.into_iter().filter_map(|binding| outgoing::binding_back(binding, now)) {
        if let sip::endpoint::Input::Restore { user, binding } = &input {
            engine.reception.met(binding.flow.remote);
            if let Ok(phone) = model::Extension::new(user) {
                engine.registrations.put(&phone, true, binding);
            }
        }
        engine.feed(Input::Call(call::leg::Input::Sip(input)));
    }
    Ok((engine, from_media, from_sync, located, looked_up))
}

/// Who served whom last, the oldest first.
/// What the book of figures begins with: the last day, or as much of it as it can keep.
fn remembered(reader: &ledger::Reader, since: Millis) -> Result<Remembered, ledger::Error> {
    let mut cdrs = reader.cdrs(CDRS_AT_START, None)?;
    let cut = cdrs.len() >= CDRS_AT_START;
    let since = cdrs.last().filter(|_| cut).map_or(since, |oldest| since.max(oldest.ended));
    cdrs.retain(|cdr| cdr.ended >= since);
    Ok(Remembered { cdrs, since, said: reader.intervals(since, CDRS_AT_START)? })
}

fn know_regulars(engine: &mut engine::Engine) -> Result<(), ledger::Error> {
    for cdr in engine.reader.cdrs(REGULARS_AT_START, None)?.into_iter().rev() {
        let Some(agent) = cdr.agent.filter(|_| cdr.direction == Direction::Inbound) else { continue };
        let person = engine.reader.personal(cdr.contact)?;
        if let Some(number) = person.as_ref().and_then(|person| person.caller.as_deref()) {
            engine.floor.know(number, &agent);
        }
    }
    Ok(())
}

fn desk_router(
    config: &BoxConfig,
    built: &Built,
    requests: mpsc::Sender<desk_ports::Request>,
    (ledger, key): (Arc<Ledger>, BranchKey),
    tickets: TicketsPort,
) -> axum::Router {
    let engine = &built.0;
    let softphones = SoftphonesPort {
        requests: requests.clone(),
        effective: engine.effective.subscribe(),
        domain: config.sip.domain.clone(),
        pages: engine.sockets.pages(),
        desk: (if config.desk_tls { Transport::Wss } else { Transport::Ws }, config.desk),
    };
    let floor = FloorPort { requests, board: engine.board.subscribe(), effective: engine.effective.subscribe() };
    let phones = PhonesPort {
        ledger: Arc::clone(&ledger),
        registrations: engine.registrations.clone(),
        // Enrolments would be forgotten with the spare ledger.
        provision: config.provision.clone().filter(|_| !engine.stay.is_spare()),
        realm: config.sip.domain.clone(),
    };
    let egress = EgressPort {
        ledger: Arc::clone(&ledger),
        identity: config.identity(),
        has_customer: !config.witness.is_empty(),
    };
    let reports = ReportsPort { ledger: Arc::clone(&ledger), effective: engine.effective.subscribe() };
    let spare = engine.stay.is_spare();
    let chat = ChatPort::new(Arc::clone(&ledger), spare);
    let records = RecordsPort { ledger, recordings: config.recordings(), key, spare };
    let origins = origins(config);
    if origins.is_empty() {
        warn!("no browser will be allowed to the desk");
    }
    let options = desk::Options { secure_cookie: config.desk_tls, ..desk::Options::new(origins) };
    let parts = desk::Parts {
        floor: Arc::new(floor),
        records: Arc::new(records),
        credentials: engine.staff.clone(),
        phones: Arc::new(phones),
        egress: Arc::new(egress),
        reports: Arc::new(reports),
        tickets: Arc::new(tickets),
        chat: Arc::new(chat),
        softphones: Arc::new(softphones),
    };
    desk::router(desk::Desk::new(parts, options))
}

/// Where the desk's pages come from.
fn origins(config: &BoxConfig) -> Vec<String> {
    let scheme = if config.desk_tls { "https" } else { "http" };
    let port = config.desk.port();
    let mut origins = vec![format!("{scheme}://{}", config.desk), format!("{scheme}://{}:{port}", config.sip.domain)];
    if config.desk.ip().is_loopback() {
        origins.push(format!("{scheme}://localhost:{port}"));
    }
    origins
}
