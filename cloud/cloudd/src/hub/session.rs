//! One box's control connection: obeys a `wire::session::CloudEnd`.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use config::SyncState;
use link::{
    code,
    frames::{FrameReader, FrameWriter},
    server::ControlArrival,
};
use model::{
    BoxId, Epoch, SiteId,
    change::Doc,
    overflow::{Kind, Signal},
};
use tokio::sync::mpsc;
use wire::{
    frame::{Checkpoint, Frame, Hello, Reason, Refuse, Versions},
    outbox::Row,
    session::{
        CloudEnd, End, Peer,
        at_cloud::{Input, Output},
    },
};

use super::{
    Order, Presence, Shared, admission, desk, lock,
    replica::{self, Replica},
    store::{self, Store},
    wall, witness,
};

/// A database that does not answer for this long is unavailable.
const STORE_PATIENCE: Duration = Duration::from_secs(20);
const RETRY_AFTER_MS: u64 = 5_000;
/// An expired box has this long to ask for its renewal.
const RENEWAL_MAX: Duration = Duration::from_secs(60);

type Storing = Pin<Box<dyn Future<Output = Result<u64, store::Error>> + Send>>;

struct Session<S> {
    shared: Arc<Shared<S>>,
    peer: Peer,
    expired: bool,
    number: u64,
    connection: quinn::Connection,
    end: CloudEnd,
    writer: FrameWriter,
    storing: Option<Storing>,
    watermark: u64,
    /// Of which something is being said.
    replicas: BTreeMap<Doc, Replica>,
    /// What is known of the box's copies of the others.
    known: BTreeMap<Doc, SyncState>,
    /// Documents whose messages could not be understood: not synced until the next session.
    deaf: BTreeSet<Doc>,
    over: Option<End>,
}

pub(super) async fn run<S: Store>(shared: Arc<Shared<S>>, arrival: ControlArrival) {
    let ControlArrival { peer, expired, connection, reader, writer } = arrival;
    let presence = Presence {
        box_id: peer.box_id,
        site: peer.site.clone(),
        address: connection.remote_address(),
        since: wall(),
        heard: wall(),
        software: [0; 3],
        skew_ms: 0,
        behind: 0,
        media: lock(&shared.media).contains_key(&peer.box_id),
    };
    let (number, orders) = shared.enter(presence);
    let end = CloudEnd::new(Instant::now(), wall(), peer.clone(), Versions::OURS);
    let session = Session {
        shared: shared.clone(),
        peer: peer.clone(),
        expired,
        number,
        connection: connection.clone(),
        end,
        writer,
        storing: None,
        watermark: 0,
        replicas: BTreeMap::new(),
        known: BTreeMap::new(),
        deaf: BTreeSet::new(),
        over: None,
    };
    session.run(reader, orders).await;
    connection.close(code::DONE, b"");
    shared.leave(peer.box_id, number);
}

/// What happened while the session waited.
enum Event {
    Frame(Frame),
    Order(Order),
    Stored(Result<u64, store::Error>),
    Flushed,
    Timeout,
    Gone,
}

impl<S: Store> Session<S> {
    async fn run(mut self, mut reader: FrameReader, mut orders: mpsc::Receiver<Order>) {
        let begun = Instant::now();
        while self.over.is_none() {
            let event = self.wait(&mut reader, &mut orders).await;
            let now = Instant::now();
            if self.expired && now.saturating_duration_since(begun) > RENEWAL_MAX {
                self.refuse(now, Reason::Identity, 0);
            }
            match event {
                Event::Frame(frame) => self.end.handle_input(now, Input::Frame(frame)),
                Event::Order(order) => self.order(now, order).await,
                Event::Stored(Ok(watermark)) => {
                    self.watermark = watermark;
                    self.end.handle_input(now, Input::Stored { watermark });
                }
                Event::Stored(Err(error)) => self.unavailable(now, &error),
                Event::Flushed => {}
                Event::Timeout => self.end.handle_timeout(now),
                Event::Gone => break,
            }
            self.obey().await;
        }
        Box::pin(self.farewell()).await;
    }

    async fn wait(&mut self, reader: &mut FrameReader, orders: &mut mpsc::Receiver<Order>) -> Event {
        let at = self.end.poll_timeout().map(tokio::time::Instant::from_std);
        let timeout = async {
            match at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let storing = async {
            match &mut self.storing {
                Some(storing) => storing.await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            frame = reader.next() => match frame {
                Ok(Some(frame)) => Event::Frame(frame),
                Ok(None) => Event::Gone,
                Err(error) => {
                    tracing::info!(box = %self.peer.box_id, %error, "a link ended");
                    Event::Gone
                }
            },
            order = orders.recv() => order.map_or(Event::Gone, Event::Order),
            stored = storing => Event::Stored(stored),
            flushed = self.writer.flush(), if !self.writer.is_flushed() => {
                if flushed.is_ok() { Event::Flushed } else { Event::Gone }
            }
            () = timeout => Event::Timeout,
        };
        if let Event::Stored(_) = event {
            self.storing = None;
        }
        event
    }

    async fn obey(&mut self) {
        while let Some(output) = self.end.poll_output() {
            let now = Instant::now();
            match output {
                Output::Send(frame) => self.send(&frame),
                // What a session does seldom is not kept room for in each of ten thousand.
                Output::Admit(hello) => Box::pin(self.admit(hello)).await,
                Output::Seen { last, skew_ms } => self.seen(last, skew_ms),
                Output::Close(end) => self.over = Some(end),
                Output::Renew { csr } => Box::pin(self.renew(now, &csr)).await,
                // DESIGN 14: an expired certificate may only renew itself. Nothing is acknowledged.
                _ if self.expired => {}
                Output::Store { epoch, rows } => self.store(epoch, rows),
                Output::Config { doc, bytes } => Box::pin(self.config(now, doc, Some(&bytes))).await,
                Output::Checkpoint(checkpoint) => Box::pin(self.witness(now, checkpoint)).await,
                Output::Signal(signal) => self.signal(now, signal),
            }
        }
    }

    fn send(&mut self, frame: &Frame) {
        if let Err(error) = self.writer.push(frame) {
            tracing::warn!(box = %self.peer.box_id, %error, "a box does not keep up");
            self.over = Some(End::Silent);
        }
    }

    fn seen(&self, last: u64, skew_ms: i64) {
        let watermark = self.watermark;
        self.shared.seen(self.peer.box_id, self.number, |presence| {
            presence.skew_ms = skew_ms;
            presence.behind = last.saturating_sub(watermark);
        });
    }

    async fn admit(&mut self, hello: Hello) {
        let token = lock(&self.shared.sessions).take(Instant::now(), 1.0);
        if let Err(wait) = token {
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            return self.refuse(Instant::now(), Reason::Overload, wait_ms.max(1_000));
        }
        self.shared.seen(self.peer.box_id, self.number, |presence| presence.software = hello.software);
        let admitted =
            tokio::time::timeout(STORE_PATIENCE, admission::decide(&*self.shared.store, &self.peer, &hello)).await;
        let now = Instant::now();
        match admitted {
            Ok(Ok(Ok((watermark, sync)))) => {
                self.watermark = watermark;
                let behind = hello.last.saturating_sub(watermark);
                self.shared.seen(self.peer.box_id, self.number, |presence| presence.behind = behind);
                self.end.handle_input(now, Input::Admitted { watermark, sync });
                // An expired certificate may only renew itself.
                if !self.expired {
                    self.shared.admitted(self.peer.box_id, self.number);
                }
                tracing::info!(box = %self.peer.box_id, site = %self.peer.site, "linked");
                self.offer(now).await;
            }
            Ok(Ok(Err(reason))) => self.refuse(now, reason, 0),
            Ok(Err(error)) => self.unavailable(now, &error),
            Err(_) => self.refuse(now, Reason::Unavailable, RETRY_AFTER_MS),
        }
    }

    async fn offer(&mut self, now: Instant) {
        match self.shared.store.bundle_offer(&self.peer.site).await {
            Ok(Some(bundle)) => self.end.handle_input(now, Input::Bundle(bundle)),
            Ok(None) => {}
            Err(error) => tracing::warn!(box = %self.peer.box_id, %error, "no bundle could be offered"),
        }
    }

    fn store(&mut self, epoch: Epoch, rows: Vec<Row>) {
        let (shared, peer) = (self.shared.clone(), self.peer.clone());
        shared.figures.rows.inc_by(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        self.storing = Some(Box::pin(async move {
            let storing = shared.store.ingest(peer.box_id, &peer.site, epoch, rows);
            let slow = |_| store::Error(anyhow::anyhow!("no answer in {STORE_PATIENCE:?}"));
            tokio::time::timeout(STORE_PATIENCE, storing).await.map_err(slow)?
        }));
    }

    /// Answers a message of the box, or speaks first when there is none.
    async fn config(&mut self, now: Instant, doc: Doc, message: Option<&[u8]>) {
        if self.deaf.contains(&doc) {
            return;
        }
        match self.sync(doc, message).await {
            Ok(answers) => {
                for bytes in answers {
                    self.end.handle_input(now, Input::Config { doc, bytes: bytes.into() });
                }
            }
            Err(replica::Error::Message(error)) => {
                tracing::warn!(box = %self.peer.box_id, ?doc, %error, "a document is not synced in this session");
                self.replicas.remove(&doc);
                self.deaf.insert(doc);
            }
            Err(replica::Error::Store(error)) => self.unavailable(now, &error),
        }
    }

    async fn sync(&mut self, doc: Doc, message: Option<&[u8]>) -> Result<Vec<Vec<u8>>, replica::Error> {
        let store = &*self.shared.store;
        if !self.replicas.contains_key(&doc) {
            let known = self.known.remove(&doc);
            let replica = Replica::open(store, self.peer.box_id, &self.peer.site, doc, known).await?;
            self.replicas.insert(doc, replica);
        }
        let Some(replica) = self.replicas.get_mut(&doc) else { return Ok(vec![]) };
        let answers = match message {
            None => replica.speak(store).await?,
            Some(message) => {
                let received = replica.receive(store, message).await?;
                if received.changes > 0 {
                    let changes = u64::try_from(received.changes).unwrap_or(u64::MAX);
                    self.shared.figures.config_changes.inc_by(changes);
                    let but = Some(self.peer.box_id);
                    self.shared.order_site(&self.peer.site, but, || Order::Config(vec![doc]));
                }
                received.answers
            }
        };
        if answers.is_empty()
            && let Some(replica) = self.replicas.remove(&doc)
        {
            self.known.insert(doc, replica.close());
        }
        Ok(answers)
    }

    fn signal(&mut self, now: Instant, signal: Signal) {
        let from = self.peer.box_id;
        let boxes = lock(&self.shared.linked);
        let linked = |site: &SiteId| {
            let mut there = boxes.values().filter(|handle| handle.admitted && handle.presence.site == *site);
            there.next().map(|handle| handle.presence.box_id)
        };
        let mut calls = lock(&self.shared.calls);
        let routed = calls.route(now, from, &signal, linked);
        self.shared.figures.overflow_calls.set(i64::try_from(calls.len()).unwrap_or(i64::MAX));
        drop(calls);
        let delivered = routed.and_then(|to| deliver(&boxes, to, &signal));
        drop(boxes);
        match delivered {
            Ok(()) => self.shared.figures.signals.inc(),
            Err(reason) => self.turn_back(now, signal, reason),
        }
    }

    /// What cannot be delivered is answered in the name of the addressed site, unless it is an ending itself.
    fn turn_back(&mut self, now: Instant, signal: Signal, reason: model::overflow::Refusal) {
        let Signal { overflow, from, to, kind } = signal;
        if !matches!(kind, Kind::End | Kind::Refuse { .. }) {
            let back = Signal { overflow, from: to, to: from, kind: Kind::Refuse { reason } };
            self.end.handle_input(now, Input::Signal(back));
        }
    }

    async fn renew(&mut self, now: Instant, csr: &[u8]) {
        match desk::certify(&self.shared, &self.peer, csr).await {
            Ok(pem) => {
                self.end.handle_input(now, Input::Renewed { certificate: pem.into() });
                if self.expired {
                    self.refuse(now, Reason::Leaving, 0);
                }
            }
            Err(error) => {
                tracing::warn!(box = %self.peer.box_id, error = format!("{error:#}"), "a certificate was not renewed");
            }
        }
    }

    /// What is not answered is shown again in the next session.
    async fn witness(&mut self, now: Instant, checkpoint: Checkpoint) {
        let first = checkpoint.first;
        match witness::see(&self.shared, &self.peer, &self.connection, checkpoint).await {
            Ok((at, signature)) => {
                self.end.handle_input(now, Input::Witnessed { first, at, signature: signature.into() });
            }
            Err(witness::Error::Store(error)) => self.unavailable(now, &error),
            Err(error) => tracing::warn!(box = %self.peer.box_id, first, %error, "a checkpoint was not witnessed"),
        }
    }

    async fn order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Refuse(Refuse { reason, retry_after_ms }) => self.refuse(now, reason, retry_after_ms),
            Order::Signal(signal) => self.end.handle_input(now, Input::Signal(*signal)),
            Order::Offer(Some(bundle)) => self.end.handle_input(now, Input::Bundle(*bundle)),
            Order::Offer(None) => {}
            Order::Config(docs) if self.end.is_linked() && !self.expired => {
                for doc in docs {
                    Box::pin(self.config(now, doc, None)).await;
                }
            }
            Order::Config(_) => {}
        }
    }

    fn unavailable(&mut self, now: Instant, error: &store::Error) {
        tracing::warn!(box = %self.peer.box_id, error = format!("{error:#}"), "the database refused a session's work");
        self.refuse(now, Reason::Unavailable, RETRY_AFTER_MS);
    }

    fn refuse(&mut self, now: Instant, reason: Reason, retry_after_ms: u64) {
        self.end.handle_input(now, Input::Refused(Refuse { reason, retry_after_ms }));
    }

    async fn farewell(self) {
        let label = match &self.over {
            Some(End::Refused(refuse)) => label(refuse.reason),
            Some(End::Protocol(fault)) => {
                tracing::warn!(box = %self.peer.box_id, %fault, "a box broke the protocol");
                "protocol"
            }
            _ => "",
        };
        if !label.is_empty() {
            self.shared.figures.refused.with_label_values(&[label]).inc();
        }
        // A batch that is with the database is let finish: the next session begins after it.
        if let Some(storing) = self.storing {
            let _ = storing.await;
        }
        let _ = tokio::time::timeout(Duration::from_secs(2), self.writer.finish()).await;
        tracing::info!(box = %self.peer.box_id, end = ?self.over, "a session ended");
    }
}

fn deliver(boxes: &BTreeMap<BoxId, super::Handle>, to: BoxId, signal: &Signal) -> Result<(), model::overflow::Refusal> {
    let handle = boxes.get(&to).filter(|handle| handle.admitted).ok_or(model::overflow::Refusal::NotLinked)?;
    handle.orders.try_send(Order::Signal(Box::new(signal.clone()))).map_err(|_| model::overflow::Refusal::Overload)
}

fn label(reason: Reason) -> &'static str {
    match reason {
        Reason::Overload => "overload",
        Reason::Identity => "identity",
        Reason::Revoked => "revoked",
        Reason::Unavailable => "unavailable",
        Reason::Protocol => "protocol",
        _ => "other",
    }
}
