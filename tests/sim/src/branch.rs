//! The shell of a branch's *calls* process: the same floor, ledger, book and gate that the daemon joins, on the world's
//! clock. Facts are gathered for as long as the ledger's group is open, so a process that dies loses what a real one
//! loses.

use std::{collections::VecDeque, mem, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use call::leg::Input as LineInput;
use floor::{
    Floor, Input, Output, Setup,
    board::{Ask, DeskCommand},
    book::{Book, Remembered},
    cdr, overflow,
};
use gate::{Gate, Policy};
use ledger::{Batch, Binding, BindingChange, BranchKey, Ledger, Options, Personal, Reader};
use model::{
    AgentId, ContactId, Epoch, Extension, Millis, OverflowId,
    cdr::Cdr,
    change::{Change, Doc},
    config::Config,
    fact::{Fact, Kind, Process},
    leaving::{Health, Interval, Leaving},
};
use sip::endpoint::{self, Flow, Transport};

use crate::{
    dice,
    event::Event,
    media::{Media, Reply, Sound},
    person,
    plan::Fault,
    settings::Settings,
    stage::Stage,
    town::{self, Side},
};

/// How long the ledger's writer gathers what it commits together.
const GROUP: Duration = Duration::from_millis(20);
/// How often the shell looks at its ledger and its figures. The daemon looks five times a second; a day is long.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Length of the figures' intervals.
pub const INTERVAL_S: u32 = 900;
/// Callers below which a cell does not leave by itself.
pub const K: u32 = 5;
const CDRS_MAX: usize = 50_000;
const FACTS_AT_START: u64 = 200_000;

/// What *calls* says to *sync*.
#[derive(Debug)]
pub enum ToSync {
    Signal(overflow::Signal),
    /// The overflow call's audio is awaited at this address of the media process.
    Tunnel(OverflowId, SocketAddr),
    /// The outbox has grown, or the branch has written to its document.
    Look,
}

/// One life of the process.
pub struct Life {
    pub floor: Floor,
    pub settings: Settings,
    pub running: Arc<Config>,
    heads: String,
    book: Book,
    gate: Gate,
    pending: Batch,
    committing: bool,
    data_version: u64,
}

pub struct Branch {
    pub side: Side,
    pub ledger: Arc<Ledger>,
    pub reader: Reader,
    /// The outbox's: a second one would mean that something was lost.
    pub epoch: Epoch,
    pub media: Media,
    /// None while the process is down.
    pub life: Option<Life>,
    pub lives: u32,
    pub to_sync: VecDeque<ToSync>,
    /// What parties hear, for the world to tell them.
    pub sounds: VecDeque<(SocketAddr, Sound)>,
    cdrs_seen: u32,
}

impl Branch {
    /// A box that was commissioned: its documents are the centre's.
    pub fn commission(dir: &Path, side: Side, site: Vec<Vec<u8>>) -> anyhow::Result<Self> {
        let options = Options { group: Duration::ZERO, ..Options::default() };
        let path = dir.join(format!("{}.db", side.name()));
        let ledger = Ledger::open(&path, BranchKey::new([7; 32]), options).context("a ledger")?;
        let config = site.into_iter().map(|bytes| (Doc::Site, bytes)).collect();
        ledger.writer().submit(Batch { config, ..Batch::default() }).wait()?;
        let reader = ledger.reader()?;
        Ok(Self {
            side,
            epoch: ledger.epoch(),
            ledger: Arc::new(ledger),
            reader,
            media: Media::new(side),
            life: None,
            lives: 0,
            to_sync: VecDeque::new(),
            sounds: VecDeque::new(),
            cdrs_seen: 0,
        })
    }

    /// The process begins: what its last life left is closed, and the configuration resolved.
    pub fn begin(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        self.lives += 1;
        let name = format!("calls of {} {}", self.side.name(), self.lives);
        let seed = dice::seed(stage.plan.seed, &name);
        self.close_what_the_last_life_left(stage)?;
        let actor = dice::seed(stage.plan.seed, &format!("{name} actor"));
        let settings = Settings::open(self.side.site(), actor[..16].try_into()?, &self.reader)?;
        let effective = settings.effective();
        let running = Arc::new(effective.config);
        let calls = town::calls(self.side, Config::clone(&running));
        let setup = Setup { calls, seed, civil: stage.clock.civil() };
        let now = stage.clock.wall();
        let cdrs = self.reader.cdrs(CDRS_MAX, None)?;
        let said = self.reader.intervals(Millis(0), CDRS_MAX)?;
        let remembered = Remembered { cdrs, since: Millis(0), said };
        let bindings = self.reader.bindings(now)?;
        let life = Life {
            floor: Floor::new(stage.clock.now(), setup),
            settings,
            running,
            heads: String::new(),
            book: Book::new(INTERVAL_S, now, remembered),
            gate: Gate::new(Policy { k: K }, self.reader.gate_state()?),
            pending: Batch::default(),
            committing: false,
            data_version: self.reader.data_version()?,
        };
        self.life = Some(life);
        let replies = self.media.hello(stage.clock.passed());
        self.answer(stage, replies);
        self.timeout(stage);
        for binding in bindings {
            if let Some(input) = binding_back(binding, now) {
                self.feed(stage, Input::Call(LineInput::Sip(input)));
            }
        }
        self.activate(stage);
        stage.later(LOOK_EVERY, Event::Look(self.side));
        Ok(())
    }

    fn close_what_the_last_life_left(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        let now = stage.clock.wall();
        // The media of this day keeps nothing for the next life.
        let nothing = floor::will::Estate::default();
        let mut facts = cdr::close_open(&self.reader.facts_of_last_life(FACTS_AT_START)?, now, &nothing);
        for (contact, _) in self.reader.open_contacts()? {
            if !facts.iter().any(|fact| fact.contact == Some(contact)) {
                facts.extend(cdr::close_open(&self.reader.facts_of(contact)?, now, &nothing));
            }
        }
        let cdrs = cdr::closed(&facts, |contact| self.reader.facts_of(contact))?;
        let kind = Kind::Started { process: Process::Calls, version: "sim".into() };
        facts.push(Fact { seq: 0, at: now, contact: None, kind });
        for fact in &facts {
            stage.journal.fact(stage.clock.passed(), self.side, fact, None);
        }
        let batch = Batch { facts, cdrs, ..Batch::default() };
        self.ledger.writer().submit(batch).wait()?;
        Ok(())
    }

    /// The process dies: what its ledger's group had not committed is gone, and every call is nobody's.
    pub fn die(&mut self, stage: &mut Stage) {
        self.life = None;
        self.to_sync.clear();
        stage.journal.say(stage.clock.passed(), self.side.name(), "the calls process dies");
        stage.journal.forget(self.side);
    }

    /// The media process dies, and *calls* finds another.
    pub fn media_dies(&mut self, stage: &mut Stage) {
        stage.journal.say(stage.clock.passed(), self.side.name(), "the media process dies");
        let replies = self.media.die();
        self.answer(stage, replies);
        self.feed(stage, Input::Call(LineInput::MediaRestarted));
    }

    /// Something arrives at the box's SIP port.
    pub fn received(&mut self, stage: &mut Stage, from: SocketAddr, bytes: Bytes) {
        stage.journal.hold(&bytes);
        let input = person::received(from, self.side.box_addr(), bytes);
        self.feed(stage, Input::Call(LineInput::Sip(input)));
        stage.journal.let_go();
    }

    pub fn feed(&mut self, stage: &mut Stage, input: Input) {
        let Some(life) = &mut self.life else { return };
        let overflow = match &input {
            Input::Signal(signal) => Some(signal.overflow),
            _ => None,
        };
        life.floor.handle_input(stage.clock.now(), stage.clock.wall(), input);
        self.drain(stage, overflow);
    }

    pub fn timeout(&mut self, stage: &mut Stage) {
        let Some(life) = &mut self.life else { return };
        life.floor.handle_timeout(stage.clock.now(), stage.clock.wall());
        self.drain(stage, None);
    }

    /// An agent asks for something at the desk.
    pub fn desk(&mut self, stage: &mut Stage, agent: &AgentId, ask: Ask) {
        let Some(life) = &mut self.life else { return };
        let command = DeskCommand { agent: agent.clone(), ask };
        // A refusal is for the agent, who will try something else.
        let _refused = life.floor.desk(stage.clock.now(), stage.clock.wall(), command);
        self.drain(stage, None);
    }

    fn drain(&mut self, stage: &mut Stage, overflow: Option<OverflowId>) {
        let (side, at) = (self.side, stage.clock.passed());
        let Some(life) = &mut self.life else { return };
        let mut commands = Vec::new();
        while let Some(output) = life.floor.poll_output() {
            match output {
                Output::Send { flow, bytes } => stage.send(side.box_addr(), flow.remote, bytes),
                // Nothing here is a stream.
                Output::Close { .. } => {}
                Output::Media(command) => commands.push(command),
                Output::Fact(fact) => {
                    stage.journal.fact(at, side, &fact, overflow);
                    life.pending.facts.push(fact);
                }
                Output::Personal { contact, caller, call_back, shown } => {
                    let caller_number = Some(caller.number);
                    let customer = caller_number.clone();
                    let person =
                        Personal { caller: caller_number, name: caller.name, dialled: call_back, customer, shown };
                    life.pending.personal.push((contact, person));
                }
                Output::Cdr(cdr) => {
                    life.book.note(&cdr);
                    self.cdrs_seen += 1;
                    if !(stage.plan.has(Fault::RecordsLost) && self.cdrs_seen.is_multiple_of(10)) {
                        life.pending.cdrs.push(*cdr);
                    }
                }
                Output::Signal(signal) => self.to_sync.push_back(ToSync::Signal(signal)),
                Output::Tunnel { overflow, local } => self.to_sync.push_back(ToSync::Tunnel(overflow, local)),
                Output::Registered { phone, up, binding } => {
                    life.pending.bindings.extend(binding_change(&phone, up, binding, stage.clock.wall()));
                }
                // Nobody is asked here, and nobody called back; the town's flows do neither.
                Output::LookUp { .. } | Output::Keep { .. } | Output::SetForward { .. } => {}
                Output::TrunkState { .. } | Output::Refused { .. } | Output::BoardChanged | Output::Notice(_) => {}
            }
        }
        if !life.pending.is_empty() && !mem::replace(&mut life.committing, true) {
            stage.later(GROUP, Event::Commit { side, life: self.lives });
        }
        for command in commands {
            let replies = self.media.obey(at, command);
            self.answer(stage, replies);
        }
    }

    fn answer(&mut self, stage: &mut Stage, replies: Vec<Reply>) {
        let (side, life) = (self.side, self.lives);
        for reply in replies {
            match reply {
                Reply::Event(delay, event) => stage.later(delay, Event::Media { side, life, event }),
                Reply::PromptEnds(delay, port, play) => stage.later(delay, Event::PromptEnds { side, port, play }),
                Reply::Heard(addr, sound) => self.sounds.push_back((addr, sound)),
            }
        }
    }

    /// The group is committed.
    pub fn commit(&mut self, life: u32) -> anyhow::Result<()> {
        let Some(living) = self.life.as_mut().filter(|_| life == self.lives) else { return Ok(()) };
        living.committing = false;
        let batch = mem::take(&mut living.pending);
        let grew = !batch.outbox.is_empty();
        self.ledger.writer().submit(batch).wait().context("a group of facts")?;
        if grew {
            self.to_sync.push_back(ToSync::Look);
        }
        Ok(())
    }

    /// The regular look: at what *sync* stored, at the clock, and at intervals that are over.
    pub fn look(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        if self.life.is_none() {
            return Ok(());
        }
        self.catch_up(stage)?;
        self.feed(stage, Input::Civil(stage.clock.civil()));
        self.close_intervals(stage)?;
        stage.later(LOOK_EVERY, Event::Look(self.side));
        Ok(())
    }

    /// Something may have been stored by the other process.
    pub fn catch_up(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        let Some(life) = &mut self.life else { return Ok(()) };
        let version = self.reader.data_version()?;
        if mem::replace(&mut life.data_version, version) != version && !life.settings.catch_up(&self.reader)?.is_empty()
        {
            self.activate(stage);
        }
        Ok(())
    }

    fn activate(&mut self, stage: &mut Stage) {
        let Some(life) = &mut self.life else { return };
        let effective = life.settings.effective();
        if effective.heads == life.heads {
            return;
        }
        life.heads.clone_from(&effective.heads);
        let findings = u32::try_from(effective.findings.len()).unwrap_or(u32::MAX);
        let (fatal, heads) = (effective.fatal(), effective.heads);
        let kind = if fatal {
            Kind::ConfigRefused { heads, fatal: findings }
        } else {
            Kind::ConfigActivated { heads, findings }
        };
        let fact = Fact { seq: 0, at: stage.clock.wall(), contact: None, kind };
        stage.journal.fact(stage.clock.passed(), self.side, &fact, None);
        life.pending.facts.push(fact);
        if fatal {
            return;
        }
        life.running = Arc::new(effective.config);
        let config = Box::new(Config::clone(&life.running));
        let secrets = Box::new(town::secrets(self.side, &config));
        self.feed(stage, Input::Configure { config, secrets });
    }

    /// Somebody edits in the branch; the edit is in force when it is durable.
    pub fn edit(&mut self, stage: &mut Stage, change: &Change) -> anyhow::Result<()> {
        let Some(life) = &mut self.life else { return Ok(()) };
        let edited = life.settings.edit(change, stage.clock.wall());
        let said = serde_text(change);
        match edited {
            Ok(Some(bytes)) => {
                stage.journal.say(stage.clock.passed(), self.side.name(), &format!("the branch edits {said}"));
                self.ledger.writer().submit(Batch { config: vec![(Doc::Local, bytes)], ..Batch::default() }).wait()?;
                self.activate(stage);
                self.to_sync.push_back(ToSync::Look);
            }
            Ok(None) => {}
            Err(error) => {
                stage.journal.say(stage.clock.passed(), self.side.name(), &format!("may not edit {said}: {error}"));
            }
        }
        Ok(())
    }

    fn close_intervals(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        let at = stage.clock.wall();
        let Some(life) = self.life.as_mut().filter(|life| life.book.due(at)) else { return Ok(()) };
        let cells = life.book.close(at, &life.running);
        let closed = self.reader.intervals_closed()?.saturating_add(u64::from(!cells.is_empty()));
        let mut items: Vec<Leaving> = cells.iter().cloned().map(Leaving::Interval).collect();
        items.push(Leaving::Health(health(at, closed, &life.running)));
        let queues = life.running.queues.keys().cloned().collect();
        items.extend(life.gate.closing(life.book.began(), INTERVAL_S, at, queues).map(Leaving::Closed));
        let passed = life.gate.pass(&items, at).context("the gate")?;
        let offered: u32 = cells.iter().map(|cell: &Interval| cell.figures.offered).sum();
        let text = format!("closes {} cells with {offered} contacts, {} rows leave", cells.len(), passed.len());
        stage.journal.say(stage.clock.passed(), self.side.name(), &text);
        life.pending.intervals.extend(cells);
        life.pending.outbox.extend(passed);
        life.pending.gate = Some(life.gate.state().clone());
        if !mem::replace(&mut life.committing, true) {
            stage.later(GROUP, Event::Commit { side: self.side, life: self.lives });
        }
        Ok(())
    }

    /// Records as the ledger has them, and all facts.
    pub fn remembered(&self) -> anyhow::Result<(Vec<Cdr>, Vec<Fact>)> {
        Ok((self.reader.cdrs(CDRS_MAX, None)?, self.reader.facts_after(0, 10_000_000)?))
    }

    /// The numbers of all who called, as the branch remembers them.
    pub fn callers(&self) -> anyhow::Result<Vec<String>> {
        let mut callers = Vec::new();
        for cdr in self.reader.cdrs(CDRS_MAX, None)? {
            callers.extend(self.reader.personal(cdr.contact)?.and_then(|personal| personal.caller.clone()));
        }
        Ok(callers)
    }

    pub fn open_contacts(&self) -> anyhow::Result<Vec<(ContactId, Millis)>> {
        Ok(self.reader.open_contacts()?)
    }
}

pub fn serde_text(change: &Change) -> String {
    format!("{change:?}")
}

fn health(at: Millis, intervals_closed: u64, config: &Config) -> Health {
    let phones_registered = u32::try_from(config.phones.len()).unwrap_or(u32::MAX);
    Health {
        at,
        processes_up: 3,
        restarts: 0,
        disk_free_percent: 50,
        phones_registered,
        trunks_up: 1,
        trunks: 1,
        intervals_closed,
        slot: 0,
        version: [0, 1, 0],
        alone: Vec::new(),
    }
}

fn binding_change(phone: &Extension, up: bool, binding: endpoint::Binding, now: Millis) -> Option<BindingChange> {
    let user = phone.as_str().to_owned();
    if !up {
        return Some(BindingChange::Remove { user, contact: binding.contact });
    }
    Some(BindingChange::Put(Binding {
        user,
        contact: binding.contact,
        expires: Millis(now.0 + i64::from(binding.expires_s) * 1_000),
        data: format!("{} {}", binding.flow.local, binding.flow.remote).into_bytes(),
    }))
}

fn binding_back(kept: Binding, now: Millis) -> Option<endpoint::Input> {
    let text = String::from_utf8(kept.data).ok()?;
    let (local, remote) = text.split_once(' ')?;
    let flow =
        Flow { transport: Transport::Udp, local: local.parse().ok()?, remote: remote.parse().ok()?, connection: 0 };
    let expires_s = u32::try_from(kept.expires.since(now) / 1_000).ok().filter(|left| *left > 0)?;
    let binding = endpoint::Binding { contact: kept.contact, flow, expires_s, user_agent: None, outbound: None };
    Some(endpoint::Input::Restore { user: kept.user, binding })
}
