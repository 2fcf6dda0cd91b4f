//! Reading and proving: every whole chunk is opened, the first bad one is named, and the trailer must agree.

use aws_lc_rs::{aead::LessSafeKey, digest};

use super::{
    Error, Frame, Header, Trailer,
    journal::{self, CHUNK_BYTES_MAX, CHUNK_HEAD_LEN, Kind, TAG_LEN},
    key::{self, BRANCH_KEY_LEN},
};

/// What is wrong with a journal, at the first place where something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("chunk {0} was changed, or is not this recording's")]
    Chunk(u32),
    #[error("the file ends within chunk {0}")]
    Torn(u32),
    #[error("the recording was never sealed: it ends after chunk {0}")]
    Unsealed(u32),
    #[error("the trailer was changed")]
    Trailer,
    #[error("the trailer does not agree with the chunks before it")]
    Disagrees,
    #[error("something follows the trailer")]
    Surplus,
}

/// Everything that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    pub header: Header,
    pub frames: Vec<Frame>,
    /// Whole chunks.
    pub chunks: u32,
    pub trailer: Option<Trailer>,
    /// None: proven whole.
    pub fault: Option<Fault>,
    /// Bytes up to and with the last whole chunk.
    whole: usize,
}

/// Reads as far as it can. An error only when not even the header or the key can be read.
pub fn read(bytes: &[u8], branch: &[u8; BRANCH_KEY_LEN]) -> Result<Journal, Error> {
    let (header, start) = journal::decode_header(bytes)?;
    let secret = header.key.open(branch, &header.recording)?;
    let cipher = key::cipher(&secret)?;
    let digest = journal::header_digest(bytes.get(..start).ok_or(Error::Header)?);
    let mut journal = Journal { header, frames: Vec::new(), chunks: 0, trailer: None, fault: None, whole: start };
    journal.fault = journal.walk(bytes, &cipher, &digest);
    Ok(journal)
}

impl Journal {
    fn walk(&mut self, bytes: &[u8], cipher: &LessSafeKey, header: &[u8; 32]) -> Option<Fault> {
        loop {
            let at = self.chunks;
            let rest = bytes.get(self.whole..).unwrap_or_default();
            if rest.is_empty() {
                return Some(Fault::Unsealed(at));
            }
            let Some((head, rest)) = rest.split_first_chunk::<CHUNK_HEAD_LEN>() else { return Some(Fault::Torn(at)) };
            let [kind, s0, s1, s2, s3, l0, l1, l2, l3] = *head;
            let sequence = u32::from_be_bytes([s0, s1, s2, s3]);
            let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
            let Some(kind) = Kind::from_byte(kind).filter(|_| sequence == at && length <= CHUNK_BYTES_MAX) else {
                return Some(Fault::Chunk(at));
            };
            let Some(sealed) = rest.get(..length).filter(|_| length >= TAG_LEN) else { return Some(Fault::Torn(at)) };
            let opened = journal::open(cipher, header, kind, sequence, sealed);
            if kind != Kind::Chunk {
                let surplus = rest.len() > length;
                return opened.map_or(Some(Fault::Trailer), |plain| self.close(bytes, &plain, surplus));
            }
            let Some(frames) = opened.and_then(|plain| journal::decode_frames(&plain)) else {
                return Some(Fault::Chunk(at));
            };
            self.frames.extend(frames);
            self.chunks = self.chunks.saturating_add(1);
            self.whole = self.whole.saturating_add(CHUNK_HEAD_LEN + length);
        }
    }

    fn close(&mut self, bytes: &[u8], plain: &[u8], surplus: bool) -> Option<Fault> {
        let Ok(trailer) = serde_json::from_slice::<Trailer>(plain) else { return Some(Fault::Trailer) };
        let before = bytes.get(..self.whole).unwrap_or_default();
        let agrees = trailer.chunks == self.chunks
            && trailer.frames == self.frames.len() as u64
            && trailer.sha256 == key::hex(digest::digest(&digest::SHA256, before).as_ref());
        self.trailer = Some(trailer);
        match (agrees, surplus) {
            (true, false) => None,
            (true, true) => Some(Fault::Surplus),
            (false, _) => Some(Fault::Disagrees),
        }
    }
}

/// For a journal that a crash left unsealed: cut the file to the first value's length, then append the second's bytes.
/// None when it is sealed already, or damaged in a way that a crash does not explain.
pub fn recover(bytes: &[u8], branch: &[u8; BRANCH_KEY_LEN]) -> Result<Option<(usize, Vec<u8>, Trailer)>, Error> {
    let journal = read(bytes, branch)?;
    if journal.trailer.is_some() || journal.fault == Some(Fault::Trailer) {
        return Ok(None);
    }
    let secret = journal.header.key.open(branch, &journal.header.recording)?;
    let (_, start) = journal::decode_header(bytes)?;
    let header = journal::header_digest(bytes.get(..start).ok_or(Error::Header)?);
    let before = bytes.get(..journal.whole).ok_or(Error::Header)?;
    let trailer = Trailer {
        chunks: journal.chunks,
        frames: journal.frames.len() as u64,
        ms: journal.frames.iter().map(|frame| u64::from(frame.at_ms)).max().unwrap_or(0),
        sha256: key::hex(digest::digest(&digest::SHA256, before).as_ref()),
        recovered: true,
        lost: 0,
    };
    let plain = serde_json::to_vec(&trailer).map_err(|_| Error::Header)?;
    let sealed = journal::sealed(&key::cipher(&secret)?, &header, Kind::Recovered, journal.chunks, &plain)?;
    Ok(Some((journal.whole, sealed, trailer)))
}
