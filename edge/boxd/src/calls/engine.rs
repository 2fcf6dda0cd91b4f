//! The loop around the floor: everything that happened goes in with the clock, what comes out goes to sockets, to
//! *media*, to *sync*, and into one ledger batch per step. Telephone lines never wait for the disk; desks do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use ::config::{Author, Effective};
use call::leg::Input as LineInput;
use desk::{BoardAt, ChangeRefused, Fault};
use floor::{CivilTime, Floor, Input, Output, book::Book};
use gate::Gate;
use ledger::{Batch, BindingChange, Personal, Reader, Writer};
use model::{
    AgentId, Extension, Millis, TrunkId,
    cdr::{Cdr, Outcome},
    change::{Change, Doc},
    config::{Config, TrunkKind},
    fact::{Fact, Kind},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, sleep_until},
};
use tracing::{error, info, warn};

use super::{
    desk_ports::Request,
    media_client::{FromMedia, MediaClient},
    meters::Meters,
    outgoing, secrets,
    settings::Settings,
    sockets::Sockets,
    sync_client::{FromSync, SyncClient},
};
use crate::config::BoxConfig;

/// How often the ledger is asked whether the other process wrote, the board is shown and intervals are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often credentials are read again, in looks.
const SECRETS_EVERY: u32 = 10;
/// How often the civil clock is told, in looks.
const CIVIL_EVERY: u32 = 25;

/// What the prober may know.
#[derive(Default)]
pub struct Standing {
    pub config: AtomicBool,
    pub ledger: AtomicBool,
    pub calls: AtomicU32,
}

pub struct Engine {
    pub config: BoxConfig,
    pub floor: Floor,
    pub sockets: Sockets,
    pub media: MediaClient,
    pub sync: Option<SyncClient>,
    pub writer: Writer,
    pub reader: Reader,
    pub settings: Settings,
    pub running: Arc<Config>,
    pub secrets: call::Secrets,
    pub staff: Arc<desk::Staff>,
    pub book: Book,
    pub gate: Gate,
    pub board: watch::Sender<Arc<BoardAt>>,
    pub effective: watch::Sender<Arc<desk::Effective>>,
    pub meters: Meters,
    pub standing: Arc<Standing>,
    pub phones: BTreeSet<Extension>,
    pub trunks: BTreeMap<TrunkId, bool>,
    pub heads: String,
    pub data_version: u64,
    pub board_changed: bool,
    pub looks: u32,
}

/// Everything that reaches the engine from other tasks.
pub struct Inbox {
    pub media: mpsc::Receiver<FromMedia>,
    pub sync: mpsc::Receiver<FromSync>,
    pub requests: mpsc::Receiver<Request>,
}

pub fn wall() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Millis(i64::try_from(since).unwrap_or(i64::MAX))
}

/// The site's own clock on the wall.
pub fn civil(time_zone: &str) -> CivilTime {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let now = jiff::Timestamp::now().to_zoned(zone);
    let minute = u16::try_from(i32::from(now.hour()) * 60 + i32::from(now.minute())).unwrap_or(0);
    let day = u8::try_from(now.weekday().to_monday_zero_offset()).unwrap_or(0);
    CivilTime { date: now.date().to_string(), day, minute }
}

impl Engine {
    /// Runs until the task is dropped.
    pub async fn run(mut self, mut inbox: Inbox) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wake = self.floor.poll_timeout().unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                biased;
                Some(input) = self.sockets.recv() => self.feed(Input::Call(LineInput::Sip(input))),
                Some(from) = inbox.media.recv() => self.hear_media(from),
                Some(request) = inbox.requests.recv() => self.request(request),
                Some(from) = inbox.sync.recv() => self.hear_sync(from),
                () = sleep_until(wake.into()) => {
                    self.floor.handle_timeout(Instant::now(), wall());
                    self.obey();
                }
                _ = looks.tick() => self.look(),
            }
        }
    }

    pub fn feed(&mut self, input: Input) {
        self.floor.handle_input(Instant::now(), wall(), input);
        self.obey();
    }

    fn hear_media(&mut self, from: FromMedia) {
        match from {
            FromMedia::Connected { fresh: false } => {}
            FromMedia::Connected { fresh: true } => self.feed(Input::Call(LineInput::MediaRestarted)),
            FromMedia::Event(event) => self.feed(Input::Call(LineInput::Media(event))),
        }
    }

    fn hear_sync(&mut self, from: FromSync) {
        match from {
            FromSync::Signal(signal) => {
                if let Some(signal) = outgoing::signal_in(signal) {
                    self.feed(Input::Signal(signal));
                }
            }
            FromSync::TunnelReady { overflow, peer } => self.feed(Input::TunnelPeer { overflow, peer }),
            FromSync::PathLost { overflow } => self.feed(Input::PathLost { overflow }),
            FromSync::LinkUp => self.feed(Input::LinkUp),
            FromSync::LinkDown => self.feed(Input::LinkDown),
            FromSync::ConfigChanged => self.catch_up(),
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Command { command, answer } => {
                let result = self.floor.desk(Instant::now(), wall(), command);
                let batch = self.drain();
                let Err(refused) = result else { return self.store_then(batch, answer, Ok(())) };
                self.store(batch);
                let _ = answer.send(Err(refused));
            }
            Request::Change { by, changes, answer } => self.change(by, &changes, answer),
        }
    }

    /// An edit at the desk: stored, then in force, then answered.
    fn change(
        &mut self,
        by: AgentId,
        changes: &[Change],
        answer: oneshot::Sender<Result<Arc<desk::Effective>, ChangeRefused>>,
    ) {
        let (draft, encoded) = match self.settings.edit(Doc::Local, changes, Author::Branch, wall()) {
            Ok(edited) => edited,
            Err(refused) => {
                let _ = answer.send(Err(outgoing::refusal(&refused)));
                return;
            }
        };
        let kind = Kind::SettingsEdited { by, changes: u32::try_from(changes.len()).unwrap_or(u32::MAX) };
        let batch = Batch {
            config: encoded.into_iter().map(|bytes| (Doc::Local, bytes)).collect(),
            facts: vec![Fact { seq: 0, at: wall(), contact: None, kind }],
            ..Batch::default()
        };
        // An edit is rare and small: the engine waits the few milliseconds, so that edits stay in order.
        let stored = tokio::task::block_in_place(|| self.writer.submit(batch).wait());
        if let Err(error) = stored {
            warn!(%error, "an edit could not be stored");
            let _ = answer.send(Err(ChangeRefused {
                index: 0,
                code: "unavailable".into(),
                message: "the edit could not be stored; nothing was changed".into(),
                fault: Fault::Box,
            }));
            return;
        }
        self.settings.commit(draft);
        self.activate();
        if let Some(sync) = &self.sync {
            sync.config_changed();
        }
        let _ = answer.send(Ok(self.effective.borrow().clone()));
    }

    fn look(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        match self.reader.data_version() {
            Ok(version) if version != self.data_version => {
                self.data_version = version;
                self.catch_up();
            }
            Ok(_) => {}
            Err(error) => warn!(%error, "the ledger cannot be asked"),
        }
        if self.looks.is_multiple_of(SECRETS_EVERY) {
            self.refresh_secrets();
        }
        if self.looks.is_multiple_of(CIVIL_EVERY) {
            self.feed(Input::Civil(civil(&self.running.site.time_zone)));
            self.show();
        }
        if self.config.cloud.is_some() && self.book.due(wall()) {
            self.close_intervals();
        }
    }

    fn show(&mut self) {
        let at = Instant::now();
        let board = self.floor.board(at);
        let waiting: u32 = board.queues.iter().map(|queue| queue.waiting).sum();
        self.meters.waiting.set(waiting.into());
        self.meters.connections.set(i64::try_from(self.sockets.connections()).unwrap_or(i64::MAX));
        self.meters.phones.set(i64::try_from(self.phones.len()).unwrap_or(i64::MAX));
        self.meters.trunks_up.set(self.trunks.values().map(|up| i64::from(*up)).sum());
        let legs = u32::try_from(self.floor.lines().in_use().legs).unwrap_or(u32::MAX);
        self.standing.calls.store(legs, Ordering::Relaxed);
        self.standing.ledger.store(self.writer.pressure().failing.is_none(), Ordering::Relaxed);
        self.board_changed = false;
        self.board.send_replace(Arc::new(BoardAt { at, board }));
    }

    fn catch_up(&mut self) {
        match self.settings.catch_up(&self.reader) {
            Ok(true) => self.activate(),
            Ok(false) => {}
            Err(error) => warn!("{error:#}"),
        }
    }

    /// Resolves the documents and runs what comes of it, unless a finding is fatal.
    pub fn activate(&mut self) {
        let effective = self.settings.effective();
        if effective.heads == self.heads {
            return;
        }
        self.heads.clone_from(&effective.heads);
        let count = u32::try_from(effective.findings.len()).unwrap_or(u32::MAX);
        self.meters.config_findings.set(count.into());
        let fatal = effective.fatal();
        let Effective { config, findings, heads } = effective;
        if fatal {
            warn!(findings = count, "the configuration has a fatal finding: the last good one runs on");
            self.tell(Kind::ConfigRefused { heads, fatal: count });
        } else {
            info!(findings = count, "a configuration is active");
            self.running = Arc::new(config);
            if let Err(error) = self.settings.keep_good(&self.running) {
                warn!("{error:#}");
            }
            self.standing.config.store(true, Ordering::Relaxed);
            self.secrets = call::Secrets::default();
            self.configure();
            self.tell(Kind::ConfigActivated { heads, findings: count });
        }
        self.effective.send_replace(Arc::new(desk::Effective { config: Config::clone(&self.running), findings }));
    }

    fn refresh_secrets(&mut self) {
        match secrets::of_lines(&self.reader, &self.running, &self.config.sip.domain) {
            Ok(fresh) if fresh != self.secrets => self.configure(),
            Ok(_) => {}
            Err(error) => warn!("credentials cannot be read: {error:#}"),
        }
        match secrets::of_staff(&self.reader, &self.running) {
            Ok(staff) => {
                if let Err(error) = self.staff.replace(staff) {
                    warn!(%error, "the staff's credentials cannot be used");
                }
            }
            Err(error) => warn!("credentials cannot be read: {error:#}"),
        }
    }

    fn configure(&mut self) {
        match secrets::of_lines(&self.reader, &self.running, &self.config.sip.domain) {
            Ok(fresh) => self.secrets = fresh,
            Err(error) => error!("credentials cannot be read; phones cannot register: {error:#}"),
        }
        let peers = self.running.trunks.values().map(|trunk| match &trunk.kind {
            TrunkKind::Address { peer, .. } | TrunkKind::Registration { peer, .. } => peer.ip(),
        });
        self.sockets.trust(peers.collect());
        let (config, secrets) = (Box::new(Config::clone(&self.running)), Box::new(self.secrets.clone()));
        self.feed(Input::Configure { config, secrets });
        self.feed(Input::Civil(civil(&self.running.site.time_zone)));
        self.refresh_staff();
    }

    fn refresh_staff(&mut self) {
        if let Ok(staff) = secrets::of_staff(&self.reader, &self.running) {
            let _ = self.staff.replace(staff);
        }
    }

    fn close_intervals(&mut self) {
        let at = wall();
        let cells = self.book.close(at, &self.running);
        let health = outgoing::health(self, at, !cells.is_empty());
        let mut items: Vec<_> = cells.iter().cloned().map(model::leaving::Leaving::Interval).collect();
        items.push(model::leaving::Leaving::Health(health));
        match self.gate.pass(&items, at) {
            Ok(passed) => {
                let gate = Some(self.gate.state().clone());
                self.store(Batch { intervals: cells, outbox: passed, gate, ..Batch::default() });
                if let Some(sync) = &self.sync {
                    sync.outbox_grew();
                }
            }
            Err(error) => error!(%error, "the gate refused our own figures"),
        }
    }

    /// A fact of the box itself.
    fn tell(&mut self, kind: Kind) {
        let fact = Fact { seq: 0, at: wall(), contact: None, kind };
        self.store(Batch { facts: vec![fact], ..Batch::default() });
    }

    fn obey(&mut self) {
        let batch = self.drain();
        self.store(batch);
    }

    /// Takes everything the floor has put out; what is to be remembered is returned.
    fn drain(&mut self) -> Batch {
        let mut batch = Batch::default();
        while let Some(output) = self.floor.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.sockets.send(flow, bytes),
                Output::Media(command) => {
                    if !self.media.send(command) {
                        error!("the media process does not take commands");
                    }
                }
                Output::Fact(fact) => {
                    if let Kind::Dialled { phone, trunk, emergency: true } = &fact.kind {
                        warn!(%phone, ?trunk, "an emergency call");
                        self.meters.emergencies.inc();
                    }
                    batch.facts.push(fact);
                }
                Output::Personal { contact, caller } => {
                    let person = Personal { caller: Some(caller.number), name: caller.name, dialled: None };
                    batch.personal.push((contact, person));
                }
                Output::Cdr(cdr) => {
                    self.count(&cdr);
                    self.book.note(&cdr);
                    batch.cdrs.push(*cdr);
                }
                Output::Signal(signal) => match &self.sync {
                    Some(sync) => sync.signal(outgoing::signal_out(signal, &self.config.site)),
                    None => warn!("an overflow signal without a link"),
                },
                Output::Tunnel { overflow, local } => {
                    if let Some(sync) = &self.sync {
                        sync.tunnel(overflow, local);
                    }
                }
                Output::BoardChanged => self.board_changed = true,
                Output::Registered { phone, up, binding } => {
                    batch.bindings.extend(self.registered(phone, up, binding));
                }
                Output::TrunkState { trunk, up } => {
                    info!(%trunk, up, "trunk");
                    self.trunks.insert(trunk, up);
                }
                Output::Refused { cause, .. } => self.meters.refused.with_label_values(&[cause]).inc(),
            }
        }
        self.meters.facts.inc_by(batch.facts.len() as u64);
        if self.board_changed {
            self.show();
        }
        batch
    }

    fn registered(&mut self, phone: Extension, up: bool, binding: sip::endpoint::Binding) -> Option<BindingChange> {
        info!(%phone, up, "phone registration");
        let user = phone.as_str().to_owned();
        if up {
            self.phones.insert(phone);
            outgoing::binding_put(&user, &binding, wall())
        } else {
            self.phones.remove(&phone);
            Some(BindingChange::Remove { user, contact: binding.contact })
        }
    }

    fn count(&self, cdr: &Cdr) {
        if cdr.wrap_up_ms.is_some() {
            return;
        }
        self.meters.contacts.inc();
        match cdr.outcome {
            Outcome::Answered => self.meters.answered.inc(),
            Outcome::Abandoned => self.meters.abandoned.inc(),
            Outcome::InFlow | Outcome::Refused => {}
        }
    }

    fn store(&self, batch: Batch) {
        if !batch.is_empty() {
            self.writer.submit_then(batch, |stored| {
                if let Err(error) = stored {
                    error!(%error, "facts wait in memory: the ledger does not take them");
                }
            });
        }
    }

    fn store_then<T: Send + 'static>(&self, batch: Batch, answer: oneshot::Sender<T>, value: T) {
        if batch.is_empty() {
            let _ = answer.send(value);
            return;
        }
        self.writer.submit_then(batch, move |stored| match stored {
            Ok(_) => drop(answer.send(value)),
            Err(error) => error!(%error, "facts wait in memory: the desk is not answered"),
        });
    }
}
