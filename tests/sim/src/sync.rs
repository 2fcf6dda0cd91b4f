//! The shell of a branch's *sync* process: the box's end of the session with its back-off, the outbox from the ledger,
//! and the box's copies of the documents. Media keys and tunnels of overflow calls are only names here.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use config::{Peer, SyncState};
use floor::{Input, overflow as said};
use gate::{Carried, Item};
use ledger::{Batch, Ledger, Reader};
use model::{
    Epoch, OverflowId,
    change::Doc,
    config::Locality,
    overflow::{Kind, Passport, PublicKey, Refusal, Signal},
};
use wire::{
    backoff::{self, Backoff},
    frame::{self, Decoder, Frame, HEADS_MAX, Heads, Hello, Versions},
    outbox::{Fetch, Row},
    session::{
        BoxEnd, End,
        at_box::{self, Output},
    },
};

use crate::{
    branch::ToSync,
    dice,
    event::Event,
    settings::{DOCS, Settings},
    stage::Stage,
    town::Side,
    wan::{CONNECT_MAX, Parcel, Way},
};

/// The peer's name in the ledger's table of sync states.
const CLOUD: &str = "cloud";
/// Messages in answer to one: more would be a loop.
const ANSWERS_MAX: usize = 64;
/// A handshake: one round trip.
const HANDSHAKE: Duration = Duration::from_millis(90);

pub struct SyncEnd {
    side: Side,
    ledger: Arc<Ledger>,
    reader: Reader,
    copies: Settings,
    states: BTreeMap<Doc, SyncState>,
    backoff: Backoff,
    /// The present connection, or the attempt at one.
    pub attempt: u32,
    end: Option<BoxEnd>,
    decoder: Decoder,
    told_up: bool,
    /// Of each open tunnel: its address for the media process, and the media process's for it.
    tunnels: BTreeMap<OverflowId, (SocketAddr, SocketAddr)>,
    tunnels_opened: u16,
    /// What *calls* is told.
    pub to_calls: VecDeque<ToCalls>,
}

#[derive(Debug)]
pub enum ToCalls {
    Floor(Box<Input>),
    ConfigChanged,
}

impl SyncEnd {
    /// A process begins. `before` is the number of its predecessor's last connection.
    pub fn begin(stage: &mut Stage, side: Side, ledger: Arc<Ledger>, before: u32, life: u32) -> anyhow::Result<Self> {
        let name = format!("sync of {} {life}", side.name());
        let actor = dice::seed(stage.plan.seed, &format!("{name} actor"));
        let reader = ledger.reader()?;
        let copies = Settings::open(side.site(), actor[..16].try_into()?, &reader)?;
        let seed = dice::seed(stage.plan.seed, &name);
        let mut sync = Self {
            side,
            ledger,
            reader,
            copies,
            states: BTreeMap::new(),
            backoff: Backoff::new(backoff::Policy::default(), seed),
            attempt: before,
            end: None,
            decoder: Decoder::default(),
            told_up: false,
            tunnels: BTreeMap::new(),
            tunnels_opened: 0,
            to_calls: VecDeque::new(),
        };
        sync.try_again(stage);
        Ok(sync)
    }

    pub fn is_linked(&self) -> bool {
        self.end.as_ref().is_some_and(BoxEnd::is_linked)
    }

    /// Is there a connection, linked or not yet?
    pub fn is_open(&self) -> bool {
        self.end.is_some()
    }

    pub fn documents(&self) -> &config::Documents {
        &self.copies.documents
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.backoff.poll_timeout().into_iter().chain(self.end.as_ref().and_then(BoxEnd::poll_timeout)).min()
    }

    pub fn timeout(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        let now = stage.clock.now();
        self.backoff.handle_timeout(now);
        if let Some(end) = &mut self.end {
            end.handle_timeout(now);
        }
        self.obey(stage)?;
        self.try_again(stage);
        Ok(())
    }

    fn try_again(&mut self, stage: &mut Stage) {
        if self.backoff.poll_output().is_some() {
            self.attempt += 1;
            let wait = if stage.wan.is_up(self.side) && stage.cloud_up { HANDSHAKE } else { CONNECT_MAX };
            stage.later(wait, Event::Connecting { side: self.side, attempt: self.attempt });
        }
    }

    /// The connection stands: the hello goes out.
    pub fn connected(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        self.copies.catch_up(&self.reader)?;
        let position = self.reader.position()?;
        let all = DOCS.map(|doc| Heads { doc, heads: self.documents().document(doc).heads().0.into_iter().collect() });
        let hello = Hello {
            versions: Versions::OURS,
            box_id: self.side.box_id(),
            site: self.side.site(),
            epoch: position.epoch,
            last: position.last,
            heads: all.into_iter().filter(|heads| heads.heads.len() <= HEADS_MAX).collect(),
            software: [0, 1, 0],
            at: stage.clock.wall(),
        };
        self.decoder = Decoder::default();
        self.states.clear();
        self.end = Some(BoxEnd::new(stage.clock.now(), hello));
        self.obey(stage)
    }

    /// There is no connection any more, or none came about.
    pub fn broken(&mut self, stage: &mut Stage, retry_after: Option<Duration>) {
        self.end = None;
        if std::mem::take(&mut self.told_up) {
            self.tell(Input::LinkDown);
        }
        self.backoff.handle_input(stage.clock.now(), backoff::Input::Down { retry_after });
        self.try_again(stage);
    }

    pub fn received(&mut self, stage: &mut Stage, bytes: &Bytes) -> anyhow::Result<()> {
        self.decoder.push(bytes);
        while let Some(frame) = self.decoder.next_frame().context("a frame of the cloud")? {
            if let Some(end) = &mut self.end {
                end.handle_input(stage.clock.now(), at_box::Input::Frame(frame));
            }
            self.obey(stage)?;
        }
        Ok(())
    }

    fn input(&mut self, stage: &Stage, input: at_box::Input) {
        if let Some(end) = &mut self.end {
            end.handle_input(stage.clock.now(), input);
        }
    }

    fn obey(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        while let Some(output) = self.end.as_mut().and_then(BoxEnd::poll_output) {
            match output {
                Output::Send(frame) => self.send(stage, &frame)?,
                Output::Fetch(fetch) => {
                    let rows = self.rows(fetch)?;
                    self.input(stage, at_box::Input::Rows(rows));
                }
                Output::Linked(welcome) => {
                    self.backoff.handle_input(stage.clock.now(), backoff::Input::Up);
                    self.told_up = true;
                    self.tell(Input::LinkUp);
                    for doc in welcome.sync {
                        self.speak(stage, doc)?;
                    }
                }
                Output::Acked { epoch, seq } => self.acked(epoch, seq)?,
                Output::Config { doc, bytes } => self.config(stage, doc, &bytes)?,
                Output::Signal(signal) => self.hear(stage, signal),
                Output::Close(end) => {
                    let text = format!("the session ends: {end:?}");
                    stage.journal.say(stage.clock.passed(), self.side.name(), &crate::wan::without_ids(&text));
                    if let End::EpochSpent(_) = end {
                        self.ledger.new_epoch()?;
                    }
                    self.broken(stage, end.retry_after());
                }
                Output::Bundle(_) | Output::Renewed { .. } | Output::Skew { .. } | Output::Witnessed { .. } => {}
            }
        }
        Ok(())
    }

    /// The line in the egress chain comes before the bytes (N-01).
    fn send(&mut self, stage: &mut Stage, frame: &Frame) -> anyhow::Result<()> {
        let bytes = frame::encode(frame)?;
        let carried = match frame {
            Frame::Hello(_) | Frame::Renew { .. } => Some(Carried::Handshake),
            Frame::Config { .. } => Some(Carried::Configuration),
            Frame::Signal(_) => Some(Carried::OverflowSignal),
            _ => None,
        };
        if let Some(carried) = carried {
            let egress = vec![Item::note(carried, stage.clock.wall(), &bytes)];
            self.ledger.writer().submit(Batch { egress, ..Batch::default() }).wait()?;
        }
        let (side, attempt) = (self.side, self.attempt);
        stage.transmit(Parcel { side, attempt, way: Way::ToCloud, bytes: bytes.into() });
        Ok(())
    }

    fn rows(&self, fetch: Fetch) -> anyhow::Result<Vec<Row>> {
        let rows = self.reader.outbox_after(fetch.after, fetch.rows)?.into_iter();
        Ok(rows.map(|row| Row { epoch: row.epoch, seq: row.seq, kind: row.kind, body: row.body.into() }).collect())
    }

    fn acked(&mut self, epoch: Epoch, seq: u64) -> anyhow::Result<()> {
        self.ledger.set_watermark(epoch, seq).wait().context("the watermark")?;
        Ok(())
    }

    /// What *calls* says. Without a link it is told so.
    pub fn told(&mut self, stage: &mut Stage, what: ToSync) -> anyhow::Result<()> {
        match what {
            ToSync::Look => self.look(stage)?,
            ToSync::Tunnel(overflow, local) => {
                self.tunnels_opened = self.tunnels_opened % 10_000 + 1;
                let peer = SocketAddr::from(([127, 0, 0, 1], 50_000 + self.tunnels_opened));
                self.tunnels.insert(overflow, (peer, local));
                self.tell(Input::TunnelPeer { overflow, peer });
            }
            ToSync::Signal(signal) => {
                if matches!(signal.kind, said::Kind::End | said::Kind::Refuse { .. }) {
                    self.tunnels.remove(&signal.overflow);
                }
                let signal = outward(signal, self.side);
                if !self.is_linked() {
                    if !matches!(signal.kind, Kind::End | Kind::Refuse { .. }) {
                        self.tell_signal(refusal(&signal, Refusal::NotLinked));
                    }
                    return Ok(());
                }
                if let Kind::Offer { passport, .. } = &signal.kind
                    && !allowed(passport)
                {
                    self.tell_signal(refusal(&signal, Refusal::NotAllowed));
                    return Ok(());
                }
                let to = Side::of(&signal.to).unwrap_or(self.side);
                stage.journal.signal(stage.clock.passed(), self.side, to, signal.overflow, label(&signal.kind));
                self.input(stage, at_box::Input::Signal(signal));
                self.obey(stage)?;
            }
        }
        Ok(())
    }

    /// Another site speaks, through the cloud, which is not believed in anything.
    fn hear(&mut self, stage: &mut Stage, signal: Signal) {
        if let Kind::Offer { passport, .. } = &signal.kind
            && !allowed(passport)
        {
            return self.input(stage, at_box::Input::Signal(refusal(&signal, Refusal::NotAllowed)));
        }
        if matches!(signal.kind, Kind::End | Kind::Refuse { .. }) {
            self.tunnels.remove(&signal.overflow);
        }
        self.tell_signal(signal);
    }

    /// The overflow call whose tunnel has this address.
    pub fn tunnel_at(&self, addr: SocketAddr) -> Option<OverflowId> {
        self.tunnels.iter().find(|(_, (peer, _))| *peer == addr).map(|(overflow, _)| *overflow)
    }

    /// Where the media process awaits what comes out of a tunnel.
    pub fn out_of(&self, overflow: OverflowId) -> Option<SocketAddr> {
        self.tunnels.get(&overflow).map(|(_, local)| *local)
    }

    /// Nothing is heard in the tunnels any more.
    pub fn paths_lost(&mut self) {
        for overflow in std::mem::take(&mut self.tunnels).into_keys() {
            self.tell(Input::PathLost { overflow });
        }
    }

    /// Has the other process written?
    pub fn look(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        let last = self.reader.position()?.last;
        self.input(stage, at_box::Input::Outbox { last });
        for doc in self.copies.catch_up(&self.reader)? {
            if self.is_linked() {
                self.speak(stage, doc)?;
            }
        }
        self.obey(stage)
    }

    fn config(&mut self, stage: &mut Stage, doc: Doc, bytes: &[u8]) -> anyhow::Result<()> {
        self.know(doc)?;
        let Some(state) = self.states.get_mut(&doc) else { return Ok(()) };
        let fresh = match self.copies.documents.document_mut(doc).receive(state, bytes) {
            Ok(fresh) => fresh,
            Err(error) => {
                let text = format!("a configuration message of the cloud is refused: {error}");
                stage.journal.violation(stage.clock.passed(), text);
                return Ok(());
            }
        };
        let new = !fresh.is_empty();
        let config = fresh.into_iter().map(|bytes| (doc, bytes)).collect();
        let sync_state = vec![(doc, CLOUD.to_owned(), state.encode())];
        self.ledger.writer().submit(Batch { config, sync_state, ..Batch::default() }).wait()?;
        if new {
            self.to_calls.push_back(ToCalls::ConfigChanged);
        }
        self.speak(stage, doc)
    }

    fn know(&mut self, doc: Doc) -> anyhow::Result<()> {
        if !self.states.contains_key(&doc) {
            let document = self.copies.documents.document(doc);
            let state = match self.reader.sync_state(doc, CLOUD)? {
                Some(bytes) => document.sync_resume(Peer::Cloud, &bytes),
                None => document.sync_begin(Peer::Cloud),
            };
            self.states.insert(doc, state);
        }
        Ok(())
    }

    fn speak(&mut self, stage: &Stage, doc: Doc) -> anyhow::Result<()> {
        self.know(doc)?;
        for _ in 0..ANSWERS_MAX {
            let document = self.copies.documents.document(doc);
            let Some(bytes) = self.states.get_mut(&doc).and_then(|state| document.generate(state)) else { break };
            self.input(stage, at_box::Input::Config { doc, bytes: bytes.into() });
        }
        Ok(())
    }

    fn tell(&mut self, input: Input) {
        self.to_calls.push_back(ToCalls::Floor(Box::new(input)));
    }

    fn tell_signal(&mut self, signal: Signal) {
        self.tell(Input::Signal(inward(signal)));
    }
}

/// Checked at both ends: a label that keeps a call at home, or a second hop, goes nowhere (S-90, S-91).
fn allowed(passport: &Passport) -> bool {
    passport.locality == Locality::MayLeave && passport.hops == 0
}

/// The answer in the name of the other side.
pub fn refusal(signal: &Signal, reason: Refusal) -> Signal {
    let Signal { overflow, from, to, .. } = signal.clone();
    Signal { overflow, from: to, to: from, kind: Kind::Refuse { reason } }
}

fn no_key() -> PublicKey {
    PublicKey { key: String::new(), signature: String::new(), certificate: String::new() }
}

fn outward(signal: said::Signal, from: Side) -> Signal {
    let kind = match signal.kind {
        said::Kind::Offer { queue, passport } => Kind::Offer { queue, passport, key: no_key() },
        said::Kind::Ringing => Kind::Ringing,
        said::Kind::Accept => Kind::Accept { key: no_key() },
        said::Kind::Refuse { reason } => Kind::Refuse { reason },
        said::Kind::End => Kind::End,
    };
    Signal { overflow: signal.overflow, from: from.site(), to: signal.peer, kind }
}

fn inward(signal: Signal) -> said::Signal {
    let kind = match signal.kind {
        Kind::Offer { queue, passport, .. } => said::Kind::Offer { queue, passport },
        Kind::Ringing => said::Kind::Ringing,
        Kind::Accept { .. } => said::Kind::Accept,
        Kind::Refuse { reason } => said::Kind::Refuse { reason },
        Kind::End => said::Kind::End,
    };
    said::Signal { overflow: signal.overflow, peer: signal.from, kind }
}

fn label(kind: &Kind) -> &'static str {
    match kind {
        Kind::Offer { .. } => "offer",
        Kind::Ringing => "ringing",
        Kind::Accept { .. } => "accept",
        Kind::Refuse { .. } => "refuse",
        Kind::End => "end",
    }
}
