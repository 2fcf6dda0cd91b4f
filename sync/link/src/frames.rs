//! `wire` frames on one bidirectional stream. Both halves are safe to drop within `select!`: nothing is lost but the
//! waiting.

use bytes::{Buf, BytesMut};
use wire::frame::{self, Decoder, FRAME_BYTES_MAX, Frame};

/// Bytes queued and not yet taken by the transport: two of the largest frames, and small ones.
pub const QUEUE_BYTES_MAX: usize = 3 * FRAME_BYTES_MAX;
const READ_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the peer's frame: {0}")]
    Frame(#[from] frame::Error),
    #[error("reading: {0}")]
    Read(#[from] quinn::ReadError),
    #[error("writing: {0}")]
    Write(#[from] quinn::WriteError),
    #[error("the peer does not read: {0} bytes wait")]
    Slow(usize),
}

pub struct FrameReader {
    stream: quinn::RecvStream,
    decoder: Decoder,
}

impl FrameReader {
    pub(crate) fn new(stream: quinn::RecvStream) -> Self {
        Self { stream, decoder: Decoder::default() }
    }

    /// The next frame; None when the peer has finished its half.
    pub async fn next(&mut self) -> Result<Option<Frame>, Error> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            match self.stream.read_chunk(READ_BYTES, true).await? {
                Some(chunk) => self.decoder.push(&chunk.bytes),
                None => return Ok(None),
            }
        }
    }
}

pub struct FrameWriter {
    stream: quinn::SendStream,
    queue: BytesMut,
}

impl FrameWriter {
    pub(crate) fn new(stream: quinn::SendStream) -> Self {
        Self { stream, queue: BytesMut::new() }
    }

    /// Queues a frame; [`FrameWriter::flush`] sends it.
    pub fn push(&mut self, frame: &Frame) -> Result<(), Error> {
        let bytes = frame::encode(frame)?;
        let waiting = self.queue.len().saturating_add(bytes.len());
        if waiting > QUEUE_BYTES_MAX {
            return Err(Error::Slow(waiting));
        }
        self.queue.extend_from_slice(&bytes);
        Ok(())
    }

    pub fn is_flushed(&self) -> bool {
        self.queue.is_empty()
    }

    /// Until the transport has taken everything.
    pub async fn flush(&mut self) -> Result<(), Error> {
        while !self.queue.is_empty() {
            let taken = self.stream.write(&self.queue).await?;
            self.queue.advance(taken);
        }
        Ok(())
    }

    /// Sends what is queued and waits until the peer has it, or its connection is gone.
    pub async fn finish(mut self) {
        if self.flush().await.is_ok() && self.stream.finish().is_ok() {
            let _ = self.stream.stopped().await;
        }
    }
}
