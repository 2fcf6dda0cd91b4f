//! Writing: frames in, bytes to append out. Each returned piece is to be appended and synced before the next.

use std::time::{Duration, Instant};

use aws_lc_rs::{aead::LessSafeKey, digest};
use zeroize::Zeroizing;

use super::{
    Error, Header, Trailer, WrappedKey,
    journal::{self, FrameRef, Kind},
    key::{self, BRANCH_KEY_LEN},
};
use crate::engine::Heard;

/// A chunk is closed after this long at the latest: what a power cut can take.
pub const CHUNK_MS_MAX: u64 = 500;
/// ... or when it holds this much.
const CHUNK_PLAIN_MAX: usize = 64 * 1024;

pub struct Writer {
    cipher: LessSafeKey,
    header: [u8; 32],
    began: Instant,
    opened: Option<Instant>,
    open: Vec<u8>,
    chunks: u32,
    frames: u64,
    last_ms: u32,
    digest: digest::Context,
}

impl Writer {
    /// Begins a journal; the second value is the file's first bytes. `random` is 44 fresh random bytes: the recording's
    /// key and the nonce that wraps it.
    pub fn begin(
        recording: &str,
        site: &str,
        started: i64,
        now: Instant,
        branch: &[u8; BRANCH_KEY_LEN],
        random: &[u8; 44],
    ) -> Result<(Self, Vec<u8>), Error> {
        let (secret, nonce) = random.split_at(BRANCH_KEY_LEN);
        let secret = Zeroizing::new(<[u8; BRANCH_KEY_LEN]>::try_from(secret).map_err(|_| Error::Key)?);
        let nonce = nonce.try_into().map_err(|_| Error::Key)?;
        let key = WrappedKey::wrap(branch, &secret, nonce, recording)?;
        let header = Header { format: 1, recording: recording.into(), site: site.into(), started, key };
        let bytes = journal::encode_header(&header)?;
        let mut digest = digest::Context::new(&digest::SHA256);
        digest.update(&bytes);
        let writer = Self {
            cipher: key::cipher(&secret)?,
            header: journal::header_digest(&bytes),
            began: now,
            opened: None,
            open: Vec::with_capacity(CHUNK_PLAIN_MAX),
            chunks: 0,
            frames: 0,
            last_ms: 0,
            digest,
        };
        Ok((writer, bytes))
    }

    /// Takes a frame; a chunk to append when this one did not fit or the time was up.
    pub fn frame(&mut self, frame: &Heard<'_>) -> Result<Option<Vec<u8>>, Error> {
        let closed = if self.due(frame.at) { self.close_chunk()? } else { None };
        let at_ms = u32::try_from(frame.at.saturating_duration_since(self.began).as_millis()).unwrap_or(u32::MAX);
        let frame_ref = FrameRef {
            side: frame.side,
            codec: frame.codec,
            timestamp: frame.timestamp,
            at_ms,
            payload: frame.payload,
        };
        journal::encode_frame(&mut self.open, &frame_ref)?;
        self.opened.get_or_insert(frame.at);
        self.frames += 1;
        self.last_ms = self.last_ms.max(at_ms);
        Ok(closed)
    }

    /// Is the open chunk to be closed at `now`?
    pub fn due(&self, now: Instant) -> bool {
        let full = self.open.len() + 1_024 > CHUNK_PLAIN_MAX;
        // One frame's time early, so that no chunk ever spans more than the promise.
        let old = self.opened.is_some_and(|at| {
            now.saturating_duration_since(at) >= Duration::from_millis(CHUNK_MS_MAX.saturating_sub(20))
        });
        full || old
    }

    /// Closes the open chunk; None when it is empty.
    pub fn close_chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.opened = None;
        if self.open.is_empty() {
            return Ok(None);
        }
        let bytes = journal::seal(&self.cipher, &self.header, Kind::Chunk, self.chunks, &self.open)?;
        self.open.clear();
        self.chunks = self.chunks.checked_add(1).ok_or(Error::Limit("chunks"))?;
        self.digest.update(&bytes);
        Ok(Some(bytes))
    }

    /// Ends the journal: the bytes to append (the open chunk, then the trailer) and what the trailer says.
    pub fn seal(mut self) -> Result<(Vec<u8>, Trailer), Error> {
        let mut bytes = self.close_chunk()?.unwrap_or_default();
        let trailer = Trailer {
            chunks: self.chunks,
            frames: self.frames,
            ms: u64::from(self.last_ms),
            sha256: key::hex(self.digest.finish().as_ref()),
            recovered: false,
        };
        let plain = serde_json::to_vec(&trailer).map_err(|_| Error::Header)?;
        bytes.extend(journal::seal(&self.cipher, &self.header, Kind::Trailer, self.chunks, &plain)?);
        Ok((bytes, trailer))
    }
}
