//! The journal's bytes: header, frames, chunks, trailer.

use aws_lc_rs::{
    aead::{Aad, LessSafeKey, NONCE_LEN, Nonce},
    digest,
};
use serde::{Deserialize, Serialize};

use super::{
    Error,
    key::{self, BRANCH_KEY_LEN, Secret, WRAPPED_LEN},
};
use crate::plane::{Codec, Side};

const MAGIC: &[u8; 4] = b"BLR2";
/// What a disk writes whole or not at all; the header has one, each place for a wrapped key another.
pub(super) const SECTOR: usize = 512;
/// Places for wrapped keys.
pub(super) const PLACES: usize = 2;
/// Bytes before the first chunk.
pub const HEAD_LEN: usize = SECTOR * (1 + PLACES);
/// Kind, sequence, length.
pub(super) const CHUNK_HEAD_LEN: usize = 9;
pub(super) const TAG_LEN: usize = 16;
/// Largest chunk on disk: half a second of two legs is about 10 KB.
pub(super) const CHUNK_BYTES_MAX: usize = 256 * 1024;
const HEADER_BYTES_MAX: usize = SECTOR - MAGIC.len() - 2;
pub(super) const FRAME_HEAD_LEN: usize = 12;

/// What a file says of itself in clear; authenticated with every chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub format: u8,
    pub recording: String,
    pub site: String,
    /// Milliseconds since 1970 when the recording began.
    pub started: i64,
}

/// One received packet's audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub side: Side,
    pub codec: Codec,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Arrival, in milliseconds since the recording began.
    pub at_ms: u32,
    pub payload: Vec<u8>,
}

/// What seals a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    pub chunks: u32,
    pub frames: u64,
    /// From the beginning to the last frame.
    pub ms: u64,
    /// Over the header and every chunk, in hex.
    pub sha256: String,
    /// Sealed after a power cut or a crash, at the last whole chunk.
    pub recovered: bool,
    /// Frames that were heard and could not be kept, since the disk was too slow.
    #[serde(default)]
    pub lost: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Chunk = 1,
    Trailer = 2,
    /// A trailer written by recovery has nonces of its own: the lost trailer may have used the other.
    Recovered = 3,
}

impl Kind {
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Kind::Chunk, Kind::Trailer, Kind::Recovered].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// The first sector: magic, length, header. The places for keys follow.
pub(super) fn encode_header(header: &Header) -> Result<[u8; SECTOR], Error> {
    let body = serde_json::to_vec(header).map_err(|_| Error::Header)?;
    let mut sector = [0; SECTOR];
    let length = u16::try_from(body.len()).map_err(|_| Error::Limit("header"))?;
    sector[..4].copy_from_slice(MAGIC);
    sector[4..6].copy_from_slice(&length.to_be_bytes());
    sector.get_mut(6..6 + body.len()).ok_or(Error::Limit("header"))?.copy_from_slice(&body);
    Ok(sector)
}

pub(super) fn decode_header(bytes: &[u8]) -> Result<Header, Error> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Error::Format)?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(Error::Header)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let body = rest.get(..length).filter(|_| length <= HEADER_BYTES_MAX).ok_or(Error::Header)?;
    let header: Header = serde_json::from_slice(body).map_err(|_| Error::Header)?;
    if header.format != 2 {
        return Err(Error::Format);
    }
    Ok(header)
}

/// The recording's key, and the place whose wrapping this branch key opens.
pub(super) fn secret(head: &[u8], branch: &[u8; BRANCH_KEY_LEN], recording: &str) -> Option<(usize, Secret)> {
    (0..PLACES).find_map(|place| {
        let at = (1 + place) * SECTOR;
        let wrapped = head.get(at..at + WRAPPED_LEN)?;
        key::unwrap(wrapped, branch, recording).map(|secret| (place, secret))
    })
}

/// Over the first sector: what is authenticated with every chunk, whichever branch key wraps.
pub(super) fn header_digest(bytes: &[u8]) -> Result<[u8; 32], Error> {
    let sector = bytes.get(..SECTOR).ok_or(Error::Header)?;
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, sector).as_ref());
    Ok(out)
}

/// What a trailer's hash is over: the first sector, and all chunks.
pub(super) fn sealed_digest(bytes: &[u8], whole: usize) -> String {
    let mut digest = digest::Context::new(&digest::SHA256);
    digest.update(bytes.get(..SECTOR).unwrap_or_default());
    digest.update(bytes.get(HEAD_LEN..whole).unwrap_or_default());
    key::hex(digest.finish().as_ref())
}

/// Makes a chunk of `bytes`, which hold room for the head and then what is to be sealed; the tag is appended.
pub(super) fn seal(
    cipher: &LessSafeKey,
    header: &[u8; 32],
    kind: Kind,
    sequence: u32,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    let (head, body) = bytes.split_first_chunk_mut::<CHUNK_HEAD_LEN>().ok_or(Error::Limit("chunk"))?;
    let length = u32::try_from(body.len() + TAG_LEN).map_err(|_| Error::Limit("chunk"))?;
    let tag = cipher
        .seal_in_place_separate_tag(nonce(kind, sequence), Aad::from(associated(header, kind, sequence)), body)
        .map_err(|_| Error::Key)?;
    head[0] = kind as u8;
    head[1..5].copy_from_slice(&sequence.to_be_bytes());
    head[5..].copy_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(tag.as_ref());
    Ok(())
}

/// A sealed chunk of what is not frames: a trailer.
pub(super) fn sealed(
    cipher: &LessSafeKey,
    header: &[u8; 32],
    kind: Kind,
    sequence: u32,
    plain: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; CHUNK_HEAD_LEN];
    bytes.extend_from_slice(plain);
    seal(cipher, header, kind, sequence, &mut bytes)?;
    Ok(bytes)
}

/// None: not what was sealed under this key, header, kind and sequence.
pub(super) fn open(
    cipher: &LessSafeKey,
    header: &[u8; 32],
    kind: Kind,
    sequence: u32,
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let mut body = sealed.to_vec();
    let length = cipher
        .open_in_place(nonce(kind, sequence), Aad::from(associated(header, kind, sequence)), &mut body)
        .ok()?
        .len();
    body.truncate(length);
    Some(body)
}

fn nonce(kind: Kind, sequence: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[0] = kind as u8;
    bytes[8..].copy_from_slice(&sequence.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn associated(header: &[u8; 32], kind: Kind, sequence: u32) -> [u8; 37] {
    let mut bytes = [0; 37];
    bytes[..32].copy_from_slice(header);
    bytes[32] = kind as u8;
    bytes[33..].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

/// All frames of an opened chunk; None when it does not come out even.
pub(super) fn decode_frames(mut bytes: &[u8]) -> Option<Vec<Frame>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<FRAME_HEAD_LEN>()?;
        let [side, codec, t0, t1, t2, t3, a0, a1, a2, a3, l0, l1] = *head;
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let (payload, rest) = rest.split_at_checked(length)?;
        frames.push(Frame {
            side: match side {
                0 => Side::Caller,
                1 => Side::Agent,
                _ => return None,
            },
            codec: match codec {
                0 => Codec::Pcmu,
                8 => Codec::Pcma,
                9 => Codec::G722,
                111 => Codec::Opus,
                _ => return None,
            },
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            at_ms: u32::from_be_bytes([a0, a1, a2, a3]),
            payload: payload.to_vec(),
        });
        bytes = rest;
    }
    Some(frames)
}
