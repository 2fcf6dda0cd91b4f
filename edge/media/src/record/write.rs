//! Writing: batches of frames in, bytes to append out.

use aws_lc_rs::{aead::LessSafeKey, digest};
use zeroize::Zeroizing;

use super::{
    Batch, Error, Header, Trailer,
    journal::{self, HEAD_LEN, Kind, SECTOR},
    key::{self, BRANCH_KEY_LEN},
};

/// What a power cut can take of live audio. The engine closes batches so much earlier that they are also on disk by then.
pub const CHUNK_MS_MAX: u64 = 500;

/// One journal being written.
pub struct Writer {
    cipher: LessSafeKey,
    header: [u8; 32],
    chunks: u32,
    frames: u64,
    lost: u64,
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
        branch: &[u8; BRANCH_KEY_LEN],
        random: &[u8; 44],
    ) -> Result<(Self, Vec<u8>), Error> {
        let (secret, nonce) = random.split_at(BRANCH_KEY_LEN);
        let secret = Zeroizing::new(<[u8; BRANCH_KEY_LEN]>::try_from(secret).map_err(|_| Error::Key)?);
        let nonce = nonce.try_into().map_err(|_| Error::Key)?;
        let header = Header { format: 2, recording: recording.into(), site: site.into(), started };
        let sector = journal::encode_header(&header)?;
        let mut bytes = vec![0; HEAD_LEN];
        bytes[..SECTOR].copy_from_slice(&sector);
        let wrapped = key::wrap(branch, &secret, nonce, recording)?;
        bytes[SECTOR..SECTOR + wrapped.len()].copy_from_slice(&wrapped);
        let mut digest = digest::Context::new(&digest::SHA256);
        digest.update(&sector);
        let writer = Self {
            cipher: key::cipher(&secret)?,
            header: journal::header_digest(&bytes)?,
            chunks: 0,
            frames: 0,
            lost: 0,
            last_ms: 0,
            digest,
        };
        Ok((writer, bytes))
    }

    /// Seals a batch where it lies: the chunk to append, empty when the batch held no frame. The batch must be cleared
    /// before it is used again.
    pub fn seal<'a>(&mut self, batch: &'a mut Batch) -> Result<&'a [u8], Error> {
        self.lost = self.lost.saturating_add(u64::from(batch.lost()));
        if batch.is_empty() {
            return Ok(&[]);
        }
        self.frames = self.frames.saturating_add(u64::from(batch.frames()));
        self.last_ms = self.last_ms.max(batch.last_ms());
        let bytes = batch.bytes_mut();
        journal::seal(&self.cipher, &self.header, Kind::Chunk, self.chunks, bytes)?;
        self.chunks = self.chunks.checked_add(1).ok_or(Error::Limit("chunks"))?;
        self.digest.update(bytes);
        Ok(bytes)
    }

    /// Ends the journal: the trailer to append, and what it says.
    pub fn end(self) -> Result<(Vec<u8>, Trailer), Error> {
        let trailer = Trailer {
            chunks: self.chunks,
            frames: self.frames,
            ms: u64::from(self.last_ms),
            sha256: key::hex(self.digest.finish().as_ref()),
            recovered: false,
            lost: self.lost,
        };
        let plain = serde_json::to_vec(&trailer).map_err(|_| Error::Header)?;
        Ok((journal::sealed(&self.cipher, &self.header, Kind::Trailer, self.chunks, &plain)?, trailer))
    }
}
