//! A box, a line that can be cut, and a cloud with a database that can crash: everything in one thread, on one clock.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use model::{BoxId, Epoch, Millis, SiteId};
use wire::{
    frame::{Frame, Hello, Versions},
    outbox::{KIND_LEAVING, Row},
    session::{BoxEnd, CloudEnd, End, Peer, Spent, at_box, at_cloud},
};

pub fn site() -> SiteId {
    SiteId::new("north").unwrap()
}

#[allow(clippy::disallowed_methods, reason = "an Instant has no other beginning; only differences count")]
pub fn start() -> Instant {
    Instant::now()
}

/// The box's disk.
pub struct Ledger {
    pub epoch: Epoch,
    pub rows: Vec<Row>,
    pub watermark: u64,
}

impl Ledger {
    pub fn last(&self) -> u64 {
        self.rows.last().map_or(self.watermark, |r| r.seq)
    }

    pub fn write(&mut self) {
        let seq = self.last() + 1;
        self.rows.push(Row { epoch: self.epoch, seq, kind: KIND_LEAVING, body: seq.to_be_bytes().to_vec().into() });
    }

    /// What was not acknowledged gets new numbers in the next epoch.
    pub fn begin_epoch(&mut self) {
        self.epoch = Epoch(self.epoch.0 + 1);
        for (n, row) in self.rows.iter_mut().enumerate() {
            (row.epoch, row.seq) = (self.epoch, n as u64 + 1);
        }
        self.watermark = 0;
    }
}

/// The cloud's disk.
#[derive(Default)]
pub struct Database {
    pub watermarks: BTreeMap<Epoch, u64>,
    /// Every effect that took place, in order.
    pub effects: Vec<(Epoch, u64)>,
}

impl Database {
    pub fn ingest(&mut self, epoch: Epoch, rows: &[Row]) -> u64 {
        let watermark = self.watermarks.entry(epoch).or_default();
        for row in rows {
            if row.seq > *watermark {
                assert_eq!(row.seq, *watermark + 1, "the cloud was given a gap");
                *watermark = row.seq;
                self.effects.push((epoch, row.seq));
            }
        }
        *watermark
    }
}

pub struct Pair {
    pub now: Instant,
    begin: Instant,
    pub ledger: Ledger,
    pub database: Database,
    pub at_box: Option<BoxEnd>,
    pub at_cloud: Option<CloudEnd>,
    pub to_cloud: VecDeque<Frame>,
    pub to_box: VecDeque<Frame>,
    /// With the database, from this session or an earlier one.
    pub storing: VecDeque<(Epoch, Vec<Row>)>,
    pub ends: Vec<(&'static str, End)>,
}

impl Pair {
    pub fn new() -> Self {
        let now = start();
        Self {
            now,
            begin: now,
            ledger: Ledger { epoch: Epoch(1), rows: vec![], watermark: 0 },
            database: Database::default(),
            at_box: None,
            at_cloud: None,
            to_cloud: VecDeque::new(),
            to_box: VecDeque::new(),
            storing: VecDeque::new(),
            ends: vec![],
        }
    }

    pub fn wall(&self) -> Millis {
        Millis(1_700_000_000_000 + (self.now - self.begin).as_millis() as i64)
    }

    pub fn hello(&self) -> Hello {
        Hello {
            versions: Versions::OURS,
            box_id: BoxId(1),
            site: site(),
            epoch: self.ledger.epoch,
            last: self.ledger.last(),
            heads: vec![],
            software: [0, 1, 0],
            at: self.wall(),
        }
    }

    pub fn connect(&mut self) {
        self.connect_as(self.hello(), Versions::OURS);
    }

    pub fn connect_as(&mut self, hello: Hello, versions: Versions) {
        self.cut();
        self.at_box = Some(BoxEnd::new(self.now, hello));
        let peer = Peer { box_id: BoxId(1), site: site() };
        self.at_cloud = Some(CloudEnd::new(self.now, self.wall(), peer, versions));
        self.drain();
    }

    /// The connection is gone, with everything on the way. What the database was given may still happen.
    pub fn cut(&mut self) {
        (self.at_box, self.at_cloud) = (None, None);
        self.to_cloud.clear();
        self.to_box.clear();
    }

    pub fn write(&mut self) {
        self.ledger.write();
        let last = self.ledger.last();
        self.box_input(at_box::Input::Outbox { last });
    }

    pub fn box_input(&mut self, input: at_box::Input) {
        if let Some(end) = &mut self.at_box {
            end.handle_input(self.now, input);
        }
        self.drain();
    }

    pub fn cloud_input(&mut self, input: at_cloud::Input) {
        if let Some(end) = &mut self.at_cloud {
            end.handle_input(self.now, input);
        }
        self.drain();
    }

    pub fn deliver_to_cloud(&mut self) {
        if let Some(frame) = self.to_cloud.pop_front() {
            self.cloud_input(at_cloud::Input::Frame(frame));
        }
    }

    pub fn deliver_to_box(&mut self) {
        if let Some(frame) = self.to_box.pop_front() {
            self.box_input(at_box::Input::Frame(frame));
        }
    }

    /// The database commits its oldest batch; `answered` is false when the process dies before it could say so.
    pub fn commit(&mut self, answered: bool) {
        let Some((epoch, rows)) = self.storing.pop_front() else { return };
        let watermark = self.database.ingest(epoch, &rows);
        if answered && epoch == self.ledger.epoch {
            self.cloud_input(at_cloud::Input::Stored { watermark });
        } else {
            self.cut();
        }
    }

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        if let Some(end) = &mut self.at_box {
            end.handle_timeout(self.now);
        }
        if let Some(end) = &mut self.at_cloud {
            end.handle_timeout(self.now);
        }
        self.drain();
    }

    /// Until nobody has anything to say.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            if self.at_box.is_none() || self.at_cloud.is_none() {
                self.storing.clear();
                self.connect();
            }
            if self.to_cloud.is_empty() && self.to_box.is_empty() && self.storing.is_empty() {
                return;
            }
            self.deliver_to_cloud();
            self.commit(true);
            self.deliver_to_box();
        }
        panic!("the two ends never rest");
    }

    fn drain(&mut self) {
        while let Some(output) = self.at_box.as_mut().and_then(BoxEnd::poll_output) {
            self.obey_box(output);
        }
        while let Some(output) = self.at_cloud.as_mut().and_then(CloudEnd::poll_output) {
            self.obey_cloud(output);
        }
    }

    fn obey_box(&mut self, output: at_box::Output) {
        match output {
            at_box::Output::Send(frame) => self.to_cloud.push_back(frame),
            at_box::Output::Fetch(fetch) => {
                let rows = self.ledger.rows.iter().filter(|r| r.seq > fetch.after).take(fetch.rows).cloned().collect();
                let end = self.at_box.as_mut().unwrap();
                end.handle_input(self.now, at_box::Input::Rows(rows));
            }
            at_box::Output::Acked { seq, .. } => {
                self.ledger.watermark = self.ledger.watermark.max(seq);
                self.ledger.rows.retain(|r| r.seq > seq);
            }
            at_box::Output::Close(end) => {
                if let End::EpochSpent(Spent::CloudAhead { .. } | Spent::RowsMissing { .. }) = end {
                    self.ledger.begin_epoch();
                }
                self.ends.push(("box", end));
                self.cut();
            }
            _ => {}
        }
    }

    fn obey_cloud(&mut self, output: at_cloud::Output) {
        match output {
            at_cloud::Output::Send(frame) => self.to_box.push_back(frame),
            at_cloud::Output::Admit(hello) => {
                let watermark = self.database.watermarks.get(&hello.epoch).copied().unwrap_or(0);
                let end = self.at_cloud.as_mut().unwrap();
                end.handle_input(self.now, at_cloud::Input::Admitted { watermark, sync: vec![] });
            }
            at_cloud::Output::Store { epoch, rows } => self.storing.push_back((epoch, rows)),
            at_cloud::Output::Close(end) => {
                self.ends.push(("cloud", end));
                self.at_cloud = None;
            }
            _ => {}
        }
    }
}
