//! What is said on the control stream. One frame is `length: u32 big endian`, `format: u8`, then CBOR.
//!
//! The length counts format and body. A frame of an unknown kind is read and skipped, so that an older end survives a
//! newer one; a frame that is too large, of another format or not CBOR ends the session.

use std::collections::BTreeSet;

use bytes::{Buf, Bytes, BytesMut};
use model::{BoxId, Epoch, Millis, SiteId, change::Doc, overflow::Signal};
use serde::{Deserialize, Serialize};

use crate::outbox::Item;

/// The byte before every body.
pub const FORMAT: u8 = 1;
/// Largest frame: format and body. A configuration document's first sync is what needs the room.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Largest automerge sync message within a frame.
pub const CONFIG_BYTES_MAX: usize = FRAME_BYTES_MAX - 1024;
/// Largest certificate request or certificate, DER or PEM.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;
/// Lines under one checkpoint, and the longest signature of one (ECDSA P-256, ASN.1), in bytes.
pub const CHECKPOINT_LINES_MAX: u32 = 1_000;
pub const SIGNATURE_BYTES_MAX: usize = 80;
/// Heads of one document in a hello.
pub const HEADS_MAX: usize = 256;
/// Before the body: the length.
const PREFIX: usize = 4;
/// Where a frame's CBOR begins: behind length and format.
pub const BODY_AT: usize = PREFIX + 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum Frame {
    /// Box, first.
    Hello(Hello),
    /// Cloud, in answer to a hello: the session is open.
    Welcome(Welcome),
    /// Cloud, in answer to a hello or at any time after: the session is over.
    Refuse(Refuse),
    /// Box: outbox rows, the first of them with sequence `first`.
    Rows { epoch: Epoch, first: u64, rows: Vec<Item> },
    /// Cloud: everything up to `seq` is durable.
    Ack { epoch: Epoch, seq: u64 },
    /// Both: an automerge sync message, opaque here.
    Config { doc: Doc, bytes: Bytes },
    /// Both: a call between sites.
    Signal(Signal),
    /// Cloud: a firmware bundle to fetch.
    Bundle(Bundle),
    /// Box. `last` is the newest row of its outbox, so that the cloud can say how far behind its figures are.
    Ping { at: Millis, last: u64 },
    /// Cloud. `echo` is the ping's `at`.
    Pong { echo: Millis, at: Millis },
    /// Box: a certificate request (DER) for the same identity.
    Renew { csr: Bytes },
    /// Cloud: the new certificate (PEM).
    Renewed { certificate: Bytes },
    /// Box: what its egress ledger has come to.
    Checkpoint(Checkpoint),
    /// Cloud: it has kept the checkpoint that begins with this line, and signs that it saw it at `at`.
    Witnessed { first: u64, at: Millis, signature: Bytes },
    /// Written by a newer end; skipped.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol versions the box speaks, lowest and highest.
    pub versions: Versions,
    pub box_id: BoxId,
    pub site: SiteId,
    pub epoch: Epoch,
    /// The newest row of this epoch; 0 for none.
    pub last: u64,
    pub heads: Vec<Heads>,
    /// 1.2.3 is `[1, 2, 3]`.
    pub software: [u16; 3],
    pub at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    pub lowest: u16,
    pub highest: u16,
}

impl Versions {
    /// What this build speaks.
    pub const OURS: Versions = Versions { lowest: 1, highest: 1 };

    /// The highest version that both speak.
    pub fn common(self, other: Versions) -> Option<u16> {
        let version = self.highest.min(other.highest);
        (version >= self.lowest.max(other.lowest)).then_some(version)
    }
}

/// Heads of one document: equal heads need no sync, and no document is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heads {
    pub doc: Doc,
    pub heads: BTreeSet<[u8; 32]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    pub version: u16,
    pub epoch: Epoch,
    /// The last row of this epoch that is durable; 0 for none.
    pub watermark: u64,
    /// Documents whose heads differ.
    pub sync: Vec<Doc>,
    pub at: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refuse {
    pub reason: Reason,
    /// Do not come back earlier. 0: the box's own back-off decides.
    pub retry_after_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reason {
    /// The cloud speaks these.
    Version {
        lowest: u16,
        highest: u16,
    },
    /// Hello and certificate disagree, or the box is not known here.
    Identity,
    Revoked,
    Overload,
    /// The database does not answer.
    Unavailable,
    /// The cloud stops or hands the box to another instance.
    Leaving,
    /// Another session of the same box has begun.
    Replaced,
    /// The box broke the protocol.
    Protocol,
    /// From a newer cloud.
    #[serde(other)]
    Other,
}

/// A checkpoint of a box's egress ledger, as `gate::Checkpoint` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What the chain began with.
    pub origin: [u8; 32],
    pub first: u64,
    pub count: u32,
    pub at: Millis,
    pub root: [u8; 32],
    /// By the box's device key, over `gate::Checkpoint::statement`.
    pub signature: Bytes,
}

impl Checkpoint {
    pub fn is_sound(&self) -> bool {
        (1..=CHECKPOINT_LINES_MAX).contains(&self.count) && self.signature.len() <= SIGNATURE_BYTES_MAX
    }
}

/// A firmware bundle on offer. The box fetches it on a *bulk* connection and checks all three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// A file name that [`bundle_version`] understands.
    pub name: String,
    pub size: u64,
    /// In hex.
    pub sha256: String,
}

impl Bundle {
    /// Whether the name can be a file of a folder and nothing else, and the hash is one.
    pub fn is_sound(&self) -> bool {
        bundle_version(&self.name).is_some()
            && self.sha256.len() == 64
            && self.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
}

/// The version that a bundle's name carries: `box-1.2.3.raucb` is `[1, 2, 3]`. None is no bundle's name: it has 1 to 80
/// characters of `a-z 0-9 . -` with a version between dashes and ends in `.raucb`, and so it cannot leave a folder.
pub fn bundle_version(name: &str) -> Option<[u16; 3]> {
    let stem = name.strip_suffix(".raucb").filter(|stem| !stem.starts_with('.') && name.len() <= 80)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    if !stem.bytes().all(plain) {
        return None;
    }
    stem.split('-').find_map(|part| {
        let numbers: Vec<u16> = part.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        numbers.try_into().ok()
    })
}

/// The peer's fault, except `TooLarge` on encoding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a frame of {0} bytes")]
    TooLarge(usize),
    #[error("an empty frame")]
    Empty,
    #[error("format {0}")]
    Format(u8),
    #[error("not a frame: {0}")]
    Body(String),
    #[error("{0} bytes after the frame's body")]
    Trailing(usize),
}

/// The frame with its prefix, ready for the stream.
pub fn encode(frame: &Frame) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; PREFIX];
    bytes.push(FORMAT);
    ciborium::into_writer(frame, &mut bytes).map_err(|e| Error::Body(e.to_string()))?;
    let length = bytes.len().saturating_sub(PREFIX);
    let prefix = u32::try_from(length).ok().filter(|_| length <= FRAME_BYTES_MAX).ok_or(Error::TooLarge(length))?;
    if let Some(start) = bytes.first_chunk_mut() {
        *start = prefix.to_be_bytes();
    }
    Ok(bytes)
}

/// Takes the stream's bytes in pieces of any size and gives frames. After an error it gives nothing more.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
    broken: bool,
}

impl Decoder {
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// None: more bytes are needed. Drain before pushing more: then no more than one frame and one piece are held.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let result = self.take();
        if result.is_err() {
            self.broken = true;
            self.buffer = BytesMut::new();
        }
        result
    }

    fn take(&mut self) -> Result<Option<Frame>, Error> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(Error::TooLarge(length));
        }
        if self.buffer.len() < PREFIX.saturating_add(length) {
            return Ok(None);
        }
        self.buffer.advance(PREFIX);
        parse(&self.buffer.split_to(length)).map(Some)
    }
}

fn parse(frame: &[u8]) -> Result<Frame, Error> {
    let (format, mut body) = frame.split_first().ok_or(Error::Empty)?;
    if *format != FORMAT {
        return Err(Error::Format(*format));
    }
    let frame = ciborium::from_reader(&mut body).map_err(|e| Error::Body(e.to_string()))?;
    if body.is_empty() { Ok(frame) } else { Err(Error::Trailing(body.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames() -> Vec<Frame> {
        let hello = Hello {
            versions: Versions::OURS,
            box_id: BoxId(7),
            site: SiteId::new("north").unwrap(),
            epoch: Epoch(1 << 100),
            last: 9,
            heads: vec![Heads { doc: Doc::Local, heads: [[3; 32]].into() }],
            software: [1, 2, 3],
            at: Millis(5),
        };
        let rows = vec![Item { kind: 1, body: vec![1; 9000].into() }, Item { kind: 2, body: Bytes::new() }];
        vec![
            Frame::Hello(hello),
            Frame::Refuse(Refuse { reason: Reason::Version { lowest: 2, highest: 3 }, retry_after_ms: 1000 }),
            Frame::Rows { epoch: Epoch(2), first: 1, rows },
            Frame::Config { doc: Doc::Org, bytes: vec![9; 100_000].into() },
            Frame::Ping { at: Millis(-1), last: u64::MAX },
            Frame::Renew { csr: Bytes::from_static(b"csr") },
        ]
    }

    #[test]
    fn a_bundle_s_name_has_its_version_and_cannot_leave_a_folder() {
        assert_eq!(bundle_version("box-1.2.3.raucb"), Some([1, 2, 3]));
        assert_eq!(bundle_version("branchline-10.0.12-arm64.raucb"), Some([10, 0, 12]));
        for name in [
            "",
            ".raucb",
            "box.raucb",
            "box-1.2.raucb",
            "box-1..2.raucb",
            "box-1.2.99999.raucb",
            "box-1.2.3",
            ".box-1.2.3.raucb",
            "../box-1.2.3.raucb",
            "Box-1.2.3.raucb",
            "a b-1.2.3.raucb",
            "a\0-1.2.3.raucb",
        ] {
            assert_eq!(bundle_version(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_frame_survives_printing_and_parsing_in_any_pieces() {
        for piece in [1, 3, 1000, 1 << 20] {
            let mut decoder = Decoder::default();
            let mut found = Vec::new();
            let stream: Vec<u8> = frames().iter().flat_map(|f| encode(f).unwrap()).collect();
            for bytes in stream.chunks(piece) {
                decoder.push(bytes);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    found.push(frame);
                }
            }
            assert_eq!(found, frames(), "pieces of {piece}");
        }
    }

    fn framed(body: &[u8]) -> Decoder {
        let mut decoder = Decoder::default();
        decoder.push(&u32::try_from(body.len()).unwrap().to_be_bytes());
        decoder.push(body);
        decoder
    }

    #[test]
    fn bad_frames_are_refused_and_nothing_follows_them() {
        let mut good = encode(&Frame::Ping { at: Millis(1), last: 1 }).unwrap();
        let mut trailing = good.split_off(PREFIX);
        trailing.push(0);
        for (body, error) in [(vec![], Error::Empty), (vec![2, 0xa0], Error::Format(2)), (trailing, Error::Trailing(1))]
        {
            let mut decoder = framed(&body);
            assert_eq!(decoder.next_frame(), Err(error));
            decoder.push(&encode(&Frame::Ping { at: Millis(1), last: 1 }).unwrap());
            assert_eq!(decoder.next_frame(), Ok(None));
        }
        assert!(matches!(framed(&[1, 0xff, 0xff]).next_frame(), Err(Error::Body(_))));
        let mut huge = Decoder::default();
        huge.push(&u32::MAX.to_be_bytes());
        assert_eq!(huge.next_frame(), Err(Error::TooLarge(0xffff_ffff)));
    }

    #[test]
    fn a_frame_at_the_limit_passes_and_one_above_is_not_sent() {
        let config = |len| Frame::Config { doc: Doc::Site, bytes: vec![0; len].into() };
        assert!(encode(&config(CONFIG_BYTES_MAX)).is_ok());
        assert!(matches!(encode(&config(FRAME_BYTES_MAX)), Err(Error::TooLarge(_))));
    }

    #[test]
    fn a_frame_of_a_newer_end_is_skipped() {
        let mut body = vec![FORMAT];
        ciborium::into_writer(&std::collections::BTreeMap::from([("frame", "teleport"), ("to", "x")]), &mut body)
            .unwrap();
        assert_eq!(framed(&body).next_frame(), Ok(Some(Frame::Unknown)));
    }

    #[test]
    fn versions_agree_on_the_highest_common_one() {
        let v = |lowest, highest| Versions { lowest, highest };
        assert_eq!(v(1, 3).common(v(2, 5)), Some(3));
        assert_eq!(v(1, 1).common(v(2, 5)), None);
        assert_eq!(v(4, 4).common(v(1, 9)), Some(4));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = framed(&[&[FORMAT], bytes.as_slice()].concat());
            let _ = decoder.next_frame();
            let mut raw = Decoder::default();
            raw.push(&bytes);
            while let Ok(Some(_)) = raw.next_frame() {}
        }
    }
}
