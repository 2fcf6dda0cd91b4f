//! A TCP or TLS stream cut into messages (RFC 3261 §18.3, §7.5): whatever the pieces, the same messages come out. What cannot
//! be framed ends the stream's meaning: nothing after it is read.

use bytes::{Buf, Bytes, BytesMut};

use crate::lex;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// One message, head and body.
    Message(Bytes),
    /// A double CRLF between messages (RFC 5626 §3.5.1): answer with one CRLF.
    Ping,
    /// The head that could not be framed, for the refusal; the stream is dead from here.
    Broken(Bytes),
}

#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    /// How far the end of the head was already looked for.
    searched: usize,
    /// Length of the message that waits for its body: its head is read once, however small the pieces of the body.
    waiting: Option<usize>,
    bytes_max: usize,
    dead: bool,
}

impl Framer {
    pub fn new(bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, waiting: None, bytes_max, dead: false }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if !self.dead {
            self.buffer.extend_from_slice(bytes);
        }
    }

    pub fn poll(&mut self) -> Option<Frame> {
        if self.dead {
            return None;
        }
        if let Some(total) = self.waiting {
            return self.whole(total);
        }
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            return Some(Frame::Ping);
        }
        // A lone CRLF, the answer to a ping of ours or a sloppy end of a message, waits for what follows it.
        while self.buffer.starts_with(b"\r\n") && self.buffer.len() > 2 && !b"\r\n\r\n".starts_with(&self.buffer) {
            self.buffer.advance(2);
        }
        if b"\r\n\r\n".starts_with(&self.buffer) {
            return None;
        }
        let from = self.searched.saturating_sub(3);
        let found = self.buffer.get(from..).and_then(|rest| rest.windows(4).position(|w| w == b"\r\n\r\n"));
        let Some(head_len) = found.and_then(|at| at.checked_add(from)?.checked_add(4)) else {
            self.searched = self.buffer.len();
            return (self.buffer.len() > self.bytes_max).then(|| self.broken(self.bytes_max));
        };
        let head = self.buffer.get(..head_len).unwrap_or_default();
        let total = content_length(head).and_then(|length| head_len.checked_add(length));
        match total {
            Some(total) if total > self.bytes_max => Some(self.broken(head_len)),
            None => Some(self.broken(head_len)),
            Some(total) => {
                self.waiting = Some(total);
                self.whole(total)
            }
        }
    }

    fn whole(&mut self, total: usize) -> Option<Frame> {
        if total > self.buffer.len() {
            return None;
        }
        self.waiting = None;
        self.searched = 0;
        Some(Frame::Message(self.buffer.split_to(total).freeze()))
    }

    fn broken(&mut self, head_len: usize) -> Frame {
        self.dead = true;
        let mut head = std::mem::take(&mut self.buffer);
        head.truncate(head_len);
        Frame::Broken(head.freeze())
    }
}

/// The one Content-Length of a head; None when it is missing, doubled or no number. RFC 3261 §20.14: a stream needs it.
fn content_length(head: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(head).ok()?;
    let mut found = None;
    let mut lines = text.split("\r\n").skip(1).peekable();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.trim_end();
        let is_length = name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l");
        if !is_length || line.starts_with([' ', '\t']) {
            continue;
        }
        let folded = lines.peek().is_some_and(|next| next.starts_with([' ', '\t']));
        let value = lines.next_if(|_| folded && value.trim().is_empty()).unwrap_or(value);
        if found.is_some() {
            return None;
        }
        found = Some(usize::try_from(lex::number(value.trim())?).ok()?);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "OPTIONS sip:a@h SIP/2.0\r\nl: 3\r\n\r\nabc";
    const TWO: &str = "ACK sip:a@h SIP/2.0\r\nContent-Length :\r\n 0\r\n\r\n";

    #[test]
    fn any_cut_of_the_stream_gives_the_same_frames() {
        let stream = format!("\r\n{ONE}\r\n\r\n{TWO}{ONE}");
        let message = |text: &'static str| Frame::Message(Bytes::from_static(text.as_bytes()));
        let expected = vec![message(ONE), Frame::Ping, message(TWO), message(ONE)];
        for step in 1..=stream.len() {
            let mut framer = Framer::new(1_000);
            let mut frames = Vec::new();
            for piece in stream.as_bytes().chunks(step) {
                framer.push(piece);
                frames.extend(std::iter::from_fn(|| framer.poll()));
            }
            assert_eq!(frames, expected, "pieces of {step}");
        }
    }

    #[test]
    fn a_length_that_is_missing_doubled_or_absurd_breaks_the_stream() {
        for length in ["", "l: 1\r\nl: 1\r\n", "l: -1\r\n", "l: 99999999999\r\n", "l: 1001\r\n"] {
            let mut framer = Framer::new(1_000);
            framer.push(format!("OPTIONS sip:a@h SIP/2.0\r\n{length}\r\n").as_bytes());
            assert!(matches!(framer.poll(), Some(Frame::Broken(_))), "{length}");
            framer.push(ONE.as_bytes());
            assert_eq!(framer.poll(), None);
        }
    }

    #[test]
    fn a_head_without_end_is_cut_off_at_the_limit() {
        let mut framer = Framer::new(1_000);
        framer.push(&[b'x'; 1_000]);
        assert_eq!(framer.poll(), None);
        framer.push(b"x");
        assert!(matches!(framer.poll(), Some(Frame::Broken(head)) if head.len() == 1_000));
    }
}
