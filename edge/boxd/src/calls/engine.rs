//! The loop around the floor: everything that happened goes in with the clock, what comes out goes to sockets, to
//! *media*, to *sync*, and into the ledger. Telephone lines never wait for the disk; desks do.
//!
//! It works in turns: what waits in the [`super::reception`] is served for a slice of time, what matters most first, then
//! everything that came of it leaves together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32},
    },
    time::{Duration, Instant},
};

use call::leg::Input as LineInput;
use desk::BoardAt;
use floor::{Floor, Input, book::Book, fares::Fares};
use gate::Gate;
use ledger::{Batch, Reader};
use model::{
    ContactId, Extension, Millis, TrunkId,
    config::Config,
    fact::{Fact, Kind},
    leaving::Alone,
};
use sip::{arrivals::Turn, endpoint::Input as SipInput, locate::Target};
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval, sleep_until},
};
use tracing::warn;

use super::{
    backlog::Backlog,
    clock::{civil, wall},
    desk_ports::Request,
    dns::{Dns, Located},
    drills::Drills,
    look_up::{Answer, LookUps},
    media_client::{FromMedia, MediaClient},
    meters::Meters,
    outgoing,
    phones_port::Registrations,
    reception::Reception,
    running_told::Told,
    settings::Settings,
    sockets::Sockets,
    spare,
    store::Store,
    sync_client::{FromSync, SyncClient},
};
use crate::config::BoxConfig;

/// How often the ledger is asked whether the other process wrote, the board is shown and intervals are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often it is asked whether credentials have changed, in looks.
const SECRETS_EVERY: u32 = 10;
/// How long the loop serves before sockets are read again and what came of it leaves.
const SLICE: Duration = Duration::from_millis(2);
/// Events of *media*, and pieces of SIP's streams, in one turn.
const OTHERS_A_TURN: usize = 64;
/// The board is drawn this often at most.
pub const SHOW_EVERY: Duration = Duration::from_millis(50);
/// How often the civil clock is told, in looks.
const CIVIL_EVERY: u32 = 25;

/// How often it is written down that the process lives, in looks: once a minute.
const ALIVE_EVERY: u32 = 300;
/// A clock that was set by more than this has dated the beginning wrongly.
const CLOCK_SET_MS: u64 = 60_000;

/// The life of this process, by the clock on the wall and by the steady one.
pub struct Living {
    pub began: Millis,
    pub since: Instant,
}

impl Living {
    /// As far as it goes at `now`. A box without a clock of its own learns the time late, and then when it began.
    fn until(&mut self, now: Instant, wall: Millis) -> ledger::Life {
        let age = i64::try_from(now.saturating_duration_since(self.since).as_millis()).unwrap_or(i64::MAX);
        let began = Millis(wall.0.saturating_sub(age));
        if began.since(self.began).max(self.began.since(began)) > CLOCK_SET_MS {
            self.began = began;
        }
        ledger::Life { began: self.began, seen: wall }
    }
}

/// What the prober may know.
#[derive(Default)]
pub struct Standing {
    pub config: AtomicBool,
    pub ledger: AtomicBool,
    pub calls: AtomicU32,
    pub trunks: Mutex<BTreeMap<TrunkId, super::trunks::Standing>>,
    pub help: Mutex<Option<call::Help>>,
    /// How long the box can run cut off.
    pub alone: Mutex<Vec<Alone>>,
}

pub struct Engine {
    pub config: BoxConfig,
    pub floor: Floor,
    pub sockets: Sockets,
    /// What we show a trunk's peer that asks (a certificate made by ourselves says nothing to it), and whom we believe.
    pub tls: (Option<crate::tls::Own>, Arc<rustls::RootCertStore>),
    pub media: MediaClient,
    pub sync: Option<SyncClient>,
    pub dns: Dns,
    pub look_ups: LookUps,
    /// Where the trunks are that are known by name.
    pub located: BTreeMap<String, Vec<Target>>,
    pub reader: Reader,
    pub settings: Settings,
    pub running: Arc<Config>,
    pub secrets: call::Secrets,
    pub staff: Arc<desk::Staff>,
    pub book: Book,
    pub fares: Fares,
    /// What the centre was told last of the configuration and how callers fare by it.
    pub told: Option<Told>,
    pub gate: Gate,
    pub drills: Drills,
    pub board: watch::Sender<Arc<BoardAt>>,
    pub effective: watch::Sender<Arc<desk::Effective>>,
    pub meters: Meters,
    pub standing: Arc<Standing>,
    pub phones: BTreeSet<Extension>,
    pub registrations: Registrations,
    pub trunks: BTreeMap<TrunkId, bool>,
    pub heads: String,
    /// The configuration of these heads runs; false: it was refused.
    pub taken: bool,
    pub data_version: u64,
    /// The last fact that has been looked at for news of the lab.
    pub lab_heard: u64,
    pub living: Living,
    /// When a board that has changed is drawn.
    pub show_at: Option<Instant>,
    pub looks: u32,
    pub reception: Arc<Reception>,
    pub backlog: Backlog,
    pub store: Store,
    /// What the floor asked to be kept, and whether it is.
    pub kept: mpsc::Receiver<(ContactId, bool)>,
    pub stay: spare::Stay,
    /// The ledger's count of changes of credentials, as last read.
    pub credentials: u64,
    /// How often each phone was to fetch its configuration again, as last read.
    pub resyncs: BTreeMap<Extension, u32>,
}

/// Everything that reaches the engine from other tasks.
pub struct Inbox {
    pub media: mpsc::Receiver<FromMedia>,
    pub sync: mpsc::Receiver<FromSync>,
    pub located: mpsc::Receiver<Located>,
    pub looked_up: mpsc::Receiver<Answer>,
    pub requests: mpsc::Receiver<Request>,
}

impl Engine {
    /// Runs until the task is dropped; ends by itself when it runs on the spare ledger and the disk is well again.
    pub async fn run(mut self, mut inbox: Inbox) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wakes = [self.floor.poll_timeout(), self.show_at, self.store.poll_timeout()];
            let wake = wakes.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                biased;
                Some(from) = inbox.media.recv() => self.hear_media(from),
                Some(request) = inbox.requests.recv() => self.request(request),
                Some(from) = inbox.sync.recv() => self.hear_sync(from),
                _ = looks.tick() => {
                    self.look();
                    if self.stay.is_over(&self.config, self.floor.lines().in_use().legs) {
                        return;
                    }
                }
                Some(located) = inbox.located.recv() => self.locate(located),
                Some((contact, stored)) = self.kept.recv() => self.feed(Input::Kept { contact, stored }),
                Some(Answer { question, said }) = inbox.looked_up.recv() => self.feed(Input::LookedUp { question, said }),
                Some(input) = self.sockets.recv() => self.take(Input::Call(LineInput::Sip(input))),
                () = self.reception.wait() => {}
                () = sleep_until(wake.into()) => {}
            }
            self.turn(&mut inbox);
            // Those who speak to *media* and over streams have their turn, however much comes.
            tokio::task::yield_now().await;
        }
    }

    /// Some of what is there is served.
    fn turn(&mut self, inbox: &mut Inbox) {
        let began = Instant::now();
        self.reception.note(began, self.backlog.delay(began));
        self.floor.spare_ports(self.backlog.spare_ports(began));
        for _ in 0..OTHERS_A_TURN {
            let Ok(from) = inbox.media.try_recv() else { break };
            self.hear_media(from);
        }
        for _ in 0..OTHERS_A_TURN {
            let Some(input) = self.sockets.stream() else { break };
            self.take(Input::Call(LineInput::Sip(input)));
        }
        if self.floor.poll_timeout().is_some_and(|at| at <= began) {
            self.floor.handle_timeout(began, wall());
        }
        self.serve(began + SLICE);
        self.obey();
        if self.show_at.is_some_and(|at| at <= began) {
            self.show();
        }
        if self.store.is_due(began) {
            self.write();
        }
    }

    fn serve(&mut self, until: Instant) {
        let mut now = Instant::now();
        while now < until {
            let pressed = self.backlog.is_behind(now) || !self.floor.lines().has_room();
            match self.reception.next(now, pressed) {
                None => return,
                Some(Turn::Serve { flow, bytes }) => {
                    self.take(Input::Call(LineInput::Sip(SipInput::Received { flow, bytes })));
                    if !self.reception.knows(flow.remote) && self.floor.lines().knows(flow) {
                        self.reception.met(flow.remote);
                    }
                }
                Some(Turn::Refuse { flow, bytes }) => {
                    self.meters.refused.count(now, "overload", Some(503));
                    if let Some((flow, bytes)) = self.reception.refusal(flow, &bytes) {
                        self.sockets.send(flow, bytes);
                    }
                }
                Some(Turn::Drop) => self.meters.refused.count(now, "late", None),
            }
            now = Instant::now();
        }
    }

    /// Something happened; what comes of it waits for the end of the turn.
    fn take(&mut self, input: Input) {
        self.floor.handle_input(Instant::now(), wall(), input);
    }

    /// The same, and what comes of it leaves at once.
    pub fn feed(&mut self, input: Input) {
        self.take(input);
        self.obey();
    }

    pub fn hear_media(&mut self, from: FromMedia) {
        match from {
            FromMedia::Connected { fresh: false } => {}
            FromMedia::Connected { fresh: true } => {
                self.backlog.media_began();
                self.take(Input::Call(LineInput::MediaRestarted));
            }
            FromMedia::Event(event) => {
                self.backlog.heard(&event);
                self.take(Input::Call(LineInput::Media(event)));
            }
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
            FromSync::LinkUp => {
                self.feed(Input::LinkUp);
                self.drill_linked(true);
            }
            FromSync::LinkDown => {
                self.feed(Input::LinkDown);
                self.drill_linked(false);
            }
            FromSync::ConfigChanged => self.catch_up(),
        }
    }

    fn request(&mut self, request: Request) {
        match request {
            Request::Command { command, answer } => {
                let result = self.floor.desk(Instant::now(), wall(), command);
                self.obey();
                if self.show_at.is_some() {
                    self.show();
                }
                let Err(refused) = result else { return self.store.write_then(answer, Ok(())) };
                let _ = answer.send(Err(refused));
            }
            Request::Credentials { answer } => {
                self.refresh_secrets();
                let _ = answer.send(());
            }
            Request::Lend { name, lent, answer } => {
                self.feed(Input::Call(LineInput::Sip(SipInput::Lend { name, account: lent })));
                let _ = answer.send(());
            }
            Request::TakeBack { name } => self.feed(Input::Call(LineInput::Sip(SipInput::TakeBack { name }))),
            Request::Correct { correction, answer } => self.correct(correction, answer),
            Request::Change { by, edit, answer } => self.change(by, &edit, answer),
        }
    }

    fn look(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        match self.reader.data_version() {
            Ok(version) if version != self.data_version => {
                self.data_version = version;
                self.catch_up();
                self.hear_of_lab();
            }
            Ok(_) => {}
            Err(error) => warn!(%error, "the ledger cannot be asked"),
        }
        self.show_reception();
        if self.looks % ALIVE_EVERY == 1 {
            let now = Instant::now();
            let lives = vec![self.living.until(now, wall())];
            self.store.add(now, Batch { lives, ..Batch::default() });
        }
        if self.looks.is_multiple_of(SECRETS_EVERY) {
            self.refresh_secrets();
        }
        if self.looks.is_multiple_of(CIVIL_EVERY) {
            self.feed(Input::Civil(civil(&self.running.site.time_zone)));
            self.show();
            self.reception.forget(self.floor.lines());
        }
        if self.config.cloud.is_some() && self.floor.awaits_notice() && self.outbox_is_empty() {
            self.feed(Input::NoticesHeard);
        }
        self.tell_running();
        self.look_at_drill();
        self.show_alone();
        if self.config.cloud.is_some() && self.book.due(wall()) {
            self.close_intervals();
        }
    }

    /// A fact of the box itself.
    pub fn tell(&mut self, kind: Kind) {
        let fact = Fact { seq: 0, at: wall(), contact: None, kind };
        self.store.add(Instant::now(), Batch { facts: vec![fact], ..Batch::default() });
        self.write();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_goes_on_under_its_beginning_and_a_clock_that_was_set_moves_that() {
        let start = Instant::now();
        let mut living = Living { began: Millis(5_000), since: start };
        let minute = Duration::from_secs(60);
        let at = |began, seen| ledger::Life { began: Millis(began), seen: Millis(seen) };
        assert_eq!(living.until(start + minute, Millis(65_400)), at(5_000, 65_400), "a clock drifts");
        let known = 1_795_000_000_000;
        assert_eq!(living.until(start + minute * 2, Millis(known)), at(known - 120_000, known));
        assert_eq!(living.until(start + minute * 3, Millis(known + 60_000)), at(known - 120_000, known + 60_000));
    }
}
