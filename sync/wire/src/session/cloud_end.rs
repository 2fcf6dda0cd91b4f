//! The cloud's end of a session: checks the hello against the certificate, takes rows in, and acknowledges only what
//! the database has made durable.

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;
use model::{BoxId, Epoch, Millis, SiteId, change::Doc, overflow::Signal};

use super::{End, Fault, GREETING_MAX, SILENCE_MAX, Wall};
use crate::{
    frame::{
        Bundle, CERTIFICATE_BYTES_MAX, CONFIG_BYTES_MAX, Checkpoint, Frame, HEADS_MAX, Hello, Reason, Refuse, Versions,
        Welcome,
    },
    outbox::{Batch, Intake, Row},
};

/// Who the certificate says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    pub box_id: BoxId,
    pub site: SiteId,
}

#[derive(Debug)]
pub enum Input {
    Frame(Frame),
    /// The answer to [`Output::Admit`].
    Admitted {
        watermark: u64,
        sync: Vec<Doc>,
    },
    /// The other answer; also at any later time: leaving, replaced, overloaded.
    Refused(Refuse),
    /// The answer to [`Output::Store`]: the database's watermark after its transaction.
    Stored {
        watermark: u64,
    },
    Config {
        doc: Doc,
        bytes: Bytes,
    },
    Signal(Signal),
    Bundle(Bundle),
    /// A new certificate (PEM), in answer to [`Output::Renew`].
    Renewed {
        certificate: Bytes,
    },
    /// The answer to [`Output::Checkpoint`].
    Witnessed {
        first: u64,
        at: Millis,
        signature: Bytes,
    },
}

#[derive(Debug, PartialEq)]
pub enum Output {
    Send(Frame),
    /// May this box have a session, and from which row on?
    Admit(Hello),
    /// Make these rows and their effect durable in one transaction.
    Store {
        epoch: Epoch,
        rows: Vec<Row>,
    },
    Config {
        doc: Doc,
        bytes: Bytes,
    },
    Signal(Signal),
    Renew {
        csr: Bytes,
    },
    /// Verify, keep and counter-sign it.
    Checkpoint(Checkpoint),
    /// The box is there. `last` is its newest row, `skew_ms` how far its clock is ahead of ours.
    Seen {
        last: u64,
        skew_ms: i64,
    },
    /// Over: flush what was sent, then close. Nothing follows.
    Close(End),
}

#[derive(Debug)]
enum State {
    AwaitHello { until: Instant },
    Admitting { epoch: Epoch, version: u16 },
    Linked { intake: Intake, silent_at: Instant },
    Over,
}

#[derive(Debug)]
pub struct CloudEnd {
    peer: Peer,
    versions: Versions,
    wall: Wall,
    state: State,
    outputs: VecDeque<Output>,
}

impl CloudEnd {
    /// `at` is the wall time at `now`.
    pub fn new(now: Instant, at: Millis, peer: Peer, versions: Versions) -> Self {
        let state = State::AwaitHello { until: now + GREETING_MAX };
        Self { peer, versions, wall: Wall { at, now }, state, outputs: VecDeque::new() }
    }

    pub fn is_linked(&self) -> bool {
        matches!(self.state, State::Linked { .. })
    }

    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Frame(frame) => self.frame(now, frame),
            Input::Admitted { watermark, sync } => self.admitted(now, watermark, sync),
            Input::Refused(refuse) => self.refuse(refuse),
            Input::Stored { watermark } => self.stored(watermark),
            Input::Config { doc, bytes } => self.send(Frame::Config { doc, bytes }),
            Input::Signal(signal) => self.send(Frame::Signal(signal)),
            Input::Bundle(bundle) => self.send(Frame::Bundle(bundle)),
            Input::Renewed { certificate } => self.send(Frame::Renewed { certificate }),
            Input::Witnessed { first, at, signature } => self.send(Frame::Witnessed { first, at, signature }),
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.end(End::Silent);
        }
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::AwaitHello { until } => Some(*until),
            State::Linked { silent_at, .. } => Some(*silent_at),
            // The database decides how long; the shell bounds it.
            State::Admitting { .. } | State::Over => None,
        }
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn frame(&mut self, now: Instant, frame: Frame) {
        match (&mut self.state, frame) {
            (State::Over, _) | (_, Frame::Unknown) => {}
            (State::AwaitHello { .. }, Frame::Hello(hello)) => self.hello(now, hello),
            (State::AwaitHello { .. } | State::Admitting { .. }, _) => {
                self.fault(Fault::Unexpected("before the welcome"));
            }
            (State::Linked { intake, silent_at }, Frame::Rows { epoch, first, rows }) => {
                *silent_at = now + SILENCE_MAX;
                match intake.receive(Batch { epoch, first, rows }) {
                    Ok(()) => self.store(),
                    Err(error) => self.fault(error.into()),
                }
            }
            (State::Linked { silent_at, .. }, frame) => {
                *silent_at = now + SILENCE_MAX;
                self.linked_frame(now, frame);
            }
        }
    }

    fn linked_frame(&mut self, now: Instant, frame: Frame) {
        let output = match frame {
            Frame::Ping { at, last } => {
                let ours = self.wall.read(now);
                self.send(Frame::Pong { echo: at, at: ours });
                Output::Seen { last, skew_ms: at.0.saturating_sub(ours.0) }
            }
            Frame::Config { bytes, .. } if bytes.len() > CONFIG_BYTES_MAX => {
                return self.fault(Fault::TooMuch("config"));
            }
            Frame::Config { doc, bytes } => Output::Config { doc, bytes },
            Frame::Signal(signal) if signal.from != self.peer.site => return self.fault(Fault::ForeignSignal),
            Frame::Signal(signal) => Output::Signal(signal),
            Frame::Renew { csr } if csr.len() > CERTIFICATE_BYTES_MAX => return self.fault(Fault::TooMuch("csr")),
            Frame::Renew { csr } => Output::Renew { csr },
            Frame::Checkpoint(checkpoint) if !checkpoint.is_sound() => {
                return self.fault(Fault::TooMuch("checkpoint"));
            }
            Frame::Checkpoint(checkpoint) => Output::Checkpoint(checkpoint),
            _ => return self.fault(Fault::Unexpected("from a box")),
        };
        self.outputs.push_back(output);
    }

    fn hello(&mut self, now: Instant, hello: Hello) {
        let Some(version) = self.versions.common(hello.versions) else {
            let Versions { lowest, highest } = self.versions;
            return self.refuse(Refuse { reason: Reason::Version { lowest, highest }, retry_after_ms: 0 });
        };
        if hello.box_id != self.peer.box_id || hello.site != self.peer.site {
            return self.refuse(Refuse { reason: Reason::Identity, retry_after_ms: 0 });
        }
        if hello.heads.len() > 3 || hello.heads.iter().any(|h| h.heads.len() > HEADS_MAX) {
            return self.fault(Fault::TooMuch("heads"));
        }
        self.state = State::Admitting { epoch: hello.epoch, version };
        let skew_ms = hello.at.0.saturating_sub(self.wall.read(now).0);
        self.outputs.push_back(Output::Seen { last: hello.last, skew_ms });
        self.outputs.push_back(Output::Admit(hello));
    }

    fn admitted(&mut self, now: Instant, watermark: u64, sync: Vec<Doc>) {
        let State::Admitting { epoch, version } = self.state else { return };
        self.state = State::Linked { intake: Intake::new(epoch, watermark), silent_at: now + SILENCE_MAX };
        self.send(Frame::Welcome(Welcome { version, epoch, watermark, sync, at: self.wall.read(now) }));
    }

    fn stored(&mut self, watermark: u64) {
        let State::Linked { intake, .. } = &mut self.state else { return };
        intake.stored(watermark);
        // A watermark ahead of this session's rows belongs to an earlier session; the box has not sent them to us yet.
        let (epoch, seq) = intake.acknowledge();
        self.send(Frame::Ack { epoch, seq });
        self.store();
    }

    fn store(&mut self) {
        if let State::Linked { intake, .. } = &mut self.state
            && let Some(rows) = intake.next_batch()
        {
            let epoch = intake.epoch();
            self.outputs.push_back(Output::Store { epoch, rows });
        }
    }

    fn send(&mut self, frame: Frame) {
        if self.is_linked() {
            self.outputs.push_back(Output::Send(frame));
        }
    }

    fn fault(&mut self, fault: Fault) {
        if !matches!(self.state, State::Over) {
            let refuse = Refuse { reason: Reason::Protocol, retry_after_ms: 0 };
            self.outputs.push_back(Output::Send(Frame::Refuse(refuse)));
        }
        self.end(End::Protocol(fault));
    }

    fn refuse(&mut self, refuse: Refuse) {
        if !matches!(self.state, State::Over) {
            self.outputs.push_back(Output::Send(Frame::Refuse(refuse)));
        }
        self.end(End::Refused(refuse));
    }

    fn end(&mut self, end: End) {
        if !matches!(self.state, State::Over) {
            self.state = State::Over;
            self.outputs.push_back(Output::Close(end));
        }
    }
}
