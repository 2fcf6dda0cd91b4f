//! Reading and proving: every whole chunk is opened, the first bad one is named, and the trailer must agree.

use aws_lc_rs::aead::LessSafeKey;

use super::{
    Error, Frame, Header, Trailer,
    journal::{self, CHUNK_BYTES_MAX, CHUNK_HEAD_LEN, HEAD_LEN, Kind, TAG_LEN},
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
    let header = journal::decode_header(bytes)?;
    let (_, secret) = journal::secret(bytes, branch, &header.recording).ok_or(Error::Key)?;
    let cipher = key::cipher(&secret)?;
    let digest = journal::header_digest(bytes)?;
    let mut journal = Journal { header, frames: Vec::new(), chunks: 0, trailer: None, fault: None, whole: HEAD_LEN };
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
        let agrees = trailer.chunks == self.chunks
            && trailer.frames == self.frames.len() as u64
            && trailer.sha256 == journal::sealed_digest(bytes, self.whole);
        self.trailer = Some(trailer);
        match (agrees, surplus) {
            (true, false) => None,
            (true, true) => Some(Fault::Surplus),
            (false, _) => Some(Fault::Disagrees),
        }
    }
}

/// How to seal a journal that a crash left unsealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mend {
    /// Make the file this long. What is cut off is to be kept beside it: it may be more than a crash's doing. A file whose
    /// head was cut short in the places for keys grows, by zeroes.
    pub keep: usize,
    /// Then append this.
    pub append: Vec<u8>,
    pub trailer: Trailer,
}

/// None when it is sealed already. After a power cut any sector that was not synced may be missing, so whatever follows
/// the last whole chunk is taken for torn, a trailer too.
pub fn recover(bytes: &[u8], branch: &[u8; BRANCH_KEY_LEN]) -> Result<Option<Mend>, Error> {
    let journal = read(bytes, branch)?;
    if journal.trailer.is_some() {
        return Ok(None);
    }
    let (_, secret) = journal::secret(bytes, branch, &journal.header.recording).ok_or(Error::Key)?;
    let header = journal::header_digest(bytes)?;
    let trailer = Trailer {
        chunks: journal.chunks,
        frames: journal.frames.len() as u64,
        ms: journal.frames.iter().map(|frame| u64::from(frame.at_ms)).max().unwrap_or(0),
        sha256: journal::sealed_digest(bytes, journal.whole),
        recovered: true,
        lost: 0,
    };
    let plain = serde_json::to_vec(&trailer).map_err(|_| Error::Header)?;
    let append = journal::sealed(&key::cipher(&secret)?, &header, Kind::Recovered, journal.chunks, &plain)?;
    Ok(Some(Mend { keep: journal.whole, append, trailer }))
}
