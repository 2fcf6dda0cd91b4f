//! The box's end of a session: greets, delivers the outbox, carries configuration, signals and certificates.

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;
use model::{Epoch, Millis, change::Doc, overflow::Signal};

use super::{End, Fault, GREETING_MAX, PING_EVERY, SILENCE_MAX, Wall};
use crate::{
    frame::{
        Bundle, CERTIFICATE_BYTES_MAX, CONFIG_BYTES_MAX, Checkpoint, Frame, Hello, Reason, SIGNATURE_BYTES_MAX, Welcome,
    },
    outbox::{self, Cursor, Fetch, Row},
};

#[derive(Debug)]
pub enum Input {
    Frame(Frame),
    /// The answer to [`Output::Fetch`]: rows after the asked one, in order. Fewer are fine, none are not.
    Rows(Vec<Row>),
    /// The outbox has rows up to `last`.
    Outbox {
        last: u64,
    },
    /// An automerge sync message for the cloud.
    Config {
        doc: Doc,
        bytes: Bytes,
    },
    Signal(Signal),
    /// A certificate request (DER).
    Renew {
        csr: Bytes,
    },
    Checkpoint(Checkpoint),
}

#[derive(Debug, PartialEq)]
pub enum Output {
    Send(Frame),
    /// Read rows, answer with [`Input::Rows`].
    Fetch(Fetch),
    /// The session is open.
    Linked(Welcome),
    /// Durable in the cloud up to here: write it down, rows up to it may be pruned.
    Acked {
        epoch: Epoch,
        seq: u64,
    },
    Config {
        doc: Doc,
        bytes: Bytes,
    },
    Signal(Signal),
    Bundle(Bundle),
    /// A new certificate (PEM).
    Renewed {
        certificate: Bytes,
    },
    /// The cloud has seen our checkpoint.
    Witnessed {
        first: u64,
        at: Millis,
        signature: Bytes,
    },
    /// How far the cloud's clock is ahead of ours.
    Skew {
        ms: i64,
    },
    /// Over: close the connection. Nothing follows.
    Close(End),
}

/// Why an epoch cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// The cloud has rows that this outbox never wrote: the disk was restored, or copied.
    CloudAhead { watermark: u64, last: u64 },
    /// Rows after the cloud's watermark are not there: pruned after an acknowledgement that the cloud lost.
    RowsMissing { expected: u64 },
}

#[derive(Debug)]
enum State {
    Greeting { until: Instant },
    Linked { cursor: Cursor, ping_at: Instant, silent_at: Instant },
    Over,
}

#[derive(Debug)]
pub struct BoxEnd {
    state: State,
    hello: Hello,
    wall: Wall,
    outputs: VecDeque<Output>,
}

impl BoxEnd {
    /// Begins with the hello. `hello.at` is the wall time at `now`.
    pub fn new(now: Instant, hello: Hello) -> Self {
        let wall = Wall { at: hello.at, now };
        let outputs = VecDeque::from([Output::Send(Frame::Hello(hello.clone()))]);
        Self { state: State::Greeting { until: now + GREETING_MAX }, hello, wall, outputs }
    }

    pub fn is_linked(&self) -> bool {
        matches!(self.state, State::Linked { .. })
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Frame(frame) => self.frame(now, frame),
            Input::Rows(rows) => self.rows(rows),
            Input::Outbox { last } => {
                self.hello.last = self.hello.last.max(last);
                if let State::Linked { cursor, .. } = &mut self.state {
                    cursor.grew(last);
                }
            }
            Input::Config { doc, bytes } => self.send(Frame::Config { doc, bytes }),
            Input::Signal(signal) => self.send(Frame::Signal(signal)),
            Input::Renew { csr } => self.send(Frame::Renew { csr }),
            Input::Checkpoint(checkpoint) => self.send(Frame::Checkpoint(checkpoint)),
        }
        self.fetch();
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        match &mut self.state {
            State::Greeting { until } if *until <= now => self.end(End::Silent),
            State::Linked { silent_at, .. } if *silent_at <= now => self.end(End::Silent),
            State::Linked { cursor, ping_at, .. } if *ping_at <= now => {
                *ping_at = now + PING_EVERY;
                let ping = Frame::Ping { at: self.wall.read(now), last: cursor.last() };
                self.outputs.push_back(Output::Send(ping));
            }
            _ => {}
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Greeting { until } => Some(*until),
            State::Linked { ping_at, silent_at, .. } => Some(*ping_at.min(silent_at)),
            State::Over => None,
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn frame(&mut self, now: Instant, frame: Frame) {
        if let State::Linked { silent_at, .. } = &mut self.state {
            *silent_at = now + SILENCE_MAX;
        }
        match (&mut self.state, frame) {
            (State::Over, _) | (_, Frame::Unknown) => {}
            (_, Frame::Refuse(refuse)) => self.end(End::Refused(refuse)),
            (State::Greeting { .. }, Frame::Welcome(welcome)) => self.welcome(now, welcome),
            (State::Greeting { .. }, _) => self.fault(Fault::Unexpected("before the welcome")),
            (State::Linked { cursor, .. }, Frame::Ack { epoch, seq }) => match cursor.ack(epoch, seq) {
                Ok(true) => self.outputs.push_back(Output::Acked { epoch, seq }),
                Ok(false) => {}
                Err(error) => self.fault(error.into()),
            },
            (State::Linked { .. }, frame) => self.linked_frame(now, frame),
        }
    }

    fn linked_frame(&mut self, now: Instant, frame: Frame) {
        let output = match frame {
            Frame::Config { bytes, .. } if bytes.len() > CONFIG_BYTES_MAX => {
                return self.fault(Fault::TooMuch("config"));
            }
            Frame::Config { doc, bytes } => Output::Config { doc, bytes },
            Frame::Signal(signal) if signal.to != self.hello.site => return self.fault(Fault::ForeignSignal),
            Frame::Signal(signal) => Output::Signal(signal),
            Frame::Bundle(bundle) if !bundle.is_sound() => return self.fault(Fault::TooMuch("bundle name")),
            Frame::Bundle(bundle) => Output::Bundle(bundle),
            Frame::Pong { echo, at } => Output::Skew { ms: skew(echo, at, self.wall.read(now)) },
            Frame::Renewed { certificate } if certificate.len() > CERTIFICATE_BYTES_MAX => {
                return self.fault(Fault::TooMuch("certificate"));
            }
            Frame::Renewed { certificate } => Output::Renewed { certificate },
            Frame::Witnessed { signature, .. } if signature.len() > SIGNATURE_BYTES_MAX => {
                return self.fault(Fault::TooMuch("signature"));
            }
            Frame::Witnessed { first, at, signature } => Output::Witnessed { first, at, signature },
            _ => return self.fault(Fault::Unexpected("from the cloud")),
        };
        self.outputs.push_back(output);
    }

    fn welcome(&mut self, now: Instant, welcome: Welcome) {
        let known = self.hello.versions.lowest..=self.hello.versions.highest;
        if !known.contains(&welcome.version) {
            return self.end(End::refused(Reason::Version { lowest: welcome.version, highest: welcome.version }));
        }
        if welcome.epoch != self.hello.epoch {
            return self.fault(Fault::Unexpected("a welcome for another epoch"));
        }
        let (watermark, last) = (welcome.watermark, self.hello.last);
        if watermark > last {
            return self.end(End::EpochSpent(Spent::CloudAhead { watermark, last }));
        }
        let cursor = Cursor::new(welcome.epoch, watermark, last);
        self.state = State::Linked { cursor, ping_at: now, silent_at: now + SILENCE_MAX };
        let epoch = welcome.epoch;
        self.outputs.push_back(Output::Linked(welcome));
        self.outputs.push_back(Output::Acked { epoch, seq: watermark });
    }

    fn rows(&mut self, rows: Vec<Row>) {
        let State::Linked { cursor, .. } = &mut self.state else { return };
        if rows.is_empty() {
            let expected = cursor.acked().saturating_add(1);
            return self.end(End::EpochSpent(Spent::RowsMissing { expected }));
        }
        match cursor.rows(rows) {
            Ok(batches) => {
                for outbox::Batch { epoch, first, rows } in batches {
                    self.outputs.push_back(Output::Send(Frame::Rows { epoch, first, rows }));
                }
            }
            Err(outbox::Error::Gap { expected, .. }) => self.end(End::EpochSpent(Spent::RowsMissing { expected })),
            // The ledger has begun another epoch: say hello again with that one.
            Err(_) => self.end(End::refused(Reason::Replaced)),
        }
    }

    fn fetch(&mut self) {
        if let State::Linked { cursor, .. } = &mut self.state
            && let Some(fetch) = cursor.fetch()
        {
            self.outputs.push_back(Output::Fetch(fetch));
        }
    }

    fn send(&mut self, frame: Frame) {
        if self.is_linked() {
            self.outputs.push_back(Output::Send(frame));
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.end(End::Protocol(fault));
    }

    fn end(&mut self, end: End) {
        if !matches!(self.state, State::Over) {
            self.state = State::Over;
            self.outputs.push_back(Output::Close(end));
        }
    }
}

/// The cloud's clock minus ours, halfway through the round trip.
fn skew(sent: Millis, theirs: Millis, received: Millis) -> i64 {
    let half = received.0.saturating_sub(sent.0).max(0) / 2;
    theirs.0.saturating_sub(sent.0.saturating_add(half))
}
