//! One session with the cloud: obeys a `wire::session::BoxEnd`.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use gate::Carried;
use ledger::{Testimony, Witness};
use link::{
    client::{Client, Control},
    identity,
};
use model::{Millis, change::Doc};
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use wire::{
    backoff::{self, Backoff},
    frame::{self, Frame, Hello, Versions, Welcome},
    outbox::Fetch,
    session::{
        BoxEnd, End,
        at_box::{Input, Output},
    },
    ways::{self, Way},
};

use super::{Link, Process, Talked, copies, fetch, local::Wake, now, tunnel::Event};
use crate::firmware;

/// The ledger is looked at this often, also when nobody said that it changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The link by another way, once it stands; None: it could not be had.
type Probe = Pin<Box<dyn Future<Output = Option<Box<Link>>> + Send>>;

/// For ever while nothing is tried.
async fn probed(probe: &mut Option<Probe>) -> Option<Box<Link>> {
    match probe {
        Some(probe) => probe.await,
        None => std::future::pending().await,
    }
}

struct Talk {
    way: Way,
    client: Arc<Client>,
    control: Control,
    end: BoxEnd,
    /// The ledger's version that was looked at.
    version: u64,
    over: Option<End>,
}

/// What happened while the session waited.
enum Happened {
    Frame(Frame),
    Flushed,
    Timeout,
    Look,
    Local(Wake),
    Tunnel(Event),
    Probed(Option<Box<Link>>),
    Gone,
}

impl Process {
    /// Until the link ends, or another one by a better way stands beside it.
    pub(super) async fn talk(&mut self, link: Link, backoff: &mut Backoff) -> anyhow::Result<Talked> {
        let Link { way, client, control } = link;
        let version = self.memory.version().await?;
        self.copies.refresh(&self.memory).await?;
        let position = self.memory.position().await?;
        let hello = Hello {
            versions: Versions::OURS,
            box_id: self.identity.peer.box_id,
            site: self.identity.peer.site.clone(),
            epoch: position.epoch,
            last: position.last,
            heads: self.copies.heads(),
            software: firmware::running(self.config.firmware.as_deref()).version,
            at: now(),
        };
        let end = BoxEnd::new(Instant::now(), hello);
        let mut talk = Talk { way, client, control, end, version, over: None };
        let mut probe: Option<Probe> = None;
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.obey(&mut talk, backoff).await?;
        while talk.over.is_none() {
            let at = talk.end.poll_timeout().into_iter().chain(self.ways.poll_timeout()).min();
            let timeout = async {
                match at {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let happened = tokio::select! {
                frame = talk.control.reader.next() => match frame {
                    Ok(Some(frame)) => Happened::Frame(frame),
                    Ok(None) => Happened::Gone,
                    Err(error) => {
                        tracing::info!(%error, "the link broke");
                        Happened::Gone
                    }
                },
                flushed = talk.control.writer.flush(), if !talk.control.writer.is_flushed() => {
                    if flushed.is_ok() { Happened::Flushed } else { Happened::Gone }
                }
                wake = self.exchange.next() => Happened::Local(wake),
                Some(event) = self.heard.recv() => Happened::Tunnel(event),
                _ = look.tick() => Happened::Look,
                () = timeout => Happened::Timeout,
                probed = probed(&mut probe) => Happened::Probed(probed),
            };
            match happened {
                Happened::Gone => return Ok(Talked::Ended(None)),
                Happened::Flushed => {}
                Happened::Frame(frame) => talk.end.handle_input(Instant::now(), Input::Frame(frame)),
                Happened::Timeout => {
                    talk.end.handle_timeout(Instant::now());
                    if let Some(way) = self.ways.poll_probe(Instant::now()) {
                        probe = Some(self.probe(way)?);
                    }
                }
                Happened::Probed(Some(link)) => {
                    tracing::info!("UDP passes again");
                    return Ok(Talked::Moved(link));
                }
                Happened::Probed(None) => {
                    probe = None;
                    self.ways.handle_input(Instant::now(), ways::Input::ProbeFailed);
                }
                Happened::Look => self.look(&mut talk).await?,
                Happened::Local(wake) => self.told(&mut talk, wake).await?,
                Happened::Tunnel(event) => self.tunnel(event).await,
            }
            if self.apart.is_apart() {
                return Ok(Talked::Ended(None));
            }
            self.obey(&mut talk, backoff).await?;
        }
        Ok(Talked::Ended(talk.over))
    }

    /// Tries a way beside the session.
    fn probe(&self, way: Way) -> anyhow::Result<Probe> {
        let client = self.client_of(way)?;
        Ok(Box::pin(async move {
            let control = client.control().await.ok()?;
            Some(Box::new(Link { way, client, control }))
        }))
    }

    async fn obey(&mut self, talk: &mut Talk, backoff: &mut Backoff) -> anyhow::Result<()> {
        while let Some(output) = talk.end.poll_output() {
            match output {
                Output::Send(frame) => self.send(talk, &frame).await?,
                Output::Fetch(fetch) => self.rows(talk, fetch).await?,
                Output::Linked(welcome) => {
                    backoff.handle_input(Instant::now(), backoff::Input::Up);
                    self.ways.handle_input(Instant::now(), ways::Input::Up(talk.way));
                    self.linked(talk, &welcome).await?;
                }
                Output::Acked { epoch, seq } => {
                    self.memory.acked(epoch, seq).await?;
                    let last = self.memory.position().await?.last;
                    self.figures.rows_waiting.set(i64::try_from(last.saturating_sub(seq)).unwrap_or(i64::MAX));
                }
                Output::Config { doc, bytes } => self.config(talk, doc, &bytes).await?,
                Output::Signal(signal) => {
                    let say = self.overflows.incoming(signal);
                    self.signals(talk, say).await;
                }
                Output::Bundle(bundle) => self.offered(talk, bundle),
                Output::Renewed { certificate } => self.renewed(&certificate),
                Output::Witnessed { first, at, signature } => self.witnessed(talk, first, at, &signature).await?,
                Output::Skew { ms } => self.figures.skew_ms.set(ms),
                Output::Close(end) => talk.over = Some(end),
            }
        }
        Ok(())
    }

    /// Before bytes go out, their line is in the egress chain. Outbox rows have theirs since they were written; a ping
    /// says no more than that we live.
    async fn send(&mut self, talk: &mut Talk, frame: &Frame) -> anyhow::Result<()> {
        let carried = match frame {
            Frame::Hello(_) | Frame::Renew { .. } => Some(Carried::Handshake),
            Frame::Config { .. } => Some(Carried::Configuration),
            Frame::Signal(_) => Some(Carried::OverflowSignal),
            Frame::Checkpoint(_) => Some(Carried::Checkpoint),
            _ => None,
        };
        if let Some(carried) = carried {
            self.memory.leaves(carried, now(), &frame::encode(frame)?).await?;
        }
        if let Frame::Rows { rows, .. } = frame {
            self.figures.rows_sent.inc_by(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        }
        talk.control.writer.push(frame).context("the cloud does not keep up")
    }

    async fn rows(&mut self, talk: &mut Talk, fetch: Fetch) -> anyhow::Result<()> {
        let rows = self.memory.rows(fetch.after, fetch.rows).await?;
        talk.end.handle_input(Instant::now(), Input::Rows(rows));
        Ok(())
    }

    async fn linked(&mut self, talk: &mut Talk, welcome: &Welcome) -> anyhow::Result<()> {
        tracing::info!(version = welcome.version, watermark = welcome.watermark, "linked");
        self.figures.linked.set(1);
        self.figures.web.set(i64::from(matches!(talk.way, Way::Web(_))));
        self.client.send_replace(Some(talk.client.clone()));
        self.exchange.link(true);
        if self.identity.wants_renewal(now().0 / 1000) {
            let csr = identity::request(&self.config.identity)?;
            talk.end.handle_input(Instant::now(), Input::Renew { csr: csr.into() });
        }
        let messages = self.copies.begin(&self.memory, &welcome.sync).await?;
        say_config(talk, messages);
        self.shown = None;
        self.show(talk).await
    }

    /// The oldest checkpoint that the cloud has not seen, one at a time.
    async fn show(&mut self, talk: &mut Talk) -> anyhow::Result<()> {
        if self.shown.is_some() || !talk.end.is_linked() {
            return Ok(());
        }
        let Some(checkpoint) = self.memory.unseen(Witness::Cloud, 1).await?.pop() else { return Ok(()) };
        // Not signed yet: at a later look.
        let Some(signed) = self.memory.testimony(checkpoint.first, Witness::Box).await? else { return Ok(()) };
        let gate::Checkpoint { first, count, at, root } = checkpoint;
        let (origin, signature) = (self.memory.egress_origin().await?, signed.signature.into());
        self.shown = Some(first);
        let checkpoint = frame::Checkpoint { origin, first, count, at, root, signature };
        talk.end.handle_input(Instant::now(), Input::Checkpoint(checkpoint));
        Ok(())
    }

    /// The cloud's word is kept when it is the organisation's.
    async fn witnessed(&mut self, talk: &mut Talk, first: u64, at: Millis, signature: &[u8]) -> anyhow::Result<()> {
        if self.shown != Some(first) {
            return Ok(());
        }
        let Some(checkpoint) = self.memory.unseen(Witness::Cloud, 1).await?.pop() else { return Ok(()) };
        let statement = checkpoint.statement(self.identity.peer.box_id, &self.memory.egress_origin().await?);
        if !identity::is_signed_by(&self.identity.ca, &gate::Checkpoint::seen(&statement, at), signature) {
            tracing::warn!(first, "the cloud's word on a checkpoint is not signed by the organisation");
            return Ok(());
        }
        let testimony = Testimony { first, witness: Witness::Cloud, at, signature: signature.to_vec() };
        self.memory.testify(vec![testimony]).await?;
        self.shown = None;
        self.show(talk).await
    }

    async fn config(&mut self, talk: &mut Talk, doc: Doc, bytes: &[u8]) -> anyhow::Result<()> {
        match self.copies.receive(&self.memory, doc, bytes).await {
            Ok((count, answers)) => {
                if count > 0 {
                    self.figures.config_received.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
                    self.exchange.tell(Wake::ConfigChanged { docs: vec![doc] });
                }
                say_config(talk, answers);
                Ok(())
            }
            Err(copies::Error::Message(error)) => {
                tracing::warn!(?doc, %error, "a configuration message of the cloud was refused");
                Ok(())
            }
            Err(copies::Error::Memory(error)) => Err(error),
        }
    }

    /// Has another process written?
    async fn look(&mut self, talk: &mut Talk) -> anyhow::Result<()> {
        let version = self.memory.version().await?;
        if version == talk.version {
            return Ok(());
        }
        talk.version = version;
        self.show(talk).await?;
        let position = self.memory.position().await?;
        talk.end.handle_input(Instant::now(), Input::Outbox { last: position.last });
        for doc in self.copies.refresh(&self.memory).await? {
            if talk.end.is_linked() {
                let messages = self.copies.speak(&self.memory, doc).await?;
                say_config(talk, messages);
            }
        }
        Ok(())
    }

    async fn told(&mut self, talk: &mut Talk, wake: Wake) -> anyhow::Result<()> {
        match wake {
            Wake::Signal { signal } if talk.end.is_linked() => {
                let say = self.overflows.outgoing(signal);
                self.signals(talk, say).await;
            }
            Wake::Signal { signal } => self.signal_unlinked(signal),
            Wake::OutboxGrew | Wake::ConfigEdited => self.look(talk).await?,
            wake => self.local(wake).await,
        }
        Ok(())
    }

    async fn signals(&mut self, talk: &mut Talk, say: Vec<super::Say>) {
        for signal in self.say(say) {
            talk.end.handle_input(Instant::now(), Input::Signal(signal));
        }
        self.unlock().await;
    }

    fn offered(&mut self, talk: &Talk, bundle: frame::Bundle) {
        if self.fetching.as_ref().is_some_and(|fetching| fetching.bundle == bundle) {
            return;
        }
        let (client, spool) = (talk.client.clone(), self.config.spool.clone());
        self.fetching = Some(fetch::begin(client, bundle, spool));
    }

    /// The new certificate is used from the next connection on.
    fn renewed(&self, certificate: &[u8]) {
        let dir = &self.config.identity;
        let kept = identity::is_pem_for_key(dir, certificate).and_then(|ours| {
            if ours { identity::keep(dir, certificate, None) } else { Err(identity::Error::Certificate) }
        });
        match kept {
            Ok(()) => tracing::info!("the certificate was renewed"),
            Err(error) => tracing::warn!(%error, "a renewed certificate was not kept"),
        }
    }
}

fn say_config(talk: &mut Talk, messages: Vec<(Doc, Vec<u8>)>) {
    for (doc, bytes) in messages {
        talk.end.handle_input(Instant::now(), Input::Config { doc, bytes: bytes.into() });
    }
}
