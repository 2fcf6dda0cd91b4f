//! The recording: a journal of frames, per leg as received, with arrival time, in authenticated chunks, sealed by a
//! trailer. A power cut loses at most the open chunk; every file proves itself; destroying a key erases.
//!
//! ```text
//! file    = head { chunk } trailer
//! head    = sector: magic "BLR2" · u16 length · header (JSON, authenticated with every chunk)
//!           2 × sector: a place for a wrapped key
//! chunk   = u8 kind · u32 sequence · u32 length · AES-256-GCM ciphertext and tag
//! ```
//! The key of a recording is random and wrapped by the branch key. A chunk's nonce is its kind and sequence, used once
//! under that key; its associated data are the header's digest, kind and sequence.

mod batch;
mod journal;
mod key;
mod opus;
mod peaks;
mod read;
mod render;
mod rewrap;
mod write;

pub use batch::{BATCH_BYTES, Batch, Heard};
pub use journal::{Frame, HEAD_LEN, Header, Trailer};
pub use key::BRANCH_KEY_LEN;
pub use opus::ogg_opus;
pub use peaks::{PEAKS_MAX, Peaks, peaks};
pub use read::{Fault, Journal, Mend, read, recover};
pub use render::{CHANNELS, Stereo, stereo};
pub use rewrap::{Patch, forget, rewrap};
pub use write::{CHUNK_MS_MAX, Writer};

/// Why a journal cannot be begun or read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a recording of this format")]
    Format,
    #[error("the header is damaged")]
    Header,
    #[error("the branch key does not open this recording")]
    Key,
    #[error("a limit of the format is exceeded: {0}")]
    Limit(&'static str),
}

#[cfg(test)]
mod tests;
