//! Delivery of the outbox, once: the box's cursor over its rows, and the cloud's intake of them.
//!
//! The cloud's durable watermark is the only truth. A cursor begins at the watermark of the welcome, sends rows in
//! order within a window, and moves on acknowledgements; the intake drops what it has and refuses a gap. Reading and
//! writing the rows is the shell's.

use std::collections::VecDeque;

use bytes::Bytes;
use model::Epoch;
use serde::{Deserialize, Serialize};

/// Body is a `model::leaving::Leaving` in CBOR.
pub const KIND_LEAVING: u16 = 1;
/// Stands for a row whose body was larger than [`ROW_BYTES_MAX`]: its place is kept, its body stays on the box.
pub const KIND_WITHHELD: u16 = 0;
/// Largest body of a row.
pub const ROW_BYTES_MAX: usize = 64 * 1024;
/// Rows sent and not acknowledged.
pub const WINDOW_ROWS: usize = 1024;
/// Bytes of bodies sent and not acknowledged.
pub const WINDOW_BYTES: usize = 1024 * 1024;
/// Rows in one frame.
pub const BATCH_ROWS: usize = 256;
/// Bytes of bodies in one frame, unless a single row is larger.
pub const BATCH_BYTES: usize = 256 * 1024;

/// One row of a box's outbox. `seq` is gapless from 1 within an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub epoch: Epoch,
    pub seq: u64,
    pub kind: u16,
    pub body: Bytes,
}

/// A row within a frame, which says epoch and sequence once for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub kind: u16,
    pub body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The peer left rows out: it must connect again and begin at the watermark.
    #[error("rows begin at {found}, expected {expected}")]
    Gap { expected: u64, found: u64 },
    #[error("rows of epoch {found}, expected {expected}")]
    Epoch { expected: Epoch, found: Epoch },
    /// The peer acknowledges what was never sent.
    #[error("acknowledged {acked}, sent {sent}")]
    AheadOfSent { acked: u64, sent: u64 },
    #[error("more than the window is in flight")]
    Window,
    #[error("a sequence number beyond 2^64")]
    Sequence,
}

/// Rows the box must read from its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    pub epoch: Epoch,
    pub after: u64,
    pub rows: usize,
}

/// Rows that go into one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub epoch: Epoch,
    pub first: u64,
    pub rows: Vec<Item>,
}

/// The box's place in its own outbox.
#[derive(Debug)]
pub struct Cursor {
    epoch: Epoch,
    acked: u64,
    sent: u64,
    last: u64,
    fetching: bool,
    /// Sequence and size of each row sent and not acknowledged.
    in_flight: VecDeque<(u64, usize)>,
    bytes_in_flight: usize,
}

impl Cursor {
    /// Begins after the cloud's watermark; `last` is the newest row there is.
    pub fn new(epoch: Epoch, watermark: u64, last: u64) -> Self {
        let in_flight = VecDeque::new();
        Self { epoch, acked: watermark, sent: watermark, last, fetching: false, in_flight, bytes_in_flight: 0 }
    }

    pub fn acked(&self) -> u64 {
        self.acked
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    /// The outbox has rows up to `last`.
    pub fn grew(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// What to read next, once: until [`Cursor::rows`] is called there is nothing more to read.
    pub fn fetch(&mut self) -> Option<Fetch> {
        let room = WINDOW_ROWS.saturating_sub(self.in_flight.len());
        if self.fetching || self.sent >= self.last || room == 0 || self.bytes_in_flight >= WINDOW_BYTES {
            return None;
        }
        self.fetching = true;
        Some(Fetch { epoch: self.epoch, after: self.sent, rows: room.min(BATCH_ROWS) })
    }

    /// The rows that were read, in order; a part of what was asked for is enough. Returns them in frames.
    pub fn rows(&mut self, rows: Vec<Row>) -> Result<Vec<Batch>, Error> {
        self.fetching = false;
        let mut batches: Vec<Batch> = Vec::new();
        let mut batch_bytes = 0_usize;
        for row in rows {
            if self.in_flight.len() >= WINDOW_ROWS || self.bytes_in_flight >= WINDOW_BYTES {
                break;
            }
            let item = self.take(row)?;
            let size = item.body.len();
            match batches.last_mut() {
                Some(batch) if batch.rows.len() < BATCH_ROWS && batch_bytes.saturating_add(size) <= BATCH_BYTES => {
                    batch.rows.push(item);
                    batch_bytes = batch_bytes.saturating_add(size);
                }
                _ => {
                    batches.push(Batch { epoch: self.epoch, first: self.sent, rows: vec![item] });
                    batch_bytes = size;
                }
            }
        }
        Ok(batches)
    }

    fn take(&mut self, row: Row) -> Result<Item, Error> {
        if row.epoch != self.epoch {
            return Err(Error::Epoch { expected: self.epoch, found: row.epoch });
        }
        let expected = self.sent.checked_add(1).ok_or(Error::Sequence)?;
        if row.seq != expected {
            return Err(Error::Gap { expected, found: row.seq });
        }
        let item = if row.body.len() > ROW_BYTES_MAX {
            Item { kind: KIND_WITHHELD, body: Bytes::new() }
        } else {
            Item { kind: row.kind, body: row.body }
        };
        self.sent = expected;
        self.last = self.last.max(expected);
        self.in_flight.push_back((expected, item.body.len()));
        self.bytes_in_flight = self.bytes_in_flight.saturating_add(item.body.len());
        Ok(item)
    }

    /// The cloud's watermark. True when it moved.
    pub fn ack(&mut self, epoch: Epoch, seq: u64) -> Result<bool, Error> {
        if epoch != self.epoch {
            return Err(Error::Epoch { expected: self.epoch, found: epoch });
        }
        if seq > self.sent {
            return Err(Error::AheadOfSent { acked: seq, sent: self.sent });
        }
        while let Some((_, size)) = self.in_flight.pop_front_if(|(sent, _)| *sent <= seq) {
            self.bytes_in_flight = self.bytes_in_flight.saturating_sub(size);
        }
        let moved = seq > self.acked;
        self.acked = self.acked.max(seq);
        Ok(moved)
    }
}

/// The cloud's side: what arrived and is not durable yet. One batch is with the database at a time.
#[derive(Debug)]
pub struct Intake {
    epoch: Epoch,
    durable: u64,
    /// Last row received, durable or not.
    received: u64,
    waiting: VecDeque<Item>,
    waiting_bytes: usize,
    storing: bool,
}

impl Intake {
    pub fn new(epoch: Epoch, watermark: u64) -> Self {
        let waiting = VecDeque::new();
        Self { epoch, durable: watermark, received: watermark, waiting, waiting_bytes: 0, storing: false }
    }

    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What the box may be told: durable, and sent in this session or before it.
    pub fn acknowledge(&self) -> (Epoch, u64) {
        (self.epoch, self.durable.min(self.received))
    }

    /// Drops what is known, refuses a gap and more than twice the window.
    pub fn receive(&mut self, batch: Batch) -> Result<(), Error> {
        if batch.epoch != self.epoch {
            return Err(Error::Epoch { expected: self.epoch, found: batch.epoch });
        }
        let expected = self.received.checked_add(1).ok_or(Error::Sequence)?;
        if batch.first > expected || batch.first == 0 {
            return Err(Error::Gap { expected, found: batch.first });
        }
        let known = usize::try_from(expected.saturating_sub(batch.first)).unwrap_or(usize::MAX);
        for item in batch.rows.into_iter().skip(known) {
            if self.waiting.len() >= WINDOW_ROWS.saturating_mul(2)
                || self.waiting_bytes >= WINDOW_BYTES.saturating_mul(2)
                || item.body.len() > ROW_BYTES_MAX
            {
                return Err(Error::Window);
            }
            self.received = self.received.checked_add(1).ok_or(Error::Sequence)?;
            self.waiting_bytes = self.waiting_bytes.saturating_add(item.body.len());
            self.waiting.push_back(item);
        }
        Ok(())
    }

    /// The next batch for the database, unless one is there already.
    pub fn next_batch(&mut self) -> Option<Vec<Row>> {
        if self.storing || self.waiting.is_empty() {
            return None;
        }
        let first = self.received.saturating_sub(u64::try_from(self.waiting.len()).unwrap_or(u64::MAX));
        let mut rows = Vec::new();
        let mut bytes = 0_usize;
        while let Some(item) = self.waiting.pop_front_if(|item| {
            rows.len() < WINDOW_ROWS && (rows.is_empty() || bytes.saturating_add(item.body.len()) <= WINDOW_BYTES)
        }) {
            bytes = bytes.saturating_add(item.body.len());
            let seq = first.saturating_add(u64::try_from(rows.len()).unwrap_or(u64::MAX)).saturating_add(1);
            rows.push(Row { epoch: self.epoch, seq, kind: item.kind, body: item.body });
        }
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
        self.storing = true;
        Some(rows)
    }

    /// The database answered with its watermark. It may be ahead of what this session sent: an earlier session's
    /// batch can become durable late.
    pub fn stored(&mut self, watermark: u64) {
        self.storing = false;
        self.durable = self.durable.max(watermark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch(1);

    fn row(seq: u64, size: usize) -> Row {
        Row { epoch: EPOCH, seq, kind: KIND_LEAVING, body: vec![0; size].into() }
    }

    #[test]
    fn the_window_closes_and_an_acknowledgement_opens_it() {
        let mut cursor = Cursor::new(EPOCH, 0, 5000);
        let mut seq = 0;
        while let Some(fetch) = cursor.fetch() {
            let rows: Vec<Row> = (1..=fetch.rows as u64).map(|n| row(fetch.after + n, 10)).collect();
            seq = rows.last().unwrap().seq;
            assert_eq!(cursor.rows(rows).unwrap().len(), 1);
        }
        assert_eq!(seq, WINDOW_ROWS as u64);
        assert_eq!(cursor.ack(EPOCH, 100), Ok(true));
        assert_eq!(cursor.fetch(), Some(Fetch { epoch: EPOCH, after: seq, rows: 100 }));
    }

    #[test]
    fn large_rows_travel_alone_and_close_the_window_by_bytes() {
        let mut cursor = Cursor::new(EPOCH, 0, 100);
        cursor.fetch().unwrap();
        let batches = cursor.rows((1..=100).map(|n| row(n, ROW_BYTES_MAX)).collect()).unwrap();
        assert_eq!(batches.len() * 4, WINDOW_BYTES / ROW_BYTES_MAX);
        assert_eq!(cursor.fetch(), None);
    }

    #[test]
    fn a_row_that_is_too_large_keeps_its_place_and_loses_its_body() {
        let mut cursor = Cursor::new(EPOCH, 0, 2);
        cursor.fetch().unwrap();
        let batches = cursor.rows(vec![row(1, ROW_BYTES_MAX + 1), row(2, 1)]).unwrap();
        let kinds: Vec<u16> = batches.iter().flat_map(|b| &b.rows).map(|r| r.kind).collect();
        assert_eq!(kinds, [KIND_WITHHELD, KIND_LEAVING]);
    }

    #[test]
    fn a_ledger_with_a_gap_or_another_epoch_is_noticed() {
        let mut cursor = Cursor::new(EPOCH, 3, 9);
        assert_eq!(cursor.rows(vec![row(5, 1)]), Err(Error::Gap { expected: 4, found: 5 }));
        let foreign = Row { epoch: Epoch(2), ..row(4, 1) };
        assert_eq!(cursor.rows(vec![foreign]), Err(Error::Epoch { expected: EPOCH, found: Epoch(2) }));
    }

    #[test]
    fn an_acknowledgement_of_the_unsent_is_refused_and_an_old_one_changes_nothing() {
        let mut cursor = Cursor::new(EPOCH, 3, 4);
        assert_eq!(cursor.ack(EPOCH, 4), Err(Error::AheadOfSent { acked: 4, sent: 3 }));
        assert_eq!(cursor.ack(EPOCH, 2), Ok(false));
        assert_eq!(cursor.acked(), 3);
    }

    fn batch(first: u64, count: u64) -> Batch {
        let rows = (0..count).map(|n| Item { kind: KIND_LEAVING, body: vec![(first + n) as u8].into() }).collect();
        Batch { epoch: EPOCH, first, rows }
    }

    #[test]
    fn the_intake_drops_duplicates_and_refuses_gaps() {
        let mut intake = Intake::new(EPOCH, 5);
        intake.receive(batch(3, 5)).unwrap();
        intake.receive(batch(6, 2)).unwrap();
        assert_eq!(intake.receive(batch(9, 1)), Err(Error::Gap { expected: 8, found: 9 }));
        let seqs: Vec<(u64, u8)> = intake.next_batch().unwrap().iter().map(|r| (r.seq, r.body[0])).collect();
        assert_eq!(seqs, [(6, 6), (7, 7)]);
        intake.receive(batch(8, 1)).unwrap();
        assert_eq!(intake.next_batch(), None, "one batch is with the database");
        intake.stored(7);
        assert_eq!(intake.next_batch().unwrap()[0].seq, 8);
    }

    #[test]
    fn the_intake_holds_twice_the_window_and_no_more() {
        let mut intake = Intake::new(EPOCH, 0);
        intake.receive(batch(1, 2 * WINDOW_ROWS as u64)).unwrap();
        assert_eq!(intake.receive(batch(2 * WINDOW_ROWS as u64 + 1, 1)), Err(Error::Window));
    }
}
