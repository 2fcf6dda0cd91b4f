//! Frames on their way into a chunk: one buffer of fixed size that is filled by the relay without an allocation, sealed
//! where it lies by the recorder, and used again.

use super::journal::{CHUNK_HEAD_LEN, FRAME_HEAD_LEN, TAG_LEN};
use crate::plane::{Codec, Side};

/// Bytes of one buffer. 420 ms of two legs of G.711 in packets of 10 ms take 7.8 KB, in packets of 20 ms 7.3 KB.
pub const BATCH_BYTES: usize = 9 * 1_024;

/// One received frame, as the recorder wants it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    pub side: Side,
    pub codec: Codec,
    pub timestamp: u32,
    /// Since the recording began.
    pub at_ms: u32,
    pub payload: &'a [u8],
}

/// A chunk in the making: room for its head, then frames, then room for its tag.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    frames: u32,
    last_ms: u32,
    lost: u32,
}

impl Default for Batch {
    fn default() -> Self {
        let mut bytes = Vec::with_capacity(BATCH_BYTES);
        bytes.resize(CHUNK_HEAD_LEN, 0);
        Self { bytes, frames: 0, last_ms: 0, lost: 0 }
    }
}

impl Batch {
    /// False when there is no room: close this batch first.
    pub fn push(&mut self, frame: &Heard<'_>) -> bool {
        let Ok(length) = u16::try_from(frame.payload.len()) else { return false };
        if self.bytes.len() + FRAME_HEAD_LEN + frame.payload.len() + TAG_LEN > BATCH_BYTES {
            return false;
        }
        let mut head = [0; FRAME_HEAD_LEN];
        head[0] = match frame.side {
            Side::Caller => 0,
            Side::Agent => 1,
        };
        head[1] = frame.codec.payload_type();
        head[2..6].copy_from_slice(&frame.timestamp.to_be_bytes());
        head[6..10].copy_from_slice(&frame.at_ms.to_be_bytes());
        head[10..].copy_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(frame.payload);
        self.frames = self.frames.saturating_add(1);
        self.last_ms = self.last_ms.max(frame.at_ms);
        true
    }

    /// Counts frames that could not be kept.
    pub fn lose(&mut self, frames: u32) {
        self.lost = self.lost.saturating_add(frames);
    }

    pub fn is_empty(&self) -> bool {
        self.frames == 0
    }

    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// Frames that were heard before these and could not be kept.
    pub fn lost(&self) -> u32 {
        self.lost
    }

    /// Arrival of the last frame.
    pub fn last_ms(&self) -> u32 {
        self.last_ms
    }

    /// Empty again; the buffer is kept.
    pub fn clear(&mut self) {
        self.bytes.truncate(CHUNK_HEAD_LEN);
        (self.frames, self.last_ms, self.lost) = (0, 0, 0);
    }

    pub(super) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_what_fits_and_never_grows() {
        let mut batch = Batch::default();
        let room = batch.bytes.capacity();
        let frame = Heard { side: Side::Caller, codec: Codec::Pcma, timestamp: 1, at_ms: 20, payload: &[1; 160] };
        let mut kept = 0;
        while batch.push(&frame) {
            kept += 1;
        }
        assert!(kept >= 2 * 21, "a chunk's time of two legs: {kept}");
        assert_eq!((batch.frames(), batch.bytes.capacity()), (kept, room));
        batch.clear();
        assert!(batch.is_empty() && batch.push(&frame));
        assert!(!batch.push(&Heard { payload: &[0; 70_000], ..frame }), "no such frame");
    }
}
