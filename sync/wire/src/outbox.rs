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
