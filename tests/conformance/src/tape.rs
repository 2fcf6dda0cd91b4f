//! What our endpoints say while tests run, kept for whoever wants to read it again. A test hands each message over; it is
//! written down only when [`VARIABLE`] names a file, and costs nothing otherwise.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;

/// Names the file that messages are appended to.
pub const VARIABLE: &str = "BRANCHLINE_TAPE";

/// Of one message, in bytes; nothing that we say comes near.
const MESSAGE_MAX: usize = 1 << 20;

struct Tape {
    file: File,
    known: BTreeSet<u64>,
}

static TAPE: LazyLock<Option<Mutex<Tape>>> = LazyLock::new(|| {
    let path = std::env::var_os(VARIABLE)?;
    let file = OpenOptions::new().create(true).append(true).open(path).expect("a tape that can be written");
    Some(Mutex::new(Tape { file, known: BTreeSet::new() }))
});

/// A message of ours; each is kept once. What is no SIP (an answer to STUN, a blank line) is not kept.
pub fn said(bytes: &[u8]) {
    let Some(tape) = TAPE.as_ref().filter(|_| bytes.first().is_some_and(u8::is_ascii_alphabetic)) else { return };
    let mut tape = tape.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    if tape.known.insert(hasher.finish()) {
        tape.file.write_all(&framed(bytes)).expect("the tape is written");
    }
}

/// Length in four bytes, the highest first, then the message.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a message of ours");
    [&length.to_be_bytes()[..], bytes].concat()
}

/// Everything that was kept in `file`, in order.
pub fn played(file: &Path) -> Vec<Bytes> {
    let mut rest = Bytes::from(std::fs::read(file).expect("a tape"));
    let mut messages = Vec::new();
    while let Some(length) = rest.first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        assert!(length <= MESSAGE_MAX && rest.len() >= length + 4, "the tape is torn");
        messages.push(rest.slice(4..length + 4));
        rest = rest.slice(length + 4..);
    }
    messages
}
